package planeql_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// given is a value of a statement: a name and the text of an expression.
type given struct{ name, value string }

// bodyColumns gives a body as columns: members of properties stand by their own
// names, objects and lists as JSON.
func bodyColumns(t *testing.T, m *provider.Method, body []byte) []given {
	t.Helper()
	var list []given
	var members map[string]json.RawMessage
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var below map[string]json.RawMessage
		known := m.Body.Schema.Member("properties")
		if name != "properties" || json.Unmarshal(members[name], &below) != nil || len(below) == 0 {
			list = append(list, given{syntax.QuoteName(name), valueText(members[name])})
			continue
		}
		for _, short := range slices.Sorted(maps.Keys(below)) {
			column := syntax.QuoteName(short)
			_, isParameter := m.Parameter(short)
			if _, taken := members[short]; taken || isParameter || known.Member(short) == nil || m.Body.Schema.Member(short) != nil {
				column = "properties." + column
			}
			list = append(list, given{column, valueText(below[short])})
		}
	}
	return list
}

// valueText gives a JSON value as an expression of SQL.
func valueText(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		var text string
		_ = json.Unmarshal(raw, &text) // it was read as JSON
		return syntax.QuoteText(text)
	case '{', '[':
		return syntax.QuoteText(string(raw))
	}
	return string(raw)
}

// writeFor builds the statement of a call with a column for each value.
func writeFor(t *testing.T, m *provider.Method, verb provider.Verb, args map[string]string, body []byte) string {
	t.Helper()
	var parameters []given
	for _, name := range slices.Sorted(maps.Keys(args)) {
		parameters = append(parameters, given{syntax.QuoteName(name), syntax.QuoteText(args[name])})
	}
	columns := bodyColumns(t, m, body)
	join := func(list []given, between string, write func(given) string) string {
		var texts []string
		for _, g := range list {
			texts = append(texts, write(g))
		}
		return strings.Join(texts, between)
	}
	name := func(g given) string { return g.name }
	value := func(g given) string { return g.value }
	equal := func(g given) string { return g.name + " = " + g.value }
	r := m.Resource.Path()
	all := append(slices.Clone(parameters), columns...)
	switch verb {
	case provider.Insert:
		return "INSERT INTO " + r + " (" + join(all, ", ", name) + ") VALUES (" + join(all, ", ", value) + ") ON CONFLICT DO UPDATE"
	case provider.Replace:
		return "REPLACE INTO " + r + " (" + join(all, ", ", name) + ") SELECT " + join(all, ", ", value)
	case provider.Update:
		return "UPDATE " + r + " SET " + join(columns, ", ", equal) + " WHERE " + join(parameters, " AND ", equal)
	case provider.Delete:
		return "DELETE FROM " + r + " WHERE " + join(parameters, " AND ", equal)
	}
	argument := func(g given) string { return "@" + g.name + " = " + g.value }
	for i, g := range all {
		if strings.HasPrefix(g.name, "properties.") {
			all[i].name = `"properties.` + strings.Trim(strings.TrimPrefix(g.name, "properties."), `"`) + `"`
		}
	}
	return "EXEC " + m.FullName() + " " + join(all, ", ", argument)
}

// What Microsoft's own client sends to change something is sent by a statement
// with a column for each value, by every verb that the documents have for it.
func TestWire_writesByColumns(t *testing.T) {
	byKey := map[string][]*provider.Method{}
	for _, m := range builtInMethods(t) {
		key := operationKey(m.HTTPMethod, m.Path)
		byKey[key] = append(byKey[key], m)
	}
	st := newStage(t)
	s := open(t, st.URL)
	statements, same := 0, 0
	for _, file := range []string{"armdesktopvirtualization", "armresources", "armsubscriptions", "armcompute"} {
		for _, line := range jsonLines[wireLine](t, "corpus", "wire", file+".jsonl") {
			if line.Method == http.MethodGet {
				continue
			}
			for _, m := range byKey[operationKey(line.Method, line.Template)] {
				for _, verb := range m.Verbs {
					if verb == provider.Select || verb == provider.Update && len(bytes.Trim(line.Request, "{} ")) == 0 {
						continue // two examples change nothing: a SET has something to send
					}
					statements++
					if t.Run(line.Example+"/"+m.Name+"/"+string(verb), func(t *testing.T) {
						st.tell(func(heard) reply { return reply{status: line.Status, body: line.Response} })
						text := writeFor(t, m, verb, line.arguments(m), line.Request)
						t.Log(text)
						if _, err := ask(s, text); err != nil {
							t.Fatal(printed(err))
						}
						line.checkHeard(t, st.told())
					}) {
						same++
					}
				}
			}
		}
	}
	t.Logf("%d of %d statements send the same request", same, statements)
	if statements < 70 {
		t.Errorf("%d statements are found", statements)
	}
}
