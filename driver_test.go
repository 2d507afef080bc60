package planeql_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// database opens a database/sql pool whose azure calls go to a simulator.
func database(t *testing.T, opts ...armsim.Option) (*armsim.Simulator, *sql.DB) {
	t.Helper()
	sim, url := simulator(t, opts...)
	db := sql.OpenDB(planeql.NewConnector(
		planeql.WithEndpoint("azure", url), planeql.WithEnvironment(environment),
		planeql.WithAuth("azure", "bearer", map[string]string{"env": "TOKEN"}),
	))
	t.Cleanup(func() { db.Close() })
	return sim, db
}

// Arguments bind to parameters of methods, in both forms, and reach the call.
func TestDriver_arguments(t *testing.T) {
	sim, db := database(t)
	for _, text := range []string{
		"SELECT count(*) FROM %U WHERE subscriptionId = ? AND resourceGroupName = ? AND hostPoolName = ?",
		"SELECT count(*) FROM %U WHERE hostPoolName = $3 AND resourceGroupName = $2 AND subscriptionId = $1",
	} {
		sim.ResetRequests()
		var n int
		err := db.QueryRow(shorthand.Replace(text), armsim.ProductionSubscription, "rg-avd-prod-weu", "hp-office").Scan(&n)
		if err != nil || n == 0 {
			t.Errorf("%s: %d, %v", text, n, err)
		}
		if r := sim.Requests(); len(r) != 1 || !strings.HasSuffix(r[0].Path, "/hostPools/hp-office/userSessions") {
			t.Errorf("%s: %v", text, r)
		}
	}
	for text, args := range map[string][]any{
		"SELECT ?": nil, "SELECT 1": {1}, "SELECT $2": {1}, "SELECT ? + ?": {1}, "SELECT @x": {sql.Named("x", 1)}, "SELECT ? AS a": {struct{}{}},
	} {
		var v any
		if err := db.QueryRow(text, args...).Scan(&v); fault.As(err) == nil {
			t.Errorf("%s with %v: %v, %v", text, args, v, err)
		}
	}
}

// Go values come back as they went in.
func TestDriver_values(t *testing.T) {
	_, db := database(t)
	at := time.Date(2026, 3, 29, 1, 30, 0, 123456000, time.UTC)
	var (
		text, quoted, object string
		truth                bool
		small                int32
		large                int64
		unsigned             uint64
		number               float64
		when                 time.Time
		raw                  []byte
		none                 *string
	)
	err := db.QueryRow("SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?",
		"grüße", `it's "x"; --`, json.RawMessage(`{"a": [1, 2.50]}`), true, int32(-5), int64(1)<<62, uint64(1)<<63, 0.1, at, []byte{0, 255}, nil,
	).Scan(&text, &quoted, &object, &truth, &small, &large, &unsigned, &number, &when, &raw, &none)
	if err != nil {
		t.Fatal(err)
	}
	if text != "grüße" || quoted != `it's "x"; --` || object != `{"a": [1, 2.50]}` || !truth || small != -5 || large != 1<<62 ||
		unsigned != 1<<63 || number != 0.1 || !when.Equal(at) || string(raw) != "\x00\xff" || none != nil {
		t.Error(text, quoted, object, truth, small, large, unsigned, number, when, raw, none)
	}
}

