package providers

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const providerFile = "azure/v00.00.00000/provider.yaml"

// object is a YAML mapping; the tests read documents without a model of their own, so that a model
// elsewhere cannot hide what a document lacks.
type object = map[string]any

// document is one service document with its $ref targets at hand.
type document struct {
	name string
	root object
	node *yaml.Node
}

func load(t *testing.T, file string) document {
	t.Helper()
	data, err := fs.ReadFile(FS, file)
	if err != nil {
		t.Fatal(err)
	}
	d := document{name: strings.TrimSuffix(path.Base(file), ".yaml"), node: &yaml.Node{}}
	if err := yaml.Unmarshal(data, &d.root); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := yaml.Unmarshal(data, d.node); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return d
}

func services(t *testing.T) []document {
	t.Helper()
	files, err := fs.Glob(FS, "azure/*/services/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no service documents: %v", err)
	}
	var docs []document
	for _, f := range files {
		docs = append(docs, load(t, f))
	}
	return docs
}

// at follows names from a mapping downwards; nil where one is missing.
func at(v any, names ...string) any {
	for _, n := range names {
		m, ok := v.(object)
		if !ok {
			return nil
		}
		v = m[n]
	}
	return v
}

func text(v any, names ...string) string {
	s, _ := at(v, names...).(string)
	return s
}

func list(v any, names ...string) []any {
	l, _ := at(v, names...).([]any)
	return l
}

func members(v any, names ...string) object {
	m, _ := at(v, names...).(object)
	return m
}

