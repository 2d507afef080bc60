package planeql_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// The numbers that a user may hold the program to. Those that other tests hold:
//
//	a list whose document is silent on paging, whole; capped; ended by LIMIT   TestPages_numbers
//	one of several subscriptions denied                                        TestDeniedScope
//	429 with Retry-After                                                       TestThrottled_waits
//	ten kinds of failure                                                       TestTenFailures, TestBadInputs
//	EXPLAIN sends nothing                                                      TestExplain_silent

// pools is an estate of subscriptions with as many host pools each, and two
// sessions in every pool.
func pools(subscriptions, each int) (ids []string, estate armsim.Option) {
	scenario := &armsim.Scenario{}
	for i := range subscriptions {
		id := fmt.Sprintf("00000000-0000-0000-0000-%012d", i+1)
		ids = append(ids, id)
		group := armsim.Group{Name: fmt.Sprintf("rg-%d", i+1)}
		for j := range each {
			group.Pools = append(group.Pools, armsim.Pool{Name: fmt.Sprintf("hp-%d-%d", i+1, j+1), Hosts: armsim.Hosts{Count: 1}, Sessions: 2})
		}
		scenario.Subscriptions = append(scenario.Subscriptions, armsim.Subscription{ID: id, Name: fmt.Sprintf("S%d", i+1), Groups: []armsim.Group{group}})
	}
	return ids, armsim.WithScenario(scenario)
}

// firstPages gives the paths that were asked for, and how many further pages.
func firstPages(sim *armsim.Simulator) (paths []string, further int) {
	for _, r := range sim.Requests() {
		if query, _ := url.ParseQuery(strings.ToLower(r.RawQuery)); query.Has("$skiptoken") {
			further++
			continue
		}
		paths = append(paths, r.Path)
	}
	return paths, further
}

// All sessions, with nothing bound: one call for the subscriptions, one for the
// pools of each, one for the sessions of each pool, and the further pages.
func TestNumbers_nothingBound(t *testing.T) {
	for _, c := range []struct{ pageSize, further int }{{0, 0}, {1, 2 + 3*3 + 12}} {
		_, estate := pools(3, 4)
		sim, url := simulator(t, estate, armsim.WithPageSize(c.pageSize))
		rows := must(t, open(t, url), "SELECT * FROM azure.desktop_virtualization.user_sessions")
		paths, further := firstPages(sim)
		if len(rows) != 24 || len(paths) != 1+3+12 || further != c.further {
			t.Errorf("pages of %d: %d rows, %d calls, %d further pages", c.pageSize, len(rows), len(paths), further)
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(paths))); len(distinct) != len(paths) {
			t.Errorf("calls were made twice: %v", paths)
		}
	}
}

// What EXPLAIN says of it before any call.
func TestNumbers_explained(t *testing.T) {
	_, estate := pools(3, 4)
	sim, url := simulator(t, estate)
	text := fmt.Sprint(must(t, open(t, url), "EXPLAIN SELECT sessionState, count(*) FROM azure.desktop_virtualization.user_sessions GROUP BY 1"))
	if !strings.Contains(text, "1 + subscriptions + host_pools") || len(sim.Requests()) > 0 {
		t.Errorf("%s", text)
	}
}

// One of three subscriptions is denied, and none is named: the statement fails
// and says which, or gives the rest and says what is lost.
func TestNumbers_deniedAndNotNamed(t *testing.T) {
	ids, estate := pools(3, 4)
	_, url := simulator(t, estate, armsim.WithFaults(armsim.Faults{Deny: ids[2:]}))
	const text = "SELECT DISTINCT subscriptionId FROM azure.desktop_virtualization.user_sessions ORDER BY 1"
	_, err := query(t, open(t, url), text)
	if e := fault.As(err); e == nil || e.Code != fault.Forbidden || !strings.Contains(e.Print(), ids[2]) {
		t.Errorf("error = %v", err)
	}
	rows, warnings := withWarnings(t, open(t, url, planeql.WithOnError(planeql.Skip)), text)
	if got := fmt.Sprint(rows); got != fmt.Sprintf("[[%s] [%s]]", ids[0], ids[1]) {
		t.Errorf("rows = %s", got)
	}
	if len(warnings) != 1 || warnings[0].Code != fault.PartialResult || !strings.Contains(warnings[0].Print(), ids[2]) {
		t.Errorf("warnings = %v", warnings)
	}
	for flag, want := range map[string]int{"fail": 4, "skip": 3} {
		var out strings.Builder
		code, errs := command(t, &out, url, "-o", "csv", "--on-error", flag, text)
		if code != want || !strings.Contains(errs, ids[2]) || flag == "fail" && strings.Contains(out.String(), ids[0]) {
			t.Errorf("--on-error %s: exit code %d: %s", flag, code, errs)
		}
	}
}

