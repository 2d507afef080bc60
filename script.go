package planeql

import (
	"context"
	"fmt"

	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// Locate gives an error without a position that of the statement.
func (st *Statement) Locate(err *Error) *Error {
	return err.At(st.inner.Text.Span(0, len(st.inner.Text.Text)))
}

// KeepsGoing tells whether a script goes on after a statement that fails: by
// [WithKeepGoing], or by ON ERROR CONTINUE.
func (s *Session) KeepsGoing() bool { return s.settings.keepGoing }

// script runs the statements that a script has for itself.
func (s *Session) script(ctx context.Context, st *syntax.Statement) (*exec.Rows, string, error) {
	switch head := st.Head.(type) {
	case syntax.SetVariable:
		rows, err := s.setVariable(ctx, st, head)
		return rows, "set", err
	case syntax.ResetVariable:
		rows, err := s.resetVariable(ctx, st, head)
		return rows, "reset", err
	case syntax.Check:
		rows, err := s.check(ctx, st, head)
		return rows, "check", err
	case syntax.OnError:
		s.settings.keepGoing = head.Continue
		return exec.List(nil, nil), "on error", nil
	}
	return nil, "", fault.Bug("no statement of a script: %T", st.Head)
}

// inline puts what the last statements left behind into one that asks for it,
// and tells whether that is warnings.
func (s *Session) inline(st *syntax.Statement) (inlined *syntax.Statement, warnings bool, err error) {
	if inlined, err = s.inlineOutcomes(st); err != nil {
		return nil, false, err
	}
	if inlined, err = s.inlineOperations(inlined); err != nil {
		return nil, false, err
	}
	return s.inlineWarnings(inlined)
}

// check runs CHECK: it fails where its query gives no row, or one that is not
// true.
func (s *Session) check(ctx context.Context, st *syntax.Statement, head syntax.Check) (*exec.Rows, error) {
	at := st.Text.Span(head.Query.Start, head.Query.End)
	q, err := s.checkQuery(ctx, st, head)
	if err != nil {
		return nil, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	env.Skip = false // what could not be read proves nothing
	rows, err := collect(exec.RunQuery(ctx, q, env))
	if err != nil {
		return nil, q.InView(err)
	}
	if c := rows.Columns(); len(c) != 1 || c[0].Type != "BOOLEAN" {
		return nil, fault.New(fault.TypeMismatch, "the query of a CHECK gives one column, true or false").At(at).
			WithHint("for example CHECK (SELECT count(*) >= 2 FROM …)")
	}
	if found := untrue(rows); found != "" {
		return nil, fault.New(fault.CheckFailed, "the check does not hold").WithDetail("%s", found).At(at)
	}
	return exec.Collect(exec.List(nil, nil), rows.Warnings()...)
}

func (s *Session) checkQuery(ctx context.Context, st *syntax.Statement, head syntax.Check) (*plan.Query, error) {
	if _, err := st.Bind(nil); err != nil {
		return nil, err // a ? without a value
	}
	planner, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	return planner.Query(st.Text.Part(head.Query.Start, head.Query.End))
}

// untrue says which row of a check is not true; empty: all are, and there is one.
func untrue(rows *exec.Rows) string {
	n := 0
	for ; rows.Next(); n++ {
		if v := rows.Values()[0]; v == nil {
			return fmt.Sprintf("row %d is NULL", n+1)
		} else if v != true {
			return fmt.Sprintf("row %d is false", n+1)
		}
	}
	if n == 0 {
		return "the query gave no row"
	}
	return ""
}
