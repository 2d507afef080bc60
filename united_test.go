package planeql_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// Private endpoint connections stand below host pools and below workspaces.
const connections = "azure.desktop_virtualization.private_endpoint_connections"

// connection is one of them.
type connection struct{ subscription, group, kind, parent, name string }

// connectionRows are connections of the small estate, each with its parent.
var connectionRows = []connection{
	{armsim.ProductionSubscription, "rg-avd-prod-weu", "hostPools", "hp-office", "a"},
	{armsim.ProductionSubscription, "rg-avd-prod-weu", "hostPools", "hp-office", "b"},
	{armsim.ProductionSubscription, "rg-avd-prod-eus", "hostPools", "hp-sales", "a"},
	{armsim.TestSubscription, "rg-avd-test", "hostPools", "hp-pilot", "c"},
	{armsim.ProductionSubscription, "rg-avd-prod-weu", "workspaces", "ws-avd-prod-weu", "a"},
	{armsim.TestSubscription, "rg-avd-test", "workspaces", "ws-avd-test", "d"},
	{armsim.TestSubscription, "rg-avd-test", "workspaces", "ws-avd-test", "e"},
}

// connected starts a simulator with connections, whose rows stand in the table
// conns of the session too.
func connected(t *testing.T, options ...planeql.Option) (*armsim.Simulator, *planeql.Session) {
	t.Helper()
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, options...)
	must(t, s, `CREATE TABLE conns (name VARCHAR, hostPoolName VARCHAR COLLATE NOCASE, workspaceName VARCHAR COLLATE NOCASE,
		resourceGroupName VARCHAR COLLATE NOCASE, subscriptionId VARCHAR COLLATE NOCASE, privateEndpointConnectionName VARCHAR COLLATE NOCASE)`)
	connect(t, sim)
	for _, c := range connectionRows {
		parents := "'" + c.parent + "', NULL"
		if c.kind == "workspaces" {
			parents = "NULL, '" + c.parent + "'"
		}
		must(t, s, fmt.Sprintf("INSERT INTO conns VALUES ('%s', %s, '%s', '%s', '%s')", c.parent+"/"+c.name, parents, c.group, c.subscription, c.name))
	}
	sim.ResetRequests()
	return sim, s
}

func connectionID(c connection) string {
	return "/subscriptions/" + c.subscription + "/resourceGroups/" + c.group + "/providers/Microsoft.DesktopVirtualization/" +
		c.kind + "/" + c.parent + "/privateEndpointConnections/" + c.name
}

// connect makes the connections.
func connect(t *testing.T, sim *armsim.Simulator) {
	t.Helper()
	for _, c := range connectionRows {
		if err := sim.Put(connectionID(c), map[string]any{"properties": map[string]any{}}); err != nil {
			t.Fatal(err)
		}
	}
}

