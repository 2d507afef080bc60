package planeql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/planeql/planeql/armsim"
)

// logOffs is how many sessions a statement of the test logs off.
const logOffs = 500

// crowded is a simulator one of whose hosts has a crowd of sessions, and which
// kills a process when it has seen a number of deletions.
type crowded struct {
	sim  *armsim.Simulator
	left atomic.Int64 // deletions until the victim is killed; negative: nobody is
	kill atomic.Pointer[os.Process]
	url  string
}

// deletionSet is the statement that is killed: its targets are found anew by
// each run.
const deletionSet = `DELETE FROM azure.desktop_virtualization.user_sessions WHERE subscriptionId = '` + armsim.ProductionSubscription + `'
AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office' AND userPrincipalName LIKE 'crowd%'`

func newCrowded(t *testing.T) *crowded {
	c := &crowded{sim: newSim(t, armsim.WithPageSize(logOffs))}
	c.left.Store(-1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete && c.left.Add(-1) == 0 {
			if p := c.kill.Load(); p != nil {
				_ = p.Kill() // while calls are under way
			}
		}
		c.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// fill logs the crowd on, and forgets what was asked.
func (c *crowded) fill(t *testing.T) {
	t.Helper()
	hosts := must(t, open(t, c.url), "SELECT id FROM azure.desktop_virtualization.session_hosts WHERE subscriptionId = '"+
		armsim.ProductionSubscription+"' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office' LIMIT 1")
	for i := range logOffs {
		session := map[string]any{"properties": map[string]any{"sessionState": "Disconnected", "userPrincipalName": fmt.Sprintf("crowd%d@contoso.com", i)}}
		if err := c.sim.Put(fmt.Sprintf("%s/userSessions/%d", hosts[0][0], 1000+i), session); err != nil {
			t.Fatal(err)
		}
	}
	c.sim.ResetRequests()
}

// run runs the statement as a process of its own, which is killed when the
// service has seen a number of deletions; -1: not at all.
func (c *crowded) run(t *testing.T, path, home string, deletions int64) (code int, stderr string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, "exec", "--yes", "-o", "csv", "--audit", "audit.jsonl",
		"--endpoint", "azure="+c.url, "--auth", "azure=bearer,env=TOKEN", deletionSet)
	command.Dir, command.Env = home, []string{"HOME=" + home, "TOKEN=a-token"}
	var errs bytes.Buffer
	command.Stderr = &errs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c.kill.Store(command.Process)
	c.left.Store(deletions)
	_ = command.Wait() // its exit code tells
	c.left.Store(-1)
	return command.ProcessState.ExitCode(), errs.String()
}

// called is what the audit knows of the calls for one path.
type called struct{ calls, answers, done int }

// readAudit reads the audit of a run that may have been killed in the middle of
// a line, by path.
func readAudit(t *testing.T, file string) map[string]*called {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	byPath, byID := map[string]*called{}, map[string]*called{}
	for line := range bytes.Lines(text) {
		var r struct{ Record, ID, URL, Outcome string }
		if json.Unmarshal(line, &r) != nil {
			continue // cut off
		}
		if r.Record == "call" {
			u, err := url.Parse(r.URL)
			if err != nil {
				t.Fatal(err)
			}
			key := strings.ToLower(u.Path)
			if byPath[key] == nil {
				byPath[key] = &called{}
			}
			byID[r.ID] = byPath[key]
			byPath[key].calls++
			if byPath[key].done > 0 {
				t.Errorf("%s was called again after it was done", key)
			}
			continue
		}
		byID[r.ID].answers++
		if r.Outcome == "done" {
			byID[r.ID].done++
		}
	}
	return byPath
}

// account compares what the service saw with what the audit says: every call has
// its record, and none was carried out twice.
func (c *crowded) account(t *testing.T, file string) {
	t.Helper()
	audit := readAudit(t, file)
	seen, done := map[string]int{}, map[string]int{}
	for _, r := range c.sim.Requests() {
		if r.Method == http.MethodGet {
			continue
		}
		key := strings.ToLower(r.Path)
		seen[key]++
		if r.Done {
			done[key]++
		}
	}
	for key, n := range seen {
		if a := audit[key]; a == nil || n > a.calls || n < a.answers || done[key] < a.done {
			t.Errorf("the service saw %d calls and carried out %d of %s, the audit has %+v", n, done[key], key, a)
		}
		if done[key] > 1 {
			t.Errorf("%s was carried out %d times", key, done[key])
		}
	}
	for key, a := range audit {
		if a.answers > seen[key] {
			t.Errorf("the audit has answers for %s that the service did not give: %+v", key, a)
		}
	}
}

// A statement that is killed at any moment leaves an account of every call that
// the service saw; run again, it finishes the work and does nothing twice.
func TestKill_anyMoment(t *testing.T) {
	kills, each := 100, 10
	if testing.Short() {
		kills, each = 5, 5
	}
	path, c := built(t), newCrowded(t)
	random := rand.New(rand.NewPCG(7, 7))
	for range kills / each {
		c.fill(t)
		home := t.TempDir()
		for range each {
			if code, errs := c.run(t, path, home, 1+random.Int64N(2*logOffs/int64(each)-20)); code != -1 && code != 0 {
				t.Fatalf("exit code %d\n%s", code, errs)
			}
			c.account(t, filepath.Join(home, "audit.jsonl"))
		}
		if code, errs := c.run(t, path, home, -1); code != 0 {
			t.Fatalf("run again: exit code %d\n%s", code, errs)
		}
		c.account(t, filepath.Join(home, "audit.jsonl"))
		done := 0
		for _, r := range c.sim.Requests() {
			if r.Method == http.MethodDelete && r.Done {
				done++
			}
		}
		if done != logOffs {
			t.Errorf("%d of %d sessions were logged off", done, logOffs)
		}
	}
}
