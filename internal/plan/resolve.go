package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// lookup finds the relation that a column reference means, and what is left of
// its name. It gives nil where the name is DuckDB's to know: a column of
// another kind of table, or an alias of the select list.
func (b *builder) lookup(names []string, blk *block) (*relation, []string, error) {
	for at := blk; at != nil; at = at.parent {
		if r, rest := at.qualified(names); r != nil {
			return r, rest, nil
		}
		if len(names) == 1 && at.merged[strings.ToLower(names[0])] {
			return nil, nil, nil // DuckDB knows which side gives it
		}
		var found []*relation
		exact := false
		for _, r := range at.relations {
			if c, ok := catalog.Lookup(r.columns, names[0]); ok {
				found = append(found, r)
				exact = exact || strings.EqualFold(c.Name, names[0])
			}
		}
		switch {
		case !exact && at.others[strings.ToLower(names[0])]:
			return nil, nil, nil // another table has a column of just this name
		case len(found) == 1:
			return found[0], names, nil
		case len(found) > 1:
			return nil, nil, ambiguous(names[0], found)
		}
	}
	return nil, nil, nil
}

// qualified finds the relation that a name begins with: its alias, or the
// dotted name of its resource.
func (blk *block) qualified(names []string) (*relation, []string) {
	for _, r := range blk.relations {
		if len(names) > 1 && strings.EqualFold(names[0], r.alias) {
			return r, names[1:]
		}
		if len(names) > 3 && strings.EqualFold(strings.Join(names[:3], "."), r.resource.Path()) {
			return r, names[3:]
		}
	}
	return nil, nil
}

func ambiguous(name string, found []*relation) *fault.Error {
	var aliases []string
	for _, r := range found {
		aliases = append(aliases, r.alias+"."+name)
	}
	return fault.New(fault.AmbiguousColumn, "more than one table has a column %q", name).
		WithHint("say which: %s", strings.Join(aliases, " or "))
}

// resolver resolves the column references of one block.
type resolver struct {
	*builder
	block     *block
	condition bool     // inside WHERE or ON: an unbound query parameter is an error there
	locals    []string // parameters of the lambdas around
}

// resolve finds what every column reference of a block means, and edits the
// text where DuckDB would not understand it.
func (b *builder) resolve(blk *block) error {
	for _, item := range blk.node.List("select_list") {
		r := &resolver{builder: b, block: blk}
		if item.Class() == "COLUMN_REF" {
			if err := r.column(item, item.Text("alias") == ""); err != nil {
				return err
			}
		} else if err := r.walk(item); err != nil {
			return err
		}
	}
	for _, part := range blk.expressions()[len(blk.node.List("select_list")):] {
		if err := (&resolver{builder: b, block: blk}).part(part); err != nil {
			return err
		}
	}
	if where := blk.node.Child("where_clause"); where != nil {
		if err := (&resolver{builder: b, block: blk, condition: true}).unbound(where); err != nil {
			return err
		}
	}
	return b.resolveFrom(blk.node.Child("from_table"), blk)
}

// part resolves a part of a block behind its select list. What ORDER BY names is
// an item of the select list first, and a column second.
func (r *resolver) part(n syntax.Node) error {
	if n.Type() != "ORDER_MODIFIER" {
		return r.walk(n)
	}
	for _, o := range n.List("orders") {
		e := o.Child("expression")
		if names := e.Texts("column_names"); len(names) == 1 && r.block.aliases[strings.ToLower(names[0])] {
			continue
		}
		if err := r.walk(e); err != nil {
			return err
		}
	}
	return nil
}

// resolveFrom resolves what stands in a FROM: conditions of joins, USING,
// arguments of table functions.
func (b *builder) resolveFrom(n syntax.Node, blk *block) error {
	if n.Type() != "JOIN" {
		if n == nil || n.Type() == "SUBQUERY" || n.Type() == "BASE_TABLE" {
			return nil
		}
		return (&resolver{builder: b, block: blk}).walk(n)
	}
	if on := n.Child("condition"); on != nil {
		if err := (&resolver{builder: b, block: blk}).walk(on); err != nil {
			return err
		}
		if err := (&resolver{builder: b, block: blk, condition: true}).unbound(on); err != nil {
			return err
		}
	}
	for _, name := range n.Texts("using_columns") {
		for _, r := range blk.relations {
			if c, ok := catalog.Lookup(r.columns, name); ok {
				r.scan.project(c, name, false, true)
			}
		}
	}
	if err := b.resolveFrom(n.Child("left"), blk); err != nil {
		return err
	}
	return b.resolveFrom(n.Child("right"), blk)
}

