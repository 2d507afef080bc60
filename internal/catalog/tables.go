package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// Part is a part of the catalog: the union of what it lists. An empty one is all.
type Part []Wanted

// Wanted is a provider, or one service of it.
type Wanted struct{ Provider, Service string }

// String names the part.
func (p Part) String() string { return fmt.Sprint([]Wanted(p)) }

// has tells whether a service, or with an empty one a provider, may be of the
// part.
func (p Part) has(provider, service string) bool {
	return len(p) == 0 || slices.ContainsFunc(p, func(w Wanted) bool {
		return w.Provider == provider && (w.Service == "" || service == "" || w.Service == service)
	})
}

// Rows gives the rows of a table that shows the catalog, each as a JSON object:
// all that are of a part, and perhaps more. All but those of columns are from
// the indexes of the providers.
func (c *Catalog) Rows(table string, part Part) [][]byte {
	var t rowsOf
	for _, p := range *c.providers.Load() {
		switch {
		case !part.has(p.Name, ""):
		case table == "providers":
			t.add(map[string]any{
				"provider": p.Name, "version": p.Version, "title": p.Title, "description": p.Description, "services": len(p.Services),
			})
		case p.Err != nil:
		case table == "columns":
			t.columns(p, part)
		default:
			for _, s := range c.Index(p).Services {
				if part.has(p.Name, s.Name) {
					t.service(table, p.Name, s)
				}
			}
		}
	}
	return t.rows
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

// service adds what a table shows of a service.
func (t *rowsOf) service(table, provider string, s IndexedService) {
	if table == "services" {
		t.add(map[string]any{
			"provider": provider, "service": s.Name, "title": s.Title, "description": s.Description, "resources": len(s.Resources),
		})
		return
	}
	for _, r := range s.Resources {
		if table == "resources" {
			t.add(map[string]any{
				"provider": provider, "service": s.Name, "resource": r.Name, "id": r.ID, "title": r.Title,
				"description": r.Description, "is_view": r.View, "methods": len(r.Methods),
			})
			continue
		}
		for _, m := range r.Methods {
			t.method(table, map[string]any{"provider": provider, "service": s.Name, "resource": r.Name, "method": m.Name}, m)
		}
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

// columns adds the columns of the resources of a provider, as their first
// method has them.
func (t *rowsOf) columns(p *provider.Provider, part Part) {
	for _, info := range p.Services {
		if !part.has(p.Name, info.Name) {
			continue
		}
		s, err := p.Service(info.Name)
		if err != nil {
			continue // provider show --problems tells of it
		}
		for _, r := range s.Resources() {
			for _, m := range r.Verbs[provider.Select][:min(1, len(r.Verbs[provider.Select]))] {
				for i, col := range Columns(m) {
					t.add(map[string]any{
						"provider": p.Name, "service": s.Name, "resource": r.Name, "column_name": col.Name, "position": i + 1,
						"type": col.Datatype, "sql_type": col.Type, "kind": string(col.Kind), "description": col.Description,
					})
				}
			}
		}
	}
}
