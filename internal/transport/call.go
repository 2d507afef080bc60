package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// call is one Request on its way.
type call struct {
	transport *Transport
	request   Request
	url       *url.URL
	target    Target
	tallies   [2]*Tally // of the transport, of the statement (may be nil)
	group     any       // whose calls are served in turn with those of others

	attempts  int
	retries   int           // attempts that count against the limit: not the first, no redirect, no fresh sign-in, none after a 429
	refusals  int           // attempts that were answered with 429
	held      time.Duration // waits that refusals have cost
	redirects int
	waited    time.Duration // between attempts, and in line for the service's limit
	took      time.Duration // of the attempts themselves
	gaveUp    string
	doubtful  bool        // an attempt that was repeated may have been carried out
	signed    string      // Authorization of the last attempt
	refreshed bool        // a 401 was met
	refused   string      // Authorization that it refused, until a fresh one is had
	challenge string      // what it said, likewise
	connected atomic.Bool // the last attempt got a connection
}

// outcome is what one attempt came to: an answer or an error.
type outcome struct {
	response *Response
	err      error
	tried    bool // there was an attempt; else nothing was sent
	sent     bool // the request may have reached the service
	retryAt  time.Time
}

// attempt sends the request once and reads the whole answer, so that an answer
// that breaks off counts as a broken connection and can be asked for again.
func (c *call) attempt(ctx context.Context) (o outcome) {
	leave, err := c.enter(ctx)
	if err != nil {
		return outcome{err: err}
	}
	defer func() { leave(o) }()
	hr, err := c.build(ctx)
	if err != nil {
		return outcome{err: err}
	}
	for _, t := range c.tallies {
		if err := t.call(); err != nil {
			return outcome{err: err}
		}
	}
	c.attempts++
	start := time.Now()
	o = c.exchange(hr, start)
	o.tried = true
	c.record(hr, o, start)
	return o
}

// throttled tells whether the service turned the request away for its number.
// It then did nothing of it.
func (o outcome) throttled() bool {
	return o.response != nil && (o.response.Refused || o.response.Status == http.StatusTooManyRequests)
}

// enter waits until the service's limits and the bound of the host let the call
// through. A lane may be closed, or its limit become known, while the call stands
// in line further on; it then waits again. The error is that of ctx.
func (c *call) enter(ctx context.Context) (leave func(outcome), err error) {
	lanes, h := c.transport.lanes(&c.request, c.url), c.transport.host(c.url)
	for again := c.attempts > 0; ; again = true {
		turns, err := c.passLanes(ctx, lanes, again)
		if err != nil {
			return nil, err
		}
		if err := h.enter(ctx, c.group, again); err != nil {
			retreat(lanes)
			return nil, err
		}
		if !slices.ContainsFunc(lanes, (*lane).closed) && (len(lanes) < 2 || !lanes[0].outdated(turns[0])) {
			return func(o outcome) {
				h.leave()
				c.leaveLanes(lanes, turns, o)
			}, nil
		}
		h.leave()
		retreat(lanes)
	}
}

// passLanes waits in one lane after the other.
func (c *call) passLanes(ctx context.Context, lanes []*lane, again bool) ([]*turn, error) {
	var turns []*turn
	for i, l := range lanes {
		t, err := c.passLane(ctx, l, again)
		if err != nil {
			retreat(lanes[:i])
			return nil, err
		}
		turns = append(turns, t)
	}
	return turns, nil
}

func retreat(lanes []*lane) {
	for _, l := range lanes {
		l.retreat()
	}
}

// leaveLanes tells the lanes of the outcome. A refusal is laid to the narrow one
// where the service says that the limit of the other is not used up.
func (c *call) leaveLanes(lanes []*lane, turns []*turn, o outcome) {
	blamed := len(lanes) - 1
	if o.throttled() && c.request.Limit.spare(o.response.Header) {
		blamed = 0
	}
	for i, l := range lanes {
		l.leave(turns[i], o, o.throttled() && i == blamed)
	}
}

// passLane waits for the service's limit. What the limit itself costs, and not
// the number of calls, counts as waiting.
func (c *call) passLane(ctx context.Context, l *lane, again bool) (*turn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, until := l.join(c.group, again)
	c.announce(until)
	var err error
	select {
	case <-t.ready:
		if err = ctx.Err(); err != nil {
			l.retreat()
		}
	case <-ctx.Done():
		err = ctx.Err()
		l.abandon(t)
	}
	c.hasWaited(t.held, !until.IsZero())
	return t, err
}

// build makes the request of one attempt, signed.
func (c *call) build(ctx context.Context) (*http.Request, error) {
	hr := &http.Request{
		Method: c.request.Method, URL: c.url, Host: c.url.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.request.Header.Clone(),
	}
	c.connected.Store(false)
	hr = hr.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { c.connected.Store(true) },
	}))
	if hr.Header == nil {
		hr.Header = http.Header{}
	}
	if agent := c.transport.options.UserAgent; agent != "" {
		hr.Header.Set("User-Agent", agent)
	}
	if c.request.Body != nil {
		hr.ContentLength = int64(len(c.request.Body))
		hr.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(c.request.Body)), nil
		}
		hr.Body, _ = hr.GetBody()
	}
	return hr, c.authorize(ctx, hr)
}

