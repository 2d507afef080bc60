package planeql

import (
	"encoding/json"
	"strings"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// outcomesFunction is the table function that gives a row for each target of the
// last write of the session, whatever that statement returned.
const outcomesFunction = "planeql_outcomes"

// keepOutcomes is told the outcomes of a write. A statement that gives no rows
// after that has failed for all of its targets.
func (s *Session) keepOutcomes(rows [][]any) {
	s.outcomes = rows
	s.spent.Targets, s.spent.Failed = len(rows), len(rows)
}

// inlineOutcomes puts the outcomes of the last write into a statement that reads
// them.
func (s *Session) inlineOutcomes(st *syntax.Statement) (*syntax.Statement, error) {
	if !st.CallsTable(outcomesFunction) {
		return st, nil
	}
	query, err := rowsQuery(exec.OutcomeColumns, s.outcomes)
	if err != nil {
		return nil, err
	}
	return inlineRows(st, outcomesFunction, query)
}

// rowsQuery gives a query whose rows are these. They are one text: ten thousand
// rows of values would be slow to parse.
func rowsQuery(list []duck.Column, rows [][]any) (string, error) {
	objects := make([]map[string]any, len(rows))
	for i, row := range rows {
		objects[i] = map[string]any{}
		for j, c := range list {
			objects[i][c.Name] = row[j]
		}
	}
	text, err := json.Marshal(objects)
	if err != nil {
		return "", fault.Bug("rows cannot be written as JSON: %v", err)
	}
	var members, columns []string
	for _, c := range list {
		members = append(members, `"`+c.Name+`":"`+c.Type+`"`)
		columns = append(columns, "struct_extract(planeql_row, '"+c.Name+"') AS "+c.Name)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM (SELECT unnest(from_json(" + syntax.QuoteText(string(text)) +
		", '[{" + strings.Join(members, ",") + "}]')) AS planeql_row)", nil
}
