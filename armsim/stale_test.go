package armsim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStaleReads(t *testing.T) {
	s := newSim(t, WithStaleReads(Staleness{Reads: 2}))
	made, list := avdPath+"/workspaces/ws-new?"+version, avdPath+"/workspaces?"+version
	ask(t, s, http.MethodPut, made, plainBody).want(t, http.StatusCreated)
	ask(t, s, http.MethodGet, made, "").want(t, http.StatusNotFound)
	if items, _ := all(t, s, list); len(items) != 1 {
		t.Errorf("already listed: %v", names(items))
	}
	ask(t, s, http.MethodGet, made, "").want(t, http.StatusOK)
	if items, _ := all(t, s, list); len(items) != 2 {
		t.Errorf("not listed: %v", names(items))
	}

	ask(t, s, http.MethodPatch, made, `{"properties":{"description":"one"}}`).want(t, http.StatusOK)
	answered := ask(t, s, http.MethodPatch, made, `{"properties":{"friendlyName":"two"}}`).want(t, http.StatusOK).object(t)
	if p := properties(t, answered); p["description"] != "one" || p["friendlyName"] != "two" {
		t.Errorf("a write does not see the truth: %v", p)
	}
	read := func() any {
		return properties(t, ask(t, s, http.MethodGet, made, "").want(t, http.StatusOK).object(t))["description"]
	}
	if first, second, third := read(), read(), read(); first != nil || second != nil || third != "one" {
		t.Errorf("read %v, %v, %v", first, second, third)
	}

	ask(t, s, http.MethodDelete, made, "").want(t, http.StatusOK)
	if items, _ := all(t, s, list); strings.Join(names(items), " ") != "ws-avd-prod-weu ws-new" {
		t.Errorf("already gone: %v", names(items))
	}
	ask(t, s, http.MethodDelete, made, "").want(t, http.StatusNoContent)
	ask(t, s, http.MethodGet, made, "").want(t, http.StatusOK)
	ask(t, s, http.MethodGet, made, "").want(t, http.StatusNotFound)
	if items, _ := all(t, s, list); len(items) != 1 {
		t.Errorf("still listed: %v", names(items))
	}
}

func TestStaleForATime(t *testing.T) {
	now := fixed()
	s := newSim(t, WithClock(func() time.Time { return now }), WithStaleReads(Staleness{For: 3 * time.Second}))
	drained := func() bool {
		items, _ := all(t, s, officePool+"/sessionHosts?"+version)
		one := properties(t, ask(t, s, http.MethodGet, officeHost+"?"+version, "").object(t))["allowNewSession"]
		if listed := properties(t, items[0])["allowNewSession"]; listed != one {
			t.Errorf("listed %v, read %v", listed, one)
		}
		return one == false
	}
	ask(t, s, http.MethodPatch, officeHost+"?"+version, `{"properties":{"allowNewSession":false}}`).want(t, http.StatusOK)
	if now = now.Add(2 * time.Second); drained() {
		t.Error("seen too early")
	}
	if now = now.Add(time.Second); !drained() {
		t.Error("never seen")
	}
	if err := s.Put(avdPath+"/workspaces/put", map[string]any{"location": "westeurope"}); err != nil {
		t.Fatal(err)
	}
	ask(t, s, http.MethodGet, avdPath+"/workspaces/put?"+version, "").want(t, http.StatusOK)
}

func TestReusedSession(t *testing.T) {
	s := newSim(t)
	path, user := firstSession(t, s, "Active")
	before := ask(t, s, http.MethodGet, path+"?"+version, "").want(t, http.StatusOK).object(t)
	if !s.ReuseSession(path, "somebody@contoso.com") || s.ReuseSession(officePool, "x") || s.ReuseSession(path+"9", "x") {
		t.Fatal("a session was there, or a host pool was one")
	}
	after := ask(t, s, http.MethodGet, path+"?"+version, "").want(t, http.StatusOK).object(t)
	p, old := properties(t, after), properties(t, before)
	if p["userPrincipalName"] != "somebody@contoso.com" || p["objectId"] == old["objectId"] || p["createTime"] == old["createTime"] || after["id"] != before["id"] {
		t.Errorf("after %v: %v", user, after)
	}

	s = newSim(t, WithSessionReuse())
	count := sessionCount(t, s, officeHost)
	ask(t, s, http.MethodDelete, path+"?"+version, "").want(t, http.StatusNoContent)
	next := properties(t, ask(t, s, http.MethodGet, path+"?"+version, "").want(t, http.StatusOK).object(t))
	if next["userPrincipalName"] == user || next["sessionState"] != "Active" || sessionCount(t, s, officeHost) != count {
		t.Errorf("after %v: %v", user, next)
	}
}

func TestFaultsOfMethods(t *testing.T) {
	f, err := ParseFaults("429@POST=100%:3s,lose@DELETE=0.5,503@write=1")
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, WithFaults(f))
	ask(t, s, http.MethodGet, officeHost+"?"+version, "").want(t, http.StatusOK)
	if wait := ask(t, s, http.MethodPost, machinePath+"/start?"+machineVersion, "").want(t, http.StatusTooManyRequests).Header.Get("Retry-After"); wait != "3" {
		t.Errorf("Retry-After %s", wait)
	}
	ask(t, s, http.MethodPatch, officeHost+"?"+version, "{}").want(t, http.StatusServiceUnavailable)
	for _, text := range []string{"429@HEADS=1", "deny@PUT=x", "429@PUT=many", "lose@=1"} {
		if _, err := ParseFaults(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}

	late := newSim(t, WithFaults(Faults{Late: 1}))
	ask(t, late, http.MethodPatch, officeHost+"?"+version, `{"properties":{"allowNewSession":false}}`).want(t, http.StatusGatewayTimeout)
	obj, _ := late.Object(officeHost)
	if properties(t, obj)["allowNewSession"] != false || !late.Requests()[0].Done {
		t.Errorf("not carried out: %v", obj)
	}
}

// The list of everything in a group is as far behind as the others.
func TestStaleResources(t *testing.T) {
	s := newSim(t, WithStaleReads(Staleness{Reads: 1}))
	group, _, _ := strings.Cut(avdPath, "/providers/")
	everything := func() (found bool) {
		items, _ := all(t, s, group+"/resources?api-version=2021-04-01")
		for _, name := range names(items) {
			found = found || name == "ws-new"
		}
		return found
	}
	ask(t, s, http.MethodPut, avdPath+"/workspaces/ws-new?"+version, plainBody).want(t, http.StatusCreated)
	if first, second := everything(), everything(); first || !second {
		t.Errorf("made: listed %t, then %t", first, second)
	}
	ask(t, s, http.MethodDelete, avdPath+"/workspaces/ws-new?"+version, "").want(t, http.StatusOK)
	if first, second := everything(), everything(); !first || second {
		t.Errorf("deleted: listed %t, then %t", first, second)
	}
}
