package armsim

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/openapi"
)

// powerWords are the power states of a virtual machine as instance views show
// them.
var powerWords = map[string]string{
	"running": "VM running", "starting": "VM starting", "stopped": "VM stopped", "stopping": "VM stopping",
	"deallocated": "VM deallocated", "deallocating": "VM deallocating",
}

// getMachine answers a machine; $expand=instanceView adds its power state.
func (c *call) getMachine() reply {
	obj := c.seen(c.itemKey())
	switch {
	case obj == nil:
		return c.missing()
	case strings.EqualFold(c.query["$expand"], "instanceView"):
		return c.shown(obj, c.sim.withInstanceView(obj))
	}
	return c.shown(obj, obj.raw)
}

// putMachine creates a machine or replaces its settings. It runs once it is made.
// Passwords and start data go in and never come back.
func (c *call) putMachine() reply {
	doc, old, rep, ok := c.readPut()
	if !ok {
		return rep
	}
	doc, _ = withoutSecrets(doc, c.bodySchema()).(map[string]any)
	if propertiesOf(doc) == nil {
		doc["properties"] = map[string]any{}
	}
	if old == nil {
		properties := propertiesOf(doc)
		properties["vmId"] = c.sim.ids.derive("machine "+c.itemKey(), c.sim.counter.Add(1))
		properties["timeCreated"] = c.now.UTC().Format(time.RFC3339Nano)
		c.sim.power[c.itemKey()] = "running"
	}
	return c.stored(c.finish(doc, old), old)
}

// withoutSecrets gives a copy of a body without what its schema marks as secret.
func withoutSecrets(value any, s *openapi.Schema) any {
	switch v := value.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, e := range v {
			if ps := property(s, name); ps == nil || !ps.Secret {
				c[name] = withoutSecrets(e, ps)
			}
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = withoutSecrets(e, s.Items())
		}
		return c
	}
	return value
}

// listMachines answers machines; statusOnly=true or $expand=instanceView adds
// the power state of each.
func (c *call) listMachines() reply {
	sel := selection{items: c.items(c.target.scope(), machineKind)}
	if strings.EqualFold(c.query["statusonly"], "true") || strings.EqualFold(c.query["$expand"], "instanceView") {
		sel.form = c.sim.withInstanceView
	}
	return c.page(sel)
}

// machinesOfLocation lists the machines of a region.
func (c *call) machinesOfLocation() reply {
	return c.page(selection{
		items: c.items(c.target.scope(), machineKind),
		keep: func(obj *object) bool {
			return strings.EqualFold(textOf(obj.doc, "location"), c.target.names[0])
		},
	})
}

// withInstanceView gives the JSON of a machine with its instance view, which is
// made anew each time: the power state is no part of the stored object.
func (s *Simulator) withInstanceView(obj *object) []byte {
	properties := propertiesOf(obj.doc)
	properties = maps.Clone(properties)
	properties["instanceView"] = s.instanceViewOf(obj)
	doc := maps.Clone(obj.doc)
	doc["properties"] = properties
	raw, _ := encode(doc)
	return raw
}

// instanceViewOf gives what the hypervisor knows of a machine. The power state is
// the last of the statuses.
func (s *Simulator) instanceViewOf(obj *object) map[string]any {
	properties := propertiesOf(obj.doc)
	state := firstOf(s.power[obj.key], "running")
	profile, _ := properties["osProfile"].(map[string]any)
	return map[string]any{
		"computerName": firstOf(textOf(profile, "computerName"), textOf(obj.doc, "name")),
		"osName":       "Windows 11 Enterprise multi-session", "osVersion": osVersion, "hyperVGeneration": "V2",
		"statuses": []any{
			map[string]any{
				"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
				"time": textOf(properties, "timeCreated"),
			},
			map[string]any{"code": "PowerState/" + state, "level": "Info", "displayStatus": powerWords[state]},
		},
	}
}

// instanceView answers the instance view by itself.
func (c *call) instanceView() reply {
	obj := c.actedOn()
	if obj == nil {
		return c.notFound(1)
	}
	return okValue(c.sim.instanceViewOf(obj))
}

