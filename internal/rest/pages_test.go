package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// TestPages_completeness reads thirty pages of two rows, with the link before
// and after the items in turn.
func TestPages_completeness(t *testing.T) {
	var calls atomic.Int32
	var self string
	c, server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1))
		link := fmt.Sprintf(`"nextLink": "%s%s?page=%d"`, self, r.URL.Path, n+1)
		if n == 30 {
			link = `"nextLink": null`
		}
		items := fmt.Sprintf(`"value": [ {"n":%d} , {"n":%d}]`, 2*n-1, 2*n)
		if n%2 == 0 {
			items, link = link, items
		}
		fmt.Fprintf(w, "{%s,\n %s}", items, link)
	})
	self = server.URL
	items, pages, err := collect(t, c, listCall())
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 60 || pages != 30 || calls.Load() != 30 {
		t.Errorf("%d rows of %d pages by %d calls, want 60, 30, 30", len(items), pages, calls.Load())
	}
	for i, item := range items {
		if want := fmt.Sprintf(`{"n":%d}`, i+1); item != want {
			t.Fatalf("row %d is %s, want %s", i, item, want)
		}
	}
}

// TestPages_variants has an answer of each form that services were seen to give.
func TestPages_variants(t *testing.T) {
	list := listMethod()
	get := poolMethod("get", http.MethodGet)
	generic := listMethod()
	generic.Resource.Family = provider.Generic
	tests := map[string]struct {
		method *provider.Method
		body   string
		want   []string
		code   fault.Code
		says   string
	}{
		"link missing":                 {method: list, body: `{"value":[1,2]}`, want: []string{"1", "2"}},
		"link null":                    {method: list, body: `{"value":[{}],"nextLink":null}`, want: []string{"{}"}},
		"link empty":                   {method: list, body: `{"value":[{}],"nextLink":""}`, want: []string{"{}"}},
		"value null":                   {method: list, body: `{"value":null}`},
		"value empty":                  {method: list, body: `{"value":[]}`},
		"bare array":                   {method: list, body: ` [ {"a":1} , 2 ] `, want: []string{`{"a":1}`, "2"}},
		"value is an object":           {method: list, body: `{"value":{"a":1}}`, want: []string{`{"a":1}`}},
		"empty body":                   {method: list, body: "", code: fault.ReplyInvalid, says: "empty"},
		"byte order mark":              {method: list, body: "\xef\xbb\xbf{\"value\":[1]}", want: []string{"1"}},
		"numbers and order kept":       {method: list, body: `{"value":[{"z":1.50e3,"a":10000000000000000001}]}`, want: []string{`{"z":1.50e3,"a":10000000000000000001}`}},
		"member twice":                 {method: list, body: `{"value":[1],"value":[2]}`, want: []string{"2"}},
		"get":                          {method: get, body: " {\"id\": \"x\"}\n", want: []string{`{"id": "x"}`}},
		"get with a value member":      {method: get, body: `{"value":[1]}`, want: []string{`{"value":[1]}`}},
		"no member":                    {method: list, body: `{"items":[]}`, code: fault.ReplyInvalid, says: `"value"`},
		"no member, other family":      {method: generic, body: `{"kind":"list"}`},
		"scalar":                       {method: list, body: `17`, code: fault.ReplyInvalid, says: "neither an object nor a list"},
		"value is text":                {method: list, body: `{"value":"x"}`, code: fault.ReplyInvalid, says: `"value" holds no list`},
		"truncated":                    {method: list, body: `{"value":[{"a":1},{"b"`, code: fault.ReplyInvalid, says: "EOF"},
		"truncated behind the list":    {method: list, body: `{"value":[1],"nextLink`, code: fault.ReplyInvalid, says: "EOF"},
		"more text behind":             {method: list, body: `{"value":[]} {}`, code: fault.ReplyInvalid, says: "more text"},
		"link is a number":             {method: list, body: `{"value":[],"nextLink":7}`, code: fault.ReplyInvalid, says: `"nextLink" is not a text`},
		"html":                         {method: list, body: `<html><title>Sign in</title>`, code: fault.ReplyInvalid, says: "not JSON"},
		"failure with a good status":   {method: list, body: `{"status":"Failed","error":{"code":"X"}}`, code: fault.ReplyInvalid, says: `"value"`},
		"text that is no UTF-8":        {method: list, body: "{\"value\":[\"\xff\"]}", code: fault.ReplyInvalid, says: "UTF-8"},
		"link to another host":         {method: list, body: `{"value":[1],"nextLink":"https://evil.example/x"}`, code: fault.ReplyInvalid, says: "evil.example"},
		"link to the real host":        {method: list, body: `{"value":[],"nextLink":"https://management.azure.com/x"}`, code: fault.ReplyInvalid, says: "management.azure.com"},
		"link with a user":             {method: list, body: `{"value":[],"nextLink":"http://u:p@HOST/x"}`, code: fault.ReplyInvalid, says: "names a user"},
		"link that cannot be parsed":   {method: list, body: `{"value":[],"nextLink":"http://[::1"}`, code: fault.ReplyInvalid, says: "cannot be read"},
		"link to itself":               {method: list, body: `{"value":[],"nextLink":"http://HOST` + firstPath + `"}`, code: fault.ReplyInvalid, says: "read already"},
		"other name of the link":       {method: list, body: `{"value":[1],"@odata.nextLink":null}`, want: []string{"1"}},
		"link of a family without one": {method: generic, body: `{"value":[1],"nextLink":"x"}`, want: []string{"1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, strings.ReplaceAll(test.body, "HOST", r.Host))
			})
			call := poolCall(test.method)
			if test.method != get {
				call.Arguments = call.Arguments[:1]
			}
			items, _, err := collect(t, c, call)
			checkFault(t, err, test.code, test.says)
			if test.code == "" && !slices.Equal(items, test.want) {
				t.Errorf("rows %q, want %q", items, test.want)
			}
		})
	}
}

