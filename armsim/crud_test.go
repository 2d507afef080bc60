package armsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/openapi"
)

// bodyFor makes the smallest body that a schema takes.
func bodyFor(s *openapi.Schema) any {
	switch {
	case s == nil:
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == "boolean":
		return true
	case s.Type == "integer", s.Type == "number":
		return 1
	case s.Type == "array":
		return []any{}
	case s.Type == "object":
		doc := map[string]any{}
		for _, name := range s.Required {
			if ms := s.Member(name); ms != nil && !ms.ReadOnly {
				doc[name] = bodyFor(ms)
			}
		}
		return doc
	}
	return "text"
}

// createBody makes a body that PUT takes for a kind.
func createBody(t *testing.T, k *kind) string {
	t.Helper()
	doc, _ := bodyFor(k.body).(map[string]any)
	if doc == nil {
		doc = map[string]any{}
	}
	if k.key == groupKind || k.body.Member("location") != nil {
		doc["location"] = "westeurope"
	}
	p, _ := doc["properties"].(map[string]any)
	if p == nil {
		p, _ = bodyFor(k.body.Member("properties")).(map[string]any)
		doc["properties"] = p
	}
	if k.body.Member("properties").Member("hostPoolArmPath") != nil {
		p["hostPoolArmPath"] = officePool
	}
	if k.body.Member("properties").Member("applicationGroupReferences") != nil {
		p["applicationGroupReferences"] = []any{}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parents are resources of the estate below which children can be made.
var parents = map[string]string{
	poolKind: officePool, appGroupKind: avdPath + "/applicationGroups/hp-office-dag",
	workspaceKind: avdPath + "/workspaces/ws-avd-prod-weu", scalingPlanKind: avdPath + "/scalingPlans/sp-office",
}

// place gives the path of a new item of a kind.
func place(k *kind, name string) string {
	if k.key == groupKind {
		return production + "/resourcegroups/" + name
	}
	if len(k.types) == 1 {
		return avdPath + "/" + k.types[0] + "/" + name
	}
	above, last := k.types[:len(k.types)-1], k.types[len(k.types)-1]
	return parents[strings.ToLower(k.namespace+"/"+strings.Join(above, "/"))] + "/" + last + "/" + name
}

// TestLifeOfEveryResource creates, reads, lists, changes and deletes an item of
// every type of the documents that can be created.
func TestLifeOfEveryResource(t *testing.T) {
	routes := newSim(t).routes
	tried := 0
	for _, key := range slices.Sorted(maps.Keys(routes.kinds)) {
		k := routes.kinds[key]
		if k.body == nil || k.namespace != "" && !strings.EqualFold(k.namespace, avd) {
			continue
		}
		tried++
		t.Run(strings.TrimPrefix(key, avd+"/"), func(t *testing.T) { testLife(t, newSim(t), k) })
	}
	if tried < 11 {
		t.Errorf("only %d kinds can be created", tried)
	}
}

func testLife(t *testing.T, s *Simulator, k *kind) {
	const name = "Thing-1"
	path := place(k, name)
	query := "?api-version=" + apiVersionOf(s, path)
	collection := path[:strings.LastIndex(path, "/")]
	before, _ := all(t, s, collection+query)
	body := createBody(t, k)
	ask(t, s, http.MethodGet, path+query, "").want(t, http.StatusNotFound)
	created := http.StatusCreated
	if strings.HasSuffix(k.key, "/privateendpointconnections") {
		created = http.StatusOK
	}
	made := ask(t, s, http.MethodPut, path+query, body).want(t, created).object(t)
	checkEnvelope(t, k, made, name)
	ask(t, s, http.MethodPut, path+query, body).want(t, http.StatusOK)

	read := ask(t, s, http.MethodGet, strings.ToUpper(path)+query, "").want(t, http.StatusOK).object(t)
	if read["id"] != made["id"] || read["name"] != made["name"] {
		t.Errorf("created %v, read %v", made["id"], read["id"])
	}
	if list, _ := all(t, s, collection+query); len(list) != len(before)+1 || !same(t, list[len(list)-1], read) {
		t.Errorf("listed %v after %v", names(list), names(before))
	}
	change := `{"tags":{"a":"b"}}`
	if route := s.routes.match(strings.Split(strings.Trim(path, "/"), "/")).routes[http.MethodPatch]; route != nil {
		ask(t, s, http.MethodPatch, path+query, change).want(t, http.StatusOK)
		ask(t, s, http.MethodPatch, path+"-none"+query, change).want(t, http.StatusNotFound)
	}
	testRemoval(t, s, path+query)
}

func apiVersionOf(s *Simulator, path string) string {
	return apiVersion(s.routes.match(strings.Split(strings.Trim(path, "/"), "/")).routes[http.MethodGet].method)
}

// testRemoval deletes an item, waits for the end of a long deletion, and looks
// that it is gone.
func testRemoval(t *testing.T, s *Simulator, target string) {
	t.Helper()
	gone := ask(t, s, http.MethodDelete, target, "")
	switch gone.StatusCode {
	case http.StatusOK, http.StatusNoContent:
	case http.StatusAccepted:
		poll := strings.TrimPrefix(gone.Header.Get("Location"), "http://sim.test")
		ask(t, s, http.MethodGet, poll, "").want(t, http.StatusAccepted)
		ask(t, s, http.MethodGet, poll, "").want(t, http.StatusOK)
		ask(t, s, http.MethodGet, target, "").want(t, http.StatusNotFound)
		return
	default:
		t.Fatalf("delete: %d %s", gone.StatusCode, gone.text)
	}
	ask(t, s, http.MethodGet, target, "").want(t, http.StatusNotFound)
	ask(t, s, http.MethodDelete, target, "").want(t, http.StatusNoContent)
}

// checkEnvelope holds an object against the forms that real services use.
func checkEnvelope(t *testing.T, k *kind, doc map[string]any, name string) {
	t.Helper()
	id, kindText := textOf(doc, "id"), textOf(doc, "type")
	if !strings.HasSuffix(id, "/"+name) {
		t.Errorf("id %s", id)
	}
	if k.key == groupKind {
		if kindText != "Microsoft.Resources/resourceGroups" || !strings.Contains(id, "/resourceGroups/") {
			t.Errorf("id %s, type %s", id, kindText)
		}
		return
	}
	if want := "Microsoft.DesktopVirtualization/" + strings.ToLower(strings.Join(k.types, "/")); kindText != want {
		t.Errorf("type %s, want %s", kindText, want)
	}
	if !strings.Contains(id, "/resourcegroups/rg-avd-prod-weu/providers/Microsoft.DesktopVirtualization/"+strings.ToLower(k.types[0])+"/") {
		t.Errorf("id %s", id)
	}
	if parts := strings.Split(textOf(doc, "name"), "/"); len(parts) != len(k.types) {
		t.Errorf("name %v of type %s", doc["name"], kindText)
	}
	data, _ := doc["systemData"].(map[string]any)
	if k.schema.Member("systemData") != nil && textOf(data, "createdAt") != "2026-03-11T09:30:00Z" {
		t.Errorf("systemData %v", data)
	}
	for _, m := range k.schema.Member("properties").Members() {
		if _, there := properties(t, doc)[m.Name]; !there {
			t.Errorf("member %s is left out", m.Name)
		}
	}
}

func TestEveryListAndGetAnswers(t *testing.T) {
	s := newSim(t)
	values := strings.NewReplacer(
		"{subscriptionId}", ProductionSubscription, "{resourceGroupName}", "rg-avd-prod-weu", "{hostPoolName}", "hp-office",
		"{sessionHostName}", "office-0.contoso.com", "{applicationGroupName}", "hp-office-dag", "{workspaceName}", "ws-avd-prod-weu",
		"{scalingPlanName}", "sp-office", "{desktopName}", "SessionDesktop", "{vmName}", "office-0", "{location}", "westeurope",
		"{resourceProviderNamespace}", "Microsoft.DesktopVirtualization", "{scalingPlanScheduleName}", "weekdays",
	)
	count := 0
	walk(s.routes.root, func(rt *route) {
		if rt.method.HTTPMethod != http.MethodGet {
			return
		}
		path := values.Replace(rt.method.Path)
		if strings.Contains(path, "{") || strings.Contains(path, "personalSchedules/") {
			return
		}
		count++
		a := ask(t, s, http.MethodGet, path+"?api-version="+apiVersion(rt.method), "")
		if a.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.text)
		}
		if _, list := a.object(t)["value"].([]any); list != rt.list {
			t.Errorf("%s: list %v, route says %v", path, list, rt.list)
		}
	})
	if count < 40 {
		t.Errorf("only %d calls", count)
	}
}

