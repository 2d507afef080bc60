package armsim

import (
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// behaviours are what the command line can switch on, by name; those with a value
// need one.
var behaviours = map[string]struct {
	needs string // what the value is; empty: there is none
	add   func(s *settings, value string)
}{
	"reuse-sessions": {"", func(s *settings, _ string) { s.reuse = true }},
	"soft-delete":    {"a resource type", func(s *settings, value string) { s.softDelete = append(s.softDelete, value) }},
	"deny":           {"a resource type", func(s *settings, value string) { s.policies = append(s.policies, Policy{Name: "deny", Type: value}) }},
	"location": {"a region", func(s *settings, value string) {
		for i := range s.policies {
			if s.policies[i].Name == allowedLocations {
				s.policies[i].AllowedLocations = append(s.policies[i].AllowedLocations, value)
				return
			}
		}
		s.policies = append(s.policies, Policy{Name: allowedLocations, AllowedLocations: []string{value}})
	}},
	"tag": {"the name of a tag", func(s *settings, value string) {
		s.policies = append(s.policies, Policy{Name: "required-tag", RequiredTag: value})
	}},
}

// allowedLocations is the name of the policy that collects the regions.
const allowedLocations = "allowed-locations"

// ParseBehaviour reads the form of the command line: words separated by commas, such
// as
//
//	reuse-sessions,soft-delete=Microsoft.DesktopVirtualization/workspaces,location=westeurope,tag=owner
//
// Words are reuse-sessions (see [WithSessionReuse]), soft-delete with a type (see
// [WithSoftDelete]), and policies (see [WithPolicies]): deny with a type refuses its
// PUT and PATCH, location names a region outside of which nothing may be, tag one
// without which nothing may be. All but the first may stand several times. The error
// is a *fault.Error.
func ParseBehaviour(text string) (Option, error) {
	var adds []func(*settings)
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		b, known := behaviours[name]
		switch {
		case !known:
			words := sortedKeys(behaviours)
			return nil, behaviourSyntax(part, fault.DidYouMean(name, words, "words are "+strings.Join(words, ", ")))
		case b.needs == "" && value != "":
			return nil, behaviourSyntax(part, name+" has no value")
		case b.needs != "" && value == "":
			return nil, behaviourSyntax(part, "write "+name+"= and "+b.needs)
		}
		adds = append(adds, func(s *settings) { b.add(s, value) })
	}
	return func(s *settings) {
		for _, add := range adds {
			add(s)
		}
	}, nil
}

// behaviourSyntax makes the error for what cannot be read.
func behaviourSyntax(part, hint string) error {
	return fault.New(fault.InvalidFlag, "%q is no behaviour of the simulator", part).WithHint("%s", hint)
}
