package armsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signedInUser is who changes things in the simulator; systemData names it.
const signedInUser = "admin@" + defaultDomain

// standardHeaders sets what every answer of Azure Resource Manager carries, and
// what Azure Virtual Desktop adds.
func (c *call) standardHeaders(h http.Header, rep reply) {
	in := c.req.Header
	requestID := c.sim.callID("request")
	if strings.EqualFold(c.target.namespace, avd) && rep.header["X-Ms-Failure-Cause"] != "gateway" {
		c.avdHeaders(h)
		// AVD takes the caller's id for its own, where there is one.
		requestID = firstOf(in.Get("X-Ms-Client-Request-Id"), requestID)
	}
	correlation := firstOf(in.Get("X-Ms-Correlation-Request-Id"), c.sim.callID("correlation"))
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Ms-Request-Id", requestID)
	c.sim.log.note(func() { c.entry.RequestID = requestID })
	h.Set("X-Ms-Correlation-Request-Id", correlation)
	h.Set("X-Ms-Routing-Request-Id", "WESTEUROPE:"+c.now.UTC().Format("20060102T150405Z")+":"+correlation)
	if strings.EqualFold(in.Get("X-Ms-Return-Client-Request-Id"), "true") {
		h.Set("X-Ms-Client-Request-Id", in.Get("X-Ms-Client-Request-Id"))
	}
	c.quotaHeaders(h)
}

// avdHeaders sets the headers of the AVD service. Its own limiter is unlimited
// but for the list of session hosts, which has a window of five minutes.
func (c *call) avdHeaders(h http.Header) {
	h.Set("X-Ms-Correlation-Id", c.activity)
	h.Set("X-Ms-Lamport-Ts", strconv.FormatInt(c.sim.lamport.Add(1), 10))
	limit, remaining, reset := "0", "9223372036854775807", "0"
	if c.route != nil && c.route.op == "LIST "+avd+"/hostpools/sessionhosts" {
		limit, remaining, reset = "5m", "5999", c.now.UTC().Add(5*time.Minute).Format(timeForm)
	}
	h.Set("X-Rate-Limit-Limit", limit)
	h.Set("X-Rate-Limit-Remaining", remaining)
	h.Set("X-Rate-Limit-Reset", reset)
}

// timeForm is how AVD writes times: hundredths of a second, UTC.
const timeForm = "2006-01-02T15:04:05.99Z"

// firstOf gives the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// sortedKeys gives the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
