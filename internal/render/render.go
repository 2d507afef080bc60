// Package render writes rows and errors in the formats that people and
// programs read: table, vertical, json, jsonl, csv, tsv and markdown. Every
// format streams: what has been read is on its way to the reader at once, and
// memory does not grow with the number of rows.
//
// The package decides nothing about the terminal: width and colour come in
// [Options]. It refuses to make half a result look whole: a JSON array whose
// rows ended in an error has no closing bracket. Start reading at [Write]; the
// forms of single values are in value.go.
package render

import (
	"errors"
	"io"
	"syscall"

	"github.com/planeql/planeql/internal/fault"
)

// Column is the name of a column and its type as DuckDB spells it. The type
// decides alignment and the form of dates; an unknown type is taken as text.
type Column struct{ Name, Type string }

// Rows is what [Write] reads, in the manner of database/sql: Next blocks until
// a row is there and gives false at the end or on an error, which Err tells.
// Values may reuse its slice for the next row. The kinds of value are nil,
// bool, int64, uint64, *big.Int, float64, string, []byte, time.Time in UTC,
// json.RawMessage and json.Number for exact decimal numbers.
type Rows interface {
	Columns() []Column
	Next() bool
	Values() []any
	Err() error
}

// Format is the name of an output format.
type Format string

// The formats.
const (
	Table    Format = "table"    // columns drawn with lines, for people
	Vertical Format = "vertical" // one line a value, for wide rows
	JSON     Format = "json"     // one array of objects
	JSONL    Format = "jsonl"    // one object a line
	CSV      Format = "csv"      // RFC 4180 quoting, lines end with a line feed
	TSV      Format = "tsv"      // tab and line end inside a value as \t and \n
	Markdown Format = "markdown" // a table as GitHub renders it
	Parquet  Format = "parquet"  // Apache Parquet: DuckDB writes it, [Write] does not
)

// Names gives the names of all formats in the order in which help lists them.
func Names() []string { return append(Formats(), string(Parquet)) }

// Formats gives the names of the formats that [Write] writes.
func Formats() []string {
	return []string{
		string(Table), string(JSON), string(JSONL), string(CSV), string(TSV), string(Markdown), string(Vertical),
	}
}

// ParseFormat finds a format by its name. The error is a *fault.Error that
// suggests a near name.
func ParseFormat(text string) (Format, error) {
	switch text {
	case "md":
		return Markdown, nil
	case "ndjson":
		return JSONL, nil
	}
	for _, name := range Names() {
		if name == text {
			return Format(name), nil
		}
	}
	return "", fault.New(fault.InvalidFlag, "%q is no output format", text).
		WithHint("%s", fault.DidYouMean(text, Names(), "the formats are "+list(Names())))
}

// Options are the facts about the reader that a format cannot know.
type Options struct {
	// Width is how many cells a line may take; 0 is without limit, as for a
	// file or a pipe. Only table looks at it.
	Width int
	// Color draws heads and NULLs of a table with terminal attributes.
	Color bool
}

// OutputFailed is the code of the error for output that cannot be written, such
// as on a full disk. It is SQLSTATE's io_error.
const OutputFailed fault.Code = "58030"

// ErrClosed says that whoever read the output has gone away, as head does. It
// is no failure: the caller stops without a word.
var ErrClosed = errors.New("the reader of the output has gone away")

// Write writes all rows and gives how many it wrote. The error is that of the
// rows, or [ErrClosed], or a *fault.Error with the code [OutputFailed]; what was
// written before it has reached w. Write does not close anything. Output that
// waits for further rows is flushed within a moment, from another goroutine
// that ends before Write returns.
func Write(w io.Writer, rows Rows, f Format, o Options) (int64, error) {
	if f == Parquet {
		return 0, fault.Bug("the format %s is DuckDB's to write", f)
	}
	out := newStream(w)
	s := newSink(f, out, rows.Columns(), o)
	n, err := copyRows(out, s, rows)
	out.do(func() { s.end(err == nil) })
	if flushed := out.close(); err == nil {
		err = flushed
	}
	return n, err
}

func copyRows(out *stream, s sink, rows Rows) (int64, error) {
	out.do(s.begin)
	var n int64
	for rows.Next() {
		values := rows.Values()
		out.do(func() { s.row(values) })
		if err := out.failure(); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// sink is one format at work. Its methods are called under the lock of the
// stream; end learns whether the rows are all there.
type sink interface {
	begin()
	row(values []any)
	end(complete bool)
}

func newSink(f Format, out *stream, columns []Column, o Options) sink {
	switch f {
	case JSON:
		return &jsonArray{objects: newObjects(out, columns)}
	case JSONL:
		return &jsonLines{objects: newObjects(out, columns)}
	case CSV:
		return newDelimited(out, columns, ',', appendCSV)
	case TSV:
		return newDelimited(out, columns, '\t', appendTSV)
	case Markdown:
		return &markdown{out: out, columns: columns}
	case Vertical:
		return newVertical(out, columns, o)
	default:
		return newTable(out, columns, o)
	}
}

// OutputError gives the error for a write to the output that failed: [ErrClosed]
// where the reader has gone, else one with the code [OutputFailed].
func OutputError(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return ErrClosed
	}
	return fault.New(OutputFailed, "the output cannot be written").
		WithDetail("%s", err.Error()).Because(err).In(fault.Service)
}
