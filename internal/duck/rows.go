package duck

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/planeql/planeql/internal/fault"
)

// Column is a column of a result; Type is DuckDB's name of its type.
type Column struct{ Name, Type string }

// QueryOptions say how the rows of a query are wanted.
type QueryOptions struct {
	// FirstRows gives rows on as soon as they are there, and lets a LIMIT stop
	// the scans as soon as it is full. DuckDB otherwise gathers about a megabyte
	// of rows, and a vector of those that a filter let through, which is twice
	// as fast on long results.
	FirstRows bool
}

// Rows are the rows of a query, made as they are read. They are for one
// goroutine and must be closed.
type Rows struct {
	columns []Column
	shapes  []*shape
	vectors []vector
	values  []any

	query   string
	shift   int // bytes that stand before the query in the text that runs
	conn    *connection
	release func()
	aside   bool
	cancel  context.CancelFunc
	ctx     context.Context
	unhook  func()
	bound   []*Scan

	statement bindings.PreparedStatement
	result    bindings.Result
	running   bool
	chunk     bindings.DataChunk
	size, at  int
	err       error
	closing   sync.Once
}

// Query runs a statement. Its rows come as DuckDB makes them; the end of ctx
// ends them. Errors are faults, with a place that [Offset] gives where DuckDB
// names one.
func (db *DB) Query(ctx context.Context, query string, o QueryOptions) (*Rows, error) {
	conn, release, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return db.queryOn(ctx, conn, release, query, o)
}

// attaches finds statements that may give a database its files.
var attaches = regexp.MustCompile(`(?i)attach`)

// queryOn runs a statement on a connection, which release gives back.
func (db *DB) queryOn(ctx context.Context, conn *connection, release func(), query string, o QueryOptions) (*Rows, error) {
	r, err := db.newRows(ctx, conn, release, query)
	if err != nil {
		return nil, err
	}
	if err := r.start(db, o); err != nil {
		r.err = err
		r.Close()
		return nil, r.Err()
	}
	return r, nil
}

// newRows makes the rows of a statement that is not yet prepared.
func (db *DB) newRows(ctx context.Context, conn *connection, release func(), query string) (*Rows, error) {
	if err := ctx.Err(); err != nil {
		release()
		return nil, interrupted(ctx)
	}
	if i := strings.IndexByte(query, 0); i >= 0 { // DuckDB would stop reading there
		release()
		return nil, &located{fault.New(fault.SyntaxError, "the text has a zero byte"), i}
	}
	if attaches.MatchString(query) {
		db.files.Store(true)
	}
	r := &Rows{query: query, conn: conn, release: release, aside: conn != db.conn}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.unhook = interruptWith(ctx, conn)
	return r, nil
}

