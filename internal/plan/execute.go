package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// exec makes the plan of EXEC: one call, or one for each row of its FROM. Every
// name and every literal is checked before any request.
func (p *Planner) exec(s *syntax.Statement, head syntax.Exec) (*Write, error) {
	m, err := p.method(head.Method.Parts)
	if err != nil {
		return nil, fault.From(err).At(s.Text.Span(head.Method.Start, head.Method.End))
	}
	target := syntax.Target{Name: head.Method, Hints: head.Hints, With: head.With, Local: syntax.Other{Target: head.Method}}
	k := p.maker(s, m.Resource, target, provider.Exec)
	k.write.Method = m
	if err := k.arguments(head); err != nil {
		return nil, on(err, m)
	}
	if head.From != nil {
		if err := k.fromRows(*head.From); err != nil {
			return nil, on(err, m)
		}
	}
	if lacks := lacking(m, k.given(), "@"); len(lacks) > 0 {
		e := fault.New(fault.MissingParameter, "%s needs %s", m.FullName(), strings.Join(lacks, ", ")).On(m.FullName()).At(k.home())
		if head.From != nil {
			names := strings.ReplaceAll(strings.Join(lacks, ", "), "@", "")
			return nil, e.WithHint("the query of the FROM can give them: SELECT %s, … FROM …; * gives no parameters", names)
		}
		return nil, e.WithHint("%s", smallest(m))
	}
	if err := k.called(head); err != nil {
		return nil, on(err, m)
	}
	return k.finish(head.Returning)
}

// arguments gives each @name its parameter or its member of the body. Without
// FROM, a parameter has its value at once.
func (k *maker) arguments(head syntax.Exec) error {
	var tuple Tuple
	for _, a := range head.Arguments {
		at := k.at(syntax.Clause{Start: a.Column.Start, End: a.Column.End})
		s, err := slot(k.write.Method, a.Column, at)
		if err != nil {
			return err
		}
		if slices.Contains(k.write.Arguments, nameOf(s)) {
			return fault.New(fault.SyntaxError, "%s is given twice", "@"+nameOf(s)).At(at)
		}
		if head.From == nil && s.Parameter != nil {
			v, known, err := k.constant(a, *s.Parameter)
			if err != nil {
				return err
			}
			if known {
				if v != nil { // NULL: not given
					k.write.Arguments, tuple = append(k.write.Arguments, s.Parameter.Name), append(tuple, v)
				}
				continue
			}
		} else if head.From == nil {
			if _, _, err := k.constant(a, provider.Parameter{}); err != nil {
				return err
			}
		}
		if err := k.add(s, a.Value); err != nil {
			return err
		}
	}
	k.write.Targets = []Tuple{tuple}
	return nil
}

func nameOf(s Slot) string {
	if s.Parameter == nil {
		return ""
	}
	return s.Parameter.Name
}

// constant reads the expression of an argument without FROM, which cannot name
// a column; known is false for one that asks a query.
func (k *maker) constant(a syntax.Assignment, parameter provider.Parameter) (v *Value, known bool, err error) {
	node, normal, err := k.expression(a)
	if err != nil {
		return nil, false, err
	}
	b := &builder{catalog: k.Catalog, text: normal}
	if v, known, err = b.value(node, parameter); known || err != nil {
		return v, known, err
	}
	asks := false
	syntax.Walk(node, func(n syntax.Node) bool {
		asks = asks || n.Class() == "SUBQUERY"
		return !asks
	})
	if asks {
		return nil, false, nil
	}
	return nil, false, fault.New(fault.NotSupported, "%s takes a value, not a column", a.Column.Written).
		WithHint("text stands in single quotes: %s = '…'; columns are those of a FROM: EXEC … %s = column FROM (SELECT …) AS t", a.Column.Written, a.Column.Written).
		At(k.at(a.Value))
}

// normal gives a part of a statement as DuckDB's parser takes it, the values of
// variables put in.
func (p *Planner) normal(text *syntax.Edited) (*syntax.Edited, error) {
	normal, err := syntax.Normalize(text)
	if err != nil {
		return nil, err
	}
	return p.fill(normal)
}

