package exec

import (
	"context"
	"sync"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/rest"
)

// callAll makes the calls side by side.
func callAll(ctx context.Context, targets []*target, env Env, m *meter) {
	work := make(chan *target)
	var workers sync.WaitGroup
	for range min(env.concurrency(), len(targets)) {
		workers.Go(func() {
			for t := range work {
				t.perform(ctx, env, m)
			}
		})
	}
	for _, t := range targets {
		if err := ctx.Err(); err != nil {
			t.err = fault.New(fault.Cancelled, "not called: the statement was interrupted").In(fault.Interrupt).Because(err)
			continue
		}
		work <- t
	}
	close(work)
	workers.Wait()
}

// perform makes the call of one target.
func (t *target) perform(ctx context.Context, env Env, m *meter) {
	if t.prepare != nil {
		if t.skipped, t.err = t.prepare(ctx); t.skipped != "" || t.err != nil {
			return
		}
	}
	counted := m.begin(nil)
	t.result, t.err = env.Client.Do(ctx, t.call)
	counted(rest.Page{Items: t.result.Items, Attempts: t.result.Attempts, Waited: t.result.Waited}, t.err, true)
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

func allFailed(targets []*target) bool { return failures(targets) == len(targets) }
