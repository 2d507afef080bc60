package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// How often is asked where the service does not say: soon at first, since many
// operations are short, then at growing intervals.
const (
	firstPoll = time.Second
	lastPoll  = 30 * time.Second
	mostWait  = 10 * time.Minute // of what a service may ask for: the bound of Azure's contract
)

// mostMisses is how many polls in a row may fail before the waiting is given
// up. Each has been repeated by the transport already.
const mostMisses = 10

// mostAbsent is how many answers in a row may say that there is no such
// operation: records of one appear late, and vanish at its end.
const mostAbsent = 3

// Await asks how an operation is until it is over, and gives the final object
// where the service has one. told hears of each change of the operation; it may
// be nil. Errors are *fault.Error: fault.StillRunning where the waiting ended
// and the operation did not, fault.OutcomeUnknown where the service knows
// nothing of it any more; any other says that the operation failed.
func (c *Client) Await(ctx context.Context, m *provider.Method, o Operation, told func(Operation)) (Result, error) {
	w := &waiting{client: c, method: m, operation: o, told: told, start: time.Now()}
	if !o.CanAwait() {
		return Result{State: o.Status}, fault.New(fault.StillRunning, "the service goes on with it and named no place to ask how it is").
			On(m.FullName()).WithHint("look whether it has happened by a SELECT")
	}
	for {
		if err := w.pause(ctx); err != nil {
			return w.result(), w.left(ctx, err)
		}
		over, err := w.poll(ctx)
		if err != nil {
			return w.result(), err
		}
		if over {
			return w.final(ctx)
		}
	}
}

// waiting is the way to the end of one operation.
type waiting struct {
	client    *Client
	method    *provider.Method
	operation Operation
	told      func(Operation)
	start     time.Time
	polls     int
	misses    int    // polls in a row without an answer that counts
	absent    int    // answers in a row that know no such operation
	last      []byte // body of the last answer
}

