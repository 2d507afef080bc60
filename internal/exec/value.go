package exec

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// resolveTuples gives the tuples as texts. Expressions are evaluated by DuckDB,
// all in one query.
func resolveTuples(ctx context.Context, db *duck.DB, conn *duck.Conn, tuples []plan.Tuple) ([][]*string, error) {
	var pending []*plan.Value
	for _, t := range tuples {
		for _, v := range t {
			if v != nil && v.Expression != nil {
				pending = append(pending, v)
			}
		}
	}
	values, err := evaluate(ctx, db, conn, pending)
	if err != nil {
		return nil, err
	}
	resolved, seen := make([][]*string, 0, len(tuples)), map[string]bool{}
	for _, t := range tuples {
		row, complete := make([]*string, len(t)), true
		for i, v := range t {
			switch {
			case v == nil:
			case v.Expression == nil:
				row[i] = &v.Text
			default:
				row[i] = values[v]
				complete = complete && row[i] != nil // NULL equals nothing: no call
			}
		}
		key := tupleKey(t, row)
		if complete && !seen[key] { // two expressions may give the same call
			seen[key] = true
			resolved = append(resolved, row)
		}
	}
	return resolved, nil
}

// tupleKey gives a text that is the same for tuples that make the same call.
func tupleKey(t plan.Tuple, row []*string) string {
	folded := slices.Clone(row)
	for i, v := range t {
		if v != nil && v.NoCase && row[i] != nil {
			lower := strings.ToLower(*row[i])
			folded[i] = &lower
		}
	}
	key, _ := json.Marshal(folded) // texts always marshal
	return string(key)
}

// evaluate gives the values of expressions as the wire wants them; NULL is nil.
func evaluate(ctx context.Context, db *duck.DB, conn *duck.Conn, values []*plan.Value) (map[*plan.Value]*string, error) {
	if len(values) == 0 {
		return nil, nil
	}
	query, err := selectOf(db, values)
	if err != nil {
		return nil, err
	}
	row, err := oneRow(ctx, conn, "SELECT COLUMNS(*)::VARCHAR FROM ("+query+")")
	if err != nil {
		return nil, fault.From(err).At(values[0].Span())
	}
	results := map[*plan.Value]*string{}
	for i, v := range values {
		s, isText := row[i].(string)
		if !isText {
			results[v] = nil
			continue
		}
		if s, err = v.Convert(s); err != nil {
			return nil, fault.From(err).At(v.Span())
		}
		results[v] = &s
	}
	return results, nil
}

// selectOf gives the text of a SELECT of the expressions. DuckDB prints its own
// trees, so that an expression of any kind keeps its meaning.
func selectOf(db *duck.DB, values []*plan.Value) (string, error) {
	tree, err := db.Parse("SELECT 1")
	if err != nil {
		return "", err
	}
	nodes, err := syntax.ParseTree(tree)
	if err != nil {
		return "", err
	}
	var expressions []any
	for _, v := range values {
		expressions = append(expressions, map[string]any(v.Expression))
	}
	nodes[0]["select_list"] = expressions
	return deparse(db, nodes[0])
}

// oneRow gives the only row of a query.
func oneRow(ctx context.Context, conn *duck.Conn, query string) ([]any, error) {
	rows, err := conn.Query(ctx, query, duck.QueryOptions{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, err
		}
		return nil, fault.Bug("a query for one row gave none")
	}
	return append([]any(nil), rows.Values()...), rows.Err()
}
