package duck

import (
	"context"
	"testing"
)

// A statement that waits for one scan has one thread, the next one has them all
// again, and beside a statement that is under way nothing changes.
func TestCalm(t *testing.T) {
	db, ctx := open(t), context.Background()
	if err := db.Exec(ctx, "SET threads = 3"); err != nil {
		t.Fatal(err)
	}
	threads := func() any {
		rows, err := all(t, db, "SELECT current_setting('threads')")
		if err != nil {
			t.Fatal(err)
		}
		return rows[0][0]
	}
	calm := func(calm bool) {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Calm(ctx, calm)
	}
	for _, step := range []struct {
		calm bool
		want int64
	}{{false, 3}, {true, 1}, {true, 1}, {false, 3}, {false, 3}} {
		if calm(step.calm); threads() != step.want {
			t.Errorf("Calm(%v): %v threads, not %d", step.calm, threads(), step.want)
		}
	}
	rows, err := db.Query(ctx, "SELECT * FROM range(100000)", QueryOptions{FirstRows: true})
	if err != nil {
		t.Fatal(err)
	}
	if calm(true); threads() != int64(3) {
		t.Errorf("%v threads for a statement that was under way", threads())
	}
	rows.Close()
	aside, err := db.Aside(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if calm(true); threads() != int64(3) {
		t.Errorf("%v threads beside a connection of another", threads())
	}
	aside.Close()
	if calm(true); threads() != int64(1) {
		t.Errorf("%v threads, and nothing else is under way", threads())
	}
}
