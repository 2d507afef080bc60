package planeql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/internal/transport"
)

// setUse runs USE provider[.service]; any other name is a catalog or schema of
// DuckDB.
func (s *Session) setUse(ctx context.Context, st *syntax.Statement, head syntax.Use) (*exec.Rows, error) {
	parts := head.Name.Parts
	full, err := s.usePath(parts)
	if err == nil {
		s.use = full
		return exec.List(nil, nil), nil
	}
	if len(parts) > 2 {
		return nil, fault.From(err).At(st.Text.Span(head.Name.Start, head.Name.End)).
			WithHint("USE %s.%s makes %s enough", parts[0], parts[1], parts[2])
	}
	if len(fault.Suggest(parts[0], s.catalog.Providers())) > 0 {
		return nil, fault.From(err).At(st.Text.Span(head.Name.Start, head.Name.End))
	}
	return s.duckDB(ctx, st)
}

// usePath gives provider and service of USE in the documents' spelling.
func (s *Session) usePath(parts []string) ([]string, error) {
	for _, name := range s.catalog.Providers() {
		if !strings.EqualFold(name, parts[0]) {
			continue
		}
		if len(parts) == 1 {
			return []string{name}, nil
		}
		if len(parts) == 2 {
			service, err := s.catalog.Service(name, parts[1])
			if err != nil {
				return nil, err
			}
			return []string{name, service.Name}, nil
		}
	}
	return nil, fault.New(fault.UndefinedTable, "USE takes a provider or provider.service, not %q", strings.Join(parts, ".")).
		WithHint("%s", fault.DidYouMean(parts[0], s.catalog.Providers(), "SHOW PROVIDERS lists them"))
}

