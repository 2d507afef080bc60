package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// Ancestor is a resource whose items stand above those of a method in the tree
// that path templates make: under /hostPools/{hostPoolName}/sessionHosts stand
// the items of the resource that reads /hostPools/{hostPoolName}.
type Ancestor struct {
	Resource *provider.Resource
	Get      *provider.Method   // reads one of them
	Lists    []*provider.Method // methods that list them, in the order of the document
}

// Ancestor finds the resource whose items are named by the first n path
// parameters of a method, or nil: the one of the same service first. A resource
// that cannot be listed is none. Literal parts of the paths are compared
// without case, as Azure Resource Manager writes the same path in several.
func (c *Catalog) Ancestor(m *provider.Method, n int) *Ancestor {
	key := ancestorOf{m, n}
	if a, known := c.ancestors.Load(key); known {
		return a.(*Ancestor)
	}
	a := c.ancestor(m, n)
	c.ancestors.Store(key, a)
	return a
}

// ancestorOf is the key of what Ancestor has found: a plan asks for the same many
// times.
type ancestorOf struct {
	method *provider.Method
	n      int
}

func (c *Catalog) ancestor(m *provider.Method, n int) *Ancestor {
	names := m.PathParameters()
	if n < 1 || n > len(names) {
		return nil
	}
	mark := "{" + names[n-1] + "}"
	at := strings.Index(m.Path, mark)
	prefix := shapeOfPath(m.Path[:at+len(mark)])
	p, err := c.Provider(m.Resource.Provider)
	if err != nil {
		return nil
	}
	for _, name := range nearServices(p, m.Resource.Service, collection(prefix)) {
		s, err := p.Service(name)
		if err != nil {
			continue // its document is broken; another service may have the resource
		}
		for _, r := range s.Names() {
			if !slices.ContainsFunc(s.Paths(r), func(path string) bool { return shapeOfPath(path) == prefix }) {
				continue // to read all resources of a service takes longer than most calls
			}
			resource, _ := s.Resource(r)
			if a := ancestorAt(resource, prefix); a != nil {
				return a
			}
		}
	}
	return nil
}

// ancestorAt gives the resource as an ancestor if its items live at a path.
func ancestorAt(r *provider.Resource, shape string) *Ancestor {
	gets := getters(r)
	i := slices.IndexFunc(gets, func(get *provider.Method) bool { return shapeOfPath(get.Path) == shape })
	branches := Branches(r)
	if i < 0 || i > 0 && branches == nil {
		return nil
	}
	a := &Ancestor{Resource: r, Get: gets[i], Lists: Lists(r)}
	for _, branch := range branches {
		if slices.Contains(branch, gets[i]) { // the other lists have none of its items
			a.Lists = slices.DeleteFunc(a.Lists, func(m *provider.Method) bool { return !slices.Contains(branch, m) })
		}
	}
	if len(a.Lists) == 0 {
		return nil
	}
	return a
}

// Lists gives the methods that list a resource's items, in document order.
func Lists(r *provider.Resource) []*provider.Method {
	get := getter(r)
	var lists []*provider.Method
	for _, m := range r.Verbs[provider.Select] {
		if m != get && (m.Response.List || !strings.HasSuffix(m.Path, "}")) {
			lists = append(lists, m)
		}
	}
	return lists
}

// Forks tells whether a resource has rows below several parents, of which a
// method lists those of one: private endpoint connections of workspaces and of
// host pools are one resource.
func Forks(m *provider.Method) bool {
	return slices.ContainsFunc(Lists(m.Resource), func(other *provider.Method) bool { return !nested(m, other) })
}

// nested tells whether one of two lists stands below the parent of the other.
func nested(l, r *provider.Method) bool {
	return strings.HasPrefix(shapeOfPath(r.Path)+"/", parentOf(l)) || strings.HasPrefix(shapeOfPath(l.Path)+"/", parentOf(r))
}

// parentOf gives the shape of a path up to its last parameter.
func parentOf(m *provider.Method) string {
	shape := shapeOfPath(m.Path)
	if at := strings.LastIndex(shape, "{}"); at >= 0 {
		return shape[:at+len("{}")] + "/"
	}
	return "/"
}

// IsGet tells whether a method reads one item by its full path.
func IsGet(m *provider.Method) bool { return m == getter(m.Resource) }

