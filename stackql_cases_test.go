package planeql_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// stackCase is a case of StackQL's own functional tests, with the rows that it
// asserts. Where a cloud stands behind it that has no documents here, the same
// question is put to one that has.
type stackCase struct {
	name, text string
	want       string // the rows, as fmt.Sprint gives them; several statements: of the last but the DROPs
}

// onSimulator are the cases about Azure, about tables of the session and about
// functions.
var onSimulator = []stackCase{
	{"IN params", "SELECT hostPoolName, count(*) FROM %U WHERE %G AND hostPoolName IN ('hp-office', 'hp-engineering') GROUP BY 1 ORDER BY 1", "[[hp-engineering 26] [hp-office 56]]"},
	{"cross product of IN lists", "SELECT DISTINCT resourceGroupName, hostPoolName FROM azure.desktop_virtualization.host_pools WHERE subscriptionId IN ('" + armsim.ProductionSubscription + "', '" + armsim.TestSubscription + "') ORDER BY 1, 2",
		"[[rg-avd-prod-eus hp-sales] [rg-avd-prod-weu hp-engineering] [rg-avd-prod-weu hp-office] [rg-avd-test hp-pilot]]"},
	{"function expression supplies required parameter", "SELECT count(*) FROM %U WHERE subscriptionId = lower('" + armsim.ProductionSubscription + "') AND resourceGroupName = concat('rg-avd-', 'prod-weu') AND hostPoolName = json_extract('{\"p\": \"hp-office\"}', '$.p')", "[[56]]"},
	{"function with column stays client side", "SELECT count(*) FROM %U WHERE %P AND sessionState = trim(sessionState)", "[[56]]"},
	{"left outer join with a scalar in ON", "SELECT h.sessionHostName, count(u.id) FROM %H h LEFT JOIN %U u ON u.sessionHostName = h.sessionHostName AND u.sessionState = 'LogOff' AND " + ofAlias("u") +
		" WHERE " + ofAlias("h") + " GROUP BY 1 ORDER BY 2, 1", "[[office-0.contoso.com 0] [office-1.contoso.com 0] [office-3.contoso.com 0] [office-2.contoso.com 1]]"},
	{"left join inline LHS, negative", "SELECT lhs.id, u.sessionState FROM (SELECT 'none' AS id) lhs LEFT JOIN %U u ON u.sessionHostName = lhs.id AND " + ofAlias("u"), "[[none <nil>]]"},
	{"left join inline LHS, positive", "SELECT lhs.id, u.sessionState FROM (SELECT 'LogOff' AS id) lhs LEFT JOIN %U u ON u.sessionState = lhs.id AND " + ofAlias("u"), "[[LogOff LogOff]]"},
	{"self join", "SELECT count(*) FROM %H a JOIN %H b ON a.id = b.id WHERE " + ofAlias("a") + " AND " + ofAlias("b"), "[[4]]"},
	{"self join of list and detail", "SELECT count(*), min(d.status) FROM %H l JOIN %H d ON l.id = d.id WHERE " + ofAlias("l") + " AND " + ofAlias("d") + " AND d.sessionHostName = 'office-1.contoso.com'", "[[1 Available]]"},
	{"materialized alias collision, distinct values", "SELECT a.name, b.name FROM (SELECT 'x' AS name) a JOIN (SELECT 'y' AS name) b ON true", "[[x y]]"},
	{"user table lifecycle", "CREATE TABLE own (id INTEGER, name TEXT); INSERT INTO own VALUES (1, 'a'), (2, 'b'); INSERT INTO own SELECT 3, 'c'; " +
		"UPDATE own SET name = 'z' WHERE id = 2; DELETE FROM own WHERE id = 1; SELECT id, name FROM own ORDER BY id; DROP TABLE own", "[[2 z] [3 c]]"},
	{"user table joined, CASE in ON", "CREATE TABLE own (state TEXT); INSERT INTO own VALUES ('on'); SELECT own.state, count(*) FROM own JOIN %U u ON CASE WHEN u.sessionState = 'Active' THEN 'on' ELSE 'off' END = own.state WHERE %P GROUP BY 1; DROP TABLE own", "[[on 36]]"},
	{"view of the session", "CREATE VIEW v AS SELECT 1 AS a UNION ALL SELECT 2; SELECT count(*) AS repository_count FROM v; DROP VIEW v", "[[2]]"},
	{"json_each comma join", "SELECT h.sessionHostName, x.value FROM %H h, json_each(h.properties) x WHERE %P AND x.key = 'status' ORDER BY x.value, 1 LIMIT 2", "[[office-0.contoso.com Available] [office-1.contoso.com Available]]"},
	{"nested json_each in a subquery", "SELECT n.name, ac.value FROM (SELECT json_extract(ni.value, '$.name') AS name, json_extract(ni.value, '$.accessConfigs') AS configs " +
		"FROM (SELECT '[{\"name\": \"nic0\", \"accessConfigs\": [\"ext1\", \"ext2\"]}]' AS networkInterfaces) i, json_each(i.networkInterfaces) AS ni) n, json_each(n.configs) AS ac ORDER BY 2", "[[nic0 ext1] [nic0 ext2]]"},
	{"json_each, json_group_object, HAVING json_extract", "SELECT name, json_extract(tags, '$.env') FROM (SELECT name, json_group_object(json_extract(t.value, '$.k'), json_extract(t.value, '$.v')) AS tags " +
		"FROM (VALUES ('a', '[{\"k\": \"env\", \"v\": \"prod\"}]'), ('b', '[{\"k\": \"env\", \"v\": \"test\"}]')) r(name, list), json_each(r.list) t GROUP BY name HAVING json_extract(tags, '$.env') = 'prod')", "[[a prod]]"},
	{"window row_number", "SELECT count(*), max(n) FROM (SELECT row_number() OVER (ORDER BY id) AS n FROM %U WHERE %P)", "[[56 56]]"},
	{"window running sum", "SELECT max(s) FROM (SELECT sum(1) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM %U WHERE %P)", "[[56]]"},
	{"window lag and lead", "SELECT count(*) FILTER (WHERE p IS NULL), count(*) FILTER (WHERE n IS NULL) FROM (SELECT lag(id) OVER w AS p, lead(id) OVER w AS n FROM %U WHERE %P WINDOW w AS (ORDER BY id))", "[[1 1]]"},
	{"window frame first and last", "SELECT DISTINCT f < l FROM (SELECT first_value(id) OVER w AS f, last_value(id) OVER w AS l FROM %U WHERE %P WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))", "[[true]]"},
	{"window ntile and percent_rank", "SELECT max(q), min(p), max(p) FROM (SELECT ntile(4) OVER (ORDER BY id) AS q, percent_rank() OVER (ORDER BY id) AS p FROM %U WHERE %P)", "[[4 0 1]]"},
	{"several CTEs joined", "WITH u AS (SELECT count(*) AS n FROM %U WHERE %P), h AS (SELECT count(*) AS n FROM %H WHERE %P) SELECT u.n, h.n FROM u, h", "[[56 4]]"},
	{"CTE, window and union", "WITH s AS (SELECT sessionState, row_number() OVER (ORDER BY id) AS n FROM %U WHERE %P) SELECT count(*) FROM (SELECT n FROM s WHERE n = 1 UNION SELECT 1)", "[[1]]"},
	{"recursive CTE", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT sum(x) FROM c", "[[15]]"},
	{"inline union without tables", "SELECT 1 AS a UNION SELECT 2 ORDER BY a", "[[1] [2]]"},
	{"subquery projection, unaliased", "SELECT sessionState, n FROM (SELECT sessionState, count(*) AS n FROM %U WHERE %P GROUP BY 1) g ORDER BY n LIMIT 1", "[[LogOff 1]]"},
	{"JSON functions", `SELECT json_equal('{"a": 1, "b": [1, 2]}', '{"b": [1, 2], "a": 1}'), json_equal('{"a": 1}', '{"a": 2}'), json_equal('{"a": 1}', '{"a": 1, "b": 2}'), json_equal('{"a": {"b": 1, "c": 2}}', '{"a": {"c": 2, "b": 1}}'), json_equal('1', '"1"')`,
		"[[true false false true false]]"},
	{"split_part", "SELECT split_part('a/b/c', '/', 2), split_part('a/b/c', '/', -1), split_part('a/b/c', '/', 9)", "[[b c ]]"},
	{"regexp functions", "SELECT regexp_like('vm-12', '^vm-\\d+$'), regexp_replace('a1b22', '\\d+', '#'), regexp_substr('a1b22', '\\d+'), regexp_substr('abc', '\\d')", "[[true a#b# 1 <nil>]]"},
	{"group_concat", "SELECT group_concat(DISTINCT sessionHostName ORDER BY sessionHostName SEPARATOR ' ') FROM %U WHERE %P AND sessionState = 'LogOff'", "[[office-2.contoso.com]]"},
	{"snake_case in WHERE and SELECT", "SELECT host_pool_name, session_host_name, count(*) FROM %U WHERE subscription_id = '" + armsim.ProductionSubscription + "' AND resource_group_name = 'rg-avd-prod-weu' AND host_pool_name = 'hp-office' AND session_state = 'LogOff' GROUP BY 1, 2", "[[hp-office office-2.contoso.com 1]]"},
	{"Describe method", "DESCRIBE METHOD %U.disconnect", ""},
	{"aggregate, group by, having, order desc", "SELECT sessionState, sum(5) cc FROM %U WHERE %P GROUP BY \"sessionState\" HAVING sum(5) >= 50 ORDER BY sessionState DESC", "[[Disconnected 55] [Active 180]]"},
	{"a filter with LIKE", "SELECT count(*) FROM %U WHERE %P AND sessionState ILIKE 'act%'", "[[36]]"},
}

// ofAlias gives the conditions that name the pool for one table of several.
func ofAlias(alias string) string {
	return alias + ".subscriptionId = '" + armsim.ProductionSubscription + "' AND " + alias + ".resourceGroupName = 'rg-avd-prod-weu' AND " + alias + ".hostPoolName = 'hp-office'"
}

// runAll runs the statements of a text and gives the rows of the last that has
// any.
func runAll(t *testing.T, s *planeql.Session, text string) (last [][]any) {
	t.Helper()
	statements, err := s.Parse("case", text)
	if err != nil {
		t.Fatal(printed(err))
	}
	for _, st := range statements {
		rows, err := s.Run(context.Background(), st)
		if err != nil {
			t.Fatalf("%s\n%s", st.Text(), printed(err))
		}
		var list [][]any
		for rows.Next() {
			list = append(list, append([]any(nil), rows.Values()...))
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s\n%s", st.Text(), printed(err))
		}
		rows.Close()
		if strings.HasPrefix(st.Text(), "SELECT") || len(statements) == 1 {
			last = list
		}
	}
	return last
}

func checkStackCase(t *testing.T, s *planeql.Session, c stackCase) {
	t.Helper()
	rows := runAll(t, s, defectWords.Replace(c.text))
	if got := fmt.Sprint(rows); c.want != "" && got != c.want || c.want == "" && len(rows) == 0 {
		t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
	}
}

// StackQL's own cases give the rows that they assert.
func TestStackQLCases(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithPageSize(10))
	s := open(t, url)
	for _, c := range onSimulator {
		t.Run(c.name, func(t *testing.T) { checkStackCase(t, s, c) })
	}
}

