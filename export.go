package planeql

import "strings"

// Verb gives the word that a statement begins with, in upper case.
func (st *Statement) Verb() string { return strings.ToUpper(st.inner.Tokens[0].Text) }

// ToParquet gives the statement that writes the rows of a query to a Parquet
// file; positions in its errors are those of the query. The file is there only
// if all rows are. ok is false where the statement is no query.
func (st *Statement) ToParquet(path string) (copied *Statement, ok bool, err error) {
	inner, ok, err := st.inner.ToFile(path, "parquet")
	if !ok {
		return nil, false, err
	}
	return &Statement{inner}, true, nil
}
