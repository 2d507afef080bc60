package planeql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

const (
	prod     = "8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01"
	weu      = "subscriptionId = '" + prod + "' AND resourceGroupName = 'rg-avd-prod-weu'"
	office4  = weu + " AND hostPoolName = 'hp-office'"
	groupID  = "/subscriptions/" + prod + "/resourceGroups/rg-avd-prod-weu"
	officeID = groupID + "/providers/Microsoft.DesktopVirtualization/hostPools/hp-office"
)

// writesOf gives the requests of a simulator that are no reads.
func writesOf(sim *armsim.Simulator) []armsim.Request {
	return slices.DeleteFunc(sim.Requests(), func(r armsim.Request) bool { return r.Method == http.MethodGet })
}

// N8 of what users ask for: drain mode on 40 hosts is 40 times the one member,
// and a dry run lists the 40.
func TestWrites_drain(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Maintenance))
	const text = "UPDATE azure.desktop_virtualization.session_hosts SET allow_new_session = false WHERE %s"
	s := open(t, url, planeql.WithYes())
	hosts := must(t, s, "SELECT sessionHostName FROM azure.desktop_virtualization.session_hosts ORDER BY sessionHostName LIMIT 40")
	var names []string
	for _, row := range hosts {
		names = append(names, "'"+row[0].(string)+"'")
	}
	where := "sessionHostName IN (" + strings.Join(names, ", ") + ")"
	dry := open(t, url, planeql.WithDryRun())
	sim.ResetRequests()
	preview := must(t, dry, fmt.Sprintf(text, where))
	if len(preview) != 40 || len(writesOf(sim)) != 0 {
		t.Errorf("%d rows of the dry run, %d writes", len(preview), len(writesOf(sim)))
	}
	for _, row := range preview {
		if body, _ := row[2].(json.RawMessage); row[0] != "PATCH" || string(body) != `{"properties":{"allowNewSession":false}}` {
			t.Errorf("the dry run shows %v %s", row[0], body)
		}
	}
	rows := must(t, s, fmt.Sprintf(text, where))
	requests := writesOf(sim)
	if len(rows) != 40 || len(requests) != 40 {
		t.Fatalf("%d outcomes, %d writes", len(rows), len(requests))
	}
	for _, r := range requests {
		if r.Method != "PATCH" || string(r.Body) != `{"properties":{"allowNewSession":false}}` {
			t.Errorf("%s %s", r.Method, r.Body)
		}
	}
}

