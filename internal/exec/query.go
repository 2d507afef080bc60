package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/syntax"
)

// RunQuery runs the plan of a SELECT. No call is made before DuckDB starts a
// scan, except for scans that feed others and scans that the statement may read
// more than once: their rows go to a temporary table first.
func RunQuery(ctx context.Context, q *plan.Query, env Env) (*Rows, error) {
	conn, err := env.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	run := newRun(ctx, env, conn)
	rows, err := run.start(run.ctx, q)
	if err != nil {
		run.finish()
		return nil, err
	}
	return rows, nil
}

// tableNumber makes the names of temporary tables distinct.
var tableNumber atomic.Int64

// queryRun is what one query holds open.
type queryRun struct {
	env    Env
	ctx    context.Context // ends with the query
	cancel context.CancelFunc
	calls  *calls
	sql    sync.Mutex // held while the connection is used, until the final text starts
	conn   *duck.Conn // of all its statements: temporary tables are seen on one connection
	spools map[*plan.Scan]*spool
	order  []*spool
	queues map[*plan.Scan]*tupleQueue
	meter  *meter
	seen   *seen // of the targets of a write; may be nil
	aside  aside

	constants map[*plan.Scan][][]*string // arguments that the statement gives
	groups    map[*plan.Group][][]*string

	mutex   sync.Mutex
	scans   []*scan
	lost    []*fault.Error // that are not of one scan
	printed map[*plan.Feed]string
	nowhere map[nowhere]int // by how many parts a name is not found
}

func newRun(ctx context.Context, env Env, conn *duck.Conn) *queryRun {
	ctx, cancel := context.WithCancel(ctx)
	return &queryRun{
		ctx: ctx, cancel: cancel, env: env, conn: conn,
		calls: &calls{
			uses: map[*provider.Method]int{}, finds: map[*plan.Scan]bool{},
			shown: map[*provider.Method]bool{}, byKey: map[string]*shared{},
		},
		spools: map[*plan.Scan]*spool{}, queues: map[*plan.Scan]*tupleQueue{},
		meter: newMeter(), constants: map[*plan.Scan][][]*string{}, printed: map[*plan.Feed]string{}, nowhere: map[nowhere]int{}, groups: map[*plan.Group][][]*string{},
	}
}

// source is a scan as the plan's SQL needs it.
type source struct {
	*duck.Scan
	table string // where its rows are; empty: read it directly
}

func (s source) SQL() string {
	if s.table != "" {
		return s.table
	}
	return s.Scan.SQL()
}

