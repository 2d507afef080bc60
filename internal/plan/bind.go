package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// alternative is one way in which a condition can be true: the parameters it
// fixes, each to one of a set of values. A condition is a list of them, of
// which at least one holds for every row the condition accepts. An empty
// alternative fixes nothing; an empty list can never be true.
type alternative map[string][]*Value

// everything is the condition that fixes nothing.
func everything() []alternative { return []alternative{{}} }

// manyAlternatives bounds the alternatives of one condition. A condition with
// more fixes nothing: the scan then reads more than it needs, never less.
const manyAlternatives = 5000

// binder finds the parameters that conditions fix for one relation.
type binder struct {
	*builder
	relation   *relation
	block      *block                        // whose names the condition at hand uses
	parameters map[string]provider.Parameter // by wire name: those of the methods of the verb
}

// alternatives gives the ways in which a condition can be true. Only what is
// certain counts: an operator it does not know fixes nothing.
func (b *binder) alternatives(n syntax.Node) ([]alternative, error) {
	switch n.Type() {
	case "CONJUNCTION_AND":
		all := everything()
		for _, c := range n.List("children") {
			more, err := b.alternatives(c)
			if err != nil {
				return nil, err
			}
			all = b.both(all, more)
		}
		return all, nil
	case "CONJUNCTION_OR":
		var any []alternative
		for _, c := range n.List("children") {
			more, err := b.alternatives(c)
			if err != nil {
				return nil, err
			}
			any = append(any, more...)
		}
		if len(any) > manyAlternatives {
			return everything(), nil
		}
		return any, nil
	case "COMPARE_EQUAL":
		return b.equality(n)
	case "COMPARE_IN":
		return b.in(n)
	}
	if column, list, ok := listMember(n); ok {
		return b.fixed(column, list)
	}
	return everything(), nil
}

func (b *binder) equality(n syntax.Node) ([]alternative, error) {
	if n.Class() != "COMPARISON" {
		return everything(), nil
	}
	left, right := n.Child("left"), n.Child("right")
	if isRow(left) && isRow(right) {
		return b.row(left.List("children"), right.List("children"))
	}
	if _, ok := b.parameter(left); !ok {
		left, right = right, left
	}
	return b.fixed(left, []syntax.Node{right})
}

// in reads IN with a list of values or of rows; IN with a query fixes nothing.
func (b *binder) in(n syntax.Node) ([]alternative, error) {
	children := n.List("children")
	if len(children) < 2 {
		return everything(), nil
	}
	if !isRow(children[0]) {
		return b.fixed(children[0], children[1:])
	}
	var any []alternative
	for _, c := range children[1:] {
		if !isRow(c) {
			return everything(), nil
		}
		more, err := b.row(children[0].List("children"), c.List("children"))
		if err != nil {
			return nil, err
		}
		any = append(any, more...)
	}
	if len(any) > manyAlternatives {
		return everything(), nil
	}
	return any, nil
}

func isRow(n syntax.Node) bool {
	return n.Class() == "FUNCTION" && n.Text("function_name") == "row"
}

func (b *binder) row(columns, values []syntax.Node) ([]alternative, error) {
	if len(columns) != len(values) {
		return everything(), nil
	}
	all := everything()
	for i, c := range columns {
		more, err := b.fixed(c, values[i:i+1])
		if err != nil {
			return nil, err
		}
		all = b.both(all, more)
	}
	return all, nil
}

// fixed reads column = one of values.
func (b *binder) fixed(column syntax.Node, values []syntax.Node) ([]alternative, error) {
	p, ok := b.parameter(column)
	if !ok {
		return everything(), nil
	}
	var set []*Value
	for _, n := range values {
		v, isConstant, err := b.value(n, p)
		if err != nil {
			return nil, err
		}
		if !isConstant {
			return everything(), nil
		}
		if v != nil {
			v.NoCase = foldsCase(p, b.relation.resource.Family)
			set = append(set, v)
		}
	}
	if len(set) == 0 {
		return nil, nil
	}
	return []alternative{{p.Name: set}}, nil
}

// parameter gives the parameter that a column reference of this relation
// means.
func (b *binder) parameter(n syntax.Node) (provider.Parameter, bool) {
	if n.Class() != "COLUMN_REF" {
		return provider.Parameter{}, false
	}
	names := n.Texts("column_names")
	if len(names) == 1 && b.block.merged[strings.ToLower(names[0])] && b.relation.block == b.block {
		return findParameter(b.parameters, names[0]) // both sides are equal where it is
	}
	for _, t := range b.trace(names, b.block) {
		if t.relation == b.relation && len(t.rest) == 1 {
			return findParameter(b.parameters, t.rest[0])
		}
	}
	return provider.Parameter{}, false
}

// findParameter finds a parameter by the user's spelling.
func findParameter(parameters map[string]provider.Parameter, name string) (provider.Parameter, bool) {
	if p, ok := parameters[name]; ok {
		return p, true
	}
	for _, same := range []func(string) bool{
		func(s string) bool { return strings.EqualFold(s, name) },
		func(s string) bool { return fault.Fold(s) == fault.Fold(name) },
	} {
		for _, key := range sortedKeys(parameters) {
			if same(key) {
				return parameters[key], true
			}
		}
	}
	return provider.Parameter{}, false
}

// both gives the ways in which two conditions can be true at once.
func (b *binder) both(left, right []alternative) []alternative {
	if len(left)*len(right) > manyAlternatives {
		return left
	}
	var all []alternative
	for _, l := range left {
		for _, r := range right {
			if a, possible := b.merge(l, r); possible {
				all = append(all, a)
			}
		}
	}
	return all
}