// Each case is a statement, the writes that it makes (a word of the path and the
// body), and its rows if it has RETURNING.
func TestWrites_forms(t *testing.T) {
	pool := "(subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType%s)"
	key := "'" + prod + "', 'rg-avd-prod-weu', "
	kind := `"hostPoolType":"Pooled","loadBalancerType":"BreadthFirst","preferredAppGroupType":"Desktop"`
	for name, c := range map[string]struct {
		text string
		want []string
		rows string
	}{
		"delete by parameters": {"DELETE FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND sessionHostName = 'office-0.contoso.com' AND userSessionId IN ('3', '4') AND force = 'true'",
			[]string{"DELETE userSessions/3?force=true ", "DELETE userSessions/4?force=true "}, ""},
		"delete by a state": {"DELETE FROM azure.desktop_virtualization.user_sessions u WHERE " + office4 + " AND u.sessionHostName = 'office-1.contoso.com' AND sessionState = 'Disconnected'",
			[]string{"DELETE userSessions/15 "}, ""},
		"delete of nothing": {"DELETE FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND userPrincipalName = 'nobody'", nil, ""},
		"delete with a join": {"DELETE FROM azure.desktop_virtualization.user_sessions USING (VALUES ('office-1.contoso.com', 'Disconnected')) AS w(host, state) WHERE " + office4 + " AND sessionHostName = w.host AND sessionState = w.state",
			[]string{"DELETE userSessions/15 "}, ""},
		"delete with a common table expression": {"WITH w AS (SELECT 'office-1.contoso.com' AS host) DELETE FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND sessionHostName IN (SELECT host FROM w) AND sessionState = 'Disconnected'",
			[]string{"DELETE userSessions/15 "}, ""},
		"delete, the first by an order": {"DELETE FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND sessionHostName = 'office-0.contoso.com' AND sessionState = 'Disconnected' ORDER BY userSessionId::INTEGER LIMIT 1",
			[]string{"DELETE userSessions/3 "}, ""},
		"update by expressions": {"UPDATE azure.desktop_virtualization.host_pools SET max_session_limit = max_session_limit + 1, description = 'was ' || maxSessionLimit, data__friendlyName = NULL WHERE " + office4,
			[]string{`PATCH hostPools/hp-office {"properties":{"maxSessionLimit":21,"description":"was 20","friendlyName":null}}`}, ""},
		"update of members at any depth": {"UPDATE azure.desktop_virtualization.host_pools SET properties.agentUpdate.type = 'Scheduled', tags = {'env': 'test', 'n': '1'}, validationEnvironment = 'false', ring = DEFAULT WHERE " + office4 + " RETURNING name, properties.agentUpdate.type, validationEnvironment",
			[]string{`PATCH hostPools/hp-office {"properties":{"agentUpdate":{"type":"Scheduled"},"validationEnvironment":false},"tags":{"env":"test","n":"1"}}`}, "[[hp-office Scheduled false]]"},
		"update from a table": {"UPDATE azure.desktop_virtualization.session_hosts h SET assignedUser = o.owner FROM (VALUES ('office-2.contoso.com', 'Kim')) AS o(host, owner) WHERE " + office4 + " AND h.sessionHostName = o.host AND force = true",
			[]string{`PATCH sessionHosts/office-2.contoso.com?force=true {"properties":{"assignedUser":"Kim"}}`}, ""},
		"update by whole JSON": {"UPDATE azure.desktop_virtualization.host_pools SET properties = '{\"ring\": 1}' WHERE " + office4, []string{`PATCH hostPools/hp-office {"properties":{"ring":1}}`}, ""},
		"update by a body":     {"UPDATE azure.desktop_virtualization.host_pools SET @@json = '{\"tags\": {}}' WHERE " + office4, []string{`PATCH hostPools/hp-office {"tags":{}}`}, ""},
		"insert of rows": {"INSERT INTO azure.desktop_virtualization.host_pools " + fmt.Sprintf(pool, ", maxSessionLimit, startVMOnConnect") + " VALUES (" + key + "'hp-a', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop', 5, true), (" + key + "'hp-b', lower('WESTEUROPE'), 'Pooled', 'BreadthFirst', 'Desktop', DEFAULT, 'false')",
			[]string{`PUT hostPools/hp-a {"location":"westeurope","properties":{` + kind + `,"maxSessionLimit":5,"startVMOnConnect":true}}`, `PUT hostPools/hp-b {"location":"westeurope","properties":{` + kind + `,"startVMOnConnect":false}}`}, ""},
		"insert of a query": {"INSERT INTO azure.desktop_virtualization.host_pools SELECT subscriptionId, resourceGroupName, 'copy-of-' || hostPoolName AS hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType FROM azure.desktop_virtualization.host_pools WHERE " + office4 + " RETURNING name",
			[]string{`PUT hostPools/copy-of-hp-office {"location":"westeurope","properties":{` + kind + `}}`}, "[[copy-of-hp-office]]"},
		"insert of all columns of a query": {"INSERT INTO azure.desktop_virtualization.host_pools " + fmt.Sprintf(pool, "") + " SELECT * FROM (SELECT '" + prod + "', 'rg-avd-prod-weu', 'hp-star', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop')",
			[]string{`PUT hostPools/hp-star {"location":"westeurope","properties":{` + kind + `}}`}, ""},
		"insert of what exists, kept": {"INSERT INTO azure.desktop_virtualization.host_pools " + fmt.Sprintf(pool, "") + " VALUES (" + key + "'hp-office', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop') ON CONFLICT DO NOTHING", nil, ""},
		"insert of what exists, overruled": {"INSERT OR REPLACE INTO azure.desktop_virtualization.host_pools " + fmt.Sprintf(pool, "") + " VALUES (" + key + "'hp-office', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop')",
			[]string{`PUT hostPools/hp-office {"location":"westeurope","properties":{` + kind + `}}`}, ""},
		"replace": {"REPLACE azure.desktop_virtualization.host_pools SET location = 'westeurope', hostPoolType = 'Pooled', loadBalancerType = 'BreadthFirst', preferredAppGroupType = 'Desktop' WHERE " + office4,
			[]string{`PUT hostPools/hp-office {"location":"westeurope","properties":{` + kind + `}}`}, ""},
		"exec for rows": {"EXEC azure.desktop_virtualization.user_sessions.send_message @messageTitle = 'Dear ' || split_part(t.userPrincipalName, '@', 1), @messageBody = 'soon' FROM (SELECT *, subscriptionId, resourceGroupName, hostPoolName, sessionHostName, userSessionId, userPrincipalName FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND sessionHostName = 'office-1.contoso.com' AND sessionState = 'Active' AND userSessionId = '2') AS t",
			[]string{`POST userSessions/2/sendMessage {"messageBody":"soon","messageTitle":"Dear `}, ""},
		"exec for a resource": {"EXEC azure.desktop_virtualization.user_sessions.disconnect FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND sessionHostName = 'office-1.contoso.com' AND userSessionId = '2'",
			[]string{"POST userSessions/2/disconnect "}, ""},
		"exec with a query as a value": {"EXEC azure.desktop_virtualization.user_sessions.disconnect @subscriptionId = '" + prod + "', @resourceGroupName = 'rg-avd-prod-weu', @hostPoolName = (SELECT name FROM azure.desktop_virtualization.host_pools WHERE " + office4 + "), @sessionHostName = 'office-1.contoso.com', @userSessionId = '2'",
			[]string{"POST userSessions/2/disconnect "}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sim, url := simulator(t, armsim.WithEstate(armsim.Small))
			s := open(t, url, planeql.WithYes())
			rows := must(t, s, c.text)
			if c.rows != "" && fmt.Sprint(rows) != c.rows {
				t.Errorf("rows %v, want %s", rows, c.rows)
			}
			var got []string
			for _, r := range writesOf(sim) {
				query := ""
				if force := r.Query.Get("force"); force != "" {
					query = "?force=" + force
				}
				parts := strings.Split(r.Path, "/")
				if r.Method == http.MethodPost {
					parts = append(parts[:len(parts)-2], parts[len(parts)-2]+"/"+parts[len(parts)-1])
				}
				got = append(got, r.Method+" "+strings.Join(parts[len(parts)-2:], "/")+query+" "+string(r.Body))
			}
			slices.Sort(got)
			if len(got) != len(c.want) {
				t.Fatalf("writes %q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("wrote %s\n want %s", got[i], c.want[i])
				}
			}
		})
	}
}

