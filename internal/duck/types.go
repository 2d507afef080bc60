package duck

import (
	"fmt"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"
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

// typeName gives DuckDB's name of a type.
func typeName(t bindings.LogicalType) string {
	if alias := bindings.LogicalTypeGetAlias(t); alias != "" {
		return alias
	}
	below := func(child bindings.LogicalType) string {
		defer bindings.DestroyLogicalType(&child)
		return typeName(child)
	}
	switch id := bindings.GetTypeId(t); id {
	case bindings.TypeDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", bindings.DecimalWidth(t), bindings.DecimalScale(t))
	case bindings.TypeList:
		return below(bindings.ListTypeChildType(t)) + "[]"
	case bindings.TypeArray:
		return fmt.Sprintf("%s[%d]", below(bindings.ArrayTypeChildType(t)), bindings.ArrayTypeArraySize(t))
	case bindings.TypeMap:
		return "MAP(" + below(bindings.MapTypeKeyType(t)) + ", " + below(bindings.MapTypeValueType(t)) + ")"
	case bindings.TypeStruct:
		var members []string
		for i := range bindings.StructTypeChildCount(t) {
			members = append(members, bindings.StructTypeChildName(t, i)+" "+below(bindings.StructTypeChildType(t, i)))
		}
		return "STRUCT(" + strings.Join(members, ", ") + ")"
	default:
		if name, ok := names[id]; ok {
			return name
		}
		return fmt.Sprintf("TYPE %d", id)
	}
}

// nested tells whether a type's values are given as JSON.
func nested(name string) bool {
	return strings.HasSuffix(name, "]") || strings.HasPrefix(name, "STRUCT(") || strings.HasPrefix(name, "MAP(") ||
		strings.HasPrefix(name, "UNION") || name == "VARIANT"
}

// asText tells whether a type's values are given by DuckDB's own text.
func asText(name string) bool {
	switch name {
	case "TIME", "INTERVAL", "HUGEINT", "UHUGEINT", "UUID", "BIT", "TIME WITH TIME ZONE", "BIGNUM", "ENUM", "TIME_NS", "GEOMETRY":
		return true
	}
	return strings.HasPrefix(name, "DECIMAL(") || strings.HasPrefix(name, "TYPE ")
}

// wrap gives the query inside another one that turns the types that have no
// decoder here into text or JSON, which DuckDB does best itself.
func (r *Rows) wrap() (string, bool) {
	var list []string
	needed := false
	for i, c := range r.columns {
		column := fmt.Sprintf("#%d", i+1)
		switch {
		case nested(c.Type):
			column, needed = "to_json("+column+")::VARCHAR", true
		case asText(c.Type):
			column, needed = column+"::VARCHAR", true
		}
		list = append(list, column)
	}
	if !needed || bindings.PreparedStatementType(r.statement) != bindings.StatementTypeSelect {
		return "", false
	}
	before := "SELECT " + strings.Join(list, ", ") + " FROM ("
	r.shift = len(before)
	return before + r.query + "\n)", true
}
