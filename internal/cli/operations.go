package cli

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
)

func (a *app) operationsCommand() *cobra.Command {
	operations := a.command(&cobra.Command{
		Use:   "operations",
		Short: "Show long-running operations and wait for them",
		Long: "Writes keep the operations that a service goes on with in a journal, so that waiting for them can be taken up later.\n" +
			"The journal is planeql/operations.jsonl below ~/.local/state unless --journal names another file.",
	}, 0, nil)
	operations.AddCommand(
		a.command(&cobra.Command{
			Use:   "list [flags]",
			Short: "List the operations in the journal, those that go on first",
		}, onSession, func(ctx context.Context, _ []string) error {
			return a.show(ctx, "SELECT id, outcome, method, target, state, started, ended FROM planeql_operations() ORDER BY outcome <> 'running', started DESC")
		}),
		a.command(&cobra.Command{
			Use:   "show ID",
			Short: "Show what is known of an operation",
			Args:  oneArgument("the id of an operation"),
		}, onSession, a.showOperation),
		a.command(&cobra.Command{
			Use:     "wait [flags] [ID…]",
			Short:   "Wait for operations: those that are named, or all that go on",
			Example: "  planeql operations wait\n  planeql operations wait --wait 10m op-2b3c4d5e6f7g",
			Args:    cobra.ArbitraryArgs,
		}, onSession, a.waitOperations),
	)
	return operations
}

func (a *app) showOperation(ctx context.Context, args []string) error {
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	statement := "SELECT * FROM planeql_operations() WHERE id = '" + strings.ReplaceAll(args[0], "'", "''") + "'"
	found, err := session.Exec(ctx, statement)
	if err != nil {
		return err
	}
	if found.Rows == 0 {
		return fault.New(fault.InvalidValue, "the journal has no operation %q", args[0]).
			WithHint("planeql operations list shows them")
	}
	r := a.runner(session)
	r.footer = false
	return r.script(ctx, "operations", statement)
}

func (a *app) waitOperations(ctx context.Context, args []string) error {
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.runner(session).run(ctx, func(ctx context.Context) (*planeql.Rows, error) {
		return session.WaitOperations(ctx, args...)
	})
}

// journalOption gives where long-running operations are kept: where the user
// says, else in the folder for what a program has to remember. Without a home
// there is none.
func (a *app) journalOption() (planeql.Option, bool) {
	if path := a.settings.journal; path != "" {
		return planeql.WithJournal(a.env.path(path)), true
	}
	folder := a.env.folder("XDG_STATE_HOME", ".local", "state")
	if folder == "" {
		return nil, false
	}
	return planeql.WithJournalIfPossible(filepath.Join(folder, "operations.jsonl")), true
}