// traffic is what the clouds of onOtherClouds answer, by path and query.
var traffic = map[string]string{
	"/v1/projects/testing-project/aggregated/usableSubnetworks":           `{"subnetworks": [{"ipCidrRange": "10.0.0.0/24", "network": "n/a"}, {"ipCidrRange": "10.0.1.0/24", "network": "n/b"}]}`,
	"/v1/projects/p1/locations/global/keyRings":                           `{"keyRings": [{"name": "p1-global"}]}`,
	"/v1/projects/p1/locations/eu/keyRings":                               `{"keyRings": [{"name": "p1-eu"}]}`,
	"/v1/projects/p2/locations/global/keyRings":                           `{"keyRings": [{"name": "p2-global"}]}`,
	"/v1/projects/p2/locations/eu/keyRings":                               `{"keyRings": [{"name": "p2-eu"}]}`,
	"/v1/projects/empty/locations/global/keyRings":                        `{}`,
	"/v1/projects/null/locations/global/keyRings":                         `{"keyRings": null}`,
	"/v1/projects/none/locations/global/keyRings":                         `{"keyRings": []}`,
	"/b?project=paged":                                                    `{"items": [{"id": "1", "name": "c"}, {"id": "2", "name": "a"}], "nextPageToken": "two"}`,
	"/b?pageToken=two&project=paged":                                      `{"items": [{"id": "3", "name": "d"}], "nextPageToken": "three"}`,
	"/b?pageToken=three&project=paged":                                    `{"items": [{"id": "4", "name": "b"}]}`,
	"/v1/projects/paged/serviceAccounts":                                  `{"accounts": [{"email": "a@paged", "displayName": "dept/a"}, {"email": "x@paged", "displayName": "dept/x"}]}`,
	"/orgs/first/repos":                                                   `[{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]`,
	"/orgs/second/repos":                                                  `[{"id": 3, "name": "three"}]`,
	"/orgs/nothing/repos":                                                 `[]`,
	"/api/v1/users":                                                       `[{"id": "u1", "status": "ACTIVE", "profile": {"login": "a@paged"}}, {"id": "u2", "status": "STAGED", "profile": {"login": "b@paged"}}]`,
	"/v2/droplets":                                                        `{"droplets": [{"id": 1, "name": "web"}], "links": {}, "meta": {"total": 1}}`,
	"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": `{"items": [{"metadata": {"name": "hook"}}]}`,
}

