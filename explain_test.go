package planeql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
)

// analyzed runs EXPLAIN ANALYZE (FORMAT json).
func analyzed(t *testing.T, s *planeql.Session, text string) plan.Explained {
	t.Helper()
	rows := must(t, s, "EXPLAIN ANALYZE (FORMAT json) "+text)
	var x plan.Explained
	if err := json.Unmarshal(rows[0][0].(json.RawMessage), &x); err != nil {
		t.Fatal(err)
	}
	if x.Measured == nil || x.Measured.Duration == nil || *x.Measured.Idle > *x.Measured.Duration {
		t.Fatalf("%s: measured %+v", text, x.Measured)
	}
	return x
}

// What EXPLAIN ANALYZE counts for each scan is what the service has seen of it.
func TestAnalyze(t *testing.T) {
	sim, url := simulator(t, armsim.WithPageSize(20))
	s := open(t, url, planeql.WithoutCache())
	for _, c := range []struct {
		text string
		rows int64
		want map[string]string // by scan: what is at the end of its calls' paths
	}{
		{"SELECT sessionState, count(*) FROM %U GROUP BY 1", 4, map[string]string{
			"subscriptions": "/subscriptions", "host_pools": "/hostPools", "user_sessions": "/userSessions",
		}},
		{readPool, 56, map[string]string{"user_sessions": "/userSessions"}},
		{"SELECT * FROM %U WHERE sessionState = 'none at all'", 0, map[string]string{
			"subscriptions": "/subscriptions", "host_pools": "/hostPools", "user_sessions": "/userSessions",
		}},
		{"SELECT sh.name FROM azure.desktop_virtualization.session_hosts sh JOIN azure.desktop_virtualization.host_pools hp " +
			"USING (subscriptionId, resourceGroupName, hostPoolName) WHERE hp.name = 'hp-office'", -1, map[string]string{
			"subscriptions": "/subscriptions", "hp": "/hostPools", "sh": "/sessionHosts",
		}},
	} {
		text := shorthand.Replace(c.text)
		plain := int64(len(must(t, s, text)))
		if c.rows >= 0 && plain != c.rows {
			t.Errorf("%s: %d rows, want %d", text, plain, c.rows)
		}
		sim.ResetRequests()
		x := analyzed(t, s, text)
		requests := sim.Requests()
		if x.Measured.Calls != len(requests) || x.Measured.Rows != plain || len(x.Scans) != len(c.want) {
			t.Errorf("%s: %d calls and %d rows of %d scans, want %d and %d", text, x.Measured.Calls, x.Measured.Rows, len(x.Scans), len(requests), plain)
		}
		for _, scan := range x.Scans {
			calls := 0
			for _, r := range requests {
				if strings.HasSuffix(r.Path, c.want[scan.Name]) {
					calls++
				}
			}
			m := scan.Measured
			if m == nil || m.Calls != calls || m.Pages != calls || m.Retries != 0 || m.Rows == 0 || m.Bytes == 0 || m.FirstRows == nil {
				t.Errorf("%s: %s: %+v, want %d calls", text, scan.Name, m, calls)
			}
		}
	}
}

// A call that is repeated counts as often as it was sent.
func TestAnalyze_retries(t *testing.T) {
	var failures atomic.Int64
	sim, url := simulator(t, armsim.WithHook(func(r *http.Request) armsim.Outcome {
		if strings.HasSuffix(r.URL.Path, "/userSessions") && failures.Add(1) <= 2 {
			return armsim.Outcome{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"0"}}}
		}
		return armsim.Outcome{}
	}))
	x := analyzed(t, open(t, url), shorthand.Replace(readPool))
	m := x.Scans[0].Measured
	if m.Calls != 3 || m.Retries != 2 || m.Pages != 1 || m.Rows != 56 || m.Calls != len(sim.Requests()) || x.Measured.Retries != 2 {
		t.Errorf("%+v by %d requests", m, len(sim.Requests()))
	}
}

// EXPLAIN ANALYZE prints the tree of EXPLAIN with what was measured.
func TestAnalyze_tree(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url)
	plain := must(t, s, shorthand.Replace("EXPLAIN "+readPool))
	if len(sim.Requests()) != 0 {
		t.Fatalf("EXPLAIN sent %d requests", len(sim.Requests()))
	}
	var lines []string
	for _, row := range must(t, s, shorthand.Replace("EXPLAIN ANALYZE "+readPool)) {
		lines = append(lines, row[0].(string))
	}
	tree := strings.Join(lines, "\n")
	for i, row := range plain[:len(plain)-2] { // without the note and "no request was sent"
		if lines[i] != row[0] {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], row[0])
		}
	}
	for _, want := range []string{"measured    1 call, 1 page, 56 rows, ", "\n   in all 1 call, 1 page, 56 rows, ", "\n   took "} {
		if !strings.Contains(tree, want) {
			t.Errorf("%q is not in\n%s", want, tree)
		}
	}
	if strings.Contains(tree, "no request") {
		t.Error("it says that no request was sent")
	}
}

