package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// A value takes the form that it has on the wire, or is refused before any call.
func TestConvert(t *testing.T) {
	schema := func(kind, format string) *openapi.Schema { return &openapi.Schema{Type: kind, Format: format} }
	const path, query = provider.InPath, provider.InQuery
	for _, c := range []struct {
		in       provider.Location
		schema   *openapi.Schema
		text     string
		want, is string // is: what the error says of the value that is taken
	}{
		{path, nil, "hp-office", "hp-office", ""},
		{path, schema("string", ""), "a b/c?", "a b/c?", ""},
		{path, schema("string", ""), "", "", "a name"},
		{path, schema("string", ""), ".", "", "a name"},
		{path, schema("string", ""), "..", "", "a name"},
		{path, schema("string", ""), "...", "...", ""},
		{query, schema("string", ""), "", "", ""},
		{query, schema("string", ""), " x ", " x ", ""},
		{path, schema("string", "uuid"), "8F2C1A5E-3b6d-4c7a-9e10-5d2f4b8a6c01", "8F2C1A5E-3b6d-4c7a-9e10-5d2f4b8a6c01", ""},
		{path, schema("string", "uuid"), "8f2c1a5e3b6d4c7a9e105d2f4b8a6c01", "", "a UUID"},
		{path, schema("string", "uuid"), "8f2c1a5e-3b6d-4c7a-9e10-5d2f4b8a6c01x", "", "a UUID"},
		{query, schema("boolean", ""), "TRUE", "true", ""},
		{query, schema("boolean", ""), " t ", "true", ""},
		{query, schema("boolean", ""), "1", "true", ""},
		{query, schema("boolean", ""), "no", "false", ""},
		{query, schema("boolean", ""), "maybe", "", "true or false"},
		{query, schema("boolean", ""), "", "", "true or false"},
		{query, schema("integer", "int32"), " 100 ", "100", ""},
		{query, schema("integer", "int32"), "-5", "-5", ""},
		{query, schema("integer", "int32"), "2147483648", "", "an integer"},
		{query, schema("integer", ""), "2147483648", "2147483648", ""},
		{query, schema("integer", "int64"), "9223372036854775808", "", "an integer"},
		{query, schema("integer", ""), "1.5", "", "an integer"},
		{query, schema("integer", ""), "1e3", "", "an integer"},
		{query, schema("number", ""), "1.5", "1.5", ""},
		{query, schema("number", ""), "many", "", "a number"},
		{query, schema("number", ""), "NaN", "", "a number"},
		{query, schema("number", ""), "Inf", "", "a number"},
		{query, schema("number", ""), "0x1p4", "", "a number"},
		{query, schema("number", ""), "1_000", "", "a number"},
	} {
		got, err := plan.Convert(provider.Parameter{Name: "p", In: c.in, Schema: c.schema}, c.text)
		if c.is == "" {
			if err != nil || got != c.want {
				t.Errorf("Convert(%s, %q) = %q, %v, want %q", c.in, c.text, got, err, c.want)
			}
			continue
		}
		if e := fault.As(err); e == nil || e.Code != fault.InvalidValue || e.Hint == "" || !strings.Contains(e.Message, "p takes "+c.is+", not '") {
			t.Errorf("Convert(%s, %q) = %q, %v, want the error that it takes %s", c.in, c.text, got, err, c.is)
		}
	}
}

// list gives a list of n texts.
func list(prefix string, n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("'%s%d'", prefix, i))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

const one = "SELECT id FROM azure.desktop_virtualization.host_pools WHERE subscriptionId = '11111111-1111-1111-1111-111111111111'"

// Conditions with very many branches are read in full, only more widely, and a
// statement that asks for very many calls is refused.
func TestBuild_limits(t *testing.T) {
	p := planner(t)
	build := func(text string) (*plan.Query, error) {
		statements, err := syntax.Parse(&fault.Source{Name: "query", Text: text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		built, err := p.Build(statements[0])
		if err != nil {
			return nil, err
		}
		return built.(*plan.Query), nil
	}
	q, err := build(one + " AND resourceGroupName IN " + list("g", 300) + " AND hostPoolName IN " + list("p", 300))
	if err != nil || len(q.Scans[0].Tuples) != 90_000 || q.Scans[0].Method.Name != "get" {
		t.Errorf("300 x 300 values: %v", err)
	}
	_, err = build(one + " AND resourceGroupName IN " + list("g", 400) + " AND hostPoolName IN " + list("p", 300))
	if e := fault.As(err); e == nil || e.Code != fault.LimitReached || e.Span.Source == nil {
		t.Errorf("400 x 300 values: %v", err)
	}
	var branches []string
	for i := range 80 {
		branches = append(branches, fmt.Sprintf("resourceGroupName = 'g%d'", i))
	}
	or := "(" + strings.Join(branches, " OR ") + ")"
	q, err = build(one + " AND " + or + " AND " + or)
	if err != nil || q.Scans[0].Method.Name != "list_by_resource_group" || len(q.Scans[0].Tuples) != 80 {
		t.Errorf("80 x 80 branches: %v", err)
	}
	rows := strings.Repeat("('g', 'p'), ", 6000)
	q, err = build(one + " AND (resourceGroupName, hostPoolName) IN (" + rows + "('x', 'y'))")
	if err != nil || q.Scans[0].Method.Name != "list" {
		t.Errorf("6,001 rows of values: %v", err)
	}
}

// What a plan needs is known without the network, and the same each time.
func TestBuild_deterministic(t *testing.T) {
	p := planner(t)
	statements, err := syntax.Parse(&fault.Source{Name: "query", Text: one + " AND (resourceGroupName, hostPoolName) IN (('b', 'x'), ('a', 'y'), ('c', 'z')) AND friendly_name > ring"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for range 20 {
		built, err := p.Build(statements[0])
		if err != nil {
			t.Fatal(err)
		}
		x := plan.Explain(built, plan.Facts{})
		text, err := x.JSON()
		if err != nil {
			t.Fatal(err)
		}
		text += built.(*plan.Query).SQL([]plan.Rows{source(0)}).Text
		if first == "" {
			first = text
		}
		if text != first {
			t.Fatalf("the plan changes:\n%s\n%s", first, text)
		}
	}
}
