package duck

import (
	"context"
	"errors"
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
	decode  []decoder
	values  []any

	query   string
	shift   int // bytes that stand before the query in the text that runs
	conn    *connection
	release func()
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
	if err := ctx.Err(); err != nil {
		return nil, interrupted(ctx)
	}
	conn, release, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	r := &Rows{query: query, conn: conn, release: release}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.unhook = interruptWith(ctx, conn)
	if err := r.start(db, o); err != nil {
		r.err = err
		r.Close()
		return nil, r.Err()
	}
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
			settings = "SET streaming_buffer_size = '1KB'; SET enable_caching_operators = false"
		}
		if _, err := r.conn.sql.ExecContext(r.ctx, settings); err != nil {
			return asFault(err)
		}
		r.conn.eager = o.FirstRows
	}
	if err := r.prepare(db, r.query); err != nil {
		return err
	}
	if text, wrapped := r.wrap(); wrapped {
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
	db.scans.bindFor(r.ctx)
	state := bindings.Prepare(r.conn.handle, text, &r.statement)
	r.bound = append(r.bound, db.scans.takeBound()...)
	if state == bindings.StateError {
		return r.translate(bindings.PrepareError(r.statement))
	}
	r.columns, r.decode = nil, nil
	for i := range bindings.PreparedStatementColumnCount(r.statement) {
		t := bindings.PreparedStatementColumnLogicalType(r.statement, i)
		r.columns = append(r.columns, Column{bindings.PreparedStatementColumnName(r.statement, i), typeName(t)})
		bindings.DestroyLogicalType(&t)
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
	for waiting := true; waiting; {
		switch bindings.PendingExecuteTask(pending) {
		case bindings.PendingStateError:
			return r.translate(bindings.PendingError(pending))
		case bindings.PendingStateNoTasksAvailable:
			time.Sleep(50 * time.Microsecond) // other threads of DuckDB work on it
		case bindings.PendingStateResultNotReady:
		default:
			waiting = false
		}
	}
	state = bindings.ExecutePending(pending, &r.result)
	r.running = true
	if state == bindings.StateError {
		return r.translate(bindings.ResultError(&r.result))
	}
	r.values = make([]any, len(r.columns))
	r.decode = make([]decoder, len(r.columns))
	return nil
}

// Columns gives the columns in order.
func (r *Rows) Columns() []Column { return r.columns }

// Next moves to the next row; false is the end or an error, which Err gives.
func (r *Rows) Next() bool {
	for r.err == nil {
		if r.at < r.size {
			for i := range r.values {
				r.values[i] = r.decode[i].value(r.at)
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
	for i := range r.decode {
		r.decode[i] = decoderOf(bindings.DataChunkGetVector(r.chunk, bindings.IdxT(i)), r.columns[i].Type)
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
// [Number] for DECIMAL and json.RawMessage for JSON, lists and structs.
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
	if err := failure(r.bound); err != nil && !errors.Is(err, context.Canceled) && !bareDeadline(err) {
		return err
	}
	if r.ctx.Err() != nil {
		return interrupted(r.ctx)
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
func interrupted(ctx context.Context) error {
	e := fault.New(fault.Cancelled, "the statement was interrupted").In(fault.Interrupt)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e = fault.New(fault.Cancelled, "the statement took longer than it may").WithHint("--timeout allows more")
	}
	return e.Because(context.Cause(ctx))
}
