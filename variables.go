package planeql

import (
	"context"
	"strings"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// The variables of SET VARIABLE are DuckDB's, so that macros and statements about
// tables alone have them. A statement that is planned has their values in its
// text: they bind parameters of methods, whatever connection it runs on.

// setVariable runs SET VARIABLE. Where that fails the variable has no value any
// more: a script that goes on must not take an old one for the new.
func (s *Session) setVariable(ctx context.Context, st *syntax.Statement, head syntax.SetVariable) (*exec.Rows, error) {
	if _, err := st.Bind(nil); err != nil {
		return nil, err // a ? without a value
	}
	valueOf := s.queriedValue
	if head.Write != nil {
		valueOf = s.writtenValue
	}
	rows, value, err := valueOf(ctx, st, head)
	if value != nil && err == nil {
		err = s.assign(ctx, head.Name, *value)
	}
	if err != nil {
		s.forget(ctx, head.Name)
		return nil, fault.From(err).At(st.Text.Span(head.Value.Start, head.Value.End))
	}
	if value == nil {
		return rows, nil // the requests of a dry run
	}
	none, err := exec.Collect(exec.List(nil, nil), rows.Warnings()...)
	if err == nil {
		none.Targets, none.Failed = rows.Targets, rows.Failed
	}
	return none, err
}

// resetVariable runs RESET VARIABLE.
func (s *Session) resetVariable(ctx context.Context, st *syntax.Statement, head syntax.ResetVariable) (*exec.Rows, error) {
	delete(s.variables, strings.ToLower(head.Name))
	return s.duckDB(ctx, st)
}

// forget takes the value of a variable away. DuckDB has it under the same name.
func (s *Session) forget(ctx context.Context, name string) {
	delete(s.variables, strings.ToLower(name))
	if db, err := s.database(ctx); err == nil {
		_ = db.Exec(context.WithoutCancel(ctx), "RESET VARIABLE "+syntax.QuoteName(name)) // none is no error
	}
}

// typed is a value as DuckDB writes it, with its type.
type typed struct {
	kind string
	text *string // nil: NULL
}

// queriedValue gives the value of an expression, which may read resources.
func (s *Session) queriedValue(ctx context.Context, st *syntax.Statement, head syntax.SetVariable) (*exec.Rows, *typed, error) {
	q, err := s.valueQuery(ctx, st, head)
	if err != nil {
		return nil, nil, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, nil, err
	}
	q.Wrap("SELECT typeof(v), v::VARCHAR, 1 FROM (", ") AS planeql_value(v)")
	rows, err := collect(exec.RunQuery(ctx, q, env))
	if err != nil {
		return nil, nil, q.InView(err)
	}
	value, _, err := valueOf(rows)
	return rows, value, err
}

// valueQuery plans the expression of a variable.
func (s *Session) valueQuery(ctx context.Context, st *syntax.Statement, head syntax.SetVariable) (*plan.Query, error) {
	planner, err := s.planner(ctx)
	if err != nil {
		return nil, err
	}
	return planner.Query(st.Text.Apply([]syntax.Edit{
		{Start: 0, End: head.Value.Start, Text: "SELECT ("},
		{Start: head.Value.End, End: len(st.Text.Text), Text: ")"},
	}))
}

// explainedValue gives the plan of what SET VARIABLE and CHECK evaluate.
func (s *Session) explainedValue(ctx context.Context, st *syntax.Statement) (plan.Explained, error) {
	var q *plan.Query
	var err error
	switch head := st.Head.(type) {
	case syntax.SetVariable:
		if head.Write != nil {
			return s.explained(ctx, head.Write)
		}
		q, err = s.valueQuery(ctx, st, head)
	case syntax.Check:
		q, err = s.checkQuery(ctx, st, head)
	}
	if err != nil {
		return plan.Explained{}, err
	}
	return plan.Explain(q, s.facts()), nil
}

// writtenValue makes a write and gives the value of what it returns. In a dry run
// there is none.
func (s *Session) writtenValue(ctx context.Context, _ *syntax.Statement, head syntax.SetVariable) (*exec.Rows, *typed, error) {
	w, env, err := s.valueWrite(ctx, head)
	if err != nil {
		return nil, nil, err
	}
	env.Records.Statement = hashOf(head.Write)
	if env.DryRun {
		rows, err := exec.RunWrite(ctx, w, env)
		return rows, nil, err
	}
	value := "first(v)"
	if head.List {
		value = "coalesce(list(v), [])"
	}
	w.Returning.Wrap("SELECT typeof("+value+"), "+value+"::VARCHAR, count(*) FROM (", ") AS planeql_value(v)")
	rows, err := exec.RunWrite(ctx, w, env)
	if err != nil {
		return nil, nil, err
	}
	failed, targets := rows.Failed, rows.Targets
	if rows, err = exec.Collect(rows); err != nil {
		return nil, nil, err
	}
	rows.Failed, rows.Targets = failed, targets
	one, n, err := valueOf(rows)
	if err == nil && n > 1 && !head.List {
		err = fault.New(fault.DataException, "the statement gave %d rows and a variable holds one value", n).
			WithHint("the calls were made: planeql_outcomes() lists them; ARRAY(…) in the place of (…) keeps the values of all rows as a list")
	}
	return rows, one, err
}

// valueWrite plans the write whose answer is the value of a variable.
func (s *Session) valueWrite(ctx context.Context, head syntax.SetVariable) (*plan.Write, exec.Env, error) {
	built, err := s.build(ctx, head.Write)
	if err != nil {
		return nil, exec.Env{}, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, env, err
	}
	at := head.Write.Text.Span(0, len(head.Write.Text.Text))
	w, ok := built.(*plan.Write)
	if !ok {
		return nil, env, fault.Unsupported("a variable with the value of a write to a table").At(at).
			WithHint("write to the table first, then SET VARIABLE name = (SELECT …)")
	}
	if w.Returning == nil {
		return nil, env, fault.New(fault.SyntaxError, "the statement returns no value").At(at).
			WithHint("RETURNING names it: SET VARIABLE id = (INSERT … RETURNING id)")
	}
	columns, err := exec.Columns(ctx, w.Returning, env)
	if err == nil && len(columns) != 1 {
		err = fault.New(fault.InvalidValue, "the statement returns %d columns and a variable holds one value", len(columns)).At(at).
			WithHint("RETURNING one column: SET VARIABLE id = (INSERT … RETURNING id)")
	}
	return w, env, err
}

// valueOf reads the row of a value: its type, its text, and of how many rows it
// is made.
func valueOf(rows *exec.Rows) (*typed, int64, error) {
	if !rows.Next() {
		return nil, 0, fault.Bug("the query of a variable gave no row")
	}
	row := rows.Values()
	value := &typed{}
	value.kind, _ = row[0].(string)
	if text, ok := row[1].(string); ok {
		value.text = &text
	}
	n, _ := row[2].(int64)
	return value, n, nil
}

// literal gives a value as a literal of SQL.
func (t typed) literal() string {
	switch {
	case t.kind == "NULL" || t.kind == `"NULL"`:
		return "NULL"
	case t.text == nil:
		return "CAST(NULL AS " + t.kind + ")"
	case t.kind == "VARCHAR":
		return syntax.QuoteText(*t.text)
	case t.kind == "BOOLEAN", t.kind == "INTEGER" && !strings.HasPrefix(*t.text, "-"):
		return *t.text
	}
	return "CAST(" + syntax.QuoteText(*t.text) + " AS " + t.kind + ")"
}

// assign gives a variable its value.
func (s *Session) assign(ctx context.Context, name string, value typed) error {
	db, err := s.database(ctx)
	if err != nil {
		return err
	}
	v := syntax.Variable{Literal: value.literal(), List: value.text != nil && strings.HasSuffix(value.kind, "[]")}
	if err := keepsValue(ctx, db, value); err != nil {
		return err
	}
	if v.List {
		if v.Elements, err = elements(ctx, db, v.Literal); err != nil {
			return err
		}
		v.Literal = "[" + strings.Join(v.Elements, ", ") + "]"
		if len(v.Elements) == 0 {
			v.Literal = "CAST([] AS " + value.kind + ")"
		}
	}
	if err := db.Exec(ctx, "SET VARIABLE "+syntax.QuoteName(name)+" = "+v.Literal); err != nil {
		return err
	}
	s.variables[strings.ToLower(name)] = v
	return nil
}

// keepsValue checks that a value is the same after it was written as text.
func keepsValue(ctx context.Context, db *duck.DB, value typed) error {
	if value.text == nil || value.kind == "VARCHAR" {
		return nil
	}
	rows, err := texts(ctx, db, "SELECT CAST("+syntax.QuoteText(*value.text)+" AS "+value.kind+")::VARCHAR, ''")
	if err != nil || len(rows) != 1 || rows[0].kind != *value.text {
		return fault.Unsupported("a variable of type " + value.kind).
			WithHint("keep it in a table: CREATE TEMP TABLE name AS SELECT …")
	}
	return nil
}

// elements gives the elements of a list as literals.
func elements(ctx context.Context, db *duck.DB, list string) ([]string, error) {
	rows, err := texts(ctx, db, "SELECT typeof(v), v::VARCHAR FROM (SELECT unnest("+list+") AS v)")
	var literals []string
	for _, r := range rows {
		literals = append(literals, r.literal())
	}
	return literals, err
}

// texts runs a query of two text columns.
func texts(ctx context.Context, db *duck.DB, query string) ([]typed, error) {
	rows, err := db.Query(ctx, query, duck.QueryOptions{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []typed
	for rows.Next() {
		var t typed
		t.kind, _ = rows.Values()[0].(string)
		if text, ok := rows.Values()[1].(string); ok {
			t.text = &text
		}
		list = append(list, t)
	}
	return list, rows.Err()
}
