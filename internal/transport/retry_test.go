package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

const there = "https://management.azure.com/x"

// run sends a request to a service that gives the answers in turn, the last
// one for ever, and tells how long that took.
func run(t *testing.T, o Options, r Request, answers ...func() (*http.Response, error)) (*Response, int, time.Duration, error) {
	t.Helper()
	calls := 0
	o.Base = service(func(*http.Request) (*http.Response, error) {
		f := answers[min(calls, len(answers)-1)]
		calls++
		return f()
	})
	start := time.Now()
	response, err := New(o).Do(t.Context(), r)
	return response, calls, time.Since(start), err
}

func status(code int, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return answer(code, "{}", headers...), nil }
}

func failing(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

var (
	refusedErr = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	resetErr   = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// TestDo_repetition has the rule of what is sent again, by method and sign.
func TestDo_repetition(t *testing.T) {
	reading := Request{Method: http.MethodPost, URL: there, Idempotent: true}
	tests := map[string]struct {
		request Request
		first   func() (*http.Response, error)
		again   bool
		code    fault.Code // of the error where it is not sent again
	}{
		"GET 408":              {get(there), status(408), true, ""},
		"GET 429":              {get(there), status(429), true, ""},
		"GET 500":              {get(there), status(500), true, ""},
		"GET 502":              {get(there), status(502), true, ""},
		"GET 503":              {get(there), status(503), true, ""},
		"GET 504":              {get(there), status(504), true, ""},
		"GET 501":              {get(there), status(501), false, ""},
		"GET 404":              {get(there), status(404), false, ""},
		"GET 409":              {get(there), status(409), false, ""},
		"GET refused":          {get(there), failing(refusedErr), true, ""},
		"GET reset":            {get(there), failing(resetErr), true, ""},
		"GET no such host":     {get(there), failing(&net.DNSError{Name: "x", IsNotFound: true}), false, fault.CannotConnect},
		"GET name server slow": {get(there), failing(&net.DNSError{Name: "x", IsTimeout: true}), true, ""},
		"PUT 503":              {Request{Method: "PUT", URL: there}, status(503), true, ""},
		"PUT reset":            {Request{Method: "PUT", URL: there}, failing(resetErr), true, ""},
		"DELETE 500":           {Request{Method: "DELETE", URL: there}, status(500), true, ""},
		"POST 429":             {Request{Method: "POST", URL: there}, status(429), true, ""},
		"POST 503":             {Request{Method: "POST", URL: there}, status(503, "Retry-After", "1"), false, ""},
		"POST 500":             {Request{Method: "POST", URL: there}, status(500), false, ""},
		"POST refused":         {Request{Method: "POST", URL: there}, failing(refusedErr), true, ""},
		"POST reset":           {Request{Method: "POST", URL: there}, failing(resetErr), false, fault.OutcomeUnknown},
		"PATCH reset":          {Request{Method: "PATCH", URL: there}, failing(io.ErrUnexpectedEOF), false, fault.OutcomeUnknown},
		"PATCH 429":            {Request{Method: "PATCH", URL: there}, status(429), true, ""},
		"reading POST 503":     {reading, status(503), true, ""},
		"reading POST reset":   {reading, failing(resetErr), true, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				response, calls, _, err := run(t, Options{}, test.request, test.first, status(200))
				if again := calls == 2; again != test.again {
					t.Fatalf("%d calls, want it sent again: %v", calls, test.again)
				}
				if test.code != "" {
					wantFault(t, err, test.code, "")
				} else if err != nil {
					t.Fatal(err)
				}
				if test.again && (response.Status != 200 || response.Attempts != 2) {
					t.Errorf("%+v", response)
				}
			})
		})
	}
}

