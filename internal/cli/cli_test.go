package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// terminal is an environment for tests in which a person sits at a terminal.
type terminal struct {
	Environment
	out, err guarded
	signals  chan os.Signal
	exited   chan int
}

// guarded is a buffer that several goroutines may touch.
type guarded struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

func newTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	home := t.TempDir()
	e := &terminal{signals: make(chan os.Signal, 2), exited: make(chan int, 2)}
	e.Environment = Environment{
		Args: args, Stdin: strings.NewReader(""), Stdout: &e.out, Stderr: &e.err,
		Getenv:  func(name string) string { return map[string]string{"TERM": "xterm", "NO_COLOR": "1"}[name] },
		Environ: func() []string { return nil }, Home: home, WorkDir: home,
		Terminal: Terminal{In: true, Out: true, Err: true}, Width: func() int { return 80 }, Now: time.Now,
		Signals: e.signals, Exit: func(code int) { e.exited <- code },
	}
	return e
}

// setenv lets the environment know one more variable.
func (e *terminal) setenv(name, value string) {
	before := e.Getenv
	e.Getenv = func(n string) string {
		if n == name {
			return value
		}
		return before(n)
	}
}

func (e *terminal) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(e.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExitCode(t *testing.T) {
	for code, want := range map[fault.Code]int{
		fault.SyntaxError: 2, fault.InvalidFlag: 2, fault.DataException: 2, fault.DocumentInvalid: 2,
		fault.PartialResult: 3, fault.NoCredential: 4, fault.Unauthenticated: 4, fault.Forbidden: 4,
		fault.LimitReached: 5, fault.ReadOnly: 5, fault.ConfirmationNeeded: 5,
		fault.NotFound: 6, fault.Rejected: 6,
		fault.ServiceFailed: 7, fault.CannotConnect: 7, fault.Throttled: 7, fault.Cancelled: 7, fault.OutcomeUnknown: 7,
		fault.CheckFailed: 8, fault.Internal: 1,
	} {
		if got := exitCode(fault.New(code, "x")); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
	if got := exitCode(errInterrupted); got != 130 {
		t.Errorf("an interrupt exits %d", got)
	}
	if got := exitCode(&fault.Error{Code: "99999"}); got != 1 {
		t.Errorf("an error of no scope exits %d", got)
	}
}

// settingsOf resolves the settings of a command line in an environment.
func settingsOf(t *testing.T, e *terminal) (settings, error) {
	t.Helper()
	a := &app{env: e.Environment, values: map[string]*flagValue{}, screen: newScreen(e.Environment), signals: watch(Environment{})}
	root := a.root()
	got := settings{}
	root.RunE = nil
	for _, c := range root.Commands() {
		if c.Name() == "exec" {
			root = c
		}
	}
	if err := root.ParseFlags(e.Args); err != nil {
		return got, err
	}
	err := a.resolve()
	return a.settings, err
}

// The command line is stronger than the environment, that than the file, that
// than the default; what may be given several times adds up.
func TestSettings_precedence(t *testing.T) {
	e := newTerminal(t, "--timeout", "3s", "--endpoint", "other=http://flag")
	e.file(t, "planeql.yaml", "timeout: 1s\nmax_calls: 7\noutput: csv\nread-only: true\n"+
		"endpoint:\n  azure: http://localhost\n  other: http://127.0.0.1\nauth: {azure: {kind: bearer, env: NAME}}\n")
	e.setenv("PLANEQL_TIMEOUT", "2s")
	e.setenv("PLANEQL_OUTPUT", "tsv")
	e.setenv("PLANEQL_ENDPOINT", "azure=http://env; more=http://env")
	s, err := settingsOf(t, e)
	if err != nil {
		t.Fatal(err)
	}
	if s.timeout != 3*time.Second || s.output != render.TSV || s.maxCalls != 7 || !s.readOnly || s.onError != "" {
		t.Errorf("got %+v", s)
	}
	if got := fmt.Sprint(s.endpoints); got != "map[azure:http://env more:http://env other:http://flag]" {
		t.Errorf("endpoints are %s", got)
	}
	if got := s.auth["azure"]; got.kind != "bearer" || got.options["env"] != "NAME" {
		t.Errorf("auth is %+v", got)
	}
}

func TestSettings_userFile(t *testing.T) {
	e := newTerminal(t)
	e.WorkDir = t.TempDir()
	e.file(t, ".config/planeql/planeql.yaml", "output: json\n")
	if s, err := settingsOf(t, e); err != nil || s.output != render.JSON {
		t.Errorf("the file below ~/.config: %v, %v", s.output, err)
	}
	e.setenv("XDG_CONFIG_HOME", filepath.Join(e.Home, "other"))
	if s, err := settingsOf(t, e); err != nil || s.output != render.Table {
		t.Errorf("XDG_CONFIG_HOME points elsewhere: %v, %v", s.output, err)
	}
	e.file(t, "named.yaml", "output: tsv\n")
	e.Args = []string{"--config", filepath.Join(e.Home, "named.yaml")}
	if s, err := settingsOf(t, e); err != nil || s.output != render.TSV {
		t.Errorf("--config: %v, %v", s.output, err)
	}
	e.file(t, "empty.yaml", "# nothing\n")
	e.Args = []string{"--config", filepath.Join(e.Home, "empty.yaml")}
	if s, err := settingsOf(t, e); err != nil || s.output != render.Table {
		t.Errorf("an empty file: %v, %v", s.output, err)
	}
}

func TestSettings_wrong(t *testing.T) {
	cases := []struct {
		name, file, env string // env: NAME=value
		args            []string
		message, hint   string
	}{
		{name: "format", args: []string{"-o", "jsn"}, message: `--output: "jsn" is no output format`, hint: "did you mean json?"},
		{name: "format in the environment", env: "PLANEQL_OUTPUT=xml", message: `PLANEQL_OUTPUT: "xml"`, hint: "the formats are table"},
		{name: "key", file: "otput: csv", message: `there is no setting "otput"`, hint: "did you mean output?"},
		{name: "far key", file: "zzz: 1", message: `there is no setting "zzz"`, hint: "the settings are output"},
		{name: "local key", file: "file: x.sql", message: `there is no setting "file"`},
		{name: "value in the file", file: "timeout: soon", message: `timeout: "soon" is no duration`, hint: "30s"},
		{name: "list for one", file: "timeout: [1s]", message: `the value of "timeout" has the wrong shape`},
		{name: "nested list", file: "var: [[a]]", message: `the value of "var" has the wrong shape`},
		{name: "nested mapping", file: "auth: {azure: {kind: [a]}}", message: `the value of "auth" has the wrong shape`},
		{name: "no mapping", file: "- a\n", message: "does not hold names with values"},
		{name: "no yaml", file: "a: [", message: "is no valid YAML"},
		{name: "no file", args: []string{"--config", "missing.yaml"}, message: `the file "missing.yaml" cannot be read`},
		{name: "endpoint without provider", args: []string{"--endpoint", "http://x"}, message: "does not say whose address", hint: "azure=http"},
		{name: "endpoint without scheme", args: []string{"--endpoint", "azure=localhost:80"}, message: "is no address"},
		{name: "auth", args: []string{"--auth", "cli"}, message: "does not say who signs in", hint: "azure=cli"},
		{name: "auth option", args: []string{"--auth", "azure=bearer,secret"}, message: "is not of the form name=value"},
		{name: "var", args: []string{"--var", "x"}, message: "is not of the form name=value"},
		{name: "vars", args: []string{"--vars", "none.json"}, message: `the file "none.json" cannot be read`},
		{name: "number", args: []string{"--max-calls", "0"}, message: "is no whole number above 0"},
		{name: "toggle", env: "PLANEQL_READ_ONLY=perhaps", message: "is neither true nor false"},
		{name: "choice", args: []string{"--on-error", "skp"}, message: "is not a choice", hint: "did you mean skip?"},
		{name: "empty", args: []string{"--db", ""}, message: "the value is empty"},
		{name: "errors", args: []string{"--errors", "xml"}, message: "--errors"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := newTerminal(t, c.args...)
			if c.file != "" {
				e.file(t, "planeql.yaml", c.file)
			}
			if name, value, ok := strings.Cut(c.env, "="); ok {
				e.setenv(name, value)
			}
			_, err := settingsOf(t, e)
			f := fault.As(err)
			if f == nil || exitCode(f) != 2 || !strings.Contains(f.Message, c.message) || !strings.Contains(f.Hint, c.hint) {
				t.Errorf("got %v", err)
			}
			if f != nil && strings.Contains(f.Print(), "secret") {
				t.Errorf("what may be a secret is printed: %s", f.Print())
			}
		})
	}
}

func TestSettings_variables(t *testing.T) {
	e := newTerminal(t, "--vars", "a.yaml", "--vars", "b.json", "--var", "three=flag", "--env-vars")
	e.Environ = func() []string { return []string{"one=env", "four=env=4", "=C:=x"} }
	e.file(t, "a.yaml", "one: file\ntwo: 007\nsome: null\n\"$filter\": a eq 'b'\n")
	e.file(t, "b.json", "{\"two\": 1.50, \"three\": \"x\",\n\t\"flag\": true}")
	s, err := settingsOf(t, e)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"one": "file", "two": "1.50", "three": "flag", "four": "env=4", "$filter": "a eq 'b'", "flag": "true"}
	if fmt.Sprint(s.variables) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", s.variables, want)
	}
	e.file(t, "a.yaml", "one: 1\ntags: {a: b}\n")
	_, err = settingsOf(t, e)
	if f := fault.As(err); f == nil || !strings.Contains(f.Print(), "a.yaml:2:1") {
		t.Errorf("a nested value gives %v", err)
	}
}

