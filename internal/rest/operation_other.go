package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// googleOperation is an operation as Google's services answer it: those of
// Compute have a kind, a status and a selfLink, the others a name and done
// (AIP-151).
type googleOperation struct {
	Kind       string
	Name       string
	SelfLink   string
	TargetLink string
	Status     string
	Done       bool
	Metadata   json.RawMessage
	Response   json.RawMessage
	Error      json.RawMessage
}

// progressEvent is what AWS Cloud Control answers for every request for a
// change.
type progressEvent struct {
	RequestToken, OperationStatus, Identifier, TypeName, ErrorCode, StatusMessage string

	RetryAfter float64 // seconds since 1970
}

// foreign recognises the operations of other families by the shape of their
// answers, and fills o in. An answer that is over already is none, unless it
// failed: the first poll says so.
func (o *Operation) foreign(request transport.Request, response *transport.Response) bool {
	if g, ok := googleOf(response.Body); ok && (!g.over() || g.failed()) {
		o.Style, o.Status, o.Poll = GoogleStyle, g.word(), googlePoll(g, request.URL)
		return o.Poll != ""
	}
	if e, ok := progressOf(response.Body); ok && e.OperationStatus != "SUCCESS" {
		o.Style, o.Status, o.Token, o.Poll = CloudControlStyle, e.OperationStatus, e.RequestToken, request.URL
		o.Next = e.next()
		return true
	}
	return false
}

// googleOf reads an answer that has the shape of an operation of Google.
func googleOf(body []byte) (g googleOperation, ok bool) {
	if json.Unmarshal(body, &g) != nil {
		return g, false
	}
	if strings.HasSuffix(g.Kind, "#operation") {
		return g, g.SelfLink != ""
	}
	named := strings.HasPrefix(g.Name, "operations/") || strings.Contains(g.Name, "/operations/")
	return g, named && (g.Metadata != nil || g.Done || g.Response != nil || g.Error != nil || g.Kind == "")
}

func (g googleOperation) over() bool { return g.Done || strings.EqualFold(g.Status, "DONE") }

func (g googleOperation) failed() bool { return len(g.Error) > 0 && string(g.Error) != "null" }

// word gives the state in the words of the service, or of ours where it has
// none.
func (g googleOperation) word() string {
	switch {
	case g.Status != "":
		return g.Status
	case g.Done:
		return "DONE"
	}
	return "RUNNING"
}

// googlePoll gives where to ask: the path of its own link, or its name behind
// the version of the API, always at the host that the write went to.
func googlePoll(g googleOperation, called string) string {
	base, err := url.Parse(called)
	if err != nil {
		return ""
	}
	base.RawQuery = ""
	if g.SelfLink != "" {
		link, err := url.Parse(g.SelfLink)
		if err != nil {
			return ""
		}
		base.Path, base.RawPath = link.Path, link.RawPath
		return base.String()
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(base.Path, "/"), "/")
	base.Path, base.RawPath = "/"+version+"/"+g.Name, ""
	return base.String()
}

// readGoogle reads the answer to a poll. Errors of Compute are a list below
// error, the others one object.
func readGoogle(response *transport.Response) polled {
	g, ok := googleOf(response.Body)
	if !ok {
		return polled{over: true, word: "DONE"}
	}
	p := polled{over: g.over(), word: g.word()}
	if p.over && g.failed() {
		p.failed, p.err = true, parseError("application/json", response.Body)
	}
	return p
}

// googleResult gives the response of an operation, or the address of what it
// made.
func googleResult(body []byte, o Operation) ([]byte, string) {
	g, ok := googleOf(body)
	switch {
	case !ok:
		return body, ""
	case len(g.Response) > 0:
		return g.Response, ""
	case o.Verb == http.MethodDelete || g.TargetLink == "":
		return nil, ""
	}
	return nil, googlePoll(googleOperation{SelfLink: g.TargetLink}, o.URL)
}

// progressOf reads an answer that has the shape of AWS Cloud Control.
func progressOf(body []byte) (progressEvent, bool) {
	var answer struct{ ProgressEvent *progressEvent }
	if json.Unmarshal(body, &answer) != nil || answer.ProgressEvent == nil || answer.ProgressEvent.RequestToken == "" {
		return progressEvent{}, false
	}
	return *answer.ProgressEvent, true
}

func (e progressEvent) over() bool {
	switch e.OperationStatus {
	case "SUCCESS", "FAILED", "CANCEL_COMPLETE":
		return true
	}
	return false
}

// next gives when the service wants to be asked.
func (e progressEvent) next() time.Time {
	if e.RetryAfter <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(e.RetryAfter * 1000))
}

// The target of Cloud Control that tells of a request, in the header by which
// AWS's JSON protocol names it, and in the query that documents write for it.
const (
	targetHeader = "X-Amz-Target"
	statusTarget = "GetResourceRequestStatus"
	jsonOfAWS    = "application/x-amz-json-1.0"
)

// cloudControlPoll makes the request that asks for the state of a change. It
// reads, though it is a POST.
func (c *Client) cloudControlPoll(m *provider.Method, o Operation) transport.Request {
	body, _ := json.Marshal(map[string]string{"RequestToken": o.Token}) // of text alone, never fails
	r := transport.Request{
		Provider: m.Resource.Provider, Method: http.MethodPost, URL: o.Poll, Body: body, Idempotent: true, Authorize: true,
		Header: http.Header{targetHeader: {"CloudApiService." + statusTarget}, "Content-Type": {jsonOfAWS}, "Accept": {"application/json"}},
	}
	if u, err := url.Parse(o.Poll); err == nil && u.Query().Has("Action") {
		query := u.Query()
		query.Set("Action", statusTarget)
		u.RawQuery = query.Encode()
		r.URL = u.String()
	}
	return r
}

// readCloudControl reads the state of a change.
func readCloudControl(response *transport.Response) polled {
	e, ok := progressOf(response.Body)
	if !ok {
		return polled{}
	}
	p := polled{over: e.over(), word: e.OperationStatus}
	if p.over && e.OperationStatus != "SUCCESS" {
		p.failed = true
		p.err = serviceError{Code: e.ErrorCode, Message: clean(e.StatusMessage, longestMessage)}
	}
	return p
}

// cloudControlResult gives the event that tells of the object.
func cloudControlResult(body []byte) []byte { return rawMember(body, "ProgressEvent") }
