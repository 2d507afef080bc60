package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/registry"
)

// open opens a session as the settings say. The function it gives closes the
// session and what belongs to it.
func (a *app) open(ctx context.Context) (*planeql.Session, func(), error) {
	opts := a.options()
	closeLog := func() {}
	if a.settings.httpLog != "" {
		w, closer, err := a.logWriter()
		if err != nil {
			return nil, nil, err
		}
		opts, closeLog = append(opts, planeql.WithHTTPLog(w)), closer
	}
	if a.settings.caCert != "" {
		pool, err := a.certificates()
		if err != nil {
			return nil, nil, err
		}
		opts = append(opts, planeql.WithRootCAs(pool))
	}
	lock, err := registry.ReadLock(a.lockFile())
	if err != nil {
		closeLog()
		return nil, nil, err
	}
	versions := map[string]string{}
	for name, l := range lock {
		versions[name] = l.Version
	}
	opts = append(opts, planeql.WithProviders(a.providersFolder(), versions))
	withRegistry, err := a.withRegistry()
	if err != nil {
		closeLog()
		return nil, nil, err
	}
	opts = append(opts, withRegistry)
	session, err := planeql.Open(ctx, opts...)
	if err != nil {
		closeLog()
		return nil, nil, err
	}
	end := session.Close
	if a.env.Ends {
		end = session.Leave
	}
	return session, func() {
		if err := end(); err != nil {
			a.say("closing the session: %v", err)
		}
		closeLog()
	}, nil
}

// options translates the settings that need no file.
func (a *app) options() []planeql.Option {
	s := a.settings
	opts := []planeql.Option{
		planeql.WithEnvironment(a.env.Getenv), planeql.WithVariables(s.variables),
		planeql.WithDatabase(a.databasePath()), planeql.WithTempFolder(a.tempFolder()), planeql.WithTimeout(s.timeout), planeql.WithConcurrency(s.concurrency),
		planeql.WithMaxPages(s.maxPages), planeql.WithMaxTargets(s.maxTargets), planeql.WithMaxCalls(s.maxCalls),
		planeql.WithScope(s.scope...), planeql.WithSecrets(a.secrets().Get), planeql.WithWait(s.wait),
	}
	if journal, ok := a.journalOption(); ok {
		opts = append(opts, journal)
	}
	if s.audit != "" {
		opts = append(opts, planeql.WithAudit(a.env.path(s.audit)))
	}
	for provider, version := range s.chosen {
		opts = append(opts, planeql.WithProvider(provider, version))
	}
	for provider, address := range s.endpoints {
		opts = append(opts, planeql.WithEndpoint(provider, address))
	}
	for provider, c := range s.auth {
		opts = append(opts, planeql.WithAuth(provider, c.kind, c.options))
	}
	if s.onError != "" {
		opts = append(opts, planeql.WithOnError(planeql.OnError(s.onError)))
	}
	for _, o := range []struct {
		on     bool
		option func() planeql.Option
	}{
		{s.readOnly, planeql.WithReadOnly},
		{s.dryRun, planeql.WithDryRun},
		{s.yes, planeql.WithYes},
		{s.noCache, planeql.WithoutCache},
		{s.keepGoing, planeql.WithKeepGoing},
		{!a.env.ToFile, planeql.WithFirstRows},
	} {
		if o.on {
			opts = append(opts, o.option())
		}
	}
	if a.env.Terminal.Err && !s.quiet {
		opts = append(opts, planeql.WithProgress(a.screen.show))
	}
	if a.env.Terminal.In && a.env.Terminal.Err && a.env.Ask != nil {
		opts = append(opts, planeql.WithConfirm(a.confirm))
	}
	return opts
}

func (a *app) databasePath() string {
	if a.settings.database == "" || a.settings.database == ":memory:" {
		return a.settings.database
	}
	return a.env.path(a.settings.database)
}

// logWriter opens the log of requests. A file is added to, and only its owner
// may read it: names of people and machines are in it.
func (a *app) logWriter() (io.Writer, func(), error) {
	if a.settings.httpLog == "-" {
		return a.screen.stderr(), func() {}, nil
	}
	f, err := os.OpenFile(a.env.path(a.settings.httpLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fault.New(fault.InvalidFlag, "--log-http: the file %q cannot be written", a.settings.httpLog).
			WithDetail("%s", err.Error()).Because(err)
	}
	return f, func() { _ = f.Close() }, nil
}

// certificates gives the system's certificates and those of --ca-cert.
func (a *app) certificates() (*x509.CertPool, error) {
	text, err := os.ReadFile(a.env.path(a.settings.caCert))
	if err != nil {
		return nil, unreadable(a.settings.caCert, err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fault.New(fault.InvalidFlag, "--ca-cert: there is no certificate in %q", a.settings.caCert).
			WithHint("the file holds PEM blocks that begin with -----BEGIN CERTIFICATE-----")
	}
	return pool, nil
}

// confirm asks whether a write on several targets is meant. Anything but yes is
// no.
func (a *app) confirm(_ context.Context, c planeql.Confirmation) (bool, error) {
	a.screen.end()
	w := a.screen.stderr()
	end := map[bool]string{true: ":", false: ""}[len(c.Sample) > 0]
	fmt.Fprintf(w, "%s (%s) will be sent%s\n", counted(int64(c.Count), "request"), c.Method, end)
	for _, target := range c.Sample {
		fmt.Fprintf(w, "  %s\n", target)
	}
	if rest := c.Count - len(c.Sample); rest > 0 && len(c.Sample) > 0 {
		fmt.Fprintf(w, "  … and %s more\n", grouped(int64(rest)))
	}
	answer, err := a.env.Ask("Go on? [y/N] ")
	if errors.Is(err, io.EOF) {
		return false, errInterrupted
	}
	if err != nil {
		return false, fault.New(fault.ConfirmationNeeded, "the answer cannot be read").Because(err)
	}
	return answer == "y" || answer == "Y" || answer == "yes", nil
}

// tempFolder is where DuckDB may put what does not fit into memory: never the
// folder in which somebody happens to stand.
func (a *app) tempFolder() string {
	if a.env.TempDir == "" {
		return ""
	}
	return filepath.Join(a.env.TempDir, "planeql")
}
