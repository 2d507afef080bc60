package duck

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/planeql/planeql/internal/fault"
)

// gated gives its second page only when it is let.
type gated struct {
	page int
	open chan struct{}
}

func (g *gated) Next(ctx context.Context) (Batch, error) {
	if g.page++; g.page > 2 {
		return Batch{}, io.EOF
	}
	if g.page == 2 {
		select {
		case <-g.open:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
	var b Batch
	for i := range 100 {
		b.Items = append(b.Items, fmt.Appendf(nil, `{"n":%d}`, (g.page-1)*100+i))
	}
	return b, nil
}

func (g *gated) Close() {}

// All rows of a page but its last are there before the next page is, whether
// DuckDB has threads of its own or not, and also where a small table is joined.
func TestQuery_firstPage(t *testing.T) {
	for _, threads := range []int{1, 2} {
		for _, query := range []string{
			"SELECT raw->>'n' FROM %s", "SELECT raw->>'n' AS n FROM %s WHERE n::INT % 2 = 0",
			"SELECT raw->>'n' FROM small JOIN %s ON raw->>'n' = small.n", "SELECT raw->>'n' FROM %s JOIN small ON raw->>'n' = small.n",
		} {
			db, err := Open(context.Background(), Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Exec(context.Background(), "CREATE TEMP TABLE small AS SELECT range::VARCHAR AS n FROM range(200)"); err != nil {
				t.Fatal(err)
			}
			src := &gated{open: make(chan struct{})}
			scan, err := db.RegisterScan(src, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			rows, err := db.Query(ctx, strings.Replace(query, "%s", scan.SQL(), 1), QueryOptions{FirstRows: true})
			if err != nil {
				t.Fatal(err)
			}
			for range 45 {
				if !rows.Next() {
					t.Fatalf("%d threads, %s: no row before the second page: %v", threads, query, rows.Err())
				}
			}
			close(src.open)
			n := 45
			for rows.Next() {
				n++
			}
			if rows.Err() != nil || n != 200 && n != 100 {
				t.Errorf("%d threads, %s: %d rows, %v", threads, query, n, rows.Err())
			}
			rows.Close()
			cancel()
			scan.Close()
			db.Close()
		}
	}
}

// Without the driver's field, columns that nobody reads cost more than those
// that are read.
func TestProjection(t *testing.T) {
	if wanted := projection(duckdb.DataChunk{}); !wanted(0) {
		t.Error("without a projection, a column is not wanted")
	}
	db := open(t)
	src := &pages{}
	allocations := testing.AllocsPerRun(1, func() {
		*src = pages{pages: 20, size: 1000, items: func(int) []byte { return nil }}
		scan, _ := db.RegisterScan(src, []string{"a", "b"})
		defer scan.Close()
		if got, err := all(t, db, "SELECT count(*) FROM "+scan.SQL()); err != nil || got[0][0] != int64(20_000) {
			t.Errorf("count = %v, %v", got, err)
		}
	})
	if allocations > 20_000 {
		t.Errorf("%.0f allocations for 20000 rows of which nothing is read", allocations)
	}
}

func TestScan_columns(t *testing.T) {
	db := open(t)
	for list, want := range map[string]string{
		"a1, raw, a0": `[<nil> {"id":"0","n":0} page1]`,
		"a0":          "[page1]",
		"a1":          "[<nil>]",
		"1":           "[1]",
	} {
		scan, _ := db.RegisterScan(&pages{pages: 2, size: 3}, []string{"a0", "a1"})
		rows, err := all(t, db, "SELECT "+list+" FROM "+scan.SQL())
		if err != nil || len(rows) != 6 || fmt.Sprint(rows[0]) != want {
			t.Errorf("%s: %d rows, %v, %v", list, len(rows), rows, err)
		}
		scan.Close()
	}
}

// An item that is not UTF-8 ends the query: as NULL it would go unnoticed.
func TestScan_invalidText(t *testing.T) {
	db := open(t)
	scan, _ := db.RegisterScan(&pages{pages: 1, size: 3, items: func(int) []byte { return []byte("{\"a\":\"\xff\"}") }}, nil)
	defer scan.Close()
	if _, err := all(t, db, "SELECT raw FROM "+scan.SQL()); fault.As(err) == nil || fault.As(err).Code != fault.ReplyInvalid {
		t.Errorf("error = %v", err)
	}
}
