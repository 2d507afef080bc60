package rest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// query gives the query parameters of a call: what the document fixes, what is
// given, what the page needs.
func (c *Client) query(call provider.Call, put []placed) url.Values {
	m := call.Method
	values := url.Values{}
	for _, k := range m.Constants {
		value, given := argument(call, k.Name)
		if !given {
			value = k.Value
			if k.Name == "api-version" {
				value = c.apiVersion(m, value)
			}
		}
		values.Set(k.Name, value)
	}
	for _, a := range call.Arguments {
		if p, ok := m.Parameter(a.Name); ok && p.In == provider.InQuery && !isConstant(m, a.Name) {
			styled(values, m, p, a.Value)
		}
	}
	for _, p := range put {
		if p.in == provider.InQuery {
			values.Set(p.name, p.value)
		}
	}
	if m.Wire.Drop {
		maps.DeleteFunc(values, func(name string, _ []string) bool { return strings.HasPrefix(name, "__") })
	}
	return values
}

// encoded writes a query, sorted by name, blanks as %20: not every service
// reads + as a blank.
func encoded(values url.Values) string { return strings.ReplaceAll(values.Encode(), "+", "%20") }

// styled adds a value in the style of its parameter. A list or an object is
// given as JSON; how it is written is the document's word.
func styled(values url.Values, m *provider.Method, p provider.Parameter, text string) {
	composite := p.Schema != nil && (p.Schema.Type == "array" || p.Schema.Type == "object")
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	isJSON := strings.ContainsAny(text[:min(1, len(text))], "[{") && decoder.Decode(&value) == nil
	switch {
	case m.Wire.Canonical:
		if !isJSON {
			value = text
			if composite && p.Schema.Type == "array" {
				value = []any{text}
			}
		}
		canonical(values, p.Name, value, m.Wire.Protocol == "query")
	case !isJSON || !composite:
		values.Add(p.Name, text)
	default:
		spread(values, p, value)
	}
}

// spread writes a list or an object by the styles of OpenAPI.
func spread(values url.Values, p provider.Parameter, value any) {
	switch v := value.(type) {
	case []any:
		texts := make([]string, 0, len(v))
		for _, item := range v {
			texts = append(texts, plainText(item))
		}
		if p.Explode {
			values[p.Name] = append(values[p.Name], texts...)
			return
		}
		values.Add(p.Name, strings.Join(texts, separators[p.Style]))
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		var pairs []string
		for _, name := range names {
			switch {
			case p.Style == "deepObject":
				values.Add(p.Name+"["+name+"]", plainText(v[name]))
			case p.Explode:
				values.Add(name, plainText(v[name]))
			default:
				pairs = append(pairs, name, plainText(v[name]))
			}
		}
		if len(pairs) > 0 {
			values.Add(p.Name, strings.Join(pairs, ","))
		}
	}
}

// separators are those of lists that are one value.
var separators = map[string]string{"": ",", "form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}

// plainText gives a value as text: what is composed stays JSON.
func plainText(value any) string {
	switch v := value.(type) {
	case map[string]any, []any:
		text, _ := json.Marshal(v) // it was JSON
		return string(text)
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}

// canonical writes a value as AWS's query protocols have it: Key.Name for
// members, Key.1 for elements, Key.member.1 in the protocol that is called query
// alone. An empty list is a name without a value.
func canonical(values url.Values, name string, value any, members bool) {
	switch v := value.(type) {
	case []any:
		if len(v) == 0 {
			values.Set(name, "")
		}
		prefix := name + "."
		if members {
			prefix += "member."
		}
		for i, item := range v {
			canonical(values, prefix+fmt.Sprint(i+1), item, members)
		}
	case map[string]any:
		for key, item := range v {
			canonical(values, name+"."+key, item, members)
		}
	case nil:
	default:
		values.Set(name, fmt.Sprint(v))
	}
}
