package planeql_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// inside is a simulator in the process: no socket, so what is asked of it and
// when is exact.
type inside struct {
	sim     *armsim.Simulator
	started atomic.Int64 // requests so far
	running atomic.Int64 // requests under way
}

// RoundTrip serves a request. What the simulator breaks off is an error as of a
// connection that broke.
func (s *inside) RoundTrip(r *http.Request) (response *http.Response, err error) {
	s.started.Add(1)
	s.running.Add(1)
	defer s.running.Add(-1)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &answerWriter{header: http.Header{}}
	served := r.Clone(r.Context())
	served.Host, served.TLS = r.URL.Host, &tls.ConnectionState{} // links are https
	if served.Body == nil {
		served.Body = http.NoBody
	}
	defer func() {
		switch broken := recover(); {
		case broken == nil:
		case !isAbort(broken):
			panic(broken)
		case r.Context().Err() != nil:
			response, err = nil, r.Context().Err()
		case w.status == 0:
			response, err = nil, io.ErrUnexpectedEOF
		default:
			response, err = w.response(r, io.MultiReader(&w.body, brokenOff{})), nil
		}
	}()
	s.sim.ServeHTTP(w, served)
	return w.response(r, &w.body), nil
}

// brokenOff is the end of a body that does not come.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// answerWriter keeps an answer.
type answerWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answerWriter) Header() http.Header { return w.header }

func (w *answerWriter) WriteHeader(status int) { w.status = status }

func (w *answerWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// Flush does nothing; without it the simulator could not break an answer off.
func (w *answerWriter) Flush() {}

func (w *answerWriter) response(r *http.Request, body io.Reader) *http.Response {
	return &http.Response{StatusCode: w.status, Header: w.header, ContentLength: -1, Body: io.NopCloser(body), Request: r}
}

// openInside opens a session on a simulator in the process.
func openInside(t testing.TB, service *inside, opts ...planeql.Option) *planeql.Session {
	t.Helper()
	base := planeql.WithTransport(func(o *transport.Options) { o.Base = service })
	return open(t, "https://inside", append(opts, base)...)
}

// everySession is the query of the estate with nothing bound.
const everySession = "SELECT id, sessionState FROM azure.desktop_virtualization.user_sessions"

// A service on its bad days gives all rows or an error that names the call, and
// never a part: 200 seeds of faults, with Retry-After as the service sends it.
func TestFaults(t *testing.T) {
	faults := armsim.Faults{
		Throttle: 0.05, Unavailable: 0.02, Reset: 0.01, Truncate: 0.01, Slow: 0.01,
		RetryAfter: time.Second, SlowBy: 200 * time.Millisecond,
	}
	seeds := 200
	if testing.Short() {
		seeds = 20
	}
	want := estateRows(t, &inside{sim: newSim(t, armsim.WithPageSize(5))})
	if len(want) != 120 {
		t.Fatalf("the estate has %d sessions", len(want))
	}
	var hurt, failed, retries atomic.Int64
	var runs sync.WaitGroup
	room := make(chan struct{}, 40) // they wait more than they work
	for n := range seeds {
		runs.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			hook := newFaults(t, faults, int64(n+1))
			s := openInside(t, &inside{sim: newSim(t, armsim.WithPageSize(5), armsim.WithHook(hook))})
			rows, summary, err := readAll(s, everySession)
			retries.Add(int64(summary.Retries))
			if summary.Retries > 0 {
				hurt.Add(1)
			}
			e := fault.As(err)
			switch {
			case err == nil && cmp.Equal(rows, want):
			case err == nil:
				t.Errorf("seed %d: %d rows and no error, want %d", n+1, len(rows), len(want))
			case e == nil || e.HTTP == nil || e.HTTP.URL == "" || e.Object == "":
				t.Errorf("seed %d: the error names no call: %s", n+1, printed(err))
			default:
				failed.Add(1)
			}
		})
	}
	runs.Wait()
	t.Logf("%d runs: %d met a fault, %d repetitions, %d failed and said so", seeds, hurt.Load(), retries.Load(), failed.Load())
	if hurt.Load() < int64(seeds)/2 {
		t.Errorf("only %d of %d runs met a fault", hurt.Load(), seeds)
	}
}

// newFaults gives a hook that hits requests at the rates, by a seed.
func newFaults(t testing.TB, f armsim.Faults, seed int64) func(*http.Request) armsim.Outcome {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	var mutex sync.Mutex
	return func(*http.Request) armsim.Outcome {
		mutex.Lock()
		at := random.Float64()
		mutex.Unlock()
		switch {
		case at < f.Throttle:
			return armsim.Outcome{Status: 429, Code: "TooManyRequests", Message: "slow down", Header: http.Header{"Retry-After": {fmt.Sprint(int(f.RetryAfter.Seconds()))}}}
		case at < f.Throttle+f.Unavailable:
			return armsim.Outcome{Status: 503, Code: "ServiceUnavailable", Message: "busy"}
		case at < f.Throttle+f.Unavailable+f.Reset:
			return armsim.Outcome{Reset: true}
		case at < f.Throttle+f.Unavailable+f.Reset+f.Truncate:
			return armsim.Outcome{Truncate: true}
		case at < f.Throttle+f.Unavailable+f.Reset+f.Truncate+f.Slow:
			return armsim.Outcome{Delay: f.SlowBy}
		}
		return armsim.Outcome{}
	}
}

func newSim(t testing.TB, opts ...armsim.Option) *armsim.Simulator {
	t.Helper()
	sim, err := armsim.New(opts...)
	if err != nil {
		t.Error(err)
	}
	return sim
}

// estateRows gives the rows of the estate's query in order.
func estateRows(t testing.TB, service *inside) []string {
	t.Helper()
	rows, _, err := readAll(openInside(t, service), everySession)
	if err != nil {
		t.Fatal(printed(err))
	}
	return rows
}

// readAll gives the rows of a statement as texts in order.
func readAll(s *planeql.Session, text string) (list []string, summary planeql.Summary, err error) {
	rows, err := s.Query(context.Background(), text)
	if err != nil {
		return nil, summary, err
	}
	defer rows.Close()
	for rows.Next() {
		list = append(list, fmt.Sprint(rows.Values()...))
	}
	slices.Sort(list)
	return list, rows.Summary(), rows.Err()
}

// isAbort tells whether a handler broke its connection off.
func isAbort(broken any) bool {
	err, ok := broken.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}
