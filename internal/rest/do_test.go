package rest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// TestDo has answers to writes as recorded: what they hold, whether the work
// goes on, and where to ask.
func TestDo(t *testing.T) {
	const asyncLink, location = "https://management.azure.com/op?t=1&c=2&s=3&h=4", "/subscriptions/s/resource"
	for name, test := range map[string]struct {
		verb     string
		status   int
		body     string
		headers  []string
		items    int
		accepted bool
		link     string // where the operation is, HOST for the service; empty: none
	}{
		"put done":                      {verb: "PUT", status: 200, body: `{"id":"x","properties":{"provisioningState":"Succeeded"}}`, items: 1},
		"put without a state":           {verb: "PUT", status: 201, body: `{"id":"x"}`, items: 1},
		"put with the address":          {verb: "PUT", status: 201, body: `{"id":"x"}`, headers: []string{"Location", location}, items: 1},
		"put running, nothing told":     {verb: "PUT", status: 200, body: `{"properties":{"provisioningState":"Creating"}}`, items: 1, accepted: true, link: "HOST" + poolURL},
		"put running, lower case":       {verb: "PUT", status: 201, body: `{"properties":{"provisioningState":"creating"}}`, items: 1, accepted: true, link: "HOST" + poolURL},
		"put running, async":            {verb: "PUT", status: 201, body: `{"properties":{"provisioningState":"Accepted"}}`, headers: []string{"Azure-AsyncOperation", asyncLink, "Location", "/else"}, items: 1, accepted: true, link: asyncLink},
		"put running, location":         {verb: "PUT", status: 201, body: `{"properties":{"provisioningState":"Updating"}}`, headers: []string{"Location", location}, items: 1, accepted: true, link: "HOST" + location},
		"put done in spite of a link":   {verb: "PUT", status: 200, body: `{"properties":{"provisioningState":"succeeded"}}`, headers: []string{"Azure-AsyncOperation", asyncLink}, items: 1},
		"put 202":                       {verb: "PUT", status: 202, headers: []string{"Location", location}, accepted: true, link: "HOST" + location},
		"patch 202":                     {verb: "PATCH", status: 202, headers: []string{"Operation-Location", asyncLink, "Location", location}, accepted: true, link: asyncLink},
		"delete done":                   {verb: "DELETE", status: 204},
		"delete done with the object":   {verb: "DELETE", status: 200, body: `{"id":"x"}`, items: 1},
		"delete 202":                    {verb: "DELETE", status: 202, headers: []string{"Location", location}, accepted: true, link: "HOST" + location},
		"delete 202 without a link":     {verb: "DELETE", status: 202, body: `{"properties":{"provisioningState":"deleting"}}`, items: 1, accepted: true, link: "HOST" + poolURL},
		"post done":                     {verb: "POST", status: 200, body: `{"token":"x"}`, items: 1},
		"post done, no body":            {verb: "POST", status: 204},
		"post with states of others":    {verb: "POST", status: 200, body: `{"properties":{"provisioningState":"Creating"}}`, items: 1},
		"post 202":                      {verb: "POST", status: 202, headers: []string{"Azure-AsyncOperation", asyncLink}, accepted: true, link: asyncLink},
		"post 202 without a link":       {verb: "POST", status: 202, accepted: true},
		"post 200 with a link":          {verb: "POST", status: 200, headers: []string{"Azure-AsyncOperation", asyncLink}, accepted: true, link: asyncLink},
		"get of a thing that is made":   {verb: "GET", status: 200, body: `{"properties":{"provisioningState":"Creating"}}`, items: 1},
		"post that answers with a list": {verb: "POST", status: 200, body: `[{"a":1},{"a":2}]`, items: 2},
	} {
		t.Run(name, func(t *testing.T) {
			c, server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				for i := 0; i+1 < len(test.headers); i += 2 {
					w.Header().Set(test.headers[i], test.headers[i+1])
				}
				w.Header().Set("x-ms-request-id", "req-9")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			})
			result, err := c.Do(t.Context(), poolCall(poolMethod("write", test.verb)))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(test.link, "HOST", server.URL, 1)
			link := ""
			if result.Operation != nil {
				link = result.Operation.Poll
			}
			if len(result.Items) != test.items || (result.Operation != nil) != test.accepted || link != want {
				t.Errorf("%d items, accepted %v, %q\nwant %d, %v, %q", len(result.Items), result.Operation != nil, link, test.items, test.accepted, want)
			}
			if result.Status != test.status || result.RequestID != "req-9" || result.Attempts != 1 || result.Duration <= 0 {
				t.Errorf("%+v", result)
			}
		})
	}
}