// onOtherClouds are the cases about Google, GitHub and Okta.
var onOtherClouds = []stackCase{
	{"Google Container Agg Desc", `select ipCidrRange, sum(5) cc from google.container."projects.aggregated.usableSubnetworks" where projectsId = 'testing-project' group by "ipCidrRange" having sum(5) >= 5 order by ipCidrRange desc`, "[[10.0.1.0/24 5] [10.0.0.0/24 5]]"},
	{"paginated, in order", "select name from google.storage.buckets where project = 'paged' order by name desc", "[[d] [c] [b] [a]]"},
	{"cross product of key rings and locations", "select name from google.cloudkms.key_rings where projectsId in ('p1', 'p2') and locationsId in ('global', 'eu') order by 1", "[[p1-eu] [p1-global] [p2-eu] [p2-global]]"},
	{"IN with an empty result", "select name from google.cloudkms.key_rings where projectsId in ('empty', 'p1') and locationsId = 'global'", "[[p1-global]]"},
	{"empty shapes", "select count(*) from google.cloudkms.key_rings where projectsId in ('empty', 'null', 'none') and locationsId = 'global'", "[[0]]"},
	{"GitHub repos IN params", "select id, name from github.repos.repos where org in ('first', 'second') order by id", "[[1 one] [2 two] [3 three]]"},
	{"GitHub repos IN params, one empty", "select count(*) from github.repos.repos where org in ('first', 'nothing')", "[[2]]"},
	{"Okta users", "select id, status from okta.users.users where subdomain = 'dev' order by id", "[[u1 ACTIVE] [u2 STAGED]]"},
	{"join GCP self", "select d1.name from google.storage.buckets d1 join google.storage.buckets d2 on d1.id = d2.id where d1.project = 'paged' and d2.project = 'paged' order by 1", "[[a] [b] [c] [d]]"},
	{"join GCP with string functions in ON", "select b.name, s.email from google.storage.buckets b join google.iam.service_accounts s on split_part(s.displayName, '/', -1) = b.name where b.project = 'paged' and s.projectsId = 'paged'", "[[a a@paged]]"},
	{"left outer join on split_part", "select s.email, b.id from google.iam.service_accounts s left join google.storage.buckets b on b.name = split_part(s.displayName, '/', 2) and b.project = 'paged' where s.projectsId = 'paged' order by 1", "[[a@paged 2] [x@paged <nil>]]"},
	{"cross provider join Google and Okta", "select s.email, u.id from google.iam.service_accounts s join okta.users.users u on json_extract(u.profile, '$.login') = s.email where s.projectsId = 'paged' and u.subdomain = 'dev'", "[[a@paged u1]]"},
	{"DigitalOcean droplets", "select name from digitalocean.droplets.droplets", "[[web]]"},
	{"CTEs of two providers", "with g as (select email from google.iam.service_accounts where projectsId = 'paged'), r as (select name from github.repos.repos where org = 'second') select g.email, r.name from g, r order by 1 limit 1", "[[a@paged three]]"},
}

