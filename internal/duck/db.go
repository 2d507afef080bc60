package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/planeql/planeql/internal/fault"
)

// Options say where a database is and what it may use.
type Options struct {
	Path    string // a file; empty: in memory
	Threads int    // 0: DuckDB's choice
	Temp    string // a folder for what does not fit into memory; empty: DuckDB's choice, .tmp in the working folder

	// Listing gives the rows that the table function planeql_listing has for a text:
	// it is called where a statement that names it is prepared, and what it gives
	// where the rows are read. nil: there is no such function.
	Listing func(what string) (rows func() [][]byte)
}

// DB is a session in DuckDB. Its settings, tables and views are seen by all
// statements. Statements usually share one connection; one that starts while
// the rows of another are still being read gets a connection of its own, on
// which temporary tables and SET of the first are not seen. It may be used by
// several goroutines.
type DB struct {
	pool      *sql.DB
	main      sync.Mutex // held while the main connection runs a statement
	preparing sync.Mutex // held while a statement is prepared: scans bound meanwhile are its own
	conn      *connection
	parser    struct {
		sync.Mutex
		conn *connection
	}
	asides  atomic.Int64 // connections beside the main one
	files   atomic.Bool  // it has files, or may have
	temp    string       // the folder for what does not fit into memory; empty: DuckDB's choice
	threads int64        // as they were before Calm took them away; 0: they are there
	scans   scans
}

// connection is a connection of database/sql with the handle below it.
type connection struct {
	sql    *sql.Conn
	handle bindings.Connection
	eager  bool     // streaming_buffer_size is set for first rows
	macros []string // that were made on it
}

// Open opens a database. Time zone and the functions that scans need are set
// up; no file but the database's is read.
func Open(ctx context.Context, o Options) (*DB, error) {
	connector, err := duckdb.NewConnector(o.Path, nil)
	if err != nil {
		return nil, openError(o.Path, err)
	}
	db := &DB{pool: sql.OpenDB(connector), temp: o.Temp}
	db.files.Store(o.Path != "")
	db.pool.SetMaxIdleConns(-1) // the settings of a statement end with its connection
	db.scans.byID = map[int64]*Scan{}
	if db.conn, err = db.connect(ctx); err != nil {
		_ = db.pool.Close()
		return nil, openError(o.Path, err)
	}
	err = db.register()
	if err == nil && o.Listing != nil {
		err = db.registerListing(o.Listing)
	}
	if err != nil {
		db.Close()
		return nil, fault.Bug("DuckDB does not take the scan function: %v", err)
	}
	// A scan is read once, so a window over it must not become a join of the scan
	// with itself. A window of which the first rows are kept must not become an
	// aggregate: over no rows that gives a row of NULLs (DuckDB 1.5.5).
	setup := "SET TimeZone = 'UTC'; SET disabled_optimizers = 'window_self_join,top_n_window_elimination'"
	if o.Threads > 0 {
		setup += fmt.Sprintf("; SET threads = %d", o.Threads)
	}
	if o.Temp != "" {
		setup += "; SET temp_directory = '" + strings.ReplaceAll(o.Temp, "'", "''") + "'"
	}
	if _, err := db.conn.sql.ExecContext(ctx, setup); err != nil {
		db.Close()
		return nil, openError(o.Path, err)
	}
	return db, nil
}

// heldBy finds in DuckDB's message which process has a database open.
var heldBy = regexp.MustCompile(`Conflicting lock is held in (.*) \(PID (\d+)\)`)

func openError(path string, err error) *fault.Error {
	if path == "" {
		return fault.Bug("DuckDB cannot be opened: %v", err).Because(err)
	}
	if m := heldBy.FindStringSubmatch(err.Error()); m != nil {
		return fault.New(fault.InvalidFlag, "the database %q is open in process %s, %s", path, m[2], m[1]).Because(err).
			WithHint("one process at a time can have a database file open: end that one, or use a copy of the file")
	}
	_, why, found := strings.Cut(err.Error(), "IO Error: ")
	if !found {
		why = err.Error()
	}
	return fault.New(fault.InvalidFlag, "the database %q cannot be opened: %s", path, lowerFirst(why)).Because(err).
		WithHint("it must be a DuckDB file that no other process has open, or a name in a folder that exists")
}

