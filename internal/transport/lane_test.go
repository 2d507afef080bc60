package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// limiter is a service with a token bucket, as Azure Resource Manager has one
// for each subscription: so many calls at once, then so many a second.
type limiter struct {
	terms

	mu      sync.Mutex
	tokens  float64
	last    time.Time
	served  int
	refused int
}

// terms are how a limiter behaves.
type terms struct {
	burst   float64
	rate    float64 // 0: nothing is refused, and each call finds a full bucket
	latency time.Duration
	tells   bool    // its answers have the header
	fails   float64 // part of the calls that it refuses without cause
	slow    float64 // part of the calls that take a minute
	spent   float64 // calls of others before
}

const left = "x-ms-ratelimit-remaining-subscription-reads"

func (l *limiter) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(l.latency / 2)
	status := l.take()
	count := max(0, int(l.tokens))
	l.mu.Unlock()
	wait := l.latency / 2
	if rand.Float64() < l.slow {
		wait += time.Minute
	}
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	a := answer(status, "{}")
	if status == http.StatusTooManyRequests {
		a.Header.Set("Retry-After", "1")
	}
	if l.tells {
		a.Header.Set(left, strconv.Itoa(count))
	}
	return a, nil
}

// take charges a call and gives the status; l.mu stays held.
func (l *limiter) take() int {
	l.mu.Lock()
	if l.last.IsZero() {
		l.last, l.tokens = time.Now(), l.burst-l.spent
	}
	now := time.Now()
	l.tokens = min(l.burst, l.tokens+l.rate*now.Sub(l.last).Seconds())
	l.last = now
	if l.tokens < 1 || rand.Float64() < l.fails {
		l.refused++
		return http.StatusTooManyRequests
	}
	if l.served++; l.rate > 0 {
		l.tokens--
	}
	return http.StatusOK
}

// reads makes a call of a subscription's limit.
func reads(l Limit) Request {
	r := get(there)
	r.Bucket, r.Limit = "azure|s|read", l
	return r
}

// published is the limit as a provider states it.
func published(holds bool) Limit {
	return Limit{Burst: 250, PerSecond: 25, Holds: holds, Remaining: left}
}

// drive sends calls side by side and gives the time that they took. Each of them
// has to succeed.
func drive(t testing.TB, tr *Transport, r Request, calls int) time.Duration {
	start := time.Now()
	var group sync.WaitGroup
	for range calls {
		group.Go(func() {
			response, err := tr.Do(t.Context(), r)
			if err != nil || response.Status != http.StatusOK {
				t.Errorf("%+v, %v", response, err)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

// TestLane_throttledService drives services with a bucket by more calls than it
// holds: all of them arrive, and not much later than the service allows.
func TestLane_throttledService(t *testing.T) {
	for name, test := range map[string]struct {
		service terms
		limit   Limit
		calls   int
		allowed float64 // part of the best possible rate that has to be reached
		refused float64 // part of the calls that may be refused
	}{
		"as published":                           {terms{burst: 250, rate: 25}, published(true), 2000, 0.9, 0.01},
		"as published, tells":                    {terms{burst: 250, rate: 25, tells: true}, published(true), 2000, 0.9, 0.01},
		"as published, tells, not sure at first": {terms{burst: 250, rate: 25, tells: true}, published(false), 2000, 0.9, 0.01},
		"as published, used by others before":    {terms{burst: 250, rate: 25, tells: true, spent: 150}, published(true), 2000, 0.9, 0.01},
		"lower":                                  {terms{burst: 100, rate: 10}, published(true), 2000, 0.8, 0.5},
		"lower, tells":                           {terms{burst: 100, rate: 10, tells: true}, published(true), 2000, 0.8, 0.1},
		"lower, tells, not sure at first":        {terms{burst: 100, rate: 10, tells: true}, published(false), 2000, 0.8, 0.1},
		"lower, nothing published":               {terms{burst: 100, rate: 10}, Limit{}, 2000, 0.8, 0.5},
		"higher, tells":                          {terms{burst: 4000, rate: 100, tells: true}, published(true), 4000, 0.5, 0.01},
	} {
		for _, latency := range []time.Duration{100 * time.Millisecond, time.Second} {
			t.Run(fmt.Sprintf("%s, %s", name, latency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					service := &limiter{terms: test.service}
					service.latency = latency
					tr := New(Options{Base: service})
					took := drive(t, tr, reads(test.limit), test.calls)
					best := seconds((float64(test.calls)-service.burst+service.spent)/service.rate) + latency
					best = max(best, time.Duration(test.calls/DefaultConcurrency)*latency)
					t.Logf("%.3f of what is allowed, %.3f refused", float64(best)/float64(took), float64(service.refused)/float64(test.calls))
					if float64(best)/float64(took) < test.allowed {
						t.Errorf("took %s, the service allows %s", took, best)
					}
					if part := float64(service.refused) / float64(test.calls); part > test.refused {
						t.Errorf("%.3f of the calls were refused", part)
					}
				})
			})
		}
	}
}

// TestLane_serviceWithoutLimits is not slowed down where its answers show that
// it has more to give, nor where nothing is said of a limit.
func TestLane_serviceWithoutLimits(t *testing.T) {
	for name, test := range map[string]struct {
		service terms
		limit   Limit
		most    time.Duration
	}{
		"full in each answer":             {terms{burst: 249, tells: true}, published(false), 2 * time.Second},
		"full in each answer, but sure":   {terms{burst: 249, tells: true}, published(true), 2 * time.Second},
		"larger in each answer, but sure": {terms{burst: 11999, tells: true}, published(true), 2 * time.Second},
		"silent":                          {terms{burst: 249}, published(false), 2 * time.Second},
		"some answers take a minute":      {terms{burst: 249, tells: true, slow: 0.005}, published(false), 150 * time.Second},
		"some refusals without cause":     {terms{burst: 249, tells: true, fails: 0.02}, published(false), 150 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := &limiter{terms: test.service}
				service.latency = 10 * time.Millisecond
				took := drive(t, New(Options{Base: service}), reads(test.limit), 5000)
				if t.Logf("took %s", took); took > test.most {
					t.Errorf("took %s, want %s at most", took, test.most)
				}
			})
		})
	}
}