// Wrong names cost nothing, and the nearest right one is told.
func TestNumbers_wrongNames(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url)
	for text, want := range map[string]string{
		"SELECT sesionState FROM azure.desktop_virtualization.user_sessions":                                                                             "sessionState",
		"SELECT u.sessionStat FROM azure.desktop_virtualization.user_sessions u":                                                                         "sessionState",
		"SELECT id FROM azure.desktop_virtualization.user_session":                                                                                       "user_sessions",
		"SELECT id FROM azure.desktop_virtualisation.user_sessions":                                                                                      "desktop_virtualization",
		"SELECT id FROM azure.desktop_virtualization.user_sessions WHERE hostPolName = 'hp-office'":                                                      "hostPoolName",
		"SELECT id FROM azure.desktop_virtualization.user_sessions ORDER BY creatTime":                                                                   "createTime",
		"EXEC azure.desktop_virtualization.user_sessions.disconnect @subscriptonId = '1'":                                                                "subscriptionId",
		"SELECT h.id FROM azure.desktop_virtualization.session_hosts h JOIN azure.desktop_virtualization.host_pools p ON p.hostPoolNam = h.hostPoolName": "hostPoolName",
	} {
		_, err := query(t, s, text)
		e := fault.As(err)
		if e == nil || !strings.Contains(e.Hint, want) || len(sim.Requests()) > 0 {
			t.Errorf("%s: %d calls\n%v", text, len(sim.Requests()), err)
			if e != nil {
				t.Log(e.Print())
			}
			sim.ResetRequests()
		}
	}
}

// A thousand visible subscriptions cost nothing where one is named.
func TestNumbers_manySubscriptions(t *testing.T) {
	ids, estate := pools(1000, 1)
	sim, url := simulator(t, estate)
	s := open(t, url)
	const of = " FROM azure.desktop_virtualization."
	in := " WHERE subscriptionId = '" + ids[499] + "'"
	for text, want := range map[string]int{
		"SELECT hostPoolName" + of + "host_pools" + in:                                                                    1,
		"SELECT count(*)" + of + "user_sessions" + in + " AND resourceGroupName = 'rg-500' AND hostPoolName = 'hp-500-1'": 1,
		"SELECT count(*)" + of + "user_sessions" + in:                                                                     2,
		"SELECT displayName FROM azure.subscription.subscriptions" + in:                                                   1,
	} {
		sim.ResetRequests()
		rows := must(t, s, text)
		if paths, _ := firstPages(sim); len(rows) != 1 || len(paths) != want || len(sim.Requests()) != want {
			t.Errorf("%s: %d rows, %d calls", text, len(rows), len(sim.Requests()))
		}
		for _, r := range sim.Requests() {
			if strings.Trim(r.Path, "/") == "subscriptions" || !strings.Contains(r.Path, ids[499]) {
				t.Errorf("%s: %s", text, r.Path)
			}
		}
	}
}

// Of two pools that one list names, each is asked for in the group where it is.
func TestNumbers_listedAndJoined(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	for _, join := range []string{
		"USING (subscriptionId, resourceGroupName, hostPoolName)",
		"ON u.hostPoolName = p.hostPoolName AND u.resourceGroupName = p.resourceGroupName AND p.subscriptionId = u.subscriptionId",
	} {
		sim.ResetRequests()
		rows, warnings := withWarnings(t, open(t, url), "SELECT count(*) FROM azure.desktop_virtualization.host_pools p "+
			"JOIN azure.desktop_virtualization.user_sessions u "+join+" WHERE p.hostPoolName IN ('hp-office', 'hp-sales')")
		if fmt.Sprint(rows) != "[[92]]" || len(warnings) > 0 || len(sim.Requests()) != 1+2+2 {
			t.Errorf("%s: %v, %d calls, %v", join, rows, len(sim.Requests()), warnings)
		}
	}
}

// The list of subscriptions is asked for once in a statement, whatever it is
// needed for, unless a LIMIT may end one of its readers early.
func TestNumbers_sharedListing(t *testing.T) {
	_, estate := pools(3, 2)
	sim, url := simulator(t, estate, armsim.WithPageSize(2))
	s := open(t, url, planeql.WithoutCache())
	const in = " FROM azure.desktop_virtualization."
	for text, want := range map[string]string{
		"SELECT count(*) AS n" + in + "session_hosts UNION ALL SELECT count(*)" + in + "user_sessions ORDER BY n":                                                                     "[[6] [12]]",
		"SELECT (SELECT count(*)" + in + "workspaces), (SELECT count(*)" + in + "application_groups)":                                                                                 "[[3 6]]",
		"SELECT count(*)" + in + "session_hosts h JOIN azure.compute.virtual_machines m ON m.id = h.resourceId":                                                                       "[[6]]",
		"SELECT count(*) FROM azure.compute.virtual_machines m ANTI JOIN azure.desktop_virtualization.session_hosts h ON m.id = h.resourceId AND h.subscriptionId = m.subscriptionId": "[[0]]",
	} {
		sim.ResetRequests()
		rows := must(t, s, text)
		lists := 0
		paths, _ := firstPages(sim)
		for _, path := range paths {
			if strings.Trim(path, "/") == "subscriptions" {
				lists++
			}
		}
		if got := fmt.Sprint(rows); got != want || lists != 1 {
			t.Errorf("%s: %s, %d lists of subscriptions", text, got, lists)
		}
	}
	rows := must(t, s, "SELECT id FROM (SELECT id"+in+"session_hosts UNION ALL SELECT id"+in+"user_sessions) LIMIT 15")
	if len(rows) != 15 {
		t.Errorf("LIMIT: %d rows", len(rows))
	}
}
