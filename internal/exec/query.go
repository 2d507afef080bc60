package exec

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/syntax"
)

// RunQuery runs the plan of a SELECT. No call is made before DuckDB starts a
// scan, except for scans that the statement may read more than once: their
// rows go to a temporary table first.
func RunQuery(ctx context.Context, q *plan.Query, env Env) (*Rows, error) {
	run := &queryRun{env: env}
	rows, err := run.start(ctx, q)
	if err != nil {
		run.finish()
		return nil, err
	}
	return rows, nil
}

// spoolNumber makes the names of the temporary tables distinct.
var spoolNumber atomic.Int64

// queryRun is what one query holds open.
type queryRun struct {
	env    Env
	scans  []*scan
	spools []string
}

// source is a scan as the plan's SQL needs it.
type source struct {
	*duck.Scan
	table string // where its rows were spooled to; empty: read it directly
}

func (s source) SQL() string {
	if s.table != "" {
		return s.table
	}
	return s.Scan.SQL()
}

func (r *queryRun) start(ctx context.Context, q *plan.Query) (*Rows, error) {
	var sources []plan.Source
	for _, p := range q.Scans {
		tuples, err := resolveTuples(ctx, r.env.DB, p.Tuples)
		if err != nil {
			return nil, err
		}
		src, err := r.source(ctx, p, tuples)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	for _, p := range q.Scans {
		r.env.FirstRows = r.env.FirstRows || p.Gentle
	}
	return r.rows(ctx, q.SQL(sources))
}

// source registers a scan and spools it where it must be.
func (r *queryRun) source(ctx context.Context, p *plan.Scan, tuples [][]*string) (plan.Source, error) {
	s := newScan(ctx, p, tuples, r.env)
	r.scans = append(r.scans, s)
	registered, err := r.env.DB.RegisterScan(s, columnsOf(p))
	if err != nil {
		return nil, err
	}
	s.registered = registered
	src := source{Scan: registered}
	if p.Spool {
		src.table = fmt.Sprintf("planeql_spool_%d", spoolNumber.Add(1))
		r.spools = append(r.spools, src.table)
		err = r.env.DB.Exec(ctx, "CREATE TEMP TABLE "+src.table+" AS SELECT * FROM "+registered.SQL())
	}
	return src, err
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
	rows, err := r.env.DB.Query(ctx, text.Text, duck.QueryOptions{FirstRows: r.env.FirstRows})
	if err != nil {
		return nil, translate(err)
	}
	return &Rows{cursor: rows, translate: translate, finish: r.finish}, nil
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
	var warnings []*fault.Error
	for _, s := range r.scans {
		s.Close()
		if s.registered != nil {
			warnings = append(warnings, misfits(s)...)
			s.registered.Close()
		}
		warnings = append(warnings, s.losses()...)
	}
	for _, table := range r.spools {
		// The session may be closing: a table that stays is dropped with it.
		_ = r.env.DB.Exec(context.Background(), "DROP TABLE IF EXISTS "+table)
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
	return (&queryRun{env: env}).rows(ctx, text)
}
