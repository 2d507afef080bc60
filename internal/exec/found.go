package exec

import (
	"sync"
	"time"

	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/rest"
)

// FoundFor is how long a session believes what its listings have found:
// subscriptions, resource groups and other places come and go rarely.
const FoundFor = 5 * time.Minute

// foundBytes bounds what is kept of such listings.
const foundBytes = 32 << 20

// Found keeps the answers of listings that found arguments, for the statements
// that come after in a session. Rows that a statement shows never come from
// here. It is safe for concurrent use; a nil Found keeps nothing.
type Found struct {
	mutex  sync.Mutex
	calls  map[string]foundCall
	counts map[string]foundCount
	bytes  int
}

type foundCall struct {
	pages []rest.Page
	bytes int
	until time.Time
}

type foundCount struct {
	tuples int
	until  time.Time
}

// NewFound makes an empty Found.
func NewFound() *Found {
	return &Found{calls: map[string]foundCall{}, counts: map[string]foundCount{}}
}

func (f *Found) get(key string) ([]rest.Page, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	c, ok := f.calls[key]
	return c.pages, ok && time.Now().Before(c.until)
}

func (f *Found) put(key string, pages []rest.Page, bytes int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.bytes+bytes > foundBytes {
		f.calls, f.bytes = map[string]foundCall{}, 0
	}
	if bytes > foundBytes {
		return
	}
	if _, known := f.calls[key]; !known {
		f.bytes += bytes
	}
	f.calls[key] = foundCall{pages, bytes, time.Now().Add(FoundFor)}
}

// note keeps how many calls a scan needed with the arguments found for it.
func (f *Found) note(p *plan.Scan, tuples int) {
	if f == nil {
		return
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.counts[p.Identity()] = foundCount{tuples, time.Now().Add(FoundFor)}
}

// Known gives how many calls a scan with found arguments needs, as far as the
// session has seen it lately.
func (f *Found) Known(p *plan.Scan) (tuples int, ok bool) {
	if f == nil {
		return 0, false
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	c, ok := f.counts[p.Identity()]
	return c.tuples, ok && time.Now().Before(c.until)
}

// Forget drops everything: something was changed.
func (f *Found) Forget() {
	if f == nil {
		return
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	clear(f.calls)
	clear(f.counts)
	f.bytes = 0
}