func (r *queryRun) start(ctx context.Context, q *plan.Query) (*Rows, error) {
	r.conn.Calm(ctx, q.Alone && r.env.FirstRows)
	for _, p := range q.Scans {
		r.calls.count(p)
		if err := r.evaluate(ctx, p); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(q.Scans, func(p *plan.Scan) bool { return p.Spool || !lazy(p) }) {
		if err := r.check(ctx, q); err != nil {
			return nil, err
		}
		if err := r.fill(ctx, q.Scans); err != nil {
			return nil, err
		}
	}
	var sources []plan.Rows
	for _, p := range q.Scans {
		src, err := r.source(ctx, p)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
		r.env.FirstRows = r.env.FirstRows || p.Gentle
	}
	return r.rows(ctx, q.SQL(sources))
}

// check lets DuckDB bind the final text before the first call: what is wrong with
// it must not cost the calls of the scans that are read beforehand.
func (r *queryRun) check(ctx context.Context, q *plan.Query) error {
	var sources []plan.Rows
	for _, p := range q.Scans {
		registered, err := r.env.DB.RegisterScan(nothing{}, columnsOf(p))
		if err != nil {
			return err
		}
		defer registered.Close()
		sources = append(sources, source{Scan: registered})
	}
	text := q.SQL(sources)
	if err := r.conn.Check(ctx, text.Text); err != nil {
		return locate(err, text)
	}
	return nil
}

// evaluate resolves the arguments that the statement gives to a scan and to the
// listings that find the rest.
func (r *queryRun) evaluate(ctx context.Context, p *plan.Scan) error {
	for _, part := range p.Parts {
		if err := r.evaluate(ctx, part); err != nil {
			return err
		}
	}
	values, err := resolveTuples(ctx, r.env.DB, r.conn, p.Tuples)
	if err != nil {
		return err
	}
	r.constants[p] = values
	if p.Group != nil {
		if r.groups[p.Group], err = resolveTuples(ctx, r.env.DB, r.conn, p.Group.Names); err != nil {
			return err
		}
	}
	if p.Feed == nil {
		return nil
	}
	for _, s := range p.Feed.Sources {
		if s.Found {
			if err := r.evaluate(ctx, s.Scan); err != nil {
				return err
			}
		}
	}
	return nil
}

// source gives what the final text reads: the table of a spooled scan, or the
// scan itself.
func (r *queryRun) source(ctx context.Context, p *plan.Scan) (plan.Rows, error) {
	if sp := r.spoolOf(p); sp != nil {
		return source{Scan: sp.counter, table: sp.table}, nil
	}
	var g *gate
	if p.Gentle {
		g = newGate(r.env.concurrency())
	}
	s, err := r.scan(ctx, p, g, 0)
	if err != nil {
		return nil, err
	}
	s.registered, err = r.env.DB.RegisterScan(s, columnsOf(p))
	return source{Scan: s.registered}, err
}

// scan makes the scan of a plan, whose arguments come as it asks for them.
func (r *queryRun) scan(ctx context.Context, p *plan.Scan, g *gate, depth int) (*scan, error) {
	s := newScan(ctx, p, r)
	s.gate, s.depth = g, depth
	r.mutex.Lock()
	r.scans = append(r.scans, s)
	r.mutex.Unlock()
	if len(p.Parts) > 0 {
		return s, r.scanParts(s)
	}
	if p.Group != nil {
		s.groups = newGroups(p.Group, r.groups[p.Group])
	}
	var err error
	s.tuples, err = r.tuplesOf(s)
	return s, err
}

// columnsOf names the columns of a scan behind raw as the plan's SQL reads
// them: arguments, then members.
func columnsOf(p *plan.Scan) []string {
	var names []string
	for i := range p.Arguments {
		names = append(names, fmt.Sprintf("a%d", i))
	}
	for i := range p.Members {
		names = append(names, fmt.Sprintf("m%d", i))
	}
	return names
}

func membersOf(p *plan.Scan) []rest.Member {
	var members []rest.Member
	for _, m := range p.Members {
		members = append(members, rest.Member(m))
	}
	return members
}

// cutAll cuts the members out of the items of a page.
func cutAll(items [][]byte, members []rest.Member) [][][]byte {
	if len(members) == 0 {
		return nil
	}
	cut := make([][][]byte, len(items))
	for i, item := range items {
		cut[i] = rest.Cut(item, members)
	}
	return cut
}

// rows starts the final text.
func (r *queryRun) rows(ctx context.Context, text *syntax.Edited) (*Rows, error) {
	translate := func(err error) error { return locate(err, text) }
	rows, err := r.conn.Query(ctx, text.Text, duck.QueryOptions{FirstRows: r.env.FirstRows})
	if err != nil {
		return nil, translate(err)
	}
	return &Rows{cursor: rows, translate: translate, finish: r.finish, meter: r.meter}, nil
}

// locate gives an error of DuckDB its place in the user's text.
func locate(err error, text *syntax.Edited) error {
	e := fault.From(err)
	if offset, ok := duck.Offset(err); ok && e.Span.Source == nil {
		return e.At(text.Span(offset, offset+1))
	}
	return e
}

// finish ends the scans and gives their warnings.
func (r *queryRun) finish() []*fault.Error {
	r.cancel()
	r.mutex.Lock()
	scans := r.scans
	r.mutex.Unlock()
	var warnings []*fault.Error
	for _, s := range scans {
		s.Close()
		if s.registered != nil {
			warnings = append(warnings, misfits(s)...)
			s.registered.Close()
		}
		warnings = append(warnings, s.losses()...)
	}
	r.calls.end()
	r.mutex.Lock()
	warnings = append(warnings, r.lost...)
	r.mutex.Unlock()
	for _, sp := range r.order {
		sp.drop()
	}
	r.aside.close()
	r.conn.Close()
	if r.env.Warned != nil {
		r.env.Warned(warnings)
	}
	return warnings
}

// misfits gives a warning for each column that had values of another type than
// the document says.
func misfits(s *scan) []*fault.Error {
	var warnings []*fault.Error
	counts := s.registered.Misfits()
	for _, name := range sortedNames(counts) {
		m := counts[name]
		warnings = append(warnings, fault.New(fault.ValueMisfit,
			"%d values of %s do not fit its type and are NULL, for example %q", m.Count, name, m.Example).
			On(s.plan.Method.FullName()).WithHint("_raw holds them as the service sent them"))
	}
	return warnings
}

// interrupted tells whether an error means that the user, not the service,
// ended the statement.
func interrupted(err error) bool {
	e := fault.As(err)
	return errors.Is(err, context.Canceled) || e != nil && e.Code == fault.Cancelled
}

// RunSQL runs a statement that reads no resource in DuckDB.
func RunSQL(ctx context.Context, text *syntax.Edited, env Env) (*Rows, error) {
	conn, err := env.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	run := newRun(ctx, env, conn)
	conn.Calm(ctx, false)
	rows, err := run.rows(ctx, text)
	if err != nil {
		run.finish()
	}
	return rows, err
}
