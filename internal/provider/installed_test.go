package provider

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// install writes a provider of one service into a folder.
func install(t testing.TB, version, document string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	write(t, folder, version, document)
	return folder
}

func write(t testing.TB, folder, version, document string) {
	t.Helper()
	for name, text := range map[string]string{
		"provider.yaml": "name: azure\nversion: " + version +
			"\nproviderServices:\n  s: {name: s, title: The service, service: {$ref: azure/v00.00.00000/services/s.yaml}}\n",
		"services/s.yaml": document,
	} {
		if err := WriteFile(filepath.Join(folder, "azure", version, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// names opens the provider anew and gives the names of its resources.
func names(t testing.TB, folder string) []string {
	t.Helper()
	p, err := OpenInstalled(folder, "azure", "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Service("s")
	if err != nil {
		t.Fatal(err)
	}
	return s.Names()
}

const single = "components:\n  x-stackQL-resources:\n    one: {methods: {}}\n"

// A document is compiled at its first use; damage, an old form and a change of
// the document lead to a new one, and nobody is told.
func TestOpenInstalled(t *testing.T) {
	folder := install(t, "v1.0.0", single)
	form := filepath.Join(folder, "azure/v1.0.0", compiledFolder, "services/s.yaml.bin")
	if got := names(t, folder); !slices.Equal(got, []string{"one"}) {
		t.Fatalf("the resources are %v", got)
	}
	sound, err := os.ReadFile(form)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"cut": sound[:len(sound)/2], "empty": nil, "old": slices.Concat(sound[:8], []byte{0}, sound[9:]),
		"changed": slices.Concat(sound[:len(sound)-1], []byte{sound[len(sound)-1] ^ 1}),
	} {
		if err := os.WriteFile(form, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := names(t, folder); !slices.Equal(got, []string{"one"}) {
			t.Errorf("%s: the resources are %v", name, got)
		}
		if now, err := os.ReadFile(form); err != nil || !slices.Equal(now, sound) {
			t.Errorf("%s: the form was not made again: %v", name, err)
		}
	}
	write(t, folder, "v1.0.0", strings.Replace(single, "one:", "another:", 1))
	if got := names(t, folder); !slices.Equal(got, []string{"another"}) {
		t.Errorf("after the change the resources are %v", got)
	}
}

// The binary form is what is read: where it is there, the text is not parsed.
func TestOpenInstalled_readsForm(t *testing.T) {
	folder := install(t, "v1.0.0", single)
	names(t, folder)
	file := filepath.Join(folder, "azure/v1.0.0/services/s.yaml")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Repeat("[", len(single))), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, folder); !slices.Equal(got, []string{"one"}) {
		t.Errorf("the resources are %v", got)
	}
}

// A folder in which nothing may be written is no obstacle.
func TestOpenInstalled_readOnly(t *testing.T) {
	folder := install(t, "v1.0.0", single)
	version := filepath.Join(folder, "azure/v1.0.0")
	if err := os.WriteFile(filepath.Join(version, compiledFolder), nil, 0o600); err != nil { // in the place of the folder
		t.Fatal(err)
	}
	if got := names(t, folder); !slices.Equal(got, []string{"one"}) {
		t.Errorf("the resources are %v", got)
	}
}

// Several processes may compile at once.
func TestOpenInstalled_together(t *testing.T) {
	folder := install(t, "v1.0.0", single)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { names(t, folder) })
	}
	group.Wait()
	left, err := filepath.Glob(filepath.Join(folder, "azure/v1.0.0", compiledFolder, "*", "*.new"))
	if err != nil || len(left) > 0 {
		t.Errorf("there is %v left, %v", left, err)
	}
}

// The newest version is opened unless one is asked for; a pre-release is no
// newer than the release.
func TestOpenInstalled_versions(t *testing.T) {
	folder := install(t, "v0.9.0", single)
	for _, version := range []string{"v0.10.0", "v0.10.0-rc1", "v0.2.0"} {
		write(t, folder, version, single)
	}
	for asked, want := range map[string]string{"": "v0.10.0", "v0.9.0": "v0.9.0", "v0.10.0-rc1": "v0.10.0-rc1"} {
		if p, err := OpenInstalled(folder, "azure", asked); err != nil || p.Version != want {
			t.Errorf("%q opens %v, %v", asked, p, err)
		}
	}
	if _, err := OpenInstalled(folder, "azure", "v7.0.0"); fault.As(err) == nil || fault.As(err).Code != fault.DocumentMissing {
		t.Errorf("a version that is not there gives %v", err)
	}
	list, versions := Installed(folder)
	if !slices.Equal(list, []string{"azure"}) || !slices.Equal(versions["azure"], []string{"v0.2.0", "v0.9.0", "v0.10.0-rc1", "v0.10.0"}) {
		t.Errorf("installed are %v, %v", list, versions)
	}
}

// A document of two hundred megabytes is refused before it is read.
func TestOpenInstalled_large(t *testing.T) {
	folder := install(t, "v1.0.0", single)
	if err := os.Truncate(filepath.Join(folder, "azure/v1.0.0/services/s.yaml"), 200<<20); err != nil {
		t.Fatal(err)
	}
	p, err := OpenInstalled(folder, "azure", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Service("s"); fault.As(err) == nil || fault.As(err).Code != fault.DocumentInvalid {
		t.Errorf("it gives %v", err)
	}
}

// Compile goes through all services and gives the errors of those that cannot
// be read.
func TestProvider_Compile(t *testing.T) {
	folder := install(t, "v1.0.0", "components: {}\n")
	p, err := OpenInstalled(folder, "azure", "")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	p.Compile(func(info ServiceInfo, _ *Service, err error) {
		if err == nil {
			t.Error("a document without resources is taken")
		}
		told = append(told, info.Name)
	})
	if !slices.Equal(told, []string{"s"}) {
		t.Errorf("it told of %v", told)
	}
}