// TestDo_waits has the times that a service may ask for; none is undercut.
func TestDo_waits(t *testing.T) {
	date := func(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where a synctest bubble begins
	for name, test := range map[string]struct {
		headers  []string
		min, max time.Duration
	}{
		"seconds":                  {[]string{"Retry-After", "5"}, 5 * time.Second, 5300 * time.Millisecond},
		"fraction":                 {[]string{"Retry-After", "1.5"}, 1500 * time.Millisecond, 1600 * time.Millisecond},
		"milliseconds":             {[]string{"retry-after-ms", "700"}, 700 * time.Millisecond, 740 * time.Millisecond},
		"Azure's milliseconds":     {[]string{"x-ms-retry-after-ms", "250", "Retry-After", "9"}, 250 * time.Millisecond, 270 * time.Millisecond},
		"date":                     {[]string{"Retry-After", date(epoch.Add(20 * time.Second))}, 20 * time.Second, 21 * time.Second},
		"date of another clock":    {[]string{"Retry-After", date(epoch.Add(1000 * time.Second)), "Date", date(epoch.Add(990 * time.Second))}, 10 * time.Second, 11 * time.Second},
		"date that has passed":     {[]string{"Retry-After", date(epoch.Add(-time.Hour))}, 0, 500 * time.Millisecond},
		"zero":                     {[]string{"Retry-After", "0"}, 0, 500 * time.Millisecond},
		"nothing":                  {nil, 0, 500 * time.Millisecond},
		"text that is not a time":  {[]string{"Retry-After", "soon"}, 0, 500 * time.Millisecond},
		"negative":                 {[]string{"Retry-After", "-3"}, 0, 500 * time.Millisecond},
		"as long as patience just": {[]string{"Retry-After", "280"}, 280 * time.Second, 282 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				response, calls, took, err := run(t, Options{}, get(there), status(429, test.headers...), status(200))
				if err != nil || calls != 2 {
					t.Fatalf("%d calls, %v", calls, err)
				}
				if took < test.min || took > test.max {
					t.Errorf("waited %s, want %s to %s", took, test.min, test.max)
				}
				if response.Waited != took {
					t.Errorf("reported %s, waited %s", response.Waited, took)
				}
			})
		})
	}
}

func TestDo_backoffGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, calls, took, err := run(t, Options{Attempts: 12}, get(there), status(503))
		if err != nil || calls != 12 || response.Status != 503 || response.Attempts != 12 {
			t.Fatalf("%d calls, %+v, %v", calls, response, err)
		}
		// 0.5, 1, 2, 4, 8, 16 and five times 30 seconds at most.
		if took > 182*time.Second || took == 0 {
			t.Errorf("waited %s", took)
		}
		if response.GaveUp != "all 12 attempts were used" {
			t.Errorf("gave up since %q", response.GaveUp)
		}
	})
}

func TestDo_givesUpBeforeAWaitThatCannotHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, calls, took, err := run(t, Options{}, get(there), status(429, "Retry-After", "372"))
		if err != nil || calls != 1 || took != 0 {
			t.Fatalf("%d calls in %s, %v", calls, took, err)
		}
		if want := time.Now().Add(372 * time.Second); !response.RetryAt.Equal(want) || response.GaveUp == "" {
			t.Errorf("retry at %s since %q, want %s", response.RetryAt, response.GaveUp, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) { return answer(429, "", "Retry-After", "10"), nil })})
		start := time.Now()
		response, err = tr.Do(ctx, get(there))
		if err != nil || response.Status != 429 || time.Since(start) != 0 {
			t.Errorf("%+v, %v after %s", response, err, time.Since(start))
		}
	})
}

func TestDo_lastRealErrorIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, calls, took, err := run(t, Options{Attempts: 3}, get(there), status(503), status(429, "Retry-After", "2"), failing(resetErr))
		f := wantFault(t, err, fault.ConnectionLost, "connection reset")
		if calls != 4 || f.HTTP.Attempts != 4 || f.HTTP.Waited != took || took < 2*time.Second {
			t.Errorf("%d calls, %+v", calls, f.HTTP)
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Error("the cause is lost")
		}
	})
}

