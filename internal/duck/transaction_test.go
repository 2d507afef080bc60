package duck

import (
	"context"
	"errors"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func TestTransaction(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run := func(text string) {
		t.Helper()
		if err := db.Exec(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (n int64) {
		t.Helper()
		rows, err := db.Query(ctx, "SELECT count(*) FROM t", QueryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if rows.Next() {
			n, _ = rows.Values()[0].(int64)
		}
		return n
	}
	failed := errors.New("no")
	insert := func(result error) func() error {
		return func() error { return errors.Join(db.Exec(ctx, "INSERT INTO t VALUES (1)"), result) }
	}
	run("CREATE TABLE t (a INT)")
	if err := db.Transaction(ctx, insert(nil)); err != nil || count() != 1 {
		t.Errorf("one row: %d, %v", count(), err)
	}
	if err := db.Transaction(ctx, insert(failed)); !errors.Is(err, failed) || count() != 1 {
		t.Errorf("after an error: %d rows, %v", count(), err)
	}
	run("BEGIN")
	if err := db.Transaction(ctx, insert(nil)); err != nil || count() != 2 {
		t.Errorf("inside a transaction: %d rows, %v", count(), err)
	}
	run("ROLLBACK")
	if count() != 1 {
		t.Errorf("after ROLLBACK: %d rows", count())
	}
	rows, err := db.Query(ctx, "FROM t", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if e := fault.As(db.Transaction(ctx, insert(nil))); e == nil || e.Code != fault.NotSupported {
		t.Errorf("beside open rows: %v", e)
	}
	rows.Close()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := db.Transaction(ended, insert(nil)); err == nil || count() != 1 {
		t.Errorf("with an ended context: %d rows, %v", count(), err)
	}
	if err := db.Transaction(ctx, insert(nil)); err != nil || count() != 2 {
		t.Errorf("afterwards: %d rows, %v", count(), err)
	}
}
