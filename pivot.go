package planeql

import (
	"context"

	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// pivot runs a PIVOT without its values: that is two statements to DuckDB, the
// first of which looks for them, and has no tree. Any other statement gets the
// error that there was in planning it.
func (s *Session) pivot(ctx context.Context, st *syntax.Statement, unplanned error) (*exec.Rows, error) {
	source, alias, ok := st.PivotSource()
	if !ok {
		return nil, unplanned
	}
	const from = "FROM "
	text := st.Text.Apply([]syntax.Edit{{Start: source.Start, End: source.Start, Text: from}})
	planner, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	q, err := planner.Query(text.Part(source.Start, source.End+len(from)))
	if err != nil {
		return nil, err
	}
	clauses, err := syntax.Normalize(st.Text.Part(st.Following(source), len(st.Text.Text)))
	if err != nil {
		return nil, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := runPivot(ctx, q, alias, clauses, env)
	return rows, q.InView(err)
}

// runPivot keeps the rows of the source, since DuckDB reads them twice.
func runPivot(ctx context.Context, q *plan.Query, alias string, clauses *syntax.Edited, env exec.Env) (*exec.Rows, error) {
	table, result := stageTable(), stageTable()
	text := "CREATE TEMP TABLE " + result + " AS PIVOT " + table + " "
	if alias != "" {
		text += "AS " + syntax.QuoteName(alias) + " "
	}
	all := q.Text.Apply([]syntax.Edit{{Start: 0, End: len(q.Text.Text), Text: "FROM " + result}})
	read, err := keepRows(ctx, q, table, env)
	if err != nil {
		return nil, err
	}
	defer dropKept(ctx, table, env)
	if err := env.DB.ExecAll(ctx, text+clauses.Text); err != nil {
		return nil, pivotError(err, clauses)
	}
	defer dropKept(ctx, result, env)
	return overKept(ctx, all, read, env)
}

// pivotError gives an error of DuckDB its place in the user's text.
func pivotError(err error, clauses *syntax.Edited) error {
	e := fault.From(err).At(clauses.Span(0, len(clauses.Text)))
	if e.Code == fault.UndefinedColumn {
		return e.WithHint("name what * does not have: PIVOT (SELECT a, b FROM …) ON b USING count(*) GROUP BY a")
	}
	return e
}
