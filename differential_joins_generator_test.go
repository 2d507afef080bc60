package planeql_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// generator makes one statement.
type generator struct {
	*estate
	rand  *rand.Rand
	with  []string // common table expressions
	count int      // of aliases
	heavy int      // resources with many rows that are read
}

// from is an entry of a FROM.
type from struct {
	text    string // with its alias
	alias   string
	table   string            // whose columns it has; empty: of a list of keys
	columns map[string]string // what it calls the columns of the tables
	rows    int               // at most, as far as that matters
}

func (f from) has(column string) bool { return f.columns[column] != "" }

func (f from) hasAll(columns ...string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !f.has(c) })
}

func (f from) ref(column string) string { return f.alias + "." + f.columns[column] }

func (g *generator) one(texts ...string) string { return texts[g.rand.IntN(len(texts))] }

// in tells that a thing happens that has a chance of one in n.
func (g *generator) in(n int) bool { return g.rand.IntN(n) == 0 }

func (g *generator) alias() string {
	g.count++
	return g.one("a", "b", "q") + strconv.Itoa(g.count)
}

// tableKey chooses a resource; the largest is read twice at most.
func (g *generator) tableKey() string {
	key := g.one("pools", "pools", "hosts", "hosts", "sessions", "machines", "apps", "groups", "subscriptions")
	if key == "sessions" {
		if g.heavy++; g.heavy > 2 {
			return "pools"
		}
	}
	return key
}

// statement gives a whole statement.
func (g *generator) statement() joined {
	sources, text := g.joins(2 + g.rand.IntN(3)*g.rand.IntN(2))
	where := ""
	if !g.in(4) {
		where = "\nWHERE " + g.conditions(sources)
	}
	j := g.selected(sources, "\nFROM "+text+where)
	if len(g.with) > 0 {
		recursive := ""
		if strings.Contains(j.text, "/* recursive */") || slices.ContainsFunc(g.with, func(s string) bool { return strings.Contains(s, "/* recursive */") }) {
			recursive = "RECURSIVE "
		}
		j.text = "WITH " + recursive + strings.Join(g.with, ",\n") + "\n" + j.text
	}
	return j
}

// selected puts a select list before a FROM.
func (g *generator) selected(sources []from, rest string) joined {
	var shown []string
	for range 2 + g.rand.IntN(3) {
		s := sources[g.rand.IntN(len(sources))]
		shown = append(shown, g.shown(s, g.column(s)))
	}
	product := 1
	for _, s := range sources {
		product *= s.rows
	}
	list := strings.Join(shown, ", ")
	key := g.shown(sources[0], g.column(sources[0]))
	switch n := g.rand.IntN(12); {
	case n == 0:
		return joined{"SELECT count(*), max(" + shown[0] + "), count(" + shown[1] + ")" + rest, false}
	case n <= 2 || product > 20_000:
		return joined{"SELECT " + key + " AS k, count(*) AS n, min(" + shown[0] + ")" + rest + "\nGROUP BY " + g.one("1", "k", key) + g.one("", " HAVING count(*) > 1", " HAVING max("+shown[0]+") IS NOT NULL") + g.one("", "\nORDER BY k, n"), false}
	case n == 3:
		return joined{"SELECT " + list + ", row_number() OVER (PARTITION BY " + key + " ORDER BY " + list + ") AS place" + rest + g.one("", "\nQUALIFY place <= 2"), false}
	case n == 4:
		return joined{"SELECT DISTINCT " + list + rest + "\nORDER BY ALL LIMIT " + g.one("1", "5", "50"), true}
	case n <= 7:
		return joined{"SELECT " + list + rest + "\nORDER BY ALL LIMIT " + g.one("1", "3", "20") + g.one("", " OFFSET 2"), true}
	case n == 8:
		return joined{"SELECT " + list + ", CASE WHEN " + g.filter(sources) + " THEN 1 ELSE 0 END" + rest, false}
	}
	return joined{"SELECT " + list + rest, false}
}

// shown gives a column in a form in which names that differ in case are alike.
func (g *generator) shown(s from, column string) string { return "lower(" + s.ref(column) + ")" }

// column chooses a column of an entry.
func (g *generator) column(s from) string { return g.one(slices.Sorted(maps.Keys(s.columns))...) }

