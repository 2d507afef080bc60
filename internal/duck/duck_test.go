package duck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) *DB {
	t.Helper()
	db, err := Open(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// all reads every row of a query.
func all(t testing.TB, db *DB, query string) ([][]any, error) {
	t.Helper()
	rows, err := db.Query(context.Background(), query, QueryOptions{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list [][]any
	for rows.Next() {
		list = append(list, append([]any(nil), rows.Values()...))
	}
	return list, rows.Err()
}

// The handle is read out of an unexported field of the driver's connection.
func TestHandleOf(t *testing.T) {
	db := open(t)
	if db.conn.handle.Ptr == nil {
		t.Fatal("the connection has no handle")
	}
	if _, err := handleOf(struct{ conn bindings.Connection }{}); err == nil {
		t.Error("another type has a handle")
	}
}

func TestVersion(t *testing.T) {
	rows, err := all(t, open(t), "SELECT version()")
	if err != nil || rows[0][0] != "v1.5.5" {
		t.Errorf("version() = %v, %v", rows, err)
	}
}

func TestQuery_types(t *testing.T) {
	db := open(t)
	stamp := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	for expression, want := range map[string]struct {
		value any
		name  string
	}{
		"NULL":                          {nil, "INTEGER"},
		"true":                          {true, "BOOLEAN"},
		"1::TINYINT":                    {int64(1), "TINYINT"},
		"-2::SMALLINT":                  {int64(-2), "SMALLINT"},
		"3":                             {int64(3), "INTEGER"},
		"4::BIGINT":                     {int64(4), "BIGINT"},
		"18446744073709551615::UBIGINT": {uint64(1<<64 - 1), "UBIGINT"},
		"5::UINTEGER":                   {int64(5), "UINTEGER"},
		"170141183460469231731687303715884105727::HUGEINT": {new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1)), "HUGEINT"},
		"0.1::FLOAT":                             {0.1, "FLOAT"},
		"1.5::DOUBLE":                            {1.5, "DOUBLE"},
		"12.30":                                  {Number("12.30"), "DECIMAL(4,2)"},
		"'short'":                                {"short", "VARCHAR"},
		"'a text that is longer than twelve'":    {"a text that is longer than twelve", "VARCHAR"},
		"''":                                     {"", "VARCHAR"},
		"'\\xAA'::BLOB":                          {[]byte{0xAA}, "BLOB"},
		`'{"b": 1.10, "a":2}'::JSON`:             {json.RawMessage(`{"b": 1.10, "a":2}`), "JSON"},
		"DATE '2026-01-02'":                      {time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), "DATE"},
		"TIMESTAMP '2026-01-02 03:04:05.678901'": {stamp, "TIMESTAMP"},
		"TIMESTAMPTZ '2026-01-02 04:04:05.678901+01'": {stamp, "TIMESTAMP WITH TIME ZONE"},
		"TIME '03:04:05'":                             {"03:04:05", "TIME"},
		"INTERVAL 90 MINUTE":                          {"01:30:00", "INTERVAL"},
		"uuid '00000000-0000-0000-0000-000000000001'": {"00000000-0000-0000-0000-000000000001", "UUID"},
		"[1, 2]":              {json.RawMessage("[1,2]"), "INTEGER[]"},
		"{'b': 1, 'a': 'x'}":  {json.RawMessage(`{"b":1,"a":"x"}`), "STRUCT(b INTEGER, a VARCHAR)"},
		"MAP {'k': 1}":        {json.RawMessage(`{"k":1}`), "MAP(VARCHAR, INTEGER)"},
		"'a'::ENUM('a', 'b')": {"a", "ENUM"},
		"'1010'::BIT":         {"1010", "BIT"},
	} {
		rows, err := db.Query(context.Background(), "SELECT "+expression+" AS x", QueryOptions{})
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if !rows.Next() {
			t.Errorf("%s: no row: %v", expression, rows.Err())
		} else if diff := cmp.Diff(want.value, rows.Values()[0], cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
		if c := rows.Columns()[0]; c != (Column{"x", want.name}) {
			t.Errorf("%s: column %v, want type %s", expression, c, want.name)
		}
		rows.Close()
	}
}

func TestParse(t *testing.T) {
	db := open(t)
	tree, err := db.Parse(`SELECT 'é', a FROM b.c.d`)
	if err != nil || !strings.Contains(string(tree), `"table_name":"d"`) || !strings.Contains(string(tree), `"query_location":13`) {
		t.Errorf("Parse = %s, %v", tree, err)
	}
	for text, want := range map[string]ParseError{
		"SELECT * FORM x":            {Offset: 14},
		"SELECT 'é' FROM WHERE":      {Offset: 17},
		"SELECT":                     {Offset: 0},
		"CREATE TABLE t AS SELECT 1": {NotSelect: true},
	} {
		_, err := db.Parse(text)
		pe, ok := errors.AsType[*ParseError](err)
		if !ok || pe.NotSelect != want.NotSelect || pe.Message == "" {
			t.Errorf("Parse(%q) = %#v", text, err)
			continue
		}
		if want.Offset > 0 && pe.Offset != want.Offset {
			t.Errorf("Parse(%q): offset %d, want %d (%s)", text, pe.Offset, want.Offset, pe.Message)
		}
	}
}

func TestQuery_errors(t *testing.T) {
	db := open(t)
	if err := db.Exec(context.Background(), "CREATE TABLE t (name VARCHAR, n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]struct {
		code fault.Code
		at   string // text at the offset
	}{
		"SELECT nmae FROM t":                                  {fault.UndefinedColumn, "nmae"},
		"SELECT t.name,\n  t.nmae FROM t":                     {fault.UndefinedColumn, "t.nmae"},
		"SELECT lowr(name) FROM t":                            {fault.UndefinedMethod, "lowr"},
		"SELECT * FROM tt":                                    {fault.UndefinedTable, "tt"},
		"SELECT a.name FROM t a, t b WHERE name = 'x'":        {fault.AmbiguousColumn, "name ="},
		"SELECT 'x'::INTEGER":                                 {fault.TypeMismatch, ""},
		"SELECT " + strings.Repeat("name, ", 60) + "x FROM t": {fault.UndefinedColumn, "x FROM"},
	} {
		_, err := all(t, db, query)
		e := fault.As(err)
		if e == nil || e.Code != want.code {
			t.Errorf("%s: %v, want %s", query, err, want.code)
			continue
		}
		offset, ok := Offset(err)
		if want.at != "" && (!ok || !strings.HasPrefix(query[offset:], want.at)) {
			t.Errorf("%s: at %d (%v) %q", query, offset, ok, query[min(offset, len(query)):])
		}
	}
}

// pages is a source of pages of n items, for tests.
type pages struct {
	pages, size int
	wait        time.Duration
	failAt      int // page whose Next fails; 0: none
	asked       int
	closed      bool
	items       func(n int) []byte
}

func (p *pages) Next(ctx context.Context) (Batch, error) {
	if p.asked == p.pages {
		return Batch{}, io.EOF
	}
	p.asked++
	if p.asked == p.failAt {
		return Batch{}, fault.New(fault.ServiceFailed, "page %d", p.asked)
	}
	if p.wait > 0 {
		select {
		case <-time.After(p.wait):
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
	argument := fmt.Sprint("page", p.asked)
	b := Batch{Arguments: []*string{&argument, nil}}
	for i := range p.size {
		n := (p.asked-1)*p.size + i
		if p.items != nil {
			b.Items = append(b.Items, p.items(n))
			continue
		}
		b.Items = append(b.Items, fmt.Appendf(nil, `{"id":"%d","n":%d}`, n, n))
	}
	return b, nil
}

func (p *pages) Close() { p.closed = true }

func TestScan(t *testing.T) {
	db := open(t)
	src := &pages{pages: 7, size: 1000}
	scan, err := db.RegisterScan(src, []string{"a0", "a1"})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := all(t, db, "SELECT count(*), sum((raw->>'n')::INT), count(DISTINCT a0), count(a1), min(a0) FROM "+scan.SQL())
	if err != nil {
		t.Fatal(err)
	}
	if want := []any{int64(7000), new(big.Int).SetInt64(7000 * 6999 / 2), int64(7), int64(0), "page1"}; !cmp.Equal(want, rows[0], cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })) {
		t.Errorf("rows = %v", rows)
	}
	scan.Close()
	if !src.closed {
		t.Error("the source is open")
	}
	if _, err := all(t, db, "SELECT * FROM "+scan.SQL()); err == nil {
		t.Error("a closed scan can be read")
	}
}

func TestScan_order(t *testing.T) {
	db := open(t)
	scan, _ := db.RegisterScan(&pages{pages: 50, size: 99}, nil)
	defer scan.Close()
	rows, err := all(t, db, "SELECT (raw->>'n')::INT FROM "+scan.SQL())
	if err != nil || len(rows) != 50*99 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, r := range rows {
		if r[0] != int64(i) {
			t.Fatalf("row %d is %v", i, r[0])
		}
	}
}

func TestScan_limit(t *testing.T) {
	db := open(t)
	for _, query := range []string{"SELECT raw FROM %s LIMIT 10", "SELECT raw FROM %s WHERE (raw->>'n')::INT %% 2 = 0 LIMIT 10"} {
		src := &pages{pages: 20, size: 100}
		scan, _ := db.RegisterScan(src, nil)
		rows, err := db.Query(context.Background(), fmt.Sprintf(query, scan.SQL()), QueryOptions{FirstRows: true})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for rows.Next() {
			n++
		}
		if rows.Err() != nil || n != 10 || src.asked != 1 {
			t.Errorf("%s: %d rows, %d pages, %v", query, n, src.asked, rows.Err())
		}
		rows.Close()
		scan.Close()
	}
	src := &pages{pages: 20, size: 100}
	scan, _ := db.RegisterScan(src, nil)
	defer scan.Close()
	if rows, err := all(t, db, "SELECT * FROM "+scan.SQL()+" LIMIT 0"); err != nil || len(rows) != 0 || src.asked != 0 {
		t.Errorf("LIMIT 0: %v, %d pages, %v", rows, src.asked, err)
	}
}

// The first row is there before the third page is asked for.
func TestScan_firstRow(t *testing.T) {
	db := open(t)
	src := &pages{pages: 20, size: 100}
	scan, _ := db.RegisterScan(src, nil)
	defer scan.Close()
	rows, err := db.Query(context.Background(), "SELECT raw, raw->>'id' FROM "+scan.SQL(), QueryOptions{FirstRows: true})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() || src.asked > 2 {
		t.Errorf("the first row came after %d pages: %v", src.asked, rows.Err())
	}
}

func TestScan_error(t *testing.T) {
	db := open(t)
	scan, _ := db.RegisterScan(&pages{pages: 5, size: 10, failAt: 3}, nil)
	defer scan.Close()
	_, err := all(t, db, "SELECT count(*) FROM "+scan.SQL())
	if e := fault.As(err); e == nil || e.Code != fault.ServiceFailed || e.Message != "page 3" {
		t.Errorf("error = %v", err)
	}
}

func TestScan_secondStart(t *testing.T) {
	db := open(t)
	scan, _ := db.RegisterScan(&pages{pages: 5, size: 10}, nil)
	defer scan.Close()
	_, err := all(t, db, "WITH x AS NOT MATERIALIZED (SELECT * FROM "+scan.SQL()+") SELECT count(*) FROM x a, x b")
	if e := fault.As(err); e == nil || e.Code != fault.Internal {
		t.Errorf("error = %v", err)
	}
}

func TestRows_closeEarly(t *testing.T) {
	db := open(t)
	src := &pages{pages: 1000, size: 1000}
	scan, _ := db.RegisterScan(src, nil)
	defer scan.Close()
	rows, err := db.Query(context.Background(), "SELECT raw FROM "+scan.SQL(), QueryOptions{FirstRows: true})
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	rows.Close()
	rows.Close()
	if rows.Next() {
		t.Error("a row after Close")
	}
	if asked := src.asked; asked > 20 {
		t.Errorf("%d pages were read", asked)
	}
	if _, err := all(t, db, "SELECT 1"); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestQuery_cancel(t *testing.T) {
	db := open(t)
	scan, _ := db.RegisterScan(&pages{pages: 10, size: 10, wait: time.Hour}, nil)
	defer scan.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	rows, err := db.Query(ctx, "SELECT raw FROM "+scan.SQL(), QueryOptions{})
	if err == nil {
		for rows.Next() {
			continue
		}
		err = rows.Err()
		rows.Close()
	}
	if e := fault.As(err); e == nil || e.Code != fault.Cancelled || e.Scope != fault.Interrupt {
		t.Errorf("error = %v", err)
	}
}

func TestQuery_cancelComputation(t *testing.T) {
	db := open(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	rows, err := db.Query(ctx, "SELECT count(*) FROM range(100000000) a, range(100000000) b", QueryOptions{})
	if err == nil {
		rows.Next()
		err = rows.Err()
		rows.Close()
	}
	if e := fault.As(err); e == nil || e.Code != fault.Cancelled || e.Scope == fault.Interrupt {
		t.Errorf("error = %v", err)
	}
}

func TestQuery_nested(t *testing.T) {
	db := open(t)
	rows, err := db.Query(context.Background(), "SELECT * FROM range(100000)", QueryOptions{FirstRows: true})
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	defer rows.Close()
	if other, err := all(t, db, "SELECT 7"); err != nil || other[0][0] != int64(7) {
		t.Errorf("a second query = %v, %v", other, err)
	}
}

// The first row of no rows is no row.
func TestQuery_firstOfNone(t *testing.T) {
	db := open(t)
	if err := db.Exec(context.Background(), "CREATE TABLE none (x VARCHAR)"); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"SELECT x, row_number() OVER (ORDER BY x) AS n FROM none QUALIFY n <= 1",
		"SELECT x FROM none QUALIFY row_number() OVER (ORDER BY x) <= 1",
		"SELECT * FROM (SELECT x, row_number() OVER (ORDER BY x) AS n FROM none) WHERE n <= 3",
	} {
		if rows, err := all(t, db, query); err != nil || len(rows) != 0 {
			t.Errorf("%s gives %v, %v", query, rows, err)
		}
	}
}

func TestMisfits(t *testing.T) {
	db := open(t)
	scan, _ := db.RegisterScan(&pages{pages: 1, size: 10}, nil)
	defer scan.Close()
	fits := "TRY_CAST(raw->>'id' AS INTEGER)"
	odd := "CASE WHEN (raw->>'n')::INT % 3 = 0 THEN " + scan.MisfitSQL("it's", "raw->>'id'") + " END"
	rows, err := all(t, db, "SELECT "+fits+", "+odd+" FROM "+scan.SQL())
	if err != nil || len(rows) != 10 || rows[3][1] != nil {
		t.Fatalf("%v, %v", rows, err)
	}
	if diff := cmp.Diff(map[string]Misfit{"it's": {4, "0"}}, scan.Misfits()); diff != "" {
		t.Error(diff)
	}
}

func TestOpen_file(t *testing.T) {
	path := t.TempDir() + "/a.duckdb"
	for range 2 {
		db, err := Open(context.Background(), Options{Path: path, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(context.Background(), "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS x"); err != nil {
			t.Error(err)
		}
		if rows, err := all(t, db, "SELECT x FROM t"); err != nil || len(rows) != 1 {
			t.Errorf("%v, %v", rows, err)
		}
		db.Close()
	}
	if _, err := Open(context.Background(), Options{Path: t.TempDir()}); fault.As(err) == nil {
		t.Errorf("Open of a folder = %v", err)
	}
}

func BenchmarkScan(b *testing.B) {
	db := open(b)
	padding := strings.Repeat("x", 400)
	item := func(n int) []byte {
		return fmt.Appendf(nil, `{"id":"/subscriptions/s/x/%d","name":"n%d","type":"t","properties":{"a":"%s","b":%d,"c":true},"z":"%s"}`, n, n, "value", n, padding)
	}
	for b.Loop() {
		scan, _ := db.RegisterScan(&pages{pages: 100, size: 1000, items: item}, nil)
		rows, err := all(b, db, `SELECT item.id, item.name, item.properties.a, item.properties.b, item.type FROM (SELECT from_json(raw, '{"id":"VARCHAR","name":"VARCHAR","type":"VARCHAR","properties":{"a":"VARCHAR","b":"VARCHAR"}}') AS item FROM `+scan.SQL()+")")
		if err != nil || len(rows) != 100_000 {
			b.Fatalf("%d rows, %v", len(rows), err)
		}
		scan.Close()
	}
}
