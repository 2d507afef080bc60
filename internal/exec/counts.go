package exec

import (
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/rest"
)

// Count is what a scan has cost so far.
type Count struct {
	Calls   int // requests sent, further pages and repetitions included
	Retries int // repetitions among them
	Pages   int // answers that were read
	Rows    int64
	Bytes   int64
	Waited  time.Duration // in which calls were held back, side by side ones added up
	First   time.Duration // from the start of the statement to the first rows; 0: there were none
}

// Counts is what the calls of a statement have cost, and how long at least one
// was under way.
type Counts struct {
	Scans map[*plan.Scan]Count // nil: the calls of a write, whose bytes are not counted
	Busy  time.Duration
}

// meter counts for all scans of a statement. The zero value is not usable.
type meter struct {
	start time.Time

	mutex  sync.Mutex
	scans  map[*plan.Scan]*Count
	flying int       // calls under way
	since  time.Time // that flying is above 0
	busy   time.Duration
}

func newMeter() *meter { return &meter{start: time.Now(), scans: map[*plan.Scan]*Count{}} }

// begin notes that a call for a page is made; the function it gives notes what
// came of it. ok is false where there was no page to ask for any more.
func (m *meter) begin(p *plan.Scan) func(page rest.Page, err error, ok bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.flying++; m.flying == 1 {
		m.since = time.Now()
	}
	return func(page rest.Page, err error, ok bool) { m.end(p, page, err, ok) }
}

func (m *meter) end(p *plan.Scan, page rest.Page, err error, ok bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.flying--; m.flying == 0 {
		m.busy += time.Since(m.since)
	}
	if !ok {
		return
	}
	c := m.scans[p]
	if c == nil {
		c = &Count{}
		m.scans[p] = c
	}
	if e := fault.As(err); e != nil && e.HTTP != nil {
		page.Attempts, page.Waited = e.HTTP.Attempts, e.HTTP.Waited
	}
	c.Calls += page.Attempts
	c.Retries += max(0, page.Attempts-1)
	c.Waited += page.Waited
	if err != nil {
		return
	}
	c.Pages++
	c.Rows += int64(len(page.Items))
	c.Bytes += int64(page.Bytes)
	if c.First == 0 && len(page.Items) > 0 {
		c.First = max(1, time.Since(m.start))
	}
}

// counts gives the counts so far.
func (m *meter) counts() Counts {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	all := Counts{Scans: map[*plan.Scan]Count{}, Busy: m.busy}
	if m.flying > 0 {
		all.Busy += time.Since(m.since)
	}
	for p, c := range m.scans {
		all.Scans[p] = *c
	}
	return all
}

// Counts gives what the calls of a query have cost so far. It is complete once
// the rows are closed. It is empty for rows that come from no call.
func (r *Rows) Counts() Counts {
	if r.meter == nil {
		return Counts{}
	}
	return r.meter.counts()
}

// CountedAs takes over what the calls for other rows have cost, of which these were
// made.
func (r *Rows) CountedAs(o *Rows) *Rows {
	r.meter = o.meter
	return r
}
