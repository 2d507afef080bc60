package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// Table is a listing: values in rows, nil for NULL.
type Table struct {
	Columns []string
	Rows    [][]any
}

// add appends a row. Values beyond the last column are those of EXTENDED.
func (t *Table) add(values ...any) { t.Rows = append(t.Rows, values[:len(t.Columns)]) }

// table makes a table whose last columns only EXTENDED shows.
func table(extended bool, columns []string, more ...string) Table {
	if extended {
		columns = append(columns, more...)
	}
	return Table{Columns: columns}
}

// orNull gives NULL for a text that the document does not have.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// ShowProviders lists the providers.
func (c *Catalog) ShowProviders(extended bool) (Table, error) {
	t := table(extended, []string{"name", "version"}, "title", "description")
	for _, p := range *c.providers.Load() {
		t.add(p.Name, orNull(p.Version), orNull(p.Title), orNull(p.Description))
	}
	return t, nil
}

// ShowServices lists the services of a provider in document order. The error is
// that of an unknown provider.
func (c *Catalog) ShowServices(providerName string, extended bool) (Table, error) {
	p, err := c.Provider(providerName)
	if err != nil {
		return Table{}, err
	}
	if p.Err != nil {
		return Table{}, p.Err
	}
	t := table(extended, []string{"id", "name", "title"}, "description")
	for _, s := range p.Services {
		t.add(p.Name+"."+s.Name, s.Name, orNull(s.Title), orNull(s.Description))
	}
	return t, nil
}

// ShowResources lists the resources of a service in document order. The error
// is that of Service.
func (c *Catalog) ShowResources(providerName, service string, extended bool) (Table, error) {
	s, err := c.Service(providerName, service)
	if err != nil {
		return Table{}, err
	}
	t := table(extended, []string{"name", "id"}, "title", "description")
	for _, r := range s.Infos() {
		t.add(r.Name, r.ID, orNull(r.Title), orNull(r.Description))
	}
	return t, nil
}

// ShowAllResources lists the resources of all services of a provider from its
// index. The error is that of an unknown provider.
func (c *Catalog) ShowAllResources(providerName string, extended bool) (Table, error) {
	p, err := c.Provider(providerName)
	if err != nil {
		return Table{}, err
	}
	if p.Err != nil {
		return Table{}, p.Err
	}
	t := table(extended, []string{"name", "id"}, "title", "description")
	for _, s := range c.Index(p).Services {
		for _, r := range s.Resources {
			t.add(r.Name, r.ID, orNull(r.Title), orNull(r.Description))
		}
	}
	return t, nil
}

// verbOrder is the order of methods in listings.
var verbOrder = []provider.Verb{
	provider.Select, provider.Insert, provider.Update, provider.Replace, provider.Delete, provider.Exec,
}

// listed gives the methods of a resource by their first verb, and within a verb
// in document order.
func listed(r *provider.Resource) []*provider.Method {
	rank := func(m *provider.Method) int { return slices.Index(verbOrder, m.Verbs[0]) }
	methods := slices.Clone(r.Methods)
	slices.SortStableFunc(methods, func(a, b *provider.Method) int { return rank(a) - rank(b) })
	return methods
}

// ShowMethods lists the methods of a resource, one row each, those that are
// chosen by a SELECT first.
func (c *Catalog) ShowMethods(r *provider.Resource, extended bool) Table {
	t := table(extended, []string{"MethodName", "SQLVerb", "RequiredParams", "OptionalParams"},
		"description", "http_method", "path", "api_version")
	for _, m := range listed(r) {
		t.add(m.Name, verbs(m), parameterNames(m.RequiredParameters()), parameterNames(m.OptionalParameters()),
			orNull(m.Description), m.HTTPMethod, m.Path, orNull(apiVersion(m)))
	}
	return t
}

// verbs writes the verbs of a method as users write them.
func verbs(m *provider.Method) string {
	names := make([]string, 0, len(m.Verbs))
	for _, v := range m.Verbs {
		names = append(names, strings.ToUpper(string(v)))
	}
	return strings.Join(names, ", ")
}

// parameterNames joins the names of parameters; none are the empty text, as in
// the tables of the reference pages.
func parameterNames(list []provider.Parameter) string {
	names := make([]string, 0, len(list))
	for _, p := range list {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// apiVersion gives the version that the method's calls name, in whatever way
// the provider spells the parameter.
func apiVersion(m *provider.Method) string {
	for _, c := range m.Constants {
		if strings.EqualFold(c.Name, "api-version") || c.Name == "Version" {
			return c.Value
		}
	}
	return ""
}

// Like keeps the rows whose name matches an SQL LIKE pattern, without case. The
// name is the column called name or MethodName, else the first.
func Like(t Table, pattern string) Table {
	at := max(0, slices.IndexFunc(t.Columns, func(name string) bool { return name == "name" || name == "MethodName" }))
	matches := likePattern(pattern)
	kept := Table{Columns: t.Columns}
	for _, row := range t.Rows {
		if text, ok := row[at].(string); ok && matches.MatchString(text) {
			kept.Rows = append(kept.Rows, row)
		}
	}
	return kept
}

// likePattern makes the expression for a pattern in which % is any text and _
// any one character; there is no escape character, as in DuckDB's LIKE.
func likePattern(pattern string) *regexp.Regexp {
	text := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("(?is)^" + text + "$")
}
