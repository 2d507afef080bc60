package armsim

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request on its way through the simulator.
type call struct {
	sim       *Simulator
	req       *http.Request
	entry     *Request
	segments  []string // of the path, decoded
	target    target
	extension string // name of a lock of the target, or of a deleted resource
	route     *route
	query     map[string]string // by name in lower case
	version   string
	now       time.Time
	activity  string // AVD's name for the call, quoted in its errors
	remaining int    // tokens left in the bucket of the call
	body      []byte
}

// reply is an answer before it is written.
type reply struct {
	status int
	header map[string]string
	body   []byte // nil: none
	work   work   // what a write has yet to do
}

// largestBody is what Azure Resource Manager takes as a request, 4 MB.
const largestBody = 4 << 20

// ServeHTTP answers one request. Every request is noted for [Simulator.Requests]
// before anything else happens to it.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	now := s.settings.clock()
	entry := &Request{
		Method: r.Method, Path: r.URL.Path, RawPath: r.URL.EscapedPath(), Query: r.URL.Query(),
		RawQuery: r.URL.RawQuery, Header: headerWithoutToken(r.Header), Body: body, At: now,
	}
	s.log.add(entry)
	c := &call{sim: s, req: r, entry: entry, now: now, body: body, query: foldQuery(entry.Query), remaining: -1}
	c.activity = s.callID("activity")
	if err != nil {
		c.write(w, tooLarge(), Outcome{})
		return
	}
	out := s.outcome(c)
	if !pause(r, s.settings.latency+out.Delay) {
		panic(http.ErrAbortHandler)
	}
	if out.Reset {
		breakConnection(w)
		return
	}
	rep, replaced := out.reply()
	switch {
	case !replaced:
		rep = s.serve(c)
	case out.Carry:
		s.serve(c)
	}
	if out.Lose {
		breakConnection(w)
		return
	}
	c.write(w, rep, out)
}

// outcome asks the hook, then the fault plan, what is to happen to a request.
func (s *Simulator) outcome(c *call) Outcome {
	if s.settings.hook != nil {
		c.req.Body = io.NopCloser(bytes.NewReader(c.body))
		if out := s.settings.hook(c.req); !out.passes() {
			return out
		}
	}
	return s.faults.outcome(c)
}

// pause waits and says false when the client has gone meanwhile.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// serve finds what the request means and does it, without faults.
func (s *Simulator) serve(c *call) reply {
	if rep, ok := c.authenticate(); !ok {
		return rep
	}
	if rep, ok := c.resolve(); !ok {
		return rep
	}
	if rep, ok := c.takeToken(); !ok {
		return rep
	}
	s.settle(c.now)
	if c.req.Method == http.MethodGet && !c.changing() {
		s.state.RLock()
		defer s.state.RUnlock()
	} else {
		s.state.Lock()
		defer s.state.Unlock()
	}
	if rep, ok := c.admit(); !ok {
		return rep
	}
	if rep, ok := c.guardWrite(); !ok {
		return rep
	}
	c.watch()
	handle := special[c.route.op]
	if handle == nil {
		handle = (*call).general
	}
	return c.withETag(c.carryOut(handle(c)))
}

// general serves what has no handler of its own, by the contract of Azure
// Resource Manager.
func (c *call) general() reply {
	if c.route.list {
		return c.listChildren()
	}
	if !c.route.item {
		return c.act()
	}
	switch c.req.Method {
	case http.MethodGet:
		return c.get()
	case http.MethodPut:
		return c.put()
	case http.MethodPatch:
		return c.patch()
	case http.MethodDelete:
		return c.remove()
	}
	return c.fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "The method is not known for this resource type.")
}

// resolve finds the route and checks the api-version.
func (c *call) resolve() (reply, bool) {
	segments, ok := splitPath(c.req.URL.EscapedPath())
	if !ok {
		return c.gateway(http.StatusBadRequest, "InvalidResourceName", "The path holds a segment that is no valid name."), false
	}
	c.segments = segments
	c.target, ok = parseSegments(segments)
	c.version = c.query["api-version"]
	if id, found := c.operationID(); found {
		c.route = operationRoute(id)
		return reply{}, true
	}
	if c.resolveLock() || c.resolveDeleted() {
		if !versionShaped(c.version) {
			return c.gateway(http.StatusBadRequest, "MissingApiVersionParameter",
				"The api-version query parameter (?api-version=) is required for all requests."), false
		}
		return reply{}, true
	}
	n := c.sim.routes.match(segments)
	if c.version == "" && len(segments) > 0 {
		return c.gateway(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests."), false
	}
	if !ok || n == nil {
		return c.unknownPath(), false
	}
	c.route = n.routes[c.req.Method]
	if c.route == nil {
		rep := c.gateway(http.StatusMethodNotAllowed, "MethodNotAllowed",
			"The requested resource does not support http method '"+c.req.Method+"'.")
		rep.header["Allow"] = strings.Join(sortedKeys(n.routes), ", ")
		return rep, false
	}
	return c.checkVersion()
}

// callID makes an identifier that differs for each call and, for calls that
// come one after another, follows from the seed.
func (s *Simulator) callID(purpose string) string {
	return s.ids.derive(purpose, s.counter.Add(1))
}

// headerWithoutToken gives the headers that may be kept: tokens are not, as a log
// of requests is shown and stored.
func headerWithoutToken(h http.Header) http.Header {
	c := h.Clone()
	c.Del("Authorization")
	c.Del("X-Ms-Authorization-Auxiliary")
	return c
}

// foldQuery gives the first value of each query parameter; names are compared
// without case.
func foldQuery(q url.Values) map[string]string {
	folded := make(map[string]string, len(q))
	for _, name := range sortedKeys(q) {
		key := strings.ToLower(name)
		if _, taken := folded[key]; !taken {
			folded[key] = q.Get(name)
		}
	}
	return folded
}

// write sends the answer with the headers of Azure Resource Manager, in whole
// or as the outcome says.
func (c *call) write(w http.ResponseWriter, rep reply, out Outcome) {
	c.sim.log.note(func() { c.entry.Status = rep.status })
	h := w.Header()
	c.standardHeaders(h, rep)
	for name, value := range rep.header {
		h.Set(name, value)
	}
	for name, values := range out.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	out.mutate(&rep)
	// A header without a value is one that a hook takes out, or an echo of nothing.
	maps.DeleteFunc(h, func(_ string, v []string) bool { return len(v) == 1 && v[0] == "" })
	if out.Truncate && len(rep.body) > 0 {
		truncate(w, rep)
	}
	w.WriteHeader(rep.status)
	if len(rep.body) > 0 && c.req.Method != http.MethodHead {
		// A client that has gone away is no business of the simulator.
		_, _ = w.Write(rep.body)
	}
}
