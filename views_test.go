package planeql_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// officeView is a view over the sessions of one host pool.
const officeView = "CREATE VIEW office AS SELECT name, sessionState, hostPoolName FROM azure.desktop_virtualization.user_sessions WHERE " + pool

// office opens a session on a small estate that has the view office, and gives
// a function that counts the calls since it was asked last.
func office(t *testing.T, opts ...planeql.Option) (*planeql.Session, func() int) {
	t.Helper()
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, opts...)
	must(t, s, officeView)
	return s, func() int {
		n := len(sim.Requests())
		sim.ResetRequests()
		return n
	}
}

// expect runs statements one after another and compares rows and calls.
func expect(t *testing.T, s *planeql.Session, calls func() int, cases []expected) {
	t.Helper()
	for _, c := range cases {
		got := strings.Trim(fmt.Sprint(must(t, s, c.text)), "[]")
		if got != c.rows {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, got, c.rows)
		}
		if n := calls(); n != c.calls {
			t.Errorf("%s: %d calls, want %d", c.text, n, c.calls)
		}
	}
}

type expected struct {
	text, rows string
	calls      int
}

// refusal is a statement that must fail.
type refusal struct{ text, code, message, hint, at string }

func expectRefusals(t *testing.T, s *planeql.Session, calls func() int, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		_, err := query(t, s, c.text)
		if err == nil {
			t.Errorf("%s: no error", c.text)
			continue
		}
		text := printed(err)
		for _, part := range []string{"error " + c.code + ": ", c.message, "hint: ", c.hint, "at query:" + c.at + "\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s\n%s\nlacks %q", c.text, text, part)
			}
		}
		if n := calls(); n > 0 {
			t.Errorf("%s: %d calls", c.text, n)
		}
	}
}

// A view is read wherever a table is, under all of its names.
func TestViews(t *testing.T) {
	s, calls := office(t)
	must(t, s, "CREATE VIEW renamed (a, B) AS FROM office")
	must(t, s, "CREATE VIEW top AS WITH x AS (SELECT a FROM renamed) FROM x -- the comment ends with the line")
	must(t, s, "CREATE VIEW counts AS SELECT sessionState, count(*) FROM office GROUP BY 1")
	must(t, s, "CREATE TEMP VIEW office AS SELECT name, 'temporary' AS sessionState FROM main.office")
	must(t, s, "CREATE TABLE codes AS SELECT 'Active' AS state, 1 AS code")
	expect(t, s, calls, []expected{
		{"SELECT count(*), min(sessionState) FROM office", "56 temporary", 1},
		{"SELECT count(*) FROM MAIN.Office WHERE sessionState = 'Active'", "36", 1},
		{"SELECT count(*) FROM memory.main.office", "56", 1},
		{"SELECT count(*) FROM temp.office", "56", 1},
		{"DROP VIEW office", "", 0},
		{"SELECT o.sessionState, count(*) FROM office o GROUP BY 1 ORDER BY 1 LIMIT 1", "Active 36", 1},
		{"SELECT office.sessionState FROM office ORDER BY ALL LIMIT 1", "Active", 1},
		{"SELECT code, count(*) FROM office JOIN codes ON state = sessionState GROUP BY 1", "1 36", 1},
		{"SELECT (SELECT count(*) FROM office) + (SELECT count(*) FROM office)", "112", 1},
		{"SELECT count(*) FROM office WHERE sessionState IN (SELECT sessionState FROM office WHERE sessionState = 'LogOff')", "1", 1},
		{"SELECT count(*) FROM top, renamed WHERE top.a = renamed.a", "56", 1},
		{"SELECT x, b FROM renamed r(x) ORDER BY ALL LIMIT 1", "hp-office/office-0.contoso.com/10 Active", 1},
		{"SELECT r.B FROM renamed r ORDER BY ALL LIMIT 1", "Active", 1},
		{"WITH office AS (SELECT 1 AS one) FROM office", "1", 0},
		{"WITH office AS (SELECT count(*) AS n FROM office) FROM office", "56", 1},
		{"WITH user_sessions AS (SELECT 2) SELECT count(*) FROM office, user_sessions", "56", 1},
		{"SELECT count(*) FROM (TABLE office)", "56", 1},
		{"PIVOT office ON sessionState IN ('Active') USING count(*) GROUP BY hostPoolName", "hp-office 36", 1},
		{"SELECT column_name, count FROM (SUMMARIZE office) LIMIT 1", "name 56", 1},
		{"SELECT column_name FROM (DESCRIBE office) LIMIT 1", "name", 0},
		{"DESCRIBE renamed", "a VARCHAR YES <nil> <nil> <nil>] [B VARCHAR YES <nil> <nil> <nil>] [hostPoolName VARCHAR YES <nil> <nil> <nil>", 0},
		{`SELECT "count(*)" FROM counts WHERE sessionState = 'Active'`, "36", 1},
		{"SELECT count(*) FROM office LIMIT 0", "", 0},
	})
}

