package armsim

import (
	"net/http"
	"strings"
	"time"
)

// readBody decodes the body as an object; an absent body is an empty one where
// the caller allows it.
func (c *call) readBody(optional bool) (map[string]any, reply, bool) {
	if len(strings.TrimSpace(string(c.body))) == 0 {
		if optional {
			return map[string]any{}, reply{}, true
		}
		return nil, c.fail(http.StatusBadRequest, invalidContent, "The request content was invalid: a request body is required."), false
	}
	doc, err := decodeObject(c.body)
	if err != nil {
		return nil, c.fail(http.StatusBadRequest, invalidContent,
			"The request content was invalid and could not be deserialized: '"+err.Error()+"'."), false
	}
	return doc, reply{}, true
}

// closedEnums says whether values outside an enumeration are refused: not where
// the caller asks for another api-version than the one the document describes.
func (c *call) closedEnums() bool { return c.version == apiVersion(c.route.method) }

// put creates or replaces a resource.
func (c *call) put() reply {
	doc, old, rep, ok := c.readPut()
	if !ok {
		return rep
	}
	return c.stored(c.finish(doc, old), old)
}

// readPut checks the body of a PUT, and gives the new
// object as far as the caller wrote it, and the old one, if any.
func (c *call) readPut() (doc map[string]any, old *object, rep reply, ok bool) {
	old = c.sim.store.get(c.itemKey())
	body, rep, ok := c.readBody(false)
	if !ok {
		return nil, nil, rep, false
	}
	schema := c.bodySchema()
	p := c.checkPlace(body, schema)
	if p == nil {
		p = checkBody(body, schema, "", true, c.closedEnums())
	}
	if p != nil {
		return nil, nil, c.fail(http.StatusBadRequest, p.code, p.message), false
	}
	if rep, ok := c.unchangeable(body, old); !ok {
		return nil, nil, rep, false
	}
	doc, _ = writable(body, schema).(map[string]any)
	return doc, old, reply{}, true
}

// finish completes an object that is to replace old, and stores it.
func (c *call) finish(doc map[string]any, old *object) *object {
	s, t := c.sim, c.target
	if old != nil {
		carry(doc, old.doc, c.route.kind)
	}
	if place := textOf(doc, "location"); place != "" {
		doc["location"] = placeOf(place)
	}
	s.complete(c.route.kind, t.key(len(t.names)), doc)
	c.stamp(doc, old)
	return s.keep(s.identify(t, doc), doc)
}

// carry keeps what a PUT cannot change: the members that the service writes.
func carry(doc, old map[string]any, k *kind) {
	if k == nil || k.schema == nil {
		return
	}
	for _, m := range k.schema.Members() {
		if have, ok := old[m.Name]; ok && m.Schema.ReadOnly {
			doc[m.Name] = have
		}
	}
	now := propertiesOf(doc)
	before := propertiesOf(old)
	if now == nil || before == nil {
		return
	}
	for _, m := range property(k.schema, "properties").Members() {
		if have, ok := before[m.Name]; ok && m.Schema.ReadOnly {
			now[m.Name] = have
		}
	}
}

// stamp writes systemData, where the type has it.
func (c *call) stamp(doc map[string]any, old *object) {
	if c.route.kind == nil || property(c.route.kind.schema, "systemData") == nil {
		return
	}
	doc["systemData"] = changedBy(doc, old, c.now)
}

// changedBy gives systemData after a change.
func changedBy(doc map[string]any, old *object, now time.Time) map[string]any {
	at := now.UTC().Format(timeForm)
	data := map[string]any{"createdBy": signedInUser, "createdByType": "User", "createdAt": at}
	if old != nil {
		if before, ok := old.doc["systemData"].(map[string]any); ok {
			for _, name := range []string{"createdBy", "createdByType", "createdAt"} {
				data[name] = before[name]
			}
		}
	}
	data["lastModifiedBy"], data["lastModifiedByType"], data["lastModifiedAt"] = signedInUser, "User", at
	return data
}

