package provider

import "strings"

// Permission gives the action that a principal must be allowed for a method's
// calls, such as Microsoft.DesktopVirtualization/hostPools/read, in the spelling
// of the path; the service compares actions without case. It is empty where the
// path does not say it: outside of Azure Resource Manager, and where a part of
// the resource type is a parameter.
//
// The resource type and the kind of request make the action.
// https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
func Permission(m *Method) string {
	if m.Resource == nil || m.Resource.Family != ARM {
		return ""
	}
	types, named := armTypes(m.Path)
	verb, ok := armVerbs[m.HTTPMethod]
	if !ok || len(types) < 2 {
		return ""
	}
	for _, t := range types {
		if strings.Contains(t, "{") {
			return ""
		}
	}
	if m.HTTPMethod == "POST" && named {
		return "" // an action has a name behind what it acts on
	}
	return strings.Join(types, "/") + "/" + verb
}

// armVerbs are the last parts of actions.
var armVerbs = map[string]string{
	"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action",
}

// armTypes gives the namespace and the types of what stands at a path: of the
// last resource provider in it, since what extends a resource is acted on by
// its own. named tells whether the path ends with a name, not with a type.
func armTypes(path string) (types []string, named bool) {
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	types = []string{"Microsoft.Resources"}
	rest := segments
	for i := 0; i+1 < len(segments); i++ {
		if strings.EqualFold(segments[i], "providers") {
			types, rest = []string{segments[i+1]}, segments[i+2:]
		}
	}
	for i := 0; i < len(rest); i += 2 {
		types = append(types, rest[i])
	}
	return types, len(rest)%2 == 0
}
