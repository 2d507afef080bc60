package planeql

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/internal/transport"
)

// Session is a place in which statements run: it keeps what USE and SET have
// set, tables and views, connections and credentials. It is for one goroutine
// at a time; Complete may be called beside a running statement.
type Session struct {
	settings  settings
	catalog   *catalog.Catalog
	transport *transport.Transport
	client    *rest.Client
	use       []string
	found     *exec.Found
	shown     catalogState
	changed   atomic.Bool // known is not what DuckDB has
	warned    []*Error    // by the last statement that did not ask for warnings
	ended     []*Error    // the warnings of the queries of a statement that have ended
	outcomes  [][]any     // of the targets of the last write
	spent     Summary     // of the last statement, where it failed before it had rows
	variables map[string]syntax.Variable
	records   exec.Records
	// who signs the calls of each provider
	authorizers map[string]transport.Authorizer

	opening sync.Mutex
	db      *duck.DB
	known   []object // the tables and views, when they were last looked at
}

// Open makes a session. It neither signs in nor connects nor opens DuckDB: that
// happens when a statement needs it. An option with a wrong value is an error.
func Open(ctx context.Context, opts ...Option) (*Session, error) {
	s := &Session{found: exec.NewFound(), variables: map[string]syntax.Variable{}, settings: settings{
		endpoints: map[string]string{}, auth: map[string]authSettings{}, onError: Fail,
		getenv: func(string) string { return "" },
	}}
	for _, o := range opts {
		o(&s.settings)
	}
	if s.settings.onError != Fail && s.settings.onError != Skip {
		return nil, fault.New(fault.InvalidFlag, "on_error is fail or skip, not %q", s.settings.onError)
	}
	if err := s.wire(); err != nil {
		return nil, err
	}
	s.changed.Store(s.settings.database != "")
	s.keepRecords()
	return s, nil
}

// Close ends the session and what it keeps open. Rows that are still being
// read are closed first by their reader.
func (s *Session) Close() error { return s.end((*duck.DB).Close) }

// Leave is Close for the last act of a process: what the session has in memory
// alone is left to the system, which is faster.
func (s *Session) Leave() error { return s.end((*duck.DB).Leave) }

func (s *Session) end(leave func(*duck.DB) error) error {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.transport.Close()
	err := s.closeRecords()
	if s.db == nil {
		return err
	}
	err = errors.Join(err, leave(s.db))
	s.db = nil
	return err
}

// Statement is one statement of a script.
type Statement struct {
	inner *syntax.Statement
}

// Text gives the statement as it will run, placeholders filled, without the
// semicolon.
func (st *Statement) Text() string { return st.inner.Text.Text }

// Parse splits a script into statements and fills its placeholders. Nothing is
// run. The name stands in front of positions in errors.
func (s *Session) Parse(name, text string) ([]*Statement, error) {
	parsed, err := syntax.Parse(&fault.Source{Name: name, Text: text}, s.settings.variables)
	if err != nil {
		return nil, err
	}
	statements := make([]*Statement, len(parsed))
	for i, p := range parsed {
		if err := s.checkWrite(p); err != nil {
			return nil, err
		}
		statements[i] = &Statement{p}
	}
	return statements, nil
}

// Query runs one statement. Arguments stand for ? and $1, and bind to
// parameters of methods like values written there.
func (s *Session) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	statements, err := s.Parse("query", text)
	if err != nil {
		return nil, err
	}
	if len(statements) != 1 {
		return nil, fault.New(fault.SyntaxError, "one statement is expected and there are %d", len(statements)).
			WithHint("Exec runs several")
	}
	list, err := literals(args)
	if err != nil {
		return nil, err
	}
	bound, err := statements[0].inner.Bind(list)
	if err != nil {
		return nil, err
	}
	return s.Run(ctx, &Statement{bound})
}

// Exec runs one or more statements and drops their rows. Wrong names are found
// before the first runs ([Session.Foresee]). It stops at the first error, unless
// ON ERROR CONTINUE holds: then its error joins those of all. The summary adds up
// all statements; its Kind is the last one's.
func (s *Session) Exec(ctx context.Context, text string, args ...any) (Summary, error) {
	var total Summary
	statements, err := s.Parse("query", text)
	if err != nil {
		return total, err
	}
	if len(args) > 0 {
		rows, err := s.Query(ctx, text, args...)
		return s.drain(total, rows, err)
	}
	if err := s.Foresee(ctx, statements); err != nil {
		return total, err
	}
	var failed []error
	for _, st := range statements {
		rows, err := s.Run(ctx, st)
		if total, err = s.drain(total, rows, err); err == nil {
			continue
		}
		failed = append(failed, err)
		if !s.KeepsGoing() || ctx.Err() != nil {
			break
		}
	}
	return total, errors.Join(failed...)
}