func TestLane_width(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(Options{Concurrency: 8}, Limit{})
		var turns []*turn
		for range 8 {
			turn, until := l.join(nil, false)
			if turn.number == 0 || !until.IsZero() {
				t.Fatal("not let in")
			}
			turns = append(turns, turn)
		}
		time.Sleep(time.Second)
		no := outcome{tried: true, response: &Response{Status: 429}}
		yes := outcome{tried: true, response: &Response{Status: 200}}
		for i := range 4 {
			l.leave(turns[i], no, true)
		}
		if l.width != 4 || l.flying != 4 {
			t.Errorf("width %v, %d under way: calls that went together halve once", l.width, l.flying)
		}
		for i := range 4 {
			l.leave(turns[4+i], yes, false)
		}
		if l.width <= 4 || l.width > 5.1 || l.flying != 0 {
			t.Errorf("width %v, %d under way", l.width, l.flying)
		}
		for range 200 {
			turn, _ := l.join(nil, false)
			l.leave(turn, yes, false)
		}
		if l.width != 8 {
			t.Errorf("width %v, want the widest again", l.width)
		}
	})
}

// TestLane_closed keeps calls out for as long as the service wants none, unless
// that is longer than anybody waits.
func TestLane_closed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(Options{Concurrency: 8, Patience: time.Minute}, Limit{})
		refused := func(wait time.Duration) outcome {
			return outcome{tried: true, response: &Response{Status: 429}, retryAt: time.Now().Add(wait)}
		}
		turn, _ := l.join(nil, false)
		l.leave(turn, refused(10*time.Second), true)
		start := time.Now()
		turn, until := l.join(nil, false)
		if !until.Equal(start.Add(10 * time.Second)) {
			t.Errorf("closed until %s", until)
		}
		<-turn.ready
		if time.Since(start) != 10*time.Second || turn.held != 10*time.Second {
			t.Errorf("let in after %s, held for %s", time.Since(start), turn.held)
		}
		l.leave(turn, refused(time.Hour), true)
		if turn, _ = l.join(nil, false); turn.number == 0 {
			t.Error("a call waits for longer than it would by itself")
		}
	})
}

