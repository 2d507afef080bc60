package planeql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// A variable has the value and the type that it was given, and binds parameters
// like a value written there.
func TestVariables(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url)
	const sessions = " FROM azure.desktop_virtualization.user_sessions WHERE subscriptionId = '" + armsim.ProductionSubscription +
		"' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName "
	for _, step := range []struct {
		text, want string
		calls      int
	}{
		{"SET VARIABLE pool = 'HP-Office'", "[]", 0},
		{"SELECT count(*)" + sessions + "= getvariable('pool')", "[[56]]", 1},
		{"SELECT count(*)" + sessions + "= getvariable('pool') LIMIT 1", "[[56]]", 1},
		{"SET VARIABLE pools = (SELECT list(name ORDER BY name) FROM azure.desktop_virtualization.host_pools WHERE subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu')", "[]", 1},
		{"SELECT getvariable('pools'), typeof(getvariable('POOLS'))", `[[["hp-engineering","hp-office"] VARCHAR[]]]`, 0},
		{"SELECT count(*)" + sessions + "IN (getvariable('pools'))", "[[82]]", 2},
		{"SELECT count(*)" + sessions + "= ANY(getvariable('pools'))", "[[82]]", 2},
		{"CREATE VIEW office AS SELECT name" + sessions + "= getvariable('pool')", "[]", 0},
		{"SELECT count(*) FROM office", "[[56]]", 1},
		{"SET VARIABLE pool = 'hp-engineering'", "[]", 0},
		{"SELECT count(*) FROM office", "[[26]]", 1},
		{"CREATE TABLE kept AS SELECT name" + sessions + "= getvariable('pool')", "[[26]]", 1},
		{"SET VARIABLE n = 41", "[]", 0},
		{"SET VARIABLE n = getvariable('n') + ?", "[]", 0},
		{"SELECT getvariable('n'), typeof(getvariable('n'))", "[[42 INTEGER]]", 0},
		{"SET VARIABLE b = 9007199254740993", "[]", 0},
		{"SELECT getvariable('b'), typeof(getvariable('b'))", "[[9007199254740993 BIGINT]]", 0},
		{"SET VARIABLE t = TIMESTAMPTZ '2026-01-02 03:04:05.678+00'", "[]", 0},
		{"SELECT epoch_ms(getvariable('t')), typeof(getvariable('t'))", "[[1767323045678 TIMESTAMP WITH TIME ZONE]]", 0},
		{"SET VARIABLE s = {'a': 'it''s, [x]', 'b': [true, NULL]}", "[]", 0},
		{"SELECT getvariable('s').a, getvariable('s').b[1]", "[[it's, [x] true]]", 0},
		{"SET VARIABLE nothing = NULL", "[]", 0},
		{"SELECT getvariable('nothing') IS NULL", "[[true]]", 0},
		{"SET VARIABLE none = []::VARCHAR[]", "[]", 0},
		{"SELECT count(*)" + sessions + "IN (getvariable('none'))", "[[0]]", 0},
		{"CREATE MACRO twice() AS getvariable('n') * 2", "[]", 0},
		{"SELECT twice()", "[[84]]", 0},
	} {
		sim.ResetRequests()
		var args []any
		if strings.Contains(step.text, "?") {
			args = append(args, 1)
		}
		if got := printedRows(must(t, s, step.text, args...)); got != step.want && !strings.HasPrefix(step.text, "CREATE MACRO") {
			t.Errorf("%s\ngives %s\nwant  %s", step.text, got, step.want)
		}
		if got := len(sim.Requests()); got > step.calls || step.calls > 0 && got == 0 {
			t.Errorf("%s: %d calls, want %d", step.text, got, step.calls)
		}
	}
}

func printedRows(rows [][]any) string {
	for _, row := range rows {
		for i, v := range row {
			if raw, ok := v.(interface{ MarshalJSON() ([]byte, error) }); ok {
				text, _ := raw.MarshalJSON()
				row[i] = string(text)
			}
		}
	}
	return fmt.Sprint(rows)
}