// joins gives entries joined in some way, and the text of the FROM.
func (g *generator) joins(n int) ([]from, string) {
	first := g.from(nil)
	sources, text := []from{first}, first.text
	for i := range n - 1 {
		var next from
		for range 4 { // look for one that has something to do with the others
			if next = g.from(sources); len(g.common(sources[len(sources)-1], next)) > 1 {
				break
			}
		}
		text += g.join(&sources, next, i == n-2)
	}
	return sources, text
}

// join joins an entry with one before it. Rows of a SEMI or ANTI join are not
// shown; behind a comma no join comes, since it could not name what is before
// the comma.
func (g *generator) join(sources *[]from, next from, last bool) string {
	with := (*sources)[g.rand.IntN(len(*sources))]
	kind := g.one("JOIN", "JOIN", "JOIN", "INNER JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN", ",")
	switch {
	case strings.Contains(next.text, "/* lateral */") && kind != "LEFT JOIN" && kind != "CROSS JOIN":
		kind = "JOIN"
	case (kind == "CROSS JOIN" || kind == ",") && with.rows*next.rows > 5000:
		kind = "JOIN"
	}
	if kind == "," && last {
		*sources = append(*sources, next)
		return ", " + next.text
	}
	if kind == "CROSS JOIN" || kind == "," {
		*sources = append(*sources, next)
		return "\nCROSS JOIN " + next.text
	}
	text := "\n" + kind + " " + next.text + " " + g.on(with, next, len(*sources) == 1)
	if kind != "SEMI JOIN" && kind != "ANTI JOIN" {
		*sources = append(*sources, next)
	}
	return text
}

// on gives the condition of a join.
func (g *generator) on(l, r from, first bool) string {
	common := g.common(l, r)
	if first && len(common) > 0 && g.in(4) && !slices.ContainsFunc(common, func(c string) bool { return l.columns[c] != c || r.columns[c] != c }) {
		return "USING (" + strings.Join(g.some(common), ", ") + ")"
	}
	condition := g.joinCondition(l, r)
	switch g.rand.IntN(8) {
	case 0:
		condition += " AND " + g.filter([]from{l, r})
	case 1:
		condition += " AND " + g.constants(g.oneOf(l, r))
	case 2:
		condition = "(" + condition + " OR " + g.filter([]from{l, r}) + " AND " + g.joinCondition(l, r) + ")"
	}
	return "ON " + condition
}

func (g *generator) oneOf(sources ...from) from { return sources[g.rand.IntN(len(sources))] }

// common gives the parameters that both sides have.
func (g *generator) common(l, r from) []string {
	var all []string
	for _, c := range []string{"subscriptionId", "resourceGroupName", "hostPoolName", "sessionHostName", "userSessionId", "vmName", "applicationGroupName"} {
		if l.has(c) && r.has(c) {
			all = append(all, c)
		}
	}
	return all
}

// some gives a part of a list that is mostly all of it, in any order.
func (g *generator) some(list []string) []string {
	list = slices.Clone(list)
	g.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if g.in(4) {
		return list[:1+g.rand.IntN(len(list))]
	}
	return list
}

// joinCondition gives equalities of two sides.
func (g *generator) joinCondition(l, r from) string {
	if special := append(g.byID(l, r), g.byID(r, l)...); len(special) > 0 && !g.in(3) {
		return g.one(special...)
	}
	var parts []string
	common := g.common(l, r)
	if len(common) == 0 {
		return g.one("true", g.filter([]from{l, r}))
	}
	for _, c := range g.some(common) {
		parts = append(parts, g.equality(l, r, c))
	}
	return strings.Join(parts, " AND ")
}

// equality equates a parameter of both sides in one of many ways.
func (g *generator) equality(l, r from, c string) string {
	if g.in(2) {
		l, r = r, l
	}
	left, right := l.ref(c), r.ref(c)
	switch g.rand.IntN(10) {
	case 0:
		return "lower(" + left + ") = lower(" + right + ")"
	case 1:
		return left + " = upper(" + right + ")"
	case 2:
		return left + " IS NOT DISTINCT FROM " + right
	case 3:
		return left + " = concat(" + right + ", '')"
	case 4, 5:
		if made := g.made(r, c); made != "" {
			return left + " = " + made
		}
	}
	return left + " = " + right
}

