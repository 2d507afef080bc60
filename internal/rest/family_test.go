package rest

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// familyMethod is a method of a family that reads.
func familyMethod(f provider.Family) *provider.Method {
	m := things(nil)
	m.HTTPMethod, m.ReadOnly, m.Resource.Family = http.MethodGet, true, f
	return m
}

// The errors of the families, as their services write them.
func TestFamilies_errors(t *testing.T) {
	xml := http.Header{"Content-Type": {"text/xml"}}
	for _, c := range []struct {
		name    string
		family  provider.Family
		status  int
		header  http.Header
		body    string
		code    fault.Code
		service string // code and message of the service, and its id of the call
		detail  string
	}{
		{"iam", provider.AWS, 404, xml, `<ErrorResponse xmlns="x"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no user x</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`, fault.NotFound, "NoSuchEntity: no user x (r-1)", ""},
		{"ec2", provider.AWS, 400, xml, `<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code><Message>no i-1</Message></Error></Errors><RequestID>r-2</RequestID></Response>`, fault.NotFound, "InvalidInstanceID.NotFound: no i-1 (r-2)", ""},
		{"s3", provider.AWS, 403, http.Header{"Content-Type": {"application/xml"}, "X-Amz-Request-Id": {"r-3"}}, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>other</RequestId></Error>`, fault.Forbidden, "AccessDenied: Access Denied (r-3)", ""},
		{"s3 after it began to answer", provider.AWS, 200, xml, `<Error><Code>InternalError</Code><Message>try again</Message></Error>`, fault.Rejected, "InternalError: try again ()", ""},
		{"sqs", provider.AWS, 400, nil, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no queue"}`, fault.NotFound, "QueueDoesNotExist: no queue ()", ""},
		{"lambda", provider.AWS, 404, http.Header{"X-Amzn-Errortype": {"ResourceNotFoundException:http://x/"}}, `{"Message":"no function"}`, fault.NotFound, "ResourceNotFoundException: no function ()", ""},
		{"dynamodb's token", provider.AWS, 400, nil, `{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"bad token"}`, fault.Unauthenticated, "UnrecognizedClientException: bad token ()", ""},
		{"google", provider.Google, 403, nil, `{"error":{"code":403,"message":"denied","status":"PERMISSION_DENIED","details":[{"@type":"x","reason":"SERVICE_DISABLED"}]}}`, fault.Forbidden, "PERMISSION_DENIED: denied ()", ""},
		{"google's older form", provider.Google, 404, nil, `{"error":{"code":404,"message":"none","errors":[{"message":"none","domain":"global","reason":"notFound"}]}}`, fault.NotFound, "404: none ()", ""},
		{"github", provider.GitHub, 422, http.Header{"X-Github-Request-Id": {"G:1"}}, `{"message":"Validation Failed","errors":[{"resource":"Issue","code":"missing_field","field":"title"}],"documentation_url":"u"}`, fault.Rejected, ": Validation Failed (G:1)", "Issue title missing_field"},
		{"okta", provider.Okta, 400, http.Header{"X-Okta-Request-Id": {"O1"}}, `{"errorCode":"E0000001","errorSummary":"Api validation failed","errorId":"oae","errorCauses":[{"errorSummary":"login: bad"}]}`, fault.Rejected, "E0000001: Api validation failed (O1)", "login: bad"},
		{"kubernetes", provider.K8s, 403, nil, `{"kind":"Status","status":"Failure","message":"pods is forbidden","reason":"Forbidden","code":403}`, fault.Forbidden, "Forbidden: pods is forbidden ()", ""},
		{"digitalocean", provider.Generic, 404, nil, `{"id":"not_found","message":"gone","request_id":"d-1"}`, fault.NotFound, "not_found: gone (d-1)", ""},
		{"cloudflare", provider.Generic, 400, http.Header{"Cf-Ray": {"ray"}}, `{"success":false,"errors":[{"code":1003,"message":"bad zone"},{"code":7,"message":"more"}],"result":null}`, fault.Rejected, "1003: bad zone (ray)", "7: more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := http.Header{"Content-Type": {"application/json"}}
			for name, values := range c.header {
				header[name] = values
			}
			_, err := play(t, provider.Call{Method: familyMethod(c.family)}, []exchange{{request: "GET /x", answer: c.body, status: c.status, header: header}})
			e := fault.As(err)
			if e == nil || e.Code != c.code || e.HTTP.Code+": "+e.HTTP.Message+" ("+e.HTTP.RequestID+")" != c.service || !strings.Contains(e.Detail, c.detail) {
				t.Errorf("%v %+v", err, e)
			}
		})
	}
}

