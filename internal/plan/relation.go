package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/syntax"
)

// Relation gives the subquery that stands for a scan in a text. The
// source has the raw item of each row; the columns are taken out of it here,
// all scalar ones by one from_json with a structure of just those members.
//
// Every member is read as text first and then cast, so that a value that does
// not fit its column is counted and becomes NULL instead of failing the
// statement: documents and services drift apart.
func (s *Scan) Relation(source Rows) string {
	tree := structure{}
	var columns []string
	for _, p := range s.columns {
		columns = append(columns, s.column(p, tree, source)+" AS "+syntax.QuoteName(p.name))
	}
	if len(columns) == 0 {
		columns = []string{"1"}
	}
	inner := "*"
	if len(tree) > 0 {
		inner = "*, from_json(raw, " + syntax.QuoteText(tree.json()) + ") AS item"
	}
	return "(SELECT " + strings.Join(columns, ", ") + " FROM (SELECT " + inner + " FROM " + source.SQL() + "))"
}

// column gives the expression of one column.
func (s *Scan) column(p projected, tree structure, source Rows) string {
	c := p.column
	if i := slices.Index(s.Arguments, parameterName(c)); i >= 0 {
		bound := typed(c, "a"+strconv.Itoa(i))
		if s.always(s.Arguments[i]) {
			return bound
		}
		both := "coalesce(" + bound + ", " + s.unbound(p, tree, source) + ")"
		if c.NoCase {
			both += " COLLATE NOCASE"
		}
		return both
	}
	return s.unbound(p, tree, source)
}

// always tells whether every row has a value of an argument: a part may have no
// such parameter.
func (s *Scan) always(argument string) bool {
	return !slices.ContainsFunc(s.Parts, func(p *Scan) bool { return !slices.Contains(p.Arguments, argument) })
}

// unbound gives the expression of a column by the item alone.
func (s *Scan) unbound(p projected, tree structure, source Rows) string {
	c := p.column
	switch c.Kind {
	case catalog.Raw:
		return "raw::JSON"
	case catalog.Parameter:
		return s.parameterColumn(c, tree)
	}
	if c.Secret && !p.named {
		return masked(c, tree)
	}
	if c.Type == "JSON" {
		if c.Own != nil {
			return fmt.Sprintf("coalesce(m%d, m%d)::JSON", s.memberAt(c.Own), s.member(c))
		}
		return fmt.Sprintf("m%d::JSON", s.member(c))
	}
	text := tree.text(c)
	switch c.Type {
	case "VARCHAR":
		return typed(c, text)
	}
	fits := "TRY_CAST(" + text + " AS " + c.Type + ")"
	return "CASE WHEN " + text + " IS NOT NULL AND " + fits + " IS NULL THEN TRY_CAST(" +
		source.MisfitSQL(c.Name, text) + " AS " + c.Type + ") ELSE " + fits + " END"
}

// parameterName gives the parameter whose value a column shows when the
// statement bound it. A field of the same name shows the bound value too, so
// that the predicate is true for the rows of its call.
func parameterName(c catalog.Column) string {
	if c.Kind == catalog.Parameter || c.Kind == catalog.Field {
		return c.Name
	}
	return ""
}

// parameterColumn gives the value of a parameter that is not bound: taken from
// the item's id by the path template of get, else NULL.
func (s *Scan) parameterColumn(c catalog.Column, tree structure) string {
	if len(c.IDs) == 0 && len(c.Path) > 0 {
		value := tree.leaf(c.Path)
		if c.KeyPattern != "" {
			value = "coalesce(nullif(regexp_extract(" + value + ", " + syntax.QuoteText(c.KeyPattern) + ", 1), ''), " + value + ")"
		}
		return typed(c, value)
	}
	if len(c.IDs) == 0 {
		return typed(c, "NULL")
	}
	id := tree.leaf([]string{"id"})
	var parts []string
	for _, p := range c.IDs {
		parts = append(parts, "nullif(regexp_extract("+id+", "+syntax.QuoteText(p.Pattern)+", "+strconv.Itoa(p.Group)+"), '')")
	}
	if len(parts) == 1 {
		return typed(c, parts[0])
	}
	return typed(c, "coalesce("+strings.Join(parts, ", ")+")")
}

// typed casts a text expression to the type of a column.
func typed(c catalog.Column, text string) string {
	if c.Type != "VARCHAR" {
		return "CAST(" + text + " AS " + c.Type + ")"
	}
	if text == "NULL" {
		text = "NULL::VARCHAR"
	}
	if c.NoCase {
		return text + " COLLATE NOCASE"
	}
	return text
}