// TestLane_part closes the calls to one part of a service alone, where the
// service says that the limit of all is not used up; else all of them.
func TestLane_part(t *testing.T) {
	for told, want := range map[string]time.Duration{"200": 0, "0": 10 * time.Second, "": 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			tr := New(Options{Base: service(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path == "/busy" && time.Since(start) < 10*time.Second {
					return answer(429, "", "Retry-After", "10", left, told), nil
				}
				return answer(200, "", left, "200"), nil
			})})
			send := func(part string) time.Duration {
				r := reads(published(true))
				r.URL, r.Part = "https://h/"+part, part
				response, err := tr.Do(t.Context(), r)
				if err != nil || response.Status != 200 {
					t.Errorf("%+v, %v", response, err)
				}
				return time.Since(start)
			}
			var group sync.WaitGroup
			for range 70 {
				group.Go(func() { send("busy") })
			}
			group.Go(func() {
				time.Sleep(time.Millisecond)
				if took := send("other").Round(time.Second); took != want {
					t.Errorf("with %q left, another part waited %s, want %s", told, took, want)
				}
			})
			group.Wait()
		})
	}
}

// TestLane_partTold keeps to the limit that a resource provider has of its own, as
// its answers tell of it, while that of all calls is far from used up.
func TestLane_partTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &limiter{terms: terms{burst: 100, rate: 25}}
		tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond)
			status := own.take()
			list := "Microsoft.Compute/Other3Min;9999,Microsoft.Compute/GetVM3Min;" + strconv.Itoa(int(own.tokens))
			own.mu.Unlock()
			time.Sleep(50 * time.Millisecond)
			return answer(status, "{}", left, "3999", "x-ms-ratelimit-remaining-resource", list), nil
		})})
		limit := published(true)
		limit.PartPolicies = "x-ms-ratelimit-remaining-resource"
		r := reads(limit)
		r.Part = "microsoft.compute"
		took := drive(t, tr, r, 225)
		if own.refused > 0 || took < 5*time.Second || took > 9*time.Second {
			t.Errorf("%s, %d refused", took, own.refused)
		}
	})
}

// TestLane_waits tells a call's wait and its end, also where calls of a part of
// the service stand in line for the limit of the whole.
func TestLane_waits(t *testing.T) {
	for _, part := range []string{"", "p"} {
		synctest.Test(t, func(t *testing.T) {
			tr := New(Options{Base: &limiter{terms: terms{burst: 250, rate: 25, latency: 100 * time.Millisecond}}})
			tally := NewTally(Limits{})
			ctx := WithTally(t.Context(), tally)
			r := reads(published(true))
			r.Part = part
			start := time.Now()
			var longest time.Duration
			var mu sync.Mutex
			var group sync.WaitGroup
			for range 750 {
				group.Go(func() {
					response, err := tr.Do(ctx, r)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					longest = max(longest, response.Waited)
				})
			}
			time.Sleep(5 * time.Second)
			if s := tally.Stats(); s.WaitingFor == "" || s.WaitUntil.Sub(start).Round(time.Second) != 20*time.Second {
				t.Errorf("part %q: until %s: %+v", part, s.WaitUntil.Sub(start), s)
			}
			group.Wait()
			if s := tally.Stats(); longest < 18*time.Second || s.Waited < 18*time.Second || s.Waited > 21*time.Second {
				t.Errorf("part %q: a call waited %s, the statement %s", part, longest, s.Waited)
			}
		})
	}
}

// TestLane_abandoned leaves nothing of calls that gave up, neither while they
// wait for room nor while they wait for a time.
func TestLane_abandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &limiter{terms: terms{burst: 250, rate: 25, latency: time.Second}}
		tr := New(Options{Base: service})
		ctx, cancel := context.WithTimeout(t.Context(), 12500*time.Millisecond)
		defer cancel()
		tally := NewTally(Limits{})
		var group sync.WaitGroup
		for range 2000 {
			group.Go(func() {
				_, err := tr.Do(WithTally(ctx, tally), reads(published(true)))
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		l := tr.lanes(&Request{Bucket: reads(Limit{}).Bucket}, mustParse(there))[0]
		h := tr.host(mustParse(there))
		if l.flying != 0 || l.queue.size != 0 || len(l.queue.order) != 0 || len(l.queue.lines) != 0 {
			t.Errorf("%d under way, queue %+v", l.flying, l.queue)
		}
		if h.free != DefaultConcurrency || h.queue.size != 0 {
			t.Errorf("%d free, queue %+v", h.free, h.queue)
		}
		if s := tally.Stats(); s.WaitingFor != "" || s.Waited > 12500*time.Millisecond || s.Waited < 5*time.Second {
			t.Errorf("%+v", s)
		}
		sent := tr.Stats().Calls
		time.Sleep(time.Hour)
		if l.timer != nil && l.timer.Stop() {
			t.Error("a timer runs for nobody")
		}
		if tr.Stats().Calls != sent {
			t.Error("calls were sent after the end")
		}
	})
}