// EXPLAIN ANALYZE of a write makes it, unless what guards it forbids.
func TestAnalyze_write(t *testing.T) {
	const host = "DELETE FROM azure.desktop_virtualization.session_hosts WHERE subscriptionId = '%S' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office' AND force = true AND sessionHostName "
	for name, c := range map[string]struct {
		text     string
		options  []planeql.Option
		code     fault.Code // empty: it works
		requests int
		note     string
	}{
		"one":              {host + "= 'nobody.contoso.com'", nil, "", 1, "in all 1 call, "},
		"dry run":          {host + "IN ('a', 'b')", []planeql.Option{planeql.WithDryRun()}, "", 0, "a dry run"},
		"read only":        {host + "= 'a'", []planeql.Option{planeql.WithReadOnly()}, fault.ReadOnly, 0, ""},
		"nobody confirmed": {host + "IN ('a', 'b')", nil, fault.ConfirmationNeeded, 0, ""},
		"catalog words":    {"USE azure", nil, fault.NotSupported, 0, ""},
		"missing value":    {"SELECT id FROM %U WHERE %P AND name = ?", nil, fault.UndefinedParameter, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sim, url := simulator(t)
			s := open(t, url, c.options...)
			rows, err := query(t, s, shorthand.Replace("EXPLAIN ANALYZE "+c.text))
			if got := len(sim.Requests()); got != c.requests {
				t.Errorf("%d requests, want %d", got, c.requests)
			}
			switch e := fault.As(err); {
			case c.code == "" && err != nil || c.code != "" && (e == nil || e.Code != c.code):
				t.Errorf("%v, want code %q", err, c.code)
			case c.note != "" && !strings.Contains(fmt.Sprint(rows), c.note):
				t.Errorf("%q is not in %v", c.note, rows)
			}
		})
	}
}

// A write of several targets counts its calls, and says how many failed.
func TestAnalyze_targets(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url, planeql.WithYes())
	rows, err := s.Query(context.Background(), shorthand.Replace("EXPLAIN ANALYZE (FORMAT json) DELETE FROM %U WHERE %P AND sessionHostName = 'nobody' AND userSessionId IN ('1', '2')"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var x plan.Explained
	for rows.Next() {
		if err := json.Unmarshal(rows.Values()[0].(json.RawMessage), &x); err != nil {
			t.Fatal(err)
		}
	}
	summary := rows.Summary()
	if x.Measured.Calls != 2 || len(sim.Requests()) != 2 || *x.Calls.Count != 2 || summary.Failed != 2 || len(rows.Warnings()) != 2 {
		t.Errorf("%+v by %d requests, %d failed, %v", x.Measured, len(sim.Requests()), summary.Failed, rows.Warnings())
	}
}

// EXPLAIN ANALYZE of a statement that keeps rows runs it and counts its calls.
func TestAnalyze_kept(t *testing.T) {
	_, url := simulator(t)
	s := open(t, url, planeql.WithoutCache())
	file := filepath.Join(t.TempDir(), "pools.csv")
	for _, text := range []string{
		"CREATE TABLE made AS SELECT name FROM azure.desktop_virtualization.host_pools",
		"CREATE OR REPLACE TABLE made AS SELECT name FROM azure.desktop_virtualization.host_pools",
		"INSERT INTO made SELECT name FROM azure.desktop_virtualization.host_pools",
		"COPY (SELECT name FROM azure.desktop_virtualization.host_pools) TO '" + file + "'",
	} {
		if x := analyzed(t, s, text); x.Measured == nil || x.Measured.Calls != 3 {
			t.Errorf("%s: measured %+v, not 3 calls", text, x.Measured)
		}
	}
	if got := fmt.Sprint(must(t, s, "SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM '"+file+"')")); got != "[[8 4]]" {
		t.Errorf("the table and the file have %s rows", got)
	}
	for text, code := range map[string]fault.Code{
		"CREATE TABLE made AS SELECT name FROM azure.desktop_virtualization.host_pools":                          fault.DuplicateTable,
		"CREATE TABLE IF NOT EXISTS made AS SELECT name FROM azure.desktop_virtualization.host_pools":            fault.NotSupported,
		"CREATE VIEW v AS SELECT name FROM azure.desktop_virtualization.host_pools":                              fault.NotSupported,
		"COPY (SELECT name FROM azure.desktop_virtualization.host_pools) TO 'd' (FORMAT csv, PARTITION_BY name)": fault.NotSupported,
	} {
		if _, err := query(t, s, "EXPLAIN ANALYZE "+text); fault.As(err) == nil || fault.As(err).Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
}
