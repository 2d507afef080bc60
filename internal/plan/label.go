package plan

import (
	"strings"

	"github.com/planeql/planeql/internal/syntax"
)

// DuckDB names a column without an alias after the text of its expression. Where
// that text was edited, the column would get a name the user has never seen:
// label gives it the user's own text as alias.

// endOfList are the words that end a select list.
var endOfList = []string{
	"FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "INTO", "USING",
}

// label adds aliases to the select list of a block.
func (b *builder) label(blk *block, tokens []syntax.Token) {
	items := blk.node.List("select_list")
	ranges := selectItems(tokens, firstOffset(items))
	if len(ranges) != len(items) {
		return
	}
	for i, item := range items {
		if item.Text("alias") != "" || item.Class() == "COLUMN_REF" || hasStar(item) || outside(item, ranges[i]) {
			continue
		}
		counts := blk.frame.output && item.Text("function_name") == "count_star" // DuckDB says count_star()
		text, changed := b.text.Before(ranges[i].Start, ranges[i].End)
		if !counts && !changed && !b.edited(ranges[i]) {
			continue
		}
		alias := " AS " + syntax.QuoteName(strings.Join(strings.Fields(text), " "))
		b.edits = append(b.edits, syntax.Edit{Start: ranges[i].End, End: ranges[i].End, Text: alias})
	}
}

// outside tells whether an item stands elsewhere: the list of an ANY is to DuckDB
// a query without a select list in the text.
func outside(item syntax.Node, c syntax.Clause) bool {
	offset := firstOffset([]syntax.Node{item})
	return offset >= 0 && (offset < c.Start || offset >= c.End)
}

// hasStar tells whether an item stands for several columns, which take their
// names from those of the tables.
func hasStar(item syntax.Node) bool {
	found := false
	syntax.Walk(item, func(n syntax.Node) bool {
		found = found || n.Class() == "STAR"
		return !found && !isQuery(n)
	})
	return found
}

// edited tells whether an edit falls into a range.
func (b *builder) edited(c syntax.Clause) bool {
	for _, e := range b.edits {
		if e.Start >= c.Start && e.End <= c.End {
			return true
		}
	}
	return false
}

// firstOffset gives the place of the first node of a select list that has one.
func firstOffset(items []syntax.Node) int {
	first := -1
	for _, item := range items {
		syntax.Walk(item, func(n syntax.Node) bool {
			if offset, ok := n.Offset(); ok && (first < 0 || offset < first) {
				first = offset
			}
			return true
		})
	}
	return first
}

// selectItems gives the places of the items of the select list that holds an
// offset.
func selectItems(tokens []syntax.Token, offset int) []syntax.Clause {
	at := listStart(tokens, offset)
	if at < 0 {
		return nil
	}
	var items []syntax.Clause
	start, end, depth := -1, -1, 0
	for _, t := range tokens[at:] {
		switch {
		case depth == 0 && (t.IsSymbol(",") || t.IsSymbol(")") || t.IsSymbol(";") || isAny(t, endOfList)):
			if start >= 0 {
				items = append(items, syntax.Clause{Start: start, End: end})
			}
			if !t.IsSymbol(",") {
				return items
			}
			start = -1
			continue
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			depth++
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			depth--
		}
		if start < 0 {
			start = t.Start
		}
		end = t.End
	}
	if start >= 0 {
		items = append(items, syntax.Clause{Start: start, End: end})
	}
	return items
}

// listStart gives the token behind the SELECT [DISTINCT] before an offset, at
// its depth. DISTINCT ON is left alone.
func listStart(tokens []syntax.Token, offset int) int {
	depth := 0
	at := len(tokens) - 1
	for at >= 0 && tokens[at].Start > offset {
		at--
	}
	for ; at >= 0; at-- {
		switch t := tokens[at]; {
		case t.IsSymbol(")"):
			depth++
		case t.IsSymbol("("):
			depth--
		case t.Is("SELECT") && depth <= 0:
			at++
			if at < len(tokens) && (tokens[at].Is("DISTINCT") || tokens[at].Is("ALL")) {
				at++
			}
			if at < len(tokens) && tokens[at].Is("ON") {
				return -1
			}
			return at
		}
	}
	return -1
}

func isAny(t syntax.Token, words []string) bool {
	for _, w := range words {
		if t.Is(w) {
			return true
		}
	}
	return false
}
