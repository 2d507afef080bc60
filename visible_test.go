package planeql_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// A write that is to be visible ends when reading shows it, however far reads are
// behind; without the hint the next SELECT shows what was before.
func TestVisible(t *testing.T) {
	const (
		pools = "azure.desktop_virtualization.host_pools"
		made  = weu + " AND hostPoolName = 'hp-seen'"
	)
	insert := "INSERT %s INTO " + pools + " (subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType, description) VALUES ('" +
		prod + "', 'rg-avd-prod-weu', 'hp-seen', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop', 'new')"
	for name, c := range map[string]struct{ before, text, where, old, now string }{
		"insert":         {"", insert, made, "[]", "[[new]]"},
		"update":         {"", "UPDATE %s " + pools + " SET description = 'new' WHERE " + office4, office4, "[[Session hosts of hp-office]]", "[[new]]"},
		"update to null": {"UPDATE " + pools + " SET description = 'old' WHERE " + office4, "UPDATE %s " + pools + " SET description = NULL WHERE " + office4, office4, "[[old]]", "[[<nil>]]"},
		"replace":        {fmt.Sprintf(insert, ""), "REPLACE %s " + pools + " SET location = 'West Europe', hostPoolType = 'Pooled', loadBalancerType = 'BreadthFirst', preferredAppGroupType = 'Desktop', description = 'newer' WHERE " + made, made, "[[new]]", "[[newer]]"},
		"delete":         {fmt.Sprintf(insert, ""), "DELETE %s FROM " + pools + " WHERE " + made, made, "[[new]]", "[]"},
	} {
		for _, style := range []armsim.Style{armsim.Immediate, armsim.AsyncOperation} {
			t.Run(name+" "+string(style), func(t *testing.T) {
				t.Parallel()
				for _, hint := range []string{"", "/*+ VISIBLE */"} {
					// The reads of the operation's result and of the first SELECT are behind, too.
					sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithStaleReads(armsim.Staleness{Reads: 3}),
						armsim.WithLongRunning(armsim.LongRunning{Style: style, RetryAfter: time.Millisecond}),
						armsim.WithHook(func(r *http.Request) armsim.Outcome {
							if r.Method != http.MethodGet {
								return armsim.Outcome{}
							}
							return armsim.Outcome{Header: http.Header{"Retry-After-Ms": {"1"}}}
						}))
					s := open(t, url, planeql.WithYes())
					seen := func() string {
						rows, err := query(t, s, "SELECT description FROM "+pools+" WHERE "+c.where+" AND subscriptionId IS NOT NULL")
						if err != nil && len(rows) > 0 {
							t.Fatal(printed(err))
						}
						return fmt.Sprint(rows)
					}
					if c.before != "" {
						must(t, s, c.before)
						for range 5 { // until it is seen
							seen()
						}
					}
					sim.ResetRequests()
					rows := must(t, s, fmt.Sprintf(c.text, hint))
					if len(rows) != 1 || rows[0][1] != "done" {
						t.Fatalf("%v", rows)
					}
					if got, want := seen(), map[bool]string{true: c.old, false: c.now}[hint == ""]; got != want {
						t.Errorf("%s: %s, want %s", hint, got, want)
					}
				}
			})
		}
	}
}
