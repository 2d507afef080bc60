package armsim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// builder makes an estate from a scenario.
type builder struct {
	sim    *Simulator
	rng    *rand.Rand
	now    time.Time
	domain string
}

// build stores what a scenario describes. It runs before the simulator is
// shared, so it takes no lock.
func (s *Simulator) build(sc *Scenario) error {
	if err := sc.check(); err != nil {
		return err
	}
	b := &builder{
		sim: s, rng: rand.New(rand.NewPCG(uint64(s.settings.seed), 0x706c616e65716c)),
		now: s.settings.clock().UTC(), domain: firstOf(sc.Domain, defaultDomain),
	}
	s.addTenant(b.domain)
	for _, sub := range sc.Subscriptions {
		s.addSubscription(sub)
		for _, g := range sub.Groups {
			s.addGroup(sub.ID, g)
			b.group(target{subscription: strings.ToLower(sub.ID), group: g.Name, namespace: "Microsoft.DesktopVirtualization"}, g)
			if t := (target{subscription: strings.ToLower(sub.ID), group: g.Name}); g.Lock != "" {
				s.lock(s.store.get(t.scope()), t, "lock", g.Lock)
			}
			for _, res := range g.Resources {
				if err := b.resource(sub.ID, g, res); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// resource stores an explicit resource.
func (b *builder) resource(subscription string, g Group, res map[string]any) error {
	t, err := resourceTarget(subscription, g.Name, res)
	if err != nil {
		return err
	}
	text, err := json.Marshal(res)
	if err != nil {
		return badScenario("the resource %v cannot be written as JSON: %s", res["name"], err)
	}
	doc, err := decodeObject(text)
	if err != nil {
		return badScenario("the resource %v is not an object: %s", res["name"], err)
	}
	b.store(t, doc)
	return nil
}

// store completes and keeps an object.
func (b *builder) store(t target, doc map[string]any) *object {
	s := b.sim
	s.complete(s.routes.kinds[t.kindKey()], t.key(len(t.names)), doc)
	return s.keep(s.identify(t, doc), doc)
}

// below gives the target of a child.
func (t target) below(kind, name string) target {
	t.types = append(append([]string(nil), t.types...), kind)
	t.names = append(append([]string(nil), t.names...), name)
	return t
}

// group makes the pools of a resource group and the workspace that shows them.
func (b *builder) group(scope target, g Group) {
	location := firstOf(g.Location, defaultLocation)
	var shown []any
	for _, p := range g.Pools {
		pool := b.pool(scope, location, p)
		group := b.store(scope.below("applicationGroups", p.Name+"-dag"), map[string]any{
			"location": location, "kind": "Desktop", "systemData": b.madeBy(90),
			"properties": map[string]any{
				"applicationGroupType": "Desktop", "hostPoolArmPath": pool.doc["id"],
				"friendlyName": firstOf(p.FriendlyName, p.Name), "description": "Desktops of " + p.Name, "showInFeed": true,
			},
		})
		b.sim.tieApplicationGroup(group)
		shown = append(shown, group.doc["id"])
	}
	if len(shown) == 0 {
		return
	}
	ws := b.store(scope.below("workspaces", "ws-"+strings.TrimPrefix(g.Name, "rg-")), map[string]any{
		"location": location, "systemData": b.madeBy(90),
		"properties": map[string]any{
			"friendlyName": "Desktops", "description": "Desktops of " + g.Name, "publicNetworkAccess": "Enabled",
			"applicationGroupReferences": shown,
		},
	})
	b.sim.tieWorkspace(ws, nil)
}

// madeBy gives systemData of something made some days ago.
func (b *builder) madeBy(days int) map[string]any {
	at := b.now.Add(-time.Duration(days)*24*time.Hour - time.Duration(b.rng.IntN(86400))*time.Second).Format(timeForm)
	return map[string]any{
		"createdBy": signedInUser, "createdByType": "User", "createdAt": at,
		"lastModifiedBy": signedInUser, "lastModifiedByType": "User", "lastModifiedAt": at,
	}
}

// pool makes a host pool with its hosts, their machines and sessions, and its
// scaling plan.
func (b *builder) pool(scope target, location string, p Pool) *object {
	personal := p.Type == "Personal"
	balancer, maximum := firstOf(p.LoadBalancer, "BreadthFirst"), p.MaxSessions
	var assignment any
	if personal {
		balancer, assignment = firstOf(p.LoadBalancer, "Persistent"), "Automatic"
	}
	if maximum == 0 {
		maximum = 16
	}
	t := scope.below("hostPools", p.Name)
	pool := b.store(t, map[string]any{
		"location": location, "systemData": b.madeBy(120),
		"properties": map[string]any{
			"friendlyName": firstOf(p.FriendlyName, p.Name), "description": "Session hosts of " + p.Name,
			"hostPoolType": firstOf(p.Type, "Pooled"), "loadBalancerType": balancer, "maxSessionLimit": maximum,
			"personalDesktopAssignmentType": assignment, "preferredAppGroupType": "Desktop",
			"publicNetworkAccess": "Enabled", "startVMOnConnect": personal, "validationEnvironment": false, "ring": 1,
			"customRdpProperty": "drivestoredirect:s:;audiomode:i:0;redirectclipboard:i:1;use multimon:i:1;",
			"vmTemplate":        `{"namePrefix":"` + bareName(p.Name) + `","osDiskType":"Premium_LRS","vmSize":{"id":"Standard_D4s_v5"}}`,
		},
	})
	if p.Registration > 0 {
		expires := b.now.Add(p.Registration)
		b.sim.tokens[pool.key] = registration{b.sim.registrationToken(pool.key, expires), expires}
	}
	if p.Lock != "" {
		b.sim.lock(pool, t, "lock", p.Lock)
	}
	b.hosts(t, location, p)
	if p.ScalingPlan != "" {
		b.scalingPlan(scope, location, p, pool)
	}
	return pool
}

// bareName gives the word from which the hosts of a pool take their names.
func bareName(pool string) string { return strings.TrimPrefix(pool, "hp-") }

// hosts makes the hosts of a pool and spreads its sessions over those that take
// sessions.
func (b *builder) hosts(pool target, location string, p Pool) {
	list := p.Hosts.List
	for i := range p.Hosts.Count {
		list = append(list, Host{Name: fmt.Sprintf("%s-%d.%s", bareName(p.Name), i, b.domain)})
	}
	open := 0
	for _, h := range list {
		if h.takesSessions() {
			open++
		}
	}
	left := p.Sessions
	for _, h := range list {
		extra := 0
		if open > 0 && h.takesSessions() {
			extra = left / open
			left, open = left-extra, open-1
		}
		b.host(pool, location, h, extra)
	}
}

// takesSessions says whether the broker would send users to the host. Drain mode
// does not count: sessions from before the draining stay.
func (h Host) takesSessions() bool {
	return (h.Status == "" || h.Status == "Available") && (h.Power == "" || h.Power == "running")
}

// host makes a session host with its machine, and its sessions: those that the
// scenario gives it and its share of the sessions of the pool. The agent of a
// host that is off was last heard of hours ago.
func (b *builder) host(pool target, location string, h Host, extra int) {
	t := pool.below("sessionHosts", h.Name)
	machine, machineID := b.machine(pool, location, h)
	sessions := b.sessionsOf(t, h, extra)
	var owner any
	if h.AssignedUser != "" {
		owner = h.AssignedUser
	}
	beat := b.now.Add(-time.Duration(b.rng.IntN(60)) * time.Second)
	if !h.takesSessions() {
		beat = b.now.Add(-time.Duration(4+b.rng.IntN(60)) * time.Hour)
	}
	if h.LastHeartBeat > 0 {
		beat = b.now.Add(-h.LastHeartBeat)
	}
	update := "Succeeded"
	if h.UpdateError != "" {
		update = "Failed"
	}
	made := b.madeBy(60)
	made["createdBy"], made["createdByType"] = nil, nil
	b.store(t, map[string]any{
		"systemData": made,
		"properties": map[string]any{
			"status": firstOf(h.Status, "Available"), "allowNewSession": h.AllowNewSession == nil || *h.AllowNewSession,
			"sessions": len(sessions), "assignedUser": owner, "lastHeartBeat": beat.Format(timeForm),
			"lastUpdateTime":  b.now.Add(-time.Duration(b.rng.IntN(20*24)) * time.Hour).Format(timeForm),
			"statusTimestamp": beat.Format(timeForm), "agentVersion": firstOf(h.AgentVersion, "1.0.13229.200"), "osVersion": osVersion,
			"sxSStackVersion": "rdp-sxs251112650", "updateState": update, "updateErrorMessage": h.UpdateError,
			"resourceId": machine, "virtualMachineId": machineID,
			"sessionHostHealthCheckResults": b.health(h, beat),
		},
	})
	for _, doc := range sessions {
		b.store(t.below("userSessions", doc.id), doc.object)
	}
}

// health gives the checks that the agent of a host reports.
func (b *builder) health(h Host, at time.Time) []any {
	result, text := "HealthCheckSucceeded", "SessionHost healthy"
	if !h.takesSessions() {
		result, text = "SessionHostShutdown", "SessionHost is not reachable"
	}
	var checks []any
	for _, name := range []string{"DomainJoinedCheck", "DomainTrustCheck", "SxSStackListenerCheck", "UrlsAccessibleCheck", "AppAttachHealthCheck"} {
		checks = append(checks, map[string]any{
			"healthCheckName": name, "healthCheckResult": result,
			"additionalFailureDetails": map[string]any{
				"message": text, "errorCode": 0, "lastHealthCheckDateTime": at.Format("2006-01-02T15:04:05.9999999Z"),
			},
		})
	}
	return checks
}

// machine makes the virtual machine of a host and gives its id and its own
// number; nulls for a host without one. One that is gone has left its id.
func (b *builder) machine(pool target, location string, h Host) (id, number any) {
	if h.Power == "none" {
		return nil, nil
	}
	name, _, _ := strings.Cut(h.Name, ".")
	t := target{
		subscription: pool.subscription, group: pool.group, namespace: "Microsoft.Compute",
		types: []string{"virtualMachines"}, names: []string{name},
	}
	vmID := b.sim.ids.derive("machine "+t.key(1), 0)
	disk := fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/disks/%s_OsDisk_1", t.subscription, t.group, name)
	nic := fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/networkInterfaces/%s-nic", t.subscription, t.group, name)
	obj := b.store(t, map[string]any{
		"location": location, "tags": map[string]any{"hostPool": pool.names[0]},
		"properties": map[string]any{
			"vmId": vmID, "hardwareProfile": map[string]any{"vmSize": "Standard_D4s_v5"}, "provisioningState": "Succeeded",
			"licenseType": "Windows_Client", "timeCreated": b.now.Add(-60 * 24 * time.Hour).Format(timeForm),
			"osProfile": map[string]any{
				"computerName": name, "adminUsername": "localadmin", "allowExtensionOperations": true,
				"windowsConfiguration": map[string]any{"provisionVMAgent": true, "enableAutomaticUpdates": false},
			},
			"storageProfile": map[string]any{
				"imageReference": map[string]any{
					"publisher": "microsoftwindowsdesktop", "offer": "windows-11", "sku": "win11-24h2-avd",
					"version": "latest", "exactVersion": firstOf(h.Image, "26100.4652.250705"),
				},
				"osDisk": map[string]any{
					"osType": "Windows", "name": name + "_OsDisk_1", "createOption": "FromImage", "caching": "ReadWrite",
					"managedDisk": map[string]any{"id": disk, "storageAccountType": "Premium_LRS"}, "diskSizeGB": 128,
				},
				"dataDisks": []any{},
			},
			"networkProfile": map[string]any{"networkInterfaces": []any{map[string]any{"id": nic}}},
		},
	})
	b.sim.power[obj.key] = firstOf(h.Power, "running")
	if h.Power == "gone" {
		b.sim.store.remove(obj.key)
		delete(b.sim.power, obj.key)
	}
	// The agent reports the id with the group as it was spelled, not in Compute's
	// upper case: whoever joins the two has to fold case.
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s", t.subscription, t.group, name), vmID
}

// scalingPlan makes a plan with one schedule for a pool.
func (b *builder) scalingPlan(scope target, location string, p Pool, pool *object) {
	hostPoolType := firstOf(p.Type, "Pooled")
	t := scope.below("scalingPlans", p.ScalingPlan)
	b.store(t, map[string]any{
		"location": location, "systemData": b.madeBy(45),
		"properties": map[string]any{
			"friendlyName": p.ScalingPlan, "timeZone": "W. Europe Standard Time", "hostPoolType": hostPoolType,
			"exclusionTag": "exclude-from-scaling", "schedules": []any{},
			"hostPoolReferences": []any{map[string]any{"hostPoolArmPath": pool.doc["id"], "scalingPlanEnabled": !p.ScalingPlanOff}},
		},
	})
	if hostPoolType != "Pooled" {
		return
	}
	at := func(hour, minute int) map[string]any { return map[string]any{"hour": hour, "minute": minute} }
	b.store(t.below("pooledSchedules", "weekdays"), map[string]any{
		"systemData": b.madeBy(45),
		"properties": map[string]any{
			"daysOfWeek":      []any{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"},
			"rampUpStartTime": at(7, 0), "rampUpLoadBalancingAlgorithm": "BreadthFirst", "rampUpMinimumHostsPct": 20,
			"rampUpCapacityThresholdPct": 60, "peakStartTime": at(9, 0), "peakLoadBalancingAlgorithm": "BreadthFirst",
			"rampDownStartTime": at(18, 0), "rampDownLoadBalancingAlgorithm": "DepthFirst", "rampDownMinimumHostsPct": 10,
			"rampDownCapacityThresholdPct": 90, "rampDownForceLogoffUsers": false, "rampDownWaitTimeMinutes": 30,
			"rampDownNotificationMessage": "Please save your work and sign out.", "rampDownStopHostsWhen": "ZeroSessions",
			"offPeakStartTime": at(20, 0), "offPeakLoadBalancingAlgorithm": "DepthFirst",
		},
	})
}

// numbered is a session before it is stored.
type numbered struct {
	id     string
	object map[string]any
}

// sessionsOf makes the sessions of a host: those the scenario lists, then as
// many as it counts.
func (b *builder) sessionsOf(host target, h Host, extra int) []numbered {
	list := h.Sessions.List
	for range h.Sessions.Count + extra {
		list = append(list, Session{User: h.AssignedUser})
	}
	taken := map[int]bool{}
	for _, s := range list {
		taken[s.ID] = true
	}
	// Windows gives number 1 to the console and reuses numbers, so there are gaps.
	next := 2
	made := make([]numbered, 0, len(list))
	for _, s := range list {
		if s.ID == 0 {
			for taken[next] || b.rng.IntN(5) == 0 {
				next++
			}
			s.ID = next
			next++
		}
		made = append(made, numbered{strconv.Itoa(s.ID), b.session(host, s)})
	}
	return made
}

// session makes a user session. Draws are made for every member, also where the
// scenario has a value, so that one explicit member does not change the sessions
// that follow.
func (b *builder) session(host target, s Session) map[string]any {
	who := firstOf(s.User, someone(b.rng, b.domain))
	state, age := someState(b.rng), time.Duration(b.rng.IntN(9*360_000))*10*time.Millisecond
	kind := "Desktop"
	if b.rng.IntN(8) == 0 {
		kind = "RemoteApp"
	}
	state = firstOf(s.State, state)
	if state == "Disconnected" {
		// Disconnected sessions are those that somebody will want to clean up: some
		// are days old.
		age += time.Duration(b.rng.IntN(96)) * time.Hour
	}
	if s.Started > 0 {
		age = s.Started
	}
	at := b.now.Add(-age).Truncate(10 * time.Millisecond).Format(timeForm)
	return map[string]any{
		"systemData": map[string]any{
			"createdBy": nil, "createdByType": nil, "createdAt": at,
			"lastModifiedBy": nil, "lastModifiedByType": nil, "lastModifiedAt": nil,
		},
		"properties": map[string]any{
			"userPrincipalName": who, "activeDirectoryUserName": accountOf(who, strings.Contains(host.names[1], ".")),
			"sessionState":    state,
			"applicationType": firstOf(s.ApplicationType, kind), "createTime": at,
		},
	}
}
