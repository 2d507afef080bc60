package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// leftOutJSON is leftOut as DuckDB hands it on.
var leftOutJSON = quotedJSON(leftOut)

var null = []byte("null")

func quotedJSON(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text always marshals
	return bytes.TrimSpace(b.Bytes())
}

// isLeftOut tells whether a value is DEFAULT, however it is escaped.
func isLeftOut(raw []byte) bool {
	if bytes.Equal(raw, leftOutJSON) {
		return true
	}
	var text string
	return len(raw) < 60 && bytes.Contains(raw, []byte("planeql default")) && json.Unmarshal(raw, &text) == nil && text == leftOut
}

// literalJSON gives the JSON of a value that is a literal.
func literalJSON(s *syntax.Statement, c syntax.Clause) ([]byte, bool) {
	if c.End == 0 {
		return leftOutJSON, true
	}
	i := slices.IndexFunc(s.Tokens, func(t syntax.Token) bool { return t.Start >= c.Start })
	if i < 0 || s.Tokens[i].End != c.End {
		return nil, false
	}
	switch t := s.Tokens[i]; {
	case t.Kind == syntax.String && t.Text[0] == '\'':
		return quotedJSON(strings.ReplaceAll(t.Text[1:len(t.Text)-1], "''", "'")), true
	case t.Is("NULL"):
		return null, true
	case t.Is("TRUE") || t.Is("FALSE"):
		return []byte(strings.ToLower(t.Text)), true
	case t.Is("DEFAULT"):
		return leftOutJSON, true
	case t.Kind == syntax.Number && json.Valid([]byte(t.Text)):
		return []byte(t.Text), true
	}
	return nil, false
}

// fit gives a value the form that its place in the call takes: for a member
// JSON of the type that the schema says. NULL is nil.
func (s Slot) fit(raw []byte) ([]byte, error) {
	if raw == nil {
		raw = null
	}
	if isLeftOut(raw) {
		return raw, nil
	}
	if s.Parameter != nil {
		text, given := plainText(raw)
		if !given {
			return nil, nil
		}
		converted, err := Convert(*s.Parameter, text)
		return []byte(converted), located(err, s.span)
	}
	if len(s.Member.Path) == 0 {
		return wholeBody(raw), nil
	}
	value, ok := fitted(s.Member.Schema, raw)
	if !ok {
		kind := s.Member.Schema.Type
		return nil, fault.New(fault.TypeMismatch, "%s takes %s %s, not %s", s.Written, article(kind), kind, shortened(string(raw))).
			At(s.span).WithHint("for example %s", example(kind))
	}
	return value, nil
}

func example(kind string) string {
	return map[string]string{
		"boolean": "true", "integer": "5", "number": "1.5", "string": "'…'", "object": `'{"name": "value"}'`, "array": `'["value"]'`,
	}[kind]
}

// plainText gives the text of a scalar; given is false for null.
func plainText(raw []byte) (text string, given bool) {
	if bytes.Equal(raw, null) {
		return "", false
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

// wholeBody gives the body that a value is: JSON as it is, or as text.
func wholeBody(raw []byte) []byte {
	if text, given := plainText(raw); given {
		return []byte(text)
	}
	return raw
}

// fitted gives a value the type of a schema. SQL's texts stand for values of
// other types where they can be read as such.
func fitted(s *openapi.Schema, raw []byte) ([]byte, bool) {
	if bytes.Equal(raw, null) {
		return raw, true
	}
	var text string
	isText := json.Unmarshal(raw, &text) == nil
	kind, format := "", ""
	if s != nil {
		kind, format = s.Type, s.Format
	}
	switch kind {
	case "string":
		switch {
		case isText && format == "date-time":
			return quotedJSON(instant(text)), true
		case isText:
			return raw, true
		}
		return quotedJSON(string(raw)), raw[0] != '{' && raw[0] != '['
	case "boolean":
		if isText {
			raw = []byte(text)
		}
		value, ok := booleans[strings.ToLower(strings.TrimSpace(string(raw)))]
		return []byte(value), ok
	case "integer", "number":
		if isText {
			raw = []byte(strings.TrimSpace(text))
		}
		return numeric(raw, kind)
	}
	if !isText {
		return within(s, raw), kind == "" || kind == "object" && raw[0] == '{' || kind == "array" && raw[0] == '['
	}
	inner := []byte(strings.TrimSpace(text))
	open := map[string]string{"object": "{", "array": "[", "": "{["}[kind]
	if len(inner) > 0 && strings.IndexByte(open, inner[0]) >= 0 && json.Valid(inner) {
		return inner, true
	}
	return raw, kind == "" && s.Values() == nil
}

// within gives the values inside an object or a list of SQL the types of its
// schema. What does not fit is left to the check of the whole body, which says
// where it is.
func within(s *openapi.Schema, raw []byte) []byte {
	if s == nil || raw[0] != '{' && raw[0] != '[' {
		return raw
	}
	if raw[0] == '[' {
		var items []json.RawMessage
		if s.Items() == nil || json.Unmarshal(raw, &items) != nil {
			return raw
		}
		list := make([][]byte, len(items))
		for i, item := range items {
			list[i] = fittedOr(s.Items(), item)
		}
		return slices.Concat([]byte("["), bytes.Join(list, []byte(",")), []byte("]"))
	}
	d := &document{raw: raw}
	d.open()
	for _, name := range d.names {
		member := s.Member(name)
		if member == nil {
			member = s.Values()
		}
		if member != nil {
			d.members[name] = &document{raw: fittedOr(member, d.members[name].raw)}
		}
	}
	return d.bytes()
}

// fittedOr gives a value the type of a schema, or as it is.
func fittedOr(s *openapi.Schema, raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	if value, ok := fitted(s, raw); ok {
		return value
	}
	return raw
}

// numeric gives a number in the form of JSON.
func numeric(raw []byte, kind string) ([]byte, bool) {
	text := string(raw)
	if kind == "integer" {
		whole, fraction, _ := strings.Cut(text, ".")
		if strings.Trim(fraction, "0") != "" {
			return nil, false
		}
		_, err := strconv.ParseInt(whole, 10, 64)
		return []byte(strings.TrimPrefix(whole, "+")), err == nil
	}
	return raw, number.MatchString(text) && json.Valid(raw)
}

// instant gives a time of DuckDB in the form of RFC 3339; any other text as it
// is.
func instant(text string) string {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Format(time.RFC3339Nano)
		}
	}
	return text
}

