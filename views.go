package planeql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// store runs a statement that keeps the rows of a query: CREATE TABLE … AS,
// COPY … TO, INSERT into a table of the session.
func (s *Session) store(ctx context.Context, st *syntax.Statement, verb string) (*exec.Rows, error) {
	if _, err := st.Bind(nil); err != nil {
		return nil, err
	}
	built, err := s.build(ctx, st)
	if e := fault.As(err); e != nil && e.Code == fault.NotSupported {
		if refused := s.refuse(ctx, st, syntax.Other{Verb: verb}); refused != nil {
			return nil, err
		}
		return s.duckDB(ctx, st) // a query that cannot be planned, of tables alone
	}
	if err != nil {
		return nil, err
	}
	q, ok := built.(*plan.Query)
	if !ok {
		return nil, fault.Bug("a plan of an unknown kind: %T", built)
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	if staged(q, st) {
		rows, err := stage(ctx, q, env)
		return rows, q.InView(err)
	}
	rows, err := exec.RunQuery(ctx, q, env)
	err = q.InView(err)
	if head, ok := st.Head.(syntax.Other); ok && err != nil && fault.From(err).HTTP == nil {
		err = placed(err, st, head.Target)
	}
	return rows, err
}

// staged tells whether the rows of a statement are read whole before any is kept.
func staged(q *plan.Query, st *syntax.Statement) bool {
	return q.Verb == "COPY" && len(q.Scans) > 0 && severalFiles(st)
}

// severalFiles tells whether COPY may write more than one file. DuckDB removes
// one file when its rows end with an error, not several.
func severalFiles(st *syntax.Statement) bool {
	return slices.ContainsFunc(st.Tokens, func(t syntax.Token) bool {
		return t.Is("PARTITION_BY") || t.Is("PER_THREAD_OUTPUT") || t.Is("FILE_SIZE_BYTES") || t.Is("ROW_GROUPS_PER_FILE")
	})
}

// stageNumber makes the names of the temporary tables distinct.
var stageNumber atomic.Int64

// stageTable names a new temporary table.
func stageTable() string { return fmt.Sprintf("planeql_copy_%d", stageNumber.Add(1)) }

// stage runs COPY after all of its rows have been read into a temporary table,
// so that no file is written unless the rows are complete.
func stage(ctx context.Context, q *plan.Query, env exec.Env) (*exec.Rows, error) {
	table := stageTable()
	around := q.Within("FROM " + table)
	read, err := keepRows(ctx, q, table, env)
	if err != nil {
		return nil, err
	}
	defer dropKept(ctx, table, env)
	return overKept(ctx, around, read, env)
}

// keepRows reads the rows of a query into a new temporary table.
func keepRows(ctx context.Context, q *plan.Query, table string, env exec.Env) (*exec.Rows, error) {
	q.Wrap("CREATE TEMP TABLE "+table+" AS ", "")
	return collect(exec.RunQuery(ctx, q, env))
}

// dropKept drops a temporary table. The session may be closing: one that stays is
// dropped with it.
func dropKept(ctx context.Context, table string, env exec.Env) {
	_ = env.DB.Exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+table)
}

// overKept runs a text over rows that were kept, whose warnings and costs are
// then its own.
func overKept(ctx context.Context, text *syntax.Edited, read *exec.Rows, env exec.Env) (*exec.Rows, error) {
	rows, err := exec.RunSQL(ctx, text, env)
	if err != nil {
		return nil, err
	}
	all, err := exec.Collect(rows, read.Warnings()...)
	if err != nil {
		return nil, err
	}
	return all.CountedAs(read), nil
}

// collect reads rows to their end.
func collect(rows *exec.Rows, err error) (*exec.Rows, error) {
	if err != nil {
		return nil, err
	}
	return exec.Collect(rows)
}

// newView is a view on its way into the database.
type newView struct {
	syntax.Create
	kept  kept
	query *plan.Query
	env   exec.Env
}

