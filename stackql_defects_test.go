package planeql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// defect is a statement that StackQL answers wrongly, most often without a
// word, with the right answer. In the text %U stands for the resource of user
// sessions, %H for that of session hosts, %P for conditions that name a pool
// and %G for those that name its group.
type defect struct {
	name, text string
	want       string // the rows, as fmt.Sprint gives them
}

var defectWords = strings.NewReplacer(
	"%U", sessions, "%H", "azure.desktop_virtualization.session_hosts", "%P", inPool,
	"%G", "subscriptionId = '"+armsim.ProductionSubscription+"' AND resourceGroupName = 'rg-avd-prod-weu'",
)

// defects are told apart by what goes wrong at StackQL. The pool has 56 sessions
// on four hosts: 36 active, 11 disconnected, 8 pending, 1 logging off.
var defects = []defect{
	{"OR inside AND is no concatenation", "SELECT count(*) FROM %U WHERE %P AND (sessionState = 'Active' OR sessionState = 'Pending')", "[[44]]"},
	{"OR inside CASE", "SELECT sum(CASE WHEN sessionState = 'Active' OR sessionState = 'LogOff' THEN 1 ELSE 0 END) FROM %U WHERE %P", "[[37]]"},
	{"OR in the select list", "SELECT DISTINCT (sessionState = 'Active' OR sessionState <> 'Active') FROM %U WHERE %P", "[[true]]"},
	{"OR of LIKE in brackets", "SELECT count(*) FROM %U WHERE %P AND (name LIKE '%/office-0.%' OR name LIKE '%/office-1.%')", "[[28]]"},
	{"ORDER BY with LIMIT", "SELECT DISTINCT sessionHostName FROM %U WHERE %P ORDER BY sessionHostName DESC LIMIT 2", "[[office-3.contoso.com] [office-2.contoso.com]]"},
	{"ORDER BY with LIMIT and OFFSET", "SELECT sessionState, count(*) AS n FROM %U WHERE %P GROUP BY 1 ORDER BY n LIMIT 2 OFFSET 1", "[[Pending 8] [Disconnected 11]]"},
	{"DISTINCT", "SELECT DISTINCT sessionState FROM %U WHERE %P ORDER BY 1", "[[Active] [Disconnected] [LogOff] [Pending]]"},
	{"DISTINCT in a subquery", "SELECT count(*) FROM (SELECT DISTINCT sessionHostName FROM %U WHERE %P)", "[[4]]"},
	{"all pages, and more than 20", "SELECT count(*), count(DISTINCT id) FROM %U WHERE %P", "[[56 56]]"},
	{"columns of one name keep their values", "SELECT json_extract(properties, '$.sessionState'), json_extract(properties, '$.applicationType') FROM %U WHERE %P AND sessionState = 'LogOff'", "[[LogOff Desktop]]"},
	{"aggregates of one column", "SELECT count(*), count(sessionState), max(sessionState), min(sessionState) FROM %U WHERE %P", "[[56 56 Pending Active]]"},
	{"a narrower method through ON", "SELECT h.sessionHostName, count(*) FROM %H h JOIN %U u ON u.sessionHostName = h.sessionHostName " +
		"WHERE h.subscriptionId = '" + armsim.ProductionSubscription + "' AND h.resourceGroupName = 'rg-avd-prod-weu' AND h.hostPoolName = 'hp-office' " +
		"AND u.subscriptionId = '" + armsim.ProductionSubscription + "' AND u.resourceGroupName = 'rg-avd-prod-weu' AND u.hostPoolName = 'hp-office' " +
		"GROUP BY 1 ORDER BY 1", "[[office-0.contoso.com 14] [office-1.contoso.com 14] [office-2.contoso.com 14] [office-3.contoso.com 14]]"},
	{"<> on a parameter", "SELECT hostPoolName, count(*) FROM %U WHERE %G AND hostPoolName IN ('hp-office', 'hp-engineering') AND hostPoolName <> 'hp-office' GROUP BY 1", "[[hp-engineering 26]]"},
	{"> on a parameter", "SELECT hostPoolName, count(*) FROM %U WHERE %G AND hostPoolName IN ('hp-office', 'hp-engineering') AND hostPoolName > 'hp-f' GROUP BY 1", "[[hp-office 56]]"},
	{"LIKE on a parameter", "SELECT count(*) FROM %U WHERE %P AND sessionHostName LIKE 'office-1%'", "[[14]]"},
	{"LIKE on a parameter ignores case", "SELECT count(*) FROM %U WHERE %P AND sessionHostName LIKE 'OFFICE-1%' AND id LIKE '%/Microsoft.desktopvirtualization/%'", "[[14]]"},
	{"BETWEEN on a parameter", "SELECT count(*) FROM %U WHERE %P AND sessionHostName BETWEEN 'office-1' AND 'office-3'", "[[28]]"},
	{"the literal on the left", "SELECT count(*) FROM %U WHERE %G AND 'hp-office' = hostPoolName", "[[56]]"},
	{"a value from a function", "SELECT count(*) FROM %U WHERE %G AND hostPoolName = lower('HP-OFFICE')", "[[56]]"},
	{"one parameter by OR", "SELECT count(*) FROM %U WHERE %G AND (hostPoolName = 'hp-office' OR hostPoolName = 'hp-engineering')", "[[82]]"},
	{"one parameter twice", "SELECT count(*) FROM %U WHERE %P AND hostPoolName = 'hp-engineering'", "[[0]]"},
	{"a NULL is no name", "SELECT count(*) FROM %U WHERE %G AND hostPoolName IN ('hp-office', NULL)", "[[56]]"},
	{"* has values, not names", "SELECT count(*) FROM (SELECT * FROM %U WHERE %P) WHERE name = 'name' OR type = 'type' OR id = 'id'", "[[0]]"},
	{"a CTE that reads another", "WITH a AS (SELECT sessionState AS s FROM %U WHERE %P), b AS (SELECT s, count(*) AS n FROM a GROUP BY s) SELECT max(n) FROM b", "[[36]]"},
	{"IN with a subquery", "SELECT count(*) FROM %U WHERE %P AND sessionState IN (SELECT * FROM (VALUES ('Pending'), ('LogOff')))", "[[9]]"},
	{"EXISTS", "SELECT count(*) FROM %H h WHERE %P AND EXISTS (SELECT 1 FROM %U u WHERE %P AND u.sessionHostName = h.sessionHostName AND u.sessionState = 'LogOff')", "[[1]]"},
	{"a scalar subquery", "SELECT (SELECT count(*) FROM %U WHERE %P) AS n", "[[56]]"},
	{"NOT of an expression", "SELECT count(*) FROM %U WHERE %P AND NOT (sessionState = 'Active' AND name LIKE '%')", "[[20]]"},
	{"CASE in WHERE", "SELECT count(*) FROM %U WHERE %P AND CASE WHEN sessionState = 'Active' THEN 1 ELSE 0 END = 1", "[[36]]"},
	{"a recursive CTE", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT count(*) FROM n, (SELECT 1 FROM %H WHERE %P)", "[[12]]"},
	{"INTERSECT", "SELECT sessionState FROM %U WHERE %P INTERSECT SELECT 'Active'", "[[Active]]"},
	{"EXCEPT", "SELECT DISTINCT sessionState FROM %U WHERE %P EXCEPT SELECT 'Active' ORDER BY 1", "[[Disconnected] [LogOff] [Pending]]"},
	{"FULL JOIN", "SELECT a.x, s.sessionState FROM (VALUES ('Active'), ('None')) a(x) FULL JOIN (SELECT DISTINCT sessionState FROM %U WHERE %P AND sessionState <> 'Pending') s ON s.sessionState = a.x ORDER BY 1, 2",
		"[[Active Active] [None <nil>] [<nil> Disconnected] [<nil> LogOff]]"},
	{"RIGHT JOIN", "SELECT count(*) FROM (VALUES ('Active')) a(x) RIGHT JOIN (SELECT DISTINCT sessionState FROM %U WHERE %P) s ON s.sessionState = a.x", "[[4]]"},
	{"CROSS JOIN", "SELECT count(*) FROM %U u CROSS JOIN (VALUES (1), (2)) v WHERE %P", "[[112]]"},
	{"CAST to TEXT and INTEGER", "SELECT CAST(count(*) AS TEXT) || 'x', CAST('7' AS INTEGER) + 1, CAST('8' AS BIGINT), CAST('9' AS VARCHAR) FROM %U WHERE %P", "[[56x 8 8 9]]"},
	{"REGEXP", "SELECT count(*) FROM %U WHERE %P AND sessionState REGEXP '^(Act|Log)'", "[[37]]"},
	{"t.*", "SELECT count(*) FROM (SELECT u.* FROM %U u WHERE %P)", "[[56]]"},
	{"names of the service in any case", "select COUNT(*) from AZURE.Desktop_Virtualization.USER_SESSIONS where SUBSCRIPTIONID = '" + armsim.ProductionSubscription +
		"' and resource_group_name = 'rg-avd-prod-weu' and hostpoolname = 'hp-office' and SessionState = 'Active'", "[[36]]"},
	{"an alias of an aggregate in ORDER BY", "SELECT sessionState AS s, count(*) AS n FROM %U WHERE %P GROUP BY s ORDER BY n DESC", "[[Active 36] [Disconnected 11] [Pending 8] [LogOff 1]]"},
	{"an alias in HAVING", "SELECT sessionState, count(*) AS c FROM %U WHERE %P GROUP BY 1 HAVING c > 10 ORDER BY c", "[[Disconnected 11] [Active 36]]"},
	{"a join without a condition", "SELECT count(*) FROM %U u, %H h WHERE u.subscriptionId = '" + armsim.ProductionSubscription + "' AND u.resourceGroupName = 'rg-avd-prod-weu' AND u.hostPoolName = 'hp-office' " +
		"AND h.subscriptionId = '" + armsim.ProductionSubscription + "' AND h.resourceGroupName = 'rg-avd-prod-weu' AND h.hostPoolName = 'hp-office'", "[[224]]"},
	{"UNION with ORDER BY DESC LIMIT", "SELECT sessionState AS s FROM %U WHERE %P UNION SELECT 'Zzz' ORDER BY s DESC LIMIT 2", "[[Zzz] [Pending]]"},
	{"no FROM behind a resource", "SELECT 1 AS one", "[[1]]"},
	{"DESCRIBE METHOD of a method called list", "DESCRIBE METHOD %U.list", ""},
}

// StackQL's defects are not ours: each of the statements gives the right rows.
func TestStackQLDefects(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithPageSize(2))
	s := open(t, url)
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			rows := must(t, s, defectWords.Replace(d.text))
			if got := fmt.Sprint(rows); d.want != "" && got != d.want {
				t.Errorf("%s\n got %s\nwant %s", d.text, got, d.want)
			}
			if len(rows) == 0 {
				t.Error("no rows")
			}
		})
	}
}