// drain reads rows to their end and adds them to a summary.
func (s *Session) drain(total Summary, rows *Rows, err error) (Summary, error) {
	if err != nil {
		return total, err
	}
	defer rows.Close()
	for rows.Next() {
		continue
	}
	one := rows.Summary()
	total.Kind, total.DryRun = one.Kind, one.DryRun
	total.Rows += one.Rows
	total.Calls += one.Calls
	total.Retries += one.Retries
	total.Bytes += one.Bytes
	total.Waited += one.Waited
	total.Duration += one.Duration
	total.Targets += one.Targets
	total.Failed += one.Failed
	return total, rows.Err()
}

// Run runs a statement that Parse gave. The rows must be closed.
func (s *Session) Run(ctx context.Context, st *Statement) (*Rows, error) {
	statement, asks, err := s.inline(st.inner)
	if err != nil {
		return nil, err
	}
	noteChange := func() {
		if mayChange(st.inner.Head) {
			s.changed.Store(true)
		}
	}
	s.ended = nil
	rows, err := s.track(ctx, func(ctx context.Context) (*exec.Rows, string, error) {
		defer noteChange()
		return s.run(ctx, statement)
	})
	if err != nil {
		if !asks {
			s.warned = s.ended
		}
		return nil, suggestQuotes(s.suggestResource(err))
	}
	done := rows.done
	rows.done = func() {
		done()
		noteChange()
		if !asks {
			s.warned = rows.inner.Warnings()
		}
	}
	return rows, nil
}

// track runs something that gives rows and names its kind, within the limits of
// a statement, counted and with progress.
func (s *Session) track(ctx context.Context, run func(context.Context) (*exec.Rows, string, error)) (*Rows, error) {
	ctx, cancel := s.bound(ctx)
	tally := transport.NewTally(transport.Limits{Calls: s.settings.maxCalls})
	ctx = tallied(ctx, tally)
	operations := new(exec.Operations)
	ctx = context.WithValue(ctx, operationsKey{}, operations)
	started := time.Now()
	s.spent = Summary{}
	count := new(atomic.Int64)
	stop := s.watch(ctx, func() Progress { return progressOf(tally.Stats(), count.Load(), operations) })
	inner, kind, err := run(ctx)
	if err != nil {
		stop()
		s.spend(tally.Stats(), time.Since(started))
		err = s.explainEnd(ctx, err)
		cancel()
		return nil, err
	}
	rows := &Rows{
		inner: inner, kind: kind, dryRun: s.settings.dryRun, started: started, cancel: cancel, count: count, done: stop,
		explain: func(err error) error { return s.explainEnd(ctx, err) },
		stats: func() callStats {
			t := tally.Stats()
			return callStats{t.Calls, t.Retries, t.Bytes, t.Waited}
		},
	}
	for _, c := range inner.Columns() {
		rows.columns = append(rows.columns, Column(c))
	}
	return rows, nil
}

// Spent gives what the last statement did and cost where Run gave an error in the
// place of rows.
func (s *Session) Spent() Summary { return s.spent }

func (s *Session) spend(t transport.Stats, took time.Duration) {
	s.spent.Calls, s.spent.Retries, s.spent.Bytes, s.spent.Waited, s.spent.Duration = t.Calls, t.Retries, t.Bytes, t.Waited, took
}

// bound applies the statement's time limit.
func (s *Session) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.settings.timeout > 0 {
		return context.WithTimeout(ctx, s.settings.timeout)
	}
	return context.WithCancel(ctx)
}