// otherClouds opens a session for providers whose documents are not built in.
func otherClouds(t *testing.T) *planeql.Session {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := r.URL.Path
		if r.URL.RawQuery != "" {
			address += "?" + r.URL.Query().Encode()
		}
		body, ok := traffic[address]
		w.Header().Set("Content-Type", "text/plain") // what it says does not matter
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	registry := published(t, "test-registry.tar.zst", "googleapis.com", "github", "digitalocean")
	options := []planeql.Option{
		planeql.WithDocuments(registry, "google", "github", "digitalocean"),
		planeql.WithDocuments(published(t, "okta.tar.zst", "okta"), "okta"),
	}
	for _, name := range []string{"google", "github", "digitalocean", "okta"} {
		options = append(options, planeql.WithEndpoint(name, server.URL), planeql.WithAuth(name, "none", nil))
	}
	return open(t, server.URL, options...)
}

func TestStackQLCases_otherClouds(t *testing.T) {
	s := otherClouds(t)
	for _, c := range onOtherClouds {
		t.Run(c.name, func(t *testing.T) { checkStackCase(t, s, c) })
	}
	if _, err := query(t, s, "select name from google.cloudkms.key_rings where projectsId = 'gone' and locationsId = 'global'"); err == nil || !strings.Contains(printed(err), "projects/gone") {
		t.Errorf("a project that is not there: %v", err)
	}
}

