package armsim

import "strings"

// target is what a path of Azure Resource Manager points at: a scope, a
// resource, a collection of resources or an action of a resource. Segments keep
// the case of the request.
type target struct {
	tenant       string
	subscription string
	group        string
	namespace    string
	types        []string // type segments after the namespace
	names        []string // one for each type, one fewer for a collection or an action
	tail         string   // a collection below a scope, such as "locations"
}

// collection says that the path ends with a type or a verb, not with a name.
func (t target) collection() bool { return t.tail != "" || len(t.types) > len(t.names) }

// parsePath reads a path or an id by the grammar of the resource provider
// contract: scope, "providers", namespace, then types and names in turn. Literal
// segments are compared without case. It says false where the path is of
// another shape.
func parsePath(path string) (target, bool) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	return parseSegments(segments)
}

// parseSegments is parsePath on segments that are decoded already. An empty
// segment is none of the grammar.
func parseSegments(segments []string) (target, bool) {
	var t target
	for _, s := range segments {
		if s == "" {
			return t, false
		}
	}
	rest := t.takeScope(segments)
	switch {
	case len(rest) == 0:
		return t, true
	case strings.EqualFold(rest[0], "providers"):
		return t, t.takeProvider(rest[1:])
	case len(rest) == 1:
		t.tail = rest[0]
		return t, true
	}
	return t, false
}

// takeScope reads the tenant, subscription and group at the head of a path and
// gives what follows.
func (t *target) takeScope(segments []string) []string {
	pairs := []struct {
		word string
		into *string
	}{{"tenants", &t.tenant}, {"subscriptions", &t.subscription}, {"resourcegroups", &t.group}}
	for _, p := range pairs {
		if p.word == "resourcegroups" && t.subscription == "" {
			continue
		}
		if len(segments) >= 2 && strings.EqualFold(segments[0], p.word) {
			*p.into = segments[1]
			segments = segments[2:]
		}
	}
	return segments
}

// takeProvider reads what follows the word providers.
func (t *target) takeProvider(rest []string) bool {
	if len(rest) == 0 {
		t.tail = "providers"
		return true
	}
	t.namespace = rest[0]
	for i, s := range rest[1:] {
		if i%2 == 0 {
			t.types = append(t.types, s)
		} else {
			t.names = append(t.names, s)
		}
	}
	return true
}

// keyOf gives the form of an id under which objects are found: lower case, no
// slash at the end.
func keyOf(id string) string { return strings.ToLower(strings.TrimSuffix(id, "/")) }

// scope gives the key of the resource group or subscription; empty for the
// tenant.
func (t target) scope() string {
	switch {
	case t.group != "":
		return groupKey(t.subscription, t.group)
	case t.subscription != "":
		return subscriptionKey(t.subscription)
	}
	return ""
}

// subscriptionKey gives the key of a subscription.
func subscriptionKey(id string) string { return "/subscriptions/" + strings.ToLower(id) }

// groupKey gives the key of a resource group.
func groupKey(subscription, group string) string {
	return subscriptionKey(subscription) + "/resourcegroups/" + strings.ToLower(group)
}

// key gives the key of the resource made of the first n names; n = 0 is the
// scope.
func (t target) key(n int) string {
	if n == 0 {
		return t.scope()
	}
	var b strings.Builder
	b.WriteString(t.scope())
	b.WriteString("/providers/")
	b.WriteString(strings.ToLower(t.namespace))
	for i := range n {
		b.WriteString("/" + strings.ToLower(t.types[i]) + "/" + strings.ToLower(t.names[i]))
	}
	return b.String()
}

// kindKey gives the type in lower case: namespace and type segments, or the
// word for what stands below no provider.
func (t target) kindKey() string {
	switch {
	case t.namespace != "" && len(t.types) > 0:
		return strings.ToLower(t.namespace + "/" + strings.Join(t.types, "/"))
	case t.namespace != "":
		return "providers"
	case t.tail != "":
		return strings.ToLower(t.tail)
	case t.group != "":
		return groupKind
	case t.subscription != "":
		return subscriptionKind
	case t.tenant != "":
		return tenantKind
	}
	return ""
}

// The kinds that stand below no provider namespace.
const (
	tenantKind       = "tenants"
	subscriptionKind = "subscriptions"
	groupKind        = "resourcegroups"
)

// ancestors gives the keys of everything above the resource, outermost first:
// these are the scopes at which it can be listed. The tenant, whose key is
// empty, stands above what is in no subscription.
func (t target) ancestors() []string {
	if t.subscription == "" || t.kindKey() == subscriptionKind {
		return []string{""}
	}
	list := []string{subscriptionKey(t.subscription)}
	if t.kindKey() == groupKind {
		return list
	}
	if t.group != "" {
		list = append(list, t.scope())
	}
	for n := 1; n < len(t.names); n++ {
		list = append(list, t.key(n))
	}
	return list
}
