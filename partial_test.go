package planeql_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// The estate of these tests: three subscriptions with a pool each, of which the
// last has more sessions than ten pages hold.
const (
	brokenSubscription = "00000000-0000-0000-0000-000000000003"
	brokenPool         = "hp-3"
	pageOfTen          = 10
)

func threePools(opts ...armsim.Option) []armsim.Option {
	scenario := &armsim.Scenario{}
	for i, sessions := range []int{15, 25, 130} {
		scenario.Subscriptions = append(scenario.Subscriptions, armsim.Subscription{
			ID: fmt.Sprintf("00000000-0000-0000-0000-00000000000%d", i+1), Name: fmt.Sprintf("S%d", i+1),
			Groups: []armsim.Group{{Name: fmt.Sprintf("rg-%d", i+1), Pools: []armsim.Pool{{
				Name: fmt.Sprintf("hp-%d", i+1), MaxSessions: 200, Hosts: armsim.Hosts{Count: 2}, Sessions: sessions,
			}}}},
		})
	}
	return append([]armsim.Option{armsim.WithScenario(scenario), armsim.WithPageSize(pageOfTen)}, opts...)
}

// loss is a fault of a service and what has to become of it.
type loss struct {
	hook func() func(*http.Request) armsim.Outcome
	// What is not in the answer where the user allows that.
	lost string // SQL on the tables pools and sessions
	// The error, or the warning where losses are allowed.
	code                  fault.Code
	status                int
	service, says, object string
	attempts, exit        int
	place                 string // is in the URL
	detail                string // is in the printed form
	harmless              bool   // nothing is missing: no error, exit code 0, a warning all the same
	silent                bool   // not even a warning
	final                 bool   // no choice of the user lets it pass
}

const denial = "The client does not have authorization"

// below makes a hook for what lies below a place.
func below(place string, out armsim.Outcome) func() func(*http.Request) armsim.Outcome {
	return func() func(*http.Request) armsim.Outcome {
		return func(r *http.Request) armsim.Outcome {
			if strings.Contains(strings.ToLower(r.URL.Path+"/"), "/"+place+"/") {
				return out
			}
			return armsim.Outcome{}
		}
	}
}

// fromPage has the pages of a list from a number on fail for ever.
func fromPage(number int, path string, out armsim.Outcome) func() func(*http.Request) armsim.Outcome {
	return func() func(*http.Request) armsim.Outcome {
		var mutex sync.Mutex
		seen := map[string]bool{}
		return func(r *http.Request) armsim.Outcome {
			if !strings.Contains(strings.ToLower(r.URL.Path), path) {
				return armsim.Outcome{}
			}
			mutex.Lock()
			defer mutex.Unlock()
			if seen[r.URL.RawQuery] = true; len(seen) < number {
				return armsim.Outcome{}
			}
			return out
		}
	}
}

// pageForPeople is an answer for people.
func pageForPeople(status int) armsim.Outcome {
	return armsim.Outcome{
		Status: status, Header: http.Header{"Content-Type": {"text/html"}},
		Body: []byte("<html><head><title>Blocked by the firewall</title></head><body>no</body></html>"),
	}
}

const atOnce = "Retry-After-Ms" // a header, which keeps repetitions from taking time

