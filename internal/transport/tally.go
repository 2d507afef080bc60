package transport

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// DefaultRetries is the default of [Limits].
const DefaultRetries = 500

// earned is which part of a repetition a good answer gives back to the budget.
const earned = 0.5

// rememberedWaits bounds the list by which waits side by side are counted once.
const rememberedWaits = 64

// Stats are counts at one moment.
type Stats struct {
	Calls      int           // requests sent, repetitions included
	Retries    int           // repetitions of a request
	Throttled  int           // answers with status 429
	Bytes      int64         // bytes of answers, decompressed
	Waited     time.Duration // time in which calls were held back: between attempts, and in line for a limit of the service; however many at once
	WaitUntil  time.Time     // the end of the longest wait that is under way; zero: none
	WaitingFor string        // the host that asked for it
}

// Limits bound what the calls of a statement may cost.
type Limits struct {
	Calls   int           // requests; the first beyond it fails with fault.LimitReached; 0: no limit
	Retries int           // repetitions after failures, of which each second good answer gives one back; then the last real answer or error stands; 0: DefaultRetries, below 0: no limit
	Wait    time.Duration // time spent waiting for attempts, waits side by side counted once; likewise; 0: no limit
}

// Tally counts the calls of a statement and holds them to limits. It is safe
// for concurrent use; a nil Tally counts nothing. The zero Tally has no limits.
type Tally struct {
	limits Limits

	mu       sync.Mutex
	stats    Stats
	granted  time.Duration // waits granted so far
	until    time.Time     // when the last of them ends
	failures float64       // repetitions granted that were not given back
	pauses   int           // announced waits under way
	waits    []span        // apart from each other, in order
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// NewTally makes a Tally with limits.
func NewTally(l Limits) *Tally {
	if l.Retries == 0 {
		l.Retries = DefaultRetries
	}
	return &Tally{limits: l}
}

type tallyKey struct{}

// WithTally gives a context whose requests are counted by the tally.
func WithTally(ctx context.Context, t *Tally) context.Context {
	return context.WithValue(ctx, tallyKey{}, t)
}

// tallyOf finds the tally of a statement; nil, which counts nothing, where calls
// are made outside of one.
func tallyOf(ctx context.Context) *Tally {
	t, _ := ctx.Value(tallyKey{}).(*Tally)
	return t
}

// Stats gives the counts so far.
func (t *Tally) Stats() Stats {
	if t == nil {
		return Stats{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// call counts a request that is about to be sent, or refuses it.
func (t *Tally) call() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.limits.Calls > 0 && t.stats.Calls >= t.limits.Calls {
		return fault.New(fault.LimitReached, "the statement needs more than %d calls", t.limits.Calls).
			WithHint("narrow the statement, or allow more with --max-calls")
	}
	t.stats.Calls++
	return nil
}

// retry grants a repetition after a wait, or says why not. One after a 429 is
// bounded by time alone.
func (t *Tally) retry(wait time.Duration, throttled bool) (refusal string) {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !throttled && t.limits.Retries > 0 && t.failures+1 > float64(t.limits.Retries) {
		return "the statement has used all its repetitions"
	}
	from, until := time.Now(), time.Now().Add(wait)
	if from.Before(t.until) {
		from = t.until
	}
	more := max(0, until.Sub(from))
	if t.limits.Wait > 0 && t.granted+more > t.limits.Wait {
		return "the statement has waited as long as it may"
	}
	t.stats.Retries++
	if !throttled {
		t.failures++
	}
	if more > 0 {
		t.granted += more
		t.until = until
	}
	return ""
}

// received counts an answer.
func (t *Tally) received(bytes, status int) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Bytes += int64(bytes)
	switch {
	case status == http.StatusTooManyRequests:
		t.stats.Throttled++
	case status < 500 && status != http.StatusRequestTimeout:
		t.failures = max(0, t.failures-earned)
	}
}

// waiting notes that a call waits, so that a person can be told for whom and how
// long.
func (t *Tally) waiting(until time.Time, host string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pauses++
	if until.After(t.stats.WaitUntil) {
		t.stats.WaitUntil, t.stats.WaitingFor = until, host
	}
}

// waited notes a wait that has ended. When nobody waits any more there is nothing
// to tell.
func (t *Tally) waited(from, to time.Time, announced bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cover(from, to)
	if announced {
		t.pauses--
	}
	if t.pauses == 0 || !t.stats.WaitUntil.After(to) {
		t.stats.WaitUntil, t.stats.WaitingFor = time.Time{}, ""
	}
}

// cover counts a stretch of time once, though many calls wait in it. They end
// in their order, so what a new one overlaps stands at the end of the list.
func (t *Tally) cover(from, to time.Time) {
	for n := len(t.waits); n > 0 && !t.waits[n-1].to.Before(from); n-- {
		last := t.waits[n-1]
		t.stats.Waited -= last.to.Sub(last.from)
		if last.from.Before(from) {
			from = last.from
		}
		if last.to.After(to) {
			to = last.to
		}
		t.waits = t.waits[:n-1]
	}
	if len(t.waits) == rememberedWaits {
		t.waits = append(t.waits[:0], t.waits[1:]...)
	}
	t.waits = append(t.waits, span{from, to})
	t.stats.Waited += to.Sub(from)
}
