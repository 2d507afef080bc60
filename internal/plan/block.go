package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// block is a SELECT node of the tree with the relations of its FROM.
type block struct {
	node      syntax.Node
	parent    *block // whose columns this one can see too
	relations []*relation
	items     []*item         // of the FROM: relations, derived tables, tables of DuckDB
	uses      []*item         // that read this block's rows
	merged    map[string]bool // columns of a USING, in lower case
	byName    bool            // a branch of a UNION BY NAME
	sealed    bool            // a condition on its rows must not be applied to what it reads: it has a LIMIT or a window
	opaque    bool            // has a relation whose columns are DuckDB's to know
	others    map[string]bool // names of such columns as far as the text says, in lower case
	aliases   map[string]bool // names that the select list defines, in lower case
	frame     frame
}

// relation is a resource in a FROM.
type relation struct {
	block    *block
	resource *provider.Resource
	alias    string
	span     fault.Span
	item     *item
	columns  []catalog.Column
	scan     *Scan
	whole    bool // every field is needed: a *, NATURAL, PIVOT, or the row as a value

	alternatives []alternative // that its conditions leave
	links        []link        // by which other relations fix its parameters
	said         []said        // its conditions, one by one
	narrowed     []uintptr     // those that are asked of the rows that feed it
	forked       bool          // its items stand below several kinds of parents
	parts        []*part       // those of the kinds that the conditions leave
	of           *relation     // whose part this is; nil: it is a relation of the statement
}

// self gives the relation of the statement that this is, or is a part of.
func (r *relation) self() *relation {
	if r.of != nil {
		return r.of
	}
	return r
}

// frame is what is known of a place in the statement on the way down to it.
type frame struct {
	ctes    map[string]*cte
	repeats bool // what is read here may be read more than once
	limited bool // a LIMIT above may end the reading early
	output  bool // its columns are those of the statement
	sealed  bool // see block
}

// cte is a common table expression, with the names of its columns as far as
// they stand in the text.
type cte struct {
	columns  []string
	aliases  []string // the names of its columns, where the WITH gives them
	query    syntax.Node
	branches []*block // nil for a recursive one
}

// builder builds the plan of one SELECT.
type builder struct {
	catalog   *catalog.Catalog
	options   Options
	parse     func(text string) (syntax.Node, error)
	text      *syntax.Edited
	blocks    []*block
	relations []*relation
	edits     []syntax.Edit
	fixed     *provider.Method // the method behind the name returningTable
	stars     []star
	tokens    []syntax.Token // of the text, once somebody needs them
}

// span gives the place of a part of the parsed text in the user's text.
func (b *builder) span(start, end int) fault.Span { return b.text.Span(start, end) }

// at gives the place of a node.
func (b *builder) at(n syntax.Node) fault.Span {
	offset, ok := n.Offset()
	if !ok {
		return fault.Span{}
	}
	end := offset + 1
	if parts := n.Texts("column_names"); len(parts) > 0 {
		if name, ok := syntax.NameAt(b.text.Text, offset, len(parts)); ok {
			end = name.End
		}
	}
	return b.span(offset, end)
}

// isQuery tells whether a node is a query of its own.
func isQuery(n syntax.Node) bool {
	switch n.Type() {
	case "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE":
		return true
	}
	return false
}

// query finds the blocks below a query node, and gives those whose rows are
// its own: one, or the branches of a set operation.
func (b *builder) query(n syntax.Node, parent *block, f frame) ([]*block, error) {
	f, err := b.withCTEs(n, parent, f)
	if err != nil {
		return nil, err
	}
	f.limited = limited(n, f.limited)
	f.sealed = f.sealed || seals(n)
	switch n.Type() {
	case "SELECT_NODE":
		blk, err := b.selectNode(n, parent, f)
		return []*block{blk}, err
	case "RECURSIVE_CTE_NODE":
		f.repeats, f.sealed = true, true
	}
	var parts []syntax.Node
	for _, name := range []string{"left", "right", "query", "child"} {
		if c := n.Child(name); c != nil {
			parts = append(parts, c)
		}
	}
	var branches []*block
	for _, c := range append(parts, n.List("children")...) {
		more, err := b.query(c, parent, f)
		if err != nil {
			return nil, err
		}
		branches = append(branches, more...)
	}
	if n.Text("setop_type") == "UNION_BY_NAME" {
		for _, blk := range branches {
			blk.byName = true
		}
	}
	return branches, nil
}

