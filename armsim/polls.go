package armsim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter tells the client when to ask again: in whole seconds, or in
// milliseconds where it is less than one.
func (op *operation) retryAfter(rep reply) {
	switch d := op.rule.RetryAfter; {
	case d < 0:
	case d > 0 && d < time.Second:
		rep.header["Retry-After-Ms"] = strconv.FormatInt(d.Milliseconds(), 10)
	default:
		rep.header["Retry-After"] = strconv.Itoa(int(math.Ceil(d.Seconds())))
	}
}

// count takes a poll into account; one that comes when none is left to wait for
// ends the operation.
func (s *Simulator) count(op *operation, now time.Time) {
	switch {
	case op.done || op.rule.End == Never:
	case op.polls > 0:
		op.polls--
	default:
		s.end(op, now)
	}
}

// watch counts a read of a resource whose own state tells how an operation is.
func (c *call) watch() {
	if c.req.Method != http.MethodGet || !c.route.item || c.sim.watched.Load() == 0 {
		return
	}
	if op := c.sim.running[c.itemKey()]; op != nil && op.rule.watched() {
		c.sim.count(op, c.now)
	}
}

// pollOperation answers how an operation is. The form follows the link: a status
// document for Azure-AsyncOperation, a bare status code for Location.
func (c *call) pollOperation() reply {
	id, _ := c.operationID()
	op := c.sim.operations[id]
	if op == nil {
		return c.gateway(http.StatusNotFound, "NotFound", fmt.Sprintf("The operation '%s' was not found.", id))
	}
	c.sim.log.note(func() { c.entry.Operation = id })
	byLocation := c.query["monitor"] != "" || strings.EqualFold(c.segments[len(c.segments)-2], "operationresults")
	if op.rule.Answer == AnswerThrottled && !op.refused {
		op.refused = true
		rep := reply{status: http.StatusTooManyRequests, header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}}
		rep.body = []byte("Too many requests, please retry after 1 seconds.")
		op.retryAfter(rep)
		return rep
	}
	if byLocation && op.rule.Answer == AnswerMoved && c.query["hop"] != op.hop() {
		return c.gateway(http.StatusNotFound, "NotFound", fmt.Sprintf("The operation '%s' is found at another place by now.", id))
	}
	c.sim.count(op, c.now)
	switch {
	case op.done && op.rule.Answer == AnswerGone && op.verb == http.MethodDelete:
		return c.gateway(http.StatusNotFound, "NotFound", fmt.Sprintf("The operation '%s' was not found.", id))
	case byLocation && op.done:
		return c.closedLocation(op)
	case byLocation:
		return c.openLocation(op)
	}
	return c.statusOf(op)
}

// hop is the part of a Location that changes with each poll.
func (op *operation) hop() string {
	if op.moves == 0 {
		return ""
	}
	return strconv.Itoa(op.moves)
}

// openLocation answers a poll of a Location while the operation goes on.
func (c *call) openLocation(op *operation) reply {
	rep := empty(http.StatusAccepted)
	switch op.rule.Answer {
	case AnswerStatus, AnswerFull, AnswerAccepted, AnswerLower:
		rep = c.statusOf(op)
		rep.status = http.StatusAccepted
	}
	rep.header["Location"] = op.links.location
	if op.rule.Answer == AnswerMoved {
		op.moves++
		rep.header["Location"] += "&hop=" + op.hop()
	}
	op.retryAfter(rep)
	return rep
}

// closedLocation answers a poll of a Location when the operation has ended: what
// was made or changed, what an action found, or nothing.
func (c *call) closedLocation(op *operation) reply {
	obj := c.sim.store.get(op.subject)
	switch {
	case op.rule.End != Succeeded || op.rule.Answer == AnswerFull && op.verb == http.MethodDelete:
		return c.statusOf(op)
	case op.rule.Answer == AnswerNoContent:
		return empty(http.StatusNoContent)
	case op.rule.Answer == AnswerEmpty:
	case op.verb == http.MethodPost && op.result != nil:
		return okJSON(op.result)
	case op.verb != http.MethodPost && obj != nil:
		return okJSON(obj.raw)
	}
	return empty(http.StatusOK)
}

// word is the status of an operation.
func (op *operation) word() string {
	running := "InProgress"
	switch {
	case op.rule.Answer == AnswerAccepted && op.verb == http.MethodDelete:
		running = "Deleting"
	case op.rule.Answer == AnswerAccepted:
		running = "Accepted"
	case op.rule.Answer == AnswerLower && op.during != "":
		running = op.during
	}
	word := running
	if op.done {
		word = map[End]string{Succeeded: "Succeeded", Failed: "Failed", Canceled: "Canceled"}[op.rule.End]
	}
	if op.rule.Answer == AnswerLower {
		return strings.ToLower(word)
	}
	return word
}

// statusOf answers the status document of an operation.
func (c *call) statusOf(op *operation) reply {
	obj := c.sim.store.get(op.subject)
	if op.rule.Answer == AnswerResource && op.done && op.rule.End == Succeeded && op.verb != http.MethodPost && obj != nil {
		return okJSON(obj.raw)
	}
	doc := map[string]any{"status": op.word()}
	if op.done && op.rule.End != Succeeded {
		doc["error"] = map[string]any{
			"code":    firstOf(op.rule.Code, map[End]string{Failed: "OperationFailed", Canceled: "OperationCanceled"}[op.rule.End]),
			"message": firstOf(op.rule.Message, "The operation on '"+op.subject+"' did not succeed."),
		}
	}
	if op.rule.Answer != AnswerStatus {
		doc["name"], doc["startTime"] = op.id, op.begun.UTC().Format(time.RFC3339Nano)
		if op.done {
			doc["endTime"] = op.closed.UTC().Format(time.RFC3339Nano)
		}
	}
	if op.rule.Answer == AnswerFull {
		op.fill(doc)
	}
	rep := okValue(doc)
	if !op.done {
		op.retryAfter(rep)
		if op.rule.Answer == AnswerAccepted {
			rep.status = http.StatusAccepted
		}
	}
	return rep
}

// fill adds the members of the full status document.
func (op *operation) fill(doc map[string]any) {
	path, _, _ := strings.Cut(op.links.status, "?")
	_, path, _ = strings.Cut(path, "/subscriptions/")
	doc["id"], doc["resourceId"] = "/subscriptions/"+path, op.subject
	doc["percentComplete"] = 100
	if !op.done {
		doc["percentComplete"] = 100 / (op.polls + 2)
	}
	if found, err := decodeObject(op.result); op.done && err == nil {
		doc["properties"] = found
	}
}
