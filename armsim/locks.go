package armsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// The levels of a lock on a scope and everything below it.
const (
	CanNotDelete = "CanNotDelete" // nothing is deleted
	ReadOnly     = "ReadOnly"     // nothing is deleted, changed or acted upon
)

const (
	lockKind = "microsoft.authorization/locks"
	lockPath = "/providers/" + lockKind + "/"
)

// The keys of locks in the table of special handlers. No document describes them:
// a lock extends any scope, so its path is that of the scope and some more.
const (
	listLocksOp  = "LIST lock"
	getLockOp    = "GET lock"
	putLockOp    = "PUT lock"
	deleteLockOp = "DELETE lock"
)

// resolveLock finds the route of a request for a lock or the locks of a scope. The
// target is the scope, then.
func (c *call) resolveLock() bool {
	n, name := len(c.segments)-3, ""
	if n < 2 || !strings.EqualFold(c.segments[n+2], "locks") {
		n, name = n-1, c.segments[max(len(c.segments)-1, 0)]
	}
	if n < 2 || !strings.EqualFold("/"+strings.Join(c.segments[n:n+3], "/")+"/", lockPath) {
		return false
	}
	ops := map[string]string{http.MethodGet: getLockOp, http.MethodPut: putLockOp, http.MethodDelete: deleteLockOp}
	if name == "" {
		ops = map[string]string{http.MethodGet: listLocksOp}
	}
	scope, ok := parseSegments(c.segments[:n])
	op, known := ops[c.req.Method]
	if !ok || !known || scope.collection() {
		return false
	}
	c.target, c.extension = scope, name
	c.route = &route{op: op, list: name == "", method: &provider.Method{HTTPMethod: c.req.Method}}
	return true
}

// scopeKey gives the key of the resource, group or subscription that the target
// is.
func (c *call) scopeKey() string { return c.target.key(len(c.target.names)) }

// lockKey gives the key of the lock that the request names.
func (c *call) lockKey() string { return c.scopeKey() + lockPath + strings.ToLower(c.extension) }

// listLocks lists the locks of a scope and of all below it.
func (c *call) listLocks() reply { return c.page(selection{items: c.items(c.scopeKey(), lockKind)}) }

// getLock answers one lock.
func (c *call) getLock() reply {
	if obj := c.sim.store.get(c.lockKey()); obj != nil {
		return okJSON(obj.raw)
	}
	return c.gateway(http.StatusNotFound, "LockNotFound", fmt.Sprintf("The lock '%s' could not be found.", c.extension))
}

// putLock sets a lock on a scope.
func (c *call) putLock() reply {
	body, rep, ok := c.readBody(false)
	if !ok {
		return rep
	}
	properties := propertiesOf(body)
	level := textOf(properties, "level")
	if level != CanNotDelete && level != ReadOnly {
		return c.gateway(http.StatusBadRequest, "InvalidLockLevel", fmt.Sprintf(
			"The lock level '%s' is not one of %s, %s.", level, CanNotDelete, ReadOnly))
	}
	scope := c.sim.store.get(c.scopeKey())
	if scope == nil {
		return c.notFound(len(c.target.names))
	}
	isNew := c.sim.store.get(c.lockKey()) == nil
	obj := c.sim.lock(scope, c.target, c.extension, level, textOf(properties, "notes"))
	rep = okJSON(obj.raw)
	if isNew {
		rep.status = http.StatusCreated
	}
	return rep
}

// lock stores a lock on a scope that is there.
func (s *Simulator) lock(scope *object, t target, name, level string, notes ...string) *object {
	properties := map[string]any{"level": level}
	if text := strings.Join(notes, ""); text != "" {
		properties["notes"] = text
	}
	obj := &object{key: scope.key + lockPath + strings.ToLower(name), kind: lockKind, doc: map[string]any{
		"id":   textOf(scope.doc, "id") + "/providers/Microsoft.Authorization/locks/" + name,
		"name": name, "type": "Microsoft.Authorization/locks", "properties": properties,
	}}
	obj.raw, obj.tail = encode(obj.doc)
	above := t.ancestors()
	if !slices.Contains(above, scope.key) {
		above = append(above, scope.key)
	}
	s.store.put(obj, above)
	return obj
}

// deleteLock takes a lock away.
func (c *call) deleteLock() reply {
	key := c.lockKey()
	if c.sim.store.get(key) == nil {
		return empty(http.StatusNoContent)
	}
	rep := empty(http.StatusOK)
	rep.work.run = func(s *Simulator) { s.store.remove(key) }
	return rep
}

// unlocked refuses a write that a lock forbids: on the subject, on anything above
// it, and for a deletion on anything below it. Locks themselves are changed by
// whoever may.
func (c *call) unlocked() (reply, bool) {
	subject, deletes, verb := c.subject(), c.req.Method == http.MethodDelete, "write"
	if deletes {
		verb = "delete"
	}
	for _, sl := range c.sim.store.list(subscriptionKey(c.target.subscription), lockKind) {
		at := strings.LastIndex(sl.obj.key, lockPath)
		scope := sl.obj.key[:max(at, 0)]
		above := subject == scope || strings.HasPrefix(subject, scope+"/")
		if above && (deletes || textOf(propertiesOf(sl.obj.doc), "level") == ReadOnly) || deletes && strings.HasPrefix(scope, subject+"/") {
			shown, _, _ := strings.Cut(textOf(sl.obj.doc, "id"), "/providers/Microsoft.Authorization/locks/")
			return c.gateway(http.StatusConflict, "ScopeLocked", fmt.Sprintf(
				"The scope '/%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please remove the lock and try again.",
				strings.Join(c.segments, "/"), verb, shown)), false
		}
	}
	return reply{}, true
}
