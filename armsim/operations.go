package armsim

import (
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
	id      string
	rule    LongRunning
	verb    string
	subject string // key of the resource that it changes
	during  string // the state of the resource while it runs
	begun   time.Time
	ends    time.Time // zero: never by itself
	polls   int       // how many more polls say that it goes on
	done    bool
	closed  time.Time
	links   operationLinks
	moves   int  // how often its Location has changed
	refused bool // a poll was throttled already
	work    work
	result  []byte // of an action
}

// work is what a write does beside its first answer: run when it is carried out,
// undo when it fails.
type work struct{ run, undo func(*Simulator) }

// operationLinks are the addresses under which an operation is polled.
type operationLinks struct{ status, location string }

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
	case "operations", "operationresults", "operationstatuses":
		return strings.ToLower(c.segments[n-1]), true
	}
	return "", false
}

// changing says that a GET changes the state, so that it cannot share it: a poll
// counts, and so does a read of a resource whose own state tells how an
// operation is.
func (c *call) changing() bool {
	return c.route.op == operationOp || c.route.item && c.sim.watched.Load() > 0
}

// subject gives the key of the resource that a write changes or acts upon.
func (c *call) subject() string {
	if c.route.item {
		return c.itemKey()
	}
	return c.target.key(len(c.target.names))
}

// carryOut does what a handler has decided on, at once or behind an operation.
func (c *call) carryOut(rep reply) reply {
	if c.req.Method == http.MethodGet || rep.status >= http.StatusMultipleChoices {
		return rep
	}
	if c.req.Method == http.MethodDelete && rep.work.run == nil {
		return rep // nothing to delete
	}
	c.sim.log.note(func() { c.entry.Done = true })
	rule := c.ruleOf()
	if c.extension != "" {
		rule.Style = Immediate
	}
	switch rule.Style {
	case Immediate, AddressOnly, AsyncDone:
		if rep.work.run != nil {
			rep.work.run(c.sim)
		}
		return c.atOnce(rep, rule)
	}
	return c.begin(rule, rep)
}

// atOnce adds the headers of styles that look like an operation and are none.
func (c *call) atOnce(rep reply, rule LongRunning) reply {
	switch rule.Style {
	case AddressOnly:
		rep.header["Location"] = "/" + strings.Join(c.segments, "/")
	case AsyncDone:
		op := c.newOperation(rule, rep)
		op.done, op.closed = true, c.now
		rep.header["Azure-Asyncoperation"] = op.links.status
	}
	return rep
}

// begin starts an operation and gives its first answer.
func (c *call) begin(rule LongRunning, rep reply) reply {
	s := c.sim
	op := c.newOperation(rule, rep)
	s.running[op.subject] = op
	if rule.watched() {
		s.watched.Add(1)
	}
	if rule.End != Never {
		op.ends = c.now.Add(time.Duration(op.polls+1) * max(rule.RetryAfter, time.Second))
		if rule.RetryAfter == 0 && op.polls == 0 {
			op.ends = c.now
		}
		if due := s.due.Load(); due == 0 || op.ends.UnixNano() < due {
			s.due.Store(op.ends.UnixNano())
		}
	}
	s.showState(op, op.during)
	return c.begun(op, rep.status)
}

// newOperation notes an operation under a new id.
func (c *call) newOperation(rule LongRunning, rep reply) *operation {
	op := &operation{
		id: c.sim.callID("operation"), rule: rule, verb: c.req.Method, subject: c.subject(), begun: c.now,
		polls: rule.Polls, work: rep.work,
	}
	switch {
	case op.verb == http.MethodPost:
		op.result = rep.body
	case op.verb == http.MethodDelete:
		op.during = "Deleting"
	case rep.status == http.StatusCreated:
		op.during = "Creating"
	default:
		op.during = "Updating"
	}
	op.links = c.linksOf(op.id)
	c.sim.operations[op.id] = op
	c.sim.log.note(func() { c.entry.Operation = op.id })
	return op
}

// watched says that the operation is polled by reading the resource.
func (r LongRunning) watched() bool { return r.Style == BodyOnly || r.Style == NoHeader }

