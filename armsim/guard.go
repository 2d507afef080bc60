package armsim

import (
	"fmt"
	"net/http"
	"strings"
)

// guardWrite checks what may stand against a write that is otherwise allowed, in
// the order of Azure Resource Manager and its services: locks, policies, an
// operation that is under way, a deleted resource of the name, then the conditions
// on the etag. It says true where the write may go on. A lock is no such write.
func (c *call) guardWrite() (reply, bool) {
	if c.req.Method == http.MethodGet || c.target.subscription == "" || c.extension != "" {
		return reply{}, true
	}
	for _, check := range []func() (reply, bool){c.unlocked, c.allowed, c.freeOfOperations, c.nameTaken} {
		if rep, ok := check(); !ok {
			return rep, false
		}
	}
	if !c.route.item {
		return reply{}, true
	}
	return c.precondition(c.sim.store.get(c.itemKey()))
}

// freeOfOperations refuses a write on what an operation is changing, and in a
// group that is being deleted. Deleting once more what is being deleted is no
// conflict: it joins the deletion.
func (c *call) freeOfOperations() (reply, bool) {
	subject := c.subject()
	if op := c.sim.running[subject]; op != nil {
		if op.verb == http.MethodDelete && c.req.Method == http.MethodDelete {
			return c.begun(op, http.StatusAccepted), false
		}
		// The address alone: what opens it is not told to whoever comes along.
		address, _, _ := strings.Cut(op.links.status, "?")
		return c.fail(http.StatusConflict, "AnotherOperationInProgress", fmt.Sprintf(
			"Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: %s?api-version=%s.",
			address, c.version)), false
	}
	group := groupKey(c.target.subscription, c.target.group)
	if op := c.sim.running[group]; c.target.group != "" && op != nil && op.verb == http.MethodDelete {
		return c.gateway(http.StatusConflict, "ResourceGroupBeingDeleted", fmt.Sprintf(
			"The resource group '%s' is in deprovisioning state and cannot perform this operation.", c.target.group)), false
	}
	return reply{}, true
}

// etagOf gives the etag of a version of an object, in the form that recorded
// services use: weak, around a GUID.
func (s *Simulator) etagOf(key string, version uint64) string {
	return `W/"` + s.ids.derive("etag "+key, version) + `"`
}

// tag writes a new etag into an object whose type has one. Recorded answers of
// Azure Virtual Desktop leave it out, though its contract has it. A name that is
// taken again does not come back to an etag it had.
func (s *Simulator) tag(kind, key string, doc map[string]any) {
	k := s.routes.kinds[kind]
	if k == nil || property(k.schema, "etag") == nil || strings.EqualFold(k.namespace, avd) && !s.settings.etags {
		return
	}
	s.versions[key]++
	doc["etag"] = s.etagOf(key, s.versions[key])
}

// precondition honours If-Match and If-None-Match as the provider contract has
// them. What is not there can be neither changed nor deleted whatever the
// condition says, so only a PUT is held to it then.
func (c *call) precondition(old *object) (reply, bool) {
	if old == nil && c.req.Method != http.MethodPut {
		return reply{}, true
	}
	for _, condition := range []struct {
		header string
		met    func(tags string, old *object) bool
	}{
		{"If-Match", func(tags string, old *object) bool { return old != nil && matches(tags, old) }},
		{"If-None-Match", func(tags string, old *object) bool { return old == nil || !matches(tags, old) }},
	} {
		tags := strings.Join(c.req.Header.Values(condition.header), ",")
		if tags != "" && !condition.met(tags, old) {
			return c.fail(http.StatusPreconditionFailed, "PreconditionFailed", fmt.Sprintf(
				"The condition '%s' in the %s header for the resource '%s' is not met.", tags, condition.header, c.req.URL.Path)), false
		}
	}
	return reply{}, true
}

// matches says whether a list of etags names that of the object. Services compare
// without regard to weakness. An object without an etag is matched by * alone.
func matches(tags string, old *object) bool {
	have := textOf(old.doc, "etag")
	for tag := range strings.SplitSeq(tags, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || have != "" && strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(have, "W/") {
			return true
		}
	}
	return false
}

// shown answers an object that is read by itself, in the form given. A header
// repeats its etag.
func (c *call) shown(obj *object, form []byte) reply {
	rep := okJSON(form)
	if tag := textOf(obj.doc, "etag"); tag != "" {
		rep.header["Etag"] = tag
	}
	return rep
}

// withETag adds the header that repeats the etag of what a write has left.
func (c *call) withETag(rep reply) reply {
	if c.req.Method == http.MethodGet || rep.status >= http.StatusMultipleChoices || !c.route.item || len(rep.body) == 0 || rep.header["Etag"] != "" {
		return rep
	}
	if obj := c.sim.store.get(c.itemKey()); obj != nil && textOf(obj.doc, "etag") != "" {
		rep.header["Etag"] = textOf(obj.doc, "etag")
	}
	return rep
}
