package syntax

import (
	"slices"
	"strings"
)

// JSON in StackQL is that of SQLite: values come out of it as plain text, 1 and 0
// for booleans, and numbers compare as numbers.

// jsonExtract has StackQL's meaning where the paths are written as $.a: the
// text itself without quotes. DuckDB's, which gives JSON, stays for its own
// forms: a pointer, an index, a wildcard, a list, or a result that goes on as
// JSON.
func jsonExtract(tokens []Token, c call) []Edit {
	for n := 1; n < c.arguments(); n++ {
		path, ok := c.literal(tokens, n)
		if !ok || !strings.HasPrefix(path, "$") || strings.Contains(path, "*") {
			return nil
		}
	}
	if c.arguments() < 2 || c.arguments() > 5 {
		return nil
	}
	if after := tokens[c.end+1:]; len(after) > 1 && after[0].IsSymbol("::") && after[1].Is("JSON") {
		return nil
	}
	if c.arguments() == 2 && besideNumber(tokens, c.name, c.end) {
		return []Edit{replace(tokens[c.name], "planeql_json_number")}
	}
	return []Edit{replace(tokens[c.name], "planeql_json_extract")}
}

// besideNumber tells whether what stands from one token to another is compared
// or reckoned with a number or a truth value, or added up.
func besideNumber(tokens []Token, first, last int) bool {
	at := func(i int) Token {
		if i < 0 || i >= len(tokens) {
			return Token{Kind: Symbol}
		}
		return tokens[i]
	}
	isNumber := func(i int) bool {
		return at(i).Kind == Number || at(i).IsSymbol("-") && at(i+1).Kind == Number || isOneOf(at(i), []string{"TRUE", "FALSE"})
	}
	next := last + 1
	if at(next).Is("NOT") {
		next++
	}
	switch {
	case isOneOf(at(first-2), []string{"sum", "avg", "total"}) && at(first-1).IsSymbol("("):
		return true
	case reckons(at(next)) || at(next).Is("BETWEEN") || at(next).Is("IS"):
		return isNumber(next+1) || at(next+1).Is("NOT") && isNumber(next+2)
	case at(next).Is("IN") && at(next+1).IsSymbol("("):
		return isNumber(next + 2)
	}
	return reckons(at(first-1)) && isNumber(first-2)
}

func reckons(t Token) bool {
	return t.Kind == Symbol && slices.Contains([]string{"=", "==", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%"}, t.Text)
}

// tableFunction renames a table function, which keeps its name as alias where
// it has none.
func tableFunction(name string) func([]Token, call) []Edit {
	return func(tokens []Token, c call) []Edit {
		edits := []Edit{replace(tokens[c.name], name)}
		if named(tokens, c) {
			return edits
		}
		return append(edits, insert(tokens[c.end].End, " AS "+strings.ToLower(tokens[c.name].Text)))
	}
}

// eachNumbers makes numbers of the values of json_each where they stand beside
// one: they are text otherwise.
func eachNumbers(tokens []Token) []Edit {
	aliases := map[string]bool{}
	for _, c := range calls(tokens) {
		if !tokens[c.name].Is("json_each") {
			continue
		}
		alias := "json_each"
		for _, t := range tokens[c.end+1 : min(c.end+3, len(tokens))] {
			if t.Is("AS") {
				continue
			}
			if name, ok := t.Name(); ok && !isOneOf(t, afterTable) {
				alias = name
			}
			break
		}
		aliases[strings.ToLower(alias)] = true
	}
	var edits []Edit
	for i := 2; i < len(tokens) && len(aliases) > 0; i++ {
		alias, ok := tokens[i-2].Name()
		if !ok || !aliases[strings.ToLower(alias)] || !tokens[i-1].IsSymbol(".") || !tokens[i].Is("value") && !tokens[i].Is("atom") {
			continue
		}
		if besideNumber(tokens, i-2, i) {
			edits = append(edits, insert(tokens[i-2].Start, "TRY_CAST("), insert(tokens[i].End, " AS DOUBLE)"))
		}
	}
	return edits
}

// afterTable are the words that can follow a table without an alias.
var afterTable = []string{
	"ON", "USING", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "NATURAL", "ASOF", "POSITIONAL", "SEMI", "ANTI",
	"WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT",
	"TABLESAMPLE", "SAMPLE", "PIVOT", "UNPIVOT", "RETURNING", "SELECT",
}

func isOneOf(t Token, words []string) bool {
	for _, w := range words {
		if t.Is(w) {
			return true
		}
	}
	return false
}

// sqliteTypes are the names of types that no function of DuckDB gives.
var sqliteTypes = []string{"'text'", "'integer'", "'real'", "'true'", "'false'", "'null'", "'object'", "'array'", "'blob'"}

// sqliteType renames a function that gives the name of a type where it is
// compared with a name of SQLite.
func sqliteType(name string) func([]Token, call) []Edit {
	return func(tokens []Token, c call) []Edit {
		after := tokens[c.end+1:]
		if len(after) > 0 && after[0].Is("NOT") {
			after = after[1:]
		}
		switch {
		case len(after) > 1 && reckons(after[0]) && slices.Contains(sqliteTypes, after[1].Text):
		case len(after) > 2 && after[0].Is("IN") && after[1].IsSymbol("(") && slices.Contains(sqliteTypes, after[2].Text):
		default:
			return nil
		}
		return []Edit{replace(tokens[c.name], name)}
	}
}
