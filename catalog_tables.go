package planeql

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/syntax"
)

// catalogDatabase is the database, in memory, whose views show the catalog:
// planeql.resources and so on. It is there as soon as a statement names it.
const catalogDatabase = "planeql"

// informationSchema is the schema of that database whose views have, beside
// what DuckDB's information_schema has, the resources.
const informationSchema = "information"

// catalogTables are the tables with the types of their columns, in the form of
// DuckDB's from_json.
var catalogTables = map[string]string{
	"providers": `{"provider":"VARCHAR","version":"VARCHAR","title":"VARCHAR","description":"VARCHAR","services":"BIGINT"}`,
	"services":  `{"provider":"VARCHAR","service":"VARCHAR","title":"VARCHAR","description":"VARCHAR","resources":"BIGINT"}`,
	"resources": `{"provider":"VARCHAR","service":"VARCHAR","resource":"VARCHAR","id":"VARCHAR","title":"VARCHAR",` +
		`"description":"VARCHAR","is_view":"BOOLEAN","methods":"BIGINT"}`,
	"methods": `{"provider":"VARCHAR","service":"VARCHAR","resource":"VARCHAR","method":"VARCHAR","verbs":"VARCHAR",` +
		`"http_method":"VARCHAR","path":"VARCHAR","summary":"VARCHAR","required":"VARCHAR","optional":"VARCHAR"}`,
	"parameters": `{"provider":"VARCHAR","service":"VARCHAR","resource":"VARCHAR","method":"VARCHAR","parameter":"VARCHAR",` +
		`"location":"VARCHAR","type":"VARCHAR","required":"BOOLEAN"}`,
	"columns": `{"provider":"VARCHAR","service":"VARCHAR","resource":"VARCHAR","column_name":"VARCHAR","position":"BIGINT",` +
		`"type":"VARCHAR","sql_type":"VARCHAR","kind":"VARCHAR","description":"VARCHAR"}`,
}

// informationTables are the tables of the information schema: what each has of
// the resources. A resource is a table of another server, which the SQL standard
// calls FOREIGN.
var informationTables = map[string]string{
	"schemata": `SELECT provider AS catalog_name, service AS schema_name, provider AS schema_owner FROM planeql.main.services`,
	"tables": `SELECT provider AS table_catalog, service AS table_schema, resource AS table_name,
  CASE WHEN is_view THEN 'VIEW' ELSE 'FOREIGN' END AS table_type, 'NO' AS is_insertable_into, 'NO' AS is_typed,
  description AS TABLE_COMMENT FROM planeql.main.resources`,
	"columns": `SELECT provider AS table_catalog, service AS table_schema, resource AS table_name, column_name,
  CAST(position AS INTEGER) AS ordinal_position, 'YES' AS is_nullable, sql_type AS data_type,
  description AS COLUMN_COMMENT FROM planeql.main.columns`,
}

// catalogState is what of the catalog is in DuckDB.
type catalogState struct {
	attached bool
	taken    bool                         // the user has a database of that name
	part     atomic.Pointer[catalog.Part] // that the statement at hand may read
}

