package exec

import (
	"context"
	"slices"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// target is one call of a write and what became of it.
type target struct {
	call   provider.Call
	id     string // path of what is acted on
	row    [][]byte
	result rest.Result
	err    error

	audit     string // id of the call in the audit; empty: none
	operation string // id in the journal of the operation behind the call; empty: none
	warnings  []*fault.Error

	// prepare runs right before the call, which it may complete. A word that it
	// gives is the outcome, and there is no call.
	prepare func(context.Context) (skip string, err error)
	skipped string // that word
}

// RunWrite runs the plan of a statement that changes something. The targets
// are all known before the first call. With one target a failure is the
// statement's error; with several each has its row of outcome.
func RunWrite(ctx context.Context, w *plan.Write, env Env) (*Rows, error) {
	if err := readOnly(w, env); err != nil {
		return nil, err
	}
	f, err := freeze(ctx, w, env)
	if err != nil {
		return nil, err
	}
	if env.DryRun {
		return f.dryRun(ctx)
	}
	if err := guard(ctx, w, f.targets, env); err != nil {
		return nil, err
	}
	if !w.Method.ReadOnly {
		if err := env.Records.ready(); err != nil {
			return nil, err
		}
	}
	if err := f.conflicts(ctx); err != nil {
		return nil, err
	}
	return f.run(ctx)
}

// run makes the calls and gives what became of them. Where the statement is
// ended before that, there are rows for what was done by then.
func (f *frozen) run(ctx context.Context) (*Rows, error) {
	f.call(ctx)
	if len(f.targets) == 1 && f.targets[0].err != nil {
		return nil, f.targets[0].err
	}
	ended := ending(ctx, f.targets)
	if ended != nil && !anyCalled(f.targets) {
		return nil, ended
	}
	rows, err := result(context.WithoutCancel(ctx), f.write, f.targets, f.env)
	if err != nil {
		return nil, err
	}
	rows.Targets, rows.Failed, rows.meter, rows.ended = len(f.targets), failures(f.targets), f.meter, ended
	rows.warnings = append(append(rows.warnings, f.warnings...), warningsOf(f.write, f.targets)...)
	return rows, nil
}

// warningsOf gives what became of targets that failed, and what is to be told of
// others. Those that were not called because the statement was ended are told of
// by its error.
func warningsOf(w *plan.Write, targets []*target) []*fault.Error {
	var list []*fault.Error
	missing := 0
	for _, t := range targets {
		if f := fault.As(t.err); t.err != nil && (f == nil || f.Code != fault.Cancelled) {
			list = append(list, fault.From(t.err))
		}
		list = append(list, t.warnings...)
		if o := t.result.Operation; t.err == nil && o != nil && !o.CanAwait() {
			list = append(list, fault.New(fault.StillRunning, "the service goes on with it and named no place to ask how it is").
				On(t.call.Method.FullName()).WithHint("look whether it has happened: %s", checkStatement(t.call)))
		}
		switch t.skipped {
		case outcomeChanged:
			list = append(list, passedOver(w, t))
		case outcomeGone:
			missing++
		}
	}
	if missing > 0 && missing == len(targets) && w.Method.HTTPMethod == "DELETE" {
		list = append(list, fault.New(fault.ScopeGone, "nothing was deleted: none of the %d targets is there", missing).
			On(w.Method.FullName()).WithHint("check the names in the statement, unless it has run before"))
	}
	return list
}

// anyCalled tells whether any target was called.
func anyCalled(targets []*target) bool {
	return slices.ContainsFunc(targets, func(t *target) bool { return t.outcome() != "not called" })
}

// call makes the calls of all targets that have one left to make.
func (f *frozen) call(ctx context.Context) {
	env := f.env
	env.noWait, env.visible, env.ordered, env.judge = f.write.NoWait, f.write.Visible, f.write.Ordered, f.judge
	if f.write.Ordered {
		env.Concurrency = 1
	}
	var left []*target
	for _, t := range f.targets {
		if t.skipped == "" {
			left = append(left, t)
		}
	}
	callAll(ctx, left, env, f.meter)
	leave(left)
	if env.Outcomes != nil {
		env.Outcomes(outcomeRows(f.targets))
	}
	if !f.write.Method.ReadOnly {
		env.Found.Forget()
	}
}

// passedOver is the warning for a target that is not what was selected any
// more.
func passedOver(w *plan.Write, t *target) *fault.Error {
	return fault.New(fault.PartialResult, "%s was not called: it is not what the statement selected any more", t.id).On(w.Method.FullName()).
		WithHint("run the statement again to select from what is there now")
}

// dryRun gives the exact requests. Where a body is made from what the service
// has, that is read.
func (f *frozen) dryRun(ctx context.Context) (*Rows, error) {
	if f.write.Merge {
		sideBySide(f.env.concurrency(), f.targets, func(t *target) { _, t.err = t.prepare(ctx) })
	}
	for _, t := range f.targets {
		if t.err != nil {
			return nil, t.err
		}
	}
	rows, err := dryRun(f.targets, f.env)
	if err != nil {
		return nil, err
	}
	rows.meter, rows.warnings = f.meter, f.warnings
	return rows, nil
}

// readOnly refuses a write of a run that may only read, before anything is
// asked.
func readOnly(w *plan.Write, env Env) error {
	if !env.ReadOnly || w.Method.ReadOnly || env.DryRun {
		return nil
	}
	name := w.Method.FullName()
	return fault.New(fault.ReadOnly, "%s changes something (%s) and the run is read-only", name, w.Method.HTTPMethod).On(name).
		WithHint("leave --read-only out to allow it, or use --dry-run to see the request")
}

// guard refuses a write that the user's limits do not allow.
func guard(ctx context.Context, w *plan.Write, targets []*target, env Env) error {
	name, n := w.Method.FullName(), len(targets)
	switch {
	case w.Method.ReadOnly:
		return nil
	case env.MaxTargets > 0 && n > env.MaxTargets:
		return fault.New(fault.LimitReached, "the statement has %d targets, more than the %d that are allowed", n, env.MaxTargets).On(name).
			WithHint("nothing was changed; --max-targets %d allows them", n)
	case n <= 1 || env.Yes:
		return nil
	}
	return confirm(ctx, name, targets, env)
}

func confirm(ctx context.Context, name string, targets []*target, env Env) error {
	refusal := fault.New(fault.ConfirmationNeeded, "the statement has %d targets and nobody confirmed them", len(targets)).On(name).
		WithHint("nothing was changed; look at them with --dry-run, then confirm with --yes")
	if env.Confirm == nil {
		return refusal
	}
	c := Confirmation{Method: name, Count: len(targets)}
	for _, t := range targets[:min(5, len(targets))] {
		c.Sample = append(c.Sample, t.id)
	}
	ok, err := env.Confirm(ctx, c)
	if err != nil {
		return err
	}
	if !ok {
		return refusal
	}
	return nil
}