// Every flag is told, has a variable of its own, and can be set.
func TestFlagTable(t *testing.T) {
	names, variables := map[string]bool{}, map[string]bool{}
	for i := range flagTable {
		f := &flagTable[i]
		if names[f.name] || variables[f.variable()] || f.help == "" || f.set == nil || f.place == 0 {
			t.Errorf("--%s is there twice or incomplete", f.name)
		}
		if f.kind != toggle && f.value == "" {
			t.Errorf("--%s does not name its value", f.name)
		}
		names[f.name], variables[f.variable()] = true, true
	}
}

func TestProgress(t *testing.T) {
	e := newTerminal(t)
	now := time.Unix(0, 0)
	e.Now = func() time.Time { return now }
	e.Width = func() int { return 60 }
	s := newScreen(e.Environment)
	p := planeql.Progress{Calls: 12, Rows: 1200, Bytes: 800_000}
	s.show(p)
	s.begin()
	s.show(p)
	if e.err.String() != "" {
		t.Errorf("progress is shown at once: %q", e.err.String())
	}
	now = now.Add(progressDelay)
	s.show(p)
	if got, want := e.err.String(), eraseLine+"⠋ 12 calls, 1,200 rows, 0.8 MB"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	fmt.Fprint(s.stderr(), "warning\n")
	if !strings.HasSuffix(e.err.String(), "MB"+eraseLine+"warning\n") {
		t.Errorf("a warning is written into the line: %q", e.err.String())
	}
	p.Waiting, p.WaitingFor = 37*time.Second, "429 from management.azure.com"
	s.show(p)
	if got := e.err.String(); !strings.HasSuffix(got, "waiting 37 s: 429 from man…") {
		t.Errorf("the line is not cut to the terminal: %q", got)
	}
	fmt.Fprint(s.stdout(), "row\n")
	before := e.err.String()
	s.show(p)
	if e.err.String() != before || !strings.HasSuffix(before, eraseLine) {
		t.Errorf("progress is drawn into the rows: %q", e.err.String())
	}
	s.end()
}

