package planeql_test

import "strings"

// shapes gives statements of every form, with values chosen anew each time. A
// statement with a total order says so in a comment.
func (p *pair) shapes() []shape {
	var all []shape
	for _, list := range [][]string{p.grouping(), p.ordering(), p.windows(), p.joins(), p.sets(), p.nested()} {
		for _, text := range list {
			all = append(all, shape{text: strings.ReplaceAll(text, "@B", p.bound())})
		}
	}
	for _, s := range p.folding() {
		all = append(all, shape{strings.ReplaceAll(s.text, "@B", p.bound()), strings.ReplaceAll(s.plain, "@B", p.bound())})
	}
	return all
}

// grouping are aggregates. A group of names that differ in case shows any of
// them, thus only lower() of it is compared.
func (p *pair) grouping() []string {
	name := p.one("sessionState", "applicationType", "sessionHostName")
	return []string{
		"SELECT ‹sessionState›, count(*) FROM @R WHERE @B GROUP BY ‹sessionState›",
		"SELECT ‹sessionState› AS state, count(*) AS n FROM @R WHERE @B GROUP BY state HAVING n > 1",
		"SELECT lower(min(‹" + name + "›)), count(*), max(‹createTime›) FROM @R WHERE @B GROUP BY ‹" + name + "›",
		"SELECT lower(any_value(‹sessionHostName›)), ‹applicationType›, count(‹createTime›) FROM @R WHERE @B GROUP BY ‹sessionHostName›, ‹applicationType›",
		"SELECT ‹applicationType›, ‹sessionState›, count(*) FROM @R WHERE @B GROUP BY ALL",
		"SELECT ‹applicationType›, ‹sessionState›, count(*) FROM @R WHERE @B GROUP BY ROLLUP (‹applicationType›, ‹sessionState›)",
		"SELECT ‹applicationType›, ‹sessionState›, count(*) FROM @R WHERE @B GROUP BY GROUPING SETS ((‹applicationType›), (‹sessionState›), ())",
		"SELECT date_trunc('day', ‹createTime›) AS d, count(*) FROM @R WHERE @B GROUP BY 1",
		"SELECT count(*), count(‹sessionState›), count(DISTINCT ‹sessionState›), count(DISTINCT ‹userPrincipalName›) FROM @R WHERE @B",
		"SELECT count(*) FILTER (WHERE ‹sessionState› = " + p.value("sessionState") + "), max(‹createTime›) FILTER (‹userSessionId›::INTEGER > 5) FROM @R WHERE @B",
		"SELECT string_agg(‹userPrincipalName›, ',' ORDER BY ‹userPrincipalName›) FROM @R WHERE @B AND ‹sessionHostName› = 'office-0.contoso.com'",
		"SELECT list(‹name› ORDER BY ‹name›)::VARCHAR FROM @R WHERE @B",
		"SELECT ‹sessionState›, arg_max(‹name›, ‹createTime›) FROM @R WHERE @B AND ‹createTime› IS NOT NULL GROUP BY ‹sessionState›",
		"SELECT avg(‹userSessionId›::INTEGER), sum(length(‹name›)), min(‹createTime›) FROM @R WHERE @B HAVING count(*) > 3",
		"SELECT DISTINCT ‹applicationType›, ‹sessionState› FROM @R WHERE @B",
		"SELECT count(*) FROM (SELECT DISTINCT ‹sessionHostName› FROM @R WHERE @B) x",
		"SELECT DISTINCT ON (‹sessionState›) ‹sessionState›, ‹name› FROM @R WHERE @B ORDER BY ‹sessionState›, ‹name› /* ordered */",
		"SELECT ‹properties› ->> 'sessionState' AS s, count(*) FROM @R WHERE @B GROUP BY s",
	}
}

func (p *pair) ordering() []string {
	n := p.one("1", "3", "10", "1000")
	return []string{
		"SELECT ‹name› FROM @R WHERE @B ORDER BY ‹name› LIMIT " + n + " /* ordered */",
		"SELECT ‹name›, ‹createTime› FROM @R WHERE @B ORDER BY ‹createTime› DESC NULLS LAST, ‹name› LIMIT " + n + " /* ordered */",
		"SELECT ‹name› FROM @R WHERE @B ORDER BY ‹name› DESC LIMIT " + n + " OFFSET 5 /* ordered */",
		"SELECT ‹name› AS n FROM @R WHERE @B ORDER BY n LIMIT " + n + " /* ordered */",
		"SELECT ‹userPrincipalName›, ‹name› FROM @R WHERE @B ORDER BY 1, 2 LIMIT " + n + " /* ordered */",
		"SELECT reverse(‹name›) AS userPrincipalName FROM @R WHERE @B ORDER BY lower(‹name›) LIMIT " + n + " /* ordered */",
		"SELECT ‹name› FROM @R WHERE @B ORDER BY ‹sessionHostName›, ‹userSessionId›::INTEGER, ‹name› LIMIT 20 /* ordered */",
		"SELECT ‹name› FROM @R WHERE @B ORDER BY ‹sessionState› = 'Active' DESC, ‹name› LIMIT " + n + " /* ordered */",
		"SELECT DISTINCT ‹sessionState› FROM @R WHERE @B ORDER BY ‹sessionState› /* ordered */",
		"SELECT ‹name› FROM @R WHERE @B ORDER BY ‹name› LIMIT 10% /* ordered */",
		"SELECT reverse(‹name›) AS session_host_name FROM @R WHERE @B ORDER BY session_host_name LIMIT 5 /* ordered */",
		"SELECT count(*) FROM (SELECT ‹name› FROM @R WHERE @B LIMIT " + n + ") x",
	}
}

