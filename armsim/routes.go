package armsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// router finds the method of the documents that a request means, and knows the
// resource types that the documents speak of.
type router struct {
	root  *node
	kinds map[string]*kind
}

// node is a position in the tree of path templates.
type node struct {
	literals map[string]*node // by the segment in lower case
	param    *node
	routes   map[string]*route // by HTTP method
}

// route is one method of the documents.
type route struct {
	method *provider.Method
	op     string // what the tables of special handlers are keyed by, see operationKey
	kind   *kind  // what the method reads, changes or acts upon; nil where no item of it is documented
	list   bool
	item   bool // the path ends with a name
}

// kind is a resource type.
type kind struct {
	key       string // lower case: namespace and type segments
	namespace string
	types     []string // as the documents write them
	schema    *openapi.Schema
	body      *openapi.Schema // what PUT takes
	versions  []string        // api-versions that are served
	lists     bool            // some method lists it
}

// newRouter indexes the methods. Methods whose path begins with a parameter are
// left out: their calls are those of the type that the parameter names.
func newRouter(methods []*provider.Method) *router {
	r := &router{root: &node{}, kinds: map[string]*kind{}}
	for _, m := range methods {
		if t, ok := itemTemplate(m); ok {
			r.learn(m, t)
		}
	}
	for _, m := range methods {
		r.add(m)
	}
	for _, k := range r.kinds {
		k.versions = append(k.versions, servedVersions(k)...)
		slices.Sort(k.versions)
		k.versions = slices.Compact(k.versions)
	}
	return r
}

// itemTemplate says whether the method addresses one item by its name.
func itemTemplate(m *provider.Method) (target, bool) {
	t, ok := parsePath(m.Path)
	if !ok || t.collection() || strings.HasPrefix(m.Path, "/{") || m.HTTPMethod == http.MethodPost {
		return t, false
	}
	return t, true
}

// learn notes a resource type and what its methods say of it.
func (r *router) learn(m *provider.Method, t target) *kind {
	k := r.kinds[t.kindKey()]
	if k == nil {
		k = &kind{key: t.kindKey(), namespace: t.namespace, types: t.types}
		r.kinds[k.key] = k
	}
	if v := apiVersion(m); v != "" && !slices.Contains(k.versions, v) {
		k.versions = append(k.versions, v)
	}
	if m.Response.Item != nil && (k.schema == nil || m.HTTPMethod == http.MethodGet) {
		k.schema = m.Response.Item
	}
	if m.HTTPMethod == http.MethodPut && m.Body != nil {
		k.body = m.Body.Schema
	}
	return k
}

// apiVersion gives the api-version that the document fixes for a method.
func apiVersion(m *provider.Method) string {
	for _, c := range m.Constants {
		if strings.EqualFold(c.Name, "api-version") {
			return c.Value
		}
	}
	return ""
}

// add puts a method into the tree of path templates.
func (r *router) add(m *provider.Method) {
	if strings.HasPrefix(m.Path, "/{") {
		return
	}
	t, ok := parsePath(m.Path)
	if !ok {
		return
	}
	rt := &route{method: m}
	_, rt.item = itemTemplate(m)
	rt.list = m.HTTPMethod == http.MethodGet && !rt.item && len(m.Response.ItemsPath) > 0
	switch {
	case rt.item:
		rt.kind = r.kinds[t.kindKey()]
	case rt.list:
		rt.kind = r.listed(m, t)
		rt.kind.lists = true
	case len(t.types) > 0:
		rt.kind = r.kinds[target{namespace: t.namespace, types: t.types[:len(t.types)-1]}.kindKey()]
	}
	rt.op = operationKey(rt, t)
	at := r.root
	for _, segment := range strings.Split(strings.Trim(m.Path, "/"), "/") {
		at = at.next(segment)
	}
	if at.routes == nil {
		at.routes = map[string]*route{}
	}
	if at.routes[m.HTTPMethod] == nil {
		at.routes[m.HTTPMethod] = rt
	}
}