// TestLane_fair serves a short scan in turn with a long one that came before it,
// where the service's limit holds both back and where the host's bound does.
func TestLane_fair(t *testing.T) {
	for name, test := range map[string]struct {
		request Request
		service *limiter
		after   time.Duration // when the short scan may be done at the latest
	}{
		"limit of the service": {reads(Limit{Burst: 10, PerSecond: 10, Holds: true}), &limiter{terms: terms{burst: 1e9, latency: time.Millisecond}}, 4500 * time.Millisecond},
		"room at the host":     {get(there), &limiter{terms: terms{burst: 1e9, latency: time.Second}}, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := New(Options{Base: test.service, Concurrency: 8})
				start := time.Now()
				var group sync.WaitGroup
				send := func(key any, calls int) {
					var scan sync.WaitGroup
					for range calls {
						scan.Go(func() {
							if _, err := tr.Do(WithGroup(t.Context(), key), test.request); err != nil {
								t.Error(err)
							}
						})
					}
					scan.Wait()
					if took := time.Since(start); key == "short" && took > test.after {
						t.Errorf("the short scan took %s", took)
					}
				}
				group.Go(func() { send("long", 400) })
				group.Go(func() {
					time.Sleep(10 * time.Millisecond)
					send("short", 20)
				})
				group.Wait()
			})
		})
	}
}

func TestQueue(t *testing.T) {
	var q queue
	var names = map[*turn]string{}
	add := func(group any, name string, front bool) *turn {
		turn := newTurn(group)
		names[turn] = name
		q.push(turn, front)
		return turn
	}
	add("a", "a1", false)
	gone := add("a", "a2", false)
	add("a", "a3", false)
	add("b", "b1", false)
	add(nil, "n1", false)
	alone := add("c", "c1", false)
	add("b", "b2", false)
	add("a", "a0", true)
	if !q.remove(gone) || q.remove(gone) || !q.remove(alone) || q.remove(newTurn("z")) {
		t.Error("removed what is not there, or not what is")
	}
	var order []string
	for q.size > 0 {
		order = append(order, names[q.pop()])
	}
	if want := []string{"a0", "b1", "n1", "a1", "b2", "a3"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if len(q.order) != 0 || len(q.lines) != 0 {
		t.Errorf("left %+v", q)
	}
}

func TestWithGroup(t *testing.T) {
	if groupOf(WithGroup(t.Context(), []int{1})) != nil {
		t.Error("a key that cannot be compared makes no group")
	}
	if groupOf(WithGroup(t.Context(), 7)) != 7 || groupOf(t.Context()) != nil {
		t.Error("the group is lost")
	}
}

// TestDo_cancelAnywhere ends a statement at any moment: no call is sent after
// that, nothing is left in line, and other statements are served.
func TestDo_cancelAnywhere(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			limited := &limiter{terms: terms{burst: 40, rate: 20, latency: 100 * time.Millisecond, tells: rand.N(2) == 0, fails: 0.05}}
			ctx, cancel := context.WithCancel(t.Context())
			tr := New(Options{Concurrency: 8, Base: service(func(r *http.Request) (*http.Response, error) {
				if r.Header.Get("Of") == "ended" && ctx.Err() != nil {
					t.Error("a call was sent after the end")
				}
				return limited.RoundTrip(r)
			})})
			send := func(ctx context.Context, of string, calls int) *sync.WaitGroup {
				var group sync.WaitGroup
				for range calls {
					group.Go(func() {
						r := reads(Limit{Burst: 50, PerSecond: 25, Holds: true, Remaining: left})
						r.Part = []string{"", "a", "b"}[rand.N(3)]
						r.Header = http.Header{"Of": {of}}
						_, err := tr.Do(WithGroup(ctx, of), r)
						if err != nil && (of != "ended" || !errors.Is(err, context.Canceled)) {
							t.Error(err)
						}
					})
				}
				return &group
			}
			ended, other := send(ctx, "ended", 100), send(t.Context(), "other", 20)
			time.Sleep(rand.N(6 * time.Second))
			cancel()
			ended.Wait()
			other.Wait()
			for key, l := range tr.laneMap {
				if l.flying != 0 || l.queue.size != 0 || len(l.queue.lines) != 0 {
					t.Errorf("left in %v: %d under way, %+v", key, l.flying, l.queue)
				}
			}
			if h := tr.host(mustParse(there)); h.free != 8 || h.queue.size != 0 {
				t.Errorf("left: %d free, %+v", h.free, h.queue)
			}
		})
	}
}
