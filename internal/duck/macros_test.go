package duck

import (
	"context"
	"testing"
)

// Every macro can be made.
func TestMacros_made(t *testing.T) {
	db := open(t)
	ctx := context.Background()
	for name, body := range macros {
		db.conn.define(ctx, `Catalog Error: Scalar Function with name `+name+` does not exist!`)
		if _, err := db.conn.sql.ExecContext(ctx, `CREATE OR REPLACE TEMP MACRO "`+name+`"`+body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