// connect makes a connection in UTC and finds the handle below it.
func (db *DB) connect(ctx context.Context) (*connection, error) {
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	conn := &connection{sql: c}
	err = c.Raw(func(driverConn any) error {
		handle, err := handleOf(driverConn)
		conn.handle = handle
		return err
	})
	if err == nil {
		_, err = c.ExecContext(ctx, "SET TimeZone = 'UTC'") // a connection begins with the machine's
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return conn, nil
}

// handleOf reads the connection handle out of the driver's connection, which
// keeps it in an unexported field. Streaming needs it: the driver itself
// materializes every result. TestHandleOf fails when an update renames the
// field.
func handleOf(driverConn any) (bindings.Connection, error) {
	c, ok := driverConn.(*duckdb.Conn)
	if !ok {
		return bindings.Connection{}, fmt.Errorf("the driver's connection is a %T", driverConn)
	}
	field := reflect.ValueOf(c).Elem().FieldByName("conn")
	if !field.IsValid() || field.Type() != reflect.TypeFor[bindings.Connection]() {
		return bindings.Connection{}, fmt.Errorf("the driver's connection has no field conn of the expected type")
	}
	return *(*bindings.Connection)(unsafe.Pointer(field.UnsafeAddr())), nil
}

// Close closes the database. Rows must be closed before.
func (db *DB) Close() error {
	db.scans.closeAll()
	for _, c := range []*connection{db.conn, db.parser.conn} {
		if c != nil {
			_ = c.sql.Close()
		}
	}
	return db.pool.Close()
}

// Leave closes the database as the last act of the process. What is in memory
// alone is left to the system, which takes it back at once; DuckDB needs some
// milliseconds to give it back piece by piece.
func (db *DB) Leave() error {
	_, err := os.Stat(db.temp)
	if db.files.Load() || db.temp == "" || !errors.Is(err, fs.ErrNotExist) {
		return db.Close()
	}
	db.scans.closeAll()
	return nil
}

// Exec runs a statement and drops its rows. Errors are *fault.Error.
func (db *DB) Exec(ctx context.Context, query string) error {
	rows, err := db.Query(ctx, query, QueryOptions{})
	return drain(rows, err)
}

func drain(rows *Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		continue
	}
	return rows.Err()
}

// Conn is a connection that several statements share: temporary tables that
// one makes are seen by the next. It is for one goroutine at a time and must be
// closed.
type Conn struct {
	db      *DB
	conn    *connection
	release func()
}

// Conn gives a connection: the session's own where no statement runs on it.
func (db *DB) Conn(ctx context.Context) (*Conn, error) {
	conn, release, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &Conn{db: db, conn: conn, release: sync.OnceFunc(release)}, nil
}

// Aside gives a connection that no other statement uses. Temporary tables of
// others are not seen on it.
func (db *DB) Aside(ctx context.Context) (*Conn, error) {
	conn, err := db.connect(ctx)
	if err != nil {
		return nil, fault.From(err)
	}
	db.asides.Add(1)
	return &Conn{db: db, conn: conn, release: sync.OnceFunc(func() {
		_ = conn.sql.Close()
		db.asides.Add(-1)
	})}, nil
}

// Query is [DB.Query] on this connection.
func (c *Conn) Query(ctx context.Context, query string, o QueryOptions) (*Rows, error) {
	return c.db.queryOn(ctx, c.conn, func() {}, query, o)
}

// Exec is [DB.Exec] on this connection.
func (c *Conn) Exec(ctx context.Context, query string) error {
	rows, err := c.Query(ctx, query, QueryOptions{})
	return drain(rows, err)
}

// Check lets DuckDB bind a statement that is not run. Errors are those of Query.
func (c *Conn) Check(ctx context.Context, query string) error {
	r, err := c.db.newRows(ctx, c.conn, func() {}, query)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.prepare(c.db, query)
}

// Close gives the connection back. Its rows must be closed before.
func (c *Conn) Close() { c.release() }

// acquire gives a connection for one statement and a function that gives it
// back.
func (db *DB) acquire(ctx context.Context) (*connection, func(), error) {
	if db.main.TryLock() {
		return db.conn, db.main.Unlock, nil
	}
	aside, err := db.Aside(ctx)
	if err != nil {
		return nil, nil, err
	}
	return aside.conn, aside.release, nil
}
