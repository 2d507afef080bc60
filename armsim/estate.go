package armsim

import (
	"bytes"
	_ "embed"
	"fmt"
)

// The identifiers of the built-in small estate.
const (
	// DefaultTenant is the tenant of every estate unless WithTenant says otherwise.
	DefaultTenant = "7d1e9c40-2f5b-4a86-b3c8-0e6a5f1d2b77"
	// ProductionSubscription is "Contoso Production".
	ProductionSubscription = "8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01"
	// TestSubscription is "Contoso Test".
	TestSubscription = "8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c02"
)

// defaultDomain is the domain of users and hosts where a scenario names none.
const defaultDomain = "contoso.com"

// smallEstate is what a newcomer looks at: small enough to read, with one of
// each thing that an administrator meets, such as a drained host and one that is
// off.
func smallEstate() *Scenario {
	no := false
	return &Scenario{
		Domain: defaultDomain,
		Subscriptions: []Subscription{
			{ID: ProductionSubscription, Name: "Contoso Production", ManagementGroup: "mg-production", Groups: []Group{
				{Name: "rg-avd-prod-weu", Location: "westeurope", Tags: map[string]string{"env": "prod", "owner": "workplace"}, Pools: []Pool{
					{Name: "hp-office", FriendlyName: "Office desktops", MaxSessions: 20, Hosts: Hosts{Count: 4}, Sessions: 56, ScalingPlan: "sp-office"},
					{Name: "hp-engineering", FriendlyName: "Engineering desktops", LoadBalancer: "DepthFirst", MaxSessions: 12, Sessions: 26, Hosts: Hosts{List: []Host{
						{Name: "engineering-0.contoso.com"},
						{Name: "engineering-1.contoso.com", AllowNewSession: &no},
						{Name: "engineering-2.contoso.com", Status: "Unavailable", Power: "deallocated"},
					}}},
				}},
				{Name: "rg-avd-prod-eus", Location: "eastus", Tags: map[string]string{"env": "prod", "owner": "sales"}, Pools: []Pool{
					{Name: "hp-sales", FriendlyName: "Sales desktops", MaxSessions: 16, Hosts: Hosts{Count: 3}, Sessions: 36},
				}},
			}},
			{ID: TestSubscription, Name: "Contoso Test", ManagementGroup: "mg-test", Groups: []Group{
				{Name: "rg-avd-test", Location: "westeurope", Tags: map[string]string{"env": "test"}, Pools: []Pool{
					{Name: "hp-pilot", FriendlyName: "Pilot desktops", Type: "Personal", Hosts: Hosts{List: []Host{
						{Name: "pilot-0", AssignedUser: "dana.kim@contoso.com", Sessions: Sessions{Count: 1}},
						{Name: "pilot-1", AssignedUser: "omar.haddad@contoso.com", Sessions: Sessions{Count: 1}},
					}}},
				}},
			}},
		},
	}
}

//go:embed tour.yaml
var tourFile []byte

// tourEstate is the estate of the tour.
func tourEstate() *Scenario {
	sc, err := ReadScenario(bytes.NewReader(tourFile))
	if err != nil {
		return &Scenario{} // a test reads the file
	}
	return sc
}

// maintenanceEstate has one host pool of 50 session hosts and 1,000 user
// sessions.
func maintenanceEstate() *Scenario {
	return &Scenario{Domain: defaultDomain, Subscriptions: []Subscription{{
		ID: ProductionSubscription, Name: "Contoso Production", Groups: []Group{{
			Name: "rg-avd-prod-weu", Location: "westeurope", Tags: map[string]string{"env": "prod"}, Pools: []Pool{
				{Name: "hp-office", FriendlyName: "Office desktops", MaxSessions: 25, Hosts: Hosts{Count: 50}, Sessions: 1000},
			},
		}},
	}}}
}

// largeEstate has 5 subscriptions, 60 host pools, 600 session hosts and 20,000
// user sessions.
func largeEstate() *Scenario {
	const subscriptions, pools, hosts, sessions = 5, 12, 10, 20_000
	places := []string{"westeurope", "eastus", "southeastasia"}
	sc := &Scenario{Domain: defaultDomain}
	left, poolsLeft := sessions, subscriptions*pools
	for s := range subscriptions {
		sub := Subscription{
			ID:   fmt.Sprintf("3e9a77d0-51c4-4b0e-8d25-9b6f0c4e2a%02d", s+1),
			Name: fmt.Sprintf("Contoso Desktops %d", s+1),
		}
		for g, place := range places {
			group := Group{Name: fmt.Sprintf("rg-avd-%d-%s", s+1, place), Location: place, Tags: map[string]string{"env": "prod"}}
			for p := range pools / len(places) {
				share := left / poolsLeft
				left, poolsLeft = left-share, poolsLeft-1
				group.Pools = append(group.Pools, Pool{
					Name:        fmt.Sprintf("hp-%d-%02d", s+1, g*pools/len(places)+p+1),
					MaxSessions: 50, Hosts: Hosts{Count: hosts}, Sessions: share,
				})
			}
			sub.Groups = append(sub.Groups, group)
		}
		sc.Subscriptions = append(sc.Subscriptions, sub)
	}
	return sc
}