// walk resolves the references below an expression; queries inside it are
// blocks of their own.
func (r *resolver) walk(n syntax.Node) error {
	var err error
	syntax.Walk(n, func(c syntax.Node) bool {
		if err != nil || isQuery(c) {
			return false
		}
		switch c.Class() {
		case "COLUMN_REF":
			err = r.column(c, false)
		case "STAR":
			if !r.isAll(c) {
				r.stars = append(r.stars, star{c, r.block})
			}
		case "FUNCTION":
			if names := lambdaNames(c); len(names) > 0 {
				err = r.lambda(c, names)
				return false
			}
			r.foldDistinct(c)
			r.foldSearch(c)
		case "SUBQUERY":
			err = r.foldQuery(c)
		case "COMPARISON", "OPERATOR":
			err = r.foldRows(c)
		}
		return err == nil
	})
	return err
}

// lambda resolves the arguments of a function that takes a lambda, whose
// parameters go before any column inside it and nowhere else.
func (r *resolver) lambda(n syntax.Node, names []string) error {
	inner := &resolver{builder: r.builder, block: r.block, locals: append(slices.Clip(r.locals), names...)}
	for _, c := range n.List("children") {
		in := r
		if c.Class() == "LAMBDA" {
			in, c = inner, c.Child("expr")
		}
		if err := in.walk(c); err != nil {
			return err
		}
	}
	return nil
}

// takesLambda are DuckDB's functions that take a lambda. The tree has the same
// node for x -> x + 1 and for the JSON operator in properties -> 'x': only the
// function around it tells which one it is.
var takesLambda = map[string]bool{
	"list_transform": true, "array_transform": true, "list_apply": true, "array_apply": true, "apply": true,
	"list_filter": true, "array_filter": true, "filter": true,
	"list_reduce": true, "array_reduce": true, "reduce": true,
}

// lambdaNames gives the parameters of the lambdas that a function is called
// with, which look like columns.
func lambdaNames(function syntax.Node) []string {
	if !takesLambda[strings.ToLower(function.Text("function_name"))] {
		return nil
	}
	var names []string
	for _, c := range function.List("children") {
		if c.Class() != "LAMBDA" {
			continue
		}
		syntax.Walk(c.Child("lhs"), func(p syntax.Node) bool {
			names = append(names, p.Texts("column_names")...)
			return true
		})
	}
	return names
}

// column resolves one reference. With labelled set it is an item of the select
// list without an alias, and keeps the name the user gave it.
func (r *resolver) column(n syntax.Node, labelled bool) error {
	names := n.Texts("column_names")
	if len(names) == 0 || slices.Contains(r.locals, names[0]) {
		return nil
	}
	relation, rest, err := r.lookup(names, r.block)
	if err != nil {
		if r.block.aliases[strings.ToLower(names[0])] {
			return nil
		}
		return fault.From(err).At(r.at(n))
	}
	if relation == nil {
		return r.unknown(n, names)
	}
	c, err := columnOf(relation, rest)
	if err != nil {
		return fault.From(err).On(relation.resource.Path()).At(r.at(n))
	}
	relation.scan.project(c, c.Name, c.Kind != catalog.Field, true)
	r.rewrite(n, reference{relation, names, rest, c, labelled})
	return nil
}

// reference is a column reference whose meaning is known.
type reference struct {
	to       *relation
	names    []string // as written
	rest     []string // what of them names the column
	column   catalog.Column
	labelled bool // an item of the select list that keeps the user's name
}

// columnOf finds the column of a relation by a name of one or more parts.
func columnOf(r *relation, rest []string) (catalog.Column, error) {
	if len(rest) == 1 {
		if c, ok := catalog.Lookup(r.columns, rest[0]); ok {
			return c, nil
		}
		return catalog.Column{}, unknownColumn(r, rest[0])
	}
	if _, ok := catalog.Lookup(r.columns, rest[0]); !ok {
		return catalog.Column{}, unknownColumn(r, rest[0])
	}
	c, err := catalog.Member(r.columns, rest)
	for _, known := range r.columns {
		if err == nil && len(c.Path) > 0 && slices.Equal(known.Path, c.Path) {
			return known, nil // one column, however it is spelled
		}
	}
	return c, err
}

// unknown decides what a name is that no resource in sight has: an alias of
// the select list, a column of another kind of table, or a mistake.
func (r *resolver) unknown(n syntax.Node, names []string) error {
	var relations []*relation
	for blk := r.block; blk != nil; blk = blk.parent {
		for _, row := range blk.relations {
			if len(names) == 1 && strings.EqualFold(names[0], row.alias) {
				row.whole = true // the row as a value
				return nil
			}
		}
		if blk.opaque || len(names) == 1 && blk.merged[strings.ToLower(names[0])] || blk.aliases[strings.ToLower(names[0])] {
			return nil
		}
		relations = append(relations, blk.relations...)
	}
	if len(relations) == 0 {
		return nil
	}
	if len(names) > 1 {
		return unknownTable(names[0], relations).At(r.at(n))
	}
	return unknownColumn(relations[0], names[0]).On(relations[0].resource.Path()).At(r.at(n))
}

