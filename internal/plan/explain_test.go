package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// explained gives the plan of a statement over Azure Virtual Desktop, with the
// rows of listings that are known by name.
func explained(t *testing.T, text string, known map[string]int) plan.Explained {
	t.Helper()
	p := planner(t)
	p.Options.Use = []string{"azure", "desktop_virtualization"}
	statements, err := syntax.Parse(&fault.Source{Name: "query", Text: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	built, err := p.Build(statements[0])
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return plan.Explain(built, plan.Facts{Known: func(s *plan.Scan) (int, bool) {
		var names []string
		for _, source := range s.Feed.Sources {
			names = append(names, source.Scan.Name)
		}
		n, ok := known[strings.Join(names, " with ")]
		return n, ok
	}})
}

const inSubscription = "subscriptionId = '11111111-1111-1111-1111-111111111111'"

// The number of calls is a sum of what the statement asks for and of the rows of
// listings, with what is known put in.
func TestExplain_calls(t *testing.T) {
	for _, c := range []struct {
		text    string
		known   map[string]int
		formula string
		count   int // -1: not known
	}{
		{"SELECT 1 FROM user_sessions", nil, "1 + subscriptions + host_pools", -1},
		{"SELECT 1 FROM user_sessions", map[string]int{"subscriptions": 3}, "1 + 3 subscriptions + host_pools", -1},
		{"SELECT 1 FROM user_sessions", map[string]int{"subscriptions": 3, "host_pools": 12}, "1 + 3 subscriptions + 12 host_pools = 16", 16},
		{"SELECT 1 FROM user_sessions", map[string]int{"subscriptions": 0, "host_pools": 0}, "1 + 0 subscriptions + 0 host_pools = 1", 1},
		{"SELECT 1 FROM user_sessions WHERE hostPoolName = 'p'", map[string]int{"subscriptions": 3, "host_pools": 12}, "1 + 3 subscriptions + 12 host_pools = 16", 16},
		{"SELECT 1 FROM user_sessions WHERE " + inSubscription, map[string]int{"host_pools": 12}, "1 + 12 host_pools = 13", 13},
		{"SELECT 1 FROM user_sessions WHERE \"$filter\" IN ('a', 'b')", map[string]int{"subscriptions": 3, "host_pools": 12}, "1 + 3 subscriptions + 2 × 12 host_pools = 28", 28},
		{"SELECT 1 FROM host_pools WHERE " + inSubscription, nil, "1", 1},
		{"SELECT 1 FROM host_pools WHERE " + inSubscription + " AND resourceGroupName IN ('a', 'b')", nil, "2", 2},
		{"SELECT 1 FROM host_pools WHERE " + inSubscription + " AND 1 = 0 AND resourceGroupName = NULL", nil, "0", 0},
		{"SELECT 1 FROM host_pools a, workspaces b WHERE a." + inSubscription + " AND b." + inSubscription, nil, "2", 2},
		{"SELECT 1 FROM host_pools UNION ALL SELECT 2 FROM workspaces", nil, "1 + 2 × subscriptions", -1},
		{"SELECT 1 FROM host_pools UNION ALL SELECT 2 FROM workspaces", map[string]int{"subscriptions": 3}, "1 + 2 × 3 subscriptions = 7", 7},
		{"SELECT 1 FROM host_pools UNION ALL SELECT 2 FROM host_pools", nil, "1 + subscriptions", -1},
		{"SELECT 1 FROM host_pools hp JOIN session_hosts sh USING (subscriptionId, resourceGroupName, hostPoolName)", nil, "1 + subscriptions + hp", -1},
	} {
		got := explained(t, c.text, c.known).Calls
		count := -1
		if got.Count != nil {
			count = *got.Count
		}
		if got.Formula != c.formula || count != c.count {
			t.Errorf("%s\n%q, %d\nwant %q, %d", c.text, got.Formula, count, c.formula, c.count)
		}
	}
}

// A limit says how long the calls take at least where their number is known,
// and where they may be spread over several limits.
func TestExplain_limits(t *testing.T) {
	const limit = "reads of a subscription: 250 at once, then 25 a second"
	list := func(n int) string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("'g%d'", i))
		}
		return " AND resourceGroupName IN (" + strings.Join(names, ", ") + ")"
	}
	two := strings.Replace(inSubscription, "=", "IN ('22222222-1111-1111-1111-111111111111',", 1) + ")"
	for _, c := range []struct {
		text  string
		known map[string]int
		want  string
	}{
		{"SELECT 1 FROM host_pools WHERE " + inSubscription, nil, limit},
		{"SELECT 1 FROM host_pools WHERE " + inSubscription + list(250), nil, limit + ": 250 calls need not wait"},
		{"SELECT 1 FROM host_pools WHERE " + inSubscription + list(1000), nil, limit + ": 1,000 calls take at least 30 s"},
		{"SELECT 1 FROM host_pools WHERE " + two + list(300), nil, limit + ": 300 calls take at least 2 s"},
		{"SELECT 1 FROM user_sessions", nil, limit},
		{"SELECT 1 FROM user_sessions", map[string]int{"host_pools": 1251}, limit + ": 1,251 calls take up to 40.04 s by it"},
		{"SELECT 1 FROM user_sessions WHERE " + inSubscription, map[string]int{"host_pools": 1250}, limit + ": 1,250 calls take at least 40 s"},
		{"SELECT 1 FROM user_sessions WHERE " + inSubscription + " AND hostPoolName = 'p'", map[string]int{"host_pools": 1250}, limit + ": 1,250 calls take at least 40 s"},
		{"SELECT 1 FROM session_hosts sh JOIN host_pools hp ON sh.resourceGroupName = hp.resourceGroupName AND sh.hostPoolName = hp.name AND sh." + inSubscription + " AND hp." + inSubscription,
			map[string]int{"hp": 1250}, limit + ": 1,250 calls take at least 40 s"},
		{"SELECT 1 FROM user_sessions WHERE " + two, map[string]int{"host_pools": 1250}, limit + ": 1,250 calls take up to 40 s by it"},
	} {
		lines := explained(t, c.text, c.known).Lines()
		found := ""
		for i, l := range lines { // the last scan's
			if _, text, ok := strings.Cut(l, "limit       "); ok {
				found = text
				if next := lines[i+1]; !strings.Contains(next, "permission") {
					found += " " + strings.TrimLeft(next, " │")
				}
			}
		}
		if found != c.want {
			t.Errorf("%.100s\n%q\nwant %q", c.text, found, c.want)
		}
	}
}

