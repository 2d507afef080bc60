package plan

import (
	"slices"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// where is the WHERE of a write. It selects the targets; what of it names
// parameters that only the method takes, such as force, is an argument of every
// call, and is taken out of the query of the targets.
type where struct {
	*binder
	maker  *maker
	clause syntax.Clause
	node   syntax.Node
	own    map[string]provider.Parameter // that only the methods of the verb take
	loose  bool                          // a value is an expression, which may be equal to anything
	parts  []conjunct                    // that are joined by AND and name some of own
}

// conjunct is a condition that gives parameters of the call their values.
type conjunct struct {
	clause syntax.Clause
	all    []alternative
}

// conditions reads the WHERE of a write.
func (k *maker) conditions(c syntax.Clause, methods []*provider.Method) (*where, error) {
	b, node, err := k.binderOf(c, k.bindable(methods))
	if err != nil {
		return nil, err
	}
	w := &where{binder: b, maker: k, clause: c, node: node, own: map[string]provider.Parameter{}}
	for name, p := range b.parameters {
		if _, known := catalog.Lookup(catalog.Columns(firstOf(k.resource)), name); !known {
			w.own[name] = p
		}
	}
	return w, w.split()
}

// bindable gives the parameters of methods that a WHERE gives their values. A
// member of the body that the rows have too is one where it is needed and no
// path names the object; elsewhere it is a condition on the rows.
func (k *maker) bindable(methods []*provider.Method) map[string]provider.Parameter {
	all := map[string]provider.Parameter{}
	for _, m := range methods {
		for _, p := range m.Parameters {
			_, isColumn := catalog.Lookup(catalog.Columns(firstOf(k.resource)), p.Name)
			if p.In == provider.InBody && isColumn && (!p.Required || len(m.PathParameters()) > 0) {
				continue
			}
			if _, known := all[p.Name]; !known {
				all[p.Name] = p
			}
		}
	}
	return all
}

// binderOf parses a condition and makes a binder for it.
func (k *maker) binderOf(c syntax.Clause, parameters map[string]provider.Parameter) (*binder, syntax.Node, error) {
	const before = "SELECT 1 FROM t WHERE "
	normal, err := k.normal(k.part(c).Apply([]syntax.Edit{{Text: before}}))
	if err != nil {
		return nil, nil, err
	}
	nodes, err := k.tree(normal)
	if err != nil {
		return nil, nil, err
	}
	if len(nodes) != 1 || nodes[0].Child("where_clause") == nil {
		return nil, nil, fault.New(fault.SyntaxError, "a condition is expected after WHERE").At(k.at(c))
	}
	b := &builder{catalog: k.Catalog, options: k.Options, text: normal}
	alias := k.resource.Name
	if k.target.Alias != "" {
		alias = k.target.Alias
	}
	target := &relation{resource: k.resource, alias: alias, columns: targetColumns(k.resource, parameters)}
	target.block = &block{node: nodes[0], relations: []*relation{target}, aliases: map[string]bool{}}
	target.item = &item{block: target.block, alias: target.alias, relation: target}
	target.block.items = []*item{target.item}
	return &binder{builder: b, relation: target, block: target.block, parameters: parameters}, nodes[0].Child("where_clause"), nil
}

// targetColumns gives the names that the WHERE of a write may use.
func targetColumns(r *provider.Resource, parameters map[string]provider.Parameter) []catalog.Column {
	columns := catalog.Columns(firstOf(r))
	for _, name := range sortedKeys(parameters) {
		if _, known := catalog.Lookup(columns, name); !known {
			columns = append(columns, catalog.Column{Name: name, Kind: catalog.Parameter})
		}
	}
	return columns
}

// split finds the conditions that give parameters of the call their values.
func (w *where) split() error {
	for _, c := range conjunctsOf(w.maker.statement, w.clause) {
		if !w.names(c) {
			continue
		}
		b, node, err := w.maker.binderOf(c, w.own)
		if err != nil {
			return err
		}
		if !b.onlyParameters(node) {
			continue // the planner of the query says what is wrong with it
		}
		all, err := b.alternatives(node)
		if err != nil {
			return err
		}
		w.parts = append(w.parts, conjunct{c, all})
	}
	return nil
}

// names tells whether a part of the statement names a parameter that only the
// methods take.
func (w *where) names(c syntax.Clause) bool {
	for _, t := range w.maker.statement.Tokens {
		name, ok := t.Name()
		if !ok || t.Start < c.Start || t.End > c.End {
			continue
		}
		for own := range w.own {
			if fault.Fold(own) == fault.Fold(name) {
				return true
			}
		}
	}
	return false
}

// conjunctsOf splits a condition at the ANDs that join its parts; none where an
// OR stands beside them.
func conjunctsOf(s *syntax.Statement, c syntax.Clause) []syntax.Clause {
	var list []syntax.Clause
	depth, between, start, end := 0, false, -1, 0
	for _, t := range s.Tokens {
		if t.Start < c.Start || t.End > c.End {
			continue
		}
		switch depth += bracket(t); {
		case t.Is("CASE"):
			depth++
		case t.Is("END") && depth > 0:
			depth--
		case depth == 0 && t.Is("OR"):
			return nil
		case depth == 0 && t.Is("BETWEEN"):
			between = true
		case depth == 0 && t.Is("AND") && between:
			between = false
		case depth == 0 && t.Is("AND"):
			list = append(list, syntax.Clause{Start: start, End: end})
			start = -1
			continue
		}
		if start < 0 {
			start = t.Start
		}
		end = t.End
	}
	return append(list, syntax.Clause{Start: start, End: end})
}

// constants gives the arguments of a method that the conditions fix.
func (w *where) constants(m *provider.Method) ([]string, []Tuple, error) {
	all := everything()
	for _, c := range w.parts {
		all = w.both(all, c.all)
	}
	names, list, err := tuples(m, all)
	if len(names) == 0 {
		list = []Tuple{nil}
	}
	return names, list, err
}

// take checks that the method takes all that the conditions fix.
func (w *where) take(m *provider.Method) error {
	for _, c := range w.parts {
		for _, name := range boundNames(c.all) {
			if _, takes := m.Parameter(name); !takes {
				return fault.New(fault.UndefinedParameter, "%s is not a parameter of %s, the method that fits the rest of the WHERE", name, m.Name).
					On(m.FullName()).At(w.maker.at(c.clause)).WithHint("SHOW METHODS IN %s lists what each method takes", m.Resource.Path())
			}
		}
	}
	return nil
}

// named gives the parameters that the WHERE fixes, of the methods of the verb.
func (w *where) named() ([]string, error) {
	all, err := w.alternatives(w.node)
	return boundNames(all), err
}

// rest gives the WHERE without the conditions that are arguments.
func (w *where) rest() []*syntax.Edited {
	var list []*syntax.Edited
	start := w.clause.Start
	for _, c := range w.parts {
		list = append(list, w.maker.part(syntax.Clause{Start: start, End: c.clause.Start}), w.maker.own("true"))
		start = c.clause.End
	}
	return append(list, w.maker.part(syntax.Clause{Start: start, End: w.clause.End}))
}

// onlyParameters tells whether a condition is made of nothing but parameters
// that get values.
func (b *binder) onlyParameters(n syntax.Node) bool {
	switch n.Type() {
	case "CONJUNCTION_AND", "CONJUNCTION_OR":
		return !slices.ContainsFunc(n.List("children"), func(c syntax.Node) bool { return !b.onlyParameters(c) })
	case "COMPARE_EQUAL", "COMPARE_IN":
		return b.onlyValues(n)
	}
	return false
}

// onlyValues tells whether a comparison has parameters on one side, constants
// on the other.
func (b *binder) onlyValues(n syntax.Node) bool {
	operands := n.List("children")
	if n.Class() == "COMPARISON" {
		operands = []syntax.Node{n.Child("left"), n.Child("right")}
		if constant(operands[0]) {
			operands[0], operands[1] = operands[1], operands[0]
		}
	}
	if len(operands) < 2 {
		return false
	}
	columns := operands[:1]
	if isRow(operands[0]) {
		columns = operands[0].List("children")
	}
	for _, c := range columns {
		if c.Class() != "COLUMN_REF" {
			return false
		}
		if _, ok := b.parameter(c); !ok {
			return false
		}
	}
	return !slices.ContainsFunc(operands[1:], func(v syntax.Node) bool { return !constant(v) })
}

// exactly gives the alternatives of a condition that is made of nothing but
// parameters with values. exact is false where they allow more than the
// condition does: nothing else would check it.
func (w *where) exactly() (all []alternative, exact bool, err error) {
	ways, err := w.ways(w.node)
	if err != nil || ways > manyAlternatives {
		return nil, false, err
	}
	if all, err = w.alternatives(w.node); err != nil {
		return nil, false, err
	}
	seen := map[string]bool{}
	twice := false
	syntax.Walk(w.node, func(n syntax.Node) bool {
		if p, ok := w.parameter(n); ok {
			twice = twice || seen[p.Name]
			seen[p.Name] = true
		}
		return true
	})
	if twice && w.loose {
		return nil, false, nil // one of its values may be another, which only DuckDB can tell
	}
	return all, true, nil
}

// ways counts the alternatives of a condition before they are joined.
func (w *where) ways(n syntax.Node) (int, error) {
	count := 0
	switch n.Type() {
	case "CONJUNCTION_AND":
		count = 1
		for _, c := range n.List("children") {
			more, err := w.ways(c)
			if err != nil {
				return 0, err
			}
			count = min(count*more, manyAlternatives+1)
		}
		return count, nil
	case "CONJUNCTION_OR":
		for _, c := range n.List("children") {
			more, err := w.ways(c)
			if err != nil {
				return 0, err
			}
			count = min(count+more, manyAlternatives+1)
		}
		return count, nil
	}
	all, err := w.alternatives(n)
	for _, a := range all {
		for _, set := range a {
			w.loose = w.loose || slices.ContainsFunc(set, isExpression)
		}
	}
	if err == nil && slices.ContainsFunc(all, func(a alternative) bool { return len(a) == 0 }) {
		return manyAlternatives + 1, nil // it was not read
	}
	return len(all), err
}
