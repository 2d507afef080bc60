package armsim

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// corpus opens a file of the shared corpora, or skips the test where there are
// none.
func corpus(t *testing.T, parts ...string) []map[string]any {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	file, err := os.Open(filepath.Join(append([]string{root, "corpus"}, parts...)...))
	if err != nil {
		t.Skip("the shared corpus is not there")
	}
	defer func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}()
	var lines []map[string]any
	scan := bufio.NewScanner(file)
	scan.Buffer(nil, 16<<20)
	for scan.Scan() {
		doc, err := decodeObject(scan.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, doc)
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// seed stores the object with all above it that it needs.
func seed(t *testing.T, s *Simulator, id string, object map[string]any) {
	t.Helper()
	at, ok := parsePath(id)
	if !ok {
		t.Fatalf("id %s", id)
	}
	for n := 1; n < len(at.names); n++ {
		parent := at
		parent.types, parent.names = at.types[:n], at.names[:n]
		if _, there := s.Object(parent.key(n)); !there {
			seed(t, s, s.resourceID(parent), map[string]any{})
		}
	}
	if err := s.Put(id, object); err != nil {
		t.Fatal(err)
	}
}

// seedReferences stores the resources that a body refers to.
func seedReferences(t *testing.T, s *Simulator, value any) {
	t.Helper()
	switch v := value.(type) {
	case map[string]any:
		for _, e := range v {
			seedReferences(t, s, e)
		}
	case []any:
		for _, e := range v {
			seedReferences(t, s, e)
		}
	case string:
		if at, ok := parsePath(v); ok && strings.EqualFold(at.namespace, avd) && !at.collection() {
			if _, there := s.Object(v); !there {
				seed(t, s, v, map[string]any{})
			}
		}
	}
}

// TestOperationsOfMicrosoftsClient sends the request that Microsoft's client
// makes for each of the 80 operations, to a simulator that holds what the
// request speaks of, and expects a status that the client takes.
func TestOperationsOfMicrosoftsClient(t *testing.T) {
	seen := 0
	for _, line := range corpus(t, "wire", "armdesktopvirtualization.jsonl") {
		seen++
		t.Run(textOf(line, "operation"), func(t *testing.T) { testOperation(t, line) })
	}
	if seen != 80 {
		t.Errorf("%d operations", seen)
	}
}

func testOperation(t *testing.T, line map[string]any) {
	method, path := textOf(line, "method"), textOf(line, "path")
	body, _ := line["request_body"].(map[string]any)
	s := newSim(t, WithEstate(Empty), WithClock(func() time.Time { return dayBefore(body) }))
	at, _ := parsePath(path)
	if at.subscription != "" {
		s.addSubscription(Subscription{ID: at.subscription, Name: "Examples"})
		s.addGroup(at.subscription, Group{Name: firstOf(at.group, "rg")})
	}
	seedReferences(t, s, body)
	stored, _ := line["response_body"].(map[string]any)
	if _, list := stored["value"]; list || stored == nil {
		stored = map[string]any{}
	}
	switch {
	case at.collection() && len(at.names) > 0:
		at.types = at.types[:len(at.names)]
		seed(t, s, s.resourceID(at), map[string]any{"properties": map[string]any{}})
	case !at.collection() && method != http.MethodPut:
		seed(t, s, s.resourceID(at), stored)
	case !at.collection():
		seed(t, s, s.resourceID(at), map[string]any{})
		s.Remove(s.resourceID(at))
	}
	text := ""
	if body != nil {
		text = string(mustJSON(t, body))
	}
	a := ask(t, s, method, (&url.URL{Path: path}).EscapedPath()+"?"+textOf(line, "raw_query"), text)
	accepted, _ := line["accepted_statuses"].([]any)
	if !slices.Contains(accepted, any(json.Number(strings.Fields(a.Status)[0]))) {
		t.Fatalf("%s: %s", a.Status, a.text)
	}
	switch {
	case method == http.MethodGet && !at.collection() && len(stored) > 0:
		holds(t, "", stored, a.object(t))
	case method == http.MethodPut || method == http.MethodPatch:
		holds(t, "", body, a.object(t))
	}
}

// dayBefore gives a time at which the registration of a body is still ahead.
func dayBefore(body map[string]any) time.Time {
	p, _ := body["properties"].(map[string]any)
	info, _ := p["registrationInfo"].(map[string]any)
	at, err := time.Parse(time.RFC3339Nano, textOf(info, "expirationTime"))
	if err != nil {
		return fixed()
	}
	return at.Add(-24 * time.Hour)
}

// written lists members that the service writes in its own way.
var written = []string{"id", "name", "type", "systemData", "expirationTime", "hostPoolArmPath", "personalDesktopAssignmentType"}

// holds looks that every value of want is in got.
func holds(t *testing.T, path string, want, got any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %v is no object", path, got)
			return
		}
		for name, v := range w {
			if !slices.Contains(written, name) {
				holds(t, path+"."+name, v, g[name])
			}
		}
	default:
		if !same(t, want, got) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

// TestRecordedForms stores what recorded traffic of Azure Virtual Desktop has
// shown, asks for it as the recorded client did, and expects the same JSON.
func TestRecordedForms(t *testing.T) {
	compared := 0
	for _, file := range []string{"azure-powershell-avd.jsonl", "azure-cli-extensions.jsonl"} {
		for _, line := range corpus(t, "recorded", file) {
			link, err := url.Parse(textOf(line, "url"))
			if err != nil {
				t.Fatal(err)
			}
			at, ok := parsePath(link.Path)
			body, _ := line["body"].(map[string]any)
			if !ok || !strings.EqualFold(at.namespace, avd) || line["method"] != "GET" || body == nil || body["error"] != nil {
				continue
			}
			if newSim(t).routes.match(strings.Split(strings.Trim(link.Path, "/"), "/")) == nil {
				continue // a preview's resource
			}
			compared++
			t.Run(textOf(line, "method")+" "+at.kindKey(), func(t *testing.T) { testRecorded(t, link, body) })
		}
	}
	if compared < 10 {
		t.Errorf("only %d exchanges", compared)
	}
}

func testRecorded(t *testing.T, link *url.URL, body map[string]any) {
	s := newSim(t, WithEstate(Empty))
	items, list := body["value"].([]any)
	if !list {
		items = []any{body}
	}
	for _, item := range items {
		doc := item.(map[string]any)
		seed(t, s, textOf(doc, "id"), doc)
	}
	a := ask(t, s, http.MethodGet, link.RequestURI(), "").want(t, http.StatusOK)
	if !same(t, a.object(t), body) {
		t.Errorf("got  %s\nwant %s", a.text, mustJSON(t, body))
	}
}