// The tree and the JSON text have the same data; what the tree cuts stands in
// the JSON text whole.
func TestExplain_json(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("'pool-%d'", i))
	}
	x := explained(t, "SELECT 1 FROM user_sessions WHERE "+inSubscription+" AND hostPoolName IN ("+strings.Join(names, ", ")+") AND sessionState = 'Active'", nil)
	text, err := x.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Scans []struct {
			Step       int
			Name       string
			Finds      bool
			FedBy      []int `json:"fed_by"`
			Parameters []plan.ExplainedParameter
			Arguments  []map[string]string
			Binds      []string
			Filters    []string
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Scans) != 2 {
		t.Fatalf("%d scans", len(got.Scans))
	}
	find, scan := got.Scans[0], got.Scans[1]
	if !find.Finds || find.Step != 1 || scan.Finds || scan.Step != 2 || !cmp.Equal(scan.FedBy, []int{1}) {
		t.Errorf("the steps are %+v", got.Scans)
	}
	if len(scan.Arguments) != 30 || len(scan.Parameters[2].Values) != 30 || scan.Parameters[2].Source != "found" {
		t.Errorf("the arguments are %v, the parameters %+v", scan.Arguments, scan.Parameters)
	}
	if want := []string{inSubscription, "hostPoolName IN (" + strings.Join(names, ", ") + ")"}; !cmp.Equal(scan.Binds, want) {
		t.Errorf("%q binds", scan.Binds)
	}
	if !cmp.Equal(scan.Filters, []string{"sessionState = 'Active'"}) {
		t.Errorf("%q filters", scan.Filters)
	}
	for _, l := range x.Lines() {
		if n := len([]rune(l)); n > 100 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

// A condition is shown as it is written, up to where another begins; forms that
// DuckDB reads otherwise are shown as they are read.
func TestExplain_conditions(t *testing.T) {
	for _, c := range []struct{ where, want string }{
		{"friendlyName BETWEEN 'a' AND 'b' AND ring IS NOT NULL", "friendlyName BETWEEN 'a' AND 'b' | ring IS NOT NULL"},
		{"(ring = 1 OR\n\t ring = 2) /* two */ AND NOT (location = 'a  b')", "ring = 1 OR ring = 2 | NOT (location = 'a  b')"},
		{"CASE WHEN ring = 1 AND location = 'x' THEN true ELSE false END", "CASE WHEN ring = 1 AND location = 'x' THEN true ELSE false END"},
		{"lower(left(location, 4)) = 'west' AND (location, ring) IN (('a', 1), ('b', 2))", "lower(left(location, 4)) = 'west' | (location, ring) IN (('a', 1), ('b', 2))"},
		{"location NOT LIKE 'a%' ORDER BY ring", "location NOT LIKE 'a%'"},
		{"((location = 'x'))", "location = 'x'"},
		{"tags ->> 'owner' = 'me' GROUP BY ALL HAVING count(*) > 1", "(tags ->> 'owner') = 'me'"},
		{"EXISTS (SELECT 1 FROM workspaces w WHERE w.location = host_pools.location AND w." + inSubscription + ")", ""},
		{"location = 'x' UNION ALL SELECT '2'", "location = 'x'"},
		{"1 = 1", ""},
	} {
		x := explained(t, "SELECT location FROM host_pools WHERE "+inSubscription+" AND "+c.where, nil)
		at := 0
		for i, s := range x.Scans {
			if s.Name == "host_pools" {
				at = i
			}
		}
		if got := strings.Join(x.Scans[at].Filters, " | "); got != c.want {
			t.Errorf("%s\n%s\nwant\n%s", c.where, got, c.want)
		}
	}
}