// pause waits until it is time to ask. Not all operations of a statement are
// asked at the same moment.
func (w *waiting) pause(ctx context.Context) error {
	wait := time.Until(w.operation.Next)
	if w.operation.Next.IsZero() {
		wait = min(firstPoll<<min(w.polls/2, 10), lastPoll)
		wait += rand.N(wait/5 + 1)
	}
	w.operation.Next = time.Time{}
	timer := time.NewTimer(min(wait, mostWait))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// poll asks once. An error ends the waiting.
func (w *waiting) poll(ctx context.Context) (over bool, err error) {
	w.polls++
	request := w.request()
	response, err := w.client.transport.Do(ctx, request)
	if err != nil {
		return false, w.missed(ctx, err)
	}
	switch status := response.Status; {
	case status == http.StatusNotFound || status == http.StatusGone:
		return w.notFound(ctx, request, response)
	case !isSuccess(status):
		return false, w.missed(ctx, refusal(w.method, request, response))
	}
	w.misses, w.absent, w.last = 0, 0, response.Body
	before := w.operation
	w.follow(response)
	o := readPoll(&w.operation, response)
	w.operation.Status, w.operation.Next = o.word, response.RetryAt
	if w.told != nil && (w.operation.Status != before.Status || w.operation.Moved(before)) {
		w.told(w.operation)
	}
	if o.failed {
		return false, w.failure(request, response, o)
	}
	return o.over, nil
}

// Moved tells whether an operation is to be asked for elsewhere than before.
// Each answer may sign the same link anew, which is no move.
func (o Operation) Moved(before Operation) bool {
	return o.Style != before.Style || transport.RedactURL(o.Poll) != transport.RedactURL(before.Poll)
}

// request makes the request of a poll. It counts as a read against the limits.
func (w *waiting) request() transport.Request {
	if w.operation.Style == CloudControlStyle {
		return w.client.cloudControlPoll(w.method, w.operation)
	}
	return w.client.read(w.method, w.operation.Poll)
}

// read makes the request that reads an address.
func (c *Client) read(m *provider.Method, address string) transport.Request {
	reading := *m
	reading.HTTPMethod, reading.ReadOnly = http.MethodGet, true
	r := transport.Request{
		Provider: m.Resource.Provider, Method: http.MethodGet, URL: address, Authorize: true,
		Header: http.Header{"Accept": {"application/json"}},
	}
	path := pathOf(address)
	r.Bucket, r.Limit = limit(&reading, path, address)
	if id, ok := ParseID(path); ok && r.Bucket != "" {
		r.Part = strings.ToLower(id.Namespace)
	}
	if m.Resource.Family == provider.ARM {
		r.Header.Set(clientRequestID, c.options.RequestID())
	}
	return r
}

// follow takes newer links from an answer: they replace the old ones.
func (w *waiting) follow(response *transport.Response) {
	o := &w.operation
	if link := firstHeader(response.Header, "Azure-AsyncOperation", "Operation-Location"); link != "" && o.Style == StatusStyle {
		if next := absolute(link, response.URL); next != "" {
			o.Poll = next
		}
	}
	location := absolute(response.Header.Get("Location"), response.URL)
	if location == "" || o.Style != StatusStyle && o.Style != LocationStyle {
		return
	}
	o.Location = location
	if o.Style == LocationStyle {
		o.Poll = location
	}
}

// notFound judges an answer that knows no such operation. A deletion takes the
// records of its operation with it, so the object itself is asked for; what was
// made is asked for when the record does not come back.
func (w *waiting) notFound(ctx context.Context, request transport.Request, response *transport.Response) (over bool, err error) {
	o := &w.operation
	w.absent++
	if o.Verb == http.MethodDelete {
		if o.Style == ResourceStyle || w.isGone(ctx) {
			o.Status = "Succeeded"
			return true, nil
		}
	}
	if w.absent < mostAbsent {
		return false, nil
	}
	if o.Style != ResourceStyle && o.Verb != http.MethodPost && w.method.Resource.Family == provider.ARM {
		o.Style, o.Poll, w.absent = ResourceStyle, o.URL, 0
		return false, nil
	}
	f := fault.New(fault.OutcomeUnknown, "the service knows nothing of the operation any more, so its outcome is unknown").
		On(w.method.FullName()).WithHint("look whether it happened before running it again")
	f.HTTP = w.facts(response)
	return false, f
}

// isGone tells whether the object of a deletion is not there any more.
func (w *waiting) isGone(ctx context.Context) bool {
	w.polls++
	response, err := w.client.transport.Do(ctx, w.client.read(w.method, w.operation.URL))
	return err == nil && (response.Status == http.StatusNotFound || response.Status == http.StatusGone)
}

// missed counts a poll that told nothing: that says nothing of the operation.
// What will not pass by itself, or not soon, ends the waiting.
func (w *waiting) missed(ctx context.Context, err error) error {
	f := fault.From(err)
	w.misses++
	passing := f.Code == fault.Throttled || f.Code == fault.ServiceFailed || f.Code == fault.ConnectionLost || f.Code == fault.CannotConnect
	if ctx.Err() == nil && passing && w.misses < mostMisses {
		return nil
	}
	return w.left(ctx, err)
}

// left makes the fault of a waiting that ended before the operation. The end of
// the statement is the user's doing or that of a time limit.
func (w *waiting) left(ctx context.Context, err error) *fault.Error {
	f := fault.New(fault.StillRunning, "the operation goes on at the service").On(w.method.FullName()).Because(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Message = "the time for waiting is over, and " + f.Message
	case ctx.Err() != nil:
		f = f.In(fault.Interrupt)
	default:
		why := fault.From(err)
		f.Message = "how the operation is cannot be asked any more; it goes on at the service"
		f = f.WithDetail("%s", why.Error())
		if why.Scope == fault.Credential || why.Scope == fault.Guard {
			f = f.In(why.Scope)
		}
	}
	if w.operation.Status != "" {
		f = f.WithDetail("%s", strings.TrimSpace(f.Detail+"\nits last state: "+w.operation.Status))
	}
	return f
}

// failure makes the fault of an operation that did not succeed.
func (w *waiting) failure(r transport.Request, response *transport.Response, o polled) *fault.Error {
	e := o.err
	message := "the operation failed at the service"
	if word := strings.ToLower(o.word); strings.HasPrefix(word, "cancel") {
		message = "the operation was cancelled at the service"
	}
	f := fault.New(fault.Rejected, "%s", message).On(w.method.FullName()).
		WithHint("the service's own words say why; the request id helps its support")
	f.HTTP = w.facts(response)
	f.HTTP.Code, f.HTTP.Message = e.Code, e.Message
	found := e.Details
	if e.Target != "" {
		found = append([]string{"about: " + e.Target}, found...)
	}
	if len(found) > 0 {
		f = f.WithDetail("%s", strings.Join(found, "\n"))
	}
	if hint := hintFor(w.method, r, response, e); hint != "" {
		f = f.WithHint("%s", hint)
	}
	return f
}

// facts gives the facts of the write, and not the link of the poll, with the
// answer that ended it.
func (w *waiting) facts(response *transport.Response) *fault.HTTP {
	return &fault.HTTP{
		Method: w.operation.Verb, URL: transport.RedactURL(w.operation.URL), Status: response.Status,
		RequestID: response.RequestID, Attempts: response.Attempts,
	}
}

// result gives what is known of the waiting so far.
func (w *waiting) result() Result {
	return Result{State: w.operation.Status, Polls: w.polls, Duration: time.Since(w.start)}
}
