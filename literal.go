package planeql

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// literal gives a Go value as a literal of SQL, so that an argument of Query
// binds to a parameter of a method like a value that was written there.
func literal(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "NULL", nil
	case string:
		return syntax.QuoteText(v), nil
	case []byte:
		return "from_hex('" + hex.EncodeToString(v) + "')", nil
	case json.RawMessage:
		return syntax.QuoteText(string(v)) + "::JSON", nil
	case time.Time:
		return "TIMESTAMPTZ '" + v.UTC().Format("2006-01-02 15:04:05.999999") + "+00'", nil
	case time.Duration:
		return strconv.FormatInt(v.Microseconds(), 10) + " * INTERVAL 1 MICROSECOND", nil
	}
	return literalOfKind(reflect.ValueOf(value))
}

func literalOfKind(v reflect.Value) (string, error) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "NULL", nil
	case v.Kind() == reflect.Pointer:
		return literal(v.Elem().Interface())
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), nil
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, 64) + "::DOUBLE", nil
	case v.Kind() == reflect.String:
		return syntax.QuoteText(v.String()), nil
	}
	return "", fault.New(fault.InvalidValue, "an argument of type %s cannot be used in a statement", v.Type()).
		WithHint("give it as text, a number, a boolean, a time or bytes")
}

// literals gives the arguments of Query as literals.
func literals(args []any) ([]string, error) {
	list := make([]string, len(args))
	for i, a := range args {
		text, err := literal(a)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		list[i] = text
	}
	return list, nil
}
