package planeql_test

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// seedBlocks gives the SQL blocks of the page that started the project, as
// printed.
func seedBlocks(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile(shared(t, "seed", "azure.desktop_virtualization.user_sessions.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) != 6 {
		t.Fatalf("the page has %d SQL blocks, not 6", len(blocks))
	}
	return blocks
}

// aSession gives the names of an active session of the small estate.
func aSession(t *testing.T, s *planeql.Session) map[string]string {
	t.Helper()
	rows := must(t, s, `SELECT subscription_id, resource_group_name, host_pool_name, session_host_name, user_session_id, user_principal_name
		FROM azure.desktop_virtualization.user_sessions
		WHERE subscription_id = '`+armsim.ProductionSubscription+`' AND resource_group_name = 'rg-avd-prod-weu' AND host_pool_name = 'hp-office'
		AND session_state = 'Active' ORDER BY id LIMIT 1`)
	values := map[string]string{}
	for i, name := range []string{"subscriptionId", "resourceGroupName", "hostPoolName", "sessionHostName", "userSessionId", "user"} {
		values[name] = rows[0][i].(string)
	}
	return values
}

// seedCase is what a block of the page must send and give.
type seedCase struct {
	method, path string
	query        url.Values
	body         string
	rows         func(t *testing.T, rows [][]any)
}

const seedPool = "/subscriptions/SUB/resourceGroups/rg-avd-prod-weu/providers/Microsoft.DesktopVirtualization/hostPools/hp-office"

// seedCases gives the cases in the order of the page.
func seedCases(values map[string]string) []seedCase {
	host := seedPool + "/sessionHosts/" + values["sessionHostName"]
	one := host + "/userSessions/" + values["userSessionId"]
	version := "2024-04-03"
	count := func(least int) func(*testing.T, [][]any) {
		return func(t *testing.T, rows [][]any) {
			if len(rows) < least || len(rows[0]) != 5 {
				t.Errorf("%d rows", len(rows))
			}
		}
	}
	done := func(t *testing.T, rows [][]any) {
		if len(rows) != 1 || rows[0][1] != "done" {
			t.Errorf("outcome = %v", rows)
		}
	}
	return []seedCase{
		{"GET", one, url.Values{"api-version": {version}}, "", func(t *testing.T, rows [][]any) {
			if len(rows) != 1 || !strings.EqualFold(rows[0][0].(string), strings.Replace(one, "SUB", values["subscriptionId"], 1)) {
				t.Errorf("rows = %v", rows)
			}
		}},
		{"GET", host + "/userSessions", url.Values{
			"api-version": {version}, "pageSize": {"100"}, "isDescending": {"true"}, "initialSkip": {"0"},
		}, "", count(1)},
		{"GET", seedPool + "/userSessions", url.Values{
			"api-version": {version}, "$filter": {"userPrincipalName eq '" + values["user"] + "'"},
			"pageSize": {"100"}, "isDescending": {"true"}, "initialSkip": {"0"},
		}, "", count(1)},
		{"DELETE", one, url.Values{"api-version": {version}, "force": {"true"}}, "", done},
		{"POST", one + "/disconnect", url.Values{"api-version": {version}}, "", done},
		{"POST", one + "/sendMessage", url.Values{"api-version": {version}},
			`{"messageTitle": "It's time", "messageBody": "Say \"bye\",\nplease"}`, done},
	}
}

// fillSeed adds the values of the page's other placeholders to the names of a
// session.
func fillSeed(values map[string]string) {
	values["$filter"] = "userPrincipalName eq '" + values["user"] + "'"
	for name, value := range map[string]string{
		"pageSize": "100", "isDescending": "true", "initialSkip": "0", "force": "true",
		"messageTitle": "It's time", "messageBody": "Say \"bye\",\nplease",
	} {
		values[name] = value
	}
}

// Every statement of the page runs as printed and sends exactly its request.
func TestSeedPage(t *testing.T) {
	blocks := seedBlocks(t)
	for i, block := range blocks {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		values := aSession(t, open(t, url))
		c := seedCases(values)[i]
		fillSeed(values)
		s := open(t, url, planeql.WithVariables(values))
		sim.ResetRequests()
		rows := must(t, s, block)
		c.rows(t, rows)
		checkSeedRequest(t, sim.Requests(), c, values["subscriptionId"])
	}
}

func checkSeedRequest(t *testing.T, requests []armsim.Request, c seedCase, subscription string) {
	t.Helper()
	if len(requests) != 1 {
		t.Fatalf("%d requests were sent", len(requests))
	}
	r := requests[0]
	if r.Method != c.method || r.Path != strings.Replace(c.path, "SUB", subscription, 1) {
		t.Errorf("request = %s %s, want %s %s", r.Method, r.Path, c.method, c.path)
	}
	if diff := cmp.Diff(c.query, r.Query); diff != "" {
		t.Errorf("query: %s", diff)
	}
	if c.body == "" && len(r.Body) > 0 {
		t.Errorf("body = %s", r.Body)
	}
	if c.body != "" {
		var got, want any
		if json.Unmarshal([]byte(c.body), &want) != nil || json.Unmarshal(r.Body, &got) != nil || !cmp.Equal(got, want) {
			t.Errorf("body = %s, want %s", r.Body, c.body)
		}
	}
}

// What the statements change is seen afterwards: a disconnected session is
// Disconnected, a message has been shown, a deleted session is gone.
func TestSeedPage_effects(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	values := aSession(t, open(t, url))
	values["messageTitle"], values["messageBody"], values["force"] = "Maintenance", "Please save your work", "true"
	s := open(t, url, planeql.WithVariables(values))
	blocks := seedBlocks(t)
	state := func() [][]any {
		return must(t, s, strings.Replace(blocks[0], "SELECT\nid,", "SELECT\nsessionState, id,", 1))
	}
	must(t, s, blocks[5])
	if m := sim.Messages(); len(m) != 1 || m[0].Title != "Maintenance" || m[0].Body != "Please save your work" {
		t.Errorf("messages = %+v", m)
	}
	must(t, s, blocks[4])
	if rows := state(); len(rows) != 1 || rows[0][0] != "Disconnected" {
		t.Errorf("after disconnect: %v", rows)
	}
	must(t, s, blocks[3])
	if rows := state(); len(rows) != 0 {
		t.Errorf("after delete: %v", rows)
	}
}

// The fields and the methods are those of the page.
func TestSeedPage_catalog(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Empty))
	s := open(t, url)
	fields := [][]string{{"id", "string (arm-id)"}, {"name", "string"}, {"properties", "object"}, {"systemData", "object"}, {"type", "string"}}
	rows := must(t, s, "DESCRIBE azure.desktop_virtualization.user_sessions")
	if len(rows) != len(fields) {
		t.Fatalf("DESCRIBE = %v", rows)
	}
	for i, f := range fields {
		if rows[i][0] != f[0] || rows[i][1] != f[1] || rows[i][2] == "" {
			t.Errorf("DESCRIBE row %d = %v, want %v", i, rows[i], f)
		}
	}
	all := "subscriptionId, resourceGroupName, hostPoolName, sessionHostName, userSessionId"
	pool := "subscriptionId, resourceGroupName, hostPoolName"
	want := [][]any{
		{"get", "SELECT", all, ""},
		{"list", "SELECT", pool + ", sessionHostName", "pageSize, isDescending, initialSkip"},
		{"list_by_host_pool", "SELECT", pool, "$filter, pageSize, isDescending, initialSkip"},
		{"delete", "DELETE", all, "force"},
		{"disconnect", "EXEC", all, ""},
		{"send_message", "EXEC", all, ""},
	}
	if diff := cmp.Diff(want, must(t, s, "SHOW METHODS IN azure.desktop_virtualization.user_sessions")); diff != "" {
		t.Errorf("SHOW METHODS: %s", diff)
	}
}
