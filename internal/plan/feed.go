package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// take makes the scan of a relation by an offer.
func (b *builder) take(r *relation, o *offer) error {
	switch {
	case o.parts != nil:
		return b.unite(r, o)
	case o.part != nil && r.of == nil:
		return b.narrow(r, o)
	}
	r.columns = catalog.Columns(o.method)
	var err error
	if o.constants {
		r.scan.Method, r.scan.Reason = o.method, o.reason
		r.scan.Arguments, r.scan.Tuples, err = tuples(o.method, r.alternatives)
		r.scan.Group = groupOf(r)
		return err
	}
	for _, l := range o.links {
		for _, f := range l.feeders {
			f.scan.Spool = true // its rows are read for their keys, and by the statement
		}
	}
	err = b.supply(r.scan, r, o)
	r.scan.Group = groupOf(r)
	return err
}

// supply gives a scan its method, its arguments and the feed that brings those
// that the statement does not give.
func (b *builder) supply(s *Scan, r *relation, o *offer) error {
	s.Method, s.Reason = o.method, o.because()
	k := b.newKeys(r, o)
	f := &Feed{Sources: k.sources, Local: len(k.locals) > 0}
	var expressions []any
	for _, p := range o.method.Parameters {
		name := o.owners[p.Name]
		expression, fed := k.expression(name)
		bound, everywhere := boundIn(r.alternatives, name)
		switch {
		case fed:
			f.Columns = append(f.Columns, len(s.Arguments))
			f.From = append(f.From, sourceAt(expression))
			f.NoCase = append(f.NoCase, foldsCase(p, o.method.Resource.Family))
			f.Values = append(f.Values, &Parameter{p})
			expressions = append(expressions, map[string]any(expression))
		case everywhere:
		case bound && !p.Required && s == r.scan:
			return inOneBranch(name)
		default:
			continue
		}
		s.Arguments = append(s.Arguments, p.Name)
	}
	var err error
	if s.Tuples, err = partialTuples(s, r.alternatives, o.owners); err != nil {
		return err
	}
	if len(f.Columns) == 0 {
		return nil
	}
	f.Named = k.named(s, f)
	if f.Select, err = k.query(expressions, len(f.Named) > 0); err != nil {
		return err
	}
	s.Feed = f
	return nil
}

// sourceAt gives the number of the source that an expression reads first, or -1.
func sourceAt(expression syntax.Node) int {
	at := -1
	syntax.Walk(expression, func(n syntax.Node) bool {
		if names := n.Texts("column_names"); at < 0 && len(names) == 2 && strings.HasPrefix(names[0], "f") {
			if i, err := strconv.Atoi(names[0][1:]); err == nil {
				at = i
			}
		}
		return at < 0
	})
	return at
}

// because says in words why an offer was taken.
func (o *offer) because() string {
	switch {
	case o.found != nil && len(o.links) > 0:
		return "the join gives a part of what it needs, the rest is found by listing " + o.found.ancestor.Resource.Name
	case o.found != nil:
		return "found by listing " + o.found.ancestor.Resource.Name
	case len(o.links) > 0:
		return "the join gives what it needs"
	case len(o.method.RequiredParameters()) == 0:
		return "needs no parameter"
	}
	return "the statement gives what it needs"
}

// boundIn tells whether any alternative gives a parameter, and whether all do.
func boundIn(all []alternative, name string) (some, every bool) {
	every = name != "" && len(all) > 0
	for _, a := range all {
		_, ok := a[name]
		some, every = some || ok, every && ok
	}
	return some, every
}

// partialTuples gives the tuples of a scan with a feed: what the alternatives
// fix, and nil for the rest.
func partialTuples(s *Scan, all []alternative, owners map[string]string) ([]Tuple, error) {
	seen := map[string]bool{}
	var list []Tuple
	for _, a := range all {
		theirs := alternative{}
		for _, name := range s.Arguments {
			theirs[name] = []*Value{nil}
			if values, ok := a[owners[name]]; ok {
				theirs[name] = values
			}
		}
		for _, t := range combinations(s.Arguments, theirs) {
			if key := tupleKey(s.Method, t); !seen[key] {
				seen[key] = true
				list = append(list, t)
			}
		}
		if len(list) > manyTuples {
			return nil, tooManyTuples(s.Method)
		}
	}
	return list, nil
}

