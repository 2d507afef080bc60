package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// runner runs the statements of one session and writes what they give.
type runner struct {
	app     *app
	session *planeql.Session
	format  render.Format
	footer  bool // tell rows, calls and time on standard error
	total   total
}

func (a *app) runner(session *planeql.Session) *runner {
	return &runner{app: a, session: session, format: a.settings.output, footer: true}
}

// statement runs one statement: its rows go to standard output, warnings and
// what it cost to standard error. An interrupt ends it.
func (r *runner) statement(ctx context.Context, st *planeql.Statement) error {
	return r.run(ctx, func(ctx context.Context) (*planeql.Rows, error) { return r.session.Run(ctx, st) })
}

// run runs something that gives rows like a statement.
func (r *runner) run(ctx context.Context, start func(context.Context) (*planeql.Rows, error)) error {
	ctx, release := r.app.signals.guard(ctx)
	defer release()
	r.app.screen.begin()
	defer r.app.screen.end()
	rows, err := start(ctx)
	if err != nil {
		r.total.add(r.session.Spent(), 0)
		return told(ctx, err)
	}
	defer rows.Close()
	n, err := r.write(rows)
	_ = rows.Close() // its error is that of the rows, which write gives
	defer func() { r.total.add(rows.Summary(), n) }()
	r.app.screen.end()
	r.warnings(rows)
	if err != nil {
		return told(ctx, err)
	}
	sum := rows.Summary()
	if sum.Failed > 0 {
		r.app.partial = true
	}
	if bare(rows) {
		r.tellDone(sum)
		return nil
	}
	r.tell(sum, n)
	return r.check(sum, n)
}

// bare says that a statement has no rows for the user. DuckDB gives a column
// Success or Count to statements such as SET and CREATE TABLE.
func bare(rows *planeql.Rows) bool {
	columns := rows.Columns()
	if len(columns) != 1 || rows.Summary().Kind == "select" {
		return len(columns) == 0
	}
	c := columns[0]
	return c.Name == "Success" && c.Type == "BOOLEAN" || c.Name == "Count" && c.Type == "BIGINT"
}

// write renders the rows of a statement; one that has none for the user is run
// to its end.
func (r *runner) write(rows *planeql.Rows) (int64, error) {
	if bare(rows) {
		for rows.Next() {
			continue
		}
		return 0, rows.Err()
	}
	a := r.app
	if r.format == render.Table {
		switch kind := rows.Summary().Kind; {
		case kind == "explain":
			return r.lines(rows, "")
		case kind == "show" && isTemplate(rows.Columns()):
			return r.lines(rows, ";")
		}
	}
	o := render.Options{Color: a.env.color(a.env.Terminal.Out)}
	if a.env.Terminal.Out {
		o.Width = a.env.Width()
	}
	return render.Write(a.screen.stdout(), result{rows}, r.format, o)
}

// isTemplate says that rows are statements to be filled in.
func isTemplate(columns []planeql.Column) bool {
	return len(columns) == 1 && columns[0].Name == "statement"
}

// lines writes a plan or statements as the text that they are: a table would
// cut it to the width of the screen.
func (r *runner) lines(rows *planeql.Rows, end string) (n int64, err error) {
	out := r.app.screen.stdout()
	for rows.Next() {
		text := rows.Values()[0]
		if raw, ok := text.(json.RawMessage); ok {
			text = string(raw)
		}
		if _, err := fmt.Fprintf(out, "%v%s\n", text, end); err != nil {
			return n, render.OutputError(err)
		}
		n++
	}
	return n, rows.Err()
}

// told puts the user's own doing before what the engine made of it.
func told(ctx context.Context, err error) error {
	if interrupted(ctx) && !errors.Is(err, render.ErrClosed) {
		if e := fault.As(err); e != nil && e.Scope == fault.Interrupt {
			return e
		}
		return errInterrupted
	}
	return err
}

func (r *runner) warnings(rows *planeql.Rows) {
	for _, w := range rows.Warnings() {
		if w.Code == fault.PartialResult {
			r.app.partial = true
		}
		r.app.report(w, render.Warning)
	}
}

// tellDone writes the footer of a statement without rows.
func (r *runner) tellDone(sum planeql.Summary) {
	if r.footer {
		r.app.say("ok, %s", shortDuration(sum.Duration))
	}
}

// tell writes the footer.
func (r *runner) tell(sum planeql.Summary, n int64) {
	if !r.footer {
		return
	}
	line := counted(n, "row")
	if sum.Calls > 0 {
		line += ", " + counted(int64(sum.Calls), "call")
	}
	if sum.Retries > 0 {
		line += fmt.Sprintf(" (%s repeated)", grouped(int64(sum.Retries)))
	}
	line += ", " + shortDuration(sum.Duration)
	if sum.DryRun && sum.Kind != "select" {
		line += ", dry run: nothing was sent"
	}
	r.app.say("%s", line)
}

// check holds the result of a query to --fail-if-rows and --fail-if-empty. That
// there are rows is certain even when some are missing; that there are none is
// not.
func (r *runner) check(sum planeql.Summary, n int64) error {
	s := r.app.settings
	if isWrite(sum.Kind) {
		return nil
	}
	if s.failIfRows && n > 0 {
		return fault.New(fault.CheckFailed, "the query gave %s and --fail-if-rows was given", counted(n, "row"))
	}
	if s.failIfEmpty && n == 0 && !r.app.partial {
		return fault.New(fault.CheckFailed, "the query gave no rows and --fail-if-empty was given")
	}
	return nil
}

func isWrite(kind string) bool {
	switch kind {
	case "insert", "update", "replace", "delete", "exec":
		return true
	default:
		return false
	}
}

// result gives rows of the engine in the form that package render reads.
type result struct{ *planeql.Rows }

// Columns implements render.Rows.
func (r result) Columns() []render.Column {
	var columns []render.Column
	for _, c := range r.Rows.Columns() {
		columns = append(columns, render.Column(c))
	}
	return columns
}

// Values implements render.Rows.
func (r result) Values() []any {
	values := r.Rows.Values()
	for i, v := range values {
		if n, ok := v.(planeql.Number); ok {
			values[i] = json.Number(n)
		}
	}
	return values
}

// readAll reads a script from standard input.
func (a *app) readAll() (string, error) {
	text, err := io.ReadAll(a.env.Stdin)
	if err != nil {
		return "", fault.New(fault.InvalidFlag, "standard input cannot be read").WithDetail("%s", err.Error()).Because(err)
	}
	return string(text), nil
}