// refused are statements that StackQL sends, or answers with half of the rows,
// and that must fail with a word about it.
var refused = []struct {
	name, text, message string
	calls               int
}{
	{"a scope that is not there", "SELECT id FROM %U WHERE %G AND hostPoolName IN ('hp-office', 'hp-gone')", "hp-gone", 2},
	{"an unknown column", "SELECT nosuch FROM %U WHERE %P", `no column "nosuch"`, 0},
	{"an unknown column in quotes", `SELECT "sessionStat" FROM %U WHERE %P`, `no column "sessionStat"`, 0},
	{"text in double quotes", `SELECT id FROM %U WHERE %P AND name = "hp"`, "text stands in single quotes: 'hp'", 0},
	{"an unknown argument", "EXEC %U.disconnect %A, @zzz = 1", "zzz", 0},
	{"a missing argument", "EXEC %U.disconnect @subscriptionId = '%S'", "resourceGroupName", 0},
	{"an unknown column in RETURNING", "DELETE FROM %U WHERE %P AND sessionHostName = 'h' AND userSessionId = '3' RETURNING nosuch", "nosuch", 0},
	{"an unfilled placeholder", "SELECT id FROM %U WHERE %G AND hostPoolName = '{{ pool }}'", "{{ pool }} has no value", 0},
	{"an unknown resource", "SELECT id FROM azure.desktop_virtualization.user_session_hosts", "user_session_hosts", 0},
}

