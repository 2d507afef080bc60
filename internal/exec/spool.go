package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/plan"
)

// spool is a temporary table with the rows of a scan that is read more than
// once: by the statement, or by the scans that it feeds.
type spool struct {
	run      *queryRun
	plan     *plan.Scan
	scan     *scan
	counter  *duck.Scan // counts misfits; nothing reads it
	table    string
	rows     int                                         // in the table
	whole    chan struct{}                               // closed when all rows are in it
	watchers []func(ctx context.Context, from int) error // told of the rows from a number on
}

// fill reads the scans that must be read before the statement, side by side,
// each as soon as its own arguments are known. The graph of who feeds whom has
// no cycle: the plan places a scan after those that feed it.
func (r *queryRun) fill(ctx context.Context, scans []*plan.Scan) error {
	for _, p := range scans {
		if p.Same != nil {
			continue
		}
		if p.Spool {
			r.addSpool(p)
		}
		r.addSources(p)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range scans {
		if p.Same == nil {
			r.watch(ctx, group, p)
		}
	}
	for _, sp := range r.order {
		err := sp.open(ctx)
		group.Go(func() error {
			if err != nil {
				return err
			}
			return sp.fill(ctx)
		})
	}
	return group.Wait()
}

// open makes the scan of the spool.
func (sp *spool) open(ctx context.Context) (err error) {
	if sp.scan, err = sp.run.scan(ctx, sp.plan, nil, 0); err != nil {
		return err
	}
	if sp.counter, err = sp.run.env.DB.RegisterScan(nothing{}, nil); err != nil {
		return err
	}
	sp.scan.registered = sp.counter
	return nil
}

// spoolOf gives the table that has the rows of a scan, or nil.
func (r *queryRun) spoolOf(p *plan.Scan) *spool {
	if p.Same != nil {
		p = p.Same
	}
	return r.spools[p]
}

// addSpool notes that the rows of a scan go to a table.
func (r *queryRun) addSpool(p *plan.Scan) {
	if r.spools[p] != nil {
		return
	}
	sp := &spool{run: r, plan: p, table: fmt.Sprintf("planeql_spool_%d", tableNumber.Add(1)), whole: make(chan struct{})}
	r.spools[p] = sp
	r.order = append(r.order, sp)
}

// addSources spools the listings that find arguments together with scans of the
// statement: their rows are joined.
func (r *queryRun) addSources(p *plan.Scan) {
	for _, part := range p.Parts {
		r.addSources(part)
	}
	if p.Feed == nil || lazy(p) {
		return
	}
	for _, s := range p.Feed.Sources {
		if s.Found {
			r.addSpool(s.Scan)
			r.addSources(s.Scan)
		}
	}
}

// lazy tells whether the arguments of a scan are found by listings alone, which
// are then read only as far as the scan is.
func lazy(p *plan.Scan) bool {
	if p.Feed == nil {
		return !slices.ContainsFunc(p.Parts, func(part *plan.Scan) bool { return !lazy(part) })
	}
	if len(p.Feed.Sources) != 1 || !p.Feed.Sources[0].Found || p.Feed.Local {
		return false
	}
	return lazy(p.Feed.Sources[0].Scan)
}

// watch prepares the queue of arguments of a scan that others feed.
func (r *queryRun) watch(ctx context.Context, group *errgroup.Group, p *plan.Scan) {
	for _, part := range p.Parts {
		r.watch(ctx, group, part)
	}
	if len(p.Parts) > 0 || lazy(p) || r.queues[p] != nil {
		return
	}
	q := newTupleQueue()
	r.queues[p] = q
	m := r.merger(p)
	var sources []*spool
	for _, s := range p.Feed.Sources {
		sp := r.spoolOf(s.Scan)
		r.watch(ctx, group, sp.plan)
		sources = append(sources, sp)
	}
	if len(sources) == 1 {
		sp := sources[0]
		sp.watchers = append(sp.watchers, func(ctx context.Context, from int) error {
			return r.feed(ctx, m, q, []string{fmt.Sprintf("(SELECT * FROM %s WHERE rowid >= %d)", sp.table, from)})
		})
	}
	group.Go(func() (err error) {
		defer func() { q.close(err) }()
		if _, err := r.print(p.Feed); err != nil { // while the first calls are under way
			return err
		}
		var tables []string
		for _, sp := range sources {
			select {
			case <-sp.whole:
				tables = append(tables, sp.table)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if len(sources) != 1 { // none: tables of the session alone
			if err := r.feed(ctx, m, q, tables); err != nil {
				return err
			}
		}
		return r.missing(m)
	})
}

// feed puts the arguments that tables give into a queue.
func (r *queryRun) feed(ctx context.Context, m *merger, q *tupleQueue, tables []string) error {
	rows, err := r.keys(ctx, m.plan.Feed, tables)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := m.merge(row, q.add); err != nil {
			return err
		}
	}
	return nil
}

// fill reads the scan into the table.
func (sp *spool) fill(ctx context.Context) error {
	columns := []string{"raw VARCHAR"}
	for _, name := range columnsOf(sp.plan) {
		columns = append(columns, name+" VARCHAR")
	}
	if err := sp.run.exec(ctx, "CREATE TEMP TABLE "+sp.table+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	for done := false; !done; {
		pages, last, err := sp.scan.ready(ctx)
		if err != nil {
			return err
		}
		done = last
		if len(pages) == 0 {
			continue
		}
		if err := sp.insert(ctx, pages); err != nil {
			return err
		}
	}
	close(sp.whole)
	return nil
}

// insert adds rows and tells the watchers.
func (sp *spool) insert(ctx context.Context, pages []fetched) error {
	registered, err := sp.run.env.DB.RegisterScan(&gathered{pages: pages}, columnsOf(sp.plan))
	if err != nil {
		return err
	}
	defer registered.Close()
	if err := sp.run.exec(ctx, "INSERT INTO "+sp.table+" SELECT * FROM "+registered.SQL()); err != nil {
		return err
	}
	from := sp.rows
	for _, p := range pages {
		sp.rows += len(p.batch.Items)
	}
	for _, watcher := range sp.watchers {
		if err := watcher(ctx, from); err != nil {
			return err
		}
	}
	return nil
}

// drop ends the table. It has no reader any more.
func (sp *spool) drop() {
	// The session may be closing: a table that stays is dropped with it.
	_ = sp.run.exec(context.Background(), "DROP TABLE IF EXISTS "+sp.table)
}

// exec runs a statement on the connection of the query.
func (r *queryRun) exec(ctx context.Context, text string) error {
	r.sql.Lock()
	defer r.sql.Unlock()
	return r.conn.Exec(ctx, text)
}
