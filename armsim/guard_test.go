package armsim

import (
	"net/http"
	"strings"
	"testing"
)

const lockVersion = "api-version=2020-05-01"

// lockAt gives the path of a lock on a scope.
func lockAt(scope, name string) string {
	return scope + "/providers/Microsoft.Authorization/locks/" + name + "?" + lockVersion
}

func TestLocks(t *testing.T) {
	sessions := officeHost + "/userSessions/2?" + version
	for name, c := range map[string]struct {
		scope, level, method, target, body string
		refused                            bool
	}{
		"read":         {officePool, ReadOnly, "GET", officePool + "?" + version, "", false},
		"change":       {officePool, ReadOnly, "PATCH", officePool + "?" + version, "{}", true},
		"change below": {westEurope, ReadOnly, "PATCH", officeHost + "?" + version, "{}", true},
		"change below the lock of a subscription": {production, ReadOnly, "PUT", avdPath + "/workspaces/w?" + version, plainBody, true},
		"action":                     {officePool, ReadOnly, "POST", officePool + "/retrieveRegistrationToken?" + version, "", true},
		"log off":                    {officePool, CanNotDelete, "DELETE", sessions, "", true},
		"change what may not go":     {officePool, CanNotDelete, "PATCH", officePool + "?" + version, "{}", false},
		"act on what may not go":     {officePool, CanNotDelete, "POST", officePool + "/retrieveRegistrationToken?" + version, "", false},
		"delete the group of a lock": {officePool, CanNotDelete, "DELETE", westEurope + "?api-version=2021-04-01", "", true},
		"delete a neighbour":         {officePool, CanNotDelete, "DELETE", strings.Replace(officePool, "office", "engineering", 1) + "/sessionHosts/none?" + version, "", false},
		"change a neighbour":         {officeHost, ReadOnly, "PATCH", officePool + "?" + version, "{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			body := `{"properties":{"level":"` + c.level + `","notes":"Mine"}}`
			ask(t, s, http.MethodPut, lockAt(c.scope, "mine"), body).want(t, http.StatusCreated)
			a := ask(t, s, c.method, c.target, c.body)
			if refused := a.StatusCode == http.StatusConflict && a.code(t) == "ScopeLocked"; refused != c.refused {
				t.Fatalf("%d %s", a.StatusCode, a.text)
			}
			if scope := strings.ToLower(c.scope); c.refused && !strings.Contains(strings.ToLower(string(a.text)), "locked: '"+scope+"'") {
				t.Errorf("the lock is not named: %s", a.text)
			}
			ask(t, s, http.MethodDelete, lockAt(c.scope, "mine"), "").want(t, http.StatusOK)
			if a := ask(t, s, c.method, c.target, c.body); a.StatusCode == http.StatusConflict && a.code(t) == "ScopeLocked" {
				t.Errorf("still locked: %s", a.text)
			}
		})
	}
}

func TestLocksAreResources(t *testing.T) {
	s := newSim(t)
	ask(t, s, http.MethodPut, lockAt(officePool, "a"), `{"properties":{"level":"CanNotDelete"}}`).want(t, http.StatusCreated)
	ask(t, s, http.MethodPut, lockAt(officePool, "A"), `{"properties":{"level":"ReadOnly"}}`).want(t, http.StatusOK)
	ask(t, s, http.MethodPut, lockAt(westEurope, "b"), `{"properties":{"level":"Maybe"}}`).want(t, http.StatusBadRequest)
	ask(t, s, http.MethodPut, lockAt(officePool+"-none", "b"), `{"properties":{"level":"ReadOnly"}}`).want(t, http.StatusNotFound)
	if doc := ask(t, s, http.MethodGet, lockAt(officePool, "a"), "").want(t, http.StatusOK).object(t); properties(t, doc)["level"] != "ReadOnly" {
		t.Errorf("%v", doc)
	}
	list, _ := all(t, s, strings.Replace(lockAt(westEurope, ""), "/?", "?", 1))
	if len(list) != 1 || textOf(list[0], "type") != "Microsoft.Authorization/locks" {
		t.Errorf("%v", list)
	}
	ask(t, s, http.MethodDelete, lockAt(westEurope, "none"), "").want(t, http.StatusNoContent)
	ask(t, s, http.MethodGet, lockAt(westEurope, "none"), "").want(t, http.StatusNotFound)
	ask(t, s, http.MethodGet, strings.Replace(lockAt(officePool, "a"), "?"+lockVersion, "", 1), "").want(t, http.StatusBadRequest)
}

