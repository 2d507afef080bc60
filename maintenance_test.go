package planeql_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// maintain runs the documented script on the pool of the estate and gives exit code
// and errors.
func maintain(t *testing.T, url string, args ...string) (code int, errs string) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("docs", "scripts", "maintenance.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return command(t, io.Discard, url, append(args, "--yes", "-f", script, "--var", "subscription="+armsim.ProductionSubscription,
		"--var", "group=rg-avd-prod-weu", "--var", "pool=hp-office", "--var", "grace_minutes=0")...)
}

// callsDone counts the writes that were carried out, by what they do, and fails the
// test for one that was carried out twice.
func callsDone(t *testing.T, requests []armsim.Request) map[string]int {
	t.Helper()
	done, seen := map[string]int{}, map[string]bool{}
	for _, r := range requests {
		if r.Method == http.MethodGet || !r.Done {
			continue
		}
		what := r.Method
		switch r.Method {
		case http.MethodPost:
			what = r.Path[strings.LastIndex(r.Path, "/")+1:]
		case http.MethodPatch:
			what = string(r.Body)
		}
		call := what + " " + strings.ToLower(r.Path)
		if seen[call] {
			t.Errorf("carried out twice: %s", call)
		}
		seen[call] = true
		done[what]++
	}
	return done
}

const (
	closeHost = `{"properties":{"allowNewSession":false}}`
	openHost  = `{"properties":{"allowNewSession":true}}`
)

// poolState tells what is left of the pool: open hosts, hosts that are up, sessions and
// running machines.
func poolState(t *testing.T, url string) string {
	t.Helper()
	s := open(t, url)
	pool := " WHERE subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office'"
	hosts := must(t, s, "SELECT count(*) FILTER (allowNewSession), count(*) FILTER (status = 'Available') FROM azure.desktop_virtualization.session_hosts"+pool)
	sessions := must(t, s, "SELECT count(*) FROM azure.desktop_virtualization.user_sessions"+pool)
	running := must(t, s, `SELECT count(*) FROM azure.compute.virtual_machines WHERE statusOnly = 'true'
		AND subscriptionId = '`+armsim.ProductionSubscription+`' AND properties.instanceView.statuses ->> '$[#-1].code' = 'PowerState/running'`)
	return fmt.Sprintf("%v open, %v up, %v sessions, %v running", hosts[0][0], hosts[0][1], sessions[0][0], running[0][0])
}

// TestMaintenanceScript maintains a pool of 50 hosts and 1,000 sessions, each call once,
// and again, which changes nothing.
func TestMaintenanceScript(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Maintenance), armsim.WithOperations(1, 10*time.Millisecond))
	active := must(t, open(t, url), `SELECT count(*) FROM azure.desktop_virtualization.user_sessions WHERE sessionState = 'Active'
		AND subscriptionId = '`+armsim.ProductionSubscription+`' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office'`)[0][0].(int64)
	sim.ResetRequests()
	if code, errs := maintain(t, url); code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	want := map[string]int{closeHost: 50, "sendMessage": int(active), http.MethodDelete: 1000, "deallocate": 50, openHost: 50}
	if diff := cmp.Diff(want, callsDone(t, sim.Requests())); diff != "" {
		t.Error(diff)
	}
	if len(sim.Messages()) != int(active) {
		t.Errorf("%d messages seen, want %d", len(sim.Messages()), active)
	}
	checkOrder(t, sim.Requests())
	if state := poolState(t, url); state != "50 open, 0 up, 0 sessions, 0 running" {
		t.Error(state)
	}

	sim.ResetRequests()
	if code, errs := maintain(t, url); code != 0 {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	for _, r := range sim.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("the second run sends %s %s", r.Method, r.Path)
		}
	}
}

// checkOrder checks that each step begins after the one before it has ended.
func checkOrder(t *testing.T, requests []armsim.Request) {
	t.Helper()
	steps := []func(armsim.Request) bool{
		func(r armsim.Request) bool { return string(r.Body) == closeHost },
		func(r armsim.Request) bool { return strings.HasSuffix(r.Path, "/sendMessage") },
		func(r armsim.Request) bool { return r.Method == http.MethodDelete },
		func(r armsim.Request) bool { return strings.HasSuffix(r.Path, "/deallocate") },
		func(r armsim.Request) bool { return string(r.Body) == openHost },
	}
	at := 0
	for _, r := range requests {
		for step, is := range steps {
			if is(r) {
				if step < at {
					t.Fatalf("%s %s comes after step %d", r.Method, r.Path, at)
				}
				at = step
			}
		}
	}
}

// TestMaintenanceScript_again has a run fail in its middle, and the next one end the work.
func TestMaintenanceScript_again(t *testing.T) {
	for name, broken := range map[string]string{"draining": closeHost, "log off": http.MethodDelete, "stopping": "/deallocate", "opening": openHost} {
		t.Run(name, func(t *testing.T) { testSecondRun(t, broken) })
	}
}

