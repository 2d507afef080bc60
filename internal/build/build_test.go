package build

import (
	"bytes"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

var rewrite = flag.Bool("rewrite", false, "write what comes out into testdata")

// input gives the files of an archive.
func input(text string) fs.FS {
	files := fstest.MapFS{}
	for _, f := range txtar.Parse([]byte(text)).Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files
}

// printed gives a result as one text.
func printed(r *Result) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		out.WriteString("-- " + name + " --\n" + string(r.Files[name]))
	}
	for _, p := range r.Problems {
		out.WriteString("problem: " + p.String() + "\n")
	}
	return out.String()
}

// built gives the files of a result as a provider's folder.
func built(r *Result) fs.FS {
	files := fstest.MapFS{}
	for name, data := range r.Files {
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

// TestBuild compares what is built with the files beside the inputs. The same
// input gives the same bytes.
func TestBuild(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var first string
		for range 3 {
			r, err := Build(input(string(text)), ".", Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := printed(r)
			if first != "" && got != first {
				t.Fatalf("%s: the same input gives other bytes", name)
			}
			first = got
			if left := Verify(built(r), r.Provider, r.Service); len(left) > 0 {
				t.Errorf("%s: a session leaves out %v", name, left)
			}
		}
		expected := strings.TrimSuffix(name, ".txtar") + ".golden"
		if *rewrite {
			if err := os.WriteFile(expected, []byte(first), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(expected)
		if diff := cmp.Diff(string(want), first); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestBuild_fails(t *testing.T) {
	files := input("-- a.json --\n{\"swagger\": \"2.0\", \"paths\": {}}\n-- bad.json --\n{\"a\": [\n-- list.yaml --\n- 1\n-- none/x.txt --\nno\n" +
		"-- empty/a.json --\n{\"swagger\": \"2.0\", \"paths\": {}}\n")
	for name, says := range map[string]string{
		"missing": "there is no file or folder", "bad.json": "neither JSON nor YAML", "list.yaml": "mapping", "none": "no Swagger 2.0 or OpenAPI 3 document",
		"a.json": "describes no operation", "empty": "describes no operation",
	} {
		_, err := Build(files, name, Options{})
		if f := fault.As(err); f == nil || !strings.Contains(f.Print(), says) || f.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBuild_problems leaves out what it cannot map and says so, with the place.
func TestBuild_problems(t *testing.T) {
	r, err := Build(input(`-- a.yaml --
openapi: 3.0.0
info: {title: Odd things, version: "1"}
paths:
  /a:
    get:
      parameters: [{name: s, in: cookie, schema: {type: string}}, {$ref: '#/components/parameters/None'}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {xs: {type: array, items: {}}, ys: {type: array, items: {}}}}}}}}
  /b:
    get:
      responses: {'200': {description: ok, content: {text/csv: {schema: {type: string}}}}}
  /c:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'https://elsewhere.example/s.json'}}}}}
    post:
      requestBody: {content: {multipart/form-data: {schema: {type: object}}}}
      responses: {'201': {description: made}}
  /d:
    $ref: 'gone.yaml#/x'
  /e:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Loop'}}}}}
components:
  schemas:
    Loop: {$ref: '#/components/schemas/Loop'}
`), "a.yaml", Options{Provider: "odd"})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, p := range r.Problems {
		text.WriteString(p.String() + "\n")
	}
	for _, says := range []string{
		"a.yaml:6: GET /a: the parameter s travels in a cookie", "the reference \"#/components/parameters/None\" points at nothing",
		"GET /a: its answer has several lists, so the whole answer is one row: xs, ys", "GET /b: its answer is text/csv",
		"leads to another machine", "POST /c: its body is multipart/form-data", "the reference \"gone.yaml#/x\" cannot be followed",
		"leads back to itself", "names no server",
	} {
		if !strings.Contains(text.String(), says) {
			t.Errorf("no %q in\n%s", says, text.String())
		}
	}
	if left := Verify(built(r), r.Provider, r.Service); len(left) > 0 {
		t.Errorf("a session leaves out %v", left)
	}
}

func TestMerge(t *testing.T) {
	before := "id: p\nname: p\ntitle: Mine\nproviderServices:\n  a: {name: a}\n  b: {name: old}\nconfig:\n  auth: {type: bearer}\n"
	merged, err := Merge([]byte(before), []byte("id: p\nproviderServices:\n  b: {name: new}\n  c: {name: c}\nconfig:\n  auth: {type: null_auth}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"title: Mine", "name: a", "name: new", "name: c", "type: bearer"} {
		if !strings.Contains(string(merged), want) {
			t.Errorf("no %q in\n%s", want, merged)
		}
	}
	if _, err := Merge([]byte("- 1"), []byte("a: 1")); fault.As(err) == nil {
		t.Errorf("got %v", err)
	}
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{
		"MSIXPackages": "msix_packages", "UserSessions": "user_sessions", "hostPools": "host_pools", "IPv6Addresses": "ipv6_addresses", "VMs": "vms",
		"resource-groups": "resource_groups", "AppAttachPackageInfo": "app_attach_package_info", "v1beta1": "v1beta1", "SQLDb2": "sql_db2", "": "",
	} {
		if got := snake(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// FuzzBuild holds that no document is more than an error: neither a panic nor a
// provider that a session cannot read.
func FuzzBuild(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(text).Files {
			f.Add(file.Data)
		}
	}
	f.Add([]byte("openapi: 3.0.0\npaths: &p {/a: *p}\n"))
	f.Add([]byte("openapi: 3.0.0\npaths: {/a: {get: {responses: {'200': {content: {application/json: {schema: &s {allOf: [*s, *s]}}}}}}}}\n"))
	f.Add([]byte("openapi: 3.0.0\npaths: {/a: {get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/L'}}}}}}}}\n" +
		"components: {schemas: {L: {allOf: [{$ref: '#/components/schemas/L'}, {$ref: '#/components/schemas/L'}]}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Build(fstest.MapFS{"a.yaml": {Data: data}}, "a.yaml", Options{Provider: "p", Service: "s"})
		if err != nil {
			if fault.As(err) == nil {
				t.Fatal(err)
			}
			return
		}
		if _, err := provider.Open(built(r), "p"); err != nil {
			t.Fatalf("%v\n%s", err, printed(r))
		}
		Verify(built(r), "p", "s")
	})
}
