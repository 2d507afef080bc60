package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// isOpen tells whether a turn has come.
func isOpen(turn <-chan struct{}) bool {
	select {
	case <-turn:
		return true
	default:
		return false
	}
}

// opened gives which of the turns have come, as text.
func opened(turns ...<-chan struct{}) string {
	var b strings.Builder
	for _, t := range turns {
		if isOpen(t) {
			b.WriteByte('x')
		} else {
			b.WriteByte('-')
		}
	}
	return b.String()
}

// The gate lets nothing through before rows are wanted, one call at first, those
// nearer to rows before the others, and twice as many each time.
func TestGate(t *testing.T) {
	g := newGate(4)
	var turns []<-chan struct{}
	for _, depth := range []int{1, 0, 1, 0, 0, 0, 0, 0, 0} {
		turns = append(turns, g.queue(depth))
	}
	check := func(step, want string) {
		t.Helper()
		if got := opened(turns...); got != want {
			t.Errorf("%s: %s, want %s", step, got, want)
		}
	}
	check("nobody waits", "---------")
	g.want()
	check("one at first", "-x-------")
	g.want()
	check("the same wish", "-x-------")
	g.leave(false)
	check("a call without rows", "-x-x-----")
	g.leave(true)
	check("the reader has rows", "-x-x-----")
	g.want()
	check("two", "-x-xxx---")
	g.leave(true)
	g.want()
	check("four, of which one is under way", "-x-xxxxxx")
	g.leave(true)
	g.leave(true)
	g.want()
	check("what is left, in their order", "xxxxxxxxx")
	var none *gate
	none.want()
	none.leave(true)
	if !isOpen(none.queue(3)) {
		t.Error("no gate holds a call back")
	}
}

// A queue gives what is put into it, in order, to its end or the reader's.
func TestTupleQueue(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		err  error
		stop int
		want string
	}{
		"whole": {nil, -1, "0 1 2 3"}, "error": {broken, -1, "0 1 2 3 broken"}, "a reader that stops": {nil, 2, "0 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newTupleQueue()
				go func() {
					for i := range 4 {
						q.add(textTuple(fmt.Sprint(i)))
						time.Sleep(time.Duration(i%2) * time.Second)
					}
					q.close(c.err)
				}()
				var got []string
				q.each(t.Context(), func(tu tuple, err error) bool {
					if err != nil {
						got = append(got, err.Error())
						return true
					}
					got = append(got, *tu.values[0])
					return len(got) != c.stop
				})
				time.Sleep(time.Minute) // the writer ends
				if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	newTupleQueue().each(ctx, func(_ tuple, err error) bool {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		return true
	})
}

func textTuple(text string) tuple { return tuple{values: []*string{&text}, fed: true} }

// A merger makes one call of what differs in case alone, none of NULL, and none
// that the statement does not ask for.
func TestMerger(t *testing.T) {
	text := func(s string) *string { return &s }
	p := &plan.Scan{Arguments: []string{"subscription", "name"}, Feed: &plan.Feed{
		Columns: []int{0, 1}, NoCase: []bool{true, false}, From: []int{-1, -1},
		Values: []*plan.Parameter{{}, {}},
	}}
	m := &merger{plan: p, constants: [][]*string{{nil, nil}, {text("B"), nil}}, noCase: []bool{true, false}, seen: map[string]bool{}}
	var got []string
	for _, row := range [][]*string{
		{text("a"), text("x")}, {text("A"), text("x")}, {text("A"), text("X")}, {nil, text("x")}, {text("b"), text("x")},
	} {
		if err := m.merge(row, func(tu tuple) { got = append(got, *tu.values[0]+*tu.values[1]) }); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"ax", "AX", "bx"}, got); diff != "" {
		t.Error(diff)
	}
	m = &merger{plan: p, constants: [][]*string{{text("B"), nil}}, seen: map[string]bool{}}
	m.merge([]*string{text("a"), text("x")}, func(tuple) { t.Error("a call that the statement does not ask for") })
}

