package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/rest"
)

// short is a journal that is made shorter at every opening.
func short(path string) *Journal {
	j := New(path)
	j.log.keep = bounds{size: 1, age: 30 * 24 * time.Hour, count: 3}
	return j
}

// signed is an operation with the long links of Azure.
var signed = rest.Operation{Method: "p.s.r.m", Verb: "DELETE", URL: "https://h/thing", Poll: "https://h/op?" + strings.Repeat("s", 3000), Style: rest.LocationStyle}

// fill writes operations of an age by hand: those that have ended, and one that has not.
func fill(t *testing.T, path string, ages ...time.Duration) {
	t.Helper()
	var text bytes.Buffer
	for i, age := range ages {
		at := time.Now().Add(-age).UTC().Format(time.RFC3339)
		fmt.Fprintf(&text, `{"id":"op-%d","record":"begin","time":%q,"target":"/%d","operation":{"method":"p.s.r.m","poll":"https://h/%s","started":%[2]q}}`+"\n", i, at, i, strings.Repeat("s", 3000))
		fmt.Fprintf(&text, `{"id":"op-%d","record":"end","time":%q,"outcome":"done"}`+"\n", i, at)
	}
	old := time.Now().Add(-365 * 24 * time.Hour).UTC().Format(time.RFC3339)
	fmt.Fprintf(&text, `{"id":"op-running","record":"begin","time":%q,"operation":{"method":"p.s.r.m","poll":"https://h/op","started":%[1]q}}`+"\n", old)
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func idsOf(t *testing.T, j *Journal) string {
	t.Helper()
	entries, err := j.Entries()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		if !strings.HasPrefix(e.ID, "op-") || len(e.ID) < 14 { // no name that was made just now
			ids = append(ids, e.ID)
		}
	}
	return strings.Join(ids, " ")
}

// TestCompact drops what has ended long ago, and the oldest beyond a count, and
// nothing that may still be waited for.
func TestCompact(t *testing.T) {
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		ages []time.Duration
		want string
	}{
		"old":  {[]time.Duration{40 * day, 31 * day, 29 * day, day}, "op-running op-2 op-3"},
		"many": {[]time.Duration{5 * day, 4 * day, 3 * day, 2 * day, day}, "op-running op-2 op-3 op-4"},
		"all":  {[]time.Duration{40 * day, 50 * day}, "op-running"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "operations.jsonl")
			fill(t, path, test.ages...)
			j := short(path)
			defer j.Close()
			begun, err := j.Begin(Entry{Operation: signed})
			if err != nil {
				t.Fatal(err)
			}
			if got := idsOf(t, j); got != test.want {
				t.Errorf("kept %q, want %q", got, test.want)
			}
			if found, err := j.Find(begun); err != nil || found[0].Operation.Poll != signed.Poll {
				t.Errorf("%v, %v", found, err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 || info.Size() > 5000 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
}

// TestCompact_links keeps of what has ended what people ask for, and no link.
func TestCompact_links(t *testing.T) {
	j := short(filepath.Join(t.TempDir(), "operations.jsonl"))
	id, err := j.Begin(Entry{Operation: signed, Target: "/a", Statement: "sha256:1", Audit: "w-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.End(id, "failed", "why"); err != nil {
		t.Fatal(err)
	}
	j.Close()
	again := short(j.Path())
	defer again.Close()
	if err := again.Ready(); err != nil {
		t.Fatal(err)
	}
	entries, err := again.Entries()
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	e := entries[0]
	if e.ID != id || e.Target != "/a" || e.Statement != "sha256:1" || e.Audit != "w-1" || e.Outcome != "failed" || e.Message != "why" ||
		e.Ended.IsZero() || e.Operation.Method != signed.Method || e.Operation.Poll != "" {
		t.Errorf("%+v", e)
	}
}

// TestCompact_torn has lines that killed processes left unfinished, in the middle and
// at the end, and a new file that one left half written.
func TestCompact_torn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operations.jsonl")
	fill(t, path, time.Hour, 40*24*time.Hour)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := []byte("{\"id\":\"op-torn\",\"record\":\"begin\",\"oper\n" + string(text) + `{"id":"op-1","record":"beg`)
	for file, text := range map[string][]byte{path: torn, path + ".new": []byte(`{"id":"op-half","rec`)} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := short(path)
	defer j.Close()
	if _, err := j.Begin(Entry{Operation: signed}); err != nil {
		t.Fatal(err)
	}
	if got := idsOf(t, j); got != "op-running op-0" {
		t.Errorf("kept %q", got)
	}
	if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
		t.Errorf("the half file is still there: %v", err)
	}
}

// TestCompact_others leaves a file as it is that another process writes to.
func TestCompact_others(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operations.jsonl")
	fill(t, path, 40*24*time.Hour)
	other := New(path)
	if err := other.Ready(); err != nil {
		t.Fatal(err)
	}
	j := short(path)
	if err := j.Ready(); err != nil {
		t.Fatal(err)
	}
	if got := idsOf(t, j); got != "op-0 op-running" {
		t.Errorf("kept %q", got)
	}
	if err := other.End("op-running", "done", ""); err != nil {
		t.Fatal(err)
	}
	j.Close()
	other.Close()
	last := short(path)
	defer last.Close()
	if err := last.Ready(); err != nil {
		t.Fatal(err)
	}
	if got := idsOf(t, last); got != "op-running" {
		t.Errorf("kept %q", got)
	}
}

// TestCompact_together has many processes open, write and close: what goes on is
// never lost, whoever replaces the file meanwhile.
func TestCompact_together(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operations.jsonl")
	var mu sync.Mutex
	running := map[string]bool{}
	var processes sync.WaitGroup
	for range 8 {
		processes.Go(func() {
			for range 20 {
				j := short(path)
				ended, err := j.Begin(Entry{Operation: signed})
				if err != nil {
					t.Error(err)
				}
				id, err := j.Begin(Entry{Operation: rest.Operation{Method: "p.s.r.m", Poll: "https://h/op"}})
				if err != nil {
					t.Error(err)
				}
				if err := j.End(ended, "done", ""); err != nil {
					t.Error(err)
				}
				if err := j.Close(); err != nil {
					t.Error(err)
				}
				mu.Lock()
				running[id] = true
				mu.Unlock()
			}
		})
	}
	processes.Wait()
	found, err := New(path).Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		delete(running, e.ID)
	}
	if len(running) > 0 || len(found) != 160 {
		t.Errorf("%d operations, %d lost", len(found), len(running))
	}
}
