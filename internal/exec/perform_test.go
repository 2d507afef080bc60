package exec

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/journal"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/transport"
)

// said is one answer of a scripted service. A word in lost stands for an error
// of the network instead.
type said struct {
	status int
	body   string
	header string // name: value
	lost   string
	after  time.Duration
}

// errDial is a connection that was never there.
var errDial = &net.OpError{Op: "dial", Err: errors.New("connection refused")}

// acting is a service that answers to writes and to polls by scripts, the last
// answer again and again, and knows what it was asked.
type acting struct {
	write, poll, read []said

	mu    sync.Mutex
	asked map[string]int // by verb and path
}

func (s *acting) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	key := r.Method + " " + r.URL.Path
	list := s.read
	switch {
	case r.URL.Path == "/op":
		list = s.poll
	case r.Method != http.MethodGet:
		list = s.write
	}
	if len(list) == 0 {
		list = []said{{status: 200}}
	}
	a := list[min(s.asked[key], len(list)-1)]
	s.asked[key]++
	s.mu.Unlock()
	select {
	case <-time.After(a.after):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	switch a.lost {
	case "before":
		return nil, errDial
	case "after":
		return nil, errors.New("connection reset by peer")
	}
	h := http.Header{"X-Ms-Request-Id": {"req-1"}}
	if name, value, ok := strings.Cut(a.header, ": "); ok {
		h.Set(name, value)
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r}, nil
}

// writes gives how many writes the service saw.
func (s *acting) writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for key, count := range s.asked {
		if !strings.HasPrefix(key, "GET ") {
			n += count
		}
	}
	return n
}

// thingMethod is a method on one thing, which a get reads.
func thingMethod(verb string) *provider.Method {
	path := "/subscriptions/{subscriptionId}/resourceGroups/rg/providers/N.N/things/{name}"
	parameters := []provider.Parameter{{Name: "subscriptionId", In: provider.InPath, Required: true}, {Name: "name", In: provider.InPath, Required: true}}
	m := &provider.Method{Name: "write", HTTPMethod: verb, Server: "https://management.example", Path: path, Parameters: parameters}
	get := &provider.Method{Name: "get", HTTPMethod: "GET", ReadOnly: true, Server: m.Server, Path: path, Parameters: parameters}
	m.Resource = &provider.Resource{
		Provider: "azure", Service: "test", Name: "things", Family: provider.ARM, Methods: []*provider.Method{m, get},
		Verbs: map[provider.Verb][]*provider.Method{provider.Select: {get}},
	}
	get.Resource = m.Resource
	return m
}

func thingTargets(m *provider.Method, n int) []*target {
	var list []*target
	for i := range n {
		name := fmt.Sprintf("thing%d", i)
		call := provider.Call{Method: m, Arguments: []provider.Argument{{Name: "subscriptionId", Value: "s-1"}, {Name: "name", Value: name}}}
		list = append(list, &target{call: call, id: "/things/" + name})
	}
	return list
}

// runTargets makes the calls of a write whose targets are known.
func runTargets(ctx context.Context, env Env, w *plan.Write, targets []*target) (*Rows, error) {
	return (&frozen{write: w, env: env, meter: newMeter(), targets: targets}).run(ctx)
}

// recorded is an environment with files for records.
func recorded(t *testing.T, base http.RoundTripper) Env {
	folder := t.TempDir()
	r := Records{Audit: journal.NewAudit(filepath.Join(folder, "audit.jsonl")), Journal: journal.New(filepath.Join(folder, "state", "operations.jsonl")), Required: true, Statement: "sha256:1"}
	t.Cleanup(func() { r.Audit.Close(); r.Journal.Close() })
	return Env{Client: rest.New(transport.New(transport.Options{Base: base}), rest.Options{}), Records: r, Operations: &Operations{}}
}

// audited reads the audit as "record outcome".
func audited(t *testing.T, env Env) (lines []string) {
	t.Helper()
	env.Records.Audit.Close()
	for _, r := range jsonLines(t, env.Records.Audit.Path()) {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(r["record"])+" "+word(r["outcome"])))
	}
	return lines
}

func word(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func jsonLines(t *testing.T, path string) (records []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var r map[string]any
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		records = append(records, r)
	}
	return records
}

// faultyWrite is a write with which something goes wrong, and what is known of it
// in the end.
type faultyWrite struct {
	verb    string
	service *acting
	outcome string
	code    fault.Code
	writes  int
	journal string // outcome of the operation; "-": there is none
	timeout time.Duration
	cancel  time.Duration
}