// What is wrong is an error before any write, and where the text alone says it,
// before any call.
func TestWrites_refused(t *testing.T) {
	pools := "azure.desktop_virtualization.host_pools"
	insert := "INSERT INTO " + pools + " (subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType) VALUES ('" + prod + "', 'rg-avd-prod-weu', "
	sessions := "azure.desktop_virtualization.user_sessions"
	for _, c := range []struct {
		text, code, message string
		calls               int
	}{
		{insert + "'hp-office', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop')", "23505", "exists already", 1},
		{insert + "'hp-new', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop'), ('" + prod + "', 'rg-avd-prod-weu', 'hp-new', 'eastus', 'Pooled', 'BreadthFirst', 'Desktop')", "22023", "would be written twice, with different values", 0},
		{"INSERT INTO " + pools + " (subscriptionId, resourceGroupName, hostPoolName, location) VALUES ('" + prod + "', 'rg', 'p', 'westeurope')", "HV002", "needs hostPoolType, loadBalancerType, preferredAppGroupType", 0},
		{"INSERT INTO " + pools + " (resourceGroupName, hostPoolName, location) VALUES ('rg', 'p', 'westeurope')", "HV002", "needs subscriptionId", 0},
		{"INSERT INTO " + pools + " SELECT * FROM " + pools, "42601", "the columns of the INSERT are not named", 0},
		{"INSERT INTO " + pools + " (hostPoolName, name) SELECT 'a', 'b'", "22023", "name is read-only", 0},
		{"INSERT INTO " + pools + " (subscriptionId, hostPoolName, colour) SELECT 'a', 'b', 'c'", "42P02", `takes no "colour"`, 0},
		{"INSERT INTO " + pools + " (hostPoolName, frendlyName) SELECT 'a', 'b'", "42P02", `takes no "frendlyName"`, 0},
		{"INSERT INTO " + pools + " (properties.agentUpdate.typ) SELECT 'a'", "42P02", `properties.agentUpdate has no member "typ"`, 0},
		{"INSERT INTO " + pools + " (subscriptionId, resourceGroupName, hostPoolName, location, @@json) SELECT 1, 2, 3, 4, 5", "22023", "the body is given twice", 0},
		{"INSERT INTO " + pools + " (subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType) SELECT 1, 2", "42601", "the query gives 2 columns for 7", 0},
		{"UPDATE " + pools + " SET friendlyName = 'a', friendly_name = 'b' WHERE " + office4, "42601", "is given twice", 0},
		{"UPDATE " + pools + " SET friendlyName = DEFAULT WHERE " + office4, "HV002", "leaves nothing to send", 0},
		{"UPDATE " + pools + " SET maxSessionLimit = 'many' WHERE " + office4, "42804", "maxSessionLimit takes an integer", 0},
		{"UPDATE " + pools + " SET maxSessionLimit = name WHERE " + office4, "42804", "maxSessionLimit takes an integer", 1},
		{"UPDATE " + pools + " SET startVMOnConnect = 'perhaps' WHERE " + office4, "42804", "startVMOnConnect takes a boolean", 0},
		{"UPDATE " + pools + " SET tags = 'env' WHERE " + office4, "42804", "tags takes an object", 0},
		{"UPDATE " + pools + " SET friendlyName = nme WHERE " + office4, "42703", `no column "nme"`, 0},
		{"UPDATE " + pools + " SET objectId = 'x' WHERE " + office4, "22023", "objectId is read-only", 0},
		{"UPDATE " + pools + " SET hostPoolName = 'x' WHERE " + office4, "22023", "hostPoolName is a part of the name", 0},
		{"UPDATE " + pools + " SET friendlyName = v.n FROM (VALUES ('a'), ('b')) AS v(n) WHERE " + office4, "22023", "would be written twice, with different values", 1},
		{"UPDATE azure.desktop_virtualization.operations SET x = 1 WHERE true", "0A000", "has no method that serves UPDATE", 0},
		{"DELETE FROM " + sessions, "0A000", "without WHERE", 0},
		{"DELETE FROM " + sessions + " WHERE " + office4 + " AND (force = true OR sessionState = 'Active')", "22023", "force is a parameter of the call", 0},
		{"DELETE FROM " + sessions + " WHERE " + office4 + " AND sessionState = 'Active' RETURNING id", "0A000", "answers with nothing that RETURNING could show", 0},
		{"EXEC " + sessions + ".send_message @messageTitle = 'a' FROM (SELECT 1 AS n) AS t", "HV002", "needs @subscriptionId", 0},
		{"EXEC " + sessions + ".send_message @messageTitle = title FROM " + sessions + " WHERE " + office4, "42703", "title", 0},
		{"WITH x AS (DELETE FROM " + sessions + " WHERE " + office4 + ") SELECT 1", "0A000", "", 0},
	} {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		s := open(t, url, planeql.WithYes())
		_, err := query(t, s, c.text)
		e := fault.As(err)
		if e == nil || string(e.Code) != c.code || !strings.Contains(e.Message, c.message) {
			t.Errorf("%s\n got %v, want %s %s", c.text, err, c.code, c.message)
			continue
		}
		if e.Hint == "" && c.code != "42601" {
			t.Errorf("%s\n no hint: %s", c.text, printed(err))
		}
		if n := len(sim.Requests()); n != c.calls && c.calls >= 0 || len(writesOf(sim)) > 0 {
			t.Errorf("%s\n %d calls, want %d; %d writes", c.text, n, c.calls, len(writesOf(sim)))
		}
	}
}

