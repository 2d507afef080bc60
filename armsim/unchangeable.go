package armsim

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// unchangeable lists the members that a resource keeps from its creation on, by
// kind: those that the service's own PATCH does not have, and the names by which a
// machine is known inside.
var unchangeable = map[string][]string{
	poolKind:        {"properties.hostPoolType"},
	appGroupKind:    {"properties.applicationGroupType", "properties.hostPoolArmPath"},
	scalingPlanKind: {"properties.hostPoolType"},
	machineKind:     {"properties.osProfile.computerName", "properties.osProfile.adminUsername"},
}

// placeOf writes a location as answers have it: West Europe is westeurope.
func placeOf(location string) string { return strings.ToLower(strings.ReplaceAll(location, " ", "")) }

// tracked says whether the call is about a resource that has a place: one that
// stands in a group, or the group.
func (c *call) tracked(schema *openapi.Schema) bool {
	return c.route.kind != nil && len(c.route.kind.types) < 2 && property(schema, "location") != nil
}

// checkPlace refuses a new resource without a place, in the words of Azure Resource
// Manager, whatever the schema of its provider says.
func (c *call) checkPlace(body map[string]any, schema *openapi.Schema) *bodyProblem {
	if place, _ := member(body, "location"); c.tracked(schema) && (place == nil || place == "") {
		return &bodyProblem{"LocationRequired", "The location property is required for this definition."}
	}
	return nil
}

// unchangeable refuses to move a resource, or to change what it keeps.
func (c *call) unchangeable(body map[string]any, old *object) (reply, bool) {
	if old == nil {
		return reply{}, true
	}
	place, have := textOf(body, "location"), textOf(old.doc, "location")
	if place != "" && have != "" && placeOf(place) != placeOf(have) {
		return c.moved(placeOf(place), placeOf(have)), false
	}
	for _, path := range unchangeable[old.kind] {
		before, after := at(old.doc, path), at(body, path)
		if before == "" || after == "" || strings.EqualFold(before, after) || after == "Shared" && before == "Pooled" {
			continue
		}
		name := strings.TrimPrefix(path, "properties.")
		if strings.EqualFold(c.target.namespace, avd) {
			return c.failAVD(http.StatusBadRequest, "The %s of a resource cannot be changed from %s to %s", name, before, after), false
		}
		return c.fail(http.StatusConflict, "PropertyChangeNotAllowed", fmt.Sprintf("Changing property '%s' is not allowed.", name)), false
	}
	return reply{}, true
}

// at gives the text that stands at a path of members; empty where there is none.
func at(doc map[string]any, path string) string {
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, _ := member(doc, name)
		doc, _ = next.(map[string]any)
	}
	text, _ := member(doc, names[len(names)-1])
	word, _ := text.(string)
	return word
}

// moved refuses another place for a resource or a group.
func (c *call) moved(to, from string) reply {
	if c.target.kindKey() == groupKind {
		return c.gateway(http.StatusConflict, "InvalidResourceGroupLocation", fmt.Sprintf(
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", to, from))
	}
	return c.gateway(http.StatusConflict, "InvalidResourceLocation", fmt.Sprintf(
		"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
		c.target.names[len(c.target.names)-1], from, c.target.group, to))
}
