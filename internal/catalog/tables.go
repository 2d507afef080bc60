package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// Part is a part of the catalog: the union of what it lists. An empty one is all.
type Part []Wanted

// Wanted is a part of the catalog by names; an empty one is any.
type Wanted struct{ Provider, Service, Resource string }

// has tells whether a resource may be of the part. Without a name it may be any.
func (p Part) has(provider, service, resource string) bool {
	return len(p) == 0 || slices.ContainsFunc(p, func(w Wanted) bool {
		return may(w.Provider, provider) && may(w.Service, service) && may(w.Resource, resource)
	})
}

func may(wanted, name string) bool { return wanted == "" || name == "" || wanted == name }

// Rows gives the rows of a table that shows the catalog, each as a JSON object:
// all that are of a part, and perhaps more. They are from the indexes of the
// providers.
func (c *Catalog) Rows(table string, part Part) [][]byte {
	var t rowsOf
	for _, p := range *c.providers.Load() {
		switch {
		case !part.has(p.Name, "", ""):
		case table == "providers":
			t.add(map[string]any{
				"provider": p.Name, "version": p.Version, "title": p.Title, "description": p.Description, "services": len(p.Services),
			})
		case p.Err != nil:
		case table == "services":
			for _, s := range c.Index(p).Services {
				t.add(map[string]any{
					"provider": p.Name, "service": s.Name, "title": s.Title, "description": s.Description, "resources": len(s.Resources),
				})
			}
		case table == "columns":
			for _, e := range entries(c, p, columnFile) {
				if part.has(p.Name, e.Service, e.Resource) && len(e.What) > 0 {
					t.rows = append(t.rows, bytes.Split(e.What, []byte("\n"))...)
				}
			}
		default:
			t.resources(c, p, table, part)
		}
	}
	return t.rows
}

// resources adds the rows that a table has of the resources of a provider.
func (t *rowsOf) resources(c *Catalog, p *provider.Provider, table string, part Part) {
	if table == "resources" {
		for _, e := range entries(c, p, resourceFile) {
			if r := e.What; part.has(p.Name, e.Service, e.Resource) {
				t.add(map[string]any{
					"provider": p.Name, "service": e.Service, "resource": r.Name, "id": r.ID, "title": r.Title,
					"description": r.Description, "is_view": r.View, "methods": r.Methods,
				})
			}
		}
		return
	}
	for _, e := range entries(c, p, methodFile) {
		if part.has(p.Name, e.Service, e.Resource) {
			for _, m := range e.What {
				t.method(table, map[string]any{"provider": p.Name, "service": e.Service, "resource": e.Resource, "method": m.Name}, m)
			}
		}
	}
}

// rowsOf gathers rows.
type rowsOf struct{ rows [][]byte }

// add adds a row. An empty text is NULL.
func (t *rowsOf) add(row map[string]any) {
	for name, value := range row {
		if value == "" && name != "required" && name != "optional" {
			row[name] = nil
		}
	}
	data, err := json.Marshal(row)
	if err == nil { // texts, numbers and booleans have no other outcome
		t.rows = append(t.rows, data)
	}
}

// method adds a method or its parameters.
func (t *rowsOf) method(table string, key map[string]any, m IndexedMethod) {
	if table == "methods" {
		key["verbs"], key["http_method"], key["path"], key["summary"] = m.Verbs, m.HTTP, m.Path, m.Summary
		key["required"], key["optional"] = m.names(true), m.names(false)
		t.add(key)
		return
	}
	for _, p := range m.Parameters {
		key["parameter"], key["location"], key["type"], key["required"] = p.Name, p.In, p.Type, p.Required
		t.add(key)
	}
}

// names joins the names of the required parameters, or of the others.
func (m IndexedMethod) names(required bool) string {
	var names []string
	for _, p := range m.Parameters {
		if p.Required == required {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ", ")
}

// columns adds the columns of a resource, as its first method has them.
func (t *rowsOf) columns(r *provider.Resource) {
	for _, m := range r.Verbs[provider.Select][:min(1, len(r.Verbs[provider.Select]))] {
		for i, c := range Columns(m) {
			t.add(map[string]any{
				"provider": r.Provider, "service": r.Service, "resource": r.Name, "column_name": c.Name, "position": i + 1,
				"type": c.Datatype, "sql_type": c.Type, "kind": string(c.Kind), "description": c.Description,
			})
		}
	}
}