// create runs CREATE … AS.
func (s *Session) create(ctx context.Context, st *syntax.Statement, head syntax.Create) (*exec.Rows, error) {
	if _, err := st.Bind(nil); err != nil {
		return nil, err
	}
	key, done, err := s.checkNew(ctx, head)
	if err != nil || done {
		return exec.List(nil, nil), placed(err, st, head.Name)
	}
	if head.What == "TABLE" {
		return s.store(ctx, st, "CREATE")
	}
	planner, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	query := st.Text.Part(head.Query.Start, head.Query.End)
	text, q, err := planner.View(head.Name.Parts[len(head.Name.Parts)-1], key, query)
	if err != nil {
		return nil, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	v := &newView{Create: head, kept: kept{Text: text, Columns: head.Columns}, query: q, env: env}
	var rows *exec.Rows
	if head.What == "VIEW" {
		rows, err = s.createView(ctx, st, v)
	} else if v.query, err = planner.Query(query); err == nil { // no parameter may be missing now
		v.kept.Materialized = true
		rows, err = s.materialize(ctx, v)
	}
	return rows, placed(v.query.InView(err), st, head.Name)
}

// placed gives an error without a position that of a name.
func placed(err error, st *syntax.Statement, name syntax.Name) error {
	if err == nil {
		return nil
	}
	return fault.From(err).At(st.Text.Span(name.Start, name.End))
}

// checkNew gives the key of what is replaced, tells whether there is nothing to
// do for IF NOT EXISTS, and gives an error where the name is taken.
func (s *Session) checkNew(ctx context.Context, head syntax.Create) (key string, done bool, err error) {
	what := strings.ToLower(head.What)
	if r, err := plan.ResolveResource(s.catalog, head.Name.Parts, nil); r != nil || err != nil && len(head.Name.Parts) == 3 {
		return "", false, fault.Unsupported("a "+what+" inside a provider").
			WithHint("give it a name of its own: CREATE %s my_%s AS …", head.What, head.Name.Parts[len(head.Name.Parts)-1])
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return "", false, err
	}
	objects = slices.DeleteFunc(objects, func(o object) bool { return o.temporary != head.Temp })
	old, exists := find(objects, head.Name)
	switch {
	case !exists:
		return "", false, nil
	case head.IfNotExists && !head.Replace:
		return "", true, nil
	case !head.Replace:
		return "", false, fault.New(fault.DuplicateTable, "there is a %s %q already", old.kind(), old.name).
			WithHint("CREATE OR REPLACE %s puts a new one in its place; SHOW TABLES lists all names", head.What)
	case old.view != (what == "view"):
		return "", false, fault.New(fault.DuplicateTable, "%q is a %s and cannot be replaced by a %s", old.name, old.kind(), what).
			WithHint("DROP %s %s first", strings.ToUpper(old.kind()), old.name)
	}
	return old.names()[0], false, nil
}

// createView makes a view. One that reads no resource is DuckDB's own; of
// another DuckDB has the columns, and the comment on it holds the query.
func (s *Session) createView(ctx context.Context, st *syntax.Statement, v *newView) (*exec.Rows, error) {
	if len(v.query.Scans) == 0 && !v.query.Expanded() {
		return s.duckDB(ctx, st)
	}
	columns, err := exec.Columns(ctx, v.query, v.env)
	if err != nil {
		return nil, err
	}
	if len(v.Columns) > len(columns) {
		return nil, fault.New(fault.InvalidValue, "the view names %d columns and its query has %d", len(v.Columns), len(columns)).
			WithHint("the names are those of the first columns of the query")
	}
	before, err := syntax.Normalize(st.Text.Part(0, v.Query.Start))
	if err != nil {
		return nil, err
	}
	err = v.env.DB.Transaction(ctx, func() error {
		if err := v.env.DB.Exec(ctx, before.Text+columnsOnly(v.Name, columns)); err != nil {
			return err
		}
		return s.keep(ctx, v)
	})
	if err != nil {
		return nil, err
	}
	return exec.List(nil, nil), nil
}

// columnsOnly gives a query with the columns of a view and no rows. It fails
// when it is run: DuckDB alone cannot read the view.
func columnsOnly(name syntax.Name, columns []duck.Column) string {
	var list []string
	for _, c := range columns {
		value := "NULL::" + c.Type
		if c.Type == "NULL" || c.Type == `"NULL"` {
			value = "NULL"
		}
		list = append(list, value+" AS "+syntax.QuoteName(c.Name))
	}
	why := "the view " + name.String() + " reads resources: planeql reads it where its database is the one at hand, in a SELECT, INSERT … SELECT, CREATE … AS or COPY"
	return "SELECT " + strings.Join(list, ", ") + " WHERE error(" + syntax.QuoteText(why) + ")"
}

// keep puts what DuckDB does not know of a view on it.
func (s *Session) keep(ctx context.Context, v *newView) error {
	objects, err := s.look(ctx)
	if err != nil {
		return err
	}
	objects = slices.DeleteFunc(objects, func(o object) bool { return o.temporary != v.Temp })
	o, ok := find(objects, v.Name)
	if !ok {
		return fault.Bug("the new view %s is not found", v.Name)
	}
	if !o.home {
		return fault.Unsupported("a view over resources in another database").
			WithHint("USE %s makes it the one at hand", sqlName(o.database, o.schema))
	}
	statement, err := v.kept.comment(o.sql(), o.view)
	if err != nil {
		return fault.Bug("a view cannot be written as JSON: %v", err)
	}
	return v.env.DB.Exec(ctx, statement)
}

// materialize reads the rows of a view into the table that stands for it. The
// rows that were there stay until all new ones have been read.
func (s *Session) materialize(ctx context.Context, v *newView) (*exec.Rows, error) {
	words := "CREATE "
	if v.Replace {
		words += "OR REPLACE "
	}
	if v.Temp {
		words += "TEMP "
	}
	before, after := words+"TABLE "+sqlName(v.Name.Parts...)+" AS ", ""
	if len(v.kept.Columns) > 0 {
		before, after = before+"SELECT * FROM (", ") AS planeql_view"+plan.NameList(v.kept.Columns)
	}
	v.query.Wrap(before, after)
	v.kept.RefreshedAt = time.Now().UTC().Truncate(time.Second)
	var rows *exec.Rows
	err := v.env.DB.Transaction(ctx, func() (err error) {
		if rows, err = collect(exec.RunQuery(ctx, v.query, v.env)); err != nil {
			return err
		}
		return s.keep(ctx, v)
	})
	return rows, err
}

// refresh reads the rows of a materialized view again.
func (s *Session) refresh(ctx context.Context, st *syntax.Statement, head syntax.Refresh) (*exec.Rows, error) {
	rows, err := s.refreshNamed(ctx, head.Name)
	return rows, placed(err, st, head.Name)
}

func (s *Session) refreshNamed(ctx context.Context, name syntax.Name) (*exec.Rows, error) {
	planner, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	o, ok := find(objects, name)
	if !ok {
		return nil, missing(objects, name, "materialized view")
	}
	if !o.home {
		return nil, fault.Unsupported("refreshing a view of another database").
			WithHint("USE %s makes it the one at hand", sqlName(o.database, o.schema))
	}
	if o.kind() != "materialized view" {
		hint := "a view has no rows of its own: it reads the resources whenever it is read"
		if o.kind() == "table" {
			hint = "CREATE MATERIALIZED VIEW … AS makes a table that knows its query"
		}
		return nil, fault.New(fault.InvalidValue, "%q is a %s, not a materialized view", o.name, o.kind()).WithHint("%s", hint)
	}
	source := &fault.Source{Name: "view " + o.name, Text: o.kept.Text}
	q, err := planner.Query(syntax.Original(source, 0, len(source.Text)))
	if err != nil {
		return nil, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	full := syntax.Name{Parts: []string{o.database, o.schema, o.name}}
	return s.materialize(ctx, &newView{
		Create: syntax.Create{Replace: true, Temp: o.temporary, Name: full}, kept: *o.kept, query: q, env: env,
	})
}

// missing is the error for a name that no table or view has.
func missing(objects []object, name syntax.Name, kind string) error {
	var known []string
	for _, o := range objects {
		if o.kind() == kind || kind == "table" {
			known = append(known, o.name)
		}
	}
	list := "SHOW VIEWS lists them"
	if kind == "table" {
		list = "SHOW TABLES lists them"
	}
	return fault.New(fault.UndefinedTable, "there is no %s %q", kind, name).
		WithHint("%s", fault.DidYouMean(name.String(), known, list))
}

// drop runs DROP of a view or table of the session.
func (s *Session) drop(ctx context.Context, st *syntax.Statement, head syntax.Drop) (*exec.Rows, error) {
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	o, ok := find(objects, head.Name)
	if !ok {
		err = s.refuse(ctx, st, syntax.Other{Verb: "DROP", Target: head.Name})
	}
	if err != nil {
		return nil, err
	}
	kind := strings.ToLower(head.What)
	switch {
	case !ok && head.IfExists:
		return exec.List(nil, nil), nil
	case !ok:
		return nil, placed(missing(objects, head.Name, kind), st, head.Name)
	case o.kind() != kind:
		return nil, placed(fault.New(fault.InvalidValue, "%q is a %s, not a %s", o.name, o.kind(), kind).
			WithHint("DROP %s %s drops it", strings.ToUpper(o.kind()), o.name), st, head.Name)
	}
	if kind != "materialized view" {
		return s.duckDB(ctx, st)
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	return exec.List(nil, nil), env.DB.Exec(ctx, "DROP TABLE "+o.sql())
}

// describeQuery gives the columns of a query as rows.
func describeQuery(ctx context.Context, q *plan.Query, env exec.Env) (*exec.Rows, error) {
	columns, err := exec.Columns(ctx, q, env)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, c := range columns {
		rows = append(rows, []any{c.Name, c.Type, nil})
	}
	header := []duck.Column{{Name: "name", Type: "VARCHAR"}, {Name: "type", Type: "VARCHAR"}, {Name: "description", Type: "VARCHAR"}}
	return exec.List(header, rows), nil
}