// Names in the text of a view mean what they meant when it was made.
func TestViews_names(t *testing.T) {
	s, calls := office(t)
	for _, text := range []string{
		"USE azure.desktop_virtualization",
		"CREATE TEMP TABLE wanted AS SELECT 'Active' AS state",
		"CREATE VIEW v AS SELECT count(*) AS n FROM user_sessions WHERE " + pool + " AND sessionState IN (FROM wanted)",
		"CREATE TABLE user_sessions AS SELECT 1",
		"USE azure.compute",
	} {
		must(t, s, text)
	}
	expect(t, s, calls, []expected{
		{"FROM v", "36", 1},
		{"WITH wanted AS (SELECT 'LogOff'), v2 AS (FROM v) FROM v2, wanted", "36 LogOff", 1},
		{"FROM user_sessions", "1", 0},
	})
}

func TestViews_list(t *testing.T) {
	s, calls := office(t)
	must(t, s, "CREATE VIEW plain AS SELECT 1 AS one") // one of DuckDB
	must(t, s, "CREATE TABLE t (a INT)")
	must(t, s, "CREATE TEMP MATERIALIZED VIEW kept AS SELECT name FROM office LIMIT 3")
	calls()
	expect(t, s, calls, []expected{
		{"SHOW TABLES", "kept materialized view] [office view] [plain view] [t table", 0},
		{"SHOW TABLES LIKE 'o%'", "office view", 0},
		{"DESCRIBE EXTENDED office", "name VARCHAR YES <nil> <nil> <nil>] [sessionState VARCHAR YES <nil> <nil> <nil>] [hostPoolName VARCHAR YES <nil> <nil> <nil>", 0},
		{"SHOW EXTENDED TABLES LIKE 'k%'", "kept materialized view temp main yes", 0},
		{"SHOW VIEWS LIKE 'p%'", "plain view <nil>", 0},
		{"REFRESH kept", "3", 1},
		{"SHOW VIEWS LIKE 'x'", "", 0},
		{"DROP MATERIALIZED VIEW kept", "", 0},
		{"DROP TABLE IF EXISTS kept", "", 0},
		{"DROP VIEW plain", "", 0},
		{"CREATE TABLE planeql_copy_1 (a INT)", "", 0},
		{"SHOW TABLES LIKE 'p%'", "planeql_copy_1 table", 0},
		{"CREATE MATERIALIZED VIEW kept AS SELECT 1", "1", 0},
		{"CREATE OR REPLACE TABLE kept AS SELECT 2", "1", 0},
		{"SHOW TABLES LIKE 'k%'", "kept table", 0},
		{"CREATE VIEW plain AS SELECT name FROM office", "", 0},
		{"CREATE OR REPLACE VIEW plain AS SELECT 1", "", 0},
		{"FROM plain", "1", 0},
		{"CREATE OR REPLACE VIEW plain AS SELECT count(*) FROM office", "", 0},
		{"FROM plain", "56", 1},
		{"DROP VIEW plain", "", 0},
		{"SHOW VIEWS", "office view <nil>", 0},
	})
	if got := fmt.Sprint(must(t, s, "SHOW EXTENDED VIEWS")); !strings.Contains(got, "SELECT name, sessionState, hostPoolName FROM") {
		t.Errorf("SHOW EXTENDED VIEWS = %s", got)
	}
	text := "SELECT * FROM of"
	if got := s.Complete(text, len(text)); len(got) == 0 || got[0].Text != "office" || got[0].Kind != "view" || got[0].Start != 14 {
		t.Errorf("completions %v", got)
	}
	must(t, s, "ALTER VIEW office RENAME TO sessions")
	expect(t, s, calls, []expected{{"SELECT count(*) FROM sessions", "56", 1}})
}

