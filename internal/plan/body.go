package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// CheckBody checks a request body against the schema of the method: it must be
// JSON, have only members that the schema knows and all that it requires, of
// the types it names. Values of enumerations are not checked: services add some
// before documents do.
func CheckBody(m *provider.Method, body []byte) error {
	_, err := checkBody(m, body)
	return err
}

// checkBody is CheckBody; it gives warnings for values of enumerations that the
// document does not list. The members of the body that are put in later need
// not be there.
func checkBody(m *provider.Method, body []byte, later ...string) ([]*fault.Error, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	if end := decoder.InputOffset(); err == nil && len(bytes.TrimSpace(body[end:])) > 0 {
		err = fmt.Errorf("something follows the value at byte %d", end)
	}
	if err != nil {
		return nil, fault.New(fault.InvalidJSON, "@@json is not JSON: %s", err.Error()).Because(err).
			WithHint(`for example @@json = '{"name": "value"}'`)
	}
	if m.Body == nil || m.Body.Schema == nil {
		return nil, nil
	}
	c := &checker{method: m, later: later}
	if object, ok := value.(map[string]any); ok && len(m.Body.Extra) > 0 {
		err = c.object(m.Body.Schema, object, nil, m.Body.Member)
	} else {
		err = c.value(m.Body.Schema, value, nil)
	}
	if e := fault.As(err); e != nil && e.Hint == "" {
		return nil, e.WithHint("DESCRIBE METHOD %s lists the members of the body", m.FullName())
	}
	return c.warnings, err
}

// checker checks a body and gathers what is odd about it.
type checker struct {
	method   *provider.Method
	later    []string // members at the top that need not be there yet
	warnings []*fault.Error
}

func (c *checker) value(s *openapi.Schema, value any, path []string) error {
	if s == nil || value == nil {
		return nil
	}
	if text, isText := value.(string); isText {
		if s.Secret && text == mask {
			return fault.New(fault.InvalidValue, "%s is a secret that was masked when it was read", at(path)).
				WithHint("a secret is read unmasked where its column is named")
		}
		c.enumeration(s, text, path)
	}
	fits := true
	switch v := value.(type) {
	case map[string]any:
		if fits = s.Type == "object" || s.Type == ""; fits {
			return c.object(s, v, path, s.Member)
		}
	case []any:
		if fits = s.Type == "array" || s.Type == ""; fits {
			for i, item := range v {
				if err := c.value(s.Items(), item, append(path, fmt.Sprint(i))); err != nil {
					return err
				}
			}
		}
	case string:
		fits = s.Type == "string" || s.Type == ""
	case bool:
		fits = s.Type == "boolean" || s.Type == ""
	case json.Number:
		fits = s.Type == "number" || s.Type == "" || s.Type == "integer" && !strings.ContainsAny(v.String(), ".eE")
	}
	if !fits {
		return fault.New(fault.TypeMismatch, "%s takes %s %s", at(path), article(s.Type), s.Type)
	}
	return nil
}

func article(word string) string {
	if strings.ContainsRune("aeiou", rune(word[0])) {
		return "an"
	}
	return "a"
}

// at names a place in a body.
func at(path []string) string {
	if len(path) == 0 {
		return "the body"
	}
	return "the member " + strings.Join(path, ".")
}

// object checks an object; find gives the schemas of its members.
func (c *checker) object(s *openapi.Schema, object map[string]any, path []string, find func(string) *openapi.Schema) error {
	members := s.Members()
	for _, name := range s.Required {
		_, given := object[name]
		if !given && !readOnly(s.Member(name)) && (len(path) > 0 || !slices.Contains(c.later, name)) {
			return fault.New(fault.MissingParameter, "%s is required", at(append(path, name)))
		}
	}
	var known []string
	for _, m := range members {
		known = append(known, m.Name)
	}
	for _, name := range sortedKeys(object) {
		below := append(append([]string(nil), path...), name)
		member := find(name)
		if member == nil {
			member = s.Values()
		}
		if member == nil && len(members) > 0 && !s.Open {
			return fault.New(fault.UndefinedParameter, "the body has no member %q", strings.Join(below, ".")).
				WithHint("%s", fault.DidYouMean(name, known, "it has "+strings.Join(known, ", ")))
		}
		if err := c.value(member, object[name], below); err != nil {
			return err
		}
	}
	return nil
}

// enumeration warns of a value that the document does not list: services add
// some before documents do.
func (c *checker) enumeration(s *openapi.Schema, text string, path []string) {
	if len(s.Enum) == 0 || slices.ContainsFunc(s.Enum, func(v string) bool { return strings.EqualFold(v, text) }) {
		return
	}
	c.warnings = append(c.warnings, fault.New(fault.ValueMisfit, "%q is none of the values that the document lists for %s", text, at(path)).
		On(c.method.FullName()).WithHint("%s", fault.DidYouMean(text, s.Enum, "it lists "+strings.Join(s.Enum, ", "))))
}

func readOnly(s *openapi.Schema) bool { return s != nil && s.ReadOnly }