func TestPolicies(t *testing.T) {
	s := newSim(t, WithPolicies(
		Policy{Name: "places", AllowedLocations: []string{"West Europe"}},
		Policy{Name: "owner", Type: "Microsoft.Compute/virtualMachines", RequiredTag: "owner"},
		Policy{Name: "no-plans", Type: "Microsoft.DesktopVirtualization/scalingPlans"},
	))
	workspace := avdPath + "/workspaces/w?" + version
	for _, c := range []struct {
		method, target, body string
		policy               string // that denies; empty: none
	}{
		{"PUT", workspace, `{"location":"northeurope"}`, "places"},
		{"PUT", workspace, `{"location":"westeurope"}`, ""},
		{"PUT", newMachine + "?" + machineVersion, plainBody, "owner"},
		{"PUT", newMachine + "?" + machineVersion, `{"location":"westeurope","tags":{"owner":"me"}}`, ""},
		{"PATCH", machinePath + "?" + machineVersion, `{"tags":{"other":"me"}}`, "owner"},
		{"PATCH", avdPath + "/scalingPlans/sp-office?" + version, `{}`, "no-plans"},
		{"DELETE", avdPath + "/scalingPlans/sp-office?" + version, "", ""},
	} {
		a := ask(t, s, c.method, c.target, c.body)
		if (a.StatusCode == http.StatusForbidden) != (c.policy != "") {
			t.Errorf("%s %s: %d %s", c.method, c.target, a.StatusCode, a.text)
			continue
		}
		if c.policy == "" {
			continue
		}
		e, _ := a.object(t)["error"].(map[string]any)
		details, _ := e["details"].([]any)
		detail, _ := details[0].(map[string]any)
		more, _ := detail["additionalInfo"].([]any)
		violation, _ := more[0].(map[string]any)
		info, _ := violation["info"].(map[string]any)
		if textOf(e, "code") != "RequestDisallowedByPolicy" || textOf(violation, "type") != "PolicyViolation" || textOf(info, "policyAssignmentName") != c.policy {
			t.Errorf("%s", a.text)
		}
	}
}

func TestSoftDelete(t *testing.T) {
	s := newSim(t, WithSoftDelete("Microsoft.DesktopVirtualization/workspaces"))
	workspace := avdPath + "/workspaces/ws-avd-prod-weu?" + version
	deleted := production + "/providers/Microsoft.DesktopVirtualization/deletedWorkspaces?" + version
	one := production + "/providers/Microsoft.DesktopVirtualization/locations/westeurope/deletedWorkspaces/WS-avd-prod-weu"
	ask(t, s, http.MethodDelete, workspace, "").want(t, http.StatusOK)
	ask(t, s, http.MethodGet, workspace, "").want(t, http.StatusNotFound)
	if list, _ := all(t, s, deleted); len(list) != 1 || list[0]["name"] != "ws-avd-prod-weu" || properties(t, list[0])["location"] != "westeurope" {
		t.Errorf("%v", list)
	}
	if code := ask(t, s, http.MethodPut, workspace, plainBody).want(t, http.StatusConflict).code(t); code != "ConflictError" {
		t.Errorf("code %s", code)
	}
	back := ask(t, s, http.MethodPut, workspace, `{"location":"westeurope","properties":{"createMode":"recover"}}`).want(t, http.StatusOK).object(t)
	if properties(t, back)["description"] != "Desktops of rg-avd-prod-weu" {
		t.Errorf("came back as %v", back)
	}
	ask(t, s, http.MethodGet, one+"?"+version, "").want(t, http.StatusNotFound)
	ask(t, s, http.MethodDelete, workspace, "").want(t, http.StatusOK)
	ask(t, s, http.MethodGet, one+"?"+version, "").want(t, http.StatusOK)
	ask(t, s, http.MethodPost, one+"/purge?"+version, "").want(t, http.StatusOK)
	ask(t, s, http.MethodPut, workspace, plainBody).want(t, http.StatusCreated)
	ask(t, newSim(t), http.MethodGet, deleted, "").want(t, http.StatusNotFound)
}

