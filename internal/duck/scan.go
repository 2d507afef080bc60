package duck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/planeql/planeql/internal/fault"
)

// Batch is a list of items that share their arguments, one for each of the
// first columns behind raw. Members has for each item the values of the columns
// behind those. nil is NULL.
type Batch struct {
	Items     [][]byte
	Arguments []*string
	Members   [][][]byte
}

// Source is what a scan reads from. Next gives io.EOF at its end; it is called
// by one goroutine at a time and never before DuckDB has started the scan.
type Source interface {
	Next(ctx context.Context) (Batch, error)
	Close()
}

// Scan is a source that DuckDB can read from.
type Scan struct {
	db      *DB
	id      int64
	source  Source
	columns []string // behind raw
	started atomic.Bool

	piecewise atomic.Bool // first rows are wanted: see piece

	mutex   sync.Mutex
	ctx     context.Context // of the query that bound it last
	err     error           // that the source gave
	misfits map[string]Misfit
}

// Misfit counts the values of a column that did not fit its type.
type Misfit struct {
	Count   int64
	Example string // the first one, cut where it is long
}

// scans are the registered scans of a database.
type scans struct {
	sync.Mutex
	byID  map[int64]*Scan
	next  int64
	bound []*Scan         // by the statement that is being prepared
	ctx   context.Context // of that statement
}

// RegisterScan makes a source readable by DuckDB under the text that SQL
// gives. The columns are raw, the item, and those named, which get the arguments
// and then the members of the batches; all are VARCHAR.
func (db *DB) RegisterScan(src Source, columns []string) (*Scan, error) {
	db.scans.Lock()
	defer db.scans.Unlock()
	db.scans.next++
	s := &Scan{db: db, id: db.scans.next, source: src, columns: columns, misfits: map[string]Misfit{}}
	db.scans.byID[s.id] = s
	return s, nil
}

// SQL gives the table expression that reads the scan.
func (s *Scan) SQL() string { return fmt.Sprintf("planeql_scan(%d)", s.id) }

// Close makes the scan unreadable and closes its source.
func (s *Scan) Close() {
	s.db.scans.Lock()
	delete(s.db.scans.byID, s.id)
	s.db.scans.Unlock()
	s.source.Close()
}

// Misfits gives the values that did not fit, by column.
func (s *Scan) Misfits() map[string]Misfit {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return maps.Clone(s.misfits)
}

func (s *scans) closeAll() {
	s.Lock()
	defer s.Unlock()
	for _, scan := range s.byID {
		scan.source.Close()
	}
	s.byID = map[int64]*Scan{}
}

// scanOf finds a scan by its number.
func (db *DB) scanOf(id int64) *Scan {
	db.scans.Lock()
	defer db.scans.Unlock()
	return db.scans.byID[id]
}

// register makes the functions known to DuckDB.
func (db *DB) register() error {
	number, err := duckdb.NewTypeInfo(duckdb.TYPE_BIGINT)
	if err != nil {
		return err
	}
	function := duckdb.ChunkTableFunction{
		Config:        duckdb.TableFunctionConfig{Arguments: []duckdb.TypeInfo{number}},
		BindArguments: db.bind,
	}
	if err := duckdb.RegisterTableUDF(db.conn.sql, "planeql_scan", function); err != nil {
		return err
	}
	if err := db.registerPolicy(); err != nil {
		return err
	}
	return db.registerMisfit()
}

// bind is called for each place in which a statement names a scan, and again
// when DuckDB plans the statement anew.
func (db *DB) bind(_ map[string]any, args ...any) (duckdb.ChunkTableSource, error) {
	id, ok := args[0].(int64)
	s := db.scanOf(id)
	if !ok || s == nil {
		return nil, fmt.Errorf("there is no scan %v", args[0])
	}
	db.scans.Lock()
	defer db.scans.Unlock()
	if db.scans.ctx != nil {
		s.mutex.Lock()
		s.ctx = db.scans.ctx
		s.mutex.Unlock()
		db.scans.bound = append(db.scans.bound, s)
	}
	return &reader{scan: s}, nil
}

// reader is one place of a statement that reads a scan.
type reader struct {
	scan    *Scan
	batch   Batch
	at      int
	done    bool
	waited  bool // for the batch
	refused bool
}

// ColumnInfos gives the columns.
func (r *reader) ColumnInfos() []duckdb.ColumnInfo {
	text, _ := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR) // a plain type is never refused
	columns := []duckdb.ColumnInfo{{Name: "raw", T: text}}
	for _, name := range r.scan.columns {
		columns = append(columns, duckdb.ColumnInfo{Name: name, T: text})
	}
	return columns
}

// guessed is how many rows a scan is taken to have. DuckDB would take it for
// one, and keep its rows in memory to join them with those of a table, however
// small that is, until the last page is there. It keeps the smaller side.
const guessed = 100_000

