package exec

import (
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
	"golang.org/x/sync/semaphore"
)

// aheadBytes bounds how far the fetchers of a scan run ahead of DuckDB.
const aheadBytes = 32 << 20

// scan feeds DuckDB with the pages of one plan.Scan. Its fetchers start when
// DuckDB asks for the first batch and end with Close.
//
// The channel has one writer side and one reader: the fetchers write batches,
// the last of them closes it; Next reads. An error is a batch of its own and
// the last one read. Close cancels the context, upon which every fetcher
// returns, and waits for them.
type scan struct {
	plan       *plan.Scan
	tuples     [][]*string
	members    []rest.Member
	env        Env
	registered *duck.Scan

	ctx    context.Context
	cancel context.CancelFunc
	ahead  *semaphore.Weighted
	pages  chan fetched
	done   sync.WaitGroup
	start  sync.Once
	want   chan struct{} // one for each page that DuckDB asks for; nil: fetch ahead

	mutex sync.Mutex
	lost  []*fault.Error
}

// fetched is a page on its way to DuckDB.
type fetched struct {
	batch duck.Batch
	bytes int64
	err   error
}

func newScan(ctx context.Context, p *plan.Scan, tuples [][]*string, env Env) *scan {
	ctx, cancel := context.WithCancel(ctx)
	return &scan{plan: p, tuples: tuples, members: membersOf(p), env: env, ctx: ctx, cancel: cancel, ahead: semaphore.NewWeighted(aheadBytes)}
}

// Next gives the next batch, or io.EOF.
func (s *scan) Next(ctx context.Context) (duck.Batch, error) {
	s.start.Do(s.begin)
	if s.want != nil {
		select {
		case s.want <- struct{}{}:
		default: // the last page was asked for and is not there yet
		}
	}
	select {
	case f, ok := <-s.pages:
		if !ok {
			return duck.Batch{}, s.end()
		}
		s.ahead.Release(f.bytes)
		return f.batch, f.err
	case <-ctx.Done():
		return duck.Batch{}, ctx.Err()
	}
}

// end tells a list that was read whole from one that was cut by Close.
func (s *scan) end() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return io.EOF
}

// Close stops the fetchers and waits for them.
func (s *scan) Close() {
	s.cancel()
	s.start.Do(func() {})
	s.done.Wait()
}

// begin starts the fetchers. Where a LIMIT may end the reading early, pages
// are fetched one by one as DuckDB asks for them; elsewhere at full width.
func (s *scan) begin() {
	fetch := s.fetchAll
	s.pages = make(chan fetched, 4)
	if s.plan.Gentle {
		fetch = s.fetchAsked
		s.pages = make(chan fetched)
		s.want = make(chan struct{}, 1)
	}
	s.done.Go(func() {
		defer close(s.pages)
		fetch()
	})
}

// fetchAsked reads the tuples one after another, a page each time that DuckDB
// asks for one.
func (s *scan) fetchAsked() {
	if !s.asked() {
		return
	}
	for _, t := range s.tuples {
		for f := range s.read(t) {
			if !s.push(f) || !s.asked() {
				return
			}
		}
	}
}

// asked waits until DuckDB wants a page.
func (s *scan) asked() bool {
	select {
	case <-s.want:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// fetchAll reads the tuples side by side.
func (s *scan) fetchAll() {
	tuples := make(chan []*string)
	var workers sync.WaitGroup
	for range min(s.env.concurrency(), len(s.tuples)) {
		workers.Go(func() {
			for t := range tuples {
				for f := range s.read(t) {
					if !s.push(f) {
						return
					}
				}
			}
		})
	}
	for _, t := range s.tuples {
		select {
		case tuples <- t:
		case <-s.ctx.Done():
		}
		if s.ctx.Err() != nil {
			break
		}
	}
	close(tuples)
	workers.Wait()
}

// push hands a page on; false means that nobody wants more.
func (s *scan) push(f fetched) bool {
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

// read gives the pages of one tuple. A get that finds no item gives none; a
// failure that the user allows is kept as a loss.
func (s *scan) read(tuple []*string) iter.Seq[fetched] {
	return func(yield func(fetched) bool) {
		call := callOf(s.plan.Method, s.plan.Arguments, tuple)
		for page, err := range s.env.Client.Pages(s.ctx, call) {
			switch {
			case err == nil:
			case rest.IsItemMissing(err, call):
				return
			case s.env.Skip && skippable(err):
				s.lose(err)
				return
			default:
				yield(fetched{err: err})
				return
			}
			if !yield(fetched{batch: s.batch(page, tuple), bytes: int64(page.Bytes)}) {
				return
			}
		}
	}
}

func (s *scan) batch(page rest.Page, tuple []*string) duck.Batch {
	return duck.Batch{Items: page.Items, Arguments: tuple, Members: cutAll(page.Items, s.members)}
}

// callOf gives the call of a tuple.
func callOf(m *provider.Method, names []string, tuple []*string) provider.Call {
	call := provider.Call{Method: m}
	for i, name := range names {
		if tuple[i] != nil {
			call.Arguments = append(call.Arguments, provider.Argument{Name: name, Value: *tuple[i]})
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

func (s *scan) lose(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.lost = append(s.lost, fault.From(err))
}

// losses gives a warning for each call that failed and was skipped.
func (s *scan) losses() []*fault.Error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var warnings []*fault.Error
	for _, e := range s.lost {
		w := *e
		w.Code, w.Message = fault.PartialResult, "rows are missing: "+e.Message
		w.Cause = e
		warnings = append(warnings, &w)
	}
	return warnings
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
