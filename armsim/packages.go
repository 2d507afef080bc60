package armsim

import (
	"net/http"
	"slices"
	"strings"
)

// putApplicationGroup ties the group to its host pool; a desktop group gets its
// one desktop.
func (c *call) putApplicationGroup() reply {
	doc, old, rep, ok := c.readPut()
	if !ok {
		return rep
	}
	properties := propertiesOf(doc)
	pool := c.sim.store.get(keyOf(textOf(properties, "hostPoolArmPath")))
	if pool == nil || pool.kind != poolKind {
		return c.failAVD(http.StatusBadRequest, "The host pool '%s' does not exist", textOf(properties, "hostPoolArmPath"))
	}
	properties["hostPoolArmPath"] = pool.doc["id"]
	obj := c.finishApplicationGroup(doc, old)
	return c.stored(obj, old)
}

// finishApplicationGroup stores the group and ties it. Its kind repeats its type.
func (c *call) finishApplicationGroup(doc map[string]any, old *object) *object {
	properties := propertiesOf(doc)
	doc["kind"] = properties["applicationGroupType"]
	obj := c.finish(doc, old)
	c.sim.tieApplicationGroup(obj)
	return obj
}

// tieApplicationGroup writes an application group into its pool and makes the
// desktop of a desktop group.
func (s *Simulator) tieApplicationGroup(group *object) {
	properties := propertiesOf(group.doc)
	if pool := s.store.get(keyOf(textOf(properties, "hostPoolArmPath"))); pool != nil {
		s.refer(pool, "applicationGroupReferences", textOf(group.doc, "id"), true)
	}
	if textOf(properties, "applicationGroupType") != "Desktop" {
		return
	}
	t, _ := parsePath(textOf(group.doc, "id"))
	t.types, t.names = append(t.types, "desktops"), append(t.names, "SessionDesktop")
	if s.store.get(t.key(2)) != nil {
		return
	}
	desktop := map[string]any{
		"properties": map[string]any{"friendlyName": "SessionDesktop", "description": "The default Session Desktop"},
		"systemData": group.doc["systemData"],
	}
	s.complete(s.routes.kinds[desktopKind], t.key(2), desktop)
	s.keep(s.identify(t, desktop), desktop)
}

// refer adds an id to a list of references, or takes it out.
func (s *Simulator) refer(obj *object, list, id string, add bool) {
	properties := propertiesOf(obj.doc)
	refs := make([]any, 0, 4)
	for _, have := range texts(properties[list]) {
		if !strings.EqualFold(have, id) {
			refs = append(refs, have)
		}
	}
	if add {
		refs = append(refs, id)
	}
	s.update(obj, map[string]any{list: refs})
}

// deleteApplicationGroup takes the group out of its pool and its workspace.
func (c *call) deleteApplicationGroup() reply {
	group := c.sim.store.get(c.itemKey())
	return c.remove().before(func(s *Simulator) {
		id, properties := textOf(group.doc, "id"), propertiesOf(group.doc)
		for _, member := range []string{"hostPoolArmPath", "workspaceArmPath"} {
			if obj := s.store.get(keyOf(textOf(properties, member))); obj != nil {
				s.refer(obj, "applicationGroupReferences", id, false)
			}
		}
	})
}

// putWorkspace creates or replaces a workspace. References that are left out are
// an empty list, never null.
func (c *call) putWorkspace() reply {
	doc, old, rep, ok := c.readPut()
	if !ok {
		return rep
	}
	if rep, ok := c.checkReferences(doc); !ok {
		return rep
	}
	if properties := propertiesOf(doc); properties != nil && properties["applicationGroupReferences"] == nil {
		properties["applicationGroupReferences"] = []any{}
	}
	obj := c.finish(doc, old)
	c.sim.tieWorkspace(obj, old)
	return c.stored(obj, old)
}

// patchWorkspace changes a workspace; a list of references replaces the old one.
func (c *call) patchWorkspace() reply {
	change, old, rep, ok := c.readPatch()
	if !ok {
		return rep
	}
	if rep, ok := c.checkReferences(change); !ok {
		return rep
	}
	obj := c.applied(change, old)
	c.sim.tieWorkspace(obj, old)
	return okJSON(obj.raw)
}

// checkReferences refuses a workspace that shows what is not there.
func (c *call) checkReferences(doc map[string]any) (reply, bool) {
	for _, ref := range referencesOf(doc) {
		if group := c.sim.store.get(keyOf(ref)); group == nil || group.kind != appGroupKind {
			return c.failAVD(http.StatusBadRequest, "The application group '%s' does not exist", ref), false
		}
	}
	return reply{}, true
}

// referencesOf gives the application groups that a workspace or pool refers to.
func referencesOf(doc map[string]any) []string {
	properties := propertiesOf(doc)
	return texts(properties["applicationGroupReferences"])
}