// keys makes the query that gives the arguments of a scan by the rows of
// others.
type keys struct {
	*builder
	owner   *relation
	offer   *offer
	sources []*Source
	feeders []*relation
	aliases map[*relation]string // of the feeders
	locals  []*item
	scan    *Scan // that finds; nil: none

	members    int    // the source that lists the members of management groups; 0: there is none
	memberName string // its column of their ids
}

// newKeys chooses the sources: the listing that finds, and what the links need.
func (b *builder) newKeys(r *relation, o *offer) *keys {
	k := &keys{builder: b, owner: r, offer: o, aliases: map[*relation]string{}}
	if o.found != nil {
		k.scan = b.finder(r, o.found)
		k.scan.Gentle = r.scan.Gentle && len(o.links) == 0
		k.sources = append(k.sources, &Source{Scan: k.scan, Found: true})
		k.addMembers()
	}
	for _, l := range o.links {
		for _, f := range l.feeders {
			if k.aliases[f] == "" {
				k.aliases[f] = fmt.Sprintf("f%d", len(k.sources))
				k.feeders = append(k.feeders, f)
				k.sources = append(k.sources, &Source{Scan: f.scan})
			}
		}
		for _, it := range l.locals {
			if !slices.Contains(k.locals, it) {
				k.locals = append(k.locals, it)
			}
		}
	}
	return k
}

// finder makes the scan that lists an ancestor. An error of its arguments
// cannot be: they are parts of the relation's own.
func (b *builder) finder(r *relation, f *found) *Scan {
	s := &Scan{Name: f.ancestor.Resource.Name}
	_ = b.supply(s, r, f.offer)
	return s
}

// expression gives the value of a parameter by the sources; ok is false where
// they do not give it.
func (k *keys) expression(parameter string) (syntax.Node, bool) {
	if parameter == "" {
		return nil, false
	}
	if ref, ok := k.foundColumn(parameter); ok {
		return ref, true
	}
	for _, l := range k.offer.links {
		if l.parameter != parameter {
			continue
		}
		if copied, ok := k.copy(l.value, l.block); ok {
			return copied.(map[string]any), true
		}
	}
	return nil, false
}

// foundColumn gives the column of the finder that is a parameter.
func (k *keys) foundColumn(parameter string) (syntax.Node, bool) {
	if k.scan == nil {
		return nil, false
	}
	name, ok := k.offer.found.gives[parameter]
	if !ok {
		return nil, false
	}
	c, ok := catalog.Lookup(catalog.Columns(k.scan.Method), name)
	if !ok {
		return nil, false
	}
	k.scan.project(c, c.Name, true, true)
	return columnRef("f0", c.Name), true
}

// query makes the text's tree: the expressions over the sources, with all
// conditions that name nothing else. Where the rows are judged the conditions
// are a column instead.
func (k *keys) query(expressions []any, judged bool) (syntax.Node, error) {
	text := "SELECT 1 FROM "
	if len(k.sources)+len(k.locals) > 1 {
		text = "SELECT DISTINCT 1 FROM " // a product; where there is one source its order is kept
	}
	for i := range k.sources {
		if i == 0 || i != k.members { // those stand in a condition
			text += fmt.Sprintf("planeql_feed_%d AS f%d, ", i, i)
		}
	}
	for i := range k.locals {
		text += fmt.Sprintf("planeql_local_%d, ", i)
	}
	tree, err := k.parse(text[:len(text)-2] + " WHERE 1")
	if err != nil {
		return nil, err
	}
	tree["select_list"] = expressions
	for i, it := range k.locals {
		replaceTable(tree, fmt.Sprintf("planeql_local_%d", i), aliased(it.node, fmt.Sprintf("l%d", i)))
	}
	conditions := append(k.conditions(), k.linkConditions()...)
	if found := k.foundConditions(); found != nil {
		more, err := k.parse("SELECT 1 WHERE " + *found)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, map[string]any(more.Child("where_clause")))
	}
	tree["where_clause"] = nil
	switch where := conjunction(conditions); {
	case where != nil && judged:
		tree["select_list"] = append(expressions, where)
	case where != nil:
		tree["where_clause"] = where
	}
	return tree, nil
}

