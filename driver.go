package planeql

import (
	"context"
	"database/sql/driver"
	"io"
	"math/big"

	"github.com/planeql/planeql/internal/fault"
)

// Connector opens connections for database/sql, each a [Session] of its own:
// use sql.OpenDB with it. What USE, SET and CREATE TEMP TABLE do therefore
// belongs to one connection; sql.DB.Conn keeps one.
type Connector struct{ options []Option }

// NewConnector makes a connector whose sessions have the options.
func NewConnector(opts ...Option) *Connector { return &Connector{opts} }

var (
	_ driver.Connector      = (*Connector)(nil)
	_ driver.QueryerContext = (*connection)(nil)
	_ driver.ExecerContext  = (*connection)(nil)
	_ driver.Pinger         = (*connection)(nil)
	_ driver.Stmt           = (*prepared)(nil)
)

// Connect opens a session.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	s, err := Open(ctx, c.options...)
	if err != nil {
		return nil, err
	}
	return &connection{s}, nil
}

// Driver gives the driver, which opens nothing by name: options are functions.
func (c *Connector) Driver() driver.Driver { return namedDriver{} }

type namedDriver struct{}

// Open is an error: the options of a session do not fit a text.
func (namedDriver) Open(string) (driver.Conn, error) {
	return nil, fault.Unsupported("opening planeql by a data source name").
		WithHint("use sql.OpenDB(planeql.NewConnector(…))")
}

type connection struct{ session *Session }

func (c *connection) Ping(context.Context) error { return nil }

func (c *connection) Close() error { return c.session.Close() }

// Begin is an error: calls to a service cannot be taken back.
func (c *connection) Begin() (driver.Tx, error) {
	return nil, fault.Unsupported("a transaction").WithHint("each statement stands on its own")
}

func (c *connection) Prepare(query string) (driver.Stmt, error) {
	if _, err := c.session.Parse("query", query); err != nil {
		return nil, err
	}
	return &prepared{c, query}, nil
}

func (c *connection) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	values, err := valuesOf(args)
	if err != nil {
		return nil, err
	}
	rows, err := c.session.Query(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	return &driverRows{rows}, nil
}

func (c *connection) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	values, err := valuesOf(args)
	if err != nil {
		return nil, err
	}
	summary, err := c.session.Exec(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(summary.Rows - int64(summary.Failed)), nil
}

// CheckNamedValue takes every value as it is: literals are made of it later.
func (c *connection) CheckNamedValue(*driver.NamedValue) error { return nil }

func valuesOf(args []driver.NamedValue) ([]any, error) {
	values := make([]any, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, fault.Unsupported("a named argument").WithHint("use ? or $1")
		}
		values[i] = a.Value
	}
	return values, nil
}

// prepared is a statement kept for later; it is planned each time it runs,
// since the plan depends on the arguments.
type prepared struct {
	connection *connection
	query      string
}

func (p *prepared) Close() error { return nil }

// NumInput gives -1: the number is checked when the statement runs.
func (p *prepared) NumInput() int { return -1 }

func (p *prepared) Exec([]driver.Value) (driver.Result, error) {
	return nil, fault.Unsupported("Exec without a context")
}

func (p *prepared) Query([]driver.Value) (driver.Rows, error) {
	return nil, fault.Unsupported("Query without a context")
}

func (p *prepared) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return p.connection.ExecContext(ctx, p.query, args)
}

func (p *prepared) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return p.connection.QueryContext(ctx, p.query, args)
}

// driverRows gives rows in the types that database/sql knows: JSON, lists and
// structs as text, exact decimals as text.
type driverRows struct{ rows *Rows }

func (r *driverRows) Columns() []string {
	var names []string
	for _, c := range r.rows.Columns() {
		names = append(names, c.Name)
	}
	return names
}

func (r *driverRows) ColumnTypeDatabaseTypeName(i int) string { return r.rows.Columns()[i].Type }

func (r *driverRows) Close() error { return r.rows.Close() }

func (r *driverRows) Next(dest []driver.Value) error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, v := range r.rows.Values() {
		if b, ok := v.(*big.Int); ok {
			v = b.String()
		}
		dest[i] = plain(v)
	}
	return nil
}