// walk visits all routes in no order.
func walk(n *node, visit func(*route)) {
	if n == nil {
		return
	}
	for _, rt := range n.routes {
		visit(rt)
	}
	for _, next := range n.literals {
		walk(next, visit)
	}
	walk(n.param, visit)
}

func TestEverySpecialOperationIsRouted(t *testing.T) {
	routed := map[string]bool{
		operationOp: true, listLocksOp: true, getLockOp: true, putLockOp: true, deleteLockOp: true,
		listDeletedOp: true, getDeletedOp: true, purgeOp: true,
	}
	walk(newSim(t).routes.root, func(rt *route) { routed[rt.op] = true })
	for op := range special {
		if !routed[op] {
			t.Errorf("no route leads to %q", op)
		}
	}
}

func TestPutKeepsWhatTheServiceWrites(t *testing.T) {
	s := newSim(t)
	target := officePool + "?" + version
	before := ask(t, s, http.MethodGet, target, "").object(t)
	body := `{"location":"westeurope","name":"other","properties":{"hostPoolType":"Shared","loadBalancerType":"BreadthFirst",
		"preferredAppGroupType":"Desktop","objectId":"mine","ring":0,"cloudPcResource":true,"newMember":{"x":1.50}}}`
	after := ask(t, s, http.MethodPut, target, body).want(t, http.StatusOK).object(t)
	p, old := properties(t, after), properties(t, before)
	for _, name := range []string{"objectId", "cloudPcResource", "applicationGroupReferences"} {
		if !same(t, p[name], old[name]) {
			t.Errorf("%s changed from %v to %v", name, old[name], p[name])
		}
	}
	if after["name"] != "hp-office" || p["hostPoolType"] != "Pooled" || p["ring"] != json.Number("1") || p["description"] != nil {
		t.Errorf("put gave %v", after)
	}
	if !same(t, p["newMember"], map[string]any{"x": json.Number("1.50")}) {
		t.Errorf("a member of a newer version is lost: %v", p["newMember"])
	}
}

func TestPatchMerges(t *testing.T) {
	s := newSim(t)
	group := production + "/resourcegroups/rg-avd-prod-weu?api-version=2024-11-01"
	doc := ask(t, s, http.MethodPatch, group, `{"tags":{"only":"this"}}`).want(t, http.StatusOK).object(t)
	if !same(t, doc["tags"], map[string]any{"only": "this"}) || doc["location"] != "westeurope" {
		t.Errorf("patched %v", doc)
	}
	target := officePool + "?" + version
	p := properties(t, ask(t, s, http.MethodPatch, target, `{"properties":{"description":null,"maxSessionLimit":5}}`).want(t, http.StatusOK).object(t))
	if d, there := p["description"]; !there || d != nil || p["maxSessionLimit"] != json.Number("5") || p["friendlyName"] != "Office desktops" {
		t.Errorf("patched %v", p)
	}
	ask(t, s, http.MethodPatch, target, "").want(t, http.StatusOK)
}
