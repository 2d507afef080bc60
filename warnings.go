package planeql

import (
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// warningsFunction is the table function that gives the warnings of the last
// statement. It is no function of DuckDB: its rows are written into the
// statement that reads them.
const warningsFunction = "planeql_warnings"

// warningColumns are the columns of planeql_warnings() with their types.
var warningColumns = []struct{ name, kind string }{
	{"code", "VARCHAR"}, {"message", "VARCHAR"}, {"scope", "VARCHAR"}, {"method", "VARCHAR"}, {"url", "VARCHAR"},
	{"status", "INTEGER"}, {"service_code", "VARCHAR"}, {"service_message", "VARCHAR"}, {"request_id", "VARCHAR"},
	{"attempts", "INTEGER"}, {"hint", "VARCHAR"},
}

// inlineWarnings puts the warnings of the last statement into one that reads
// them, and tells whether it does. Such a statement leaves them as they are; any
// other one forgets them.
func (s *Session) inlineWarnings(st *syntax.Statement) (inlined *syntax.Statement, asks bool, err error) {
	if !st.CallsTable(warningsFunction) {
		s.warned = nil
		return st, false, nil
	}
	inlined, err = inlineRows(st, warningsFunction, warningsQuery(s.warned))
	return inlined, true, err
}

// inlineRows puts a query in the place of a table function whose rows are what an
// earlier statement left behind.
func inlineRows(st *syntax.Statement, function, query string) (*syntax.Statement, error) {
	if c, ok := st.Head.(syntax.Create); ok && c.What != "TABLE" {
		return nil, fault.Unsupported("a view of " + function + "()").At(st.Text.Span(c.Query.Start, c.Query.End)).
			WithHint("CREATE TABLE … AS keeps its rows")
	}
	return st.Inline(function, query)
}

// warningsQuery gives a query whose rows are the warnings.
func warningsQuery(warnings []*Error) string {
	var names, typed, rows []string
	for i, c := range warningColumns {
		names = append(names, c.name)
		typed = append(typed, "c"+strconv.Itoa(i)+"::"+c.kind+" AS "+c.name)
	}
	if len(warnings) == 0 {
		for i, c := range warningColumns {
			names[i] = "NULL::" + c.kind + " AS " + c.name
		}
		return "SELECT " + strings.Join(names, ", ") + " WHERE false"
	}
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	for _, w := range warnings {
		rows = append(rows, "("+strings.Join(warningLiterals(w), ", ")+")")
	}
	return "SELECT " + strings.Join(typed, ", ") + " FROM (VALUES " + strings.Join(rows, ", ") + ") AS w(" + strings.Join(names, ", ") + ")"
}

// warningLiterals gives a warning as literals in the order of the columns. What
// is not known is NULL.
func warningLiterals(w *Error) []string {
	h := w.HTTP
	if h == nil {
		h = &fault.HTTP{}
	}
	return []string{
		textOrNull(string(w.Code)), textOrNull(w.Message), textOrNull(w.Object), textOrNull(h.Method), textOrNull(h.URL),
		numberOrNull(h.Status), textOrNull(h.Code), textOrNull(h.Message), textOrNull(h.RequestID),
		numberOrNull(h.Attempts), textOrNull(w.Hint),
	}
}

func textOrNull(text string) string {
	if text == "" {
		return "NULL"
	}
	return syntax.QuoteText(strings.ReplaceAll(text, "\x00", "")) // DuckDB takes no zero byte
}

func numberOrNull(n int) string {
	if n == 0 {
		return "NULL"
	}
	return strconv.Itoa(n)
}
