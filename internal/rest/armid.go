package rest

import "strings"

// ID is an id of Azure Resource Manager in its parts, each as written. Ids
// ignore case: compare with strings.EqualFold.
type ID struct {
	Text            string
	Subscription    string
	ResourceGroup   string
	ManagementGroup string
	Location        string   // of a resource below locations/{name}
	Namespace       string   // Microsoft.DesktopVirtualization; of an extension: its own
	Types           []string // hostPools, sessionHosts, userSessions
	Names           []string // one for each of Types; one fewer where the id names a collection
	Scope           string   // what stands before the last /providers/Namespace
}

// Type gives the full resource type, namespace first; empty for a scope.
func (id ID) Type() string {
	if id.Namespace == "" {
		return ""
	}
	return strings.Join(append([]string{id.Namespace}, id.Types...), "/")
}

// Name gives the last name of the id: of the resource, or of the scope.
func (id ID) Name() string {
	switch {
	case len(id.Names) > 0:
		return id.Names[len(id.Names)-1]
	case id.ResourceGroup != "":
		return id.ResourceGroup
	case id.ManagementGroup != "":
		return id.ManagementGroup
	}
	return id.Subscription
}

// ParseID takes an id of Azure Resource Manager apart: a scope, a resource, an
// extension of one, or a collection. Case of the fixed words, a slash at the
// end and doubled slashes do not matter. It gives false for text that is not
// such an id.
func ParseID(text string) (ID, bool) {
	id := ID{Text: text}
	if !strings.HasPrefix(text, "/") {
		return id, false
	}
	segments := strings.FieldsFunc(text, func(r rune) bool { return r == '/' })
	rest := id.scope(segments)
	for len(rest) > 0 {
		if len(rest) < 2 || !strings.EqualFold(rest[0], "providers") {
			return ID{Text: text}, false
		}
		id.Scope = "/" + strings.Join(segments[:len(segments)-len(rest)], "/")
		rest = id.resource(rest[1:])
	}
	return id, len(segments) > 0
}

// scope takes the fixed scopes from the front.
func (id *ID) scope(segments []string) []string {
	if len(segments) >= 2 && strings.EqualFold(segments[0], "subscriptions") {
		id.Subscription = segments[1]
		segments = segments[2:]
		if len(segments) >= 2 && strings.EqualFold(segments[0], "resourceGroups") {
			id.ResourceGroup = segments[1]
			segments = segments[2:]
		}
		return segments
	}
	if len(segments) >= 4 && strings.EqualFold(segments[0], "providers") &&
		strings.EqualFold(segments[1], "Microsoft.Management") && strings.EqualFold(segments[2], "managementGroups") {
		id.ManagementGroup = segments[3]
		id.Namespace, id.Types, id.Names = segments[1], segments[2:3], segments[3:4]
		return segments[4:]
	}
	return segments
}

// resource takes namespace, types and names up to the next extension.
func (id *ID) resource(segments []string) (rest []string) {
	id.Namespace, id.Types, id.Names = segments[0], nil, nil
	segments = segments[1:]
	for len(segments) > 0 {
		if strings.EqualFold(segments[0], "providers") && len(id.Types) == len(id.Names) && len(segments) > 1 {
			return segments
		}
		id.Types = append(id.Types, segments[0])
		if len(segments) == 1 {
			return nil
		}
		id.Names = append(id.Names, segments[1])
		if strings.EqualFold(segments[0], "locations") {
			id.Location = segments[1]
		}
		segments = segments[2:]
	}
	return nil
}

// typeOfPath gives the resource type that a path template addresses, empty
// where it is none.
func typeOfPath(path string) string {
	id, ok := ParseID(path)
	if !ok {
		return ""
	}
	return id.Type()
}