// explainEnd turns the end of a context into an error that says who ended the
// statement; the call that was under way stays in it.
func (s *Session) explainEnd(ctx context.Context, err error) error {
	e := fault.As(err)
	var ended *fault.Error
	switch {
	case e != nil && e.Code != fault.Cancelled:
		return e
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && s.settings.timeout > 0:
		ended = fault.New(fault.Cancelled, "the statement took longer than %s", s.settings.timeout).
			WithHint("allow more with --timeout, or ask for less")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		ended = fault.New(fault.Cancelled, "the time for the statement is over").
			WithHint("the deadline is that of the context it was run with")
	case errors.Is(err, context.Canceled) || e != nil:
		ended = fault.New(fault.Cancelled, "the statement was interrupted").In(fault.Interrupt).
			WithHint("no call was started after that; run it again to have the rest")
	default:
		return fault.From(err)
	}
	if e != nil {
		ended.HTTP, ended.Object, ended.Detail = e.HTTP, e.Object, e.Detail
	}
	return ended.Because(err)
}

// run runs one statement and names its kind.
func (s *Session) run(ctx context.Context, st *syntax.Statement) (*exec.Rows, string, error) {
	st, err := s.showCatalog(ctx, st)
	if err != nil {
		return nil, "", err
	}
	st, err = s.localWrite(ctx, st)
	if err != nil {
		return nil, "", err
	}
	switch head := st.Head.(type) {
	case syntax.Explain:
		rows, err := s.explain(ctx, st, head)
		return rows, "explain", err
	case syntax.Use:
		rows, err := s.setUse(ctx, st, head)
		return rows, "use", err
	case syntax.Registry:
		rows, err := s.runRegistry(ctx, head)
		return rows, "registry", err
	case syntax.Other:
		rows, err := s.other(ctx, st, head)
		return rows, strings.ToLower(head.Verb), err
	case syntax.Create:
		rows, err := s.create(ctx, st, head)
		return rows, "create", err
	case syntax.Copy:
		rows, err := s.store(ctx, st, "COPY")
		return rows, "copy", err
	case syntax.Refresh:
		rows, err := s.refresh(ctx, st, head)
		return rows, "refresh", err
	case syntax.Drop:
		rows, err := s.drop(ctx, st, head)
		return rows, "drop", err
	case syntax.SetVariable, syntax.ResetVariable, syntax.OnError, syntax.Check:
		return s.script(ctx, st)
	}
	if _, err := st.Bind(nil); err != nil {
		return nil, "", err // a ? without a value
	}
	built, err := s.build(ctx, st)
	if e := fault.As(err); e != nil && e.Code == fault.NotSupported {
		rows, err := s.pivot(ctx, st, err)
		return rows, kindOf(st.Head), err
	}
	if err != nil {
		return nil, "", err
	}
	return s.runPlan(ctx, st, built)
}

// runPlan runs the plan of a statement and names its kind.
func (s *Session) runPlan(ctx context.Context, st *syntax.Statement, built any) (*exec.Rows, string, error) {
	switch p := built.(type) {
	case nil: // about a table of the session
		text := st.Text
		if d, ok := st.Head.(syntax.Describe); ok { // DuckDB knows no EXTENDED
			text = text.Apply([]syntax.Edit{{Start: 0, End: d.Name.Start, Text: "DESCRIBE "}})
		}
		rows, err := s.duckText(ctx, text)
		return rows, kindOf(st.Head), err
	case *plan.Query:
		env, err := s.env(ctx)
		if err != nil {
			return nil, "", err
		}
		run := exec.RunQuery
		switch {
		case p.Verb == "DESCRIBE":
			run = describeQuery
		case staged(p, st):
			run = stage
		}
		rows, err := run(ctx, p, env)
		return rows, kindOf(st.Head), p.InView(err)
	case *plan.Write:
		env, err := s.env(ctx)
		if err != nil {
			return nil, "", err
		}
		env.Records.Statement = hashOf(st)
		rows, err := exec.RunWrite(ctx, p, env)
		return rows, kindOf(st.Head), err
	case *plan.Table:
		if show, ok := st.Head.(syntax.Show); ok && show.Where.End > 0 {
			rows, err := s.shownWhere(ctx, st, show.Where, p)
			return rows, p.Title, err
		}
		return tableRows(p), p.Title, nil
	}
	return nil, "", fault.Bug("a plan of an unknown kind: %T", built)
}

// kindOf names the kind of a statement for its summary.
func kindOf(head syntax.Head) string {
	switch h := head.(type) {
	case syntax.Delete:
		return "delete"
	case syntax.Update:
		return strings.ToLower(h.Local.Verb)
	case syntax.Insert:
		return strings.ToLower(h.Local.Verb)
	case syntax.Describe:
		return "describe"
	case syntax.Exec:
		return "exec"
	}
	return "select"
}

