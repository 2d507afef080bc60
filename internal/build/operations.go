package build

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// verbs are HTTP's, in the order in which operations of a path are treated.
var verbs = []string{"get", "put", "post", "patch", "delete", "head", "options", "trace"}

// operation is one operation of the description, converted.
type operation struct {
	d         *document
	line      int
	path      string
	verb      string
	id        string
	server    string     // first URL, for what it tells of the service
	node      *yaml.Node // as it stands in the built document
	needs     []string   // names of required parameters outside the body, sorted
	media     string     // of the body; empty: none
	answer    string     // key of the response with the rows
	answers   string     // its media type; empty: it has no content
	rows      place      // schema of the answer where it stands; no node: none
	objectKey string     // where the rows are; empty: the answer is the row
	listed    bool       // the rows are a list
}

// name gives VERB PATH.
func (o *operation) name() string { return strings.ToUpper(o.verb) + " " + o.path }

// read takes over the operations of a document.
func (b *builder) read(d *document) {
	for _, key := range []string{"paths", "x-ms-paths"} { // x-ms-paths may have a query in its keys
		members(value(d.root, key), func(path string, item *yaml.Node) {
			if !strings.HasPrefix(path, "/") {
				if !strings.HasPrefix(path, "x-") {
					b.problem(d, item.Line, "", "the path "+path+" does not begin with a slash")
				}
				return
			}
			at, _, err := b.follow(place{d, item})
			if err != nil {
				b.problem(d, item.Line, "", err.Error())
				return
			}
			for _, verb := range verbs {
				if n := value(at.n, verb); is(n) {
					b.operation(at, path, verb, n)
				}
			}
		})
	}
}

// operation converts one operation.
func (b *builder) operation(item place, path, verb string, n *yaml.Node) {
	d := item.d
	o := &operation{d: d, line: n.Line, path: path, verb: verb, id: value(n, "operationId").Value}
	if slices.ContainsFunc(b.operations, func(other *operation) bool { return other.path == path && other.verb == verb }) {
		b.problem(d, n.Line, o.name(), "another file describes the operation too; the first one is taken")
		return
	}
	o.node = mapping()
	for _, key := range []string{"operationId", "summary", "description", "tags", "deprecated"} {
		if v := value(n, key); is(v) {
			set(o.node, key, clone(v))
		}
	}
	servers := b.servers(d, item.n, n)
	if servers != nil {
		set(o.node, "servers", servers)
	}
	o.server = firstServer(servers, d)
	b.parameters(o, item, place{d, n})
	b.responses(o, place{d, n})
	members(n, func(key string, v *yaml.Node) { // paging, long-running operations and what else Microsoft's extensions say
		if strings.HasPrefix(key, "x-") && key != "x-ms-examples" && !strings.HasPrefix(key, "x-stackQL") {
			set(o.node, key, clone(v))
		}
	})
	o.findRows(value(n, "x-ms-pageable"), b)
	b.operations = append(b.operations, o)
}

// parameters converts the parameters of an operation and of its path.
func (b *builder) parameters(o *operation, item, n place) {
	out := list()
	var form []place
	seen := map[string]bool{}
	for _, level := range []*yaml.Node{value(n.n, "parameters"), value(item.n, "parameters")} {
		for _, raw := range level.Content {
			p, _, err := b.follow(place{o.d, raw})
			if err != nil {
				b.problem(o.d, raw.Line, o.name(), err.Error())
				continue
			}
			name, in := value(p.n, "name").Value, value(p.n, "in").Value
			if seen[in+" "+name] {
				continue
			}
			seen[in+" "+name] = true
			switch in {
			case "body":
				b.swaggerBody(o, n, p)
			case "formData":
				form = append(form, p)
			case "cookie":
				b.problem(o.d, raw.Line, o.name(), "the parameter "+name+" travels in a cookie, which is not sent")
			default:
				if in == "path" && !strings.Contains(o.path, "{"+name+"}") {
					continue
				}
				out.Content = append(out.Content, b.parameter(p, o.d))
				if in == "path" || value(p.n, "required").Value == "true" && name != "api-version" {
					o.needs = append(o.needs, name)
				}
			}
		}
	}
	slices.Sort(o.needs)
	if len(out.Content) > 0 {
		set(o.node, "parameters", out)
	}
	if len(form) > 0 {
		b.form(o, n, form)
	}
	if body := value(n.n, "requestBody"); is(body) {
		b.body(o, place{o.d, body})
	}
}

// swaggerBody converts the parameter that is Swagger's body.
func (b *builder) swaggerBody(o *operation, n, p place) {
	o.media = bestMedia(mediaOf(n, "consumes"))
	body := mapping()
	if d := value(p.n, "description"); is(d) {
		set(body, "description", clone(d))
	}
	if value(p.n, "required").Value == "true" {
		set(body, "required", truth(true))
	}
	set(body, "content", mapping(o.media, mapping("schema", b.schema(place{p.d, value(p.n, "schema")}))))
	set(o.node, "requestBody", body)
}

