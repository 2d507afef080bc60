package transport

import (
	"math"
	"net/url"
	"sync"
	"time"
)

// lane holds the calls that share a limit of a service. What is published of
// the limit and what answers tell of it is kept in a bucket, which spaces the
// calls out. The width covers the rest, since limits differ from what is
// published and are used by others too: it is halved when the service throttles,
// and grows a little with each answer that it does not. Without it a wide
// fan-out would send the same calls into the same wall, each time as many at
// once.
type lane struct {
	widest   float64
	patience time.Duration // nobody waits for longer
	part     bool          // at full width it bounds nothing: the lane of the whole does

	mu     sync.Mutex
	width  float64
	flying int
	number int64     // calls let in so far
	unsure int64     // those of them that were let in before an answer told of the part's limit
	cut    time.Time // when the width was last halved
	opens  time.Time // no call before this: a call too early starts the wait anew
	bucket bucket
	queue  queue
	held   time.Time   // since when the limit has kept calls waiting; zero: it does not
	timer  *time.Timer // lets in those that wait for a time
}

// laneKey names a lane: an endpoint and, of its calls, those that share a limit,
// or the part of them that may have one of its own.
type laneKey struct{ origin, bucket, part string }

// newLane makes a lane at full width: only the service can tell that it is too
// wide.
func newLane(o Options, l Limit) *lane {
	widest := float64(o.Concurrency)
	return &lane{widest: widest, width: widest, patience: o.Patience, bucket: newBucket(l)}
}

// lanes finds those of a request, the narrow one first: who waits there must
// not take up room in the other. None where it shares no limit.
func (t *Transport) lanes(r *Request, u *url.URL) []*lane {
	if r.Bucket == "" {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	origin := Origin(u)
	outer := t.laneOf(laneKey{origin, r.Bucket, ""}, r.Limit)
	if r.Part == "" {
		return []*lane{outer}
	}
	inner := t.laneOf(laneKey{origin, r.Bucket, r.Part}, r.Limit.ofPart())
	return []*lane{inner, outer}
}

// laneOf finds a lane or makes it; t.mu is held.
func (t *Transport) laneOf(key laneKey, limit Limit) *lane {
	l := t.laneMap[key]
	if l == nil {
		l = newLane(t.options, limit)
		l.part = key.part != ""
		t.laneMap[key] = l
	}
	return l
}

// closed tells whether the service wants no calls now.
func (l *lane) closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.opens)
}

// outdated tells whether a call that has not been sent was let in before answers
// told of a limit that the part has of its own.
func (l *lane) outdated(t *turn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return t.number <= l.unsure
}

// join puts a call into the queue; it may be let in at once. Where the limit
// makes it wait, until tells how long that will be, as far as is known.
func (l *lane) join(group any, front bool) (t *turn, until time.Time) {
	t = newTurn(group)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue.push(t, front)
	l.admit()
	if t.number > 0 {
		return t, time.Time{}
	}
	until = l.opens
	if full := t.joined.Add(l.bucket.wait(l.queue.size, t.joined)); full.After(until) {
		until = full
	}
	if !until.After(t.joined) {
		until = time.Time{}
	}
	return t, until
}

// abandon takes a waiting call out of the queue, or gives back what it was given
// at the same moment.
func (l *lane) abandon(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.queue.remove(t) {
		l.unused()
		return
	}
	t.held = l.heldFor(t, time.Now())
	l.admit()
}

// retreat gives a place back that was not used.
func (l *lane) retreat() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unused()
}

func (l *lane) unused() {
	l.flying--
	l.bucket.take(-1)
	l.admit()
}

// leave makes room and learns from the outcome. Calls that were under way
// together when the service began to throttle are one sign of it and halve the
// width once. What never got an answer tells nothing, nor does a refusal that
// another lane is to blame for.
func (l *lane) leave(t *turn, o outcome, blamed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !o.tried {
		l.unused()
		return
	}
	l.flying--
	switch {
	case o.response == nil || o.throttled() && !blamed:
	case !o.throttled():
		l.width = math.Min(l.widest, l.width+1/l.width)
	case l.cut.IsZero() || t.entered.After(l.cut):
		l.width = math.Max(1, l.width/2)
		l.cut = time.Now()
	}
	if o.response != nil {
		known := l.bucket.known
		l.bucket.answered(o.response.Header, blamed, t.number, l.flying)
		if l.part && l.bucket.known && !known {
			l.unsure = l.number
		}
	}
	if blamed && l.opens.Before(o.retryAt) && time.Until(o.retryAt) <= l.patience {
		l.opens = o.retryAt
	}
	l.admit()
}

// wake is called when those that wait for a time may go on.
func (l *lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admit()
}

// admit lets in as many as may go, and sees to it that the next ones are when
// their time has come; l.mu is held.
func (l *lane) admit() {
	now := time.Now()
	for l.queue.size > 0 {
		if l.flying >= int(l.width) && !(l.part && l.width == l.widest) {
			l.rest(now, l.width < l.widest)
			return
		}
		if wait := max(l.opens.Sub(now), l.bucket.wait(1, now)); wait > 0 {
			l.rest(now, true)
			l.alarm(wait)
			return
		}
		t := l.queue.pop()
		l.bucket.take(1)
		l.flying++
		l.number++
		t.number, t.entered, t.held = l.number, now, l.heldFor(t, now)
		close(t.ready)
	}
	l.rest(now, false)
}

// rest notes that calls have to wait, or that none has to, for the limit.
func (l *lane) rest(now time.Time, limited bool) {
	if l.timer != nil {
		l.timer.Stop()
	}
	switch {
	case !limited:
		l.held = time.Time{}
	case l.held.IsZero():
		l.held = now
	}
}

// alarm wakes the lane after a time.
func (l *lane) alarm(wait time.Duration) {
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, l.wake)
		return
	}
	l.timer.Reset(wait)
}

// heldFor gives how long the limit has kept a call out, without the time that
// it waited for room alone.
func (l *lane) heldFor(t *turn, now time.Time) time.Duration {
	switch {
	case l.held.IsZero():
		return 0
	case l.held.After(t.joined):
		return now.Sub(l.held)
	}
	return now.Sub(t.joined)
}
