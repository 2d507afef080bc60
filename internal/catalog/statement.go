package catalog

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// unset stands for a value that the user has to fill in.
const unset = "'…'"

// SmallestStatement gives the shortest statement that calls a method: every
// parameter and body member that it requires, and nothing else. A method that
// serves several verbs is shown under the first.
func SmallestStatement(r *provider.Resource, m *provider.Method) string {
	var required []string
	for _, p := range m.RequiredParameters() {
		if p.In != provider.InBody || isKey(p) || m.Verbs[0] != provider.Update {
			required = append(required, p.Name)
		}
	}
	switch m.Verbs[0] {
	case provider.Select:
		return SelectWith(r, required)
	case provider.Delete:
		return "DELETE FROM " + r.Path() + where(required)
	case provider.Insert:
		names := append(required, shortNames(m)...)
		return "INSERT INTO " + r.Path() + " (" + strings.Join(names, ", ") + ") VALUES (" +
			strings.Join(slices.Repeat([]string{unset}, len(names)), ", ") + ")"
	case provider.Update:
		return "UPDATE " + r.Path() + set(m) + where(required)
	case provider.Replace:
		return "REPLACE " + r.Path() + set(m) + where(required)
	}
	return call(r, m, required)
}

// SelectWith gives the statement that reads a resource with values for some
// parameters.
func SelectWith(r *provider.Resource, names []string) string {
	return "SELECT * FROM " + r.Path() + where(names)
}

// call writes an EXEC. A body that is required but has no required members is
// an empty object.
func call(r *provider.Resource, m *provider.Method, required []string) string {
	var arguments []string
	for _, name := range required {
		arguments = append(arguments, "@"+name+"="+unset)
	}
	text := "EXEC " + r.Path() + "." + m.Name
	if len(arguments) > 0 {
		text += " " + strings.Join(arguments, ", ")
	}
	members := bodyNames(m)
	if m.Body == nil || len(members) == 0 && !m.Body.Required {
		return text
	}
	for i, name := range members {
		members[i] = `"` + name + `": "…"`
	}
	return text + " @@json='{" + strings.Join(members, ", ") + "}'"
}

// where writes the conditions that bind parameters.
func where(names []string) string {
	var conditions []string
	for _, name := range names {
		conditions = append(conditions, name+" = "+unset)
	}
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// set gives the assignments of an UPDATE; one at least, since the statement
// needs one: where the method requires none, the first that can be written.
func set(m *provider.Method) string {
	names := shortNames(m)
	if len(names) == 0 && m.Body != nil {
		for _, member := range m.Body.Schema.Members() {
			if member.Schema == nil || !member.Schema.ReadOnly {
				names = []string{member.Name}
				if below := writable(member.Schema); member.Name == "properties" && len(below) > 0 {
					names[0] = below[0].Name
				}
				break
			}
		}
	}
	for i, name := range names {
		names[i] = name + " = " + unset
	}
	return " SET " + strings.Join(names, ", ")
}

// shortNames gives the members that the body requires by the names that a
// statement has for them: those of properties stand by their own.
func shortNames(m *provider.Method) []string {
	var names []string
	for _, name := range bodyNames(m) {
		s := m.Body.Schema.Member(name)
		below := writable(s)
		if name != "properties" || len(below) == 0 {
			names = append(names, name)
			continue
		}
		for _, member := range below {
			if slices.Contains(s.Required, member.Name) {
				names = append(names, member.Name)
			}
		}
		if len(s.Required) == 0 {
			names = append(names, name)
		}
	}
	return names
}

// bodyNames gives the members that the body requires and a caller can set.
func bodyNames(m *provider.Method) []string {
	if m.Body == nil {
		return nil
	}
	var names []string
	for _, member := range m.Body.Schema.Members() {
		writable := member.Schema == nil || !member.Schema.ReadOnly
		p, listed := m.Parameter(member.Name)
		key := listed && p.In == provider.InBody && (isKey(p) || m.Verbs[0] != provider.Update)
		if writable && !key && slices.Contains(m.Body.Schema.Required, member.Name) {
			names = append(names, member.Name)
		}
	}
	return names
}