// stored answers a PUT: 201 for what is new, with the address of a new AVD
// resource, which is relative and has no api-version.
func (c *call) stored(obj *object, old *object) reply {
	rep := okJSON(obj.raw)
	if old != nil {
		return rep
	}
	rep.status = http.StatusCreated
	if strings.EqualFold(c.target.namespace, avd) {
		rep.header["Location"] = textOf(obj.doc, "id")
	}
	return rep
}

// patch merges a body into a resource that exists.
func (c *call) patch() reply {
	change, old, rep, ok := c.readPatch()
	if !ok {
		return rep
	}
	return okJSON(c.applied(change, old).raw)
}

// readPatch gives the checked body of a PATCH and what it is to change.
func (c *call) readPatch() (change map[string]any, old *object, rep reply, ok bool) {
	old = c.sim.store.get(c.itemKey())
	if old == nil {
		return nil, nil, c.missing(), false
	}
	body, rep, ok := c.readBody(true)
	if !ok {
		return nil, nil, rep, false
	}
	schema := c.bodySchema()
	if p := checkBody(body, schema, "", false, c.closedEnums()); p != nil {
		return nil, nil, c.fail(http.StatusBadRequest, p.code, p.message), false
	}
	if rep, ok := c.unchangeable(body, old); !ok {
		return nil, nil, rep, false
	}
	change, _ = writable(body, schema).(map[string]any)
	for _, name := range []string{"id", "name", "type", "systemData"} {
		delete(change, spelled(change, name))
	}
	return change, old, reply{}, true
}

// applied merges a change and stores the result. AVD keeps members that were set
// to null, others lose them.
func (c *call) applied(change map[string]any, old *object) *object {
	doc := merge(old.doc, change, strings.EqualFold(c.target.namespace, avd))
	c.stamp(doc, old)
	return c.sim.replace(old, doc)
}

// remove deletes a resource with all below it. AVD answers 200 with what it
// deleted for a resource of a group, 204 for a child; others answer 200.
func (c *call) remove() reply {
	key := c.itemKey()
	old := c.sim.store.get(key)
	if old == nil {
		return empty(http.StatusNoContent)
	}
	rep := empty(http.StatusNoContent)
	switch {
	case !strings.EqualFold(c.target.namespace, avd):
		rep = empty(http.StatusOK)
	case len(c.target.names) == 1:
		rep = okJSON(old.raw)
	}
	rep.work.run = func(s *Simulator) { s.discard(key) }
	return rep
}

// before has the answer do something else too when it is carried out.
func (r reply) before(do func(*Simulator)) reply {
	if rest := r.work.run; rest != nil {
		r.work.run = func(s *Simulator) { do(s); rest(s) }
	}
	return r
}

// act answers an action without behaviour of its own: the resource has to be
// there, the answer is empty in the form that the document promises.
func (c *call) act() reply {
	if n := len(c.target.names); n > 0 && c.sim.store.get(c.target.key(n)) == nil {
		return c.notFound(n)
	}
	if p := c.actionBody(); p != nil {
		return c.fail(http.StatusBadRequest, p.code, p.message)
	}
	m := c.route.method
	switch {
	case len(m.Response.ItemsPath) > 0:
		return okJSON([]byte(`{"value":[]}`))
	case m.Response.Item != nil:
		return okJSON([]byte(`{}`))
	}
	return empty(http.StatusOK)
}

// actionBody checks the body of an action against its schema.
func (c *call) actionBody() *bodyProblem {
	body, _, ok := c.readBody(c.route.method.Body == nil || !c.route.method.Body.Required)
	if !ok {
		return &bodyProblem{invalidContent, "The request content was invalid and could not be deserialized."}
	}
	return checkBody(body, c.bodySchema(), "", len(c.body) > 0, c.closedEnums())
}
