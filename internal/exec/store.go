package exec

import (
	"context"
	"slices"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// Columns gives the names and types of the rows of a query. DuckDB binds it and
// runs nothing: no call is made.
func Columns(ctx context.Context, q *plan.Query, env Env) ([]duck.Column, error) {
	var sources []plan.Rows
	for _, p := range q.Scans {
		registered, err := env.DB.RegisterScan(nothing{}, columnsOf(p))
		if err != nil {
			return nil, err
		}
		defer registered.Close()
		sources = append(sources, source{Scan: registered})
	}
	text := q.SQL(sources)
	all := len(text.Text)
	text = syntax.Join(
		text.Apply([]syntax.Edit{{Start: 0, End: all, Text: "DESCRIBE SELECT * FROM ("}}), text,
		text.Apply([]syntax.Edit{{Start: 0, End: all, Text: ")"}}))
	rows, err := env.DB.Query(ctx, text.Text, duck.QueryOptions{})
	if err != nil {
		return nil, locate(err, text)
	}
	defer rows.Close()
	var columns []duck.Column
	for rows.Next() {
		name, _ := rows.Values()[0].(string)
		kind, _ := rows.Values()[1].(string)
		columns = append(columns, duck.Column{Name: name, Type: kind})
	}
	return columns, rows.Err()
}

// Collect reads rows to their end and gives them as a result that holds nothing
// open, with warnings of what came before in front of their own.
func Collect(rows *Rows, before ...*fault.Error) (*Rows, error) {
	defer func() { _ = rows.Close() }() // closed and judged below; here after an error
	var values [][]any
	for rows.Next() {
		values = append(values, slices.Clone(rows.Values()))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	list := List(rows.Columns(), values)
	list.warnings, list.meter = append(before, rows.Warnings()...), rows.meter
	return list, nil
}
