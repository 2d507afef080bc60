package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// said is one answer of a scripted service.
type said struct {
	status int
	body   string
	header []string // names and values
	lost   error    // instead of an answer
}

func (s said) response(r *http.Request) (*http.Response, error) {
	if s.lost != nil {
		return nil, s.lost
	}
	h := http.Header{"X-Ms-Request-Id": {"req-7"}}
	for i := 0; i+1 < len(s.header); i += 2 {
		h.Set(s.header[i], s.header[i+1])
	}
	return &http.Response{StatusCode: s.status, Header: h, Body: io.NopCloser(strings.NewReader(s.body)), ContentLength: int64(len(s.body)), Request: r}, nil
}

// script answers by the request's method and path with its query; the last
// answer of a list stays. What it does not know is a failure of the test.
type script struct {
	t       *testing.T
	answers map[string][]said
	asked   []string // with the seconds since the start
	start   time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Method + " " + r.URL.RequestURI()
	s.asked = append(s.asked, fmt.Sprintf("%.0f %s", time.Since(s.start).Seconds(), key))
	list := s.answers[key]
	if len(list) == 0 {
		s.t.Errorf("unexpected %s", key)
		return said{status: 400, body: "{}"}.response(r)
	}
	if len(list) > 1 {
		s.answers[key] = list[1:]
	}
	return list[0].response(r)
}

// own is the address of the object of poolCall, own path alone.
const own = poolURL

// aao and loc give link headers.
func aao(link string) []string { return []string{"Azure-AsyncOperation", link} }
func loc(link string) []string { return []string{"Location", link} }

const (
	operationLink = "/op?t=1&c=CAPABILITY&s=SIGNATURE&h=HASH"
	resultLink    = "/result?t=1&c=CAPABILITY&s=SIGNATURE&h=HASH"
)

var errReset = errors.New("connection reset by peer")

// awaited runs a write and waits for its operation.
func awaited(ctx context.Context, t *testing.T, m *provider.Method, answers map[string][]said) (Result, *script, error) {
	t.Helper()
	s := &script{t: t, answers: answers, start: time.Now()}
	c := New(transport.New(transport.Options{Base: s}), Options{})
	result, err := c.Do(ctx, poolCall(m))
	if err != nil || result.Operation == nil {
		return result, s, err
	}
	result, err = c.Await(ctx, m, *result.Operation, nil)
	return result, s, err
}

