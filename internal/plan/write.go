package plan

import (
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// exec makes the plan of EXEC: a table of one target. Every name and every
// constant is checked before any request.
func (p *Planner) exec(s *syntax.Statement, head syntax.Exec) (*Write, error) {
	m, err := p.method(head.Method.Parts)
	if err != nil {
		return nil, fault.From(err).At(s.Text.Span(head.Method.Start, head.Method.End))
	}
	w := &Write{Method: m}
	if err := p.execArguments(w, s, head); err != nil {
		return nil, fault.From(err).On(m.FullName())
	}
	if lacks := lacking(m, w.Arguments); len(lacks) > 0 {
		return nil, fault.New(fault.MissingParameter, "%s needs %s", m.FullName(), strings.Join(lacks, ", ")).On(m.FullName()).
			At(s.Text.Span(head.Method.Start, head.Method.End)).
			WithHint("the smallest statement that works:\n%s", catalog.SmallestStatement(m.Resource, m))
	}
	if err := p.payload(w, s, head); err != nil {
		return nil, fault.From(err).On(m.FullName())
	}
	w.Returning, err = p.returning(s, head.Returning, m)
	return w, err
}

// execArguments gives each @name its parameter or its member of the body.
func (p *Planner) execArguments(w *Write, s *syntax.Statement, head syntax.Exec) error {
	all := parametersOf([]*provider.Method{w.Method})
	var tuple Tuple
	for _, a := range head.Arguments {
		at := s.Text.Span(a.NameStart, a.NameEnd)
		parameter, ok := findParameter(all, a.Name)
		if !ok {
			if err := p.member(w, s, a); err != nil {
				return fault.From(err).At(at)
			}
			continue
		}
		v, err := p.constant(s, a, parameter)
		if err != nil {
			return err
		}
		if v == nil {
			continue // NULL: not given
		}
		for _, name := range w.Arguments {
			if name == parameter.Name {
				return fault.New(fault.SyntaxError, "@%s is given twice", parameter.Name).At(at)
			}
		}
		w.Arguments, tuple = append(w.Arguments, parameter.Name), append(tuple, v)
	}
	w.Targets = []Tuple{tuple}
	return nil
}

// constant reads the expression of an assignment, which cannot name a column.
// NULL gives nil.
func (p *Planner) constant(s *syntax.Statement, a syntax.Assignment, parameter provider.Parameter) (*Value, error) {
	text := s.Text.Part(a.Start, a.End).Apply([]syntax.Edit{{Text: "SELECT "}})
	normal, err := syntax.Normalize(text)
	if err != nil {
		return nil, err
	}
	if normal, err = p.fill(normal); err != nil {
		return nil, err
	}
	nodes, err := p.tree(normal)
	if err != nil {
		return nil, err
	}
	at := s.Text.Span(a.Start, a.End)
	if len(nodes) != 1 || len(nodes[0].List("select_list")) != 1 {
		return nil, fault.New(fault.SyntaxError, "one value is expected for @%s", a.Name).At(at)
	}
	b := &builder{catalog: p.Catalog, text: normal}
	v, ok, err := b.value(nodes[0].List("select_list")[0], parameter)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotSupported, "@%s takes a value, not a column or a query", a.Name).
			WithHint("text stands in single quotes: @%s = '…'", a.Name).At(at)
	}
	return v, nil
}

// member reads @name for a member of the request body.
func (p *Planner) member(w *Write, s *syntax.Statement, a syntax.Assignment) error {
	m := w.Method
	var names []string
	if m.Body != nil {
		for _, c := range m.Body.Schema.Members() {
			name := strings.TrimPrefix(a.Name, "data__")
			if strings.EqualFold(c.Name, name) || fault.Fold(c.Name) == fault.Fold(name) {
				kind := provider.Parameter{Name: c.Name, Schema: c.Schema}
				v, err := p.constant(s, a, kind)
				if err != nil {
					return err
				}
				w.Members = append(w.Members, BodyMember{c.Name, v, c.Schema.Type})
				return nil
			}
			names = append(names, c.Name)
		}
	}
	for _, q := range m.Parameters {
		names = append(names, q.Name)
	}
	return fault.New(fault.UndefinedParameter, "%s has no parameter @%s", m.FullName(), a.Name).
		WithHint("%s", fault.DidYouMean(a.Name, names, "DESCRIBE METHOD "+m.FullName()+" lists what it takes"))
}

