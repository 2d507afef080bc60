package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newJournal(t *testing.T) *Journal {
	j := New(filepath.Join(t.TempDir(), "state", "operations.jsonl"))
	t.Cleanup(func() { j.Close() })
	return j
}

// TestJournal gives back what was kept, to another process too.
func TestJournal(t *testing.T) {
	j := newJournal(t)
	if entries, err := j.Entries(); err != nil || len(entries) > 0 {
		t.Fatalf("a journal that is not there has %v, %v", entries, err)
	}
	first := rest.Operation{Method: "p.s.r.m", Poll: "https://h/op?s=1&h=2", Style: rest.LocationStyle}
	a, err := j.Begin(Entry{Operation: first, Target: "/a", Audit: "w-1"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := j.Begin(Entry{Operation: first, Target: "/b"})
	if err != nil {
		t.Fatal(err)
	}
	again, moved := first, first
	again.Poll, again.Status = "https://h/op?s=9&h=9", "Deleting"
	moved.Poll, moved.Status = "https://h/op2", "Deleting"
	for id, o := range map[string]rest.Operation{a: again, b: moved} {
		if err := j.Change(id, o, first); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.End(a, "failed", "no"); err != nil {
		t.Fatal(err)
	}
	other := New(j.Path())
	entries, err := other.Entries()
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	x, y := entries[0], entries[1]
	if x.ID != a || x.Target != "/a" || x.Audit != "w-1" || x.Outcome != "failed" || x.Message != "no" || x.Ended.IsZero() || x.Operation.Poll != first.Poll || x.Operation.Status != "Deleting" {
		t.Errorf("%+v", x)
	}
	if y.ID != b || y.Outcome != "" || y.Operation.Poll != moved.Poll {
		t.Errorf("%+v", y)
	}
	if running, err := other.Find(); err != nil || len(running) != 1 || running[0].ID != b {
		t.Errorf("%v, %v", running, err)
	}
	if named, err := other.Find(a, b); err != nil || len(named) != 2 {
		t.Errorf("%v, %v", named, err)
	}
	if _, err := other.Find("op-none"); fault.As(err) == nil || !strings.Contains(fault.As(err).Hint, j.Path()) {
		t.Errorf("%v", err)
	}
}

// TestJournal_mode lets nobody else read the links.
func TestJournal_mode(t *testing.T) {
	j := newJournal(t)
	if _, err := j.Begin(Entry{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{j.Path(): 0o600, filepath.Dir(j.Path()): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// TestLog_torn goes on behind a line that a killed process has left unfinished.
func TestLog_torn(t *testing.T) {
	j := newJournal(t)
	a, err := j.Begin(Entry{Target: "/a"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(j.Path(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"id":"op-torn","record":"begin","oper`)
	f.Close()
	other := New(j.Path())
	defer other.Close()
	b, err := other.Begin(Entry{Target: "/b"})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := other.Entries()
	if err != nil || len(entries) != 2 || entries[0].ID != a || entries[1].ID != b {
		t.Errorf("%+v, %v", entries, err)
	}
}

// TestLog_together has many callers and two processes: every record is there,
// once.
func TestLog_together(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var all []string
	var mu sync.Mutex
	var callers sync.WaitGroup
	audits := []*Audit{NewAudit(path), NewAudit(path)}
	for i := range 100 {
		callers.Go(func() {
			id, err := audits[i%2].Begin(Call{Method: strings.Repeat("m", i*50)})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, id)
		})
	}
	callers.Wait()
	for _, a := range audits {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, id := range all {
		if n := len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, `"`+id+`"`) })); n != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	if len(lines) != 100 {
		t.Errorf("%d lines", len(lines))
	}
}

// TestAudit_closed takes no record that would be lost.
func TestAudit_closed(t *testing.T) {
	a := NewAudit(filepath.Join(t.TempDir(), "audit.jsonl"))
	if err := a.Ready(); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if _, err := a.Begin(Call{}); fault.As(err) == nil || fault.As(err).Code != fault.RecordFailed {
		t.Errorf("%v", err)
	}
	if err := NewAudit(t.TempDir()).Ready(); fault.As(err) == nil || !strings.Contains(fault.As(err).Hint, "--audit") {
		t.Errorf("a folder is no file: %v", err)
	}
}