// TestAwait has every form in which Azure goes on with a write, and how it
// ends.
func TestAwait(t *testing.T) {
	const (
		creating = `{"id":"x","properties":{"provisioningState":"Creating"}}`
		ready    = `{"id":"x","properties":{"provisioningState":"Succeeded","n":1}}`
		running  = `{"status":"InProgress"}`
		done     = `{"status":"Succeeded"}`
		failed   = `{"status":"Failed","error":{"code":"SkuNotAvailable","message":"no such size here","details":[{"code":"A","message":"b"}]}}`
	)
	get := "GET " + own
	poll := "GET " + operationLink
	for name, test := range map[string]struct {
		verb    string
		via     string
		first   said
		answers map[string][]said
		code    fault.Code
		words   string // of the error
		item    string // the final object; empty: none
		polls   int
	}{
		"put, status document": {verb: "PUT", first: said{201, creating, aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: running}, {status: 200, body: done}}, get: {{status: 200, body: ready}}}, item: ready, polls: 3},
		"put, both links": {verb: "PUT", first: said{201, creating, append(aao(operationLink), loc(resultLink)...), nil},
			answers: map[string][]said{poll: {{status: 200, body: done}}, get: {{status: 200, body: ready}}}, item: ready, polls: 2},
		"put, result behind Location by the document": {verb: "PUT", via: "location", first: said{202, "", append(aao(operationLink), loc(resultLink)...), nil},
			answers: map[string][]said{poll: {{status: 200, body: done}}, "GET " + resultLink: {{status: 200, body: ready}}}, item: ready, polls: 2},
		"put, Location alone": {verb: "PUT", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 202}, {status: 202, body: running}, {status: 200, body: ready}}, get: {{status: 200, body: ready}}}, item: ready, polls: 4},
		"put, the object alone": {verb: "PUT", first: said{200, creating, nil, nil},
			answers: map[string][]said{get: {{status: 200, body: strings.ToLower(creating)}, {status: 200, body: ready}}}, item: ready, polls: 2},
		"put, the object appears late": {verb: "PUT", first: said{201, creating, nil, nil},
			answers: map[string][]said{get: {{status: 404}, {status: 404}, {status: 200, body: ready}}}, item: ready, polls: 3},
		"put, 201 goes on without a state": {verb: "PUT", first: said{201, creating, nil, nil},
			answers: map[string][]said{get: {{status: 201, body: `{"id":"x"}`}, {status: 200, body: `{"id":"x"}`}}}, item: `{"id":"x"}`, polls: 2},
		"put 202 without a link": {verb: "PUT", first: said{202, "", nil, nil},
			answers: map[string][]said{get: {{status: 200, body: creating}, {status: 200, body: ready}}}, item: ready, polls: 2},
		"the object instead of a status": {verb: "PUT", first: said{201, creating, aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: `{"id":"x","type":"T/t","status":"Whatever"}`}}, get: {{status: 200, body: ready}}}, item: ready, polls: 2},
		"words nobody knows": {verb: "PUT", first: said{201, creating, aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: `{"status":"PendingRefunds"}`}, {status: 202, body: `{"status":"Accepted"}`}, {status: 200, body: `{"status":"completed"}`}}, get: {{status: 200, body: ready}}}, item: ready, polls: 4},
		"patch, Operation-Location": {verb: "PATCH", first: said{202, "", []string{"Operation-Location", operationLink}, nil},
			answers: map[string][]said{poll: {{status: 200, body: done}}, get: {{status: 200, body: ready}}}, item: ready, polls: 2},
		"patch, the object alone": {verb: "PATCH", first: said{200, `{"properties":{"provisioningState":"Updating"}}`, nil, nil},
			answers: map[string][]said{get: {{status: 200, body: ready}}}, item: ready, polls: 1},
		"a newer Location": {verb: "DELETE", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{202, "", loc("/op2?s=1&h=2"), nil}}, "GET /op2?s=1&h=2": {{status: 202}, {status: 204}}}, polls: 3},
		"delete, status document": {verb: "DELETE", first: said{202, "", append(aao(operationLink), loc(resultLink)...), nil},
			answers: map[string][]said{poll: {{status: 202, body: `{"status":"Deleting"}`}, {status: 200, body: done}}}, polls: 2},
		"delete 202 without a link": {verb: "DELETE", first: said{202, `{"properties":{"provisioningState":"deleting"}}`, nil, nil},
			answers: map[string][]said{get: {{status: 200, body: `{"properties":{"provisioningState":"Succeeded"}}`}, {status: 200, body: `{"properties":{"provisioningState":"deleting"}}`}, {status: 404}}}, polls: 3},
		"delete, the record goes with the object": {verb: "DELETE", first: said{202, "", aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: running}, {status: 404}}, get: {{status: 404}}}, polls: 3},
		"delete, the record goes before the object": {verb: "DELETE", first: said{202, "", aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 404}}, get: {{status: 200, body: ready}, {status: 200, body: ready}, {status: 200, body: ready}, {status: 200, body: ready}, {status: 404}}}, polls: 8},
		"put, the record is gone": {verb: "PUT", first: said{201, creating, aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 404}}, get: {{status: 200, body: ready}}}, item: ready, polls: 4},
		"post, properties": {verb: "POST", first: said{202, "", aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: `{"status":"Succeeded","properties":{"output":5}}`}}}, item: `{"output":5}`, polls: 1},
		"post, Location": {verb: "POST", first: said{202, "", append(aao(operationLink), loc(resultLink)...), nil},
			answers: map[string][]said{poll: {{status: 200, body: done}}, "GET " + resultLink: {{status: 200, body: `{"a":1}`}}}, item: `{"a":1}`, polls: 2},
		"post, properties by the document": {verb: "POST", via: "azure-async-operation", first: said{202, "", append(aao(operationLink), loc(resultLink)...), nil},
			answers: map[string][]said{poll: {{status: 200, body: `{"status":"Succeeded","properties":{"output":5}}`}}}, item: `{"output":5}`, polls: 1},
		"post, the object by the document": {verb: "POST", via: "original-uri", first: said{202, "", aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: done}}, get: {{status: 200, body: ready}}}, item: ready, polls: 2},
		"post, the answer is the result": {verb: "POST", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 202}, {status: 200, body: `{"b":2}`}}}, item: `{"b":2}`, polls: 2},
		"post, nothing to show": {verb: "POST", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 204}}}, polls: 1},

		"failed": {verb: "PUT", first: said{201, creating, aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: failed}}}, code: fault.Rejected, words: "SkuNotAvailable", polls: 1},
		"failed behind Location": {verb: "DELETE", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: failed}}}, code: fault.Rejected, words: "no such size here", polls: 1},
		"failed by the object's state": {verb: "PUT", first: said{200, creating, nil, nil},
			answers: map[string][]said{get: {{status: 200, body: `{"properties":{"provisioningState":"failed"}}`}}}, code: fault.Rejected, words: "failed at the service", polls: 1},
		"cancelled": {verb: "POST", first: said{202, "", aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 200, body: `{"status":"Canceled"}`}}}, code: fault.Rejected, words: "cancelled at the service", polls: 1},
		"the record of a post is gone": {verb: "POST", first: said{202, "", aao(operationLink), nil},
			answers: map[string][]said{poll: {{status: 404}}}, code: fault.OutcomeUnknown, words: "knows nothing", polls: 3},
		"what was made is not there": {verb: "PUT", first: said{200, creating, nil, nil},
			answers: map[string][]said{get: {{status: 404}}}, code: fault.OutcomeUnknown, words: "knows nothing", polls: 3},
		"throttled polls": {verb: "DELETE", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{429, "slow down", []string{"Retry-After", "5"}, nil}, {status: 503}, {status: 500, body: "{}"}, {lost: errReset}, {status: 204}}}, polls: 1},
		"no poll is permitted": {verb: "DELETE", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 403, body: `{"error":{"code":"AuthorizationFailed"}}`}}}, code: fault.StillRunning, words: "cannot be asked", polls: 1},
		"polls never answer": {verb: "DELETE", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 502}}}, code: fault.StillRunning, words: "cannot be asked", polls: mostMisses},
		"post 202 without a link": {verb: "POST", first: said{202, "", nil, nil}, code: fault.StillRunning, words: "no place"},
		"never ends": {verb: "DELETE", first: said{202, "", loc(operationLink), nil},
			answers: map[string][]said{poll: {{status: 202}}}, code: fault.StillRunning, words: "time for waiting is over", polls: -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				m := poolMethod("write", test.verb)
				m.FinalStateVia = test.via
				if test.answers == nil {
					test.answers = map[string][]said{}
				}
				var writes string
				if test.verb == "POST" {
					writes = "POST " + own
				} else {
					writes = test.verb + " " + own
				}
				test.answers[writes] = []said{test.first}
				result, s, err := awaited(ctx, t, m, test.answers)
				checkFault(t, err, test.code, test.words)
				if item := string(joined(result.Items)); err == nil && item != test.item {
					t.Errorf("the result is %s, want %s", item, test.item)
				}
				if result.Warning != nil {
					t.Error(result.Warning)
				}
				if test.polls >= 0 && result.Polls != test.polls {
					t.Errorf("%d polls, want %d\n%s", result.Polls, test.polls, strings.Join(s.asked, "\n"))
				}
				if f := fault.As(err); f != nil && strings.Contains(f.Print(), "CAPABILITY") {
					t.Errorf("a link is shown: %s", f.Print())
				}
			})
		})
	}
}