// What cannot be answered is said, before a call is made wherever it can be
// known then.
func TestStackQLDefects_refused(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			// A simulator of its own: a call of the statement before may arrive late.
			sim, url := simulator(t, armsim.WithEstate(armsim.Small))
			s := open(t, url)
			rows, err := query(t, s, shorthand.Replace(defectWords.Replace(c.text)))
			if err == nil || !strings.Contains(printed(err), c.message) {
				t.Fatalf("%d rows, error %v, want %q", len(rows), err, c.message)
			}
			if got := len(sim.Requests()); got > c.calls {
				t.Errorf("%d calls, want %d", got, c.calls)
			}
		})
	}
}

// EXPLAIN sends nothing.
func TestStackQLDefects_explain(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url)
	rows := must(t, s, defectWords.Replace("EXPLAIN SELECT id FROM %U WHERE %P"))
	if len(rows) == 0 || len(sim.Requests()) != 0 {
		t.Errorf("%d rows, %d requests", len(rows), len(sim.Requests()))
	}
}

// answering serves one answer to every call.
func answering(t *testing.T, status int, kind, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// An answer that is no list of items is never an empty or half-filled result.
func TestStackQLDefects_answers(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		status           int
	}{
		{"a page of HTML", "text/html", "<html>sign in</html>", 200},
		{"no permission", "application/json", `{"error": {"code": "AuthorizationFailed", "message": "no"}}`, 403},
		{"no permission and no body", "application/json", "null", 403},
		{"not implemented", "application/json", `{"error": {"code": "NotImplemented", "message": "not here"}}`, 501},
		{"an object without the list", "application/json", `{"values": []}`, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, answering(t, c.status, c.kind, c.body))
			if rows, err := query(t, s, defectWords.Replace("SELECT count(*) FROM %U WHERE %P")); err == nil {
				t.Errorf("rows = %v", rows)
			}
		})
	}
	s := open(t, answering(t, 200, "application/json", `{"value": []}`))
	if rows := must(t, s, defectWords.Replace("SELECT id FROM %U WHERE %P")); len(rows) != 0 {
		t.Errorf("rows of an empty list = %v", rows)
	}
}