// A statement that runs while the rows of another are open has the variables too.
func TestVariables_besideOpenRows(t *testing.T) {
	_, url := simulator(t)
	s := open(t, url)
	must(t, s, "SET VARIABLE pool = 'hp-office'")
	rows, err := s.Query(context.Background(), "FROM range(100000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	const count = "SELECT count(*) FROM azure.desktop_virtualization.user_sessions WHERE hostPoolName = getvariable('pool')"
	if got := fmt.Sprint(must(t, s, count)); got != "[[56]]" {
		t.Errorf("%s, want 56", got)
	}
}

// What a write returns becomes the value of a variable; its outcome stays to be
// asked for, that of a write that failed too.
func TestVariables_write(t *testing.T) {
	_, url := simulator(t)
	s := open(t, url, planeql.WithYes())
	const path = "@subscriptionId = '" + armsim.ProductionSubscription + "', @resourceGroupName = 'rg-avd-prod-weu', @hostPoolName = "
	const token = "EXEC azure.desktop_virtualization.host_pools.retrieve_registration_token " + path
	must(t, s, "SET VARIABLE id = ("+token+"'hp-office' RETURNING 'x' || coalesce(token, 'none'))")
	if got := fmt.Sprint(must(t, s, "SELECT getvariable('id')")); got != "[[xnone]]" {
		t.Errorf("the value is %s", got)
	}
	const outcomes = "SELECT right(id, 9), outcome, status FROM planeql_outcomes()"
	if got := fmt.Sprint(must(t, s, outcomes)); got != "[[hp-office done 200]]" {
		t.Errorf("the outcome is %s", got)
	}
	must(t, s, "SET VARIABLE ids = ARRAY("+token+"'hp-office' RETURNING 1)")
	if got := printedRows(must(t, s, "SELECT getvariable('ids')")); got != "[[[1]]]" {
		t.Errorf("the list is %s", got)
	}
	if _, err := query(t, s, "SET VARIABLE id = ("+token+"'hp-nowhere' RETURNING token)"); err == nil {
		t.Error("no error")
	}
	if got := fmt.Sprint(must(t, s, outcomes+" o JOIN (SELECT 1 AS one) ON true")); got != "[[p-nowhere failed 404]]" {
		t.Errorf("the outcome is %s", got)
	}
	if _, err := query(t, s, "SELECT getvariable('id')"); fault.As(err) == nil || fault.As(err).Code != fault.UndefinedParameter {
		t.Errorf("the old value is still there: %v", err)
	}
}

func TestVariables_errors(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url)
	must(t, s, "SET VARIABLE pool = 'hp-office'")
	must(t, s, "CREATE TABLE t (a INTEGER)")
	const exec = "EXEC azure.desktop_virtualization.host_pools.retrieve_registration_token @subscriptionId = '" + armsim.ProductionSubscription +
		"', @resourceGroupName = 'rg-avd-prod-weu', @hostPoolName = 'hp-office'"
	const logOff = "EXEC azure.desktop_virtualization.user_sessions.disconnect @subscriptionId = '" + armsim.ProductionSubscription +
		"', @resourceGroupName = 'rg-avd-prod-weu', @hostPoolName = 'hp-office', @sessionHostName = 'office-0.contoso.com', @userSessionId = '3'"
	for text, want := range map[string]struct {
		code    fault.Code
		message string
		hint    string
	}{
		"SELECT getvariable('pol')":                   {fault.UndefinedParameter, `the variable "pol" is not set`, "did you mean pool?"},
		"SELECT getvariable('other')":                 {fault.UndefinedParameter, `the variable "other" is not set`, "SET VARIABLE other = "},
		"SET VARIABLE x = (SELECT unnest([1, 2]))":    {fault.InvalidValue, "more than one row", ""},
		"SET VARIABLE x = ('a'::INTEGER)":             {fault.TypeMismatch, "", ""},
		"SET VARIABLE x = (" + logOff + ")":           {fault.SyntaxError, "the statement returns no value", "RETURNING names it"},
		"SET VARIABLE x = (" + exec + " RETURNING *)": {fault.InvalidValue, "the statement returns 3 columns", "RETURNING one column"},
		"SET VARIABLE x = (DELETE FROM t)":            {fault.NotSupported, "a write to a table", "SET VARIABLE name = (SELECT …)"},
		"CREATE VIEW v AS FROM planeql_outcomes()":    {fault.NotSupported, "a view of planeql_outcomes()", "CREATE TABLE … AS"},
	} {
		sim.ResetRequests()
		_, err := query(t, s, text)
		e := fault.As(err)
		if e == nil || e.Code != want.code || !strings.Contains(e.Message, want.message) || !strings.Contains(e.Hint, want.hint) || e.Span.Source == nil {
			t.Errorf("%s\n%v", text, err)
		}
		if len(sim.Requests()) > 0 {
			t.Errorf("%s: a request was sent", text)
		}
	}
}

