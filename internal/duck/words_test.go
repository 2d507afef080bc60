package duck

import (
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// Messages of DuckDB come out in planeql's words, with near names that the user
// can know and no list that fills a screen.
func TestTranslate_words(t *testing.T) {
	for message, want := range map[string]struct {
		code          fault.Code
		message, hint string
	}{
		"Catalog Error: Scalar Function with name cont does not exist!\nDid you mean \"count\"?":                                                             {fault.UndefinedMethod, `there is no function "cont"`, "did you mean count?"},
		"Catalog Error: Table with name nothing does not exist!\nDid you mean \"pg_settings\"?":                                                              {fault.UndefinedTable, `there is no table "nothing"`, usual[fault.UndefinedTable]},
		"Catalog Error: Table with name host does not exist!\nDid you mean \"hosts\"?":                                                                       {fault.UndefinedTable, `there is no table "host"`, "did you mean hosts?"},
		"Binder Error: Catalog \"aws\" does not exist!":                                                                                                      {fault.UndefinedTable, `there is no provider or database "aws"`, usual[fault.UndefinedTable]},
		"Binder Error: Referenced column \"a\" not found in FROM clause!\nCandidate bindings: \"b\", \"c\"":                                                  {fault.UndefinedColumn, `there is no column "a"`, "did you mean b or c?"},
		"Conversion Error: Could not convert string 'a' to INT32":                                                                                            {fault.TypeMismatch, "could not convert string 'a' to INT32", usual[fault.TypeMismatch]},
		"IO Error: No files found that match the pattern \"x.csv\"":                                                                                          {fault.DataException, `there is no file "x.csv"`, usual[fault.DataException]},
		"Out of Memory Error: failed to allocate":                                                                                                            {fault.LimitReached, "failed to allocate", ""},
		"Invalid Input Error: database/sql/driver: API error: f takes JSON":                                                                                  {fault.InvalidValue, "f takes JSON", ""},
		"Invalid Input Error: Values were not provided for the following prepared statement parameters: 1":                                                   {fault.InvalidValue, "no value is given for argument 1", ""},
		"Binder Error: No function matches f(INTEGER). You might need to add explicit type casts.\n\tCandidate functions:\n" + strings.Repeat("\tf(A)\n", 9): {fault.UndefinedMethod, "no function matches f(INTEGER)", "cast the values to types that it takes:" + strings.Repeat("\nf(A)", mostCandidates) + "\n…"},
	} {
		e := fault.As(translate(message, ""))
		if e.Code != want.code || e.Message != want.message || e.Hint != want.hint {
			t.Errorf("%q gives %s %q, hint %q", message, e.Code, e.Message, e.Hint)
		}
	}
}
