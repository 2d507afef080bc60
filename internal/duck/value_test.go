package duck

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql/internal/fault"
)

// row gives the one row of a query.
func row(t *testing.T, db *DB, query string) []any {
	t.Helper()
	rows, err := all(t, db, query)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%s: %d rows, %v", query, len(rows), err)
	}
	return rows[0]
}

func TestValue_nested(t *testing.T) {
	db := open(t)
	for expression, want := range map[string]string{
		"{'d': DATE '2026-01-02', 't': TIMESTAMP '2026-01-02 03:04:05.5', 'z': TIMESTAMPTZ '2026-01-02 04:04:05+01'}": `{"d":"2026-01-02","t":"2026-01-02T03:04:05.5Z","z":"2026-01-02T03:04:05Z"}`,
		"[1.10::DECIMAL(38,10), -0.05, NULL]":                `[1.1000000000,-0.0500000000,null]`,
		"[170141183460469231731687303715884105727::HUGEINT]": `[170141183460469231731687303715884105727]`,
		"['NaN'::DOUBLE, '-inf'::DOUBLE, 0.1, 1e21, 1e-7]":   `["NaN","-Infinity",0.1,1e+21,1e-07]`,
		"[0.1::FLOAT]":                                    `[0.1]`,
		"MAP {'b': 1, 'a': NULL}":                         `{"b":1,"a":null}`,
		"MAP {2: 'x', 1: 'y'}":                            `[{"key":2,"value":"x"},{"key":1,"value":"y"}]`,
		"MAP {}::MAP(VARCHAR, INTEGER)":                   `{}`,
		"union_value(k := 'x')":                           `{"k":"x"}`,
		"['infinity'::TIMESTAMP, '-infinity'::TIMESTAMP]": `["infinity","-infinity"]`,
		`['{"b": 1.10,  "a":2}'::JSON, NULL]`:             `[{"b": 1.10,  "a":2},null]`,
		`['\xAA\x00'::BLOB]`:                              `["qgA="]`,
		`['quote " and line` + "\n" + `']`:                `["quote \" and line\n"]`,
		"[INTERVAL 1 DAY]":                                `["1 day"]`,
		"[[1, NULL], NULL, []]":                           `[[1,null],null,[]]`,
		"[[1, 2], [3, 4]]::INTEGER[2][]":                  `[[1,2],[3,4]]`,
		"{'a b': 1, 'c': {'d': NULL}, 'e': ['a text longer than 12 letters']}": `{"a b":1,"c":{"d":null},"e":["a text longer than 12 letters"]}`,
		"['b'::ENUM('a', 'b'), 'a']": `["b","a"]`,
		"[true, NULL]":               `[true,null]`,
	} {
		got, ok := row(t, db, "SELECT "+expression)[0].(json.RawMessage)
		if !ok || string(got) != want {
			t.Errorf("%s = %s, want %s", expression, got, want)
		}
		if !json.Valid(got) {
			t.Errorf("%s = %s, which is no JSON", expression, got)
		}
	}
}

// What is given as text is DuckDB's own text.
func TestValue_text(t *testing.T) {
	db := open(t)
	for _, expression := range []string{
		"TIME '00:00:00'", "TIME '23:59:59.000001'", "TIME '24:00:00'", "'03:04:05.5'::TIME_NS", "'03:04:05.000000001'::TIME_NS",
		"'03:04:05+01'::TIMETZ", "'03:04:05.25-15:59:59'::TIMETZ", "'00:00:00+05:30'::TIMETZ", "'00:00:00-00:30'::TIMETZ",
		"INTERVAL 0 DAY", "INTERVAL 14 MONTH", "INTERVAL '-1 month 1 day'", "INTERVAL '2 years 3 days 04:05:06.007'",
		"INTERVAL '-1 second'", "INTERVAL '100 hours'", "INTERVAL '-25 months -2 days -100 hours'", "INTERVAL 1000000 HOUR",
		"uuid 'ffffffff-0000-4000-8000-00000000000a'", "uuid '00000000-0000-0000-0000-000000000000'",
		"'1'::BIT", "'01010101010'::BIT", "'a long name in an enum'::ENUM('a long name in an enum')", "12345678901234567890::BIGNUM",
		"0.00::DECIMAL(4,2)", "-0.05::DECIMAL(4,2)", "-12.30::DECIMAL(9,2)", "1::DECIMAL(9,0)", "99999999999.99::DECIMAL(18,2)",
		"-0.0000000001::DECIMAL(38,10)", "12345678901234567890123456.789::DECIMAL(38,3)", "'infinity'::DATE", "'-infinity'::TIMESTAMPTZ",
	} {
		got := row(t, db, fmt.Sprintf("SELECT x, x::VARCHAR FROM (SELECT %s AS x)", expression))
		if text := fmt.Sprint(got[0]); text != got[1] {
			t.Errorf("%s = %s, DuckDB has %s", expression, text, got[1])
		}
	}
}

// Every type of DuckDB at its limits and NULL: none crashes, lists are JSON.
func TestValue_allTypes(t *testing.T) {
	rows, err := all(t, open(t), "FROM test_all_types()")
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		for i, value := range r {
			if raw, ok := value.(json.RawMessage); ok && !json.Valid(raw) {
				t.Errorf("column %d: %s is no JSON", i, raw)
			}
		}
	}
}

