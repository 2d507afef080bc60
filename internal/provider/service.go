package provider

import (
	"slices"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/openapi"
)

// Service is a service whose document has been opened. Its resources are read
// one by one when they are asked for. It may be shared by goroutines.
type Service struct {
	Provider    string
	Name        string
	Title       string
	Description string
	Version     string

	family Family
	config []*openapi.Node // config of the service and of the provider in provider.yaml
	doc    *openapi.Document
	names  []string
	cells  map[string]*cell
}

// cell holds a resource once it is read.
type cell struct {
	from     *Service // whose document has it
	node     *openapi.Node
	once     sync.Once
	resource *Resource
}

// newService makes a service of its document. The document's own title and
// description stand in where provider.yaml has none.
func newService(p *Provider, info ServiceInfo, doc *openapi.Document) (*Service, error) {
	root := doc.Root()
	resources := root.At("components", "x-stackQL-resources")
	if err := resources.Err(); err != nil {
		return nil, err
	}
	if !resources.IsMapping() {
		return nil, root.Invalid("the document has no components.x-stackQL-resources")
	}
	s := &Service{
		Provider: p.Name, Name: info.Name, Title: info.Title, Description: info.Description, Version: info.Version,
		family: p.Family, config: []*openapi.Node{info.config, p.config}, doc: doc, cells: map[string]*cell{},
	}
	if s.Title == "" {
		s.Title = root.At("info", "title").Text()
	}
	if s.Description == "" {
		s.Description = root.At("info", "description").Text()
	}
	for _, e := range resources.Entries() {
		s.names = append(s.names, e.Key)
		s.cells[e.Key] = &cell{from: s, node: e.Value}
	}
	return s, nil
}

// Names gives the names of the resources in document order. It reads none of
// them. The caller must not change the slice.
func (s *Service) Names() []string { return s.names }

// Resource gives a resource by its exact name.
func (s *Service) Resource(name string) (*Resource, bool) {
	c := s.cells[name]
	if c == nil {
		return nil, false
	}
	c.once.Do(func() {
		l := loader{service: c.from, doc: c.from.doc, root: c.from.doc.Root()}
		c.resource = l.resource(name, c.node)
	})
	return c.resource, true
}

// Paths gives the path templates that the methods of a resource point to, as
// the document writes them. It reads no operation, so it is the quick way to
// tell which resources can be at a path.
func (s *Service) Paths(name string) []string {
	c := s.cells[name]
	if c == nil {
		return nil
	}
	var list []string
	for _, e := range c.node.At("methods").Entries() {
		if key, _, ok := splitPointer(e.Value.At("operation", "$ref").Text()); ok {
			path, _, _ := strings.Cut(key, "?")
			list = append(list, path)
		}
	}
	return list
}

// ResourceInfo is what names a resource to people.
type ResourceInfo struct {
	Name        string
	ID          string
	Title       string
	Description string
}

// Infos describes the resources in document order without reading their
// methods.
func (s *Service) Infos() []ResourceInfo {
	list := make([]ResourceInfo, 0, len(s.names))
	for _, name := range s.names {
		n := s.cells[name].node
		info := ResourceInfo{Name: name, ID: n.At("id").Text(), Title: n.At("title").Text(), Description: n.At("description").Text()}
		if info.ID == "" {
			info.ID = s.Provider + "." + s.Name + "." + name
		}
		list = append(list, info)
	}
	return list
}

// Resources gives all resources in document order. It reads those that have not
// been read yet: most of the document.
func (s *Service) Resources() []*Resource {
	list := make([]*Resource, 0, len(s.names))
	for _, name := range s.names {
		r, _ := s.Resource(name)
		list = append(list, r)
	}
	return list
}

// Problems gives what is wrong with methods of the service, each of which is
// left out. It reads all resources.
func (s *Service) Problems() []error {
	var list []error
	for _, r := range s.Resources() {
		list = append(list, r.Problems...)
	}
	return list
}

// loader reads parts of one service's document.
type loader struct {
	service *Service
	doc     *openapi.Document
	root    *openapi.Node
}

// resource reads a resource. It always gives one: what is wrong is in its
// Problems.
func (l *loader) resource(name string, n *openapi.Node) *Resource {
	r := &Resource{
		Provider: l.service.Provider, Service: l.service.Name, Name: name, Family: l.service.family,
		ID:          n.At("id").Text(),
		Title:       n.At("title").Text(),
		Description: n.At("description").Text(),
		SigningName: l.root.At("info", "x-serviceName").Text(),
		View:        view(n.At("config", "views", "select")),
		Verbs:       map[Verb][]*Method{},
	}
	if r.ID == "" {
		r.ID = r.Path()
	}
	for _, part := range []*openapi.Node{n, n.At("methods"), n.At("sqlVerbs")} {
		if err := part.Err(); err != nil {
			r.Problems = append(r.Problems, err)
		}
	}
	for _, e := range n.At("methods").Entries() {
		m, err := l.method(r, e.Key, n, e.Value)
		if err != nil {
			r.Problems = append(r.Problems, err)
			continue
		}
		r.Methods = append(r.Methods, m)
	}
	r.assign(n)
	return r
}

// sqlVerbs are the verbs that a method can be listed under.
var sqlVerbs = []Verb{Select, Insert, Update, Replace, Delete}

// fallbacks are the methods that serve a verb by their names where sqlVerbs
// does not mention the verb.
var fallbacks = map[Verb][]string{
	Select: {"select", "list", "aggregatedList", "get"},
	Insert: {"insert", "create"},
	Delete: {"delete"},
}

// assign gives each verb its methods and each method its verbs.
func (r *Resource) assign(n *openapi.Node) {
	for _, verb := range sqlVerbs {
		names := fallbacks[verb]
		if listed := n.At("sqlVerbs", string(verb)); listed != nil {
			if err := listed.Check(); err != nil {
				r.Problems = append(r.Problems, err)
			}
			names = r.listed(listed.Items(), n.At("methods"))
		}
		for _, name := range names {
			if m, ok := r.Method(name); ok && !m.serves(verb) {
				m.Verbs = append(m.Verbs, verb)
				r.Verbs[verb] = append(r.Verbs[verb], m)
			}
		}
	}
	for _, m := range r.Methods {
		switch {
		case len(m.Verbs) == 0:
			m.Verbs = []Verb{Exec}
		case m.serves(Select):
			m.ReadOnly = m.ReadOnly || m.HTTPMethod == "POST"
			m.bodyParameters(false)
		case m.serves(Delete) && len(m.Verbs) == 1:
			m.bodyParameters(false)
		case m.serves(Update) && len(m.PathParameters()) == 0:
			m.bodyParameters(true)
		}
	}
}

// serves tells whether the method is listed under the verb already: published
// lists hold the same method twice.
func (m *Method) serves(verb Verb) bool { return slices.Contains(m.Verbs, verb) }

// listed reads the entries of a verb. Only the last two parts of a pointer
// count, methods and a name: documents were published whose pointers name
// another resource than the one they stand in.
func (r *Resource) listed(items []*openapi.Node, methods *openapi.Node) []string {
	var names []string
	for _, item := range items {
		ref := item.At("$ref").Text()
		parts := strings.Split(ref, "/")
		name := parts[len(parts)-1]
		switch {
		case len(parts) < 2 || parts[len(parts)-2] != "methods":
			r.Problems = append(r.Problems, item.Invalid("%q names no method of %s", ref, r.Path()))
		case methods.At(name) == nil:
			r.Problems = append(r.Problems, item.Invalid("%s has no method %q", r.Path(), name))
		default:
			names = append(names, name)
		}
	}
	return names
}
