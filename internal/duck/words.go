package duck

import (
	"regexp"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// sentences gives common messages of DuckDB in the words that the rest of
// planeql has for the same mistake. DuckDB keeps its texts from release to
// release more than its codes, so a text that is not known stays as it is.
var sentences = []struct {
	pattern *regexp.Regexp
	words   string
}{
	{regexp.MustCompile(`^(?:Scalar|Aggregate|Macro) Function with name "?([^" ]+)"? does not exist`), `there is no function "$1"`},
	{regexp.MustCompile(`^Table Function with name "?([^" ]+)"? does not exist`), `there is no table function "$1"`},
	{regexp.MustCompile(`^Table with name "?([^" ]+)"? does not exist`), `there is no table "$1"`},
	{regexp.MustCompile(`^Catalog "?([^" ]+)"? does not exist`), `there is no provider or database "$1"`},
	{regexp.MustCompile(`^Referenced column "?([^" ]+)"? not found in FROM clause`), `there is no column "$1"`},
	{regexp.MustCompile(`^unrecognized configuration parameter "?([^" ]+)"?`), `there is no setting "$1"`},
	{regexp.MustCompile(`^(No function matches .*) You might need to add explicit type casts\.`), `$1`},
	{regexp.MustCompile(`^No files found that match the pattern "?([^"]+)"?`), `there is no file "$1"`},
	{regexp.MustCompile(`^Values were not provided for the following prepared statement parameters: (.+)`), `no value is given for argument $1`},
}

// inWords gives the first line of a message.
func inWords(text string) string {
	text = strings.TrimSuffix(strings.TrimSpace(text), "!")
	for _, s := range sentences {
		if m := s.pattern.FindStringSubmatchIndex(text); m != nil {
			return strings.TrimSuffix(lowerFirst(string(s.pattern.ExpandString(nil, s.words, text, m))), ".")
		}
	}
	return strings.TrimSuffix(lowerFirst(text), ".")
}

var (
	quotedNames = regexp.MustCompile(`"([^"]+)"`)
	ownTables   = regexp.MustCompile(`^(pg_|duckdb_|sqlite_|pragma_|main\.|system\.)`)
)

// mostCandidates is how many ways to call a function are shown: DuckDB lists
// all, which for an operator fills a screen.
const mostCandidates = 4

// advice gives the hint from what DuckDB adds to a message: near names without
// its internal tables, or the first of the ways to call a function.
func advice(code fault.Code, rest []string) string {
	text := strings.TrimSpace(strings.Join(rest, "\n"))
	switch {
	case strings.HasPrefix(text, "Did you mean"), strings.HasPrefix(text, "Candidate bindings"):
		if names := nearNames(text); len(names) > 0 {
			return "did you mean " + strings.Join(names, " or ") + "?"
		}
	case strings.HasPrefix(text, "Candidate functions"):
		return "cast the values to types that it takes:" + firstLines(text, mostCandidates)
	case text != "":
		return text
	}
	return usual[code]
}

// usual is the advice for messages that come without one.
var usual = map[fault.Code]string{
	fault.UndefinedTable:  "SHOW PROVIDERS lists what can be read, SHOW TABLES the tables of the session",
	fault.UndefinedColumn: "DESCRIBE lists the columns of a table or resource",
	fault.UndefinedMethod: "SELECT DISTINCT function_name FROM duckdb_functions() lists the functions",
	fault.TypeMismatch:    "TRY_CAST(… AS …) gives NULL where a value does not fit",
	fault.DataException:   "the expression or file at hand is DuckDB's to read; its documentation describes both",
}

func nearNames(text string) []string {
	var names []string
	for _, m := range quotedNames.FindAllStringSubmatch(text, -1) {
		if !ownTables.MatchString(m[1]) && len(names) < 3 {
			names = append(names, m[1])
		}
	}
	return names
}

func firstLines(text string, n int) string {
	lines := strings.Split(text, "\n")[1:]
	var b strings.Builder
	for i, line := range lines {
		if i == n {
			b.WriteString("\n…")
			break
		}
		b.WriteString("\n" + strings.TrimSpace(line))
	}
	return b.String()
}
