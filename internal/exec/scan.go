package exec

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// aheadBytes bounds how far the fetchers of a scan run ahead of its reader.
const aheadBytes = 32 << 20

// pagesAhead bounds it for pages that are small.
const pagesAhead = 64

// scan reads the pages of one plan.Scan: for DuckDB, which asks by Next, or for
// another scan that it feeds. Its fetchers start when the first page is asked
// for and end with Close.
//
// The channel of pages has many writers and one reader: the fetchers write,
// the one that started them closes it after the last; Next and stream read. An
// error is a page of its own and the last one read. Close cancels the context,
// upon which every fetcher returns, and waits for them.
type scan struct {
	plan       *plan.Scan
	members    []rest.Member
	run        *queryRun
	gate       *gate // nil: at full width
	depth      int   // listings between it and the rows
	registered *duck.Scan
	parts      []*scan // that read its rows; nil: it does so itself
	branch     *branch // of the scan whose rows these are a part of; nil: it has a reader of its own

	groups *groups // that the statement names for its rows; nil: none

	ctx    context.Context
	cancel context.CancelFunc
	ahead  *semaphore.Weighted
	pages  chan fetched
	done   sync.WaitGroup
	start  sync.Once
	tuples func(yield func(tuple, error) bool) // once

	failed atomic.Bool
	mutex  sync.Mutex
	lost   []*fault.Error
}

// tuple is the arguments of one call.
type tuple struct {
	values []*string
	fed    bool // some come from rows: what they name may not be there
}

// fetched is a page on its way to the reader.
type fetched struct {
	batch duck.Batch
	bytes int64
	err   error
	leave func() // ends the turn of its call, once what it leads to stands in line; may be nil
}

func newScan(ctx context.Context, p *plan.Scan, run *queryRun) *scan {
	ctx, cancel := context.WithCancel(ctx)
	s := &scan{
		plan: p, members: membersOf(p), run: run, ctx: ctx, cancel: cancel,
		ahead: semaphore.NewWeighted(aheadBytes), pages: make(chan fetched, pagesAhead),
	}
	return s
}

// Next gives the next batch, or io.EOF.
func (s *scan) Next(ctx context.Context) (duck.Batch, error) {
	s.start.Do(s.begin)
	select {
	case f, ok := <-s.pages:
		return s.take(f, ok)
	default:
		if s.depth == 0 {
			s.gate.want()
		}
	}
	select {
	case f, ok := <-s.pages:
		return s.take(f, ok)
	case <-ctx.Done():
		return duck.Batch{}, ctx.Err()
	}
}

// take gives what was read from the channel.
func (s *scan) take(f fetched, ok bool) (duck.Batch, error) {
	if ok {
		s.ahead.Release(f.bytes)
		return f.batch, f.err
	}
	if err := s.ctx.Err(); err != nil { // cut by Close, not read whole
		return duck.Batch{}, err
	}
	return duck.Batch{}, io.EOF
}

// ready gives all pages that are there without waiting, at least one, which is
// waited for. done is set after the last.
func (s *scan) ready(ctx context.Context) (pages []fetched, done bool, err error) {
	s.start.Do(s.begin)
	select {
	case f, ok := <-s.pages:
		for {
			b, err := s.take(f, ok)
			if errors.Is(err, io.EOF) {
				return pages, true, nil
			}
			if err != nil {
				return nil, true, err
			}
			f.batch = b
			pages = append(pages, f)
			select {
			case f, ok = <-s.pages:
			default:
				return pages, false, nil
			}
		}
	case <-ctx.Done():
		return nil, true, ctx.Err()
	}
}

// Close stops the fetchers and waits for them.
func (s *scan) Close() {
	s.cancel()
	s.start.Do(func() {})
	s.done.Wait()
}

// begin starts the fetchers.
func (s *scan) begin() {
	s.done.Go(func() {
		defer close(s.pages)
		if s.parts != nil {
			s.fetchParts()
			return
		}
		s.fetch()
		s.groups.tell(s)
	})
}

