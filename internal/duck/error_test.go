package duck

import (
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// Whatever DuckDB says, a fault comes of it, with a place inside the query.
func FuzzTranslate(f *testing.F) {
	for _, message := range []string{
		"", "x", "Parser Error: ", "{", "{}", "LINE 9: \n^",
		"Binder Error: LINE 1: x\n        ^",
		"Binder Error: no\n\nLINE 1: SELECT é\n               ^",
		"Binder Error: no\n\nLINE 2: ...x...\n           ^\n\nLINE 3: y\n ^",
	} {
		f.Add(message, "SELECT é,\n  x")
	}
	f.Fuzz(func(t *testing.T, message, query string) {
		err := translate(message, query)
		if fault.As(err) == nil {
			t.Fatalf("%q: %v", message, err)
		}
		if offset, ok := Offset(err); ok && (offset < 0 || offset > len(query)) {
			t.Errorf("%q in %q: at %d", message, query, offset)
		}
	})
}
