package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// limiter is a service with a token bucket, as Azure Resource Manager has one
// for each subscription: so many calls at once, then so many a second.
type limiter struct {
	mu      sync.Mutex
	tokens  float64
	burst   float64
	rate    float64
	last    time.Time
	refused int
}

func (l *limiter) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(200 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.tokens = min(l.burst, l.tokens+l.rate*now.Sub(l.last).Seconds())
	l.last = now
	if l.tokens < 1 {
		l.refused++
		return answer(429, "", "Retry-After", "1"), nil
	}
	l.tokens--
	return answer(200, "{}"), nil
}

// TestLane_fanOut brings a wide fan-out through a narrow limit: every call
// arrives, and not much later than the limit allows.
func TestLane_fanOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &limiter{tokens: 100, burst: 100, rate: 10, last: time.Now()}
		tr := New(Options{Base: service})
		start := time.Now()
		var group sync.WaitGroup
		for range 600 {
			group.Go(func() {
				r := get(there)
				r.Bucket = "s|read"
				response, err := tr.Do(t.Context(), r)
				if err != nil || response.Status != 200 {
					t.Errorf("%+v, %v", response, err)
				}
			})
		}
		group.Wait()
		ideal := 50 * time.Second
		if took := time.Since(start); took > ideal*3/2 {
			t.Errorf("took %s, the limit allows %s", took, ideal)
		}
		t.Logf("took %s, %d refusals", time.Since(start), service.refused)
	})
}

func TestLane_width(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(8)
		start := time.Now()
		for range 8 {
			if err := l.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		for range 4 {
			l.leave(start, true)
		}
		if l.width != 4 || l.flying != 4 {
			t.Errorf("width %v, %d under way: calls that went together halve once", l.width, l.flying)
		}
		for range 4 {
			l.leave(start, false)
		}
		if l.width <= 4 || l.width > 5.1 || l.flying != 0 {
			t.Errorf("width %v, %d under way", l.width, l.flying)
		}
		for range 200 {
			l.flying++
			l.leave(start, false)
		}
		if l.width != 8 {
			t.Errorf("width %v, want the widest again", l.width)
		}
	})
}

// TestLane_queue lets calls in by their order, and forgets those that gave up.
func TestLane_queue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(1)
		if err := l.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var order []int
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				time.Sleep(time.Duration(i+1) * time.Second)
				c := t.Context()
				if i == 1 {
					c = ctx
				}
				if err := l.enter(c); err != nil {
					if !errors.Is(err, context.Canceled) || i != 1 {
						t.Errorf("%d: %v", i, err)
					}
					return
				}
				order = append(order, i)
				l.leave(time.Now(), false)
			})
		}
		time.Sleep(10 * time.Second)
		cancel()
		synctest.Wait()
		l.leave(time.Now(), false)
		group.Wait()
		if len(order) != 3 || order[0] != 0 || order[1] != 2 || order[2] != 3 || l.flying != 0 || len(l.queue) != 0 {
			t.Errorf("order %v, %d under way, %d waiting", order, l.flying, len(l.queue))
		}
	})
}

func TestLane_none(t *testing.T) {
	var l *lane
	l.close(time.Now().Add(time.Hour))
	l.leave(time.Now(), true)
	if err := l.enter(t.Context()); err != nil || l.closed() > 0 {
		t.Error("a call without a limit is held back")
	}
}
