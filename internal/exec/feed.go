package exec

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// tuplesOf gives the arguments of a scan's calls: those of the statement, those
// that listings find, or those that scans before it have brought.
func (r *queryRun) tuplesOf(s *scan) (func(yield func(tuple, error) bool), error) {
	p := s.plan
	switch {
	case p.Feed == nil:
		values := r.constants[p]
		return func(yield func(tuple, error) bool) {
			for _, v := range values {
				if !yield(tuple{values: v}, nil) {
					return
				}
			}
		}, nil
	case r.queues[p] != nil:
		q := r.queues[p]
		return func(yield func(tuple, error) bool) { q.each(s.ctx, yield) }, nil
	}
	sub, err := r.scan(s.ctx, p.Feed.Sources[0].Scan, s.gate, s.depth+1)
	if err != nil {
		return nil, err
	}
	return func(yield func(tuple, error) bool) { r.find(s, sub, yield) }, nil
}

// find gives arguments as the listing that finds them is read.
func (r *queryRun) find(s, sub *scan, yield func(tuple, error) bool) {
	m := r.merger(s.plan)
	sub.start.Do(sub.begin) // the query is prepared while its first call is under way
	keys, err := r.prepareKeys(s.ctx, s.plan.Feed, sub.plan)
	if err != nil {
		yield(tuple{}, err)
		return
	}
	defer keys.close()
	for done := false; !done; {
		pages, last, err := sub.ready(s.ctx)
		var rows [][]*string
		if err == nil && len(pages) > 0 {
			rows, err = keys.of(pages)
		}
		if err != nil {
			yield(tuple{}, err)
			return
		}
		more := true
		for _, row := range rows {
			err := m.merge(row, func(t tuple) {
				more = more && yield(t, nil)
				leaveAll(pages) // a call behind this one stands in line
			})
			if err != nil {
				yield(tuple{}, err)
				return
			}
			if !more {
				return
			}
		}
		leaveAll(pages)
		done = last
	}
	if err := r.missing(m); err != nil {
		yield(tuple{}, err)
		return
	}
	r.env.Found.note(s.plan, m.rows)
}

// pageKeys is the query of a feed over the pages of its one source. It may run
// while the statement's connection is at work, and reads no table of it.
type pageKeys struct {
	aside *aside
	pages *gathered
	scan  *duck.Scan
	query *duck.Prepared
}

func (r *queryRun) prepareKeys(ctx context.Context, f *plan.Feed, p *plan.Scan) (*pageKeys, error) {
	k := &pageKeys{aside: &r.aside, pages: &gathered{}}
	var err error
	if k.scan, err = r.env.DB.RegisterScan(k.pages, columnsOf(p)); err != nil {
		return nil, err
	}
	text, err := r.keyText(f, []plan.Rows{source{Scan: k.scan}})
	if err == nil {
		k.query, err = k.aside.prepare(ctx, r.env.DB, text)
	}
	if err != nil {
		k.scan.Close()
		return nil, err
	}
	return k, nil
}

// of gives the keys in some pages.
func (k *pageKeys) of(pages []fetched) (rows [][]*string, err error) {
	k.aside.mutex.Lock()
	defer k.aside.mutex.Unlock()
	*k.pages = gathered{pages: pages}
	err = k.query.Run(func(values []any) { rows = append(rows, textsOf(values)) })
	return rows, err
}

func (k *pageKeys) close() {
	k.aside.mutex.Lock()
	defer k.aside.mutex.Unlock()
	k.query.Close()
	k.scan.Close()
}

// aside is the connection for queries that run while that of the statement is
// at work. It is opened once: that takes as long as the query itself.
type aside struct {
	mutex sync.Mutex // held while it is used
	conn  *duck.Conn
}

func (a *aside) prepare(ctx context.Context, db *duck.DB, text string) (*duck.Prepared, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.conn == nil {
		conn, err := db.Aside(ctx)
		if err != nil {
			return nil, err
		}
		a.conn = conn
	}
	return a.conn.Prepare(ctx, text)
}

