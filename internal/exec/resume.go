package exec

import (
	"context"
	"sync"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/journal"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// Resume waits for operations of a journal as if this process had begun them.
// methods are those that began them, in the same order. One whose end was seen
// already gives its row and no call.
func Resume(ctx context.Context, entries []journal.Entry, methods []*provider.Method, env Env) (*Rows, error) {
	targets := make([]*target, len(entries))
	r := &recorder{env: env}
	var waiters sync.WaitGroup
	for i, e := range entries {
		t := &target{
			call: provider.Call{Method: methods[i]}, id: e.Target, audit: e.Audit, operation: e.ID,
			result: rest.Result{Status: 202, Operation: &e.Operation},
		}
		if r.env.Records.Audit == nil {
			t.audit = ""
		}
		targets[i] = t
		if e.Outcome != "" {
			t.result.Operation, t.skipped = nil, e.Outcome
			continue
		}
		waiters.Go(func() { t.await(ctx, env, r) })
	}
	waiters.Wait()
	env.Found.Forget()
	leave(targets)
	if len(targets) == 1 && targets[0].err != nil {
		return nil, targets[0].err
	}
	rows := List(OutcomeColumns, outcomeRows(targets))
	rows.Targets, rows.Failed, rows.ended = len(targets), failures(targets), ending(ctx, targets)
	for _, t := range targets {
		if t.err != nil {
			rows.warnings = append(rows.warnings, fault.From(t.err))
		}
		rows.warnings = append(rows.warnings, t.warnings...)
	}
	return rows, nil
}