func joined(items [][]byte) []byte {
	var all []byte
	for _, i := range items {
		all = append(all, i...)
	}
	return all
}

// TestAwait_intervals asks when the service says, else soon and then less often.
func TestAwait_intervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		_, s, _ := awaited(ctx, t, poolMethod("delete", "DELETE"), map[string][]said{
			"DELETE " + own:        {{202, "", append(loc(operationLink), "Retry-After", "60"), nil}},
			"GET " + operationLink: {{202, "", []string{"Retry-After", "17"}, nil}, {status: 202}},
		})
		var at []string
		for _, line := range s.asked {
			second, _, _ := strings.Cut(line, " ")
			at = append(at, second)
		}
		if len(at) < 12 || len(at) > 18 || at[1] != "60" || at[2] != "77" {
			t.Errorf("asked at %v", at)
		}
	})
}

// TestAwait_interrupt leaves the operation and says whose doing it was.
func TestAwait_interrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		_, _, err := awaited(ctx, t, poolMethod("delete", "DELETE"), map[string][]said{
			"DELETE " + own:        {{202, "", loc(operationLink), nil}},
			"GET " + operationLink: {{status: 202, body: `{"status":"Deleting"}`}},
		})
		checkFault(t, err, fault.StillRunning, "Deleting")
		if f := fault.As(err); f.Scope != fault.Interrupt {
			t.Errorf("scope %s", f.Scope)
		}
	})
}

