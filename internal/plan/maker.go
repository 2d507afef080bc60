package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// maker makes the plan of a write. The query for its rows is put together from
// parts of the statement, so that every place in it is one of the user's text.
type maker struct {
	*Planner
	statement *syntax.Statement
	resource  *provider.Resource
	target    syntax.Target
	write     *Write
	values    []slotValue
}

// slotValue is a column of the rows with the expression that gives it.
type slotValue struct {
	Slot
	value syntax.Clause // of the statement; empty: text
	text  string        // an expression of the planner's own
}

func (p *Planner) maker(s *syntax.Statement, r *provider.Resource, t syntax.Target, verb provider.Verb) *maker {
	return &maker{
		Planner: p, statement: s, resource: r, target: t,
		write: &Write{Verb: verb, Rows: 1, Targets: []Tuple{nil}, Ordered: hinted(t.Hints, hintOrdered)},
	}
}

// at gives the place of a part of the statement.
func (k *maker) at(c syntax.Clause) fault.Span { return k.statement.Text.Span(c.Start, c.End) }

// home gives the place of the name of what is written to.
func (k *maker) home() fault.Span {
	return k.statement.Text.Span(k.target.Local.Target.Start, k.target.Local.Target.End)
}

// own gives a text of the planner's own, whose place is the name of the target.
func (k *maker) own(text string) *syntax.Edited {
	name := k.target.Local.Target
	part := k.statement.Text.Part(name.Start, name.End)
	return part.Apply([]syntax.Edit{{Start: 0, End: len(part.Text), Text: text}})
}

func (k *maker) part(c syntax.Clause) *syntax.Edited { return k.statement.Text.Part(c.Start, c.End) }

// finish completes the plan once its method and its rows are known.
func (k *maker) finish(returning *syntax.Clause) (*Write, error) {
	w := k.write
	if err := k.complete(); err != nil {
		return nil, fault.From(err).On(w.Method.FullName())
	}
	if err := k.patience(); err != nil {
		return nil, err
	}
	w.Read = readerOf(w.Method)
	switch {
	case w.Merge && w.Read == nil:
		return nil, fault.New(fault.NotSupported, "%s takes no part of a resource, and nothing reads the whole", w.Method.FullName()).
			On(w.Method.FullName()).At(k.home()).WithHint("REPLACE %s SET … WHERE … writes the whole", k.resource.Path())
	case w.Creates && w.Read == nil && w.Conflict != syntax.Overrule && !declaresIfNoneMatch(w.Method):
		return nil, fault.New(fault.NotSupported, "nothing tells whether an INSERT by %s would overwrite", w.Method.FullName()).
			On(w.Method.FullName()).At(k.home()).WithHint("ON CONFLICT DO UPDATE writes it whatever is there")
	}
	w.recheck(hinted(k.target.Hints, hintNoRecheck))
	var err error
	w.Returning, err = k.returning(k.statement, returning, w.Method)
	return w, err
}

// selection is where the targets of a statement come from.
type selection struct{ from, where, order *syntax.Clause }

// targets finds the targets of DELETE, UPDATE and REPLACE … SET: by the WHERE
// alone where that names them whole, else by a query of their rows.
func (k *maker) targets(methods []*provider.Method, from selection, set []syntax.Assignment) error {
	if from.where == nil {
		return fault.New(fault.NotSupported, "%s without WHERE would be done to all of them", strings.ToUpper(string(k.write.Verb))).
			On(k.resource.Path()).At(k.home()).WithHint("if that is meant: WHERE true")
	}
	w, err := k.conditions(*from.where, methods)
	if err != nil {
		return err
	}
	if k.target.With.End == 0 && from.from == nil && from.order == nil {
		free, err := k.free(set)
		if err != nil {
			return err
		}
		if direct, err := k.direct(w, methods, set); free && (direct || err != nil) {
			if err == nil {
				err = k.assign(set)
			}
			if err == nil && len(k.values) > 0 {
				k.write.Source, err = k.query(k.list())
			}
			return err
		}
	}
	return k.byQuery(w, methods, from, set)
}