// unknownTable is the error for a dotted name whose first part is neither a
// column nor a table of the statement.
func unknownTable(name string, relations []*relation) *fault.Error {
	var aliases, known []string
	for _, r := range relations {
		aliases = append(aliases, r.alias)
		for _, c := range r.columns {
			known = append(known, c.Name)
		}
	}
	return fault.New(fault.UndefinedColumn, "%q is no table of the statement and no column", name).
		WithHint("%s", fault.DidYouMean(name, append(aliases, known...), "the statement reads "+strings.Join(aliases, ", ")))
}

// unknownColumn is the error for a name that a resource does not have.
func unknownColumn(r *relation, name string) *fault.Error {
	for _, m := range r.resource.Methods {
		for _, p := range m.Parameters {
			if strings.EqualFold(p.Name, name) || fault.Fold(p.Name) == fault.Fold(name) {
				return fault.New(fault.UndefinedColumn, "%s is a parameter of %s, not of a method that SELECT uses", name, m.Name).
					WithHint("SHOW METHODS IN %s lists what each method takes", r.resource.Path())
			}
		}
	}
	var known []string
	for _, c := range r.columns {
		known = append(known, c.Name)
	}
	return fault.New(fault.UndefinedColumn, "%s has no column %q", r.resource.Path(), name).
		WithHint("%s", fault.DidYouMean(name, known, "DESCRIBE EXTENDED "+r.resource.Path()+" lists its columns"))
}

// rewrite gives a reference the name of the column that the scan's subquery
// has, where the user's spelling is another one.
func (r *resolver) rewrite(n syntax.Node, ref reference) {
	offset, ok := n.Offset()
	if !ok {
		return
	}
	name, ok := syntax.NameAt(r.text.Text, offset, len(ref.names))
	if !ok {
		return
	}
	short := len(ref.names) - len(ref.rest) // parts that name the relation
	if short <= 1 && len(ref.rest) == 1 && strings.EqualFold(ref.rest[0], ref.column.Name) {
		return
	}
	text := syntax.QuoteName(ref.column.Name)
	if short > 0 {
		text = syntax.QuoteName(ref.to.alias) + "." + text
	}
	if ref.labelled {
		text += " AS " + syntax.QuoteName(ref.rest[len(ref.rest)-1])
	}
	r.edits = append(r.edits, syntax.Edit{Start: name.Start, End: name.End, Text: text})
}

// project makes sure that the scan's subquery gives a column.
func (s *Scan) project(c catalog.Column, name string, hidden, named bool) {
	for i, p := range s.columns {
		if strings.EqualFold(p.name, name) {
			s.columns[i].hidden = p.hidden && hidden
			s.columns[i].named = p.named || named
			return
		}
	}
	s.columns = append(s.columns, projected{c, name, hidden, named})
}

// unbound looks in a condition for parameters of the query that got no value
// there: such a parameter only exists in the call, so nothing else than = or IN
// can be asked of it, and a comparison would quietly be false for every row.
func (r *resolver) unbound(n syntax.Node) error {
	var err error
	syntax.Walk(n, func(c syntax.Node) bool {
		if err != nil || isQuery(c) {
			return false
		}
		if c.Class() == "COLUMN_REF" {
			err = r.checkBound(c)
		}
		return err == nil
	})
	return err
}

func (r *resolver) checkBound(n syntax.Node) error {
	relation, rest, err := r.lookup(n.Texts("column_names"), r.block)
	if err != nil || relation == nil || len(rest) != 1 {
		return nil
	}
	c, ok := catalog.Lookup(relation.columns, rest[0])
	if !ok || c.Kind != catalog.Parameter || len(c.IDs) > 0 || len(c.Path) > 0 || slices.Contains(relation.scan.Arguments, c.Name) {
		return nil
	}
	if len(relation.scan.Tuples)+len(relation.scan.Parts) == 0 {
		return nil
	}
	m := relation.scan.Method
	if _, takes := m.Parameter(c.Name); !takes {
		return fault.New(fault.UndefinedParameter, "%s is not a parameter of %s, the method that fits the rest of the WHERE", c.Name, m.Name).
			On(m.FullName()).WithHint("%s", takers(relation.resource, c.Name)).At(r.at(n))
	}
	return fault.New(fault.InvalidValue, "%s is a parameter of the call: it takes = or IN with values, in every branch", c.Name).
		On(m.FullName()).WithHint("for example %s = '…'", c.Name).At(r.at(n))
}

// takers says which select methods take a parameter.
func takers(r *provider.Resource, name string) string {
	var lines []string
	for _, m := range r.Verbs[provider.Select] {
		if _, ok := m.Parameter(name); ok {
			lines = append(lines, catalog.SmallestStatement(r, m))
		}
	}
	return name + " works with:\n" + strings.Join(lines, "\n")
}