// TestAwait_elsewhere takes the waiting up by what was written down of an
// operation, and tells of what changes.
func TestAwait_elsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, start: time.Now(), answers: map[string][]said{
			"GET " + operationLink: {{202, `{"status":"Deleting"}`, loc("/op2"), nil}},
			"GET /op2":             {{status: 204}},
		}}
		c := New(transport.New(transport.Options{Base: s}), Options{})
		m := poolMethod("delete", "DELETE")
		var told []string
		o := Operation{Method: m.FullName(), Verb: "DELETE", URL: "https://management.azure.com" + own, Style: LocationStyle, Poll: "https://management.azure.com" + operationLink}
		result, err := c.Await(t.Context(), m, o, func(o Operation) { told = append(told, o.Status+" "+o.Poll) })
		if err != nil || result.State != "Succeeded" || strings.Join(told, ",") != "Deleting https://management.azure.com/op2,Succeeded https://management.azure.com/op2" {
			t.Errorf("%+v, %v, %v", result, told, err)
		}
	})
}

// TestAwait_result has results that cannot be read: the operation succeeded all
// the same.
func TestAwait_result(t *testing.T) {
	for name, final := range map[string]said{
		"forbidden": {status: 403}, "not there": {status: 404}, "a page": {status: 200, body: "<html>"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				result, _, err := awaited(t.Context(), t, poolMethod("create", "PUT"), map[string][]said{
					"PUT " + own:           {{202, "", loc(operationLink), nil}},
					"GET " + operationLink: {{status: 200}},
					"GET " + own:           {final},
				})
				if err != nil || result.Warning == nil || len(result.Items) != 0 {
					t.Errorf("%+v, %v", result, err)
				}
			})
		})
	}
}

