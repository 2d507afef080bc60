package build

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/planeql/planeql/internal/fault"
)

// providerFile makes provider.yaml with the one service.
func (b *builder) providerFile(r *Result, docs []*document, arm bool) *yaml.Node {
	title := oneLine(value(docs[0].root, "info", "title").Value)
	providerTitle := title
	if arm {
		providerTitle = "Microsoft Azure"
	}
	return mapping(
		"id", r.Provider, "name", r.Provider, "version", Version, "title", providerTitle,
		"providerServices", mapping(r.Service, b.serviceEntry(r, docs[0])),
		"config", mapping("auth", authOf(docs, r.Provider, arm)),
	)
}

// serviceEntry makes the entry of the service in provider.yaml.
func (b *builder) serviceEntry(r *Result, d *document) *yaml.Node {
	info := value(d.root, "info")
	description := oneLine(value(info, "description").Value)
	if description == "" {
		description = oneLine(value(info, "title").Value)
	}
	return mapping(
		"id", r.Provider+":"+r.Service, "name", r.Service, "title", oneLine(value(info, "title").Value), "version", Version,
		"description", description, "preferred", truth(true),
		"service", mapping("$ref", path.Join(r.Provider, Version, "services", r.Service+".yaml")),
	)
}

// serviceFile makes the document of the service.
func (b *builder) serviceFile(r *Result, d *document) *yaml.Node {
	source := value(d.root, "info")
	info := mapping("title", oneLine(value(source, "title").Value), "version", value(source, "version").Value)
	if text := value(source, "description"); is(text) {
		set(info, "description", clone(text))
	}
	servers := documentServers(d)
	if len(servers.Content) == 0 {
		b.problem(d, 1, "", "the document names no server: calls need --endpoint "+r.Provider+"=URL")
		servers = list(mapping("url", "https://localhost"))
	}
	paths := mapping()
	for _, o := range b.operations {
		item := value(paths, o.path)
		if !is(item) {
			item = mapping()
			set(paths, o.path, item)
		}
		set(item, o.verb, o.node)
	}
	schemas := mapping()
	for _, c := range b.done {
		set(schemas, c.name, c.schema)
	}
	components := mapping("x-stackQL-resources", b.resources(r))
	if len(schemas.Content) > 0 {
		set(components, "schemas", schemas)
	}
	return mapping("openapi", "3.0.3", "info", info, "servers", servers, "components", components, "paths", paths)
}

// sqlVerbs are the verbs of the format, in its order.
var sqlVerbs = []string{"select", "insert", "update", "replace", "delete"}

// resources makes components.x-stackQL-resources. A verb that no method answers is
// written too: without it the names of methods would count.
func (b *builder) resources(r *Result) *yaml.Node {
	all := mapping()
	for _, resource := range r.Resources {
		methods, answers := mapping(), mapping()
		for _, verb := range sqlVerbs {
			set(answers, verb, list())
		}
		for _, m := range resource.Methods {
			set(methods, m.Name, m.node())
			for _, verb := range m.Verbs {
				refs := value(answers, verb)
				ref := "#/components/x-stackQL-resources/" + resource.Name + "/methods/" + m.Name
				refs.Content = append(refs.Content, mapping("$ref", ref))
			}
		}
		set(all, resource.Name, mapping(
			"id", r.Provider+"."+r.Service+"."+resource.Name, "name", resource.Name, "title", human(resource.Name),
			"methods", methods, "sqlVerbs", answers,
		))
	}
	return all
}

// node makes a method.
func (m *Method) node() *yaml.Node {
	o := m.op
	pointer := "#/paths/" + strings.ReplaceAll(o.path, "/", "~1") + "/" + o.verb
	n := mapping("operation", mapping("$ref", pointer))
	if o.media != "" {
		set(n, "request", mapping("mediaType", o.media))
	}
	response := mapping()
	if o.answers != "" {
		set(response, "mediaType", text(o.answers))
	}
	set(response, "openAPIDocKey", text(o.answer))
	if o.objectKey != "" {
		set(response, "objectKey", text(o.objectKey))
	}
	set(n, "response", response)
	if m.ReadOnly {
		set(n, "x-planeql-read-only", truth(true))
	}
	return n
}

// Merge gives the provider.yaml of a folder with the service of another put into
// it, in the place of one of its name. What else it says stays.
func Merge(before, with []byte) ([]byte, error) {
	var old, added yaml.Node
	for _, part := range []struct {
		text []byte
		into *yaml.Node
	}{{before, &old}, {with, &added}} {
		if err := yaml.Unmarshal(part.text, part.into); err != nil || len(part.into.Content) == 0 || part.into.Content[0].Kind != yaml.MappingNode {
			return nil, fault.New(fault.DocumentInvalid, "the provider.yaml that is there cannot be read").
				WithHint("write to another folder: --out").Because(err)
		}
	}
	services := value(old.Content[0], "providerServices")
	if !is(services) {
		services = mapping()
		set(old.Content[0], "providerServices", services)
	}
	members(value(added.Content[0], "providerServices"), func(name string, v *yaml.Node) { set(services, name, v) })
	return encode(old.Content[0]), nil
}
