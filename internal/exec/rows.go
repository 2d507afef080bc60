package exec

import (
	"sync"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
)

// cursor is what rows come from: DuckDB or a list.
type cursor interface {
	Columns() []duck.Column
	Next() bool
	Values() []any
	Err() error
	Close() error
}

// Rows is the result of a statement, read once from the front. It is for one
// goroutine; Close may be called at any time and more than once.
type Rows struct {
	cursor
	Targets int // of a write
	Failed  int // targets of a write that failed

	ended     error             // why the statement was ended before its end; told behind the rows
	meter     *meter            // nil: no call is made
	translate func(error) error // gives an error its place in the user's text
	finish    func() []*fault.Error
	once      sync.Once
	warnings  []*fault.Error
}

// Err gives the error that ended the rows, or nil.
func (r *Rows) Err() error {
	err := r.cursor.Err()
	if err == nil {
		return r.ended
	}
	if r.translate == nil {
		return err
	}
	return r.translate(err)
}

// Close ends the statement. Nothing of it runs afterwards.
func (r *Rows) Close() error {
	err := r.cursor.Close()
	r.once.Do(func() {
		if r.finish != nil {
			r.warnings = append(r.warnings, r.finish()...)
		}
	})
	return err
}

// Warnings gives what was lost or did not fit. It is complete once the rows
// are closed.
func (r *Rows) Warnings() []*fault.Error { return r.warnings }

// list is a cursor over rows that are all there.
type list struct {
	columns []duck.Column
	rows    [][]any
	at      int
}

// List gives rows that are all there as a result.
func List(columns []duck.Column, rows [][]any) *Rows {
	return &Rows{cursor: &list{columns: columns, rows: rows, at: -1}}
}

func (l *list) Columns() []duck.Column { return l.columns }

func (l *list) Next() bool {
	if l.at < len(l.rows) {
		l.at++
	}
	return l.at < len(l.rows)
}

func (l *list) Values() []any { return l.rows[l.at] }

func (l *list) Err() error { return nil }

func (l *list) Close() error { return nil }