// What is read below several kinds of parents has the rows that a table of them
// has, in every form, and costs the calls of the kinds that can have rows.
func TestUnited(t *testing.T) {
	sim, s := connected(t, planeql.WithoutCache())
	const columns = "SELECT name, lower(hostPoolName) AS h, lower(workspaceName) AS w, lower(resourceGroupName), subscriptionId, lower(privateEndpointConnectionName) FROM %s c "
	const in = " subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu' "
	for _, c := range []struct {
		text  string
		calls int
	}{
		{columns, 12}, // subscriptions, 2 + 2 lists of parents, 4 pools and 3 workspaces
		{columns + "WHERE hostPoolName = 'HP-Office'", 4},
		{columns + "WHERE workspaceName = 'ws-avd-test'", 4},
		{columns + "WHERE hostPoolName = 'hp-office' OR workspaceName = 'ws-avd-test'", 7},
		{columns + "WHERE hostPoolName = 'hp-office' AND workspaceName = 'ws-avd-test'", 0},
		{columns + "WHERE hostPoolName IS NOT NULL AND privateEndpointConnectionName = 'a'", 7},
		{columns + "WHERE workspaceName IS NULL", 9},
		{columns + "WHERE workspaceName LIKE 'ws%test'", 4},
		{columns + "WHERE hostPoolName <> 'hp-office'", 6},
		{columns + "WHERE" + in, 5},
		{columns + "WHERE" + in + "AND hostPoolName IN ('hp-office', 'hp-engineering')", 2},
		{columns + "WHERE" + in + "AND (hostPoolName = 'hp-office' OR workspaceName = 'ws-avd-prod-weu')", 2},
		{columns + "WHERE" + in + "AND (hostPoolName, workspaceName) IN (('hp-office', 'x'))", 0},
		{columns + "WHERE privateEndpointConnectionName = 'A'", 12},
		{columns + "WHERE resourceGroupName = 'rg-avd-test'", 7},
		{"SELECT count(*), count(DISTINCT name), count(hostPoolName), count(workspaceName) FROM %s", 12},
		{"SELECT coalesce(lower(hostPoolName), lower(workspaceName)) AS p, count(*) FROM %s GROUP BY 1", 12},
		{"WITH c AS (FROM (SELECT name, hostPoolName FROM %s)) SELECT a.name, b.name FROM c a JOIN c b USING (hostPoolName)", 12},
		{"SELECT name FROM (SELECT name, workspaceName AS w FROM %s) WHERE w = 'ws-avd-test'", 4},
		{"SELECT count(*) FROM %s c JOIN azure.desktop_virtualization.host_pools p ON p.name = c.hostPoolName", 7},
		{"SELECT p.name, c.name FROM azure.desktop_virtualization.host_pools p LEFT JOIN %s c ON c.hostPoolName = p.name AND c.resourceGroupName = p.resourceGroupName AND c.subscriptionId = p.subscriptionId", 7},
		{"SELECT w.name FROM azure.desktop_virtualization.workspaces w WHERE EXISTS (SELECT 1 FROM %s c WHERE c.workspaceName = w.name)", 6},
		{"SELECT p.name FROM azure.desktop_virtualization.host_pools p WHERE p.name IN (SELECT hostPoolName FROM %s)", 12},
		{"SELECT c.name, p.name FROM %s c LEFT JOIN azure.desktop_virtualization.host_pools p ON p.name = c.hostPoolName", 12},
		{"SELECT name FROM %[1]s WHERE hostPoolName = 'hp-office' UNION ALL SELECT name FROM %[1]s WHERE workspaceName = 'ws-avd-test'", 7},
		{"SELECT name, row_number() OVER (PARTITION BY name ORDER BY id2) FROM (SELECT name, coalesce(lower(hostPoolName), lower(workspaceName)) AS id2 FROM %s)", 12},
	} {
		sim.ResetRequests()
		got, want := must(t, s, sprintf(c.text, connections)), must(t, s, sprintf(c.text, "conns"))
		if own := len(sim.Requests()) - len(requestsFor(t, sim, s, sprintf(c.text, "conns"))); own != c.calls {
			t.Errorf("%s\ncosts %d calls, not %d", c.text, own, c.calls)
		}
		if sorted(got) != sorted(want) {
			t.Errorf("%s\n got %s\nwant %s", c.text, sorted(got), sorted(want))
		}
	}
}

// requestsFor gives the requests that a statement makes when it is run again.
func requestsFor(t *testing.T, sim *armsim.Simulator, s *planeql.Session, text string) []armsim.Request {
	t.Helper()
	before := len(sim.Requests())
	must(t, s, text)
	return sim.Requests()[before:]
}

func sprintf(text, name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "%[1]s", name), "%s", name)
}

func sorted(rows [][]any) string {
	var lines []string
	for _, row := range rows {
		lines = append(lines, fmt.Sprint(row))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A LIMIT ends the reading of all kinds early.
func TestUnited_early(t *testing.T) {
	sim, s := connected(t, planeql.WithoutCache())
	if rows := must(t, s, "SELECT name FROM "+connections+" LIMIT 1"); len(rows) != 1 || len(sim.Requests()) > 10 {
		t.Errorf("%v by %d calls", rows, len(sim.Requests()))
	}
	sim.ResetRequests()
	if rows := must(t, s, "SELECT EXISTS (SELECT 1 FROM "+connections+")"); fmt.Sprint(rows) != "[[true]]" || len(sim.Requests()) > 10 {
		t.Errorf("%v by %d calls", rows, len(sim.Requests()))
	}
}

// What one kind's list refuses fails the statement, or is a loss where the user
// allows that; the rest is there.
func TestUnited_partly(t *testing.T) {
	for place, lost := range map[string]int{"workspaces/ws-avd-test": 2, "hostpools/hp-office": 2} {
		hook := below(place+"/privateendpointconnections", armsim.Outcome{Status: 403, Code: "AuthorizationFailed", Message: denial})()
		sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(hook))
		connect(t, sim)
		_, err := query(t, open(t, url), "SELECT name FROM "+connections)
		if e := fault.As(err); e == nil || e.Code != fault.Forbidden || !strings.Contains(e.Object, "private_endpoint_connections.list_by") {
			t.Errorf("%s: %v", place, err)
		}
		s := open(t, url, planeql.WithOnError(planeql.Skip))
		for _, text := range []string{"SELECT name FROM " + connections, "SELECT a.name FROM " + connections + " a JOIN " + connections + " b USING (id)"} {
			rows, warnings := withWarnings(t, s, text)
			if len(rows) != len(connectionRows)-lost || len(warnings) != 1 {
				t.Errorf("%s: %s\n%d rows, %v", place, text, len(rows), warnings)
			}
		}
	}
}

// A list that also gives items which stand below another kind of parent gives no
// row twice, and no row is missing where the other list does not give them.
func TestUnited_twice(t *testing.T) {
	foreign := func(body []byte) []byte {
		return []byte(strings.ReplaceAll(string(body), "workspaces/ws-avd-prod-weu/private", "hostPools/hp-office/private"))
	}
	hook := func(r *http.Request) armsim.Outcome {
		if r.Method == http.MethodGet && strings.Contains(strings.ToLower(r.URL.Path), "/ws-avd-prod-weu/private") {
			return armsim.Outcome{Rewrite: foreign} // hp-office has an item of this name too
		}
		return armsim.Outcome{}
	}
	sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(hook))
	connect(t, sim)
	s := open(t, url)
	if rows := must(t, s, "SELECT count(*), count(DISTINCT id) FROM "+connections); fmt.Sprint(rows) != "[[6 6]]" {
		t.Errorf("%v", rows)
	}
	office := connectionID(connectionRows[0])
	if !sim.Remove(office) {
		t.Fatal("nothing was removed")
	}
	if rows := must(t, s, "SELECT count(*), count(DISTINCT id) FROM "+connections); fmt.Sprint(rows) != "[[6 6]]" {
		t.Errorf("without the item in its own place: %v", rows)
	}
}