// pointer finds the target of a local $ref. The text after "#/paths/" up to the last slash is one
// path key, with ~1 for a slash; elsewhere each segment is a key.
func (d document) pointer(ref string) any {
	rest, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	var v any = d.root
	for _, key := range strings.Split(rest, "/") {
		v = at(v, strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~"))
	}
	return v
}

// resolve returns the mapping itself or the target of its $ref.
func (d document) resolve(v any) object {
	if ref := text(v, "$ref"); ref != "" {
		return d.resolve(d.pointer(ref))
	}
	m, _ := v.(object)
	return m
}

// method is a resource's method joined with its operation.
type method struct {
	resource, name, path, verb string
	def, op                    object
}

func (d document) methods(t *testing.T) []method {
	t.Helper()
	var all []method
	for r, def := range members(d.root, "components", "x-stackQL-resources") {
		for m, v := range members(def, "methods") {
			ref := text(v, "operation", "$ref")
			cut := strings.LastIndex(ref, "/")
			op, ok := d.pointer(ref).(object)
			if !ok {
				t.Fatalf("%s.%s.%s: no operation %q", d.name, r, m, ref)
			}
			p := strings.ReplaceAll(strings.TrimPrefix(ref[:cut], "#/paths/"), "~1", "/")
			all = append(all, method{r, m, p, ref[cut+1:], v.(object), op})
		}
	}
	return all
}

func (m method) String() string { return m.resource + "." + m.name }

// parameters lists the names of an operation's parameters in document order.
func (d document) parameters(op object, keep func(object) bool) []string {
	names := []string{}
	for _, p := range list(op, "parameters") {
		if def := d.resolve(p); keep(def) {
			names = append(names, text(def, "name"))
		}
	}
	return names
}

func inPath(p object) bool   { return text(p, "in") == "path" }
func required(p object) bool { r, _ := p["required"].(bool); return r }
func optional(p object) bool { return !required(p) }

// walk calls f for every mapping below v with the keys that lead to it.
func walk(v any, at []string, f func(at []string, m object)) {
	switch v := v.(type) {
	case object:
		f(at, v)
		for k, c := range v {
			walk(c, append(slices.Clone(at), k), f)
		}
	case []any:
		for _, c := range v {
			walk(c, append(slices.Clone(at), "[]"), f)
		}
	}
}

func TestProviderNamesItsServices(t *testing.T) {
	p := load(t, providerFile)
	if text(p.root, "name") != "azure" || text(p.root, "config", "auth", "type") != "azure_default" {
		t.Errorf("name %q, auth %v", text(p.root, "name"), at(p.root, "config", "auth"))
	}
	entries := members(p.root, "providerServices")
	if len(entries) != len(services(t)) {
		t.Errorf("%d services named, %d documents present", len(entries), len(services(t)))
	}
	for name, s := range entries {
		for _, key := range []string{"id", "title", "version", "description"} {
			if text(s, key) == "" {
				t.Errorf("%s: no %s", name, key)
			}
		}
		if text(s, "name") != name {
			t.Errorf("%s: name is %q", name, text(s, "name"))
		}
		if d := load(t, text(s, "service", "$ref")); len(d.methods(t)) == 0 {
			t.Errorf("%s: no methods", name)
		}
	}
}

func TestReferencesResolve(t *testing.T) {
	for _, d := range services(t) {
		walk(d.root, nil, func(at []string, m object) {
			if ref, ok := m["$ref"].(string); ok && d.pointer(ref) == nil {
				t.Errorf("%s %s: %q leads nowhere", d.name, strings.Join(at, "/"), ref)
			}
		})
	}
}

func TestSchemasAreUsedAndPlain(t *testing.T) {
	for _, d := range services(t) {
		used := map[string]bool{}
		walk(d.root, nil, func(at []string, m object) {
			used[text(m, "$ref")] = true
			for _, key := range []string{"allOf", "anyOf", "oneOf"} {
				if _, ok := m[key]; ok {
					t.Errorf("%s %s: %s", d.name, strings.Join(at, "/"), key)
				}
			}
		})
		for _, kind := range []string{"schemas", "parameters"} {
			for n := range members(d.root, "components", kind) {
				if !used["#/components/"+kind+"/"+n] {
					t.Errorf("%s: %s %s is not used", d.name, kind, n)
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

func TestPathParametersMatchTheTemplate(t *testing.T) {
	for _, d := range services(t) {
		for _, m := range d.methods(t) {
			want := []string{}
			for _, v := range variable.FindAllStringSubmatch(m.path, -1) {
				want = append(want, v[1])
			}
			if got := d.parameters(m.op, inPath); !slices.Equal(got, want) {
				t.Errorf("%s.%s: path parameters %v, template has %v", d.name, m, got, want)
			}
		}
	}
}

// Every path key carries its api-version, but for the one operation that serves all types.
func TestPathKeysCarryTheVersion(t *testing.T) {
	for _, d := range services(t) {
		want := "?api-version=" + text(d.root, "info", "version")
		for p := range members(d.root, "paths") {
			if !strings.HasSuffix(p, want) && p != "/{resourceId}" {
				t.Errorf("%s: %s does not end in %s", d.name, p, want)
			}
		}
	}
}

func TestMethodsFindTheirShapes(t *testing.T) {
	for _, d := range services(t) {
		for _, m := range d.methods(t) {
			resp := members(m.op, "responses", text(m.def, "response", "openAPIDocKey"))
			media := text(m.def, "response", "mediaType")
			schema := d.resolve(at(resp, "content", media, "schema"))
			if resp == nil || (media != "") != (schema != nil) {
				t.Errorf("%s.%s: response %v", d.name, m, m.def["response"])
			}
			key, isList := strings.CutPrefix(text(m.def, "response", "objectKey"), "$.")
			if isList != (at(schema, "properties", "value") != nil) || isList && list(d.row(m), "required") == nil && len(members(d.row(m), "properties")) == 0 {
				t.Errorf("%s.%s: object key %q does not lead to rows", d.name, m, key)
			}
			body, reqMedia := m.op["requestBody"], text(m.def, "request", "mediaType")
			if (body != nil) != (reqMedia != "") || body != nil && d.resolve(at(body, "content", reqMedia, "schema")) == nil {
				t.Errorf("%s.%s: request %v", d.name, m, m.def["request"])
			}
			if at(m.op, "responses", "default") == nil {
				t.Errorf("%s.%s: no default response", d.name, m)
			}
		}
	}
}

// row is the schema of one row of a method: its answer, or the items that its object key names.
func (d document) row(m method) object {
	schema := d.resolve(at(m.op, "responses", text(m.def, "response", "openAPIDocKey"), "content", "application/json", "schema"))
	if key, ok := strings.CutPrefix(text(m.def, "response", "objectKey"), "$."); ok {
		return d.resolve(at(schema, "properties", key, "items"))
	}
	return schema
}

// A method that needs a subset of what a later one of the same verb needs would hide it for good.
func TestVerbListsHideNothing(t *testing.T) {
	for _, d := range services(t) {
		byName := map[string]method{}
		for _, m := range d.methods(t) {
			byName[m.String()] = m
		}
		for r, def := range members(d.root, "components", "x-stackQL-resources") {
			for _, verb := range []string{"select", "insert", "update", "replace", "delete"} {
				var earlier [][]string
				for _, e := range list(def, "sqlVerbs", verb) {
					name, ok := strings.CutPrefix(text(e, "$ref"), "#/components/x-stackQL-resources/"+r+"/methods/")
					m, known := byName[r+"."+name]
					if !ok || !known {
						t.Errorf("%s.%s: %s names %q", d.name, r, verb, text(e, "$ref"))
						continue
					}
					need := d.parameters(m.op, required)
					if slices.ContainsFunc(earlier, func(e []string) bool { return subset(e, need) }) {
						t.Errorf("%s.%s: %s can never be chosen for %s", d.name, r, name, verb)
					}
					earlier = append(earlier, need)
				}
			}
		}
	}
}

func subset(small, big []string) bool {
	return !slices.ContainsFunc(small, func(s string) bool { return !slices.Contains(big, s) })
}

// Everything that SHOW and DESCRIBE print must say something.
func TestEverythingIsDescribed(t *testing.T) {
	for _, d := range services(t) {
		for r, def := range members(d.root, "components", "x-stackQL-resources") {
			if text(def, "description") == "" || text(def, "title") == "" || text(def, "id") != "azure."+d.name+"."+r || text(def, "name") != r {
				t.Errorf("%s.%s: id, name, title or description", d.name, r)
			}
		}
		for n, s := range members(d.root, "components", "schemas") {
			d.described(t, n, s)
		}
		for _, m := range d.methods(t) {
			for _, key := range []string{"operationId", "summary", "description"} {
				if text(m.op, key) == "" {
					t.Errorf("%s.%s: no %s", d.name, m, key)
				}
			}
			for _, p := range list(m.op, "parameters") {
				if def := d.resolve(p); text(def, "description") == "" || text(def, "schema", "type") == "" {
					t.Errorf("%s.%s: parameter %s", d.name, m, text(def, "name"))
				}
			}
			for code, resp := range members(m.op, "responses") {
				if text(resp, "description") == "" {
					t.Errorf("%s.%s: response %s", d.name, m, code)
				}
			}
		}
	}
}

func (d document) described(t *testing.T, name string, schema any) {
	t.Helper()
	def := d.resolve(schema)
	if text(schema, "description") == "" && text(def, "description") == "" || text(def, "type") == "" {
		t.Errorf("%s: schema %s has no description or no type", d.name, name)
	}
	if text(schema, "$ref") != "" {
		return
	}
	for m, p := range members(def, "properties") {
		d.described(t, name+"."+m, p)
	}
}
