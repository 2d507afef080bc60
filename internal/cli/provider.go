package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/registry"
	"github.com/planeql/planeql/internal/render"
)

func (a *app) providerCommand() *cobra.Command {
	provider := a.command(&cobra.Command{
		Use:   "provider",
		Short: "Show, install and check the providers whose resources can be queried",
	}, onProviders, nil)
	provider.AddCommand(
		a.command(&cobra.Command{
			Use:   "list",
			Short: "List the providers that are built in or installed",
		}, onProviders|onList, a.listProviders),
		a.command(&cobra.Command{
			Use:               "show NAME",
			Short:             "List the services of a provider, or what is wrong in its documents",
			Args:              oneArgument("the name of a provider"),
			ValidArgsFunction: a.providerNames,
		}, onProviders|onShow, a.showProvider),
		a.command(&cobra.Command{
			Use:   "pull NAME[@VERSION]…",
			Short: "Install providers from a registry",
			Long: "pull installs the newest version of a provider, or the one that is named, beside those that are there.\n" +
				"Signatures are checked with --registry-key. Where the working folder has a planeql.lock it is brought up to date;\n" +
				"with --locked it decides what is installed, and everything else is refused.",
			Example: "  planeql provider pull azure\n  planeql provider pull azure@v0.3.0 --lock\n  planeql provider pull --locked",
			Args:    cobra.ArbitraryArgs,
		}, onProviders|onPull, a.pullProviders),
		a.command(&cobra.Command{
			Use:   "add DIR|FILE",
			Short: "Install local documents: a folder of the published layout, or one service",
			Args:  oneArgument("a folder or the document of a service"),
		}, onProviders, a.addProvider),
		a.command(&cobra.Command{
			Use:               "remove NAME[@VERSION]",
			Short:             "Remove an installed provider, or one version of it",
			Args:              oneArgument("the name of a provider"),
			ValidArgsFunction: a.providerNames,
		}, onProviders, a.removeProvider),
	)
	return provider
}

// listing is a table that a command prints.
type listing struct {
	columns []string
	rows    [][]any
	at      int
}

// Columns implements render.Rows.
func (l *listing) Columns() []render.Column {
	var columns []render.Column
	for _, name := range l.columns {
		columns = append(columns, render.Column{Name: name, Type: "VARCHAR"})
	}
	return columns
}

// Next implements render.Rows.
func (l *listing) Next() bool {
	l.at++
	return l.at <= len(l.rows)
}

// Values implements render.Rows.
func (l *listing) Values() []any { return l.rows[l.at-1] }

// Err implements render.Rows.
func (l *listing) Err() error { return nil }

// print writes a listing in the format of --output.
func (a *app) print(l *listing) error {
	o := render.Options{Color: a.env.color(a.env.Terminal.Out)}
	if a.env.Terminal.Out {
		o.Width = a.env.Width()
	}
	_, err := render.Write(a.screen.stdout(), l, a.settings.output, o)
	return err
}

func (a *app) listProviders(ctx context.Context, _ []string) error {
	if a.settings.available {
		return a.listAvailable(ctx)
	}
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	l := &listing{columns: []string{"name", "version", "used", "source", "signature"}}
	used := map[string]string{}
	for _, p := range session.Providers() {
		used[p.Name] = p.Version
		if p.BuiltIn != "" {
			l.rows = append(l.rows, []any{p.Name, p.BuiltIn, yes(p.Uses(p.BuiltIn)), "built in", nil})
		}
	}
	for _, i := range a.folder().List() {
		l.rows = append(l.rows, []any{
			i.Name, i.Version, yes(slices.Contains(strings.Split(used[i.Name], ", "), i.Version)),
			orNothing(i.Source), orNothing(i.Signature),
		})
	}
	return a.print(l)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// orNothing gives NULL for what is not known.
func orNothing(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// listAvailable lists what the registry has.
func (a *app) listAvailable(ctx context.Context) error {
	r, err := a.registry()
	if err != nil {
		return err
	}
	ctx, release := a.signals.guard(ctx)
	defer release()
	available, err := r.Available(ctx)
	if err != nil {
		return told(ctx, err)
	}
	var names []string
	for name := range available {
		names = append(names, name)
	}
	slices.Sort(names)
	has := map[string][]string{}
	for _, i := range a.folder().List() {
		has[i.Name] = append(has[i.Name], i.Version)
	}
	l := &listing{columns: []string{"name", "newest", "versions", "installed"}}
	for _, name := range names {
		versions := available[name]
		l.rows = append(l.rows, []any{
			name, registry.Newest(versions), strings.Join(versions, ", "), orNothing(strings.Join(has[name], ", ")),
		})
	}
	return a.print(l)
}

// providersFolder is where providers are installed.
func (a *app) providersFolder() string {
	if a.settings.providers != "" {
		return a.env.path(a.settings.providers)
	}
	data := a.env.folder("XDG_DATA_HOME", ".local", "share")
	if data == "" {
		return ""
	}
	return filepath.Join(data, "providers")
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
	if a.settings.problems {
		return a.showProblems(ctx, name)
	}
	return a.show(ctx, "SHOW SERVICES IN "+name)
}

// showProblems lists what is wrong in the documents of a provider.
func (a *app) showProblems(ctx context.Context, name string) error {
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	problems, err := session.Problems(name)
	if err != nil {
		return err
	}
	l := &listing{columns: []string{"where", "name", "problem", "effect"}}
	for _, p := range problems {
		l.rows = append(l.rows, []any{orNothing(p.Where), p.Object, p.Text, p.Effect})
	}
	return a.print(l)
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
	if len(args) > 0 || a.resolve() != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	session, done, err := a.open(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer done()
	return namesOf(session), cobra.ShellCompDirectiveNoFileComp
}
