package armsim

import (
	"net/http"
	"slices"
	"strings"
)

// defaultLocation is where things are made for which nobody named a place.
const defaultLocation = "westeurope"

// regions are the locations that every subscription offers.
var regions = []struct{ name, display, geography, physical, pair string }{
	{"eastus", "East US", "US", "Virginia", "westus"},
	{"westus2", "West US 2", "US", "Washington", "westcentralus"},
	{"centralus", "Central US", "US", "Iowa", "eastus2"},
	{"northeurope", "North Europe", "Europe", "Ireland", "westeurope"},
	{"westeurope", "West Europe", "Europe", "Netherlands", "northeurope"},
	{"uksouth", "UK South", "UK", "London", "ukwest"},
	{"germanywestcentral", "Germany West Central", "Germany", "Frankfurt", "germanynorth"},
	{"southeastasia", "Southeast Asia", "Asia Pacific", "Singapore", "eastasia"},
	{"australiaeast", "Australia East", "Asia Pacific", "New South Wales", "australiasoutheast"},
}

// locations lists the regions of a subscription.
func (c *call) locations() reply {
	prefix := "/subscriptions/" + strings.ToLower(c.target.subscription) + "/locations/"
	var items []any
	for _, r := range regions {
		items = append(items, map[string]any{
			"id": prefix + r.name, "name": r.name, "type": "Region", "displayName": r.display,
			"regionalDisplayName": "(" + r.geography + ") " + r.display,
			"metadata": map[string]any{
				"regionType": "Physical", "regionCategory": "Recommended", "geography": r.geography,
				"geographyGroup": r.geography, "physicalLocation": r.physical,
				"pairedRegion": []any{map[string]any{"name": r.pair, "id": prefix + r.pair}},
			},
		})
	}
	return c.fixedList(items)
}

// listProviders lists the resource providers of the documents, with their types
// and api-versions: the catalogue that a client can hold its documents against.
func (c *call) listProviders() reply {
	var items []any
	for _, namespace := range c.sim.namespaces() {
		items = append(items, c.providerOf(namespace))
	}
	return c.fixedList(items)
}

// namespaces gives the resource providers of the documents, in order.
func (s *Simulator) namespaces() []string {
	var list []string
	for _, k := range s.routes.kinds {
		if k.namespace != "" && !strings.HasPrefix(k.namespace, "{") && !slices.Contains(list, k.namespace) {
			list = append(list, k.namespace)
		}
	}
	slices.Sort(list)
	return list
}

// getProvider answers one resource provider; registering one that is registered
// answers the same.
func (c *call) getProvider() reply {
	for _, namespace := range c.sim.namespaces() {
		if strings.EqualFold(namespace, c.target.namespace) {
			return okValue(c.providerOf(namespace))
		}
	}
	return c.gateway(http.StatusNotFound, "InvalidResourceNamespace",
		"The resource namespace '"+c.target.namespace+"' is invalid.")
}

// providerOf describes a resource provider as the subscription of the call sees
// it: newest api-version first, as the service lists them.
func (c *call) providerOf(namespace string) map[string]any {
	var places []any
	for _, r := range regions {
		places = append(places, r.display)
	}
	var types []any
	for _, key := range sortedKeys(c.sim.routes.kinds) {
		k := c.sim.routes.kinds[key]
		if !strings.EqualFold(k.namespace, namespace) {
			continue
		}
		versions := slices.Clone(k.versions)
		slices.Reverse(versions)
		types = append(types, map[string]any{
			"resourceType": strings.Join(k.types, "/"), "locations": places, "apiVersions": versions, "capabilities": "None",
		})
	}
	return map[string]any{
		"id":        "/subscriptions/" + strings.ToLower(c.target.subscription) + "/providers/" + namespace,
		"namespace": namespace, "resourceTypes": types, "registrationState": "Registered",
		"registrationPolicy": "RegistrationRequired",
	}
}

// resources lists the tracked resources of a subscription or group without
// their properties, of all types at once, in the order in which they were made.
func (c *call) resources() reply {
	var items []*slot
	scope := c.target.scope()
	for _, kind := range append(sortedKeys(c.sim.store.below[scope]), c.sim.stale.emptied(scope, c.sim.store)...) {
		if strings.Count(kind, "/") == 1 && kind != lockKind {
			items = append(items, c.items(scope, kind)...)
		}
	}
	slices.SortFunc(items, func(a, b *slot) int { return -compareDown(a.seq, b.seq) })
	return c.page(selection{items: items, form: func(obj *object) []byte {
		doc := map[string]any{}
		for _, name := range []string{"id", "name", "type", "location", "tags", "sku", "managedBy", "zones", "identity", "plan"} {
			if v, ok := obj.doc[name]; ok && v != nil {
				doc[name] = v
			}
		}
		if kind, ok := obj.doc["kind"].(string); ok {
			doc["kind"] = kind
		}
		raw, _ := encode(doc)
		return raw
	}})
}

// addSubscription stores a subscription.
func (s *Simulator) addSubscription(sub Subscription) {
	doc := map[string]any{
		"displayName": sub.Name, "state": firstOf(sub.State, "Enabled"), "tenantId": s.settings.tenant,
		"authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionPolicies": map[string]any{
			"locationPlacementId": "Public_2014-09-01", "quotaId": "EnterpriseAgreement_2014-09-01", "spendingLimit": "Off",
		},
	}
	t := target{subscription: strings.ToLower(sub.ID)}
	s.keep(s.identify(t, doc), doc)
}

// addGroup stores a resource group.
func (s *Simulator) addGroup(subscription string, g Group) {
	doc := map[string]any{
		"location": firstOf(g.Location, defaultLocation), "properties": map[string]any{"provisioningState": "Succeeded"},
	}
	if len(g.Tags) > 0 {
		tags := map[string]any{}
		for k, v := range g.Tags {
			tags[k] = v
		}
		doc["tags"] = tags
	}
	s.keep(s.identify(target{subscription: strings.ToLower(subscription), group: g.Name}, doc), doc)
}

// addTenant stores the tenant.
func (s *Simulator) addTenant(domain string) {
	doc := map[string]any{
		"displayName": "Contoso", "defaultDomain": domain, "domains": []any{domain}, "countryCode": "NL",
		"country": "Netherlands", "tenantCategory": "Home", "tenantType": "AAD",
	}
	s.keep(s.identify(target{tenant: strings.ToLower(s.settings.tenant)}, doc), doc)
}
