package duck

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
)

// ParseError is a text that DuckDB's parser does not take.
type ParseError struct {
	Message   string
	Offset    int  // in bytes
	NotSelect bool // it is a statement, but none that can be given as a tree
}

// Error gives the parser's words.
func (e *ParseError) Error() string { return e.Message }

// Parse gives the tree of a SELECT as JSON, in the form of DuckDB's
// json_serialize_sql: nodes carry their byte offset in the text as
// query_location, 2^64-1 where there is none. The error is a *[ParseError], or
// a fault when DuckDB itself fails. Parse may run beside statements.
func (db *DB) Parse(text string) ([]byte, error) {
	db.parser.Lock()
	defer db.parser.Unlock()
	if err := db.openParser(); err != nil {
		return nil, err
	}
	var tree string
	row := db.parser.conn.sql.QueryRowContext(context.Background(), "SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", text)
	if err := row.Scan(&tree); err != nil {
		return nil, asFault(err)
	}
	if !strings.HasPrefix(tree, `{"error":true`) {
		return []byte(tree), nil
	}
	return nil, parseError(tree, text)
}

// Deparse gives the text of a tree that [DB.Parse] gave.
func (db *DB) Deparse(tree string) (string, error) {
	db.parser.Lock()
	defer db.parser.Unlock()
	if err := db.openParser(); err != nil {
		return "", err
	}
	var text string
	row := db.parser.conn.sql.QueryRowContext(context.Background(), "SELECT json_deserialize_sql($1::JSON)", tree)
	if err := row.Scan(&text); err != nil {
		return "", asFault(err)
	}
	return text, nil
}

// openParser makes the parser's connection; the lock is held.
func (db *DB) openParser() error {
	if db.parser.conn != nil {
		return nil
	}
	c, err := db.connect(context.Background())
	if err != nil {
		return asFault(err)
	}
	db.parser.conn = c
	return nil
}

// parseError reads what json_serialize_sql says of a text it does not take. It
// counts characters there, unlike in a tree.
func parseError(tree, text string) error {
	var says struct {
		Kind     string `json:"error_type"`
		Message  string `json:"error_message"`
		Position string `json:"position"`
	}
	if err := json.Unmarshal([]byte(tree), &says); err != nil {
		return asFault(err)
	}
	e := &ParseError{Message: lowerFirst(says.Message), NotSelect: says.Kind == "not implemented"}
	characters, _ := strconv.Atoi(says.Position)
	for i := range text {
		if characters == 0 {
			e.Offset = i
			return e
		}
		characters--
	}
	e.Offset = len(text)
	return e
}
