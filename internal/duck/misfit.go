package duck

import (
	"database/sql/driver"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// longestExample is how much of a value that does not fit is kept.
const longestExample = 80

// MisfitSQL gives an expression that counts a value of a column that does not
// fit its type and is NULL. It is volatile, so that DuckDB evaluates it for
// each such row and for no other.
func (s *Scan) MisfitSQL(column, text string) string {
	return fmt.Sprintf("planeql_misfit(%d, '%s', %s)", s.id, strings.ReplaceAll(column, "'", "''"), text)
}

// misfitFunction is planeql_misfit(scan, column, text).
type misfitFunction struct{ db *DB }

// Config gives the function's types.
func (f misfitFunction) Config() duckdb.ScalarFuncConfig {
	number, _ := duckdb.NewTypeInfo(duckdb.TYPE_BIGINT) // plain types are never refused
	text, _ := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	return duckdb.ScalarFuncConfig{
		InputTypeInfos: []duckdb.TypeInfo{number, text, text}, ResultTypeInfo: text, Volatile: true, SpecialNullHandling: true,
	}
}

// Executor gives what is called for each row.
func (f misfitFunction) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		id, _ := values[0].(int64)
		column, _ := values[1].(string)
		if text, ok := values[2].(string); ok {
			f.db.scanOf(id).count(column, text)
		}
		return nil, nil
	}}
}

func (db *DB) registerMisfit() error {
	return duckdb.RegisterScalarUDF(db.conn.sql, "planeql_misfit", misfitFunction{db})
}

// count notes a value that did not fit.
func (s *Scan) count(column, text string) {
	if s == nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	m := s.misfits[column]
	if m.Count++; m.Count == 1 {
		m.Example = strings.ToValidUTF8(text[:min(len(text), longestExample)], "")
	}
	s.misfits[column] = m
}