// Cardinality is not known before the service has answered.
func (r *reader) Cardinality() *duckdb.CardinalityInfo {
	return &duckdb.CardinalityInfo{Cardinality: guessed}
}

// Init is called when DuckDB starts the scan, and for each run of a statement
// that is run again.
func (r *reader) Init() {
	r.batch, r.at, r.done = Batch{}, 0, false
	r.refused = !r.scan.started.CompareAndSwap(false, true)
}

// FillChunk gives what the batch at hand still has, so that rows go on as soon
// as their page is there; it waits for the next batch only when there is
// nothing left.
func (r *reader) FillChunk(chunk duckdb.DataChunk) error {
	if r.refused {
		return r.scan.fail(fault.Bug("scan %d was started twice", r.scan.id))
	}
	for !r.done && r.at >= len(r.batch.Items) {
		if err := r.fetch(); err != nil {
			return r.scan.fail(err)
		}
	}
	n := r.piece(min(len(r.batch.Items)-r.at, duckdb.GetDataChunkCapacity()))
	wanted := projection(chunk)
	for row := 0; row < n && wanted(0); row++ {
		if err := duckdb.SetChunkValue(chunk, 0, row, r.batch.Items[r.at+row]); err != nil {
			return r.scan.fail(err)
		}
	}
	for column := range r.scan.columns {
		if !wanted(column + 1) {
			continue
		}
		fill := r.fillArgument
		if column >= len(r.batch.Arguments) && r.batch.Members != nil {
			fill = r.fillMember
		}
		if err := fill(chunk, column, n); err != nil {
			return r.scan.fail(err)
		}
	}
	r.at += n
	return chunk.SetSize(n)
}

// projection tells which columns the statement reads. The driver takes values
// of the others too and drops them, but makes an error of each on the way,
// which costs more than the values that are read. Where its field is not found,
// every column counts as read.
func projection(chunk duckdb.DataChunk) func(column int) bool {
	places := reflect.ValueOf(chunk).FieldByName("projection")
	if !places.IsValid() || places.Kind() != reflect.Slice || places.Type().Elem().Kind() != reflect.Int {
		return func(int) bool { return true }
	}
	return func(column int) bool { return column >= places.Len() || places.Index(column).Int() >= 0 }
}

// piece gives how many of n rows to hand on. DuckDB lets go of a chunk only
// when the next one stands behind it, which would hold a page back until the
// next page is there. In pieces of half of what is left each, only the last
// matching row of a page waits. Pages that come at once need no pieces.
func (r *reader) piece(n int) int {
	if r.waited && r.scan.piecewise.Load() {
		return (n + 1) / 2
	}
	return n
}

func (r *reader) fillArgument(chunk duckdb.DataChunk, column, rows int) error {
	var value *string
	if column < len(r.batch.Arguments) {
		value = r.batch.Arguments[column]
	}
	for row := range rows {
		var err error
		if value == nil {
			err = chunk.SetValue(column+1, row, nil)
		} else {
			err = duckdb.SetChunkValue(chunk, column+1, row, *value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) fillMember(chunk duckdb.DataChunk, column, rows int) error {
	for row := range rows {
		value := r.batch.Members[r.at+row][column-len(r.batch.Arguments)]
		var err error
		if value == nil {
			err = chunk.SetValue(column+1, row, nil)
		} else {
			err = duckdb.SetChunkValue(chunk, column+1, row, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// atOnce is how long a page that was there already takes at most.
const atOnce = time.Millisecond

func (r *reader) fetch() error {
	first, start := r.batch.Items == nil, time.Now()
	batch, err := r.scan.source.Next(r.scan.context())
	r.waited = first || time.Since(start) > atOnce
	switch {
	case errors.Is(err, io.EOF):
		r.batch, r.at, r.done = Batch{}, 0, true
	case err != nil:
		return err
	default:
		r.batch, r.at = batch, 0
		return valid(batch.Items)
	}
	return nil
}

// valid refuses items that DuckDB would read as NULL without a word.
func valid(items [][]byte) error {
	for _, item := range items {
		if !utf8.Valid(item) {
			return fault.New(fault.ReplyInvalid, "an item of the answer is not valid UTF-8")
		}
	}
	return nil
}

// context gives the context of the query that reads the scan.
func (s *Scan) context() context.Context {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.ctx == nil {
		return context.Background()
	}
	return s.ctx
}

// fail keeps the error for the rows: DuckDB would only hand on its text.
func (s *Scan) fail(err error) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.err == nil {
		s.err = err
	}
	return err
}

// failure gives the error that a scan of a query ended with.
func failure(bound []*Scan) error {
	for _, s := range bound {
		s.mutex.Lock()
		err := s.err
		s.mutex.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}
