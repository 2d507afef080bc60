package duck

import (
	"os"
	"path/filepath"
	"testing"
)

// A database is left as it is only where nothing of it is outside of memory.
func TestLeave_closesWhatHasFiles(t *testing.T) {
	ctx := t.Context()
	cases := []struct {
		name   string
		file   bool   // the database itself
		sql    string // is run first
		spills bool
		closed bool
	}{
		{name: "in memory", sql: "CREATE TABLE t AS SELECT 1"},
		{name: "in a file", file: true, sql: "CREATE TABLE t AS SELECT 1", closed: true},
		{name: "with a file attached", sql: "ATTACH '${dir}/other.duckdb' AS other", closed: true},
		{name: "with rows on the disk", sql: "SELECT 1", spills: true, closed: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			o := Options{Temp: filepath.Join(dir, "temp")}
			if c.file {
				o.Path = filepath.Join(dir, "main.duckdb")
			}
			db, err := Open(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Exec(ctx, expand(c.sql, dir)); err != nil {
				t.Fatal(err)
			}
			if c.spills {
				if err := os.Mkdir(o.Temp, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Leave(); err != nil {
				t.Fatal(err)
			}
			if closed := db.pool.PingContext(ctx) != nil; closed != c.closed {
				t.Errorf("closed is %v", closed)
			}
		})
	}
}

func expand(sql, dir string) string {
	return os.Expand(sql, func(string) string { return dir })
}