var losses = map[string]loss{
	"a subscription that answers 403": {
		hook: below(brokenSubscription, armsim.Outcome{Status: 403, Code: "AuthorizationFailed", Message: denial}),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3'; DELETE FROM pools WHERE name = 'hp-3'",
		code: fault.Forbidden, status: 403, service: "AuthorizationFailed", says: denial, object: "host_pools.", attempts: 1, exit: 4,
		place: "/subscriptions/" + brokenSubscription + "/",
	},
	"a pool that vanishes": {
		hook: below("hostpools/"+brokenPool, armsim.Outcome{Status: 404, Code: "ResourceNotFound", Message: "gone"}),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3'",
		code: fault.ScopeGone, status: 404, service: "ResourceNotFound", says: "gone", object: "user_sessions.", attempts: 1,
		place: "/hostPools/" + brokenPool + "/", harmless: true,
	},
	"a page that fails after ten": {
		hook: fromPage(11, "/hp-3/usersessions", armsim.Outcome{Status: 500, Code: "InternalServerError", Message: "oops", Header: http.Header{atOnce: {"1"}}}),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3' AND number > 100",
		code: fault.ServiceFailed, status: 500, service: "InternalServerError", says: "oops", object: "user_sessions.", attempts: 5, exit: 7,
		place: "/hostPools/" + brokenPool + "/",
	},
	"a service that is down after ten pages": {
		hook: fromPage(11, "/hp-3/usersessions", armsim.Outcome{Status: 503, Code: "ServiceUnavailable", Message: "busy", Header: http.Header{atOnce: {"1"}}}),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3' AND number > 100",
		code: fault.ServiceFailed, status: 503, service: "ServiceUnavailable", says: "busy", object: "user_sessions.", attempts: 5, exit: 7,
		place: "/hostPools/" + brokenPool + "/",
	},
	"a page for people with 403": {
		hook: below(brokenSubscription, pageForPeople(403)),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3'; DELETE FROM pools WHERE name = 'hp-3'",
		code: fault.Forbidden, status: 403, says: "a page for people: Blocked by the firewall", object: "host_pools.", attempts: 1, exit: 4,
		place: "/subscriptions/" + brokenSubscription + "/", detail: "HTTPS_PROXY",
	},
	"a page for people with 404": { // not the service's word that the pool is gone
		hook: below("hostpools/"+brokenPool, pageForPeople(404)),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3'",
		code: fault.NotFound, status: 404, says: "a page for people: Blocked by the firewall", object: "user_sessions.", attempts: 1, exit: 6,
		place: "/hostPools/" + brokenPool + "/", detail: "HTTPS_PROXY",
	},
	"a page for people with 200": {
		hook: fromPage(11, "/hp-3/usersessions", pageForPeople(200)),
		lost: "DELETE FROM sessions WHERE pool = 'hp-3' AND number > 100",
		code: fault.ReplyInvalid, status: 200, object: "user_sessions.", attempts: 1, exit: 7,
		place: "/hostPools/" + brokenPool + "/", detail: "cannot be read",
	},
	"a token that expires in the middle": {hook: expiring("old"), silent: true, harmless: true},
	"a token that expires for good": {
		hook: expiring("old", "new"), code: fault.Unauthenticated, status: 401, service: "ExpiredAuthenticationToken", says: "expired",
		object: "desktop_virtualization.", attempts: 2, exit: 4, final: true,
	},
}

// expiring refuses tokens after the first three calls.
func expiring(tokens ...string) func() func(*http.Request) armsim.Outcome {
	return func() func(*http.Request) armsim.Outcome {
		var calls atomic.Int64
		return func(r *http.Request) armsim.Outcome {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			if calls.Add(1) <= 3 || !slices.Contains(tokens, token) {
				return armsim.Outcome{}
			}
			return armsim.Outcome{
				Status: 401, Code: "ExpiredAuthenticationToken", Message: "The access token has expired.",
				Header: http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}},
			}
		}
	}
}

// renewed is an environment whose token is another one each time it is asked for
// after the first.
func renewed() func(string) string {
	var asked atomic.Int64
	return func(name string) string {
		switch {
		case name != "TOKEN":
			return ""
		case asked.Add(1) == 1:
			return "old"
		}
		return "new"
	}
}

