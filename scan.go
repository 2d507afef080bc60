package planeql

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/planeql/planeql/internal/fault"
)

// Scan copies the row into the places that dest points to, which may be *any,
// sql.Scanner, or pointers to text, bytes, booleans, numbers and time.Time. A
// NULL leaves the zero value; a pointer to a pointer tells it apart.
func (r *Rows) Scan(dest ...any) error {
	values := r.Values()
	if len(dest) != len(values) {
		return fault.New(fault.InvalidValue, "the row has %d columns and Scan was given %d places", len(values), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, values[i]); err != nil {
			return fault.New(fault.TypeMismatch, "column %q: %v", r.columns[i].Name, err)
		}
	}
	return nil
}

func assign(dest, value any) error {
	switch d := dest.(type) {
	case *any:
		*d = value
		return nil
	case sql.Scanner:
		return d.Scan(plain(value))
	case *string:
		*d = text(value)
		return nil
	case *[]byte:
		*d = []byte(text(value))
		return nil
	}
	to := reflect.ValueOf(dest)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		return fmt.Errorf("%T is not a place to put a value", dest)
	}
	return assignReflect(to.Elem(), value)
}

// plain gives a value in one of the types that database/sql knows.
func plain(value any) any {
	switch v := value.(type) {
	case json.RawMessage:
		return string(v)
	case Number:
		return string(v)
	case uint64, fmt.Stringer:
		if _, isTime := value.(interface{ Unix() int64 }); !isTime {
			return fmt.Sprint(v)
		}
	}
	return value
}

// text gives a value as text; NULL is empty.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(value)
}

func assignReflect(to reflect.Value, value any) error {
	if to.Kind() == reflect.Pointer {
		if value == nil {
			to.SetZero()
			return nil
		}
		to.Set(reflect.New(to.Type().Elem()))
		return assignReflect(to.Elem(), value)
	}
	if value == nil {
		to.SetZero()
		return nil
	}
	from := reflect.ValueOf(value)
	if from.Type().AssignableTo(to.Type()) {
		to.Set(from)
		return nil
	}
	return convert(to, from, value)
}

// convert puts a number into a number of another size, if it fits.
func convert(to, from reflect.Value, value any) error {
	misfit := fmt.Errorf("%v (%T) does not fit %s", value, value, to.Type())
	switch {
	case to.CanInt() && from.CanInt() && !to.OverflowInt(from.Int()):
		to.SetInt(from.Int())
	case to.CanUint() && from.CanInt() && from.Int() >= 0 && !to.OverflowUint(uint64(from.Int())):
		to.SetUint(uint64(from.Int()))
	case to.CanUint() && from.CanUint() && !to.OverflowUint(from.Uint()):
		to.SetUint(from.Uint())
	case to.CanFloat() && from.CanFloat():
		to.SetFloat(from.Float())
	case to.CanFloat() && from.CanInt():
		to.SetFloat(float64(from.Int()))
	case to.CanFloat() && from.Kind() == reflect.String:
		f, err := strconv.ParseFloat(from.String(), 64)
		if err != nil {
			return misfit
		}
		to.SetFloat(f)
	case to.Kind() == reflect.String && from.Kind() == reflect.String:
		to.SetString(from.String())
	default:
		return misfit
	}
	return nil
}
