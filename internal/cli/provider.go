package cli

import (
	"context"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
)

func (a *app) providerCommand() *cobra.Command {
	provider := a.command(&cobra.Command{
		Use:   "provider",
		Short: "Show the providers whose resources can be queried",
	}, 0, nil)
	provider.AddCommand(
		a.command(&cobra.Command{
			Use:   "list",
			Short: "List the providers",
		}, 0, func(ctx context.Context, _ []string) error { return a.show(ctx, "SHOW PROVIDERS") }),
		a.command(&cobra.Command{
			Use:               "show NAME",
			Short:             "List the services of a provider",
			Args:              oneArgument("the name of a provider"),
			ValidArgsFunction: a.providerNames,
		}, 0, a.showProvider),
	)
	return provider
}

// show prints what a statement on the catalog gives; it sends no request.
func (a *app) show(ctx context.Context, statement string) error {
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r := a.runner(session)
	r.footer = false
	return r.script(ctx, "provider", statement)
}

func (a *app) showProvider(ctx context.Context, args []string) error {
	name, err := a.provider(ctx, args[0])
	if err != nil {
		return err
	}
	return a.show(ctx, "SHOW SERVICES IN "+name)
}

// provider checks that there is a provider of the name.
func (a *app) provider(ctx context.Context, name string) (string, error) {
	session, done, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	names := namesOf(session)
	for _, n := range names {
		if n == name {
			return n, nil
		}
	}
	return "", fault.New(fault.UndefinedTable, "there is no provider %q", name).
		WithHint("%s", fault.DidYouMean(name, names, "planeql provider list shows the providers"))
}

func namesOf(session *planeql.Session) []string {
	var names []string
	for _, p := range session.Providers() {
		names = append(names, p.Name)
	}
	return names
}

// providerNames completes the name of a provider. A shell waits for it: it
// neither connects nor opens DuckDB.
func (a *app) providerNames(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	session, done, err := a.open(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer done()
	return namesOf(session), cobra.ShellCompDirectiveNoFileComp
}