// made gives a parameter as it is taken out of another column, or nothing.
func (g *generator) made(s from, c string) string {
	if s.table == "" || !s.has("name") || !s.has("id") {
		return ""
	}
	parts := map[string]int{"subscriptionId": 3, "resourceGroupName": 5, "hostPoolName": 9, "sessionHostName": 11, "vmName": 9, "applicationGroupName": 9}
	ways := []string{}
	if at, ok := parts[c]; ok {
		ways = append(ways, fmt.Sprintf("split_part(%s, '/', %d)", s.ref("id"), at), fmt.Sprintf("split_part(lower(%s), '/', %d)", s.ref("id"), at))
	}
	switch {
	case c == "hostPoolName" && s.table == "pools", c == "vmName" && s.table == "machines":
		ways = append(ways, s.ref("name"))
	case c == "hostPoolName" && (s.table == "hosts" || s.table == "sessions"):
		ways = append(ways, "split_part("+s.ref("name")+", '/', 1)")
	case c == "sessionHostName" && (s.table == "hosts" || s.table == "sessions"):
		ways = append(ways, "split_part("+s.ref("name")+", '/', 2)")
	}
	if len(ways) == 0 {
		return ""
	}
	return g.one(ways...)
}

// byID gives conditions over ids and names that say where the one side's
// things are in the other's.
func (g *generator) byID(l, r from) []string {
	switch {
	case l.table == "hosts" && r.table == "machines" && l.hasAll("resourceId", "sessionHostName") && r.hasAll("id", "vmName", "resourceGroupName"):
		return []string{
			"lower(" + l.ref("resourceId") + ") = lower(" + r.ref("id") + ")",
			r.ref("id") + " = " + l.ref("resourceId"),
			r.ref("vmName") + " = split_part(" + l.ref("sessionHostName") + ", '.', 1) AND " + r.ref("subscriptionId") + " = " + l.ref("subscriptionId"),
			r.ref("vmName") + " = split_part(" + l.ref("resourceId") + ", '/', 9) AND " + r.ref("resourceGroupName") + " = split_part(" + l.ref("resourceId") + ", '/', 5) AND " + r.ref("subscriptionId") + " = split_part(" + l.ref("resourceId") + ", '/', 3)",
		}
	case l.table == "apps" && r.table == "pools" && l.has("hostPoolArmPath") && l.has("resourceGroupName") && r.hasAll("id", "hostPoolName", "resourceGroupName"):
		return []string{
			"lower(" + l.ref("hostPoolArmPath") + ") = lower(" + r.ref("id") + ")",
			l.ref("hostPoolArmPath") + " = " + r.ref("id"),
			r.ref("hostPoolName") + " = split_part(" + l.ref("hostPoolArmPath") + ", '/', 9) AND " + r.ref("resourceGroupName") + " = " + l.ref("resourceGroupName") + " AND " + r.ref("subscriptionId") + " = " + l.ref("subscriptionId"),
		}
	case l.table == "groups" && r.table != "groups" && r.has("resourceGroupName") && l.has("name"):
		return []string{r.ref("subscriptionId") + " = " + l.ref("subscriptionId") + " AND lower(" + r.ref("resourceGroupName") + ") = lower(" + l.ref("name") + ")"}
	}
	return nil
}

// from gives an entry of a FROM; outer are those whose columns a lateral one
// may name.
func (g *generator) from(outer []from) from {
	switch n := g.rand.IntN(20); {
	case n < 10:
		return g.table()
	case n < 13:
		return g.derived()
	case n < 15:
		return g.cte()
	case n < 16 && len(outer) > 0:
		return g.lateral(outer)
	case n < 17:
		return g.keys()
	case n < 18:
		return g.view()
	case n < 19:
		return g.recursive()
	}
	return g.nested()
}

// table gives a resource.
func (g *generator) table() from {
	key, alias := g.tableKey(), g.alias()
	return g.entry(joinTables[key].name+g.one(" ", " AS ")+alias, alias, key)
}

