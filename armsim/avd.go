package armsim

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The kinds of Azure Virtual Desktop with behaviour of their own.
const (
	poolKind        = avd + "/hostpools"
	hostKind        = poolKind + "/sessionhosts"
	sessionKind     = hostKind + "/usersessions"
	appGroupKind    = avd + "/applicationgroups"
	desktopKind     = appGroupKind + "/desktops"
	workspaceKind   = avd + "/workspaces"
	scalingPlanKind = avd + "/scalingplans"
	machineKind     = compute + "/virtualmachines"
)

// special holds the operations that do more than the contract of Azure Resource
// Manager says, by the key of [operationKey].
var special = map[string]func(*call) reply{
	"PUT " + poolKind:    (*call).putHostPool,
	"PATCH " + poolKind:  (*call).patchHostPool,
	"DELETE " + poolKind: (*call).deleteHostPool,
	"POST " + poolKind + "/retrieveregistrationtoken":      (*call).retrieveToken,
	"POST " + poolKind + "/listregistrationtokens":         (*call).listTokens,
	"POST " + poolKind + "/expandmsiximage":                (*call).expandImage,
	"POST " + poolKind + "/importappattachpackageinfo":     (*call).importPackage,
	"LIST " + poolKind + "/scalingplans":                   (*call).scalingPlansOfPool,
	"LIST " + poolKind + "/usersessions":                   (*call).sessionsOfPool,
	"LIST " + poolKind + "/privatelinkresources":           (*call).privateLinks,
	"LIST " + workspaceKind + "/privatelinkresources":      (*call).privateLinks,
	"LIST " + appGroupKind + "/startmenuitems":             (*call).startMenu,
	"PATCH " + hostKind:                                    (*call).patchSessionHost,
	"DELETE " + hostKind:                                   (*call).deleteSessionHost,
	"DELETE " + sessionKind:                                (*call).logOff,
	"POST " + sessionKind + "/disconnect":                  (*call).disconnect,
	"POST " + sessionKind + "/sendmessage":                 (*call).sendMessage,
	"PUT " + poolKind + "/privateendpointconnections":      (*call).putConnection,
	"PUT " + workspaceKind + "/privateendpointconnections": (*call).putConnection,
	"PUT " + appGroupKind:                                  (*call).putApplicationGroup,
	"DELETE " + appGroupKind:                               (*call).deleteApplicationGroup,
	"PUT " + workspaceKind:                                 (*call).putWorkspace,
	"PATCH " + workspaceKind:                               (*call).patchWorkspace,
	"DELETE " + workspaceKind:                              (*call).deleteWorkspace,
	"LIST " + avd + "/operations":                          (*call).providerOperations,

	"GET " + machineKind:                             (*call).getMachine,
	"PUT " + machineKind:                             (*call).putMachine,
	"LIST " + machineKind:                            (*call).listMachines,
	"LIST " + compute + "/locations/virtualmachines": (*call).machinesOfLocation,
	"GET " + machineKind + "/instanceview":           (*call).instanceView,
	"DELETE " + machineKind:                          (*call).deleteMachine,
	"POST " + machineKind + "/start":                 (*call).startMachine,
	"POST " + machineKind + "/restart":               (*call).restartMachine,
	"POST " + machineKind + "/deallocate":            (*call).deallocateMachine,
	"POST " + machineKind + "/poweroff":              (*call).powerOffMachine,
	"POST " + machineKind + "/redeploy":              (*call).restartMachine,
	"POST " + machineKind + "/reapply":               (*call).reapplyMachine,

	"LIST /subscriptions/{}/locations":                   (*call).locations,
	"LIST /subscriptions/{}/providers":                   (*call).listProviders,
	"GET /subscriptions/{}/providers/{}":                 (*call).getProvider,
	"POST /subscriptions/{}/providers/{}/register":       (*call).getProvider,
	"LIST /subscriptions/{}/resources":                   (*call).resources,
	"LIST /subscriptions/{}/resourcegroups/{}/resources": (*call).resources,
	"DELETE /subscriptions/{}/resourcegroups/{}":         (*call).deleteGroup,

	"GET microsoft.management/managementgroups":              (*call).getManagementGroup,
	"LIST microsoft.management/managementgroups":             (*call).listManagementGroups,
	"LIST microsoft.management/managementgroups/descendants": (*call).descendants,

	operationOp: (*call).pollOperation,

	listLocksOp: (*call).listLocks, getLockOp: (*call).getLock, putLockOp: (*call).putLock, deleteLockOp: (*call).deleteLock,
	listDeletedOp: (*call).listDeleted, getDeletedOp: (*call).getDeleted, purgeOp: (*call).purge,
}

