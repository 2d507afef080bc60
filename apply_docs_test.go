package planeql_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/cli"
)

var (
	pageBlock = regexp.MustCompile("(?s)```(sh|http|text)\n(.*?)```")
	longID    = regexp.MustCompile(`/subscriptions/[^"\s]*/Microsoft\.DesktopVirtualization/`)
	tookTime  = regexp.MustCompile(`, [0-9.]+ s\n`)
)

// The examples of the page, one after the other on one simulator, print what the
// page says: each line of a block is there.
func TestApply_page(t *testing.T) {
	page, err := os.ReadFile("docs/apply.md")
	if err != nil {
		t.Fatal(err)
	}
	e := poolApplied(t)
	folder, err := filepath.Abs("docs/scripts")
	if err != nil {
		t.Fatal(err)
	}
	out, blocks := "", 0
	for _, m := range pageBlock.FindAllStringSubmatch(string(page), -1) {
		switch kind, text := m[1], m[2]; {
		case kind == "http":
			method, rest, _ := strings.Cut(text, " ")
			path, body, _ := strings.Cut(rest, " ")
			e.send(method, strings.Replace(path, "…", desktops, 1), body)
		case kind == "sh" && !strings.Contains(text, "FILE…"):
			out = ""
			for line := range strings.Lines(text) {
				out += commandLine(t, e.url, folder, strings.Fields(line))
			}
		case kind == "text":
			blocks++
			printed := slices.Collect(strings.Lines(out))
			for line := range strings.Lines(shortened(text)) {
				if !slices.Contains(printed, line) { // some steps are taken side by side
					t.Fatalf("the output has no line\n%s\n%s", line, out)
				}
			}
		}
	}
	if blocks != 4 {
		t.Errorf("%d blocks of output were compared", blocks)
	}
}

// shortened leaves out of an output what the page does and what is never the same.
func shortened(text string) string {
	return tookTime.ReplaceAllString(longID.ReplaceAllString(text, "…/"), ", … s\n")
}

// commandLine runs a line of the page and gives its standard output.
func commandLine(t *testing.T, url, folder string, words []string) string {
	t.Helper()
	var out, errs bytes.Buffer
	args := append([]string{words[1], "--endpoint", "azure=" + url, "--auth", "azure=bearer,env=TOKEN"}, words[2:]...)
	code := cli.Main(cli.Environment{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: environment,
		Environ: func() []string { return nil }, Home: t.TempDir(), WorkDir: folder, Width: func() int { return 0 }, Now: time.Now,
	})
	if want := map[bool]int{true: 8, false: 0}[strings.Contains(strings.Join(words, " "), "--fail-if-changes")]; code != want {
		t.Fatalf("%s\nexit code %d, want %d\n%s%s", strings.Join(words, " "), code, want, out.String(), errs.String())
	}
	return shortened(out.String())
}
