package syntax

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Spellings of StackQL, and of SQLite below it, that DuckDB does not take or
// takes for something else. Each is rewritten only in the form in which nothing
// of DuckDB is lost, or for which docs/from-stackql.md says what was decided.
// The functions whose names begin with planeql_ are macros of package duck.

// stackQL gives the edits for a statement.
func stackQL(tokens []Token) []Edit {
	var edits []Edit
	for _, c := range calls(tokens) {
		if rule := callRules[strings.ToLower(tokens[c.name].Text)]; rule != nil {
			edits = append(edits, rule(tokens, c)...)
		}
	}
	for i, t := range tokens {
		switch {
		case t.Kind == Number:
			edits = append(edits, hexadecimal(t)...)
		case t.Kind != Word:
		case t.Is("REGEXP") || t.Is("RLIKE"):
			edits = append(edits, regexpOperator(tokens, i)...)
		case t.Is("LIMIT"):
			edits = append(edits, limitPair(tokens[i:])...)
		case t.Is("X") || t.Is("B"):
			edits = append(edits, bytesLiteral(tokens[i:])...)
		}
	}
	return edits
}

// callRules gives the rewriting of calls by the function's name.
var callRules = map[string]func([]Token, call) []Edit{
	"json_extract":             jsonExtract,
	"json_extract_path_text":   ifArguments(3, "planeql_json_extract_path_text"),
	"json_each":                tableFunction("planeql_json_each"),
	"json_array_elements_text": tableFunction("json_array_elements_text"),
	"regexp_replace":           regexpReplace,
	"glob":                     ifArguments(2, "planeql_glob"),
	"format":                   formatAsPrintf,
	"group_concat":             groupConcat,
	"strftime":                 strftime,
	"date":                     date,
	"time":                     time,
	"cast":                     castType,
	"convert":                  convert,
	"max":                      largest("planeql_greatest"),
	"min":                      largest("planeql_least"),
	"json_type":                sqliteType("planeql_json_type"),
	"typeof":                   sqliteType("planeql_typeof"),
}

func replace(t Token, text string) Edit { return Edit{t.Start, t.End, text} }

func insert(at int, text string) Edit { return Edit{at, at, text} }

// ifArguments renames a function that is called with at least so many
// arguments.
func ifArguments(least int, name string) func([]Token, call) []Edit {
	return func(tokens []Token, c call) []Edit {
		if c.arguments() < least {
			return nil
		}
		return []Edit{replace(tokens[c.name], name)}
	}
}

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
	if c.arguments() == 2 && besideNumber(tokens, c) {
		return []Edit{replace(tokens[c.name], "planeql_json_number")}
	}
	return []Edit{replace(tokens[c.name], "planeql_json_extract")}
}

// besideNumber tells whether the result of a call is compared or reckoned with
// a number or a truth value, or added up.
func besideNumber(tokens []Token, c call) bool {
	at := func(i int) Token {
		if i < 0 || i >= len(tokens) {
			return Token{Kind: Symbol}
		}
		return tokens[i]
	}
	isNumber := func(i int) bool {
		return at(i).Kind == Number || at(i).IsSymbol("-") && at(i+1).Kind == Number || isOneOf(at(i), []string{"TRUE", "FALSE"})
	}
	next := c.end + 1
	if at(next).Is("NOT") {
		next++
	}
	switch {
	case isOneOf(at(c.name-2), []string{"sum", "avg", "total"}) && at(c.name-1).IsSymbol("("):
		return true
	case reckons(at(next)) || at(next).Is("BETWEEN") || at(next).Is("IS"):
		return isNumber(next+1) || at(next+1).Is("NOT") && isNumber(next+2)
	case at(next).Is("IN") && at(next+1).IsSymbol("("):
		return isNumber(next + 2)
	}
	return reckons(at(c.name-1)) && isNumber(c.name-2)
}

