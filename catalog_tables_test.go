package planeql_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/planeql/planeql"
)

// The catalog is there as tables, filled when a statement names them.
func TestCatalogTables(t *testing.T) {
	s := open(t, "http://127.0.0.1:1")
	for text, want := range map[string]string{
		"SELECT provider, services FROM planeql.providers":                                                                                 "azure | 5",
		"SELECT count(*) FROM planeql.services WHERE provider = 'azure'":                                                                   "5",
		"SELECT resource FROM planeql.resources WHERE service = 'desktop_virtualization' AND resource LIKE 'user%'":                        "user_sessions",
		"SELECT count(*), count(*) FILTER (WHERE http_method = 'GET') FROM planeql.methods WHERE resource = 'user_sessions'":               "6 | 3",
		"SELECT location, required FROM planeql.parameters WHERE resource = 'user_sessions' AND method = 'delete' AND parameter = 'force'": "query | false",
		"SELECT sql_type, kind FROM planeql.columns WHERE resource = 'user_sessions' AND column_name = 'createTime'":                       "TIMESTAMPTZ | member",
		"SELECT count(*) FROM planeql.services s JOIN planeql.providers p USING (provider) WHERE p.provider = 'azure' AND 1 = 1":           "5",
		"SELECT count(*) FROM planeql.services WHERE provider = 'nothing'":                                                                 "0",
		"SELECT count(*) FROM planeql.providers p WHERE EXISTS (SELECT 1 FROM planeql.services WHERE p.provider = 'azure')":                "1",
		"SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database()":                                                    "0",
		"WITH x AS (SELECT * FROM planeql.services WHERE provider = 'azure') SELECT count(*) FROM x":                                       "5",
		"SELECT count(*) FROM planeql.services t(a, provider) WHERE provider = 'compute'":                                                  "1",
		"SELECT count(DISTINCT resource) FROM planeql.columns WHERE resource = 'user_sessions'":                                            "1",
	} {
		rows := must(t, s, text)
		if len(rows) != 1 || line(rows[0]) != want {
			t.Errorf("%s\ngives %v, want %s", text, rows, want)
		}
	}
	if rows := must(t, s, "SHOW TABLES"); len(rows) != 0 {
		t.Errorf("SHOW TABLES gives %v", rows)
	}
}

// A database of the user's that has the name is left alone.
func TestCatalogTables_ofTheUser(t *testing.T) {
	s := open(t, "http://127.0.0.1:1", planeql.WithDatabase(filepath.Join(t.TempDir(), "planeql.duckdb")))
	must(t, s, "CREATE TABLE resources AS SELECT 7 AS mine")
	if rows := must(t, s, "SELECT mine FROM planeql.resources"); len(rows) != 1 || line(rows[0]) != "7" {
		t.Errorf("%v", rows)
	}
	if rows := must(t, s, "SHOW TABLES"); len(rows) != 1 {
		t.Errorf("SHOW TABLES gives %v", rows)
	}
}

// The information schema has the resources beside the tables of the session.
func TestInformationSchema(t *testing.T) {
	s := open(t, "http://127.0.0.1:1")
	must(t, s, "CREATE TABLE kept AS SELECT 7 AS mine")
	for text, want := range map[string]string{
		"SELECT table_catalog, table_schema, table_type FROM information_schema.tables WHERE table_name = 'user_sessions'":                                                                             "azure | desktop_virtualization | FOREIGN",
		"SELECT table_type FROM information_schema.tables WHERE table_name = 'kept'":                                                                                                                   "BASE TABLE",
		"SELECT data_type, is_nullable FROM information_schema.columns WHERE table_name = 'user_sessions' AND column_name = 'createTime'":                                                              "TIMESTAMPTZ | YES",
		"SELECT data_type, ordinal_position FROM information_schema.columns c WHERE c.table_name = 'kept'":                                                                                             "INTEGER | 1",
		"SELECT catalog_name FROM Information_Schema.Schemata WHERE schema_name = 'compute'":                                                                                                           "azure",
		"SELECT count(*) FROM information_schema.schemata WHERE schema_name IN ('information', 'desktop_virtualization')":                                                                              "1",
		"SELECT count(*) FROM information_schema.tables WHERE information_schema.tables.table_name = 'host_pools'":                                                                                     "1",
		"SELECT count(*) FROM information_schema.tables t JOIN information_schema.schemata s ON t.table_schema = s.schema_name AND t.table_catalog = s.catalog_name WHERE t.table_name = 'host_pools'": "1",
		"SELECT count(*) FROM system.information_schema.tables WHERE table_name = 'user_sessions'":                                                                                                     "0",
		"FROM information_schema.tables SELECT count(*) WHERE table_name = 'user_sessions' AND table_schema = 'nothing'":                                                                               "0",
	} {
		if rows := must(t, s, text); len(rows) != 1 || line(rows[0]) != want {
			t.Errorf("%s\ngives %v, want %s", text, rows, want)
		}
	}
	_, err := query(t, s, "SELECT nothing FROM information_schema.tables")
	if err == nil || !strings.Contains(printed(err), "at 1:8") && !strings.Contains(printed(err), "nothing") {
		t.Errorf("%v", err)
	}
}

// A table of the catalog that is named for the first time inside a transaction
// is there, and what one statement asks for does not narrow the next.
func TestCatalogTables_transaction(t *testing.T) {
	s := open(t, "http://127.0.0.1:1")
	must(t, s, "BEGIN")
	must(t, s, "CREATE TABLE kept AS SELECT 1 AS one")
	for _, text := range []string{
		"SELECT count(*) FROM planeql.providers", "SELECT count(DISTINCT provider) FROM planeql.services",
		"SELECT count(*) FROM information_schema.tables WHERE table_name = 'kept'",
	} {
		if rows := must(t, s, text); line(rows[0]) != "1" {
			t.Errorf("%s gives %v", text, rows)
		}
	}
	must(t, s, "ROLLBACK")
	must(t, s, "CREATE TEMP VIEW mine AS SELECT service FROM planeql.services")
	for _, text := range []string{
		"SELECT count(*) FROM planeql.services WHERE service = 'none'",
		"SELECT count(*) - 5 FROM mine",
		"SELECT count(*) - 5 FROM (SELECT service FROM planeql.services WHERE service = 'none' UNION ALL FROM mine)",
	} {
		if rows := must(t, s, text); line(rows[0]) != "0" {
			t.Errorf("%s gives %v", text, rows)
		}
	}
}

// A view that is kept in a file and reads the catalog is there the next time.
func TestCatalogTables_view(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.duckdb")
	s := open(t, "http://127.0.0.1:1", planeql.WithDatabase(file))
	must(t, s, "CREATE VIEW mine AS SELECT service FROM planeql.services")
	must(t, s, "CREATE VIEW tables AS SELECT table_name FROM information_schema.tables")
	s.Close()
	s = open(t, "http://127.0.0.1:1", planeql.WithDatabase(file))
	if rows := must(t, s, "SELECT count(*), (SELECT count(*) FROM tables WHERE table_name = 'host_pools') FROM mine"); line(rows[0]) != "5 | 1" {
		t.Errorf("%v", rows)
	}
}
