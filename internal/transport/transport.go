// Package transport sends HTTP requests to the services behind providers: over
// reused connections, a bounded number of them at once to each host and no more
// than the service's limits allow, fair between groups of calls, again where a repetition is safe and the service or the network asks for one, with
// credentials only where they belong, and with every attempt counted and
// logged with its secrets masked.
//
// It refuses to follow a redirect to another origin, to send a credential to an
// origin that is not one of the provider's, and to repeat a request that may
// have changed something unless that is harmless. It does not know what an
// answer means: any status is a [Response], and package rest turns it into rows
// or faults. Start reading at [Transport.Do]; what is repeated and how long is
// waited is in retry.go, who may send when in lane.go and host.go.
package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/planeql/planeql/internal/fault"
)

// Defaults of [Options].
const (
	DefaultConcurrency = 64
	DefaultAttempts    = 5
	DefaultPatience    = 5 * time.Minute
	DefaultMaxBody     = 256 << 20
)

// Options configure a Transport. The zero value is usable: defaults, direct
// connections, no credentials.
type Options struct {
	Concurrency int           // requests at once to one host; 0: DefaultConcurrency
	Attempts    int           // how often one request is sent at most, answers with 429 not counted; 0: DefaultAttempts
	Patience    time.Duration // longest single wait between attempts, and all that answers with 429 may cost a request; 0: DefaultPatience
	MaxBody     int64         // bytes of one answer; 0: DefaultMaxBody
	UserAgent   string
	RootCAs     *x509.CertPool      // nil: the system's
	Getenv      func(string) string // for HTTPS_PROXY, HTTP_PROXY, NO_PROXY; nil: no proxy
	Base        http.RoundTripper   // sends instead of own connections; for replay and tests
	Targets     map[string]Target   // by provider name
	Observe     func(Exchange)      // told of every attempt, from several goroutines; may be nil
	Log         *Log                // may be nil
}

// Target is where the calls of a provider go and who signs them.
type Target struct {
	Endpoint   string   // base URL that replaces the server of the documents; empty: theirs
	Origins    []string // further origins that may see the credential, a * for a part of a host; ignored where Endpoint is set
	Authorizer Authorizer
}

// Authorizer puts a credential on a request. It is asked once for each attempt.
// It may replace req.URL, and must not change what that points to: others hold
// it. What it puts there is seen by no log. An error is a *fault.Error and ends
// the request. Implementations are safe for concurrent use.
type Authorizer interface {
	Authorize(ctx context.Context, req *http.Request, s Signing) error
}

// Signing is what an [Authorizer] is told of a call beside the request itself.
//
// A challenge is the WWW-Authenticate text of a 401 answer and asks for a fresh
// credential; the request then still carries the Authorization that was refused.
type Signing struct {
	Challenge string
	Service   string // by which the service is known in signatures; empty: not stated
	Region    string // likewise
	Body      []byte
}

// Request is one request to a provider's service.
type Request struct {
	Provider   string
	Method     string // upper case
	URL        string // absolute, http or https
	Header     http.Header
	Body       []byte
	Idempotent bool                 // a POST that only reads; GET, HEAD, PUT and DELETE are repeatable anyway
	Authorize  bool                 // whether the provider's credential is put on
	Home       []string             // origins of the document that may see it, a * for a part of a host
	Service    string               // see [Signing]
	Region     string               // likewise
	Bucket     string               // names the calls that share a limit of the endpoint; after a 429 all of them wait; empty: none
	Part       string               // names those calls of a Bucket that may have a narrower limit of their own; empty: none
	Refused    func(*Response) bool // tells whether an answer other than a 429 turns the call away for its number; may be nil
	Limit      Limit                // what is known of that limit; the first request of a Bucket says it for all
}

// repeatable tells whether the request may be sent again after it may have
// reached the service.
func (r *Request) repeatable() bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Idempotent
}

// changes tells whether the request may change something at the service.
func (r *Request) changes() bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	case http.MethodPost:
		return !r.Idempotent
	}
	return true
}

