package armsim

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/provider"
)

// WithSoftDelete has resources of the types keep their names when they are deleted,
// as Key Vault and App Configuration do: a PUT of the name is refused until it says
// properties.createMode "recover", which brings the resource back without what was
// below it, or until the deleted one is purged. For the type vaults what is deleted
// is listed at
//
//	/subscriptions/{s}/providers/{namespace}/deletedVaults
//	/subscriptions/{s}/providers/{namespace}/locations/{l}/deletedVaults/{name}
//
// and purged by a POST of purge at the latter.
func WithSoftDelete(types ...string) Option {
	return func(s *settings) { s.softDelete = append(s.softDelete, types...) }
}

// The keys of deleted resources in the table of special handlers.
const (
	listDeletedOp = "LIST deleted"
	getDeletedOp  = "GET deleted"
	purgeOp       = "POST deleted/purge"
)

// retention is how long a deleted resource can be brought back.
const retention = 90 * 24 * time.Hour

// deletion is a resource that was deleted and keeps its name.
type deletion struct {
	obj *object
	at  time.Time
}

// resolveDeleted finds the route of a request for deleted resources.
func (c *call) resolveDeleted() bool {
	segments := c.segments
	if len(segments) < 5 || len(c.sim.settings.softDelete) == 0 || !strings.EqualFold(segments[0], "subscriptions") || !strings.EqualFold(segments[2], "providers") {
		return false
	}
	op, word, name := listDeletedOp, segments[4], ""
	if len(segments) >= 8 && strings.EqualFold(word, "locations") {
		op, word, name = getDeletedOp, segments[6], segments[7]
	}
	method := http.MethodGet
	if len(segments) == 9 && strings.EqualFold(segments[8], "purge") {
		op, method = purgeOp, http.MethodPost
	}
	plain, deleted := cutFold(word, "deleted")
	kind := strings.ToLower(segments[3] + "/" + plain)
	if !deleted || c.req.Method != method || !c.sim.keepsNames(kind) || len(segments) == 9 && op != purgeOp {
		return false
	}
	c.target, c.extension = target{subscription: segments[1]}, strings.ToLower(name)
	c.route = &route{op: op, kind: c.sim.routes.kinds[kind], list: op == listDeletedOp, method: &provider.Method{HTTPMethod: method}}
	return true
}

// cutFold cuts a prefix without regard to case.
func cutFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// keepsNames says whether deleted resources of the kind keep their names.
func (s *Simulator) keepsNames(kind string) bool {
	for _, t := range s.settings.softDelete {
		if strings.EqualFold(t, kind) && s.routes.kinds[kind] != nil {
			return true
		}
	}
	return false
}

// discard removes a resource, and notes it where its kind keeps names.
func (s *Simulator) discard(key string) {
	if obj := s.store.get(key); obj != nil && s.keepsNames(obj.kind) {
		s.deleted[key] = deletion{obj, s.settings.clock()}
	}
	s.store.remove(key)
}

// nameTaken refuses a PUT of a name that a deleted resource has, and carries out
// one that brings it back.
func (c *call) nameTaken() (reply, bool) {
	if c.req.Method != http.MethodPut || !c.route.item {
		return reply{}, true
	}
	gone, taken := c.sim.deleted[c.itemKey()]
	if !taken || c.sim.store.get(c.itemKey()) != nil {
		return reply{}, true
	}
	body, err := decodeObject(c.body)
	if err != nil || !strings.EqualFold(textOf(propertiesOf(body), "createMode"), "recover") {
		return c.fail(http.StatusConflict, "ConflictError", fmt.Sprintf(
			"A resource with the name '%s' exists in deleted state. Recover it with createMode 'recover', or purge it, before the name is used again.",
			c.target.names[len(c.target.names)-1])), false
	}
	delete(c.sim.deleted, c.itemKey())
	c.sim.log.note(func() { c.entry.Done = true })
	return c.withETag(okJSON(c.sim.keep(c.target, gone.obj.doc).raw)), false
}

// deletions gives the deleted resources that the request speaks of.
func (c *call) deletions() map[string]deletion {
	found := map[string]deletion{}
	for key, d := range c.sim.deleted {
		t, _ := parsePath(key)
		if d.obj.kind == c.route.kind.key && strings.EqualFold(t.subscription, c.target.subscription) &&
			(c.extension == "" || strings.EqualFold(t.names[len(t.names)-1], c.extension)) {
			found[key] = d
		}
	}
	return found
}

// listDeleted lists what was deleted and can be brought back.
func (c *call) listDeleted() reply {
	items, found := []any{}, c.deletions()
	for _, key := range sortedKeys(found) {
		items = append(items, c.deletedForm(found[key]))
	}
	return c.fixedList(items)
}

// getDeleted answers one deleted resource.
func (c *call) getDeleted() reply {
	for _, d := range c.deletions() {
		return okValue(c.deletedForm(d))
	}
	return c.gateway(http.StatusNotFound, "DeletedResourceNotFound", fmt.Sprintf("No deleted resource has the name '%s'.", c.extension))
}

// purge gives the name of a deleted resource back.
func (c *call) purge() reply {
	found := c.deletions()
	if len(found) == 0 {
		return c.getDeleted()
	}
	for key := range found {
		delete(c.sim.deleted, key)
	}
	return empty(http.StatusOK)
}

// deletedForm is what a list of deleted resources says of one.
func (c *call) deletedForm(d deletion) map[string]any {
	k, name := c.route.kind, textOf(d.obj.doc, "name")
	word := "deleted" + strings.ToUpper(k.types[0][:1]) + k.types[0][1:]
	place := firstOf(placeOf(textOf(d.obj.doc, "location")), defaultLocation)
	return map[string]any{
		"id":   "/subscriptions/" + c.target.subscription + "/providers/" + k.namespace + "/locations/" + place + "/" + word + "/" + name,
		"name": name, "type": k.namespace + "/" + word,
		"properties": map[string]any{
			"resourceId": d.obj.doc["id"], "location": place, "tags": d.obj.doc["tags"],
			"deletionDate": d.at.UTC().Format(time.RFC3339), "scheduledPurgeDate": d.at.Add(retention).UTC().Format(time.RFC3339),
		},
	}
}
