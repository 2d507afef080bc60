package render

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// kind is what a column's type means for the form of its values.
type kind int

const (
	textual kind = iota
	numeric      // right-aligned in tables
	date
	clock // a time of day
)

// numbers are DuckDB's numeric types without their parameters.
var numbers = map[string]bool{
	"TINYINT": true, "SMALLINT": true, "INTEGER": true, "BIGINT": true, "HUGEINT": true,
	"UTINYINT": true, "USMALLINT": true, "UINTEGER": true, "UBIGINT": true, "UHUGEINT": true,
	"FLOAT": true, "DOUBLE": true, "DECIMAL": true, "BIGNUM": true, "VARINT": true,
}

func kindOf(typ string) kind {
	if strings.HasSuffix(typ, "]") { // a list of numbers is no number
		return textual
	}
	name, _, _ := strings.Cut(strings.ToUpper(typ), "(")
	switch {
	case numbers[name]:
		return numeric
	case name == "DATE":
		return date
	case name == "TIME":
		return clock
	default:
		return textual
	}
}

func kindsOf(columns []Column) []kind {
	kinds := make([]kind, len(columns))
	for i, c := range columns {
		kinds[i] = kindOf(c.Type)
	}
	return kinds
}

// appendText appends the plain form of a value that is not NULL: the one of
// csv, tsv, markdown and, after [visible], of tables. Numbers have no thousands
// separators, times are RFC 3339, JSON is compact, binary data is base64.
func appendText(dst []byte, v any, k kind) []byte {
	switch v := v.(type) {
	case string:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case *big.Int:
		return v.Append(dst, 10)
	case json.Number:
		return append(dst, v...)
	case time.Time:
		return v.AppendFormat(dst, layout(k))
	case json.RawMessage:
		return appendCompact(dst, v)
	case []byte:
		return base64.StdEncoding.AppendEncode(dst, v)
	default:
		return fmt.Append(dst, v)
	}
}

// layout is the form of a time: RFC 3339 for points in time, with as many
// fractional digits as there are.
func layout(k kind) string {
	switch k {
	case date:
		return time.DateOnly
	case clock:
		return "15:04:05.999999"
	default:
		return time.RFC3339Nano
	}
}

// appendFloat appends the shortest digits that read back as the same number,
// with an exponent only where JavaScript would write one (ECMA-262,
// Number::toString), which is what readers of JSON expect.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// appendCompact appends JSON text without white space; order of members and
// digits of numbers stay. Text that is no JSON is appended as it is.
func appendCompact(dst []byte, raw []byte) []byte {
	buf := bytes.NewBuffer(dst)
	if err := json.Compact(buf, raw); err != nil {
		return append(dst, raw...)
	}
	return buf.Bytes()
}

// appendJSON appends a value as JSON. What JSON has no number for (NaN and the
// infinities) becomes a string, so that the output always parses.
func appendJSON(dst []byte, v any, k kind) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool, int64, uint64, *big.Int:
		return appendText(dst, v, k)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(appendFloat(append(dst, '"'), v), '"')
		}
		return appendFloat(dst, v)
	case json.Number:
		return appendNumber(dst, string(v))
	case string:
		return appendQuoted(dst, v)
	case json.RawMessage:
		if json.Valid(v) {
			return appendCompact(dst, v)
		}
		return appendQuoted(dst, string(v))
	default:
		return appendQuoted(dst, string(appendText(nil, v, k)))
	}
}

// appendNumber appends exact decimal digits as a JSON number, or quoted where
// JSON would not take them.
func appendNumber(dst []byte, digits string) []byte {
	if json.Valid([]byte(digits)) {
		return append(dst, digits...)
	}
	return appendQuoted(dst, digits)
}

// appendQuoted appends a JSON string without HTML escapes; bytes that are not
// UTF-8 become the replacement character, so the error says nothing new.
func appendQuoted(dst []byte, text string) []byte {
	quoted, _ := jsontext.AppendQuote(dst, text)
	return quoted
}

// visible makes text safe for one line of a terminal: a control character
// becomes its picture from Unicode's block of them, so that no value can move
// the cursor or hide what follows.
func visible(text string) string {
	if strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n':
			return '␤'
		case r < 0x20:
			return 0x2400 + r
		case isControl(r):
			return '␦'
		default:
			return r
		}
	}, text)
}

// isControl tells the characters of C0 and C1, delete, and those that turn the
// direction of text around.
func isControl(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func list(names []string) string { return strings.Join(names, ", ") }
