package catalog

import (
	"bytes"
	"encoding/gob"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// Index is what listings need to know of a provider, so that they read none of
// its documents. It holds nothing that a call is made from.
type Index struct {
	Provider string
	Services []IndexedService
}

// IndexedService is a service of an index.
type IndexedService struct {
	Name, Title, Description string
	Resources                []IndexedResource
}

// IndexedResource is a resource of an index.
type IndexedResource struct {
	Name, ID, Title, Description string
	View                         bool
	Methods                      int // how many
}

// IndexedMethod is a method of a resource, as the search and the tables know it.
type IndexedMethod struct {
	Name, Verbs, HTTP, Path, Summary string
	Parameters                       []IndexedParameter
}

// IndexedParameter is a parameter of such a method.
type IndexedParameter struct {
	Name, In, Type string
	Required       bool
}

// indexed is what a file of an index has for a resource.
type indexed[T any] struct {
	Service, Resource string
	What              T
}

// indexFile is a file of a provider's index: what is asked for together is in
// one, so that a list of names does not read the parameters of all methods.
type indexFile[T any] struct {
	name, version string // of the file, and of its form
	of            func(*contents) *[]indexed[T]
}

// The files of an index. Those of columns are the rows of the table that shows
// them, a line each.
var (
	resourceFile = indexFile[IndexedResource]{"index", "2", func(c *contents) *[]indexed[IndexedResource] { return &c.resources }}
	methodFile   = indexFile[[]IndexedMethod]{"methods", "1", func(c *contents) *[]indexed[[]IndexedMethod] { return &c.methods }}
	columnFile   = indexFile[[]byte]{"columns", "1", func(c *contents) *[]indexed[[]byte] { return &c.columns }}
)

// contents are all files of an index.
type contents struct {
	resources []indexed[IndexedResource]
	methods   []indexed[[]IndexedMethod]
	columns   []indexed[[]byte]
}

// Index gives the index of a provider, from its file where there is a good one.
func (c *Catalog) Index(p *provider.Provider) *Index {
	x := &Index{Provider: p.Name}
	of := map[string][]IndexedResource{}
	for _, e := range entries(c, p, resourceFile) {
		of[e.Service] = append(of[e.Service], e.What)
	}
	for _, info := range p.Services {
		x.Services = append(x.Services, IndexedService{info.Name, info.Title, info.Description, of[info.Name]})
	}
	return x
}

// indexKey names a file of an index that was read.
type indexKey struct {
	provider *provider.Provider
	file     string
}

// entries gives what a file of a provider's index has, in the order of the
// documents.
func entries[T any](c *Catalog, p *provider.Provider, f indexFile[T]) []indexed[T] {
	found, _ := c.indexes.LoadOrStore(indexKey{p, f.name}, &indexCell{})
	cell, _ := found.(*indexCell)
	cell.once.Do(func() { cell.entries = readEntries(p, f) })
	list, _ := cell.entries.([]indexed[T])
	return list
}

// readEntries reads or makes a file. That of a provider of two parts is made of
// theirs.
func readEntries[T any](p *provider.Provider, f indexFile[T]) []indexed[T] {
	if parts := p.Parts(); len(parts) > 0 {
		var list []indexed[T]
		known := map[[2]string]bool{}
		for _, part := range parts {
			for _, e := range readEntries(part, f) {
				if key := [2]string{e.Service, e.Resource}; !known[key] {
					known[key] = true
					list = append(list, e)
				}
			}
		}
		return list
	}
	if data, ok := p.Kept(f.name, f.version); ok {
		var list []indexed[T]
		if gob.NewDecoder(bytes.NewReader(data)).Decode(&list) == nil {
			return list
		}
	}
	var all contents
	for _, info := range p.Services {
		if s, err := p.Service(info.Name); err == nil {
			all.add(s)
		}
	}
	all.keep(p)
	return *f.of(&all)
}

// Compile compiles an installed provider and makes its index. tell is called for
// each service, by one goroutine at a time, with the error of one that cannot be
// read.
func Compile(p *provider.Provider, tell func(service string, err error)) {
	of := map[string]contents{}
	p.Compile(func(info provider.ServiceInfo, s *provider.Service, err error) {
		if err == nil {
			var c contents
			c.add(s)
			of[info.Name] = c
		}
		tell(info.Name, err)
	})
	var all contents
	for _, info := range p.Services {
		c := of[info.Name]
		all.resources = append(all.resources, c.resources...)
		all.methods = append(all.methods, c.methods...)
		all.columns = append(all.columns, c.columns...)
	}
	all.keep(p)
}

// add takes up what is to be known of a service.
func (c *contents) add(s *provider.Service) {
	for _, r := range s.Resources() {
		c.resources = append(c.resources, indexed[IndexedResource]{s.Name, r.Name, IndexedResource{
			Name: r.Name, ID: r.ID, Title: r.Title, Description: r.Description, View: r.View != "", Methods: len(r.Methods),
		}})
		var methods []IndexedMethod
		for _, m := range listed(r) {
			methods = append(methods, indexMethod(m))
		}
		c.methods = append(c.methods, indexed[[]IndexedMethod]{s.Name, r.Name, methods})
		var t rowsOf
		t.columns(r)
		c.columns = append(c.columns, indexed[[]byte]{s.Name, r.Name, bytes.Join(t.rows, []byte("\n"))})
	}
}

// keep writes the files, if there is a place for them.
func (c *contents) keep(p *provider.Provider) {
	keep(p, resourceFile, c)
	keep(p, methodFile, c)
	keep(p, columnFile, c)
}

func keep[T any](p *provider.Provider, f indexFile[T], c *contents) {
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(*f.of(c)) == nil {
		p.Keep(f.name, f.version, b.Bytes())
	}
}

func indexMethod(m *provider.Method) IndexedMethod {
	entry := IndexedMethod{Name: m.Name, Verbs: verbs(m), HTTP: m.HTTPMethod, Path: m.Path, Summary: summary(m)}
	for _, p := range m.Parameters {
		kind := ""
		if p.Schema != nil {
			kind = typed(p.Schema).Datatype
		}
		entry.Parameters = append(entry.Parameters, IndexedParameter{p.Name, string(p.In), kind, p.Required})
	}
	return entry
}

// longSummary is where a summary is cut.
const longSummary = 200

// summary gives the first sentence that says what a method does.
func summary(m *provider.Method) string {
	text := m.Summary
	if text == "" {
		text = m.Description
	}
	text = strings.Join(strings.Fields(text), " ")
	if at := strings.Index(text, ". "); at >= 0 {
		text = text[:at+1]
	}
	if len(text) > longSummary {
		text = strings.ToValidUTF8(text[:longSummary], "") + "…"
	}
	return text
}
