package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestSplit_nestedPath(t *testing.T) {
	l := newLayout([]string{"result", "items"}, true)
	next := l.mark([]string{"next"})
	for body, want := range map[string]string{
		`{"result":{"items":[1,2],"x":0},"next":"n"}`:   "1 2|n",
		`{"next":"n","result":{"x":{},"items":[{}]}}`:   "{}|n",
		`{"result":[{"items":[1]},{"items":[2,3]},{}]}`: "1 2 3|",
		`{"result":null}`:                               "|",
		`{"result":{"next":"inner","items":null}}`:      "|",
		`{"next":"a","next":"b","result":{"items":[]}}`: "|b",
	} {
		r, err := split([]byte(body), l)
		link, _ := textOf(r.value(next))
		if got := string(bytes.Join(r.items, []byte(" "))) + "|" + link; err != nil || got != want || !r.found {
			t.Errorf("%s: %q found %v, want %q, %v", body, got, r.found, want, err)
		}
	}
	if r, err := split([]byte(`{"result":{"other":1}}`), l); err != nil || r.found {
		t.Errorf("%+v, %v", r, err)
	}
}

// Rows of lists of lists are one after the other.
func TestSplit_lists(t *testing.T) {
	l := newLayout([]string{"result"}, true)
	l.flat = true
	for body, want := range map[string]string{
		`{"result":[[{"a":1},{"a":2}],[],[[{"a":3}]]]}`: `{"a":1} {"a":2} {"a":3}`,
		`{"result":[{"a":1}]}`:                          `{"a":1}`,
		`[[1],[2]]`:                                     `1 2`,
	} {
		r, err := split([]byte(body), l)
		if got := string(bytes.Join(r.items, []byte(" "))); err != nil || got != want {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
}

// FuzzSplit holds the splitter to what encoding/json sees: no failure on any
// text, the same items, and all of them parts of the answer.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		`{"value":[{"id":"x"},2,null],"nextLink":"https://h/x"}`, `[1,2]`, `{}`, ``, `{"value":null}`, `{"value":{"a":1}}`,
		"\xef\xbb\xbf[]", `{"value":[1],"value":[2]}`, `<html>`, `{"value":[[[]]]}`, `{"value":"x"}`, `7`, `{"nextLink":7}`,
	} {
		f.Add([]byte(seed))
	}
	l := newLayout([]string{"value"}, false)
	l.mark([]string{"nextLink"})
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := split(body, l)
		if err != nil {
			return
		}
		for _, item := range r.items {
			if !json.Valid(item) || !bytes.Contains(body, item) || len(bytes.TrimSpace(item)) != len(item) {
				t.Fatalf("%q gives the item %q", body, item)
			}
		}
		var list struct{ Value []json.RawMessage }
		if bytes.Count(body, []byte("alue")) != 1 || bytes.ContainsAny(body, `\`) || json.Unmarshal(body, &list) != nil || list.Value == nil {
			return
		}
		if bytes.Contains(body, []byte(`"value"`)) && len(list.Value) != len(r.items) {
			t.Fatalf("%q gives %d items, encoding/json sees %d", body, len(r.items), len(list.Value))
		}
	})
}

// page makes an answer of a megabyte, as large listings have them.
func page(items int) []byte {
	item := `{"id":"/subscriptions/s/resourceGroups/r/providers/A.B/t/%d","properties":{"a":1,"text":"` + strings.Repeat("x", 900) + `"}}`
	var b strings.Builder
	b.WriteString(`{"value":[`)
	for i := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, item, i)
	}
	b.WriteString(`],"nextLink":"https://h/next"}`)
	return []byte(b.String())
}

func BenchmarkSplit(b *testing.B) {
	body := page(1000)
	l := newLayout([]string{"value"}, false)
	l.mark([]string{"nextLink"})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := split(body, l); err != nil || len(r.items) != 1000 {
			b.Fatal(err)
		}
	}
}

// BenchmarkSplit_standard is the same by encoding/json, to compare with.
func BenchmarkSplit_standard(b *testing.B) {
	body := page(1000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var list struct {
			Value    []json.RawMessage
			NextLink string
		}
		if err := json.Unmarshal(body, &list); err != nil {
			b.Fatal(err)
		}
	}
}
