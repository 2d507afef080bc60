package syntax

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// placeholder matches {{ name }}; the name may hold any character but braces,
// such as the $ of $filter.
var placeholder = regexp.MustCompile(`\{\{\s*([^{}\s]+)\s*\}\}`)

// fill puts values in the place of the placeholders of a text. Inside a string
// or a quoted name the value is escaped for it, and inside a string of a JSON
// text that is itself in quotes it is escaped for both, so that no value can
// end the literal it stands in. A placeholder in a comment is left alone.
func fill(text *Edited, values map[string]string) (*Edited, error) {
	tokens, err := Lex(text.Text)
	if err != nil {
		return nil, text.Locate(err)
	}
	var edits []Edit
	for _, t := range tokens {
		for _, m := range placeholder.FindAllStringSubmatchIndex(t.Text, -1) {
			name := t.Text[m[2]:m[3]]
			value, ok := values[name]
			if !ok {
				span := text.Span(t.Start+m[0], t.Start+m[1])
				return nil, unfilled(name, values).At(span)
			}
			if t.Kind == String && t.Text[0] == '$' && strings.Contains(value, "$") {
				return nil, fault.New(fault.InvalidValue, "the value of {{ %s }} holds a $, which could end the text it stands in", name).
					WithHint("write the text in single quotes").At(text.Span(t.Start+m[0], t.Start+m[1]))
			}
			edits = append(edits, Edit{t.Start + m[0], t.Start + m[1], escape(t, m[0], value)})
		}
	}
	if len(edits) == 0 {
		return text, nil
	}
	return text.Apply(edits), nil
}

func unfilled(name string, values map[string]string) *fault.Error {
	known := make([]string, 0, len(values))
	for k := range values {
		known = append(known, k)
	}
	slices.Sort(known)
	hint := fault.DidYouMean(name, known, "give it a value: --var '"+name+"=…', or --vars FILE")
	return fault.New(fault.UndefinedParameter, "the placeholder {{ %s }} has no value", name).WithHint("%s", hint)
}

// escape gives the value in the form that the place at offset of the token
// needs.
func escape(t Token, offset int, value string) string {
	switch t.Kind {
	case String:
		if t.Text[0] == '$' {
			return value
		}
		if insideJSON(t.Text[1:offset]) {
			quoted, _ := json.Marshal(value) // a string always marshals
			value = string(quoted[1 : len(quoted)-1])
		}
		if t.Text[0] != '\'' {
			value = strings.ReplaceAll(value, `\`, `\\`)
		}
		return strings.ReplaceAll(value, "'", "''")
	case Quoted:
		return strings.ReplaceAll(value, `"`, `""`)
	case Backquoted:
		return strings.ReplaceAll(value, "`", "``")
	}
	return value
}

// insideJSON tells whether a text is the beginning of a JSON object or array
// that ends inside one of its strings.
func insideJSON(before string) bool {
	trimmed := strings.TrimSpace(before)
	if !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return false
	}
	inside := false
	for i := 0; i < len(before); i++ {
		switch before[i] {
		case '\\':
			i++
		case '"':
			inside = !inside
		}
	}
	return inside
}
