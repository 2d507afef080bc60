package armsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// property gives the schema of a member of an object schema.
func property(s *openapi.Schema, name string) *openapi.Schema {
	for _, m := range s.Members() {
		if strings.EqualFold(m.Name, name) {
			return m.Schema
		}
	}
	return nil
}

// bodyProblem is what is wrong with a request body, in the service's words.
type bodyProblem struct{ code, message string }

// checkBody holds a body against its schema: required members where the whole
// is sent, types everywhere, enumerations where they are closed. Members that
// the schema does not know pass, since services take those of newer versions.
func checkBody(value any, s *openapi.Schema, path string, whole, closed bool) *bodyProblem {
	if s == nil || value == nil {
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		if s.Type != "" && s.Type != "object" {
			return wrongType(path, s.Type, "an object")
		}
		return checkObject(v, s, path, whole, closed)
	case []any:
		if s.Type != "" && s.Type != "array" {
			return wrongType(path, s.Type, "an array")
		}
		for i, e := range v {
			if p := checkBody(e, s.Items(), fmt.Sprintf("%s[%d]", path, i), whole, closed); p != nil {
				return p
			}
		}
		return nil
	default:
		return checkScalar(v, s, path, closed)
	}
}

// checkObject checks the members of an object. Read-only members may be missing
// even where they are required: that is a promise about answers.
func checkObject(v map[string]any, s *openapi.Schema, path string, whole, closed bool) *bodyProblem {
	if whole {
		for _, name := range s.Required {
			if _, given := member(v, name); given || isReadOnly(property(s, name)) {
				continue
			}
			if path == "" && name == "location" {
				return &bodyProblem{"LocationRequired", "The location property is required for this definition."}
			}
			return &bodyProblem{invalidContent, fmt.Sprintf("Required property '%s' was not found in the request body.", join(path, name))}
		}
	}
	for _, name := range sortedKeys(v) {
		if p := checkBody(v[name], property(s, name), join(path, name), whole, closed); p != nil {
			return p
		}
	}
	return nil
}

// isReadOnly is false for a member that the schema does not know.
func isReadOnly(s *openapi.Schema) bool { return s != nil && s.ReadOnly }

// invalidContent is the code for a body that does not fit.
const invalidContent = "InvalidRequestContent"

// wrongType makes the problem of a value of another type than the schema's.
func wrongType(path, want, have string) *bodyProblem {
	return &bodyProblem{invalidContent, fmt.Sprintf(
		"The request content was invalid and could not be deserialized: '%s' should be of type %s and is %s.",
		firstOf(path, "the body"), want, have)}
}

// join writes the path of a member for a message.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// checkScalar checks text, a truth value or a number. An integer is one by its
// text: 5.0 is refused as the service's own deserializer does.
func checkScalar(value any, s *openapi.Schema, path string, closed bool) *bodyProblem {
	have, fits := "", true
	switch v := value.(type) {
	case string:
		have, fits = "a string", s.Type == "" || s.Type == "string"
		if fits && closed && len(s.Enum) > 0 && !enumerated(s.Enum, v) {
			return &bodyProblem{invalidContent, fmt.Sprintf(
				"The value '%s' of '%s' is not one of %s.", v, path, strings.Join(s.Enum, ", "))}
		}
	case bool:
		have, fits = "a boolean", s.Type == "" || s.Type == "boolean"
	case json.Number:
		have, fits = "a number", s.Type == "" || s.Type == "number" || s.Type == "integer"
		if s.Type == "integer" && strings.ContainsAny(v.String(), ".eE") {
			fits = false
		}
	}
	if !fits {
		return wrongType(path, s.Type, have)
	}
	return nil
}

// enumerated compares without case. Shared is an older word for a pooled host
// pool that the service still takes.
func enumerated(values []string, v string) bool {
	return slices.ContainsFunc(values, func(e string) bool { return strings.EqualFold(e, v) }) ||
		v == "" || v == "Shared" && slices.Contains(values, "Pooled")
}

// writable gives a copy of a body without the members that the schema marks
// read-only; the service ignores them.
func writable(value any, s *openapi.Schema) any {
	switch v := value.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, e := range v {
			ps := property(s, name)
			if isReadOnly(ps) {
				continue
			}
			c[name] = writable(e, ps)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = writable(e, s.Items())
		}
		return c
	}
	return value
}

// merge applies a merge patch: objects merge, null removes (or stays as null,
// as services that write all their members have it), everything else replaces.
// Tags replace as a whole. Neither argument is changed.
func merge(into, patch map[string]any, keepNull bool) map[string]any {
	c := make(map[string]any, len(into)+len(patch))
	for k, v := range into {
		c[k] = v
	}
	for name, v := range patch {
		key := spelled(c, name)
		have, isObject := c[key].(map[string]any)
		change, changesObject := v.(map[string]any)
		switch {
		case v == nil && !keepNull:
			delete(c, key)
		case isObject && changesObject && !strings.EqualFold(name, "tags"):
			c[key] = merge(have, change, keepNull)
		default:
			c[key] = v
		}
	}
	return c
}

// spelled gives the name under which the object has the member already.
func spelled(doc map[string]any, name string) string {
	if _, ok := doc[name]; ok {
		return name
	}
	for key := range doc {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}
