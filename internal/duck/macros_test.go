package duck

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// Every macro can be made, with those that it is made of.
func TestMacros_made(t *testing.T) {
	for name := range macros {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			if !db.conn.define(context.Background(), "Scalar Function with name "+name+" does not exist!", map[string]bool{}) {
				t.Error("it is not made")
			}
		})
	}
}

// What the macros give, in the values of SQLite and StackQL.
var macroResults = []struct{ expression, want string }{
	{"iif(1 = 1, 'a', 'b')", "a"},
	{"iif(1 = 2, 'a')", "<nil>"},
	{"iif(NULL, 'a', 'b')", "b"},
	{"nvl(NULL, 2)", "2"},
	{"planeql_greatest(1, 3)", "3"},
	{"planeql_greatest(1, NULL)", "<nil>"},
	{"planeql_least(4, 3, 5)", "3"},
	{"planeql_typeof(1) || planeql_typeof('a') || planeql_typeof(1.5) || planeql_typeof(NULL) || planeql_typeof('a'::BLOB)", "integertextrealnullblob"},
	{"planeql_json_type('[1]') || planeql_json_type('{\"a\": true}', '$.a')", "arraytrue"},
	{"isnull(NULL)", "true"},
	{"regexp_like('abc', 'b|z')", "true"},
	{"regexp_substr('vm-12', '[0-9]+')", "12"},
	{"regexp_substr('vm', '[0-9]+')", "<nil>"},
	{"planeql_regexp_replace('abab', 'b', 'x')", "axax"},
	{"string(12)", "12"},
	{"quote('it''s')", "'it''s'"},
	{"quote('12')", "'12'"},
	{"quote(1.5)", "1.5"},
	{"quote(NULL)", "NULL"},
	{"base64_encode('zażółć')", "emHFvMOzxYLEhw=="},
	{"base64_decode('emHFvMOzxYLEhw==')", "zażółć"},
	{"atob(btoa('x'))", "x"},
	{"planeql_glob('a*', 'abc')", "true"},
	{`planeql_json_extract('{"a": "x"}', '$.a')`, "x"},
	{`planeql_json_extract('{"a": true}', '$.a')`, "1"},
	{`planeql_json_extract('{"a": false}', '$.a')`, "0"},
	{`planeql_json_extract('{"a": "true"}', '$.a')`, "true"},
	{`planeql_json_extract('{"a": null}', '$.a')`, "<nil>"},
	{`planeql_json_extract('{"a": 7}', '$.b')`, "<nil>"},
	{`planeql_json_extract('{"a": {"b": [1]}}', '$.a')`, `{"b":[1]}`},
	{`planeql_json_extract('{"a": [1, 2]}', '$.a[#-1]')`, "2"},
	{`planeql_json_extract('{"a.b": 1}', '$."a.b"')`, "1"},
	{`planeql_json_extract('{"a": 1}', '$.a', '$.b')::VARCHAR`, "[1,null]"},
	{`planeql_json_extract(NULL, '$.a')`, "<nil>"},
	{`planeql_json_number('{"a": 7.5}', '$.a')`, "7.5"},
	{`planeql_json_number('{"a": true}', '$.a')`, "1"},
	{`planeql_json_number('{"a": "x"}', '$.a')`, "<nil>"},
	{`planeql_json_extract_path_text('{"a": {"b": {"c": "x"}}}', 'a', 'b', 'c')`, "x"},
	{`json_equal('{"a": 1, "b": [1, 2]}', '{"b": [1, 2], "a": 1}')`, "true"},
	{`json_equal('[1, 2]', '[2, 1]')`, "false"},
	{`aws_policy_equal('{"Action": "A"}', '{"Action": ["a"]}')`, "true"},
	{`aws_policy_equal('{"Action": "A"}'::JSON, NULL)`, "<nil>"},
	{`json_equal('{}', '[]')`, "false"},
	{`json_equal('{"a": null}', '{}')`, "false"},
	{`json_equal('1', '"1"')`, "false"},
	{`json_patch('{"a": 1}', '{"a": null, "b": 2}')::VARCHAR`, `{"b":2}`},
	{"(SELECT string_agg(key || ' ' || value || ' ' || type, ',' ORDER BY key) FROM planeql_json_each('{\"a\": true, \"b\": \"x\", \"c\": 1, \"d\": [1]}'))", "a 1 true,b x text,c 1 integer,d [1] array"},
	{"(SELECT string_agg(value, ',' ORDER BY key) FROM planeql_json_each('{\"a\": [\"x\", 2]}', '$.a'))", "x,2"},
	{"(SELECT string_agg(value, ',' ORDER BY value) FROM json_array_elements_text('[\"b\", \"a\"]'))", "a,b"},
	{"(SELECT total(x) FROM (SELECT 1 AS x WHERE false))", "0"},
	{"strftime(datetime('2024-01-02T03:04:05.6Z'), '%c')", "2024-01-02 03:04:05"},
	{"strftime(datetime('2024-01-02T03:04:05+02:00'), '%c')", "2024-01-02 01:04:05"},
	{"strftime(datetime(TIMESTAMPTZ '2024-01-02 03:04:05+02'), '%c')", "2024-01-02 01:04:05"},
	{"strftime(datetime(1704164645, 'unixepoch'), '%c')", "2024-01-02 03:04:05"},
	{"strftime(datetime(2460311.5), '%c')", "2024-01-02 00:00:00"},
	{"datetime('2024-01-02')::VARCHAR", "2024-01-02 00:00:00"},
	{"datetime('2024-01-02T03:04:05.1234567Z')::VARCHAR", "2024-01-02 03:04:05"},
	{"datetime('never')", "<nil>"},
	{"datetime() - datetime('now') < INTERVAL 1 MINUTE", "true"},
	{"planeql_date('2024-01-31', '+1 month')::VARCHAR", "2024-02-29"},
	{"planeql_date('2024-03-15', 'start of month', '-1 day')::VARCHAR", "2024-02-29"},
	{"planeql_date('2024-03-15', 'start of year', '+1 year', '-1 seconds')::VARCHAR", "2024-12-31"},
	{"planeql_timetext('2024-01-02T03:04:05.6Z')::VARCHAR", "03:04:05"},
	{"julianday('2024-01-02')::VARCHAR", "2460311.5"},
	{"unixepoch('2024-01-02 03:04:05.9')", "1704164645"},
	{"utc_date() = current_date AND utc_timestamp() <= now() AND utc_time() IS NOT NULL", "true"},
}

