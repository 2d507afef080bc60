package armsim

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/provider"
)

// operation is a long-running operation. It ends after a number of polls or, for
// a client that does not poll, after a time.
type operation struct {
	id     string
	begun  time.Time
	ends   time.Time
	polls  int // how many more polls say that it goes on
	done   bool
	closed time.Time
	effect func(*Simulator)
}

// operationOp is the key of polling in the table of special handlers.
const operationOp = "GET operation"

// operationRoute gives the route of a poll. No document describes it, as the link
// is opaque to clients.
func operationRoute(string) *route {
	return &route{op: operationOp, method: &provider.Method{HTTPMethod: http.MethodGet}}
}

// operationID says whether the request polls an operation that exists, or
// existed: the last two segments of such a path are a word and a GUID.
func (c *call) operationID() (string, bool) {
	n := len(c.segments)
	if n < 2 || c.req.Method != http.MethodGet || !guidShaped(c.segments[n-1]) {
		return "", false
	}
	switch strings.ToLower(c.segments[n-2]) {
	case "operations", "operationresults":
		return strings.ToLower(c.segments[n-1]), true
	}
	return "", false
}

// changing says that a GET changes the state, so that it cannot share it: a poll
// counts.
func (c *call) changing() bool { return c.route.op == operationOp }

// begin starts an operation and answers 202 with where to poll it: by
// Azure-AsyncOperation and Location below a location, as Compute has it, or by
// Location alone, as Azure Resource Manager has it for resource groups.
func (c *call) begin(location string, async bool, effect func(*Simulator)) reply {
	s := c.sim
	op := &operation{
		id: s.callID("operation"), begun: c.now, polls: s.settings.polls, effect: effect,
		ends: c.now.Add(time.Duration(s.settings.polls+1) * s.settings.retryAfter),
	}
	s.operations[op.id] = op
	if due := s.due.Load(); due == 0 || op.ends.UnixNano() < due {
		s.due.Store(op.ends.UnixNano())
	}
	rep := empty(http.StatusAccepted)
	rep.header["Retry-After"] = retryAfter(s.settings.retryAfter)
	base := linkBase(c.req) + "/subscriptions/" + c.target.subscription
	if !async {
		rep.header["Location"] = base + "/operationresults/" + op.id + "?" + c.capability(op.id)
		return rep
	}
	base += "/providers/Microsoft.Compute/locations/" + firstOf(location, defaultLocation) + "/operations/" + op.id
	query := "p=" + s.ids.derive("partition", 0) + "&" + c.capability(op.id)
	rep.header["Azure-Asyncoperation"] = base + "?" + query
	rep.header["Location"] = base + "?" + query + "&monitor=true"
	return rep
}

// capability gives the query of a poll link. Real ones carry a certificate and a
// signature and are about 3,400 characters long, which is worth meeting in a
// test.
func (c *call) capability(id string) string {
	filler := func(purpose string, length int) string {
		var b strings.Builder
		for n := uint64(0); b.Len() < length; n++ {
			b.WriteString(strings.ReplaceAll(c.sim.ids.derive(purpose+id, n), "-", "A"))
		}
		return b.String()[:length]
	}
	ticks := c.now.UTC().Unix()*10_000_000 + 621355968000000000
	return "api-version=" + url.QueryEscape(c.version) + "&t=" + strconv.FormatInt(ticks, 10) +
		"&c=" + filler("certificate", 2600) + "&s=" + filler("signature", 342) + "&h=" + filler("hash", 43)
}

// retryAfter writes a duration as Retry-After has it, in whole seconds.
func retryAfter(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// settle ends the operations whose time has come.
func (s *Simulator) settle(now time.Time) {
	due := s.due.Load()
	if due == 0 || now.UnixNano() < due {
		return
	}
	s.state.Lock()
	defer s.state.Unlock()
	var next int64
	for _, id := range sortedKeys(s.operations) {
		op := s.operations[id]
		switch at := op.ends.UnixNano(); {
		case op.done:
		case at <= now.UnixNano():
			s.end(op, op.ends)
		case next == 0 || at < next:
			next = at
		}
	}
	s.due.Store(next)
}

// end carries out the effect of an operation. It is called once for each.
func (s *Simulator) end(op *operation, at time.Time) {
	op.done, op.closed = true, at
	op.effect(s)
}

// pollOperation answers how an operation is. The form follows the link: a status
// document for Azure-AsyncOperation, a bare status code for Location.
func (c *call) pollOperation() reply {
	s := c.sim
	id, _ := c.operationID()
	op := s.operations[id]
	if op == nil {
		return c.gateway(http.StatusNotFound, "NotFound", fmt.Sprintf("The operation '%s' was not found.", id))
	}
	if !op.done {
		if op.polls > 0 {
			op.polls--
		} else {
			s.end(op, c.now)
		}
	}
	byLocation := c.query["monitor"] != "" || strings.EqualFold(c.segments[len(c.segments)-2], "operationresults")
	rep := empty(http.StatusOK)
	switch {
	case byLocation && !op.done:
		rep.status = http.StatusAccepted
		rep.header["Location"] = linkBase(c.req) + c.req.URL.RequestURI()
	case byLocation:
		return rep
	case op.done:
		return okValue(map[string]any{
			"name": op.id, "status": "Succeeded", "startTime": op.begun.UTC().Format(time.RFC3339Nano),
			"endTime": op.closed.UTC().Format(time.RFC3339Nano),
		})
	default:
		rep = okValue(map[string]any{
			"name": op.id, "status": "InProgress", "startTime": op.begun.UTC().Format(time.RFC3339Nano),
		})
	}
	rep.header["Retry-After"] = retryAfter(s.settings.retryAfter)
	return rep
}
