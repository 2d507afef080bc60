package armsim

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/planeql/planeql/internal/fault"
)

// Scenario describes an estate. As a file it is YAML, or JSON, with these
// members; all but the names and ids may be left out:
//
//	domain: contoso.com              # of users and of domain-joined hosts
//	subscriptions:
//	  - id: 8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01
//	    name: Contoso Production
//	    state: Enabled               # or Disabled: writes are refused
//	    groups:
//	      - name: rg-avd-prod
//	        location: westeurope
//	        tags: {env: prod}
//	        pools:
//	          - name: hp-office
//	            type: Pooled         # or Personal
//	            loadBalancer: BreadthFirst
//	            maxSessions: 16
//	            sessions: 60         # spread over the hosts
//	            scalingPlan: sp-office
//	            scalingPlanOff: true # the plan is assigned and disabled for the pool
//	            registration: 72h    # how long its registration token is still valid
//	            hosts: 4             # a number, or a list:
//	          - name: hp-lab
//	            hosts:
//	              - name: lab-0.contoso.com
//	                status: Unavailable
//	                power: deallocated
//	                allowNewSession: false
//	                lastHeartBeat: 3h    # how long ago
//	                agentVersion: 1.0.12904.400
//	                image: 26100.3775.250406 # version of the machine's image
//	                updateError: "..."   # what the last update of the agent failed with
//	                sessions:        # a number, or a list:
//	                  - {id: 3, user: dana.kim@contoso.com, state: Disconnected, started: 26h}
//	        resources:               # anything else, as ARM objects
//	          - {type: Microsoft.DesktopVirtualization/workspaces, name: ws-lab, location: westeurope}
//
// Beside the subscriptions a scenario may say how writes behave:
//
//	etags: true                      # as WithETags
//	longRunning:                     # as WithLongRunning
//	  - {type: Microsoft.Compute/virtualMachines, method: POST, style: aao, answer: full, polls: 3, retryAfter: 2s}
//	  - {type: Microsoft.DesktopVirtualization/workspaces, style: loc, end: failed}
//
//	policies:                        # as WithPolicies
//	  - {name: allowed-places, allowedLocations: [westeurope]}
//	  - {name: tag-machines, type: Microsoft.Compute/virtualMachines, requiredTag: owner}
//	softDelete: [Microsoft.DesktopVirtualization/workspaces] # as WithSoftDelete
//	staleReads: {reads: 2, for: 3s}  # as WithStaleReads
//	reuseSessions: true              # as WithSessionReuse
//
// and a group or a pool may have a lock: CanNotDelete or ReadOnly.
//
// Each pool gets an application group for its desktop, each group with pools a
// workspace that shows them, each host a virtual machine.
type Scenario struct {
	Domain        string         `yaml:"domain"`
	Subscriptions []Subscription `yaml:"subscriptions"`
	ETags         bool           `yaml:"etags"`
	LongRunning   []LongRunning  `yaml:"longRunning"`
	Policies      []Policy       `yaml:"policies"`
	SoftDelete    []string       `yaml:"softDelete"` // types whose deleted resources keep their names
	StaleReads    Staleness      `yaml:"staleReads"`
	ReuseSessions bool           `yaml:"reuseSessions"`
}

// Subscription is a subscription of a scenario.
type Subscription struct {
	ID     string  `yaml:"id"` // a GUID
	Name   string  `yaml:"name"`
	State  string  `yaml:"state"` // default Enabled
	Groups []Group `yaml:"groups"`

	ManagementGroup string `yaml:"managementGroup"` // right above it; default: the root group, which has the tenant's name
}

// Group is a resource group of a scenario.
type Group struct {
	Name      string            `yaml:"name"`
	Location  string            `yaml:"location"` // default westeurope
	Tags      map[string]string `yaml:"tags"`
	Lock      string            `yaml:"lock"` // CanNotDelete or ReadOnly
	Pools     []Pool            `yaml:"pools"`
	Resources []map[string]any  `yaml:"resources"` // each with type and name; nested types have names like parent/child
}

// Pool is a host pool of a scenario.
type Pool struct {
	Name           string        `yaml:"name"`
	FriendlyName   string        `yaml:"friendlyName"`
	Type           string        `yaml:"type"`           // Pooled (default) or Personal
	LoadBalancer   string        `yaml:"loadBalancer"`   // default BreadthFirst; Persistent for a personal pool
	MaxSessions    int           `yaml:"maxSessions"`    // default 16
	ScalingPlan    string        `yaml:"scalingPlan"`    // name of a plan to make
	ScalingPlanOff bool          `yaml:"scalingPlanOff"` // the plan is disabled for the pool
	Registration   time.Duration `yaml:"registration"`   // how long its registration token is still valid; 0: it has none
	Lock           string        `yaml:"lock"`           // CanNotDelete or ReadOnly
	Hosts          Hosts         `yaml:"hosts"`
	Sessions       int           `yaml:"sessions"` // spread over the hosts that take sessions
}

// Hosts is a number of session hosts, or each of them.
type Hosts struct {
	Count int
	List  []Host
}

// Host is a session host of a scenario.
type Host struct {
	Name            string        `yaml:"name"`
	Status          string        `yaml:"status"`          // default Available
	Power           string        `yaml:"power"`           // power state of its machine, default running; none: it has no machine; gone: its machine was deleted
	AllowNewSession *bool         `yaml:"allowNewSession"` // default true
	AssignedUser    string        `yaml:"assignedUser"`
	LastHeartBeat   time.Duration `yaml:"lastHeartBeat"` // how long ago; default: less than a minute, hours for a host that is off
	AgentVersion    string        `yaml:"agentVersion"`
	Image           string        `yaml:"image"`       // exact version of the image of its machine
	UpdateError     string        `yaml:"updateError"` // the message that the last update of the agent ended with
	Sessions        Sessions      `yaml:"sessions"`
}

