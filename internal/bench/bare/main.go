// Command bare opens DuckDB and asks it one thing: what planeql's own start is
// measured against.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	_ "github.com/duckdb/duckdb-go/v2"
)

func main() {
	db, err := sql.Open("duckdb", "")
	if err == nil {
		var one int
		if err = db.QueryRowContext(context.Background(), "SELECT 1").Scan(&one); err == nil {
			fmt.Println(one)
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
