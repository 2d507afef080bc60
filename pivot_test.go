package planeql_test

import (
	"strings"
	"testing"
)

// A PIVOT finds its values in the data, and costs the calls of its source once.
func TestPivot(t *testing.T) {
	s, calls := office(t)
	must(t, s, "CREATE TABLE t AS SELECT * FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) v(k, n)")
	const sessions = "(SELECT hostPoolName AS pool, sessionState AS state FROM office)"
	expect(t, s, calls, []expected{
		{"PIVOT t ON k USING sum(n)", "4 2", 0},
		{"PIVOT t u ON k USING sum(n) AS s, count(*) AS c", "4 2 2 1", 0},
		{"PIVOT t ON iif(n > 1, 'more', 'one') USING count(*) GROUP BY k ORDER BY k", "a 1 1] [b 1 0", 0}, // StackQL's, not DuckDB's
		{"PIVOT " + sessions + " ON state USING count(*)", "hp-office 36 11 1 8", 1},
		{"PIVOT " + sessions + " AS s ON state USING count(*) ORDER BY pool LIMIT 1", "hp-office 36 11 1 8", 1},
		{"PIVOT " + sessions + " ON state USING count(*) GROUP BY pool", "hp-office 36 11 1 8", 1},
		{"PIVOT office ON sessionState USING count(*) GROUP BY hostPoolName", "hp-office 36 11 1 8", 1},
		{"SHOW TABLES", "office view] [t table", 0},
	})
	must(t, s, "BEGIN")
	expect(t, s, calls, []expected{{"PIVOT t ON k USING sum(n)", "4 2", 0}, {"SELECT count(*) FROM t", "3", 0}})
	must(t, s, "COMMIT")
}

// What goes wrong in a PIVOT is said of the user's statement, and its tables are
// not left behind.
func TestPivot_errors(t *testing.T) {
	s, _ := office(t)
	for _, c := range []struct{ text, code, hint string }{
		{"PIVOT azure.desktop_virtualization.workspaces ON resourceGroupName USING count(*) GROUP BY name", "42703", "PIVOT (SELECT a, b FROM"},
		{"PIVOT azure.desktop_virtualization.workspaces ON resourceGroupName USING count(*)", "42703", "at query:1:47\n"},
		{"PIVOT nowhere ON a USING count(*)", "42P01", ""},
		{"PIVOT office a JOIN office b USING (id) ON a USING count(*)", "0A000", "PIVOT (SELECT a, b FROM"},
		{"EXPLAIN PIVOT office ON sessionState USING count(*)", "0A000", "PIVOT needs its values"},
		{"PIVOT (SELECT id FROM", "42601", ""},
	} {
		_, err := query(t, s, c.text)
		if err == nil {
			t.Errorf("%s: no error", c.text)
			continue
		}
		if text := printed(err); !strings.Contains(text, c.code) || !strings.Contains(text, c.hint) {
			t.Errorf("%s: %s", c.text, text)
		}
	}
	expect(t, s, func() int { return 0 }, []expected{{"SHOW TABLES", "office view", 0}, {"SELECT 1", "1", 0}})
}