// questions read the estate in every way in which a part of it could pass for
// the whole. ‹P› and ‹U› stand for pools and sessions.
var questions = map[string]string{
	"listing":   "SELECT name FROM ‹U› ORDER BY ALL",
	"count":     "SELECT count(*) FROM ‹U›",
	"groups":    "SELECT sessionState, count(*) FROM ‹U› GROUP BY ALL ORDER BY ALL",
	"feeding":   "SELECT p.name, count(*) FROM ‹P› p JOIN ‹U› u ON u.subscriptionId = p.subscriptionId AND u.resourceGroupName = p.resourceGroupName AND u.hostPoolName = p.name GROUP BY ALL ORDER BY ALL",
	"left join": "SELECT p.name, count(u.name) FROM ‹P› p LEFT JOIN ‹U› u ON u.subscriptionId = p.subscriptionId AND u.resourceGroupName = p.resourceGroupName AND u.hostPoolName = p.name GROUP BY ALL ORDER BY ALL",
	"limit":     "SELECT count(*) FROM (SELECT name FROM ‹U› LIMIT 1000)",
	"offset":    "SELECT count(*) FROM (SELECT name FROM ‹U› LIMIT 1 OFFSET 160)",
	"exists":    "SELECT p.name FROM ‹P› p WHERE EXISTS (SELECT 1 FROM ‹U› u WHERE u.subscriptionId = p.subscriptionId AND u.resourceGroupName = p.resourceGroupName AND u.hostPoolName = p.name AND u.name = 'nobody') ORDER BY ALL",
	"in":        "SELECT count(*) FROM ‹U› WHERE hostPoolName IN (SELECT name FROM ‹P›)",
	"union":     "SELECT count(*) FROM (SELECT name FROM ‹P› UNION ALL SELECT name FROM ‹U›)",
	"twice":     "WITH u AS (SELECT * FROM ‹U›) SELECT count(*) FROM u a JOIN u b USING (id)",
	"window":    "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY name) AS n FROM ‹U›)",
	"table":     "CREATE TABLE made AS SELECT name FROM ‹U›",
	"view":      "CREATE MATERIALIZED VIEW made AS SELECT name FROM ‹U›",
}

var ofResources = strings.NewReplacer("‹P›", "azure.desktop_virtualization.host_pools", "‹U›", "azure.desktop_virtualization.user_sessions")
var ofTables = strings.NewReplacer("‹P›", "pools", "‹U›", "sessions")

// estateTables gives a session with the estate as tables of its own.
func estateTables(t *testing.T) *planeql.Session {
	t.Helper()
	_, url := simulator(t, threePools()...)
	s := open(t, url)
	must(t, s, "CREATE TABLE pools AS SELECT name, subscriptionId, resourceGroupName FROM azure.desktop_virtualization.host_pools")
	must(t, s, `CREATE TABLE sessions AS SELECT id, name, sessionState, subscriptionId, resourceGroupName, hostPoolName, hostPoolName AS pool,
		row_number() OVER (PARTITION BY hostPoolName) AS number FROM azure.desktop_virtualization.user_sessions`)
	if n := fmt.Sprint(must(t, s, "SELECT count(*) FROM sessions")); n != "[[170]]" {
		t.Fatalf("the estate has %s sessions", n)
	}
	return s
}

// A failed call fails the statement and is named, or is a named loss where the
// user allows it. A part never passes for the whole.
func TestPartial(t *testing.T) {
	for name, l := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tables := estateTables(t)
			if l.lost != "" {
				for text := range strings.SplitSeq(l.lost, "; ") {
					must(t, tables, text)
				}
			}
			for question, text := range questions {
				if testing.Short() && !slices.Contains([]string{"listing", "feeding", "table"}, question) {
					continue
				}
				t.Run(question, func(t *testing.T) {
					var want [][]any
					if !l.final {
						want = must(t, tables, ofTables.Replace(text))
						if strings.HasPrefix(text, "CREATE") {
							must(t, tables, "DROP "+map[string]string{"table": "TABLE", "view": "MATERIALIZED VIEW"}[question]+" made")
						}
					}
					l.check(t, ofResources.Replace(text), want)
				})
			}
		})
	}
}

