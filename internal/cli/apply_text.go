package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// signs stand in front of the steps of a plan.
var signs = map[string]string{planeql.ActionCreate: "+", planeql.ActionChange: "~", planeql.ActionDelete: "-"}

// doneWords tell that a step was taken.
var doneWords = map[string]string{planeql.ActionCreate: "created", planeql.ActionChange: "changed", planeql.ActionDelete: "deleted"}

// are gives a number of things with the verb that goes with it.
func are(n int, noun string) string {
	return counted(int64(n), noun) + map[bool]string{true: " is", false: " are"}[n == 1]
}

// showPlan writes the steps to standard output: for people by member, in other
// formats a row for each resource.
func (a *app) showPlan(d *planeql.Desired) error {
	if a.settings.output != render.Table {
		return a.writeRows(&stepRows{columns: stepColumns, rows: planRows(d)})
	}
	if _, err := writePlan(a.screen.stdout(), d); err != nil {
		return render.OutputError(err)
	}
	return nil
}

// printf writes to standard output. Where that fails, the next result tells.
func (a *app) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(a.screen.stdout(), format, args...)
}

// writePlan writes the steps for people.
func writePlan(w io.Writer, d *planeql.Desired) (int, error) {
	var b strings.Builder
	for _, s := range d.Steps {
		if s.Action != planeql.ActionNone {
			writeStep(&b, s)
		}
	}
	switch n := counted(int64(len(d.Steps)), "resource"); {
	case d.Pending() > 0 && d.Teardown():
		fmt.Fprintf(&b, "%d to delete\n", d.Pending())
	case d.Teardown():
		fmt.Fprintf(&b, "nothing to do: none of %s is there\n", n)
	case d.Pending() == 0:
		fmt.Fprintf(&b, "nothing to do: %s as stated\n", n)
	default:
		fmt.Fprintf(&b, "%d to create, %d to change, %d to delete, %d as stated\n",
			d.Count(planeql.ActionCreate), d.Count(planeql.ActionChange), d.Count(planeql.ActionDelete), d.Count(planeql.ActionNone))
	}
	return io.WriteString(w, b.String())
}

func writeStep(b *strings.Builder, s planeql.Step) {
	fmt.Fprintf(b, "%s %s %s (%s)\n    %s\n", signs[s.Action], s.Action, s.Resource, s.Place, s.ID)
	width := 0
	for _, c := range s.Changes {
		width = max(width, utf8.RuneCountInString(c.Member))
	}
	for _, c := range s.Changes {
		value := string(c.To)
		if s.Action == planeql.ActionChange {
			value = valueText(c.From) + " → " + valueText(c.To)
		}
		fmt.Fprintf(b, "      %-*s  %s\n", width, c.Member, value)
	}
	if len(s.Unread) > 0 {
		fmt.Fprintf(b, "      the service does not show: %s\n", strings.Join(s.Unread, ", "))
	}
	if len(s.Beside) > 0 {
		fmt.Fprintf(b, "      REPLACE writes the whole: the service may set back %s\n", strings.Join(s.Beside, ", "))
	}
	b.WriteByte('\n')
}

func valueText(value json.RawMessage) string {
	if value == nil {
		return "nothing"
	}
	return string(value)
}

// takenStep is a step with what became of it.
type takenStep struct {
	step planeql.Step
	took time.Duration
	err  error
}

var stepColumns = []render.Column{
	{Name: "action", Type: "VARCHAR"}, {Name: "resource", Type: "VARCHAR"}, {Name: "id", Type: "VARCHAR"},
	{Name: "changes", Type: "JSON"}, {Name: "not_shown", Type: "JSON"}, {Name: "may_reset", Type: "JSON"}, {Name: "statement", Type: "VARCHAR"},
}

var takenColumns = append(slices.Clip(stepColumns),
	render.Column{Name: "outcome", Type: "VARCHAR"}, render.Column{Name: "duration", Type: "DOUBLE"})

func planRows(d *planeql.Desired) [][]any {
	var rows [][]any
	for _, s := range d.Steps {
		rows = append(rows, stepRow(s))
	}
	return rows
}

func stepRow(s planeql.Step) []any {
	return []any{s.Action, s.Resource, s.ID, asJSON(s.Changes), asJSON(s.Unread), asJSON(s.Beside), s.Place}
}

// asJSON gives a list as JSON; none is an empty one.
func asJSON[T any](list []T) json.RawMessage {
	if list == nil {
		list = []T{}
	}
	text, _ := json.Marshal(list) // texts and JSON always marshal
	return text
}

func takenRows(taken []takenStep) [][]any {
	var rows [][]any
	for _, t := range taken {
		outcome := "done"
		if e := fault.As(t.err); e != nil {
			if outcome = "failed"; e.Code == fault.OutcomeUnknown {
				outcome = "unknown"
			}
		}
		rows = append(rows, append(stepRow(t.step), outcome, t.took.Round(time.Millisecond).Seconds()))
	}
	return rows
}

// stepRows gives steps in the form that package render reads.
type stepRows struct {
	columns []render.Column
	rows    [][]any
	at      int
}

// Columns implements render.Rows.
func (r *stepRows) Columns() []render.Column { return r.columns }

// Next implements render.Rows.
func (r *stepRows) Next() bool {
	r.at++
	return r.at <= len(r.rows)
}

// Values implements render.Rows.
func (r *stepRows) Values() []any { return r.rows[r.at-1] }

// Err implements render.Rows.
func (r *stepRows) Err() error { return nil }

// writeRows writes rows in the format that was chosen.
func (a *app) writeRows(rows render.Rows) error {
	_, err := render.Write(a.screen.stdout(), rows, a.settings.output, render.Options{})
	return err
}