// A session whose number went to another user between the reading and the
// log-off is not logged off; the statement says so and does the rest.
func TestWrites_recheck(t *testing.T) {
	const text = "DELETE %s FROM azure.desktop_virtualization.user_sessions WHERE " + office4 + " AND sessionHostName = 'office-0.contoso.com' AND sessionState = 'Disconnected' AND userPrincipalName LIKE '%%@%%'"
	for name, c := range map[string]struct {
		hint          string
		changed, done int
		deletes       int
	}{
		"read again": {"", 1, 4, 4}, "not read again": {"/*+ NO_RECHECK */", 0, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			var sim *armsim.Simulator
			sim, url := simulator(t, armsim.WithEstate(armsim.Small))
			confirm := func(_ context.Context, c planeql.Confirmation) (bool, error) { // a person takes a while
				if c.Count != 5 || !sim.ReuseSession(c.Sample[0], "other@contoso.com") {
					t.Errorf("asked about %d: %v", c.Count, c.Sample)
				}
				return true, nil
			}
			s := open(t, url, planeql.WithConfirm(confirm))
			rows, err := s.Query(t.Context(), fmt.Sprintf(text, c.hint))
			if err != nil {
				t.Fatal(printed(err))
			}
			outcomes := map[string]int{}
			for rows.Next() {
				outcomes[rows.Values()[1].(string)]++
			}
			rows.Close()
			if outcomes["changed"] != c.changed || outcomes["done"] != c.done || rows.Summary().Failed != c.changed || len(rows.Warnings()) != c.changed {
				t.Errorf("outcomes %v, %d failed, warnings %v", outcomes, rows.Summary().Failed, rows.Warnings())
			}
			if n := len(writesOf(sim)); n != c.deletes {
				t.Errorf("%d deletes", n)
			}
		})
	}
}

