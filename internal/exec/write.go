package exec

import (
	"context"

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
	if err := f.conflicts(ctx); err != nil {
		return nil, err
	}
	f.call(ctx)
	if len(f.targets) == 1 && f.targets[0].err != nil {
		return nil, f.targets[0].err
	}
	if err := ctx.Err(); err != nil && len(f.targets) > 0 && allFailed(f.targets) {
		return nil, f.targets[0].err
	}
	rows, err := result(ctx, w, f.targets, env)
	if err != nil {
		return nil, err
	}
	rows.Targets, rows.Failed, rows.meter = len(f.targets), failures(f.targets), f.meter
	rows.warnings = append(rows.warnings, f.warnings...)
	for _, t := range f.targets {
		if t.err != nil {
			rows.warnings = append(rows.warnings, fault.From(t.err))
		}
		if t.skipped == outcomeChanged {
			rows.warnings = append(rows.warnings, passedOver(w, t))
		}
	}
	return rows, nil
}

// call makes the calls of all targets that have one left to make.
func (f *frozen) call(ctx context.Context) {
	env := f.env
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
	f.judge()
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
