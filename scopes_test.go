package planeql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

const (
	hostPools = "azure.desktop_virtualization.host_pools"
	hosts     = "azure.desktop_virtualization.session_hosts"
	users     = "azure.desktop_virtualization.user_sessions"
	whole     = "USING (subscriptionId, resourceGroupName, hostPoolName)"
)

// costs gives the number of calls of a statement, and fails where one is made
// twice.
func costs(t *testing.T, sim *armsim.Simulator, s *planeql.Session, text string) int {
	t.Helper()
	sim.ResetRequests()
	must(t, s, text)
	made := calls(sim)
	slices.Sort(made)
	if n := len(slices.Compact(slices.Clone(made))); n < len(made) {
		t.Errorf("%s\n%d of %d calls are made again: %v", text, len(made)-n, len(made), made)
	}
	return len(made)
}

// Places that a statement leaves open are found, each call is made once, and
// what was found is believed by the statements after it.
func TestScopes(t *testing.T) {
	for _, c := range []struct {
		text         string
		first, again int
	}{
		{"SELECT count(*) FROM " + users, 7, 4},
		{"SELECT * FROM " + hosts + " sh LEFT JOIN " + hostPools + " hp " + whole, 7, 6},
		{"SELECT * FROM " + users + " a JOIN " + users + " b USING (id)", 7, 4},
		{"SELECT * FROM " + users + " a JOIN " + users + " b USING (id) WHERE a.properties.sessionState = 'Active'", 7, 4},
		{"SELECT * FROM " + hostPools + " hp JOIN " + hosts + " sh " + whole + " JOIN " + users + " us USING (subscriptionId, resourceGroupName, hostPoolName, sessionHostName)", 11, 10},
		{"SELECT * FROM " + users + " WHERE hostPoolName = 'hp-pilot'", 4, 1},
		{"SELECT * FROM " + users + " WHERE hostPoolName IN (SELECT name FROM " + hostPools + " WHERE name LIKE '%sales')", 4, 3},
	} {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		s := open(t, url)
		if n := costs(t, sim, s, c.text); n != c.first {
			t.Errorf("%s\ncosts %d calls, not %d", c.text, n, c.first)
		}
		if n := costs(t, sim, s, c.text); n != c.again {
			t.Errorf("%s\ncosts %d calls the second time, not %d", c.text, n, c.again)
		}
		if n := costs(t, sim, open(t, url, planeql.WithoutCache()), c.text); n != c.first {
			t.Errorf("%s\ncosts %d calls without the cache, not %d", c.text, n, c.first)
		}
	}
}

// A write makes a session look again.
func TestScopes_afterWrite(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url)
	count := "SELECT count(*) FROM " + users
	costs(t, sim, s, count)
	must(t, s, "DELETE FROM "+users+" WHERE subscriptionId = '"+armsim.ProductionSubscription+
		"' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office' AND sessionHostName = 'office-0.contoso.com' AND userSessionId = '2'")
	if n := costs(t, sim, s, count); n != 7 {
		t.Errorf("%d calls after a write, not 7", n)
	}
}

func TestWithScope(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	for _, c := range []struct {
		scope []string
		calls int
		rows  string
	}{
		{nil, 7, "[[120]]"},
		{[]string{armsim.ProductionSubscription}, 4, "[[118]]"},
		{[]string{"*production"}, 5, "[[118]]"},
		{[]string{"contoso*"}, 7, "[[120]]"},
		{[]string{"nowhere"}, 1, "[[0]]"},
		{[]string{"tag:none=such"}, 1, "[[0]]"},
		{[]string{"mg:mg-production"}, 6, "[[118]]"},
		{[]string{"mg:MG-Test"}, 4, "[[2]]"},
		{[]string{"mg:mg-test", "*production"}, 8, "[[120]]"},
		{[]string{"mg:mg-test", "mg:mg-production"}, 9, "[[120]]"},
		{[]string{"mg:mg-test", armsim.ProductionSubscription}, 8, "[[120]]"},
	} {
		s := open(t, url, planeql.WithScope(c.scope...))
		text := "SELECT count(*) FROM " + users
		if n := costs(t, sim, s, text); n != c.calls {
			t.Errorf("scope %v costs %d calls, not %d", c.scope, n, c.calls)
		}
		if got := fmt.Sprint(must(t, s, text)); got != c.rows {
			t.Errorf("scope %v gives %s, not %s", c.scope, got, c.rows)
		}
	}
}

