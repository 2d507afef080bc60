package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

const desiredHelp = "The files state resources by REPLACE INTO, INSERT … ON CONFLICT DO UPDATE, and DELETE for what should be gone;\n" +
	"CHECK (SELECT …) states what has to hold. "

func (a *app) planCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "plan [flags] FILE…",
		Short: "Show what would make the resources of files be as stated",
		Long: desiredHelp + "plan reads them and shows what differs, member\n" +
			"by member, in the order in which apply would change it. Nothing is written.\n\n" +
			"Exit codes: 0 also where something differs; 8 with --fail-if-changes, or where all is as stated and a CHECK does not hold.",
		Example: "  planeql plan pool.sql\n  planeql plan -o json --fail-if-changes estate/*.sql",
		Args:    someFiles,
	}, onSession|onPlan, a.plan)
}

func (a *app) applyCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "apply [flags] FILE…",
		Short: "Make the resources of files be as stated",
		Long: desiredHelp + "apply shows what differs, asks, changes it in\n" +
			"the order of dependencies, reads all of it again, and holds it to the checks. Where all is as\n" +
			"stated it changes nothing. It goes no further than the first failure; run again, it goes on from there.",
		Example: "  planeql apply pool.sql --var group=rg-avd\n  planeql apply --yes --max-targets 10 estate/*.sql",
		Args:    someFiles,
	}, onSession, a.apply)
}

func (a *app) teardownCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "teardown [flags] FILE…",
		Short: "Delete the resources that files make",
		Long: desiredHelp + "teardown deletes, after a question, what the\n" +
			"INSERT and REPLACE INTO of the files state, in the reverse order of dependencies; what the others name is left.",
		Example: "  planeql teardown pool.sql --var group=rg-avd",
		Args:    someFiles,
	}, onSession, a.teardown)
}

func someFiles(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return fault.New(fault.InvalidFlag, "%s takes the files that state what there should be", c.CommandPath()).
		WithHint("%s", c.UseLine())
}

// planner finds what is to be done for statements.
type planner func(*planeql.Session, context.Context, []*planeql.Statement) (*planeql.Desired, error)

func (a *app) plan(ctx context.Context, args []string) error {
	return a.desired(ctx, args, (*planeql.Session).Plan, func(_ context.Context, d *planeql.Desired) error {
		if err := a.showPlan(d); err != nil {
			return err
		}
		if n := d.Pending(); n > 0 && a.settings.failIfChanges {
			return fault.New(fault.CheckFailed, "%s not as stated and --fail-if-changes was given", are(n, "resource"))
		}
		return nil
	})
}

func (a *app) apply(ctx context.Context, args []string) error {
	return a.desired(ctx, args, (*planeql.Session).Plan, a.take)
}

func (a *app) teardown(ctx context.Context, args []string) error {
	return a.desired(ctx, args, (*planeql.Session).PlanTeardown, a.take)
}

// desired reads files and does something with what they state.
func (a *app) desired(ctx context.Context, files []string, find planner, do func(context.Context, *planeql.Desired) error) error {
	if a.settings.output == render.Parquet {
		return fault.New(fault.InvalidFlag, "--output: parquet holds the rows of a query, not a plan").WithHint("choose another format, such as json")
	}
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	var all []*planeql.Statement
	for _, name := range files {
		s, err := a.readScript(name)
		if err != nil {
			return err
		}
		statements, err := session.Parse(s.name, s.text)
		if err != nil {
			return err
		}
		all = append(all, statements...)
	}
	ctx, release := a.signals.guard(ctx)
	defer release()
	a.screen.begin()
	d, err := find(session, ctx, all)
	a.screen.end()
	if err == nil {
		for _, w := range d.Warnings {
			a.report(w, render.Warning)
		}
		err = do(ctx, d)
	}
	if err != nil {
		return told(ctx, err)
	}
	return nil
}

// take shows the steps and takes them.
func (a *app) take(ctx context.Context, d *planeql.Desired) error {
	text := a.settings.output == render.Table
	switch {
	case text:
		if err := a.showPlan(d); err != nil {
			return err
		}
	case a.env.Terminal.Err && !a.settings.yes: // somebody may be asked
		_, _ = writePlan(a.screen.stderr(), d) // there is nowhere left to tell that this failed
	}
	if a.settings.dryRun {
		a.say("dry run: nothing was sent")
		if text {
			return nil
		}
		return a.showPlan(d)
	}
	var taken []takenStep
	a.screen.begin()
	defer a.screen.end()
	err := d.Apply(ctx, func(step planeql.Step, took time.Duration, err error) {
		taken = append(taken, takenStep{step, took, err})
		if text && err == nil {
			a.printf("%s %s, %s\n", doneWords[step.Action], step.ID, shortDuration(took))
			a.screen.begin() // what was written ended it
		}
	})
	if !text {
		if written := a.writeRows(&stepRows{columns: takenColumns, rows: takenRows(taken)}); err == nil {
			err = written
		}
	}
	return err
}
