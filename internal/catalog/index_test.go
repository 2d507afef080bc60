package catalog

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

// A search finds resources by what they are and what can be done with them.
func TestSearch(t *testing.T) {
	azure, err := provider.Open(providers.FS, "azure")
	if err != nil {
		t.Fatal(err)
	}
	c := New(azure)
	for text, want := range map[string]string{
		"disconnected sessions":  "azure.desktop_virtualization.user_sessions disconnect",
		"send a MESSAGE to user": "azure.desktop_virtualization.user_sessions send_message",
		"virtual machines":       "azure.compute.virtual_machines ",
		"resourceGroups":         "azure.resources.resource_groups ",
		"subscription":           "azure.subscription.subscriptions ",
	} {
		list := c.Search(text, 3)
		if len(list) == 0 || list[0].Resource+" "+list[0].Method != want || len(list) > 3 {
			t.Errorf("%q finds %+v", text, list)
		}
	}
	for _, text := range []string{"", " -- ", "zebra"} {
		if list := c.Search(text, 3); len(list) > 0 {
			t.Errorf("%q finds %v", text, list)
		}
	}
}

func TestStems(t *testing.T) {
	for text, want := range map[string]string{
		"userSessions": "user session", "Disconnected a session_host": "disconnect a session host",
		"VPNGateways": "vpngateway", "listing policies": "list policy", "": "",
	} {
		if got := strings.Join(stems(text), " "); got != want {
			t.Errorf("%q has the words %q", text, got)
		}
	}
}

// installThings writes a provider with one resource.
func installThings(t *testing.T, folder, resource string) *provider.Provider {
	t.Helper()
	for name, text := range map[string]string{
		"provider.yaml":   "name: thing\nversion: v1.0.0\nproviderServices:\n  s: {name: s, title: The service, service: {$ref: thing/v1/services/s.yaml}}\n",
		"services/s.yaml": "openapi: 3.0.0\ncomponents:\n  x-stackQL-resources:\n    " + resource + ": {id: thing.s.r, title: Title, methods: {}}\n",
	} {
		if err := provider.WriteFile(filepath.Join(folder, "thing/v1.0.0", name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := provider.OpenInstalled(folder, "thing", "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The index of an installed provider is kept in a file, and made again where
// that is damaged or a document has changed.
func TestIndex_kept(t *testing.T) {
	folder := t.TempDir()
	p := installThings(t, folder, "first")
	Compile(p, func(_ string, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	file := filepath.Join(folder, "thing/v1.0.0/compiled/index.bin")
	sound, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first := New(p).Index(p)
	if first.Services[0].Title != "The service" || first.Services[0].Resources[0].Name != "first" {
		t.Fatalf("the index is %+v", first)
	}
	for name, data := range map[string][]byte{"cut": sound[:len(sound)-3], "empty": nil} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if x := New(p).Index(p); !reflect.DeepEqual(x, first) {
			t.Errorf("%s: the index is %+v", name, x)
		}
		if now, err := os.ReadFile(file); err != nil || len(now) < len(sound)/2 {
			t.Errorf("%s: it is not written again: %v", name, err)
		}
	}
	p = installThings(t, folder, "another_one")
	if x := New(p).Index(p); x.Services[0].Resources[0].Name != "another_one" {
		t.Errorf("after the change the index is %+v", x)
	}
}

// The index of a provider that completes another has what either has, once.
func TestIndex_complete(t *testing.T) {
	first, second := installThings(t, t.TempDir(), "a"), installThings(t, t.TempDir(), "b")
	both := provider.Complete(first, second)
	c := New(both)
	x := c.Index(both)
	if len(x.Services) != 1 || len(x.Services[0].Resources) != 2 {
		t.Errorf("the index is %+v", x)
	}
	list, err := c.ShowAllResources("thing", true)
	if err != nil || len(list.Rows) != 2 || list.Rows[0][0] != "a" || list.Rows[1][2] != "Title" {
		t.Errorf("it lists %v, %v", list, err)
	}
	if _, err := c.ShowAllResources("thang", false); err == nil {
		t.Error("an unknown provider has resources")
	}
	s, err := both.Service("s")
	if err != nil || strings.Join(s.Names(), " ") != "a b" {
		t.Errorf("the service has %v, %v", s, err)
	}
}
