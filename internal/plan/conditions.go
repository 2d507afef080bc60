package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/syntax"
)

// Condition is a condition of the statement that every row of a scan must
// fulfil for it to count. DuckDB evaluates each, those that bind too.
type Condition struct {
	Text    string // as it stands in the statement, or in the view that it reads, once the forms that DuckDB reads otherwise are rewritten
	Binds   bool   // it fixes arguments of the scan's calls
	Narrows bool   // it is asked of the rows that give the arguments, before the calls
}

// said is what a condition says about the parameters of a relation.
type said struct {
	condition condition
	fixes     []string // parameters that it fixes by values
	links     []link   // that give parameters by the rows of others
}

// noteConditions gives the scans the conditions on their rows, for people. It
// comes after the methods are chosen: only then is known what binds.
func (b *builder) noteConditions() {
	binding := map[uintptr]bool{}
	readers := b.readers()
	for _, r := range readers {
		for _, s := range r.said {
			binding[nodeID(s.condition.node)] = binding[nodeID(s.condition.node)] || s.binds(r)
		}
	}
	for _, r := range readers {
		for _, s := range r.said {
			id := nodeID(s.condition.node)
			c := Condition{Binds: s.binds(r), Narrows: slices.Contains(r.narrowed, id)}
			b.noteTested(s.condition)
			if binding[id] && !c.Binds && !c.Narrows || !b.concerns(s.condition, r) {
				continue // it stands with the scan that it binds
			}
			if c.Text = b.textOf(s.condition.node); c.Text != "" {
				r.scan.Conditions = append(r.scan.Conditions, c)
			}
		}
	}
}

// noteTested notes which members of items a condition names. What an id says
// is none: it stays what it is.
func (b *builder) noteTested(c condition) {
	syntax.Walk(c.node, func(n syntax.Node) bool {
		if n.Class() != "COLUMN_REF" {
			return !isQuery(n)
		}
		for _, t := range b.trace(n.Texts("column_names"), c.block) {
			column, err := columnOf(t.relation, t.rest)
			if err != nil || len(column.Path) == 0 || column.Kind == catalog.Parameter || slices.Contains(t.relation.scan.Arguments, parameterName(column)) {
				continue
			}
			if name := column.Path[0]; len(column.Path) == 1 && (name == "id" || name == "name" || name == "type") {
				continue
			}
			tested := &t.relation.scan.Tested
			if !slices.ContainsFunc(*tested, func(p []string) bool { return slices.Equal(p, column.Path) }) {
				*tested = append(*tested, column.Path)
			}
		}
		return false
	})
}

// concerns tells whether a condition names a column of a relation.
func (b *builder) concerns(c condition, r *relation) bool {
	found := false
	syntax.Walk(c.node, func(n syntax.Node) bool {
		if n.Class() == "COLUMN_REF" {
			found = found || slices.ContainsFunc(b.trace(n.Texts("column_names"), c.block), func(t target) bool { return t.relation == r.self() })
		}
		return !found && !isQuery(n)
	})
	return found
}

// binds tells whether a condition gives the scan of a relation arguments.
func (s said) binds(r *relation) bool {
	isArgument := func(name string) bool { return slices.Contains(r.scan.Arguments, name) }
	return slices.ContainsFunc(s.fixes, isArgument) || slices.ContainsFunc(s.links, func(l link) bool {
		return isArgument(l.parameter) && (l.taken || r.scan.Feed.has(l))
	})
}

// has tells whether a feed reads what a link needs.
func (f *Feed) has(l link) bool {
	if f == nil || len(l.locals) > 0 && !f.Local {
		return false
	}
	return !slices.ContainsFunc(l.feeders, func(r *relation) bool {
		return !slices.ContainsFunc(f.Sources, func(s *Source) bool { return s.Scan == r.scan })
	})
}

// textOf gives the text of a condition. DuckDB's tree has places of its parts,
// not its extent, which reaches to the next word that ends a condition.
func (b *builder) textOf(n syntax.Node) string {
	low, high := extent(n)
	if high < 0 {
		return madeText(n)
	}
	b.tokensFrom(0)
	first, last := around(b.tokens, low, high)
	var text strings.Builder
	for i := first; i <= last; i++ {
		if i > first && b.tokens[i].Start > b.tokens[i-1].End {
			text.WriteString(" ") // for white space and comments
		}
		text.WriteString(b.tokens[i].Text)
	}
	return text.String()
}

// extent gives the first and the last place that the nodes below one have, or
// -1 where none has any.
func extent(n syntax.Node) (low, high int) {
	low, high = -1, -1
	syntax.Walk(n, func(c syntax.Node) bool {
		if offset, ok := c.Offset(); ok {
			if low < 0 || offset < low {
				low = offset
			}
			high = max(high, offset)
		}
		return true
	})
	return low, high
}

// madeText gives the text of an equality that USING or NATURAL stands for.
func madeText(n syntax.Node) string {
	left, right := n.Child("left").Texts("column_names"), n.Child("right").Texts("column_names")
	if len(left) == 0 || len(right) == 0 {
		return ""
	}
	return strings.Join(left, ".") + " = " + strings.Join(right, ".")
}

// around gives the tokens of the condition that holds the places from low to
// high: it is cut where a clause or another condition begins, and by brackets
// that it does not open.
func around(tokens []syntax.Token, low, high int) (first, last int) {
	first, last = -1, -1
	for i, t := range tokens {
		if t.Start <= low {
			first = i
		}
		if t.Start <= high {
			last = i
		}
	}
	if first < 0 {
		return 0, -1
	}
	depth, deepest := 0, 0 // below that of first
	for _, t := range tokens[first : last+1] {
		depth += bracket(t)
		deepest = min(deepest, depth)
	}
	for level := 0; first > 0; first-- {
		t := tokens[first-1]
		level -= bracket(t)
		if level < deepest || level == deepest && ends(t) {
			break
		}
	}
	for level := depth - deepest; last+1 < len(tokens); last++ {
		t := tokens[last+1]
		level += bracket(t)
		if level < 0 || level == 0 && ends(t) {
			break
		}
	}
	return first, last
}

// bracket gives 1 for a bracket that opens, -1 for one that closes, else 0.
func bracket(t syntax.Token) int {
	switch {
	case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
		return 1
	case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
		return -1
	}
	return 0
}

// clauseWords stand before or behind a condition.
var clauseWords = []string{
	"WHERE", "ON", "AND", "HAVING", "QUALIFY", "GROUP", "ORDER", "LIMIT", "OFFSET", "WINDOW", "USING", "UNION", "INTERSECT", "EXCEPT",
	"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "ASOF", "SEMI", "ANTI", "POSITIONAL", "SAMPLE", "RETURNING",
}

func ends(t syntax.Token) bool { return t.IsSymbol(";") || slices.ContainsFunc(clauseWords, t.Is) }
