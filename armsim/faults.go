package armsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// Faults says which faults the simulator injects. Rates are shares of the
// requests, from 0 to 1; which requests they hit follows from the seed, the
// request and how often that same request has come, so a repeated request may
// well succeed. At most one fault hits a request; where the rates add up to
// more than 1 the first ones in the order below hold.
type Faults struct {
	Throttle    float64 // 429 with Retry-After
	Unavailable float64 // 503
	Internal    float64 // 500
	BadGateway  float64 // 502
	Timeout     float64 // 504
	Reset       float64 // the connection breaks before an answer
	Lose        float64 // the request is carried out, then the connection breaks
	Late        float64 // the request is carried out, then 504
	Truncate    float64 // half of the body, then the connection breaks
	HTML        float64 // 200 with a page of HTML, as a proxy sends
	Slow        float64 // the answer is late by SlowBy
	Foreign     float64 // the next link of a page points to another host
	Endless     float64 // the next link of a page points to the same page again
	EmptyPage   float64 // a page without items that has a next link

	// ByMethod has faults of requests of one HTTP method, or of WRITE: of every
	// method but GET and HEAD. They are tried before the others.
	ByMethod map[string]Faults

	SlowBy     time.Duration // default one second
	RetryAfter time.Duration // of Throttle; default one second

	// Deny lists subscriptions in which everything answers 403.
	Deny []string
	// Vanish lists names of resources, such as a host pool, that lists still
	// show, while everything below them answers 404. With a rate it hits that
	// share of all parents.
	Vanish     []string
	VanishRate float64
}

// faultKinds are the names of the rates on the command line, in the order in
// which they are tried.
var faultKinds = []struct {
	name string
	rate func(*Faults) *float64
	make func(Faults) Outcome
}{
	{"429", func(f *Faults) *float64 { return &f.Throttle }, Faults.throttle},
	{"503", func(f *Faults) *float64 { return &f.Unavailable }, failing(http.StatusServiceUnavailable, "ServiceUnavailable", "The service is temporarily unavailable.")},
	{"500", func(f *Faults) *float64 { return &f.Internal }, failing(http.StatusInternalServerError, "InternalServerError", "Encountered internal server error.")},
	{"502", func(f *Faults) *float64 { return &f.BadGateway }, failing(http.StatusBadGateway, "BadGatewayConnection", "The network connectivity issue encountered for the resource provider.")},
	{"504", func(f *Faults) *float64 { return &f.Timeout }, failing(http.StatusGatewayTimeout, "GatewayTimeout", "The gateway did not receive a response from the resource provider within the specified time period.")},
	{"reset", func(f *Faults) *float64 { return &f.Reset }, func(Faults) Outcome { return Outcome{Reset: true} }},
	{"lose", func(f *Faults) *float64 { return &f.Lose }, func(Faults) Outcome { return Outcome{Lose: true} }},
	{"late", func(f *Faults) *float64 { return &f.Late }, Faults.late},
	{"truncate", func(f *Faults) *float64 { return &f.Truncate }, func(Faults) Outcome { return Outcome{Truncate: true} }},
	{"html", func(f *Faults) *float64 { return &f.HTML }, Faults.html},
	{"slow", func(f *Faults) *float64 { return &f.Slow }, Faults.slow},
	{"foreign", func(f *Faults) *float64 { return &f.Foreign }, nil},
	{"endless", func(f *Faults) *float64 { return &f.Endless }, nil},
	{"empty", func(f *Faults) *float64 { return &f.EmptyPage }, nil},
}

// failing makes a fault that is an error answer of ARM.
func failing(status int, code, message string) func(Faults) Outcome {
	return func(Faults) Outcome { return Outcome{Status: status, Code: code, Message: message} }
}

// throttle is the throttling of a resource provider, which has another code than
// that of the token buckets of ARM.
func (f Faults) throttle() Outcome {
	wait := max(f.RetryAfter, time.Second).Round(time.Second)
	return Outcome{
		Status: http.StatusTooManyRequests, Code: "TooManyRequests",
		Message: fmt.Sprintf("The request is being throttled. Please try again after '%d' seconds.", int(wait.Seconds())),
		Header:  http.Header{"Retry-After": {strconv.Itoa(int(wait.Seconds()))}},
	}
}