// TestDo_refusalsAreBoundedByTime goes on after any number of refusals: the
// service did nothing, so only the time that they cost counts.
func TestDo_refusalsAreBoundedByTime(t *testing.T) {
	refused := status(429, "Retry-After", "2")
	for name, test := range map[string]struct {
		patience time.Duration
		answers  []func() (*http.Response, error)
		status   int
		min, max int // calls
		gaveUp   string
	}{
		"until it is served":         {0, append(slices.Repeat([]func() (*http.Response, error){refused}, 40), status(200)), 200, 41, 41, ""},
		"until patience ends":        {time.Minute, []func() (*http.Response, error){refused}, 429, 20, 31, "times in"},
		"asked to come back at once": {time.Minute, []func() (*http.Response, error){status(429, "retry-after-ms", "1")}, 429, 6, 100, "times in"},
		"without a time":             {time.Minute, []func() (*http.Response, error){status(429)}, 429, 6, 100, "times in"},
		"failures keep their limit":  {0, []func() (*http.Response, error){refused, status(503), refused, status(503)}, 503, 7, 7, "all 7 attempts were used"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := Options{Patience: test.patience}
				response, calls, took, err := run(t, o, get(there), test.answers...)
				if err != nil || response.Status != test.status || calls < test.min || calls > test.max {
					t.Fatalf("%d calls, %+v, %v", calls, response, err)
				}
				if !strings.Contains(response.GaveUp, test.gaveUp) || (response.GaveUp == "") != (test.gaveUp == "") {
					t.Errorf("gave up since %q", response.GaveUp)
				}
				if response.Attempts != calls || response.Waited != took {
					t.Errorf("%d attempts, waited %s; want %d and %s", response.Attempts, response.Waited, calls, took)
				}
				if test.patience > 0 && took > test.patience {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// TestDo_gate holds calls of the same limit back while the service wants none:
// a call before that time makes it start anew.
func TestDo_gate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var early int
		var opens time.Time
		tr := New(Options{Base: service(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if opens.IsZero() {
				opens = time.Now().Add(10 * time.Second)
				return answer(429, "", "Retry-After", "10"), nil
			}
			if r.URL.Path == "/a" && time.Now().Before(opens) {
				early++
			}
			return answer(200, ""), nil
		})})
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				r := get("https://h/a")
				r.Bucket = "sub|read"
				if _, err := tr.Do(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		group.Go(func() {
			time.Sleep(time.Second)
			start := time.Now()
			if _, err := tr.Do(t.Context(), get("https://h/b")); err != nil || time.Since(start) > 0 {
				t.Errorf("a call of another limit waited %s, %v", time.Since(start), err)
			}
		})
		group.Wait()
		if early > 0 {
			t.Errorf("%d calls came before the time", early)
		}
	})
}

// TestDo_outOfTimeInLine reports what became of a call that was refused and then
// stood in line until the statement's time was over.
func TestDo_outOfTimeInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) {
			if calls++; calls == 1 {
				return answer(503, "", "Retry-After", "1"), nil
			}
			return answer(429, "", "Retry-After", "280"), nil
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		limited := get(there)
		limited.Bucket = "b"
		time.AfterFunc(500*time.Millisecond, func() {
			if _, err := tr.Do(ctx, limited); err != nil {
				t.Error(err) // it is refused for longer than there is time, and says so
			}
		})
		response, err := tr.Do(ctx, limited)
		if err != nil || response.Status != 503 || response.Attempts != 1 || !strings.Contains(response.GaveUp, "time for the statement") {
			t.Fatalf("%+v, %v", response, err)
		}
		if response.Waited != 20*time.Second || calls != 2 {
			t.Errorf("waited %s, %d calls", response.Waited, calls)
		}
		_, err = tr.Do(ctx, limited)
		wantFault(t, err, fault.Cancelled, "the time for the statement is over")
	})
}

// TestDo_waitsAndDuration keeps waits apart from the time that requests take.
func TestDo_waitsAndDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) {
			time.Sleep(300 * time.Millisecond)
			if calls++; calls == 1 {
				return answer(429, "", "Retry-After", "7"), nil
			}
			return answer(200, ""), nil
		})})
		limited := get(there)
		limited.Bucket, limited.Limit = "b", Limit{Burst: 2, PerSecond: 0.1, Holds: true}
		start := time.Now()
		response, err := tr.Do(t.Context(), limited)
		if err != nil || response.Duration != 600*time.Millisecond || response.Waited != time.Since(start)-response.Duration {
			t.Errorf("%+v, %v after %s", response, err, time.Since(start))
		}
		// The refusal emptied our account: ten seconds for the token.
		if response.Waited < 9*time.Second || tr.Stats().Waited != response.Waited {
			t.Errorf("waited %s, in all %s", response.Waited, tr.Stats().Waited)
		}
	})
}

func TestDo_cancelWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) { return answer(503, "", "Retry-After", "60"), nil })})
		start := time.Now()
		_, err := tr.Do(ctx, get(there))
		f := wantFault(t, err, fault.Cancelled, "interrupted")
		if f.Scope != fault.Interrupt || time.Since(start) != 3*time.Second {
			t.Errorf("scope %s after %s", f.Scope, time.Since(start))
		}
	})
}

// TestDo_cancelInFlight keeps apart what may have happened from what has not.
func TestDo_cancelInFlight(t *testing.T) {
	for name, test := range map[string]struct {
		request Request
		stop    func(context.Context) (context.Context, context.CancelFunc)
		code    fault.Code
		scope   fault.Scope
	}{
		"reading, interrupted": {get(there), interrupted, fault.Cancelled, fault.Interrupt},
		"reading, out of time": {get(there), outOfTime, fault.Cancelled, fault.Service},
		"writing, interrupted": {Request{Method: "POST", URL: there}, interrupted, fault.OutcomeUnknown, fault.Interrupt},
		"writing, out of time": {Request{Method: "DELETE", URL: there}, outOfTime, fault.OutcomeUnknown, fault.Service},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := test.stop(t.Context())
				defer cancel()
				tr := New(Options{Base: service(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})})
				_, err := tr.Do(ctx, test.request)
				if f := wantFault(t, err, test.code, ""); f.Scope != test.scope {
					t.Errorf("scope %s, want %s", f.Scope, test.scope)
				}
			})
		})
	}
}

func interrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(time.Second, cancel)
	return ctx, cancel
}

func outOfTime(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Second)
}

func TestDo_concurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		tr := New(Options{Concurrency: 4, Base: service(func(*http.Request) (*http.Response, error) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return answer(200, ""), nil
		})})
		start := time.Now()
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() {
				if _, err := tr.Do(t.Context(), get(there)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if most.Load() != 4 || time.Since(start) != 10*time.Second {
			t.Errorf("%d at once, %s in all", most.Load(), time.Since(start))
		}
	})
}

func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) {
			if calls++; calls == 1 {
				return answer(429, "12", "Retry-After", "7"), nil
			}
			return answer(200, "12345"), nil
		})})
		tally := NewTally(Limits{Calls: 3})
		ctx := WithTally(t.Context(), tally)
		time.AfterFunc(time.Second, func() {
			if s := tally.Stats(); s.WaitingFor != "management.azure.com" || time.Until(s.WaitUntil) < 6*time.Second {
				t.Errorf("while waiting: %+v", s)
			}
		})
		for range 2 {
			if _, err := tr.Do(ctx, get(there)); err != nil {
				t.Fatal(err)
			}
		}
		s := tally.Stats()
		if s.Calls != 3 || s.Retries != 1 || s.Throttled != 1 || s.Bytes != 12 || s.Waited < 7*time.Second || s.WaitingFor != "" {
			t.Errorf("%+v", s)
		}
		_, err := tr.Do(ctx, get(there))
		wantFault(t, err, fault.LimitReached, "--max-calls")
		if total := tr.Stats(); calls != 3 || total.Bytes != 12 {
			t.Errorf("%d calls were sent, in all %+v", calls, total)
		}
	})
}

func TestTally_budget(t *testing.T) {
	for name, test := range map[string]struct {
		limits Limits
		status int
	}{
		"repetitions of failures": {Limits{Retries: 2}, 503},
		"waits for failures":      {Limits{Wait: 25 * time.Second}, 503},
		"waits for refusals":      {Limits{Wait: 25 * time.Second}, 429},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				tr := New(Options{Base: service(func(*http.Request) (*http.Response, error) {
					calls++
					return answer(test.status, "", "Retry-After", "10"), nil
				})})
				response, err := tr.Do(WithTally(t.Context(), NewTally(test.limits)), get(there))
				if err != nil || calls != 3 || response.GaveUp == "" {
					t.Errorf("%d calls, %+v, %v", calls, response, err)
				}
			})
		})
	}
}

// TestTally_failures gives repetitions back as long as the service mostly works,
// and ends them where it does not.
func TestTally_failures(t *testing.T) {
	for name, test := range map[string]struct {
		limit int
		bad   int // of ten answers
		all   bool
	}{
		"some failures":           {20, 1, true},
		"nothing but failures":    {20, 10, false},
		"without a limit":         {-1, 4, true},
		"none but the default":    {0, 10, false},
		"failures are the most":   {20, 6, false},
		"too few to be a problem": {20, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				tr := New(Options{Attempts: 20, Base: service(func(*http.Request) (*http.Response, error) {
					if calls++; calls%10 < test.bad {
						return answer(503, ""), nil
					}
					return answer(200, ""), nil
				})})
				ctx := WithTally(t.Context(), NewTally(Limits{Retries: test.limit}))
				bad := 0
				for range 200 {
					response, err := tr.Do(ctx, get(there))
					if err != nil {
						t.Fatal(err)
					}
					if response.Status != 200 {
						bad++
					}
				}
				if (bad == 0) != test.all {
					t.Errorf("%d calls failed of 200, %d were sent", bad, calls)
				}
			})
		})
	}
}

// TestTally_waited counts waits side by side once.
func TestTally_waited(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var tally Tally
	for _, w := range []struct{ from, to, want int }{
		{0, 10, 10}, {5, 12, 12}, {20, 30, 22}, {25, 30, 22}, {29, 40, 32}, {50, 60, 42}, {11, 61, 61}, {61, 62, 62}, {62, 60, 62},
	} {
		tally.waited(at(w.from), at(max(w.from, w.to)), false)
		if got := tally.Stats().Waited; got != time.Duration(w.want)*time.Second {
			t.Errorf("after %d to %d: %s, want %d s", w.from, w.to, got, w.want)
		}
	}
	for i := range 1000 {
		tally.waited(at(100+2*i), at(101+2*i), false)
	}
	if len(tally.waits) > rememberedWaits || tally.Stats().Waited != 1062*time.Second {
		t.Errorf("%d spans, %s", len(tally.waits), tally.Stats().Waited)
	}
}
