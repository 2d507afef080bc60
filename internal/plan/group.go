package plan

import (
	"fmt"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// groupPattern begins a part of the scope that is a management group.
const groupPattern = "mg:"

// groupsOf gives the names of the management groups in a scope.
func groupsOf(scope []string) []string {
	var names []string
	for _, pattern := range scope {
		if name, ok := strings.CutPrefix(pattern, groupPattern); ok {
			names = append(names, name)
		}
	}
	return names
}

// checkGroups tells that the subscriptions of a management group cannot be
// listed by the documents of a provider.
func (b *builder) checkGroups(provider string) error {
	if len(groupsOf(b.options.Scope)) == 0 || b.catalog.Descendants(provider) != nil {
		return nil
	}
	return fault.New(fault.NotSupported, "a management group in the scope needs a list that the documents of %s do not have", provider).
		WithHint("they need GET /providers/Microsoft.Management/managementGroups/{groupId}/descendants; name the subscriptions instead")
}

// addMembers adds the list of what is below the management groups of the scope to
// the sources of a scan that subscriptions feed.
func (k *keys) addMembers() {
	names := groupsOf(k.options.Scope)
	if k.scan == nil || len(names) == 0 || !isSubscriptions(k.offer.found.ancestor) {
		return
	}
	list := k.catalog.Descendants(k.scan.Method.Resource.Provider)
	if list == nil {
		return // checkGroups has told
	}
	group, _ := list.Parameter(list.PathParameters()[0])
	s := &Scan{
		Name: list.Resource.Name, Method: list, Reason: "the scope names a management group", Arguments: []string{group.Name},
	}
	for _, name := range names {
		s.Tuples = append(s.Tuples, Tuple{{Text: name, NoCase: true, parameter: group}})
	}
	if c, ok := catalog.Lookup(catalog.Columns(list), "name"); ok {
		s.project(c, c.Name, true, true)
		k.members, k.memberName = len(k.sources), c.Name
		k.sources = append(k.sources, &Source{Scan: s, Found: true})
	}
}

// isMember gives the condition that a subscription is below one of the management
// groups of the scope.
func (k *keys) isMember(id catalog.Column) string {
	return fmt.Sprintf("lower(f0.%s) IN (SELECT lower(m.%s) FROM planeql_feed_%d AS m)",
		syntax.QuoteName(id.Name), syntax.QuoteName(k.memberName), k.members)
}
