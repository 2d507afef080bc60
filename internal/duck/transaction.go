package duck

import (
	"context"

	"github.com/planeql/planeql/internal/fault"
)

// Transaction runs statements so that all or none of them take effect: run
// makes them with Query and Exec. Inside a transaction of the user's own they
// become a part of it. No rows of another statement may still be open, since
// that one has the connection.
func (db *DB) Transaction(ctx context.Context, run func() error) error {
	began, err := db.begin(ctx)
	if err != nil {
		return err
	}
	if err := run(); err != nil {
		if began {
			// The first error is the one that says what went wrong.
			_ = db.end(ctx, "ROLLBACK")
		}
		return err
	}
	if began {
		return db.end(ctx, "COMMIT")
	}
	return nil
}

// ExecAll runs a text that DuckDB takes for several statements, such as a PIVOT
// that looks for its values first, all or none. It reads no scan. For such a text
// DuckDB begins a transaction of its own, which it leaves open where one of them
// fails; in this one it begins none.
func (db *DB) ExecAll(ctx context.Context, text string) error {
	for tried := map[string]bool{}; ; {
		var failed error
		err := db.Transaction(ctx, func() error {
			db.main.Lock()
			defer db.main.Unlock()
			_, failed = db.conn.sql.ExecContext(ctx, text)
			return asFault(failed)
		})
		if failed == nil || !db.defines(ctx, failed, tried) {
			return err
		}
	}
}

// defines makes the macro that an error misses.
func (db *DB) defines(ctx context.Context, err error, tried map[string]bool) bool {
	db.main.Lock()
	defer db.main.Unlock()
	return db.conn.define(ctx, err.Error(), tried)
}

// begin starts a transaction; it gives false where one is under way: there, two
// statements see the same number, and a second BEGIN would end it.
func (db *DB) begin(ctx context.Context) (bool, error) {
	if !db.main.TryLock() {
		return false, fault.New(fault.NotSupported, "the rows of another statement are still being read").
			WithHint("close them first: what makes or refreshes a view, or finds the values of a PIVOT, runs alone in its session")
	}
	defer db.main.Unlock()
	var numbers [2]int64
	for i := range numbers {
		if err := db.conn.sql.QueryRowContext(ctx, "SELECT txid_current()").Scan(&numbers[i]); err != nil {
			return false, asFault(err)
		}
	}
	if numbers[0] == numbers[1] {
		return false, nil
	}
	_, err := db.conn.sql.ExecContext(ctx, "BEGIN TRANSACTION")
	return err == nil, asFault(err)
}

// end ends a transaction that begin has started.
func (db *DB) end(ctx context.Context, word string) error {
	db.main.Lock()
	defer db.main.Unlock()
	_, err := db.conn.sql.ExecContext(context.WithoutCancel(ctx), word)
	return asFault(err)
}
