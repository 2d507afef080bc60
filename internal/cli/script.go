package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// total is what the statements of a run did and cost.
type total struct {
	statements, errors, calls, targets, failed int
	rows                                       int64
	started                                    time.Time
}

// add adds a statement that gave rows, complete or not.
func (t *total) add(sum planeql.Summary, rows int64) {
	t.rows += rows
	t.calls += sum.Calls
	t.targets += sum.Targets
	t.failed += sum.Failed
}

// script runs all statements of a text.
func (r *runner) script(ctx context.Context, name, text string) error {
	statements, err := r.session.Parse(name, text)
	if err != nil {
		return err
	}
	return r.statements(ctx, statements)
}

// scripts runs the statements of all scripts, which are read as a whole first: a
// mistake at their end is found before anything has happened. A summary follows
// the statements of files.
func (r *runner) scripts(ctx context.Context, scripts []script) error {
	var all []*planeql.Statement
	for _, s := range scripts {
		statements, err := r.session.Parse(s.name, s.text)
		if err != nil {
			return err
		}
		all = append(all, statements...)
	}
	r.total.started = time.Now()
	if len(r.app.settings.files) > 0 && len(all) > 1 && !r.app.settings.quiet {
		r.app.last = func() { r.summary(len(all)) }
	}
	return r.statements(ctx, all)
}

// statements runs statements one after the other. It stops at the first error,
// or reports it and goes on where the script says so.
func (r *runner) statements(ctx context.Context, all []*planeql.Statement) error {
	run := r.statement
	if r.format == render.Parquet {
		if err := r.checkParquet(all); err != nil {
			return err
		}
		run = r.parquet
	}
	if err := r.session.Foresee(ctx, all); err != nil {
		r.app.last = nil // nothing has run
		return err
	}
	for i, st := range all {
		r.total.statements++
		failed := r.total.failed
		err := run(ctx, st)
		left := len(all) - i - 1
		if failed = r.total.failed - failed; err == nil && failed > 0 && left > 0 && !r.session.KeepsGoing() {
			err = fault.New(fault.PartialResult, "the script ends here: %s failed, and what follows may rely on all", counted(int64(failed), "target")).
				WithDetail("not run: %s", counted(int64(left), "statement")).
				WithHint("ON ERROR CONTINUE, or --keep-going, goes on after such a statement")
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, render.ErrClosed) && left > 0:
			return fault.New(fault.Cancelled, "the reader of the output has gone away").In(fault.Interrupt).
				WithDetail("not run: %s", counted(int64(left), "statement"))
		case errors.Is(err, render.ErrClosed):
			return err
		}
		r.total.errors++
		e := fault.From(err)
		if len(all) > 1 {
			e = st.Locate(e)
		}
		if !r.session.KeepsGoing() || e.Scope == fault.Interrupt {
			return e
		}
		r.app.report(e, render.Failure)
		r.app.worst = worse(r.app.worst, exitCode(e))
	}
	return nil
}

// summary writes what all statements of a run did and cost.
func (r *runner) summary(statements int) {
	t := r.total
	line := counted(int64(t.statements), "statement")
	if t.statements < statements {
		line = fmt.Sprintf("%s of %s", grouped(int64(t.statements)), counted(int64(statements), "statement"))
	}
	if t.errors > 0 {
		line += fmt.Sprintf(" (%s failed)", grouped(int64(t.errors)))
	}
	line += ", " + counted(t.rows, "row") + ", " + counted(int64(t.calls), "call")
	if t.targets > 0 {
		line += ", " + counted(int64(t.targets), "target")
		if t.failed > 0 {
			line += fmt.Sprintf(" (%s failed)", grouped(int64(t.failed)))
		}
	}
	fmt.Fprintf(r.app.screen.stderr(), "%s, %s\n", line, shortDuration(time.Since(t.started)))
}
