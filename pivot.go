package planeql

import (
	"context"
	"fmt"
	"strings"

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
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	rest, err := syntax.Normalize(st.Text.Part(source.End, len(st.Text.Text)))
	if err != nil {
		return nil, err
	}
	rows, err := runPivot(ctx, q, rest.Text, alias, env)
	return rows, q.InView(err)
}

// runPivot keeps the rows of the source, since DuckDB reads them twice.
func runPivot(ctx context.Context, q *plan.Query, rest, alias string, env exec.Env) (*exec.Rows, error) {
	source := fmt.Sprintf("planeql_pivot_%d", stageNumber.Add(1))
	result := source + "_result"
	all := q.Text.Apply([]syntax.Edit{{Start: 0, End: len(q.Text.Text), Text: "FROM " + result}})
	q.Wrap("CREATE TEMP TABLE "+source+" AS ", "")
	read, err := collect(exec.RunQuery(ctx, q, env))
	if err != nil {
		return nil, err
	}
	drop := context.WithoutCancel(ctx)
	defer func() { // the session may be closing: a table that stays is dropped with it
		_ = env.DB.Exec(drop, "DROP TABLE IF EXISTS "+source)
		_ = env.DB.Exec(drop, "DROP TABLE IF EXISTS "+result)
	}()
	if alias != "" {
		rest = ` AS "` + strings.ReplaceAll(alias, `"`, `""`) + `" ` + rest
	}
	err = env.DB.ExecAll(ctx, "CREATE TEMP TABLE "+result+" AS PIVOT "+source+" "+rest)
	if e := fault.As(err); e != nil && e.Code == fault.UndefinedColumn {
		return nil, e.WithHint("name what * does not have: PIVOT (SELECT a, b FROM …) ON b USING count(*) GROUP BY a")
	}
	if err != nil {
		return nil, err
	}
	rows, err := exec.RunSQL(ctx, all, env)
	if err != nil {
		return nil, err
	}
	return exec.Collect(rows, read.Warnings()...)
}
