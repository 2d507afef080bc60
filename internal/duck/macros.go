package duck

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// Functions that StackQL, or SQLite below it, has and DuckDB has not are macros.
// One is made when a statement names it and DuckDB knows no such function, so
// that a statement without them costs nothing, and a function of DuckDB or of
// the user comes first. Names that begin with planeql_ are put into a statement
// by package syntax, where a function of DuckDB has the name and another
// meaning.
//
// They are temporary: a connection has its own, and no database file keeps them.

// macros gives the definition of each function: what stands behind its name in
// CREATE MACRO. Text that SQLite takes for a time is read by planeql_time, and
// times are in UTC.
var macros = map[string]string{
	// Conditions.
	"iif":    `(c, a) AS CASE WHEN c THEN a END, (c, a, b) AS CASE WHEN c THEN a ELSE b END`,
	"nvl":    `(a, b) AS coalesce(a, b)`,
	"isnull": `(a) AS a IS NULL`,

	// Texts.
	"regexp_like":   `(s, p) AS regexp_matches(s, p)`,
	"regexp_substr": `(s, p) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p) END`,
	"string":        `(x) AS CAST(x AS VARCHAR)`,
	"quote": `(x) AS CASE WHEN x IS NULL THEN 'NULL' WHEN TRY_CAST(x AS DOUBLE) IS NOT NULL AND typeof(x) <> 'VARCHAR' ` +
		`THEN CAST(x AS VARCHAR) ELSE '''' || replace(CAST(x AS VARCHAR), '''', '''''') || '''' END`,
	"base64_encode":          `(x) AS to_base64(encode(CAST(x AS VARCHAR)))`,
	"base64_decode":          `(x) AS decode(from_base64(x))`,
	"btoa":                   `(x) AS to_base64(encode(CAST(x AS VARCHAR)))`,
	"atob":                   `(x) AS decode(from_base64(x))`,
	"planeql_regexp_replace": `(s, p, r) AS regexp_replace(s, p, r, 'g')`,
	"planeql_glob":           `(p, s) AS s GLOB p`,

	// Numbers.
	"total": `(x) AS CAST(coalesce(sum(x), 0) AS DOUBLE)`,

	"planeql_greatest": `(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, b) END` +
		`, (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN greatest(a, b, c) END` +
		`, (a, b, c, d) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL THEN greatest(a, b, c, d) END`,
	"planeql_least": `(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, b) END` +
		`, (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN least(a, b, c) END` +
		`, (a, b, c, d) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL THEN least(a, b, c, d) END`,
	"planeql_typeof": `(x) AS CASE WHEN x IS NULL THEN 'null' WHEN typeof(x) = 'BLOB' THEN 'blob' ` +
		`WHEN regexp_full_match(typeof(x), '(U?(TINY|SMALL|BIG|HUGE)INT)|U?INTEGER|BOOLEAN') THEN 'integer' ` +
		`WHEN regexp_full_match(typeof(x), 'FLOAT|DOUBLE|DECIMAL.*') THEN 'real' ELSE 'text' END`,

	// JSON. A boolean is 1 or 0, as SQLite has none.
	"planeql_json_extract": `(j, p) AS ` + unquoted("json_type(j, p)", "(j ->> p)") +
		`, (j, p, q) AS ` + extracted("p", "q") + `, (j, p, q, r) AS ` + extracted("p", "q", "r") + `, (j, p, q, r, s) AS ` + extracted("p", "q", "r", "s"),
	"planeql_json_number": `(j, p) AS TRY_CAST(planeql_json_extract(j, p) AS DOUBLE)`,
	"planeql_json_extract_path_text": `(j, a, b) AS json_extract_string(json_extract(j, a), b)` +
		`, (j, a, b, c) AS json_extract_string(json_extract(json_extract(j, a), b), c)` +
		`, (j, a, b, c, d) AS json_extract_string(json_extract(json_extract(json_extract(j, a), b), c), d)`,
	"planeql_json_type":        `(j) AS ` + typeName("json_type(j)", "(j ->> '$')") + `, (j, p) AS ` + typeName("json_type(j, p)", "(j ->> p)"),
	"planeql_json_each":        `(j) AS TABLE (` + eachOf("json_each(j)") + `), (j, p) AS TABLE (` + eachOf("json_each(j, p)") + `)`,
	"json_array_elements_text": `(j) AS TABLE (SELECT value ->> '$' AS value FROM json_each(j))`,
	"json_equal":               `(a, b) AS ` + membersOf("a") + ` = ` + membersOf("b"),
	"json_patch":               `(a, b) AS json_merge_patch(a, b)`,

	// Times.
	"planeql_time": `(x) AS CASE WHEN lower(CAST(x AS VARCHAR)) = 'now' THEN now() AT TIME ZONE 'UTC' ` +
		`WHEN TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE) IS NOT NULL THEN make_timestamp(CAST(round((CAST(CAST(x AS VARCHAR) AS DOUBLE) - 2440587.5) * 86400000) AS BIGINT) * 1000) ` +
		`WHEN regexp_matches(CAST(x AS VARCHAR), ':[0-9.]+ *([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$') THEN TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ) AT TIME ZONE 'UTC' ` +
		`ELSE TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP) END`,
	"planeql_time_1": `(x, m) AS CASE WHEN lower(m) = 'unixepoch' THEN make_timestamp(CAST(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE) * 1000000 AS BIGINT)) ` +
		`ELSE planeql_shift(planeql_time(x), m) END`,
	"planeql_time_2": `(x, m, n) AS planeql_shift(planeql_time_1(x, m), n)`,
	"planeql_time_3": `(x, m, n, o) AS planeql_shift(planeql_time_2(x, m, n), o)`,
	"planeql_shift": `(t, m) AS CASE WHEN lower(m) IN ('utc', 'localtime', 'auto', 'subsec') THEN t ` +
		`WHEN lower(m) = 'start of day' THEN date_trunc('day', t) WHEN lower(m) = 'start of month' THEN date_trunc('month', t) ` +
		`WHEN lower(m) = 'start of year' THEN date_trunc('year', t) ` +
		`WHEN regexp_full_match(lower(trim(m)), '[+-]?[0-9]+ *(second|minute|hour|day|month|year)s?') THEN t + CAST(ltrim(trim(m), '+') AS INTERVAL) ` +
		`ELSE error('the modifier ' || m || ' of a time is not known: one is ''-7 days'', ''start of month'', ''unixepoch''') END`,
	"datetime":         timeFunction("date_trunc('second', %)"),
	"planeql_date":     timeFunction("CAST(% AS DATE)"),
	"planeql_timetext": timeFunction("CAST(date_trunc('second', %) AS TIME)"),
	"julianday":        timeFunction("(epoch(%) / 86400 + 2440587.5)"),
	"unixepoch":        timeFunction("CAST(floor(epoch(%)) AS BIGINT)"),
	"utc_timestamp":    `() AS date_trunc('second', now() AT TIME ZONE 'UTC')`,
	"utc_date":         `() AS CAST(now() AT TIME ZONE 'UTC' AS DATE)`,
	"utc_time":         `() AS CAST(date_trunc('second', now() AT TIME ZONE 'UTC') AS TIME)`,
}

