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
// kills a process when it has seen a number of requests that count.
type crowded struct {
	sim    *armsim.Simulator
	counts func(*http.Request) bool
	left   atomic.Int64 // requests until the victim is killed; negative: nobody is
	kill   atomic.Pointer[os.Process]
	url    string
}

// deletes counts deletions.
func deletes(r *http.Request) bool { return r.Method == http.MethodDelete }

// deletionSet is the statement that is killed: its targets are found anew by
// each run.
const deletionSet = `DELETE FROM azure.desktop_virtualization.user_sessions WHERE subscriptionId = '` + armsim.ProductionSubscription + `'
AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office' AND userPrincipalName LIKE 'crowd%'`

func newCrowded(t *testing.T, counts func(*http.Request) bool, opts ...armsim.Option) *crowded {
	c := &crowded{sim: newSim(t, append(opts, armsim.WithPageSize(logOffs))...), counts: counts}
	c.left.Store(-1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.counts(r) && c.left.Add(-1) == 0 {
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
// service has seen a number of requests that count; -1: not at all.
func (c *crowded) run(t *testing.T, path, home string, requests int64) (code int, stderr string) {
	t.Helper()
	_, code, stderr = c.command(t, path, home, requests, "exec", "--yes", deletionSet)
	return code, stderr
}

// command is run for any command.
func (c *crowded) command(t *testing.T, path, home string, requests int64, words ...string) (stdout string, code int, stderr string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, append(words, "-o", "csv", "--audit", "audit.jsonl",
		"--endpoint", "azure="+c.url, "--auth", "azure=bearer,env=TOKEN")...)
	command.Dir, command.Env = home, []string{"HOME=" + home, "TOKEN=a-token"}
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c.kill.Store(command.Process)
	c.left.Store(requests)
	_ = command.Wait() // its exit code tells
	c.left.Store(-1)
	return out.String(), command.ProcessState.ExitCode(), errs.String()
}

// called is what the audit knows of the calls for one path.
type called struct {
	calls, answers, done int
	operations           []string // names in the journal of what went on behind the answers
}

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
		var r struct{ Record, ID, URL, Outcome, Operation string }
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
		if r.Record == "answer" {
			byID[r.ID].answers++
			if r.Operation != "" {
				byID[r.ID].operations = append(byID[r.ID].operations, r.Operation)
			}
		}
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
		if a := audit[key]; a == nil || n > a.calls || n < a.answers || done[key] < min(a.done, 1) {
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

// A statement that is killed at any moment, 100 of them in all, leaves an account
// of every call that the service saw; run again, it finishes the work and does
// nothing twice.
func TestKill(t *testing.T) {
	path := built(t)
	for round := range 4 {
		t.Run(fmt.Sprintf("deletions %d", round), func(t *testing.T) {
			if testing.Short() && round > 0 {
				t.Skip("one round is enough")
			}
			t.Parallel()
			testKills(t, path, uint64(round))
		})
	}
	for name, rule := range slowDeletions {
		t.Run("operations by "+name, func(t *testing.T) {
			if testing.Short() && rule.Style != armsim.AsyncAndLocation {
				t.Skip("one style is enough")
			}
			t.Parallel()
			testKilledOperations(t, path, rule)
		})
	}
}

func testKills(t *testing.T, path string, seed uint64) {
	each := 15
	if testing.Short() {
		each = 5
	}
	c, random, home := newCrowded(t, deletes), rand.New(rand.NewPCG(7, seed)), t.TempDir()
	c.fill(t)
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
