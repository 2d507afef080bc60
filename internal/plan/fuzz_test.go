package plan_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/providers"
)

// parserOf gives DuckDB's parser, as the session has it.
func parserOf(tb testing.TB) plan.Parse {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return func(text *syntax.Edited) ([]byte, error) {
		var tree string
		if err := db.QueryRow("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", text.Text).Scan(&tree); err != nil {
			return nil, fault.New(fault.SyntaxError, "%v", err).At(text.Span(0, len(text.Text)))
		}
		if strings.HasPrefix(tree, `{"error":true`) {
			return nil, fault.New(fault.SyntaxError, "%s", tree).At(text.Span(0, len(text.Text)))
		}
		return []byte(tree), nil
	}
}

// seeds gives the statements of testdata.
func seeds(f *testing.F) []string {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	var list []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the corpus of the fuzzer is a folder
		}
		for _, c := range bytes.Split(text, []byte("\n\n")) {
			_, statement, _ := strings.Cut(string(c), "\n")
			statement, _, found := strings.Cut(statement, "\n----\n")
			if found {
				list = append(list, statement)
			}
		}
	}
	return list
}

// Whatever the text, a plan is made whose SQL DuckDB can parse, or the error is
// a fault whose place is inside the text. Nothing of it is a bug.
func FuzzPlan(f *testing.F) {
	azure, err := provider.Open(providers.FS, "azure")
	if err != nil {
		f.Fatal(err)
	}
	p := &plan.Planner{Catalog: catalog.New(azure), Parse: parserOf(f), Options: plan.Options{Use: []string{"azure", "desktop_virtualization"}}}
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := syntax.Parse(&fault.Source{Name: "query", Text: text}, nil)
		if err != nil {
			return
		}
		for _, s := range statements {
			if _, isOther := s.Head.(syntax.Other); isOther {
				continue
			}
			switch s.Head.(type) {
			case syntax.Use, syntax.Explain:
				continue
			}
			built, err := p.Build(s)
			if err != nil {
				checkFault(t, err, text)
				continue
			}
			checkSQL(t, p, built)
		}
	})
}

func checkFault(t *testing.T, err error, text string) {
	t.Helper()
	e := fault.As(err)
	if e == nil || e.Code == fault.Internal {
		t.Fatalf("error = %v", err)
	}
	if e.Span.Source != nil && (e.Span.Start < 0 || e.Span.End < e.Span.Start || e.Span.End > len(text)) {
		t.Fatalf("%v is at %d to %d of %d bytes", err, e.Span.Start, e.Span.End, len(text))
	}
	if e.Print() == "" {
		t.Fatal("an error without a printed form")
	}
}

// checkSQL checks that the text DuckDB is to evaluate is a query.
func checkSQL(t *testing.T, p *plan.Planner, built any) {
	t.Helper()
	plan.Explain(built, plan.Facts{}).Lines()
	q, ok := built.(*plan.Query)
	if !ok {
		return
	}
	var sources []plan.Rows
	for i := range q.Scans {
		sources = append(sources, source(i))
	}
	if _, err := p.Parse(q.SQL(sources)); err != nil {
		t.Fatalf("%v\nfor %s", err, q.SQL(sources).Text)
	}
}
