package armsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// firstSession gives the path of a session of the office pool in a state.
func firstSession(t *testing.T, s *Simulator, state string) (path, host string) {
	t.Helper()
	items, _ := all(t, s, officePool+"/userSessions?$filter=sessionState+eq+'"+state+"'&"+version)
	if len(items) == 0 {
		t.Fatalf("no session is %s", state)
	}
	path = textOf(items[0], "id")
	return path, path[:strings.Index(path, "/usersessions/")]
}

func sessionCount(t *testing.T, s *Simulator, host string) string {
	t.Helper()
	n, _ := properties(t, ask(t, s, http.MethodGet, host+"?"+version, "").object(t))["sessions"].(json.Number)
	return n.String()
}

func TestSessionEnds(t *testing.T) {
	s := newSim(t)
	path, host := firstSession(t, s, "Active")
	before := sessionCount(t, s, host)
	ask(t, s, http.MethodPost, path+"/disconnect?"+version, "").want(t, http.StatusOK)
	if sessionCount(t, s, host) != before {
		t.Error("a disconnected session counts no more")
	}
	ask(t, s, http.MethodDelete, path+"?"+version, "").want(t, http.StatusNoContent)
	if sessionCount(t, s, host) == before {
		t.Error("the session still counts")
	}
	for _, method := range []string{http.MethodDelete, http.MethodGet} {
		a := ask(t, s, method, path+"?"+version, "").want(t, http.StatusNotFound)
		if a.code(t) != "404" || !strings.Contains(string(a.text), "ActivityId: "+a.Header.Get("X-Ms-Correlation-Id")+" Error: User session") {
			t.Errorf("%s: %s", method, a.text)
		}
	}
	for _, action := range []string{"disconnect", "sendMessage"} {
		ask(t, s, http.MethodPost, path+"/"+action+"?"+version, "{}").want(t, http.StatusNotFound)
	}
}

func TestMessageNeedsAnActiveSession(t *testing.T) {
	s := newSim(t)
	active, _ := firstSession(t, s, "Active")
	away, _ := firstSession(t, s, "Disconnected")
	body := `{"messageTitle":"T","messageBody":"B"}`
	ask(t, s, http.MethodPost, active+"/sendMessage?"+version, body).want(t, http.StatusOK)
	ask(t, s, http.MethodPost, away+"/sendMessage?"+version, body).want(t, http.StatusOK)
	ask(t, s, http.MethodPost, active+"/sendMessage?"+version, `{"messageTitle":5}`).want(t, http.StatusBadRequest)
	ask(t, s, http.MethodPost, active+"/sendMessage?"+version, `nonsense`).want(t, http.StatusBadRequest)
	got := s.Messages()
	if len(got) != 1 || got[0].Session != active || got[0].Title != "T" || got[0].Body != "B" || got[0].User == "" || !got[0].At.Equal(fixed()) {
		t.Errorf("messages %+v", got)
	}
}

func TestHostsAndPoolsAreGuarded(t *testing.T) {
	s := newSim(t)
	ask(t, s, http.MethodDelete, officeHost+"?"+version, "").want(t, http.StatusConflict)
	ask(t, s, http.MethodDelete, officeHost+"?force=true&"+version, "").want(t, http.StatusNoContent)
	ask(t, s, http.MethodDelete, officeHost+"?"+version, "").want(t, http.StatusNoContent)
	ask(t, s, http.MethodDelete, officePool+"?force=true&"+version, "").want(t, http.StatusConflict)
	group := avdPath + "/applicationGroups/hp-office-dag"
	if a := ask(t, s, http.MethodDelete, group+"?"+version, "").want(t, http.StatusOK); a.object(t)["name"] != "hp-office-dag" {
		t.Errorf("deleted %s", a.text)
	}
	ask(t, s, http.MethodDelete, officePool+"?"+version, "").want(t, http.StatusConflict)
	ask(t, s, http.MethodDelete, officePool+"?FORCE=true&"+version, "").want(t, http.StatusOK)
	if left, _ := all(t, s, production+"/providers/Microsoft.DesktopVirtualization/hostPools?"+version); len(left) != 2 {
		t.Errorf("pools left: %v", names(left))
	}
	workspace := ask(t, s, http.MethodGet, avdPath+"/workspaces/ws-avd-prod-weu?"+version, "").object(t)
	if refs := referencesOf(workspace); len(refs) != 1 {
		t.Errorf("the workspace shows %v", refs)
	}
}

func TestOwnerChangesByForce(t *testing.T) {
	s := newSim(t)
	host := "/subscriptions/" + TestSubscription + "/resourceGroups/rg-avd-test/providers/Microsoft.DesktopVirtualization/hostPools/hp-pilot/sessionHosts/pilot-0?" + version
	ask(t, s, http.MethodPatch, host, `{"properties":{"assignedUser":"omar.haddad@contoso.com"}}`).want(t, http.StatusConflict)
	a := ask(t, s, http.MethodPatch, host+"&force=true", `{"properties":{"assignedUser":"omar.haddad@contoso.com","sessions":99}}`).want(t, http.StatusOK)
	if p := properties(t, a.object(t)); p["assignedUser"] != "omar.haddad@contoso.com" {
		t.Errorf("patched %v", p)
	}
}

