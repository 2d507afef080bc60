package duck

import (
	"fmt"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// listingFunction is a table function of one text, whose rows are texts that are
// at hand, in the column raw. Unlike a scan it may be read any number of times.
const listingFunction = "planeql_listing"

// registerListing makes the function known to DuckDB.
func (db *DB) registerListing(find func(what string) (rows func() [][]byte)) error {
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return err
	}
	return duckdb.RegisterTableUDF(db.conn.sql, listingFunction, duckdb.ChunkTableFunction{
		Config: duckdb.TableFunctionConfig{Arguments: []duckdb.TypeInfo{text}},
		BindArguments: func(_ map[string]any, args ...any) (duckdb.ChunkTableSource, error) {
			what, ok := args[0].(string)
			if !ok {
				return nil, fmt.Errorf("%s takes a text", listingFunction)
			}
			return &listing{column: duckdb.ColumnInfo{Name: "raw", T: text}, find: find(what)}, nil
		},
	})
}

// listing is one place of a statement that reads such a function.
type listing struct {
	column duckdb.ColumnInfo
	find   func() [][]byte
	rows   [][]byte
}

// ColumnInfos gives the one column.
func (l *listing) ColumnInfos() []duckdb.ColumnInfo { return []duckdb.ColumnInfo{l.column} }

// Cardinality is known only when the rows are.
func (l *listing) Cardinality() *duckdb.CardinalityInfo { return nil }

// Init is called when DuckDB begins to read.
func (l *listing) Init() { l.rows = l.find() }

// FillChunk hands on the next rows.
func (l *listing) FillChunk(chunk duckdb.DataChunk) error {
	n := min(len(l.rows), duckdb.GetDataChunkCapacity())
	for row, text := range l.rows[:n] {
		if err := duckdb.SetChunkValue(chunk, 0, row, text); err != nil {
			return err
		}
	}
	l.rows = l.rows[n:]
	return chunk.SetSize(n)
}
