package exec

import (
	"context"
	"slices"
	"sync"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
)

// Stated is a target of a write, with what the service has in its place.
type Stated struct {
	ID    string
	Write *plan.Write
	Body  []byte // as the statement has it; nil: it takes none
	Item  []byte // as the service has it; nil: it is not there

	frozen *frozen
	target *target
	row    [][]byte
	etag   string
}

// State finds the targets of a write and reads each of them. Nothing is changed,
// and an incomplete read is an error.
func State(ctx context.Context, w *plan.Write, env Env) ([]*Stated, []*fault.Error, error) {
	f, err := freeze(ctx, w, env)
	if err != nil {
		return nil, nil, err
	}
	list := make([]*Stated, len(f.targets))
	for i, t := range f.targets {
		list[i] = &Stated{ID: t.id, Write: w, Body: t.call.Body, frozen: f, target: t, row: t.row}
	}
	return list, f.warnings, refresh(ctx, list, env)
}

// refresh reads targets side by side.
func refresh(ctx context.Context, list []*Stated, env Env) error {
	var failed sync.Map
	work := make(chan int)
	var workers sync.WaitGroup
	for range min(env.concurrency(), len(list)) {
		workers.Go(func() {
			for i := range work {
				if err := list[i].read(ctx); err != nil {
					failed.Store(i, err)
				}
			}
		})
	}
	for i := range list {
		work <- i
	}
	close(work)
	workers.Wait()
	for i := range list {
		if err, is := failed.Load(i); is {
			return err.(error)
		}
	}
	return nil
}

// read asks the service for the target.
func (s *Stated) read(ctx context.Context) error {
	result, err := s.frozen.read(ctx, s.target)
	if e := fault.As(err); e != nil && e.Code == fault.NotFound {
		s.Item, s.etag = nil, ""
		return nil
	}
	if err != nil {
		return err
	}
	s.Item, s.etag = result.Items[0], etagOf(result)
	return nil
}

// Make writes what the statement says. Where the resource is there already, an
// INSERT puts its members into what the service has, a REPLACE puts the whole in
// its place; in both cases only if nobody else has changed it meanwhile, as far
// as the service tells versions apart.
func (s *Stated) Make(ctx context.Context) error {
	t := *s.target
	w := *s.Write
	switch {
	case s.Item == nil || w.Verb == provider.Delete:
	case w.Verb == provider.Insert:
		w.Merge, w.Creates = true, false
		t.call.Headers = nil
		one := *s.frozen
		one.write = &w
		t.prepare = func(ctx context.Context) (string, error) { return "", one.merge(ctx, &t, s.row) }
	case s.etag != "":
		t.call.Headers = append(slices.Clone(t.call.Headers), provider.Argument{Name: ifMatch, Value: s.etag})
		w.Merge = true // a lost update is told as one
	}
	return s.call(ctx, &w, &t)
}

// Remove deletes the target by a method whose path is the same.
func (s *Stated) Remove(ctx context.Context, m *provider.Method) error {
	call := provider.Call{Method: m}
	for _, a := range s.target.call.Arguments {
		if p, ok := m.Parameter(a.Name); ok && p.In != provider.InQuery {
			call.Arguments = append(call.Arguments, a)
		}
	}
	w := &plan.Write{Verb: provider.Delete, Method: m}
	return s.call(ctx, w, &target{call: call, id: s.ID})
}

// call makes one call of a write by itself.
func (s *Stated) call(ctx context.Context, w *plan.Write, t *target) error {
	one := *s.frozen
	one.write, one.targets = w, []*target{t}
	one.env.Outcomes = nil // each is told by itself
	if err := one.env.Records.ready(); err != nil {
		return err
	}
	one.call(ctx)
	leave(one.targets)
	if t.err == nil && t.skipped == outcomeChanged {
		return passedOver(w, t)
	}
	return t.err
}