func (p *pair) windows() []string {
	return []string{
		"SELECT ‹name›, row_number() OVER (PARTITION BY ‹sessionHostName› ORDER BY ‹name›) FROM @R WHERE @B",
		"SELECT ‹name›, count(*) OVER (PARTITION BY ‹sessionState›) FROM @R WHERE @B",
		"SELECT ‹name›, lag(‹userPrincipalName›) OVER (ORDER BY ‹name›) FROM @R WHERE @B",
		"SELECT ‹name› FROM @R WHERE @B QUALIFY row_number() OVER (PARTITION BY ‹sessionHostName› ORDER BY ‹createTime› DESC NULLS LAST, ‹name›) <= 2",
		"SELECT ‹name›, rank() OVER w FROM @R WHERE @B WINDOW w AS (PARTITION BY ‹applicationType› ORDER BY ‹sessionState› NULLS FIRST)",
		"SELECT ‹name›, max(‹createTime›) OVER (ORDER BY ‹name› ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM @R WHERE @B",
		"SELECT ‹name›, row_number() OVER (ORDER BY ‹name›) AS nr FROM @R WHERE @B QUALIFY nr BETWEEN 3 AND 6",
	}
}

func (p *pair) joins() []string {
	const values = "(VALUES ('Active', 1), ('Disconnected', 2), ('active', 3), (NULL, 4)) v(state, rank)"
	const hosts = "(VALUES ('OFFICE-0.contoso.com'), ('office-2.CONTOSO.com')) h(host)"
	return []string{
		"SELECT ‹u.name›, rank FROM @R u JOIN " + values + " ON ‹u.sessionState› = v.state WHERE @B",
		"SELECT ‹u.name›, rank FROM @R u LEFT JOIN " + values + " ON v.state = ‹u.sessionState› AND rank < 3 WHERE @B",
		"SELECT u.n, rank FROM " + values + " LEFT JOIN (SELECT ‹name› AS n, ‹sessionState› AS s FROM @R WHERE @B) u ON v.state = u.s",
		"SELECT ‹u.name›, host FROM @R u, " + hosts + " WHERE @B AND ‹u.sessionHostName› = h.host",
		"SELECT ‹u.name› FROM @R u SEMI JOIN " + hosts + " ON ‹u.sessionHostName› = h.host WHERE @B",
		"SELECT ‹u.name› FROM @R u ANTI JOIN " + hosts + " ON ‹u.sessionHostName› = h.host WHERE @B",
		"SELECT host, count(*) FROM " + hosts + " CROSS JOIN @R u WHERE @B GROUP BY host",
		"SELECT ‹a.name›, ‹b.name› FROM (SELECT * FROM @R WHERE @B) a JOIN (SELECT * FROM @R WHERE @B) b ON ‹a.type› = b.type AND a.name < b.name AND length(a.name) > 33",
		"SELECT x.n, y.n FROM (SELECT ‹userSessionId› AS n, ‹sessionHostName› AS h FROM @R WHERE @B) x JOIN (SELECT ‹userSessionId› AS n, ‹sessionHostName› AS h FROM @R WHERE @B) y ON x.n = y.n AND x.h < y.h",
		"SELECT count(*) FROM (SELECT ‹userSessionId› AS i, ‹name› FROM @R WHERE @B) x JOIN (SELECT ‹userSessionId› AS i, ‹type› FROM @R WHERE @B) y USING (i)",
		"SELECT ‹name›, w FROM @R, LATERAL (SELECT length(‹name›) AS w) l WHERE @B",
		"SELECT ‹u.name›, k FROM @R u, unnest(['a', 'b']) t(k) WHERE @B AND k <> ‹u.sessionState›",
		"SELECT ‹u.name›, e.key FROM @R u, LATERAL json_each(‹u.properties›) e WHERE @B AND e.key LIKE '%Time'",
		"SELECT ‹u.name›, rank FROM @R u FULL JOIN " + values + " ON v.state = ‹u.sessionState› WHERE @B",
		"SELECT ‹name›, host_pool_name FROM @R u, (VALUES ('a'), ('b')) x(host_pool_name) WHERE ‹u.hostPoolName› = 'hp-office' AND ‹u.subscriptionId› = '8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01' AND ‹u.resourceGroupName› = 'rg-avd-prod-weu'",
	}
}

