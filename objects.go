package planeql

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/syntax"
)

// object is a table or view of the session, as DuckDB has it.
type object struct {
	database, schema, name string

	view      bool // of DuckDB: for a view over resources one that only has its columns
	temporary bool
	home      bool // in the database at hand, or temporary
	current   bool // its bare name is enough
	kept      *kept
}

// kept is what DuckDB does not know of a view over resources. It is the comment
// on an object of DuckDB, so that it comes and goes with it, in the database's
// file and in transactions too.
type kept struct {
	Text         string    `json:"text"`
	Columns      []string  `json:"columns,omitempty"`
	Materialized bool      `json:"materialized,omitempty"`
	RefreshedAt  time.Time `json:"refreshed_at,omitzero"`
}

// keptPrefix begins the comments that hold a kept.
const keptPrefix = "planeql view "

// comment gives the statement that puts a kept on an object.
func (k kept) comment(name string, view bool) (string, error) {
	kind := "TABLE"
	if view {
		kind = "VIEW"
	}
	text, err := json.Marshal(k)
	return "COMMENT ON " + kind + " " + name + " IS " + syntax.QuoteText(keptPrefix+string(text)), err
}

// kind names what the object is to the user.
func (o object) kind() string {
	switch {
	case o.kept != nil && o.kept.Materialized:
		return "materialized view"
	case o.view:
		return "view"
	}
	return "table"
}

// sql gives the name in full, as it stands in a statement. The name of the
// database is that of its file, so it is left out where it can be.
func (o object) sql() string {
	if o.temporary || !o.current {
		return sqlName(o.database, o.schema, o.name)
	}
	return sqlName(o.schema, o.name)
}

// sqlName gives the parts of a name as they stand in a statement.
func sqlName(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, part := range parts {
		quoted[i] = syntax.QuoteName(part)
	}
	return strings.Join(quoted, ".")
}

// names gives the names in lower case that mean the object in a statement, the
// full one first.
func (o object) names() []string {
	database, schema, name := strings.ToLower(o.database), strings.ToLower(o.schema), strings.ToLower(o.name)
	names := []string{database + "." + schema + "." + name}
	if schema == "main" {
		names = append(names, database+"."+name)
	}
	if o.current {
		names = append(names, name)
		if !o.temporary {
			names = append(names, schema+"."+name)
		}
	}
	return names
}

// listObjects is the query of the tables and views; those whose bare name is
// looked up first come last.
const listObjects = `
SELECT database_name, schema_name, name, is_view, temporary,
  temporary OR database_name = current_database(),
  temporary OR database_name = current_database() AND schema_name = current_schema(), coalesce(comment, '')
FROM (
  SELECT database_name, schema_name, view_name AS name, true AS is_view, temporary, comment FROM duckdb_views() WHERE NOT internal
  UNION ALL
  SELECT database_name, schema_name, table_name, false, temporary, comment FROM duckdb_tables() WHERE NOT internal)
WHERE database_name NOT IN (SELECT database_name FROM duckdb_databases() WHERE database_name = 'planeql' AND path IS NULL)
  AND NOT (temporary AND regexp_matches(name, '^planeql_(spool|copy)_[0-9]+$'))
ORDER BY temporary, lower(name), database_name, schema_name`

// objects gives the tables and views of the session. DuckDB is asked only after
// a statement that may have changed them.
func (s *Session) objects(ctx context.Context) ([]object, error) {
	if s.changed.Load() {
		return s.look(ctx)
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	return slices.Clone(s.known), nil
}

// look asks DuckDB for the tables and views. What a connection of its own sees
// is not all: it is looked at again.
func (s *Session) look(ctx context.Context) ([]object, error) {
	if s.settings.database == "" && !s.opened() {
		return nil, nil // DuckDB is not opened to say that it has nothing
	}
	db, err := s.database(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, listObjects, duck.QueryOptions{})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []object
	for rows.Next() {
		list = append(list, objectOf(rows.Values()))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	s.known = list
	s.changed.Store(rows.Aside())
	return slices.Clone(list), nil
}

// mayChange tells whether a statement may change which tables and views there
// are, or which of them are at hand.
func mayChange(head syntax.Head) bool {
	switch head.(type) {
	case syntax.Other, syntax.Use, syntax.Create, syntax.Drop, syntax.Refresh:
		return true
	}
	return false
}

func objectOf(row []any) object {
	text := func(i int) string { t, _ := row[i].(string); return t }
	flag := func(i int) bool { b, _ := row[i].(bool); return b }
	o := object{
		database: text(0), schema: text(1), name: text(2), view: flag(3), temporary: flag(4), home: flag(5), current: flag(6),
	}
	if body, ok := strings.CutPrefix(text(7), keptPrefix); ok {
		var k kept
		if json.Unmarshal([]byte(body), &k) == nil {
			o.kept = &k
		}
	}
	return o
}

// find gives the object that a name means.
func find(objects []object, name syntax.Name) (object, bool) {
	spelled := strings.ToLower(name.String())
	for _, o := range slices.Backward(objects) {
		if slices.Contains(o.names(), spelled) {
			return o, true
		}
	}
	return object{}, false
}

// setObjects tells the planner which tables and views there are.
func setObjects(o *plan.Options, objects []object) {
	if len(objects) == 0 {
		return
	}
	o.Locals, o.Views = map[string]string{}, map[string]plan.View{}
	for _, object := range objects {
		if object.current {
			o.Locals[strings.ToLower(object.name)] = object.sql()
		}
		for _, name := range object.names() {
			delete(o.Views, name) // hidden by a later one
			// The names in the text of a view are those of its own database.
			if k := object.kept; k != nil && !k.Materialized && object.home {
				o.Views[name] = plan.View{Name: object.name, Key: object.names()[0], Text: k.Text, Columns: k.Columns}
			}
		}
	}
}

// showObjects answers SHOW TABLES and SHOW VIEWS. EXTENDED lists those of other
// schemas and databases too.
func (s *Session) showObjects(ctx context.Context, head syntax.Show) (*plan.Table, error) {
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	views := head.What == "VIEWS"
	table := catalog.Table{Columns: []string{"name", "kind"}}
	if views {
		table.Columns = append(table.Columns, "refreshed_at")
	}
	if head.Extended {
		table.Columns = append(table.Columns, "database", "schema", "temporary")
		if views {
			table.Columns = append(table.Columns, "query")
		}
	}
	for _, o := range objects {
		if views && o.kind() == "table" || !o.current && !head.Extended {
			continue
		}
		table.Rows = append(table.Rows, o.row(table.Columns))
	}
	if head.Like != "" {
		table = catalog.Like(table, head.Like)
	}
	slices.SortStableFunc(table.Rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	return &plan.Table{Title: "show", Table: table}, nil
}

// row gives the facts of an object by the names of the columns.
func (o object) row(columns []string) []any {
	facts := map[string]any{
		"name": o.name, "kind": o.kind(), "database": o.database, "schema": o.schema, "temporary": "no",
	}
	if o.temporary {
		facts["temporary"] = "yes"
	}
	if k := o.kept; k != nil {
		facts["query"] = k.Text
		if k.Materialized {
			facts["refreshed_at"] = k.RefreshedAt.Format(time.RFC3339)
		}
	}
	row := make([]any, len(columns))
	for i, name := range columns {
		row[i] = facts[name]
	}
	return row
}