func TestWorkspaceTies(t *testing.T) {
	s := newSim(t)
	group := func() any {
		return properties(t, ask(t, s, http.MethodGet, avdPath+"/applicationGroups/hp-office-dag?"+version, "").object(t))["workspaceArmPath"]
	}
	workspace := avdPath + "/workspaces/ws-avd-prod-weu?" + version
	if group() == nil {
		t.Fatal("the estate ties no workspace")
	}
	ask(t, s, http.MethodPatch, workspace, `{"properties":{"applicationGroupReferences":[]}}`).want(t, http.StatusOK)
	if group() != nil {
		t.Errorf("still tied to %v", group())
	}
	body := `{"location":"West Europe","properties":{"applicationGroupReferences":["` + avdPath + `/applicationGroups/hp-office-dag"]}}`
	ask(t, s, http.MethodPut, workspace, body).want(t, http.StatusOK)
	if group() == nil {
		t.Error("not tied again")
	}
	ask(t, s, http.MethodDelete, workspace, "").want(t, http.StatusOK)
	if group() != nil {
		t.Errorf("tied to a deleted workspace %v", group())
	}
}

func TestRegistrationToken(t *testing.T) {
	s := newSim(t)
	retrieve := func() map[string]any {
		return ask(t, s, http.MethodPost, officePool+"/retrieveRegistrationToken?"+version, "").want(t, http.StatusOK).object(t)
	}
	if none := retrieve(); none["token"] != nil {
		t.Errorf("a token from nowhere: %v", none)
	}
	change := func(operation string) map[string]any {
		body := `{"properties":{"registrationInfo":{"expirationTime":"2026-03-12T13:49:46.1861466+08:00","registrationTokenOperation":"` + operation + `"}}}`
		return properties(t, ask(t, s, http.MethodPatch, officePool+"?"+version, body).want(t, http.StatusOK).object(t))
	}
	info, _ := change("Update")["registrationInfo"].(map[string]any)
	if info["expirationTime"] != "2026-03-12T05:49:46.1861466+00:00" || textOf(info, "token") == "" {
		t.Errorf("registrationInfo %v", info)
	}
	if kept := retrieve(); kept["token"] != info["token"] || kept["expirationTime"] != "2026-03-12T05:49:46.1861466Z" {
		t.Errorf("retrieved %v", kept)
	}
	list := ask(t, s, http.MethodPost, officePool+"/listRegistrationTokens?"+version, "").want(t, http.StatusOK).object(t)
	if value, _ := list["value"].([]any); len(value) != 1 {
		t.Errorf("listed %v", list)
	}
	if p := properties(t, ask(t, s, http.MethodGet, officePool+"?"+version, "").object(t)); p["registrationInfo"] != nil {
		t.Error("reading the pool shows the token")
	}
	change("Delete")
	if gone := retrieve(); gone["token"] != nil {
		t.Errorf("deleted and still %v", gone)
	}
}