func (p *pair) sets() []string {
	a, b := p.value("sessionState"), p.value("applicationType")
	one := "SELECT ‹name›, ‹sessionState› FROM @R WHERE @B AND ‹sessionState› = " + a
	two := "SELECT ‹name›, ‹sessionState› FROM @R WHERE @B AND ‹applicationType› = " + b
	return []string{
		one + " UNION ALL " + two, one + " UNION " + two, one + " INTERSECT " + two, two + " EXCEPT " + one, two + " EXCEPT ALL " + one,
		"(" + one + " ORDER BY ‹name› LIMIT 3) UNION ALL (" + two + " ORDER BY ‹name› DESC LIMIT 2)",
		one + " UNION ALL VALUES ('x', 'y') ORDER BY 1 /* ordered */",
		"SELECT lower(h) FROM (SELECT ‹sessionHostName› AS h FROM @R WHERE @B UNION SELECT ‹sessionHostName› FROM @R WHERE @B) u",
		"SELECT ‹name› AS n FROM @R WHERE @B UNION ALL BY NAME SELECT ‹type› AS t, ‹name› AS n FROM @R WHERE @B",
		"WITH c AS (" + one + ") SELECT * FROM c",
		"WITH c AS (SELECT * FROM @R WHERE @B) SELECT a.name, b.name FROM c a JOIN c b ON a.name > b.name AND length(b.name) > 32",
		"WITH c AS NOT MATERIALIZED (SELECT ‹name› AS n FROM @R WHERE @B) SELECT (SELECT count(*) FROM c), (SELECT max(n) FROM c)",
		"WITH c AS MATERIALIZED (SELECT ‹name› AS n FROM @R WHERE @B) SELECT count(*) FROM c WHERE n IN (SELECT max(n) FROM c)",
		"WITH c AS (SELECT ‹name› AS n FROM @R WHERE @B), d AS (SELECT n FROM c WHERE n LIKE '%/3') SELECT * FROM d UNION ALL SELECT * FROM d",
		"WITH c AS (SELECT ‹name› AS n FROM @R WHERE @B), d AS NOT MATERIALIZED (SELECT n FROM c WHERE n LIKE '%/3') SELECT x.n, y.n FROM d x, d y",
		"WITH c AS (SELECT ‹name› AS n FROM @R WHERE @B) SELECT (SELECT count(*) FROM c WHERE c.n < v.x) FROM (VALUES ('hp-office/office-1'), ('hp-office/office-3')) v(x)",
		"WITH RECURSIVE c AS (SELECT ‹userSessionId›::INTEGER AS n FROM @R WHERE @B), t(i, s) AS (SELECT 1, 0::BIGINT UNION ALL SELECT i + 1, s + (SELECT count(*) FROM c WHERE n = i) FROM t WHERE i < 4) SELECT * FROM t",
		"WITH RECURSIVE c AS (SELECT ‹userSessionId›::INTEGER AS n FROM @R WHERE @B), t(i) AS (SELECT 1 UNION SELECT n FROM t, c WHERE n = i + 1) SELECT * FROM t",
		"WITH RECURSIVE t(i) AS (SELECT 2 UNION SELECT ‹userSessionId›::INTEGER FROM t, @R u WHERE @B AND ‹u.userSessionId›::INTEGER = t.i + 1) SELECT * FROM t",
	}
}