// EXPLAIN shows each kind and what it costs, EXPLAIN ANALYZE what it has cost. A
// name that no kind has is told once.
func TestUnited_explained(t *testing.T) {
	_, s := connected(t)
	text := sorted(must(t, s, "EXPLAIN SELECT name FROM "+connections))
	for _, part := range []string{"SELECT: 1 + 2 × subscriptions + workspaces + host_pools calls", "list_by_workspace", "list_by_host_pool", "those below workspaces are read as well"} {
		if !strings.Contains(text, part) {
			t.Errorf("EXPLAIN does not say %q:\n%s", part, text)
		}
	}
	text = sorted(must(t, s, "EXPLAIN ANALYZE SELECT name FROM "+connections))
	for _, part := range []string{"measured    4 calls, 4 pages, 4 rows", "measured    3 calls, 3 pages, 3 rows", "in all 12 calls, 12 pages, 7 rows"} {
		if !strings.Contains(text, part) {
			t.Errorf("EXPLAIN ANALYZE does not say %q:\n%s", part, text)
		}
	}
	for where, told := range map[string]int{"resourceGroupName = 'rg-avd-prod-eus'": 0, "resourceGroupName = 'rg-none'": 1, "resourceGroupName IN ('rg-none', 'rg-avd-test')": 1} {
		if _, warnings := withWarnings(t, s, "SELECT name FROM "+connections+" WHERE "+where); len(warnings) != told {
			t.Errorf("%s: %v", where, warnings)
		}
	}
}

// A write says which kind it means, by any condition that the others cannot
// fulfil, and uses the method of that kind.
func TestUnited_writes(t *testing.T) {
	sim, s := connected(t, planeql.WithYes())
	for _, verb := range []string{"DELETE FROM " + connections, "UPDATE " + connections + " SET privateLinkServiceConnectionState.description = 'x'"} {
		_, err := query(t, s, verb+" WHERE privateEndpointConnectionName = 'a'")
		e := fault.As(err)
		if e == nil || e.Code != fault.NotSupported || !strings.Contains(e.Message, "below workspaces and hostPools") || !strings.Contains(e.Hint, "AND hostPoolName IS NOT NULL") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if len(writesOf(sim)) > 0 {
		t.Errorf("%d writes", len(writesOf(sim)))
	}
	for where, gone := range map[string][]int{
		"privateEndpointConnectionName = 'a' AND hostPoolName IS NOT NULL": {0, 2},
		"workspaceName LIKE '%test' AND name LIKE '%e'":                    {6},
		"workspaceName = 'ws-avd-test'":                                    {5},
	} {
		must(t, s, "DELETE FROM "+connections+" WHERE "+where)
		for _, i := range gone {
			if _, there := sim.Object(connectionID(connectionRows[i])); there {
				t.Errorf("%s: %v is still there", where, connectionRows[i])
			}
		}
	}
	if rows := must(t, s, "SELECT count(*) FROM "+connections); fmt.Sprint(rows) != "[[3]]" {
		t.Errorf("%v are left", rows)
	}
}
