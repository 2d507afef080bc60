package planeql

import (
	"context"
	"sync"

	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/transport"
)

// spendingKey is where a context keeps what the statements and steps below it
// cost.
type spendingKey struct{}

// spending adds up what the statements and steps of files cost, for a person who
// waits for them.
type spending struct {
	operations exec.Operations

	mutex   sync.Mutex
	tallies []*transport.Tally
}

// watched tells the progress function how far the statements and steps are that
// run with the context it gives, until the function is called.
func (s *Session) watched(ctx context.Context) (context.Context, func()) {
	all := new(spending)
	stop := s.watch(ctx, all.progress)
	return context.WithValue(context.WithValue(ctx, spendingKey{}, all), operationsKey{}, &all.operations), stop
}

// tallied gives a context whose calls are counted by a tally.
func tallied(ctx context.Context, t *transport.Tally) context.Context {
	if all, ok := ctx.Value(spendingKey{}).(*spending); ok {
		all.mutex.Lock()
		defer all.mutex.Unlock()
		all.tallies = append(all.tallies, t)
	}
	return transport.WithTally(ctx, t)
}

// progress gives the sum so far.
func (a *spending) progress() Progress {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	var sum transport.Stats
	for _, t := range a.tallies {
		one := t.Stats()
		sum.Calls += one.Calls
		sum.Retries += one.Retries
		sum.Bytes += one.Bytes
		if one.WaitUntil.After(sum.WaitUntil) {
			sum.WaitUntil, sum.WaitingFor = one.WaitUntil, one.WaitingFor
		}
	}
	return progressOf(sum, 0, &a.operations)
}