// conjunction gives the node of conditions that all have to hold; nil for none.
func conjunction(conditions []any) any {
	switch len(conditions) {
	case 0:
		return nil
	case 1:
		return conditions[0]
	}
	return map[string]any{"class": "CONJUNCTION", "type": "CONJUNCTION_AND", "alias": "", "children": conditions}
}

// linkConditions narrows what is found to the keys that queries in an IN give:
// their equality stands nowhere in the text.
func (k *keys) linkConditions() []any {
	var list []any
	for _, l := range k.offer.links {
		if !l.query {
			continue
		}
		found, isFound := k.foundColumn(l.parameter)
		value, ok := k.copy(l.value, l.block)
		if isFound && ok {
			list = append(list, map[string]any(equal(found, value.(map[string]any))))
		}
	}
	return list
}

// conditions gives the conditions of the relation and of its feeders that the
// sources alone decide. One that stands above an outer join also judges rows of
// NULLs: it narrows what is found only where it refuses those.
func (k *keys) conditions() []any {
	list := k.copies(k.owner.conditionsOf())
	feeders := *k
	feeders.owner = nil // what others ask of its rows narrows nothing
	for _, f := range k.feeders {
		list = append(list, feeders.copies(f.conditionsOf())...)
	}
	return list
}

// copies gives those of the conditions that the sources alone decide.
func (k *keys) copies(conditions []condition) []any {
	var list []any
	for _, c := range conjuncts(conditions) {
		refs, plain := columnsIn(c.node)
		if !plain || len(refs) == 0 || c.above && !refusesNull(c.node) {
			continue
		}
		if copied, ok := k.copy(c.node, c.block); ok {
			list = append(list, copied)
			if k.owner != nil {
				k.owner.narrowed = append(k.owner.narrowed, nodeID(c.node))
			}
		}
	}
	return list
}

// refusesNull tells whether a condition is certainly not true where a column of
// it is NULL: a comparison of bare columns and constants.
func refusesNull(n syntax.Node) bool {
	var operands []syntax.Node
	switch {
	case n.Class() == "COMPARISON" && !strings.Contains(n.Type(), "DISTINCT"):
		operands = []syntax.Node{n.Child("left"), n.Child("right")}
	case n.Type() == "COMPARE_IN":
		operands = n.List("children")
	case n.Class() == "FUNCTION" && strings.HasPrefix(n.Text("function_name"), "~~"):
		operands = n.List("children")
	}
	for _, o := range operands {
		if o.Class() != "COLUMN_REF" && !constant(o) {
			return false
		}
	}
	return len(operands) > 0 && operands[0].Class() == "COLUMN_REF" || len(operands) == 2 && operands[1].Class() == "COLUMN_REF"
}

// copy copies an expression with its references turned to the sources; ok is
// false where one of them is to something else.
func (k *keys) copy(value any, blk *block) (any, bool) {
	switch v := value.(type) {
	case syntax.Node:
		return k.copy(map[string]any(v), blk)
	case map[string]any:
		if syntax.Node(v).Class() == "COLUMN_REF" {
			ref, ok := k.reference(syntax.Node(v).Texts("column_names"), blk)
			return map[string]any(ref), ok
		}
		copied := make(map[string]any, len(v))
		for name, member := range v {
			c, ok := k.copy(member, blk)
			if !ok {
				return nil, false
			}
			copied[name] = c
		}
		return copied, true
	case []any:
		copied := make([]any, len(v))
		for i, member := range v {
			c, ok := k.copy(member, blk)
			if !ok {
				return nil, false
			}
			copied[i] = c
		}
		return copied, true
	}
	return value, true
}

// reference turns a column reference to a source.
func (k *keys) reference(names []string, blk *block) (syntax.Node, bool) {
	targets := k.trace(names, blk)
	if len(targets) == 0 {
		return k.localReference(names, blk)
	}
	for _, t := range targets {
		c, err := columnOf(t.relation, t.rest)
		if err != nil {
			return nil, false
		}
		if alias := k.aliases[t.relation]; alias != "" && len(targets) == 1 {
			t.relation.scan.project(c, c.Name, c.Kind != catalog.Field, true)
			return columnRef(alias, c.Name), true
		}
		if k.owner != nil && t.relation == k.owner.self() && c.Parameter != nil {
			return k.foundColumn(c.Parameter.Name)
		}
	}
	return nil, false
}

