package planeql

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// explain runs EXPLAIN and EXPLAIN ANALYZE.
func (s *Session) explain(ctx context.Context, st *syntax.Statement, head syntax.Explain) (*exec.Rows, error) {
	if head.Analyze {
		return s.analyze(ctx, st, head)
	}
	x, err := s.explained(ctx, head.Statement)
	if err != nil {
		return nil, err
	}
	return explainedRows(x, head.JSON)
}

// explained gives the plan of a statement. No request is sent; a wrong name is
// found all the same.
func (s *Session) explained(ctx context.Context, st *syntax.Statement) (plan.Explained, error) {
	x := plan.Explain(nil, s.facts())
	st, err := s.localWrite(ctx, st)
	if err != nil {
		return x, err
	}
	switch inner := st.Head.(type) {
	case syntax.Use, syntax.Drop, syntax.OnError, syntax.ResetVariable:
		return x, nil
	case syntax.SetVariable, syntax.Check:
		return s.explainedValue(ctx, st)
	case syntax.Refresh:
		return x, fault.Unsupported("EXPLAIN of REFRESH").At(st.Text.Span(0, len("REFRESH"))).
			WithHint("SHOW EXTENDED VIEWS shows the query of the view, which EXPLAIN explains")
	case syntax.Other:
		planned, err := s.plans(ctx, st, inner)
		if err != nil {
			return x, err
		}
		if !planned {
			x.Notes = []string{"DuckDB alone: no resource is read"}
			return x, nil
		}
	}
	built, err := s.build(ctx, st)
	if err != nil {
		return x, err
	}
	return plan.Explain(built, s.facts()), nil
}

// facts gives what EXPLAIN says beside the plan.
func (s *Session) facts() plan.Facts {
	facts := plan.Facts{Endpoint: s.transport.Endpoint}
	if !s.settings.noCache {
		facts.Known = s.found.Known
	}
	return facts
}

// analyze runs a statement, drops its rows and gives its plan with what it has
// cost. A write is made as without EXPLAIN ANALYZE: dry run, read-only runs and
// confirmation hold.
func (s *Session) analyze(ctx context.Context, st *syntax.Statement, head syntax.Explain) (*exec.Rows, error) {
	refusal := fault.Unsupported("EXPLAIN ANALYZE of this statement").At(head.Statement.Text.Span(0, 1)).
		WithHint("it runs a SELECT, a write to a resource, or a statement that keeps rows in a new table or in files; EXPLAIN without ANALYZE shows the calls that another one would make")
	if can, err := s.analyzable(ctx, head.Statement); err != nil || !can {
		return nil, cmp.Or(err, error(refusal))
	}
	defer func() {
		if mayChange(head.Statement.Head) {
			s.changed.Store(true)
		}
	}()
	if _, err := head.Statement.Bind(nil); err != nil {
		return nil, err // a ? without a value
	}
	built, err := s.build(ctx, head.Statement)
	if err != nil {
		return nil, err
	}
	if built == nil {
		return nil, refusal
	}
	x := plan.Explain(built, s.facts())
	started := time.Now()
	rows, _, err := s.runPlan(ctx, head.Statement, built)
	if err != nil {
		return nil, err
	}
	count, err := drop(rows)
	if err != nil {
		return nil, err
	}
	measure(&x, rows.Counts(), count, time.Since(started))
	if _, writes := built.(*plan.Write); writes && s.settings.dryRun {
		x.Notes = append(x.Notes, "a dry run: the calls were not made")
	}
	list, err := explainedRows(x, head.JSON)
	if err != nil {
		return nil, err
	}
	if list, err = exec.Collect(list, rows.Warnings()...); err != nil {
		return nil, err
	}
	list.Failed = rows.Failed
	return list, nil
}

// analyzable tells whether EXPLAIN ANALYZE can run a statement: one with a plan,
// that is run as it is. A table must be a new one.
func (s *Session) analyzable(ctx context.Context, st *syntax.Statement) (bool, error) {
	switch head := st.Head.(type) {
	case syntax.Query, syntax.Insert, syntax.Update, syntax.Delete, syntax.Exec, syntax.Copy:
		return true, nil
	case syntax.Create:
		if head.What != "TABLE" {
			return false, nil
		}
		_, done, err := s.checkNew(ctx, head)
		return !done, placed(err, st, head.Name)
	}
	return false, nil
}

// drop reads rows to their end and counts them.
func drop(rows *exec.Rows) (count int64, err error) {
	defer func() { _ = rows.Close() }() // what it cost is counted below
	for rows.Next() {
		count++
	}
	if err := rows.Err(); err != nil {
		return count, err
	}
	return count, rows.Close()
}

// measure puts what a statement has cost into its plan. The calls that were
// under way side by side are counted each, the time in which none was is the
// work of this program alone.
func measure(x *plan.Explained, counts exec.Counts, rows int64, took time.Duration) {
	var all exec.Count
	for _, c := range counts.Scans {
		all.Calls += c.Calls
		all.Retries += c.Retries
		all.Pages += c.Pages
		all.Bytes += c.Bytes
		all.Waited += c.Waited
	}
	all.Rows = rows
	total := measured(all)
	total.Duration, total.Idle = seconds(took), seconds(max(0, took-counts.Busy))
	x.Measure(total, func(p *plan.Scan) plan.ExplainedMeasured { return measured(counts.Scans[p]) })
}

func measured(c exec.Count) plan.ExplainedMeasured {
	m := plan.ExplainedMeasured{
		Calls: c.Calls, Pages: c.Pages, Rows: c.Rows, Bytes: c.Bytes, Retries: c.Retries, Waited: *seconds(c.Waited),
	}
	if c.First > 0 {
		m.FirstRows = seconds(c.First)
	}
	return m
}

// seconds gives a duration in seconds, to the millisecond.
func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// explainedRows gives a plan as a row for each line of its tree, or as one row
// of JSON.
func explainedRows(x plan.Explained, asJSON bool) (*exec.Rows, error) {
	if !asJSON {
		var rows [][]any
		for _, line := range x.Lines() {
			rows = append(rows, []any{line})
		}
		return exec.List([]duck.Column{{Name: "plan", Type: "VARCHAR"}}, rows), nil
	}
	text, err := x.JSON()
	if err != nil {
		return nil, err
	}
	return exec.List([]duck.Column{{Name: "plan", Type: "JSON"}}, [][]any{{json.RawMessage(text)}}), nil
}
