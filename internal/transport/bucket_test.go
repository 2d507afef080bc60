package transport

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestBucket_corrections has what the service's own count does to ours.
func TestBucket_corrections(t *testing.T) {
	const shared = "x-ms-ratelimit-remaining-subscription-global-reads"
	limit := Limit{Burst: 250, PerSecond: 25, Holds: true, Remaining: left, Shared: shared}
	limit.PartRemaining, limit.PartPolicies = "x-ms-ratelimit-remaining-subscription-resource-requests", "x-ms-ratelimit-remaining-resource"
	part := limit.ofPart()
	policies := func(list ...string) http.Header {
		return http.Header{http.CanonicalHeaderKey(limit.PartPolicies): list}
	}
	unsure := limit
	unsure.Holds = false
	told := func(name string, n int) http.Header {
		h := http.Header{}
		h.Set(name, strconv.Itoa(n))
		return h
	}
	for name, test := range map[string]struct {
		limit     Limit
		spent     float64
		headers   []http.Header // of the answers to calls 1, 2, …; 3 calls more are under way at each
		throttled bool
		known     bool
		want      float64
	}{
		"fewer at once":                 {limit, 50, []http.Header{told(left, 103)}, false, true, 100},
		"more is not believed at once":  {limit, 200, []http.Header{told(left, 203)}, false, true, 50},
		"more when all agree":           {limit, 200, repeat(told(left, 203), agreeing), false, true, 200},
		"the least of what they say":    {limit, 200, append(repeat(told(left, 203), agreeing-1), told(left, 73)), false, true, 70},
		"not when they contradict":      {limit, 200, append(repeat(told(left, 203), agreeing-1), told(left, 13)), false, true, 10},
		"a larger bucket":               {limit, 200, repeat(told(left, 12002), agreeing), false, true, 11999},
		"fewer for all":                 {limit, 200, []http.Header{told(shared, 13)}, false, true, 10},
		"more for all says nothing":     {limit, 200, repeat(told(shared, 3749), 3*agreeing), false, true, 50},
		"a refusal without a count":     {limit, 200, []http.Header{{}}, true, true, 0},
		"a refusal for another reason":  {limit, 200, []http.Header{told(left, 203)}, true, true, 50},
		"no number":                     {limit, 200, []http.Header{{http.CanonicalHeaderKey(left): {"-1"}}}, false, true, 50},
		"not sure and not told":         {unsure, 200, []http.Header{{}}, true, false, 250},
		"not sure until told":           {unsure, 0, []http.Header{told(left, 103)}, false, true, 100},
		"not sure, told by all only":    {unsure, 0, []http.Header{told(shared, 103)}, false, false, 250},
		"the whole asks no policies":    {limit, 50, []http.Header{policies("P/a;3")}, false, true, 200},
		"a part, not told":              {part, 0, []http.Header{told(left, 3)}, false, false, 250},
		"a part, told":                  {part, 0, []http.Header{told(limit.PartRemaining, 7)}, false, true, 4},
		"a part, by policies":           {part, 0, []http.Header{policies("P/a;107,P/b;45", "P/c;46")}, false, true, 42},
		"a part, by a number first":     {part, 0, []http.Header{{http.CanonicalHeaderKey(limit.PartRemaining): {"9"}, http.CanonicalHeaderKey(limit.PartPolicies): {"P/a;5"}}}, false, true, 6},
		"a part, policies of no form":   {part, 0, []http.Header{policies("P/a", "5", "P/b;-1", "P/c;x")}, false, false, 250},
		"none published, whatever told": {Limit{}, 0, []http.Header{told(left, 3)}, true, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBucket(test.limit)
				b.take(test.spent)
				for i, h := range test.headers {
					b.answered(h, test.throttled, int64(i+1), 3)
				}
				if b.known != test.known || b.tokens != test.want {
					t.Errorf("known %v, %v left; want %v, %v", b.known, b.tokens, test.known, test.want)
				}
			})
		})
	}
}

func repeat(h http.Header, n int) []http.Header {
	list := make([]http.Header, n)
	for i := range list {
		list[i] = h
	}
	return list
}

// TestBucket_lateAnswers ignores the count of a call that others have overtaken:
// it says nothing of now.
func TestBucket_lateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(published(true))
		h := http.Header{}
		h.Set(left, "249")
		b.answered(h, false, 900, 1)
		before := b.tokens
		b.answered(h, false, 1, 999)
		if b.tokens != before {
			t.Errorf("%v left, was %v", b.tokens, before)
		}
	})
}

func TestBucket_refill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(published(true))
		b.take(250)
		if w := b.wait(50, time.Now()); w != 2*time.Second {
			t.Errorf("50 calls after %s", w)
		}
		time.Sleep(2 * time.Second)
		if w := b.wait(50, time.Now()); w != 0 {
			t.Errorf("50 calls after %s more", w)
		}
		time.Sleep(time.Hour)
		if b.wait(1, time.Now()); b.tokens != 250 {
			t.Errorf("%v in the bucket", b.tokens)
		}
		b.tokens = 400 // as the service said
		time.Sleep(time.Hour)
		if b.wait(1, time.Now()); b.tokens != 400 {
			t.Errorf("%v in the bucket", b.tokens)
		}
	})
}
