package planeql_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// SHOW … WHERE takes any condition on the columns that it shows, and makes no call.
func TestShowWhere(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url)
	must(t, s, "CREATE TABLE mine AS SELECT 1 AS a")
	for text, want := range map[string]string{
		"SHOW SERVICES IN azure WHERE name LIKE 'desk%'": "[[azure.desktop_virtualization desktop_virtualization Azure Virtual Desktop]]",
		"SHOW PROVIDERS WHERE name = 'it''s'":            "[]",
		"SHOW METHODS IN azure.desktop_virtualization.host_pools LIKE 'list%' WHERE RequiredParams NOT LIKE '%resourceGroupName%';": "pageSize",
		"SHOW TABLES WHERE kind = 'table' AND length(name) = 4":                                                                     "[[mine table]]",
		"SHOW VIEWS WHERE name IN (SELECT 'none')":                                                                                  "[]",
	} {
		if got := fmt.Sprint(must(t, s, text)); got != want && (want != "pageSize" || !strings.Contains(got, want) || strings.Count(got, "SELECT") != 1) {
			t.Errorf("%s\n%s, not %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"SHOW SERVICES IN azure WHERE nme = 'x'": `no column "nme"`,
		"SHOW SERVICES IN azure WHERE":           "a condition is expected after WHERE",
		"SHOW SERVICES IN azure WHERE name = ":   "syntax error",
	} {
		_, err := query(t, s, text)
		if e := fault.As(err); e == nil || !strings.Contains(e.Message, want) || e.Span.Source == nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	if n := len(sim.Requests()); n > 0 {
		t.Errorf("%d calls", n)
	}
}

// TABLE and SUMMARIZE take the name of a resource; EXPLAIN takes its options in
// brackets.
func TestForms_names(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithoutCache())
	for text, want := range map[string]string{
		"SELECT count(*) FROM (TABLE " + hostPools + ")":                       "[[4]]",
		"SELECT count(*) FROM (TABLE " + hostPools + " UNION ALL TABLE mine)":  "",
		"SELECT column_name, count FROM (SUMMARIZE " + hostPools + ") LIMIT 1": "[[id 4]]",
		"SELECT count FROM (SUMMARIZE TABLE " + hostPools + ") LIMIT 1":        "[[4]]",
		"WITH a AS (TABLE " + hostPools + ") SELECT count(*) FROM a":           "[[4]]",
		"EXPLAIN (ANALYZE, FORMAT json) SELECT name FROM " + hostPools:         `"measured": {`,
		"EXPLAIN (FORMAT text, ANALYZE) SELECT name FROM " + hostPools:         "in all 3 calls",
		"EXPLAIN (ANALYZE) SELECT 1":                                           "in all 0 calls",
		"EXPLAIN (ANALYZE, FORMAT) SELECT 1":                                   "",
		"EXPLAIN (ANALYZE FORMAT json) SELECT 1":                               "",
	} {
		rows, err := query(t, s, text)
		got := fmt.Sprint(rows)
		if len(rows) == 1 && len(rows[0]) == 1 {
			if raw, ok := rows[0][0].(json.RawMessage); ok {
				got = string(raw)
			}
		}
		switch {
		case want == "":
			if e := fault.As(err); e == nil || e.Scope != fault.Statement {
				t.Errorf("%s\n%v", text, err)
			}
		case err != nil || !strings.Contains(got, want):
			t.Errorf("%s\n%v %v", text, got, err)
		}
	}
}

// EXPLAIN ANALYZE runs COPY into several files too, whose rows are read whole first.
func TestExplain_copies(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithoutCache())
	folder := t.TempDir() + "/parts"
	text := fmt.Sprint(must(t, s, "EXPLAIN ANALYZE COPY (SELECT name, location FROM "+hostPools+") TO '"+folder+"' (FORMAT csv, PARTITION_BY (location))"))
	for _, part := range []string{"COPY: 1 + subscriptions calls", "measured    2 calls, 2 pages, 4 rows", "in all 3 calls"} {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q:\n%s", part, text)
		}
	}
	if rows := must(t, s, "SELECT count(*) FROM '"+folder+"/*/*.csv'"); fmt.Sprint(rows) != "[[4]]" {
		t.Errorf("%v rows were written", rows)
	}
}