// fetch reads the tuples side by side, as they come.
func (s *scan) fetch() {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	room := make(chan struct{}, s.run.env.concurrency())
	var workers sync.WaitGroup
	defer workers.Wait()
	for t, err := range s.tuples {
		if err != nil {
			s.push(fetched{err: err}) // those that are under way may take their time
			cancel()
			return
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		turn := s.gate.queue(s.depth) // in the order of the tuples
		workers.Go(func() {
			defer func() { <-room }()
			for f := range s.read(ctx, t, turn) {
				if !s.push(f) {
					cancel() // an error, or nobody wants more: no call is begun any more
					return
				}
			}
		})
	}
}

// push hands a page on; false means that no more are wanted.
func (s *scan) push(f fetched) bool {
	if s.branch != nil {
		return s.branch.whole.push(f)
	}
	if s.failed.Load() {
		return false // in another part: the error was the last to be read
	}
	s.failed.Store(f.err != nil)
	f.bytes = min(f.bytes, aheadBytes)
	if s.ahead.Acquire(s.ctx, f.bytes) != nil {
		return false
	}
	select {
	case s.pages <- f:
		return f.err == nil
	case <-s.ctx.Done():
		return false
	}
}

// read gives the pages of one tuple, the first when its turn has come. The end of
// ctx keeps further calls from being begun: the reader has an error by then.
func (s *scan) read(ctx context.Context, t tuple, turn <-chan struct{}) iter.Seq[fetched] {
	return func(yield func(fetched) bool) {
		for p, err := range s.gated(ctx, t, turn) {
			if err != nil {
				yield(fetched{err: err})
				return
			}
			s.note(t, p.Page)
			if !yield(fetched{batch: s.batch(p.Page, t.values), bytes: int64(p.Bytes), leave: p.leave}) {
				return
			}
		}
	}
}

// passesOver tells whether a call that failed gives no rows and is no error: a
// get that finds no item, a place that other rows named and that is not there,
// and a failure that the user allows. The last two are kept as losses.
func (s *scan) passesOver(t tuple, call provider.Call, err error) bool {
	switch {
	case rest.IsItemMissing(err, call):
		return true
	case t.fed && rest.IsScopeMissing(err):
		s.lose(gone(err))
		return true
	case s.run.env.Skip && skippable(err):
		s.lose(missing(err))
		return true
	}
	return false
}

// turned is a page whose call may still hold its turn.
type turned struct {
	rest.Page
	leave func() // nil: it holds none
}

// gated gives the pages of a tuple's call that have items, each fetched in its
// turn. A page that leads to further calls keeps the turn until those stand in
// line. The gate hears of what the reader gets: of a call that is passed over it
// gets nothing and waits on.
func (s *scan) gated(ctx context.Context, t tuple, turn <-chan struct{}) iter.Seq2[turned, error] {
	return func(yield func(turned, error) bool) {
		call := callOf(s.plan.Method, s.plan.Arguments, t.values)
		pages, counts := s.run.pages(s, call)
		next, stop := iter.Pull2(pages)
		defer stop()
		for {
			select {
			case <-turn:
			case <-ctx.Done():
				return
			}
			counted := counts()
			page, err, ok := next()
			counted(page, err, ok)
			if err != nil && s.passesOver(t, call, err) {
				s.gate.leave(false)
				return
			}
			p := turned{Page: page}
			if s.gate != nil && s.depth > 0 && err == nil && len(page.Items) > 0 {
				p.leave = sync.OnceFunc(func() { s.gate.leave(false) })
			} else {
				s.gate.leave(err != nil || len(page.Items) > 0)
			}
			if !ok || (err != nil || len(page.Items) > 0) && !yield(p, err) || err != nil || page.Last {
				return
			}
			turn = s.gate.queue(s.depth)
		}
	}
}

// note keeps what a write has to know of a page of its targets.
func (s *scan) note(t tuple, page rest.Page) {
	whole := s.plan
	if s.branch != nil {
		whole = s.branch.whole.plan
	}
	if s.run.seen != nil {
		s.run.seen.note(whole, callOf(s.plan.Method, s.plan.Arguments, t.values), page.Items)
	}
}

func (s *scan) batch(page rest.Page, values []*string) duck.Batch {
	s.groups.note(page.Items)
	if s.branch != nil {
		return s.branch.batch(page, values)
	}
	return duck.Batch{Items: page.Items, Arguments: values, Members: cutAll(page.Items, s.members)}
}

// callOf gives the call of a tuple.
func callOf(m *provider.Method, names []string, values []*string) provider.Call {
	call := provider.Call{Method: m}
	for i, name := range names {
		if values[i] != nil {
			call.Arguments = append(call.Arguments, provider.Argument{Name: name, Value: *values[i]})
		}
	}
	return call
}

// skippable tells whether on_error=skip covers a failure: what the service or
// the network did to one call, not a missing credential or the user's Ctrl-C.
func skippable(err error) bool {
	e := fault.As(err)
	if e == nil || interrupted(err) {
		return false
	}
	return e.Code != fault.NoCredential && e.Code != fault.Unauthenticated && e.Scope != fault.Engine && e.Scope != fault.Statement
}

// missing makes the warning for a call that failed and was skipped.
func missing(err error) *fault.Error {
	w := *fault.From(err)
	w.Cause = err
	w.Code, w.Message = fault.PartialResult, "rows are missing: "+w.Message
	return &w
}

// gone makes the warning for a place that the rows of another call named and
// that was not there when it was read. Nothing is missing: what is not there
// has no rows.
func gone(err error) *fault.Error {
	w := *fault.From(err)
	w.Cause = err
	w.Code, w.Message = fault.ScopeGone, "not there any more, so it has no rows: "+w.Message
	return &w
}

func (s *scan) lose(w *fault.Error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lost = append(s.lost, w)
}

// losses gives the warnings for calls that gave no rows and did not end the
// statement.
func (s *scan) losses() []*fault.Error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.lost)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
