package planeql

import (
	"context"
	"crypto/x509"
	"io"
	"io/fs"
	"time"

	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// Error is an error of planeql: a code to match on, a message, the position in
// the statement, what to do next and, for calls, the service's own answer.
// errors.As finds it in every error that this package returns.
type Error = fault.Error

// Confirmation is what [WithConfirm] is asked before a write on several
// targets.
type Confirmation = exec.Confirmation

// OnError says what a failed call of a SELECT means.
type OnError string

// The choices of [WithOnError].
const (
	Fail OnError = "fail" // the statement fails and names the call
	Skip OnError = "skip" // the other rows are given; each loss is a warning
)

// Progress is how far a running statement is.
type Progress struct {
	Calls, Retries int
	Bytes          int64
	Rows           int64         // given out so far
	Operations     int           // long-running operations that have begun
	Running        int           // those of them that go on
	Waiting        time.Duration // what is left of the longest wait, 0: none
	WaitingFor     string        // why, in words
}

// settings is what the options of Open collect.
type settings struct {
	endpoints   map[string]string
	auth        map[string]authSettings
	database    string
	temp        string
	timeout     time.Duration
	concurrency int
	scope       []string
	noCache     bool
	maxPages    int
	maxCalls    int
	maxTargets  int
	onError     OnError
	keepGoing   bool
	readOnly    bool
	dryRun      bool
	yes         bool
	firstRows   bool
	confirm     func(context.Context, Confirmation) (bool, error)
	wait        time.Duration
	audit       string
	journal     string
	mayLack     bool // writes go on where the journal cannot be written
	variables   map[string]string
	getenv      func(string) string
	httpLog     io.Writer
	progress    func(Progress)
	prompt      func(string)
	stored      func(provider, name string) (value, from string, err error)
	rootCAs     *x509.CertPool
	documents   []documents
	installed   installed

	registry     string
	registryKeys []byte

	transport func(*transport.Options) // for tests; nil: as it is
}

// documents are provider documents beside the built-in ones.
type documents struct {
	files     fs.FS
	providers []string
}

type authSettings struct {
	kind    string
	options map[string]string
}

// Option sets something of a [Session].
type Option func(*settings)

// WithEndpoint sends a provider's calls to another base URL, such as the
// simulator's.
func WithEndpoint(provider, baseURL string) Option {
	return func(s *settings) { s.endpoints[provider] = baseURL }
}

// WithAuth chooses how planeql signs in to a provider: bearer, api_key, basic,
// custom, oauth2, aws, google, gcloud or none, and for azure default, cli, env,
// msi, workload, devicecode, browser or certificate. Without it that is as the
// provider's documents suggest. Options such as tenant or env depend on the kind;
// none holds a secret itself.
func WithAuth(provider, kind string, options map[string]string) Option {
	return func(s *settings) { s.auth[provider] = authSettings{kind, options} }
}

// WithSecrets looks up secrets that are in no variable of the environment: f gives
// what is kept for a provider under the name of the variable, and where it was;
// an empty value where there is none.
func WithSecrets(f func(provider, name string) (value, from string, err error)) Option {
	return func(s *settings) { s.stored = f }
}

// WithDatabase keeps tables and views in a DuckDB file; without it they end
// with the session.
func WithDatabase(path string) Option { return func(s *settings) { s.database = path } }

// WithTempFolder says where DuckDB puts what does not fit into memory; without
// it that is .tmp in the working folder.
func WithTempFolder(path string) Option { return func(s *settings) { s.temp = path } }

// WithTimeout bounds each statement. 0 is no bound.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// WithConcurrency bounds the calls that run side by side; the default is 64.
func WithConcurrency(n int) Option { return func(s *settings) { s.concurrency = n } }

// WithScope names the subscriptions in which statements look that do not say
// where: ids, names with * and ?, tag:NAME=VALUE, or mg:NAME, which are those below
// a management group. Without it they look in all that are enabled. What a statement names itself is read wherever it is.
func WithScope(patterns ...string) Option {
	return func(s *settings) { s.scope = append(s.scope, patterns...) }
}

// WithoutCache lists the places that statements leave open anew for each
// statement. Otherwise a session keeps them for five minutes, or until a write.
func WithoutCache() Option { return func(s *settings) { s.noCache = true } }

// WithMaxPages bounds the pages of one list. A list with more fails: it is
// never cut.
func WithMaxPages(n int) Option { return func(s *settings) { s.maxPages = n } }

// WithMaxCalls bounds the calls of one statement; the call beyond is not made
// and the statement fails.
func WithMaxCalls(n int) Option { return func(s *settings) { s.maxCalls = n } }

// WithMaxTargets bounds the targets of one write; a statement with more fails
// before its first call.
func WithMaxTargets(n int) Option { return func(s *settings) { s.maxTargets = n } }

// WithOnError says what a failed call of a SELECT means; the default is [Fail].
func WithOnError(p OnError) Option { return func(s *settings) { s.onError = p } }

// WithKeepGoing has a script go on after a statement that fails, as ON ERROR
// CONTINUE at its beginning would.
func WithKeepGoing() Option { return func(s *settings) { s.keepGoing = true } }

// WithReadOnly refuses every statement that would change something.
func WithReadOnly() Option { return func(s *settings) { s.readOnly = true } }

// WithDryRun makes writes give the requests they would send, and send none.
func WithDryRun() Option { return func(s *settings) { s.dryRun = true } }

// WithYes confirms writes on several targets beforehand.
func WithYes() Option { return func(s *settings) { s.yes = true } }

// WithConfirm asks before a write on several targets. Without it and without
// [WithYes] such a write is refused.
func WithConfirm(f func(context.Context, Confirmation) (bool, error)) Option {
	return func(s *settings) { s.confirm = f }
}

// WithWait bounds how long a write waits for each long-running operation. Then
// the operation goes on, and the write fails with an error that says so.
// Without it the statement's own time limit holds.
func WithWait(d time.Duration) Option { return func(s *settings) { s.wait = d } }

// WithAudit adds a line to a file before every attempted write and another one
// after it. Where that is not possible nothing is called.
func WithAudit(path string) Option { return func(s *settings) { s.audit = path } }

// WithJournal keeps long-running operations in a file, from which waiting for
// them can be taken up by another session: see [Session.WaitOperations]. Where it
// cannot be written nothing is called.
func WithJournal(path string) Option {
	return func(s *settings) { s.journal, s.mayLack = path, false }
}

// WithJournalIfPossible is WithJournal for a file that nobody asked for: where
// it cannot be written, operations are waited for all the same, and a warning
// says that they cannot be picked up.
func WithJournalIfPossible(path string) Option {
	return func(s *settings) { s.journal, s.mayLack = path, true }
}

// WithVariables gives the values of {{ name }} placeholders.
func WithVariables(values map[string]string) Option {
	return func(s *settings) { s.variables = values }
}

// WithEnvironment gives the look-up of environment variables that credentials
// are read from; the package reads none by itself.
func WithEnvironment(getenv func(string) string) Option {
	return func(s *settings) { s.getenv = getenv }
}

// WithHTTPLog writes a line for every request and answer, secrets masked.
func WithHTTPLog(w io.Writer) Option { return func(s *settings) { s.httpLog = w } }

// WithProgress is told how far a statement is, at most every 100 ms and from
// one goroutine at a time.
func WithProgress(f func(Progress)) Option { return func(s *settings) { s.progress = f } }

// WithRootCAs trusts further certificates, such as the simulator's.
func WithRootCAs(pool *x509.CertPool) Option { return func(s *settings) { s.rootCAs = pool } }

// WithFirstRows gives the first rows as soon as they are there, at the price of
// throughput on very long results: for a person or a pipe that waits.
func WithFirstRows() Option { return func(s *settings) { s.firstRows = true } }

// WithPrompt shows the code of a device sign-in to the user. Without it that
// kind of credential is refused.
func WithPrompt(f func(message string)) Option { return func(s *settings) { s.prompt = f } }