// lacking gives the required parameters that have no value.
func lacking(m *provider.Method, given []string) []string {
	var names []string
	for _, p := range m.RequiredParameters() {
		found := false
		for _, g := range given {
			found = found || g == p.Name
		}
		if !found {
			names = append(names, "@"+p.Name)
		}
	}
	return names
}

// payload reads @@json and checks it against the schema of the request.
func (p *Planner) payload(w *Write, s *syntax.Statement, head syntax.Exec) error {
	a := head.Payload
	if a == nil {
		return requiredBody(w)
	}
	at := s.Text.Span(a.Start, a.End)
	if w.Method.Body == nil {
		return fault.New(fault.InvalidValue, "%s takes no body", w.Method.FullName()).
			WithHint("leave @@json out").At(s.Text.Span(a.NameStart, a.NameEnd))
	}
	if len(w.Members) > 0 {
		return fault.New(fault.InvalidValue, "the body is given twice: by @@json and by @%s", w.Members[0].Name).At(at)
	}
	v, err := p.constant(s, *a, provider.Parameter{Name: "@@json"})
	if err != nil {
		return err
	}
	if v == nil {
		return requiredBody(w)
	}
	w.Body = v
	if v.Expression != nil {
		return nil
	}
	if err := CheckBody(w.Method, []byte(v.Text)); err != nil {
		return fault.From(err).At(at)
	}
	return nil
}

// requiredBody checks that a method that needs a body has got one.
func requiredBody(w *Write) error {
	if w.Method.Body != nil && w.Method.Body.Required && len(w.Members) == 0 {
		return fault.New(fault.MissingParameter, "%s needs a body", w.Method.FullName()).
			WithHint("give it as @@json = '{…}'; DESCRIBE METHOD %s lists its members", w.Method.FullName())
	}
	return nil
}

// returning makes the plan of RETURNING over the answer of a method. A method
// that only reads gives its answer without being asked.
func (p *Planner) returning(s *syntax.Statement, c *syntax.Clause, m *provider.Method) (*Query, error) {
	if c == nil && !m.ReadOnly {
		return nil, nil
	}
	if m.Response.Item == nil {
		if c == nil {
			return nil, nil
		}
		return nil, fault.New(fault.NotSupported, "%s answers with nothing that RETURNING could show", m.FullName()).
			At(s.Text.Span(c.Start, c.End)).WithHint("leave RETURNING out: the outcome is shown")
	}
	list := s.Text.Apply([]syntax.Edit{{Start: 0, End: len(s.Text.Text), Text: "*"}})
	if c != nil {
		list = s.Text.Part(c.Start, c.End)
	}
	text := list.Apply([]syntax.Edit{{Text: "SELECT "}, {Start: len(list.Text), End: len(list.Text), Text: " FROM " + returningTable}})
	q, err := p.query(text, m)
	if err != nil {
		return nil, err
	}
	if len(q.Scans) != 1 {
		return nil, fault.Unsupported("a query inside RETURNING")
	}
	return q, nil
}

// delete makes the plan of DELETE. Its WHERE selects the targets, so a
// predicate that is no parameter of the method must not be ignored: it would
// widen the set.
func (p *Planner) delete(s *syntax.Statement, head syntax.Delete) (*Write, error) {
	at := s.Text.Span(head.Target.Start, head.Target.End)
	r, err := p.resource(head.Target.Parts)
	if err != nil {
		return nil, fault.From(err).At(at)
	}
	if r == nil {
		return nil, nil
	}
	methods := r.Verbs[provider.Delete]
	if len(methods) == 0 {
		return nil, fault.New(fault.NotSupported, "%s has no method that serves DELETE", r.Path()).On(r.Path()).At(at).
			WithHint("SHOW METHODS IN %s lists what it can do", r.Path())
	}
	all, err := p.targets(s, head, r)
	if err != nil {
		return nil, err
	}
	m, err := deleteMethod(r, methods, all)
	if err != nil {
		return nil, fault.From(err).At(at)
	}
	w := &Write{Method: m}
	if w.Arguments, w.Targets, err = tuples(m, all); err != nil {
		return nil, fault.From(err).At(at)
	}
	w.Returning, err = p.returning(s, head.Returning, m)
	return w, err
}

func deleteMethod(r *provider.Resource, methods []*provider.Method, all []alternative) (*provider.Method, error) {
	for _, m := range methods {
		takesAll := true
		for _, name := range boundNames(all) {
			_, takes := m.Parameter(name)
			takesAll = takesAll && takes
		}
		if takesAll && len(missing(m, all)) == 0 {
			return m, nil
		}
	}
	e := missingParameters(r, methods, all)
	e.Message = r.Path() + " cannot be deleted from with what the WHERE gives"
	return nil, e
}