// close ends the connection. Nothing uses it any more.
func (a *aside) close() {
	if a.conn != nil {
		a.conn.Close()
	}
}

// leaveAll ends the turns of the calls of pages.
func leaveAll(pages []fetched) {
	for _, p := range pages {
		if p.leave != nil {
			p.leave()
		}
	}
}

// keys evaluates the query of a feed over tables.
func (r *queryRun) keys(ctx context.Context, f *plan.Feed, tables []string) ([][]*string, error) {
	counter, err := r.env.DB.RegisterScan(nothing{}, nil)
	if err != nil {
		return nil, err
	}
	defer counter.Close()
	var sources []plan.Rows
	for _, table := range tables {
		sources = append(sources, source{Scan: counter, table: table})
	}
	text, err := r.keyText(f, sources)
	if err != nil {
		return nil, err
	}
	r.sql.Lock()
	defer r.sql.Unlock()
	rows, err := r.conn.Query(ctx, text, duck.QueryOptions{})
	return texts(rows, err)
}

// keyText gives the text of a feed's query. DuckDB prints its own trees.
func (r *queryRun) keyText(f *plan.Feed, sources []plan.Rows) (string, error) {
	text, err := r.print(f)
	if err != nil {
		return "", err
	}
	for i, s := range f.Sources {
		text = strings.Replace(text, fmt.Sprintf("planeql_feed_%d ", i), s.Scan.Relation(sources[i])+" ", 1)
	}
	return "SELECT COLUMNS(*)::VARCHAR FROM (" + text + ")", nil
}

// print gives the text of a feed's tree, made once.
func (r *queryRun) print(f *plan.Feed) (string, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if text := r.printed[f]; text != "" {
		return text, nil
	}
	text, err := deparse(r.env.DB, f.Select)
	if err == nil {
		r.printed[f] = text
	}
	return text, err
}

// texts reads rows of texts.
func texts(rows *duck.Rows, err error) ([][]*string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all [][]*string
	for rows.Next() {
		all = append(all, textsOf(rows.Values()))
	}
	return all, rows.Err()
}

// textsOf keeps the texts of a row; what is no text is NULL.
func textsOf(values []any) []*string {
	row := make([]*string, len(values))
	for i, v := range values {
		if s, ok := v.(string); ok {
			row[i] = &s
		}
	}
	return row
}

// merger joins the rows of a feed with what the statement gives, and drops what
// would be the same call again.
type merger struct {
	plan      *plan.Scan
	constants [][]*string
	noCase    []bool // by argument: values that differ in case make the same call
	seen      map[string]bool
	rows      int // that made a call
	names     []names
}

func (r *queryRun) merger(p *plan.Scan) *merger {
	m := &merger{plan: p, constants: r.constants[p], noCase: make([]bool, len(p.Arguments)), seen: map[string]bool{}}
	m.names = namesOf(p.Feed)
	for i, at := range p.Feed.Columns {
		m.noCase[at] = p.Feed.NoCase[i]
	}
	for _, t := range p.Tuples {
		for i, v := range t {
			m.noCase[i] = m.noCase[i] || v != nil && v.NoCase
		}
	}
	return m
}

// merge gives the calls of a row: none where a value is NULL, or no value of
// the parameter, or not one that the statement asks for. An item that a listing
// found always has its name: without it the rows below would be missing.
func (m *merger) merge(row []*string, emit func(tuple)) error {
	f := m.plan.Feed
	row, kept := m.judge(row)
	if !kept {
		return nil
	}
	fed := make([]*string, len(row))
	for i, v := range row {
		if v == nil && m.isFound(i) {
			return m.nameless(i)
		}
		if v == nil {
			return nil
		}
		text, err := f.Values[i].Convert(*v)
		if err != nil && m.isFound(i) {
			return err
		}
		if err != nil {
			return nil // no row can have it
		}
		fed[i] = &text
	}
	before := len(m.seen)
	defer func() {
		if len(m.seen) > before {
			m.rows++
		}
	}()
	for _, values := range m.constants {
		t := append([]*string(nil), values...)
		fits := true
		for i, at := range f.Columns {
			if t[at] != nil && !same(*t[at], *fed[i], f.NoCase[i]) {
				fits = false
				break
			}
			t[at] = fed[i]
		}
		if !fits {
			continue
		}
		if key := m.key(t); !m.seen[key] {
			m.seen[key] = true
			emit(tuple{values: t, fed: true})
		}
	}
	return nil
}

