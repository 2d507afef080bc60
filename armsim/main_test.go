package armsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	production = "/subscriptions/" + ProductionSubscription
	westEurope = production + "/resourceGroups/rg-avd-prod-weu"
	avdPath    = westEurope + "/providers/Microsoft.DesktopVirtualization"
	officePool = avdPath + "/hostPools/hp-office"
	officeHost = officePool + "/sessionHosts/office-0.contoso.com"
	version    = "api-version=2024-04-03"
)

// fixed is the clock of tests that look at times.
func fixed() time.Time { return time.Date(2026, 3, 11, 9, 30, 0, 0, time.UTC) }

func newSim(t testing.TB, opts ...Option) *Simulator {
	t.Helper()
	s, err := New(append([]Option{WithClock(fixed)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answer is what a request came back with.
type answer struct {
	*http.Response
	text []byte
}

// ask sends a request straight into the handler.
func ask(t testing.TB, s *Simulator, method, target, body string, header ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "http://sim.test"+target, reader)
	r.Header.Set("Authorization", "Bearer token")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	resp := w.Result()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer{resp, text}
}

// want fails the test unless the status is the given one.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%d %s, want %d", a.StatusCode, a.text, status)
	}
	return a
}

func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	doc, err := decodeObject(a.text)
	if err != nil {
		t.Fatalf("%v in %s", err, a.text)
	}
	return doc
}

// code gives the code of ARM's error envelope.
func (a answer) code(t testing.TB) string {
	t.Helper()
	e, _ := a.object(t)["error"].(map[string]any)
	return textOf(e, "code")
}

// properties gives the properties of an object.
func properties(t testing.TB, doc map[string]any) map[string]any {
	t.Helper()
	p, ok := doc["properties"].(map[string]any)
	if !ok {
		t.Fatalf("no properties in %v", doc)
	}
	return p
}

// all follows the pages of a list and gives the items and the number of pages.
func all(t testing.TB, s *Simulator, target string) ([]map[string]any, int) {
	t.Helper()
	var items []map[string]any
	for pages := 1; ; pages++ {
		page := ask(t, s, http.MethodGet, target, "").want(t, http.StatusOK).object(t)
		value, ok := page["value"].([]any)
		if !ok {
			t.Fatalf("no list: %v", page)
		}
		for _, v := range value {
			items = append(items, v.(map[string]any))
		}
		next, _ := page["nextLink"].(string)
		if next == "" {
			return items, pages
		}
		if pages > 1000 {
			t.Fatal("the list does not end")
		}
		target = strings.TrimPrefix(next, "http://sim.test")
	}
}

func names(items []map[string]any) []string {
	var list []string
	for _, i := range items {
		list = append(list, textOf(i, "name"))
	}
	return list
}

// same compares two values by their JSON.
func same(t testing.TB, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
}