func TestWhatStays(t *testing.T) {
	s := newSim(t)
	group, other := avdPath+"/applicationGroups/hp-office-dag?"+version, strings.Replace(officePool, "office", "engineering", 1)
	for _, c := range []struct {
		method, target, body string
		status               int
		code                 string
	}{
		{"PUT", avdPath + "/workspaces/new?" + version, `{}`, 400, "LocationRequired"},
		{"PUT", production + "/resourcegroups/new?api-version=2021-04-01", `{"tags":{}}`, 400, "LocationRequired"},
		{"PUT", avdPath + "/workspaces/ws-avd-prod-weu?" + version, `{"location":"eastus"}`, 409, "InvalidResourceLocation"},
		{"PUT", westEurope + "?api-version=2021-04-01", `{"location":"eastus"}`, 409, "InvalidResourceGroupLocation"},
		{"PUT", westEurope + "?api-version=2021-04-01", `{"location":"West Europe"}`, 200, ""},
		{"PATCH", officePool + "?" + version, `{"properties":{"hostPoolType":"Personal"}}`, 400, "400"},
		{"PATCH", officePool + "?" + version, `{"properties":{"hostPoolType":"Pooled"}}`, 200, ""},
		{"PUT", group, `{"location":"westeurope","properties":{"applicationGroupType":"Desktop","hostPoolArmPath":"` + other + `"}}`, 400, "400"},
		{"PUT", group, `{"location":"westeurope","properties":{"applicationGroupType":"RemoteApp","hostPoolArmPath":"` + officePool + `"}}`, 400, "400"},
		{"PUT", group, `{"location":"westeurope","properties":{"applicationGroupType":"Desktop","hostPoolArmPath":"` + strings.ToUpper(officePool) + `"}}`, 200, ""},
		{"PUT", machinePath + "?" + machineVersion, `{"location":"westeurope","properties":{"osProfile":{"adminUsername":"other"}}}`, 409, "PropertyChangeNotAllowed"},
		{"PUT", avdPath + "/hostPools/none/msixPackages/p?" + version, `{"properties":{}}`, 404, "ParentResourceNotFound"},
	} {
		a := ask(t, s, c.method, c.target, c.body)
		if a.StatusCode != c.status || c.code != "" && a.code(t) != c.code {
			t.Errorf("%s %s %s: %d %s", c.method, c.target, c.body, a.StatusCode, a.text)
		}
	}
	if doc := ask(t, s, http.MethodGet, westEurope+"?api-version=2021-04-01", "").object(t); doc["location"] != "westeurope" {
		t.Errorf("location %v", doc["location"])
	}
}

func TestScenarioSaysWhatStandsAgainstWrites(t *testing.T) {
	read := func(text string) *Scenario {
		t.Helper()
		sc, err := ReadScenario(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	s := newSim(t, WithScenario(read(`
policies: [{name: places, allowedLocations: [westeurope]}]
softDelete: [Microsoft.DesktopVirtualization/workspaces]
staleReads: {reads: 1}
reuseSessions: true
subscriptions:
  - id: `+ProductionSubscription+`
    groups:
      - {name: rg-locked, lock: ReadOnly}
      - {name: rg-avd-prod-weu, pools: [{name: hp-office, lock: CanNotDelete, hosts: 1, sessions: 2}]}`)))
	locked := production + "/resourceGroups/rg-locked/providers/Microsoft.DesktopVirtualization/workspaces/w?" + version
	workspace := avdPath + "/workspaces/ws-avd-prod-weu?" + version
	for _, c := range []struct {
		method, target, body string
		status               int
	}{
		{"PUT", locked, plainBody, 409},
		{"DELETE", officePool + "?force=true&" + version, "", 409},
		{"PUT", avdPath + "/workspaces/w?" + version, `{"location":"eastus"}`, 403},
		{"DELETE", workspace, "", 200},
		{"GET", workspace, "", 200}, // one read is behind
		{"GET", workspace, "", 404},
		{"PUT", workspace, plainBody, 409},
	} {
		if a := ask(t, s, c.method, c.target, c.body); a.StatusCode != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.target, a.StatusCode, a.text)
		}
	}
	for _, text := range []string{
		"subscriptions: [{id: " + ProductionSubscription + ", groups: [{name: a, lock: Closed}]}]",
		"subscriptions: [{id: " + ProductionSubscription + ", groups: [{name: a, pools: [{name: p, lock: Closed}]}]}]",
	} {
		if _, err := ReadScenario(strings.NewReader(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