// entry gives an entry with all columns of a table.
func (g *generator) entry(text, alias, key string) from {
	f := from{text: text, alias: alias, table: key, columns: map[string]string{}, rows: joinTables[key].rows}
	for _, c := range joinTables[key].all() {
		f.columns[c] = c
	}
	return f
}

// view gives a view of the session.
func (g *generator) view() from {
	key := g.one("pools", "sessions", "hosts")
	name := map[string]string{"pools": "all_pools", "sessions": "active", "hosts": "placed"}[key]
	alias := g.alias()
	f := g.entry(name+" "+alias, alias, key)
	for _, c := range []string{"loadBalancerType", "resourceId", "status", "userPrincipalName", "applicationType"} {
		delete(f.columns, c)
	}
	return f
}

// keys gives names that do not come from a resource.
func (g *generator) keys() from {
	alias := g.alias()
	f := from{alias: alias, rows: 5, columns: map[string]string{"subscriptionId": "subscriptionId", "resourceGroupName": "resourceGroupName", "hostPoolName": "hostPoolName"}}
	switch g.rand.IntN(4) {
	case 0:
		f.text = "keys " + alias
	case 1:
		f.text = "'" + g.file + "' " + alias
	case 2:
		f.text = "read_csv('" + g.file + "') AS " + alias
	default:
		var rows []string
		for range 1 + g.rand.IntN(3) {
			row := g.row("pools")
			rows = append(rows, "("+g.quoted(row["subscriptionId"])+", "+g.quoted(row["resourceGroupName"])+", "+g.quoted(row["hostPoolName"])+")")
		}
		f.text = "(VALUES " + strings.Join(rows, ", ") + ") " + alias + "(subscriptionId, resourceGroupName, hostPoolName)"
	}
	return f
}

// query gives a query over one resource, and an entry that reads it under an
// alias.
func (g *generator) query(alias string) (string, from) {
	inner := g.table()
	f := from{alias: alias, table: inner.table, rows: inner.rows, columns: map[string]string{}}
	renames := map[string]string{"hostPoolName": "pool", "resourceGroupName": "grp", "sessionHostName": "hst", "id": "ident"}
	rename, drop := g.in(3), g.in(3)
	var list []string
	for _, c := range slices.Sorted(maps.Keys(inner.columns)) {
		switch {
		case drop && g.in(6) && c != "id" && c != "subscriptionId":
		case rename && renames[c] != "":
			list = append(list, inner.ref(c)+" AS "+renames[c])
			f.columns[c] = renames[c]
		default:
			list = append(list, inner.ref(c))
			f.columns[c] = c
		}
	}
	text := "SELECT " + strings.Join(list, ", ") + " FROM " + inner.text
	if g.in(2) {
		text += " WHERE " + g.conditions([]from{inner})
	}
	id := inner.ref("id")
	switch g.rand.IntN(9) {
	case 0:
		text += " ORDER BY lower(" + id + ") LIMIT " + g.one("1", "3", "10")
	case 1:
		text += " ORDER BY lower(" + id + ") DESC LIMIT 2 OFFSET 1"
	case 2:
		text = strings.Replace(text, "SELECT ", "SELECT DISTINCT ON ("+inner.ref("subscriptionId")+") ", 1) + " ORDER BY " + inner.ref("subscriptionId") + ", lower(" + id + ")"
	case 3:
		text = strings.Replace(text, " FROM ", ", row_number() OVER (PARTITION BY "+inner.ref("subscriptionId")+" ORDER BY lower("+id+")) AS nr FROM ", 1)
		f.columns["nr"] = "nr::VARCHAR"
	case 4:
		text += " QUALIFY row_number() OVER (ORDER BY lower(" + id + ")) <= " + g.one("1", "4")
	case 5:
		text = strings.Replace(text, "SELECT ", "SELECT DISTINCT ", 1)
	}
	return text, f
}

// derived gives a query in the FROM, sometimes a set operation or a group.
func (g *generator) derived() from {
	alias := g.alias()
	switch g.rand.IntN(6) {
	case 0, 1:
		return g.setOperation(alias)
	case 2:
		return g.grouped(alias)
	case 3:
		text, f := g.query(alias)
		inner := g.alias()
		f.text = "(SELECT * FROM (" + text + ") " + inner + ") " + alias
		return f
	}
	text, f := g.query(alias)
	f.text = "(" + text + ") " + alias
	return f
}