func TestPackageActions(t *testing.T) {
	s := newSim(t)
	for action, body := range map[string]string{
		"expandMsixImage":            `{"uri":"\\\\share\\Reader.vhdx"}`,
		"importAppAttachPackageInfo": `{"path":"\\\\share\\Reader.vhdx","packageArchitecture":"x64"}`,
	} {
		page := ask(t, s, http.MethodPost, officePool+"/"+action+"?"+version, body).want(t, http.StatusOK).object(t)
		if value, _ := page["value"].([]any); len(value) != 1 || !strings.Contains(string(mustJSON(t, value)), `"packageName":"Reader"`) {
			t.Errorf("%s: %v", action, page)
		}
		ask(t, s, http.MethodPost, officePool+"/"+action+"?"+version, "{}").want(t, http.StatusBadRequest)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const (
	machinePath    = westEurope + "/providers/Microsoft.Compute/virtualMachines/office-0"
	machineVersion = "api-version=2024-07-01"
)

func powerOf(t *testing.T, s *Simulator) string {
	t.Helper()
	view := ask(t, s, http.MethodGet, machinePath+"/instanceView?"+machineVersion, "").want(t, http.StatusOK).object(t)
	statuses, _ := view["statuses"].([]any)
	last, _ := statuses[len(statuses)-1].(map[string]any)
	return textOf(last, "code")
}

func TestPowerOperations(t *testing.T) {
	s := newSim(t)
	hostStatus := func() any {
		return properties(t, ask(t, s, http.MethodGet, officeHost+"?"+version, "").object(t))["status"]
	}
	for _, step := range []struct{ action, during, after, host string }{
		{"deallocate", "deallocating", "deallocated", "Unavailable"}, {"start", "starting", "running", "Available"},
		{"powerOff", "stopping", "stopped", "Unavailable"}, {"start", "starting", "running", "Available"},
		{"restart", "running", "running", "Available"},
	} {
		begun := ask(t, s, http.MethodPost, machinePath+"/"+step.action+"?"+machineVersion, "").want(t, http.StatusAccepted)
		if begun.Header.Get("Retry-After") != "1" || powerOf(t, s) != "PowerState/"+step.during {
			t.Errorf("%s: %v, %s", step.action, begun.Header, powerOf(t, s))
		}
		status := strings.TrimPrefix(begun.Header.Get("Azure-AsyncOperation"), "http://sim.test")
		if len(status) < 3000 {
			t.Errorf("a poll link of %d characters is not like a real one", len(status))
		}
		for _, want := range []string{"InProgress", "Succeeded", "Succeeded"} {
			if doc := ask(t, s, http.MethodGet, status, "").want(t, http.StatusOK).object(t); doc["status"] != want {
				t.Errorf("%s: %v, want %s", step.action, doc, want)
			}
		}
		location := strings.TrimPrefix(begun.Header.Get("Location"), "http://sim.test")
		ask(t, s, http.MethodGet, location, "").want(t, http.StatusOK)
		if powerOf(t, s) != "PowerState/"+step.after || hostStatus() != step.host {
			t.Errorf("%s: %s, host %v", step.action, powerOf(t, s), hostStatus())
		}
	}
	if sessionCount(t, s, officeHost) != "0" {
		t.Errorf("%s sessions after a restart", sessionCount(t, s, officeHost))
	}
	ask(t, s, http.MethodGet, strings.Replace(machinePath, "virtualMachines/office-0", "locations/x/operations/"+DefaultTenant, 1), "").want(t, http.StatusNotFound)
}

func TestOperationEndsByItself(t *testing.T) {
	now := fixed()
	s := newSim(t, WithClock(func() time.Time { return now }), WithOperations(3, 10*time.Second))
	begun := ask(t, s, http.MethodPost, machinePath+"/deallocate?"+machineVersion, "").want(t, http.StatusAccepted)
	if begun.Header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After %s", begun.Header.Get("Retry-After"))
	}
	now = now.Add(39 * time.Second)
	if powerOf(t, s) != "PowerState/deallocating" {
		t.Errorf("ended early: %s", powerOf(t, s))
	}
	now = now.Add(2 * time.Second)
	if powerOf(t, s) != "PowerState/deallocated" {
		t.Errorf("never ended: %s", powerOf(t, s))
	}
}

func TestUnreachableHost(t *testing.T) {
	s := newSim(t, WithOperations(0, 0))
	path, _ := firstSession(t, s, "Active")
	path = officeHost + path[strings.Index(path, "/usersessions"):]
	ask(t, s, http.MethodPost, machinePath+"/deallocate?"+machineVersion, "").want(t, http.StatusAccepted)
	items, _ := all(t, s, officeHost+"/userSessions?"+version)
	for _, item := range items {
		if properties(t, item)["sessionState"] != "Disconnected" {
			t.Errorf("session %v on a host that is off", item)
		}
	}
	ask(t, s, http.MethodDelete, path+"?"+version, "").want(t, http.StatusConflict)
	ask(t, s, http.MethodDelete, path+"?force=true&"+version, "").want(t, http.StatusNoContent)
}

func TestMachineForms(t *testing.T) {
	s := newSim(t)
	doc := ask(t, s, http.MethodGet, machinePath+"?"+machineVersion, "").object(t)
	if !strings.Contains(textOf(doc, "id"), "/resourceGroups/RG-AVD-PROD-WEU/providers/Microsoft.Compute/virtualMachines/office-0") {
		t.Errorf("id %v", doc["id"])
	}
	if _, shown := properties(t, doc)["instanceView"]; shown {
		t.Error("the instance view is shown unasked")
	}
	for _, query := range []string{"&$expand=instanceView", "&statusOnly=true"} {
		target := machinePath
		if strings.Contains(query, "statusOnly") {
			target = production + "/providers/Microsoft.Compute/virtualMachines"
		}
		if a := ask(t, s, http.MethodGet, target+"?"+machineVersion+query, ""); !strings.Contains(string(a.text), "PowerState/running") {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	here, _ := all(t, s, production+"/providers/Microsoft.Compute/locations/eastus/virtualMachines?"+machineVersion)
	if len(here) != 3 {
		t.Errorf("machines of eastus: %v", names(here))
	}
	host := properties(t, ask(t, s, http.MethodGet, officeHost+"?"+version, "").object(t))
	if !strings.EqualFold(textOf(host, "resourceId"), textOf(doc, "id")) || host["virtualMachineId"] != properties(t, doc)["vmId"] {
		t.Errorf("host %v, machine %v", host["resourceId"], doc["id"])
	}
	ask(t, s, http.MethodDelete, machinePath+"?"+machineVersion, "").want(t, http.StatusAccepted)
	ask(t, s, http.MethodDelete, machinePath+"-none?"+machineVersion, "").want(t, http.StatusNoContent)
}
