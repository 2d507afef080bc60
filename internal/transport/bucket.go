package transport

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limit is what is known of a limit that calls share at a service: a token
// bucket, which holds Burst calls and regains PerSecond. The zero Limit is none.
type Limit struct {
	Burst     float64
	PerSecond float64
	Holds     bool   // from the first call on; else once an answer tells what is left
	Remaining string // header of an answer: how many calls are left; empty: none
	Shared    string // header of an answer: how many are left of a larger bucket that other callers use too

	// What answers tell of the limit that a part of the calls has of its own, where it
	// has one: how many are left, or a list of policies, each with how many.
	PartRemaining, PartPolicies string
}

// ofPart gives the limit of a part of the calls: nothing of it is known until an
// answer tells, and what comes in a second is no more than the whole regains.
func (l Limit) ofPart() Limit {
	return Limit{Burst: l.Burst, PerSecond: l.PerSecond, Remaining: l.PartRemaining, PartPolicies: l.PartPolicies}
}

// left reads from an answer how many calls are left.
func (l Limit) left(h http.Header) (n float64, told bool) {
	if n, told = count(h, l.Remaining); told || l.PartPolicies == "" || l.PartRemaining != "" {
		return n, told
	}
	return leastOf(h, l.PartPolicies)
}

// spare tells whether an answer says that the limit is not used up.
func (l Limit) spare(h http.Header) bool {
	left, told := count(h, l.Remaining)
	shared, sharedTold := count(h, l.Shared)
	return told && left > 0 && (!sharedTold || shared > 0)
}

// agreeing is how many answers in a row have to show more calls than we count
// before they are believed: instances of a service that do not share a count
// contradict each other.
const agreeing = 8

// bucket is our account of a service's token bucket. The service's own count
// corrects it: downwards at once, upwards when it is sure. It is not safe for
// concurrent use.
type bucket struct {
	limit  Limit
	known  bool // it holds calls back
	tokens float64
	at     time.Time // when tokens was right
	seen   int64     // number of the newest call whose answer told a count
	run    int       // answers in a row that showed more than we count
	spare  float64   // by how much at least
}

// newBucket makes a full bucket.
func newBucket(l Limit) bucket {
	return bucket{limit: l, known: l.Holds && l.PerSecond > 0, tokens: l.Burst, at: time.Now()}
}

// refill adds what has come in. What the service said to hold beyond the
// published size stays, but does not grow.
func (b *bucket) refill(now time.Time) {
	if gone := now.Sub(b.at); gone > 0 {
		b.tokens = max(b.tokens, min(b.limit.Burst, b.tokens+gone.Seconds()*b.limit.PerSecond))
		b.at = now
	}
}

// wait gives the time until n calls more may be made.
func (b *bucket) wait(n int, now time.Time) time.Duration {
	if !b.known {
		return 0
	}
	b.refill(now)
	missing := float64(n) - b.tokens
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / b.limit.PerSecond * float64(time.Second)))
}

// take spends tokens, or gives unused ones back by a negative number.
func (b *bucket) take(n float64) {
	if b.known {
		b.tokens -= n
	}
}

// answered corrects the account by the answer to the call of a number. Calls
// that are under way may not be in the service's count yet, so they are taken
// off: to count some of them twice costs no more than a late start, since the
// service's bucket fills meanwhile. A call that others have overtaken says
// nothing of now.
func (b *bucket) answered(h http.Header, throttled bool, number int64, flying int) {
	if b.limit.PerSecond <= 0 {
		return
	}
	now := time.Now()
	b.refill(now)
	left, told := b.limit.left(h)
	shared, sharedTold := count(h, b.limit.Shared)
	if throttled && !told && b.known {
		b.lower(0)
	}
	if number <= b.seen || !told && !sharedTold {
		return
	}
	b.seen = number
	if told {
		b.correct(left - float64(flying))
	}
	if sharedTold && b.known {
		b.lower(shared - float64(flying))
	}
}

// correct takes over what the service counts.
func (b *bucket) correct(left float64) {
	if !b.known {
		b.known, b.tokens = true, left
		return
	}
	more := left - b.tokens
	if more <= 0 {
		b.lower(left)
		return
	}
	if b.run == 0 || more < b.spare {
		b.spare = more
	}
	if b.run++; b.run == agreeing {
		b.tokens += b.spare
		b.run = 0
	}
}

// lower corrects the account downwards.
func (b *bucket) lower(left float64) {
	if left < b.tokens {
		b.tokens, b.run = left, 0
	}
}

// count reads a number of calls from a header.
func count(h http.Header, name string) (float64, bool) {
	if name == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(h.Get(name)), 10, 53)
	return float64(n), err == nil
}

// leastOf reads the least number of a list of policies, such as
// Microsoft.Compute/GetVM3Min;107,Microsoft.Compute/GetVM30Min;695. The header may
// stand several times.
func leastOf(h http.Header, name string) (least float64, told bool) {
	for pair := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
		_, number, _ := strings.Cut(pair, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 53)
		if err == nil && (!told || float64(n) < least) {
			least, told = float64(n), true
		}
	}
	return least, told
}