// setOperation gives rows of two queries. All but UNION ALL compare with
// regard to case in places, so those are made of lower-case values there.
func (g *generator) setOperation(alias string) from {
	kinds := []string{g.one("pools", "hosts"), g.one("pools", "hosts", "apps", "machines")}
	columns := g.common(g.entry("", "", kinds[0]), g.entry("", "", kinds[1]))
	operation := g.one("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT")
	f := from{alias: alias, columns: map[string]string{}, rows: 24}
	var parts []string
	for _, kind := range kinds {
		inner := g.alias()
		s := g.entry(joinTables[kind].name+" "+inner, inner, kind)
		var list []string
		for _, c := range columns {
			f.columns[c] = c
			if operation == "UNION ALL" {
				list = append(list, s.ref(c))
			} else {
				list = append(list, "lower("+s.ref(c)+") AS "+c)
			}
		}
		part := "SELECT " + strings.Join(list, ", ") + " FROM " + s.text
		if g.in(2) {
			part += " WHERE " + g.conditions([]from{s})
		}
		parts = append(parts, part)
	}
	f.text = "(" + strings.Join(parts, " "+operation+" ") + ") " + alias
	return f
}

// grouped gives groups of a resource.
func (g *generator) grouped(alias string) from {
	s := g.table()
	columns := g.some([]string{"subscriptionId"})
	if s.has("resourceGroupName") && !g.in(3) {
		columns = append(columns, "resourceGroupName")
	}
	if s.has("hostPoolName") && !g.in(3) {
		columns = append(columns, "hostPoolName")
	}
	f := from{alias: alias, rows: 4, columns: map[string]string{"n": "n::VARCHAR"}}
	var list []string
	for _, c := range columns {
		f.columns[c] = c
		list = append(list, s.ref(c))
	}
	names := strings.Join(list, ", ")
	f.text = "(SELECT " + names + ", count(*) AS n FROM " + s.text + g.one("", " WHERE "+g.filter([]from{s})) + " GROUP BY " + g.one("ALL", names) + g.one("", " HAVING count(*) > 1") + ") " + alias
	return f
}

// cte gives a common table expression, one time in two an entry that reads it
// a second time as well.
func (g *generator) cte() from {
	name, alias := "c"+strconv.Itoa(len(g.with)+1), g.alias()
	if len(g.with) > 0 && g.in(2) && !strings.Contains(g.with[0], "/* recursive */") {
		return g.again(alias)
	}
	text, f := g.query(alias)
	if g.in(3) {
		g.with = append(g.with, name+g.one("", " AS NOT MATERIALIZED", " AS MATERIALIZED")+" (")
		if strings.HasSuffix(g.with[len(g.with)-1], name+" (") {
			g.with[len(g.with)-1] = name + " AS ("
		}
		g.with[len(g.with)-1] += text + ")"
	} else {
		g.with = append(g.with, name+" AS ("+text+")")
	}
	f.text = name + " " + alias
	if g.in(2) {
		f.text = "(SELECT * FROM " + name + " WHERE " + f.columns["subscriptionId"] + " IN (SELECT " + f.columns["subscriptionId"] + " FROM " + name + ")) " + alias
	}
	return f
}

// again reads the first common table expression once more.
func (g *generator) again(alias string) from {
	return from{text: "(SELECT subscriptionId FROM c1) " + alias, alias: alias, rows: 12, columns: map[string]string{"subscriptionId": "subscriptionId"}}
}

