package cli

import (
	"context"
	"errors"
	"sync"

	"github.com/planeql/planeql/internal/fault"
)

// signals turns interrupts into the end of what is running: the first one
// cancels it, a second one while it still winds down ends the process.
type signals struct {
	mu     sync.Mutex
	cancel context.CancelCauseFunc // of what is running; nil: nothing that could be cancelled
	hit    bool
	done   chan struct{}
	ended  chan struct{}
}

// watch begins to listen. Without signals to listen to it costs nothing.
func watch(env Environment) *signals {
	s := &signals{done: make(chan struct{}), ended: make(chan struct{})}
	if env.Signals == nil {
		close(s.ended)
		return s
	}
	go func() {
		defer close(s.ended)
		for {
			select {
			case <-s.done:
				return
			case <-env.Signals:
				if !s.interrupt() {
					env.Exit(exitInterrupted)
				}
			}
		}
	}()
	return s
}

// interrupt cancels what is running; false means that there is nothing left to
// cancel.
func (s *signals) interrupt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel == nil || s.hit {
		return false
	}
	s.hit = true
	s.cancel(errInterrupted)
	return true
}

// errInterrupted is the cause of contexts that a signal has ended.
var errInterrupted = fault.New(fault.Cancelled, "interrupted").In(fault.Interrupt)

// guard gives a context that an interrupt ends, and the function that must be
// called when the work under it is over.
func (s *signals) guard(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel, s.hit = cancel, false
	return ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cancel = nil
		cancel(nil)
	}
}

// stop ends the listening.
func (s *signals) stop() {
	close(s.done)
	<-s.ended
}

// interrupted says whether an interrupt has ended the context.
func interrupted(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), errInterrupted)
}