// html is what a captive portal or a proxy answers in the place of the service.
func (f Faults) html() Outcome {
	return Outcome{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}},
		Body: []byte("<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"),
	}
}

// late is a write whose outcome the gateway did not wait for.
func (f Faults) late() Outcome {
	out := failing(http.StatusGatewayTimeout, "GatewayTimeout", "The gateway did not receive a response from the resource provider within the specified time period.")(f)
	out.Carry = true
	return out
}

// slow delays an answer that is otherwise right.
func (f Faults) slow() Outcome {
	if f.SlowBy <= 0 {
		return Outcome{Delay: time.Second}
	}
	return Outcome{Delay: f.SlowBy}
}

// faultPlan decides which request is hit.
type faultPlan struct {
	faults Faults
	seed   int64
	mu     sync.Mutex
	seen   map[string]uint64 // how often each request has come
}

// newFaultPlan makes the plan of a simulator.
func newFaultPlan(f Faults, seed int64) *faultPlan {
	return &faultPlan{faults: f, seed: seed, seen: map[string]uint64{}}
}

// active says whether any rate is set, so that a simulator without faults keeps
// no account of requests.
func (p *faultPlan) active() bool {
	if len(p.faults.ByMethod) > 0 {
		return true
	}
	for _, k := range faultKinds {
		if *k.rate(&p.faults) > 0 {
			return true
		}
	}
	return false
}

// of gives the faults that a request of a method may meet, in the order in which
// they are tried.
func (f Faults) of(method string) []Faults {
	list := []Faults{f.ByMethod[method]}
	if method != http.MethodGet && method != http.MethodHead {
		list = append(list, f.ByMethod[anyWrite])
	}
	return append(list, f)
}

// anyWrite stands for every method that changes something.
const anyWrite = "WRITE"

// outcome gives the fault of a request, if it is hit.
func (p *faultPlan) outcome(c *call) Outcome {
	if !p.active() {
		return Outcome{}
	}
	what := c.req.Method + " " + c.req.URL.RequestURI()
	p.mu.Lock()
	n := p.seen[what]
	p.seen[what]++
	p.mu.Unlock()
	at := draw(p.seed, what, n)
	for _, faults := range p.faults.of(c.req.Method) {
		for _, k := range faultKinds {
			rate := *k.rate(&faults)
			if at < rate {
				if k.make == nil {
					return p.pageFault(c, k.name)
				}
				return k.make(faults)
			}
			at -= rate
		}
	}
	return Outcome{}
}

// pageFault makes a fault of paging. It touches pages of lists only.
func (p *faultPlan) pageFault(c *call, name string) Outcome {
	if c.req.Method != http.MethodGet {
		return Outcome{}
	}
	self := linkBase(c.req) + c.req.URL.RequestURI()
	return Outcome{Rewrite: func(body []byte) []byte {
		page, err := decodeObject(body)
		if err != nil {
			return body
		}
		if _, list := page["value"].([]any); !list {
			return body
		}
		switch name {
		case "foreign":
			page["nextLink"] = "https://management.example.net" + c.req.URL.EscapedPath() + "?" + withToken(c.req.URL.RawQuery, "Zm9yZWlnbg")
		case "endless":
			page["nextLink"] = self
		case "empty":
			page["value"], page["nextLink"] = []any{}, self
		}
		text, err := json.Marshal(page)
		if err != nil {
			return body
		}
		return text
	}}
}

// denied says whether everything in the subscription answers 403.
func (p *faultPlan) denied(subscription string) bool {
	return slices.ContainsFunc(p.faults.Deny, func(d string) bool { return strings.EqualFold(d, subscription) })
}

// vanished says whether a parent is gone for what is below it. Only lists are
// hit by the rate: a parent found in a list and gone when its children are read
// is what happens in a real estate.
func (p *faultPlan) vanished(name, key string, list bool) bool {
	if slices.ContainsFunc(p.faults.Vanish, func(v string) bool { return strings.EqualFold(v, name) }) {
		return true
	}
	return list && p.faults.VanishRate > 0 && draw(p.seed, "vanish "+key, 0) < p.faults.VanishRate
}

