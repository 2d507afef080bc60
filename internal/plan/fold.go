package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// A column that ignores case carries a collation, which DuckDB keeps through
// comparisons, joins, grouping and sorting, and loses in aggregates with
// DISTINCT and in row values. There the text is edited so that both sides are
// compared in lower case; the answer would silently be wrong otherwise.

// foldDistinct edits the argument of an aggregate with DISTINCT. For min and
// max, DISTINCT says nothing.
func (r *resolver) foldDistinct(n syntax.Node) {
	if name := n.Text("function_name"); !n.Flag("distinct") || name == "min" || name == "max" {
		return
	}
	for _, c := range n.List("children") {
		if isRow(c) {
			r.foldRow(c, r.ignoring(c))
		}
		r.lower(c)
	}
}

// searchesList are DuckDB's functions that look for a value in a list.
var searchesList = map[string]bool{
	"list_contains": true, "array_contains": true, "list_has": true, "array_has": true,
	"list_position": true, "array_position": true, "list_indexof": true, "array_indexof": true,
}

// foldSearch edits a search for a value that ignores case in a list, whose
// elements have no collation.
func (r *resolver) foldSearch(n syntax.Node) {
	children := n.List("children")
	if !searchesList[n.Text("function_name")] || len(children) != 2 || !r.ignoresCase(children[1]) {
		return
	}
	offset, ok := n.Offset()
	if !ok {
		return
	}
	arguments := elements(r.tokensFrom(offset))
	if len(arguments) != 2 {
		return
	}
	list := arguments[0]
	r.lower(children[1])
	r.edits = append(r.edits,
		syntax.Edit{Start: list.Start, End: list.Start, Text: "list_transform("},
		syntax.Edit{Start: list.End, End: list.End, Text: ", lambda planeql_element: lower(planeql_element))"})
}

// ignoring gives the places in a row value at which case is ignored.
func (r *resolver) ignoring(row syntax.Node) map[int]bool {
	fold := map[int]bool{}
	for i, c := range row.List("children") {
		if r.ignoresCase(c) {
			fold[i] = true
		}
	}
	return fold
}

// foldQuery edits (a, b) IN (SELECT …) and = ANY (SELECT …), where case would
// count: the query is read through one that gives lower case.
func (r *resolver) foldQuery(n syntax.Node) error {
	row := n.Child("child")
	if !isRow(row) {
		return nil
	}
	fold := r.ignoring(row)
	if len(fold) == 0 {
		return nil
	}
	open, end, ok := r.queryBehind(row)
	if !ok {
		return noRowQuery().At(r.at(row))
	}
	r.foldRow(row, fold)
	var values, names []string
	for i := range row.List("children") {
		name := fmt.Sprintf("c%d", i)
		names = append(names, name)
		if fold[i] {
			name = "lower(CAST(" + name + " AS VARCHAR))"
		}
		values = append(values, name)
	}
	r.edits = append(r.edits,
		syntax.Edit{Start: open, End: open, Text: "(SELECT " + strings.Join(values, ", ") + " FROM "},
		syntax.Edit{Start: end, End: end, Text: " AS planeql_rows(" + strings.Join(names, ", ") + "))"})
	return nil
}

// queryBehind gives the place of the query in brackets that a row value is
// compared with.
func (r *resolver) queryBehind(row syntax.Node) (open, end int, ok bool) {
	offset, ok := row.Offset()
	if !ok {
		return 0, 0, false
	}
	depth, from := 0, -1
	for i, t := range r.tokensFrom(offset) {
		switch {
		case i > 0 && depth == 0 && bracket(t) == 0 && from < 0 && !slices.ContainsFunc([]string{"NOT", "IN", "ANY", "SOME"}, t.Is) && !t.IsSymbol("="):
			return 0, 0, false // another comparison, or more between the two
		case depth == 0 && t.IsSymbol("(") && open > 0:
			from = t.Start
		}
		if depth += bracket(t); depth > 0 || bracket(t) == 0 {
			continue
		}
		if from >= 0 {
			return from, t.End, true
		}
		open = t.End // of the row value
	}
	return 0, 0, false
}

