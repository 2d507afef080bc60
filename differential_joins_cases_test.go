package planeql_test

import (
	"strings"
	"testing"

	"github.com/planeql/planeql/armsim"
)

// joinCases are statements that once gave other rows than DuckDB, each made as
// small as it can be. @P stands for desktop_virtualization, @S for the
// subscription of production.
var joinCases = []struct{ name, text string }{
	{"what has no partner is looked for", `SELECT p.name FROM azure.@P.host_pools p
		LEFT JOIN azure.resources.resource_groups g ON lower(g.name) = lower(p.resourceGroupName) WHERE g.subscriptionId IS NULL`},
	{"what has no partner in a full join", `SELECT v.vmName, h.name FROM azure.compute.virtual_machines v
		FULL JOIN azure.@P.session_hosts h USING (subscriptionId, resourceGroupName) WHERE NOT (h.subscriptionId IS NOT NULL)`},
	{"what has no partner, asked outside of a query", `SELECT d.name FROM (SELECT p.name, h.hostPoolName AS found FROM azure.@P.host_pools p
		LEFT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.name) d WHERE d.found IS NULL`},
	{"a NULL that a function replaces", `SELECT p.name FROM azure.@P.host_pools p
		LEFT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.name WHERE coalesce(h.hostPoolName, 'none') = 'none'`},
	{"names in two cases, in alternatives of a joined table", `SELECT count(*) FROM azure.@P.session_hosts h
		JOIN azure.@P.host_pools p USING (subscriptionId, resourceGroupName, hostPoolName)
		WHERE h.subscriptionId IN ('8F2C1A5E-3B6D-4C7A-9E10-5D2F4B8A6C01', '@S') AND h.resourceGroupName = 'rg-avd-prod-weu' AND h.hostPoolName = 'hp-engineering' OR h.subscriptionId = '@S'`},
	{"two readers of one query", `WITH p AS (SELECT subscriptionId AS s, resourceGroupName AS g, name FROM azure.@P.host_pools)
		SELECT h.name FROM p a, p b, azure.@P.session_hosts h
		WHERE h.subscriptionId = a.s AND h.resourceGroupName = a.g AND a.name <> b.name AND h.hostPoolName = b.name`},
	{"columns by name", `SELECT lower(x), lower(y) FROM (SELECT hostPoolName AS x, resourceGroupName AS y FROM azure.@P.session_hosts
		UNION BY NAME SELECT resourceGroupName AS y, hostPoolName AS x FROM azure.@P.user_sessions) v WHERE y = 'rg-avd-prod-weu'`},
}

func TestDifferential_joinCases(t *testing.T) {
	e := newEstate(t)
	for _, c := range joinCases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.NewReplacer("@P", "desktop_virtualization", "@S", armsim.ProductionSubscription).Replace(c.text)
			if _, refused := e.checkJoined(t, joined{text: text}); refused {
				t.Errorf("%s\nis refused", text)
			}
		})
	}
}