// The targets of a write are all of them or none is called.
func TestWrites_incomplete(t *testing.T) {
	deny := func(r *http.Request) armsim.Outcome {
		if strings.Contains(r.URL.Path, "hp-engineering/userSessions") && r.Method == http.MethodGet {
			return armsim.Outcome{Status: 403, Code: "AuthorizationFailed", Message: "no"}
		}
		return armsim.Outcome{}
	}
	const text = "DELETE FROM azure.desktop_virtualization.user_sessions WHERE " + weu + " AND sessionState = 'Disconnected'"
	for mode, code := range map[planeql.OnError]fault.Code{planeql.Skip: fault.Incomplete, planeql.Fail: fault.Forbidden} {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(deny))
		s := open(t, url, planeql.WithYes(), planeql.WithOnError(mode))
		_, err := query(t, s, text)
		if e := fault.As(err); e == nil || e.Code != code || len(writesOf(sim)) > 0 {
			t.Errorf("%s: %v, %d writes", mode, err, len(writesOf(sim)))
		}
	}
}

// /*+ ORDERED */ makes the calls one after another, in the order of the rows.
func TestWrites_ordered(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithYes())
	must(t, s, "EXEC /*+ ORDERED */ azure.desktop_virtualization.user_sessions.disconnect FROM azure.desktop_virtualization.user_sessions WHERE "+office4+
		" AND sessionHostName = 'office-0.contoso.com' AND sessionState = 'Active' ORDER BY userSessionId::INTEGER DESC")
	var order []string
	for _, r := range writesOf(sim) {
		parts := strings.Split(r.Path, "/")
		order = append(order, parts[len(parts)-2])
	}
	sorted := slices.Clone(order)
	slices.SortFunc(sorted, func(a, b string) int { return len(b)*100 - len(a)*100 + strings.Compare(b, a) })
	if len(order) < 4 || !slices.Equal(order, sorted) {
		t.Errorf("the order is %v", order)
	}
}

