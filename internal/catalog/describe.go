package catalog

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// Describe lists the columns of a resource as its first SELECT method gives
// them. Extended adds those that * leaves out, and for each the methods that
// give it or take it; a method that needs a parameter stands before those that
// may do without. A resource that cannot be read lists what its writes answer.
func (c *Catalog) Describe(r *provider.Resource, extended bool) Table {
	t := table(extended, []string{"name", "type", "description"}, "kind", "sql_type", "methods")
	methods := r.Verbs[provider.Select]
	if len(methods) == 0 {
		methods = answering(r)
	}
	if len(methods) == 0 {
		return t
	}
	given := givers(methods)
	for _, col := range Columns(methods[0]) {
		if !extended && col.Kind != Field {
			continue
		}
		users := given[col.Name]
		if col.Kind == Parameter {
			users = takers(r, col.Name)
		}
		t.add(col.Name, col.Datatype, orNull(col.Description),
			string(col.Kind), col.Type, orNull(strings.Join(users, ", ")))
	}
	return t
}

// answering gives the methods whose answers have members.
func answering(r *provider.Resource) []*provider.Method {
	return slices.DeleteFunc(listed(r), func(m *provider.Method) bool {
		return len(m.Response.Item.Members()) == 0
	})
}

// givers tells for each column that is no parameter which methods give it.
func givers(methods []*provider.Method) map[string][]string {
	given := map[string][]string{}
	for _, m := range methods {
		for _, c := range Columns(m) {
			if c.Kind != Parameter {
				given[c.Name] = append(given[c.Name], m.Name)
			}
		}
	}
	return given
}

// takers gives the methods with a parameter, those that require it first.
func takers(r *provider.Resource, name string) []string {
	var need, take []string
	for _, m := range listed(r) {
		switch p, ok := m.Parameter(name); {
		case ok && p.Required:
			need = append(need, m.Name)
		case ok:
			take = append(take, m.Name)
		}
	}
	return append(need, take...)
}

// DescribeMethod lists what a method takes and gives: its parameters, the
// members of its body with those of properties below them, and the columns of
// its answer.
func (c *Catalog) DescribeMethod(m *provider.Method, extended bool) Table {
	t := table(extended, []string{"name", "type", "param_type", "in", "description"}, "sql_type", "default", "values")
	for _, required := range []bool{true, false} {
		for _, p := range m.Parameters {
			if p.Required == required {
				value{p.Name, direction(required), string(p.In), p.Description, p.Schema}.addTo(&t)
			}
		}
	}
	if m.Body != nil {
		describeBody(&t, "", m.Body.Schema)
	}
	for _, col := range fieldsOf(m) {
		value{col.Name, "output", "body", col.Description, col.Schema}.addTo(&t)
	}
	return t
}

// direction is the word for an input.
func direction(required bool) string {
	if required {
		return "input_required"
	}
	return "input_optional"
}

// describeBody lists the members that a caller may set: required ones first,
// each with its own members if it is properties.
func describeBody(t *Table, prefix string, s *openapi.Schema) {
	for _, required := range []bool{true, false} {
		for _, m := range s.Members() {
			if m.Schema != nil && m.Schema.ReadOnly || slices.Contains(s.Required, m.Name) != required {
				continue
			}
			value{prefix + m.Name, direction(required), "body", typed(m.Schema).Description, m.Schema}.addTo(t)
			if prefix == "" && m.Name == "properties" {
				describeBody(t, "properties.", m.Schema)
			}
		}
	}
}

// value is something that a method takes or gives.
type value struct {
	name, direction, in, description string
	schema                           *openapi.Schema
}

// addTo adds the row of the value. An enumeration is listed as it stands; that
// it may be open is for its description to say.
func (v value) addTo(t *Table) {
	c := typed(v.schema)
	var standard, values any
	if v.schema != nil {
		standard, values = orNull(v.schema.Default), orNull(strings.Join(v.schema.Enum, ", "))
	}
	t.add(v.name, c.Datatype, v.direction, v.in, orNull(v.description), c.Type, standard, values)
}
