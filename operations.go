package planeql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/auth"
	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/journal"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// operationsFunction is the table function that gives the operations in the
// journal.
const operationsFunction = "planeql_operations"

// operationColumns are the columns of planeql_operations() with their types.
// The links by which operations are asked for are not among them: whoever has
// one can use it.
var operationColumns = []duck.Column{
	{Name: "id", Type: "VARCHAR"}, {Name: "outcome", Type: "VARCHAR"}, {Name: "method", Type: "VARCHAR"},
	{Name: "target", Type: "VARCHAR"}, {Name: "state", Type: "VARCHAR"}, {Name: "started", Type: "TIMESTAMPTZ"},
	{Name: "ended", Type: "TIMESTAMPTZ"}, {Name: "message", Type: "VARCHAR"}, {Name: "statement", Type: "VARCHAR"},
}

// operationsKey is where a context keeps the operations of its statement.
type operationsKey struct{}

// keepRecords makes what writes are recorded with. No file is opened yet.
func (s *Session) keepRecords() {
	s.records = exec.Records{Required: !s.settings.mayLack, Principal: s.principal}
	if s.settings.audit != "" {
		s.records.Audit = journal.NewAudit(s.settings.audit)
	}
	if s.settings.journal != "" {
		s.records.Journal = journal.New(s.settings.journal)
	}
}

func (s *Session) closeRecords() error {
	var errs []error
	if s.records.Audit != nil {
		errs = append(errs, s.records.Audit.Close())
	}
	if s.records.Journal != nil {
		errs = append(errs, s.records.Journal.Close())
	}
	return errors.Join(errs...)
}

// principal tells who calls a provider, as far as it is known without a call:
// whose the token at hand is, else the kind of credential.
func (s *Session) principal(name string) string {
	if known, ok := s.authorizers[name].(interface{ Principal() string }); ok {
		if principal := known.Principal(); principal != "" {
			return principal
		}
	}
	if kind := s.settings.auth[name].kind; kind != "" {
		return "(" + kind + ")"
	}
	return "(" + auth.Default + ")"
}

// hashOf names the text of a statement in records: texts may hold secrets.
func hashOf(st *syntax.Statement) string {
	sum := sha256.Sum256([]byte(st.Text.Text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// inlineOperations puts the operations in the journal into a statement that reads
// them.
func (s *Session) inlineOperations(st *syntax.Statement) (*syntax.Statement, error) {
	if !st.CallsTable(operationsFunction) {
		return st, nil
	}
	if s.records.Journal == nil {
		return nil, noJournal()
	}
	entries, err := s.records.Journal.Entries()
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		outcome := e.Outcome
		if outcome == "" {
			outcome = "running"
		}
		rows[i] = []any{
			e.ID, outcome, e.Operation.Method, nullable(e.Target), nullable(e.Operation.Status),
			timeOrNull(e.Operation.Started), timeOrNull(e.Ended), nullable(e.Message), nullable(e.Statement),
		}
	}
	query, err := rowsQuery(operationColumns, rows)
	if err != nil {
		return nil, err
	}
	return inlineRows(st, operationsFunction, query)
}

// nullable gives a text, or NULL for an empty one.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return strings.ReplaceAll(text, "\x00", "") // DuckDB takes no zero byte
}

// timeOrNull gives a time, or NULL for none.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02 15:04:05.999999Z")
}

func noJournal() *fault.Error {
	return fault.New(fault.InvalidValue, "there is no journal of operations").
		WithHint("a program names its file with WithJournal, the command line with --journal FILE")
}

// WaitOperations waits for long-running operations in the journal, which any
// session may have begun: those with the names, or all that go on. Its rows are
// those of a write; each outcome is kept in the journal.
func (s *Session) WaitOperations(ctx context.Context, ids ...string) (*Rows, error) {
	if s.records.Journal == nil {
		return nil, noJournal()
	}
	entries, err := s.records.Journal.Find(ids...)
	if err != nil {
		return nil, err
	}
	methods := make([]*provider.Method, len(entries))
	for i, e := range entries {
		if methods[i], err = s.methodNamed(e.Operation.Method); err != nil {
			return nil, fault.From(err).WithDetail("the operation %s is of %s", e.ID, e.Operation.Method)
		}
	}
	return s.track(ctx, func(ctx context.Context) (*exec.Rows, string, error) {
		env, err := s.env(ctx)
		if err != nil {
			return nil, "", err
		}
		rows, err := exec.Resume(ctx, entries, methods, env)
		return rows, "operations", err
	})
}

// methodNamed finds a method by its full name.
func (s *Session) methodNamed(name string) (*provider.Method, error) {
	parts := strings.Split(name, ".")
	if len(parts) == 4 {
		r, err := s.catalog.Resource(parts[0], parts[1], parts[2])
		if err != nil {
			return nil, err
		}
		if m, ok := r.Method(parts[3]); ok {
			return m, nil
		}
	}
	return nil, fault.New(fault.UndefinedMethod, "the documents at hand have no method %s", name).
		WithHint("wait for it with the provider documents that it was begun with")
}
