package duck

import (
	"regexp"
	"strings"
)

// instead gives for functions of SQLite and MySQL that DuckDB has not, and that
// no macro stands for, what to write.
var instead = map[string]string{
	"json_set":       `json_merge_patch(json, '{"member": "value"}') sets a member`,
	"json_insert":    `json_merge_patch(json, '{"member": "value"}') sets a member`,
	"json_replace":   `json_merge_patch(json, '{"member": "value"}') sets a member`,
	"json_remove":    `json_merge_patch(json, '{"member": null}') takes a member out`,
	"like":           "write a LIKE 'pattern%', or a ILIKE 'pattern%' where case does not matter",
	"timediff":       "subtract the times, a - b, or count with date_diff('second', b, a)",
	"timestampadd":   "add an interval: time + INTERVAL 1 DAY",
	"date_add":       "add an interval: time + INTERVAL 1 DAY",
	"timestampdiff":  "date_diff('day', a, b) counts days from a to b",
	"date_format":    "strftime(time, '%Y-%m-%d') gives a time as text",
	"str_to_date":    "strptime(text, '%Y-%m-%d') reads a time from text",
	"from_unixtime":  "to_timestamp(seconds) gives the time",
	"unix_timestamp": "epoch(time) gives seconds since 1970",
	"zeroblob":       `repeat('\x00'::BLOB, n) gives n zero bytes`,
	"soundex":        "levenshtein(a, b) and jaro_winkler_similarity(a, b) compare words",
	"char_length":    "length(text) counts characters",
	"find_in_set":    "list_position(string_split(list, ','), text) gives the place",
	"sqlite_version": "version() gives DuckDB's",
	"!":              "write NOT",
	"&&":             "write AND; && is true for lists that have an element in common",
	"<=>":            "write a IS NOT DISTINCT FROM b, which is true for two NULLs",
	"max":            "greatest(a, b, …) gives the largest of several values; max(a) is over rows",
	"min":            "least(a, b, …) gives the smallest of several values; min(a) is over rows",
	"strftime":       "the forms are strftime(time, '%Y-%m-%d') and strftime('%Y-%m-%d', time); cast a text to TIMESTAMP",
	"+":              "cast the values to numbers, as in CAST(a AS DOUBLE) + 1; || joins texts",
	"sum":            "cast the values to a number: sum(CAST(a AS DOUBLE)); a member read as properties.name has the type of its schema",
	"avg":            "cast the values to a number: avg(CAST(a AS DOUBLE)); a member read as properties.name has the type of its schema",
}

// textOnly are functions and operators that take text alone.
var textOnly = map[string]bool{"~~": true, "~~*": true, "!~~": true, "!~~*": true, "substr": true, "substring": true, "string_split": true, "split_part": true, "left": true}

// namedFunction finds the function in DuckDB's messages about a call that it
// cannot make.
var namedFunction = regexp.MustCompile(`(?:^there is no function "|given name and argument types '|for the function call ")([^"'(]+)`)

// functionAdvice gives what to write instead of a call or comparison that
// DuckDB refuses, or "".
func functionAdvice(message string) string {
	if strings.HasPrefix(message, "malformed JSON") {
		return "JSON is expected here; to compare a member with a text write value ->> 'member' = 'text'"
	}
	if strings.HasPrefix(message, "cannot compare values of type VARCHAR") {
		return "cast the text: CAST(a AS DOUBLE) > 1; a member read as properties.name has the type of its schema"
	}
	m := namedFunction.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	name := strings.ToLower(m[1])
	if textOnly[name] && strings.Contains(message, "TIMESTAMP") {
		return "a time is no text: compare it, as in time >= '2026-01-31', or take text from it with strftime(time, '%Y-%m-%d')"
	}
	if strings.HasPrefix(name, "jsonb_") {
		return "DuckDB's functions have the name json_" + name[len("jsonb_"):]
	}
	return instead[name]
}

// userNames are the names that users know the macros of package syntax by.
var userNames = strings.NewReplacer(
	"planeql_json_number", "json_extract", "planeql_timetext", "time", "planeql_greatest", "max", "planeql_least", "min",
	"planeql_json_", "json_", "planeql_regexp_replace", "regexp_replace", "planeql_glob", "glob", "planeql_date", "date",
	"planeql_typeof", "typeof",
)