// Every form of write is refused by a run that may only read, before any call;
// a dry run of it makes no write. What only lists is allowed in both.
func TestWrites_readOnly(t *testing.T) {
	const d = "azure.desktop_virtualization."
	args := "@subscriptionId='" + prod + "', @resourceGroupName='rg-avd-prod-weu', @hostPoolName='hp-office', @sessionHostName='office-0.contoso.com', @userSessionId='3'"
	pool := "(subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType)"
	row := "'" + prod + "', 'rg-avd-prod-weu', 'hp-ro', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop'"
	key := office4 + " AND sessionHostName = 'office-0.contoso.com'"
	var cases []string
	for _, verb := range []string{"INSERT INTO", "INSERT OR REPLACE INTO", "INSERT OR IGNORE INTO", "REPLACE INTO", "INSERT /*+ ORDERED */ INTO"} {
		cases = append(cases,
			verb+" "+d+"host_pools "+pool+" VALUES ("+row+")", verb+" "+d+"host_pools "+pool+" SELECT "+row,
			"WITH w AS (SELECT 1) "+verb+" "+d+"host_pools "+pool+" SELECT "+row+" FROM w",
			verb+" azure.resources.resource_groups (subscriptionId, resourceGroupName, location) VALUES ('"+prod+"', 'rg-ro', 'westeurope') RETURNING id")
	}
	for _, where := range []string{key, office4 + " AND status = 'Available'", "allowNewSession", "sessionHostName IN (SELECT 'office-0.contoso.com')", "true"} {
		cases = append(cases, "UPDATE "+d+"session_hosts SET allowNewSession = false WHERE "+where, "DELETE FROM "+d+"session_hosts WHERE "+where,
			"UPDATE "+d+"session_hosts SET @@json = '{\"properties\": {}}' WHERE "+where+" RETURNING id",
			"WITH w AS (SELECT 1) DELETE FROM "+d+"session_hosts WHERE "+where, "DELETE FROM "+d+"session_hosts h USING (SELECT 1) AS w WHERE "+where)
	}
	cases = append(cases,
		"REPLACE "+d+"workspaces SET location = 'westeurope' WHERE "+weu+" AND workspaceName = 'w'", "REPLACE "+d+"workspaces SET location = 'westeurope' WHERE "+weu,
		"UPDATE "+d+"private_endpoint_connections SET properties = '{}' WHERE "+office4+" AND privateEndpointConnectionName = 'c'",
		"EXEC "+d+"user_sessions.disconnect "+args, "EXEC "+d+"user_sessions.delete "+args+", @force = true",
		"EXEC "+d+"user_sessions.send_message "+args+" @@json='{\"messageTitle\": \"a\"}'",
		"EXEC "+d+"user_sessions.disconnect FROM "+d+"user_sessions WHERE "+key, "WITH w AS (FROM "+d+"user_sessions) EXEC "+d+"user_sessions.disconnect FROM "+d+"user_sessions WHERE "+key,
		"EXEC "+d+"host_pools.update @subscriptionId='"+prod+"', @resourceGroupName='rg-avd-prod-weu', @hostPoolName='hp-office', @ring = 1",
		"EXEC azure.compute.virtual_machines.deallocate @subscriptionId='"+prod+"', @resourceGroupName='rg', @vmName='m'",
		"EXEC azure.resources.providers.register @subscriptionId='"+prod+"', @resourceProviderNamespace='Microsoft.Compute'",
		"SET VARIABLE x = (UPDATE "+d+"session_hosts SET allowNewSession = false WHERE "+key+" RETURNING id)",
	)
	for _, text := range slices.Clone(cases)[:20] {
		cases = append(cases, "SELECT 1; "+text, "EXPLAIN ANALYZE "+text)
	}
	if len(cases) < 60 {
		t.Fatalf("%d cases", len(cases))
	}
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s, dry := open(t, url, planeql.WithReadOnly(), planeql.WithYes()), open(t, url, planeql.WithDryRun(), planeql.WithReadOnly())
	for _, text := range cases {
		sim.ResetRequests()
		_, err := s.Exec(t.Context(), text)
		if e := fault.As(err); e == nil || e.Code != fault.ReadOnly || len(sim.Requests()) > 0 {
			t.Errorf("%s\n %v, %d calls", text, err, len(sim.Requests()))
		}
		_, err = dry.Exec(t.Context(), text)
		if e := fault.As(err); e != nil && e.Code == fault.ReadOnly || len(writesOf(sim)) > 0 {
			t.Errorf("a dry run of %s\n %v, %d writes", text, err, len(writesOf(sim)))
		}
	}
	sim.ResetRequests()
	must(t, s, "CREATE VIEW tokens AS SELECT token FROM "+d+"host_pools_registration_tokens WHERE "+office4)
	must(t, s, "SELECT token FROM tokens")
	must(t, s, "EXEC "+d+"host_pools.retrieve_registration_token @subscriptionId='"+prod+"', @resourceGroupName='rg-avd-prod-weu', @hostPoolName='hp-office'")
	if n := len(sim.Requests()); n != 2 {
		t.Errorf("%d calls of what only lists", n)
	}
}

