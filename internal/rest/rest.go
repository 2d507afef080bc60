// Package rest turns a call of a provider's method into HTTP requests and
// their answers into raw items, as the service sent them: it builds URLs,
// follows pages, splits answers, and makes a fault of every error a service
// gives. What the documents do not say about a protocol family, above all
// Azure Resource Manager, is known here.
//
// It refuses to guess: an answer that cannot be read is an error and never an
// empty result, a list ends only where the service ends it, and a link to
// another host is not followed. It holds no state between calls. Start reading
// at [Client.Pages]; the hard part is in split.go.
package rest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// DefaultMaxPages is where a listing is taken for one that never ends.
const DefaultMaxPages = 10_000

// Options configure a Client. The zero value is usable.
type Options struct {
	MaxPages int // pages of one listing, more are fault.LimitReached; 0: DefaultMaxPages

	// APIVersions overrides the version that the documents name, by resource
	// type (Microsoft.DesktopVirtualization/hostPools), by resource
	// (azure.desktop_virtualization.host_pools), by service or by provider; the
	// most exact entry wins, case does not count. An argument of the call that
	// is named like the constant beats them all.
	APIVersions map[string]string

	// RequestID gives the id that a call is sent with, for the service's
	// support; nil: a random UUID.
	RequestID func() string
}

// Client makes calls. It is safe for concurrent use.
type Client struct {
	transport *transport.Transport
	options   Options
	versions  map[string]string
	courses   sync.Map // *course by *provider.Method
}

// New makes a Client that sends by t.
func New(t *transport.Transport, o Options) *Client {
	if o.MaxPages <= 0 {
		o.MaxPages = DefaultMaxPages
	}
	if o.RequestID == nil {
		o.RequestID = randomUUID
	}
	c := &Client{transport: t, options: o, versions: map[string]string{}}
	for name, version := range o.APIVersions {
		c.versions[strings.ToLower(name)] = version
	}
	return c
}

// randomUUID gives a UUID of version 4.
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the program ends where there is no randomness
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Result is what one call came to.
type Result struct {
	Status    int
	Items     [][]byte // raw JSON of each row of the answer; none where it is empty
	RequestID string
	ETag      string // of what was answered; empty where the service gives none
	Attempts  int
	Waited    time.Duration
	Duration  time.Duration
	State     string     // the state that the answer named, as the service writes it; often empty
	Operation *Operation // the service goes on working, and the outcome is known only later; nil: it is over
	Polls     int        // how often was asked how the operation is
	Warning   error      // what is not known although the call succeeded; a *fault.Error or nil
}

// Do makes one call, which may change things. An operation that the service
// goes on with is given as Operation; [Client.Await] waits for it. Errors are
// *fault.Error; fault.OutcomeUnknown where the call may have happened.
func (c *Client) Do(ctx context.Context, call provider.Call) (Result, error) {
	request, err := c.Request(call)
	if err != nil {
		return Result{}, err
	}
	response, err := c.transport.Do(ctx, request)
	if err != nil {
		return Result{}, fault.From(err).On(call.Method.FullName())
	}
	if gone(response, request) {
		response.Body = nil
	} else if !isSuccess(response.Status) || failed(call.Method, response) {
		return Result{}, doubted(response, refusal(call.Method, request, response))
	}
	result := Result{
		Status: response.Status, RequestID: response.RequestID, ETag: response.Header.Get("ETag"),
		Attempts: response.Attempts, Waited: response.Waited, Duration: response.Duration,
		State: stateOf(response.Body),
	}
	result.Operation = operationOf(call.Method, request, response)
	if result.Items, err = itemsOf(call.Method, response); err != nil && result.Operation == nil {
		return result, unreadable(call.Method, request, response, err)
	}
	return result, nil
}

// InGroup gives a context whose calls take turns with those of other groups
// where they wait for the same thing.
func InGroup(ctx context.Context, key any) context.Context { return transport.WithGroup(ctx, key) }

// Key gives a text that is the same for calls that send the same request.
func (c *Client) Key(call provider.Call) string {
	var b strings.Builder
	b.WriteString(call.Method.FullName())
	for _, a := range call.Arguments {
		value := a.Value
		if p, ok := call.Method.Parameter(a.Name); ok && p.In == provider.InPath && call.Method.Resource.Family == provider.ARM {
			value = strings.ToLower(value)
		}
		fmt.Fprintf(&b, "\x00%s=%s", a.Name, value)
	}
	return b.String()
}

// send sends a request and makes a fault of any status that is no success.
func (c *Client) send(ctx context.Context, m *provider.Method, r transport.Request) (*transport.Response, error) {
	response, err := c.transport.Do(ctx, r)
	if err != nil {
		return nil, fault.From(err).On(m.FullName())
	}
	if !isSuccess(response.Status) || failed(m, response) {
		return nil, refusal(m, r, response)
	}
	return response, nil
}

// isSuccess tells whether a status says that the service did what was asked.
func isSuccess(status int) bool { return status >= 200 && status <= 299 }

// gone tells whether a deletion that had to be repeated has succeeded before:
// the object is not there any more, and an earlier attempt may be the reason.
func gone(response *transport.Response, r transport.Request) bool {
	if r.Method != http.MethodDelete || response.Status != http.StatusNotFound || !response.Doubtful {
		return false
	}
	e := parseError(response.Header.Get("Content-Type"), response.Body)
	return !scopeMissing[strings.ToLower(e.Code)] && !e.html
}

// doubted judges a refusal that may be the answer to an earlier attempt's own
// doing: what was changed no longer fits the condition of the request, or is
// being changed.
func doubted(response *transport.Response, f *fault.Error) error {
	if !response.Doubtful || response.Status != http.StatusPreconditionFailed && response.Status != http.StatusConflict {
		return f
	}
	unknown := fault.New(fault.OutcomeUnknown, "an attempt got no answer and a later one was refused, so the outcome is unknown").
		WithHint("look whether it happened before running it again")
	unknown.HTTP, unknown.Object, unknown.Detail = f.HTTP, f.Object, f.Detail
	return unknown
}

// httpOf gives the facts of a call for a fault, secrets masked.
func httpOf(r transport.Request, response *transport.Response) *fault.HTTP {
	return &fault.HTTP{
		Method: r.Method, URL: transport.RedactURL(r.URL), Status: response.Status,
		RequestID: response.RequestID, Attempts: response.Attempts, Waited: response.Waited,
	}
}

// hostOf gives the host of a URL for a message.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "the service"
	}
	return u.Host
}

// isRead tells whether a method reads by GET, or by what stands for it with AWS.
func isRead(m *provider.Method) bool {
	return m.HTTPMethod == http.MethodGet || m.ReadOnly && m.Resource.Family == provider.AWS
}
