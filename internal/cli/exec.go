package cli

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeql/planeql/internal/fault"
)

func (a *app) execCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "exec [flags] [\"SQL; …\"]",
		Short: "Run statements from an argument, a file or standard input",
		Long: "exec runs the statements one after the other and stops at the first error, unless ON ERROR CONTINUE or\n" +
			"--keep-going says otherwise: the exit code is then the worst, in the order 1, 2, 4, 5, 6, 7, 8, 3. All files are\n" +
			"parsed before the first statement runs, and a summary follows the last.\n" +
			"Rows go to standard output, everything else to standard error.\n\n" +
			"Exit codes: 0 complete, 1 a bug, 2 the statement or a flag is wrong, 3 partial, 4 no credential or refused,\n" +
			"5 refused by a guard, 6 refused by the service, 7 the service or the network failed, 8 a check failed, 130 interrupted.",
		Example: "  planeql exec -o json \"SELECT * FROM azure.subscription.subscriptions\"\n" +
			"  planeql exec -f report.sql --var pool=hp-office\n" +
			"  planeql exec --dry-run < cleanup.sql",
		Args: cobra.ArbitraryArgs,
	}, onSession|onExec, a.exec)
}

// script is a text of statements with the name that errors show.
type script struct{ name, text string }

func (a *app) exec(ctx context.Context, args []string) error {
	scripts, err := a.scripts(args)
	if err != nil {
		return err
	}
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r := a.runner(session)
	return r.scripts(ctx, scripts)
}

// scripts reads the statements from where the user gave them.
func (a *app) scripts(args []string) ([]script, error) {
	files := a.settings.files
	switch {
	case len(args) > 1:
		return nil, fault.New(fault.InvalidFlag, "exec takes one argument, and %d were given", len(args)).
			WithHint("put the statements into quotes: planeql exec \"SELECT …; SELECT …\"")
	case len(args) == 1 && len(files) > 0:
		return nil, fault.New(fault.InvalidFlag, "statements were given as an argument and by --file").
			WithHint("leave one of the two out")
	case len(args) == 1 && args[0] != "-":
		return some([]script{{"argument", args[0]}})
	case len(args) == 1 || len(files) == 0:
		if a.env.Terminal.In && len(args) == 0 {
			return nil, fault.New(fault.InvalidFlag, "there is no statement to run").
				WithHint("planeql exec \"SELECT 1\", planeql exec -f FILE, or a pipe into planeql exec; planeql alone opens the shell")
		}
		files = []string{"-"}
	}
	var scripts []script
	for _, name := range files {
		s, err := a.readScript(name)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	return some(scripts)
}

// some refuses scripts with nothing in them: an empty variable or file is a
// mistake that must not pass as success.
func some(scripts []script) ([]script, error) {
	for _, s := range scripts {
		if strings.TrimSpace(s.text) != "" {
			return scripts, nil
		}
	}
	return nil, fault.New(fault.SyntaxError, "there is no statement in %s", scripts[0].name)
}

func (a *app) readScript(name string) (script, error) {
	if name == "-" {
		text, err := a.readAll()
		return script{"standard input", text}, err
	}
	text, err := os.ReadFile(a.env.path(name))
	if err != nil {
		return script{}, unreadable(name, err)
	}
	// Editors on Windows begin files with a byte order mark.
	return script{name, strings.TrimPrefix(string(text), "\ufeff")}, nil
}
