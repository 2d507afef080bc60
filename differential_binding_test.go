package planeql_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// calls gives the paths of the lists and reads that were asked for, further
// pages left out.
func calls(sim *armsim.Simulator) []string {
	var all []string
	for _, r := range sim.Requests() {
		if r.Method == http.MethodGet && !strings.Contains(strings.ToLower(r.RawQuery), "skiptoken") {
			all = append(all, r.Path)
		}
	}
	return all
}

const (
	scope = "subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu'"
)

// bindings are conditions in which parameters stand in unusual places: how many
// calls they cost, or the code they are refused with. The rows are those that
// the condition keeps of all sessions of the pools it can name.
var bindings = []struct {
	where string
	plain string // where the same words do not ignore case in a table
	args  []any
	calls int
	code  string
}{
	{where: "'hp-office' = hostPoolName AND " + scope, calls: 1},
	{where: scope + " AND hostPoolName IN ('hp-office', 'HP-OFFICE', 'Hp-Office')", calls: 1},
	{where: scope + " AND hostPoolName IN ('hp-office', 'HP-OFFICE', 'hp-engineering')", calls: 2},
	{where: scope + " AND (hostPoolName = 'hp-office' OR hostPoolName = 'HP-ENGINEERING')", calls: 2},
	{where: scope + " AND hostPoolName = 'hp-office' AND hostPoolName = 'HP-OFFICE'", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-office' AND hostPoolName = 'hp-engineering'", calls: 0},
	{where: scope + " AND hostPoolName IN ('hp-office', 'hp-engineering') AND hostPoolName IN ('HP-ENGINEERING', 'hp-none')", calls: 1},
	{where: scope + " AND hostPoolName = NULL", calls: 0},
	{where: scope + " AND hostPoolName IN ('hp-office', NULL)", calls: 1},
	{where: scope + " AND hostPoolName IN (NULL)", calls: 0},
	{where: scope + " AND hostPoolName = lower('HP-OFFICE')", calls: 1},
	{where: scope + " AND hostPoolName = concat('hp-', 'off', 'ice')", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-' || 'office'", calls: 1},
	{where: scope + " AND hostPoolName IN ('HP-OFFICE', lower('HP-OFFICE'), upper('hp-office'))", calls: 1},
	{where: scope + " AND hostPoolName IN (['hp-office'][1], ['hp-engineering'][1])", calls: 2},
	{where: scope + " AND hostPoolName IN (nullif('a', 'a'), CASE WHEN true THEN 'hp-engineering' END)", calls: 1},
	{where: scope + " AND hostPoolName = (CASE WHEN 1 = 1 THEN 'hp-engineering' ELSE 'hp-office' END)", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-engineering' AND hostPoolName = lower('HP-OFFICE')", calls: 0},
	{where: "subscriptionId = $1 AND resourceGroupName = $2 AND hostPoolName = $3", args: []any{armsim.ProductionSubscription, "rg-avd-prod-weu", "hp-office"}, calls: 1},
	{where: scope + " AND hostPoolName IN (?, ?)", args: []any{"hp-office", "HP-Office"}, calls: 1},
	{where: scope + " AND hostPoolName = ?", args: []any{nil}, calls: 0},
	{where: "(subscriptionId, resourceGroupName, hostPoolName) IN (('" + armsim.ProductionSubscription + "', 'rg-avd-prod-weu', 'hp-office'), ('" + armsim.ProductionSubscription + "', 'RG-AVD-PROD-WEU', 'HP-OFFICE'))", calls: 1},
	{where: "(hostPoolName, resourceGroupName) = ('HP-OFFICE', 'rg-avd-prod-weu') AND subscription_id = '" + armsim.ProductionSubscription + "'", calls: 1, plain: "hostPoolName = 'hp-office' AND resourceGroupName = 'rg-avd-prod-weu'"},
	{where: "(" + scope + " AND hostPoolName = 'hp-office') OR (" + scope + " AND hostPoolName = 'hp-engineering')", calls: 2},
	{where: "((" + scope + " AND hostPoolName = 'hp-office') OR (" + scope + " AND hostPoolName = 'hp-engineering')) AND sessionState = 'Active'", calls: 2},
	{where: "(" + scope + " AND hostPoolName = 'hp-office') OR (" + scope + " AND hostPoolName = 'hp-office' AND sessionState = 'Active')", calls: 1},
	{where: "(" + scope + " AND hostPoolName = 'hp-office') OR (" + scope + " AND hostPoolName = 'hp-engineering' AND sessionHostName LIKE '%-0.%')", calls: 2},
	{where: scope + " AND hostPoolName = 'hp-office' AND sessionHostName IN ('office-0.contoso.com', 'OFFICE-0.contoso.com', 'office-1.contoso.com')", calls: 2},
	{where: scope + " AND hostPoolName = 'hp-office' AND (sessionHostName = 'office-0.contoso.com' OR sessionState = 'Pending')", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-office' AND sessionHostName = 'office-0.contoso.com' AND userSessionId IN ('2', '3', '2', '999')", calls: 3},
	{where: scope + " AND hostPoolName = 'hp-office' AND (sessionHostName, userSessionId) IN (('office-0.contoso.com', '2'), ('Office-1.contoso.com', '3'))", calls: 2,
		plain: "sessionHostName = 'office-0.contoso.com' AND userSessionId = '2' OR sessionHostName = 'office-1.contoso.com' AND userSessionId = '3'"},
	{where: scope + " AND hostPoolName = 'hp-office' AND userSessionId = 3", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-office' AND NOT (hostPoolName = 'hp-engineering')", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-office' AND hostPoolName NOT IN ('hp-engineering')", calls: 1},
	{where: scope + " AND hostPoolName = 'hp-office' AND false", calls: 0},
	{where: scope + " AND hostPoolName = 'hp-office' AND (hostPoolName = 'hp-engineering' OR sessionState = 'Active')", calls: 1},

	{where: scope, calls: 3},
	{where: scope + " AND hostPoolName <> 'hp-office'", calls: 2},
	{where: scope + " AND NOT (hostPoolName = 'hp-office')", calls: 2},
	{where: scope + " AND hostPoolName LIKE 'hp-office'", calls: 2},
	{where: scope + " AND (hostPoolName = 'hp-office' OR sessionState = 'Active')", calls: 3},
	{where: "(" + scope + " AND hostPoolName = 'hp-office') OR sessionState = 'Active'", calls: 7},
	{where: scope + " AND (hostPoolName = 'hp-office' OR true)", calls: 3},
	{where: scope + " AND (hostPoolName IS NOT DISTINCT FROM 'hp-office')", calls: 2},
	{where: scope + " AND CASE WHEN hostPoolName = 'hp-office' THEN true END", calls: 2},
	{where: scope + " AND (hostPoolName = 'hp-office') = false", calls: 2},
	{where: scope + " AND hostPoolName = sessionHostName", calls: 3},
	{where: scope + " AND hostPoolName = 'hp-office' AND pageSize > 10", code: "22023"},
	{where: scope + " AND hostPoolName = 'hp-office' AND (pageSize = 10 OR sessionState = 'Active')", code: "0A000"},
	{where: scope + " AND hostPoolName = 'hp-office' AND pageSize = 'many'", code: "22023"},
	{where: scope + " AND hostPoolName = ''", code: "22023"},
	{where: scope + " AND hostPoolName = '..'", code: "22023"},
}

// A condition that binds parameters keeps the rows that it keeps of a table,
// costs each call once, and is refused where rows would be missing.
func TestDifferential_bindings(t *testing.T) {
	p := newPair(t)
	for _, row := range must(t, p.session, "SELECT _raw FROM "+resource+" WHERE hostPoolName <> 'hp-office'") {
		p.items = append(p.items, tableRow(t, row[0].(json.RawMessage)))
	}
	p.plain = plainTable(t, p.items)
	for _, b := range bindings {
		p.sim.ResetRequests()
		const list = "SELECT lower(id), sessionState FROM "
		rows, err := query(t, p.session, list+resource+" WHERE "+b.where, b.args...)
		sent := calls(p.sim)
		if b.code != "" {
			checkRefused(t, b.where, err, b.code, sent)
			continue
		}
		if err != nil {
			t.Errorf("%s\n%s", b.where, printed(err))
			continue
		}
		if len(sent) != b.calls {
			t.Errorf("%s: %d calls, not %d: %s", b.where, len(sent), b.calls, strings.Join(sent, "\n"))
		}
		want, err := p.plainRows(list+"sessions WHERE "+cmp.Or(b.plain, b.where), b.args...)
		if err != nil {
			t.Fatalf("%s: %v", b.where, err)
		}
		p.compare(t, b.where, rows, want, false)
	}
}

func checkRefused(t *testing.T, where string, err error, code string, sent []string) {
	t.Helper()
	e, _ := errors.AsType[*planeql.Error](err)
	if e == nil || string(e.Code) != code {
		t.Errorf("%s: error = %v, want code %s", where, err, code)
	}
	if len(sent) > 0 {
		t.Errorf("%s: %d calls before the error", where, len(sent))
	}
}

// Identifiers ignore case whatever is asked of them.
func TestDifferential_identifiers(t *testing.T) {
	p := newPair(t)
	for _, c := range []struct{ list, want string }{
		{"bool_and(hostPoolName = 'HP-OFFICE')", "true"},
		{"bool_and(host_pool_name IN ('x', 'Hp-Office'))", "true"},
		{"bool_and(hostPoolName LIKE 'HP-%')", "true"},
		{"bool_or(hostPoolName <> 'HP-OFFICE')", "false"},
		{"bool_and((hostPoolName, resourceGroupName) = ('HP-OFFICE', 'RG-AVD-PROD-WEU'))", "true"},
		{"count(DISTINCT sessionHostName)", "4"},
		{"count(DISTINCT (sessionHostName, hostPoolName))", "4"},
		{"len(list(DISTINCT sessionHostName))", "4"},
		{"count(DISTINCT sessionHostName COLLATE NOCASE)", "4"},
		{"count(DISTINCT user_sessions.session_host_name)", "4"},
		{"(SELECT count(*) FROM (SELECT DISTINCT sessionHostName FROM " + resource + " WHERE " + pool + "))", "4"},
		{"count(*) FILTER (sessionHostName = 'OFFICE-1.contoso.COM')", "16"},
	} {
		rows := must(t, p.session, "SELECT "+c.list+" FROM "+resource+" WHERE "+pool)
		if len(rows) == 0 || line(rows[0][:1]) != c.want {
			t.Errorf("%s = %v, want %s", c.list, rows, c.want)
		}
	}
}
