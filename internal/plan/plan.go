// Package plan turns a statement and the catalog into a plan: which methods are
// called with which arguments, and the SQL that DuckDB evaluates over their
// rows. It does no I/O and knows neither DuckDB nor HTTP; DuckDB's parser is
// passed in as a function.
//
// A SELECT becomes a [Query]: its text with each resource replaced by a
// subquery over a [Scan]. All of its predicates stay in that text, so that a
// predicate that was also bound to a parameter can never lose or add a row. A
// statement that changes something becomes a [Write]. Start reading at [Build].
package plan

import (
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Parse is DuckDB's parser: the tree of a SELECT as JSON. The error of a text
// that does not parse is shown to the user at the place it carries.
type Parse func(*syntax.Edited) ([]byte, error)

// Options is what a plan depends on beside the statement and the catalog.
type Options struct {
	Scope  []string          // subscriptions to look in: ids, or names with * and ?; empty: all that are enabled
	Use    []string          // provider, or provider and service, set by USE
	Locals map[string]string // names in full of the session's tables and views, by their lower-case names
	Views  map[string]View   // over resources, by the lower-case names they have in a statement
	Loose  bool              // see [Planner.View]

	Variables map[string]syntax.Variable // of the session, by their lower-case names
}

// Query is the plan of a SELECT. Its scans stand in the order of the text.
type Query struct {
	Text  *syntax.Edited // the text that DuckDB's parser took
	Scans []*Scan
	Verb  string // of the statement around it, such as COPY; empty: it is a SELECT by itself
	Alone bool   // it reads one scan as its pages come, and no table or file beside it

	edits         []syntax.Edit  // all but those that put the scans in
	before, after *syntax.Edited // the statement around it, or nil
	uses          []viewUse
}

// Scan reads the rows of a resource by one method, once for each tuple of
// arguments. It is a plain value: nothing of it refers to a connection.
type Scan struct {
	Name      string // how the statement calls it
	Method    *provider.Method
	Reason    string   // why this method, in words
	Arguments []string // the parameters that have values, by their names on the wire
	Tuples    []Tuple  // distinct; each as long as Arguments; nil where the value comes from Feed
	Feed      *Feed    // where the values come from that the statement does not give; nil: it gives all
	Gentle    bool     // a LIMIT may end it early: pages are read one by one
	Spool     bool     // the statement may read it more than once: its rows are kept first

	// Parts are scans that together have the rows of this one, whose items stand
	// below several kinds of parents. They make the calls; Arguments are those of
	// all of them, and Method stands for the columns. Whole leads back.
	Parts []*Scan
	Whole *Scan
	Homes []string // RE2 expressions that the ids of this part's own items fit

	Same *Scan // makes the same calls and has the rows of this one; nil: it makes its own

	Group *Group // that the statement names and no call is asked for; nil: none

	Members []Member // parts of the items that are columns as JSON text

	Conditions []Condition // on its rows, for people
	Tested     [][]string  // members of its items that conditions of the statement name

	Keys map[string][]string // of a write that reads its targets again: the member of an item that has a part of its name; none: an argument has it

	columns    []projected
	start, end int    // its name in the text
	alias      string // to be added; empty where the text has one
}

// Feed gives arguments of a scan from the rows of others: scans of the statement
// that it is joined with, or one that is made to find what the statement leaves
// open. Each row of Select, with each of the scan's tuples that it does not
// contradict, makes a call.
type Feed struct {
	Sources []*Source    // behind the tables planeql_feed_0, planeql_feed_1, …
	Local   bool         // Select reads tables of the session too
	Select  syntax.Node  // a SELECT_NODE over them; its columns are those of Columns
	Columns []int        // which of the scan's arguments
	From    []int        // by column: the source that gives it; -1: a table of the session
	NoCase  []bool       // by column: values that differ in case are the same
	Values  []*Parameter // by column: for their form on the wire
	Named   []Named      // names of the statement that the rows must have; then Select gives all rows, and behind Columns whether the conditions keep them
}

// Named is a column of a feed for which the statement gives values, and a listing
// that tells whether what they name is there.
type Named struct {
	Column int    // of Columns
	Kind   string // what it is the name of: a resource
	Own    bool   // of the listed items themselves: what is not among them is nowhere; else nothing that is listed is in it
}

// Source is a scan that feeds another.
type Source struct {
	Scan  *Scan
	Found bool // made to find arguments: the statement does not read its rows
}

// Parameter converts values for a parameter.
type Parameter struct{ provider.Parameter }

// Convert gives the form of a value on the wire, or an error where the
// parameter takes no such value.
func (p *Parameter) Convert(text string) (string, error) { return Convert(p.Parameter, text) }

// Group are the resource groups of which alone the statement wants the rows of a
// scan, where the calls are not asked for them.
type Group struct {
	Parameter string
	IDs       []catalog.IDPart // the parts of the items' ids that say in which they are
	Names     []Tuple          // of one value each
}

// Member is a part of an item that a scan gives as JSON text, and the paths
// below it whose values are masked.
type Member struct {
	Path    []string
	Secrets [][]string
}

// Tuple is the arguments of one call; nil where the parameter is not given.
type Tuple []*Value

// Value is the value of a parameter: its text in the form the wire wants, or an
// expression that DuckDB evaluates before the first call.
type Value struct {
	Text       string
	Expression syntax.Node // nil: Text is the value
	NoCase     bool        // the service takes values that differ in case for the same

	parameter   provider.Parameter
	text        *syntax.Edited // that offset and end refer to
	offset, end int
}

// Rows is where the rows of a scan come from: SQL gives a table expression
// with the columns raw, a0, a1, … for the arguments and m0, m1, … for the
// members, MisfitSQL an expression that counts a value
// that does not fit its column and is NULL.
type Rows interface {
	SQL() string
	MisfitSQL(column, text string) string
}

// projected is a column that the subquery of a scan gives.
type projected struct {
	column catalog.Column
	name   string // as the statement refers to it
	hidden bool   // not in *
	named  bool   // the statement names it: a secret is shown
}

// Table is the plan of a statement that the catalog answers: no call is made.
type Table struct {
	Title string
	catalog.Table
}

// SQL gives the text to evaluate, one source for each scan in their order. It
// keeps the way back to the user's text.
func (q *Query) SQL(sources []Rows) *syntax.Edited {
	edits := append([]syntax.Edit(nil), q.edits...)
	for i, s := range q.Scans {
		text := s.Relation(sources[i])
		if s.alias != "" {
			text += " AS " + syntax.QuoteName(s.alias)
		}
		edits = append(edits, syntax.Edit{Start: s.start, End: s.end, Text: text})
	}
	text := q.Text.Apply(edits)
	if q.before != nil {
		text = syntax.Join(q.before, text, q.after)
	}
	return text
}
