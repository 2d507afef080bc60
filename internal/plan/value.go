package plan

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// value reads an expression that gives a parameter its value. ok is false when
// the expression needs a row. A nil value is NULL, which equals nothing.
func (b *builder) value(n syntax.Node, p provider.Parameter) (v *Value, ok bool, err error) {
	if !constant(n) {
		return nil, false, nil
	}
	literal, isLiteral, null := literalText(n)
	if null {
		return nil, true, nil
	}
	offset, _ := n.Offset()
	v = &Value{Expression: n, parameter: p, text: b.text, offset: offset, end: offset + 1}
	if !isLiteral {
		return v, true, nil
	}
	v.end = offset + literalLength(b.text.Text, offset)
	v.Text, err = Convert(p, literal)
	v.Expression = nil
	if err != nil {
		return nil, true, fault.From(err).At(b.span(v.offset, v.end))
	}
	return v, true, nil
}

// Convert gives a value in the form that the parameter has on the wire, or an
// error when it takes no such value. Enumerations are open: an unknown member
// is the service's to refuse.
func Convert(p provider.Parameter, text string) (string, error) {
	wrong := func(what, example string) error {
		return fault.New(fault.InvalidValue, "%s takes %s, not %s", p.Name, what, syntax.QuoteText(text)).
			WithHint("for example %s = %s", p.Name, example)
	}
	kind, format := "string", ""
	if p.Schema != nil {
		kind, format = p.Schema.Type, p.Schema.Format
	}
	switch {
	case p.In == provider.InPath && text == "":
		return "", wrong("a name", "'…'")
	case p.In == provider.InPath && (text == "." || text == ".."):
		return "", wrong("a name", "'…'") // as a part of a path it would lead elsewhere
	case kind == "boolean":
		if v, ok := booleans[strings.ToLower(strings.TrimSpace(text))]; ok {
			return v, nil
		}
		return "", wrong("true or false", "true")
	case kind == "integer":
		bits := 64
		if format == "int32" {
			bits = 32
		}
		if _, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits); err != nil {
			return "", wrong("an integer", "100")
		}
		return strings.TrimSpace(text), nil
	case kind == "number":
		if !number.MatchString(strings.TrimSpace(text)) {
			return "", wrong("a number", "1.5")
		}
		return strings.TrimSpace(text), nil
	case format == "uuid" && !uuid.MatchString(text):
		return "", wrong("a UUID", "'00000000-0000-0000-0000-000000000000'")
	}
	return text, nil
}

var uuid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

var number = regexp.MustCompile(`^[-+]?([0-9]+\.?|[0-9]*\.[0-9]+)([eE][-+]?[0-9]+)?$`)

var booleans = map[string]string{
	"true": "true", "t": "true", "yes": "true", "1": "true",
	"false": "false", "f": "false", "no": "false", "0": "false",
}

// constant tells whether an expression needs no row: it names no column and
// asks no query.
func constant(n syntax.Node) bool {
	free := true
	syntax.Walk(n, func(c syntax.Node) bool {
		if c.Class() == "COLUMN_REF" || c.Class() == "SUBQUERY" || c.Class() == "STAR" || c.Class() == "PARAMETER" || c.Class() == "WINDOW" {
			free = false
		}
		return free
	})
	return free
}

// literalText gives the value of a constant of a plain type.
func literalText(n syntax.Node) (text string, ok, null bool) {
	if n.Class() == "CAST" && n.Child("child").Class() == "CONSTANT" && n.Child("cast_type").Text("id") == "BOOLEAN" {
		return literalText(n.Child("child")) // TRUE and FALSE are parsed as CAST('t' AS BOOLEAN)
	}
	if n.Class() != "CONSTANT" {
		return "", false, false
	}
	v := n.Child("value")
	if v.Flag("is_null") {
		return "", false, true
	}
	switch v.Child("type").Text("id") {
	case "VARCHAR":
		return v.Text("value"), true, false
	case "BOOLEAN":
		return strconv.FormatBool(v.Flag("value")), true, false
	case "INTEGER", "BIGINT":
		number, isNumber := v["value"].(json.Number)
		return number.String(), isNumber, false
	}
	return "", false, false
}

// literalLength gives the length of the literal at an offset, for the caret.
func literalLength(text string, offset int) int {
	if offset < 0 || offset >= len(text) {
		return 1
	}
	rest := text[offset:]
	if rest[0] == '\'' {
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\'' {
				if i+1 < len(rest) && rest[i+1] == '\'' {
					i++
					continue
				}
				return i + 1
			}
		}
	}
	return max(1, strings.IndexFunc(rest+" ", func(r rune) bool { return strings.ContainsRune(" \t\r\n,;)", r) }))
}

// Span gives the place of the value in the user's text.
func (v *Value) Span() fault.Span {
	if v.text == nil {
		return fault.Span{}
	}
	return v.text.Span(v.offset, v.end)
}

// Convert gives the evaluated text of an expression in the form that the
// parameter has on the wire.
func (v *Value) Convert(text string) (string, error) { return Convert(v.parameter, text) }