// service answers in the process: a name to each page of a listing.
type service struct {
	calls   atomic.Int64
	running atomic.Int64
	answer  func(name, page string) (status int, body string, after time.Duration)
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls.Add(1)
	s.running.Add(1)
	defer s.running.Add(-1)
	status, body, after := s.answer(strings.TrimPrefix(r.URL.Path, "/"), r.URL.Query().Get("page"))
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// threePages is a listing of three pages, a second each; the item is the name
// and the number of the page.
func threePages(name, page string) (int, string, time.Duration) {
	next := map[string]string{"": "2", "2": "3"}[page]
	link := ""
	if next != "" {
		link = fmt.Sprintf(`, "nextLink": "https://service/%s?page=%s"`, name, next)
	}
	if page == "" {
		page = "1"
	}
	return 200, fmt.Sprintf(`{"value": ["%s%s"]%s}`, name, page, link), time.Second
}

// newTestScan makes a scan of the listings of names.
func newTestScan(ctx context.Context, s *service, env Env, names ...string) *scan {
	r := &provider.Resource{Provider: "p", Service: "s", Name: "r", Family: provider.ARM}
	m := &provider.Method{
		Resource: r, Name: "list", Verbs: []provider.Verb{provider.Select}, HTTPMethod: "GET", ReadOnly: true,
		Server: "https://service", Path: "/{name}", Parameters: []provider.Parameter{{Name: "name", In: provider.InPath, Required: true}},
		Response: provider.Response{ItemsPath: []string{"value"}},
	}
	env.Client = rest.New(transport.New(transport.Options{Base: s}), rest.Options{})
	sc := newScan(ctx, &plan.Scan{Method: m, Arguments: []string{"name"}}, newRun(ctx, env, nil))
	sc.tuples = func(yield func(tuple, error) bool) {
		for _, name := range names {
			if name == "broken" {
				yield(tuple{}, fault.New(fault.Forbidden, "no listing"))
				return
			}
			if !yield(textTuple(name), nil) {
				return
			}
		}
	}
	return sc
}

// readScan reads items up to a number, all for -1.
func readScan(sc *scan, stop int) (items []string, err error) {
	for len(items) != stop {
		b, err := sc.Next(sc.ctx)
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		for _, item := range b.Items {
			items = append(items, strings.Trim(string(item), `"`))
		}
	}
	return items, nil
}

// refuse answers for one name with a status.
func refuse(which string, status int, code string) func(string, string) (int, string, time.Duration) {
	return func(name, page string) (int, string, time.Duration) {
		if name == which {
			return status, `{"error": {"code": "` + code + `", "message": "no"}}`, 100 * time.Millisecond
		}
		return threePages(name, page)
	}
}

// A scan gives every page, those of one listing in their order, or an error, in
// time that is not that of calls one after another; its end leaves nothing.
func TestScan(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(string, string) (int, string, time.Duration)
		names  string
		env    Env
		gentle bool
		stop   int
		rows   int
		code   fault.Code // of the error
		lost   fault.Code // of the warning
		took   time.Duration
		calls  int64 // at most
	}{
		"side by side":         {threePages, "a b c d", Env{}, false, -1, 12, "", "", 3 * time.Second, 12},
		"two at once":          {threePages, "a b c d", Env{Concurrency: 2}, false, -1, 12, "", "", 6 * time.Second, 12},
		"gently":               {threePages, "a b c d", Env{}, true, -1, 12, "", "", 9 * time.Second, 12},
		"a reader that stops":  {threePages, "a b c d", Env{}, true, 1, 1, "", "", time.Second, 1},
		"refused":              {refuse("b", 403, "X"), "a b c", Env{}, false, -1, 0, fault.Forbidden, "", 100 * time.Millisecond, 3},
		"skipped":              {refuse("b", 403, "X"), "a b c", Env{Skip: true}, false, -1, 6, "", fault.PartialResult, 3 * time.Second, 7},
		"skipped, gently":      {refuse("a", 403, "X"), "a b c", Env{Skip: true}, true, -1, 6, "", fault.PartialResult, 9 * time.Second, 7},
		"gone":                 {refuse("b", 404, "ResourceNotFound"), "a b c", Env{}, false, -1, 6, "", fault.ScopeGone, 3 * time.Second, 7},
		"gone, gently":         {refuse("a", 404, "ResourceNotFound"), "a b c", Env{}, true, -1, 6, "", fault.ScopeGone, 9 * time.Second, 7},
		"no listing":           {threePages, "a b broken", Env{}, false, -1, 0, fault.Forbidden, "", 0, 2},
		"no listing, gently":   {threePages, "a b broken", Env{}, true, -1, 0, fault.Forbidden, "", 0, 1},
		"no credential":        {refuse("b", 401, "X"), "a b c", Env{Skip: true}, false, -1, 0, fault.Unauthenticated, "", 100 * time.Millisecond, 3},
		"nothing to be called": {threePages, "", Env{}, true, -1, 0, "", "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{answer: c.answer}
				sc := newTestScan(t.Context(), s, c.env, strings.Fields(c.names)...)
				if c.gentle {
					sc.gate = newGate(64)
				}
				start := time.Now()
				rows, err := readScan(sc, c.stop)
				took := time.Since(start)
				sc.Close()
				if s.running.Load() != 0 {
					t.Errorf("%d calls are under way", s.running.Load())
				}
				calls := s.calls.Load()
				time.Sleep(time.Minute)
				if e := fault.As(err); len(rows) != c.rows || (c.code == "") != (err == nil) || e != nil && e.Code != c.code {
					t.Errorf("%d rows, want %d; error %v", len(rows), c.rows, err)
				}
				if took > c.took || calls > c.calls || s.calls.Load() != calls {
					t.Errorf("it took %s and %d calls, want %s and %d; then %d more", took, calls, c.took, c.calls, s.calls.Load()-calls)
				}
				last := map[byte]byte{}
				for _, row := range rows {
					if row[1] != last[row[0]]+1 && last[row[0]] != 0 || last[row[0]] == 0 && row[1] != '1' {
						t.Errorf("the pages of a listing are out of order: %v", rows)
					}
					last[row[0]] = row[1]
				}
				if lost := sc.losses(); (len(lost) == 1) != (c.lost != "") || len(lost) > 0 && lost[0].Code != c.lost {
					t.Errorf("losses %v", lost)
				}
			})
		})
	}
}
