package planeql_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

func simulator(t *testing.T, opts ...armsim.Option) (*armsim.Simulator, string) {
	t.Helper()
	sim, err := armsim.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return sim, server.URL
}

func TestSmoke(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s, err := planeql.Open(context.Background(), planeql.WithEndpoint("azure", url), planeql.WithAuth("azure", "bearer", map[string]string{"env": "TOKEN"}),
		planeql.WithEnvironment(func(string) string { return "token" }))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, q := range []string{
		"SELECT subscriptionId, displayName FROM azure.subscription.subscriptions",
		"SHOW METHODS IN azure.desktop_virtualization.user_sessions",
		"DESCRIBE azure.desktop_virtualization.user_sessions",
	} {
		rows, err := s.Query(context.Background(), q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		t.Log(rows.Columns())
		for rows.Next() {
			t.Log(rows.Values()...)
		}
		t.Log(rows.Err(), rows.Summary())
	}
	for _, r := range sim.Requests() {
		t.Log(r.Method, r.Path, r.RawQuery, r.Status)
	}
}