const firstPath = "/subscriptions/" + sub + "/providers/Microsoft.DesktopVirtualization/hostPools?api-version=2024-04-03"

func checkFault(t *testing.T, err error, code fault.Code, says string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Fatalf("unexpected: %s", fault.From(err).Print())
		}
		return
	}
	f := fault.As(err)
	if f == nil || f.Code != code || !strings.Contains(f.Print(), says) {
		t.Fatalf("error %v, want %s with %q\n%s", err, code, says, fault.From(err).Print())
	}
	if f.Object == "" {
		t.Errorf("the fault names no method: %s", f.Print())
	}
}

// TestPages_links follows links of every form to a second page.
func TestPages_links(t *testing.T) {
	for name, link := range map[string]string{
		"absolute":              "http://HOST/p2?x=1",
		"relative to the root":  "/p2?x=1",
		"relative to the query": "?x=1&skip=2",
		"blanks and quotes":     `http://HOST/p2?$filter=name eq 'x'&q="a b"|c`,
		"odd escape in query":   "http://HOST/p2?$skiptoken=%zz",
		"fragment":              "http://HOST/p2?x=1#f",
	} {
		t.Run(name, func(t *testing.T) {
			var uris []string
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				uris = append(uris, r.RequestURI)
				if len(uris) == 1 {
					fmt.Fprintf(w, `{"nextLink":%q,"value":[]}`, strings.Replace(link, "HOST", r.Host, 1))
					return
				}
				fmt.Fprint(w, `{"value":[1]}`)
			})
			items, pages, err := collect(t, c, listCall())
			if err != nil || pages != 2 || len(items) != 1 {
				t.Fatalf("%d pages, %d rows, %v; asked for %q", pages, len(items), err, uris)
			}
			if strings.ContainsAny(uris[1], ` "|#`) {
				t.Errorf("the link was sent as %q", uris[1])
			}
		})
	}
}

