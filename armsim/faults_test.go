package armsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

func TestParseFaults(t *testing.T) {
	got, err := ParseFaults("429=5%:3s, 503=0.02,500=1%,502=1%,504=1%,reset=1%,lose=2%,truncate=3%,slow=4%:200ms,html=1%," +
		"foreign=1%,endless=1%,empty=1%,deny=A,deny=B,vanish=hp-office,vanish=10%,")
	want := Faults{
		Throttle: 0.05, Unavailable: 0.02, Internal: 0.01, BadGateway: 0.01, Timeout: 0.01, Reset: 0.01, Lose: 0.02,
		Truncate: 0.03, Slow: 0.04, HTML: 0.01, Foreign: 0.01, Endless: 0.01, EmptyPage: 0.01,
		SlowBy: 200 * time.Millisecond, RetryAfter: 3 * time.Second,
		Deny: []string{"A", "B"}, Vanish: []string{"hp-office"}, VanishRate: 0.1,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for text, hint := range map[string]string{
		"429": "kind=rate", "429=": "kind=rate", "429=x": "rate", "429=110%": "rate", "429=-1%": "rate", "429=NaN": "rate",
		"slow=1%:soon": "duration", "slow=1%:-1s": "duration", "reset=1%:1s": "only 429 and slow", "rest=1%": "reset", "zz=1%": "kinds are",
	} {
		_, err := ParseFaults(text)
		if f := fault.As(err); f == nil || f.Code != fault.InvalidFlag || !strings.Contains(f.Hint, hint) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("429=5%:2s,deny=A,vanish=1%")
	f.Fuzz(func(t *testing.T, text string) {
		if faults, err := ParseFaults(text); err == nil && (faults.Throttle < 0 || faults.Throttle > 1) {
			t.Errorf("rate %v", faults.Throttle)
		}
	})
}

func TestFaultRatesFollowTheSeed(t *testing.T) {
	run := func(seed int64) (string, int) {
		s := newSim(t, WithSeed(seed), WithFaults(Faults{Throttle: 0.2, Unavailable: 0.1}))
		var b strings.Builder
		hit := 0
		for i := range 200 {
			a := ask(t, s, http.MethodGet, fmt.Sprintf("/subscriptions?api-version=2022-12-01&n=%d", i%50), "")
			fmt.Fprint(&b, a.StatusCode, " ")
			if a.StatusCode != http.StatusOK {
				hit++
			}
		}
		return b.String(), hit
	}
	first, hit := run(1)
	again, _ := run(1)
	other, _ := run(2)
	if first != again || first == other {
		t.Error("faults do not follow the seed")
	}
	if hit < 35 || hit > 90 {
		t.Errorf("%d of 200 requests are hit", hit)
	}
}

func TestFaultAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		faults Faults
		check  func(answer) bool
	}{
		"429": {Faults{Throttle: 1, RetryAfter: 7 * time.Second}, func(a answer) bool {
			return a.StatusCode == 429 && a.Header.Get("Retry-After") == "7" && a.code(t) == "TooManyRequests"
		}},
		"500": {Faults{Internal: 1}, func(a answer) bool { return a.StatusCode == 500 }},
		"502": {Faults{BadGateway: 1}, func(a answer) bool { return a.StatusCode == 502 }},
		"504": {Faults{Timeout: 1}, func(a answer) bool { return a.StatusCode == 504 }},
		"html": {Faults{HTML: 1}, func(a answer) bool {
			return a.Header.Get("Content-Type") == "text/html" && bytes.HasPrefix(a.text, []byte("<!"))
		}},
		"foreign": {Faults{Foreign: 1}, func(a answer) bool {
			return strings.HasPrefix(textOf(a.object(t), "nextLink"), "https://management.example.net"+officePool)
		}},
		"endless": {Faults{Endless: 1}, func(a answer) bool {
			return textOf(a.object(t), "nextLink") == "http://sim.test"+officePool+"/userSessions?"+version
		}},
		"empty": {Faults{EmptyPage: 1}, func(a answer) bool {
			value, ok := a.object(t)["value"].([]any)
			return ok && len(value) == 0 && textOf(a.object(t), "nextLink") != ""
		}},
	} {
		if a := ask(t, newSim(t, WithFaults(c.faults)), http.MethodGet, officePool+"/userSessions?"+version, ""); !c.check(a) {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
	item := ask(t, newSim(t, WithFaults(Faults{Foreign: 1})), http.MethodGet, officePool+"?"+version, "")
	if _, there := item.object(t)["nextLink"]; there {
		t.Error("an item got a next link")
	}
}

func TestVanishingParents(t *testing.T) {
	s := newSim(t, WithFaults(Faults{Vanish: []string{"HP-OFFICE"}}))
	pools, _ := all(t, s, production+"/providers/Microsoft.DesktopVirtualization/hostPools?"+version)
	if len(pools) != 3 {
		t.Errorf("pools %v", names(pools))
	}
	ask(t, s, http.MethodGet, officePool+"/sessionHosts?"+version, "").want(t, http.StatusNotFound)
	ask(t, s, http.MethodGet, avdPath+"/hostPools/hp-engineering/sessionHosts?"+version, "").want(t, http.StatusOK)
	every := newSim(t, WithFaults(Faults{VanishRate: 1}))
	ask(t, every, http.MethodGet, officePool+"/sessionHosts?"+version, "").want(t, http.StatusNotFound)
	ask(t, every, http.MethodGet, officeHost+"?"+version, "").want(t, http.StatusOK)
}

func TestSlowAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, WithLatency(time.Second), WithFaults(Faults{Slow: 1, SlowBy: 2 * time.Second}))
		start := time.Now()
		ask(t, s, http.MethodGet, "/subscriptions?api-version=2022-12-01", "").want(t, http.StatusOK)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestHook(t *testing.T) {
	var bodies []string
	s := newSim(t, WithHook(func(r *http.Request) Outcome {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(text))
		switch r.URL.Query().Get("do") {
		case "code":
			return Outcome{Status: 409, Code: "Busy", Message: "later", Header: http.Header{"X-Mine": {"1"}}}
		case "text":
			return Outcome{Status: 200, Body: []byte("[1]"), Header: http.Header{"Content-Type": {"text/plain"}}}
		case "rewrite":
			return Outcome{Rewrite: func(body []byte) []byte { return append(body, '\n') }}
		case "bare":
			return Outcome{Status: 503}
		}
		return Outcome{}
	}))
	target := "/subscriptions?api-version=2022-12-01&do="
	if a := ask(t, s, "GET", target+"code", ""); a.StatusCode != 409 || a.code(t) != "Busy" || a.Header.Get("X-Mine") != "1" {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	if a := ask(t, s, "GET", target+"text", ""); a.Header.Get("Content-Type") != "text/plain" || string(a.text) != "[1]" {
		t.Errorf("%v %s", a.Header, a.text)
	}
	if a := ask(t, s, "GET", target+"rewrite", ""); !bytes.HasSuffix(a.text, []byte("}\n")) {
		t.Errorf("%s", a.text)
	}
	if a := ask(t, s, "GET", target+"bare", ""); a.StatusCode != 503 || len(a.text) != 0 {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	ask(t, s, "PATCH", officeHost+"?"+version, `{"properties":{"allowNewSession":false}}`).want(t, 200)
	if last := bodies[len(bodies)-1]; !strings.Contains(last, "allowNewSession") {
		t.Errorf("the hook saw %q", last)
	}
}

// TestBrokenConnections uses a real connection, over which the breaks show.
func TestBrokenConnections(t *testing.T) {
	for name, start := range map[string]func(...Option) (*Server, error){
		"http": func(o ...Option) (*Server, error) { return Start("127.0.0.1:0", o...) },
		"tls":  func(o ...Option) (*Server, error) { return StartTLS("127.0.0.1:0", "", o...) },
	} {
		for kind, out := range map[string]Outcome{"reset": {Reset: true}, "lose": {Lose: true}, "truncate": {Truncate: true}} {
			t.Run(name+" "+kind, func(t *testing.T) { testBreak(t, start, kind, out) })
		}
	}
}

func testBreak(t *testing.T, start func(...Option) (*Server, error), kind string, out Outcome) {
	server, err := start(WithHook(func(*http.Request) Outcome { return out }))
	if err != nil {
		t.Fatal(err)
	}
	client := trusting(server)
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodDelete, server.URL+officeHost+"?force=true&"+version, nil)
	if kind == "truncate" {
		r, err = http.NewRequest(http.MethodGet, server.URL+officeHost+"?"+version, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer x")
	resp, err := client.Do(r)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		if closed := resp.Body.Close(); closed != nil {
			t.Error(closed)
		}
	}
	if err == nil {
		t.Error("the answer came whole")
	}
	_, there := server.Simulator.Object(officeHost)
	if there == (kind == "lose") {
		t.Errorf("after %s the host is there: %v", kind, there)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func TestThrottling(t *testing.T) {
	now := fixed()
	s := newSim(t, WithThrottling(true), WithClock(func() time.Time { return now }))
	target := officeHost + "?" + version
	for i := range 200 {
		a := ask(t, s, http.MethodPatch, target, "{}").want(t, http.StatusOK)
		if left := a.Header.Get("X-Ms-Ratelimit-Remaining-Subscription-Writes"); left != fmt.Sprint(199-i) {
			t.Fatalf("request %d leaves %s", i, left)
		}
	}
	a := ask(t, s, http.MethodPost, officePool+"/listRegistrationTokens?"+version, "").want(t, http.StatusTooManyRequests)
	if a.code(t) != "SubscriptionRequestsThrottled" || a.Header.Get("Retry-After") != "1" {
		t.Errorf("%s %v", a.text, a.Header)
	}
	ask(t, s, http.MethodGet, target, "").want(t, http.StatusOK)
	now = now.Add(time.Second)
	for range 10 {
		ask(t, s, http.MethodPatch, target, "{}").want(t, http.StatusOK)
	}
	ask(t, s, http.MethodPatch, target, "{}").want(t, http.StatusTooManyRequests)
	other := strings.ReplaceAll(target, ProductionSubscription, TestSubscription)
	ask(t, s, http.MethodPatch, other, "{}").want(t, http.StatusNotFound)
}

func TestCancelledRequestStopsWaiting(t *testing.T) {
	server, err := Start("127.0.0.1:0", WithLatency(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func TestErrorBodyIsJSON(t *testing.T) {
	if !json.Valid(errorBody("a\"b", "c\nd")) {
		t.Error("no JSON")
	}
}