// recursive gives a recursive common table expression from pools to hosts.
func (g *generator) recursive() from {
	name, alias := "r"+strconv.Itoa(len(g.with)+1), g.alias()
	p := g.entry("", "p", "pools")
	g.with = append(g.with, name+" AS /* recursive */ (SELECT p.subscriptionId, p.resourceGroupName, p.hostPoolName, p.name, 1 AS n FROM "+joinTables["pools"].name+" p"+
		g.one("", " WHERE "+g.constants(p))+" UNION ALL SELECT h.subscriptionId, h.resourceGroupName, h.hostPoolName, h.name, n + 1 FROM "+
		g.one(name+" x JOIN "+joinTables["hosts"].name+" h", joinTables["hosts"].name+" h JOIN "+name+" x")+" ON h.hostPoolName = x.hostPoolName AND h.resourceGroupName = x.resourceGroupName AND h.subscriptionId = x.subscriptionId WHERE x.n < 2)")
	return from{text: name + " " + alias, alias: alias, rows: 16, columns: map[string]string{
		"subscriptionId": "subscriptionId", "resourceGroupName": "resourceGroupName", "hostPoolName": "hostPoolName", "name": "name",
	}}
}

// lateral gives a query that names columns of entries before it.
func (g *generator) lateral(outer []from) from {
	alias := g.alias()
	inner := g.table()
	f := from{alias: alias, table: inner.table, rows: inner.rows, columns: map[string]string{}}
	var list []string
	for _, c := range slices.Sorted(maps.Keys(inner.columns)) {
		list = append(list, inner.ref(c))
		f.columns[c] = c
	}
	f.text = "/* lateral */ LATERAL (SELECT " + strings.Join(list, ", ") + " FROM " + inner.text + " WHERE " + g.joinCondition(outer[g.rand.IntN(len(outer))], inner) + ") " + alias
	return f
}

// nested gives a join in parentheses of its own query.
func (g *generator) nested() from {
	alias := g.alias()
	l, r := g.table(), g.table()
	f := from{alias: alias, table: l.table, rows: l.rows, columns: map[string]string{}}
	var list []string
	for _, c := range slices.Sorted(maps.Keys(l.columns)) {
		list = append(list, l.ref(c))
		f.columns[c] = c
	}
	f.text = "(SELECT " + strings.Join(list, ", ") + " FROM " + l.text + " " + g.one("JOIN", "LEFT JOIN", "SEMI JOIN", "ANTI JOIN") + " " + r.text + " ON " + g.joinCondition(l, r) + ") " + alias
	return f
}

// conditions gives a WHERE.
func (g *generator) conditions(sources []from) string {
	var parts []string
	for range 1 + g.rand.IntN(2) {
		parts = append(parts, g.condition(sources))
	}
	return strings.Join(parts, " AND ")
}

// condition gives one condition.
func (g *generator) condition(sources []from) string {
	s := sources[g.rand.IntN(len(sources))]
	switch g.rand.IntN(14) {
	case 0, 1, 2:
		return g.constants(s)
	case 3:
		return "(" + g.constants(s) + " OR " + g.constants(s) + ")"
	case 4:
		return "(" + g.constants(s) + " OR " + g.filter(sources) + ")"
	case 5:
		return "NOT (" + g.filter(sources) + ")"
	case 6:
		return "CASE WHEN " + g.filter(sources) + " THEN true ELSE " + g.filter(sources) + " END"
	case 7:
		return g.inQuery(s)
	case 8:
		return g.one("EXISTS", "NOT EXISTS", "EXISTS") + " (SELECT 1 FROM " + g.correlated(s) + ")"
	case 9:
		return g.scalar(s)
	case 10:
		if len(sources) > 1 {
			return g.joinCondition(sources[0], sources[1])
		}
	case 11:
		return "(NOT (" + g.constants(s) + ") OR " + g.filter(sources) + ")"
	}
	return g.filter(sources)
}

// correlated gives a resource and a WHERE that names the entry.
func (g *generator) correlated(s from) string {
	inner := g.table()
	return inner.text + " WHERE " + g.joinCondition(s, inner) + g.one("", " AND "+g.filter([]from{inner}))
}

// inQuery compares a parameter with the rows of a query.
func (g *generator) inQuery(s from) string {
	inner := g.table()
	common := g.common(s, inner)
	if len(common) == 0 {
		return g.filter([]from{s})
	}
	c := g.one(common...)
	value := inner.ref(c)
	if made := g.made(inner, c); made != "" && g.in(2) {
		value = made
	}
	query := "SELECT " + value + " FROM " + inner.text + g.one("", " WHERE "+g.filter([]from{inner}), " WHERE "+g.constants(inner), " WHERE "+g.joinCondition(s, inner))
	return s.ref(c) + g.one(" IN (", " IN (", " = ANY (", " NOT IN (") + query + ")"
}

