package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/syntax"
)

// item is an entry of a FROM: a resource, a query, or a table that DuckDB
// knows.
type item struct {
	block      *block
	alias      string
	relation   *relation   // a resource
	branches   []*block    // of a derived table or a common table expression
	names      []string    // of its columns, where the FROM or the WITH gives them
	node       syntax.Node // in the tree; nil for a common table expression
	local      bool        // DuckDB has all of its rows: a table, a file, a list of values
	conditions []condition // of joins, which every row of it that counts must fulfil
	nullable   bool        // an outer join may put NULLs in the place of its rows
}

// condition is an expression and the block whose names it uses.
type condition struct {
	node  syntax.Node
	block *block
	above bool // it stands above an outer join that may put NULLs in the place of the rows
}

// reads notes that the item gives the rows of blocks.
func (it *item) reads(branches []*block) {
	it.branches = branches
	for _, blk := range branches {
		blk.uses = append(blk.uses, it)
	}
}

// derived reads a query in a FROM.
func (b *builder) derived(n syntax.Node, blk *block) error {
	query := n.Child("subquery").Child("node")
	blk.has(append(n.Texts("column_name_alias"), outputs(query)...))
	inner := blk.frame
	inner.output, inner.sealed = false, false
	branches, err := b.query(query, blk, inner)
	if err != nil {
		return err
	}
	it := &item{block: blk, alias: n.Text("alias"), names: n.Texts("column_name_alias"), node: n}
	it.reads(branches)
	it.local = len(blk.frame.ctes) == 0 && !holdsResource(n)
	blk.items = append(blk.items, it)
	return nil
}

// holdsResource tells whether something below a node may be a resource: any
// name of a table counts, since a local table is rarely worth the difference.
func holdsResource(n syntax.Node) bool {
	holds := false
	syntax.Walk(n, func(c syntax.Node) bool {
		// What is different each time must not be asked twice either.
		holds = holds || c.Type() == "BASE_TABLE" || volatile[strings.ToLower(c.Text("function_name"))]
		return !holds
	})
	return holds
}

// join reads both sides of a join, and notes its conditions with the items
// whose rows count only where they hold. A WHERE above an outer join holds for
// both sides: a row that was filled up with NULLs fulfils no equality.
func (b *builder) join(n syntax.Node, blk *block) error {
	first := len(blk.items)
	if err := b.from(n.Child("left"), blk); err != nil {
		return err
	}
	middle := len(blk.items)
	if err := b.from(n.Child("right"), blk); err != nil {
		return err
	}
	left, right := blk.items[first:middle], blk.items[middle:]
	if on := n.Child("condition"); on != nil {
		if err := b.queriesIn(on, blk); err != nil {
			return err
		}
	}
	conditions := b.joinConditions(n, left, right)
	kind := n.Text("join_type")
	if kind == "INNER" || kind == "SEMI" || kind == "RIGHT" {
		require(left, conditions, blk)
	}
	if kind == "INNER" || kind == "SEMI" || kind == "LEFT" || kind == "ANTI" {
		require(right, conditions, blk)
	}
	for _, it := range left {
		it.nullable = it.nullable || kind == "RIGHT" || kind == "OUTER" || kind == "FULL"
	}
	for _, it := range right {
		it.nullable = it.nullable || kind == "LEFT" || kind == "OUTER" || kind == "FULL"
	}
	if n.Text("ref_type") == "NATURAL" {
		for _, r := range blk.relations {
			r.whole = true
		}
	}
	return nil
}

func require(items []*item, conditions []syntax.Node, blk *block) {
	for _, it := range items {
		for _, n := range conditions {
			it.conditions = append(it.conditions, condition{n, blk, it.nullable})
		}
	}
}

// joinConditions gives what ON, USING or NATURAL ask for.
func (b *builder) joinConditions(n syntax.Node, left, right []*item) []syntax.Node {
	if on := n.Child("condition"); on != nil {
		return []syntax.Node{on}
	}
	names := n.Texts("using_columns")
	for _, name := range names {
		for _, it := range append(slices.Clone(left), right...) {
			it.block.merged[strings.ToLower(name)] = true
		}
	}
	if n.Text("ref_type") == "NATURAL" {
		names = commonFields(left, right)
	}
	var conditions []syntax.Node
	for _, name := range names {
		l, r := owner(left, name), owner(right, name)
		if l != nil && r != nil {
			conditions = append(conditions, equal(columnRef(l.alias, name), columnRef(r.alias, name)))
		}
	}
	return conditions
}

// owner finds the first item that has a column.
func owner(items []*item, name string) *item {
	for _, it := range items {
		if it.relation != nil {
			if _, ok := catalog.Lookup(it.relation.columns, name); ok {
				return it
			}
		} else if it.alias != "" && (it.local || len(it.outputs(name)) > 0) {
			return it
		}
	}
	return nil
}

