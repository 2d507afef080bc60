package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// A resource whose items stand below several kinds of parents is read by one scan
// for each kind, and its rows are those of all of them: private endpoint
// connections are listed below host pools and below workspaces. A condition on a
// parameter that only one kind has leaves that kind alone.

// part is a relation as far as its items stand below one kind of parent.
type part struct {
	*relation
	methods []*provider.Method
	parent  string // the kind of parent
}

// partsOf gives the parts of a relation that its conditions leave; forked is false
// where one list gives all of its items.
func (b *builder) partsOf(r *relation) (parts []*part, forked bool) {
	branches := catalog.Branches(r.resource)
	for _, methods := range branches {
		p := &part{relation: &relation{}, methods: methods, parent: catalog.Parent(methods[0])}
		*p.relation = *r
		p.of, p.parts, p.forked = r, nil, false
		if b.leaves(p) {
			parts = append(parts, p)
		}
	}
	return parts, len(branches) > 0
}

// leaves tells whether the conditions of a relation leave rows of a part, whose
// alternatives it makes: a row has no value of a parameter that only the others
// have.
func (b *builder) leaves(p *part) bool {
	before := len(p.alternatives)
	p.alternatives = slices.DeleteFunc(slices.Clone(p.alternatives), func(a alternative) bool {
		return slices.ContainsFunc(boundNames([]alternative{a}), p.foreign)
	})
	if before > 0 && len(p.alternatives) == 0 || slices.ContainsFunc(p.links, func(l link) bool { return p.foreign(l.parameter) }) {
		return false
	}
	return !slices.ContainsFunc(conjuncts(p.conditionsOf()), func(c condition) bool {
		return (refusesNull(c.node) || c.node.Type() == "OPERATOR_IS_NOT_NULL") && b.asksForeign(c, p)
	})
}

// foreign tells whether a column is a parameter that only other parts have.
func (p *part) foreign(name string) bool {
	c, ok := catalog.Lookup(p.columns, name)
	if !ok || c.Kind != catalog.Parameter || c.Name != name {
		return false
	}
	return !slices.ContainsFunc(p.methods, func(m *provider.Method) bool { _, takes := m.Parameter(name); return takes })
}

// asksForeign tells whether a condition names a parameter that only other parts
// have.
func (b *builder) asksForeign(c condition, p *part) bool {
	found := false
	syntax.Walk(c.node, func(n syntax.Node) bool {
		if n.Class() == "COLUMN_REF" {
			for _, t := range b.trace(n.Texts("column_names"), c.block) {
				column, err := columnOf(t.relation, t.rest)
				found = found || t.relation == p.of && err == nil && p.foreign(column.Name)
			}
		}
		return !found
	})
	return found
}

// offerOfParts gives the way to read a relation by its parts. It can be had where
// each of them can.
func (b *builder) offerOfParts(r *relation, placed map[*relation]bool) *offer {
	var list []*offer
	for _, p := range r.parts {
		o := b.offerOf(p.relation, p.methods, placed)
		o.part = p
		if len(o.lacks) > 0 {
			return o
		}
		list = append(list, o)
	}
	switch len(list) {
	case 0:
		m := r.resource.Verbs[provider.Select][0]
		return &offer{method: m, reason: "any: the conditions ask for parents of two kinds at once", constants: true, part: &part{relation: &relation{of: r}}}
	case 1:
		return list[0]
	}
	all := &offer{method: list[0].method, parts: list}
	for _, o := range list {
		all.calls, all.rows = all.calls+o.calls, all.rows+o.rows
	}
	return all
}

// narrow makes the scan of a relation of which the conditions leave one part.
func (b *builder) narrow(r *relation, o *offer) error {
	r.alternatives = o.part.alternatives
	reason := o.part.parent
	o.part = nil
	if err := b.take(r, o); err != nil {
		return err
	}
	if reason != "" {
		r.scan.Reason += "; the conditions leave those below " + reason
	}
	return nil
}

// unite makes the scan of a relation that has the rows of several.
func (b *builder) unite(r *relation, all *offer) error {
	var parents []string
	for _, o := range all.parts {
		parents = append(parents, o.part.parent)
	}
	for i, o := range all.parts {
		p := o.part.relation
		p.scan = &Scan{Name: r.scan.Name, Whole: r.scan, Homes: catalog.Homes(o.part.methods)}
		if err := b.take(p, o); err != nil {
			return err
		}
		others := slices.Delete(slices.Clone(parents), i, i+1)
		p.scan.Reason += "; those below " + strings.Join(others, " and ") + " are read as well"
		r.scan.Parts = append(r.scan.Parts, p.scan)
		for _, name := range p.scan.Arguments {
			if !slices.Contains(r.scan.Arguments, name) {
				r.scan.Arguments = append(r.scan.Arguments, name)
			}
		}
	}
	r.columns = all.columns()
	r.scan.Method, r.scan.Reason = all.method, "below "+strings.Join(parents, " and ")
	return nil
}

// columns gives the columns of all parts, fields first.
func (o *offer) columns() []catalog.Column {
	var fields, rest []catalog.Column
	for _, p := range o.parts {
		for _, c := range catalog.Columns(p.method) {
			same := func(k catalog.Column) bool { return k.Name == c.Name }
			switch {
			case slices.ContainsFunc(fields, same) || slices.ContainsFunc(rest, same):
			case c.Kind == catalog.Field:
				fields = append(fields, c)
			default:
				rest = append(rest, c)
			}
		}
	}
	return append(fields, rest...)
}

// readers gives the relations of the statement that have scans of their own:
// each, or its parts.
func (b *builder) readers() []*relation {
	var list []*relation
	for _, r := range b.relations {
		if len(r.scan.Parts) == 0 {
			list = append(list, r)
			continue
		}
		for _, p := range r.parts {
			list = append(list, p.relation)
		}
	}
	return list
}

// ofOnePart gives the methods that write to items below the one kind of parent
// that a WHERE leaves. Where it leaves several, each has a method of its own, and
// the statement has to say which is meant.
func (k *maker) ofOnePart(w *where, methods []*provider.Method) ([]*provider.Method, error) {
	all, err := w.alternatives(w.node)
	if err != nil {
		return nil, err
	}
	target := w.relation
	target.alternatives = all
	parts, forked := w.partsOf(target)
	if !forked || len(parts) == 0 {
		return methods, nil
	}
	if len(parts) > 1 {
		return nil, k.severalParents(parts)
	}
	own := slices.DeleteFunc(slices.Clone(methods), func(m *provider.Method) bool {
		return !slices.ContainsFunc(parts[0].methods, func(o *provider.Method) bool { return catalog.SamePath(o, m) })
	})
	if len(own) == 0 {
		return methods, nil
	}
	return own, nil
}

// severalParents is the error for a write to what stands below several kinds of
// parents.
func (k *maker) severalParents(parts []*part) error {
	var parents, ways []string
	for _, p := range parts {
		names := p.methods[0].PathParameters() // of a list: the last names its parent
		parents, ways = append(parents, p.parent), append(ways, "… AND "+names[len(names)-1]+" IS NOT NULL")
	}
	return fault.New(fault.NotSupported, "%s stand below %s, and each kind has a method of its own for %s",
		k.resource.Name, strings.Join(parents, " and "), strings.ToUpper(string(k.write.Verb))).
		On(k.resource.Path()).At(k.home()).WithHint("say which, in a statement each:\n%s", strings.Join(ways, "\n"))
}