// A session without tables and views does not open DuckDB to list them.
func TestViews_none(t *testing.T) {
	s, err := planeql.Open(context.Background(), planeql.WithTempFolder("/nowhere\x00"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, text := range []string{
		"SHOW VIEWS", "SHOW TABLES", "DROP VIEW IF EXISTS x", "SHOW PROVIDERS", "USE azure.desktop_virtualization",
		"DESCRIBE user_sessions", "SHOW VIEWS",
	} {
		if _, err := query(t, s, text); err != nil {
			t.Errorf("%s: %s", text, printed(err))
		}
	}
	if _, err := query(t, s, "SELECT 1"); err == nil {
		t.Error("DuckDB opens with this folder: the test shows nothing")
	}
}

// Rows that are still being read do not hide what was made meanwhile, and
// temporary views are seen again when they are closed.
func TestViews_openRows(t *testing.T) {
	s, calls := office(t)
	must(t, s, "CREATE TEMP VIEW brief AS SELECT name FROM office")
	rows, err := s.Query(context.Background(), "FROM range(100000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	must(t, s, "CREATE TABLE t AS SELECT name FROM office LIMIT 1")
	must(t, s, "SHOW TABLES")
	rows.Close()
	calls()
	expect(t, s, calls, []expected{
		{"SHOW TABLES", "brief view] [office view] [t table", 0},
		{"SELECT count(*) FROM brief", "56", 1},
	})
}

func TestViews_refused(t *testing.T) {
	s, calls := office(t)
	for _, text := range []string{
		"CREATE VIEW w AS FROM office", "CREATE TABLE t (a INT)", "CREATE MATERIALIZED VIEW m AS FROM office LIMIT 1",
		"CREATE VIEW open AS SELECT name FROM azure.desktop_virtualization.private_link_resources",
	} {
		must(t, s, text)
	}
	calls()
	const sessions = "azure.desktop_virtualization.user_sessions"
	expectRefusals(t, s, calls, []refusal{
		{"CREATE VIEW office AS FROM w", "42P07", `there is a view "office" already`, "CREATE OR REPLACE VIEW", "1:13"},
		{"CREATE TABLE office AS FROM w", "42P07", `there is a view "office" already`, "CREATE OR REPLACE TABLE", "1:14"},
		{"CREATE OR REPLACE TABLE office AS FROM w", "42P07", `"office" is a view`, "DROP VIEW office first", "1:25"},
		{"CREATE OR REPLACE VIEW m AS FROM w", "42P07", `"m" is a materialized view`, "DROP MATERIALIZED VIEW m first", "1:24"},
		{"CREATE OR REPLACE VIEW office AS FROM w", "22000", "a view contains itself: office → w → office", "another query", "1:39"},
		{"CREATE OR REPLACE VIEW office AS FROM office", "22000", "a view contains itself: office → office", "another query", "1:39"},
		{"CREATE VIEW bad AS SELECT nme FROM office", "42703", `there is no column "nme"`, "did you mean name?", "1:27"},
		{"CREATE VIEW bad AS SELECT sessionStat FROM " + sessions, "42703", `no column "sessionStat"`, "did you mean sessionState?", "1:27"},
		{"CREATE VIEW bad AS SELECT cont(*) FROM " + sessions, "42883", `no function "cont"`, "did you mean count?", "1:27"},
		{"CREATE VIEW bad AS SELECT name FROM azure.desktop_virtualization.user_session", "42P01", `no resource "user_session"`, "did you mean user_sessions?", "1:37"},
		{"CREATE VIEW bad AS\nSELECT name,\nFROM FROM office", "42601", `at or near "FROM"`, "double quotes", "3:6"},
		{"CREATE VIEW bad (a, b, c, d) AS FROM office", "22023", "names 4 columns and its query has 3", "first columns", "1:13"},
		{"CREATE VIEW azure.desktop_virtualization.mine AS FROM office", "0A000", "inside a provider", "CREATE VIEW my_mine AS", "1:13"},
		{"CREATE VIEW bad AS SELECT ? FROM office", "42P02", "argument 1", "{{ name }}", "1:27"},
		{"SELECT name FROM open", "HV002", "in the view open: azure.desktop_virtualization.private_link_resources cannot be read", "smallest statement", "1:18"},
		{"CREATE MATERIALIZED VIEW n AS FROM open", "HV002", "in the view open: ", "smallest statement", "1:36"},
		{"REFRESH MATERIALIZED VIEW office", "22023", `"office" is a view, not a materialized view`, "has no rows of its own", "1:27"},
		{"REFRESH t", "22023", `"t" is a table`, "CREATE MATERIALIZED VIEW", "1:9"},
		{"REFRESH mm", "42P01", `no materialized view "mm"`, "did you mean m?", "1:9"},
		{"EXPLAIN REFRESH m", "0A000", "EXPLAIN of REFRESH", "SHOW EXTENDED VIEWS", "1:9"},
		{"DROP VIEW offce", "42P01", `no view "offce"`, "did you mean office?", "1:11"},
		{"DROP TABLE unknown", "42P01", `no table "unknown"`, "SHOW TABLES", "1:12"},
		{"DROP TABLE office", "22023", `"office" is a view, not a table`, "DROP VIEW office", "1:12"},
		{"DROP VIEW m", "22023", `"m" is a materialized view, not a view`, "DROP MATERIALIZED VIEW m", "1:11"},
		{"DROP VIEW " + sessions, "0A000", "DROP on a resource", "SHOW METHODS", "1:11"},
		{"COMMENT ON VIEW office IS 'mine'", "0A000", "a comment on a view over resources", "SHOW EXTENDED VIEWS", "1:17"},
		{"COPY (SELECT nme FROM office) TO 'x.csv'", "42703", `no column "nme"`, "did you mean name?", "1:14"},
		{"COPY (SELECT name FROM offce) TO 'x.csv'", "42P01", `no table "offce"`, "did you mean", "1:24"},
		{"CREATE TABLE u AS SELECT nme FROM office", "42703", `no column "nme"`, "did you mean name?", "1:26"},
		{"INSERT INTO t SELECT name, 1 FROM office", "22000", "table t has 1 columns but 2 values", "DuckDB", "1:13"},
		{"DELETE FROM t WHERE a IN (SELECT name FROM " + sessions + ")", "0A000", "DELETE over a resource", "a SELECT can read", "1:44"},
		{"INSERT INTO " + sessions + " SELECT 1 FROM office", "0A000", "no method that serves INSERT", "SHOW METHODS", "1:13"},
	})
	_, err := query(t, s, "UPDATE t SET a = 1 WHERE EXISTS (FROM office)")
	if err == nil || !strings.Contains(err.Error(), "the view office reads resources") {
		t.Errorf("UPDATE over a view: %v", err)
	}
}

// Views of views that double with each step end with an error, not with all
// memory.
func TestViews_many(t *testing.T) {
	s, calls := office(t)
	must(t, s, "CREATE VIEW v0 AS SELECT *, '"+strings.Repeat("long", 1000)+"' AS text FROM office")
	var err error
	for i := 0; i < 14 && err == nil; i++ {
		_, err = query(t, s, fmt.Sprintf("CREATE VIEW v%d AS FROM v%d UNION ALL FROM v%d", i+1, i, i))
	}
	if err == nil || !strings.Contains(printed(err), "54000") {
		t.Errorf("error %v", err)
	}
	if calls() > 0 {
		t.Error("a call was made")
	}
}

func TestMaterializedViews(t *testing.T) {
	var deny atomic.Bool
	sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(func(*http.Request) armsim.Outcome {
		if deny.Load() {
			return armsim.Outcome{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: "no"}
		}
		return armsim.Outcome{}
	}))
	for _, name := range []string{"memory", "file"} {
		t.Run(name, func(t *testing.T) {
			deny.Store(false)
			path := ""
			if name == "file" {
				path = filepath.Join(t.TempDir(), "my views.duckdb")
			}
			s := open(t, url, planeql.WithDatabase(path))
			calls := func() int {
				n := len(sim.Requests())
				sim.ResetRequests()
				return n
			}
			calls()
			// The two readings of one common table expression are spooled, which
			// must work inside the transaction.
			expect(t, s, calls, []expected{
				{"CREATE MATERIALIZED VIEW m (a) AS WITH x AS (SELECT name FROM azure.desktop_virtualization.user_sessions WHERE " +
					pool + ") SELECT x.name FROM x JOIN x y ON x.name = y.name", "56", 1},
				{"SELECT count(*), count(DISTINCT a) FROM m", "56 56", 0},
			})
			id := pooled + "/sessionHosts/office-0.contoso.com/userSessions/777"
			if err := sim.Put(id, map[string]any{}); err != nil {
				t.Fatal(err)
			}
			expect(t, s, calls, []expected{
				{"SELECT count(*) FROM m", "56", 0},
				{"REFRESH MATERIALIZED VIEW m", "57", 1},
				{"SELECT count(a) FROM m", "57", 0},
			})
			sim.Remove(id)
			deny.Store(true)
			if _, err := query(t, s, "REFRESH m"); err == nil {
				t.Error("REFRESH of a refused list gives no error")
			}
			deny.Store(false)
			calls()
			expect(t, s, calls, []expected{
				{"SELECT count(*) FROM m", "57", 0},
				{"REFRESH m", "56", 1},
				{"BEGIN", "", 0},
				{"CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT 1 AS one", "1", 0},
				{"CREATE VIEW o AS SELECT name FROM azure.desktop_virtualization.user_sessions WHERE " + pool, "", 0},
				{"SELECT one FROM m", "1", 0},
				{"ROLLBACK", "", 0},
				{"SELECT count(a) FROM m", "56", 0},
				{"SHOW VIEWS LIKE 'o'", "", 0},
				{"CREATE MATERIALIZED VIEW IF NOT EXISTS m AS SELECT 2", "", 0},
				{"REFRESH main.m", "56", 1},
			})
		})
	}
}

// on_error = skip keeps what could be read, with a warning for each loss.
func TestStored_losses(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(func(r *http.Request) armsim.Outcome {
		if strings.Contains(r.URL.Path, "hp-engineering") {
			return armsim.Outcome{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: "no"}
		}
		return armsim.Outcome{}
	}))
	both := "SELECT name, sessionState FROM azure.desktop_virtualization.user_sessions WHERE " +
		strings.Replace(pool, "= 'hp-office'", "IN ('hp-office', 'hp-engineering')", 1)
	dir := t.TempDir()
	statements := map[string]string{
		"table":        "CREATE TABLE a AS " + both,
		"insert":       "INSERT INTO kept " + both,
		"materialized": "CREATE MATERIALIZED VIEW b AS " + both,
		"file":         "COPY (" + both + ") TO '" + dir + "/a.csv'",
		"files":        "COPY (" + both + ") TO '" + dir + "/d' (FORMAT csv, PARTITION_BY (sessionState))",
	}
	for name, text := range statements {
		t.Run(name, func(t *testing.T) {
			s := open(t, url)
			must(t, s, "CREATE TABLE kept (name VARCHAR, state VARCHAR)")
			if _, err := query(t, s, text); err == nil || !strings.Contains(err.Error(), "42501") {
				t.Fatalf("error %v", err)
			}
			left, _ := filepath.Glob(dir + "/*")
			if got := fmt.Sprint(must(t, s, "SHOW TABLES"), must(t, s, "SELECT count(*) FROM kept"), left); got != "[[kept table]] [[0]] []" {
				t.Errorf("after the error there are %s", got)
			}
			must(t, s, "SET on_error = 'skip'")
			rows, err := s.Query(context.Background(), text)
			if err != nil {
				t.Fatal(printed(err))
			}
			defer rows.Close()
			var got []any
			for rows.Next() {
				got = slices.Clone(rows.Values())
			}
			rows.Close()
			if fmt.Sprint(got) != "[56]" || len(rows.Warnings()) != 1 {
				t.Errorf("%v rows and %d warnings, want 56 and 1", got, len(rows.Warnings()))
			}
			left, _ = filepath.Glob(dir + "/*")
			for _, path := range left {
				os.RemoveAll(path)
			}
		})
	}
}

// Rows go into tables and files, and files are read beside resources.
func TestStored(t *testing.T) {
	s, calls := office(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/owners.csv", []byte("pool,owner\nhp-office,Ann\nhp-other,Bob\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/states.json", []byte(`[{"state": "Active", "ok": true}, {"state": "Pending", "ok": false}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	resource := "azure.desktop_virtualization.user_sessions WHERE " + pool
	expect(t, s, calls, []expected{
		{"CREATE TABLE t AS SELECT name, sessionState, count(*) OVER () AS n FROM " + resource, "56", 1},
		{"SELECT n, count(*) FROM t GROUP BY 1", "56 56", 0},
		{"CREATE TABLE empty AS SELECT name FROM " + resource + " WITH NO DATA", "0", 0},
		{"CREATE OR REPLACE TEMP TABLE u (a, b) AS FROM t LIMIT 2", "2", 0},
		{"INSERT INTO empty SELECT name FROM office WHERE sessionState = 'LogOff' RETURNING length(name) > 3 AS long", "true", 1},
		{"INSERT INTO empty BY NAME (SELECT name FROM " + resource + ")", "56", 1},
		{"INSERT INTO empty VALUES ('x'), ('y')", "2", 0},
		{"WITH c AS (SELECT 1) SELECT count(*) FROM empty", "59", 0},
		{"UPDATE t SET name = 'n' WHERE sessionState = 'LogOff'", "1", 0},
		{"DELETE FROM t WHERE name = 'n'", "1", 0},
		{"COPY (SELECT name, hostPoolName FROM " + resource + ") TO '" + dir + "/a.csv'", "56", 1},
		{"COPY office TO '" + dir + "/a.parquet' (FORMAT parquet)", "56", 1},
		{"COPY office (name, sessionState) TO '" + dir + "/a.json' (ARRAY true)", "56", 1},
		{"COPY office TO '" + dir + "/parts' (FORMAT parquet, PARTITION_BY (sessionState))", "56", 1},
		{"COPY t TO '" + dir + "/t.csv'", "55", 0},
		{"SELECT count(*), min(hostPoolName) FROM '" + dir + "/a.csv'", "56 hp-office", 0},
		{"SELECT count(sessionState) FROM read_json('" + dir + "/a.json')", "56", 0},
		{"SELECT count(*) FROM '" + dir + "/parts/sessionState=Active/*.parquet'", "36", 0},
		{"SELECT owner, count(*) FROM office JOIN '" + dir + "/owners.csv' ON pool = hostPoolName GROUP BY 1", "Ann 56", 1},
		{"SELECT f.ok, count(*) FROM azure.desktop_virtualization.user_sessions s JOIN '" + dir + "/states.json' f ON s.sessionState = f.state WHERE " + pool + " GROUP BY 1 ORDER BY 1", "false 8] [true 36", 1},
		{"SELECT count(*) FROM '" + dir + "/a.parquet' p JOIN azure.desktop_virtualization.user_sessions s ON p.name = s.name WHERE " +
			strings.NewReplacer("subscriptionId", "s.subscriptionId", "resourceGroupName", "s.resourceGroupName", "hostPoolName", "s.hostPoolName").Replace(pool), "56", 1},
		{"SHOW TABLES", "empty table] [office view] [t table] [u table", 0},
	})
	files, err := filepath.Glob(dir + "/parts/*")
	if err != nil || len(files) != 4 {
		t.Errorf("partitions %v", files)
	}
}

// --read-only concerns services: tables and files of the session may change.
func TestStored_readOnly(t *testing.T) {
	s, calls := office(t, planeql.WithReadOnly())
	expect(t, s, calls, []expected{
		{"CREATE TABLE t AS SELECT name FROM office", "56", 1},
		{"INSERT INTO t SELECT name FROM office", "56", 1},
		{"CREATE MATERIALIZED VIEW m AS SELECT name FROM office", "56", 1},
		{"REFRESH m", "56", 1},
		{"DELETE FROM t", "112", 0},
	})
}

// A statement that is interrupted in the middle of its calls keeps nothing, and
// the session goes on.
func TestStored_interrupted(t *testing.T) {
	for _, text := range []string{
		"CREATE TABLE x AS SELECT name FROM office", "CREATE OR REPLACE MATERIALIZED VIEW kept AS SELECT name FROM office",
		"REFRESH kept", "INSERT INTO t SELECT name FROM office",
		"COPY office TO '{dir}/a.csv'", "COPY office TO '{dir}/d' (FORMAT csv, PARTITION_BY (sessionState))",
	} {
		t.Run(text, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var blocked atomic.Bool
			_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(func(r *http.Request) armsim.Outcome {
				if blocked.Load() {
					cancel()
					<-r.Context().Done()
				}
				return armsim.Outcome{}
			}))
			s := open(t, url)
			dir := t.TempDir()
			must(t, s, officeView)
			must(t, s, "CREATE TABLE t (name VARCHAR)")
			must(t, s, "CREATE MATERIALIZED VIEW kept AS SELECT name FROM office")
			blocked.Store(true)
			rows, err := s.Query(ctx, strings.ReplaceAll(text, "{dir}", dir))
			if err == nil {
				for rows.Next() {
					continue
				}
				err = rows.Err()
				rows.Close()
			}
			if e, ok := errors.AsType[*planeql.Error](err); !ok || e.Code != "57014" {
				t.Errorf("error %v", err)
			}
			blocked.Store(false)
			left, _ := filepath.Glob(dir + "/*")
			got := fmt.Sprint(must(t, s, "SHOW TABLES"), must(t, s, "SELECT count(*) FROM t"), must(t, s, "SELECT count(*) FROM kept"), left)
			if want := "[[kept materialized view] [office view] [t table]] [[0]] [[56]] []"; got != want {
				t.Errorf("after it there are %s", got)
			}
			if got := fmt.Sprint(must(t, s, "REFRESH kept")); got != "[[56]]" {
				t.Errorf("REFRESH afterwards: %s", got)
			}
		})
	}
}