// checkError holds the error of a statement to what is known of the call.
func (l loss) checkError(t *testing.T, err error) {
	t.Helper()
	e := fault.As(err)
	if e == nil {
		t.Fatalf("the error is %v, want %s", err, l.code)
	}
	l.compare(t, e, l.code)
}

// compare holds an error or a warning to what is known of the call.
func (l loss) compare(t *testing.T, e *planeql.Error, code fault.Code) {
	t.Helper()
	if e.HTTP == nil {
		t.Fatalf("no call is named:\n%s", e.Print())
	}
	h := *e.HTTP
	want := fault.HTTP{Method: "GET", URL: h.URL, Status: l.status, Code: l.service, Message: h.Message, RequestID: h.RequestID, Attempts: l.attempts, Waited: h.Waited}
	if diff := cmp.Diff(want, h); diff != "" || e.Code != code {
		t.Errorf("code %s, want %s; %s", e.Code, code, diff)
	}
	if !strings.Contains(h.Message, l.says) || !strings.Contains(h.URL, l.place) || h.RequestID == "" ||
		!strings.Contains(e.Object, l.object) || !strings.Contains(e.Print(), l.detail) {
		t.Errorf("wanted %q, %q, a request id, %q and %q in\n%s", l.says, l.place, l.object, l.detail, e.Print())
	}
}

// check runs a statement in each mode, by the package and by the command.
func (l loss) check(t *testing.T, text string, want [][]any) {
	for _, mode := range []string{"default", "skip", "set"} {
		_, url := simulator(t, threePools(armsim.WithHook(l.hook()))...)
		opts := []planeql.Option{planeql.WithEnvironment(renewed())}
		if mode == "skip" {
			opts = append(opts, planeql.WithOnError(planeql.Skip))
		}
		s := open(t, url, opts...)
		if mode == "set" {
			must(t, s, "SET on_error = 'skip'")
		}
		rows, warnings, err := read(t, s, text)
		if fails := l.final || !l.harmless && mode == "default"; fails {
			l.checkError(t, err)
			if left := must(t, s, "SHOW TABLES"); len(left) > 0 {
				t.Errorf("%s: %v was left behind", mode, left)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %s", mode, printed(err))
		}
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(rows)); diff != "" {
			t.Errorf("%s: rows: %s", mode, diff)
		}
		l.checkWarnings(t, s, warnings)
	}
	l.checkCommand(t, text)
}