func (p *pair) nested() []string {
	state := p.value("sessionState")
	return []string{
		"SELECT n FROM (SELECT ‹name› AS n, ‹sessionState› AS s FROM @R WHERE @B) x WHERE s = " + state,
		"SELECT ‹u.name› FROM @R u WHERE @B AND ‹u.createTime› = (SELECT max(‹createTime›) FROM @R WHERE @B)",
		"SELECT ‹u.name› FROM @R u WHERE @B AND ‹u.userPrincipalName› IN (SELECT ‹userPrincipalName› FROM @R WHERE @B AND ‹sessionState› = " + state + ")",
		"SELECT ‹u.name› FROM @R u WHERE @B AND EXISTS (SELECT 1 FROM (SELECT ‹userSessionId› AS i, ‹name› AS n FROM @R WHERE @B) x WHERE x.i = ‹u.userSessionId› AND x.n <> ‹u.name›)",
		"SELECT ‹u.name› FROM @R u WHERE @B AND NOT EXISTS (SELECT 1 FROM (VALUES ('Active')) v(session_state) WHERE session_state = ‹u.sessionState›)",
		"SELECT count(*) FROM @R u WHERE @B AND EXISTS (SELECT 1 FROM (VALUES ('x')) v(session_state) WHERE session_state = 'Active')",
		"SELECT (SELECT count(*) FROM @R WHERE @B), (SELECT min(‹name›) FROM @R WHERE @B)",
		"SELECT ‹name›, (SELECT max(x) FROM (VALUES (1), (2)) v(x) WHERE x < length(‹name›)) FROM @R WHERE @B",
		"FROM (SELECT ‹name›, ‹sessionState› FROM @R WHERE @B) SELECT count(*)",
		"SELECT len(list_filter([‹name›, ‹type›], x -> contains(x, 'office'))), ‹name› FROM @R WHERE @B",
		"SELECT list_transform([1, 2], lambda i: i + length(‹name›))::VARCHAR, ‹name› FROM @R WHERE @B",
		"SELECT ‹name› FROM @R WHERE @B AND len(list_filter(['a', 'b'], id -> id = 'a')) = 1 AND ‹id› IS NOT NULL",
		"SELECT {'n': ‹name›, 's': ‹sessionState›}::VARCHAR FROM @R WHERE @B",
		"SELECT CASE ‹sessionState› WHEN 'Active' THEN ‹name› ELSE ‹type› END AS v FROM @R WHERE @B",
		"SELECT * FROM (SELECT ‹applicationType› AS a, ‹sessionState› AS s FROM @R WHERE @B) PIVOT (count(*) FOR s IN ('Active', 'Pending'))",
		"SELECT * EXCLUDE (‹id›) REPLACE (lower(‹name›) AS name) FROM (SELECT ‹id›, ‹name›, ‹type› FROM @R WHERE @B) x",
		"SELECT lower(x.h) FROM (SELECT ‹sessionHostName› AS h FROM @R WHERE @B) x WHERE x.h IN ('OFFICE-0.contoso.com') GROUP BY ALL",
		"SELECT id IS NOT NULL, name, properties::VARCHAR, systemData::VARCHAR, type FROM (SELECT * FROM @R WHERE @B) x",
		"SELECT COLUMNS(['name', 'type']) FROM @R WHERE @B",
		"SELECT max(COLUMNS(c -> c IN ('name', 'type'))) FROM @R WHERE @B",
		"SELECT COLUMNS('^(name|type)$') FROM @R WHERE @B",
	}
}

// folding are statements in which DuckDB alone would forget that a column
// ignores case, and planeql must not.
func (p *pair) folding() []shape {
	return []shape{
		{"SELECT count(DISTINCT ‹sessionHostName›), count(DISTINCT ‹id›) FROM @R WHERE @B", "SELECT count(DISTINCT lower(‹sessionHostName›)), count(DISTINCT lower(‹id›)) FROM @R WHERE @B"},
		{"SELECT ‹sessionState›, count(DISTINCT ‹sessionHostName›) FROM @R WHERE @B GROUP BY ‹sessionState›", "SELECT ‹sessionState›, count(DISTINCT lower(‹sessionHostName›)) FROM @R WHERE @B GROUP BY ‹sessionState›"},
		{"SELECT count(DISTINCT (‹sessionHostName›, ‹type›)) FROM @R WHERE @B", "SELECT count(DISTINCT (lower(‹sessionHostName›), ‹type›)) FROM @R WHERE @B"},
		{"SELECT max(DISTINCT ‹name›), min(DISTINCT lower(‹id›)) FROM @R WHERE @B", "SELECT max(‹name›), lower(min(‹id›)) FROM @R WHERE @B"},
		{"SELECT count(DISTINCT ‹sessionHostName› || '') FROM @R WHERE @B", "SELECT count(DISTINCT ‹sessionHostName› || '') FROM @R WHERE @B"},
		{"SELECT ‹name› FROM @R WHERE @B AND (‹sessionHostName›, ‹sessionState›) = ('OFFICE-0.CONTOSO.COM', 'Active')", "SELECT ‹name› FROM @R WHERE @B AND ‹sessionHostName› = 'OFFICE-0.CONTOSO.COM' AND ‹sessionState› = 'Active'"},
		{"SELECT ‹name› FROM @R WHERE @B AND (‹sessionHostName›, ‹sessionState›) IN (('Office-0.contoso.com', 'Active'), ('OFFICE-1.contoso.com', 'Pending'))",
			"SELECT ‹name› FROM @R WHERE @B AND (‹sessionHostName› = 'office-0.contoso.com' AND ‹sessionState› = 'Active' OR ‹sessionHostName› = 'OFFICE-1.contoso.com' AND ‹sessionState› = 'Pending')"},
	}
}