// Rows of a resource scan into typed places; NULL into those that know it.
func TestDriver_scan(t *testing.T) {
	_, db := database(t)
	rows, err := db.QueryContext(context.Background(), shorthand.Replace(
		"SELECT name, createTime, properties, hostPoolName, CASE WHEN false THEN 'x' END, CASE WHEN false THEN 1 END, 1.25::DECIMAL(9, 2), [1, 2] FROM %U WHERE %P LIMIT 2"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		var (
			name       string
			created    sql.NullTime
			properties json.RawMessage
			pool       sql.NullString
			text       sql.NullString
			number     sql.NullInt64
			exact      float64
			list       string
		)
		if err := rows.Scan(&name, &created, (*[]byte)(&properties), &pool, &text, &number, &exact, &list); err != nil {
			t.Fatal(err)
		}
		var object struct{ UserPrincipalName string }
		if json.Unmarshal(properties, &object) != nil || !strings.Contains(object.UserPrincipalName, "@") {
			t.Errorf("properties are %s", properties)
		}
		if name == "" || !created.Valid || created.Time.IsZero() || pool.String != "hp-office" || text.Valid || number.Valid || exact != 1.25 || list != "[1,2]" && list != "[1, 2]" {
			t.Error(name, created, pool, text, number, exact, list)
		}
		count++
	}
	if rows.Err() != nil || count != 2 {
		t.Errorf("%d rows, %v", count, rows.Err())
	}
}

func TestDriver_columnTypes(t *testing.T) {
	_, db := database(t)
	rows, err := db.Query(shorthand.Replace("SELECT id, createTime, properties, count(*) OVER () AS n FROM %U WHERE %P LIMIT 1"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range types {
		got += c.Name() + " " + c.DatabaseTypeName() + "; "
	}
	if want := "id VARCHAR; createTime TIMESTAMP WITH TIME ZONE; properties JSON; n BIGINT; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Exec tells how many targets were reached.
func TestDriver_exec(t *testing.T) {
	sim, db := database(t)
	server := httptest.NewServer(sim) // for a session beside the pool
	defer server.Close()
	values := aSession(t, open(t, server.URL))
	const where = "@subscriptionId = ?, @resourceGroupName = ?, @hostPoolName = ?, @sessionHostName = ?, @userSessionId = ?"
	key := []any{values["subscriptionId"], values["resourceGroupName"], values["hostPoolName"], values["sessionHostName"], values["userSessionId"]}
	result, err := db.Exec(shorthand.Replace("EXEC %U.send_message "+where+", @@json = ?"), append(key, `{"messageTitle": "a", "messageBody": "it's b"}`)...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := result.LastInsertId(); err == nil {
		t.Error("there is an insert id")
	}
	if m := sim.Messages(); len(m) != 1 || m[0].Body != "it's b" {
		t.Errorf("messages: %v", m)
	}
}

// What USE and SET do stays with its connection.
func TestDriver_connection(t *testing.T) {
	_, db := database(t)
	ctx := context.Background()
	one, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	other, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := one.ExecContext(ctx, "USE azure.desktop_virtualization; CREATE TEMP TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := one.QueryRowContext(ctx, "SELECT n FROM kept, (SELECT count(*) AS c FROM user_sessions WHERE "+inPool+") WHERE c > 0").Scan(&n); err != nil || n != 7 {
		t.Errorf("the connection that said USE: %d, %v", n, err)
	}
	for _, text := range []string{"SELECT n FROM kept", "SELECT 1 FROM user_sessions WHERE " + inPool} {
		if err := other.QueryRowContext(ctx, text).Scan(&n); fault.As(err) == nil || fault.As(err).Code != fault.UndefinedTable {
			t.Errorf("the other connection: %s: %v", text, err)
		}
	}
}

// Errors come through database/sql as they are.
func TestDriver_errors(t *testing.T) {
	_, db := database(t, armsim.WithHook(says(http.StatusForbidden, "AuthorizationFailed", "No.")))
	rows, err := db.Query(shorthand.Replace(readPool))
	if err == nil {
		for rows.Next() {
			continue
		}
		err = rows.Err()
		rows.Close()
	}
	e, ok := errors.AsType[*planeql.Error](err)
	if !ok || e.Code != fault.Forbidden || e.HTTP == nil || e.HTTP.Status != http.StatusForbidden {
		t.Errorf("the error is %v", err)
	}
	var wrong int
	if err := db.QueryRow("SELECT 'x' AS a").Scan(&wrong); err == nil {
		t.Error("text was scanned into a number")
	}
	for what, err := range map[string]error{
		"a misspelt statement": db.QueryRow("SELEC 1").Scan(&wrong),
		"a name that is none":  db.QueryRow("SELECT * FROM azure.desktop_virtualization.user_session").Scan(&wrong),
		"a transaction":        second(db.Begin()),
		"a name of a source":   second(db.Driver().Open("planeql://")),
	} {
		if e, ok := errors.AsType[*planeql.Error](err); !ok || e.Hint == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A cancelled context ends the calls, and the connection goes on.
func TestDriver_cancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls atomic.Int64
	sim, db := database(t, crowd(3000), armsim.WithLatency(10*time.Millisecond), armsim.WithHook(func(*http.Request) armsim.Outcome {
		if calls.Add(1) == 5 {
			cancel()
		}
		return armsim.Outcome{}
	}))
	rows, err := db.QueryContext(ctx, shorthand.Replace(readPool))
	if err == nil {
		for rows.Next() {
			continue
		}
		err = rows.Err()
		rows.Close()
	}
	if e := fault.As(err); !errors.Is(err, context.Canceled) && (e == nil || e.Code != fault.Cancelled) {
		t.Errorf("the error is %v", err)
	}
	if n := len(sim.Requests()); n > 6 {
		t.Errorf("%d requests", n)
	}
	if err := db.QueryRow("SELECT 1").Scan(new(int)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A pool serves several goroutines, each with a session of its own.
func TestDriver_concurrent(t *testing.T) {
	_, db := database(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			var n, same int
			err := db.QueryRow(shorthand.Replace("SELECT count(*), ?::INTEGER FROM %U WHERE %P"), i).Scan(&n, &same)
			if err != nil || n == 0 || same != i {
				t.Errorf("%d: %d sessions, %d, %v", i, n, same, err)
			}
		})
	}
	all.Wait()
}

// A prepared statement is planned with each set of arguments.
func TestDriver_prepare(t *testing.T) {
	_, db := database(t)
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	st, err := db.Prepare(shorthand.Replace("SELECT count(*) FROM %U WHERE subscriptionId = '%S' AND resourceGroupName = $1 AND hostPoolName = $2"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var counts []int
	for _, pool := range []string{"hp-office", "HP-OFFICE", "hp-dev"} {
		var n int
		if err := st.QueryRow("rg-avd-prod-weu", pool).Scan(&n); err != nil && fault.As(err).Code != fault.NotFound {
			t.Errorf("%s: %v", pool, err)
		}
		counts = append(counts, n)
	}
	if counts[0] == 0 || counts[0] != counts[1] {
		t.Errorf("counts are %v", counts)
	}
	if _, err := st.Exec("rg-avd-prod-weu", "hp-office"); err != nil {
		t.Errorf("Exec: %v", err)
	}
	if _, err := db.Prepare("SELECT 'x"); fault.As(err) == nil {
		t.Errorf("a broken statement is prepared: %v", err)
	}
	if _, err := db.Prepare(""); err == nil {
		if err := db.QueryRow("").Scan(new(int)); fault.As(err) == nil {
			t.Errorf("an empty statement: %v", err)
		}
	}
}
