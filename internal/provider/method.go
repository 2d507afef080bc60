package provider

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// operation is a place in the document's paths.
type operation struct {
	key  string // path key, with its query
	verb string
	item *openapi.Node // path item
	node *openapi.Node // operation
}

// method reads a method with the operation it stands for.
func (l *loader) method(r *Resource, name string, at *openapi.Node, n *openapi.Node) (*Method, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	op, err := l.operation(n)
	if err != nil {
		return nil, err
	}
	m := &Method{
		Resource:    r,
		Name:        name,
		OperationID: op.node.At("operationId").Text(),
		Summary:     op.node.At("summary").Text(),
		Description: op.node.At("description").Text(),
		HTTPMethod:  strings.ToUpper(op.verb),
		LongRunning: op.node.At("x-ms-long-running-operation").True(),
	}
	m.ReadOnly = m.HTTPMethod == "GET" || m.HTTPMethod == "HEAD" ||
		op.node.At("x-planeql-read-only").True() || n.At("x-planeql-read-only").True()
	if m.GraphQL, err = graphQL(op.node.At("x-stackQL-graphQL")); err != nil {
		return nil, err
	}
	raw := m.address(op.key)
	if err := l.parameters(m, op, raw); err != nil {
		return nil, err
	}
	if err := l.server(m, n, op); err != nil {
		return nil, err
	}
	if m.Body, err = l.body(n, op); err != nil {
		return nil, err
	}
	if m.Response, err = l.response(n, op); err != nil {
		return nil, err
	}
	m.FinalStateVia = op.node.At("x-ms-long-running-operation-options", "final-state-via").Text()
	m.NextLink = nextLink(op.node.At("x-ms-pageable"))
	if m.Wire = l.wire(m, n, at); m.Wire.Form {
		m.HTTPMethod, m.ReadOnly = "POST", false
	}
	m.PageSize = l.pageSize(m, n, at)
	m.Paging, err = l.statedPaging(n, at)
	return m, err
}

// nextLink gives the member that AutoRest's x-ms-pageable names; it is nextLink
// where the extension stands without it, and none where it is null.
func nextLink(n *openapi.Node) string {
	if n == nil {
		return ""
	}
	if named := n.At("nextLinkName"); named != nil {
		return named.Text()
	}
	return "nextLink"
}

// operation follows operation.$ref. Its form is #/paths/<key>/<verb>; the key
// is taken apart by hand, since published keys hold # and ?, and ~0 unescaped.
func (l *loader) operation(n *openapi.Node) (operation, error) {
	pointer := n.At("operation", "$ref")
	key, verb, ok := splitPointer(pointer.Text())
	if !ok {
		return operation{}, n.Invalid("the method's operation %q does not have the form #/paths/PATH/VERB", pointer.Text())
	}
	op := operation{key: key, verb: verb}
	paths := l.root.At("paths")
	if op.item = paths.At(op.key); op.item == nil {
		op.item = paths.At(unescape(op.key))
	}
	if op.item == nil {
		return operation{}, pointer.Invalid("the document has no path %q", op.key)
	}
	var err error
	if op.item, err = op.item.Follow(); err != nil {
		return operation{}, err
	}
	op.node = op.item.At(op.verb)
	if !op.node.IsMapping() {
		if err := op.node.Err(); err != nil {
			return operation{}, err
		}
		return operation{}, pointer.Invalid("the path %q has no operation %q", op.key, op.verb)
	}
	if err := op.item.At("parameters").Check(); err != nil {
		return operation{}, err
	}
	return op, op.node.Check()
}

// splitPointer takes the pointer to an operation apart.
func splitPointer(ref string) (key, verb string, ok bool) {
	fragment, ok := strings.CutPrefix(ref, "#/paths/")
	slash := strings.LastIndexByte(fragment, '/')
	if !ok || slash < 0 {
		return "", "", false
	}
	return strings.ReplaceAll(fragment[:slash], "~1", "/"), fragment[slash+1:], true
}

