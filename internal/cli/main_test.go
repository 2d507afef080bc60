package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/planeql/planeql/armsim"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		"planeql": func() { os.Exit(Main(System())) },
	})
}

// leakChecked runs the tests and fails them if a goroutine is left.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the scripts, each beside a simulator of its own whose
// address, subscription and token are in the environment.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			sim, err := armsim.Start("127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Defer(func() { _ = sim.Close() })
			env.Values["sim"] = sim.Simulator
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("SIM", sim.URL)
			env.Setenv("TOKEN", "any")
			env.Setenv("PLANEQL_ENDPOINT", "azure="+sim.URL)
			env.Setenv("PLANEQL_AUTH", "azure=bearer,env=TOKEN")
			pool := "subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu'"
			env.Setenv("SUB", armsim.ProductionSubscription)
			env.Setenv("GROUP", pool)
			env.Setenv("POOL", pool+" AND hostPoolName = 'hp-office'")
			env.Setenv("SESSIONS", "azure.desktop_virtualization.user_sessions")
			return writePage(filepath.Join("..", "..", "docs", "operations.md"), env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "calls": calls,
		},
	})
}

var pageBlock = regexp.MustCompile("(?s)```(sh|sql)\n(.*?)```")

// writePage writes the commands of a page to page.sh and its statements to
// page.sql. The simulator that the page starts is there already.
func writePage(page, folder string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	files := map[string]string{"sh": "set -ex\n"}
	for _, m := range pageBlock.FindAllStringSubmatch(string(text), -1) {
		files[m[1]] += m[2]
	}
	for _, started := range []string{"planeql sim azure --addr 127.0.0.1:8099 &\n", "export TOKEN=any PLANEQL_ENDPOINT=azure=http://127.0.0.1:8099 PLANEQL_AUTH=azure=bearer,env=TOKEN\n"} {
		if !strings.Contains(files["sh"], started) {
			return fmt.Errorf("%s has no line %q", page, started)
		}
		files["sh"] = strings.Replace(files["sh"], started, "", 1)
	}
	for kind, text := range files {
		if err := os.WriteFile(filepath.Join(folder, "page."+kind), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// exits runs a program and checks its exit code: exits 2 planeql exec …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [argument ...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// calls writes the requests that the simulator has had since the last time to
// a file, one a line.
func calls(ts *testscript.TestScript, neg bool, args []string) {
	sim, ok := ts.Value("sim").(*armsim.Simulator)
	if neg || !ok || len(args) != 1 {
		ts.Fatalf("usage: calls file")
	}
	var b strings.Builder
	for _, r := range sim.Requests() {
		fmt.Fprintf(&b, "%s %s?%s %d %s\n", r.Method, r.Path, r.RawQuery, r.Status, r.Body)
	}
	sim.ResetRequests()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}
