package planeql_test

import (
	"fmt"
	"testing"

	"github.com/planeql/planeql/armsim"
)

// Tables of the session come before the resources that USE makes short, in
// every statement, and EXPLAIN knows them.
func TestLocalTables(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url)
	must(t, s, "USE azure.desktop_virtualization")
	must(t, s, "CREATE TABLE desktops AS SELECT 1 AS a UNION ALL SELECT 2")
	for text, want := range map[string]string{
		"SELECT sum(a)::INTEGER FROM desktops":                      "[[3]]",
		"EXPLAIN (FORMAT text) DELETE FROM desktops":                "[[DUCKDB] [   DuckDB alone: no resource is read] [   no request was sent for this plan]]",
		"EXPLAIN DESCRIBE desktops":                                 "[[DUCKDB] [   DuckDB alone: no resource is read or changed] [   no request was sent for this plan]]",
		"SELECT column_name FROM (DESCRIBE SELECT * FROM desktops)": "[[a]]",
	} {
		if got := fmt.Sprint(must(t, s, text)); got != want {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
	must(t, s, "DELETE FROM desktops WHERE a = 1")
	if got := fmt.Sprint(must(t, s, "SELECT a FROM desktops")); got != "[[2]]" {
		t.Errorf("after DELETE: %s", got)
	}
	if n := len(sim.Requests()); n > 0 {
		t.Errorf("%d requests", n)
	}
	must(t, s, "DROP TABLE desktops")
	must(t, s, "SELECT * FROM desktops")
	if len(sim.Requests()) == 0 {
		t.Error("the resource behind the name is not read")
	}
}
