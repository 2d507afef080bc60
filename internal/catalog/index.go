package catalog

import (
	"bytes"
	"encoding/gob"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// Index is what listings and the search need to know of a provider, so that they
// read none of its documents. It holds nothing that a call is made from.
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
	Methods                      []IndexedMethod
}

// IndexedMethod is a method of an index.
type IndexedMethod struct {
	Name, Verbs, HTTP, Path, Summary string
	Parameters                       []IndexedParameter
}

// IndexedParameter is a parameter of a method of an index.
type IndexedParameter struct {
	Name, In, Type string
	Required       bool
}

// indexName is the file of a provider's index.
const indexName = "index"

// indexVersion is the version of its form.
const indexVersion = "1"

// Index gives the index of a provider, from its file where there is a good one.
func (c *Catalog) Index(p *provider.Provider) *Index {
	entry, _ := c.indexes.LoadOrStore(p, &indexCell{})
	cell, _ := entry.(*indexCell)
	cell.once.Do(func() { cell.index = indexOf(p) })
	return cell.index
}

// Compile compiles an installed provider and makes its index. tell is called for
// each service, by one goroutine at a time, with the error of one that cannot be
// read.
func Compile(p *provider.Provider, tell func(service string, err error)) {
	entries := map[string][]IndexedResource{}
	p.Compile(func(info provider.ServiceInfo, s *provider.Service, err error) {
		if err == nil {
			entries[info.Name] = indexResources(s)
		}
		tell(info.Name, err)
	})
	keep(p, makeIndex(p, func(name string) []IndexedResource { return entries[name] }))
}

// indexOf reads or makes an index. That of a provider of two parts is made of
// theirs.
func indexOf(p *provider.Provider) *Index {
	if parts := p.Parts(); len(parts) > 0 {
		x := &Index{Provider: p.Name}
		for _, part := range parts {
			x.add(indexOf(part))
		}
		return x
	}
	if data, ok := p.Kept(indexName, indexVersion); ok {
		x := &Index{}
		if gob.NewDecoder(bytes.NewReader(data)).Decode(x) == nil {
			return x
		}
	}
	x := makeIndex(p, func(name string) []IndexedResource {
		if s, err := p.Service(name); err == nil {
			return indexResources(s)
		}
		return nil
	})
	keep(p, x)
	return x
}

// keep writes the file of an index, if there is a place for it.
func keep(p *provider.Provider, x *Index) {
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(x) == nil {
		p.Keep(indexName, indexVersion, b.Bytes())
	}
}

// add takes over what the index does not have yet.
func (x *Index) add(other *Index) {
	for _, s := range other.Services {
		at := slices.IndexFunc(x.Services, func(known IndexedService) bool { return known.Name == s.Name })
		if at < 0 {
			x.Services = append(x.Services, s)
			continue
		}
		known := &x.Services[at]
		for _, r := range s.Resources {
			if !slices.ContainsFunc(known.Resources, func(k IndexedResource) bool { return k.Name == r.Name }) {
				known.Resources = append(known.Resources, r)
			}
		}
	}
}

// makeIndex reads a provider for its index. A service that cannot be read is
// there with its name alone.
func makeIndex(p *provider.Provider, resources func(service string) []IndexedResource) *Index {
	x := &Index{Provider: p.Name}
	for _, info := range p.Services {
		x.Services = append(x.Services, IndexedService{info.Name, info.Title, info.Description, resources(info.Name)})
	}
	return x
}

func indexResources(s *provider.Service) []IndexedResource {
	var list []IndexedResource
	for _, r := range s.Resources() {
		entry := IndexedResource{Name: r.Name, ID: r.ID, Title: r.Title, Description: r.Description, View: r.View != ""}
		for _, m := range listed(r) {
			entry.Methods = append(entry.Methods, indexMethod(m))
		}
		list = append(list, entry)
	}
	return list
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