// text gives the expression that reads a column.
func (t structure) text(c catalog.Column) string {
	if c.Own != nil {
		return "coalesce(" + t.leaf(c.Own) + ", " + t.leaf(c.Path) + ")"
	}
	return t.leaf(c.Path)
}

// structure is the structure that from_json is asked for: nested objects by
// the members' names, with nil at the leaves.
type structure map[string]structure

// leaf adds a member and gives the expression that reads it.
func (t structure) leaf(path []string) string {
	if len(path) == 0 {
		return "json_extract_string(raw, '$')" // the item is a value itself
	}
	expression := "item"
	for i, name := range path {
		for other := range t {
			if other != name && strings.EqualFold(other, name) {
				// Names of a STRUCT ignore case: the second of two such members is read on its own.
				return "json_extract_string(raw, " + syntax.QuoteText(jsonPath(path)) + ")"
			}
		}
		if i == len(path)-1 {
			if below, ok := t[name]; ok && below != nil {
				return "json_extract_string(raw, " + syntax.QuoteText(jsonPath(path)) + ")"
			}
			t[name] = nil
			return expression + "." + syntax.QuoteName(name)
		}
		below, ok := t[name]
		if ok && below == nil {
			return "json_extract_string(raw, " + syntax.QuoteText(jsonPath(path)) + ")"
		}
		if !ok {
			below = structure{}
			t[name] = below
		}
		expression += "." + syntax.QuoteName(name)
		t = below
	}
	return "NULL::VARCHAR"
}

// json gives the structure in the form that from_json takes.
func (t structure) json() string {
	var parts []string
	for _, name := range sortedKeys(t) {
		quoted, _ := json.Marshal(name) // a string always marshals
		value := `"VARCHAR"`
		if t[name] != nil {
			value = t[name].json()
		}
		parts = append(parts, string(quoted)+":"+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// jsonPath gives the path of DuckDB's JSON functions to a member.
func jsonPath(path []string) string {
	var b strings.Builder
	b.WriteString("$")
	for _, name := range path {
		b.WriteString(`."` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`)
	}
	return b.String()
}

// mask stands for a secret that the statement did not ask for by name.
const mask = "***"

func masked(c catalog.Column, tree structure) string {
	if c.Type == "JSON" {
		return `'"` + mask + `"'::JSON`
	}
	return "CASE WHEN " + tree.text(c) + " IS NOT NULL THEN '" + mask + "' END"
}

// member gives the number of a column that the source cuts out of the items:
// objects and arrays are handed on as the service wrote them, which DuckDB's
// JSON functions would not do.
func (s *Scan) member(c catalog.Column) int { return s.memberAt(c.Path) }

func (s *Scan) memberAt(path []string) int {
	return slices.IndexFunc(s.Members, func(m Member) bool { return slices.Equal(m.Path, path) })
}

// findMembers notes the members that the source has to cut out.
func (s *Scan) findMembers() {
	s.Members = nil
	for _, p := range s.columns {
		c := p.column
		isArgument := slices.Contains(s.Arguments, parameterName(c)) && s.always(parameterName(c))
		if c.Type != "JSON" || c.Kind == catalog.Raw || c.Kind == catalog.Parameter || isArgument || c.Secret && !p.named {
			continue
		}
		for _, path := range [][]string{c.Path, c.Own} {
			if path == nil || s.memberAt(path) >= 0 {
				continue
			}
			m := Member{Path: path}
			if !c.Secret {
				m.Secrets = secretPaths(c.Schema, 0)
			}
			s.Members = append(s.Members, m)
		}
	}
}

// deepestSecret bounds how deep secrets are looked for: a schema may contain
// itself.
const deepestSecret = 8

// secretPaths gives the paths of the secret members below a schema; "*" stands
// for the elements of an array.
func secretPaths(s *openapi.Schema, depth int) [][]string {
	if s == nil || depth > deepestSecret {
		return nil
	}
	var paths [][]string
	for _, p := range secretPaths(s.Items(), depth+1) {
		paths = append(paths, append([]string{"*"}, p...))
	}
	for _, m := range s.Members() {
		if m.Schema != nil && m.Schema.Secret {
			paths = append(paths, []string{m.Name})
			continue
		}
		for _, p := range secretPaths(m.Schema, depth+1) {
			paths = append(paths, append([]string{m.Name}, p...))
		}
	}
	return paths
}
