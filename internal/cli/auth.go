package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/render"
)

func (a *app) authCommand() *cobra.Command {
	auth := a.command(&cobra.Command{
		Use:   "auth",
		Short: "Signing in to providers",
	}, 0, nil)
	auth.AddCommand(a.command(&cobra.Command{
		Use:   "check PROVIDER",
		Short: "Tell which credential is taken, whose it is and how long it holds",
		Long: "check signs in as a statement would and tells which credential was taken, its tenant and principal,\n" +
			"when it ends and how long it took; for each credential that was tried before, why it was not taken.",
		Args:              oneArgument("the name of a provider"),
		ValidArgsFunction: a.providerNames,
	}, onSession, a.authCheck))
	auth.AddCommand(a.command(&cobra.Command{
		Use:   "set PROVIDER [NAME]",
		Short: "Keep the secrets with which planeql signs in to a provider",
		Long: "set asks for each secret that signing in to the provider takes and keeps it in the system's keyring, under the\n" +
			"name of the variable from which it would be read. A variable that is set is stronger than what is kept.\n" +
			"Without a terminal it reads a line of standard input for each of them.",
		Example:           "  planeql auth set okta\n  printenv TOKEN | planeql auth set okta OKTA_API_TOKEN --in file",
		Args:              oneOrTwoArguments("the name of a provider, and of a secret perhaps"),
		ValidArgsFunction: a.providerNames,
	}, onSession|onSecrets, a.authSet), a.command(&cobra.Command{
		Use:               "remove PROVIDER [NAME]",
		Short:             "Forget the secrets that set has kept",
		Args:              oneOrTwoArguments("the name of a provider, and of a secret perhaps"),
		ValidArgsFunction: a.providerNames,
	}, onSession, a.authRemove))
	return auth
}

func (a *app) authCheck(ctx context.Context, args []string) error {
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	ctx, release := a.signals.guard(ctx)
	defer release()
	report, err := session.CheckAuth(ctx, args[0])
	a.attempts(report)
	if err != nil {
		return told(ctx, err)
	}
	format := a.settings.output
	if format == render.Table { // one row with long values reads better downwards
		format = render.Vertical
	}
	_, err = render.Write(a.screen.stdout(), a.authRow(report), format, render.Options{Color: a.env.color(a.env.Terminal.Out)})
	return err
}

// attempts tells what was tried, in order.
func (a *app) attempts(report planeql.AuthReport) {
	if a.settings.quiet {
		return
	}
	for _, t := range report.Tried {
		fmt.Fprintf(a.screen.stderr(), "tried %s (%s): %s\n", t.Name, shortDuration(t.Took), t.Outcome)
	}
	for _, warning := range report.Warnings {
		fmt.Fprintf(a.screen.stderr(), "warning: %s\n", warning)
	}
}

func (a *app) authRow(report planeql.AuthReport) render.Rows {
	var expires any
	if !report.Expires.IsZero() {
		expires = report.Expires.UTC().Truncate(time.Second)
	}
	return &oneRow{
		columns: []render.Column{
			{Name: "provider", Type: "VARCHAR"}, {Name: "kind", Type: "VARCHAR"}, {Name: "credential", Type: "VARCHAR"},
			{Name: "cloud", Type: "VARCHAR"}, {Name: "tenant", Type: "VARCHAR"}, {Name: "principal", Type: "VARCHAR"}, {Name: "expires", Type: "TIMESTAMP WITH TIME ZONE"}, {Name: "took_ms", Type: "BIGINT"},
		},
		values: []any{
			report.Provider, orNull(report.Kind), orNull(report.Credential), orNull(report.Cloud), orNull(report.Tenant),
			orNull(report.Principal), expires, report.Took.Milliseconds(),
		},
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// oneRow is a result that the program makes itself.
type oneRow struct {
	columns []render.Column
	values  []any
	read    bool
}

// Columns implements render.Rows.
func (r *oneRow) Columns() []render.Column { return r.columns }

// Next implements render.Rows.
func (r *oneRow) Next() bool {
	first := !r.read
	r.read = true
	return first
}

// Values implements render.Rows.
func (r *oneRow) Values() []any { return r.values }

// Err implements render.Rows.
func (r *oneRow) Err() error { return nil }
