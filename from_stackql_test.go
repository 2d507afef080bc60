package planeql_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/planeql/planeql/armsim"
)

// example is a SQL block of a page with what the block behind it says: the rows
// as csv, or a part of the error.
type example struct{ text, kind, want string }

var exampleBlock = regexp.MustCompile("(?s)```sql\n(.*?)```\n(?:```(csv|error)\n(.*?)```)?")

// Every example of the page runs as printed and gives what the page says.
func TestFromStackQL_examples(t *testing.T) { runExamples(t, "docs/from-stackql.md", 9) }

func TestScripts_examples(t *testing.T) { runExamples(t, "docs/scripts.md", 5) }

func TestWrites_examples(t *testing.T) { runExamples(t, "docs/writes.md", 7, "--yes") }

// runExamples runs the SQL blocks of a page, of which there are at least so many.
func runExamples(t *testing.T, name string, least int, flags ...string) {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var examples []example
	for _, m := range exampleBlock.FindAllStringSubmatch(string(page), -1) {
		examples = append(examples, example{m[1], m[2], m[3]})
	}
	if len(examples) < least || len(examples) != strings.Count(string(page), "```sql\n") {
		t.Fatalf("%d examples are found", len(examples))
	}
	for _, e := range examples {
		_, url := simulator(t, armsim.WithEstate(armsim.Small))
		var out bytes.Buffer
		code, errs := command(t, &out, url, append(flags, "-o", "csv", "-q", e.text)...)
		switch e.kind {
		case "error":
			if code == 0 || !strings.Contains(errs, strings.TrimSpace(e.want)) {
				t.Errorf("%s\nexit code %d\n%s", e.text, code, errs)
			}
		case "csv":
			got := strings.ReplaceAll(out.String(), "\r\n", "\n")
			if len(flags) > 0 && strings.HasSuffix(got, "\n"+e.want) {
				got = e.want // behind the outcomes, which have times and ids
			}
			if code != 0 || got != e.want {
				t.Errorf("%s\nexit code %d %s\n got\n%s\nwant\n%s", e.text, code, errs, out.String(), e.want)
			}
		default:
			if code != 0 || out.Len() == 0 {
				t.Errorf("%s\nexit code %d %s", e.text, code, errs)
			}
		}
	}
}