// startMachine starts a machine; the session host on it reports in.
func (c *call) startMachine() reply {
	return c.powerAction("starting", "running", (*Simulator).hostStarted)
}

// restartMachine restarts a machine, which ends the sessions on it.
func (c *call) restartMachine() reply {
	return c.powerAction("running", "running", func(s *Simulator, host string) {
		s.endSessions(host)
		s.hostStarted(host)
	})
}

// deallocateMachine stops a machine and gives its hardware back.
func (c *call) deallocateMachine() reply {
	return c.powerAction("deallocating", "deallocated", (*Simulator).hostStopped)
}

// powerOffMachine stops a machine that goes on being paid for.
func (c *call) powerOffMachine() reply {
	return c.powerAction("stopping", "stopped", (*Simulator).hostStopped)
}

// reapplyMachine runs as long as the others and changes nothing.
func (c *call) reapplyMachine() reply { return c.powerAction("", "", func(*Simulator, string) {}) }

// powerAction begins a long-running change of a machine's power state, and of
// the session host on it when the change ends.
func (c *call) powerAction(during, after string, host func(*Simulator, string)) reply {
	obj := c.actedOn()
	if obj == nil {
		return c.notFound(1)
	}
	before := c.sim.power[obj.key]
	if during != "" {
		c.sim.power[obj.key] = during
	}
	rep := empty(http.StatusOK)
	rep.work.run = func(s *Simulator) {
		if after != "" {
			s.power[obj.key] = after
		}
		if key := s.hostOn(obj.key); key != "" {
			host(s, key)
		}
	}
	rep.work.undo = func(s *Simulator) { s.power[obj.key] = before }
	return rep
}

// hostOn gives the key of the session host that runs on a machine.
func (s *Simulator) hostOn(machine string) string {
	t, _ := parsePath(machine)
	for _, sl := range s.store.list(subscriptionKey(t.subscription), hostKind) {
		properties := propertiesOf(sl.obj.doc)
		if keyOf(textOf(properties, "resourceId")) == machine {
			return sl.obj.key
		}
	}
	return ""
}

// hostStarted marks a host whose agent has come back.
func (s *Simulator) hostStarted(host string) {
	if obj := s.store.get(host); obj != nil {
		now := s.settings.clock().UTC().Format(timeForm)
		s.update(obj, map[string]any{"status": "Available", "lastHeartBeat": now, "statusTimestamp": now})
	}
}

// hostStopped marks a host that is off. The broker goes on listing its sessions,
// as disconnected ones, until they are removed.
func (s *Simulator) hostStopped(host string) {
	obj := s.store.get(host)
	if obj == nil {
		return
	}
	s.update(obj, map[string]any{"status": "Unavailable"})
	for _, sl := range s.store.list(host, sessionKind) {
		if stateOf(sl.obj) != "Disconnected" {
			s.update(sl.obj, map[string]any{"sessionState": "Disconnected"})
		}
	}
}

// endSessions removes all sessions of a host that starts anew.
func (s *Simulator) endSessions(host string) {
	var keys []string
	for _, sl := range s.store.list(host, sessionKind) {
		keys = append(keys, sl.obj.key)
	}
	for _, key := range keys {
		s.store.remove(key)
	}
	s.countSessions(host)
}

// deleteMachine removes a machine; the registration of its session host stays
// behind, as it does in Azure.
func (c *call) deleteMachine() reply {
	obj := c.sim.store.get(c.itemKey())
	if obj == nil {
		return empty(http.StatusNoContent)
	}
	rep := empty(http.StatusOK)
	rep.work.run = func(s *Simulator) {
		s.discard(obj.key)
		delete(s.power, obj.key)
		if host := s.hostOn(obj.key); host != "" {
			s.hostStopped(host)
		}
	}
	return rep
}

// deleteGroup removes a resource group with all in it. Its operation is told by
// Location alone.
func (c *call) deleteGroup() reply {
	key := c.itemKey()
	if c.sim.store.get(key) == nil {
		return c.groupNotFound()
	}
	rep := empty(http.StatusOK)
	rep.work.run = func(s *Simulator) { s.store.remove(key) }
	return rep
}

// osVersion is the build that session hosts and machines report.
const osVersion = "10.0.26100.4652"
