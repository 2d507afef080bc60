package duck

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/planeql/planeql/internal/fault"
)

// located is an error at an offset of the SQL that was run.
type located struct {
	fault  *fault.Error
	offset int
}

func (e *located) Error() string { return e.fault.Error() }

func (e *located) Unwrap() error { return e.fault }

// Offset gives the byte offset in the SQL that was run at which DuckDB found
// an error.
func Offset(err error) (offset int, ok bool) {
	if l, is := errors.AsType[*located](err); is {
		return l.offset, true
	}
	return 0, false
}

// kinds maps the beginnings of DuckDB's messages to codes.
var kinds = []struct {
	prefix string
	code   fault.Code
}{
	{"Parser Error", fault.SyntaxError},
	{"Syntax Error", fault.SyntaxError},
	{"Catalog Error", fault.UndefinedTable},
	{"Binder Error", fault.DataException},
	{"Conversion Error", fault.TypeMismatch},
	{"Mismatch Type Error", fault.TypeMismatch},
	{"Invalid Type Error", fault.TypeMismatch},
	{"Out of Range Error", fault.InvalidValue},
	{"Invalid Input Error", fault.InvalidValue},
	{"Not implemented Error", fault.NotSupported},
	{"Permission Error", fault.NotSupported},
	{"INTERRUPT Error", fault.Cancelled},
	{"INTERNAL Error", fault.Internal},
	{"Out of Memory Error", fault.LimitReached},
	{"IO Error", fault.DataException},
}

// position finds DuckDB's caret: the line of the text it shows, cut at the
// front where it is long, and the column of the caret below it.
var position = regexp.MustCompile(`(?m)\n\nLINE (\d+): (.*)\n( *)\^`)

// ownFunction stands before the error of a function that this program gives DuckDB.
const ownFunction = "database/sql/driver: API error: "

// translate makes a fault of a message of DuckDB about a query.
func translate(message, query string) error {
	message = strings.TrimSpace(message)
	if e := errorJSON(message); e != "" {
		message = e
	}
	code := fault.DataException
	text := message
	for _, k := range kinds {
		if rest, ok := strings.CutPrefix(message, k.prefix+": "); ok {
			code, text = k.code, rest
			break
		}
	}
	text = strings.TrimPrefix(text, ownFunction)
	offset, located_ := caret(message, query)
	text = position.ReplaceAllString("\n\n"+text, "")
	front := min(2, len(text)) // of the line ends put before it
	if i := strings.Index(text[front:], "\n\nLINE "); i >= 0 {
		text = text[:front+i]
	}
	lines := strings.Split(userNames.Replace(strings.TrimSpace(text)), "\n")
	code = refine(code, lines[0])
	e := fault.New(code, "%s", inWords(lines[0]))
	hint := functionAdvice(e.Message)
	if hint == "" {
		hint = advice(code, lines[1:])
	}
	if hint != "" {
		e = e.WithHint("%s", hint)
	}
	if m := missingCatalog.FindStringSubmatch(lines[0]); m != nil && !located_ {
		offset = strings.Index(query, m[1]+".") // DuckDB does not say where
		located_ = offset >= 0
	}
	if !located_ {
		return e
	}
	return &located{e, offset}
}

var missingCatalog = regexp.MustCompile(`^Catalog "([^"]+)" does not exist`)

// errorJSON gives the message of an error in DuckDB's JSON form.
func errorJSON(message string) string {
	if !strings.HasPrefix(message, "{") {
		return ""
	}
	var says struct {
		Type    string `json:"exception_type"`
		Message string `json:"exception_message"`
	}
	if json.Unmarshal([]byte(message), &says) != nil {
		return ""
	}
	return says.Type + " Error: " + says.Message
}

// refine tells the errors of DuckDB's binder and catalog apart by their words.
func refine(code fault.Code, text string) fault.Code {
	for words, better := range map[string]fault.Code{
		"Referenced column": fault.UndefinedColumn, "does not have a column named": fault.UndefinedColumn,
		"Ambiguous reference": fault.AmbiguousColumn, "Function with name": fault.UndefinedMethod,
		"No function matches": fault.UndefinedMethod, "Table with name": fault.UndefinedTable,
		"Referenced table": fault.UndefinedTable, "Scalar Function with name": fault.UndefinedMethod,
		"Catalog \"": fault.UndefinedTable,
	} {
		if strings.Contains(text, words) {
			return better
		}
	}
	if code == fault.UndefinedTable && strings.Contains(text, "unrecognized configuration parameter") {
		return fault.UndefinedParameter
	}
	return code
}

// caret gives the offset in the query that DuckDB's caret points to. The line
// it shows may be cut at both ends, so the text under the caret is looked for
// in that line of the query.
func caret(message, query string) (int, bool) {
	m := position.FindStringSubmatch(message)
	if m == nil {
		return 0, false
	}
	number, _ := strconv.Atoi(m[1])
	shown := m[2]
	column := len(m[3]) - len("LINE "+m[1]+": ")
	if column < 0 {
		return 0, false
	}
	start := 0
	for range number - 1 {
		i := strings.IndexByte(query[start:], '\n')
		if i < 0 {
			return 0, false
		}
		start += i + 1
	}
	line, _, _ := strings.Cut(query[start:], "\n")
	front := strings.HasPrefix(shown, "...")
	visible := strings.TrimSuffix(strings.TrimPrefix(shown, "..."), "...")
	if front {
		column -= len("...")
	}
	at := strings.Index(line, visible)
	if at < 0 || column < 0 {
		return start, true
	}
	return start + min(at+column, len(line)), true
}

// asFault makes a fault of an error of the driver.
func asFault(err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return endedBy(err, err)
	}
	return translate(err.Error(), "")
}

// lowerFirst puts the first letter in lower case, unless the word is an
// abbreviation.
func lowerFirst(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	if second, _ := utf8.DecodeRuneInString(text[size:]); size == 0 || unicode.IsUpper(second) {
		return text
	}
	return string(unicode.ToLower(r)) + text[size:]
}
