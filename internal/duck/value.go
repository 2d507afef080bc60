package duck

import (
	"encoding/binary"
	"encoding/hex"
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

// vector is the values of a column in one chunk, or of a part of a nested
// column. It is valid as long as its chunk.
type vector struct {
	*shape
	data     unsafe.Pointer
	validity unsafe.Pointer
	below    []vector // as the shape's below
}

// over gives the vector of a shape at the memory of DuckDB's.
func (s *shape) over(v bindings.Vector) vector {
	made := vector{shape: s, data: bindings.VectorGetData(v), validity: bindings.VectorGetValidity(v)}
	for i, child := range s.below {
		made.below = append(made.below, child.over(s.childOf(v, i)))
	}
	return made
}

// childOf gives the part of a vector that holds a child of its shape. A map is
// a list of structures; a union is a structure whose first member is the tag.
func (s *shape) childOf(v bindings.Vector, i int) bindings.Vector {
	switch s.id {
	case bindings.TypeList, bindings.TypeMap:
		return bindings.ListVectorGetChild(v)
	case bindings.TypeArray:
		return bindings.ArrayVectorGetChild(v)
	default:
		return bindings.StructVectorGetChild(v, bindings.IdxT(i))
	}
}

// value gives the value of a row, nil for NULL. Nothing of it is DuckDB's
// memory.
func (v *vector) value(row int) any {
	switch {
	case v.null(row):
		return nil
	case v.nested():
		return json.RawMessage(v.appendNested(nil, row))
	default:
		return v.read(v, row)
	}
}

// null reads the validity: a bit for each row in words of 64, none at all where
// nothing is NULL.
func (v *vector) null(row int) bool {
	return v.validity != nil && *(*uint64)(unsafe.Add(v.validity, row/64*8))&(1<<(row%64)) == 0
}

// at gives the element of a row.
func at[T any](v *vector, row int) T {
	var zero T
	return *(*T)(unsafe.Add(v.data, uintptr(row)*unsafe.Sizeof(zero)))
}

// integer reads an integer of the given width.
func integer[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](v *vector, row int) any {
	return int64(at[T](v, row))
}

// readValue reads a value that is not NULL.
type readValue func(v *vector, row int) any

// plain gives how the values of a type without parts are read; nil: they are
// not, see wrap.
func plain(id bindings.Type) readValue {
	switch id {
	case bindings.TypeBoolean:
		return func(v *vector, row int) any { return at[bool](v, row) }
	case bindings.TypeTinyInt:
		return integer[int8]
	case bindings.TypeSmallInt:
		return integer[int16]
	case bindings.TypeInteger:
		return integer[int32]
	case bindings.TypeBigInt:
		return integer[int64]
	case bindings.TypeUTinyInt:
		return integer[uint8]
	case bindings.TypeUSmallInt:
		return integer[uint16]
	case bindings.TypeUInteger:
		return integer[uint32]
	case bindings.TypeUBigInt:
		return func(v *vector, row int) any { return at[uint64](v, row) }
	case bindings.TypeHugeInt, bindings.TypeUHugeInt:
		return func(v *vector, row int) any { return v.huge(row, id == bindings.TypeHugeInt) }
	case bindings.TypeFloat:
		return func(v *vector, row int) any { return shortest(at[float32](v, row)) }
	case bindings.TypeDouble:
		return func(v *vector, row int) any { return at[float64](v, row) }
	case bindings.TypeDecimal:
		return readDecimal
	case bindings.TypeSQLNull:
		return func(*vector, int) any { return nil }
	default:
		return plainText(id)
	}
}

// plainText is plain for the types that are text, bytes or times.
func plainText(id bindings.Type) readValue {
	switch id {
	case bindings.TypeVarchar:
		return func(v *vector, row int) any { return strings.Clone(v.bytes(row)) }
	case bindings.TypeBlob:
		return func(v *vector, row int) any { return []byte(v.bytes(row)) }
	case bindings.TypeEnum:
		return func(v *vector, row int) any { return v.words[v.index(row)] }
	case bindings.TypeUUID:
		return readUUID
	case bindings.TypeBit:
		return func(v *vector, row int) any { return bits(v.bytes(row)) }
	case bindings.TypeDate:
		return readDate
	case bindings.TypeTimestamp, bindings.TypeTimestampTZ:
		return instant(time.UnixMicro)
	case bindings.TypeTimestampS:
		return instant(func(n int64) time.Time { return time.Unix(n, 0) })
	case bindings.TypeTimestampMS:
		return instant(time.UnixMilli)
	case bindings.TypeTimestampNS:
		return instant(func(n int64) time.Time { return time.Unix(0, n) })
	case bindings.TypeTime:
		return func(v *vector, row int) any { return clock(at[int64](v, row)*1000, 6) }
	case bindings.TypeTimeNS:
		return func(v *vector, row int) any { return clock(at[int64](v, row), 9) }
	case bindings.TypeTimeTZ:
		return func(v *vector, row int) any { return zonedClock(at[uint64](v, row)) }
	case bindings.TypeInterval:
		return func(v *vector, row int) any { return interval(at[[2]int32](v, 2*row), at[int64](v, 2*row+1)) }
	default:
		return nil
	}
}

// shortest gives a float32 as the float64 that prints the same.
func shortest(f float32) float64 {
	wide, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return wide
}

// inlined is how many bytes of a string stand in the vector itself.
const inlined = 12

// bytes gives a string in DuckDB's memory. It is 16 bytes: the length, then the
// text itself where it is short, else four bytes of it and a pointer.
func (v *vector) bytes(row int) string {
	entry := unsafe.Add(v.data, row*16)
	length := int(*(*uint32)(entry))
	start := unsafe.Add(entry, 4)
	if length > inlined {
		start = *(*unsafe.Pointer)(unsafe.Add(entry, 8))
	}
	return unsafe.String((*byte)(start), length)
}

// index reads an integer of the width in which an ENUM or DECIMAL is stored.
func (v *vector) index(row int) int64 {
	switch v.storage {
	case bindings.TypeUTinyInt:
		return int64(at[uint8](v, row))
	case bindings.TypeUSmallInt:
		return int64(at[uint16](v, row))
	case bindings.TypeUInteger:
		return int64(at[uint32](v, row))
	case bindings.TypeSmallInt:
		return int64(at[int16](v, row))
	case bindings.TypeInteger:
		return int64(at[int32](v, row))
	default:
		return at[int64](v, row)
	}
}

// huge reads 128 bits, the lower half first.
func (v *vector) huge(row int, signed bool) *big.Int {
	halves := at[[2]uint64](v, row)
	high := new(big.Int).SetUint64(halves[1])
	if signed {
		high.SetInt64(int64(halves[1]))
	}
	return high.Add(high.Lsh(high, 64), new(big.Int).SetUint64(halves[0]))
}

// readDecimal gives an exact number with as many digits behind the point as the
// type has.
func readDecimal(v *vector, row int) any {
	var digits string
	if v.storage == bindings.TypeHugeInt {
		digits = v.huge(row, true).String()
	} else {
		digits = strconv.FormatInt(v.index(row), 10)
	}
	if v.scale == 0 {
		return Number(digits)
	}
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	if missing := v.scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - v.scale
	return Number(sign + digits[:point] + "." + digits[point:])
}

// readUUID gives a UUID as text. DuckDB stores it with its highest bit turned
// over, so that it sorts as a signed number.
func readUUID(v *vector, row int) any {
	halves := at[[2]uint64](v, row)
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], halves[1]^(1<<63))
	binary.BigEndian.PutUint64(raw[8:], halves[0])
	text := hex.EncodeToString(raw[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
