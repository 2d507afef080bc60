package syntax

import (
	"slices"
	"strings"
)

// DuckDB's -> and ->> bind weaker than = and AND on their left side, so that
//
//	a = 1 AND properties ->> 'state' = 'Active'
//
// means (a = 1 AND properties) ->> …. In SQLite, and for whoever reads it, they
// bind stronger than any operator beside them. arrows puts brackets around a
// chain of them whose right sides are literals; the -> of a lambda has an
// expression there and stays.
func arrows(tokens []Token) []Edit {
	var edits []Edit
	lambdas := lambdaArrows(tokens)
	for i := 1; i+1 < len(tokens); i++ {
		if !isArrow(tokens[i]) || !isLiteral(tokens[i+1]) || slices.Contains(lambdas, i) {
			continue
		}
		start, end := operandStart(tokens, i-1), i+1
		for end+2 < len(tokens) && isArrow(tokens[end+1]) && isLiteral(tokens[end+2]) {
			end += 2
		}
		if start >= 0 && (start > 0 && binds(tokens[start-1]) || end+1 < len(tokens) && binds(tokens[end+1])) {
			edits = append(edits, insert(tokens[start].Start, "("), insert(tokens[end].End, ")"))
		}
		i = end
	}
	return edits
}

func isArrow(t Token) bool { return t.IsSymbol("->") || t.IsSymbol("->>") }

func isLiteral(t Token) bool { return t.Kind == String || t.Kind == Number || t.Kind == Positional }

// binds tells whether a token is an operator that could take an operand from an
// arrow beside it. A cast does so in DuckDB and stays as it is.
func binds(t Token) bool {
	if t.Kind == Symbol {
		return !strings.Contains("()[]{},;.::", t.Text)
	}
	return isOneOf(t, []string{"AND", "OR", "NOT", "LIKE", "ILIKE", "IN", "IS", "BETWEEN", "GLOB", "SIMILAR", "REGEXP", "RLIKE", "COLLATE"})
}

// operandStart gives the first token of the operand that ends with a token: a
// dotted name, a literal, a call, something in brackets, each also with a cast.
// It gives -1 where it does not know.
func operandStart(tokens []Token, at int) int {
	for {
		switch t := tokens[at]; {
		case t.IsSymbol(")") || t.IsSymbol("]"):
			if at = openOf(tokens, at); at < 0 {
				return -1
			}
			switch {
			case at == 0 || !endsOperand(tokens[at-1]):
			case tokens[at].IsSymbol("["):
				at-- // an index of what stands before
				continue
			case tokens[at-1].Kind == Word:
				at--
			}
		case isLiteral(t):
		default:
			if _, ok := t.Name(); !ok {
				return -1
			}
		}
		switch {
		case at > 1 && tokens[at-1].IsSymbol("."), at > 1 && tokens[at-1].IsSymbol("::"):
			at -= 2
		default:
			return at
		}
	}
}

// endsOperand tells whether a bracket behind a token belongs to it: an index, or
// the arguments of a call.
func endsOperand(t Token) bool {
	_, isName := t.Name()
	return t.IsSymbol(")") || t.IsSymbol("]") || t.Kind == String || isName && !binds(t) && !isOneOf(t, beforeBracket)
}

// beforeBracket are words that are no function although a bracket follows.
var beforeBracket = []string{"SELECT", "WHERE", "ON", "HAVING", "BY", "WHEN", "THEN", "ELSE", "CASE", "FROM", "USING", "QUALIFY", "DISTINCT", "ALL"}

// openOf gives the bracket that a closing one belongs to, or -1.
func openOf(tokens []Token, at int) int {
	depth := 0
	for ; at >= 0; at-- {
		switch t := tokens[at]; {
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			depth++
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return -1
}

// lambdaArrows gives the arrows of lambdas: name -> … and (a, b) -> … as
// arguments of the functions that take one.
func lambdaArrows(tokens []Token) []int {
	var list []int
	for _, c := range calls(tokens) {
		name := strings.ToLower(tokens[c.name].Text)
		if !strings.HasPrefix(name, "list_") && !strings.HasPrefix(name, "array_") && !slices.Contains([]string{"apply", "filter", "reduce"}, name) {
			continue
		}
		for n := range c.arguments() {
			from, to := c.argument(n)
			if n == 0 {
				continue // the list itself
			}
			at := from + 1
			if tokens[from].IsSymbol("(") {
				for at < to && !tokens[at].IsSymbol(")") {
					at++
				}
				at++
			}
			if at < to && tokens[at].IsSymbol("->") {
				list = append(list, at)
			}
		}
	}
	return list
}