// TestPages_defaultPort takes a written default port for the same origin.
func TestPages_defaultPort(t *testing.T) {
	var calls []string
	base := roundTrip(func(r *http.Request) (*http.Response, error) {
		calls = append(calls, r.URL.String())
		if len(calls) == 1 {
			return answer(200, `{"value":[1],"nextLink":"https://MANAGEMENT.azure.com:443/p2?api-version=1"}`), nil
		}
		return answer(200, `{"value":[2]}`), nil
	})
	c := New(transport.New(transport.Options{Base: base}), Options{})
	items, _, err := collect(t, c, listCall())
	if err != nil || !slices.Equal(items, []string{"1", "2"}) {
		t.Fatalf("%q, %v", items, err)
	}
	if want := "https://MANAGEMENT.azure.com:443/p2?api-version=1"; calls[1] != want {
		t.Errorf("called %s, want the link as it was, %s", calls[1], want)
	}
}

func TestPages_loopOverSeveralPages(t *testing.T) {
	n := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, `{"value":[%d],"nextLink":"/p%d"}`, n, 1+n%3)
	})
	items, _, err := collect(t, c, listCall())
	checkFault(t, err, fault.ReplyInvalid, "read already")
	if len(items) != 3 || n != 4 {
		t.Errorf("%d rows, %d calls before the loop was seen, want 3 and 4", len(items), n)
	}
}

func TestPages_cap(t *testing.T) {
	n := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(w, `{"value":[%d],"nextLink":"/p%d"}`, n, n)
	})
	c.options.MaxPages = 3
	items, pages, err := collect(t, c, listCall())
	checkFault(t, err, fault.LimitReached, "more than 3 pages")
	if len(items) != 3 || pages != 3 || n != 3 {
		t.Errorf("%d rows, %d pages, %d calls, want 3 each", len(items), pages, n)
	}
}

func TestPages_readerStops(t *testing.T) {
	var calls atomic.Int32
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"value":[1],"nextLink":"/p%d"}`, calls.Add(1))
	})
	for page, err := range c.Pages(t.Context(), listCall()) {
		if err != nil || page.Last || page.Number != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		break
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls for one page", calls.Load())
	}
}

// TestPages_postList goes on with a GET without a body.
func TestPages_postList(t *testing.T) {
	var got []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.Header.Get("Content-Type"))
		if len(got) == 1 {
			fmt.Fprint(w, `{"value":[1],"nextLink":"/more"}`)
			return
		}
		fmt.Fprint(w, `{"value":[2]}`)
	})
	call := listCall()
	call.Method.HTTPMethod, call.Body = http.MethodPost, []byte(`{"q":1}`)
	items, _, err := collect(t, c, call)
	if err != nil || len(items) != 2 || !slices.Equal(got, []string{"POST application/json", "GET "}) {
		t.Errorf("%q by %q, %v", items, got, err)
	}
}

func TestPages_cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		fmt.Fprint(w, `{"value":[1],"nextLink":"/more"}`)
	})
	var last error
	n := 0
	for _, err := range c.Pages(ctx, listCall()) {
		n++
		last = err
	}
	f := fault.As(last)
	if f == nil || f.Code != fault.Cancelled || f.Scope != fault.Interrupt || n > 2 {
		t.Errorf("%d pairs, last %v", n, last)
	}
}

// TestPages_items keeps items valid after later pages were read.
func TestPages_items(t *testing.T) {
	n := 0
	ids := map[string]bool{}
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ids[r.Header.Get(clientRequestID)] = true
		n++
		next := fmt.Sprintf(`"/p%d"`, n)
		if n == 20 {
			next = "null"
		}
		fmt.Fprintf(w, `{"value":[{"page":%d}],"nextLink":%s}`, n, next)
	})
	var kept [][]byte
	for page, err := range c.Pages(t.Context(), listCall()) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, page.Items...)
	}
	for i, item := range kept {
		if want := fmt.Sprintf(`{"page":%d}`, i+1); string(item) != want {
			t.Fatalf("item %d became %s", i, item)
		}
	}
	if len(ids) != 20 {
		t.Errorf("%d request ids for 20 requests", len(ids))
	}
}