// free tells whether the values of a SET need no row.
func (k *maker) free(set []syntax.Assignment) (bool, error) {
	for _, a := range set {
		if isDefault(k.statement, a.Value) {
			continue
		}
		node, _, err := k.expression(a)
		if err != nil || !constant(node) {
			return false, err
		}
	}
	return true, nil
}

// expression parses the value of an assignment.
func (k *maker) expression(a syntax.Assignment) (syntax.Node, *syntax.Edited, error) {
	return k.Planner.expression(k.statement, a)
}

// direct takes the targets from a WHERE that is made of nothing but parameters
// of the method with values.
func (k *maker) direct(w *where, methods []*provider.Method, set []syntax.Assignment) (bool, error) {
	if !w.onlyParameters(w.node) {
		return false, nil
	}
	all, exact, err := w.exactly()
	if err != nil || !exact {
		return false, err
	}
	for _, m := range methods {
		takesAll := !slices.ContainsFunc(boundNames(all), func(name string) bool {
			_, takes := m.Parameter(name)
			return !takes
		})
		open := slices.DeleteFunc(missing(m, all), func(name string) bool { return assigned(m, name, set) })
		if takesAll && len(open) == 0 {
			k.write.Method = m
			k.write.Arguments, k.write.Targets, err = tuples(m, all)
			return true, located(err, k.at(w.clause))
		}
	}
	if len(k.resource.Verbs[provider.Select]) == 0 {
		return false, unreachable(k.resource, methods, all, k.write.Verb).At(k.home())
	}
	return false, nil
}

// assigned tells whether a SET gives a parameter its value.
func assigned(m *provider.Method, name string, set []syntax.Assignment) bool {
	return slices.ContainsFunc(set, func(a syntax.Assignment) bool {
		s, err := slot(m, a.Column, fault.Span{})
		switch {
		case err != nil:
			return false
		case s.Parameter != nil:
			return s.Parameter.Name == name
		case len(s.Member.Path) == 0:
			return slices.Contains(inBody(m), name)
		}
		return s.Member.Path[0] == name
	})
}

// unreachable is the error for targets that are not named whole and that
// nothing can find.
func unreachable(r *provider.Resource, methods []*provider.Method, all []alternative, verb provider.Verb) *fault.Error {
	e := missingParameters(r, methods, all)
	e.Message = r.Path() + " cannot be " + map[provider.Verb]string{provider.Delete: "deleted from", provider.Update: "updated"}[verb] +
		" with what the WHERE gives"
	if verb == provider.Replace {
		e.Message = r.Path() + " cannot be replaced with what the WHERE gives"
	}
	return e
}

func located(err error, at fault.Span) error {
	if err == nil {
		return nil
	}
	return fault.From(err).At(at)
}

// byQuery makes the query of the targets.
func (k *maker) byQuery(w *where, methods []*provider.Method, from selection, set []syntax.Assignment) error {
	if len(k.resource.Verbs[provider.Select]) == 0 {
		return notReadable(k.resource).At(k.home())
	}
	if err := k.choose(w, methods, set); err != nil {
		return err
	}
	for _, p := range k.write.Method.Parameters {
		if k.selected(p) && !assigned(k.write.Method, p.Name, set) {
			k.values = append(k.values, slotValue{Slot: Slot{Parameter: &p, Written: p.Name}, text: k.alias() + "." + syntax.QuoteName(p.Name)})
		}
	}
	if err := k.assign(set); err != nil {
		return err
	}
	list := k.list()
	name := k.target.Name
	list = append(list, k.own(" FROM "), k.part(syntax.Clause{Start: name.Start, End: name.End}))
	if k.target.Alias != "" {
		list = append(list, k.own(" AS "+syntax.QuoteName(k.target.Alias)))
	}
	if from.from != nil {
		list = append(list, k.own(", "), k.part(*from.from))
	}
	list = append(append(list, k.own(" WHERE ")), w.rest()...)
	if from.order != nil {
		list = append(list, k.own(" "), k.part(*from.order))
	}
	k.write.Rows = -1
	var err error
	k.write.Source, err = k.query(list)
	return k.about(err, w)
}

