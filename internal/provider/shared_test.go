package provider

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

// shared gives a file of the folder with published documents, which is not part
// of the repository.
func shared(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(root, "providers", name)
	if _, err := os.Stat(file); err != nil {
		t.Skip("no published documents: ", name)
	}
	return file
}

// published unpacks an archive of documents into memory.
func published(t testing.TB, archive string) fs.FS {
	t.Helper()
	file, err := os.Open(shared(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(1<<27), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	files := fstest.MapFS{}
	archived := tar.NewReader(plain)
	for {
		header, err := archived.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(archived)
			if err != nil {
				t.Fatal(err)
			}
			files[strings.TrimPrefix(header.Name, "./")] = &fstest.MapFile{Data: data}
		}
	}
}

// counts are what counts.json says of one provider.
type counts struct {
	Services  int              `json:"services_declared"`
	Resources int              `json:"resources"`
	Methods   int              `json:"methods"`
	By        map[string][]int `json:"services"` // resources, views, methods
}

func counted(t *testing.T, set, name string) counts {
	t.Helper()
	data, err := os.ReadFile(shared(t, "counts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(data, &sections); err != nil {
		t.Fatal(err)
	}
	var providers map[string]counts
	if err := json.Unmarshal(sections[set], &providers); err != nil {
		t.Fatal(err)
	}
	return providers[name]
}

// Every published document of the azure family loads whole.
func TestPublishedAzure(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a hundred megabytes")
	}
	for _, c := range []struct{ archive, set, name string }{
		{"azure-2025-09.tar.zst", "azure_2025_09", "azure"},
		{"azure-2025-09.tar.zst", "azure_2025_09", "azure_isv"},
		{"azure.tar.zst", "registry", "azure"},
		{"azure_extras.tar.zst", "registry", "azure_extras"},
		{"azure_stack.tar.zst", "registry", "azure_stack"},
	} {
		t.Run(c.set+"/"+c.name, func(t *testing.T) {
			p, err := Open(published(t, c.archive), c.name)
			if err != nil {
				t.Fatal(err)
			}
			want := counted(t, c.set, c.name)
			got := count(t, p)
			if got.Services != want.Services || got.Resources != want.Resources || got.Methods != want.Methods {
				t.Errorf("got %d services, %d resources, %d methods; want %d, %d, %d",
					got.Services, got.Resources, got.Methods, want.Services, want.Resources, want.Methods)
			}
			for name, n := range want.By {
				if g := got.By[name]; len(g) != 3 || g[0] != n[0] || g[2] != n[2] {
					t.Errorf("%s: got %v, want %v", name, g, n)
				}
			}
		})
	}
}

func count(t *testing.T, p *Provider) counts {
	t.Helper()
	got := counts{By: map[string][]int{}}
	for _, info := range p.Services {
		s, err := p.Service(info.Name)
		if err != nil {
			t.Errorf("%s: %v", info.Name, err)
			continue
		}
		for _, err := range s.Problems() {
			t.Errorf("%s: %v", info.Name, err)
		}
		methods := 0
		for _, r := range s.Resources() {
			methods += len(r.Methods)
			for _, m := range r.Verbs[Select] {
				if m.Response.Item == nil {
					t.Errorf("%s: the document does not say what a row is", m.FullName())
				}
			}
		}
		got.Services++
		got.Resources += len(s.Names())
		got.Methods += methods
		got.By[info.Name] = []int{len(s.Names()), 0, methods}
	}
	return got
}

// The seed page's service, as the page was generated from it.
func TestPublishedDesktopVirtualization(t *testing.T) {
	p, err := Open(published(t, "azure-2025-09.tar.zst"), "azure")
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Service("desktop_virtualization")
	if err != nil {
		t.Fatal(err)
	}
	r, ok := s.Resource("user_sessions")
	if !ok {
		t.Fatal("no user_sessions")
	}
	var lines []string
	for _, m := range r.Methods {
		lines = append(lines, summary(m))
	}
	const path = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}" +
		"/providers/Microsoft.DesktopVirtualization/hostPools/{hostPoolName}"
	want := []string{
		"list_by_host_pool [select] GET " + path + "/userSessions [api-version=2024-04-08-preview] items [value] list next nextLink",
		"get [select] GET " + path + "/sessionHosts/{sessionHostName}/userSessions/{userSessionId} [api-version=2024-04-08-preview] items []",
		"delete [delete] DELETE " + path + "/sessionHosts/{sessionHostName}/userSessions/{userSessionId} [api-version=2024-04-08-preview] items []",
		"list [select] GET " + path + "/sessionHosts/{sessionHostName}/userSessions [api-version=2024-04-08-preview] items [value] list next nextLink",
		"disconnect [exec] POST " + path + "/sessionHosts/{sessionHostName}/userSessions/{userSessionId}/disconnect [api-version=2024-04-08-preview] items []",
		"send_message [exec] POST " + path + "/sessionHosts/{sessionHostName}/userSessions/{userSessionId}/sendMessage [api-version=2024-04-08-preview] items []",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
	for _, name := range s.Names() {
		var paths []string
		r, _ := s.Resource(name)
		for _, m := range r.Methods {
			paths = append(paths, m.Path)
		}
		if got := s.Paths(name); len(r.Problems) == 0 && !slices.Equal(got, paths) {
			t.Errorf("%s: its paths are %q, not %q", name, got, paths)
		}
	}
	if s.Paths("none") != nil {
		t.Error("a resource that is not there has paths")
	}
	if view, _ := s.Resource("vw_user_sessions"); !strings.Contains(view.View, "JSON_EXTRACT") {
		t.Errorf("the view is %q", view.View)
	}
}

func BenchmarkService(b *testing.B) {
	files := published(b, "azure-2025-09.tar.zst")
	data, err := fs.ReadFile(files, "azure/v00.00.00000/services/desktop_virtualization.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		read func(*Service)
	}{
		{"one resource", func(s *Service) { s.Resource("user_sessions") }},
		{"all resources", func(s *Service) { s.Resources() }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				p := provide(b, string(data))
				s, err := p.Service("s")
				if err != nil {
					b.Fatal(err)
				}
				c.read(s)
			}
		})
	}
}
