package transport

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// Stats are counts at one moment.
type Stats struct {
	Calls      int           // requests sent, repetitions included
	Retries    int           // repetitions of a request
	Throttled  int           // answers with status 429
	Bytes      int64         // bytes of answers, decompressed
	Waited     time.Duration // sum of the waits of all calls
	WaitUntil  time.Time     // the end of the longest wait that is under way; zero: none
	WaitingFor string        // the host that asked for it
}

// Limits bound what the calls of a statement may cost. Zero is no limit.
type Limits struct {
	Calls   int           // requests; the first beyond it fails with fault.LimitReached
	Retries int           // repetitions after failures; then the last real answer or error stands
	Wait    time.Duration // sum of the waits; likewise
}

// Tally counts the calls of a statement and holds them to limits. It is safe
// for concurrent use; a nil Tally counts nothing. The zero Tally has no limits.
type Tally struct {
	limits Limits

	mu       sync.Mutex
	stats    Stats
	budget   time.Duration // waits granted so far
	failures int           // repetitions granted that count against the limit
	pauses   int           // waits under way
}

// NewTally makes a Tally with limits.
func NewTally(l Limits) *Tally { return &Tally{limits: l} }

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
	if !throttled && t.limits.Retries > 0 && t.failures >= t.limits.Retries {
		return "the statement has used all its repetitions"
	}
	if t.limits.Wait > 0 && t.budget+wait > t.limits.Wait {
		return "the statement has waited as long as it may"
	}
	t.stats.Retries++
	if !throttled {
		t.failures++
	}
	t.budget += wait
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
	if status == http.StatusTooManyRequests {
		t.stats.Throttled++
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

// waited notes the end of a wait. When nobody waits any more there is nothing to
// tell.
func (t *Tally) waited(d time.Duration) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Waited += d
	t.pauses--
	if t.pauses == 0 || !t.stats.WaitUntil.After(time.Now()) {
		t.stats.WaitUntil, t.stats.WaitingFor = time.Time{}, ""
	}
}