// seals tells whether a condition on the rows of a query must not be applied
// to what it reads: which rows a LIMIT, DISTINCT ON, a sample or a window gives
// depends on all of them.
func seals(n syntax.Node) bool {
	for _, m := range n.List("modifiers") {
		switch m.Type() {
		case "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER":
			return true
		case "DISTINCT_MODIFIER":
			if len(m.List("distinct_on_targets")) > 0 {
				return true
			}
		}
	}
	if sets, _ := n["group_sets"].([]any); len(sets) > 1 {
		return true // ROLLUP and the like put NULLs in the place of keys
	}
	if n.Child("sample") != nil || n.Child("qualify") != nil {
		return true
	}
	windows := false
	for _, item := range n.List("select_list") {
		syntax.Walk(item, func(c syntax.Node) bool {
			windows = windows || c.Class() == "WINDOW"
			return !windows && !isQuery(c)
		})
	}
	return windows
}

// withCTEs reads the WITH of a query node. DuckDB reads a common table
// expression that is used twice once, unless it is told otherwise or inlines
// it; a scan below one that is not used exactly once is therefore spooled.
func (b *builder) withCTEs(n syntax.Node, parent *block, f frame) (frame, error) {
	entries := n.Child("cte_map").List("map")
	if len(entries) == 0 {
		return f, nil
	}
	ctes := map[string]*cte{}
	for name, c := range f.ctes {
		ctes[name] = c
	}
	for _, e := range entries {
		name := strings.ToLower(e.Text("key"))
		query := e.Child("value").Child("query").Child("node")
		aliases := e.Child("value").Texts("aliases")
		c := &cte{columns: append(slices.Clone(aliases), outputs(query)...), aliases: aliases, query: query}
		inner := f
		inner.ctes, inner.output, inner.sealed = ctes, false, false
		inner.repeats = f.repeats || reads(n, name) > 1
		inner.limited = f.limited || limited(n, false)
		if query.Type() == "RECURSIVE_CTE_NODE" {
			ctes[name] = c
		}
		branches, err := b.query(query, parent, inner)
		if err != nil {
			return f, err
		}
		if query.Type() != "RECURSIVE_CTE_NODE" {
			c.branches = branches
		}
		ctes[name] = c
	}
	f.ctes = ctes
	return f, nil
}

// reads counts how often a table of that name is read below a node: what
// another common table expression reads is read as often as that one, and the
// steps of a recursion read again and again.
func reads(n syntax.Node, name string) int {
	count := 0
	syntax.Walk(n, func(c syntax.Node) bool {
		switch {
		case c.Type() == "BASE_TABLE" && c.Text("schema_name") == "" && strings.EqualFold(c.Text("table_name"), name):
			count++
		case c.Type() == "RECURSIVE_CTE_NODE" && reads(c.Child("right"), name) > 0:
			count++
		}
		later := c.Child("cte_map").List("map")
		for i, e := range later {
			if strings.EqualFold(e.Text("key"), name) {
				later = later[i+1:]
				break
			}
		}
		for _, e := range later {
			if reads(e.Child("value"), name) > 0 && reads(c, e.Text("key")) > 1 {
				count++
			}
		}
		return true
	})
	return count
}

// limited tells whether a LIMIT can end the reading below a node early: it has
// one, or one stands above, and the node neither sorts nor groups.
func limited(n syntax.Node, above bool) bool {
	for _, m := range n.List("modifiers") {
		switch m.Type() {
		case "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER":
			above = true
		}
	}
	for _, m := range n.List("modifiers") {
		if m.Type() == "ORDER_MODIFIER" {
			return false
		}
	}
	return above && len(n.List("group_expressions")) == 0 && !aggregates(n)
}

// aggregates tells whether a select list certainly reads all rows. A function
// this list does not know makes the reading gentler than it needs to be, never
// wrong.
func aggregates(n syntax.Node) bool {
	found := false
	for _, item := range n.List("select_list") {
		syntax.Walk(item, func(c syntax.Node) bool {
			switch c.Text("function_name") {
			case "count", "count_star", "sum", "avg", "min", "max", "list", "string_agg", "array_agg", "any_value", "arg_max", "arg_min", "median", "mode":
				found = true
			}
			return !found && !isQuery(c)
		})
	}
	return found
}

func (b *builder) selectNode(n syntax.Node, parent *block, f frame) (*block, error) {
	blk := &block{node: n, parent: parent, aliases: map[string]bool{}, others: map[string]bool{}, merged: map[string]bool{}, frame: f, sealed: f.sealed}
	b.blocks = append(b.blocks, blk)
	for _, item := range n.List("select_list") {
		if alias := item.Text("alias"); alias != "" {
			blk.aliases[strings.ToLower(alias)] = true
		}
	}
	if err := b.from(n.Child("from_table"), blk); err != nil {
		return nil, err
	}
	for _, part := range blk.expressions() {
		if err := b.queriesIn(part, blk); err != nil {
			return nil, err
		}
	}
	return blk, nil
}

