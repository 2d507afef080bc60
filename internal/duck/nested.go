package duck

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/go-json-experiment/json/jsontext"
)

// appendNested appends a value of a type with parts as JSON: members in the
// type's order, times in RFC 3339, binary data in base64, JSON inside as its
// own bytes. DuckDB's to_json would round and rewrite some of that.
func (v *vector) appendNested(dst []byte, row int) []byte {
	switch v.id {
	case bindings.TypeList:
		entry := at[[2]uint64](v, row)
		return v.below[0].appendList(dst, int(entry[0]), int(entry[1]))
	case bindings.TypeArray:
		return v.below[0].appendList(dst, row*v.size, v.size)
	case bindings.TypeMap:
		entry := at[[2]uint64](v, row)
		return v.below[0].appendMap(dst, int(entry[0]), int(entry[1]))
	case bindings.TypeUnion:
		tag := int(at[uint8](&v.below[0], row)) + 1
		dst = append(appendQuoted(append(dst, '{'), v.members[tag]), ':')
		return append(v.below[tag].appendJSON(dst, row), '}')
	default:
		dst = append(dst, '{')
		for i := range v.below {
			dst = append(appendQuoted(comma(dst, i), v.members[i]), ':')
			dst = v.below[i].appendJSON(dst, row)
		}
		return append(dst, '}')
	}
}

func (v *vector) appendList(dst []byte, from, n int) []byte {
	dst = append(dst, '[')
	for i := range n {
		dst = v.appendJSON(comma(dst, i), from+i)
	}
	return append(dst, ']')
}

// appendMap appends the entries of a map, which are structures of key and
// value: as members of an object where the keys are text, else as a list, since
// JSON has no other keys.
func (v *vector) appendMap(dst []byte, from, n int) []byte {
	key, value := &v.below[0], &v.below[1]
	if key.id != bindings.TypeVarchar && key.id != bindings.TypeEnum {
		return v.appendList(dst, from, n)
	}
	dst = append(dst, '{')
	for i := range n {
		dst = append(key.appendJSON(comma(dst, i), from+i), ':')
		dst = value.appendJSON(dst, from+i)
	}
	return append(dst, '}')
}

// comma separates the part with this number from the one before.
func comma(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}

// appendJSON appends any value as JSON.
func (v *vector) appendJSON(dst []byte, row int) []byte {
	if v.null(row) {
		return append(dst, "null"...)
	}
	if v.nested() {
		return v.appendNested(dst, row)
	}
	switch value := v.read(v, row).(type) {
	case nil:
		return append(dst, "null"...)
	case json.RawMessage:
		return append(dst, value...)
	case bool:
		return strconv.AppendBool(dst, value)
	case int64:
		return strconv.AppendInt(dst, value, 10)
	case uint64:
		return strconv.AppendUint(dst, value, 10)
	case *big.Int:
		return value.Append(dst, 10)
	case Number:
		return append(dst, value...)
	case float64:
		return appendFloat(dst, value)
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), value), '"')
	case time.Time:
		return append(value.AppendFormat(append(dst, '"'), v.layout()), '"')
	default:
		return appendQuoted(dst, fmt.Sprint(value))
	}
}

// layout is the form of a time inside JSON.
func (v *vector) layout() string {
	if v.id == bindings.TypeDate {
		return time.DateOnly
	}
	return time.RFC3339Nano
}

// appendFloat appends the shortest digits; what JSON has no number for becomes
// text.
func appendFloat(dst []byte, f float64) []byte {
	switch size := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	case size != 0 && (size < 1e-6 || size >= 1e21):
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// appendQuoted appends a JSON string. DuckDB's text is UTF-8 already, so the
// error says nothing.
func appendQuoted(dst []byte, text string) []byte {
	quoted, _ := jsontext.AppendQuote(dst, text)
	return quoted
}
