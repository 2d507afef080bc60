package provider

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// CallKind is what a call counts as at a service that limits calls.
type CallKind string

// The kinds of Azure Resource Manager.
const (
	ReadCall   CallKind = "read"
	WriteCall  CallKind = "write"
	DeleteCall CallKind = "delete"
)

// Limit is the published limit that a call is counted against: a token bucket
// that holds Burst calls and regains PerSecond, one for each scope, principal
// and kind of call. The zero Limit says that none is known.
type Limit struct {
	Name      string // what is limited, in words: "reads of a subscription"
	Scope     string // the calls with the same one share the limit: a subscription's id in lower case, or "tenant"
	Kind      CallKind
	Burst     int     // calls at once
	PerSecond float64 // calls that may follow
	Remaining string  // header of an answer with the number of calls left
	Shared    string  // header with that of the larger limit for all principals; empty: there is none

	// Headers with what is left where a resource provider counts calls itself: a
	// number, and a list of policies with a number each.
	PartRemaining, PartPolicies string
}

// None tells whether no limit is known.
func (l Limit) None() bool { return l.PerSecond <= 0 }

// Time gives how long a number of calls takes at least, from a full bucket.
func (l Limit) Time(calls int) time.Duration {
	if l.None() || calls <= l.Burst {
		return 0
	}
	return time.Duration(float64(calls-l.Burst) / l.PerSecond * float64(time.Second))
}

// armLimits are the limits of Azure Resource Manager since 2024, for each
// region of its endpoint.
// https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
var armLimits = map[CallKind]struct {
	burst     int
	perSecond float64
}{
	ReadCall: {250, 25}, WriteCall: {200, 10}, DeleteCall: {200, 10},
}

// armHosts are the endpoints of Azure Resource Manager.
var armHosts = []string{"management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"}

// LimitOf gives the published limit of a method's calls. Its Scope is that of
// the path template: calls for several subscriptions have as many limits.
func LimitOf(m *Method) Limit { return LimitAt(m, m.Path) }

// LimitAt gives the published limit of the call with the expanded path.
func LimitAt(m *Method, path string) Limit {
	if m.Resource == nil || m.Resource.Family != ARM {
		return Limit{}
	}
	kind := armKind(m.HTTPMethod)
	size := armLimits[kind]
	l := Limit{Kind: kind, Burst: size.burst, PerSecond: size.perSecond}
	const header = "x-ms-ratelimit-remaining-"
	plural := string(kind) + "s"
	l.PartPolicies = header + "resource"
	if l.Scope = subscriptionIn(path); l.Scope == "" {
		l.Scope, l.Name, l.Remaining = "tenant", plural+" of the tenant", header+"tenant-"+plural
		l.PartRemaining = header + "tenant-resource-requests"
		return l
	}
	l.Name, l.PartRemaining = plural+" of a subscription", header+"subscription-resource-requests"
	l.Remaining, l.Shared = header+"subscription-"+plural, header+"subscription-global-"+plural
	return l
}

// armKind gives what a request counts as. A POST is a write there even where it
// only reads.
func armKind(method string) CallKind {
	switch method {
	case "GET", "HEAD":
		return ReadCall
	case "DELETE":
		return DeleteCall
	}
	return WriteCall
}

// subscriptionIn finds the subscription in a path or a template, in lower case.
func subscriptionIn(path string) string {
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(segments) < 2 || !strings.EqualFold(segments[0], "subscriptions") {
		return ""
	}
	return strings.ToLower(segments[1])
}

// HoldsAt tells whether a URL leads to the service itself, where its published
// limits hold, and not to a simulator or the like.
func HoldsAt(f Family, address string) bool {
	u, err := url.Parse(address)
	return err == nil && f == ARM && slices.Contains(armHosts, strings.ToLower(u.Hostname()))
}
