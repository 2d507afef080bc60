package planeql_test

import (
	"path/filepath"
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