// commonFields gives the names of the visible columns that resources on both
// sides have.
func commonFields(left, right []*item) []string {
	var names []string
	for _, l := range left {
		for _, r := range right {
			if l.relation == nil || r.relation == nil {
				continue
			}
			for _, c := range l.relation.columns {
				other, ok := catalog.Lookup(r.relation.columns, c.Name)
				if ok && c.Kind == catalog.Field && other.Kind == catalog.Field && !slices.Contains(names, c.Name) {
					names = append(names, c.Name)
				}
			}
		}
	}
	return names
}

func columnRef(names ...string) syntax.Node {
	var parts []any
	for _, name := range names {
		parts = append(parts, name)
	}
	return syntax.Node{"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": "", "column_names": parts}
}

func equal(left, right syntax.Node) syntax.Node {
	return syntax.Node{
		"class": "COMPARISON", "type": "COMPARE_EQUAL", "alias": "",
		"left": map[string]any(left), "right": map[string]any(right),
	}
}

// conditionsOf gives the conditions that a row of the relation must fulfil:
// those of the joins above it, the WHERE of its block, and what the one reader
// of the block asks of its rows in turn.
func (r *relation) conditionsOf() []condition {
	return append(slices.Clone(r.item.conditions), r.block.required(r.item.nullable)...)
}

// required gives the conditions on the rows of a block that may be applied to
// what it reads; nullable tells whether an outer join stands between.
func (blk *block) required(nullable bool) []condition {
	var conditions []condition
	if where := blk.node.Child("where_clause"); where != nil {
		conditions = append(conditions, condition{where, blk, nullable})
	}
	if len(blk.uses) != 1 || blk.sealed {
		return conditions
	}
	use := blk.uses[0]
	for _, c := range use.conditions {
		c.above = c.above || nullable
		conditions = append(conditions, c)
	}
	return append(conditions, use.block.required(nullable || use.nullable)...)
}

// conjuncts splits conditions at their ANDs.
func conjuncts(conditions []condition) []condition {
	var all []condition
	for _, c := range conditions {
		if c.node.Type() != "CONJUNCTION_AND" {
			all = append(all, c)
			continue
		}
		for _, child := range c.node.List("children") {
			all = append(all, conjuncts([]condition{{child, c.block, c.above}})...)
		}
	}
	return all
}

// outputs gives the expressions that are a column of the item, one for each
// branch of its query, each with its block; nil where one of them is not known.
func (it *item) outputs(name string) []condition {
	if len(it.branches) == 0 {
		return nil
	}
	place := -1
	if i := slices.IndexFunc(it.names, func(s string) bool { return strings.EqualFold(s, name) }); i >= 0 {
		place = i
	}
	var all []condition
	for _, blk := range it.branches {
		if blk.byName {
			place = -1
		}
		if blk.byName && len(it.names) > 0 {
			return nil // which column a new name is depends on all branches
		}
		e := blk.output(name, place)
		if e == nil {
			return nil
		}
		if place < 0 {
			place = blk.placeOf(name)
		}
		all = append(all, condition{node: e, block: blk})
	}
	return all
}

// output gives the expression of a column of a block, by its place or else by
// its name; a reference by name stands for a column of *.
func (blk *block) output(name string, place int) syntax.Node {
	list := blk.node.List("select_list")
	starred := slices.ContainsFunc(list, func(n syntax.Node) bool { return n.Class() == "STAR" })
	if place >= 0 {
		if starred || place >= len(list) {
			return nil
		}
		return list[place]
	}
	if i := blk.placeOf(name); i >= 0 {
		return list[i]
	}
	if !starred || len(list) != 1 || list[0].Text("relation_name") != "" || alters(list[0]) {
		return nil
	}
	return columnRef(name)
}

// alters tells whether a * gives something else than the columns it stands for.
func alters(star syntax.Node) bool {
	for _, name := range []string{"exclude_list", "replace_list", "qualified_exclude_list", "rename_list"} {
		if list, _ := star[name].([]any); len(list) > 0 {
			return true
		}
	}
	return star.Child("expr") != nil || star.Flag("columns")
}

// placeOf gives the place of a named item in the select list, or -1.
func (blk *block) placeOf(name string) int {
	return slices.IndexFunc(blk.node.List("select_list"), func(n syntax.Node) bool {
		if alias := n.Text("alias"); alias != "" {
			return strings.EqualFold(alias, name)
		}
		parts := n.Texts("column_names")
		return len(parts) > 0 && strings.EqualFold(parts[len(parts)-1], name)
	})
}