// tieWorkspace writes a workspace into the application groups it shows, and out
// of those it shows no more.
func (s *Simulator) tieWorkspace(obj, old *object) {
	var now, before []string
	if obj != nil {
		now = referencesOf(obj.doc)
	}
	if old != nil {
		before = referencesOf(old.doc)
	}
	for _, ref := range before {
		if group := s.store.get(keyOf(ref)); group != nil && !slices.Contains(now, ref) {
			s.update(group, map[string]any{"workspaceArmPath": nil})
		}
	}
	for _, ref := range now {
		if group := s.store.get(keyOf(ref)); group != nil {
			s.update(group, map[string]any{"workspaceArmPath": obj.doc["id"]})
		}
	}
}

// deleteWorkspace unties the application groups that the workspace showed; they
// stay.
func (c *call) deleteWorkspace() reply {
	old := c.sim.store.get(c.itemKey())
	return c.remove().before(func(s *Simulator) { s.tieWorkspace(nil, old) })
}

// fixedList answers a short list that is not stored.
func (c *call) fixedList(items []any) reply {
	if strings.EqualFold(c.target.namespace, avd) {
		return okValue(map[string]any{"value": items, "nextLink": nil})
	}
	return okValue(map[string]any{"value": items})
}

// child makes the envelope of an item below the parent that the path names.
func (c *call) child(name string, properties map[string]any) map[string]any {
	t := c.target
	t.names = append(slices.Clone(t.names), name)
	doc := map[string]any{"properties": properties}
	c.sim.identify(t, doc)
	return doc
}

// putConnection approves or rejects a connection; the service documents 200 as
// its only answer, for a new one too.
func (c *call) putConnection() reply {
	rep := c.put()
	if rep.status == http.StatusCreated {
		rep.status = http.StatusOK
	}
	return rep
}

// privateLinks lists the sub-resources that a private endpoint can reach.
func (c *call) privateLinks() reply {
	group, zone := "connection", "privatelink.wvd.microsoft.com"
	if strings.EqualFold(c.target.types[0], "workspaces") {
		group = "feed"
	}
	return c.fixedList([]any{c.child(group, map[string]any{
		"groupId": group, "requiredMembers": []any{group}, "requiredZoneNames": []any{zone},
	})})
}

// startMenu lists what the start menu of the pool's hosts shows.
func (c *call) startMenu() reply {
	var items []any
	for _, app := range []struct{ name, path string }{
		{"Word", `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`},
		{"Excel", `C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE`},
		{"Notepad", `C:\Windows\System32\notepad.exe`},
	} {
		items = append(items, c.child(app.name, map[string]any{
			"appAlias": strings.ToLower(app.name), "filePath": app.path, "commandLineArguments": "",
			"iconPath": app.path, "iconIndex": 0,
		}))
	}
	return c.fixedList(items)
}

// expandImage and importPackage answer what an image holds: one package that
// takes its name from the path of the image.
func (c *call) expandImage() reply { return c.packageInfo("uri", false) }

// importPackage is the form of app attach, in which the package stands below
// image.
func (c *call) importPackage() reply { return c.packageInfo("path", true) }

// packageInfo answers the one package of an image. The item is named after the
// host pool, since it is no resource yet.
func (c *call) packageInfo(from string, wrapped bool) reply {
	if c.actedOn() == nil {
		return c.notFound(1)
	}
	body, rep, ok := c.readBody(false)
	if !ok {
		return rep
	}
	path := textOf(body, from)
	if path == "" {
		return c.failAVD(http.StatusBadRequest, "The '%s' of the image is required", from)
	}
	name := path[strings.LastIndexAny(path, `\/`)+1:]
	name, _, _ = strings.Cut(name, ".")
	info := map[string]any{
		"packageAlias": strings.ToLower(name), "imagePath": path, "packageName": name,
		"packageFamilyName": name + "_8wekyb3d8bbwe", "packageFullName": name + "_1.0.0.0_x64__8wekyb3d8bbwe",
		"displayName": name, "packageRelativePath": `\apps\` + name, "version": "1.0.0.0", "isActive": false,
		"isRegularRegistration": false, "lastUpdated": c.now.UTC().Format(timeForm),
		"packageDependencies": []any{}, "packageApplications": []any{},
	}
	c.target.types = c.target.types[:len(c.target.types)-1]
	doc := map[string]any{"properties": info}
	if wrapped {
		doc["properties"] = map[string]any{"image": info, "hostPoolReferences": []any{}, "provisioningState": "Succeeded"}
	}
	c.sim.identify(c.target, doc)
	return c.fixedList([]any{doc})
}

// providerOperations lists what roles can allow for the provider.
func (c *call) providerOperations() reply {
	var items []any
	kinds := c.sim.routes.kinds
	for _, key := range sortedKeys(kinds) {
		k := kinds[key]
		if !strings.EqualFold(k.namespace, c.target.namespace) || key == avd+"/operations" {
			continue
		}
		path := strings.ToLower(strings.Join(k.types, "/"))
		for _, verb := range []string{"read", "write", "delete"} {
			items = append(items, map[string]any{
				"name": k.namespace + "/" + path + "/" + verb, "isDataAction": false,
				"display": map[string]any{
					"provider": "Microsoft Desktop Virtualization", "resource": path,
					"operation": strings.ToUpper(verb[:1]) + verb[1:] + " " + path, "description": verb + " " + path,
				},
			})
		}
	}
	return c.fixedList(items)
}