// expression parses the value of an assignment.
func (p *Planner) expression(s *syntax.Statement, a syntax.Assignment) (syntax.Node, *syntax.Edited, error) {
	text := s.Text.Part(a.Value.Start, a.Value.End).Apply([]syntax.Edit{{Text: "SELECT "}})
	normal, err := p.normal(text)
	if err != nil {
		return nil, nil, err
	}
	nodes, err := p.tree(normal)
	if err != nil {
		return nil, nil, err
	}
	if len(nodes) != 1 || len(nodes[0].List("select_list")) != 1 {
		return nil, nil, fault.New(fault.SyntaxError, "one value is expected for %s", a.Column.Written).At(s.Text.Span(a.Value.Start, a.Value.End))
	}
	return nodes[0].List("select_list")[0], normal, nil
}

// given gives the parameters that have values so far.
func (k *maker) given() []string {
	names := slices.Clone(k.write.Arguments)
	for _, v := range k.values {
		switch {
		case v.Parameter != nil:
			names = append(names, v.Parameter.Name)
		case len(v.Member.Path) > 0:
			names = append(names, v.Member.Path[0]) // a member may be a parameter too
		default:
			names = append(names, inBody(k.write.Method)...)
		}
	}
	return names
}

// inBody gives the parameters that are members of the body: all of them are
// given by a body that is given as a whole.
func inBody(m *provider.Method) []string {
	var names []string
	for _, p := range m.Parameters {
		if p.In == provider.InBody {
			names = append(names, p.Name)
		}
	}
	return names
}

// fromRows takes the required parameters that no argument gives from the
// columns of the FROM that have their names.
func (k *maker) fromRows(from syntax.Clause) error {
	columns, alias, err := k.columnsOf(from)
	if err != nil {
		return err
	}
	given := k.given()
	for _, p := range k.write.Method.RequiredParameters() {
		if slices.Contains(given, p.Name) {
			continue
		}
		name, ok := likeName(columns, p.Name)
		if !ok {
			continue // lacking says so
		}
		text := syntax.QuoteName(name)
		if alias != "" {
			text = syntax.QuoteName(alias) + "." + text
		}
		k.values = append(k.values, slotValue{Slot: Slot{Parameter: &p, Written: "@" + p.Name, span: k.home()}, text: text})
	}
	return nil
}

func likeName(names []string, name string) (string, bool) {
	for _, same := range []func(string) bool{
		func(n string) bool { return n == name },
		func(n string) bool { return strings.EqualFold(n, name) },
		func(n string) bool { return fault.Fold(n) == fault.Fold(name) },
	} {
		if i := slices.IndexFunc(names, same); i >= 0 {
			return names[i], true
		}
	}
	return "", false
}

// columnsOf gives the names of the columns of a FROM with one entry, as far as
// the text says them, and its alias.
func (k *maker) columnsOf(from syntax.Clause) (names []string, alias string, err error) {
	const before = "SELECT 1 FROM "
	normal, err := k.normal(k.part(from).Apply([]syntax.Edit{{Text: before}}))
	if err != nil {
		return nil, "", err
	}
	nodes, err := k.tree(normal)
	if err != nil || len(nodes) != 1 {
		return nil, "", err
	}
	n := nodes[0].Child("from_table")
	switch n.Type() {
	case "SUBQUERY":
		return append(n.Texts("column_name_alias"), outputs(n.Child("subquery").Child("node"))...), n.Text("alias"), nil
	case "BASE_TABLE":
		parts := tableParts(n)
		r, err := k.Planner.resource(parts)
		if r == nil || err != nil {
			return nil, "", located(err, k.at(from))
		}
		for _, c := range catalog.Columns(firstOf(r)) {
			if c.Kind != catalog.Raw {
				names = append(names, c.Name)
			}
		}
		if alias = n.Text("alias"); alias == "" {
			alias = parts[len(parts)-1]
		}
		return names, alias, nil
	}
	return nil, "", nil
}

// called makes the query of the rows of an EXEC.
func (k *maker) called(head syntax.Exec) error {
	if head.From == nil && len(k.values) == 0 {
		return nil
	}
	list := k.list()
	if head.From != nil {
		list = append(list, k.own(" FROM "), k.part(*head.From))
		k.write.Rows = -1
	}
	var err error
	k.write.Source, err = k.query(list)
	return err
}