// EXPLAIN of what keeps rows shows the calls and makes none.
func TestStored_explain(t *testing.T) {
	s, calls := office(t)
	must(t, s, "CREATE TABLE t (a VARCHAR)")
	for text, want := range map[string]string{
		"EXPLAIN CREATE TABLE x AS FROM office":              "[CREATE: 1 call, and one for each further page] [└─ scan user_sessions",
		"EXPLAIN CREATE VIEW x AS FROM office":               "└─ scan user_sessions",
		"EXPLAIN COPY office TO 'x.csv'":                     "[COPY: 1 call, and one for each further page] [└─ scan user_sessions",
		"EXPLAIN INSERT INTO t SELECT name FROM office":      "[INSERT: 1 call, and one for each further page] [└─ scan user_sessions",
		"EXPLAIN INSERT INTO t VALUES ('a')":                 "DuckDB alone",
		"EXPLAIN DROP VIEW office":                           "DuckDB alone",
		"EXPLAIN SHOW TABLES":                                "CATALOG",
		"EXPLAIN SELECT * FROM office WHERE name LIKE 'x%' ": "hostPoolName = 'hp-office'",
	} {
		if got := fmt.Sprint(must(t, s, text)); !strings.Contains(got, want) {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
	if n := calls(); n > 0 {
		t.Errorf("%d calls", n)
	}
}

// --db keeps views and tables; their names hold after the file is renamed.
func TestDatabaseFile(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	dir := t.TempDir()
	first := open(t, url, planeql.WithDatabase(dir+"/first.duckdb"))
	for _, text := range []string{
		"CREATE TABLE wanted AS SELECT 'Active' AS state", officeView,
		"CREATE VIEW active AS FROM office WHERE sessionState IN (FROM wanted)",
		"CREATE MATERIALIZED VIEW kept AS SELECT name FROM active",
		"CREATE TEMP VIEW gone AS FROM office",
	} {
		must(t, first, text)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+"/first.duckdb", dir+"/second.duckdb"); err != nil {
		t.Fatal(err)
	}
	sim.ResetRequests()
	s := open(t, url, planeql.WithDatabase(dir+"/second.duckdb"))
	expect(t, s, func() int { defer sim.ResetRequests(); return len(sim.Requests()) }, []expected{
		{"SHOW TABLES", "active view] [kept materialized view] [office view] [wanted table", 0},
		{"SELECT count(*) FROM kept", "36", 0},
		{"SELECT count(*) FROM active", "36", 1},
		{"SELECT count(*) FROM second.active", "36", 1},
		{"UPDATE wanted SET state = 'LogOff'", "1", 0},
		{"REFRESH kept", "1", 1},
		{"DROP VIEW active", "", 0},
		{"SHOW VIEWS LIKE 'a%'", "", 0},
	})
}

// The names in a view are those of its own database: it is read where that is
// the one at hand.
func TestDatabaseFile_attached(t *testing.T) {
	s, calls := office(t)
	path := filepath.Join(t.TempDir(), "other.duckdb")
	for _, text := range []string{
		"CREATE TABLE wanted AS SELECT 'Active' AS state", "ATTACH '" + path + "' AS other",
		"CREATE TABLE other.wanted AS SELECT 'LogOff' AS state", "USE other",
	} {
		must(t, s, text)
	}
	must(t, s, "CREATE VIEW v AS SELECT count(*) AS n FROM azure.desktop_virtualization.user_sessions WHERE "+pool+" AND sessionState IN (FROM wanted)")
	must(t, s, "CREATE MATERIALIZED VIEW m AS FROM v")
	calls()
	expect(t, s, calls, []expected{
		{"FROM v", "1", 1}, {"FROM other.v", "1", 1}, {"FROM other.main.v", "1", 1}, {"REFRESH m", "1", 1}, {"USE memory", "", 0}, {"FROM other.m", "1", 0},
	})
	for text, want := range map[string]string{
		"FROM other.v":                       "planeql reads it where its database is the one at hand",
		"CREATE VIEW other.w AS FROM office": `USE "other"."main"`,
		"REFRESH other.m":                    `USE "other"."main"`,
	} {
		if _, err := query(t, s, text); err == nil || !strings.Contains(printed(err), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	expect(t, s, calls, []expected{
		{"SHOW TABLES", "office view] [wanted table", 0},
		{"SHOW EXTENDED TABLES LIKE '%'", "m materialized view other main no] [office view memory main no] [v view other main no] [wanted table memory main no] [wanted table other main no", 0},
	})
}

// A database that another process has open is named, with that process.
func TestDatabaseFile_locked(t *testing.T) {
	if path := os.Getenv("PLANEQL_HOLD"); path != "" {
		s, err := planeql.Open(context.Background(), planeql.WithDatabase(path))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		must(t, s, "CREATE TABLE t (a INT)")
		fmt.Println("open")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the other side closes it
		return
	}
	path := filepath.Join(t.TempDir(), "held.duckdb")
	holder := exec.Command(os.Args[0], "-test.run=^TestDatabaseFile_locked$")
	holder.Env = append(os.Environ(), "PLANEQL_HOLD="+path)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer holder.Wait()
	defer in.Close()
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	s, err := planeql.Open(context.Background(), planeql.WithDatabase(path))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	must(t, s, "SHOW SERVICES IN azure") // needs no database
	_, err = query(t, s, "SELECT 1")
	if err == nil {
		t.Fatal("the database of another process is opened")
	}
	want := fmt.Sprintf("process %d", holder.Process.Pid)
	if text := printed(err); !strings.Contains(text, "held.duckdb") || !strings.Contains(text, want) || strings.Count(text, "\n") > 2 {
		t.Errorf("%s\nwant %s", text, want)
	}
}