func TestMacros_results(t *testing.T) {
	db := open(t)
	for _, c := range macroResults {
		rows, err := all(t, db, "SELECT "+c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		got := fmt.Sprint(rows[0][0])
		if text, ok := rows[0][0].(string); ok {
			got = text
		}
		if got != c.want {
			t.Errorf("%s = %s, want %s", c.expression, got, c.want)
		}
	}
}

// A function of the user's comes before a macro of the same name, whether the
// macro was there first or not.
func TestMacros_user(t *testing.T) {
	db := open(t)
	ask := func(query, want string) {
		t.Helper()
		rows, err := all(t, db, query)
		if err != nil || len(rows) > 0 && fmt.Sprint(rows[0][0]) != want {
			t.Fatalf("%s = %v, %v, want %s", query, rows, err, want)
		}
	}
	ask("SELECT nvl(NULL, 1)", "1")
	ask("SELECT count(*) FROM planeql_json_each('[1]')", "1")
	ask("CREATE MACRO nvl(a, b) AS 'mine'", "")
	ask("SELECT nvl(NULL, 1)", "mine")
	ask("DROP MACRO nvl", "")
	ask("SELECT nvl(NULL, 1)", "1")
	ask("SELECT count(*) FROM planeql_json_each('[1]')", "1")
}

// A macro is there on every connection, in a transaction, and after one was
// taken back.
func TestMacros_connections(t *testing.T) {
	db := open(t)
	open, err := db.Query(context.Background(), "SELECT iif(range > 0, 1, 2) FROM range(10)", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := all(t, db, "SELECT iif(true, 1, 2), nvl(NULL, 3)"); err != nil || fmt.Sprint(rows) != "[[1 3]]" {
		t.Errorf("beside another: %v, %v", rows, err)
	}
	open.Close()
	for _, query := range []string{"BEGIN", "SELECT isnull(NULL)", "ROLLBACK", "SELECT isnull(NULL)"} {
		if _, err := all(t, db, query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// Functions that nothing stands for are errors that say what does.
func TestFunctionAdvice(t *testing.T) {
	db := open(t)
	for query, hint := range map[string]string{
		"SELECT json_set('{}', '$.a', 1)":          "json_merge_patch",
		"SELECT jsonb_extract('{}', '$.a')":        "json_extract",
		"SELECT max(1, 2, 3)":                      "greatest(a, b",
		"SELECT true && false":                     "write AND",
		"SELECT 1 <=> NULL":                        "IS NOT DISTINCT FROM",
		"SELECT date_format(now(), '%Y')":          "strftime(time",
		"SELECT x > 1 FROM (SELECT 'a' || 1 AS x)": "CAST(a AS DOUBLE) > 1",
		"SELECT now() LIKE '2026%'":                "strftime(time",
		"SELECT substr(now(), 1, 4)":               "strftime(time",
		"SELECT '1' + 1":                           "CAST(a AS DOUBLE)",
		"SELECT sum('1')":                          "sum(CAST(a AS DOUBLE))",
		"SELECT '{\"a\": 1}'::JSON = 'x'":          "value ->> 'member'",
		"SELECT datetime('2024-01-02', 'sunday')":  "",
	} {
		_, err := all(t, db, query)
		e := fault.As(err)
		if e == nil || !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: %v, want the hint %q", query, err, hint)
		}
	}
}

// Errors name functions as users do.
func TestMacros_names(t *testing.T) {
	db := open(t)
	for query, name := range map[string]string{
		"SELECT * FROM planeql_json_each('[]', '$', 1)": "json_each",
		"SELECT planeql_json_number('{}')":              "json_extract",
		"SELECT planeql_greatest(1)":                    "max",
	} {
		if _, err := all(t, db, query); err == nil || strings.Contains(err.Error(), "planeql_") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", query, err)
		}
	}
}