// missingText is how AVD says that an object is not there.
func missingText(word string) string {
	switch strings.ToLower(word) {
	case "usersessions":
		return "User session does not exist"
	case "sessionhosts":
		return "SessionHost does not exist"
	}
	return strings.TrimSuffix(word, "s") + " does not exist"
}

// forced says whether the request carries force=true.
func (c *call) forced() bool { return strings.EqualFold(c.query["force"], "true") }

// registration is the token with which session hosts join a pool.
type registration struct {
	token   string
	expires time.Time
}

// putHostPool creates a pool. The answer carries a new registration token in
// clear; reading the pool later does not.
func (c *call) putHostPool() reply {
	doc, old, rep, ok := c.readPut()
	if !ok {
		return rep
	}
	properties := propertiesOf(doc)
	info, rep, ok := c.takeRegistration(properties)
	if !ok {
		return rep
	}
	normalizePool(properties)
	obj := c.finish(doc, old)
	return withBody(c.stored(obj, old), withRegistration(obj, info))
}

// patchHostPool changes a pool. It may ask for a new registration token just as
// a PUT does, and shows it in its answer alone.
func (c *call) patchHostPool() reply {
	change, old, rep, ok := c.readPatch()
	if !ok {
		return rep
	}
	properties := propertiesOf(change)
	info, rep, ok := c.takeRegistration(properties)
	if !ok {
		return rep
	}
	obj := c.applied(change, old)
	return okJSON(withRegistration(obj, info))
}

// withBody gives the answer with another body.
func withBody(rep reply, body []byte) reply {
	rep.body = body
	return rep
}

// normalizePool writes members as the service answers them, whatever the caller
// wrote: recorded traffic shows Shared come back as Pooled, ring 0 as 1, and the
// assignment type of a pooled host pool as null.
func normalizePool(p map[string]any) {
	if p == nil {
		return
	}
	if textOf(p, "hostPoolType") == "Shared" {
		p["hostPoolType"] = "Pooled"
	}
	if textOf(p, "hostPoolType") == "Pooled" {
		p["personalDesktopAssignmentType"] = nil
	}
	if fmt.Sprint(p["ring"]) == "0" {
		p["ring"] = 1
	}
	if textOf(p, "vmTemplate") == "" {
		p["vmTemplate"] = nil
	}
	if textOf(p, "publicNetworkAccess") == "" {
		p["publicNetworkAccess"] = "Enabled"
	}
	if _, given := p["customRdpProperty"]; !given {
		p["customRdpProperty"] = ""
	}
}

// A registration token lives from an hour to 27 days.
const (
	shortestRegistration = time.Hour
	longestRegistration  = 27 * 24 * time.Hour
)

// takeRegistration carries out what registrationInfo asks for and removes it
// from the body. It gives what the answer shows of it; nil: nothing.
func (c *call) takeRegistration(properties map[string]any) (map[string]any, reply, bool) {
	info, _ := properties["registrationInfo"].(map[string]any)
	delete(properties, "registrationInfo")
	key := c.itemKey()
	switch strings.ToLower(textOf(info, "registrationTokenOperation")) {
	case "update":
	case "delete":
		delete(c.sim.tokens, key)
		return nil, reply{}, true
	default:
		return nil, reply{}, true
	}
	expires, err := time.Parse(time.RFC3339Nano, textOf(info, "expirationTime"))
	if life := expires.Sub(c.now); err != nil || life < shortestRegistration-time.Minute || life > longestRegistration {
		return nil, c.failAVD(http.StatusBadRequest,
			"The expirationTime of registrationInfo must be between 1 hour and 27 days from now"), false
	}
	reg := registration{token: c.sim.registrationToken(key, expires), expires: expires}
	c.sim.tokens[key] = reg
	return map[string]any{
		"expirationTime": expires.UTC().Format("2006-01-02T15:04:05.9999999") + "+00:00",
		"token":          reg.token, "registrationTokenOperation": "Update",
	}, reply{}, true
}

