package exec

import (
	"context"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/rest"
)

// visiblePatience bounds how long is waited until a write can be read, where
// the user does not say: role assignments take ten minutes.
const visiblePatience = 10 * time.Minute

// callAll makes the calls side by side. The service's work goes on behind some
// of them; waiting for that takes no place of a call.
func callAll(ctx context.Context, targets []*target, env Env, m *meter) {
	work := make(chan *target)
	var workers, waiters sync.WaitGroup
	r := &recorder{env: env}
	for range min(env.concurrency(), len(targets)) {
		workers.Go(func() {
			for t := range work {
				t.perform(ctx, env, m, r)
				switch {
				case !t.goesOn(env):
				case env.ordered:
					t.await(ctx, env, r)
				default:
					waiters.Go(func() { t.await(ctx, env, r) })
				}
			}
		})
	}
	for _, t := range targets {
		work <- t
	}
	close(work)
	workers.Wait()
	waiters.Wait()
}

// perform makes the call of one target. Its record is on the disk before.
func (t *target) perform(ctx context.Context, env Env, m *meter, r *recorder) {
	if t.err = notCalled(ctx); t.err != nil {
		return
	}
	if t.prepare != nil {
		if t.skipped, t.err = t.prepare(ctx); t.skipped != "" || t.err != nil {
			return
		}
	}
	if t.err = r.begin(t); t.err != nil {
		return
	}
	counted := m.begin(nil)
	t.result, t.err = env.Client.Do(ctx, t.call)
	counted(rest.Page{Items: t.result.Items, Attempts: t.result.Attempts, Waited: t.result.Waited}, t.err, true)
	// What was asked for holds where a deletion meets nothing: a statement that
	// runs again meets what it has deleted before.
	if rest.IsAbsent(t.err, t.call) {
		h := fault.As(t.err).HTTP
		t.result = rest.Result{Status: h.Status, RequestID: h.RequestID, Attempts: h.Attempts, Waited: h.Waited}
		t.skipped, t.err = outcomeGone, nil
	}
	if env.judge != nil {
		env.judge(t)
	}
	t.err = t.explained()
	r.answered(t)
	if t.err == nil && t.skipped == "" && t.result.Operation == nil {
		t.see(ctx, env, t.result.Items)
	}
}

// notCalled tells why a target is not called any more.
func notCalled(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.New(fault.Cancelled, "not called: the statement was interrupted").In(fault.Interrupt).Because(err)
	}
	return nil
}

// explained adds to an outcome that is not known the statement that finds it
// out.
func (t *target) explained() error {
	f := fault.As(t.err)
	if f == nil || f.Code != fault.OutcomeUnknown {
		return t.err
	}
	if statement := checkStatement(t.call); statement != "" {
		return f.WithHint("look whether it happened before running it again:\n%s", statement)
	}
	return f
}

// goesOn tells whether there is an operation to wait for.
func (t *target) goesOn(env Env) bool {
	return t.err == nil && t.skipped == "" && t.result.Operation != nil && t.result.Operation.CanAwait() && !env.noWait
}

// await waits for the operation of a target, as long as the user has patience.
func (t *target) await(ctx context.Context, env Env, r *recorder) {
	env.Operations.begin()
	defer env.Operations.end()
	waiting := ctx
	if env.Wait > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, env.Wait)
		defer cancel()
	}
	final, err := env.Client.Await(waiting, t.call.Method, *t.result.Operation, func(o rest.Operation) { r.changed(t, o) })
	t.take(final)
	if t.err = err; err != nil {
		t.err = t.explained()
	}
	r.ended(t)
	if fault.As(t.err) == nil {
		t.result.Operation = nil
		t.see(ctx, env, nil) // the result was read, which may be behind as well
	}
}

// take puts the end of an operation into the result of its call.
func (t *target) take(final rest.Result) {
	t.result.State, t.result.Polls = final.State, final.Polls
	t.result.Duration += final.Duration
	if t.call.Method.HTTPMethod != "DELETE" {
		t.result.Items = final.Items
	}
	if final.Warning != nil {
		t.warnings = append(t.warnings, fault.From(final.Warning))
	}
}

// see waits until what was written can be read, where the statement asks for
// it. That it cannot is no failure of the write.
func (t *target) see(ctx context.Context, env Env, answered [][]byte) {
	if !env.visible {
		return
	}
	patience := visiblePatience
	if env.Wait > 0 {
		patience = env.Wait
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var answer []byte
	if len(answered) == 1 {
		answer = answered[0]
	}
	start := time.Now()
	if err := env.Client.Visible(ctx, t.call, answer); err != nil {
		t.warnings = append(t.warnings, fault.From(err))
	}
	t.result.Duration += time.Since(start)
}

func failures(targets []*target) int {
	n := 0
	for _, t := range targets {
		if t.err != nil || t.skipped == outcomeChanged || t.skipped == outcomeGone && t.call.Method.HTTPMethod != "DELETE" {
			n++
		}
	}
	return n
}