// form converts the fields of a form into one schema.
func (b *builder) form(o *operation, n place, fields []place) {
	o.media = "application/x-www-form-urlencoded"
	if slices.Contains(mediaOf(n, "consumes"), "multipart/form-data") {
		o.media = "multipart/form-data"
		b.problem(o.d, o.line, o.name(), "its body is multipart/form-data, not JSON: it has no columns")
	}
	schema, required := mapping("type", "object", "properties", mapping()), list()
	for _, f := range fields {
		converted := b.parameter(f, o.d)
		name := value(f.n, "name").Value
		set(value(schema, "properties"), name, value(converted, "schema"))
		if value(f.n, "required").Value == "true" {
			required.Content = append(required.Content, text(name))
		}
	}
	if len(required.Content) > 0 {
		set(schema, "required", required)
	}
	set(o.node, "requestBody", mapping("content", mapping(o.media, mapping("schema", schema))))
}

// body converts the body of OpenAPI 3.
func (b *builder) body(o *operation, p place) {
	p, _, err := b.follow(p)
	if err != nil {
		b.problem(o.d, p.n.Line, o.name(), err.Error())
		return
	}
	out, content := mapping(), mapping()
	for _, key := range []string{"description", "required"} {
		if v := value(p.n, key); is(v) {
			set(out, key, clone(v))
		}
	}
	var media []string
	members(value(p.n, "content"), func(name string, v *yaml.Node) {
		media = append(media, name)
		set(content, name, b.media(place{p.d, v}))
	})
	o.media = bestMedia(media)
	if len(media) > 0 && !strings.Contains(o.media, "json") && !strings.Contains(o.media, "xml") {
		b.problem(o.d, p.n.Line, o.name(), "its body is "+o.media+", not JSON: it has no columns")
	}
	set(out, "content", content)
	set(o.node, "requestBody", out)
}

// media converts a media type of OpenAPI 3.
func (b *builder) media(p place) *yaml.Node {
	if schema := value(p.n, "schema"); is(schema) {
		return mapping("schema", b.schema(place{p.d, schema}))
	}
	return mapping()
}

// mediaOf gives the media types that Swagger names for an operation, or for the
// document.
func mediaOf(n place, key string) []string {
	if own := texts(value(n.n, key)); len(own) > 0 {
		return own
	}
	return texts(value(n.d.root, key))
}

// bestMedia chooses JSON where there is a choice.
func bestMedia(all []string) string {
	for _, wanted := range []string{"application/json", "json", "xml"} {
		for _, name := range all {
			if name == wanted || wanted != "application/json" && strings.Contains(name, wanted) {
				return name
			}
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return "application/json"
}

// responses converts the answers, and chooses the one with the rows: the lowest
// success with content, else the lowest.
func (b *builder) responses(o *operation, n place) {
	out := mapping()
	var best *yaml.Node
	var at place
	members(value(n.n, "responses"), func(code string, raw *yaml.Node) {
		if strings.HasPrefix(code, "x-") {
			return
		}
		p, _, err := b.follow(place{o.d, raw})
		if err != nil {
			b.problem(o.d, raw.Line, o.name(), err.Error())
			return
		}
		r := b.response(n, p)
		set(out, code, r)
		if (strings.HasPrefix(code, "2") || code == "default" && best == nil) && betterAnswer(code, r, o.answer, best) {
			best, at, o.answer = r, p, code
		}
	})
	var media []string
	if best != nil {
		members(value(best, "content"), func(name string, _ *yaml.Node) { media = append(media, name) })
	}
	if len(media) > 0 && o.answer != "default" {
		o.answers = bestMedia(media)
		o.rows = place{at.d, value(at.n, "content", o.answers, "schema")}
		if schema := value(at.n, "schema"); is(schema) {
			o.rows = place{at.d, schema}
		}
	}
	set(o.node, "responses", out)
}

// betterAnswer tells whether an answer describes the rows better than the one
// that was found before.
func betterAnswer(code string, r *yaml.Node, before string, best *yaml.Node) bool {
	switch {
	case best == nil || before == "default":
		return true
	case is(value(r, "content")) != is(value(best, "content")):
		return is(value(r, "content"))
	}
	return code < before
}

// response converts one answer.
func (b *builder) response(n, p place) *yaml.Node {
	out := mapping("description", value(p.n, "description").Value)
	if schema := value(p.n, "schema"); is(schema) { // Swagger
		content := mapping()
		set(content, bestMedia(mediaOf(n, "produces")), mapping("schema", b.schema(place{p.d, schema})))
		set(out, "content", content)
	}
	content := mapping()
	members(value(p.n, "content"), func(name string, v *yaml.Node) { set(content, name, b.media(place{p.d, v})) })
	if len(content.Content) > 0 {
		set(out, "content", content)
	}
	if headers := value(p.n, "headers"); is(value(headers, "Link")) || is(value(headers, "link")) {
		set(out, "headers", mapping("Link", mapping("schema", mapping("type", "string"))))
	}
	return out
}