// lacking gives the required parameters that have no value.
func lacking(m *provider.Method, given []string, sign string) []string {
	var names []string
	for _, p := range m.RequiredParameters() {
		if !slices.Contains(given, p.Name) {
			names = append(names, sign+p.Name)
		}
	}
	return names
}

// complete checks what the statement says of the body as far as its text tells:
// that what is required is there, and the literals.
func (k *maker) complete() error {
	w := k.write
	if w.Merge || w.Method.Body == nil {
		return nil
	}
	if k.parts() == 0 && w.Verb == provider.Exec {
		if w.Method.Body.Required {
			return fault.New(fault.MissingParameter, "%s needs a body", w.Method.FullName()).
				WithHint("give it as @@json = '{…}'; DESCRIBE METHOD %s lists its members", w.Method.FullName())
		}
		return nil
	}
	if err := k.required(); err != nil {
		return err
	}
	return k.checkLiterals()
}

// parts counts the values that are parts of the body.
func (k *maker) parts() int {
	n := 0
	for _, v := range k.values {
		if v.Parameter == nil {
			n++
		}
	}
	return n
}

// required checks that the members that the body requires are named.
func (k *maker) required() error {
	w := k.write
	if w.Method.Body == nil || w.Verb == provider.Delete {
		return nil
	}
	var paths [][]string
	for _, name := range w.boundMembers() {
		paths = append(paths, []string{name})
	}
	for _, v := range k.values {
		switch {
		case v.Parameter == nil:
			paths = append(paths, v.Member.Path)
		case v.Parameter.In == provider.InBody:
			paths = append(paths, []string{v.Parameter.Name})
		}
	}
	if lacks := unfilled(w.Method.Body.Schema, nil, paths); len(lacks) > 0 {
		return fault.New(fault.MissingParameter, "%s needs %s", w.Method.FullName(), strings.Join(lacks, ", ")).
			At(k.home()).WithHint("%s", smallest(w.Method))
	}
	return nil
}

// unfilled gives the required members of a body that none of the paths gives a
// value, by the names that a statement has for them.
func unfilled(s *openapi.Schema, at []string, paths [][]string) []string {
	var lacks []string
	if s == nil || slices.ContainsFunc(paths, func(p []string) bool { return slices.Equal(p, at) }) {
		return nil // given whole
	}
	for _, name := range s.Required {
		path := append(slices.Clone(at), name)
		member := s.Member(name)
		given := slices.ContainsFunc(paths, func(p []string) bool { return len(p) >= len(path) && slices.Equal(p[:len(path)], path) })
		switch {
		case readOnly(member):
		case name == "properties" && len(at) == 0 && member != nil && len(member.Required) > 0:
			lacks = append(lacks, unfilled(member, path, paths)...)
		case !given:
			lacks = append(lacks, name)
		}
	}
	if properties := s.Member("properties"); len(at) == 0 && properties != nil && !slices.Contains(s.Required, "properties") {
		begun := slices.ContainsFunc(paths, func(p []string) bool { return len(p) > 1 && p[0] == "properties" })
		if begun {
			lacks = append(lacks, unfilled(properties, []string{"properties"}, paths)...)
		}
	}
	return lacks
}

// checkLiterals checks the values that are literals, and the body where all
// are.
func (k *maker) checkLiterals() error {
	row := make([][]byte, len(k.values))
	known := len(k.values) > 0
	at := k.home()
	for i, v := range k.values {
		if v.value.End == 0 {
			known = known && v.Parameter != nil
			continue
		}
		text, isLiteral := literalJSON(k.statement, v.value)
		known = known && (isLiteral || v.Parameter != nil)
		if !isLiteral {
			continue
		}
		row[i] = text
		if _, err := v.fit(text); err != nil {
			return err
		}
		if v.Parameter == nil {
			at = k.at(v.value)
		}
	}
	if !known {
		return nil
	}
	w := Write{Verb: k.write.Verb, Method: k.write.Method, Arguments: k.write.Arguments}
	for _, v := range k.values {
		w.Columns = append(w.Columns, v.Slot)
	}
	_, _, err := w.Body(row)
	return located(err, at)
}