// Response is the last answer to a request, read in full.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte        // decompressed; the caller's to keep
	URL       string        // where the answer came from, secrets not masked
	RequestID string        // the service's own id of the call, empty where it gave none
	Attempts  int           // how often the request was sent
	Waited    time.Duration // between attempts, and in line for the service's limit
	Duration  time.Duration // of all attempts, each from its sending to the end of the body; no wait is part of it
	RetryAt   time.Time     // when the service asked to be called again; zero: it did not say
	GaveUp    string        // why an answer that could have been repeated was not, in words
	Refused   bool          // the service turned the call away for its number
	Doubtful  bool          // an earlier attempt got no answer or a failure, and may have been carried out all the same
}

// Transport sends requests. It is safe for concurrent use.
type Transport struct {
	options Options
	base    http.RoundTripper
	total   Tally

	mu      sync.Mutex
	hosts   map[string]*host
	laneMap map[laneKey]*lane
}

// New makes a Transport. Nothing is connected yet.
func New(o Options) *Transport {
	o.Concurrency = orDefault(o.Concurrency, DefaultConcurrency)
	o.Attempts = orDefault(o.Attempts, DefaultAttempts)
	o.Patience = orDefault(o.Patience, DefaultPatience)
	o.MaxBody = orDefault(o.MaxBody, DefaultMaxBody)
	t := &Transport{options: o, base: o.Base, hosts: map[string]*host{}, laneMap: map[laneKey]*lane{}}
	if t.base == nil {
		t.base = connections(o)
	}
	return t
}

// orDefault gives a setting, or its default where it is not set.
func orDefault[T int | int64 | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// connections makes the pool. Idle connections are kept for as many requests
// as run at once, or each burst would pay for new handshakes.
func connections(o Options) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:                 Proxy(o.Getenv),
		TLSClientConfig:       &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		Protocols:             &protocols,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		MaxConnsPerHost:       o.Concurrency,
		MaxIdleConnsPerHost:   o.Concurrency,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute, // ARM itself gives up after one
	}
}

// Proxy chooses the proxy of a request by the usual variables. They come from
// the caller and are read once, so a test or an embedding program is not
// governed by the environment that it happens to run in. Under CGI HTTP_PROXY is a
// header of a request and not a setting.
func Proxy(getenv func(string) string) func(*http.Request) (*url.URL, error) {
	if getenv == nil {
		return nil
	}
	either := func(name, other string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return getenv(other)
	}
	config := httpproxy.Config{
		HTTPProxy:  either("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: either("HTTPS_PROXY", "https_proxy"),
		NoProxy:    either("NO_PROXY", "no_proxy"),
		CGI:        getenv("REQUEST_METHOD") != "",
	}
	choose := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
}

// Endpoint gives the base URL that replaces the server of a provider's
// documents, without a trailing slash; empty where there is none.
func (t *Transport) Endpoint(provider string) string {
	return trimSlash(t.options.Targets[provider].Endpoint)
}

// Stats gives the counts of all requests so far.
func (t *Transport) Stats() Stats { return t.total.Stats() }

// Close ends idle connections. Requests may still be sent afterwards.
func (t *Transport) Close() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Do sends a request until it has an answer that need not or may not be asked
// for again. Any status is a Response. An error is a *fault.Error: no
// connection, no credential, a limit of the [Tally] in ctx, the end of ctx, or
// an unknown outcome of a request that may have changed something.
func (t *Transport) Do(ctx context.Context, r Request) (*Response, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.New(fault.InvalidValue, "%q is no URL that can be called", RedactURL(r.URL)).
			WithHint("an endpoint looks like https://management.azure.com")
	}
	c := &call{
		transport: t, request: r, url: u, target: t.options.Targets[r.Provider],
		tallies: [2]*Tally{&t.total, tallyOf(ctx)}, group: groupOf(ctx),
	}
	var last outcome
	for {
		o := c.attempt(ctx)
		if c.outOfTime(ctx, o, last) {
			return c.finish(context.WithoutCancel(ctx), last)
		}
		last = o
		wait, again := c.again(ctx, o)
		if !again {
			return c.finish(ctx, o)
		}
		if err := c.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}