// testSecondRun refuses the fifth of a kind of call, once.
func testSecondRun(t *testing.T, broken string) {
	var met atomic.Int32
	scenario := &armsim.Scenario{Subscriptions: []armsim.Subscription{{ID: armsim.ProductionSubscription, Groups: []armsim.Group{{
		Name: "rg-avd-prod-weu", Pools: []armsim.Pool{{Name: "hp-office", Hosts: armsim.Hosts{Count: 6}, Sessions: 30}},
	}}}}}
	sim, url := simulator(t, armsim.WithScenario(scenario), armsim.WithOperations(1, 10*time.Millisecond), armsim.WithHook(func(r *http.Request) armsim.Outcome {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != broken && r.Method != broken && !strings.HasSuffix(r.URL.Path, broken) || met.Add(1) != 5 {
			return armsim.Outcome{}
		}
		return armsim.Outcome{Status: http.StatusConflict, Code: "Conflict", Message: "Not now."}
	}))
	file := filepath.Join(t.TempDir(), "maintenance.duckdb")
	if code, errs := maintain(t, url, "--db", file); code == 0 || !strings.Contains(errs, "Not now.") {
		t.Fatalf("exit code %d\n%s", code, errs)
	}
	if code, errs := maintain(t, url, "--db", file); code != 0 {
		t.Fatalf("second run: exit code %d\n%s", code, errs)
	}
	// Who is still there is told again.
	other := slices.DeleteFunc(sim.Requests(), func(r armsim.Request) bool { return strings.HasSuffix(r.Path, "/sendMessage") })
	want := map[string]int{closeHost: 6, http.MethodDelete: 30, "deallocate": 6, openHost: 6}
	if diff := cmp.Diff(want, callsDone(t, other)); diff != "" {
		t.Error(diff)
	}
	if state := poolState(t, url); state != "6 open, 0 up, 0 sessions, 0 running" {
		t.Error(state)
	}
}

// TestReusedSessionStays lets another user have the number of a session between the
// moment at which it is listed and that at which it would be logged off, in every
// form of a log-off.
func TestReusedSessionStays(t *testing.T) {
	const (
		sessions = "azure.desktop_virtualization.user_sessions"
		where    = " WHERE subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office'"
		ben      = "userPrincipalName = 'ben.berg@contoso.com'"
	)
	for name, text := range map[string]string{
		"by a condition":                     "DELETE FROM " + sessions + where + " AND " + ben,
		"by a join":                          "DELETE FROM " + sessions + " u USING (VALUES ('ben.berg@contoso.com')) AS w(who)" + where + " AND u.userPrincipalName = w.who",
		"by a list":                          "DELETE FROM " + sessions + where + " AND userPrincipalName IN (SELECT 'ben.berg@contoso.com')",
		"as a method":                        "EXEC " + sessions + ".delete FROM " + sessions + where + " AND " + ben,
		"as a method by a query, with force": "EXEC " + sessions + ".delete @force = true FROM (SELECT subscriptionId, resourceGroupName, hostPoolName, sessionHostName, userSessionId FROM " + sessions + where + " AND " + ben + ") AS t",
		"by a common table expression":       "WITH w AS (SELECT 'ben.berg@contoso.com' AS who) DELETE FROM " + sessions + where + " AND userPrincipalName = (SELECT who FROM w)",
	} {
		t.Run(name, func(t *testing.T) { testReusedSession(t, text) })
	}
}

func testReusedSession(t *testing.T, text string) {
	const id = "/subscriptions/" + armsim.ProductionSubscription + "/resourceGroups/rg-avd-prod-weu/providers/Microsoft.DesktopVirtualization/hostPools/hp-office/sessionHosts/office-0.contoso.com/userSessions/3"
	for _, reuses := range []bool{true, false} {
		var sim *armsim.Simulator
		var listed, reused atomic.Bool
		sim, url := simulator(t, armsim.WithEstate(armsim.Tour), armsim.WithHook(func(r *http.Request) armsim.Outcome {
			if strings.HasSuffix(strings.ToLower(r.URL.Path), "/usersessions") {
				listed.Store(true)
			} else if listed.Load() && reused.CompareAndSwap(false, true) && reuses {
				sim.ReuseSession(id, "somebody.else@contoso.com")
			}
			return armsim.Outcome{}
		}))
		_, err := query(t, open(t, url, planeql.WithYes()), text)
		if !reused.Load() {
			t.Fatalf("nothing came after the list: %v", err)
		}
		deletions := len(writesOf(sim))
		if reuses && deletions > 0 || !reuses && (deletions != 1 || err != nil) {
			t.Errorf("given away %t: %d log-offs: %v", reuses, deletions, err)
		}
		left, there := sim.Object(id)
		if there != reuses || reuses && left["properties"].(map[string]any)["userPrincipalName"] != "somebody.else@contoso.com" {
			t.Errorf("given away %t, left: %v", reuses, left)
		}
	}
}