func reckons(t Token) bool {
	return t.Kind == Symbol && slices.Contains([]string{"=", "==", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%"}, t.Text)
}

// regexpReplace replaces all matches; DuckDB's takes options as a fourth
// argument.
func regexpReplace(tokens []Token, c call) []Edit {
	if c.arguments() != 3 {
		return nil
	}
	return []Edit{replace(tokens[c.name], "planeql_regexp_replace")}
}

// formatAsPrintf tells format of SQLite by its % from that of DuckDB, which has
// braces.
func formatAsPrintf(tokens []Token, c call) []Edit {
	text, ok := c.literal(tokens, 0)
	if !ok || !strings.Contains(text, "%") || strings.Contains(text, "{") {
		return nil
	}
	return []Edit{replace(tokens[c.name], "printf")}
}

// tableFunction renames a table function, which keeps its name as alias where
// it has none.
func tableFunction(name string) func([]Token, call) []Edit {
	return func(tokens []Token, c call) []Edit {
		edits := []Edit{replace(tokens[c.name], name)}
		if len(tokens) > c.end+1 {
			next := tokens[c.end+1]
			if _, isName := next.Name(); isName && !isOneOf(next, afterTable) {
				return edits
			}
		}
		return append(edits, insert(tokens[c.end].End, " AS "+strings.ToLower(tokens[c.name].Text)))
	}
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

// groupConcat puts the SEPARATOR where DuckDB has it: behind the value, before
// ORDER BY.
func groupConcat(tokens []Token, c call) []Edit {
	at := c.top(tokens, "SEPARATOR")
	if at < 0 || at+2 != c.end || tokens[at+1].Kind != String {
		return nil
	}
	before := tokens[at-1].End
	if order := c.top(tokens, "ORDER"); order > c.open+1 {
		before = tokens[order-1].End
	}
	return []Edit{insert(before, ", "+tokens[at+1].Text), {tokens[at].Start, tokens[at+1].End, ""}}
}

// strftime is written strftime('format', time, modifiers) in SQLite.
func strftime(tokens []Token, c call) []Edit {
	format, ok := c.literal(tokens, 0)
	if !ok || !strings.Contains(format, "%") || c.arguments() > 5 {
		return nil
	}
	first, _ := c.argument(0)
	start, end := tokens[first].Start, tokens[first].End
	if len(c.commas) > 0 {
		end = tokens[c.commas[0]].End
	}
	last := tokens[c.end]
	if format == "%s" {
		return []Edit{replace(tokens[c.name], "CAST(unixepoch"), {start, end, ""}, insert(last.End, " AS VARCHAR)")}
	}
	format = strings.NewReplacer("%f", "%S.%g", "%F", "%Y-%m-%d", "%T", "%H:%M:%S", "%R", "%H:%M").Replace(format)
	now := ""
	if c.arguments() == 1 {
		now = "'now'"
	}
	return []Edit{{start, end, timeMacro(c.arguments()-2) + "(" + now}, insert(last.Start, "), '"+format+"'")}
}

// timeMacro gives the macro that reads a time with so many modifiers.
func timeMacro(modifiers int) string {
	if modifiers < 1 {
		return "planeql_time"
	}
	return "planeql_time_" + strconv.Itoa(modifiers)
}

// date is DuckDB's, which is a cast, unless it is about now or has modifiers.
func date(tokens []Token, c call) []Edit {
	if text, ok := c.literal(tokens, 0); c.arguments() == 1 && !(ok && strings.EqualFold(text, "now")) {
		return nil
	}
	return []Edit{replace(tokens[c.name], "planeql_date")}
}

// time with a number is a type: TIME(3).
func time(tokens []Token, c call) []Edit {
	if c.arguments() == 1 && tokens[c.open+1].Kind == Number {
		return nil
	}
	return []Edit{replace(tokens[c.name], "planeql_timetext")}
}

// largest tells max of several values from DuckDB's max(value, n), which gives
// the n largest rows of a group.
func largest(name string) func([]Token, call) []Edit {
	return func(tokens []Token, c call) []Edit {
		if c.arguments() < 2 || c.arguments() > 4 || tokens[c.open+1].Is("DISTINCT") || c.top(tokens, "ORDER") >= 0 {
			return nil
		}
		from, to := c.argument(1)
		if c.arguments() == 2 && to == from+1 && isLiteral(tokens[from]) {
			return nil
		}
		if len(tokens) > c.end+1 && (tokens[c.end+1].Is("OVER") || tokens[c.end+1].Is("FILTER")) {
			return nil
		}
		return []Edit{replace(tokens[c.name], name)}
	}
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

// castTypes are the types of MySQL that DuckDB does not know or knows as
// something narrower.
var castTypes = map[string]string{"SIGNED": "BIGINT", "UNSIGNED": "UBIGINT", "BINARY": "BLOB", "NCHAR": "VARCHAR"}

// castType puts DuckDB's name for the type of a CAST.
func castType(tokens []Token, c call) []Edit {
	as := c.top(tokens, "AS")
	if as < 0 || as+1 >= c.end {
		return nil
	}
	return typeName(tokens, as+1, c.end)
}

func typeName(tokens []Token, from, to int) []Edit {
	name, ok := castTypes[strings.ToUpper(tokens[from].Text)]
	if !ok || to > from+2 || to == from+2 && !tokens[from+1].Is("INTEGER") {
		return nil
	}
	return []Edit{{tokens[from].Start, tokens[to-1].End, name}}
}

// convert is CAST in another form: CONVERT(value, type), CONVERT(value USING
// utf8).
func convert(tokens []Token, c call) []Edit {
	if using := c.top(tokens, "USING"); using >= 0 && using+2 == c.end {
		return []Edit{replace(tokens[c.name], "CAST"), {tokens[using].Start, tokens[using+1].End, "AS VARCHAR"}}
	}
	if c.arguments() != 2 {
		return nil
	}
	from, to := c.argument(1)
	edits := []Edit{replace(tokens[c.name], "CAST"), replace(tokens[c.commas[0]], " AS")}
	return append(edits, typeName(tokens, from, to)...)
}

// regexpOperator makes a REGEXP 'p' of DuckDB's ~, which matches the whole
// text.
func regexpOperator(tokens []Token, at int) []Edit {
	if at == 0 || at+1 >= len(tokens) || tokens[at+1].Kind != String || tokens[at+1].Text[0] != '\'' {
		return nil
	}
	start, operator := tokens[at].Start, "~"
	if tokens[at-1].Is("NOT") {
		start, operator = tokens[at-1].Start, "!~"
	}
	pattern := tokens[at+1].Text
	return []Edit{
		{start, tokens[at].End, operator},
		replace(tokens[at+1], "'(?s).*(?:"+pattern[1:len(pattern)-1]+").*'"),
	}
}

// limitPair makes LIMIT skip, count of the two numbers.
func limitPair(tokens []Token) []Edit {
	if len(tokens) < 4 || tokens[1].Kind != Number || !tokens[2].IsSymbol(",") || tokens[3].Kind != Number {
		return nil
	}
	return []Edit{{tokens[1].Start, tokens[3].End, tokens[3].Text + " OFFSET " + tokens[1].Text}}
}

// hexadecimal gives the decimal form of 0x1F, which DuckDB reads as 0 with the
// alias x1F.
func hexadecimal(t Token) []Edit {
	if len(t.Text) < 3 || t.Text[0] != '0' || t.Text[1]|0x20 != 'x' {
		return nil
	}
	n, ok := new(big.Int).SetString(t.Text[2:], 16)
	if !ok {
		return nil
	}
	return []Edit{replace(t, n.String())}
}

// bytesLiteral gives x'61' as bytes and b'101' as a number; DuckDB reads the
// letter as a part of the text.
func bytesLiteral(tokens []Token) []Edit {
	if len(tokens) < 2 || tokens[1].Kind != String || tokens[1].Text[0] != '\'' || tokens[1].Start != tokens[0].End {
		return nil
	}
	text := strings.Trim(tokens[1].Text, "'")
	if tokens[0].Is("X") {
		return []Edit{replace(tokens[0], "unhex("), insert(tokens[1].End, ")")}
	}
	n, ok := new(big.Int).SetString(text, 2)
	if !ok {
		return nil
	}
	return []Edit{{tokens[0].Start, tokens[1].End, n.String()}}
}