// TestWrite_faults has what can go wrong with a write: each outcome says what is
// known, in the row, in the audit and in the journal, and nothing is called
// twice that may have happened once.
func TestWrite_faults(t *testing.T) {
	const link = "Location: /op?t=1&c=CAPABILITY&s=2&h=3"
	const failed = `{"status":"Failed","error":{"code":"Broken","message":"it broke"}}`
	for name, test := range map[string]faultyWrite{
		"done":                                 {"DELETE", &acting{write: []said{{status: 200}}}, "done", "", 1, "-", 0, 0},
		"429, then done":                       {"POST", &acting{write: []said{{status: 429, header: "Retry-After: 3"}, {status: 200}}}, "done", "", 2, "-", 0, 0},
		"503 of a post":                        {"POST", &acting{write: []said{{status: 503}}}, "unknown", fault.OutcomeUnknown, 1, "-", 0, 0},
		"503 of a patch":                       {"PATCH", &acting{write: []said{{status: 503}}}, "unknown", fault.OutcomeUnknown, 1, "-", 0, 0},
		"503 of a delete, then done":           {"DELETE", &acting{write: []said{{status: 503}, {status: 200}}}, "done", "", 2, "-", 0, 0},
		"503 of a delete for ever":             {"DELETE", &acting{write: []said{{status: 503}}}, "unknown", fault.OutcomeUnknown, 5, "-", 0, 0},
		"500 of a put, then done":              {"PUT", &acting{write: []said{{status: 500}, {status: 200}}}, "done", "", 2, "-", 0, 0},
		"reset before a post is sent":          {"POST", &acting{write: []said{{lost: "before"}, {status: 200}}}, "done", "", 2, "-", 0, 0},
		"reset before, for ever":               {"POST", &acting{write: []said{{lost: "before"}}}, "failed", fault.CannotConnect, 5, "-", 0, 0},
		"reset after a post is sent":           {"POST", &acting{write: []said{{lost: "after"}, {status: 200}}}, "unknown", fault.OutcomeUnknown, 1, "-", 0, 0},
		"reset after a patch is sent":          {"PATCH", &acting{write: []said{{lost: "after"}, {status: 200}}}, "unknown", fault.OutcomeUnknown, 1, "-", 0, 0},
		"reset after a delete is sent":         {"DELETE", &acting{write: []said{{lost: "after"}, {status: 404}}}, "done", "", 2, "-", 0, 0},
		"reset after a delete, then cancelled": {"DELETE", &acting{write: []said{{lost: "after"}, {status: 429, header: "Retry-After: 60"}}}, "unknown", fault.OutcomeUnknown, 2, "-", 0, 10 * time.Second},
		"refused":                              {"PUT", &acting{write: []said{{status: 400, body: `{"error":{"code":"Bad"}}`}}}, "failed", fault.Rejected, 1, "-", 0, 0},
		"deleted before":                       {"DELETE", &acting{write: []said{{status: 404, body: `{"error":{"code":"ResourceNotFound"}}`}}}, "gone", "", 1, "-", 0, 0},
		"its group is not there":               {"DELETE", &acting{write: []said{{status: 404, body: `{"error":{"code":"ResourceGroupNotFound"}}`}}}, "failed", fault.NotFound, 1, "-", 0, 0},
		"a page instead of an answer":          {"PUT", &acting{write: []said{{status: 200, body: "<html>sign in"}}}, "unknown", fault.ReplyInvalid, 1, "-", 0, 0},
		"cancelled before it is sent":          {"POST", &acting{write: []said{{status: 429, header: "Retry-After: 60"}}}, "not called", fault.Cancelled, 1, "-", 0, 10 * time.Second},
		"cancelled while it is under way":      {"POST", &acting{write: []said{{status: 200, after: time.Minute}}}, "unknown", fault.OutcomeUnknown, 1, "-", 0, 10 * time.Second},
		"out of time while it is under way":    {"PUT", &acting{write: []said{{status: 200, after: time.Minute}}}, "unknown", fault.OutcomeUnknown, 1, "-", 10 * time.Second, 0},
		"an operation":                         {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 202}, {status: 204}}}, "done", "", 1, "done", 0, 0},
		"an operation that fails":              {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 200, body: failed}}}, "failed", fault.Rejected, 1, "failed", 0, 0},
		"an operation that never ends":         {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 202}}}, "accepted", fault.StillRunning, 1, "", time.Hour, 0},
		"an operation that is left":            {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 202}}}, "accepted", fault.StillRunning, 1, "", 0, time.Minute},
		"a poll that is throttled":             {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 429, header: "Retry-After: 9"}, {status: 503}, {lost: "after"}, {status: 204}}}, "done", "", 1, "done", 0, 0},
		"polls that fail for ever":             {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 500}}}, "accepted", fault.StillRunning, 1, "", 0, 0},
		"a poll that gives 404 of a deletion":  {"DELETE", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 404}}, read: []said{{status: 404}}}, "done", "", 1, "done", 0, 0},
		"a poll that gives 404 of an action":   {"POST", &acting{write: []said{{status: 202, header: link}}, poll: []said{{status: 404}}}, "unknown", fault.OutcomeUnknown, 1, "unknown", 0, 0},
		"202 without a header of a deletion":   {"DELETE", &acting{write: []said{{status: 202}}, read: []said{{status: 200, body: "{}"}, {status: 404}}}, "done", "", 1, "done", 0, 0},
		"202 without a header of an action":    {"POST", &acting{write: []said{{status: 202}}}, "accepted", "", 1, "-", 0, 0},
		"an operation behind a lost answer":    {"PUT", &acting{write: []said{{lost: "after"}, {status: 409, body: `{"error":{"code":"Conflict"}}`}}}, "unknown", fault.OutcomeUnknown, 2, "-", 0, 0},
	} {
		t.Run(name, func(t *testing.T) { testFaultyWrite(t, test) })
	}
}