// authorize lets the provider's authorizer sign the request, after it is sure
// that the credential goes to nobody else.
func (c *call) authorize(ctx context.Context, hr *http.Request) error {
	if !c.request.Authorize || c.target.Authorizer == nil {
		return nil
	}
	if err := c.target.mayAuthorize(&c.request, c.url); err != nil {
		return err
	}
	if c.refused != "" {
		hr.Header.Set("Authorization", c.refused)
	}
	err := c.target.Authorizer.Authorize(ctx, hr, Signing{
		Challenge: c.challenge, Service: c.request.Service, Region: c.request.Region, Body: c.request.Body,
	})
	if err != nil {
		return err
	}
	c.challenge, c.refused = "", ""
	c.signed = hr.Header.Get("Authorization")
	return nil
}

// exchange sends the request and reads the answer to its end.
func (c *call) exchange(hr *http.Request, start time.Time) outcome {
	defer func() { c.took += time.Since(start) }()
	resp, err := c.transport.base.RoundTrip(hr)
	if err != nil {
		return outcome{err: err, sent: c.mayHaveSent(err)}
	}
	defer resp.Body.Close()
	body, err := readAll(resp, c.transport.options.MaxBody)
	if err != nil {
		return outcome{err: err, sent: true}
	}
	for _, t := range c.tallies {
		t.received(len(body), resp.StatusCode)
	}
	r := &Response{
		Status: resp.StatusCode, Header: resp.Header, Body: body, URL: c.url.String(), RequestID: requestID(resp.Header),
	}
	r.Refused = r.Status == http.StatusTooManyRequests ||
		c.request.Refused != nil && c.request.Refused(r)
	o := outcome{sent: true, response: r, retryAt: retryAt(resp.Header, time.Now())}
	if r.Refused && o.retryAt.IsZero() {
		o.retryAt = resetAt(resp.Header, time.Now())
	}
	return o
}

// mayHaveSent tells whether a failed attempt may have reached the service: not
// without a connection, where it is known whether there was one.
func (c *call) mayHaveSent(err error) bool {
	if c.transport.options.Base == nil {
		return c.connected.Load()
	}
	return !isDial(err)
}

// requestID finds the id under which a service's support knows a call.
func requestID(h http.Header) string {
	for _, name := range []string{
		"x-ms-request-id", "x-ms-correlation-request-id", "x-amzn-requestid", "x-amz-request-id", "x-github-request-id",
		"x-okta-request-id", "x-request-id", "cf-ray",
	} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// outOfTime tells whether the statement's time ended while a request that was
// tried before stood in line. What became of it then is what is reported.
func (c *call) outOfTime(ctx context.Context, o, last outcome) bool {
	if o.tried || !last.tried || fault.As(o.err) != nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false
	}
	c.gaveUp = "the time for the statement was over before the next attempt"
	return true
}

// finish makes the result of the last attempt.
func (c *call) finish(ctx context.Context, o outcome) (*Response, error) {
	if o.err != nil {
		return nil, c.failure(ctx, o)
	}
	o.response.Attempts, o.response.Waited, o.response.Duration = c.attempts, c.waited, c.took
	o.response.RetryAt, o.response.GaveUp, o.response.Doubtful = o.retryAt, c.gaveUp, c.doubtful
	return o.response, nil
}

// pause waits between two attempts. The wait ends early with ctx alone.
func (c *call) pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	start := time.Now()
	c.announce(start.Add(wait))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var err error
	select {
	case <-timer.C:
	case <-ctx.Done():
		err = c.failure(ctx, outcome{err: ctx.Err()})
	}
	c.hasWaited(time.Since(start), true)
	if f := fault.As(err); f != nil {
		f.HTTP.Waited = c.waited
	}
	return err
}

// announce tells until when the call waits; the zero time is not known.
func (c *call) announce(until time.Time) {
	if until.IsZero() {
		return
	}
	for _, t := range c.tallies {
		t.waiting(until, c.url.Host)
	}
}

// hasWaited counts a wait that ends now.
func (c *call) hasWaited(wait time.Duration, announced bool) {
	c.waited += wait
	if wait <= 0 && !announced {
		return
	}
	now := time.Now()
	for _, t := range c.tallies {
		t.waited(now.Add(-wait), now, announced)
	}
}

// record tells observers and the log of an attempt.
func (c *call) record(hr *http.Request, o outcome, start time.Time) {
	options := &c.transport.options
	if options.Observe == nil && options.Log == nil {
		return
	}
	e := Exchange{
		Provider: c.request.Provider, Method: hr.Method, URL: RedactURL(c.url.String()),
		Attempt: c.attempts, Started: start, Duration: time.Since(start), Err: o.err,
	}
	var received []byte
	var kind string
	if o.response != nil {
		e.Status, e.RequestID, e.Bytes = o.response.Status, o.response.RequestID, len(o.response.Body)
		received, kind = o.response.Body, o.response.Header.Get("Content-Type")
	}
	if options.Observe != nil {
		options.Observe(e)
	}
	if options.Log != nil {
		options.Log.write(e, c.request.Body, received, kind)
	}
}

// cancelled makes the fault of a context that ended. What was asked for by the
// user and what ran out of time have different exit codes.
func cancelled(ctx context.Context) *fault.Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.Cancelled, "the time for the statement is over").In(fault.Service).
			WithHint("allow more with --timeout, or ask for less").Because(ctx.Err())
	}
	return fault.New(fault.Cancelled, "interrupted").In(fault.Interrupt).Because(ctx.Err())
}