// prepared is a service of prepared answers without a network, for virtual time.
type prepared struct {
	list []*http.Response
	at   []time.Duration
	from time.Time
}

func (a *prepared) RoundTrip(*http.Request) (*http.Response, error) {
	a.at = append(a.at, time.Since(a.from).Round(time.Second))
	return a.list[min(len(a.at), len(a.list))-1], nil
}

func answered(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}, "Date": {"Sat, 28 Nov 2026 12:00:00 GMT"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, ContentLength: -1, Header: h, Body: readCloser{strings.NewReader(body)}}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// Calls that a service turns away for their number are sent again when it says
// so, whatever status it has for that, and other refusals are not.
func TestFamilies_throttling(t *testing.T) {
	const reset = "1795867240" // forty seconds after the answers' Date
	for _, c := range []struct {
		name   string
		family provider.Family
		first  *http.Response
		wait   time.Duration // the least; 0: it is not sent again
	}{
		{"aws", provider.AWS, answered(400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, "Retry-After", "3"), 3 * time.Second},
		{"aws query", provider.AWS, answered(503, `<ErrorResponse><Error><Code>RequestLimitExceeded</Code></Error></ErrorResponse>`, "Content-Type", "text/xml", "Retry-After", "2"), 2 * time.Second},
		{"aws otherwise", provider.AWS, answered(400, `{"__type":"ValidationException"}`), 0},
		{"google", provider.Google, answered(403, `{"error":{"code":403,"message":"m","errors":[{"reason":"rateLimitExceeded"}]}}`, "Retry-After", "4"), 4 * time.Second},
		{"google otherwise", provider.Google, answered(403, `{"error":{"code":403,"message":"m","errors":[{"reason":"forbidden"}]}}`), 0},
		{"github secondary", provider.GitHub, answered(403, `{"message":"You have exceeded a secondary rate limit"}`, "Retry-After", "60"), 60 * time.Second},
		{"github primary", provider.GitHub, answered(403, `{"message":"API rate limit exceeded"}`, "x-ratelimit-remaining", "0", "x-ratelimit-reset", reset), 40 * time.Second},
		{"github otherwise", provider.GitHub, answered(403, `{"message":"Must have admin rights"}`, "x-ratelimit-remaining", "59", "x-ratelimit-reset", reset), 0},
		{"okta", provider.Okta, answered(429, `{"errorCode":"E0000047"}`, "X-Rate-Limit-Reset", reset), 40 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service := &prepared{list: []*http.Response{c.first, answered(200, `[{"id":1}]`)}, from: time.Now()}
				tr := transport.New(transport.Options{Base: service, Patience: 5 * time.Minute})
				defer tr.Close()
				m := familyMethod(c.family)
				m.Response.Item, m.Response.List = nil, true
				rows, _, err := collect(t, New(tr, Options{}), provider.Call{Method: m})
				switch {
				case c.wait == 0 && (err == nil || len(service.at) != 1):
					t.Errorf("%v %q after %v", err, rows, service.at)
				case c.wait > 0 && (err != nil || len(service.at) != 2 || service.at[1] < c.wait || service.at[1] > c.wait+5*time.Second):
					t.Errorf("%v %q after %v, want %v", err, rows, service.at, c.wait)
				}
			})
		})
	}
}

// A GraphQL answer that has errors is one, whatever its status says.
func TestGraphQL_errors(t *testing.T) {
	p := documents(t, "github", "github", "discussions")
	m := methodOf(t, p, "discussions.discussion_categories.list")
	call := provider.Call{Method: m, Arguments: arguments("owner=o", "repo=r")}
	body, err := graphQLBody(call, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = play(t, call, []exchange{{
		request: "POST /graphql " + string(body),
		answer:  `{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve to a Repository"}]}`,
	}})
	e := fault.As(err)
	if e == nil || e.Code != fault.NotFound || e.HTTP.Code != "NOT_FOUND" || !strings.HasPrefix(e.HTTP.Message, "Could not resolve") {
		t.Errorf("%v", err)
	}
}