// placeholder is a variable of a path template. Besides {name}, documents of
// Google write {+name} and {name=projects/*}: the value is a path of its own.
var placeholder = regexp.MustCompile(`\{(\+?)([^{}=:]+)([=:][^{}]*)?\}`)

// templateNames gives the variables of a template in its order.
func templateNames(template string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(template, -1) {
		names = append(names, match[2])
	}
	return names
}

// address splits a path key into the path and the query parameters it fixes,
// and gives the placeholders whose values keep their slashes.
func (m *Method) address(key string) (raw []string) {
	template, query, _ := strings.Cut(key, "?")
	for _, match := range placeholder.FindAllStringSubmatch(template, -1) {
		// Both forms are of URI templates and of Google's HTTP annotations.
		if match[1] != "" || strings.HasPrefix(match[3], "=") {
			raw = append(raw, match[2])
		}
	}
	m.Path = placeholder.ReplaceAllString(template, "{$2}")
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		m.Constants = append(m.Constants, Constant{Name: unescaped(name), Value: unescaped(value)})
	}
	return raw
}

// unescaped decodes a part of a query. Text that is not encoded at all is as
// common in path keys as text that is, so it is taken as it stands.
func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// unescape decodes a path key of a pointer that was written as a URI.
func unescape(key string) string {
	if plain, err := url.PathUnescape(key); err == nil {
		return plain
	}
	return key
}

// parameters reads the parameters of the operation, then those of the path that
// the operation does not redefine (OpenAPI 3, Path Item Object).
func (l *loader) parameters(m *Method, op operation, raw []string) error {
	for _, list := range [][]*openapi.Node{op.node.At("parameters").Items(), op.item.At("parameters").Items()} {
		for _, item := range list {
			p, err := l.parameter(item)
			if err != nil {
				return err
			}
			if p.Name != "" && !m.fixes(l, p) {
				m.Parameters = append(m.Parameters, p)
			}
		}
	}
	m.fitTemplate(raw)
	return nil
}

// fitTemplate makes the path parameters those of the path: one that has no
// place in it could never be sent, and one that is declared nowhere can have no
// other type than text.
func (m *Method) fitTemplate(raw []string) {
	if m.GraphQL != nil {
		return // its arguments have their places in the query
	}
	names := m.PathParameters()
	m.Parameters = slices.DeleteFunc(m.Parameters, func(p Parameter) bool {
		return p.In == InPath && !slices.Contains(names, p.Name)
	})
	for _, name := range names {
		if _, declared := m.Parameter(name); !declared {
			m.Parameters = append(m.Parameters, Parameter{
				Name: name, In: InPath, Required: true, Schema: &openapi.Schema{Type: "string"},
			})
		}
	}
	for i, p := range m.Parameters {
		if p.In == InPath && slices.Contains(raw, p.Name) {
			m.Parameters[i].Raw = true
		}
	}
}

// parameter reads one parameter, behind its reference. One without a schema is
// text: that is how it travels.
func (l *loader) parameter(item *openapi.Node) (Parameter, error) {
	n, err := item.Follow()
	if err != nil {
		return Parameter{}, err
	}
	p := Parameter{
		Name:        n.At("name").Text(),
		In:          Location(n.At("in").Text()),
		Description: n.At("description").Text(),
		Schema:      l.doc.Schema(n.At("schema")),
		Raw:         n.At("x-ms-skip-url-encoding").True(),
	}
	if p.Style = n.At("style").Text(); p.Style == "" && p.In == InQuery {
		p.Style = "form"
	}
	p.Explode = n.At("explode").True() || n.At("explode").Missing() && p.Style == "form"
	if p.Schema == nil {
		p.Schema = &openapi.Schema{Type: "string"}
	}
	if p.Description == "" {
		p.Description = p.Schema.Description
	}
	// What may be empty need not be given: cloudflare's documents say it so.
	p.Required = p.In == InPath || n.At("required").True() && !n.At("allowEmptyValue").True()
	return p, nil
}

