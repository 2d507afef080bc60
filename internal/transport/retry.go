package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// Waits where the service names no time: full jitter below a bound that doubles
// from the first to the second of these.
const (
	firstBound = 500 * time.Millisecond
	lastBound  = 30 * time.Second
)

// trustedRefusals is how many refusals of a request the service may answer with
// a time of less than a second to come back.
const trustedRefusals = 5

// maxRedirects bounds how often a request is sent elsewhere within an origin.
const maxRedirects = 5

// again decides whether the request is sent once more and after which wait.
func (c *call) again(ctx context.Context, o outcome) (time.Duration, bool) {
	if ctx.Err() != nil || fault.As(o.err) != nil {
		return 0, false
	}
	if o.response != nil && (c.redirected(o.response) || c.challenged(o.response)) {
		return 0, true
	}
	if !c.mayRepeat(o) {
		return 0, false
	}
	if !o.throttled() && c.retries+1 >= c.transport.options.Attempts {
		return c.giveUp("all %d attempts were used", c.attempts)
	}
	wait := c.wait(o)
	if why := c.impatient(o, wait); why != "" {
		return c.giveUp("%s", why)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(deadline) {
		return c.giveUp("the next attempt, in %s, is beyond the time for the statement", wait.Round(time.Millisecond))
	}
	for _, t := range c.tallies {
		if why := t.retry(wait, o.throttled()); why != "" {
			return c.giveUp("%s", why)
		}
	}
	c.note(o, wait)
	return wait, true
}

// note counts a repetition that was decided on.
func (c *call) note(o outcome, wait time.Duration) {
	if !o.throttled() {
		c.retries++
		c.doubtful = c.doubtful || o.sent
		return
	}
	c.refusals++
	c.held += wait
}

// impatient tells why a wait is longer than is accepted: a single one, or all
// that refusals have cost this request. How often it was refused does not
// matter, since the service did nothing and says so.
func (c *call) impatient(o outcome, wait time.Duration) (why string) {
	patience := c.transport.options.Patience
	switch {
	case wait > patience:
		return fmt.Sprintf("the service asks to wait %s, longer than the %s that is waited at most",
			wait.Round(time.Second), patience)
	case o.throttled() && c.held+wait > patience:
		return fmt.Sprintf("the service refused it %d times in %s, and %s is waited at most",
			c.refusals+1, c.held.Round(time.Second), patience)
	}
	return ""
}

// giveUp notes why the request is not sent again, for the message.
func (c *call) giveUp(format string, args ...any) (time.Duration, bool) {
	c.gaveUp = fmt.Sprintf(format, args...)
	return 0, false
}

// mayRepeat holds the rule of what is sent again. A 429 says that the service
// did nothing, so it holds for every method; other signs of trouble leave open
// whether the request was carried out.
func (c *call) mayRepeat(o outcome) bool {
	if o.err != nil {
		return worthRepeating(o.err) && (!o.sent || c.request.repeatable())
	}
	if o.throttled() {
		return true
	}
	switch o.response.Status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return c.request.repeatable()
	}
	return false
}

// wait gives the time before the next attempt: never less than the service
// asks for, and a little more, so that calls it sent away together do not come
// back together. A service that goes on refusing although it was obeyed asks for
// too little.
func (c *call) wait(o outcome) time.Duration {
	asked := time.Duration(0)
	if !o.retryAt.IsZero() {
		asked = time.Until(o.retryAt)
	}
	if asked <= 0 {
		bound := min(firstBound<<min(c.retries+c.refusals, 10), lastBound)
		return rand.N(bound + 1)
	}
	if c.refusals >= trustedRefusals {
		asked = max(asked, time.Second)
	}
	return asked + rand.N(min(asked/20, time.Second)+1)
}

// redirected follows a redirect of a reading call within its origin. Others
// are the caller's to judge: a body or a credential is not carried elsewhere.
func (c *call) redirected(r *Response) bool {
	if r.Status < 300 || r.Status > 399 || r.Status == http.StatusNotModified || c.redirects >= maxRedirects {
		return false
	}
	if c.request.Method != http.MethodGet && c.request.Method != http.MethodHead {
		return false
	}
	location := r.Header.Get("Location")
	next, err := c.url.Parse(location)
	if err != nil || location == "" || Origin(next) != Origin(c.url) {
		return false
	}
	c.redirects++
	c.url = next
	return true
}

// challenged notes a 401 that a fresh credential may answer, once for a
// request. The request was refused before it did anything.
func (c *call) challenged(r *Response) bool {
	if r.Status != http.StatusUnauthorized || c.signed == "" || c.refreshed {
		return false
	}
	c.refreshed = true
	c.refused = c.signed
	c.challenge = strings.Join(r.Header.Values("WWW-Authenticate"), ", ")
	if c.challenge == "" {
		c.challenge = "Bearer"
	}
	return true
}

// retryAt reads when the service wants to be called again. A date is taken
// relative to the service's own Date, since clocks differ.
func retryAt(h http.Header, now time.Time) time.Time {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get(name)), 64); err == nil && ms > 0 {
			return now.Add(seconds(ms / 1000))
		}
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return time.Time{}
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if s > 0 {
			return now.Add(seconds(s))
		}
		return time.Time{}
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return now.Add(at.Sub(date))
	}
	return at
}

// resetAt reads when a refused call may come again from the headers of GitHub,
// Okta and others, which tell when their count begins anew, by the clock or in
// seconds. Other answers have them too, where they say nothing of the call.
func resetAt(h http.Header, now time.Time) time.Time {
	for _, name := range []string{"x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"} {
		n, err := strconv.ParseFloat(strings.TrimSpace(h.Get(name)), 64)
		if err != nil || n <= 0 {
			continue
		}
		const clock = 1_000_000_000 // of 2001: less is no time of today
		if n < clock {
			return now.Add(seconds(n))
		}
		from := now
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			from = date
		}
		if wait := seconds(n - float64(from.Unix())); wait > 0 {
			return now.Add(wait)
		}
	}
	return time.Time{}
}

// seconds converts without overflow: a year is as good as for ever.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 366*24*3600) * float64(time.Second))
}
