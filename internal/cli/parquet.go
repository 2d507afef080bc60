package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// rowless are the statements that have no rows for the user, so that they may
// stand before the query whose rows are written as Parquet.
var rowless = []string{"SET", "RESET", "USE", "CREATE", "DROP", "REFRESH", "COPY", "ATTACH", "DETACH", "LOAD", "ON"}

// checkParquet finds what a script has that Parquet cannot hold, before any of
// it runs.
func (r *runner) checkParquet(statements []*planeql.Statement) error {
	if r.app.env.Terminal.Out {
		return fault.New(fault.InvalidFlag, "--output: parquet is no text for a terminal").
			WithHint("send it to a file: planeql exec -o parquet \"SELECT …\" > rows.parquet")
	}
	queries := 0
	for _, st := range statements {
		_, query, err := st.ToParquet("")
		switch {
		case err != nil:
			return err
		case query:
			queries++
		case !slices.Contains(rowless, st.Verb()):
			return fault.New(fault.InvalidFlag, "--output: parquet holds the rows of a query, not those of %s", st.Verb()).
				WithHint("choose another format, such as json, for this statement")
		}
	}
	if queries > 1 {
		return fault.New(fault.InvalidFlag, "--output: parquet holds the rows of one query and the script has %d", queries).
			WithHint("COPY (SELECT …) TO 'name.parquet' writes each to a file of its own")
	}
	return nil
}

// parquet runs a statement; the rows of a query go to standard output as
// Parquet. DuckDB writes the format to a file, so nothing is put out before all
// rows are there.
func (r *runner) parquet(ctx context.Context, st *planeql.Statement) error {
	folder, err := os.MkdirTemp("", "planeql-parquet-")
	if err != nil {
		return render.OutputError(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "rows.parquet")
	copied, query, err := st.ToParquet(path)
	if err != nil {
		return err
	}
	if !query {
		return r.statement(ctx, st)
	}
	if err := r.statement(ctx, copied); err != nil {
		return err
	}
	return r.putOut(path)
}

// putOut copies a file to standard output.
func (r *runner) putOut(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return render.OutputError(err)
	}
	defer file.Close()
	if _, err := io.Copy(r.app.screen.stdout(), file); err != nil {
		return render.OutputError(err)
	}
	return nil
}
