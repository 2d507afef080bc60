package duck

import (
	"context"
	"strings"

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
			_ = db.direct(context.WithoutCancel(ctx), "ROLLBACK")
		}
		return err
	}
	if began {
		return db.direct(context.WithoutCancel(ctx), "COMMIT")
	}
	return nil
}

// begin starts a transaction; it gives false where one is under way.
func (db *DB) begin(ctx context.Context) (bool, error) {
	err := db.direct(ctx, "BEGIN TRANSACTION")
	if err != nil && strings.Contains(err.Error(), "within a transaction") {
		return false, nil
	}
	return err == nil, err
}

// direct runs a statement on the connection that statements share.
func (db *DB) direct(ctx context.Context, statement string) error {
	if !db.main.TryLock() {
		return fault.New(fault.NotSupported, "the rows of another statement are still being read").
			WithHint("close them first: what keeps rows or views runs alone in its session")
	}
	defer db.main.Unlock()
	_, err := db.conn.sql.ExecContext(ctx, statement)
	return asFault(err)
}