// registrationToken makes a text of the form of a signed token. It opens
// nothing.
func (s *Simulator) registrationToken(key string, expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	id := s.ids.derive("registration "+key, s.counter.Add(1))
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"RegistrationId":"%s","exp":%d,"iss":"simulator"}`, id, expires.Unix())) + "." +
		encode([]byte(s.ids.derive("signature "+id, 0)))
}

// withRegistration gives the JSON of a pool with the registration shown. The
// stored object is left alone, so that nobody else sees the token.
func withRegistration(obj *object, info map[string]any) []byte {
	if info == nil {
		return obj.raw
	}
	properties := propertiesOf(obj.doc)
	shown := maps.Clone(properties)
	shown["registrationInfo"] = info
	doc := maps.Clone(obj.doc)
	doc["properties"] = shown
	raw, _ := encode(doc)
	return raw
}

// actedOn gives the resource that an action is called on.
func (c *call) actedOn() *object { return c.sim.store.get(c.target.key(len(c.target.names))) }

// retrieveToken answers the registration token of a pool; a pool without a valid
// one answers nulls.
func (c *call) retrieveToken() reply {
	pool := c.actedOn()
	if pool == nil {
		return c.notFound(1)
	}
	info := map[string]any{"expirationTime": nil, "token": nil, "registrationTokenOperation": "None"}
	if reg, ok := c.sim.tokens[pool.key]; ok && reg.expires.After(c.now) {
		info["expirationTime"], info["token"] = reg.expires.UTC().Format("2006-01-02T15:04:05.9999999Z"), reg.token
	}
	return okValue(info)
}

// listTokens answers the valid tokens of a pool: none or one. It is a list in
// form, though not marked as one in the documents, and ends in a null link.
func (c *call) listTokens() reply {
	pool := c.actedOn()
	if pool == nil {
		return c.notFound(1)
	}
	value := []any{}
	if reg, ok := c.sim.tokens[pool.key]; ok && reg.expires.After(c.now) {
		value = append(value, map[string]any{
			"expirationTime": reg.expires.UTC().Format("2006-01-02T15:04:05.9999999Z"), "token": reg.token,
		})
	}
	return okValue(map[string]any{"value": value, "nextLink": nil})
}

// deleteHostPool refuses a pool that application groups use, and one with
// session hosts unless it is forced. The virtual machines stay.
func (c *call) deleteHostPool() reply {
	pool := c.sim.store.get(c.itemKey())
	if pool == nil {
		return empty(http.StatusNoContent)
	}
	properties := propertiesOf(pool.doc)
	if refs := texts(properties["applicationGroupReferences"]); len(refs) > 0 {
		return c.failAVD(http.StatusConflict, "The host pool is used by application groups, delete them first: %s", strings.Join(refs, ", "))
	}
	if hosts := c.sim.store.list(pool.key, hostKind); len(hosts) > 0 && !c.forced() {
		return c.failAVD(http.StatusConflict, "The host pool has %d session hosts, delete them first or use force", len(hosts))
	}
	return c.remove().before(func(s *Simulator) { delete(s.tokens, pool.key) })
}

// scalingPlansOfPool lists the plans that refer to the pool: they stand beside
// it, not below.
func (c *call) scalingPlansOfPool() reply {
	pool := c.target.key(1)
	return c.page(selection{
		items: c.items(subscriptionKey(c.target.subscription), scalingPlanKind),
		keep: func(plan *object) bool {
			properties := propertiesOf(plan.doc)
			refs, _ := properties["hostPoolReferences"].([]any)
			return slices.ContainsFunc(refs, func(ref any) bool {
				m, _ := ref.(map[string]any)
				return keyOf(textOf(m, "hostPoolArmPath")) == pool
			})
		},
	})
}

// update stores an object with changed properties.
func (s *Simulator) update(obj *object, change map[string]any) *object {
	return s.replace(obj, merge(obj.doc, map[string]any{"properties": change}, true))
}
