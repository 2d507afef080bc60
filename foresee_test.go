package planeql_test

import (
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// A script whose last statement has a wrong name fails before its first call; a
// name that an earlier statement makes, and a script that goes on after errors,
// are left to the run.
func TestForesee(t *testing.T) {
	const pools = "SELECT count(*) FROM azure.desktop_virtualization.host_pools;"
	for _, c := range []struct {
		text  string
		code  fault.Code // empty: it runs
		calls bool
	}{
		{pools + "USE azure.desktop_virtualization; SELECT 1; UPDATE session_hosts SET allowNewSessions = false WHERE hostPoolName = 'hp-office'; SELECT 2", fault.UndefinedParameter, false},
		{pools + "USE azure.desktop_virtualization; DELETE FROM user_sessions WHERE sesionState = 'Disconnected'", fault.UndefinedColumn, false},
		{pools + "DELETE FROM azure.desktop_virtualization.user_session WHERE true", fault.UndefinedTable, false},
		{pools + "EXEC azure.desktop_virtualization.user_sessions.disconect @userSessionId = '1'", fault.UndefinedMethod, false},
		{pools + "EXEC azure.desktop_virtualization.user_sessions.disconnect @userSessionId = '1'", fault.MissingParameter, false},
		{pools + "UPDATE azure.desktop_virtualization.session_hosts SET allowNewSession = 'perhaps' WHERE " + office4, fault.TypeMismatch, false},
		{pools + "SET VARIABLE pool = 'hp-office'; SELECT name FROM azure.desktop_virtualization.host_pools WHERE name = getvariable('pol')", fault.UndefinedParameter, false},
		{pools + "SET VARIABLE pool = 'hp-office'; CHECK (SELECT nam = '' FROM azure.desktop_virtualization.host_pools WHERE name = getvariable('pool'))", fault.UndefinedColumn, false},
		{pools + "EXPLAIN SELECT nam FROM azure.desktop_virtualization.host_pools", fault.UndefinedColumn, false},

		{"USE azure.desktop_virtualization; " + pools + "CREATE TEMP TABLE host_pools AS SELECT 1 AS nam; SELECT nam FROM host_pools", "", true},
		{"SET VARIABLE pools = (SELECT list(name) FROM azure.desktop_virtualization.host_pools); SELECT count(*) FROM azure.desktop_virtualization.host_pools WHERE name IN (getvariable('pools')) AND name LIKE getvariable('pools')[1]", "", true},
		{pools + "SELECT outcome FROM planeql_outcomes(); SELECT message FROM planeql_warnings()", "", true},
		{"ON ERROR CONTINUE; " + pools + "SELECT nam FROM azure.desktop_virtualization.host_pools", fault.UndefinedColumn, true},
	} {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		s := open(t, url, planeql.WithYes())
		_, err := s.Exec(t.Context(), c.text)
		if e := fault.As(err); err != nil && e == nil || e != nil && e.Code != c.code || e == nil && c.code != "" {
			t.Errorf("%s\n%s, want %s", c.text, shown(err), c.code)
		}
		if n := len(sim.Requests()); n > 0 != c.calls {
			t.Errorf("%s\n%d calls", c.text, n)
		}
	}
}

// A write stands alone or in SET VARIABLE; elsewhere the error says what takes
// its place.
func TestInnerWrite(t *testing.T) {
	s := open(t, "http://127.0.0.1:1")
	const sessions = "azure.desktop_virtualization.user_sessions"
	for _, text := range []string{
		"WITH gone AS (DELETE FROM " + sessions + " WHERE true RETURNING id) SELECT * FROM gone",
		"WITH a AS (SELECT 1), gone AS (DELETE /*+ ORDERED */ FROM " + sessions + " WHERE true RETURNING id) SELECT * FROM gone",
		"WITH set AS (UPDATE " + sessions + " SET a = 1 WHERE true RETURNING id) INSERT INTO t SELECT * FROM set",
		"CREATE TABLE t AS DELETE FROM " + sessions + " WHERE true RETURNING id", "CREATE TEMP TABLE t AS (INSERT INTO " + sessions + " (a) VALUES (1))",
		"SELECT * FROM (EXEC " + sessions + ".disconnect @userSessionId = '1') AS e", "INSERT INTO t EXEC " + sessions + ".disconnect @userSessionId = '1'",
		"COPY (REPLACE INTO " + sessions + " (a) VALUES (1) RETURNING id) TO 'x.csv'",
	} {
		_, err := query(t, s, text)
		if e := fault.As(err); e == nil || e.Code != fault.NotSupported || !strings.Contains(e.Hint, "planeql_outcomes()") || !strings.Contains(e.Hint, "SET VARIABLE ids = ARRAY(DELETE") {
			t.Errorf("%s\n%s", text, shown(err))
		}
	}
	for _, text := range []string{"SELECT 1 AS delete FROM range(1)", "SELECT replace('a', 'a', 'b'), (SELECT 1 AS update)", "SELECT * FROM (SELECT 1 AS delete) AS exec"} {
		must(t, s, text)
	}
}