// about says of a name that only the method takes how it is given.
func (k *maker) about(err error, w *where) error {
	e := fault.As(err)
	if e == nil || e.Code != fault.UndefinedColumn {
		return err
	}
	for name := range w.own {
		if text := e.Span; text.Source != nil && fault.Fold(text.Source.Text[text.Start:text.End]) == fault.Fold(name) {
			return fault.New(fault.InvalidValue, "%s is a parameter of the call: it takes = or IN with values, joined to the rest by AND", name).
				On(k.write.Method.FullName()).At(e.Span).WithHint("for example … AND %s = '…'", name)
		}
	}
	return err
}

// alias gives the name by which the query calls the resource.
func (k *maker) alias() string {
	if k.target.Alias != "" {
		return syntax.QuoteName(k.target.Alias)
	}
	return syntax.QuoteName(k.target.Name.Parts[len(k.target.Name.Parts)-1])
}

// selected tells whether a parameter of the method is taken from the rows.
func (k *maker) selected(p provider.Parameter) bool {
	if slices.Contains(k.write.Arguments, p.Name) {
		return false
	}
	return (p.In == provider.InPath || p.Required) && k.readable(p.Name)
}

// readable tells whether the rows of the resource have a parameter.
func (k *maker) readable(name string) bool {
	return slices.ContainsFunc(catalog.Columns(firstOf(k.resource)), func(c catalog.Column) bool {
		return fault.Fold(c.Name) == fault.Fold(name) && (c.Kind == catalog.Parameter || c.Kind == catalog.Field)
	})
}

// choose takes the method that takes most of what the WHERE names, among those
// whose parameters the rows and the WHERE give.
func (k *maker) choose(w *where, methods []*provider.Method, set []syntax.Assignment) error {
	named, err := w.named()
	if err != nil {
		return err
	}
	if methods, err = k.ofOnePart(w, methods); err != nil {
		return err
	}
	best, most := (*provider.Method)(nil), -1
	var lacks []string
	for _, m := range methods {
		arguments, targets, err := w.constants(m)
		if err != nil {
			return err
		}
		lacks = lacks[:0]
		for _, p := range m.RequiredParameters() {
			if !slices.Contains(arguments, p.Name) && !assigned(m, p.Name, set) && !k.readable(p.Name) {
				lacks = append(lacks, p.Name)
			}
		}
		taken := 0
		for _, name := range named {
			if _, takes := m.Parameter(name); takes {
				taken++
			}
		}
		if len(lacks) == 0 && taken > most {
			best, most = m, taken
			k.write.Method, k.write.Arguments, k.write.Targets = m, arguments, targets
		}
	}
	if best == nil {
		return fault.New(fault.MissingParameter, "%s needs %s, which the rows do not tell", methods[0].FullName(), strings.Join(lacks, ", ")).
			On(methods[0].FullName()).At(k.home()).WithHint("%s", smallest(methods[0]))
	}
	return w.take(best)
}

// list gives the beginning of a query of the values.
func (k *maker) list() []*syntax.Edited {
	var list []*syntax.Edited
	if with := k.target.With; with.End > 0 {
		list = append(list, k.part(with))
	}
	list = append(list, k.own("SELECT "))
	if len(k.values) == 0 {
		list = append(list, k.own("1"))
	}
	for i, v := range k.values {
		if i > 0 {
			list = append(list, k.own(", "))
		}
		list = append(list, k.own("to_json("))
		if v.value.End > 0 {
			list = append(list, k.part(v.value))
		} else {
			list = append(list, k.own(v.text))
		}
		list = append(list, k.own(fmt.Sprintf(") AS c%d", i)))
	}
	return list
}

// query plans a query of the rows.
func (k *maker) query(parts []*syntax.Edited) (*Query, error) {
	for _, v := range k.values {
		k.write.Columns = append(k.write.Columns, v.Slot)
	}
	return k.Query(syntax.Join(parts...))
}