// ParseFaults reads the form of the command line: kinds with their rate,
// separated by commas, such as
//
//	429=5%:2s,503=2%,reset=1%,truncate=1%,slow=1%:200ms,deny=SUBSCRIPTION,vanish=POOL
//
// Kinds with a rate are 429, 500, 502, 503, 504, reset, lose, late, truncate,
// html, slow, foreign, endless and empty; 429 and slow may name a duration after a
// colon. A kind with a method, such as lose@DELETE or 503@WRITE, hits requests of
// that method, or all but GET and HEAD. A rate is a percentage or a number from 0
// to 1. deny and vanish name
// what is hit and may stand several times; vanish may also have a rate. The
// error is a *fault.Error.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return f, faultSyntax(part, "a fault is written as kind=rate")
		}
		kind, method, only := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "@")
		if !only {
			if err := f.parse(kind, strings.TrimSpace(value), part); err != nil {
				return f, err
			}
			continue
		}
		if err := f.parseFor(strings.ToUpper(method), kind, strings.TrimSpace(value), part); err != nil {
			return f, err
		}
	}
	return f, nil
}

// parseFor reads a fault of one method.
func (f *Faults) parseFor(method, name, value, part string) error {
	methods := append([]string{anyWrite, http.MethodGet}, longRunningWords["method"]...)
	if !slices.Contains(methods, method) || name == "deny" || name == "vanish" {
		return faultSyntax(part, "a kind with a rate may have a method, which is one of "+strings.Join(methods, ", "))
	}
	own := f.ByMethod[method]
	if err := own.parse(name, value, part); err != nil {
		return err
	}
	if f.ByMethod == nil {
		f.ByMethod = map[string]Faults{}
	}
	f.ByMethod[method] = own
	return nil
}

// parse reads one fault; part is its text for an error.
func (f *Faults) parse(name, value, part string) error {
	switch name {
	case "deny":
		f.Deny = append(f.Deny, value)
		return nil
	case "vanish":
		if rate, ok := parseRate(value); ok {
			f.VanishRate = rate
		} else {
			f.Vanish = append(f.Vanish, value)
		}
		return nil
	}
	value, extra, timed := strings.Cut(value, ":")
	for _, k := range faultKinds {
		if k.name != name {
			continue
		}
		rate, ok := parseRate(value)
		if !ok {
			return faultSyntax(part, "a rate is a percentage or a number from 0 to 1")
		}
		*k.rate(f) = rate
		if timed {
			return f.parseTime(name, extra, part)
		}
		return nil
	}
	return faultSyntax(part, fault.DidYouMean(name, faultNames(), "kinds are "+strings.Join(faultNames(), ", ")))
}

// parseTime reads what stands after the colon of a fault.
func (f *Faults) parseTime(name, text, part string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return faultSyntax(part, "a duration is written like 200ms or 2s")
	}
	switch name {
	case "slow":
		f.SlowBy = d
	case "429":
		f.RetryAfter = d
	default:
		return faultSyntax(part, "only 429 and slow take a duration")
	}
	return nil
}

// faultNames lists all kinds of faults for hints.
func faultNames() []string {
	names := make([]string, 0, len(faultKinds)+2)
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return append(names, "deny", "vanish")
}

// parseRate reads a percentage or a share.
func parseRate(text string) (float64, bool) {
	number, percent := strings.CutSuffix(text, "%")
	rate, err := strconv.ParseFloat(number, 64)
	if percent {
		rate /= 100
	}
	// Written so that NaN is refused as well.
	return rate, err == nil && rate >= 0 && rate <= 1
}

// faultSyntax makes the error for a fault that cannot be read.
func faultSyntax(part, hint string) error {
	return fault.New(fault.InvalidFlag, "%q is not a fault that can be injected", part).WithHint("%s", hint)
}

// linkBase gives scheme and host under which the client reached the simulator.
func linkBase(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// withToken gives the query with another skip token; the rest keeps its text.
func withToken(rawQuery, token string) string {
	var b bytes.Buffer
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); pair == "" || err == nil && strings.EqualFold(plain, "$skiptoken") {
			continue
		}
		b.WriteString(pair)
		b.WriteByte('&')
	}
	b.WriteString("$skiptoken=")
	b.WriteString(url.QueryEscape(token))
	return b.String()
}
