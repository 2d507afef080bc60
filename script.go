package planeql

import (
	"context"

	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
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
	return s.inlineWarnings(inlined)
}