// checkWarnings wants one warning for each call that failed.
func (l loss) checkWarnings(t *testing.T, s *planeql.Session, warnings []*planeql.Error) {
	t.Helper()
	code := fault.PartialResult
	if l.harmless {
		code = l.code
	}
	if l.silent != (len(warnings) == 0) {
		t.Errorf("%d warnings", len(warnings))
	}
	for _, w := range warnings {
		l.compare(t, w, code)
	}
	rows := must(t, s, "SELECT code, status, service_code, attempts, url, scope FROM planeql_warnings()")
	if len(rows) != len(warnings) {
		t.Fatalf("planeql_warnings() has %d rows, want %d", len(rows), len(warnings))
	}
	for i, w := range warnings {
		want := fmt.Sprint([]any{string(w.Code), w.HTTP.Status, orNull(w.HTTP.Code), w.HTTP.Attempts, w.HTTP.URL, w.Object})
		if got := fmt.Sprint(rows[i]); got != want {
			t.Errorf("planeql_warnings() has %s, want %s", got, want)
		}
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// checkCommand runs the statement by the program and looks at its exit code and
// at standard error.
func (l loss) checkCommand(t *testing.T, text string) {
	t.Helper()
	for flag, exit := range map[string]int{"fail": l.exit, "skip": 3} {
		kind := "error " + string(l.code)
		switch {
		case l.final:
			exit = l.exit
		case l.harmless:
			exit, kind = 0, "warning "+string(l.code)
		case flag == "skip":
			kind = "warning " + string(fault.PartialResult)
		}
		_, url := simulator(t, threePools(armsim.WithHook(l.hook()))...)
		var out bytes.Buffer
		code, errs := commandAs(t, renewed(), &out, url, "--on-error", flag, text)
		if code != exit || !l.silent && (!strings.Contains(errs, kind+": ") || !strings.Contains(errs, l.place)) {
			t.Errorf("--on-error %s: exit code %d, want %d and %q: %s", flag, code, exit, kind, errs)
		}
		if l.silent && strings.Contains(errs, "warning") {
			t.Errorf("--on-error %s: %s", flag, errs)
		}
	}
}

// read runs a statement to its end.
func read(t *testing.T, s *planeql.Session, text string) (list [][]any, warnings []*planeql.Error, err error) {
	t.Helper()
	rows, err := s.Query(t.Context(), text)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		list = append(list, slices.Clone(rows.Values()))
	}
	return list, rows.Warnings(), rows.Err()
}

// A place that the user named has to be there; an item that a get asks for need
// not; a group that is in one of the subscriptions is enough.
func TestPartial_named(t *testing.T) {
	const (
		pools    = "SELECT name FROM azure.desktop_virtualization.host_pools WHERE "
		sessions = "SELECT name FROM azure.desktop_virtualization.user_sessions WHERE "
		in1      = "subscriptionId = '00000000-0000-0000-0000-000000000001' AND resourceGroupName = 'rg-1'"
	)
	_, url := simulator(t, threePools()...)
	for _, c := range []struct {
		name, text    string
		code          fault.Code
		service       string
		fail, skip, n int // exit codes, rows of the answer
	}{
		{"subscription", pools + "subscriptionId = '00000000-0000-0000-0000-000000000009'", fault.NotFound, "SubscriptionNotFound", 6, 3, 0},
		{"one of two subscriptions", pools + "subscriptionId IN ('00000000-0000-0000-0000-000000000009', '00000000-0000-0000-0000-000000000001')", fault.NotFound, "SubscriptionNotFound", 6, 3, 1},
		{"group", pools + "subscriptionId = '00000000-0000-0000-0000-000000000001' AND resourceGroupName = 'rg-none'", fault.NotFound, "ResourceGroupNotFound", 6, 3, 0},
		{"parent", sessions + in1 + " AND hostPoolName = 'hp-none'", fault.NotFound, "ResourceNotFound", 6, 3, 0},
		{"parent that may be there", sessions + in1 + " AND hostPoolName IN ('hp-none', 'hp-1')", fault.NotFound, "ResourceNotFound", 6, 3, 15},
		{"parent of an item", sessions + in1 + " AND hostPoolName = 'hp-none' AND sessionHostName = 'x' AND userSessionId = '1'", fault.NotFound, "ParentResourceNotFound", 6, 3, 0},
		{"item", pools + in1 + " AND hostPoolName = 'hp-none'", "", "", 0, 0, 0},
		{"item or another", pools + in1 + " AND hostPoolName IN ('hp-none', 'hp-1')", "", "", 0, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := read(t, open(t, url), c.text)
			if e := fault.As(err); c.code == "" && err != nil || c.code != "" && (e == nil || e.Code != c.code || e.HTTP.Code != c.service || e.HTTP.RequestID == "") {
				t.Errorf("the error is %v, want %s", err, c.service)
			}
			rows, warnings, err := read(t, open(t, url, planeql.WithOnError(planeql.Skip)), c.text)
			if err != nil || len(rows) != c.n || (len(warnings) == 1) != (c.code != "") {
				t.Errorf("skip: %d rows, want %d; %d warnings; %v", len(rows), c.n, len(warnings), err)
			}
			for flag, want := range map[string]int{"fail": c.fail, "skip": c.skip} {
				if code, errs := command(t, io.Discard, url, "--on-error", flag, c.text); code != want {
					t.Errorf("--on-error %s: exit code %d, want %d: %s", flag, code, want, errs)
				}
			}
		})
	}
}