// UPDATE of what takes no part is a read, the change put in, and a PUT of the
// whole, which is refused where somebody else was faster.
func TestWrites_merge(t *testing.T) {
	const id = officeID + "/privateEndpointConnections/c"
	const text = "UPDATE azure.desktop_virtualization.private_endpoint_connections SET privateLinkServiceConnectionState.description = 'by us' WHERE " +
		office4 + " AND privateEndpointConnectionName = 'c'"
	st := newStage(t)
	item := func(etag string) []byte {
		return []byte(`{"id":"` + id + `","name":"c","type":"t","etag":"` + etag + `","properties":{"groupIds":["connection"],"provisioningState":"Succeeded",` +
			`"privateLinkServiceConnectionState":{"status":"Approved","description":"was"}}}`)
	}
	for name, c := range map[string]struct {
		status int
		code   fault.Code
		dry    bool
	}{"merged": {status: 200}, "lost": {412, fault.Rejected, false}, "shown": {dry: true}} {
		t.Run(name, func(t *testing.T) {
			st.tell(func(h heard) reply {
				if h.method == http.MethodGet {
					return reply{status: 200, header: map[string]string{"ETag": `"7"`}, body: item("6")}
				}
				return reply{status: c.status, body: item("8")}
			})
			opts := []planeql.Option{planeql.WithYes()}
			if c.dry {
				opts = []planeql.Option{planeql.WithDryRun()}
			}
			rows, err := query(t, open(t, st.URL, opts...), text)
			body := `{"properties":{"privateLinkServiceConnectionState":{"status":"Approved","description":"by us"}}}`
			requests := st.told()
			if c.dry {
				if len(requests) != 1 || len(rows) != 1 || string(rows[0][2].(json.RawMessage)) != body {
					t.Errorf("%d requests, %s", len(requests), rows)
				}
				return
			}
			if len(requests) != 2 || requests[0].method != "GET" || requests[1].method != "PUT" || string(requests[1].body) != body || requests[1].match != `"7"` {
				t.Errorf("requests %+v", requests)
			}
			e := fault.As(err)
			if c.code == "" && err != nil || c.code != "" && (e == nil || e.Code != c.code || !strings.Contains(e.Message, "would have been lost")) {
				t.Errorf("%v", err)
			}
		})
	}
}
