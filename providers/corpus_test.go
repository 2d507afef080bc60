package providers

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shared opens the folder with recorded and documented traffic, which is not part of the repository.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	file := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(file); err != nil {
		t.Skip("no shared corpus:", filepath.Join(parts...))
	}
	return file
}

// call is one documented call of Microsoft's SDK for Go: what it sends and what comes back.
type call struct {
	Operation    string         `json:"operation"`
	Method       string         `json:"method"`
	PathTemplate string         `json:"path_template"`
	Query        map[string]any `json:"query"`
	APIVersion   string         `json:"api_version"`
	NextLink     string         `json:"next_link_field"`
	LongRunning  bool           `json:"is_lro"`
	RequestBody  any            `json:"request_body"`
	ResponseBody any            `json:"response_body"`
}

func calls(t *testing.T, module string) []call {
	t.Helper()
	f, err := os.Open(shared(t, "corpus", "wire", module+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []call
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var c call
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if s.Err() != nil || len(all) == 0 {
		t.Fatalf("%s: %d calls, %v", module, len(all), s.Err())
	}
	return all
}

// find returns the method that sends the call: same verb and template, segment case aside.
func (d document) find(t *testing.T, c call) (method, bool) {
	t.Helper()
	for _, m := range d.methods(t) {
		template, _, _ := strings.Cut(m.path, "?")
		if strings.EqualFold(m.verb, c.Method) && sameTemplate(template, c.PathTemplate) {
			return m, true
		}
	}
	return method{}, false
}

// sameTemplate compares literal segments without case and variables with it.
func sameTemplate(a, b string) bool {
	return strings.EqualFold(a, b) &&
		slices.Equal(variable.FindAllString(a, -1), variable.FindAllString(b, -1))
}

func TestDocumentedCalls(t *testing.T) {
	for _, tc := range []struct {
		service, module string
		all             bool
	}{
		{"desktop_virtualization", "armdesktopvirtualization", true},
		{"subscription", "armsubscriptions", false},
		{"resources", "armresources", false},
		{"compute", "armcompute", false},
	} {
		t.Run(tc.service, func(t *testing.T) {
			d := load(t, "azure/v00.00.00000/services/"+tc.service+".yaml")
			met := map[string]bool{}
			for _, c := range calls(t, tc.module) {
				if c.APIVersion != text(d.root, "info", "version") {
					continue
				}
				m, ok := d.find(t, c)
				if ok {
					met[m.String()] = true
					d.checkCall(t, m, c)
				} else if tc.all {
					t.Errorf("%s: no method sends %s %s", c.Operation, c.Method, c.PathTemplate)
				}
			}
			if tc.all && len(met) != len(d.methods(t)) {
				t.Errorf("%d of %d methods are documented", len(met), len(d.methods(t)))
			}
			if len(met) == 0 {
				t.Error("no call of the module was found")
			}
		})
	}
}

func (d document) checkCall(t *testing.T, m method, c call) {
	t.Helper()
	query := d.parameters(m.op, func(p object) bool { return text(p, "in") == "query" })
	for name := range c.Query {
		if name != "api-version" && !slices.Contains(query, name) {
			t.Errorf("%s: query parameter %s is not declared", m, name)
		}
	}
	if running, _ := m.op["x-ms-long-running-operation"].(bool); running != c.LongRunning {
		t.Errorf("%s: long-running is %v, the SDK says %v", m, running, c.LongRunning)
	}
	if got := text(m.op, "x-ms-pageable", "nextLinkName"); got != c.NextLink {
		t.Errorf("%s: next link %q, the SDK reads %q", m, got, c.NextLink)
	}
	if c.RequestBody != nil {
		d.known(t, m.String()+" request", at(m.op, "requestBody", "content", "application/json", "schema"), c.RequestBody)
	}
	if c.ResponseBody == nil {
		return
	}
	schema := at(m.op, "responses", text(m.def, "response", "openAPIDocKey"), "content", "application/json", "schema")
	if schema == nil {
		t.Errorf("%s: answers a body that is not declared", m)
		return
	}
	d.known(t, m.String()+" response", schema, c.ResponseBody)
}

// known holds every member of a value, at any depth, against the schema. Maps of free names and
// objects without a list of members take whatever comes.
func (d document) known(t *testing.T, where string, schema, value any) {
	t.Helper()
	def := d.resolve(schema)
	switch v := value.(type) {
	case object:
		if text(def, "type") != "object" {
			t.Errorf("%s: an object, the schema says %v", where, def["type"])
			return
		}
		props := members(def, "properties")
		for name, x := range v {
			p, ok := props[name]
			if ok {
				d.known(t, where+"."+name, p, x)
			} else if props != nil {
				t.Errorf("%s: member %s is not known", where, name)
			}
		}
	case []any:
		for _, x := range v {
			d.known(t, where+"[]", def["items"], x)
		}
		if text(def, "type") != "array" {
			t.Errorf("%s: a list, the schema says %v", where, def["type"])
		}
	case nil:
	default:
		d.scalar(t, where, def, v)
	}
}

func (d document) scalar(t *testing.T, where string, def object, value any) {
	t.Helper()
	ok := false
	switch value.(type) {
	case string:
		ok = text(def, "type") == "string"
	case bool:
		ok = text(def, "type") == "boolean"
	case float64:
		ok = text(def, "type") == "integer" || text(def, "type") == "number"
	}
	if !ok {
		t.Errorf("%s: %v, the schema says %v", where, value, def["type"])
	}
}

// Every operation of the service's own description is there, with its answers and marks.
func TestEveryOperationOfTheVersion(t *testing.T) {
	data, err := os.ReadFile(shared(t, "corpus", "swagger", "desktopvirtualization-2024-04-03", "desktopvirtualization.reconstructed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var swagger object
	if err := json.Unmarshal(data, &swagger); err != nil {
		t.Fatal(err)
	}
	d := load(t, avdFile)
	count := 0
	for p, ops := range members(swagger, "paths") {
		for verb, want := range ops.(object) {
			count++
			got := members(d.root, "paths", p+"?api-version=2024-04-03", verb)
			if text(got, "operationId") != text(want, "operationId") {
				t.Errorf("%s %s: operation %q, want %q", verb, p, text(got, "operationId"), text(want, "operationId"))
				continue
			}
			d.sameOperation(t, got, want.(object))
		}
	}
	if methods := len(d.methods(t)); count != methods {
		t.Errorf("%d operations, %d methods", count, methods)
	}
}

func (d document) sameOperation(t *testing.T, got, want object) {
	t.Helper()
	id := text(want, "operationId")
	for code := range members(want, "responses") {
		if at(got, "responses", code) == nil {
			t.Errorf("%s: no response %s", id, code)
		}
	}
	if len(members(got, "responses")) != len(members(want, "responses")) {
		t.Errorf("%s: responses %v", id, members(got, "responses"))
	}
	if (got["x-ms-pageable"] != nil) != (want["x-ms-pageable"] != nil) {
		t.Errorf("%s: paging differs", id)
	}
	types := map[string]string{}
	for _, p := range list(got, "parameters") {
		def := d.resolve(p)
		types[text(def, "in")+" "+text(def, "name")] = text(def, "schema", "type")
	}
	for _, p := range list(want, "parameters") {
		switch in, name := text(p, "in"), text(p, "name"); {
		case name == "api-version":
		case in == "body":
			if need, _ := at(got, "requestBody", "required").(bool); got["requestBody"] == nil || need != required(p.(object)) {
				t.Errorf("%s: body %v", id, got["requestBody"])
			}
		case types[in+" "+name] != text(p, "type"):
			t.Errorf("%s: %s parameter %s is %q", id, in, name, types[in+" "+name])
		default:
			delete(types, in+" "+name)
		}
	}
	if len(types) != 0 {
		t.Errorf("%s: parameters that the service does not know: %v", id, types)
	}
}

// A row of the methods table of a published page: name, verb, required and optional parameters.
var methodRow = regexp.MustCompile(`(?s)<tr>\s*<td><a href="#\w+"><CopyableCode code="(\w+)" /></a></td>\s*<td><CopyableCode code="(\w+)" /></td>\s*<td>(.*?)</td>\s*<td>(.*?)</td>`)

var parameterLink = regexp.MustCompile(`<code>([^<]+)</code>`)

// The published pages are of a preview: what differs between it and the stable version.
var pageDiffers = map[string]string{
	"app_attach_packages.delete":                       "force came later",
	"session_hosts.list":                               "vmPath came later",
	"session_hosts.retry_provisioning":                 "preview only",
	"private_endpoint_connections.update_by_host_pool": "a PUT, so REPLACE here",
	"private_endpoint_connections.update_by_workspace": "a PUT, so REPLACE here",
}

// Statements written after the published pages find the same methods with the same parameters.
func TestPublishedPages(t *testing.T) {
	d := load(t, avdFile)
	for resource := range members(d.root, "components", "x-stackQL-resources") {
		t.Run(resource, func(t *testing.T) {
			page, err := os.ReadFile(shared(t, "corpus", "docs-pages", "desktop_virtualization", resource, "index.md"))
			if err != nil {
				t.Fatal(err)
			}
			rows := methodRow.FindAllStringSubmatch(string(page), -1)
			if len(rows) == 0 {
				t.Error("no methods on the page")
			}
			for _, row := range rows {
				if pageDiffers[resource+"."+row[1]] == "" {
					d.checkRow(t, resource, row)
				}
			}
		})
	}
}

func (d document) checkRow(t *testing.T, resource string, row []string) {
	t.Helper()
	m := d.method(t, resource, row[1])
	if !slices.Contains(d.verbs(m), row[2]) {
		t.Errorf("%s: verbs %v, the page says %s", m, d.verbs(m), row[2])
	}
	for i, keep := range []func(object) bool{required, optional} {
		want := []string{}
		for _, p := range parameterLink.FindAllStringSubmatch(row[3+i], -1) {
			// Body members stand there as data__name (bare for exec); they are no parameters.
			if !strings.HasPrefix(p[1], "data__") {
				want = append(want, p[1])
			}
		}
		got := d.parameters(m.op, keep)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: parameters %v, the page has %v", m, got, want)
		}
	}
}