// build plans a statement. DuckDB is opened only when the plan needs its
// parser.
func (s *Session) build(ctx context.Context, st *syntax.Statement) (any, error) {
	if show, ok := st.Head.(syntax.Show); ok && (show.What == "TABLES" || show.What == "VIEWS") {
		return s.showObjects(ctx, show)
	}
	if ofCatalog(st.Head) {
		return s.catalogPlanner(ctx).Build(st)
	}
	planner, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	defer s.warm(ctx, planner, st)()
	return planner.Build(st)
}

// warm reads in the documents what a statement needs while DuckDB is opened,
// which takes as long. The function it gives ends that.
func (s *Session) warm(ctx context.Context, planner *plan.Planner, st *syntax.Statement) func() {
	if s.opened() {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	reading.Go(func() { planner.Warm(ctx, st) })
	return func() {
		cancel()
		reading.Wait()
	}
}

// ofCatalog tells whether a statement cannot mean a table of the session.
func ofCatalog(head syntax.Head) bool {
	switch h := head.(type) {
	case syntax.Show:
		return true
	case syntax.Describe:
		return h.Method
	}
	return false
}

// planner makes a planner that knows what the session has.
func (s *Session) planner(ctx context.Context) (*plan.Planner, error) {
	planner := s.catalogPlanner(ctx)
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	setObjects(&planner.Options, objects)
	return planner, nil
}

// catalogPlanner makes a planner that knows the documents alone.
func (s *Session) catalogPlanner(ctx context.Context) *plan.Planner {
	planner := &plan.Planner{Catalog: s.catalog, Options: plan.Options{Use: s.use, Scope: s.settings.scope, Variables: s.variables}}
	planner.Parse = func(text *syntax.Edited) ([]byte, error) {
		db, err := s.database(ctx)
		if err != nil {
			return nil, err
		}
		return parse(db, text)
	}
	return planner
}

// parse parses a text with DuckDB; an error gets its place in the user's text.
func parse(db *duck.DB, text *syntax.Edited) ([]byte, error) {
	tree, err := db.Parse(text.Text)
	if err == nil {
		return tree, nil
	}
	pe, ok := errors.AsType[*duck.ParseError](err)
	if !ok {
		return nil, err
	}
	if pe.NotSelect {
		return nil, fault.Unsupported("this form of query").At(text.Span(0, len(text.Text))).
			WithHint("inside of another statement a PIVOT needs its values: SELECT * FROM (PIVOT … ON column IN ('a', 'b') USING count(*)); " +
				"by itself it finds them: PIVOT (SELECT a, b FROM …) ON b USING count(*)")
	}
	return nil, syntaxError(text, pe)
}

// database opens DuckDB when it is first needed.
func (s *Session) database(ctx context.Context) (*duck.DB, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.db != nil {
		return s.db, nil
	}
	db, err := duck.Open(context.WithoutCancel(ctx), duck.Options{Path: s.settings.database, Temp: s.settings.temp, Listing: s.listing})
	if err != nil {
		return nil, err
	}
	if s.settings.database != "" {
		if err := s.attachForViews(ctx, db); err != nil {
			db.Close()
			return nil, err
		}
	}
	s.db = db
	return db, nil
}

// opened tells whether DuckDB is open.
func (s *Session) opened() bool {
	s.opening.Lock()
	defer s.opening.Unlock()
	return s.db != nil
}

// env gives what plans are run with.
func (s *Session) env(ctx context.Context) (exec.Env, error) {
	db, err := s.database(ctx)
	if err != nil {
		return exec.Env{}, err
	}
	o := s.settings
	found := s.found
	if o.noCache {
		found = nil
	}
	operations, _ := ctx.Value(operationsKey{}).(*exec.Operations)
	return exec.Env{
		Found: found, Records: s.records, Wait: o.wait, Operations: operations,
		Warned: func(warnings []*fault.Error) { s.ended = append(s.ended, warnings...) },
		DB:     db, Client: s.client, Concurrency: o.concurrency, Skip: o.onError == Skip, FirstRows: o.firstRows,
		DryRun: o.dryRun, ReadOnly: o.readOnly, Yes: o.yes, MaxTargets: o.maxTargets, Confirm: o.confirm,
		Outcomes: s.keepOutcomes,
	}, nil
}