// The root group has all subscriptions below it; one that is not there is an
// error that names it, even where nothing is below another.
func TestWithScope_managementGroups(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithScope("mg:mg-none", "mg:mg-test"))
	_, err := query(t, s, "SELECT count(*) FROM "+users)
	if e := fault.As(err); e == nil || e.HTTP == nil || e.HTTP.Status != 404 || !strings.Contains(e.Error(), "mg-none") {
		t.Errorf("a management group that is not there: %v", err)
	}
	s = open(t, url)
	rows := must(t, s, "SELECT name FROM azure.management_groups.management_groups WHERE properties.displayName = 'Tenant Root Group'")
	s = open(t, url, planeql.WithScope("mg:"+rows[0][0].(string)))
	if n := costs(t, sim, s, "SELECT count(*) FROM "+users); n != 8 {
		t.Errorf("the root group costs %d calls, not 8", n)
	}
	if got := fmt.Sprint(must(t, s, "SELECT u.name FROM "+users+" u JOIN "+hosts+" h USING (hostPoolName, sessionHostName) LIMIT 1")); got == "[]" {
		t.Error("a LIMIT over a join gives no row")
	}
	got := fmt.Sprint(must(t, open(t, url), "SELECT name FROM azure.management_groups.descendants WHERE groupId = 'mg-test'"))
	if got != "[["+armsim.TestSubscription+"]]" {
		t.Errorf("below mg-test is %s", got)
	}
}

// EXISTS without a reference to the rows around it reads to its first row, LIMIT
// as far as it needs.
func TestScopes_early(t *testing.T) {
	for text, want := range map[string]int{
		"SELECT EXISTS (SELECT 1 FROM " + users + ")":                                                                                 3,
		"SELECT name FROM " + hostPools + " WHERE EXISTS (SELECT 1 FROM " + users + ")":                                               4,
		"SELECT name FROM " + hostPools + " WHERE NOT EXISTS (SELECT 1 FROM " + users + " WHERE sessionState = 'Active')":             4,
		"SELECT name FROM " + hostPools + " hp WHERE EXISTS (SELECT 1 FROM " + users + " us WHERE us.hostPoolName = hp.hostPoolName)": 7,
		"SELECT name FROM " + users + " LIMIT 1":                                                                                      3,
		"SELECT name FROM " + users + " LIMIT 0":                                                                                      0,
		"SELECT name FROM " + users + " WHERE false":                                                                                  0,
	} {
		// Each on its own: a call that was given up may reach the service later.
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		n := costs(t, sim, open(t, url), text)
		// DuckDB may see that NOT EXISTS is false before it starts the other table.
		if n > want || n < want && !strings.Contains(text, "NOT EXISTS") {
			t.Errorf("%s\ncosts %d calls, not %d", text, n, want)
		}
	}
}

// A condition above an outer join that is true of rows of NULLs narrows nothing
// that the join reads.
func TestScopes_outerJoin(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url)
	const join = "SELECT count(*) FROM " + hostPools + " hp LEFT JOIN " + hosts + " h ON h.hostPoolName = hp.hostPoolName"
	for text, want := range map[string]string{
		join:                                   "[[12]]",
		join + " WHERE h.hostPoolName IS NULL": "[[0]]",
		join + " AND h.name LIKE '%-0%' WHERE h.hostPoolName IS NULL":   "[[0]]",
		join + " AND h.name LIKE '%-3%' WHERE h.hostPoolName IS NULL":   "[[3]]",
		join + " WHERE coalesce(h.hostPoolName, 'none') = 'none'":       "[[0]]",
		join + " WHERE h.hostPoolName = 'hp-office'":                    "[[4]]",
		join + " WHERE h.hostPoolName LIKE '%office' OR h.name IS NULL": "[[4]]",
	} {
		if got := fmt.Sprint(must(t, s, text)); got != want {
			t.Errorf("%s\n%s, not %s", text, got, want)
		}
	}
}

