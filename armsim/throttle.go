package armsim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// quotaKind is the kind of call that a token bucket counts.
type quotaKind string

// The kinds. A POST is a write, also where it only reads.
const (
	reads   quotaKind = "reads"
	writes  quotaKind = "writes"
	deletes quotaKind = "deletes"
)

// The buckets of Azure Resource Manager since 2024: size, and refill a second.
// A second bucket for all principals of a subscription together is larger by
// globalFactor.
var quotas = map[quotaKind]struct{ size, refill float64 }{
	reads: {250, 25}, writes: {200, 10}, deletes: {200, 10},
}

const globalFactor = 15

// quota gives the bucket that pays for the call.
func (c *call) quota() quotaKind {
	switch c.req.Method {
	case http.MethodGet, http.MethodHead:
		return reads
	case http.MethodDelete:
		return deletes
	}
	return writes
}

// buckets holds the token buckets of all subscriptions; the empty subscription
// is the tenant.
type buckets struct {
	mu   sync.Mutex
	have map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// newBuckets makes the account of a simulator, all buckets full.
func newBuckets() *buckets { return &buckets{have: map[string]*bucket{}} }

// take removes a token, if there is one, and gives what is left and how long the
// next token takes.
func (b *buckets) take(name string, kind quotaKind, now time.Time) (left float64, wait time.Duration, ok bool) {
	q := quotas[kind]
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.have[name]
	if at == nil {
		at = &bucket{tokens: q.size, at: now}
		b.have[name] = at
	}
	if gone := now.Sub(at.at); gone > 0 {
		at.tokens = math.Min(q.size, at.tokens+gone.Seconds()*q.refill)
		at.at = now
	}
	if at.tokens < 1 {
		return at.tokens, time.Duration((1 - at.tokens) / q.refill * float64(time.Second)), false
	}
	at.tokens--
	return at.tokens, 0, true
}

// takeToken charges the call to its bucket. Where throttling is not enforced
// every call finds a fresh bucket: a header that counts down to nothing while
// nothing is refused would slow down a client that believes it.
func (c *call) takeToken() (reply, bool) {
	kind := c.quota()
	left := quotas[kind].size - 1
	if c.sim.settings.throttling {
		rest, wait, ok := c.sim.buckets.take(strings.ToLower(c.target.subscription)+" "+string(kind), kind, c.now)
		if !ok {
			return c.throttled(kind, wait), false
		}
		left = rest
	}
	c.remaining = int(left)
	return reply{}, true
}

// throttled answers 429 in the words of ARM, with the time until the next token.
func (c *call) throttled(kind quotaKind, wait time.Duration) reply {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	rep := c.gateway(http.StatusTooManyRequests, "SubscriptionRequestsThrottled", fmt.Sprintf(
		"Number of '%s' requests for subscription '%s' actor '%s' exceeded. Please try again after '%d' seconds after additional tokens are available.",
		kind, c.target.subscription, c.sim.ids.derive("caller", 0), seconds))
	rep.header["Retry-After"] = strconv.Itoa(seconds)
	return rep
}

// quotaHeaders tells what is left of the caller's bucket and of that of all
// principals.
func (c *call) quotaHeaders(h http.Header) {
	if c.remaining < 0 {
		return // refused before it was charged
	}
	kind := c.quota()
	prefix := "X-Ms-Ratelimit-Remaining-Subscription-"
	if c.target.subscription == "" {
		h.Set("X-Ms-Ratelimit-Remaining-Tenant-"+string(kind), strconv.Itoa(c.remaining))
		return
	}
	spent := int(quotas[kind].size) - c.remaining
	h.Set(prefix+string(kind), strconv.Itoa(c.remaining))
	h.Set(prefix+"Global-"+string(kind), strconv.Itoa(int(quotas[kind].size)*globalFactor-spent))
}
