package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// typed makes a column of what a schema says: type, collation, words.
func typed(s *openapi.Schema) Column {
	c := Column{Schema: s, Type: "JSON", Datatype: "any"}
	if s == nil {
		return c
	}
	c.Type, c.Description, c.Secret = sqlType(s), s.Description, s.Secret
	c.NoCase = s.Type == "string" && (s.Format == "arm-id" || s.Format == "uuid")
	if s.Type != "" {
		c.Datatype = s.Type
	}
	if s.Format != "" {
		c.Datatype += " (" + s.Format + ")"
	}
	return c
}

// sqlType gives the DuckDB type for a schema. A format that is not listed says
// nothing about the width of a value, so the widest type is taken.
func sqlType(s *openapi.Schema) string {
	switch s.Type {
	case "string":
		switch s.Format {
		case "date-time":
			return "TIMESTAMPTZ"
		case "date":
			return "DATE"
		}
		return "VARCHAR"
	case "boolean":
		return "BOOLEAN"
	case "integer":
		if s.Format == "int32" {
			return "INTEGER"
		}
		return "BIGINT"
	case "number":
		return "DOUBLE"
	}
	return "JSON"
}

// getter gives the method that reads one item by its full path: the first that
// answers with one row and whose path ends in a parameter; nil where the
// resource has none.
func getter(r *provider.Resource) *provider.Method {
	if all := getters(r); len(all) > 0 {
		return all[0]
	}
	return nil
}

// getters gives all methods that read one item by its full path: a resource may
// stand in several places.
func getters(r *provider.Resource) []*provider.Method {
	var all []*provider.Method
	for _, m := range r.Verbs[provider.Select] {
		if !m.Response.List && strings.HasSuffix(m.Path, "}") {
			all = append(all, m)
		}
	}
	return all
}

// homeOf gives the method that reads one of the items that a method gives: the
// one whose path is that of the list with a name behind it, else the
// resource's first.
func homeOf(m *provider.Method) *provider.Method {
	if get := itemOf(m); get != nil {
		return get
	}
	return getter(m.Resource)
}

// itemOf gives the method that reads an item of a list at the list's own path,
// or nil. The method of one item is its own.
func itemOf(m *provider.Method) *provider.Method {
	shape := shapeOfPath(m.Path)
	for _, get := range getters(m.Resource) {
		if get == m || shapeOfPath(get.Path) == shape+"/{}" {
			return get
		}
	}
	return nil
}

// idPath is a path under which an item is read, as an expression for ids, and
// the parameters that its groups are.
type idPath struct {
	pattern string
	names   []string
}

// idPaths gives the paths under which the items of a resource are read.
func idPaths(r *provider.Resource) []idPath {
	var all []idPath
	for _, get := range getters(r) {
		p := idPath{idPattern(get), get.PathParameters()}
		if !slices.ContainsFunc(all, func(o idPath) bool { return o.pattern == p.pattern && slices.Equal(o.names, p.names) }) {
			all = append(all, p)
		}
	}
	return all
}

// idPattern makes the expression that takes an item's id apart by the path
// under which the item is read: by the rules of Azure Resource Manager the two
// are the same, case aside.
func idPattern(get *provider.Method) string {
	var b strings.Builder
	b.WriteString("(?i)^")
	rest := get.Path
	for _, name := range get.PathParameters() {
		before, after, _ := strings.Cut(rest, "{"+name+"}")
		b.WriteString(regexp.QuoteMeta(before))
		group := "([^/]+)"
		if p, _ := get.Parameter(name); p.Raw {
			// A scope is a path of its own, of any length.
			group = "(.+)"
		}
		b.WriteString(group)
		rest = after
	}
	b.WriteString(regexp.QuoteMeta(rest) + "/?$")
	return b.String()
}

// fieldsOf gives the columns that * stands for.
func fieldsOf(m *provider.Method) []Column {
	return slices.DeleteFunc(Columns(m), func(c Column) bool { return c.Kind != Field })
}
