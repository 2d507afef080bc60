package syntax

import (
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
	edits = append(edits, eachNumbers(tokens)...)
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
	if text, ok := c.literal(tokens, 0); c.arguments() == 1 && (!ok || !strings.EqualFold(text, "now")) {
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
