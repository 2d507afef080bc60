package planeql_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/planeql/planeql/armsim"
)

// question is a statement of the page with what the page says of it.
type question struct{ title, text, rows, calls string }

var questionBlock = regexp.MustCompile("(?s)\n### ([^\n]*)\n(?:[^`#]|`[^`])*?```sql\n(.*?)```\n(?:```csv\n(.*?)```\n)?Calls: [^\n]*?here (\\d+|\\?)\\.\n")

// Every statement of the page gives the rows and makes as many calls as the
// page says.
func TestQuestions(t *testing.T) {
	page, err := os.ReadFile("docs/questions.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("docs/questions") // where its files are
	var questions []question
	for _, m := range questionBlock.FindAllStringSubmatch(string(page), -1) {
		questions = append(questions, question{m[1], m[2], m[3], m[4]})
	}
	if n := strings.Count(string(page), "```sql\n"); len(questions) != n || n < 15 {
		t.Fatalf("%d of %d questions are found", len(questions), n)
	}
	for _, q := range questions {
		sim, url := simulator(t, armsim.WithEstate(armsim.Tour))
		var out bytes.Buffer
		code, errs := command(t, &out, url, "-o", "csv", "-q", q.text)
		if got := strings.ReplaceAll(out.String(), "\r\n", "\n"); code != 0 || got != q.rows {
			t.Errorf("%s\nexit code %d %s\n got\n%s\nwant\n%s", q.title, code, errs, got, q.rows)
		}
		if got := fmt.Sprint(len(sim.Requests())); got != q.calls {
			t.Errorf("%s\n%s calls, the page says %s", q.title, got, q.calls)
		}
	}
}

// What the README shows of a statement that names nothing.
func TestReadme_nothingNamed(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	for text, calls := range map[string]int{
		"SELECT sessionState, count(*) AS sessions FROM azure.desktop_virtualization.user_sessions GROUP BY 1 ORDER BY 2 DESC":               7,
		"SELECT count(*) AS sessions FROM azure.desktop_virtualization.user_sessions WHERE resourceGroupName = 'rg-avd-test' -- not printed": 4,
	} {
		sim.ResetRequests()
		var out bytes.Buffer
		code, errs := command(t, &out, url, "-o", "table", "-q", text)
		if code != 0 || len(sim.Requests()) != calls {
			t.Errorf("%s: exit code %d, %d calls %s", text, code, len(sim.Requests()), errs)
		}
		if !strings.Contains(text, "--") && (!strings.Contains(string(page), text+";") || !strings.Contains(string(page), out.String())) {
			t.Errorf("the page does not have\n%s", out.String())
		}
	}
}
