package duck

import (
	"context"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// Prepared is a statement that is planned once and run again and again on one
// connection. Its columns are of types that need no conversion, such as VARCHAR.
type Prepared struct{ rows *Rows }

// Prepare plans a statement. The end of ctx ends each of its runs. Errors are
// those of Query.
func (c *Conn) Prepare(ctx context.Context, query string) (*Prepared, error) {
	r, err := c.db.newRows(ctx, c.conn, func() {}, query)
	if err != nil {
		return nil, err
	}
	if err := r.prepare(c.db, query); err != nil {
		r.Close()
		return nil, err
	}
	return &Prepared{r}, nil
}

// Run runs the statement and gives its rows, each valid until the next. Scans
// that it reads begin anew.
func (p *Prepared) Run(each func(values []any)) error {
	r := p.rows
	if r.ctx.Err() != nil {
		return interrupted(r.ctx)
	}
	for _, s := range r.bound {
		s.started.Store(false)
	}
	if err := r.execute(); err != nil {
		return err
	}
	for r.Next() {
		each(r.Values())
	}
	r.dropChunk()
	bindings.DestroyResult(&r.result)
	r.running = false
	return r.Err()
}

// Close ends the statement.
func (p *Prepared) Close() { p.rows.Close() }
