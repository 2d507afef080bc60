package registry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// hang is a process that is in the middle of an installation until it is killed.
func hang(folder, location string) {
	r, err := Open(Options{Location: location})
	if err != nil {
		panic(err)
	}
	f := Folder{Path: folder, Prepare: func(*provider.Provider) error {
		fmt.Println("in the middle")
		select {}
	}}
	_, _ = f.Pull(context.Background(), r, "thing", "", nil)
}

// A process that is killed while it installs leaves nothing that counts, and
// what was there before stays.
func TestPull_killed(t *testing.T) {
	s := publish(t, nil)
	folder := t.TempDir()
	f := Folder{Path: folder}
	if _, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "v0.9.0", nil); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "PLANEQL_TEST_HANG="+folder, "PLANEQL_TEST_REGISTRY="+s.URL)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "middle") {
		t.Fatal(line, err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if got := installed(f); !slices.Equal(got, []string{"thing@v0.9.0"}) {
		t.Errorf("after it was killed there is %v", got)
	}
	if _, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "", nil); err != nil {
		t.Error(err)
	}
	if got := installed(f); !slices.Equal(got, []string{"thing@v0.9.0", "thing@v0.10.0"}) {
		t.Errorf("then there is %v", got)
	}
	// What it left is removed once nobody can be at it any more.
	left, err := filepath.Glob(filepath.Join(folder, stagePrefix+"*"))
	if err != nil || len(left) != 1 {
		t.Fatal(left, err)
	}
	old := time.Now().Add(-2 * staleAfter)
	if err := os.Chtimes(left[0], old, old); err != nil {
		t.Fatal(err)
	}
	f.sweep()
	if left, _ := filepath.Glob(filepath.Join(folder, stagePrefix+"*")); len(left) > 0 {
		t.Errorf("there is %v left", left)
	}
}

// What the caller does not want is not installed.
func TestInstall_prepare(t *testing.T) {
	f := Folder{Path: t.TempDir(), Prepare: func(p *provider.Provider) error {
		if _, err := p.Service("s"); err != nil {
			t.Error(err)
		}
		return errors.New("no")
	}}
	if _, err := f.Pull(t.Context(), reach(t, publish(t, nil).URL), "thing", "", nil); err == nil || len(below(t, f.Path)) > 0 {
		t.Errorf("it gives %v", err)
	}
}

// Two that install the same at once both succeed.
func TestPull_together(t *testing.T) {
	r := reach(t, publish(t, nil).URL)
	f := Folder{Path: t.TempDir()}
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if _, err := f.Pull(t.Context(), r, "thing", "", nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := installed(f); !slices.Equal(got, []string{"thing@v0.10.0"}) {
		t.Errorf("installed are %v", got)
	}
}

func TestRemove(t *testing.T) {
	r := reach(t, publish(t, nil).URL)
	f := Folder{Path: t.TempDir()}
	for _, version := range []string{"v0.9.0", "v0.10.0"} {
		if _, err := f.Pull(t.Context(), r, "thing", version, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, version, part string }{
		{"none", "", "is not installed"}, {"thing", "v7", "installed are v0.9.0, v0.10.0"}, {"..", "", "no name"},
	} {
		if _, err := f.Remove(c.name, c.version); err == nil || !strings.Contains(fault.As(err).Print(), c.part) {
			t.Errorf("%s@%s: %v", c.name, c.version, err)
		}
	}
	if gone, err := f.Remove("thing", "v0.9.0"); err != nil || !slices.Equal(gone, []string{"v0.9.0"}) {
		t.Errorf("%v, %v", gone, err)
	}
	if gone, err := f.Remove("thing", ""); err != nil || !slices.Equal(gone, []string{"v0.10.0"}) {
		t.Errorf("%v, %v", gone, err)
	}
	if left, err := os.ReadDir(f.Path); err != nil || len(left) > 0 {
		t.Errorf("there is %v left, %v", left, err)
	}
}

// Local documents are found at every level of the published layout.
func TestAdd(t *testing.T) {
	root := t.TempDir()
	for name, data := range things("thing", "v0.10.0") {
		if err := provider.WriteFile(filepath.Join(root, "src/thing/v0.10.0", name), data); err != nil {
			t.Fatal(err)
		}
	}
	for _, level := range []string{"", "src", "src/thing", "src/thing/v0.10.0"} {
		f := Folder{Path: t.TempDir()}
		if _, err := f.Add(filepath.Join(root, level)); err != nil {
			t.Errorf("%q: %v", level, err)
		}
		if got := installed(f); !slices.Equal(got, []string{"thing@v0.10.0"}) {
			t.Errorf("%q: installed are %v", level, got)
		}
	}
	for _, c := range []struct{ location, part string }{
		{filepath.Join(root, "none"), "nothing at"}, {t.TempDir(), "no provider.yaml"},
	} {
		if _, err := (Folder{Path: t.TempDir()}).Add(c.location); err == nil || !strings.Contains(fault.As(err).Print(), c.part) {
			t.Errorf("%q: %v", c.location, err)
		}
	}
}

// The document of one service joins what there is of its provider, in a version
// of its own.
func TestAdd_service(t *testing.T) {
	f := Folder{Path: t.TempDir()}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	text := "openapi: 3.0.0\ncomponents:\n  x-stackQL-resources:\n    q: {id: thing.more.q, methods: {}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(file); err != nil {
		t.Fatal(err)
	}
	if got := installed(f); !slices.Equal(got, []string{"thing@v0.0.0+local"}) {
		t.Errorf("installed are %v", got)
	}
	if _, err := f.Pull(t.Context(), reach(t, publish(t, nil).URL), "thing", "", nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.Add(file); err != nil {
			t.Fatal(err)
		}
	}
	if got := installed(f); !slices.Equal(got, []string{"thing@v0.0.0+local", "thing@v0.10.0", "thing@v0.10.0+local"}) {
		t.Errorf("installed are %v", got)
	}
	p, err := provider.OpenInstalled(f.Path, "thing", "")
	if err != nil {
		t.Fatal(err)
	}
	for service, resource := range map[string]string{"s": "r", "more": "q"} {
		s, err := p.Service(service)
		if err != nil || !slices.Equal(s.Names(), []string{resource}) {
			t.Errorf("%s has %v, %v", service, s, err)
		}
	}
	if err := os.WriteFile(file, []byte("openapi: 3.0.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(file); err == nil || !strings.Contains(fault.As(err).Print(), "no resource of the document has an id") {
		t.Errorf("a document without resources gives %v", err)
	}
}
