package plan_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/providers"
)

// planner makes a planner over the built-in documents.
func planner(t *testing.T) *plan.Planner {
	t.Helper()
	azure, err := provider.Open(providers.FS, "azure")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &plan.Planner{Catalog: catalog.New(azure), Parse: func(text *syntax.Edited) ([]byte, error) {
		var tree any
		if err := db.QueryRowContext(t.Context(), "SELECT json_serialize_sql(?::VARCHAR)", text.Text).Scan(&tree); err != nil {
			return nil, err
		}
		if m := tree.(map[string]any); m["error"] == true {
			return nil, errors.New(fmt.Sprint(m["error_message"]))
		}
		// duckdb-go decodes JSON into floats: 2^64-1 stands for no position.
		text2, err := json.Marshal(tree)
		return []byte(strings.ReplaceAll(string(text2), "18446744073709552000", "18446744073709551615")), err
	}}
}

// source is a scan that nothing runs.
type source int

func (s source) SQL() string { return fmt.Sprintf("scan_%d", int(s)) }

func (s source) MisfitSQL(column, text string) string {
	return fmt.Sprintf("misfit(%s, %s)", syntax.QuoteText(column), text)
}

// The files in testdata hold statements and what becomes of them:
//
//	plan     the plan in the words of EXPLAIN, or the error in its printed form
//	scans    the scans of a plan in short: how each is read and why, which conditions
//	         bind it, narrow it and are left to DuckDB
//	sql      the text that DuckDB evaluates
//	write    the plan of a write, in short: its scans by their methods, and its
//	         call; and the text of the query for its rows
//	view     a new view of the session, name=… columns=(…), and its text; the
//	         statements behind it in the file may name it
//
// go test ./internal/plan -rewrite takes over what is printed.
func TestPlans(t *testing.T) {
	p := planner(t)
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return // inputs of FuzzPlan
		}
		views := plan.Options{Views: map[string]plan.View{}, Locals: map[string]string{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p := *p
			p.Options = views
			for _, arg := range d.CmdArgs {
				if arg.Key == "use" {
					p.Options.Use = arg.Vals
				}
			}
			statements, err := syntax.Parse(&fault.Source{Name: "query", Text: d.Input}, map[string]string{})
			if err != nil {
				return fault.From(err).Print() + "\n"
			}
			if d.Cmd == "view" {
				return newView(&p, d, statements[0])
			}
			var out strings.Builder
			for _, s := range statements {
				out.WriteString(show(&p, s, d.Cmd))
			}
			return out.String()
		})
	})
}

// newView adds a view to those of the planner.
func newView(p *plan.Planner, d *datadriven.TestData, s *syntax.Statement) string {
	v := plan.View{}
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "name":
			v.Name, v.Key = arg.Vals[0], arg.Vals[0]
		case "columns":
			v.Columns = arg.Vals
		}
	}
	text, _, err := p.View(v.Name, v.Key, s.Text)
	if err != nil {
		return fault.From(err).Print() + "\n"
	}
	v.Text = text
	p.Options.Views[v.Name], p.Options.Views["main."+v.Name], p.Options.Locals[v.Name] = v, v, `"main"."`+v.Name+`"`
	return text + "\n"
}

func show(p *plan.Planner, s *syntax.Statement, command string) string {
	built, err := p.Build(s)
	if err != nil {
		return fault.From(err).Print() + "\n"
	}
	if w, ok := built.(*plan.Write); ok && command == "write" {
		return showWrite(w)
	}
	if command == "plan" {
		return strings.Join(plan.Explain(built, plan.Facts{}).Lines(), "\n") + "\n"
	}
	if command == "scans" {
		return showScans(plan.Explain(built, plan.Facts{}))
	}
	q, ok := built.(*plan.Query)
	if !ok {
		return fmt.Sprintf("%T has no SQL\n", built)
	}
	var sources []plan.Rows
	for i := range q.Scans {
		sources = append(sources, source(i))
	}
	return q.SQL(sources).Text + "\n"
}

// showScans gives the scans of a plan in short.
func showScans(x plan.Explained) string {
	var out strings.Builder
	if x.Calls != nil {
		fmt.Fprintf(&out, "%s calls\n", x.Calls.Formula)
	}
	for _, s := range x.Scans {
		verb := "scan"
		if s.Finds {
			verb = "find"
		}
		fmt.Fprintf(&out, "%d %s %s: %s", s.Step, verb, s.Name, strings.TrimPrefix(s.Method, "azure."))
		if len(s.FedBy) > 0 {
			fmt.Fprintf(&out, " fed by %s", strings.Trim(fmt.Sprint(s.FedBy), "[]"))
		}
		if s.SameAs > 0 {
			fmt.Fprintf(&out, "; the calls of %d", s.SameAs)
		}
		if s.Spooled {
			out.WriteString("; kept")
		}
		if strings.HasPrefix(s.Pages, "read one by one") {
			out.WriteString("; one by one")
		}
		fmt.Fprintf(&out, "; %s\n", s.Reason)
		if len(s.Arguments) > 0 && len(s.Arguments[0]) > 0 {
			fmt.Fprintf(&out, "    with %v\n", s.Arguments)
		}
		for _, facts := range []struct {
			verb string
			list []string
		}{{"binds", s.Binds}, {"narrows", s.Narrows}, {"filters", s.Filters}} {
			for _, text := range facts.list {
				fmt.Fprintf(&out, "    %s %s\n", facts.verb, text)
			}
		}
	}
	return out.String()
}

// showWrite gives the plan of a write in short.
func showWrite(w *plan.Write) string {
	var out strings.Builder
	x := plan.Explain(w, plan.Facts{})
	fmt.Fprintf(&out, "%s calls", x.Calls.Formula)
	for _, s := range x.Scans {
		fmt.Fprintf(&out, "; %s(%d)", s.Method[strings.LastIndex(s.Method, ".")+1:], len(s.Parameters))
	}
	fmt.Fprintf(&out, "; %s", strings.TrimPrefix(x.Write.Method, "azure."))
	for _, a := range x.Write.Arguments {
		fmt.Fprintf(&out, " %v", a)
	}
	for _, fact := range []string{strings.Join(x.Write.Rows, ", "), x.Write.Body, x.Write.Before} {
		if fact != "" {
			fmt.Fprintf(&out, "\n  %s", fact)
		}
	}
	if w.Ordered {
		out.WriteString("\n  one after another")
	}
	out.WriteString("\n")
	if w.Source != nil && len(w.Source.Scans) == 0 {
		fmt.Fprintf(&out, "  %s\n", w.Source.SQL(nil).Text)
	}
	return out.String()
}