// A batch delete makes one call for each element, and a repeated query sees
// what is gone.
func TestStackQLCases_batchDelete(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithYes())
	ids := must(t, s, defectWords.Replace("SELECT sessionHostName, userSessionId FROM %U WHERE %P AND sessionHostName = 'office-0.contoso.com' ORDER BY id LIMIT 2"))
	sim.ResetRequests()
	rows := must(t, s, defectWords.Replace(fmt.Sprintf("DELETE FROM %%U WHERE %%P AND sessionHostName = '%s' AND userSessionId IN ('%s', '%s')", ids[0][0], ids[0][1], ids[1][1])))
	if len(rows) != 2 || len(sim.Requests()) != 2 {
		t.Errorf("%d rows, %d requests", len(rows), len(sim.Requests()))
	}
	if left := must(t, s, defectWords.Replace("SELECT count(*) FROM %U WHERE %P")); fmt.Sprint(left) != "[[54]]" {
		t.Errorf("left: %v", left)
	}
}

// An error of one call of several does not stop the others where the user says
// so, and is a warning.
func TestStackQLCases_errorDoesNotStopTheWorld(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithOnError(planeql.Skip))
	rows, err := s.Query(context.Background(), defectWords.Replace("SELECT hostPoolName, count(*) FROM %U WHERE %G AND hostPoolName IN ('hp-gone', 'hp-office') GROUP BY 1"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		count++
	}
	if err := rows.Err(); err != nil || count != 1 {
		t.Errorf("%d rows, %v", count, err)
	}
	if w := rows.Warnings(); len(w) != 1 || !strings.Contains(w[0].Error(), "hp-gone") {
		t.Errorf("warnings = %v", w)
	}
}

// A name of a template is filled before the text is read.
func TestStackQLCases_template(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithVariables(map[string]string{"pool": "hp-office"}))
	if rows := must(t, s, defectWords.Replace("SELECT count(*) FROM %U WHERE %G AND hostPoolName = '{{ pool }}'")); fmt.Sprint(rows) != "[[56]]" {
		t.Errorf("rows = %v", rows)
	}
}
