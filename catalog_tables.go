package planeql

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/syntax"
)

// catalogDatabase is the database, in memory, whose tables show the catalog:
// planeql.resources and so on. A table is filled when a statement names it.
const catalogDatabase = "planeql"

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

// catalogState is what of the catalog is in DuckDB.
type catalogState struct {
	attached bool
	taken    bool              // the user has a database of that name
	filled   map[string]string // table -> what it was filled with
}

// showCatalog fills the tables of the catalog that a statement names.
func (s *Session) showCatalog(ctx context.Context, st *syntax.Statement) error {
	names := catalogNames(st.Tokens)
	if len(names) == 0 || s.shown.taken {
		return nil
	}
	db, err := s.database(ctx)
	if err != nil {
		return err
	}
	if err := s.attachCatalog(ctx, db); err != nil || s.shown.taken {
		return err
	}
	part := s.catalogPart(ctx, st)
	for _, name := range names {
		if s.shown.filled[name] == part.String() {
			continue
		}
		if err := s.fill(ctx, db, name, part); err != nil {
			return err
		}
	}
	return nil
}

// catalogNames gives the tables of the catalog that are named among tokens.
func catalogNames(tokens []syntax.Token) []string {
	var names []string
	for i := 0; i+2 < len(tokens); i++ {
		if !tokens[i].Is(catalogDatabase) || !tokens[i+1].IsSymbol(".") {
			continue
		}
		name, _ := tokens[i+2].Name()
		if name = strings.ToLower(name); name == "main" && i+4 < len(tokens) && tokens[i+3].IsSymbol(".") {
			name, _ = tokens[i+4].Name()
			name = strings.ToLower(name)
		}
		if _, known := catalogTables[name]; known && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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
	c := conditions{}
	c.walk(root)
	if c.all {
		return nil
	}
	return c.part
}

// conditions gathers what the queries of a tree ask of the catalog's tables.
type conditions struct {
	part catalog.Part
	all  bool // one of them asks for everything
}

// walk looks at every SELECT, and finds those that read nothing but one table of
// the catalog; a table that is read in any other way is read whole.
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
			c.all = c.all || wanted.Provider == ""
		} else if isCatalogTable(n) {
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
	return n["type"] == "BASE_TABLE" && (strings.EqualFold(schema, catalogDatabase) || strings.EqualFold(database, catalogDatabase))
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
		case "provider":
			w.Provider = value
		case "service":
			w.Service = value
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
	s.shown = catalogState{attached: true, taken: taken, filled: map[string]string{}}
	return nil
}

// fill makes a table of the catalog. It has a connection of its own, since what
// a transaction of the user's has changed is in another database.
func (s *Session) fill(ctx context.Context, db *duck.DB, name string, part catalog.Part) error {
	conn, err := db.Aside(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	source := &catalogRows{items: s.catalog.Rows(name, part)}
	scan, err := db.RegisterScan(source, nil)
	if err != nil {
		return err
	}
	defer scan.Close()
	err = conn.Exec(ctx, "CREATE OR REPLACE TABLE "+catalogDatabase+".main."+name+" AS SELECT unnest(from_json(raw, '"+
		catalogTables[name]+"')) FROM "+scan.SQL())
	if err == nil {
		s.shown.filled[name] = part.String()
	}
	return err
}

// catalogRows is a source of rows that are there already.
type catalogRows struct{ items [][]byte }

// Next gives some of the rows, or io.EOF.
func (c *catalogRows) Next(context.Context) (duck.Batch, error) {
	if len(c.items) == 0 {
		return duck.Batch{}, io.EOF
	}
	n := min(len(c.items), 1024)
	batch := duck.Batch{Items: c.items[:n]}
	c.items = c.items[n:]
	return batch, nil
}

// Close does nothing: the rows are in memory.
func (c *catalogRows) Close() {}