// ArgumentsOf gives the parameters that a row has values for. A part of a path
// must have one.
func (w *Write) ArgumentsOf(row [][]byte) ([]provider.Argument, error) {
	var list []provider.Argument
	for i, s := range w.Columns {
		if s.Parameter == nil {
			continue
		}
		value, err := s.fit(row[i])
		if err != nil {
			return nil, err
		}
		if value == nil || isLeftOut(value) {
			if s.Parameter.Required {
				return nil, fault.New(fault.MissingParameter, "a row has no value for %s", s.Parameter.Name).At(s.span).
					WithHint("every row needs one: it is a part of the call")
			}
			continue
		}
		list = append(list, provider.Argument{Name: s.Parameter.Name, Value: string(value)})
	}
	return list, nil
}

// Body gives the body for a row, checked against the schema of the request, and
// warnings of what is odd about it; nil where the method takes none.
func (w *Write) Body(row [][]byte) ([]byte, []*fault.Error, error) {
	if w.Method.Body == nil {
		return nil, nil, nil
	}
	d, given, err := w.fill(newObject(), row)
	switch {
	case err != nil:
		return nil, nil, err
	case !given && (w.Verb == provider.Exec || w.Verb == provider.Delete):
		return nil, nil, nil
	case !given && w.Verb == provider.Update:
		return nil, nil, fault.New(fault.MissingParameter, "a row leaves nothing to send").WithHint("DEFAULT leaves a member out; NULL sends null")
	}
	body := d.bytes()
	if w.Merge {
		return body, nil, nil // a part: checked once it is put in
	}
	warnings, err := checkBody(w.Method, body, w.boundMembers()...)
	return body, warnings, err
}

// boundMembers gives the members of the body that are put in with the arguments
// of the call.
func (w *Write) boundMembers() []string {
	var names []string
	for _, p := range w.Method.Parameters {
		isColumn := func(s Slot) bool { return s.Parameter != nil && s.Parameter.Name == p.Name }
		if p.In == provider.InBody && (slices.Contains(w.Arguments, p.Name) || slices.ContainsFunc(w.Columns, isColumn)) {
			names = append(names, p.Name)
		}
	}
	return names
}

// fill puts the members of a row into a document.
func (w *Write) fill(d *document, row [][]byte) (*document, bool, error) {
	given := false
	for i, s := range w.Columns {
		if s.Parameter != nil {
			continue
		}
		value, err := s.fit(row[i])
		if err != nil {
			return nil, false, err
		}
		if isLeftOut(value) || len(s.Member.Path) == 0 && bytes.Equal(value, null) {
			continue
		}
		given = true
		d.set(s.Member.Path, value)
	}
	return d, given, nil
}

// MergeBody gives the body of an UPDATE by PUT: what the service has, without
// what only it writes, with the members of the row put in.
func (w *Write) MergeBody(item []byte, row [][]byte) ([]byte, []*fault.Error, error) {
	d := &document{raw: item}
	d.writable(w.Method.Body.Schema)
	d.open()
	if w.Method.Resource.Family == provider.ARM {
		for _, name := range []string{"id", "name", "type", "systemData", "etag", "eTag"} {
			d.remove(name)
		}
	}
	if _, _, err := w.fill(d, row); err != nil {
		return nil, nil, err
	}
	body := d.bytes()
	return body, nil, nil
}
