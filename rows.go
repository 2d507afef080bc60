package planeql

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
)

// Column is a column of a result. Type is DuckDB's name of it, such as VARCHAR
// or TIMESTAMP WITH TIME ZONE.
type Column struct{ Name, Type string }

// Number is an exact decimal number as text, from columns of type DECIMAL.
type Number = duck.Number

// Summary is what a statement did and cost.
type Summary struct {
	Kind     string // select, exec, delete, show, describe, explain, use, or DuckDB's verb
	Rows     int64
	Calls    int // requests sent, repetitions included
	Retries  int
	Bytes    int64         // of the answers
	Waited   time.Duration // in which calls were held back, between repetitions and for the service's limits
	Duration time.Duration
	Targets  int // of a write
	Failed   int // of them
	DryRun   bool
}

// Rows is a result, read once from the front while calls may still be running.
// It is for one goroutine. It must be closed; reading to the end closes it too.
type Rows struct {
	inner   *exec.Rows
	columns []Column
	kind    string
	dryRun  bool
	started time.Time
	took    time.Duration
	count   *atomic.Int64
	explain func(error) error // says who ended the statement
	cancel  context.CancelFunc
	stats   func() callStats
	settled callStats
	closed  bool
	err     error
	done    func()
}

// callStats is what the calls of a statement cost so far.
type callStats struct {
	calls, retries int
	bytes          int64
	waited         time.Duration
}

// Columns gives the columns in the order of the select list.
func (r *Rows) Columns() []Column { return r.columns }

// Next moves to the next row. It gives false at the end and on an error, which
// Err then gives, and closes the rows.
func (r *Rows) Next() bool {
	if r.closed {
		return false
	}
	if r.inner.Next() {
		r.count.Add(1)
		return true
	}
	if err := r.inner.Err(); err != nil {
		r.err = r.explain(err)
	}
	r.end()
	return false
}

// Values gives the row: nil, bool, int64, uint64, *big.Int, float64, string,
// []byte, time.Time in UTC, [Number], and json.RawMessage for JSON, lists and
// structs. The slice is valid until the next call of Next.
func (r *Rows) Values() []any { return r.inner.Values() }

// Err gives the error that ended the rows, a *[Error], or nil.
func (r *Rows) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Close ends the statement: no call starts after it and no goroutine of it
// remains. It may be called more than once.
func (r *Rows) Close() error {
	r.end()
	return nil
}

func (r *Rows) end() {
	if r.closed {
		return
	}
	r.closed = true
	if err := r.inner.Close(); err != nil && r.err == nil {
		r.err = fault.From(err)
	}
	r.cancel()
	r.took = time.Since(r.started)
	r.settled = r.stats()
	r.done()
}

// Warnings gives what was lost under [Skip], and values that did not fit their
// column. It is complete once the rows are closed.
func (r *Rows) Warnings() []*Error { return r.inner.Warnings() }

// Summary gives what the statement did so far, or in all once the rows are
// closed.
func (r *Rows) Summary() Summary {
	stats, took := r.settled, r.took
	if !r.closed {
		stats, took = r.stats(), time.Since(r.started)
	}
	return Summary{
		Kind: r.kind, Rows: r.count.Load(), Calls: stats.calls, Retries: stats.retries, Bytes: stats.bytes,
		Waited: stats.waited, Duration: took, Targets: r.inner.Targets, Failed: r.inner.Failed, DryRun: r.dryRun,
	}
}
