package planeql

import (
	"encoding/json"
	"strings"

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
	query, err := outcomesQuery(s.outcomes)
	if err != nil {
		return nil, err
	}
	return inlineRows(st, outcomesFunction, query)
}

// outcomesQuery gives a query whose rows are the outcomes. They are one text:
// ten thousand rows of values would be slow to parse.
func outcomesQuery(outcomes [][]any) (string, error) {
	rows := make([]map[string]any, len(outcomes))
	for i, o := range outcomes {
		rows[i] = map[string]any{}
		for j, c := range exec.OutcomeColumns {
			rows[i][c.Name] = o[j]
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return "", fault.Bug("the outcomes of a write cannot be written as JSON: %v", err)
	}
	var members, columns []string
	for _, c := range exec.OutcomeColumns {
		members = append(members, `"`+c.Name+`":"`+c.Type+`"`)
		columns = append(columns, "struct_extract(planeql_outcome, '"+c.Name+"') AS "+c.Name)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM (SELECT unnest(from_json(" + syntax.QuoteText(string(text)) +
		", '[{" + strings.Join(members, ",") + "}]')) AS planeql_outcome)", nil
}