// apiVersion is the form of Azure's versions.
var apiVersion = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-preview)?$`)

// fixes tells whether a parameter is none of the user's: it is there already,
// travels where no call puts anything, or has the one value that the document
// knows.
func (m *Method) fixes(l *loader, p Parameter) bool {
	if _, known := m.Parameter(p.Name); known || !slices.Contains([]Location{InPath, InQuery, InHeader}, p.In) {
		return true
	}
	if p.In != InQuery {
		return false
	}
	if slices.ContainsFunc(m.Constants, func(c Constant) bool { return c.Name == p.Name }) {
		return true
	}
	if p.Name != "api-version" || !p.Required {
		return false
	}
	value := l.onlyVersion(p.Schema)
	if value != "" {
		m.Constants = append(m.Constants, Constant{Name: p.Name, Value: value})
	}
	return value != ""
}

// onlyVersion gives the api-version that the document means where its path keys
// do not say: the parameter's default, its only value, or the version of the
// document itself, which Azure's descriptions name after the API's.
func (l *loader) onlyVersion(s *openapi.Schema) string {
	if s.Default != "" {
		return s.Default
	}
	if len(s.Enum) == 1 {
		return s.Enum[0]
	}
	if version := l.root.At("info", "version").Text(); apiVersion.MatchString(version) {
		return version
	}
	return ""
}

// server takes the servers that are declared nearest to the operation, and makes
// parameters of the variables of the first. A variable with a default is
// optional.
func (l *loader) server(m *Method, n *openapi.Node, op operation) error {
	for _, level := range []*openapi.Node{op.node, op.item, n, l.root} {
		servers := level.At("servers").Items()
		if len(servers) == 0 {
			continue
		}
		m.Server = serverURL(servers[0])
		for _, name := range templateNames(m.Server) {
			m.serverVariable(name, servers[0].At("variables", name))
		}
		for _, other := range servers[1:] {
			m.otherServer(other)
		}
		return nil
	}
	return n.Invalid("the document names no server for the method %q", m.Name)
}

// serverURL gives the template of a server's URL.
func serverURL(n *openapi.Node) string {
	return strings.TrimRight(placeholder.ReplaceAllString(n.At("url").Text(), "{$2}"), "/")
}

// otherServer adds a server that counts for values which the first does not
// take, as China's does for its regions. One that no value tells apart is never
// chosen.
func (m *Method) otherServer(n *openapi.Node) {
	s := Server{URL: serverURL(n), Values: map[string][]string{}}
	for _, name := range templateNames(s.URL) {
		p, ok := m.Parameter(name)
		if !ok || p.In != InServer {
			return
		}
		for _, value := range n.At("variables", name, "enum").Texts() {
			if len(p.Schema.Enum) > 0 && !slices.Contains(p.Schema.Enum, value) {
				s.Values[name] = append(s.Values[name], value)
			}
		}
	}
	for name, values := range s.Values {
		p, _ := m.Parameter(name)
		p.Schema.Enum = append(p.Schema.Enum, values...)
	}
	if len(s.Values) > 0 {
		m.Servers = append(m.Servers, s)
	}
}

// serverVariable adds the parameter for a variable of the server's URL, unless
// one of its name is there: the caller then gives one value for both.
func (m *Method) serverVariable(name string, n *openapi.Node) {
	if _, known := m.Parameter(name); known {
		return
	}
	schema := &openapi.Schema{Type: "string", Enum: n.At("enum").Texts(), Default: n.At("default").Text()}
	m.Parameters = append(m.Parameters, Parameter{
		Name: name, In: InServer, Required: schema.Default == "", Schema: schema,
		Description: n.At("description").Text(),
	})
}