// checkRecords compares audit and journal with the outcome.
func checkRecords(t *testing.T, env Env, one *target, outcome, inJournal string) {
	t.Helper()
	lines := audited(t, env)
	if len(lines) < 2 || lines[0] != "call" || !slices.Contains(lines, "answer "+outcome) && !slices.Contains(lines, "operation "+outcome) {
		t.Errorf("the audit says %q", lines)
	}
	entries, err := env.Records.Journal.Entries()
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case inJournal == "-" && len(entries) == 0:
	case inJournal == "-" || len(entries) != 1 || entries[0].Outcome != inJournal || entries[0].ID != one.operation:
		t.Errorf("the journal has %+v, want an operation that is %q", entries, inJournal)
	}
}

// checkHint looks for what to do next: the statement that finds an outcome out,
// the command that picks an operation up.
func checkHint(t *testing.T, err error) {
	t.Helper()
	f := fault.As(err)
	switch {
	case f == nil:
	case f.Code == fault.OutcomeUnknown && !strings.Contains(f.Hint, "SELECT * FROM azure.test.things WHERE subscriptionId = 's-1' AND name = 'thing0'"):
		t.Errorf("no statement checks it: %s", f.Print())
	case f.Code == fault.StillRunning && !strings.Contains(f.Hint, "planeql operations wait op-"):
		t.Errorf("nothing picks it up: %s", f.Print())
	}
}

// TestWrite_noWait leaves operations and names them.
func TestWrite_noWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &acting{write: []said{{status: 202, header: "Location: /op"}}, poll: []said{{status: 204}}}
		env := recorded(t, service)
		m := thingMethod("DELETE")
		rows, err := runTargets(t.Context(), env, &plan.Write{Method: m, NoWait: true}, thingTargets(m, 3))
		if err != nil || rows.Failed > 0 || service.asked["GET /op"] > 0 {
			t.Fatalf("%v, %v, %v", rows, err, service.asked)
		}
		for rows.Next() {
			v := rows.Values()
			if v[1] != "accepted" || v[2] != int64(202) || !strings.HasPrefix(word(v[5]), "op-") {
				t.Errorf("%v", v)
			}
		}
		entries, err := env.Records.Journal.Find()
		if err != nil || len(entries) != 3 {
			t.Fatalf("%v, %v", entries, err)
		}
		rows, err = Resume(t.Context(), entries, []*provider.Method{m, m, m}, env)
		if err != nil || rows.Failed > 0 {
			t.Fatal(err)
		}
		if left, err := env.Records.Journal.Find(); err != nil || len(left) > 0 {
			t.Errorf("%v, %v", left, err)
		}
		lines := audited(t, env)
		if n := len(lines); n != 9 || lines[n-1] != "operation done" {
			t.Errorf("%q", lines)
		}
	})
}