// Exec stops at the first error, or goes on and gives the errors of all.
func TestExec_onError(t *testing.T) {
	_, url := simulator(t)
	s := open(t, url)
	sum, err := s.Exec(context.Background(), "CREATE TABLE t (a INTEGER); SELECT * FROM nowhere; INSERT INTO t VALUES (1)")
	if err == nil || strings.Contains(err.Error(), "\n") || fmt.Sprint(must(t, s, "SELECT count(*) FROM t")) != "[[0]]" {
		t.Errorf("%+v, %v", sum, err)
	}
	_, err = s.Exec(context.Background(), "ON ERROR CONTINUE; SELECT * FROM nowhere; SELECT * FROM elsewhere; INSERT INTO t VALUES (1)")
	if err == nil || !strings.Contains(err.Error(), "nowhere") || !strings.Contains(err.Error(), "elsewhere") ||
		fmt.Sprint(must(t, s, "SELECT count(*) FROM t")) != "[[1]]" {
		t.Errorf("%v", err)
	}
	if _, err = s.Exec(context.Background(), "ON ERROR STOP; SELECT * FROM nowhere; INSERT INTO t VALUES (1)"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

// EXPLAIN shows what a variable and a check read, and sends nothing.
func TestVariables_explained(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url)
	for text, want := range map[string]string{
		"EXPLAIN SET VARIABLE a = (SELECT max(displayName) FROM azure.subscription.subscriptions)": "scan subscriptions",
		"EXPLAIN SET VARIABLE a = 1 + 1":                                            "DuckDB alone",
		"EXPLAIN CHECK (SELECT count(*) > 0 FROM azure.subscription.subscriptions)": "scan subscriptions",
		"EXPLAIN ON ERROR CONTINUE":                                                 "",
		"EXPLAIN RESET VARIABLE a":                                                  "",
		"EXPLAIN SET VARIABLE a = (EXEC azure.desktop_virtualization.user_sessions.disconnect @subscriptionId = '" + armsim.ProductionSubscription +
			"', @resourceGroupName = 'rg', @hostPoolName = 'p', @sessionHostName = 'h', @userSessionId = '3')": "disconnect",
	} {
		if got := fmt.Sprint(must(t, s, text)); !strings.Contains(got, want) {
			t.Errorf("%s\n%s", text, got)
		}
	}
	if n := len(sim.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	if s.KeepsGoing() {
		t.Error("EXPLAIN ran the statement")
	}
}

// A variable stands in every part of a write, and in a list of what a set of
// writes returned.
func TestVariables_inWrites(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url, planeql.WithYes())
	must(t, s, "USE azure.desktop_virtualization")
	must(t, s, "SET VARIABLE sub = '"+armsim.ProductionSubscription+"'")
	must(t, s, "SET VARIABLE rg = 'rg-avd-prod-weu'")
	must(t, s, "SET VARIABLE names = ['hp-a', 'hp-b']")
	const insert = "INSERT INTO host_pools (subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType) " +
		"SELECT getvariable('sub'), getvariable('rg'), unnest(getvariable('names')), 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop' RETURNING name"
	if _, err := query(t, s, "SET VARIABLE made = ("+insert+")"); fault.As(err) == nil || fault.As(err).Code != fault.DataException {
		t.Errorf("two rows for one value: %v", err)
	}
	if got := fmt.Sprint(must(t, s, "SELECT outcome FROM planeql_outcomes()")); got != "[[done] [done]]" {
		t.Errorf("the outcomes are %s", got)
	}
	must(t, s, "DELETE FROM host_pools WHERE subscriptionId = getvariable('sub') AND resourceGroupName = getvariable('rg') AND hostPoolName IN (getvariable('names'))")
	must(t, s, "SET VARIABLE made = ARRAY("+insert+")")
	if got := printedRows(must(t, s, "SELECT list_sort(getvariable('made'))")); got != `[[["hp-a","hp-b"]]]` {
		t.Errorf("made: %s", got)
	}
	must(t, s, "SET VARIABLE title = 'A'")
	must(t, s, "UPDATE host_pools SET friendlyName = getvariable('title') WHERE hostPoolName = ANY(getvariable('made'))")
	if got := fmt.Sprint(must(t, s, "SELECT name, friendlyName FROM host_pools WHERE friendlyName = getvariable('title') ORDER BY 1")); got != "[[hp-a A] [hp-b A]]" {
		t.Errorf("updated: %s", got)
	}
	sim.ResetRequests()
	must(t, s, "EXEC user_sessions.send_message @subscriptionId = getvariable('sub'), @resourceGroupName = getvariable('rg'), @hostPoolName = 'hp-office', "+
		"@sessionHostName = 'office-0.contoso.com', @userSessionId = '3', @messageTitle = getvariable('title'), @messageBody = 'b'")
	if r := sim.Requests(); len(r) != 1 || string(r[0].Body) != `{"messageBody":"b","messageTitle":"A"}` {
		t.Errorf("requests: %+v", r)
	}
	if _, err := query(t, s, "DELETE FROM host_pools WHERE hostPoolName = getvariable('nobody')"); fault.As(err) == nil || fault.As(err).Code != fault.UndefinedParameter {
		t.Errorf("an unknown one: %v", err)
	}
}
