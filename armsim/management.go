package armsim

import (
	"net/http"
	"strings"
)

// management is the namespace of management groups.
const management = "Microsoft.Management/managementGroups"

// managementGroup is a node of the tree above the subscriptions: the root has
// the tenant's name, the groups of the scenario stand right below it.
type managementGroup struct{ name, display, parent string }

// managementGroups gives the tree, the root first.
func (s *Simulator) managementGroups() []managementGroup {
	root := managementGroup{name: s.settings.tenant, display: "Tenant Root Group"}
	list := []managementGroup{root}
	seen := map[string]bool{"": true}
	for _, sub := range s.settings.scenario.Subscriptions {
		if key := strings.ToLower(sub.ManagementGroup); !seen[key] {
			seen[key] = true
			list = append(list, managementGroup{name: sub.ManagementGroup, display: sub.ManagementGroup, parent: root.name})
		}
	}
	return list
}

// findManagementGroup finds the group that the path names.
func (c *call) findManagementGroup() (managementGroup, bool) {
	if len(c.target.names) == 0 {
		return managementGroup{}, false
	}
	for _, g := range c.sim.managementGroups() {
		if strings.EqualFold(g.name, c.target.names[0]) {
			return g, true
		}
	}
	return managementGroup{}, false
}

func managementID(name string) string { return "/providers/" + management + "/" + name }

func (c *call) managementItem(g managementGroup) map[string]any {
	return map[string]any{
		"id": managementID(g.name), "type": management, "name": g.name,
		"properties": map[string]any{"tenantId": c.sim.settings.tenant, "displayName": g.display},
	}
}

// noManagementGroup answers as the service does for a group that is not there
// or not the caller's to see.
func (c *call) noManagementGroup() reply {
	return c.gateway(http.StatusNotFound, "NotFound", "The management group '"+c.target.names[0]+"' cannot be found.")
}

// getManagementGroup answers one management group.
func (c *call) getManagementGroup() reply {
	g, ok := c.findManagementGroup()
	if !ok {
		return c.noManagementGroup()
	}
	return okValue(c.managementItem(g))
}

// listManagementGroups lists the management groups.
func (c *call) listManagementGroups() reply {
	var items []any
	for _, g := range c.sim.managementGroups() {
		items = append(items, c.managementItem(g))
	}
	return c.fixedList(items)
}

// descendants lists what is below a management group, at every depth.
func (c *call) descendants() reply {
	top, ok := c.findManagementGroup()
	if !ok {
		return c.noManagementGroup()
	}
	var items []any
	item := func(id, kind, name, display, parent string) {
		items = append(items, map[string]any{"id": id, "type": kind, "name": name, "properties": map[string]any{
			"displayName": display, "parent": map[string]any{"id": managementID(parent)},
		}})
	}
	for _, g := range c.sim.managementGroups() {
		if g.parent == top.name {
			item(managementID(g.name), management, g.name, g.display, g.parent)
		}
	}
	for _, sub := range c.sim.settings.scenario.Subscriptions {
		parent := firstOf(sub.ManagementGroup, c.sim.settings.tenant)
		if top.parent == "" || strings.EqualFold(parent, top.name) {
			id := strings.ToLower(sub.ID)
			item("/subscriptions/"+id, management+"/subscriptions", id, sub.Name, parent)
		}
	}
	return c.fixedList(items)
}
