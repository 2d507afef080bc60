package planeql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// fourWay are the entries of a join, and the conditions that each brings with
// those that it needs by then.
var fourWay = []struct{ entry, alias string }{
	{"azure.desktop_virtualization.host_pools", "p"}, {"azure.desktop_virtualization.session_hosts", "h"},
	{"azure.desktop_virtualization.user_sessions", "u"}, {"azure.compute.virtual_machines", "v"},
}

var fourWayConditions = []struct{ aliases, text string }{
	{"ph", "h.subscriptionId = p.subscriptionId AND h.resourceGroupName = p.resourceGroupName AND h.hostPoolName = p.name"},
	{"hu", "u.subscriptionId = h.subscriptionId AND u.resourceGroupName = h.resourceGroupName AND u.hostPoolName = h.hostPoolName AND u.sessionHostName = h.sessionHostName"},
	{"hv", "lower(h.properties.resourceId) = lower(v.id)"},
}

// fourWayText gives the join with its entries in an order.
func fourWayText(order []int) string {
	text, there := "", ""
	used := make([]bool, len(fourWayConditions))
	for i, at := range order {
		e := fourWay[at]
		there += e.alias
		if i > 0 {
			text += "\nJOIN "
		}
		text += e.entry + " " + e.alias
		var on []string
		for j, c := range fourWayConditions {
			if !used[j] && strings.Trim(c.aliases, there) == "" {
				used[j] = true
				on = append(on, c.text)
			}
		}
		if i > 0 {
			text += " ON " + strings.Join(append(on, "true"), " AND ")
		}
	}
	return "SELECT lower(p.id), lower(h.id), lower(u.id), lower(v.id) FROM " + text
}

// permutations gives the orders of the numbers below n.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

// byHand are the calls that a person would make for the join: the list of
// subscriptions, pools and machines of each, and hosts and sessions of each
// pool.
func byHand() []string {
	calls := []string{"/subscriptions"}
	for subscription, pools := range map[string][]string{
		armsim.ProductionSubscription: {"rg-avd-prod-weu/hp-office", "rg-avd-prod-weu/hp-engineering", "rg-avd-prod-eus/hp-sales"},
		armsim.TestSubscription:       {"rg-avd-test/hp-pilot"},
	} {
		in := "/subscriptions/" + subscription
		calls = append(calls, in+"/providers/Microsoft.DesktopVirtualization/hostPools", in+"/providers/Microsoft.Compute/virtualMachines")
		for _, pool := range pools {
			group, name, _ := strings.Cut(pool, "/")
			path := fmt.Sprintf("%s/resourceGroups/%s/providers/Microsoft.DesktopVirtualization/hostPools/%s", in, group, name)
			calls = append(calls, path+"/sessionHosts", path+"/userSessions")
		}
	}
	return distinct(calls)
}

// distinct gives the different paths in lower case, sorted.
func distinct(paths []string) []string {
	var all []string
	for _, p := range paths {
		all = append(all, strings.ToLower(p))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A join of four resources gives the same rows by the same calls in whatever
// order they are written.
func TestFourWayJoin_everyOrder(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithoutCache())
	var want []string
	for _, order := range permutations(len(fourWay)) {
		text := fourWayText(order)
		sim.ResetRequests()
		var rows []string
		for _, r := range must(t, s, text) {
			rows = append(rows, line(r))
		}
		slices.Sort(rows)
		if want == nil {
			want = rows
		}
		if len(rows) != 120 || !slices.Equal(rows, want) {
			t.Errorf("%s\ngives %d rows, others than the first order", text, len(rows))
		}
		if sent := calls(sim); !slices.Equal(distinct(sent), byHand()) || len(sent) != len(byHand()) {
			t.Errorf("%s\nsends\n%s\nnot\n%s", text, strings.Join(sent, "\n"), strings.Join(byHand(), "\n"))
		}
	}
}