// scalar compares with a query of one value.
func (g *generator) scalar(s from) string {
	inner := g.table()
	common := g.common(s, inner)
	if len(common) == 0 {
		return g.filter([]from{s})
	}
	c := g.one(common...)
	switch g.rand.IntN(4) {
	case 0:
		return s.ref(c) + " = (SELECT min(lower(" + inner.ref(c) + ")) FROM " + inner.text + g.one("", " WHERE "+g.filter([]from{inner})) + ")"
	case 1:
		return s.ref(c) + " = (SELECT " + inner.ref(c) + " FROM " + inner.text + " ORDER BY lower(" + inner.ref("id") + g.one(") LIMIT 1)", ") DESC LIMIT 1)")
	case 2:
		return "(SELECT count(*) FROM " + g.correlated(s) + ") " + g.one("> 0", "= 1", "< 3")
	}
	return "coalesce((SELECT max(lower(" + inner.ref(c) + ")) FROM " + inner.text + " WHERE " + g.joinCondition(s, inner) + "), '') " + g.one("=", "<>", ">=") + " lower(" + s.ref(c) + ")"
}

// row chooses an item of a table.
func (g *generator) row(table string) map[string]string {
	rows := g.rows[table]
	return rows[g.rand.IntN(len(rows))]
}

// quoted gives a literal, in some case, or an argument of a prepared statement.
func (g *generator) quoted(text string) string {
	switch g.rand.IntN(8) {
	case 0:
		text = strings.ToUpper(text)
	case 1:
		return "⟪" + text + "⟫"
	case 2:
		return "lower('" + strings.ToUpper(text) + "')"
	}
	return "'" + text + "'"
}

// constants compares the parameters of an entry with those of an item that is
// there: most of them, so that what is named is found.
func (g *generator) constants(s from) string {
	table := s.table
	if table == "" {
		table = "pools"
	}
	row := g.row(table)
	var names []string
	for _, c := range []string{"subscriptionId", "resourceGroupName", "hostPoolName", "sessionHostName", "userSessionId", "vmName", "applicationGroupName"} {
		if s.has(c) && row[c] != "" {
			names = append(names, c)
		}
	}
	if len(names) == 0 {
		return g.filter([]from{s})
	}
	names = names[:1+g.rand.IntN(len(names))]
	if g.in(4) {
		g.rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		names = names[:1+g.rand.IntN(len(names))]
	}
	var parts []string
	for _, c := range names {
		parts = append(parts, g.constant(s, table, c, row[c]))
	}
	return strings.Join(parts, " AND ")
}

func (g *generator) constant(s from, table, c, value string) string {
	switch g.rand.IntN(8) {
	case 0:
		return s.ref(c) + " IN (" + g.quoted(value) + ", " + g.quoted(value) + ")"
	case 1:
		return g.quoted(value) + " = " + s.ref(c)
	case 2:
		if c == "subscriptionId" {
			return s.ref(c) + " IN (" + g.quoted(value) + ", " + g.quoted(g.row(table)[c]) + ")"
		}
	case 3:
		return "(" + s.ref(c) + " = " + g.quoted(value) + " OR " + s.ref(c) + " = " + g.quoted(value) + ")"
	}
	return s.ref(c) + " = " + g.quoted(value)
}

// filter gives a condition that binds nothing.
func (g *generator) filter(sources []from) string {
	s := sources[g.rand.IntN(len(sources))]
	c := g.column(s)
	ref := s.ref(c)
	value := "rg-avd-prod-weu"
	if s.table != "" {
		value = g.row(s.table)[c]
	}
	lower := "lower(" + ref + ")"
	return g.one(
		lower+" = '"+strings.ToLower(value)+"'", lower+" <> '"+strings.ToLower(value)+"'", lower+" >= '"+strings.ToLower(value)+"'",
		lower+" LIKE '%"+g.one("office", "prod", "weu", "e", "0", "a")+"%'", ref+" IS NOT NULL", ref+" IS NULL", "length("+ref+") > "+g.one("2", "8", "20"),
		lower+" NOT LIKE '%"+g.one("sales", "pilot", "1")+"%'",
	)
}