// unquoted gives a JSON value as SQLite does: text without quotes, 1 and 0 for
// booleans.
func unquoted(kind, text string) string {
	return `CASE ` + kind + ` WHEN 'BOOLEAN' THEN CASE ` + text + ` WHEN 'true' THEN '1' ELSE '0' END ELSE ` + text + ` END`
}

// extracted gives the values at several paths as one JSON array.
func extracted(paths ...string) string {
	var values []string
	for _, p := range paths {
		values = append(values, "json_extract(j, "+p+")")
	}
	return "json_array(" + strings.Join(values, ", ") + ")"
}

// eachOf gives the rows of json_each with the values and the names of types
// that SQLite has.
func eachOf(call string) string {
	return `SELECT key, ` + unquoted("type", "(value ->> '$')") + ` AS value, ` +
		typeName("type", "(value ->> '$')") + ` AS type, ` +
		unquoted("type", "(atom ->> '$')") + ` AS atom, id, parent, fullkey, path FROM ` + call
}

// membersOf gives all values inside a JSON text with their paths, in an order
// that does not depend on that of the members.
func membersOf(json string) string {
	return `(SELECT list_sort(list(fullkey || ' ' || type || ' ' || coalesce(CAST(atom AS VARCHAR), ''))) FROM json_tree(` + json + `))`
}

// timeFunction gives a function of SQLite that takes a time and up to three
// modifiers; % stands for the time.
func timeFunction(body string) string {
	of := func(call string) string { return strings.ReplaceAll(body, "%", call) }
	return `() AS ` + of("planeql_time('now')") + `, (x) AS ` + of("planeql_time(x)") + `, (x, m) AS ` + of("planeql_time_1(x, m)") +
		`, (x, m, n) AS ` + of("planeql_time_2(x, m, n)") + `, (x, m, n, o) AS ` + of("planeql_time_3(x, m, n, o)")
}

// typeName gives SQLite's name of the type of a JSON value.
func typeName(kind, text string) string {
	return `CASE ` + kind + ` WHEN 'VARCHAR' THEN 'text' WHEN 'BIGINT' THEN 'integer' WHEN 'UBIGINT' THEN 'integer' WHEN 'DOUBLE' THEN 'real' ` +
		`WHEN 'BOOLEAN' THEN ` + text + ` ELSE lower(` + kind + `) END`
}

// missingFunction matches DuckDB's message about a function that it does not
// know.
var missingFunction = regexp.MustCompile(`(?:Scalar|Table|Aggregate|Macro)?\s*Function with name "?([A-Za-z0-9_]+)"? does not exist`)

// define makes the macro that an error of DuckDB misses on a connection. It
// tells whether there is one now that was not tried before.
func (c *connection) define(ctx context.Context, message string, tried map[string]bool) bool {
	m := missingFunction.FindStringSubmatch(message)
	if m == nil {
		return false
	}
	name := strings.ToLower(m[1])
	body, ok := macros[name]
	if !ok || tried[name] {
		return false
	}
	tried[name] = true
	statement := `CREATE OR REPLACE TEMP MACRO "` + name + `"` + body
	_, err := c.sql.ExecContext(ctx, statement)
	for err != nil && c.define(ctx, err.Error(), tried) { // a macro may be made of others
		_, err = c.sql.ExecContext(ctx, statement)
	}
	if err == nil && !slices.Contains(c.macros, name) {
		c.macros = append(c.macros, name)
	}
	return err == nil
}

var definesFunction = regexp.MustCompile(`(?i)\b(macro|function)\b`)

// forget drops the macros of a connection before a statement that may define a
// function of the same name: the user's comes first.
func (c *connection) forget(ctx context.Context, query string) {
	if len(c.macros) == 0 || !definesFunction.MatchString(query) {
		return
	}
	for _, name := range c.macros {
		kind := "MACRO"
		if strings.Contains(macros[name], "AS TABLE") {
			kind = "MACRO TABLE"
		}
		// The next statement that needs one makes it anew.
		_, _ = c.sql.ExecContext(ctx, "DROP "+kind+` IF EXISTS temp."`+name+`"`)
	}
	c.macros = nil
}