func TestProgressLine(t *testing.T) {
	for want, p := range map[string]planeql.Progress{
		"0 calls, 0 rows, 0.0 MB":                                    {},
		"1 call, 1 row, 0.0 MB":                                      {Calls: 1, Rows: 1},
		"1,234,567 calls, 1,000 rows, 1.5 MB, waiting 0.50 s":        {Calls: 1234567, Rows: 1000, Bytes: 1_500_000, Waiting: 500 * time.Millisecond},
		"2 calls, 0 rows, 0.0 MB, waiting 1m30s: 503 from somewhere": {Calls: 2, Waiting: 90 * time.Second, WaitingFor: "503 from somewhere"},
	} {
		if got := progressLine(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestConfirm(t *testing.T) {
	c := planeql.Confirmation{Method: "azure.x.y.delete", Count: 1200, Sample: []string{"one", "two"}}
	for answer, want := range map[string]bool{"y": true, "yes": true, "Y": true, "": false, "n": false, "yep": false} {
		e := newTerminal(t)
		e.Ask = func(question string) (string, error) { return answer, nil }
		a := &app{env: e.Environment, screen: newScreen(e.Environment)}
		got, err := a.confirm(context.Background(), c)
		if got != want || err != nil {
			t.Errorf("%q: %v, %v", answer, got, err)
		}
		if want := "1,200 requests (azure.x.y.delete) will be sent:\n  one\n  two\n  … and 1,198 more\n"; e.err.String() != want {
			t.Errorf("the question is %q", e.err.String())
		}
	}
	e := newTerminal(t)
	e.Ask = func(string) (string, error) { return "", io.EOF }
	a := &app{env: e.Environment, screen: newScreen(e.Environment)}
	if ok, err := a.confirm(context.Background(), c); ok || exitCode(fault.From(err)) != 130 {
		t.Errorf("Ctrl-C at the question: %v, %v", ok, err)
	}
}

// notice is a writer that hands on what is written.
type notice chan string

func (n notice) Write(p []byte) (int, error) {
	n <- string(p)
	return len(p), nil
}

// The simulator serves until it is interrupted, and tells how to reach it.
func TestSim(t *testing.T) {
	for _, c := range []struct {
		args   []string
		scheme string
	}{
		{nil, "http"},
		{[]string{"--estate", "scenario.yaml", "--seed", "3"}, "http"},
		{[]string{"--tls-cert", "cert.pem", "--estate", "empty", "--page-size", "10", "--latency", "1ms", "--faults", "503=2%"}, "https"},
	} {
		e := newTerminal(t, append([]string{"sim", "azure"}, c.args...)...)
		e.file(t, "scenario.yaml", "subscriptions:\n  - id: 00000000-0000-0000-0000-000000000001\n    name: One\n")
		listening := make(notice, 1)
		e.Stdout = listening
		code := make(chan int, 1)
		go func() {
			code <- Main(e.Environment)
			close(listening)
		}()
		address, ok := strings.CutPrefix(strings.TrimSpace(<-listening), "listening on ")
		if !ok || !strings.HasPrefix(address, c.scheme+"://127.0.0.1:") {
			t.Errorf("%v: %q", c.args, address)
		}
		e.signals <- os.Interrupt
		if got := <-code; got != 0 {
			t.Errorf("%v: exit code %d: %s", c.args, got, e.err.String())
		}
		if !strings.Contains(e.err.String(), "--endpoint azure="+address) {
			t.Errorf("%v: %s", c.args, e.err.String())
		}
	}
}

func TestSim_addressInUse(t *testing.T) {
	e := newTerminal(t, "sim", "azure", "--addr", "256.0.0.1:0")
	if code := Main(e.Environment); code != 2 || !strings.Contains(e.err.String(), "the simulator cannot be started") {
		t.Errorf("exit code %d, %q", code, e.err.String())
	}
}

// The first interrupt ends what runs, the second one the process.
func TestSignals(t *testing.T) {
	e := newTerminal(t)
	s := watch(e.Environment)
	defer s.stop()
	ctx, release := s.guard(context.Background())
	e.signals <- os.Interrupt
	<-ctx.Done()
	if !interrupted(ctx) {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
	e.signals <- os.Interrupt
	if code := <-e.exited; code != 130 {
		t.Errorf("exit code %d", code)
	}
	release()
	ctx, release = s.guard(context.Background())
	if ctx.Err() != nil {
		t.Error("the interrupt of one statement ends the next")
	}
	release()
	if interrupted(ctx) {
		t.Error("the end of a statement passes for an interrupt")
	}
	e.signals <- os.Interrupt
	if code := <-e.exited; code != 130 {
		t.Errorf("exit code %d with nothing to cancel", code)
	}
}

// An interrupt ends a running statement. The statement would take hours and
// needs no memory; that it runs is told by its progress.
func TestMain_interrupt(t *testing.T) {
	e := newTerminal(t, "exec", "--timeout", "1m", "SELECT sum(range) FROM range(1000000000000000)")
	shown := make(notice, 1000)
	e.Stderr = shown
	code := make(chan int, 1)
	go func() {
		code <- Main(e.Environment)
		close(shown)
	}()
	if first := <-shown; !strings.Contains(first, "0 calls, 0 rows") {
		t.Errorf("progress is %q", first)
	}
	e.signals <- os.Interrupt
	var rest strings.Builder
	for text := range shown {
		rest.WriteString(text)
	}
	if got := <-code; got != 130 || !strings.Contains(rest.String(), eraseLine+"error 57014: ") {
		t.Errorf("exit code %d, %q", got, rest.String())
	}
}

func TestMain_footer(t *testing.T) {
	e := newTerminal(t, "exec", "SELECT 1 AS one; SET threads = 2; SELECT 2 AS two WHERE false")
	if code := Main(e.Environment); code != 0 {
		t.Fatalf("exit code %d: %s", code, e.err.String())
	}
	if got, want := e.out.String(), " one\n─────\n   1\n two\n─────\n(0 rows)\n"; got != want {
		t.Errorf("standard output is %q, want %q", got, want)
	}
	lines := strings.Split(strings.TrimSpace(e.err.String()), "\n")
	for i, want := range []string{"1 row, ", "ok, ", "0 rows, "} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("standard error is %q", lines)
			break
		}
	}
	e = newTerminal(t, "exec", "--quiet", "SELECT 1")
	if code := Main(e.Environment); code != 0 || e.err.String() != "" {
		t.Errorf("--quiet: %d, %q", code, e.err.String())
	}
}

// typed is a person who types lines.
type typed struct{ inputs []any }

func (p *typed) Readline() (string, error) {
	if len(p.inputs) == 0 {
		return "", io.EOF
	}
	next := p.inputs[0]
	p.inputs = p.inputs[1:]
	if err, ok := next.(error); ok {
		return "", err
	}
	return next.(string), nil
}

func shellSession(t *testing.T, inputs ...any) *terminal {
	t.Helper()
	e := newTerminal(t)
	e.Edit = func(o EditorOptions) Editor {
		if o.Prompt() == "" || o.History == "" || o.Complete == nil {
			t.Error("the editor's options are incomplete")
		}
		return &typed{inputs}
	}
	if code := Main(e.Environment); code != 0 {
		t.Errorf("the shell exits %d", code)
	}
	return e
}

func TestShell(t *testing.T) {
	e := shellSession(t, "SELECT 1 AS a; SELECT 2 AS b;", ErrDropped, "SELEC 1;", "SELECT 3 AS c;", "")
	for _, want := range []string{" a\n", " b\n", " c\n"} {
		if !strings.Contains(e.out.String(), want) {
			t.Errorf("%q is missing in %q", want, e.out.String())
		}
	}
	if !strings.Contains(e.err.String(), "error 42601") {
		t.Errorf("the error is missing in %q", e.err.String())
	}
	info, err := os.Stat(filepath.Join(e.Home, ".local", "state", "planeql", "history"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history is for others to read: %v, %v", info, err)
	}
}

// The shell keeps the warnings of a statement for the next one.
func TestShell_warnings(t *testing.T) {
	sim, err := armsim.Start("127.0.0.1:0", armsim.WithoutAuth(), armsim.WithFaults(armsim.Faults{Deny: []string{armsim.TestSubscription}}))
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	e := newTerminal(t, "--endpoint", "azure="+sim.URL, "--auth", "azure=none")
	e.Edit = func(EditorOptions) Editor {
		return &typed{[]any{
			"SET on_error = 'skip';", "SELECT name FROM azure.desktop_virtualization.host_pools;",
			"SELECT status, service_code FROM planeql_warnings();", "SELECT count(*) AS still FROM planeql_warnings();",
		}}
	}
	if code := Main(e.Environment); code != 0 {
		t.Errorf("the shell exits %d", code)
	}
	for _, want := range []string{"hp-office", "403", "AuthorizationFailed", "still\n"} {
		if !strings.Contains(e.out.String(), want) {
			t.Errorf("%q is missing in %q", want, e.out.String())
		}
	}
	if !strings.Contains(e.err.String(), "warning 01000: rows are missing") {
		t.Errorf("the warning is missing in %q", e.err.String())
	}
}

func TestShell_commands(t *testing.T) {
	e := newTerminal(t)
	e.file(t, "x.sql", "SELECT 'from a file' AS text;")
	script := filepath.Join(e.Home, "x.sql")
	for _, c := range []struct {
		input, out, err string
	}{
		{`\?`, `\timing`, ""},
		{`\o jsonl`, `{"a":1}`, ""},
		{`\x`, "a │ 1", "rows are printed as vertical"},
		{`\o xml`, "", "is no output format"},
		{`\o`, "", "rows are printed as table"},
		{`\l`, "azure", ""},
		{`\l azure`, "desktop_virtualization", ""},
		{`\l azure.desktop_virtualization;`, "user_sessions", ""},
		{`\d azure.desktop_virtualization.user_sessions`, "systemData", ""},
		{`\d`, "azure", ""},
		{`\dm azure.desktop_virtualization.user_sessions`, "send_message", ""},
		{`\dm`, "", "needs the name"},
		{`\i ` + script, "from a file", ""},
		{`\i`, "", "needs the name"},
		{`\i missing.sql`, "", "cannot be read"},
		{`\timing`, "", "timing is off"},
		{`\timin`, "", `did you mean \timing?`},
		{`\zzzz`, "", "there is no command"},
	} {
		e := shellSession(t, c.input, "SELECT 1 AS a;", `\q`, "SELECT 'after' AS b;")
		if !strings.Contains(e.out.String(), c.out) || !strings.Contains(e.err.String(), c.err) {
			t.Errorf("%s: %q, %q", c.input, e.out.String(), e.err.String())
		}
		if strings.Contains(e.out.String(), "after") {
			t.Errorf(`%s: the shell goes on after \q`, c.input)
		}
	}
	for _, word := range []string{"exit", "quit;", "EXIT"} {
		if e := shellSession(t, word, "SELECT 1;"); strings.Contains(e.out.String(), "1") {
			t.Errorf("the shell goes on after %s", word)
		}
	}
}

func TestShell_brokenTerminal(t *testing.T) {
	e := newTerminal(t)
	e.Edit = func(EditorOptions) Editor { return &typed{[]any{errors.New("revoked")}} }
	if code := Main(e.Environment); code != 2 || !strings.Contains(e.err.String(), "revoked") {
		t.Errorf("exit code %d, %q", code, e.err.String())
	}
}

func TestFinished(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "  ": true, `\d x`: true, "exit": true, "quit;": true,
		"SELECT 1": false, "SELECT 1;": true, "SELECT 1;\n": true, "SELECT 1; -- done": true,
		"SELECT ';": false, "SELECT ';'": false, "SELECT ';';": true, "SELECT 1 -- ;": false,
		"SELECT /* ; ": false, "SELECT {{ a": false,
	} {
		if got := finished(text); got != want {
			t.Errorf("finished(%q) = %v", text, got)
		}
	}
}

func TestCandidates(t *testing.T) {
	complete := func(text string, cursor int) []planeql.Completion {
		if text != "SELECT ü FROM azure.desk" || cursor != len(text) {
			t.Errorf("asked at %d of %q", cursor, text)
		}
		return []planeql.Completion{{Text: "desktop_virtualization", Kind: "service", Start: cursor - len("desk")}}
	}
	line := []rune("SELECT ü FROM azure.desk")
	got := candidates(line, len(line), complete)
	if got.PREFIX != "azure.desk" {
		t.Errorf("the prefix is %q", got.PREFIX)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q", n, got)
		}
	}
}
