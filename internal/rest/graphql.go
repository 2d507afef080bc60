package rest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transform"
)

// graphQLBody makes the query of a call. A value may not leave its place in the
// query: the template is run with marks for the values, each is then put in as
// the place allows.
func graphQLBody(call provider.Call, put []placed) ([]byte, error) {
	m := call.Method
	data := map[string]any{"cursor": cursorText(m.GraphQL, put)}
	var values []string
	for _, p := range m.Parameters {
		value, given := argument(call, p.Name)
		if !given {
			value, given = p.Schema.Default, p.Schema.Default != ""
		}
		if given {
			data[p.Name] = fmt.Sprintf("\x02%d\x03", len(values))
			values = append(values, value)
		}
	}
	text, err := transform.Execute(m.GraphQL.Query, data)
	if err != nil {
		return nil, fault.New(fault.DocumentInvalid, "the query of the document cannot be made").Because(err).On(m.FullName())
	}
	query, err := fill(string(text), values)
	if err != nil {
		return nil, fault.New(fault.InvalidValue, "%s", err.Error()).On(m.FullName()).
			WithHint("such a place takes letters, digits and _ - . : only")
	}
	return json.Marshal(map[string]string{"query": query})
}

// cursorText gives the place of the cursor in the query of a further page.
func cursorText(g *provider.GraphQL, put []placed) string {
	for _, p := range put {
		quoted, _ := json.Marshal(p.value) // a text always has a form
		switch {
		case p.in != provider.InCursor:
		case g.Strategy == "offset":
			return ", offset: " + p.value
		case g.Strategy == "keyset" && g.Format != "":
			return strings.ReplaceAll(g.Format, "%s", strings.Trim(string(quoted), `"`))
		default:
			return ", after: " + string(quoted)
		}
	}
	return ""
}

var bareValue = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

// fill puts the values in the places of their marks: inside quotes escaped, else
// only where the value is a plain word or number.
func fill(text string, values []string) (string, error) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == '\x02':
			end := strings.IndexByte(text[i:], '\x03')
			var n int
			if _, err := fmt.Sscanf(text[i:i+max(end, 0)], "\x02%d", &n); err != nil || n < 0 || n >= len(values) {
				return "", fmt.Errorf("the query has a broken place for a value")
			}
			if err := put(&b, values[n], quoted); err != nil {
				return "", err
			}
			i += end
		case ch == '\\' && quoted && i+1 < len(text):
			b.WriteString(text[i : i+2])
			i++
		default:
			if ch == '"' {
				quoted = !quoted
			}
			b.WriteByte(ch)
		}
	}
	return b.String(), nil
}

// put writes one value.
func put(b *strings.Builder, value string, quoted bool) error {
	if !quoted {
		if !bareValue.MatchString(value) {
			return fmt.Errorf("the value %q cannot stand in the query without quotes", value)
		}
		b.WriteString(value)
		return nil
	}
	escaped, err := json.Marshal(value)
	if err == nil {
		b.Write(escaped[1 : len(escaped)-1])
	}
	return err
}

// graphQLPath gives the path of the queries below a base: nothing where that is
// the document's own address already.
func graphQLPath(m *provider.Method, base string) string {
	if base == strings.TrimRight(m.GraphQL.URL, "/") {
		return ""
	}
	return pathOf(m.GraphQL.URL)
}
