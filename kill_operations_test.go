package planeql_test

import (
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/journal"
)

// slowDeletions are the ways in which a service goes on with a deletion. Where the
// link moves, the newest one may die with a process, and the session itself tells.
var slowDeletions = map[string]armsim.LongRunning{
	"status document":    {Style: armsim.AsyncOperation},
	"both":               {Style: armsim.AsyncAndLocation, Answer: armsim.AnswerAccepted, Polls: -1},
	"operation-location": {Style: armsim.OperationLocation, Answer: armsim.AnswerFull, Polls: -1},
	"moving location":    {Style: armsim.LocationOnly, Answer: armsim.AnswerMoved},
	"no header":          {Style: armsim.NoHeader},
}

// testKilledOperations kills a statement at any moment of long-running deletions,
// and the waiting for them, which leaves an account of every call and every
// operation. Waiting again and running again finish the work, and no session is
// deleted twice.
func testKilledOperations(t *testing.T, path string, rule armsim.LongRunning) {
	each := 8
	if testing.Short() {
		each = 3
	}
	rule.Type, rule.Method, rule.RetryAfter = "Microsoft.DesktopVirtualization/hostPools/sessionHosts/userSessions", http.MethodDelete, 5*time.Millisecond
	// The clock of the service stands still while a process runs: an operation ends
	// when it is asked for, or between two runs.
	start := time.Now()
	var later atomic.Int64
	c := newCrowded(t, func(r *http.Request) bool {
		return deletes(r) || strings.Contains(strings.ToLower(r.URL.Path), "operation")
	},
		armsim.WithLongRunning(rule), armsim.WithClock(func() time.Time { return start.Add(time.Duration(later.Load())) }))
	c.fill(t)
	random := rand.New(rand.NewPCG(8, 8))
	k := &killing{crowded: c, path: path, home: t.TempDir(), links: map[string]bool{}}
	for i := range each {
		k.once(t, i%3 == 2, 1+random.Int64N(5*logOffs/int64(each)))
		if rule.Answer == armsim.AnswerMoved {
			later.Add(int64(time.Minute))
		}
	}
	k.finish(t)
}

// killing is a folder in which one run after the other is killed.
type killing struct {
	*crowded
	path, home string
	left       int             // operations that went on after a kill
	links      map[string]bool // operations of the service that the journal has had, before it was made shorter
}

// once kills a run of the statement, or one that waits for what earlier runs
// have left, and looks at what that leaves.
func (k *killing) once(t *testing.T, waits bool, requests int64) {
	t.Helper()
	words := []string{"exec", "--yes", deletionSet}
	if waits {
		words = []string{"operations", "wait"}
	}
	if _, code, errs := k.command(t, k.path, k.home, requests, words...); code != -1 && code != 0 {
		t.Fatalf("%v: exit code %d\n%s", words, code, errs)
	}
	k.left += len(k.check(t))
}

// check finds each operation of which anything is known in the journal.
func (k *killing) check(t *testing.T) (running map[string]bool) {
	t.Helper()
	k.account(t, filepath.Join(k.home, "audit.jsonl"))
	running = map[string]bool{}
	entries, err := journal.New(filepath.Join(k.home, ".local", "state", "planeql", "operations.jsonl")).Entries()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range entries {
		known[e.ID] = true
		k.links[operationIn(e.Operation.Poll)] = true
		if e.Outcome == "" {
			running[e.ID] = true
		}
	}
	for path, a := range readAudit(t, filepath.Join(k.home, "audit.jsonl")) {
		for _, id := range a.operations {
			if !known[id] {
				t.Errorf("the audit says that %s goes on as %s, which the journal does not know", path, id)
			}
		}
	}
	for _, r := range k.sim.Requests() {
		if r.Method == http.MethodGet && r.Operation != "" && !k.links[r.Operation] {
			t.Errorf("%s was asked for and is not in the journal", r.Operation)
		}
	}
	return running
}

// operationIn gives the id of the service at the end of a link.
func operationIn(link string) string {
	link, _, _ = strings.Cut(link, "?")
	return strings.ToLower(link[strings.LastIndex(link, "/")+1:])
}

// finish lists and waits for what goes on, and runs the statement to its end.
func (k *killing) finish(t *testing.T) {
	t.Helper()
	running := k.check(t)
	if k.left == 0 {
		t.Error("no kill came while operations were going on")
	}
	list, code, errs := k.command(t, k.path, k.home, -1, "operations", "list")
	if n := strings.Count(list, ",running,"); code != 0 || n != len(running) {
		t.Errorf("%d operations listed, %d in the journal, exit code %d\n%s", n, len(running), code, errs)
	}
	for _, words := range [][]string{{"operations", "wait"}, {"exec", "--yes", deletionSet}} {
		if out, code, errs := k.command(t, k.path, k.home, -1, words...); code != 0 || strings.Contains(out, ",failed,") {
			t.Fatalf("%v: exit code %d\n%s%s", words, code, out, errs)
		}
	}
	if running := k.check(t); len(running) > 0 {
		t.Errorf("%d operations go on", len(running))
	}
	done := map[string]int{}
	for _, r := range k.sim.Requests() {
		if r.Method != http.MethodDelete {
			continue
		}
		if r.Status != http.StatusAccepted && r.Status != 0 {
			t.Errorf("%s was called when it had been done: %d", r.Path, r.Status)
		}
		if r.Done {
			done[strings.ToLower(r.Path)]++
		}
	}
	if len(done) != logOffs {
		t.Errorf("%d of %d sessions were logged off", len(done), logOffs)
	}
}