// The calls of one statement run side by side: each of two is answered when
// both are there.
func TestStackQLDefects_concurrency(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		both.Done()
		both.Wait()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"value": []}`)
	}))
	defer server.Close()
	s := open(t, server.URL, planeql.WithTimeout(time.Minute))
	must(t, s, defectWords.Replace("SELECT id FROM %U WHERE %G AND hostPoolName IN ('a', 'b')"))
}

// A script stops at its first error, which its exit code tells; the results of
// several statements come one after the other.
func TestStackQLDefects_script(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	var out bytes.Buffer
	code, _ := command(t, &out, url, "-o", "csv", "SELECT 1 AS one; SELECT 'x'::INTEGER; SELECT 3 AS three")
	if code != 2 || out.String() != "one\n1\n" {
		t.Errorf("exit code %d after\n%s", code, out.String())
	}
	out.Reset()
	code, errs := command(t, &out, url, "-o", "csv", defectWords.Replace("SELECT 1 AS one; SELECT count(*) AS n FROM %U WHERE %P; SELECT 2 AS two"))
	if code != 0 || strings.Join(strings.Fields(out.String()), " ") != "one 1 n 56 two 2" {
		t.Errorf("exit code %d, %s\n%s", code, errs, out.String())
	}
	sim.ResetRequests()
	if code, _ := command(t, &out, url, "-o", "nosuch", defectWords.Replace("SELECT id FROM %U WHERE %P")); code != 2 || len(sim.Requests()) != 0 {
		t.Errorf("a format that there is not: exit code %d, %d requests", code, len(sim.Requests()))
	}
}

// JSON output has typed values, nested objects and the columns in the order of
// the statement; no rows are an empty array, and a line ends it.
func TestStackQLDefects_json(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	var out bytes.Buffer
	if code, errs := command(t, &out, url, "-o", "json", defectWords.Replace(
		`SELECT 5 AS z, true AS b, NULL AS n, '<&>' AS a, properties, json_extract(properties, '$.sessionState') AS s FROM %U WHERE %P AND sessionState = 'LogOff'`)); code != 0 {
		t.Fatal(errs)
	}
	text := out.String()
	var rows []struct {
		Z          int
		B          bool
		N          *string
		A          string
		Properties struct{ SessionState string }
		S          string
	}
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil || len(rows) != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	if r := rows[0]; r.Z != 5 || !r.B || r.N != nil || r.A != "<&>" || r.Properties.SessionState != "LogOff" || r.S != "LogOff" {
		t.Errorf("row = %+v", r)
	}
	if strings.Index(text, `"z"`) > strings.Index(text, `"a"`) || !strings.Contains(text, "<&>") || !strings.HasSuffix(text, "\n") {
		t.Errorf("text = %s", text)
	}
	out.Reset()
	command(t, &out, url, "-o", "json", defectWords.Replace("SELECT id FROM %U WHERE %P AND name = 'none'"))
	if strings.TrimSpace(out.String()) != "[]" {
		t.Errorf("no rows = %s", out.String())
	}
}

// The published EXEC examples have the comma inside a comment.
func TestStackQLDefects_commaInComment(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	values := aSession(t, open(t, url))
	s := open(t, url, planeql.WithVariables(values))
	sim.ResetRequests()
	must(t, s, "EXEC "+sessions+`.disconnect
@subscriptionId='{{ subscriptionId }}' --required,
@resourceGroupName='{{ resourceGroupName }}' --required,
@hostPoolName='{{ hostPoolName }}' --required,
@sessionHostName='{{ sessionHostName }}' --required,
@userSessionId='{{ userSessionId }}' --required
`)
	if r := sim.Requests(); len(r) != 1 || !strings.HasSuffix(r[0].Path, "/disconnect") {
		t.Errorf("requests = %+v", r)
	}
}

// Tables of the session are there in the next process when a file keeps them.
func TestStackQLDefects_file(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	file := t.TempDir() + "/kept.duckdb"
	ctx := context.Background()
	first := open(t, url, planeql.WithDatabase(file))
	if _, err := first.Exec(ctx, "CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT iif(a = 1, 'one', 'more') AS b FROM t"); err != nil {
		t.Fatal(printed(err))
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, url, planeql.WithDatabase(file))
	if diff := cmp.Diff([][]any{{"one"}}, must(t, second, "SELECT b FROM v")); diff != "" {
		t.Error(diff)
	}
}
