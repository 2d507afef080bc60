package rest

import (
	"regexp"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// serverOf gives the base URL of a call: the endpoint that replaces the
// document's server, or that with its variables filled in.
func (c *Client) serverOf(call provider.Call) (string, error) {
	m := call.Method
	if base := c.transport.Endpoint(m.Resource.Provider); base != "" {
		return base, nil
	}
	server := m.ServerFor(func(name string) string {
		value, _ := argument(call, name)
		return value
	})
	if m.GraphQL != nil && m.GraphQL.URL != "" {
		server = m.GraphQL.URL
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(server, "{")
		b.WriteString(before)
		if !found {
			return strings.TrimRight(b.String(), "/"), nil
		}
		name, rest, _ := strings.Cut(after, "}")
		value, err := serverValue(call, name, inHost(b.String()))
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		server = rest
	}
}

// inHost tells whether what follows a part of a URL belongs to its host.
func inHost(before string) bool {
	_, after, found := strings.Cut(before, "://")
	return !found || !strings.Contains(after, "/")
}

// hostPart is what may stand for a variable in a host: no sign that would end
// it, or begin another.
var hostPart = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?(:[0-9]+)?$`)

// serverValue gives the value of a variable, which must not lead the call to
// another host than the document's.
func serverValue(call provider.Call, name string, host bool) (string, error) {
	m := call.Method
	value, given := argument(call, name)
	if p, ok := m.Parameter(name); ok && !given && p.Schema != nil {
		value = p.Schema.Default
	}
	if value == "" {
		return "", fault.New(fault.MissingParameter, "the parameter %q has no value", name).On(m.FullName()).
			WithHint("add %s = '…' to the statement: it is a part of the service's address", name)
	}
	if !host {
		return escapeSegment(value), nil
	}
	value = strings.TrimRight(strings.TrimPrefix(value, "https://"), "/")
	if !hostPart.MatchString(value) {
		return "", badValue(m, name, value, "it is a part of the name of a host, which has letters, digits, - and . only")
	}
	return value, nil
}
