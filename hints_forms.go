package planeql

import (
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// formHints gives for words and signs of MySQL and SQLite that stop DuckDB's
// parser what to write instead.
var formHints = map[string]string{
	"DIV": "a // b divides integers", "MOD": "a % b gives the rest of a division", "XOR": "write xor of conditions as a <> b",
	"REGEXP":    "regexp_matches(text, pattern) takes any expression as pattern; REGEXP takes one in quotes",
	"RLIKE":     "regexp_matches(text, pattern) takes any expression as pattern; RLIKE takes one in quotes",
	"SEPARATOR": "the form is group_concat(value, ', ' ORDER BY …)", "STRAIGHT_JOIN": "write JOIN",
	"DISTINCTROW": "write DISTINCT", "SQL_CACHE": "leave the word out", "SQL_NO_CACHE": "leave the word out",
	"SQL_CALC_FOUND_ROWS": "leave the word out; count(*) OVER () counts all rows", "LOCK": "leave it out: a query locks nothing",
	"MATCH": "write ILIKE '%word%'", "//": "a comment begins with --; // divides integers", "#": "a comment begins with --",
	"CHAR": "chr(97) gives the character of a code",
}

// verbHints gives for statements that there are not what takes their place.
var verbHints = map[string]string{
	"AUTH":        "a credential is named on the command line, as in --auth azure=cli; planeql auth check azure tells what it is",
	"NATIVEQUERY": "every statement of DuckDB runs as it is: leave the word and the quotes out",
	"PURGE":       "nothing is kept between statements that could be purged",
	"SLEEP":       "a script that waits does so between two runs of planeql",
}

// formHint gives the advice for the word at an offset of the text, or for the
// one before it, and "".
func formHint(text string, offset int) string {
	tokens, err := syntax.Lex(text)
	if err != nil {
		return ""
	}
	for i, t := range tokens {
		if t.End <= offset {
			continue
		}
		for at := i; at >= max(0, i-2); at-- {
			if hint := formHints[strings.ToUpper(tokens[at].Text)]; hint != "" {
				return hint
			}
		}
		break
	}
	return ""
}

// suggestQuotes adds to an error about a column in double quotes what these
// mean: SQLite takes such a name for text where there is no column.
func suggestQuotes(err error) error {
	e := fault.As(err)
	if e == nil || e.Code != fault.UndefinedColumn || e.Span.Source == nil || e.Span.Start >= len(e.Span.Source.Text) {
		return err
	}
	rest := e.Span.Source.Text[e.Span.Start:]
	end := strings.IndexByte(strings.TrimPrefix(rest, `"`), '"')
	if rest[0] != '"' || end < 0 {
		return err
	}
	hint := `double quotes are for names; text stands in single quotes: ` + syntax.QuoteText(rest[1:end+1])
	if e.Hint != "" {
		hint += "; as a name: " + e.Hint
	}
	return e.WithHint("%s", hint)
}
