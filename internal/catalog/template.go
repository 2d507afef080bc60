package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// ShowTemplates gives a statement for each of the methods that serve a verb,
// with a placeholder for each value that can be given.
func ShowTemplates(r *provider.Resource, verb provider.Verb, methods []*provider.Method) (Table, error) {
	if len(methods) == 0 {
		return Table{}, fault.New(fault.NotSupported, "%s has no method that serves %s", r.Path(), strings.ToUpper(string(verb))).
			WithHint("SHOW METHODS IN %s lists what it can do", r.Path())
	}
	t := Table{Columns: []string{"statement"}}
	for _, m := range methods {
		t.add(Template(m, verb))
	}
	return t, nil
}

// entry is a value that a template has a place for.
type entry struct {
	name     string
	required bool
	path     bool // it names the object
	note     string
}

// Template gives a statement that calls a method by a verb. What is required is
// marked; the other lines may be left out.
func Template(m *provider.Method, verb provider.Verb) string {
	entries := entriesOf(m)
	r := m.Resource.Path()
	switch verb {
	case provider.Insert, provider.Replace:
		word := strings.ToUpper(string(verb))
		return word + " INTO " + r + " (\n" + oneALine(entries, func(e entry) string { return e.name }) + ")\nVALUES (\n" +
			oneALine(entries, func(e entry) string { return e.value() }) + ")"
	case provider.Update:
		var set, where []entry
		for _, e := range entries {
			if e.path {
				where = append(where, e)
			} else {
				set = append(set, e)
			}
		}
		return "UPDATE " + r + "\nSET\n" + oneALine(set, func(e entry) string { return e.name + " = " + e.value() }) + conditions(where)
	case provider.Delete:
		return "DELETE FROM " + r + "\n" + strings.TrimSuffix(conditions(entries), "\n")
	}
	return "EXEC " + r + "." + m.Name + "\n" + oneALine(entries, func(e entry) string { return "@" + e.name + " = " + e.value() })
}

func (e entry) value() string { return "'{{ " + e.name + " }}'" }

// comment says of an entry what a person has to know.
func (e entry) comment() string {
	switch {
	case e.required && e.note != "":
		return " -- required, " + e.note
	case e.required:
		return " -- required"
	case e.note != "":
		return " -- " + e.note
	}
	return ""
}

// oneALine writes a list, one entry a line.
func oneALine(entries []entry, write func(entry) string) string {
	var b strings.Builder
	for i, e := range entries {
		comma := ","
		if i == len(entries)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, "  %s%s%s\n", write(e), comma, e.comment())
	}
	return b.String()
}

// conditions writes a WHERE, one condition a line.
func conditions(entries []entry) string {
	var b strings.Builder
	for i, e := range entries {
		word := "  AND "
		if i == 0 {
			word = "WHERE "
		}
		b.WriteString(word + e.name + " = " + e.value() + e.comment() + "\n")
	}
	return b.String()
}

// entriesOf gives the parameters of a method and the members of its body, what
// is required first. Members of properties stand by their own names.
func entriesOf(m *provider.Method) []entry {
	var entries []entry
	for _, required := range []bool{true, false} {
		for _, p := range m.Parameters {
			if p.Required == required && (required || p.In != provider.InHeader) { // a header such as If-Match is the engine's to set
				entries = append(entries, entry{p.Name, required, p.In == provider.InPath || isKey(p), note(p.Schema)})
			}
		}
		if m.Body == nil {
			continue
		}
		for _, member := range m.Body.Schema.Members() {
			isRequired := slices.Contains(m.Body.Schema.Required, member.Name)
			below := writable(member.Schema)
			p, listed := m.Parameter(member.Name)
			switch {
			case listed && p.In == provider.InBody:
			case member.Schema != nil && member.Schema.ReadOnly:
			case member.Name == "properties" && len(below) > 0:
				entries = append(entries, membersOf(member.Schema, below, required)...)
			case isRequired == required:
				entries = append(entries, entry{member.Name, required, false, note(member.Schema)})
			}
		}
	}
	for i, e := range entries {
		if slices.ContainsFunc(entries[:i], func(o entry) bool { return fault.Fold(o.name) == fault.Fold(e.name) }) {
			entries[i].name = "properties." + e.name
		}
	}
	return entries
}

// isKey tells by its name whether a member of a body names an object, as it does
// where no path does.
func isKey(p provider.Parameter) bool {
	name := fault.Fold(p.Name)
	return p.In == provider.InBody && p.Required &&
		slices.ContainsFunc([]string{"id", "identifier", "name", "arn", "url", "key"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

func membersOf(s *openapi.Schema, below []openapi.Member, required bool) []entry {
	var entries []entry
	for _, m := range below {
		if slices.Contains(s.Required, m.Name) == required {
			entries = append(entries, entry{m.Name, required, false, note(m.Schema)})
		}
	}
	return entries
}

// writable gives the members that a caller can set.
func writable(s *openapi.Schema) []openapi.Member {
	return slices.DeleteFunc(slices.Clone(s.Members()), func(m openapi.Member) bool { return m.Schema != nil && m.Schema.ReadOnly })
}

// note says what a value looks like, where that is not plain text.
func note(s *openapi.Schema) string {
	switch {
	case s == nil:
		return "JSON"
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, " | ")
	case s.Type == "object" || s.Type == "array" || s.Type == "":
		return strings.TrimSpace("JSON " + s.Type)
	case s.Format == "date-time" || s.Format == "date":
		return s.Format
	case s.Type != "string":
		return s.Type
	}
	return ""
}