// A resource group that the statement names only for the rows, and that has none
// of them, is told of without a call more: where the whole list has been read.
func TestScopes_group(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	const vms = "azure.compute.virtual_machines"
	for _, c := range []struct {
		text  string
		calls int
		warns []string
	}{
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName = 'rg-avd-tset'", 3, []string{`nothing of azure.desktop_virtualization.host_pools is in resourceGroupName "rg-avd-tset"; did you mean rg-avd-test?`}},
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName IN ('RG-AVD-TEST', lower('NONE'), 'typo')", 3, []string{`"none"`, `"typo"`}},
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName = 'rg-avd-test' AND name = 'none'", 3, nil},
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName = 'typo' OR name = 'hp-office'", 3, nil},
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName LIKE 'typo'", 3, nil},
		{"SELECT count(*) FROM " + hostPools + " a JOIN " + hostPools + " b USING (id) WHERE a.resourceGroupName = 'typo'", 3, []string{`"typo"`}},
		{"SELECT count(*) FROM " + vms + " WHERE resourceGroupName = 'typo'", 3, []string{"nothing of " + vms}},
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName = 'typo' LIMIT 0", 0, nil},
		{"SELECT name FROM " + hostPools + " WHERE resourceGroupName = 'rg-avd-prod-weu' LIMIT 1", 2, nil},
		{"SELECT name FROM azure.resources.resource_groups WHERE resourceGroupName = 'typo'", 3, nil},
	} {
		sim.ResetRequests()
		_, warnings := withWarnings(t, open(t, url), c.text)
		if len(sim.Requests()) != c.calls || len(warnings) != len(c.warns) {
			t.Errorf("%s\n%d calls, not %d; %v", c.text, len(sim.Requests()), c.calls, warnings)
			continue
		}
		for i, w := range warnings {
			if !strings.Contains(w.Message+"; "+w.Hint, c.warns[i]) {
				t.Errorf("%s\n%s; %s", c.text, w.Message, w.Hint)
			}
		}
	}
}

// A parent that a statement names and that is nowhere is an error, as it is where
// the statement says in which subscription it should be; a resource group in which
// nothing is listed is a warning, since it may be there.
func TestScopes_named(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	for _, c := range []struct{ where, says, hint, warns string }{
		{"hostPoolName = 'hp-ofice'", `no hostPoolName "hp-ofice"`, "did you mean hp-office?", ""},
		{"hostPoolName IN ('hp-office', 'HP-NONE')", `no hostPoolName "HP-NONE"`, "SELECT DISTINCT hostPoolName", ""},
		{"hostPoolName = lower('HP-NONE') AND resourceGroupName = 'rg-avd-test'", `no hostPoolName "hp-none"`, "", ""},
		{"hostPoolName = 'HP-Office'", "", "", ""},
		{"hostPoolName = 'hp-office' AND hostPoolName LIKE '%pilot'", "", "", ""},
		{"hostPoolName = 'hp-office' AND resourceGroupName = 'rg-avd-test'", "", "", ""},
		{"resourceGroupName = 'rg-avd-tset'", "", "did you mean rg-avd-test?", `resourceGroupName "rg-avd-tset"`},
		{"resourceGroupName IN ('rg-avd-test', 'rg-none') AND hostPoolName = 'hp-pilot'", "", "", `resourceGroupName "rg-none"`},
		{"hostPoolName = 'hp-none' LIMIT 0", "", "", ""},
	} {
		s := open(t, url)
		rows, err := s.Query(t.Context(), "SELECT name FROM "+users+" WHERE "+c.where)
		if err == nil {
			for rows.Next() {
				continue
			}
			err = rows.Err()
			rows.Close()
		}
		e := fault.As(err)
		switch {
		case c.says == "" && err != nil, c.says != "" && (e == nil || e.Code != fault.NotFound || !strings.Contains(e.Message, c.says) || !strings.Contains(e.Hint, c.hint)):
			t.Errorf("%s: %v", c.where, err)
		case err == nil && c.warns == "" && len(rows.Warnings()) > 0:
			t.Errorf("%s: %v", c.where, rows.Warnings())
		case c.warns != "" && (len(rows.Warnings()) != 1 || !strings.Contains(rows.Warnings()[0].Message, c.warns) || !strings.Contains(rows.Warnings()[0].Hint, c.hint)):
			t.Errorf("%s: %v", c.where, rows.Warnings())
		}
	}
	skip := open(t, url, planeql.WithOnError(planeql.Skip))
	if rows := must(t, skip, "SELECT count(*) FROM "+users+" WHERE hostPoolName IN ('hp-pilot', 'hp-none')"); fmt.Sprint(rows) != "[[2]]" {
		t.Errorf("the rest is %v", rows)
	}
	if rows := must(t, skip, "SELECT message FROM planeql_warnings()"); len(rows) != 1 || !strings.Contains(fmt.Sprint(rows), "hp-none") {
		t.Errorf("the loss is %v", rows)
	}
	group := open(t, url, planeql.WithScope("mg:mg-test")) // listings that are kept in tables
	if _, err := query(t, group, "SELECT name FROM "+users+" WHERE hostPoolName = 'hp-office'"); err == nil || !strings.Contains(err.Error(), "hp-office") {
		t.Errorf("a pool outside of the scope: %v", err)
	}
}