// begun is the first answer of an operation. A PUT shows the resource with its
// state on the way; 202 has no body, unless the body is all there is to go by.
func (c *call) begun(op *operation, status int) reply {
	rule := op.rule
	if op.verb != http.MethodPut && (op.verb != http.MethodPatch || rule.Style != BodyOnly) {
		status = http.StatusAccepted
	}
	if rule.Style == NoHeader || rule.Style == LocationOnly && c.stateless() {
		status = http.StatusAccepted
	}
	if rule.Status != 0 {
		status = rule.Status
	}
	rep := empty(status)
	if obj := c.sim.store.get(op.subject); obj != nil && op.verb != http.MethodPost && (status != http.StatusAccepted || rule.watched()) {
		rep = okJSON(obj.raw)
		rep.status = status
	}
	switch rule.Style {
	case AsyncOperation:
		rep.header["Azure-Asyncoperation"] = op.links.status
	case LocationOnly:
		rep.header["Location"] = op.links.location
	case AsyncAndLocation:
		rep.header["Azure-Asyncoperation"], rep.header["Location"] = op.links.status, op.links.location
	case OperationLocation:
		rep.header["Operation-Location"] = op.links.status
	}
	op.retryAfter(rep)
	return rep
}

// stateless says that what a write changes has no state to show. A Location beside
// 200 or 201 is the address of what is done then.
func (c *call) stateless() bool {
	k := c.route.kind
	return k == nil || property(property(k.schema, "properties"), "provisioningState") == nil
}

// linksOf gives where an operation is polled: below a location, as Compute has
// it, the two being the same but for monitor=true; below the subscription for
// what has no provider.
func (c *call) linksOf(id string) operationLinks {
	base := linkBase(c.req) + "/subscriptions/" + c.target.subscription
	query := "?" + c.capability(id)
	if c.target.namespace == "" {
		return operationLinks{base + "/operationStatuses/" + id + query, base + "/operationresults/" + id + query}
	}
	location := defaultLocation
	if obj := c.sim.store.get(c.subject()); obj != nil {
		location = firstOf(textOf(obj.doc, "location"), location)
	}
	base += "/providers/" + c.target.namespace + "/locations/" + location
	if strings.EqualFold(c.target.namespace, compute) {
		link := base + "/operations/" + id + "?p=" + c.sim.ids.derive("partition", 0) + "&" + query[1:]
		return operationLinks{link, link + "&monitor=true"}
	}
	return operationLinks{base + "/operationStatuses/" + id + query, base + "/operationResults/" + id + query}
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
		case op.done || op.ends.IsZero():
		case at <= now.UnixNano():
			s.end(op, op.ends)
		case next == 0 || at < next:
			next = at
		}
	}
	s.due.Store(next)
}

// end closes an operation and carries out, or takes back, what it was about. It
// is called once for each.
func (s *Simulator) end(op *operation, at time.Time) {
	op.done, op.closed = true, at
	if s.running[op.subject] == op {
		delete(s.running, op.subject)
	}
	if op.rule.watched() {
		s.watched.Add(-1)
	}
	switch op.rule.End {
	case Succeeded:
		s.showState(op, "Succeeded")
		if op.work.run != nil {
			op.work.run(s)
		}
	default:
		if op.work.undo != nil {
			op.work.undo(s)
		}
		s.showState(op, op.word())
	}
}

// showState writes the state of an operation into the resource that it changes.
// Types without a provisioning state have one only where it is all that a client
// can go by, and only as long as it tells something.
func (s *Simulator) showState(op *operation, state string) {
	obj := s.store.get(op.subject)
	if obj == nil || op.verb == http.MethodPost {
		return
	}
	var value any = state
	if k := s.routes.kinds[obj.kind]; k == nil || property(property(k.schema, "properties"), "provisioningState") == nil {
		if !op.rule.watched() {
			return
		}
		if state == "Succeeded" {
			value = nil
		}
	}
	if op.rule.Answer == AnswerLower && value != nil {
		value = strings.ToLower(state)
	}
	if value == nil {
		s.replace(obj, merge(obj.doc, map[string]any{"properties": map[string]any{"provisioningState": nil}}, false))
		return
	}
	s.update(obj, map[string]any{"provisioningState": value})
}
