package provider

import (
	"slices"
	"strings"
)

// Home gives the origins to which the document sends the method's calls, with a
// * for each variable whose value the caller may choose freely. A credential
// may go there.
func (m *Method) Home() []string {
	list := m.home(m.Server)
	for _, s := range m.Servers {
		list = append(list, m.home(s.URL)...)
	}
	return list
}

// home gives the origins of one server.
func (m *Method) home(server string) []string {
	scheme, rest, _ := strings.Cut(server, "://")
	host, _, _ := strings.Cut(rest, "/")
	list := []string{scheme + "://" + host}
	for _, name := range templateNames(list[0]) {
		var values []string
		if p, ok := m.Parameter(name); ok && p.Schema != nil {
			values = append(values, p.Schema.Enum...)
			if p.Schema.Default != "" && !slices.Contains(values, p.Schema.Default) {
				values = append(values, p.Schema.Default)
			}
		}
		if p, ok := m.Parameter(name); !ok || p.Schema == nil || len(p.Schema.Enum) == 0 {
			values = append(values, "*")
		}
		list = expand(list, "{"+name+"}", values)
	}
	return list
}

// expand puts each value in the place of a variable.
func expand(list []string, variable string, values []string) []string {
	var out []string
	for _, text := range list {
		for _, value := range values {
			out = append(out, strings.ReplaceAll(text, variable, value))
		}
	}
	return out
}
