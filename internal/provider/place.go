package provider

import (
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// Every stands in a path of members for all elements of an array, or all values
// of an object.
const Every = "*"

// memberPath reads where something is in an answer: $.a.b of JSONPath with [*]
// and ['a b'], a bare name, or /root/a/b of XPath, whose root element has no
// counterpart in what an answer is read as. ok is false for forms that name a
// single element or a condition.
func memberPath(text string) (path []string, ok bool) {
	text = strings.TrimSpace(text)
	if steps, found := strings.CutPrefix(text, "/"); found {
		path := strings.FieldsFunc(steps, func(c rune) bool { return c == '/' })
		if len(path) > 0 {
			path = path[1:]
		}
		return path, !strings.ContainsAny(text, "[@")
	}
	text = strings.TrimPrefix(text, "$")
	for text != "" {
		var step string
		if step, text, ok = nextStep(text); !ok {
			return nil, false
		}
		path = append(path, step)
	}
	return path, true
}

// nextStep takes the first step off a JSONPath.
func nextStep(text string) (step, rest string, ok bool) {
	if text[0] != '[' {
		text = strings.TrimPrefix(text, ".")
		end := strings.IndexAny(text, ".[")
		// A name such as @odata.nextLink is written without quotes.
		if strings.HasPrefix(text, "@odata.") {
			end = len("@odata.") + strings.IndexAny(text[len("@odata."):]+".", ".[")
		}
		if end < 0 || end > len(text) {
			end = len(text)
		}
		return text[:end], text[end:], end > 0
	}
	inside, rest, closed := strings.Cut(text[1:], "]")
	if !closed {
		return "", "", false
	}
	if inside == "*" || inside == "" {
		return Every, rest, true
	}
	name := strings.Trim(inside, `'"`)
	return name, rest, name != "" && len(name) == len(inside)-2
}

// below follows members of a schema; it is nil where the document does not
// describe the way.
func below(s *openapi.Schema, path []string) *openapi.Schema {
	for _, name := range path {
		switch {
		case name != Every && s != nil && s.Type == "array" && s.Items() != nil:
			s = s.Items() // XML has an element for each: /Root/volumeSet/item
		case name != Every:
			s = s.Member(name)
		case s != nil && s.Type == "array":
			s = s.Items()
		default:
			s = s.Values()
		}
	}
	return s
}