// merge joins two alternatives; possible is false when they contradict.
func (b *binder) merge(l, r alternative) (a alternative, possible bool) {
	a = alternative{}
	for name, values := range l {
		a[name] = values
	}
	for name, values := range r {
		if before, ok := a[name]; ok {
			values = intersect(before, values, foldsCase(b.parameters[name], b.relation.resource.Family))
			if len(values) == 0 {
				return nil, false
			}
		}
		a[name] = values
	}
	return a, true
}

// intersect gives the values of both sets. An expression may be equal to
// anything, so a set that has one leaves the other as it is.
func intersect(l, r []*Value, fold bool) []*Value {
	if slices.ContainsFunc(l, isExpression) {
		return r
	}
	if slices.ContainsFunc(r, isExpression) {
		return l
	}
	var both []*Value
	for _, v := range l {
		if slices.ContainsFunc(r, func(w *Value) bool { return sameText(v.Text, w.Text, fold) }) {
			both = append(both, v)
		}
	}
	return both
}

func isExpression(v *Value) bool { return v.Expression != nil }

func sameText(a, b string, fold bool) bool {
	return a == b || fold && strings.EqualFold(a, b)
}

// foldsCase tells whether the values of a parameter are compared without case:
// the path parameters of Azure Resource Manager are names and ids, which it
// compares so, and so are UUIDs everywhere.
func foldsCase(p provider.Parameter, family provider.Family) bool {
	return p.In == provider.InPath && family == provider.ARM || p.Schema != nil && p.Schema.Format == "uuid"
}

// bindAll finds the alternatives of all relations. A parameter that is equal
// to one of another relation takes over its values.
func (b *builder) bindAll(relations []*relation) error {
	for _, r := range relations {
		methods := r.resource.Verbs[provider.Select]
		if len(methods) == 0 {
			return notReadable(r.resource).At(r.span)
		}
		r.columns = catalog.Columns(methods[0])
	}
	for _, r := range relations {
		if err := b.bind(r); err != nil {
			return err
		}
	}
	for range relations {
		changed := false
		for _, r := range relations {
			changed = b.takeOver(r) || changed
		}
		if !changed {
			break
		}
	}
	return nil
}

// bind finds the alternatives and the links of a relation.
func (b *builder) bind(r *relation) error {
	binder := &binder{builder: b, relation: r, parameters: parametersOf(r.resource.Verbs[provider.Select])}
	r.alternatives = everything()
	for _, c := range conjuncts(r.conditionsOf()) {
		binder.block = c.block
		more, err := binder.alternatives(c.node)
		if err != nil {
			return err
		}
		r.alternatives = binder.both(r.alternatives, more)
		links := binder.linksOf(c.node)
		r.links = append(r.links, links...)
		r.said = append(r.said, said{c, boundNames(more), links})
	}
	return b.applyScope(r, binder)
}

// applyScope gives the subscription of a relation that the statement leaves
// open the ids of the session's scope. Where that holds names, tags or management
// groups too, the subscriptions are listed and compared with them.
func (b *builder) applyScope(r *relation, binder *binder) error {
	name := catalog.SubscriptionOf(r.resource)
	p, ok := binder.parameters[name]
	if !ok || len(b.options.Scope) == 0 {
		return nil
	}
	var ids []*Value
	for _, pattern := range b.options.Scope {
		if !uuid.MatchString(pattern) {
			return b.checkGroups(r.resource.Provider)
		}
		ids = append(ids, &Value{Text: pattern, NoCase: true, parameter: p})
	}
	for i, a := range r.alternatives {
		if _, bound := a[name]; !bound {
			r.alternatives[i] = maps.Clone(a)
			r.alternatives[i][name] = ids
		}
	}
	return nil
}

// takeOver gives a relation the values of the parameters of others that its
// own are equal to; it tells whether that said anything new.
func (b *builder) takeOver(r *relation) bool {
	changed := false
	binder := &binder{builder: b, relation: r, parameters: parametersOf(r.resource.Verbs[provider.Select])}
	for i := range r.links {
		l := &r.links[i]
		if l.source == nil || l.taken {
			continue
		}
		set, bound := valuesOf(l.source.relation.alternatives, l.source.parameter)
		if !bound {
			continue
		}
		l.taken, changed = true, true
		var all []alternative
		if len(set) > 0 {
			all = []alternative{{l.parameter: set}}
		}
		r.alternatives = binder.both(r.alternatives, all)
	}
	return changed
}

// valuesOf gives the values that a parameter has in any of the alternatives;
// bound is false where one leaves it open.
func valuesOf(all []alternative, parameter string) (set []*Value, bound bool) {
	for _, a := range all {
		values, ok := a[parameter]
		if !ok {
			return nil, false
		}
		for _, v := range values {
			if !slices.ContainsFunc(set, func(w *Value) bool { return w == v || isText(v) && isText(w) && w.Text == v.Text }) {
				set = append(set, v)
			}
		}
	}
	return set, true
}

func isText(v *Value) bool { return v.Expression == nil }

// parametersOf gives the parameters of methods by their names on the wire.
func parametersOf(methods []*provider.Method) map[string]provider.Parameter {
	all := map[string]provider.Parameter{}
	for _, m := range methods {
		for _, p := range m.Parameters {
			if _, known := all[p.Name]; !known {
				all[p.Name] = p
			}
		}
	}
	return all
}
