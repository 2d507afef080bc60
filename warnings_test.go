package planeql_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

const (
	allPools = "SELECT name FROM azure.desktop_virtualization.host_pools ORDER BY 1"
)

// denyTest has everything in the test subscription answer 403 with words that
// hold quotes, brackets and question marks.
func denyTest(r *http.Request) armsim.Outcome {
	if !strings.Contains(r.URL.Path, armsim.TestSubscription+"/") {
		return armsim.Outcome{}
	}
	return armsim.Outcome{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: `it's "no" ? $1 {{ x }} ) -- ü`}
}

// planeql_warnings() gives the warnings of the last statement that did not read
// them, in any place of a statement where a table can stand.
func TestWarnings(t *testing.T) {
	_, url := simulator(t, armsim.WithHook(denyTest))
	s := open(t, url, planeql.WithOnError(planeql.Skip))
	const text = `it's "no" ? $1 {{ x }} ) -- ü`
	steps := []struct{ text, want string }{
		{"SELECT count(*), count(code) FROM planeql_warnings()", "[[0 0]]"},
		{allPools, "[[hp-engineering] [hp-office] [hp-sales]]"},
		{
			"SELECT code, scope, method, status, service_code, service_message, attempts FROM planeql_warnings()",
			"[[01000 azure.desktop_virtualization.host_pools.list GET 403 AuthorizationFailed " + text + " 1]]",
		},
		{"SELECT message LIKE 'rows are missing: %', url LIKE '%/" + armsim.TestSubscription + "/%', length(request_id) > 0 FROM Planeql_Warnings ( )", "[[true true true]]"},
		{"SELECT w.status, typeof(attempts) FROM planeql_warnings() AS w", "[[403 INTEGER]]"},
		{"SELECT w.status FROM planeql_warnings() w WHERE w.status > 400", "[[403]]"},
		{"SELECT planeql_warnings.status FROM planeql_warnings() WHERE true", "[[403]]"},
		{"WITH w AS (FROM planeql_warnings()) SELECT count(*) FROM w JOIN planeql_warnings() USING (url)", "[[1]]"},
		{"SELECT status FROM planeql_warnings() WHERE status = ?", "[[403]]"},
		{"SELECT p.name, w.status FROM azure.desktop_virtualization.host_pools p, planeql_warnings() w WHERE p.subscriptionId = '" + armsim.ProductionSubscription + "' ORDER BY 1 LIMIT 1", "[[hp-engineering 403]]"},
		{"CREATE TABLE kept AS SELECT * FROM planeql_warnings()", "[[1]]"},
		{"EXPLAIN SELECT status FROM planeql_warnings()", ""},
		{"SELECT status FROM planeql_warnings()", "[[403]]"},
		{"SHOW TABLES", "[[kept table]]"},
		{"SELECT count(*) FROM planeql_warnings()", "[[0]]"}, // SHOW TABLES had none
		{"SELECT status FROM kept", "[[403]]"},
		{"SELECT 'planeql_warnings()'", "[[planeql_warnings()]]"},
	}
	for _, step := range steps {
		var args []any
		if strings.HasSuffix(step.text, "= ?") {
			args = append(args, 403)
		}
		got := must(t, s, step.text, args...)
		if step.want != "" && fmt.Sprint(got) != step.want {
			t.Errorf("%s\ngives %v\nwant  %s", step.text, got, step.want)
		}
	}
	for text, code := range map[string]fault.Code{
		"CREATE VIEW v AS SELECT * FROM planeql_warnings()":              fault.NotSupported,
		"CREATE MATERIALIZED VIEW v AS SELECT * FROM planeql_warnings()": fault.NotSupported,
		"SELECT nothing FROM planeql_warnings()":                         fault.UndefinedColumn,
	} {
		if _, err := query(t, s, text); fault.As(err) == nil || fault.As(err).Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
}

// A reader that stops early still has the warnings up to there, and a statement
// that fails leaves none of the one before.
func TestWarnings_ends(t *testing.T) {
	_, url := simulator(t, armsim.WithHook(denyTest))
	s := open(t, url, planeql.WithOnError(planeql.Skip))
	rows, err := s.Query(context.Background(), allPools)
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	rows.Close()
	const count = "SELECT count(*) FROM planeql_warnings()"
	if got := fmt.Sprint(must(t, s, count)); got != "[[1]]" {
		t.Errorf("after a reader that stopped: %s", got)
	}
	must(t, s, "SET on_error = 'fail'")
	if _, err := query(t, s, allPools); err == nil {
		t.Error("no error")
	}
	if got := fmt.Sprint(must(t, s, count)); got != "[[0]]" {
		t.Errorf("after a statement that failed: %s", got)
	}
}

// The driver of database/sql has the warnings on the connection that ran the
// statement.
func TestWarnings_driver(t *testing.T) {
	_, url := simulator(t, armsim.WithHook(denyTest))
	db := sql.OpenDB(planeql.NewConnector(
		planeql.WithEndpoint("azure", url), planeql.WithEnvironment(environment),
		planeql.WithAuth("azure", "bearer", map[string]string{"env": "TOKEN"}), planeql.WithOnError(planeql.Skip)))
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "CREATE TABLE pools AS "+allPools); err != nil {
		t.Fatal(err)
	}
	var code, hint string
	var status int
	row := conn.QueryRowContext(t.Context(), "SELECT code, status, hint FROM planeql_warnings()")
	if err := row.Scan(&code, &status, &hint); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"01000", 403}, []any{code, status}); diff != "" || hint == "" {
		t.Error(diff, hint)
	}
}

// A statement that fails leaves the warnings that it had until then, not those of
// the statement before it.
func TestWarnings_failed(t *testing.T) {
	_, url := simulator(t, armsim.WithHook(denyTest))
	s := open(t, url, planeql.WithOnError(planeql.Skip))
	for text, want := range map[string]string{
		"SELECT name FROM azure.desktop_virtualization.no_pools":                                                  "[[0]]",
		"CREATE TABLE made AS SELECT error(max(name)) FROM azure.desktop_virtualization.host_pools":               "[[1]]",
		"SELECT error(max(name)) FROM azure.desktop_virtualization.host_pools":                                    "[[1]]",
		"CREATE MATERIALIZED VIEW v AS SELECT error(max(name)) AS m FROM azure.desktop_virtualization.host_pools": "[[1]]",
	} {
		must(t, s, allPools)
		if _, err := query(t, s, text); err == nil {
			t.Errorf("%s gives rows", text)
		}
		if got := fmt.Sprint(must(t, s, "SELECT count(*) FROM planeql_warnings() WHERE status = 403")); got != want {
			t.Errorf("%s leaves %s warnings, not %s", text, got, want)
		}
	}
}