// TestAwait_otherFamilies has the operations of Google and of AWS Cloud Control.
func TestAwait_otherFamilies(t *testing.T) {
	const self = "https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/operation-1"
	generic := func(verb, server, path string) *provider.Method {
		m := poolMethod("write", verb)
		m.Resource.Family, m.Resource.Provider = provider.Generic, "cloud"
		m.Server, m.Path, m.Constants, m.Parameters = server, path, nil, nil
		return m
	}
	for name, test := range map[string]struct {
		verb, path string
		answers    map[string][]said
		item       string
		code       fault.Code
		words      string
	}{
		"compute": {"POST", "/compute/v1/projects/p/zones/z/instances", map[string][]said{
			"POST /compute/v1/projects/p/zones/z/instances":             {{status: 200, body: `{"kind":"compute#operation","name":"operation-1","status":"PENDING","selfLink":"` + self + `"}`}},
			"GET /compute/v1/projects/p/zones/z/operations/operation-1": {{status: 200, body: `{"kind":"compute#operation","name":"operation-1","status":"RUNNING","selfLink":"` + self + `"}`}, {status: 200, body: `{"kind":"compute#operation","name":"operation-1","status":"DONE","selfLink":"` + self + `","targetLink":"https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i"}`}},
			"GET /compute/v1/projects/p/zones/z/instances/i":            {{status: 200, body: `{"name":"i"}`}},
		}, `{"name":"i"}`, "", ""},
		"compute fails": {"DELETE", "/compute/v1/projects/p/zones/z/instances/i", map[string][]said{
			"DELETE /compute/v1/projects/p/zones/z/instances/i":         {{status: 200, body: `{"kind":"compute#operation","name":"operation-1","status":"RUNNING","selfLink":"` + self + `"}`}},
			"GET /compute/v1/projects/p/zones/z/operations/operation-1": {{status: 200, body: `{"kind":"compute#operation","name":"operation-1","status":"DONE","selfLink":"` + self + `","error":{"errors":[{"code":"RESOURCE_IN_USE","message":"in use"}]}}`}},
		}, "", fault.Rejected, "in use"},
		"by name": {"POST", "/v1/projects/p/clusters", map[string][]said{
			"POST /v1/projects/p/clusters":                 {{status: 200, body: `{"name":"projects/p/locations/l/operations/o1","metadata":{}}`}},
			"GET /v1/projects/p/locations/l/operations/o1": {{status: 200, body: `{"name":"projects/p/locations/l/operations/o1","metadata":{}}`}, {status: 200, body: `{"name":"projects/p/locations/l/operations/o1","done":true,"response":{"id":7}}`}},
		}, `{"id":7}`, "", ""},
		"done at once": {"POST", "/v1/projects/p/clusters", map[string][]said{
			"POST /v1/projects/p/clusters": {{status: 200, body: `{"name":"operations/o1","done":true,"response":{"id":7}}`}},
		}, `{"name":"operations/o1","done":true,"response":{"id":7}}`, "", ""},
		"failed at once": {"POST", "/v1/projects/p/clusters", map[string][]said{
			"POST /v1/projects/p/clusters": {{status: 200, body: `{"name":"operations/o1","done":true,"error":{"code":7,"message":"no"}}`}},
			"GET /v1/operations/o1":        {{status: 200, body: `{"name":"operations/o1","done":true,"error":{"code":7,"message":"no"}}`}},
		}, "", fault.Rejected, "no"},
		"a thing with a name": {"POST", "/v1/things", map[string][]said{
			"POST /v1/things": {{status: 200, body: `{"name":"projects/p/things/t","status":"NEW"}`}},
		}, `{"name":"projects/p/things/t","status":"NEW"}`, "", ""},
		"cloud control": {"POST", "/", map[string][]said{
			"POST /": {
				{status: 200, body: `{"ProgressEvent":{"RequestToken":"T0K3N","OperationStatus":"PENDING"}}`},
				{status: 200, body: `{"ProgressEvent":{"RequestToken":"T0K3N","OperationStatus":"IN_PROGRESS"}}`},
				{status: 200, body: `{"ProgressEvent":{"RequestToken":"T0K3N","OperationStatus":"SUCCESS","Identifier":"b"}}`},
			},
		}, `{"RequestToken":"T0K3N","OperationStatus":"SUCCESS","Identifier":"b"}`, "", ""},
		"cloud control fails": {"POST", "/", map[string][]said{
			"POST /": {
				{status: 200, body: `{"ProgressEvent":{"RequestToken":"T0K3N","OperationStatus":"IN_PROGRESS"}}`},
				{status: 200, body: `{"ProgressEvent":{"RequestToken":"T0K3N","OperationStatus":"FAILED","ErrorCode":"AlreadyExists","StatusMessage":"there is one"}}`},
			},
		}, "", fault.Rejected, "there is one"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{t: t, answers: test.answers, start: time.Now()}
				c := New(transport.New(transport.Options{Base: s}), Options{})
				m := generic(test.verb, "https://cloud.example", test.path)
				result, err := c.Do(t.Context(), provider.Call{Method: m})
				if err == nil && result.Operation != nil {
					result, err = c.Await(t.Context(), m, *result.Operation, nil)
				}
				checkFault(t, err, test.code, test.words)
				if item := string(joined(result.Items)); err == nil && item != test.item {
					t.Errorf("the result is %s, want %s", item, test.item)
				}
			})
		})
	}
}

// TestDo_doubted has refusals that an earlier attempt may be the reason of.
func TestDo_doubted(t *testing.T) {
	for _, test := range []struct {
		first, second int
		code          fault.Code
	}{
		{503, 412, fault.OutcomeUnknown}, {504, 409, fault.OutcomeUnknown}, {429, 412, fault.Rejected}, {503, 400, fault.Rejected},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, _, err := awaited(t.Context(), t, poolMethod("create", "PUT"), map[string][]said{
				"PUT " + own: {{status: test.first}, {status: test.second}},
			})
			checkFault(t, err, test.code, "")
		})
	}
}
