package syntax

import (
	"strconv"

	"github.com/planeql/planeql/internal/fault"
)

// Bind puts literals in the place of ? and $1. Each ? takes the next one; a
// statement uses either form. The literals must be whole expressions.
func (s *Statement) Bind(literals []string) (*Statement, error) {
	var edits []Edit
	next, used := 0, 0
	for _, t := range s.Tokens {
		if t.Kind != Positional {
			continue
		}
		n := next + 1
		if t.Text != "?" {
			n, _ = strconv.Atoi(t.Text[1:])
		} else {
			next++
		}
		if n < 1 || n > len(literals) {
			return nil, fault.New(fault.UndefinedParameter, "the statement uses argument %d and %d are given", n, len(literals)).
				WithHint("a program gives the values with the statement; in a script write {{ name }} and fill it with --var name=value").
				At(s.Span(t, t))
		}
		used = max(used, n)
		edits = append(edits, Edit{t.Start, t.End, literals[n-1]})
	}
	if used < len(literals) {
		return nil, fault.New(fault.UndefinedParameter, "%d arguments are given and the statement uses %d", len(literals), used).
			WithHint("each stands for a ? or a $1 in the statement")
	}
	if len(edits) == 0 {
		return s, nil
	}
	return newStatement(s.Text.Apply(edits))
}