// localWrite gives a statement that writes to a table of the session as one of
// DuckDB's, and any other as it is.
func (s *Session) localWrite(ctx context.Context, st *syntax.Statement) (*syntax.Statement, error) {
	head, writes := st.Head.(interface{ Written() syntax.Target })
	if !writes {
		return st, nil
	}
	t := head.Written()
	local := *st
	local.Head = t.Local
	if len(t.Local.Target.Parts) == 0 {
		return &local, nil
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	if _, known := find(objects, t.Local.Target); known {
		return &local, nil
	}
	r, err := plan.ResolveResource(s.catalog, t.Local.Target.Parts, s.use)
	if err != nil {
		return nil, fault.From(err).At(st.Text.Span(t.Local.Target.Start, t.Local.Target.End))
	}
	if r == nil {
		return &local, nil
	}
	return st, nil
}

// checkWrite gives what is wrong with the form of a write to a name in full,
// which needs no session to be a resource's.
func (s *Session) checkWrite(st *syntax.Statement) error {
	head, writes := st.Head.(interface{ Written() syntax.Target })
	if !writes || head.Written().Wrong == nil || len(head.Written().Local.Target.Parts) != 3 {
		return nil
	}
	if r, _ := plan.ResolveResource(s.catalog, head.Written().Local.Target.Parts, nil); r == nil {
		return nil // the statement's own run says what is wrong
	}
	return head.Written().Wrong
}

// other runs a statement that DuckDB knows, unless it concerns a resource.
func (s *Session) other(ctx context.Context, st *syntax.Statement, head syntax.Other) (*exec.Rows, error) {
	if done, err := s.setOnError(st, head); done || err != nil {
		return exec.List(nil, nil), err
	}
	planned, err := s.plans(ctx, st, head)
	if err != nil {
		return nil, err
	}
	if planned {
		return s.store(ctx, st, head.Verb)
	}
	if err := s.refuseComment(ctx, st); err != nil {
		return nil, err
	}
	rows, err := s.duckDB(ctx, st)
	if e := fault.As(err); e != nil && e.Code == fault.SyntaxError && e.Span.Start == st.Text.Span(0, 1).Start {
		return nil, e.WithHint("%s", verbHint(st.Text.Text))
	}
	return rows, err
}

// plans tells whether a statement keeps the rows of a query in a table of the
// session, or is DuckDB's alone. A resource elsewhere in it is an error.
func (s *Session) plans(ctx context.Context, st *syntax.Statement, head syntax.Other) (bool, error) {
	if head.Query.End > 0 && mentionsTable(st, head.Query) {
		return true, nil
	}
	return false, s.refuse(ctx, st, head)
}

// refuse gives the error for statements over resources that are DuckDB's alone:
// they must not reach it, which would only say that it knows no such table.
func (s *Session) refuse(ctx context.Context, st *syntax.Statement, head syntax.Other) error {
	if err := s.refuseTarget(ctx, st, head); err != nil {
		return err
	}
	for i := 0; i+4 < len(st.Tokens); i++ {
		t := st.Tokens[i]
		name, ok := t.Name()
		if !ok || !st.Tokens[i+1].IsSymbol(".") || !st.Tokens[i+3].IsSymbol(".") {
			continue
		}
		if slices.ContainsFunc(s.catalog.Providers(), func(p string) bool { return strings.EqualFold(p, name) }) {
			return fault.Unsupported(head.Verb + " over a resource").At(st.Span(t, st.Tokens[i+4])).
				WithHint("a SELECT can read resources; -o csv or jsonl writes its rows to a file")
		}
	}
	return nil
}

// refuseTarget is refuse for the target of the statement alone.
func (s *Session) refuseTarget(ctx context.Context, st *syntax.Statement, head syntax.Other) error {
	if len(head.Target.Parts) == 0 {
		return nil
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return err
	}
	if _, local := find(objects, head.Target); local {
		return nil
	}
	at := st.Text.Span(head.Target.Start, head.Target.End)
	r, err := plan.ResolveResource(s.catalog, head.Target.Parts, s.use)
	if err != nil {
		return fault.From(err).At(at)
	}
	if r == nil {
		return nil
	}
	return fault.Unsupported(head.Verb+" on a resource").On(r.Path()).At(at).
		WithHint("SHOW METHODS IN %s lists what can be done with it", r.Path())
}

// mentionsTable tells whether a part of a statement can name a table: rows
// written out as values go to DuckDB without being planned.
func mentionsTable(st *syntax.Statement, part syntax.Clause) bool {
	return slices.ContainsFunc(st.Tokens, func(t syntax.Token) bool {
		return t.Start >= part.Start && t.End <= part.End &&
			(t.Is("FROM") || t.Is("TABLE") || t.Is("PIVOT") || t.Is("UNPIVOT") || t.Is("SUMMARIZE") || t.Is("DESCRIBE"))
	})
}

// refuseComment gives the error for a comment on a view over resources, whose
// comment is where its query is kept.
func (s *Session) refuseComment(ctx context.Context, st *syntax.Statement) error {
	if !st.Tokens[0].Is("COMMENT") || len(st.Tokens) < 4 {
		return nil
	}
	name, ok := syntax.NameAt(st.Text.Text, st.Tokens[3].Start, 1)
	if !ok {
		return nil
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return err
	}
	if o, ok := find(objects, name); ok && o.kept != nil && !st.Tokens[2].Is("COLUMN") {
		return fault.Unsupported("a comment on a view over resources").At(st.Span(st.Tokens[3], st.Tokens[3])).
			WithHint("its comment holds its query: SHOW EXTENDED VIEWS shows it")
	}
	return nil
}

// setOnError runs SET on_error = 'skip'.
func (s *Session) setOnError(st *syntax.Statement, head syntax.Other) (bool, error) {
	t := st.Tokens
	if head.Verb != "SET" || len(t) != 4 || !t[1].Is("on_error") {
		return false, nil
	}
	switch value := OnError(strings.ToLower(strings.Trim(t[3].Text, "'"))); value {
	case Fail, Skip:
		s.settings.onError = value
		return true, nil
	}
	return true, fault.New(fault.InvalidValue, "on_error is 'fail' or 'skip'").
		WithHint("fail ends a SELECT at the first call that fails; skip gives the other rows and a warning for each loss").At(st.Span(t[3], t[3]))
}

// duckDB runs a statement in DuckDB as it is.
func (s *Session) duckDB(ctx context.Context, st *syntax.Statement) (*exec.Rows, error) {
	return s.duckText(ctx, st.Text)
}

// duckText runs a text in DuckDB.
func (s *Session) duckText(ctx context.Context, text *syntax.Edited) (*exec.Rows, error) {
	normal, err := syntax.Normalize(text)
	if err != nil {
		return nil, err
	}
	env, err := s.env(ctx)
	if err != nil {
		return nil, err
	}
	return exec.RunSQL(ctx, normal, env)
}

// shownWhere gives the rows of a table of the catalog that fulfil a condition,
// which DuckDB evaluates: every column is a text there.
func (s *Session) shownWhere(ctx context.Context, st *syntax.Statement, where syntax.Clause, t *plan.Table) (*exec.Rows, error) {
	var empty, rows []string
	for _, name := range t.Columns {
		empty = append(empty, "NULL::VARCHAR AS "+syntax.QuoteName(name))
	}
	for _, row := range t.Rows {
		values := make([]string, len(row))
		for i, v := range row {
			if values[i] = "NULL"; v != nil {
				values[i] = syntax.QuoteText(fmt.Sprint(v))
			}
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	}
	text := "SELECT * FROM (SELECT " + strings.Join(empty, ", ") + " WHERE false"
	if len(rows) > 0 {
		text += " UNION ALL VALUES " + strings.Join(rows, ", ")
	}
	condition := st.Text.Part(where.Start, where.End)
	shown, err := s.duckText(ctx, condition.Apply([]syntax.Edit{{Text: text + ") AS shown WHERE "}}))
	if e := fault.As(err); e != nil && e.Span.Source == nil {
		return nil, e.At(st.Text.Span(where.Start, where.End))
	}
	return shown, err
}

// tableRows gives a table of the catalog as rows.
func tableRows(t *plan.Table) *exec.Rows {
	var columns []duck.Column
	for _, name := range t.Columns {
		columns = append(columns, duck.Column{Name: name, Type: "VARCHAR"})
	}
	return exec.List(columns, t.Rows)
}

// progressEvery is how often a running statement tells how far it is.
const progressEvery = 100 * time.Millisecond

// watch tells the progress function about a statement until the function it
// gives is called.
func (s *Session) watch(ctx context.Context, now func() Progress) func() {
	if s.settings.progress == nil || ctx.Value(spendingKey{}) != nil { // one line for all
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				s.settings.progress(now())
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func progressOf(t transport.Stats, rows int64, operations *exec.Operations) Progress {
	p := Progress{Calls: t.Calls, Retries: t.Retries, Bytes: t.Bytes, Rows: rows}
	p.Operations, p.Running = operations.Counts()
	if left := time.Until(t.WaitUntil); left > 0 {
		p.Waiting, p.WaitingFor = left, t.WaitingFor
	}
	return p
}