// isFound tells whether a value of a row is a listing's.
func (m *merger) isFound(i int) bool {
	at := m.plan.Feed.From[i]
	return at >= 0 && m.plan.Feed.Sources[at].Found
}

// nameless is the error for an item of a listing without the name under which
// it is read.
func (m *merger) nameless(i int) error {
	list := m.plan.Feed.Sources[m.plan.Feed.From[i]].Scan.Method
	name := m.plan.Arguments[m.plan.Feed.Columns[i]]
	return fault.New(fault.ReplyInvalid, "an item of the list has no value for %s", name).On(list.FullName()).
		WithHint("name it: WHERE %s = '…'", name)
}

func same(a, b string, noCase bool) bool { return a == b || noCase && strings.EqualFold(a, b) }

// key gives a text that is the same for tuples that make the same call.
func (m *merger) key(values []*string) string {
	folded := append([]*string(nil), values...)
	for i, v := range values {
		if v != nil && m.noCase[i] {
			lower := strings.ToLower(*v)
			folded[i] = &lower
		}
	}
	key, _ := json.Marshal(folded) // texts always marshal
	return string(key)
}

// tupleQueue holds the arguments that one scan has brought for another. It is
// not bounded: they are keys of rows that are kept as well.
type tupleQueue struct {
	mutex  sync.Mutex
	list   []tuple
	closed bool
	err    error
	signal chan struct{} // has one token when something has changed
}

func newTupleQueue() *tupleQueue { return &tupleQueue{signal: make(chan struct{}, 1)} }

func (q *tupleQueue) add(t tuple) {
	q.mutex.Lock()
	q.list = append(q.list, t)
	q.mutex.Unlock()
	q.wake()
}

func (q *tupleQueue) close(err error) {
	q.mutex.Lock()
	q.closed, q.err = true, err
	q.mutex.Unlock()
	q.wake()
}

func (q *tupleQueue) wake() {
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// each gives the arguments as they come, to one reader.
func (q *tupleQueue) each(ctx context.Context, yield func(tuple, error) bool) {
	for {
		q.mutex.Lock()
		list, closed, err := q.list, q.closed, q.err
		q.list = nil
		q.mutex.Unlock()
		for _, t := range list {
			if !yield(t, nil) {
				return
			}
		}
		if closed {
			if err != nil {
				yield(tuple{}, err)
			}
			return
		}
		select {
		case <-q.signal:
		case <-ctx.Done():
			yield(tuple{}, ctx.Err())
			return
		}
	}
}

// gathered is a source of pages that are all there.
type gathered struct {
	pages []fetched
	at    int
}

// Next gives the next batch, or io.EOF.
func (g *gathered) Next(context.Context) (duck.Batch, error) {
	if g.at == len(g.pages) {
		return duck.Batch{}, io.EOF
	}
	g.at++
	return g.pages[g.at-1].batch, nil
}

// Close does nothing: the batches are in memory.
func (g *gathered) Close() {}

// nothing is a source without rows.
type nothing struct{}

// Next gives io.EOF.
func (nothing) Next(context.Context) (duck.Batch, error) { return duck.Batch{}, io.EOF }

// Close does nothing.
func (nothing) Close() {}

// deparse gives the text of a tree.
func deparse(db *duck.DB, tree syntax.Node) (string, error) {
	root := map[string]any{"error": false, "statements": []any{
		map[string]any{"node": map[string]any(tree), "named_param_map": []any{}},
	}}
	text, err := json.Marshal(root)
	if err != nil {
		return "", fault.Bug("the tree of a statement cannot be written: %v", err)
	}
	return db.Deparse(string(text))
}
