package planeql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/armsim"
)

type joinCase struct{ name, text string }

// joinCases are statements that once gave other rows than DuckDB, each made as
// small as it can be. @P stands for desktop_virtualization, @S for the
// subscription of production.
var joinCases = []joinCase{
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
}

// joinForms are forms of statements in which it is easy to see a link, or a
// condition, where there is none: a common table expression read twice, UNION
// BY NAME, a column that * replaces, ROLLUP, columns of USING, values that an
// outer join makes.
var joinForms = []string{
	`WITH c AS (SELECT subscriptionId, resourceGroupName, hostPoolName FROM azure.@P.host_pools) SELECT lower(x.hostPoolName), lower(y.hostPoolName), lower(h.name) FROM c x JOIN c y ON x.subscriptionId = y.subscriptionId JOIN azure.@P.session_hosts h ON h.subscriptionId = x.subscriptionId AND h.resourceGroupName = x.resourceGroupName AND h.hostPoolName = x.hostPoolName WHERE y.hostPoolName = 'hp-office'`,
	`WITH c AS (SELECT subscriptionId, resourceGroupName, hostPoolName FROM azure.@P.host_pools) SELECT lower(h.name) FROM c x, c y, azure.@P.session_hosts h WHERE x.subscriptionId = h.subscriptionId AND x.hostPoolName = 'hp-office' AND h.hostPoolName = y.hostPoolName`,
	`SELECT d.r FROM (SELECT name AS r, hostPoolName AS k FROM azure.@P.host_pools UNION ALL BY NAME SELECT hostPoolName AS k, name AS r FROM azure.@P.session_hosts) d WHERE d.k = 'hp-office'`,
	`SELECT d.a FROM (SELECT subscriptionId AS s, resourceGroupName AS a FROM azure.@P.host_pools UNION ALL BY NAME SELECT lower(resourceGroupName) AS a, subscriptionId AS s FROM azure.@P.session_hosts) d WHERE d.a = 'rg-avd-test'`,
	`SELECT d.a FROM (SELECT subscriptionId AS s, resourceGroupName AS a FROM azure.@P.host_pools UNION ALL BY NAME SELECT resourceGroupName AS a, subscriptionId AS s FROM azure.@P.session_hosts) d WHERE d.a = 'rg-avd-test'`,
	`SELECT count(*) FROM (SELECT * REPLACE ('x' AS location) FROM azure.compute.virtual_machines) d WHERE d.location = 'x'`,
	`SELECT count(*) FROM (SELECT * REPLACE ('x' AS "subscriptionId") FROM azure.subscription.subscriptions) d WHERE d.subscriptionId = 'x'`,
	`SELECT count(*) FROM (SELECT * RENAME (location AS loc) FROM azure.compute.virtual_machines) d WHERE d.loc = 'westeurope'`,
	`SELECT count(*) FROM azure.compute.virtual_machines v WHERE v.location = 'westeurope'`,
	`SELECT count(*) FROM azure.compute.virtual_machines v WHERE v.location IN ('westeurope', 'eastus')`,
	`SELECT lower(d.s), n FROM (SELECT h.subscriptionId AS s, count(*) AS n FROM azure.@P.session_hosts h GROUP BY ROLLUP (h.subscriptionId)) d WHERE d.s IS NULL`,
	`SELECT lower(d.s), lower(d.g), n FROM (SELECT h.subscriptionId AS s, h.resourceGroupName AS g, count(*) AS n FROM azure.@P.session_hosts h GROUP BY CUBE (h.subscriptionId, h.resourceGroupName)) d WHERE d.g IS NULL AND d.s = '@S'`,
	`SELECT lower(d.s), lower(d.g), n FROM (SELECT h.subscriptionId AS s, h.resourceGroupName AS g, count(*) AS n FROM azure.@P.session_hosts h GROUP BY GROUPING SETS ((h.subscriptionId), (h.resourceGroupName))) d WHERE coalesce(d.g, 'none') = 'none'`,
	`SELECT count(*) FROM azure.@P.session_hosts h WHERE h.hostPoolName = ALL (SELECT hostPoolName FROM azure.@P.host_pools p WHERE p.subscriptionId = '@S' AND p.resourceGroupName = 'rg-avd-prod-eus')`,
	`SELECT lower(h.name) FROM azure.@P.session_hosts h WHERE h.hostPoolName IN (SELECT hostPoolName FROM azure.@P.host_pools p WHERE p.location = 'eastus' UNION SELECT hostPoolName FROM azure.@P.host_pools q WHERE q.hostPoolType = 'Personal')`,
	`SELECT lower(h.name) FROM azure.@P.session_hosts h WHERE h.hostPoolName IN (SELECT any_value(hostPoolName) FROM azure.@P.host_pools p GROUP BY subscriptionId, hostPoolName)`,
	`SELECT lower(h.name) FROM azure.@P.session_hosts h WHERE h.hostPoolName IN (SELECT hostPoolName FROM azure.@P.host_pools p ORDER BY lower(p.id) LIMIT 1)`,
	`SELECT lower(h.name) FROM azure.@P.session_hosts h WHERE h.hostPoolName = (SELECT p.hostPoolName FROM azure.@P.host_pools p ORDER BY lower(p.id) DESC LIMIT 1)`,
	`SELECT p.name, l.name FROM azure.@P.host_pools p, LATERAL (SELECT h.name FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.hostPoolName AND h.resourceGroupName = p.resourceGroupName AND h.subscriptionId = p.subscriptionId ORDER BY h.name DESC LIMIT 1) l`,
	`SELECT p.name, l.n FROM azure.@P.host_pools p, LATERAL (SELECT count(*) AS n FROM azure.@P.session_hosts h, LATERAL (SELECT u.name FROM azure.@P.user_sessions u WHERE u.sessionHostName = h.sessionHostName AND u.hostPoolName = p.hostPoolName) k WHERE h.hostPoolName = p.hostPoolName) l`,
	`SELECT p.name, (SELECT list(h.name ORDER BY h.name)::VARCHAR FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.name) FROM azure.@P.host_pools p`,
	`SELECT p.name FROM azure.@P.host_pools p ORDER BY (SELECT count(*) FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.name), p.name`,
	`SELECT p.name, h.name FROM azure.@P.host_pools p JOIN azure.@P.session_hosts h ON h.hostPoolName IN (SELECT a.hostPoolName FROM azure.@P.host_pools a WHERE a.location = p.location)`,
	`SELECT p.name FROM azure.@P.host_pools p WHERE EXISTS (SELECT 1 FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.hostPoolName AND h.subscriptionId = p.subscriptionId AND NOT EXISTS (SELECT 1 FROM azure.@P.user_sessions u WHERE u.sessionHostName = h.sessionHostName AND u.hostPoolName = p.hostPoolName))`,
	`SELECT count(*) FROM azure.@P.session_hosts h JOIN azure.@P.host_pools p ON (h.subscriptionId, h.resourceGroupName, h.hostPoolName) = (p.subscriptionId, p.resourceGroupName, p.hostPoolName)`,
	`SELECT lower(hostPoolName), lower(x.name) FROM (SELECT hostPoolName, subscriptionId FROM azure.@P.host_pools) a NATURAL JOIN (SELECT hostPoolName, subscriptionId, name FROM azure.@P.session_hosts) x`,
	`WITH c(s, g, p) AS (SELECT subscriptionId, resourceGroupName, hostPoolName FROM azure.@P.host_pools WHERE location = 'eastus') SELECT lower(h.name) FROM azure.@P.session_hosts h JOIN c ON h.subscriptionId = s AND h.resourceGroupName = g AND h.hostPoolName = p`,
	`WITH c AS (SELECT subscriptionId AS a, resourceGroupName AS b FROM azure.@P.host_pools) SELECT lower(h.name) FROM c AS t(b, a) JOIN azure.@P.session_hosts h ON h.subscriptionId = t.b AND h.resourceGroupName = t.a`,
	`WITH c AS (SELECT name, hostPoolName, subscriptionId, row_number() OVER (PARTITION BY subscriptionId ORDER BY lower(id)) AS n FROM azure.@P.session_hosts) SELECT name FROM c WHERE n = 2 AND hostPoolName = 'hp-office'`,
	`SELECT lower(h.name), k.p FROM (SELECT 'hp-' || x AS p FROM (VALUES ('office'), ('sales')) v(x)) k JOIN azure.@P.session_hosts h ON h.hostPoolName = k.p`,
	`SELECT lower(h.name) FROM azure.@P.session_hosts h JOIN range(3) r(i) ON h.sessionHostName = 'office-' || i || '.contoso.com'`,
	`SELECT lower(u.name) FROM azure.@P.user_sessions u JOIN azure.@P.session_hosts h ON u.sessionHostName = h.sessionHostName AND u.hostPoolName = h.hostPoolName AND u.resourceGroupName = h.resourceGroupName AND u.subscriptionId = h.subscriptionId JOIN (VALUES ('2'), ('3')) v(i) ON u.userSessionId = v.i`,
	`SELECT v.vmName, h.name FROM azure.compute.virtual_machines v LEFT JOIN (azure.@P.session_hosts h JOIN azure.@P.host_pools p ON p.hostPoolName = h.hostPoolName AND p.hostPoolType = 'Personal') ON h.resourceId = v.id`,
	`SELECT p.name, h.name, u.name FROM azure.@P.host_pools p LEFT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.hostPoolName AND h.status = 'Unavailable' LEFT JOIN azure.@P.user_sessions u ON u.sessionHostName = h.sessionHostName AND u.hostPoolName = h.hostPoolName`,
	`SELECT count(*) FROM azure.@P.host_pools p LEFT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.hostPoolName AND p.location = 'eastus'`,
	`SELECT count(*), count(p.name) FROM azure.@P.host_pools p RIGHT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.hostPoolName AND p.location = 'eastus' WHERE p.name IS NULL OR p.location = 'eastus'`,
	`SELECT count(*) FROM azure.@P.session_hosts h WHERE h.hostPoolName IN (SELECT x FROM (SELECT hostPoolName AS x, location FROM azure.@P.host_pools) z WHERE z.location = h.status OR z.location = 'eastus')`,
	`SELECT count(*) FROM azure.@P.host_pools TABLESAMPLE 100%`,
	`SELECT * FROM (SELECT subscriptionId AS s, hostPoolType AS t FROM azure.@P.host_pools) PIVOT (count(*) FOR t IN ('Pooled', 'Personal'))`,
	`SELECT lower(x) FROM (SELECT unnest([subscriptionId, hostPoolName]) AS x FROM azure.@P.host_pools) WHERE x = 'hp-office'`,
	`SELECT lower(d.hostPoolName) FROM (SELECT p.*, p.hostPoolName FROM azure.@P.host_pools p) d WHERE d.hostPoolName = 'hp-office'`,
	`WITH a AS (SELECT subscriptionId AS s FROM azure.subscription.subscriptions), b AS (SELECT hostPoolName AS n, s FROM azure.@P.host_pools, a WHERE subscriptionId = s) SELECT lower(n) FROM b JOIN a USING (s) WHERE n LIKE '%e%'`,
	`SELECT lower(d.s) FROM (SELECT DISTINCT h.subscriptionId AS s FROM azure.@P.session_hosts h) d LEFT JOIN (SELECT p.subscriptionId AS s FROM azure.@P.host_pools p WHERE p.hostPoolType = 'Personal') q USING (s) WHERE q.s IS NULL`,
	`SELECT lower(s) FROM (SELECT subscriptionId AS s FROM azure.@P.session_hosts EXCEPT ALL SELECT subscriptionId FROM azure.@P.host_pools) d WHERE d.s = '@S'`,
	`SELECT lower(h.hostPoolName), count(*) FROM azure.@P.session_hosts h, azure.@P.host_pools p WHERE h.subscriptionId = p.subscriptionId AND (h.hostPoolName = p.hostPoolName OR p.hostPoolType = 'Personal') GROUP BY 1`,
	`SELECT lower(a.name), lower(b.name) FROM azure.@P.session_hosts a JOIN azure.@P.session_hosts b ON a.hostPoolName = b.hostPoolName AND a.subscriptionId = b.subscriptionId AND a.resourceGroupName = b.resourceGroupName AND a.name < b.name`,
	`SELECT lower(h.name) FROM azure.@P.session_hosts h WHERE h.hostPoolName = (SELECT p.hostPoolName FROM azure.@P.host_pools p WHERE p.subscriptionId = h.subscriptionId AND p.resourceGroupName = h.resourceGroupName AND p.location = 'eastus')`,
	`FROM azure.@P.host_pools p SELECT p.name WHERE p.hostPoolName NOT IN (SELECT h.hostPoolName FROM azure.@P.session_hosts h WHERE h.status = 'Unavailable')`,
	`SELECT count(*) FROM azure.@P.host_pools p, azure.@P.session_hosts h WHERE p.hostPoolName = h.hostPoolName AND p.hostPoolName = h.sessionHostName`,
	`SELECT p.name, x.c FROM azure.@P.host_pools p, (SELECT count(*) AS c FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.hostPoolName) x`,
	`SELECT p.name, x.c FROM azure.@P.host_pools p LEFT JOIN LATERAL (SELECT count(*) AS c FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.hostPoolName) x ON true WHERE x.c = 0`,
	`SELECT p.name, x.hostPoolName IS NULL FROM azure.@P.host_pools p LEFT JOIN LATERAL (SELECT h.hostPoolName FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.hostPoolName AND h.status = 'Unavailable') x ON true`,
	`SELECT count(*) FROM azure.@P.user_sessions u WHERE CASE WHEN u.hostPoolName = 'hp-office' THEN u.sessionHostName = 'office-0.contoso.com' ELSE u.hostPoolName = 'hp-sales' END`,
	`SELECT count(*) FROM azure.@P.user_sessions u WHERE (u.hostPoolName = 'hp-office' AND u.sessionHostName = 'office-0.contoso.com' AND u.resourceGroupName = 'rg-avd-prod-weu' OR u.hostPoolName = 'hp-office' AND u.resourceGroupName = 'rg-avd-prod-weu') AND u.subscriptionId = '@S'`,
	`SELECT count(*) FROM azure.@P.user_sessions u JOIN (VALUES ('hp-office', 'office-0.contoso.com'), ('hp-office', 'office-1.contoso.com'), ('HP-OFFICE', 'office-0.contoso.com')) v(p, h) ON u.hostPoolName = v.p AND u.sessionHostName = v.h`,
	`SELECT count(*) FROM azure.@P.user_sessions u JOIN (VALUES ('hp-office', 'office-0.contoso.com'), ('hp-office', NULL)) v(p, h) ON u.hostPoolName = v.p AND u.sessionHostName IS NOT DISTINCT FROM v.h`,
	`SELECT count(*) FROM azure.@P.user_sessions u LEFT JOIN (VALUES ('hp-office')) v(p) ON u.hostPoolName = v.p`,
	`SELECT v.p, count(u.id) FROM (VALUES ('hp-office'), ('hp-none')) v(p) LEFT JOIN azure.@P.user_sessions u ON u.hostPoolName = v.p GROUP BY 1`,
	`SELECT count(*) FROM azure.@P.host_pools p JOIN azure.@P.session_hosts h ON h.hostPoolName = p.hostPoolName WHERE p.hostPoolName = 'hp-office' AND h.hostPoolName = 'hp-sales'`,
	`SELECT lower(a.name) FROM azure.@P.application_groups a WHERE EXISTS (FROM azure.@P.host_pools p WHERE p.id = a.hostPoolArmPath AND p.hostPoolType = 'Personal')`,
	`SELECT u.n, lower(z.name) FROM (SELECT p.name AS n, h.hostPoolName AS k FROM azure.@P.host_pools p LEFT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.hostPoolName AND h.status = 'Unavailable') u JOIN azure.@P.session_hosts z ON z.hostPoolName = coalesce(u.k, 'hp-office')`,
	`SELECT p.name, h.name, z.name FROM azure.@P.host_pools p LEFT JOIN azure.@P.session_hosts h ON h.hostPoolName = p.hostPoolName AND h.status = 'Unavailable' JOIN azure.@P.user_sessions z ON z.hostPoolName = coalesce(h.hostPoolName, p.hostPoolName)`,
	`SELECT count(*) FROM (SELECT CASE WHEN random() < 0.5 THEN 'hp-office' ELSE 'HP-OFFICE' END AS p FROM range(3)) k JOIN azure.@P.session_hosts h ON h.hostPoolName = k.p`,
	`SELECT count(*) > 2 FROM (SELECT 'hp-' || ['office', 'sales', 'engineering'][1 + (random() * 3)::INTEGER % 3] AS p FROM range(1)) k JOIN azure.@P.session_hosts h ON h.hostPoolName = k.p`,
	`WITH c AS (SELECT subscriptionId, hostPoolName FROM azure.@P.host_pools), d AS (SELECT subscriptionId, hostPoolName FROM c WHERE hostPoolName LIKE 'hp%') SELECT lower(h.name) FROM d x JOIN d y USING (subscriptionId) JOIN azure.@P.session_hosts h ON h.hostPoolName = x.hostPoolName AND y.hostPoolName = 'hp-sales'`,
	`SELECT count(*) FROM active a JOIN active b ON a.hostPoolName = b.hostPoolName AND a.userSessionId = b.userSessionId WHERE a.sessionHostName = 'office-0.contoso.com'`,
	`SELECT lower(subscriptionId), count(*) FROM azure.@P.host_pools p FULL JOIN azure.resources.resource_groups g USING (subscriptionId) WHERE subscriptionId = '@S' GROUP BY 1`,
	`SELECT lower(subscriptionId), count(*) FROM (SELECT * FROM azure.subscription.subscriptions WHERE displayName = 'x') s RIGHT JOIN azure.resources.resource_groups g USING (subscriptionId) WHERE coalesce(subscriptionId, 'q') <> 'q' GROUP BY 1`,
	`SELECT p.name, (SELECT count(*) FROM azure.@P.session_hosts h WHERE h.hostPoolName = p.name AND h.subscriptionId = p.subscriptionId) AS n FROM azure.@P.host_pools p WHERE n > 2`,
	`SELECT DISTINCT lower(a1.subscriptionId), lower(a2.id) FROM azure.@P.host_pools a1 LEFT JOIN (SELECT a3.* , a3.hostPoolName AS k, a3.resourceGroupName AS g FROM azure.@P.session_hosts AS a3 JOIN azure.@P.session_hosts b4 ON a3.resourceGroupName = b4.resourceGroupName AND b4.hostPoolName = a3.hostPoolName AND b4.sessionHostName = split_part(a3.id, '/', 11)) a2 ON a2.k = split_part(a1.id, '/', 9) WHERE a2.g = 'rg-avd-prod-eus' OR a2.g IS NULL`,
	`SELECT lower(hostPoolName), nr FROM keys k LEFT JOIN azure.@P.host_pools p USING (hostPoolName)`,
	`SELECT lower(hostPoolName), nr FROM azure.@P.host_pools p FULL JOIN keys k USING (hostPoolName) WHERE hostPoolName <> 'hp-office'`,
	`SELECT lower(hostPoolName), nr FROM azure.@P.host_pools p RIGHT JOIN keys k USING (hostPoolName) WHERE hostPoolName IS NOT NULL`,
	`SELECT lower(subscriptionId), h.name FROM azure.@P.host_pools p JOIN azure.@P.session_hosts h USING (subscriptionId, resourceGroupName, hostPoolName) WHERE subscriptionId = '@S' AND hostPoolName IN ('hp-office', 'hp-sales')`,
	`SELECT lower(subscriptionId), count(*) FROM azure.@P.host_pools p FULL JOIN azure.@P.session_hosts h USING (subscriptionId, resourceGroupName, hostPoolName) WHERE EXISTS (SELECT 1 FROM azure.resources.resource_groups g WHERE g.subscriptionId = hostPoolName OR g.location = 'eastus') GROUP BY subscriptionId HAVING count(*) > 1 ORDER BY subscriptionId`,
	`SELECT lower(d.subscriptionId) FROM (SELECT subscriptionId, hostPoolName FROM azure.@P.host_pools p LEFT JOIN azure.@P.session_hosts h USING (subscriptionId, hostPoolName)) d WHERE d.hostPoolName = 'hp-sales'`,
}

func TestDifferential_joinCases(t *testing.T) {
	e := newEstate(t)
	cases := slices.Clone(joinCases)
	for i, text := range joinForms {
		cases = append(cases, joinCase{fmt.Sprintf("form %d", i), text})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.NewReplacer("@P", "desktop_virtualization", "@S", armsim.ProductionSubscription).Replace(c.text)
			if _, refused := e.checkJoined(t, joined{text: text}); refused {
				t.Errorf("%s\nis refused", text)
			}
		})
	}
}
