package armsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzRequest sends any path, query and body: the simulator answers each, and
// never with an error of its own.
func FuzzRequest(f *testing.F) {
	f.Add("GET", officePool+"/userSessions?$filter=state+eq+'a'&$skiptoken=ZnJvbTo1&"+version, "")
	f.Add("PUT", avdPath+"/applicationGroups/a?"+version, `{"location":"x","properties":{"applicationGroupType":"Desktop","hostPoolArmPath":"/x"}}`)
	f.Add("PATCH", officeHost+"?"+version, `{"properties":{"assignedUser":null},"tags":5}`)
	f.Add("POST", officePool+"/expandMsixImage?"+version, `{"uri":"\\"}`)
	f.Add("POST", officeHost+"/userSessions/2/sendMessage?"+version, `{"messageTitle":{}}`)
	f.Add("DELETE", "/subscriptions/x/resourceGroups//providers/%2F?api-version=", "[]")
	f.Add("GET", production+"/operationresults/"+DefaultTenant, "")
	f.Add("PUT", lockAt(officePool, "a"), `{"properties":{"level":"ReadOnly"}}`)
	f.Add("GET", strings.Replace(lockAt(production, ""), "/?", "?", 1), "")
	f.Add("DELETE", avdPath+"/workspaces/ws-avd-prod-weu?"+version, "")
	f.Add("PUT", avdPath+"/workspaces/ws-avd-prod-weu?"+version, `{"location":"x","properties":{"createMode":"recover"}}`)
	f.Add("POST", production+"/providers/Microsoft.DesktopVirtualization/locations/x/deletedWorkspaces/ws/purge?"+version, "")
	f.Add("PUT", newMachine+"?"+machineVersion, machineBody)
	f.Add("POST", machinePath+"/start?"+machineVersion, "")
	f.Add("PATCH", machinePath+"?"+machineVersion, `{"tags":{"owner":null},"properties":{"osProfile":[]}}`)
	s, err := New(WithClock(fixed), WithETags(), WithSessionReuse(), WithSoftDelete("Microsoft.DesktopVirtualization/workspaces"),
		WithStaleReads(Staleness{Reads: 1}), WithPolicies(Policy{Name: "p", Type: "Microsoft.Compute/virtualMachines", RequiredTag: "owner"}),
		WithLongRunning(LongRunning{Type: "Microsoft.DesktopVirtualization/scalingPlans", Style: NoHeader}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.NewRequest(method, "http://sim.test"+target, strings.NewReader(body))
		if err != nil || r.URL.Host != "sim.test" {
			t.Skip()
		}
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestParsePath(t *testing.T) {
	for path, want := range map[string]string{
		"/subscriptions/S/resourceGroups/G/providers/N.S/a/b/c/d": "n.s/a/c /subscriptions/s/resourcegroups/g/providers/n.s/a/b/c/d",
		"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G":                       "resourcegroups /subscriptions/s/resourcegroups/g",
		"/subscriptions/S":                                        "subscriptions /subscriptions/s",
		"/subscriptions/S/providers/N/a/b":                        "n/a /subscriptions/s/providers/n/a/b",
		"/providers/N/a/b":                                        "n/a /providers/n/a/b",
	} {
		at, ok := parsePath(path)
		if got := at.kindKey() + " " + at.key(len(at.names)); !ok || at.collection() || got != want {
			t.Errorf("%s: %s, %v", path, got, ok)
		}
	}
	for _, path := range []string{"", "/", "//", "/subscriptions//x", "/a/b/c", "/subscriptions/s/locations/x/y"} {
		if _, ok := parsePath(path); ok {
			t.Errorf("%q is taken", path)
		}
	}
	for _, path := range []string{"/subscriptions", "/subscriptions/s/locations", "/providers/N/operations", "/subscriptions/s/resourceGroups/g/providers/N/a/b/c"} {
		if at, ok := parsePath(path); !ok || !at.collection() {
			t.Errorf("%q is no collection", path)
		}
	}
}
