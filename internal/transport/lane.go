package transport

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// lane holds the calls that share a limit of a service. The service's limit is
// not known in advance, so the width of the lane is found: halved when the
// service throttles, and a little wider with each answer that it does not.
// Without it a wide fan-out would send the same calls into the same wall, each
// time as many at once, until some of them have used all their attempts.
type lane struct {
	widest float64

	mu     sync.Mutex
	width  float64
	flying int
	cut    time.Time       // when the width was last halved
	opens  time.Time       // no call before this: a call too early starts the wait anew
	queue  []chan struct{} // those that wait for room, in order
}

// newLane makes a lane at full width: only the service can tell that it is too
// wide.
func newLane(widest int) *lane {
	return &lane{widest: float64(widest), width: float64(widest)}
}

// lane finds the lane of a bucket; nil where the call has none.
func (t *Transport) lane(bucket string) *lane {
	if bucket == "" {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lanes[bucket]
	if l == nil {
		l = newLane(t.options.Concurrency)
		t.lanes[bucket] = l
	}
	return l
}

// closed gives how long the lane stays closed.
func (l *lane) closed() time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.opens)
}

// close keeps calls out until a time, unless it is closed for longer already.
func (l *lane) close(until time.Time) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opens.Before(until) {
		l.opens = until
	}
}

// enter waits for room, first come, first served.
func (l *lane) enter(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	if l.flying < int(l.width) && len(l.queue) == 0 {
		l.flying++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l.queue = append(l.queue, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.abandon(turn)
		return ctx.Err()
	}
}

// abandon takes a waiting call out of the queue, or gives back the room that it
// was given at the same moment.
func (l *lane) abandon(turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, turn); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
		return
	}
	l.flying--
	l.wake()
}

// retreat gives room back that was not used.
func (l *lane) retreat() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	l.wake()
}

// leave makes room. Calls that were under way together when the service began
// to throttle are one sign of it and halve the width once.
func (l *lane) leave(entered time.Time, throttled bool) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying--
	switch {
	case !throttled:
		l.width = math.Min(l.widest, l.width+1/l.width)
	case l.cut.IsZero() || entered.After(l.cut):
		l.width = math.Max(1, l.width/2)
		l.cut = time.Now()
	}
	l.wake()
}

// wake lets in as many as there is room for; l.mu is held.
func (l *lane) wake() {
	for l.flying < int(l.width) && len(l.queue) > 0 {
		l.flying++
		close(l.queue[0])
		l.queue = l.queue[1:]
	}
}
