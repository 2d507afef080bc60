package duck

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/planeql/planeql/internal/fault"
)

// names of the types that have no parameters.
var names = map[bindings.Type]string{
	bindings.TypeBoolean: "BOOLEAN", bindings.TypeTinyInt: "TINYINT", bindings.TypeSmallInt: "SMALLINT",
	bindings.TypeInteger: "INTEGER", bindings.TypeBigInt: "BIGINT", bindings.TypeUTinyInt: "UTINYINT",
	bindings.TypeUSmallInt: "USMALLINT", bindings.TypeUInteger: "UINTEGER", bindings.TypeUBigInt: "UBIGINT",
	bindings.TypeFloat: "FLOAT", bindings.TypeDouble: "DOUBLE", bindings.TypeTimestamp: "TIMESTAMP",
	bindings.TypeDate: "DATE", bindings.TypeTime: "TIME", bindings.TypeInterval: "INTERVAL",
	bindings.TypeHugeInt: "HUGEINT", bindings.TypeUHugeInt: "UHUGEINT", bindings.TypeVarchar: "VARCHAR",
	bindings.TypeBlob: "BLOB", bindings.TypeTimestampS: "TIMESTAMP_S", bindings.TypeTimestampMS: "TIMESTAMP_MS",
	bindings.TypeTimestampNS: "TIMESTAMP_NS", bindings.TypeUUID: "UUID", bindings.TypeBit: "BIT",
	bindings.TypeTimeTZ: "TIME WITH TIME ZONE", bindings.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE",
	bindings.TypeBigNum: "BIGNUM", bindings.TypeSQLNull: "NULL", bindings.TypeEnum: "ENUM",
	bindings.TypeUnion: "UNION", bindings.TypeTimeNS: "TIME_NS", bindings.TypeGeometry: "GEOMETRY", bindings.TypeVariant: "VARIANT",
}

// shape is a type with what is needed to read its values. It is made once for
// a statement and holds nothing of DuckDB's memory.
type shape struct {
	name    string // DuckDB's
	id      bindings.Type
	read    readValue     // nil: the type has parts, or cannot be read
	storage bindings.Type // of DECIMAL and ENUM: the integer below
	scale   int           // of DECIMAL
	size    int           // of ARRAY
	words   []string      // of ENUM
	members []string      // of STRUCT and UNION, beside below
	below   []*shape
}

// shapeOf describes a type. A name that a user gave a type is only its name:
// how the values are stored follows from what stands behind it.
func shapeOf(t bindings.LogicalType) *shape {
	s := &shape{id: bindings.GetTypeId(t)}
	s.read = plain(s.id)
	s.parts(t)
	s.name = s.typeName()
	if alias := bindings.LogicalTypeGetAlias(t); alias != "" {
		s.name = alias
	}
	if s.id == bindings.TypeVarchar && s.name == "JSON" {
		s.read = readJSON
	}
	return s
}

func readJSON(v *vector, row int) any { return json.RawMessage(v.bytes(row)) }

// parts fills in what a type is made of.
func (s *shape) parts(t bindings.LogicalType) {
	switch s.id {
	case bindings.TypeDecimal:
		s.storage, s.scale = bindings.DecimalInternalType(t), int(bindings.DecimalScale(t))
		s.size = int(bindings.DecimalWidth(t))
	case bindings.TypeEnum:
		s.storage = bindings.EnumInternalType(t)
		for i := range bindings.EnumDictionarySize(t) {
			s.words = append(s.words, bindings.EnumDictionaryValue(t, bindings.IdxT(i)))
		}
	case bindings.TypeList:
		s.add("", bindings.ListTypeChildType(t))
	case bindings.TypeArray:
		s.size = int(bindings.ArrayTypeArraySize(t))
		s.add("", bindings.ArrayTypeChildType(t))
	case bindings.TypeMap:
		entry := &shape{id: bindings.TypeStruct}
		entry.add("key", bindings.MapTypeKeyType(t))
		entry.add("value", bindings.MapTypeValueType(t))
		s.below = []*shape{entry}
	case bindings.TypeUnion:
		s.add("", bindings.CreateLogicalType(bindings.TypeUTinyInt))
		for i := range bindings.UnionTypeMemberCount(t) {
			s.add(bindings.UnionTypeMemberName(t, i), bindings.UnionTypeMemberType(t, i))
		}
	case bindings.TypeStruct:
		for i := range bindings.StructTypeChildCount(t) {
			s.add(bindings.StructTypeChildName(t, i), bindings.StructTypeChildType(t, i))
		}
	}
}

// add adds a part and drops DuckDB's description of it.
func (s *shape) add(name string, t bindings.LogicalType) {
	defer bindings.DestroyLogicalType(&t)
	s.members = append(s.members, name)
	s.below = append(s.below, shapeOf(t))
}

// typeName gives the name DuckDB has for a type that has none of its own.
func (s *shape) typeName() string {
	switch s.id {
	case bindings.TypeDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", s.size, s.scale)
	case bindings.TypeList:
		return s.below[0].name + "[]"
	case bindings.TypeArray:
		return fmt.Sprintf("%s[%d]", s.below[0].name, s.size)
	case bindings.TypeMap:
		entry := s.below[0]
		return "MAP(" + entry.below[0].name + ", " + entry.below[1].name + ")"
	case bindings.TypeStruct:
		return "STRUCT(" + s.memberList(0) + ")"
	case bindings.TypeUnion:
		return "UNION(" + s.memberList(1) + ")"
	}
	if name, ok := names[s.id]; ok {
		return name
	}
	return fmt.Sprintf("TYPE %d", s.id)
}

var simpleName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (s *shape) memberList(from int) string {
	var list []string
	for i, part := range s.below[from:] {
		name := s.members[from+i]
		if !simpleName.MatchString(name) {
			name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
		list = append(list, name+" "+part.name)
	}
	return strings.Join(list, ", ")
}

// nested tells whether a type's values are given as JSON made of its parts.
func (s *shape) nested() bool { return len(s.below) > 0 }

// readable tells whether the values can be read here, with all their parts.
func (s *shape) readable() bool {
	for _, part := range s.below {
		if !part.readable() {
			return false
		}
	}
	return s.nested() || s.read != nil
}

// wrap gives the query inside another one that turns the rare types that are
// not read here (VARIANT, GEOMETRY, BIGNUM) into JSON or text, which DuckDB does
// itself. Only a query can stand inside another one.
func (r *Rows) wrap() (text string, wrapped bool, err error) {
	var list []string
	for i, s := range r.shapes {
		column := fmt.Sprintf("#%d", i+1)
		switch {
		case s.readable():
		case s.nested(), s.id == bindings.TypeVariant:
			column, wrapped = "to_json("+column+")", true
		default:
			column, wrapped = column+"::VARCHAR", true
		}
		list = append(list, column)
	}
	if !wrapped {
		return "", false, nil
	}
	if bindings.PreparedStatementType(r.statement) != bindings.StatementTypeSelect {
		return "", false, fault.Unsupported("a column of type VARIANT, GEOMETRY or BIGNUM in what is no SELECT").
			WithHint("cast it to VARCHAR")
	}
	before := "SELECT " + strings.Join(list, ", ") + " FROM ("
	r.shift = len(before)
	return before + strings.TrimRight(r.query, "; \t\r\n") + "\n)", true, nil
}
