package armsim

import (
	"math/rand/v2"
	"net/http"
	"strings"
)

// sessionsOfPool lists the sessions of all hosts of a pool. This list alone
// leaves systemData null, as recorded.
func (c *call) sessionsOfPool() reply {
	return c.page(selection{items: c.items(c.target.key(1), sessionKind), form: (*object).withoutSystemData})
}

// session gives the user session that the path names, or the answer that it is
// gone: numbers of ended sessions are found by nobody.
func (c *call) session() (*object, reply, bool) {
	obj := c.sim.store.get(c.target.key(len(c.target.names)))
	if obj == nil {
		return nil, c.failAVD(http.StatusNotFound, "User session ID not found"), false
	}
	return obj, reply{}, true
}

// disconnect detaches the client of an active session; its programs go on. On
// any other session it changes nothing.
func (c *call) disconnect() reply {
	obj, rep, ok := c.session()
	if !ok {
		return rep
	}
	rep = empty(http.StatusOK)
	rep.work.run = func(s *Simulator) {
		if now := s.store.get(obj.key); now != nil && stateOf(now) == "Active" {
			s.update(now, map[string]any{"sessionState": "Disconnected"})
		}
	}
	return rep
}

// stateOf gives the state of a session.
func stateOf(obj *object) string {
	properties := propertiesOf(obj.doc)
	return textOf(properties, "sessionState")
}

// sendMessage shows a message in an active session. A session without a client
// takes it and shows nothing, now or later.
func (c *call) sendMessage() reply {
	obj, rep, ok := c.session()
	if !ok {
		return rep
	}
	body, rep, ok := c.readBody(true)
	if !ok {
		return rep
	}
	if p := checkBody(body, c.bodySchema(), "", true, c.closedEnums()); p != nil {
		return c.fail(http.StatusBadRequest, p.code, p.message)
	}
	title, _ := member(body, "messageTitle")
	text, _ := member(body, "messageBody")
	message := Message{
		Session: textOf(obj.doc, "id"), User: textOf(propertiesOf(obj.doc), "userPrincipalName"),
		Title: strings.Join(texts(title), ""), Body: strings.Join(texts(text), ""), At: c.now,
	}
	rep = empty(http.StatusOK)
	rep.work.run = func(s *Simulator) {
		if stateOf(obj) == "Active" {
			s.log.deliver(message)
		}
	}
	return rep
}

// logOff ends a session. Without force the agent on the host has to be there to
// sign the user out; with it the broker's record goes in any case.
func (c *call) logOff() reply {
	obj, rep, ok := c.session()
	if !ok {
		return rep
	}
	host := c.target.key(2)
	if !c.forced() && !c.sim.reachable(host) {
		return c.failAVD(http.StatusConflict, "The session host cannot be reached to sign the user out, use force to remove the session")
	}
	rep = empty(http.StatusNoContent)
	rep.work.run = func(s *Simulator) {
		s.store.remove(obj.key)
		if s.settings.reuse {
			s.startSession(obj, "")
		}
		s.countSessions(host)
	}
	return rep
}

// startSession has another user sign in to the host of a session that has ended, and
// get its number. A user who is not named is drawn.
func (s *Simulator) startSession(ended *object, user string) {
	before := textOf(propertiesOf(ended.doc), "userPrincipalName")
	_, domain, _ := strings.Cut(before, "@")
	for n := s.counter.Add(1); user == "" || user == before; n++ {
		rng := rand.New(rand.NewPCG(uint64(s.settings.seed), n))
		user = someone(rng, firstOf(domain, defaultDomain))
	}
	t, _ := parsePath(textOf(ended.doc, "id"))
	at := s.settings.clock().UTC().Format(timeForm)
	doc := map[string]any{
		"systemData": map[string]any{
			"createdBy": nil, "createdByType": nil, "createdAt": at,
			"lastModifiedBy": nil, "lastModifiedByType": nil, "lastModifiedAt": nil,
		},
		"properties": map[string]any{
			"userPrincipalName": user, "activeDirectoryUserName": accountOf(user, strings.Contains(t.names[1], ".")),
			"sessionState": "Active", "applicationType": "Desktop", "createTime": at,
			"objectId": s.ids.derive("object "+ended.key, s.counter.Add(1)),
		},
	}
	s.complete(s.routes.kinds[sessionKind], ended.key, doc)
	s.keep(s.identify(t, doc), doc)
}

// ReuseSession ends the user session with the ARM id and gives its number to another
// user, who signs in to the same host: what may happen between the moment at which
// sessions are listed and that at which they are acted upon. It says whether the
// session was there.
func (s *Simulator) ReuseSession(id, user string) bool {
	s.state.Lock()
	defer s.state.Unlock()
	defer s.stale.pause()()
	obj := s.store.get(keyOf(id))
	if obj == nil || obj.kind != sessionKind {
		return false
	}
	s.store.remove(obj.key)
	s.startSession(obj, user)
	return true
}

// reachable says whether the agent of a session host answers.
func (s *Simulator) reachable(host string) bool {
	obj := s.store.get(host)
	if obj == nil {
		return false
	}
	properties := propertiesOf(obj.doc)
	switch textOf(properties, "status") {
	case "Unavailable", "Shutdown", "NoHeartbeat", "Disconnected":
		return false
	}
	return true
}

// countSessions writes the number of sessions into their host, which counts
// disconnected ones too.
func (s *Simulator) countSessions(host string) {
	if obj := s.store.get(host); obj != nil {
		s.update(obj, map[string]any{"sessions": len(s.store.list(host, sessionKind))})
	}
}

// patchSessionHost changes drain mode, name or owner of a host. An owner is
// replaced with force only.
func (c *call) patchSessionHost() reply {
	change, old, rep, ok := c.readPatch()
	if !ok {
		return rep
	}
	properties := propertiesOf(change)
	before := propertiesOf(old.doc)
	owner := textOf(before, "assignedUser")
	if next, given := member(properties, "assignedUser"); given && owner != "" && !c.forced() && strings.Join(texts(next), "") != owner {
		return c.failAVD(http.StatusConflict, "The session host is assigned to %s already, use force to assign it anew", owner)
	}
	return okJSON(c.applied(change, old).raw)
}

// deleteSessionHost removes the registration of a host; the machine stays.
func (c *call) deleteSessionHost() reply {
	key := c.itemKey()
	if n := len(c.sim.store.list(key, sessionKind)); n > 0 && !c.forced() {
		return c.failAVD(http.StatusConflict, "The session host has %d user sessions, end them first or use force", n)
	}
	return c.remove()
}
