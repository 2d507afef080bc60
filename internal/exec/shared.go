package exec

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// shared is a call that more than one scan of a statement makes, or that finds
// arguments and is kept for the statements after it: its pages are fetched once,
// by whoever comes first to where they end.
type shared struct {
	next   func() (rest.Page, error, bool)
	stop   func()
	counts counter

	mutex   sync.Mutex
	readers int
	pages   []rest.Page
	first   int  // number of the first page that is kept
	alone   bool // too much to keep: the one reader has it to itself, the next one calls again
	bytes   int
	ended   bool
	err     error
	busy    chan struct{} // closed when the fetch that is under way ends; nil: none is
}

// page gives the page of a number from 0; ok is false behind the last.
func (c *shared) page(ctx context.Context, number int) (page rest.Page, err error, ok bool) {
	for {
		c.mutex.Lock()
		switch {
		case number < c.first+len(c.pages):
			defer c.mutex.Unlock()
			page = c.pages[number-c.first]
			c.forget(number)
			return page, nil, true
		case c.ended:
			defer c.mutex.Unlock()
			return rest.Page{}, c.err, c.err != nil
		case c.busy == nil:
			c.busy = make(chan struct{})
			c.mutex.Unlock()
			c.fetch()
			continue
		}
		busy := c.busy
		c.mutex.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return rest.Page{}, ctx.Err(), true
		}
	}
}

// sharedBytes bounds what is kept of one call for readers that may come.
const sharedBytes = 32 << 20

// forget drops the pages up to a number where they are too much to keep and
// nobody else has begun to read them; the lock is held.
func (c *shared) forget(number int) {
	if !c.alone && (c.bytes < sharedBytes || c.readers > 1) {
		return
	}
	c.alone = true
	c.pages = slices.Delete(c.pages, 0, number+1-c.first)
	c.first = number + 1
}

// fetch gets one page more. One caller at a time is in it.
func (c *shared) fetch() {
	counted := c.counts()
	page, err, ok := c.next()
	counted(page, err, ok)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch {
	case !ok:
		c.ended = true
	case err != nil:
		c.ended, c.err = true, err
	default:
		c.pages = append(c.pages, page)
		c.bytes += page.Bytes
		c.ended = page.Last
	}
	close(c.busy)
	c.busy = nil
}

// whole gives all pages of a call that was read to its end.
func (c *shared) whole() (pages []rest.Page, bytes int, ok bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.pages, c.bytes, c.ended && c.err == nil && !c.alone
}

// calls are the shared calls of one statement.
type calls struct {
	uses  map[*provider.Method]int  // scans that call it
	shown map[*provider.Method]bool // whose rows the statement reads
	finds map[*plan.Scan]bool       // scans that find arguments for others
	mutex sync.Mutex
	byKey map[string]*shared
	all   []*shared
}

// count notes the scans of a plan, with the listings that find their arguments.
func (c *calls) count(p *plan.Scan) {
	if p.Same != nil {
		return
	}
	for _, part := range p.Parts {
		c.finds[part] = c.finds[p]
		c.count(part)
	}
	if len(p.Parts) > 0 {
		return
	}
	c.uses[p.Method]++
	c.shown[p.Method] = c.shown[p.Method] || !c.finds[p]
	if p.Feed == nil {
		return
	}
	for _, s := range p.Feed.Sources {
		if s.Found {
			c.finds[s.Scan] = true
			c.count(s.Scan)
		}
	}
}

// counter is told when a page is asked for, and by what it gives then, what came.
type counter func() func(rest.Page, error, bool)

// uncounted is the counter of pages that another one counts.
func uncounted() func(rest.Page, error, bool) { return func(rest.Page, error, bool) {} }

// pages gives the pages of a call of a scan, and who counts them.
func (r *queryRun) pages(s *scan, call provider.Call) (iter.Seq2[rest.Page, error], counter) {
	ctx := rest.InGroup(s.ctx, s)
	counts := func() func(rest.Page, error, bool) { return r.meter.begin(s.plan) }
	kept := r.env.Found != nil && !r.calls.shown[call.Method]
	if !kept && r.calls.uses[call.Method] < 2 {
		return r.env.Client.Pages(ctx, call), counts
	}
	key := r.env.Client.Key(call)
	if kept {
		if pages, ok := r.env.Found.get(key); ok {
			return listOf(pages), uncounted
		}
	}
	c := r.calls.of(key, counts, func() iter.Seq2[rest.Page, error] {
		return r.env.Client.Pages(rest.InGroup(r.ctx, s), call) // others may read on when this scan ends
	})
	return func(yield func(rest.Page, error) bool) {
		for number := 0; ; number++ {
			page, err, ok := c.page(s.ctx, number)
			if !ok || !yield(page, err) || err != nil {
				break
			}
			if page.Last {
				break
			}
		}
		if pages, bytes, ok := c.whole(); ok && kept {
			r.env.Found.put(key, pages, bytes)
		}
	}, uncounted
}

func listOf(pages []rest.Page) iter.Seq2[rest.Page, error] {
	return func(yield func(rest.Page, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// of gives the shared call of a key.
func (c *calls) of(key string, counts counter, start func() iter.Seq2[rest.Page, error]) *shared {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if s := c.byKey[key]; s != nil && s.join() {
		return s
	}
	next, stop := iter.Pull2(start())
	s := &shared{next: next, stop: stop, counts: counts, readers: 1}
	c.byKey[key], c.all = s, append(c.all, s)
	return s
}

// join adds a reader; false where pages are gone already.
func (c *shared) join() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.alone {
		return false
	}
	c.readers++
	return true
}

// end ends all shared calls. Nobody reads them any more.
func (c *calls) end() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, s := range c.all {
		s.stop()
	}
}