// targets reads the WHERE of a DELETE.
func (p *Planner) targets(s *syntax.Statement, head syntax.Delete, r *provider.Resource) ([]alternative, error) {
	if head.Where == nil {
		return everything(), nil
	}
	const before = "SELECT 1 FROM t WHERE "
	normal, err := syntax.Normalize(s.Text.Part(head.Where.Start, head.Where.End).Apply([]syntax.Edit{{Text: before}}))
	if err != nil {
		return nil, err
	}
	if normal, err = p.fill(normal); err != nil {
		return nil, err
	}
	nodes, err := p.tree(normal)
	if err != nil {
		return nil, err
	}
	b := &builder{catalog: p.Catalog, options: p.Options, text: normal}
	target := &relation{resource: r, alias: r.Name, columns: targetColumns(r)}
	target.block = &block{node: nodes[0], relations: []*relation{target}, aliases: map[string]bool{}}
	target.item = &item{block: target.block, alias: target.alias, relation: target}
	target.block.items = []*item{target.item}
	binder := &binder{builder: b, relation: target, block: target.block, parameters: parametersOf(r.Verbs[provider.Delete])}
	where := nodes[0].Child("where_clause")
	if err := binder.onlyParameters(where); err != nil {
		return nil, fault.From(err).On(r.Path())
	}
	return binder.alternatives(where)
}

// targetColumns gives the names that the WHERE of a DELETE may use: the
// parameters of its methods, and the columns of the resource, which are refused
// with a better word than unknown.
func targetColumns(r *provider.Resource) []catalog.Column {
	columns := catalog.Columns(firstOf(r))
	for _, p := range parametersOf(r.Verbs[provider.Delete]) {
		if _, known := catalog.Lookup(columns, p.Name); !known {
			columns = append(columns, catalog.Column{Name: p.Name, Kind: catalog.Parameter})
		}
	}
	return columns
}

// onlyParameters checks that a condition is made of nothing but parameters that
// get values.
func (b *binder) onlyParameters(n syntax.Node) error {
	switch n.Type() {
	case "CONJUNCTION_AND", "CONJUNCTION_OR":
		for _, c := range n.List("children") {
			if err := b.onlyParameters(c); err != nil {
				return err
			}
		}
		return nil
	case "COMPARE_EQUAL", "COMPARE_IN":
		return b.onlyValues(n)
	}
	return refused(n).At(b.at(n))
}

func refused(syntax.Node) *fault.Error {
	return fault.New(fault.NotSupported, "the WHERE of a DELETE can only name parameters of the method, with = or IN").
		WithHint("it says more than that here: find the targets by a SELECT first, then name them")
}

// onlyValues checks one comparison: parameters on one side, constants on the
// other.
func (b *binder) onlyValues(n syntax.Node) error {
	operands := n.List("children")
	if n.Class() == "COMPARISON" {
		operands = []syntax.Node{n.Child("left"), n.Child("right")}
		if constant(operands[0]) {
			operands[0], operands[1] = operands[1], operands[0]
		}
	}
	if len(operands) < 2 {
		return refused(n).At(b.at(n))
	}
	columns := operands[:1]
	if isRow(operands[0]) {
		columns = operands[0].List("children")
	}
	for _, c := range columns {
		if c.Class() != "COLUMN_REF" {
			return refused(n).At(b.at(n))
		}
		if _, ok := b.parameter(c); !ok {
			return b.notParameter(c)
		}
	}
	for _, v := range operands[1:] {
		if !constant(v) {
			return refused(n).At(b.at(v))
		}
	}
	return nil
}

// notParameter is the error for a name in the WHERE of a DELETE that its
// methods do not take.
func (b *binder) notParameter(n syntax.Node) error {
	names := n.Texts("column_names")
	name := names[len(names)-1]
	if _, ok := catalog.Lookup(b.relation.columns, name); ok {
		return refused(n).At(b.at(n))
	}
	return fault.New(fault.UndefinedColumn, "DELETE FROM %s takes no parameter %q", b.relation.resource.Path(), name).
		WithHint("%s", fault.DidYouMean(name, sortedKeys(b.parameters), "SHOW METHODS IN "+b.relation.resource.Path()+" lists what it takes")).
		At(b.at(n))
}
