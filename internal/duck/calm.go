package duck

import "context"

// Calm takes DuckDB's threads away for a statement that reads one scan and waits
// for its rows, or gives them back. Such a statement has no work for a second
// thread: one of the two would wait for the next page, and DuckDB lets the other
// turn in a circle meanwhile, which costs a processor that reads the pages.
// Where another statement is under way, or DuckDB takes no setting (a
// transaction that has failed takes only ROLLBACK), the threads stay as they are.
func (c *Conn) Calm(ctx context.Context, calm bool) {
	db := c.db
	if c.conn != db.conn || db.asides.Load() > 0 || calm == (db.threads > 0) {
		return
	}
	if !calm {
		if _, err := db.conn.sql.ExecContext(ctx, "SET threads = ?", db.threads); err == nil {
			db.threads = 0
		}
		return
	}
	var threads int64
	if err := db.conn.sql.QueryRowContext(ctx, "SELECT current_setting('threads')").Scan(&threads); err != nil {
		return
	}
	if _, err := db.conn.sql.ExecContext(ctx, "SET threads = 1"); err == nil {
		db.threads = threads
	}
}
