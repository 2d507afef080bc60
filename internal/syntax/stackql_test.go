package syntax

import (
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// normalized are statements with the text that DuckDB gets; what it takes in
// the same sense stays as it is.
var normalized = []struct{ name, in, out string }{
	{"json_extract with a path", `json_extract(p, '$.a')`, `planeql_json_extract(p, '$.a')`},
	{"json_extract with paths", `JSON_EXTRACT(p, '$.a', '$.b')`, `planeql_json_extract(p, '$.a', '$.b')`},
	{"json_extract against a number", `json_extract(p, '$.a') > -1`, `planeql_json_number(p, '$.a') > -1`},
	{"a number against json_extract", `1 = json_extract(p, '$.a')`, `1 = planeql_json_number(p, '$.a')`},
	{"json_extract in numbers", `json_extract(p, '$.a') NOT IN (1, 2)`, `planeql_json_number(p, '$.a') NOT IN (1, 2)`},
	{"json_extract between numbers", `json_extract(p, '$.a') BETWEEN 1 AND 2`, `planeql_json_number(p, '$.a') BETWEEN 1 AND 2`},
	{"json_extract is true", `json_extract(p, '$.a') IS NOT TRUE`, `planeql_json_number(p, '$.a') IS NOT TRUE`},
	{"json_extract added up", `sum(json_extract(p, '$.a'))`, `sum(planeql_json_number(p, '$.a'))`},
	{"json_extract of all elements", `json_extract(p, '$[*]')`, `json_extract(p, '$[*]')`},
	{"json_extract with a pointer", `json_extract(p, '/a')`, `json_extract(p, '/a')`},
	{"json_extract that stays JSON", `json_extract(p, '$.a')::JSON`, `json_extract(p, '$.a')::JSON`},
	{"json_extract by its full name", `main.json_extract(p, '$.a')`, `main.json_extract(p, '$.a')`},
	{"json_extract with a column as path", `json_extract(p, q)`, `json_extract(p, q)`},
	{"json_extract_path_text", `json_extract_path_text(p, 'a', 'b') || json_extract_path_text(p, 'a')`,
		`planeql_json_extract_path_text(p, 'a', 'b') || json_extract_path_text(p, 'a')`},
	{"json_each", `FROM r, json_each(p) WHERE json_each.value = 'a'`, `FROM r, planeql_json_each(p) AS json_each WHERE json_each.value = 'a'`},
	{"numbers of json_each", `SELECT sum(x.value) FROM r, json_each(p) AS x WHERE x.value > 1 AND 2 <> x.atom AND x.key = 'a'`,
		`SELECT sum(TRY_CAST(x.value AS DOUBLE)) FROM r, planeql_json_each(p) AS x WHERE TRY_CAST(x.value AS DOUBLE) > 1 AND 2 <> TRY_CAST(x.atom AS DOUBLE) AND x.key = 'a'`},
	{"texts of json_each", `SELECT y.value > 1 FROM r y, json_each(p) WHERE json_each.value = 'a'`, `SELECT y.value > 1 FROM r y, planeql_json_each(p) AS json_each WHERE json_each.value = 'a'`},
	{"json_each at the end", `FROM r, JSON_EACH(p)`, `FROM r, planeql_json_each(p) AS json_each`},
	{"json_each with an alias", `FROM r JOIN json_each(p) x ON true`, `FROM r JOIN planeql_json_each(p) x ON true`},
	{"json_each with AS", `FROM r, json_each(p, '$.a') AS "x"`, `FROM r, planeql_json_each(p, '$.a') AS "x"`},
	{"regexp_replace", `regexp_replace(a, 'b', 'c')`, `planeql_regexp_replace(a, 'b', 'c')`},
	{"regexp_replace with options", `regexp_replace(a, 'b', 'c', 'i')`, `regexp_replace(a, 'b', 'c', 'i')`},
	{"REGEXP", `a REGEXP '^x|y'`, `a ~ '(?s).*(?:^x|y).*'`},
	{"NOT RLIKE", `a NOT RLIKE 'x'`, `a !~ '(?s).*(?:x).*'`},
	{"a column called regexp", `SELECT a regexp, b FROM t`, `SELECT a regexp, b FROM t`},
	{"group_concat in order", `group_concat(a ORDER BY b DESC SEPARATOR ';')`, `group_concat(a, ';' ORDER BY b DESC )`},
	{"group_concat distinct", `GROUP_CONCAT(DISTINCT a SEPARATOR '')`, `GROUP_CONCAT(DISTINCT a, '' )`},
	{"group_concat of DuckDB", `group_concat(a, ';' ORDER BY b)`, `group_concat(a, ';' ORDER BY b)`},
	{"strftime", `strftime('%Y', t)`, `strftime(planeql_time( t), '%Y')`},
	{"strftime of now", `strftime('%F')`, `strftime(planeql_time('now'), '%Y-%m-%d')`},
	{"strftime with modifiers", `strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')`, `strftime(planeql_time_1( 'now', '-1 day'), '%Y-%m-%dT%H:%M:%S.%gZ')`},
	{"strftime of seconds", `strftime('%s', t)`, `CAST(unixepoch( t) AS VARCHAR)`},
	{"strftime of DuckDB", `strftime(t, '%Y')`, `strftime(t, '%Y')`},
	{"date of now", `date('now')`, `planeql_date('now')`},
	{"date with modifiers", `date(t, '-1 day')`, `planeql_date(t, '-1 day')`},
	{"date of DuckDB", `date(t)`, `date(t)`},
	{"time", `time(t)`, `planeql_timetext(t)`},
	{"time as a type", `CAST(a AS TIME(3))`, `CAST(a AS TIME(3))`},
	{"format of SQLite", `format('%d', a)`, `printf('%d', a)`},
	{"format of DuckDB", `format('{}%', a)`, `format('{}%', a)`},
	{"glob", `glob('a*', b)`, `planeql_glob('a*', b)`},
	{"files", `FROM glob('*.csv')`, `FROM glob('*.csv')`},
	{"CAST to a type of MySQL", `CAST(a AS UNSIGNED INTEGER)`, `CAST(a AS UBIGINT)`},
	{"a column called signed", `(SELECT 1 AS signed)`, `(SELECT 1 AS signed)`},
	{"CAST inside CAST", `CAST(CAST(a AS SIGNED) AS NCHAR)`, `CAST(CAST(a AS BIGINT) AS VARCHAR)`},
	{"CONVERT", `CONVERT(a, SIGNED)`, `CAST(a AS BIGINT)`},
	{"CONVERT USING", `CONVERT(a USING utf8)`, `CAST(a AS VARCHAR)`},
	{"max of values", `max(a, b)`, `planeql_greatest(a, b)`},
	{"min of three values", `MIN(a, 1, 2)`, `planeql_least(a, 1, 2)`},
	{"max of DuckDB", `max(a, 3), max(a), max(a, b) OVER (), max(DISTINCT a, b)`, `max(a, 3), max(a), max(a, b) OVER (), max(DISTINCT a, b)`},
	{"json_type against a name of SQLite", `json_type(a) = 'array'`, `planeql_json_type(a) = 'array'`},
	{"typeof in names of SQLite", `typeof(a) NOT IN ('text', 'null')`, `planeql_typeof(a) NOT IN ('text', 'null')`},
	{"json_type of DuckDB", `json_type(a) = 'ARRAY', json_type(a)`, `json_type(a) = 'ARRAY', json_type(a)`},
	{"LIMIT with two numbers", `LIMIT 20, 10`, `LIMIT 10 OFFSET 20`},
	{"hexadecimal number", `0x1F`, `31`},
	{"bytes and bits", `x'61', b'101'`, `unhex('61'), 5`},
	{"a column called x", `SELECT x, 'a' FROM t x`, `SELECT x, 'a' FROM t x`},
	{"an arrow behind AND", `a = 1 AND p->>'s' = 'A'`, `a = 1 AND (p->>'s') = 'A'`},
	{"arrows in a row", `NOT u.p->'a'->>'b' IN ('c')`, `NOT (u.p->'a'->>'b') IN ('c')`},
	{"an arrow on the right", `'A' = f(p)->>'s'`, `'A' = (f(p)->>'s')`},
	{"an arrow behind a cast", `x + p::JSON->>0 = 1`, `x + (p::JSON->>0) = 1`},
	{"an arrow behind a list", `1 = [p][1]->'a'`, `1 = ([p][1]->'a')`},
	{"an arrow on its own", `SELECT p->>'s', q FROM t`, `SELECT p->>'s', q FROM t`},
	{"a lambda", `list_filter(l, x -> 'a' = x)`, `list_filter(l, x -> 'a' = x)`},
	{"an arrow in brackets", `(a = 1) AND (p->>'s') = 'A'`, `(a = 1) AND (p->>'s') = 'A'`},
	{"the text of a string", `'json_extract(p, ''$.a'') 0x1F'`, `'json_extract(p, ''$.a'') 0x1F'`},
	{"brackets that do not close", `json_extract(p, '$.a'`, `json_extract(p, '$.a'`},
	{"comments with #", "# one\nSELECT 1 -- two\n  # three\n+ #1, '\n# four'", "-- one\nSELECT 1 -- two\n  -- three\n+ #1, '\n# four'"},
	{"a column by number", "SELECT\n#1", "SELECT\n#1"},
	{"a name in backquotes", "`a b`", `"a b"`},
}

func TestNormalize(t *testing.T) {
	for _, c := range normalized {
		t.Run(c.name, func(t *testing.T) {
			got, err := Normalize(Original(&fault.Source{Text: c.in}, 0, len(c.in)))
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != c.out {
				t.Errorf("%s\n got %s\nwant %s", c.in, got.Text, c.out)
			}
			if text, changed := got.Before(0, len(got.Text)); text != c.in || changed != (c.in != c.out) {
				t.Errorf("before: %s, %v", text, changed)
			}
		})
	}
}

// Normalize takes any text that can be lexed, and every byte of what it gives has
// a place in the text.
func FuzzNormalize(f *testing.F) {
	for _, c := range normalized {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Normalize(Original(&fault.Source{Text: text}, 0, len(text)))
		if err != nil {
			return
		}
		for i := range got.Text {
			if span := got.Span(i, i+1); span.Start < 0 || span.End > len(text) || span.Start > span.End {
				t.Fatalf("%q: the place of byte %d is %d to %d", got.Text, i, span.Start, span.End)
			}
		}
	})
}
