package provider

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/planeql/planeql/internal/fault"
)

// provide makes the provider azure with one service s from the text of its
// document.
func provide(t testing.TB, document string) *Provider {
	t.Helper()
	p, err := Open(fstest.MapFS{
		"azure/v1.0.0/provider.yaml": {Data: []byte(`
id: azure
name: azure
version: v1.0.0
title: Azure
config: {auth: {type: azure_default}}
providerServices:
  s: {id: s:v1, name: s, title: The service, version: v1.0.0, service: {$ref: azure/v00.00.00000/services/s.yaml}}
`)},
		"azure/v1.0.0/services/s.yaml": {Data: []byte(document)},
	}, "azure")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func service(t *testing.T, document string) *Service {
	t.Helper()
	s, err := provide(t, document).Service("s")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// things is a small service; %s takes more of it.
const things = `
openapi: 3.0.0
info: {title: Things, version: '2024-04-03'}
servers: [{url: 'https://management.azure.com/'}]
components:
  parameters:
    Group: {name: group, in: path, required: true, description: The group., schema: {type: string}}
  schemas:
    Thing:
      type: object
      properties:
        id: {type: string}
        name: {type: string}
        key: {type: string, x-ms-secret: true}
    ThingList:
      type: object
      properties:
        value: {type: array, items: {$ref: '#/components/schemas/Thing'}}
        nextLink: {type: string}
  x-stackQL-resources:
    things:
      id: azure.s.things
      name: things
      title: Things
      description: All things.
      methods:
        get:
          operation: {$ref: '#/paths/~1groups~1{group}~1things~1{thing}?api-version=1&x=a%20b/get'}
          response: {mediaType: application/json, openAPIDocKey: '200'}
        list:
          operation: {$ref: '#/paths/~1groups~1{group}~1things?api-version=1/get'}
          response: {mediaType: application/json, openAPIDocKey: '200'}
        put:
          operation: {$ref: '#/paths/~1groups~1{group}~1things~1{thing}?api-version=1&x=a%20b/put'}
          request: {mediaType: application/json}
          response: {mediaType: application/json, openAPIDocKey: '200'}
          config: {requestBodyTranslate: {algorithm: naive}}
        check:
          operation: {$ref: '#/paths/~1check/post'}
          response: {openAPIDocKey: '204'}
      sqlVerbs:
        select:
          - {$ref: '#/components/x-stackQL-resources/others/methods/get'}
          - {$ref: '#/components/x-stackQL-resources/things/methods/list'}
          - {$ref: '#/components/x-stackQL-resources/things/methods/list'}
        insert: [{$ref: '#/components/x-stackQL-resources/things/methods/put'}]
        replace: [{$ref: '#/components/x-stackQL-resources/things/methods/put'}]
        update: []
        delete: []
paths:
  /groups/{group}/things/{thing}?api-version=1&x=a%20b:
    parameters:
      - {$ref: '#/components/parameters/Group'}
      - {name: thing, in: path, required: true, schema: {type: string}, x-ms-skip-url-encoding: true}
      - {name: depth, in: query, schema: {type: integer}}
    get:
      operationId: Things_Get
      summary: One thing.
      description: Reads a thing.
      parameters:
        - {name: depth, in: query, required: true, schema: {type: integer, format: int32}}
        - {name: x, in: query, schema: {type: string}}
        - {name: cookie, in: cookie, schema: {type: string}}
        - {name: elsewhere, in: path, required: true, schema: {type: string}}
      responses:
        default: {description: Error}
        '200': {description: A thing., content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
    put:
      x-ms-long-running-operation: true
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses:
        '200': {description: A thing., content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
        '201': {description: A new thing.}
        '404': {description: Nothing.}
  /groups/{group}/things?api-version=1:
    get:
      x-ms-pageable: {nextLinkName: nextLink}
      responses:
        '200': {description: Things., content: {application/json: {schema: {$ref: '#/components/schemas/ThingList'}}}}
  /check:
    post:
      x-planeql-read-only: true
      parameters:
        - {name: api-version, in: query, required: true, schema: {type: string}}
        - {name: If-Match, in: header, schema: {type: string}}
      responses: {'204': {description: Fine.}}
`

// summary writes what tests compare of a method.
func summary(m *Method) string {
	var constants []string
	for _, c := range m.Constants {
		constants = append(constants, c.Name+"="+c.Value)
	}
	text := fmt.Sprintf("%s %v %s %s %v items %v", m.Name, m.Verbs, m.HTTPMethod, m.Path, constants, m.Response.ItemsPath)
	for _, flag := range []struct {
		on   bool
		name string
	}{
		{m.Response.List, "list"}, {m.LongRunning, "long"}, {!m.ReadOnly && m.HTTPMethod == "GET", "writes"},
		{m.ReadOnly && m.HTTPMethod != "GET", "reads"}, {m.NextLink != "", "next " + m.NextLink}, {m.Response.Flatten, "flat"},
	} {
		if flag.on {
			text += " " + flag.name
		}
	}
	return text
}

func TestMethods(t *testing.T) {
	s := service(t, things)
	if got := s.Problems(); got != nil {
		t.Fatal(got)
	}
	r, _ := s.Resource("things")
	want := []string{
		"get [select] GET /groups/{group}/things/{thing} [api-version=1 x=a b] items []",
		"list [select] GET /groups/{group}/things [api-version=1] items [value] list next nextLink",
		"put [insert replace] PUT /groups/{group}/things/{thing} [api-version=1 x=a b] items [] long",
		"check [exec] POST /check [api-version=2024-04-03] items [] reads",
	}
	for i, m := range r.Methods {
		if got := summary(m); got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
		if m.Server != "https://management.azure.com" || m.Resource != r {
			t.Errorf("%s: server %q", m.Name, m.Server)
		}
	}
	if got := fmt.Sprint(len(r.Verbs[Select]), " ", r.Verbs[Select][0].Name, len(r.Verbs[Update])); got != "2 get0" {
		t.Errorf("verbs: %s", got)
	}
	if r.Title != "Things" || r.Description != "All things." || r.ID != "azure.s.things" || r.Family != ARM || r.Path() != "azure.s.things" {
		t.Errorf("got %+v", r)
	}
}

func TestParameters(t *testing.T) {
	r, _ := service(t, things).Resource("things")
	get, _ := r.Method("get")
	var got []string
	for _, p := range get.Parameters {
		got = append(got, fmt.Sprintf("%s %s %v raw=%v %s %s", p.Name, p.In, p.Required, p.Raw, p.Schema.Type, p.Schema.Format))
	}
	want := []string{
		"depth query true raw=false integer int32",
		"group path true raw=false string ",
		"thing path true raw=true string ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if group, ok := get.Parameter("group"); !ok || group.Description != "The group." {
		t.Error("a parameter behind a reference is not read")
	}
	if !slices.Equal(get.PathParameters(), []string{"group", "thing"}) {
		t.Errorf("path parameters: %v", get.PathParameters())
	}
	list, _ := r.Method("list")
	if p, ok := list.Parameter("group"); !ok || !p.Required || p.In != InPath {
		t.Error("a variable of the path that is declared nowhere is no parameter")
	}
	check, _ := r.Method("check")
	if len(check.RequiredParameters()) != 0 || len(check.OptionalParameters()) != 1 || check.FullName() != "azure.s.things.check" {
		t.Errorf("got %+v", check.Parameters)
	}
}

func TestContent(t *testing.T) {
	r, _ := service(t, things).Resource("things")
	put, _ := r.Method("put")
	if put.Body == nil || put.Body.MediaType != "application/json" || !put.Body.Required || put.Body.Naming != "naive" ||
		!put.Body.Schema.Member("key").Secret {
		t.Errorf("body %+v", put.Body)
	}
	if !slices.Equal(put.Response.Statuses, []int{200, 201}) || put.Response.Description != "A thing." ||
		put.Response.MediaType != "application/json" {
		t.Errorf("response %+v", put.Response)
	}
	list, _ := r.Method("list")
	if list.Response.Item.Member("name").Type != "string" {
		t.Error("the items of the list have no schema")
	}
	check, _ := r.Method("check")
	if check.Body != nil || check.Response.Item != nil || !slices.Equal(check.Response.Statuses, []int{204}) {
		t.Errorf("check %+v", check)
	}
}

// one makes a service with one method from its operation, its method and the
// key of its path.
func one(t *testing.T, path, method, operation string) (*Method, []error) {
	t.Helper()
	return oneOf(t, "GET", path, method, operation)
}

func oneOf(t *testing.T, verb, path, method, operation string) (*Method, []error) {
	t.Helper()
	verb = strings.ToLower(verb)
	pointer := "#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + verb
	s := service(t, fmt.Sprintf(`
openapi: 3.0.0
info: {title: x, version: '1'}
servers: [{url: 'https://example.com'}]
components:
  schemas:
    Wrapped: {type: object, properties: {data: {type: object, properties: {rows: {type: array, items: {type: object, properties: {a: {}}}}}}}}
    Other: {type: array, items: {type: object, properties: {b: {}}}}
  x-stackQL-resources:
    r:
      methods:
        m: {operation: {$ref: '%s'}, %s}
paths:
  '%s':
    %s: {%s}
`, pointer, method, path, verb, operation))
	r, _ := s.Resource("r")
	m, _ := r.Method("m")
	return m, s.Problems()
}

func TestRows(t *testing.T) {
	const wrapped = `responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Wrapped'}}}}}`
	const array = `responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Other'}}}}}`
	const csv = `responses: {'200': {content: {text/csv: {schema: {type: string}}}}}`
	for _, c := range []struct{ name, method, operation, want string }{
		{"deep", "response: {objectKey: $.data.rows}", wrapped, "[data rows] list a"},
		{"whole", "response: {objectKey: $}", wrapped, "[] data"},
		{"by itself", "response: {}", wrapped, "[] data"},
		{"array", "response: {}", array, "[] list b"},
		{"as named there", "response: {objectKey: $._data}", wrapped, "[data] rows"},
		{"lists of lists", "response: {}", strings.Replace(array, "$ref: '#/components/schemas/Other'", "items: {items: {properties: {c: {}}}}", 1), "[] list c"},
		{"text with items", "response: {objectKey: $.a}", strings.Replace(array, "$ref: '#/components/schemas/Other'", "properties: {a: {type: string, items: {properties: {c: {}}}}}", 1), "[a] list c"},
		{"XPath", "response: {objectKey: /*/set/item}", strings.Replace(strings.Replace(array, "$ref: '#/components/schemas/Other'", "properties: {set: {type: array, items: {properties: {D: {xml: {name: d}}}}}}", 1), "application/json", "text/xml", 1), "[set item] list d"},
		{"lost", "response: {objectKey: $.nothing}", wrapped, "[nothing] list "},
		{"override", "response: {schema_override: {$ref: '#/components/schemas/Other'}}", wrapped, "[] list b"},
		{"other key", "response: {openAPIDocKey: '201'}", wrapped, "[] data"},
		{"other type", "response: {mediaType: application/json}", csv, "[] "},
		{"2XX", "response: {openAPIDocKey: 2XX}", strings.Replace(wrapped, "200", "2XX", 1), "[] data"},
		{"default", "response: {}", strings.Replace(wrapped, "'200'", "default", 1), "[] data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, problems := one(t, "/a", c.method, c.operation)
			if problems != nil {
				t.Fatal(problems)
			}
			got := fmt.Sprint(m.Response.ItemsPath) + " "
			if m.Response.List {
				got += "list "
			}
			for _, member := range m.Response.Item.Members() {
				got += member.Name
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	const fine = "responses: {'200': {description: x}}"
	for _, c := range []struct{ name, path, operation, want string }{
		{"google names", "/v1/{name=projects/*/x/*}:run", fine, "/v1/{name}:run name/path/raw"},
		{"reserved", "/v1/{+parent}/x", fine, "/v1/{parent}/x parent/path/raw"},
		{"server variables", "/a", "servers: [{url: 'https://{region}.x.com/{tier:.*}/', variables: {region: {default: eu}, tier: {}}}], " + fine,
			"/a region/server/optional tier/server"},
		{"no query value", "/a?flag&b=", fine, "/a flag= b="},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, problems := one(t, c.path, "response: {}", c.operation)
			if problems != nil {
				t.Fatal(problems)
			}
			got := m.Path
			for _, k := range m.Constants {
				got += " " + k.Name + "=" + k.Value
			}
			for _, p := range m.Parameters {
				got += " " + p.Name + "/" + string(p.In)
				if p.Raw {
					got += "/raw"
				}
				if !p.Required {
					got += "/optional"
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNextLink(t *testing.T) {
	for text, want := range map[string]string{
		"x-ms-pageable: {nextLinkName: more}, ": "more",
		"x-ms-pageable: {nextLinkName: null}, ": "",
		"x-ms-pageable: {}, ":                   "nextLink",
		"":                                      "",
	} {
		m, _ := one(t, "/a", "response: {}", text+"responses: {}")
		if m.NextLink != want {
			t.Errorf("%s: got %q", text, m.NextLink)
		}
	}
}

func TestBody(t *testing.T) {
	const two = "requestBody: {content: {application/xml: {schema: {type: array}}, application/json: {schema: {type: object}}}}, responses: {}"
	for _, c := range []struct{ name, method, operation, want string }{
		{"json is preferred", "request: {}", two, "application/json object"},
		{"as asked", "request: {mediaType: application/xml}", two, "application/xml array"},
		{"not offered", "request: {mediaType: text/plain}", two, "text/plain -"},
		{"only another", "request: {}", "requestBody: {content: {text/yaml: {schema: {type: string}}}}, responses: {}", "text/yaml string"},
		{"override", "request: {schema_override: {$ref: '#/components/schemas/Other'}}", two, "application/json array"},
		{"none", "request: {}", "responses: {}", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, problems := oneOf(t, "POST", "/a", c.method, c.operation)
			if problems != nil {
				t.Fatal(problems)
			}
			got := "none"
			if m.Body != nil {
				got = m.Body.MediaType + " -"
				if m.Body.Schema != nil {
					got = m.Body.MediaType + " " + m.Body.Schema.Type
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The template that published documents flatten their rows with.
func TestFlatten(t *testing.T) {
	m, _ := one(t, "/a", `response: {overrideMediaType: application/json, transform: {type: golang_template_json_v0.3.0, body: '{ "_flattened": true }'}}`, "responses: {}")
	if !m.Response.Flatten {
		t.Error("the template is not recognised")
	}
}

// A method that the document describes wrongly is left out; the rest of the
// service is as usable as before.
func TestBadMethods(t *testing.T) {
	for _, c := range []struct{ name, from, to, says string }{
		{"no such path", "#/paths/~1check/post", "#/paths/~1checks/post", `no path "/checks"`},
		{"no such operation", "#/paths/~1check/post", "#/paths/~1check/put", `no operation "put"`},
		{"another file", "'#/paths/~1check/post'", "'x.yaml#/paths/~1check/post'", "does not have the form"},
		{"no operation", "operation: {$ref: '#/paths/~1check/post'}", "other: {}", "does not have the form"},
		{"lost parameter", "- {name: If-Match, in: header, schema: {type: string}}", "- {$ref: '#/components/parameters/No'}", "points at nothing"},
		{"one element", "response: {openAPIDocKey: '204'}", "response: {openAPIDocKey: '204', objectKey: '$.a[0].b'}", "single element"},
		{
			"next page by one element", "response: {openAPIDocKey: '204'}",
			"response: {openAPIDocKey: '204'}\n          config: {pagination: {responseToken: {key: '$.a[0].b', location: body}}}", "pagination names a single element",
		},
		{"lost override", "response: {openAPIDocKey: '204'}", "response: {schema_override: {$ref: '#/components/schemas/No'}}", "points at nothing"},
		{"bad verb entry", "update: []", "update: [{$ref: '#/components/x-stackQL-resources/things/methods/no'}]", `has no method "no"`},
		{"bad verb pointer", "update: []", "update: [{$ref: '#/x'}]", "names no method"},
		{"broken section", "x-planeql-read-only: true", "x-planeql-read-only: [", "not valid YAML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(things, c.from) {
				t.Fatal("the document has no such text")
			}
			s := service(t, strings.Replace(things, c.from, c.to, 1))
			problems := s.Problems()
			if len(problems) != 1 {
				t.Fatalf("got %v", problems)
			}
			e := fault.As(problems[0])
			if e == nil || e.Code != fault.DocumentInvalid || !strings.Contains(e.Message, c.says) ||
				!strings.Contains(e.Detail, "azure/v1.0.0/services/s.yaml:") {
				t.Errorf("got %q, detail %q", e.Message, e.Detail)
			}
			r, _ := s.Resource("things")
			if _, ok := r.Method("get"); !ok || len(r.Verbs[Select]) != 2 {
				t.Error("the other methods are not usable")
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	s := service(t, strings.Replace(things, "servers: [{url: 'https://management.azure.com/'}]", "servers: []", 1))
	if got := s.Problems(); len(got) != 4 || !strings.Contains(got[0].Error(), "no server") {
		t.Errorf("got %v", got)
	}
}

func TestFallbackVerbs(t *testing.T) {
	text, _, _ := strings.Cut(things, "      sqlVerbs:")
	_, paths, _ := strings.Cut(things, "        delete: []\n")
	s := service(t, strings.Replace(text, "        put:", "        create:", 1)+paths)
	r, _ := s.Resource("things")
	var got []string
	for _, m := range r.Methods {
		got = append(got, fmt.Sprint(m.Name, m.Verbs))
	}
	if fmt.Sprint(got) != "[get[select] list[select] create[insert] check[exec]]" || r.Verbs[Select][0].Name != "list" {
		t.Errorf("got %v", got)
	}
}

func TestService(t *testing.T) {
	p := provide(t, things)
	s, err := p.Service("s")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := p.Service("s")
	if s != again || s.Title != "The service" || s.Provider != "azure" || s.Name != "s" || s.Version != "v1.0.0" {
		t.Errorf("got %+v", s)
	}
	if got := fmt.Sprint(s.Names(), s.Infos()); got != "[things] [{things azure.s.things Things All things.}]" {
		t.Errorf("got %s", got)
	}
	a, _ := s.Resource("things")
	b, _ := s.Resource("things")
	if _, ok := s.Resource("Things"); ok || a != b {
		t.Error("a resource is found by another name, or read twice")
	}
	if _, err := p.Service("t"); fault.As(err).Code != fault.UndefinedTable {
		t.Errorf("got %v", err)
	}
	if p.AuthType != "azure_default" || p.Family != ARM || p.Version != "v1.0.0" || p.Title != "Azure" {
		t.Errorf("got %+v", p)
	}
}

func TestServiceErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		code       fault.Code
	}{
		{"not YAML", "a: [", fault.DocumentInvalid},
		{"no resources", "openapi: 3.0.0\n", fault.DocumentInvalid},
		{"resources broken", "components: {x-stackQL-resources: [\n", fault.DocumentInvalid},
	} {
		if _, err := provide(t, c.text).Service("s"); fault.As(err) == nil || fault.As(err).Code != c.code {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestOpen(t *testing.T) {
	document := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	const services = "providerServices: {S: {service: {$ref: x/v1/services/Mixed.yaml}}, gone: {service: {$ref: x/v1/services/gone.yaml}}, out: {service: {$ref: ../../../x}}}\n"
	files := fstest.MapFS{
		"p/v0.9.0/provider.yaml":               document("version: v0.9.0\n"),
		"p/v0.10.0/provider.yaml":              document("title: new\n" + services),
		"p/v0.10.0/services/mIXED.yaml":        document(things),
		"p/v0.11.0/readme":                     document(""),
		"p/latest/provider.yaml":               document("version: latest\n"),
		"googleapis.com/v00.1.0/provider.yaml": document("name: google\n"),
		"bad/v1/provider.yaml":                 document("a: [\n"),
	}
	p, err := Open(files, "p")
	if err != nil || p.Version != "v0.10.0" || p.Title != "new" || p.Family != Generic {
		t.Fatalf("got %+v, %v", p, err)
	}
	if _, err := p.Service("S"); err != nil {
		t.Errorf("a file with other case is not found: %v", err)
	}
	for _, name := range []string{"gone", "out"} {
		if _, err := p.Service(name); fault.As(err) == nil || fault.As(err).Code != fault.DocumentMissing {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if p, err := Open(files, "google"); err != nil || p.Name != "google" {
		t.Errorf("got %v", err)
	}
	if _, err := Open(files, "bad"); fault.As(err).Code != fault.DocumentInvalid {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"none", "..", ""} {
		if _, err := Open(files, name); fault.As(err).Code != fault.DocumentMissing {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	p := provide(t, things)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s, err := p.Service("s")
			if err != nil {
				t.Error(err)
				return
			}
			for _, r := range s.Resources() {
				for _, m := range r.Methods {
					m.Response.Item.Members()
				}
			}
		})
	}
	group.Wait()
}
