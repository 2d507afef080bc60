// Package catalog answers questions about names: which resource a dotted name
// means, which columns a method of it gives, which parameters bind, what SHOW
// and DESCRIBE print. Names are matched without case, then without
// underscores, so that host_pool_name finds hostPoolName; an error names the
// nearest names.
//
// The catalog is built from provider documents alone. It sends nothing and does
// not know the session (USE, views, local tables): the planner does. Start
// reading at [Catalog.Resource] and [Columns].
package catalog

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// Catalog is the set of installed providers. It may be shared by goroutines.
type Catalog struct {
	providers atomic.Pointer[[]*provider.Provider]
	ancestors sync.Map // of ancestorOf: *Ancestor
	indexes   sync.Map // indexKey -> *indexCell
}

// indexCell holds a file of an index once it is read.
type indexCell struct {
	once    sync.Once
	entries any
}

// New makes a catalog of providers; of two with one name the first counts.
func New(providers ...*provider.Provider) *Catalog {
	c := &Catalog{}
	c.Replace(providers...)
	return c
}

// Replace makes it the catalog of other providers, such as after one was
// installed.
func (c *Catalog) Replace(providers ...*provider.Provider) {
	var list []*provider.Provider
	for _, p := range providers {
		if !slices.ContainsFunc(list, func(other *provider.Provider) bool { return other.Name == p.Name }) {
			list = append(list, p)
		}
	}
	c.providers.Store(&list)
	c.ancestors.Clear()
	c.indexes.Clear()
}

// Providers gives the names of the providers in the order of New.
func (c *Catalog) Providers() []string {
	list := *c.providers.Load()
	names := make([]string, 0, len(list))
	for _, p := range list {
		names = append(names, p.Name)
	}
	return names
}

// match finds the candidate that a name means: the same text, else the first
// that is the same without case, else without underscores too.
func match(name string, candidates []string) (string, bool) {
	for _, c := range candidates {
		if c == name {
			return c, true
		}
	}
	for _, c := range candidates {
		if strings.EqualFold(c, name) {
			return c, true
		}
	}
	folded := fault.Fold(name)
	for _, c := range candidates {
		if fault.Fold(c) == folded {
			return c, true
		}
	}
	return "", false
}

// Provider finds a provider. The error is a fault.UndefinedTable.
func (c *Catalog) Provider(name string) (*provider.Provider, error) {
	list := *c.providers.Load()
	names := make([]string, 0, len(list))
	for _, p := range list {
		names = append(names, p.Name)
	}
	found, ok := match(name, names)
	if !ok {
		return nil, fault.New(fault.UndefinedTable, "there is no provider %q", name).
			WithHint("%s", meant(name, names, "SHOW PROVIDERS lists those that are installed"))
	}
	return list[slices.Index(names, found)], nil
}

// Service finds a service by the names of its provider and itself. The error is
// a fault.UndefinedTable that says which of them is unknown, or tells that the
// service's document cannot be read.
func (c *Catalog) Service(providerName, name string) (*provider.Service, error) {
	p, err := c.Provider(providerName)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(p.Services))
	for _, s := range p.Services {
		names = append(names, s.Name)
	}
	found, ok := match(name, names)
	if p.Err != nil {
		return nil, p.Err
	}
	if !ok {
		return nil, fault.New(fault.UndefinedTable, "the provider %q has no service %q", p.Name, name).
			WithHint("%s", meant(name, names, "SHOW SERVICES IN "+p.Name+" lists them"))
	}
	return p.Service(found)
}

// Resource finds a resource by provider, service and resource name. The error
// is a fault.UndefinedTable that says which of the three is unknown, or tells
// that the document of the service cannot be read.
func (c *Catalog) Resource(parts ...string) (*provider.Resource, error) {
	if len(parts) != 3 {
		return nil, fault.New(fault.UndefinedTable, "%q does not name a resource", strings.Join(parts, ".")).
			WithHint("a resource is named provider.service.resource; USE provider.service makes its own name enough")
	}
	s, err := c.Service(parts[0], parts[1])
	if err != nil {
		return nil, err
	}
	path := s.Provider + "." + s.Name
	found, ok := match(parts[2], s.Names())
	if !ok {
		return nil, fault.New(fault.UndefinedTable, "the service %q has no resource %q", path, parts[2]).
			WithHint("%s", meant(parts[2], s.Names(), "SHOW RESOURCES IN "+path+" lists them"))
	}
	r, _ := s.Resource(found)
	if len(r.Methods) == 0 && len(r.Problems) > 0 {
		return nil, r.Problems[0]
	}
	return r, nil
}

// Method finds a method of a resource. The error is a fault.UndefinedMethod.
func (c *Catalog) Method(r *provider.Resource, name string) (*provider.Method, error) {
	names := methodNames(r)
	found, ok := match(name, names)
	if !ok {
		return nil, fault.New(fault.UndefinedMethod, "%q has no method %q", r.Path(), name).
			WithHint("%s", meant(name, names, "SHOW METHODS IN "+r.Path()+" lists them"))
	}
	m, _ := r.Method(found)
	return m, nil
}

// methodNames gives the methods of a resource in document order.
func methodNames(r *provider.Resource) []string {
	names := make([]string, 0, len(r.Methods))
	for _, m := range r.Methods {
		names = append(names, m.Name)
	}
	return names
}

// FindParameter finds a parameter of a method by the user's spelling of its
// name.
func FindParameter(m *provider.Method, name string) (provider.Parameter, bool) {
	names := make([]string, 0, len(m.Parameters))
	for _, p := range m.Parameters {
		names = append(names, p.Name)
	}
	found, ok := match(name, names)
	if !ok {
		return provider.Parameter{}, false
	}
	return m.Parameter(found)
}

// Complete gives the names that can stand after a dotted prefix: providers,
// services, resources, methods. It gives nothing for a prefix that is unknown.
func (c *Catalog) Complete(prefix ...string) []string {
	switch len(prefix) {
	case 0:
		return c.Providers()
	case 1:
		p, err := c.Provider(prefix[0])
		if err != nil {
			return nil
		}
		var names []string
		for _, s := range p.Services {
			names = append(names, s.Name)
		}
		return names
	case 2:
		if s, err := c.Service(prefix[0], prefix[1]); err == nil {
			return s.Names()
		}
	case 3:
		if r, err := c.Resource(prefix...); err == nil {
			return methodNames(r)
		}
	}
	return nil
}

// meant gives the hint for a misspelt name. The singular of a plural, and the
// other way round, is nearer than any slip of the finger.
func meant(name string, candidates []string, other string) string {
	one := singular(fault.Fold(name))
	for _, c := range candidates {
		if singular(fault.Fold(c)) == one {
			return "did you mean " + c + "?"
		}
	}
	return fault.DidYouMean(name, candidates, other)
}

// singular takes an English plural ending off, roughly: both sides of a
// comparison pass through it.
func singular(word string) string {
	if strings.HasSuffix(word, "ss") {
		return word
	}
	for _, ending := range [][2]string{{"ies", "y"}, {"sses", "ss"}, {"xes", "x"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(word, ending[0]); ok && len(stem) > 1 {
			return stem + ending[1]
		}
	}
	return word
}
