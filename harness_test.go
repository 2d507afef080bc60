package planeql_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// simulator starts a simulator over plain HTTP and gives its URL.
func simulator(t testing.TB, opts ...armsim.Option) (*armsim.Simulator, string) {
	t.Helper()
	sim, err := armsim.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return sim, server.URL
}

// environment has one variable, a token.
func environment(name string) string {
	if name == "TOKEN" {
		return "a-token"
	}
	return ""
}

// open opens a session whose azure calls go to a URL, with a token.
func open(t testing.TB, url string, opts ...planeql.Option) *planeql.Session {
	t.Helper()
	opts = append([]planeql.Option{
		planeql.WithEndpoint("azure", url), planeql.WithEnvironment(environment),
		planeql.WithAuth("azure", "bearer", map[string]string{"env": "TOKEN"}),
	}, opts...)
	s, err := planeql.Open(context.Background(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// query runs a statement and gives all its rows.
func query(t testing.TB, s *planeql.Session, text string, args ...any) ([][]any, error) {
	t.Helper()
	rows, err := s.Query(context.Background(), text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list [][]any
	for rows.Next() {
		list = append(list, append([]any(nil), rows.Values()...))
	}
	return list, rows.Err()
}

// must is query for statements that have to work.
func must(t testing.TB, s *planeql.Session, text string, args ...any) [][]any {
	t.Helper()
	rows, err := query(t, s, text, args...)
	if err != nil {
		t.Fatalf("%s\n%s", text, printed(err))
	}
	return rows
}

// printed gives the full form of an error.
func printed(err error) string {
	if e, ok := errors.AsType[*planeql.Error](err); ok {
		return e.Print()
	}
	return err.Error()
}

// shared gives a path of the shared test data, or skips the test.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "shared")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no shared test data at %s", path)
	}
	return path
}
