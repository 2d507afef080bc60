// Package cli is the command line of planeql: commands, flags as data, the
// shell, configuration, progress and exit codes. It is the one package that
// meets the outside world; everything of it (arguments, streams, environment,
// folders, clock, terminal, signals) comes in as [Environment], so that a test
// can run a command like a user without a process.
//
// Data goes to standard output, everything else to standard error. The package
// knows no SQL and no cloud: statements go to the root package, rows and errors
// to package render. Start reading at [Main]; the flags are in flag_table.go,
// the life of one statement is in run.go.
package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// app is one run of the program.
type app struct {
	env      Environment
	top      *cobra.Command
	values   map[string]*flagValue // what was typed, by flag
	settings settings              // what holds; set by resolve
	screen   *screen
	signals  *signals
	partial  bool   // a statement gave less than all
	worst    int    // exit code of the statements that a script went on after
	last     func() // writes what follows the error that ended the run
}

// Main runs the command that the environment's arguments name and gives the
// exit code of the process. Errors have been printed when it returns.
func Main(env Environment) int {
	a := &app{env: env, values: map[string]*flagValue{}, screen: newScreen(env), signals: watch(env)}
	defer a.signals.stop()
	a.top = a.root()
	a.top.SetArgs(env.Args)
	a.top.SetIn(env.Stdin)
	a.top.SetOut(env.Stdout)
	a.top.SetErr(env.Stderr)
	code := a.finish(a.top.ExecuteContext(context.Background()))
	if a.last != nil {
		a.last()
	}
	return code
}

// finish prints the error that ended the run and gives the exit code.
func (a *app) finish(err error) int {
	switch {
	case errors.Is(err, render.ErrClosed):
		return a.worst
	case err != nil:
		a.report(fault.From(err), render.Failure)
		return worse(a.worst, exitCode(fault.From(err)))
	case a.partial:
		return worse(a.worst, exitPartial)
	default:
		return a.worst
	}
}

// report prints an error or a warning on standard error. There is nowhere left
// to tell that this failed.
func (a *app) report(err *fault.Error, s render.Severity) {
	format := a.settings.errors
	if format == "" { // the flags themselves are wrong
		format = render.ErrorText
		if v := a.values["errors"]; v != nil && v.last() == string(render.ErrorJSON) {
			format = render.ErrorJSON
		}
	}
	_ = render.Errors(a.screen.stderr(), err, format, s)
}

// say writes a line for people on standard error, unless --quiet or no person
// is there.
func (a *app) say(format string, args ...any) {
	if a.env.Terminal.Err && !a.settings.quiet {
		fmt.Fprintf(a.screen.stderr(), format+"\n", args...)
	}
}

// root makes the command tree.
func (a *app) root() *cobra.Command {
	root := a.command(&cobra.Command{
		Use:   "planeql [flags]",
		Short: "SQL for cloud control planes",
		Long: "planeql runs SQL over the REST APIs of clouds: SELECT reads them, DELETE and EXEC change them.\n" +
			"Without a command it opens a shell on a terminal.",
		Example: "  planeql demo\n  planeql exec \"SELECT * FROM azure.subscription.subscriptions\"",
		Args:    cobra.ArbitraryArgs,
	}, onSession, a.shellOrHelp)
	root.SilenceUsage, root.SilenceErrors = true, true
	a.register(root.PersistentFlags(), onAll)
	a.completeValues(root)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.searchCommand())
	root.AddCommand(
		a.execCommand(), a.planCommand(), a.applyCommand(), a.teardownCommand(), a.operationsCommand(), a.demoCommand(), a.simCommand(), a.withBuild(a.providerCommand()), a.authCommand(), a.versionCommand(),
	)
	return root
}

// command completes a command: its flags, and a run function that sees the
// resolved settings.
func (a *app) command(c *cobra.Command, flags place, run func(context.Context, []string) error) *cobra.Command {
	a.register(c.Flags(), flags)
	c.DisableFlagsInUseLine = true
	if c.Args == nil {
		c.Args = noArguments
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.resolve(); err != nil {
			return err
		}
		if run == nil {
			return c.Help()
		}
		return run(c.Context(), args)
	}
	a.completeValues(c)
	return c
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if len(names) == 0 {
		return fault.New(fault.InvalidFlag, "%s takes no argument, and %q was given", c.CommandPath(), args[0]).
			WithHint("%s --help shows what it takes", c.CommandPath())
	}
	return fault.New(fault.InvalidFlag, "there is no command %q", c.CommandPath()+" "+args[0]).
		WithHint("%s", fault.DidYouMean(args[0], names, c.CommandPath()+" --help lists the commands"))
}

// oneArgument asks for exactly one argument, which what names.
func oneArgument(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fault.New(fault.InvalidFlag, "%s takes %s, and %d arguments were given", c.CommandPath(), what, len(args)).
			WithHint("%s", c.UseLine())
	}
}

// flagError turns the flag parser's errors into ours, with a near name.
func flagError(c *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	help := c.CommandPath() + " --help lists the flags"
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := e.GetSpecifiedName()
		if e.GetSpecifiedShortnames() != "" {
			return fault.New(fault.InvalidFlag, "there is no flag -%s", name).WithHint("%s", help)
		}
		hint := help
		if near := fault.Suggest(name, flagNames(c)); len(near) > 0 {
			hint = "did you mean --" + strings.Join(near, " or --") + "?"
		}
		return fault.New(fault.InvalidFlag, "there is no flag --%s", name).WithHint("%s", hint)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fault.New(fault.InvalidFlag, "--%s needs a value", e.GetFlag().Name).
			WithHint("--%s %s: %s", e.GetFlag().Name, e.GetFlag().Value.Type(), e.GetFlag().Usage)
	}
	return fault.New(fault.InvalidFlag, "%s", err.Error()).WithHint("%s", help)
}

// flagNames gives the names of a command's flags.
func flagNames(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}