// Sessions is a number of user sessions, or each of them.
type Sessions struct {
	Count int
	List  []Session
}

// Session is a user session of a scenario.
type Session struct {
	ID              int           `yaml:"id"`   // default: the next free number, from 2
	User            string        `yaml:"user"` // user principal name
	State           string        `yaml:"state"`
	ApplicationType string        `yaml:"applicationType"` // default Desktop
	Started         time.Duration `yaml:"started"`         // how long ago
}

// UnmarshalYAML reads a number or a list.
func (h *Hosts) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&h.Count)
	}
	return node.Load(&h.List, yaml.WithKnownFields())
}

// UnmarshalYAML reads a number or a list.
func (s *Sessions) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&s.Count)
	}
	return node.Load(&s.List, yaml.WithKnownFields())
}

// largestScenario keeps a scenario file from filling the memory: a small text
// can ask for any number of sessions.
const largestScenario = 2_000_000

// ReadScenario reads a scenario in YAML or JSON. Members that are not known are
// an error. The error is a *fault.Error.
func ReadScenario(r io.Reader) (*Scenario, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, badScenario("it cannot be read: %s", err)
	}
	var sc Scenario
	if err := yaml.Load(text, &sc, yaml.WithKnownFields()); err != nil {
		return nil, badScenario("%s", strings.TrimSpace(err.Error()))
	}
	if err := sc.check(); err != nil {
		return nil, err
	}
	return &sc, nil
}

// badScenario makes the error for a scenario; the detail says what is wrong.
func badScenario(format string, args ...any) error {
	return fault.New(fault.InvalidFlag, "the scenario is not valid").WithDetail(format, args...).
		WithHint("a scenario lists subscriptions, each with groups, each with pools; see the documentation of armsim.Scenario")
}

// check refuses what would make an estate that contradicts itself.
func (sc *Scenario) check() error {
	for _, rule := range sc.LongRunning {
		if err := rule.check(); err != nil {
			return badScenario("%s", err.Error())
		}
	}
	total := 0
	for _, sub := range sc.Subscriptions {
		if !guidShaped(sub.ID) {
			return badScenario("the id %q of subscription %q is not a GUID", sub.ID, sub.Name)
		}
		for _, g := range sub.Groups {
			if !lockLevel(g.Lock) {
				return badScenario("the lock %q of group %q is neither CanNotDelete nor ReadOnly", g.Lock, g.Name)
			}
			if g.Name == "" || strings.ContainsRune(g.Name, '/') {
				return badScenario("a group of subscription %q has the name %q", sub.Name, g.Name)
			}
			for _, p := range g.Pools {
				n, err := p.check()
				if err != nil {
					return err
				}
				total += n
			}
			for _, res := range g.Resources {
				if _, err := resourceTarget(sub.ID, g.Name, res); err != nil {
					return err
				}
			}
		}
	}
	if total > largestScenario {
		return badScenario("it has %d hosts and sessions, more than %d", total, largestScenario)
	}
	return nil
}

// lockLevel says whether the word is a lock, or none.
func lockLevel(word string) bool { return word == "" || word == CanNotDelete || word == ReadOnly }

// check gives the number of hosts and sessions of a pool.
func (p Pool) check() (int, error) {
	if p.Name == "" || strings.ContainsRune(p.Name, '/') {
		return 0, badScenario("a host pool has the name %q", p.Name)
	}
	if !lockLevel(p.Lock) {
		return 0, badScenario("the lock %q of host pool %q is neither CanNotDelete nor ReadOnly", p.Lock, p.Name)
	}
	if p.Type != "" && p.Type != "Pooled" && p.Type != "Personal" {
		return 0, badScenario("the type %q of host pool %q is neither Pooled nor Personal", p.Type, p.Name)
	}
	counts := []int{p.Hosts.Count, p.Sessions}
	for _, h := range p.Hosts.List {
		if h.Name == "" || strings.ContainsRune(h.Name, '/') {
			return 0, badScenario("a session host of host pool %q has the name %q", p.Name, h.Name)
		}
		if _, known := powerWords[h.Power]; !known && h.Power != "" && h.Power != "none" && h.Power != "gone" {
			return 0, badScenario("the power state %q of session host %q is not one of %s, none or gone",
				h.Power, h.Name, strings.Join(sortedKeys(powerWords), ", "))
		}
		counts = append(counts, h.Sessions.Count, len(h.Sessions.List), 1)
	}
	total := 0
	for _, n := range counts {
		if n < 0 || n > largestScenario {
			return 0, badScenario("host pool %q has a number of hosts or sessions of %d", p.Name, n)
		}
		total += n
	}
	if p.Sessions > 0 && p.Hosts.Count+len(p.Hosts.List) == 0 {
		return 0, badScenario("host pool %q has sessions and no hosts", p.Name)
	}
	return total, nil
}

// resourceTarget gives the place of an explicit resource: type and name have as
// many parts as each other.
func resourceTarget(subscription, group string, res map[string]any) (target, error) {
	kind, _ := res["type"].(string)
	name, _ := res["name"].(string)
	namespace, types, _ := strings.Cut(kind, "/")
	t := target{
		subscription: strings.ToLower(subscription), group: group, namespace: namespace,
		types: strings.Split(types, "/"), names: strings.Split(name, "/"),
	}
	if namespace == "" || types == "" || slices.Contains(t.names, "") || len(t.types) != len(t.names) {
		return t, badScenario("%s", fmt.Sprintf("a resource of group %q has the type %q and the name %q", group, kind, name))
	}
	return t, nil
}