// interruptWith interrupts what runs on a connection when ctx ends. The
// function it gives ends that: the connection may be used or closed after it.
func interruptWith(ctx context.Context, conn *connection) (unhook func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		bindings.Interrupt(conn.handle)
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

func (r *Rows) start(db *DB, o QueryOptions) error {
	if r.conn.eager != o.FirstRows {
		settings := "RESET streaming_buffer_size; SET enable_caching_operators = true"
		if o.FirstRows {
			settings = "SET streaming_buffer_size = '16B'; SET enable_caching_operators = false"
		}
		if _, err := r.conn.sql.ExecContext(r.ctx, settings); err != nil {
			return asFault(err)
		}
		r.conn.eager = o.FirstRows
	}
	if err := r.prepare(db, r.query); err != nil {
		return err
	}
	text, wrapped, err := r.wrap()
	if err != nil {
		return err
	}
	if wrapped {
		bindings.DestroyPrepare(&r.statement)
		names := r.columns
		if err := r.prepare(db, text); err != nil {
			return err
		}
		r.columns = names
	}
	return r.execute()
}

// prepare plans a text and reads its columns. Scans that are bound meanwhile
// belong to these rows.
func (r *Rows) prepare(db *DB, text string) error {
	db.preparing.Lock()
	defer db.preparing.Unlock()
	r.conn.forget(r.ctx, text)
	db.scans.bindFor(r.ctx)
	state := bindings.Prepare(r.conn.handle, text, &r.statement)
	for tried := map[string]bool{}; state == bindings.StateError && r.conn.define(r.ctx, bindings.PrepareError(r.statement), tried); {
		bindings.DestroyPrepare(&r.statement)
		state = bindings.Prepare(r.conn.handle, text, &r.statement)
	}
	r.bound = append(r.bound, db.scans.takeBound()...)
	for _, s := range r.bound {
		s.piecewise.Store(r.conn.eager)
	}
	if state == bindings.StateError {
		return r.translate(bindings.PrepareError(r.statement))
	}
	r.columns, r.shapes = nil, nil
	for i := range bindings.PreparedStatementColumnCount(r.statement) {
		t := bindings.PreparedStatementColumnLogicalType(r.statement, i)
		s := shapeOf(t)
		bindings.DestroyLogicalType(&t)
		r.shapes = append(r.shapes, s)
		r.columns = append(r.columns, Column{bindings.PreparedStatementColumnName(r.statement, i), s.name})
	}
	return nil
}

// bindFor makes the scans that are bound from now on belong to a context.
func (s *scans) bindFor(ctx context.Context) {
	s.Lock()
	defer s.Unlock()
	s.bound, s.ctx = nil, ctx
}

// takeBound gives the scans that were bound since bindFor, and ends that.
func (s *scans) takeBound() []*Scan {
	s.Lock()
	defer s.Unlock()
	bound := s.bound
	s.bound, s.ctx = nil, nil
	return bound
}

// execute starts the statement and waits until it has a first row or none.
func (r *Rows) execute() error {
	var pending bindings.PendingResult
	state := bindings.PendingPreparedStreaming(r.statement, &pending)
	defer bindings.DestroyPending(&pending)
	if state == bindings.StateError {
		return r.translate(bindings.PendingError(pending))
	}
	if !r.await(pending) {
		return r.translate(bindings.PendingError(pending))
	}
	state = bindings.ExecutePending(pending, &r.result)
	r.running = true
	if state == bindings.StateError {
		return r.translate(bindings.ResultError(&r.result))
	}
	r.values = make([]any, len(r.columns))
	r.vectors = make([]vector, len(r.columns))
	return nil
}

// await runs the statement until there is a first row or the end; false is an
// error. It pauses while DuckDB's own threads work, longer each time, since one
// of them may wait for a page.
func (r *Rows) await(pending bindings.PendingResult) bool {
	const longest = time.Millisecond
	for pause := 50 * time.Microsecond; ; {
		switch bindings.PendingExecuteTask(pending) {
		case bindings.PendingStateError:
			return false
		case bindings.PendingStateNoTasksAvailable:
			time.Sleep(pause)
			pause = min(2*pause, longest)
		case bindings.PendingStateResultNotReady:
		default:
			return true
		}
	}
}

// Columns gives the columns in order.
func (r *Rows) Columns() []Column { return r.columns }

// Aside tells whether the query has a connection of its own, on which temporary
// tables and open transactions are not seen.
func (r *Rows) Aside() bool { return r.aside }

// Next moves to the next row; false is the end or an error, which Err gives.
func (r *Rows) Next() bool {
	for r.err == nil {
		if r.at < r.size {
			for i := range r.values {
				r.values[i] = r.vectors[i].value(r.at)
			}
			r.at++
			return true
		}
		if !r.running || !r.fetch() {
			return false
		}
	}
	return false
}

// fetch gets the next chunk.
func (r *Rows) fetch() bool {
	r.dropChunk()
	if r.ctx.Err() != nil {
		r.err = r.translate("INTERRUPT Error: interrupted")
		return false
	}
	r.chunk = bindings.FetchChunk(r.result)
	if r.chunk.Ptr == nil {
		if message := bindings.ResultError(&r.result); message != "" {
			r.err = r.translate(message)
		}
		return false
	}
	r.size, r.at = int(bindings.DataChunkGetSize(r.chunk)), 0
	for i, s := range r.shapes {
		r.vectors[i] = s.over(bindings.DataChunkGetVector(r.chunk, bindings.IdxT(i)))
	}
	return r.size > 0
}

func (r *Rows) dropChunk() {
	if r.chunk.Ptr != nil {
		bindings.DestroyDataChunk(&r.chunk)
	}
	r.size, r.at = 0, 0
}

// Values gives the current row, valid until the next call of Next: nil, bool,
// int64, uint64, *big.Int, float64, string, []byte, time.Time in UTC,
// [Number] for DECIMAL and json.RawMessage for JSON, lists and structs. An
// infinite date or time is the string infinity or -infinity; TIME, INTERVAL,
// UUID, BIT and ENUM are DuckDB's text.
func (r *Rows) Values() []any { return r.values }

// Err gives the error that ended the rows.
func (r *Rows) Err() error { return r.err }

// Close ends the query. No goroutine and no handle of it remains. It may be
// called more than once.
func (r *Rows) Close() error {
	r.closing.Do(func() {
		r.cancel()
		r.unhook()
		r.dropChunk()
		if r.running {
			bindings.DestroyResult(&r.result)
		}
		bindings.DestroyPrepare(&r.statement)
		r.running = false
		r.release()
	})
	return nil
}

// translate makes the error of the rows of a message of DuckDB: what a scan
// failed with comes first, then the end of the context.
func (r *Rows) translate(message string) error {
	failed := failure(r.bound)
	ended := failed != nil && (errors.Is(failed, context.Canceled) || bareDeadline(failed))
	switch {
	case failed != nil && !ended:
		return failed
	case r.ctx.Err() != nil:
		return interrupted(r.ctx)
	case ended: // a context reaches those made of it one after another: the scan's was first
		return endedBy(failed, failed)
	}
	err := translate(message, r.query)
	if l, ok := errors.AsType[*located](err); ok && r.shift > 0 {
		return &located{l.fault, max(0, l.offset-r.shift)}
	}
	return err
}

// bareDeadline tells a scan that only saw the end of the time from one whose
// call says more about it.
func bareDeadline(err error) bool {
	return fault.As(err) == nil && errors.Is(err, context.DeadlineExceeded)
}

// interrupted is the error for a query whose context has ended.
func interrupted(ctx context.Context) error { return endedBy(ctx.Err(), context.Cause(ctx)) }

// endedBy is the error for a query that the end of a context has ended.
func endedBy(end, cause error) error {
	e := fault.New(fault.Cancelled, "the statement was interrupted").In(fault.Interrupt)
	if errors.Is(end, context.DeadlineExceeded) {
		e = fault.New(fault.Cancelled, "the statement took longer than it may").WithHint("--timeout allows more")
	}
	return e.Because(cause)
}