// next gives the node of a segment of a template, and makes it if it is new. The
// name of a parameter does not matter: siblings name the same place differently.
func (n *node) next(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	if n.literals == nil {
		n.literals = map[string]*node{}
	}
	key := strings.ToLower(segment)
	if n.literals[key] == nil {
		n.literals[key] = &node{}
	}
	return n.literals[key]
}

// listed gives the type of the items that a list gives. A list may stand at
// another place than its items do: user sessions are listed at the host pool and
// stand below session hosts. Then the resource's own items tell.
func (r *router) listed(m *provider.Method, t target) *kind {
	if k := r.kinds[t.kindKey()]; k != nil {
		return k
	}
	for _, sibling := range m.Resource.Methods {
		st, ok := itemTemplate(sibling)
		if ok && len(st.types) > 0 && len(t.types) > 0 && strings.EqualFold(st.types[len(st.types)-1], t.types[len(t.types)-1]) {
			return r.kinds[st.kindKey()]
		}
	}
	return r.learn(m, t)
}

// operationKey names an operation in the tables of special handlers: the HTTP
// method (LIST for a GET of a collection) and the type in lower case, with the
// verb for an action; for what belongs to no provider the template with empty
// braces.
func operationKey(rt *route, t target) string {
	verb := rt.method.HTTPMethod
	if rt.list {
		verb = "LIST"
	}
	if t.namespace != "" && !strings.HasPrefix(t.namespace, "{") && len(t.types) > 0 {
		return verb + " " + t.kindKey()
	}
	segments := strings.Split(strings.ToLower(rt.method.Path), "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "{}"
		}
	}
	return verb + " " + strings.Join(segments, "/")
}

// match finds the node of a path; nil where no template fits. Literal segments
// go before parameters.
func (r *router) match(segments []string) *node { return r.root.match(segments) }

// match tries the literal first and comes back for the parameter, since a literal
// may lead nowhere: a provider is both a literal and a value of a parameter.
func (n *node) match(segments []string) *node {
	if len(segments) == 0 {
		if n.routes == nil {
			return nil
		}
		return n
	}
	if next := n.literals[strings.ToLower(segments[0])]; next != nil {
		if found := next.match(segments[1:]); found != nil {
			return found
		}
	}
	if n.param != nil {
		return n.param.match(segments[1:])
	}
	return nil
}

// namespaceKnown says whether any type of the provider is in the documents.
func (r *router) namespaceKnown(namespace string) bool {
	for _, k := range r.kinds {
		if strings.EqualFold(k.namespace, namespace) {
			return true
		}
	}
	return false
}

// splitPath cuts an encoded path at its slashes and decodes each segment, so
// that a slash inside a name stays part of the name.
func splitPath(escaped string) ([]string, bool) {
	escaped = strings.Trim(escaped, "/")
	if escaped == "" {
		return nil, true
	}
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		text, err := url.PathUnescape(s)
		if err != nil || text == "" || strings.ContainsRune(text, '/') {
			return nil, false
		}
		segments[i] = text
	}
	return segments, true
}

// servedVersions lists api-versions, beside the document's own, that the
// services are known to have served; clients pinned to them work as well.
func servedVersions(k *kind) []string {
	switch strings.ToLower(k.namespace) {
	case avd:
		return []string{
			"2021-07-12", "2022-09-09", "2023-09-05", "2024-04-03", "2024-04-08-preview", "2024-08-08-preview",
			"2024-11-01-preview", "2025-03-01-preview", "2025-04-01-preview", "2025-10-10",
		}
	case compute:
		return []string{"2022-08-01", "2022-11-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01"}
	case "":
		return []string{"2019-11-01", "2020-01-01", "2020-06-01", "2021-01-01", "2021-04-01", "2022-09-01", "2022-12-01", "2024-11-01"}
	}
	return nil
}

// The namespaces with behaviour of their own, in lower case.
const (
	avd     = "microsoft.desktopvirtualization"
	compute = "microsoft.compute"
)