// Descendants gives the method of a provider that lists what is below a
// management group of Azure Resource Manager, or nil.
func (c *Catalog) Descendants(providerName string) *provider.Method {
	const below = "/providers/microsoft.management/managementgroups/{}/descendants"
	p, err := c.Provider(providerName)
	if err != nil {
		return nil
	}
	for _, name := range nearServices(p, "", "managementgroups") {
		s, err := p.Service(name)
		if err != nil {
			continue // there is none, or its document is broken
		}
		for _, r := range s.Names() {
			if !slices.ContainsFunc(s.Paths(r), func(path string) bool { return shapeOfPath(path) == below }) {
				continue
			}
			resource, _ := s.Resource(r)
			for _, m := range resource.Verbs[provider.Select] {
				if shapeOfPath(m.Path) == below {
					return m
				}
			}
		}
	}
	return nil
}

// IsSubscriptions tells whether a method reads one subscription of Azure
// Resource Manager.
func IsSubscriptions(m *provider.Method) bool { return shapeOfPath(m.Path) == "/subscriptions/{}" }

// SubscriptionOf gives the parameter of a resource's methods that is the
// subscription of Azure Resource Manager which its rows are in; "" where there
// is none, and for the subscriptions themselves.
func SubscriptionOf(r *provider.Resource) string {
	get := getter(r)
	if r.Family != provider.ARM || get != nil && IsSubscriptions(get) {
		return ""
	}
	for _, m := range r.Verbs[provider.Select] {
		if strings.HasPrefix(shapeOfPath(m.Path), "/subscriptions/{}") {
			return m.PathParameters()[0]
		}
	}
	return ""
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// shapeOfPath gives a path template with its parameters made equal.
func shapeOfPath(path string) string {
	return strings.ToLower(strings.TrimSuffix(placeholder.ReplaceAllString(path, "{}"), "/"))
}

// rootServices are where providers keep what everything else is below.
var rootServices = []string{"subscription", "subscriptions", "resources", "resource", "cloudresourcemanager", "orgs", "organizations"}

// manyServices is how many services a provider may have for all of them to be
// read in search of an ancestor.
const manyServices = 20

// collection gives the literal part of a path's shape before its last
// parameter: accounts of /accounts/{}.
func collection(shape string) string {
	parts := strings.Split(strings.TrimSuffix(shape, "/{}"), "/")
	return parts[len(parts)-1]
}

// nearServices gives the services to look for an ancestor in: its own, the one
// that has the name of the ancestor's collection, those that usually hold the
// roots, and all of a provider that has few.
func nearServices(p *provider.Provider, own, collection string) []string {
	names := []string{own}
	for _, root := range append([]string{collection}, rootServices...) {
		for _, s := range p.Services {
			if fault.Fold(s.Name) == fault.Fold(root) && !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	for _, s := range p.Services {
		if len(p.Services) <= manyServices && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Gives tells whether the items that a method lists, or the calls that list
// them, have the value of a path parameter of the method that reads one.
func Gives(list *provider.Method, parameter string) bool {
	if _, ok := list.Parameter(parameter); ok {
		return true
	}
	c, ok := Lookup(Columns(list), parameter)
	return ok && (len(c.IDs) > 0 || len(c.Path) > 0)
}

// keyPattern makes the expression for keys that are paths of their own: with
// Google, the name of a key ring is projects/p/locations/l/keyRings/k.
func keyPattern(get *provider.Method) string {
	return "(?i)(?:^|/)" + regexp.QuoteMeta(collection(shapeOfPath(get.Path))) + "/([^/]+)$"
}

// keyPath gives the member of a listed item that is the value of the last path
// parameter of the method that reads one, where ids are no paths: the member of
// the parameter's name, its id where the parameter says so, the member that has
// the last word of it, as slug of team_slug, else what items have.
func keyPath(item *openapi.Schema, parameter string) []string {
	words := wordsOf(parameter)
	likely := []string{parameter}
	if slices.Contains(words, "id") {
		likely = append(likely, "id")
	}
	likely = append(likely, words[len(words)-1])
	if slices.Contains(words, "id") || slices.Contains(words, "uuid") {
		likely = append(likely, "id", "uuid", "name")
	} else {
		likely = append(likely, "login", "name", "id")
	}
	for _, name := range likely {
		for _, m := range item.Members() {
			if scalar(m.Schema) && fault.Fold(m.Name) == fault.Fold(name) {
				return []string{m.Name}
			}
		}
	}
	return nil
}

var word = regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`)

// wordsOf gives the words of a name in lower case; names always have one.
func wordsOf(name string) []string {
	words := word.FindAllString(name, -1)
	for i, w := range words {
		words[i] = strings.ToLower(w)
	}
	if len(words) == 0 {
		return []string{name}
	}
	return words
}

// scalar tells whether a value of a schema can be a part of a path.
func scalar(s *openapi.Schema) bool { return s == nil || s.Type != "object" && s.Type != "array" }