// Many chunks of structures and lists that a join and a sort made say the same
// as DuckDB's own JSON.
func TestValue_chunks(t *testing.T) {
	db := open(t)
	query := `SELECT {'a': x, 'c': 'const', 'd': y, 'n': NULL} AS s, [x, y, 7] AS l, list FROM range(10000) t(x)
		JOIN (SELECT range % 7 AS k, range + 100 AS y FROM range(21)) ON x % 7 = k
		LEFT JOIN (SELECT range % 100 AS k2, list({'r': range, 'w': 'a text that is not inlined ' || range} ORDER BY range) AS list
			FROM range(1000) GROUP BY ALL) ON k2 = x WHERE x % 3 = 0 ORDER BY x, y`
	got, err := all(t, db, query)
	if err != nil {
		t.Fatal(err)
	}
	want, err := all(t, db, "SELECT to_json(s), to_json(l), to_json(list) FROM ("+query+")")
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got, want := fmt.Sprintf("%s", got[i]), fmt.Sprintf("%s", want[i]); got != want {
			t.Fatalf("row %d: %s, DuckDB has %s", i, got, want)
		}
	}
	if len(got) < 9000 {
		t.Errorf("%d rows", len(got))
	}
}

func TestValue_number(t *testing.T) {
	low := new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 127))
	high := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	got := row(t, open(t), fmt.Sprintf("SELECT '%s'::HUGEINT, '%s'::UHUGEINT, (-1)::HUGEINT, 12.30", low, high))
	for i, want := range []string{low.String(), high.String(), "-1", "12.30"} {
		if fmt.Sprint(got[i]) != want {
			t.Errorf("column %d = %v, want %s", i, got[i], want)
		}
	}
}

// A statement that is no SELECT gives any type too.
func TestQuery_returning(t *testing.T) {
	db := open(t)
	for _, statement := range []string{
		"CREATE TYPE mood AS ENUM ('sad', 'a long word for happy')",
		"CREATE TABLE t (d DECIMAL(9,2), l INTEGER[], u UUID, i INTERVAL, m mood, j JSON)",
	} {
		if err := db.Exec(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	got := row(t, db, `INSERT INTO t VALUES (1.5, [1, 2], '00000000-0000-0000-0000-000000000001', INTERVAL 1 DAY, 'a long word for happy', '{"a": 1}') RETURNING *`)
	want := []any{Number("1.50"), json.RawMessage("[1,2]"), "00000000-0000-0000-0000-000000000001", "1 day", "a long word for happy", json.RawMessage(`{"a": 1}`)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := row(t, db, "UPDATE t SET d = d + 1 RETURNING d, m"); !cmp.Equal(got, []any{Number("2.50"), "a long word for happy"}) {
		t.Errorf("UPDATE RETURNING = %v", got)
	}
}

// The types that are not read here come as DuckDB's text or JSON where that can
// be asked for, and are refused elsewhere.
func TestQuery_unreadable(t *testing.T) {
	db := open(t)
	if got := row(t, db, "SELECT 5::BIGNUM, 'x'::VARIANT, [7::BIGNUM];"); fmt.Sprintf("%s", got) != `[5 "x" [7]]` {
		t.Errorf("values = %s", got)
	}
	if err := db.Exec(context.Background(), "CREATE TABLE t (b BIGNUM)"); err != nil {
		t.Fatal(err)
	}
	if e := fault.As(db.Exec(context.Background(), "INSERT INTO t VALUES (1) RETURNING b")); e == nil || e.Code != fault.NotSupported || e.Hint == "" {
		t.Errorf("RETURNING a BIGNUM = %v", e)
	}
}

func TestColumns_names(t *testing.T) {
	db := open(t)
	for expression, want := range map[string]string{
		"{'a': 1, 'A b': 2, 'q\"': 3}":      `STRUCT(a INTEGER, "A b" INTEGER, "q""" INTEGER)`,
		"MAP {'a': [1.5]}":                  "MAP(VARCHAR, DECIMAL(2,1)[])",
		"[1, 2]::INTEGER[2]":                "INTEGER[2]",
		"['{}'::JSON]":                      "JSON[]",
		"'x'::UNION(n INTEGER, s VARCHAR)":  "UNION(n INTEGER, s VARCHAR)",
		"TIMESTAMPTZ '2026-01-02 00:00:00'": "TIMESTAMP WITH TIME ZONE",
	} {
		rows, err := db.Query(context.Background(), "SELECT "+expression+" AS x;", QueryOptions{})
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := rows.Columns()[0]; got != (Column{"x", want}) {
			t.Errorf("%s: %v, want %s", expression, got, want)
		}
		rows.Close()
	}
}

func TestQuery_zeroByte(t *testing.T) {
	_, err := open(t).Query(context.Background(), "SELECT 1\x00 garbage", QueryOptions{})
	if offset, ok := Offset(err); fault.As(err) == nil || fault.As(err).Code != fault.SyntaxError || !ok || offset != 8 {
		t.Errorf("error = %v at %d", err, offset)
	}
}

// A statement beside another one sees the same time zone, wherever the machine
// stands.
func TestQuery_nestedZone(t *testing.T) {
	t.Setenv("TZ", "America/New_York")
	db := open(t)
	rows, err := db.Query(context.Background(), "SELECT * FROM range(100000)", QueryOptions{FirstRows: true})
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	defer rows.Close()
	if got := row(t, db, "SELECT current_setting('TimeZone'), TIMESTAMPTZ '2026-01-02 00:00:00'"); got[0] != "UTC" || got[1] != time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) {
		t.Errorf("beside another statement: %v", got)
	}
}
