package duck

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// Number is an exact decimal number as text.
type Number string

// decoder reads the values of a vector.
type decoder struct {
	read     func(data unsafe.Pointer, row int) any
	data     unsafe.Pointer
	validity unsafe.Pointer
}

// value gives the value of a row, nil for NULL. The validity of 64 rows is a
// word of bits, as the C interface of DuckDB describes it.
func (d decoder) value(row int) any {
	if d.validity != nil {
		word := *(*uint64)(unsafe.Add(d.validity, row/64*8))
		if word&(1<<(row%64)) == 0 {
			return nil
		}
	}
	return d.read(d.data, row)
}

// at gives the element of a row.
func at[T any](data unsafe.Pointer, row int) T {
	var zero T
	return *(*T)(unsafe.Add(data, uintptr(row)*unsafe.Sizeof(zero)))
}

// decoders read the values of plain types.
var decoders = map[string]func(unsafe.Pointer, int) any{
	"BOOLEAN":                  func(d unsafe.Pointer, i int) any { return at[bool](d, i) },
	"TINYINT":                  func(d unsafe.Pointer, i int) any { return int64(at[int8](d, i)) },
	"SMALLINT":                 func(d unsafe.Pointer, i int) any { return int64(at[int16](d, i)) },
	"INTEGER":                  func(d unsafe.Pointer, i int) any { return int64(at[int32](d, i)) },
	"BIGINT":                   func(d unsafe.Pointer, i int) any { return at[int64](d, i) },
	"UTINYINT":                 func(d unsafe.Pointer, i int) any { return int64(at[uint8](d, i)) },
	"USMALLINT":                func(d unsafe.Pointer, i int) any { return int64(at[uint16](d, i)) },
	"UINTEGER":                 func(d unsafe.Pointer, i int) any { return int64(at[uint32](d, i)) },
	"UBIGINT":                  func(d unsafe.Pointer, i int) any { return at[uint64](d, i) },
	"FLOAT":                    func(d unsafe.Pointer, i int) any { return shortest(at[float32](d, i)) },
	"DOUBLE":                   func(d unsafe.Pointer, i int) any { return at[float64](d, i) },
	"DATE":                     func(d unsafe.Pointer, i int) any { return time.Unix(int64(at[int32](d, i))*86400, 0).UTC() },
	"TIMESTAMP":                func(d unsafe.Pointer, i int) any { return time.UnixMicro(at[int64](d, i)).UTC() },
	"TIMESTAMP WITH TIME ZONE": func(d unsafe.Pointer, i int) any { return time.UnixMicro(at[int64](d, i)).UTC() },
	"TIMESTAMP_S":              func(d unsafe.Pointer, i int) any { return time.Unix(at[int64](d, i), 0).UTC() },
	"TIMESTAMP_MS":             func(d unsafe.Pointer, i int) any { return time.UnixMilli(at[int64](d, i)).UTC() },
	"TIMESTAMP_NS":             func(d unsafe.Pointer, i int) any { return time.Unix(0, at[int64](d, i)).UTC() },
	"BLOB":                     func(d unsafe.Pointer, i int) any { return []byte(text(d, i)) },
	"JSON":                     func(d unsafe.Pointer, i int) any { return json.RawMessage(text(d, i)) },
	"NULL":                     func(unsafe.Pointer, int) any { return nil },
	"HUGEINT":                  func(d unsafe.Pointer, i int) any { return bigInt(text(d, i)) },
	"UHUGEINT":                 func(d unsafe.Pointer, i int) any { return bigInt(text(d, i)) },
}

// decoderOf gives the decoder for a vector of a column. Types without one of
// their own arrive as text: see wrap.
func decoderOf(v bindings.Vector, name string) decoder {
	d := decoder{data: bindings.VectorGetData(v), validity: bindings.VectorGetValidity(v)}
	switch read, ok := decoders[name]; {
	case ok:
		d.read = read
	case nested(name):
		d.read = decoders["JSON"]
	case strings.HasPrefix(name, "DECIMAL("):
		d.read = func(p unsafe.Pointer, i int) any { return Number(text(p, i)) }
	default:
		d.read = func(p unsafe.Pointer, i int) any { return text(p, i) }
	}
	return d
}

// shortest gives a float32 as the float64 that prints the same.
func shortest(f float32) float64 {
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return wide
}

func bigInt(s string) any {
	if n, ok := new(big.Int).SetString(s, 10); ok {
		return n
	}
	return s
}

// inlined is how many bytes of a string stand in the vector itself.
const inlined = 12

// text copies a string out of a vector. A string is 16 bytes: its length, then
// the text itself where it is short, else four bytes of it and a pointer.
func text(data unsafe.Pointer, row int) string {
	entry := unsafe.Add(data, row*16)
	length := int(*(*uint32)(entry))
	start := unsafe.Add(entry, 4)
	if length > inlined {
		start = *(*unsafe.Pointer)(unsafe.Add(entry, 8))
	}
	return strings.Clone(unsafe.String((*byte)(start), length))
}
