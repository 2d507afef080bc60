package armsim

import (
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// bodySchema gives the schema of the method's request body.
func (c *call) bodySchema() *openapi.Schema {
	if c.route.method.Body == nil {
		return nil
	}
	return c.route.method.Body.Schema
}

// keep stores an object under the target's key.
func (s *Simulator) keep(t target, doc map[string]any) *object {
	key := t.scope()
	if n := len(t.names); n > 0 {
		key = t.key(n)
	} else if t.tenant != "" {
		key = "/tenants/" + strings.ToLower(t.tenant)
	}
	obj := &object{key: key, kind: t.kindKey(), doc: doc}
	s.tag(obj.kind, key, doc)
	obj.raw, obj.tail = encode(doc)
	s.store.put(obj, t.ancestors())
	return obj
}

// replace stores another version of an object that is there.
func (s *Simulator) replace(old *object, doc map[string]any) *object {
	obj := &object{key: old.key, kind: old.kind, doc: doc}
	s.tag(obj.kind, old.key, doc)
	obj.raw, obj.tail = encode(doc)
	s.store.put(obj, nil)
	return obj
}

// identify writes id, name and type into an object as the service in question
// spells them, and gives the target with the spelling of what is above it. An
// object that exists keeps the spelling under which it was made.
func (s *Simulator) identify(t target, doc map[string]any) target {
	t = s.spelling(t)
	switch {
	case len(t.names) > 0:
		doc["id"], doc["type"] = s.resourceID(t), s.resourceType(t)
		doc["name"] = t.names[len(t.names)-1]
		if strings.EqualFold(t.namespace, avd) {
			doc["name"] = strings.Join(t.names, "/")
		}
	case t.group != "":
		doc["id"] = "/subscriptions/" + t.subscription + "/resourceGroups/" + t.group
		doc["name"], doc["type"] = t.group, "Microsoft.Resources/resourceGroups"
	case t.subscription != "":
		doc["id"], doc["subscriptionId"] = "/subscriptions/"+t.subscription, t.subscription
	case t.tenant != "":
		doc["id"], doc["tenantId"] = "/tenants/"+t.tenant, t.tenant
	}
	return t
}

// spelling replaces the case of the request by that of the stored objects.
func (s *Simulator) spelling(t target) target {
	t.subscription = strings.ToLower(t.subscription)
	if group := s.store.get(t.scope()); t.group != "" && group != nil {
		t.group = firstOf(textOf(group.doc, "name"), t.group)
	}
	names := append([]string(nil), t.names...)
	for n := len(names); n >= 1; n-- {
		if obj := s.store.get(t.key(n)); obj != nil {
			if known, ok := parsePath(textOf(obj.doc, "id")); ok && len(known.names) == n {
				copy(names, known.names)
				break
			}
		}
	}
	t.names = names
	return t
}

// resourceID writes the id as real services do: AVD with the words after the
// namespace and "resourcegroups" in lower case, Compute with the group in upper
// case, others as their documents write it.
func (s *Simulator) resourceID(t target) string {
	groups, group, types, namespace := "resourceGroups", t.group, t.types, t.namespace
	if k := s.routes.kinds[t.kindKey()]; k != nil {
		types, namespace = k.types, k.namespace
	}
	lower := strings.EqualFold(t.namespace, avd)
	switch {
	case lower:
		groups = "resourcegroups"
	case strings.EqualFold(t.namespace, compute):
		group = strings.ToUpper(group)
	}
	var b strings.Builder
	if t.subscription != "" {
		b.WriteString("/subscriptions/" + t.subscription)
	}
	if group != "" {
		b.WriteString("/" + groups + "/" + group)
	}
	b.WriteString("/providers/" + namespace)
	for i, name := range t.names {
		word := types[i]
		if lower {
			word = strings.ToLower(word)
		}
		b.WriteString("/" + word + "/" + name)
	}
	return b.String()
}

// resourceType writes the type as the service does; AVD has the words after the
// namespace in lower case.
func (s *Simulator) resourceType(t target) string {
	types, namespace := t.types, t.namespace
	if k := s.routes.kinds[t.kindKey()]; k != nil {
		types, namespace = k.types, k.namespace
	}
	path := strings.Join(types, "/")
	if strings.EqualFold(namespace, avd) {
		path = strings.ToLower(path)
	}
	return namespace + "/" + path
}

// complete adds the members that the service writes of its own accord: the
// provisioning state of every type that has one; for AVD all members of the
// schema, empty where nothing is known, since AVD leaves none out.
func (s *Simulator) complete(k *kind, key string, doc map[string]any) {
	if k == nil || k.schema == nil {
		return
	}
	schema := property(k.schema, "properties")
	if schema == nil {
		return
	}
	properties, ok := doc["properties"].(map[string]any)
	if !ok {
		properties = map[string]any{}
		doc["properties"] = properties
	}
	all := strings.EqualFold(k.namespace, avd)
	for _, m := range schema.Members() {
		if have, given := properties[m.Name]; given && have != nil {
			continue
		}
		switch {
		case m.Name == "provisioningState":
			properties[m.Name] = "Succeeded"
		case !all:
		case m.Name == "objectId":
			properties[m.Name] = s.ids.derive("object "+key, 0)
		default:
			properties[m.Name] = emptyValue(m.Schema)
		}
	}
	if all && len(k.types) == 1 {
		for _, name := range []string{"tags", "kind"} {
			if _, given := doc[name]; !given {
				doc[name] = nil
			}
		}
	}
}

// emptyValue is what AVD answers for a member that nobody has set: lists that
// the service keeps are empty, switches are off, everything else is null.
func emptyValue(s *openapi.Schema) any {
	switch {
	case s.Type == "boolean":
		return false
	case s.Type == "array" && s.ReadOnly:
		return []any{}
	}
	return nil
}

// ensureScope makes the subscription and the resource group of a target, where
// they are missing.
func (s *Simulator) ensureScope(t target) {
	if t.subscription == "" {
		return
	}
	if s.store.get(subscriptionKey(t.subscription)) == nil && (t.group != "" || t.namespace != "") {
		s.addSubscription(Subscription{ID: t.subscription, Name: "Subscription " + t.subscription})
	}
	if t.group != "" && t.namespace != "" && s.store.get(t.scope()) == nil {
		s.addGroup(t.subscription, Group{Name: t.group, Location: defaultLocation})
	}
}
