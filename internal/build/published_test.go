package build

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
	"go.yaml.in/yaml/v4"
)

// publishedService gives the document of a published service.
func publishedService(t *testing.T, name string) *yaml.Node {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	archive, _, _ := strings.Cut(name, "/")
	file, err := os.Open(filepath.Join(root, "providers", archive+".tar.zst"))
	if err != nil {
		t.Skipf("no shared test data at %s", root)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(1<<27), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for archived := tar.NewReader(plain); ; {
		header, err := archived.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("%s is not in the archive", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimPrefix(header.Name, "./") != name {
			continue
		}
		var tree yaml.Node
		data, err := io.ReadAll(archived)
		if err == nil {
			err = yaml.Unmarshal(data, &tree)
		}
		if err != nil {
			t.Fatal(err)
		}
		return tree.Content[0]
	}
}

// mapped is how an operation is mapped.
type mapped struct{ resource, method, verbs, objectKey string }

// mappings gives how a document maps its operations.
func mappings(root *yaml.Node) map[string]mapped {
	all := map[string]mapped{}
	members(value(root, "components", "x-stackQL-resources"), func(resource string, r *yaml.Node) {
		verbs := map[string]string{}
		members(value(r, "sqlVerbs"), func(verb string, refs *yaml.Node) {
			for _, ref := range refs.Content {
				parts := strings.Split(value(ref, "$ref").Value, "/")
				verbs[parts[len(parts)-1]] += verb + " "
			}
		})
		members(value(r, "methods"), func(method string, m *yaml.Node) {
			all[value(m, "operation", "$ref").Value] = mapped{resource, method, verbs[method], value(m, "response", "objectKey").Value}
		})
	})
	return all
}

// TestPublished builds from the documents of published providers without their
// mapping, and says how much of it comes out the same. Publishers name by hand, so
// the floors are of what does not depend on that: the verbs and the places of the
// rows, and the resources where their rule is the same.
func TestPublished(t *testing.T) {
	for name, floor := range map[string][3]int{ // percent of operations: resource, verbs, objectKey
		"digitalocean/v00.00.00000/services/vpcs.yaml":    {100, 100, 100},
		"linode/v00.00.00000/services/databases.yaml":     {75, 90, 100},
		"googleapis.com/v00.00.00000/services/redis.yaml": {90, 90, 100},
	} {
		root := publishedService(t, name)
		want := mappings(root)
		set(value(root, "components"), "x-stackQL-resources", mapping())
		r, err := Build(fstest.MapFS{"api.yaml": {Data: encode(root)}}, "api.yaml", Options{Provider: "p", Service: "s"})
		if err != nil {
			t.Fatal(err)
		}
		var tree yaml.Node
		if err := yaml.Unmarshal(r.Files["p/"+Version+"/services/s.yaml"], &tree); err != nil {
			t.Fatal(err)
		}
		got := mappings(tree.Content[0])
		var same [4]int
		for ref, w := range want {
			g, ok := got[ref]
			if !ok {
				t.Errorf("%s: %s is not built", name, ref)
			}
			for i, equal := range []bool{g.resource == w.resource, g.verbs == w.verbs, g.objectKey == w.objectKey, g == w} {
				if equal {
					same[i] += 100
				}
			}
		}
		t.Logf("%s: of %d operations %d %% have the published resource, %d %% its verbs, %d %% its objectKey, %d %% all with the method's name",
			name, len(want), same[0]/len(want), same[1]/len(want), same[2]/len(want), same[3]/len(want))
		for i, least := range floor {
			if same[i]/len(want) < least {
				t.Errorf("%s: %d %% is less than %d %%", name, same[i]/len(want), least)
			}
		}
		if left := Verify(built(r), r.Provider, r.Service); len(left) > 0 {
			t.Errorf("%s: a session leaves out %v", name, left)
		}
	}
}
