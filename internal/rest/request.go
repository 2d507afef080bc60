package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// clientRequestID is the header by which a call can be found in Azure's logs.
const clientRequestID = "x-ms-client-request-id"

// Request builds the request of a call, exactly as it would be sent, except
// for the credential. It is what a dry run shows. Errors are faults of the
// arguments.
func (c *Client) Request(call provider.Call) (transport.Request, error) { return c.request(call, nil) }

// request builds the request of a call, with what its page needs put in.
func (c *Client) request(call provider.Call, put []placed) (transport.Request, error) {
	m := call.Method
	r := transport.Request{
		Provider: m.Resource.Provider, Method: m.HTTPMethod, Header: http.Header{},
		Idempotent: m.ReadOnly, Refused: refuses(m),
	}
	sign(&r, call)
	if err := checkNames(call); err != nil {
		return r, err
	}
	path, err := expandPath(call)
	if err != nil {
		return r, err
	}
	base, err := c.serverOf(call)
	if err != nil {
		return r, err
	}
	body, kind, err := payload(call, put)
	if err != nil {
		return r, err
	}
	query := encoded(c.query(call, put))
	switch {
	case m.GraphQL != nil:
		r.Method, path, query = http.MethodPost, graphQLPath(m, base), ""
	case m.Wire.Protocol == "json" && m.HTTPMethod == http.MethodPost:
		path = "/" // AWS's JSON protocols know no other: X-Amz-Target names the operation, the document's key only tells it apart
	case m.Wire.Form:
		body, kind, query = []byte(query), "application/x-www-form-urlencoded; charset=utf-8", ""
	}
	r.Body, r.URL = body, base+path
	if query != "" {
		r.URL += "?" + query
	}
	r.Bucket, r.Limit = limit(m, path, r.URL)
	if id, ok := ParseID(path); ok && r.Bucket != "" {
		r.Part = strings.ToLower(id.Namespace) // resource providers have limits of their own
	}
	for _, p := range put {
		if p.in == provider.InHeader {
			r.Header.Set(p.name, p.value)
		}
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	return r, c.headers(call, r.Header)
}

// headers sets the headers of a call. Content-Type stands only where there is a
// body, as Azure's guidelines ask. A line end in a value would begin another
// header, so it is refused rather than removed.
func (c *Client) headers(call provider.Call, h http.Header) error {
	m := call.Method
	accepts(m, h)
	for _, p := range m.Parameters {
		if p.In == provider.InHeader && p.Schema != nil && p.Schema.Default != "" {
			h.Set(p.Name, p.Schema.Default) // such as AWS's X-Amz-Target, which names the operation
		}
	}
	if m.Resource.Family == provider.ARM {
		h.Set(clientRequestID, c.options.RequestID())
	}
	for _, a := range call.Headers {
		h.Set(a.Name, a.Value)
	}
	for _, a := range call.Arguments {
		p, ok := m.Parameter(a.Name)
		if !ok || p.In != provider.InHeader {
			continue
		}
		if strings.ContainsFunc(a.Value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return badValue(m, p.Name, a.Value, "a header takes no line ends and no control characters")
		}
		if strings.EqualFold(p.Name, "Authorization") || strings.EqualFold(p.Name, "Host") {
			return fault.New(fault.InvalidValue, "the parameter %q cannot be given", p.Name).On(m.FullName()).
				WithHint("credentials are set with --auth %s=…", m.Resource.Provider)
		}
		h.Set(p.Name, a.Value)
	}
	return nil
}

// checkNames refuses arguments that would not be sent: one that is dropped in
// silence makes the answer wrong.
func checkNames(call provider.Call) error {
	m := call.Method
	for _, a := range call.Arguments {
		if _, ok := m.Parameter(a.Name); ok || isConstant(m, a.Name) {
			continue
		}
		var names []string
		for _, p := range m.Parameters {
			names = append(names, p.Name)
		}
		return fault.New(fault.UndefinedParameter, "the method has no parameter %q", a.Name).On(m.FullName()).
			WithHint("%s", fault.DidYouMean(a.Name, names, "its parameters are "+strings.Join(names, ", ")))
	}
	for _, p := range m.Parameters {
		if p.In == provider.InBody && call.Body != nil {
			continue // the body is given as a whole
		}
		if _, given := argument(call, p.Name); p.Required && !given && !isConstant(m, p.Name) {
			return fault.New(fault.MissingParameter, "the parameter %q has no value", p.Name).On(m.FullName()).
				WithHint("add %s = '…' to the statement", p.Name)
		}
	}
	return nil
}

// isConstant tells whether the document fixes a query parameter.
func isConstant(m *provider.Method, name string) bool {
	return slices.ContainsFunc(m.Constants, func(k provider.Constant) bool { return k.Name == name })
}

// argument finds the value of a parameter. Only query parameters may have several.
func argument(call provider.Call, name string) (string, bool) {
	for _, a := range call.Arguments {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// expandPath puts the arguments into the path template, each as one segment.
func expandPath(call provider.Call) (string, error) {
	var b strings.Builder
	rest := call.Method.Path
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", fault.New(fault.DocumentInvalid, "the path %q has a brace without an end", call.Method.Path).
				On(call.Method.FullName())
		}
		value, err := pathValue(call, name)
		if err != nil {
			return "", err
		}
		// A raw value such as a scope begins with the slash that stands in the template too.
		if strings.HasSuffix(b.String(), "/") {
			value = strings.TrimPrefix(value, "/")
		}
		b.WriteString(value)
		rest = tail
	}
}

// pathValue gives the text of a parameter in the path. An empty value and dots are
// refused: a server would resolve them to another resource, perhaps the parent, and
// a DELETE would go there.
func pathValue(call provider.Call, name string) (string, error) {
	m := call.Method
	value, given := argument(call, name)
	if !given {
		return "", fault.New(fault.MissingParameter, "the parameter %q has no value", name).On(m.FullName()).
			WithHint("add %s = '…' to the statement", name)
	}
	p, _ := m.Parameter(name)
	segments := []string{value}
	if p.Raw {
		segments = strings.Split(strings.Trim(value, "/"), "/")
	}
	for _, s := range segments {
		if s == "" {
			return "", badValue(m, name, value, "a part of a path cannot be empty: another resource would be meant")
		}
		if s == "." || s == ".." {
			return "", badValue(m, name, value, "a path cannot hold . or .. as a part")
		}
	}
	if p.Raw {
		if strings.ContainsAny(value, "?#") {
			return "", badValue(m, name, value, "a path cannot hold ? or #")
		}
		return strings.TrimRight(escapeIllegal(value), "/"), nil
	}
	return escapeSegment(value), nil
}

// badValue makes the fault of a value that a parameter cannot have.
func badValue(m *provider.Method, name, value, why string) *fault.Error {
	return fault.New(fault.InvalidValue, "the parameter %q does not take the value %q", name, value).
		WithDetail("%s", why).WithHint("give it as the service shows it").On(m.FullName())
}

// escapeSegment escapes a value as one segment of a path. url.PathEscape leaves
// what may stand in a segment, such as : and @, which ids of Azure contain.
func escapeSegment(value string) string { return url.PathEscape(value) }

// escapeIllegal escapes what may stand nowhere in a URL and leaves the rest,
// escapes included, as it is.
func escapeIllegal(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		ch := text[i]
		if ch > ' ' && ch < 0x7f && !strings.ContainsRune("\"<>\\^`{|}", rune(ch)) {
			b.WriteByte(ch)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[ch>>4])
		b.WriteByte(hex[ch&15])
	}
	return b.String()
}

// apiVersion gives the configured version for a method, or the document's.
func (c *Client) apiVersion(m *provider.Method, documented string) string {
	if len(c.versions) == 0 {
		return documented
	}
	for _, name := range []string{
		typeOfPath(m.Path), m.Resource.Path(), m.Resource.Provider + "." + m.Resource.Service, m.Resource.Provider,
	} {
		if version, ok := c.versions[strings.ToLower(name)]; ok && name != "" {
			return version
		}
	}
	return documented
}

// limit names the limit of the service that a call is counted against, and
// tells its published size. Simulators and proxies need not have it: at an
// endpoint that is not the service's own it holds when the answers show it.
func limit(m *provider.Method, path, address string) (string, transport.Limit) {
	l := provider.LimitAt(m, path)
	if l.None() {
		return "", transport.Limit{}
	}
	bucket := m.Resource.Provider + "|" + l.Scope + "|" + string(l.Kind)
	return bucket, transport.Limit{
		Burst: float64(l.Burst), PerSecond: l.PerSecond, Holds: provider.HoldsAt(m.Resource.Family, address),
		Remaining: l.Remaining, Shared: l.Shared, PartRemaining: l.PartRemaining, PartPolicies: l.PartPolicies,
	}
}