// showCatalog makes the catalog's tables known if a statement names one of them,
// and gives the statement that reads them.
func (s *Session) showCatalog(ctx context.Context, st *syntax.Statement) (*syntax.Statement, error) {
	all := catalog.Part(nil)
	s.shown.part.Store(&all)
	edits := information(st.Tokens)
	if len(edits) == 0 && !namesCatalog(st.Tokens) || s.shown.taken {
		return st, nil
	}
	db, err := s.database(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.attachCatalog(ctx, db); err != nil || s.shown.taken {
		return st, err
	}
	if len(edits) > 0 {
		if st, err = st.Edited(edits); err != nil {
			return nil, err
		}
	}
	part := s.catalogPart(ctx, st)
	s.shown.part.Store(&part)
	return st, nil
}

// information gives the edits by which a statement reads the information schema
// that has the resources. That of a named database is DuckDB's.
func information(tokens []syntax.Token) []syntax.Edit {
	var edits []syntax.Edit
	for i := 0; i+2 < len(tokens); i++ {
		schema, _ := tokens[i].Name()
		table, _ := tokens[i+2].Name()
		_, known := informationTables[strings.ToLower(table)]
		if known && strings.EqualFold(schema, "information_schema") && tokens[i+1].IsSymbol(".") && (i == 0 || !tokens[i-1].IsSymbol(".")) {
			edits = append(edits, syntax.Edit{Start: tokens[i].Start, End: tokens[i].End, Text: catalogDatabase + "." + informationSchema})
		}
	}
	return edits
}

// namesCatalog tells whether tokens name a table of the catalog.
func namesCatalog(tokens []syntax.Token) bool {
	for i := 0; i+2 < len(tokens); i++ {
		if tokens[i].Is(catalogDatabase) && tokens[i+1].IsSymbol(".") {
			return true
		}
	}
	return false
}

// catalogPart gives the part of the catalog that a query may show rows of. Where
// that cannot be told it is all.
func (s *Session) catalogPart(ctx context.Context, st *syntax.Statement) catalog.Part {
	if _, query := st.Head.(syntax.Query); !query {
		return nil
	}
	text, err := syntax.Normalize(st.Text)
	if err != nil {
		return nil
	}
	tree, err := s.catalogPlanner(ctx).Parse(text)
	if err != nil {
		return nil // the plan will tell
	}
	var root any
	if json.Unmarshal(tree, &root) != nil {
		return nil
	}
	c := conditions{named: map[string]bool{}}
	c.names(root)
	c.walk(root)
	if c.all {
		return nil
	}
	return c.part
}

// conditions gathers what the queries of a tree ask of the catalog's tables.
type conditions struct {
	part  catalog.Part
	all   bool            // one of them asks for everything
	named map[string]bool // queries of WITH, in lower case
}

// names gathers the names of queries of WITH.
func (c *conditions) names(node any) {
	switch n := node.(type) {
	case []any:
		for _, item := range n {
			c.names(item)
		}
	case map[string]any:
		with, _ := n["cte_map"].(map[string]any)
		list, _ := with["map"].([]any)
		for _, item := range list {
			one, _ := item.(map[string]any)
			name, _ := one["key"].(string)
			c.named[strings.ToLower(name)] = true
		}
		for _, value := range n {
			c.names(value)
		}
	}
}

// isNamed tells whether a table is a query of WITH.
func (c *conditions) isNamed(n map[string]any) bool {
	name, _ := n["table_name"].(string)
	return n["schema_name"] == "" && c.named[strings.ToLower(name)]
}

// walk looks at every SELECT, and finds those that read nothing but one table of
// the catalog; a table that is read in any other way is read whole, and any other
// name may be a view that reads one.
func (c *conditions) walk(node any) {
	switch n := node.(type) {
	case []any:
		for _, item := range n {
			c.walk(item)
		}
	case map[string]any:
		from, _ := n["from_table"].(map[string]any)
		if n["type"] == "SELECT_NODE" && isCatalogTable(from) {
			wanted := catalog.Wanted{}
			restrict(n["where_clause"], &wanted)
			c.part = append(c.part, wanted)
			c.all = c.all || wanted == catalog.Wanted{}
		} else if n["type"] == "BASE_TABLE" && !c.isNamed(n) || n["type"] == "TABLE_FUNCTION" {
			c.all = true
		}
		for key, value := range n {
			if key != "from_table" || !isCatalogTable(from) {
				c.walk(value)
			}
		}
	}
}

func isCatalogTable(n map[string]any) bool {
	schema, _ := n["schema_name"].(string)
	database, _ := n["catalog_name"].(string)
	aliases, _ := n["column_name_alias"].([]any) // under which a column may have the name of another
	return n["type"] == "BASE_TABLE" && len(aliases) == 0 && (strings.EqualFold(schema, catalogDatabase) || strings.EqualFold(database, catalogDatabase))
}

// restrict reads conditions that all hold.
func restrict(node any, w *catalog.Wanted) {
	n, _ := node.(map[string]any)
	switch n["type"] {
	case "CONJUNCTION_AND":
		list, _ := n["children"].([]any)
		for _, child := range list {
			restrict(child, w)
		}
	case "COMPARE_EQUAL":
		name, value := columnAndValue(n["left"], n["right"])
		if name == "" {
			name, value = columnAndValue(n["right"], n["left"])
		}
		switch name {
		case "provider", "table_catalog", "catalog_name":
			w.Provider = value
		case "service", "table_schema", "schema_name":
			w.Service = value
		case "resource", "table_name":
			w.Resource = value
		}
	}
}

// columnAndValue reads a column and the text it is compared with.
func columnAndValue(column, constant any) (name, value string) {
	c, _ := column.(map[string]any)
	v, _ := constant.(map[string]any)
	names, _ := c["column_names"].([]any)
	// A qualified name may be one of a query around this one.
	if c["type"] != "COLUMN_REF" || len(names) != 1 || v["type"] != "VALUE_CONSTANT" {
		return "", ""
	}
	name, _ = names[0].(string)
	inner, _ := v["value"].(map[string]any)
	value, ok := inner["value"].(string)
	if !ok || value == "" {
		return "", ""
	}
	return strings.ToLower(name), value
}

// attachCatalog makes the database of the catalog's tables, unless the user has
// one of that name, which is then what the name means.
func (s *Session) attachCatalog(ctx context.Context, db *duck.DB) error {
	if s.shown.attached {
		return nil
	}
	conn, err := db.Aside(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Exec(ctx, "ATTACH ':memory:' AS "+catalogDatabase)
	taken := err != nil && strings.Contains(err.Error(), "already")
	if err != nil && !taken {
		return err
	}
	s.shown.attached, s.shown.taken = true, taken
	if taken {
		return nil
	}
	return makeViews(ctx, conn)
}

// attachForViews makes the catalog's tables known to a database with views that
// read them.
func (s *Session) attachForViews(ctx context.Context, db *duck.DB) error {
	rows, err := db.Query(ctx, "SELECT 1 FROM duckdb_views() WHERE NOT internal AND contains(sql, '"+catalogDatabase+".') LIMIT 1", duck.QueryOptions{})
	if err != nil {
		return err
	}
	found := rows.Next()
	rows.Close()
	if err := rows.Err(); err != nil || !found {
		return err
	}
	return s.attachCatalog(ctx, db)
}

// makeViews makes the tables of the catalog. They are views, so that they have
// rows only when they are read, and are there for a transaction that began
// before.
func makeViews(ctx context.Context, conn *duck.Conn) error {
	statements := []string{"CREATE SCHEMA " + catalogDatabase + "." + informationSchema}
	for name, columns := range catalogTables {
		statements = append(statements, "CREATE VIEW "+catalogDatabase+".main."+name+
			" AS SELECT unnest(from_json(raw, '"+columns+"')) FROM planeql_listing('"+name+"')")
	}
	for name, query := range informationTables {
		hidden := "table_catalog = '" + catalogDatabase + "' AND table_schema = '" + informationSchema + "'"
		if name == "schemata" {
			hidden = "catalog_name = '" + catalogDatabase + "' AND schema_name = '" + informationSchema + "'"
		}
		statements = append(statements, "CREATE VIEW "+catalogDatabase+"."+informationSchema+"."+name+
			" AS FROM system.information_schema."+name+" WHERE NOT ("+hidden+") UNION ALL BY NAME "+query)
	}
	for _, text := range statements {
		if err := conn.Exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// listing gives the rows of a table of the catalog that the statement at hand
// may read.
func (s *Session) listing(table string) func() [][]byte {
	part := s.shown.part.Load()
	return func() [][]byte {
		if part == nil {
			return nil
		}
		return s.catalog.Rows(table, *part)
	}
}