func (k *keys) localReference(names []string, blk *block) (syntax.Node, bool) {
	it := blk.localOf(names)
	i := slices.Index(k.locals, it)
	if it == nil || i < 0 {
		return nil, false
	}
	return columnRef(fmt.Sprintf("l%d", i), names[len(names)-1]), true
}

// foundConditions gives what the finder's rows must fulfil beside the
// statement's conditions, as text over f0.
func (k *keys) foundConditions() *string {
	if k.scan == nil || !isSubscriptions(k.offer.found.ancestor) {
		return nil
	}
	columns := catalog.Columns(k.scan.Method)
	var text string
	if c, ok := catalog.Lookup(columns, "state"); ok {
		k.scan.project(c, c.Name, true, true)
		text = "f0." + syntax.QuoteName(c.Name) + " IN ('Enabled', 'Warned', 'PastDue')"
	}
	if scope := k.scopeCondition(columns); scope != "" {
		if text != "" {
			text += " AND "
		}
		text += scope
	}
	if text == "" {
		return nil
	}
	return &text
}

// scopeCondition narrows subscriptions to the scope of the session, by id or by
// name with * and ?.
func (k *keys) scopeCondition(columns []catalog.Column) string {
	id, hasID := catalog.Lookup(columns, "subscriptionId")
	name, hasName := catalog.Lookup(columns, "displayName")
	if len(k.options.Scope) == 0 || !hasID || !hasName {
		return ""
	}
	k.scan.project(id, id.Name, true, true)
	k.scan.project(name, name.Name, true, true)
	var any []string
	for _, pattern := range k.options.Scope {
		if !strings.HasPrefix(pattern, groupPattern) {
			any = append(any, k.inScope(pattern, id, name, columns))
		}
	}
	if k.members > 0 {
		any = append(any, k.isMember(id))
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// inScope gives the condition of one pattern: tag:NAME=VALUE, or an id or name
// with * and ?, all without case.
func (k *keys) inScope(pattern string, id, name catalog.Column, columns []catalog.Column) string {
	if tag, ok := strings.CutPrefix(pattern, "tag:"); ok {
		key, value, _ := strings.Cut(tag, "=")
		tags, ok := catalog.Lookup(columns, "tags")
		if !ok {
			return "false"
		}
		k.scan.project(tags, tags.Name, true, true)
		return "lower(json_extract_string(f0." + syntax.QuoteName(tags.Name) + ", " + syntax.QuoteText(jsonPath([]string{key})) + ")) = lower(" + syntax.QuoteText(value) + ")"
	}
	quoted := "lower(" + syntax.QuoteText(pattern) + ")"
	return "lower(f0." + syntax.QuoteName(id.Name) + ") = " + quoted + " OR lower(f0." + syntax.QuoteName(name.Name) + ") GLOB " + quoted
}

// isSubscriptions tells whether an ancestor is the list of subscriptions of
// Azure Resource Manager, of which only those that are not disabled or deleted
// answer.
func isSubscriptions(a *catalog.Ancestor) bool {
	return a.Resource.Family == provider.ARM && catalog.IsSubscriptions(a.Get)
}

// aliased copies a node of a FROM under another name.
func aliased(n syntax.Node, alias string) syntax.Node {
	copied := syntax.Node{}
	for name, member := range n {
		copied[name] = member
	}
	copied["alias"] = alias
	return copied
}

// replaceTable puts a node in the place of a table.
func replaceTable(n syntax.Node, table string, by syntax.Node) {
	for name, member := range n {
		child, ok := member.(map[string]any)
		if !ok {
			continue
		}
		if syntax.Node(child).Text("table_name") == table {
			n[name] = map[string]any(by)
			return
		}
		replaceTable(child, table, by)
	}
}

// findMembers notes the members that the scans of a feed have to cut out of
// their items.
func (f *Feed) findMembers() {
	if f == nil {
		return
	}
	for _, s := range f.Sources {
		if s.Found {
			s.Scan.findMembers()
			s.Scan.Feed.findMembers()
		}
	}
}

// inOneBranch is the error for a parameter of the query that only a part of an
// OR gives: the rows of the other part would be read with it and without.
func inOneBranch(name string) *fault.Error {
	return fault.New(fault.NotSupported, "%s has a value in one branch of an OR and none in another", name).
		WithHint("give %s a value in every branch, or make two statements with UNION ALL", name)
}
