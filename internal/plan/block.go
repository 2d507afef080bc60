package plan

import (
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
	opaque    bool            // has a relation whose columns are DuckDB's to know
	others    map[string]bool // names of such columns as far as the text says, in lower case
	aliases   map[string]bool // names that the select list defines, in lower case
	frame     frame
}

// relation is a resource in a FROM.
type relation struct {
	block      *block
	resource   *provider.Resource
	alias      string
	span       fault.Span
	conditions []syntax.Node // of the joins above, as far as they restrict it
	columns    []catalog.Column
	scan       *Scan
	whole      bool // every field is needed: a *, NATURAL, PIVOT, or the row as a value
}

// frame is what is known of a place in the statement on the way down to it.
type frame struct {
	ctes    map[string]*cte
	repeats bool // what is read here may be read more than once
	limited bool // a LIMIT above may end the reading early
	output  bool // its columns are those of the statement
}

// cte is a common table expression, with the names of its columns as far as
// they stand in the text.
type cte struct{ columns []string }

// builder builds the plan of one SELECT.
type builder struct {
	catalog   *catalog.Catalog
	options   Options
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

// query finds the blocks below a query node.
func (b *builder) query(n syntax.Node, parent *block, f frame) error {
	f, err := b.withCTEs(n, parent, f)
	if err != nil {
		return err
	}
	f.limited = limited(n, f.limited)
	switch n.Type() {
	case "SELECT_NODE":
		return b.selectNode(n, parent, f)
	case "RECURSIVE_CTE_NODE":
		f.repeats = true
	}
	for _, name := range []string{"left", "right", "query", "child"} {
		if c := n.Child(name); c != nil {
			if err := b.query(c, parent, f); err != nil {
				return err
			}
		}
	}
	for _, c := range n.List("children") {
		if err := b.query(c, parent, f); err != nil {
			return err
		}
	}
	return nil
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
		c := &cte{columns: append(e.Child("value").Texts("aliases"), outputs(query)...)}
		inner := f
		inner.ctes, inner.output = ctes, false
		inner.repeats = f.repeats || reads(n, name) > 1
		inner.limited = f.limited || limited(n, false)
		if query.Type() == "RECURSIVE_CTE_NODE" {
			ctes[name] = c
		}
		if err := b.query(query, parent, inner); err != nil {
			return f, err
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

func (b *builder) selectNode(n syntax.Node, parent *block, f frame) error {
	blk := &block{node: n, parent: parent, aliases: map[string]bool{}, others: map[string]bool{}, frame: f}
	b.blocks = append(b.blocks, blk)
	for _, item := range n.List("select_list") {
		if alias := item.Text("alias"); alias != "" {
			blk.aliases[strings.ToLower(alias)] = true
		}
	}
	if err := b.from(n.Child("from_table"), blk, nil); err != nil {
		return err
	}
	inner := f
	inner.repeats, inner.output = true, false
	var err error
	for _, part := range blk.expressions() {
		syntax.Walk(part, func(c syntax.Node) bool {
			if err != nil || !isQuery(c) {
				return err == nil
			}
			inner.limited = false
			err = b.query(c, blk, inner)
			return false
		})
	}
	return err
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

// from reads a node of a FROM. The conditions are those of the joins above
// that every row of this node must fulfil. A WHERE above an outer join is one
// of them for both sides: a row that was filled up with NULLs fulfils no
// equality.
func (b *builder) from(n syntax.Node, blk *block, conditions []syntax.Node) error {
	switch n.Type() {
	case "", "EMPTY":
		return nil
	case "BASE_TABLE":
		return b.table(n, blk, conditions)
	case "JOIN":
		return b.join(n, blk, conditions)
	case "SUBQUERY":
		blk.has(append(n.Texts("column_name_alias"), outputs(n.Child("subquery").Child("node"))...))
		inner := blk.frame
		inner.output = false
		return b.query(n.Child("subquery").Child("node"), blk, inner)
	}
	blk.has(n.Texts("column_name_alias"))
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
	f.repeats, f.output = true, false
	var err error
	self := true
	syntax.Walk(n, func(c syntax.Node) bool {
		switch {
		case err != nil:
		case self:
			self = false
			return true
		case isQuery(c):
			err = b.query(c, blk, f)
		case c.Type() == "BASE_TABLE":
			blk.frame.repeats = true
			err = b.table(c, blk, nil)
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

func (b *builder) join(n syntax.Node, blk *block, conditions []syntax.Node) error {
	left, right := conditions, conditions
	if on := n.Child("condition"); on != nil {
		with := append(append([]syntax.Node(nil), conditions...), on)
		switch n.Text("join_type") {
		case "INNER", "SEMI":
			left, right = with, with
		case "LEFT", "ANTI":
			right = with
		case "RIGHT":
			left = with
		}
	}
	if err := b.from(n.Child("left"), blk, left); err != nil {
		return err
	}
	if err := b.from(n.Child("right"), blk, right); err != nil {
		return err
	}
	if n.Text("ref_type") == "NATURAL" {
		for _, r := range blk.relations {
			r.whole = true
		}
	}
	return nil
}