func noRowQuery() *fault.Error {
	return fault.Unsupported("comparing a row of case-insensitive columns with a query").
		WithHint("compare the columns one by one, or lower() of each on both sides")
}

// lower puts lower() around a reference to a column that ignores case.
func (r *resolver) lower(n syntax.Node) bool {
	if !r.ignoresCase(n) {
		return false
	}
	offset, ok := n.Offset()
	name, named := syntax.NameAt(r.text.Text, offset, len(n.Texts("column_names")))
	if !ok || !named {
		return false
	}
	r.edits = append(r.edits,
		syntax.Edit{Start: name.Start, End: name.Start, Text: "lower("},
		syntax.Edit{Start: name.End, End: name.End, Text: ")"})
	return true
}

func (r *resolver) ignoresCase(n syntax.Node) bool {
	if n.Class() != "COLUMN_REF" {
		return false
	}
	relation, rest, err := r.lookup(n.Texts("column_names"), r.block)
	if err != nil || relation == nil {
		return false
	}
	var c catalog.Column
	if c, err = columnOf(relation, rest); err != nil {
		return false
	}
	return c.NoCase
}

// foldRows edits comparisons of row values: (a, b) = (…), (a, b) IN (…).
func (r *resolver) foldRows(n syntax.Node) error {
	rows := n.List("children")
	if n.Class() == "COMPARISON" {
		rows = []syntax.Node{n.Child("left"), n.Child("right")}
	} else if n.Type() != "COMPARE_IN" && n.Type() != "COMPARE_NOT_IN" {
		return nil
	}
	fold := map[int]bool{}
	for _, row := range rows {
		if isRow(row) {
			maps.Copy(fold, r.ignoring(row))
		}
	}
	if len(fold) == 0 {
		return nil
	}
	for _, row := range rows {
		if !isRow(row) {
			return noRowQuery().At(r.at(n))
		}
		r.foldRow(row, fold)
	}
	return nil
}

// foldRow puts lower() around elements of a row value.
func (r *resolver) foldRow(row syntax.Node, fold map[int]bool) {
	offset, ok := row.Offset()
	if !ok {
		return
	}
	for i, e := range elements(r.tokensFrom(offset)) {
		if fold[i] {
			r.edits = append(r.edits,
				syntax.Edit{Start: e.Start, End: e.Start, Text: "lower("},
				syntax.Edit{Start: e.End, End: e.End, Text: ")"})
		}
	}
}

// tokensFrom gives the tokens from an offset on. The text is read once: it may
// hold thousands of row values.
func (b *builder) tokensFrom(offset int) []syntax.Token {
	if b.tokens == nil {
		b.tokens, _ = syntax.Lex(b.text.Text) // DuckDB has parsed it
	}
	at, _ := slices.BinarySearchFunc(b.tokens, offset, func(t syntax.Token, offset int) int { return t.Start - offset })
	return b.tokens[at:]
}

// elements gives the places of the elements of the row value that begins with
// the next bracket.
func elements(tokens []syntax.Token) []syntax.Clause {
	open := slices.IndexFunc(tokens, func(t syntax.Token) bool { return t.IsSymbol("(") })
	var list []syntax.Clause
	depth, from, to := 0, -1, -1
	for _, t := range tokens[open+1:] {
		switch {
		case depth == 0 && (t.IsSymbol(",") || t.IsSymbol(")")):
			if from >= 0 {
				list = append(list, syntax.Clause{Start: from, End: to})
			}
			from = -1
			if t.IsSymbol(")") {
				return list
			}
			continue
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			depth++
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			depth--
		}
		if from < 0 {
			from = t.Start
		}
		to = t.End
	}
	return nil
}