const poolURL = "/subscriptions/" + sub +
	"/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/hostPools/hp?api-version=2024-04-03"

// TestDo_body sends the body as given, and takes rows by the method's path.
func TestDo_body(t *testing.T) {
	var got string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.Header.Get("Content-Type") + " " + string(body)
		fmt.Fprint(w, `{"value":[{"n":1},{"n":2}]}`)
	})
	m := poolMethod("list_tokens", "POST")
	m.Response = provider.Response{ItemsPath: []string{"value"}}
	call := poolCall(m)
	call.Body = []byte(`{ "a": null }`)
	result, err := c.Do(t.Context(), call)
	if err != nil || len(result.Items) != 2 || string(result.Items[1]) != `{"n":2}` || got != `POST application/json { "a": null }` {
		t.Errorf("%+v by %q, %v", result, got, err)
	}
	call.Body = []byte{}
	if _, err = c.Do(t.Context(), call); err != nil || got != "POST application/json " {
		t.Errorf("an empty body was sent as %q, %v", got, err)
	}
	call.Body = nil
	if _, err = c.Do(t.Context(), call); err != nil || got != "POST  " {
		t.Errorf("no body was sent as %q, %v", got, err)
	}
}

func TestDo_unreadableAnswer(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><title>Welcome to the hotel</title>")
	})
	_, err := c.Do(t.Context(), poolCall(poolMethod("create", "PUT")))
	checkFault(t, err, fault.ReplyInvalid, "text/html")
	checkFault(t, err, fault.ReplyInvalid, "proxy")
}

func TestDo_secretsStayOut(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"token":"S3CR3T","value"`)
	})
	_, err := c.Do(t.Context(), poolCall(poolMethod("create", "PUT")))
	checkFault(t, err, fault.ReplyInvalid, "***")
	if f := fault.As(err); strings.Contains(f.Print(), "S3CR3T") {
		t.Error(f.Print())
	}
	c, _ = serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprint(w, `{"token":"S3CR3T"}`)
	})
	_, err = c.Do(t.Context(), poolCall(poolMethod("create", "PUT")))
	if f := fault.As(err); strings.Contains(f.Print(), "S3CR3T") {
		t.Error(f.Print())
	}
}

// TestDo_repeatedDeletion takes a 404 for success where an earlier attempt may
// be the reason for it, and only there.
func TestDo_repeatedDeletion(t *testing.T) {
	for name, test := range map[string]struct {
		first  int
		second string
		code   fault.Code
	}{
		"gone after a failure":        {503, `{"error":{"code":"ResourceNotFound"}}`, ""},
		"scope gone":                  {503, `{"error":{"code":"ResourceGroupNotFound"}}`, fault.NotFound},
		"never there, only throttled": {429, `{"error":{"code":"ResourceNotFound"}}`, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				base := roundTrip(func(*http.Request) (*http.Response, error) {
					if n++; n == 1 {
						return answer(test.first, ""), nil
					}
					return answer(404, test.second), nil
				})
				c := New(transport.New(transport.Options{Base: base}), Options{})
				result, err := c.Do(t.Context(), poolCall(poolMethod("delete", "DELETE")))
				checkFault(t, err, test.code, "")
				if test.code == "" && (result.Status != 404 || result.Attempts != 2 || len(result.Items) > 0 || result.Operation != nil) {
					t.Errorf("%+v", result)
				}
			})
		})
	}
}
