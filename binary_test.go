package planeql_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planeql/planeql/armsim"
)

// built builds the program.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "planeql")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/planeql").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return path
}

// ran is what a run of the program gave.
type ran struct {
	stdout, stderr string
	code           int
}

// runBinary runs the program in an empty home folder.
func runBinary(t *testing.T, path string, args ...string) ran {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, args...)
	home := t.TempDir()
	command.Dir = home
	command.Env = []string{"HOME=" + home, "TOKEN=a-token", "PATH=" + os.Getenv("PATH")}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return ran{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// The page's statements through the program: the text of each block as a file,
// the placeholders filled by --vars.
func TestSeedPage_binary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	blocks, path := seedBlocks(t), built(t)
	for i, block := range blocks {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small))
		values := aSession(t, open(t, url))
		c := seedCases(values)[i]
		fillSeed(values)
		folder := t.TempDir()
		vars, script := filepath.Join(folder, "vars.json"), filepath.Join(folder, "seed.sql")
		text, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		write(t, vars, string(text))
		write(t, script, block)
		sim.ResetRequests()
		r := runBinary(t, path, "exec", "-o", "json", "--endpoint", "azure="+url, "--auth", "azure=bearer,env=TOKEN", "--vars", vars, "-f", script)
		if r.code != 0 || r.stderr != "" {
			t.Fatalf("block %d: exit code %d\n%s", i+1, r.code, r.stderr)
		}
		var rows []map[string]any
		if err := json.Unmarshal([]byte(r.stdout), &rows); err != nil || len(rows) == 0 {
			t.Errorf("block %d: %v: %s", i+1, err, r.stdout)
		}
		checkSeedRequest(t, sim.Requests(), c, values["subscriptionId"])
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The demo runs in an empty home, with no account and no network.
func TestBinary_demo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	r := runBinary(t, built(t), "demo")
	if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, "HTTP call") || !strings.Contains(r.stdout, "Disconnected") {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
}