// TestWrite_sideBySide waits for many operations at once, however few calls may
// be under way, and counts them.
func TestWrite_sideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &acting{write: []said{{status: 202, header: "Location: /op"}}, poll: []said{{status: 202, after: time.Minute}}}
		env := recorded(t, service)
		env.Concurrency = 2
		m := thingMethod("DELETE")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		counts := make(chan [2]int, 1)
		time.AfterFunc(9*time.Minute, func() {
			begun, running := env.Operations.Counts()
			counts <- [2]int{begun, running}
		})
		rows, err := runTargets(ctx, env, &plan.Write{Method: m}, thingTargets(m, 50))
		if err != nil || rows.Failed != 50 || <-counts != [2]int{50, 50} {
			t.Fatalf("%v, %d failed", err, rows.Failed)
		}
		for rows.Next() {
			continue
		}
		f := fault.As(rows.Err())
		if f == nil || f.Code != fault.StillRunning || f.Scope != fault.Service || !strings.Contains(f.Hint, "45 more") || !strings.Contains(f.Detail, "50 accepted") {
			t.Errorf("%v", rows.Err())
		}
	})
}

// TestWrite_patience leaves an operation after the time that the user gives it.
func TestWrite_patience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := recorded(t, &acting{write: []said{{status: 202, header: "Location: /op"}}, poll: []said{{status: 202}}})
		env.Wait = 5 * time.Minute
		m := thingMethod("DELETE")
		start := time.Now()
		_, err := runTargets(t.Context(), env, &plan.Write{Method: m}, thingTargets(m, 1))
		if f := fault.As(err); f == nil || f.Code != fault.StillRunning || time.Since(start) != env.Wait {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// TestWrite_visible waits until reading shows what was written.
func TestWrite_visible(t *testing.T) {
	for name, test := range map[string]struct {
		verb  string
		read  []said
		reads int
		warns bool
	}{
		"created":           {"PUT", []said{{status: 404}, {status: 404}, {status: 200, body: "{}"}}, 3, false},
		"deleted":           {"DELETE", []said{{status: 200}, {status: 404}}, 2, false},
		"created, not seen": {"PUT", []said{{status: 404}}, -1, true},
		"not readable":      {"PUT", []said{{status: 403}}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := &acting{write: []said{{status: 200}}, read: test.read}
				m := thingMethod(test.verb)
				targets := thingTargets(m, 1)
				rows, err := runTargets(t.Context(), recorded(t, service), &plan.Write{Method: m, Visible: true}, targets)
				if err != nil || targets[0].outcome() != "done" || (len(rows.Warnings()) > 0) != test.warns {
					t.Errorf("%v, %v", rows, err)
				}
				reads := 0
				for key, n := range service.asked {
					if strings.HasPrefix(key, "GET ") {
						reads += n
					}
				}
				if test.reads >= 0 && reads != test.reads {
					t.Errorf("%d reads, want %d", reads, test.reads)
				}
			})
		})
	}
}

// TestWrite_unrecorded calls nothing without a record.
func TestWrite_unrecorded(t *testing.T) {
	service := &acting{write: []said{{status: 200}}}
	env := recorded(t, service)
	env.Records.Audit = journal.NewAudit(filepath.Join(t.TempDir(), "a file\x00"))
	m := thingMethod("DELETE")
	targets := thingTargets(m, 3)
	if err := env.Records.ready(); fault.As(err) == nil || fault.As(err).Code != fault.RecordFailed {
		t.Errorf("ready: %v", err)
	}
	_, err := runTargets(t.Context(), env, &plan.Write{Method: m}, targets)
	if err != nil && fault.As(err).Code != fault.RecordFailed || service.writes() > 0 {
		t.Errorf("%v, %d writes", err, service.writes())
	}
	for _, one := range targets {
		if one.outcome() != "not called" {
			t.Errorf("%s: %v", one.outcome(), one.err)
		}
	}
	env = recorded(t, service)
	env.Records.Journal = journal.New(filepath.Join(t.TempDir(), "a file\x00"))
	if err := env.Records.ready(); fault.As(err) == nil || fault.As(err).Code != fault.RecordFailed {
		t.Errorf("ready: %v", err)
	}
}

// TestWrite_absent says so where nothing of a deletion was there.
func TestWrite_absent(t *testing.T) {
	env := recorded(t, &acting{write: []said{{status: 404}}})
	m := thingMethod("DELETE")
	rows, err := runTargets(t.Context(), env, &plan.Write{Method: m}, thingTargets(m, 3))
	if err != nil || rows.Failed > 0 || len(rows.Warnings()) != 1 || rows.Warnings()[0].Code != fault.ScopeGone {
		t.Errorf("%v, %v", rows.Warnings(), err)
	}
}
