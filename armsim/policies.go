package armsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Policy denies writes that would leave a resource as it must not be. A policy
// with neither locations nor a tag denies every PUT and PATCH of its type.
type Policy struct {
	Name             string   `yaml:"name"`             // of the assignment
	Type             string   `yaml:"type"`             // such as Microsoft.Compute/virtualMachines; empty: every type
	AllowedLocations []string `yaml:"allowedLocations"` // anything in other places is denied
	RequiredTag      string   `yaml:"requiredTag"`      // anything without the tag is denied
}

// WithPolicies assigns policies that deny writes, in every subscription.
func WithPolicies(policies ...Policy) Option {
	return func(s *settings) { s.policies = append(s.policies, policies...) }
}

// allowed refuses a write that a policy denies.
func (c *call) allowed() (reply, bool) {
	if len(c.sim.settings.policies) == 0 || !c.route.item || c.route.kind == nil ||
		c.req.Method != http.MethodPut && c.req.Method != http.MethodPatch {
		return reply{}, true
	}
	doc, err := decodeObject(c.body)
	if err != nil {
		return reply{}, true // refused for its form later
	}
	if old := c.sim.store.get(c.itemKey()); old != nil && c.req.Method == http.MethodPatch {
		doc = merge(old.doc, doc, false)
	}
	for _, p := range c.sim.settings.policies {
		if (p.Type == "" || strings.EqualFold(p.Type, c.route.kind.name())) && p.denies(doc) {
			return c.disallowed(p), false
		}
	}
	return reply{}, true
}

// denies says whether a resource is as the policy forbids.
func (p Policy) denies(doc map[string]any) bool {
	if len(p.AllowedLocations) == 0 && p.RequiredTag == "" {
		return true
	}
	tags, _ := doc["tags"].(map[string]any)
	elsewhere := len(p.AllowedLocations) > 0 && !slices.ContainsFunc(p.AllowedLocations, func(place string) bool {
		return placeOf(place) == placeOf(textOf(doc, "location"))
	})
	return elsewhere || p.RequiredTag != "" && textOf(tags, p.RequiredTag) == ""
}

// disallowed answers as Azure Policy has it: the message names the assignment, the
// details have it as data.
func (c *call) disallowed(p Policy) reply {
	name := "/" + strings.Join(c.segments, "/")
	if n := len(c.target.names); n > 0 {
		name = c.target.names[n-1]
	}
	scope := subscriptionKey(c.target.subscription)
	assignment := scope + "/providers/Microsoft.Authorization/policyAssignments/" + p.Name
	definition := scope + "/providers/Microsoft.Authorization/policyDefinitions/" + p.Name
	message := fmt.Sprintf("Resource '%s' was disallowed by policy. Policy identifiers: "+
		`'[{"policyAssignment":{"name":"%s","id":"%s"},"policyDefinition":{"name":"%s","id":"%s"}}]'.`,
		name, p.Name, assignment, p.Name, definition)
	violation := map[string]any{
		"type": "PolicyViolation",
		"info": map[string]any{
			"policyAssignmentId": assignment, "policyAssignmentName": p.Name, "policyAssignmentScope": scope,
			"policyDefinitionId": definition, "policyDefinitionName": p.Name, "policyDefinitionEffect": "deny",
		},
	}
	rep := c.gateway(http.StatusForbidden, "RequestDisallowedByPolicy", message)
	body, err := json.Marshal(map[string]any{"error": map[string]any{
		"code": "RequestDisallowedByPolicy", "target": name, "message": message,
		"details": []any{map[string]any{
			"code": "RequestDisallowedByPolicy", "target": name, "message": "The policy '" + p.Name + "' denies it.",
			"additionalInfo": []any{violation},
		}},
		"additionalInfo": []any{violation},
	}})
	if err == nil {
		rep.body = body
	}
	return rep
}
