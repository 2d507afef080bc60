package rest

import (
	"bufio"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/transport"
)

// corpus reads the records of a folder of shared test data; the test is skipped
// where there is none.
func corpus[T any](t *testing.T, folder string) iter.Seq[T] {
	t.Helper()
	shared := os.Getenv("PLANEQL_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(shared, "corpus", folder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Skip("no shared corpus: set PLANEQL_SHARED")
	}
	return func(yield func(T) bool) {
		for _, name := range files {
			if !each(t, name, yield) {
				return
			}
		}
	}
}

func each[T any](t *testing.T, name string, yield func(T) bool) bool {
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var record T
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !yield(record) {
			return false
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return true
}

type recorded struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// bytes gives the body as it was on the wire: text was recorded as a string.
func (r recorded) bytes() []byte {
	var text string
	if json.Unmarshal(r.Body, &text) == nil {
		return []byte(text)
	}
	if string(r.Body) == "null" {
		return nil
	}
	return r.Body
}

func (r recorded) header() http.Header {
	h := http.Header{}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	return h
}

// TestRecorded_errors reads status, code and message of every recorded error.
func TestRecorded_errors(t *testing.T) {
	count := 0
	for r := range corpus[recorded](t, "recorded") {
		if r.Status < 400 || len(r.bytes()) == 0 {
			continue
		}
		count++
		e := parseError(r.header().Get("Content-Type"), r.bytes())
		if e.Message == "" || e.Code == "" && json.Valid(r.bytes()) && len(r.bytes()) > 2 && r.bytes()[0] == '{' {
			t.Errorf("%d %s: code %q, message %q of %s", r.Status, r.URL, e.Code, e.Message, r.bytes())
		}
		f := refusal(listMethod(), transport.Request{Method: r.Method, URL: r.URL},
			&transport.Response{Status: r.Status, Header: r.header(), Body: r.bytes(), Attempts: 1})
		if f.HTTP.Status != r.Status || f.HTTP.Code != e.Code || f.HTTP.Message != e.Message || f.Object == "" {
			t.Errorf("%d became %+v", r.Status, f.HTTP)
		}
	}
	if count == 0 {
		t.Error("no recorded errors")
	}
	t.Logf("%d errors read", count)
}

// TestRecorded_lists splits every recorded list and compares with what
// encoding/json sees.
func TestRecorded_lists(t *testing.T) {
	l := layoutOf(listMethod())
	next := l.mark([]string{"nextLink"})
	count, rows, links := 0, 0, 0
	for r := range corpus[recorded](t, "recorded") {
		var list struct {
			Value    []json.RawMessage `json:"value"`
			NextLink string            `json:"nextLink"`
		}
		if r.Status != 200 || json.Unmarshal(r.bytes(), &list) != nil || list.Value == nil {
			continue
		}
		count++
		reply, err := split(r.bytes(), l)
		if err != nil {
			t.Fatalf("%s: %v", r.URL, err)
		}
		if !slices.EqualFunc(reply.items, list.Value, func(a []byte, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Fatalf("%s: %d items, encoding/json sees %d", r.URL, len(reply.items), len(list.Value))
		}
		link, _ := textOf(reply.value(next))
		if link != list.NextLink {
			t.Errorf("%s: next %q, want %q", r.URL, link, list.NextLink)
		}
		rows += len(reply.items)
		if link != "" {
			links++
			checkRecordedLink(t, r.URL, link)
		}
	}
	t.Logf("%d lists, %d rows, %d links", count, rows, links)
}

// checkRecordedLink holds that real links are taken for the same origin and
// sent as they are.
func checkRecordedLink(t *testing.T, base, link string) {
	t.Helper()
	next, err := resolve(link, base)
	if err != nil {
		t.Fatalf("%s: %v", link, err)
	}
	from, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	if transport.Origin(next) != transport.Origin(from) {
		t.Errorf("%s is taken for another origin than %s", link, base)
	}
	if next.String() != escapeIllegal(link) {
		t.Errorf("the link is changed\nfrom %s\n  to %s", link, next)
	}
}

// TestRecorded_ids takes every recorded id apart.
func TestRecorded_ids(t *testing.T) {
	count := 0
	for r := range corpus[recorded](t, "recorded") {
		var o struct{ ID, Type string }
		if json.Unmarshal(r.bytes(), &o) != nil || !strings.HasPrefix(o.ID, "/subscriptions/") || strings.Count(o.Type, "/") == 0 {
			continue
		}
		count++
		id, ok := ParseID(o.ID)
		if !ok || id.Subscription == "" {
			t.Errorf("%s is not understood", o.ID)
		}
		if id.Type() != "" && !strings.EqualFold(id.Type(), o.Type) && !strings.EqualFold(o.Type, "Microsoft.Resources/resourceGroups") {
			t.Logf("%s has the type %s, its id says %s", o.ID, o.Type, id.Type())
		}
	}
	t.Logf("%d ids", count)
}

// TestRecorded_operations holds the detection of long-running operations to
// what recorded answers need.
func TestRecorded_operations(t *testing.T) {
	accepted, done := 0, 0
	for r := range corpus[recorded](t, "recorded") {
		if r.Method == http.MethodGet || r.Status >= 300 || r.Status < 200 {
			continue
		}
		m := poolMethod("write", r.Method)
		o := operationOf(m, transport.Request{Method: r.Method, URL: r.URL}, &transport.Response{
			Status: r.Status, Header: r.header(), Body: r.bytes(), URL: r.URL})
		if r.Status == http.StatusAccepted && o == nil {
			t.Errorf("%s %s answered 202", r.Method, r.URL)
		}
		if o != nil && !o.CanAwait() && r.Method != http.MethodPost {
			t.Errorf("%s %s %d: nowhere to ask", r.Method, r.URL, r.Status)
		}
		if o != nil {
			accepted++
		} else {
			done++
		}
	}
	t.Logf("%d accepted, %d done", accepted, done)
}