// queriesIn reads the queries inside an expression of a block.
func (b *builder) queriesIn(part syntax.Node, blk *block) error {
	inner := blk.frame
	inner.repeats, inner.output, inner.sealed, inner.limited = true, false, false, false
	var err error
	syntax.Walk(part, func(c syntax.Node) bool {
		switch {
		case err != nil:
			return false
		case c.Class() == "SUBQUERY" && c.Child("child") == nil:
			err = b.subquery(c, blk, inner)
			return false
		case !isQuery(c):
			return true
		}
		_, err = b.query(c, blk, inner)
		return false
	})
	return err
}

// subquery reads a query inside an expression. DuckDB evaluates one that does
// not depend on the row once; EXISTS then reads no further than its first row.
func (b *builder) subquery(n syntax.Node, blk *block, f frame) error {
	first := len(b.blocks)
	kind := n.Text("subquery_type")
	f.limited = kind == "EXISTS" || kind == "NOT_EXISTS"
	if _, err := b.query(n.Child("subquery").Child("node"), blk, f); err != nil {
		return err
	}
	own := b.blocks[first:]
	if !f.limited || blk.frame.repeats || b.correlated(n, own) {
		return nil
	}
	for _, r := range b.relations {
		if slices.Contains(own, r.block) && r.scan.Gentle {
			r.scan.Spool = false
		}
	}
	return nil
}

// correlated tells whether a reference below a node may be to something
// outside of the blocks.
func (b *builder) correlated(n syntax.Node, own []*block) bool {
	outside := false
	syntax.Walk(n, func(c syntax.Node) bool {
		if c.Class() == "COLUMN_REF" && !outside {
			r, _, err := b.lookup(c.Texts("column_names"), own[0])
			outside = err != nil || r == nil || !slices.Contains(own, r.block)
		}
		return !outside
	})
	return outside
}

// expressions gives the parts of a block that hold expressions, its FROM left
// out.
func (blk *block) expressions() []syntax.Node {
	parts := append([]syntax.Node(nil), blk.node.List("select_list")...)
	for _, name := range []string{"where_clause", "having", "qualify"} {
		if c := blk.node.Child(name); c != nil {
			parts = append(parts, c)
		}
	}
	parts = append(parts, blk.node.List("group_expressions")...)
	return append(parts, blk.node.List("modifiers")...)
}

// from reads a node of a FROM.
func (b *builder) from(n syntax.Node, blk *block) error {
	switch n.Type() {
	case "", "EMPTY":
		return nil
	case "BASE_TABLE":
		return b.table(n, blk)
	case "JOIN":
		return b.join(n, blk)
	case "SUBQUERY":
		return b.derived(n, blk)
	}
	blk.has(n.Texts("column_name_alias"))
	blk.items = append(blk.items, &item{block: blk, alias: n.Text("alias"), node: n, local: !holdsResource(n)})
	return b.otherFrom(n, blk)
}

// has notes a relation whose columns are DuckDB's to know, with the names of
// some of them.
func (blk *block) has(columns []string) {
	blk.opaque = true
	for _, name := range columns {
		blk.others[strings.ToLower(name)] = true
	}
}

// outputs gives the names of the columns of a query, as far as its text says.
func outputs(n syntax.Node) []string {
	for n.Type() == "SET_OPERATION_NODE" || n.Type() == "RECURSIVE_CTE_NODE" {
		first := n.Child("left")
		if children := n.List("children"); first == nil && len(children) > 0 {
			first = children[0]
		}
		n = first
	}
	var names []string
	for _, item := range n.List("select_list") {
		if alias := item.Text("alias"); alias != "" {
			names = append(names, alias)
		} else if parts := item.Texts("column_names"); len(parts) > 0 {
			names = append(names, parts[len(parts)-1])
		}
	}
	return names
}

// otherFrom looks for tables and queries below a node of a FROM that has no
// case of its own, such as PIVOT or a table function with a subquery.
func (b *builder) otherFrom(n syntax.Node, blk *block) error {
	f := blk.frame
	f.repeats, f.output, f.sealed = true, false, false
	var err error
	self := true
	syntax.Walk(n, func(c syntax.Node) bool {
		switch {
		case err != nil:
		case self:
			self = false
			return true
		case isQuery(c):
			_, err = b.query(c, blk, f)
		case c.Type() == "BASE_TABLE":
			blk.frame.repeats = true
			err = b.table(c, blk)
			for _, r := range blk.relations {
				r.whole = true
			}
		default:
			return true
		}
		return false
	})
	return err
}
