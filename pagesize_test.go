package planeql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
)

// A list that is read whole is read in the largest pages that the document
// allows, and a LIMIT that nothing stands before asks for no more than it takes.
func TestPageSize(t *testing.T) {
	const list = "/v2/kubernetes/clusters"
	const page = `{"kubernetes_clusters": [{"id": "a", "name": "one"}, {"id": "b", "name": "two"}], "links": {"pages": {"next": "%H/v2/kubernetes/clusters?page=2"}}}`
	const rest = `{"kubernetes_clusters": [{"id": "c", "name": "three"}], "links": {}}`
	answers := map[string]string{list: page, list + "?page=2": rest}
	for _, n := range []string{"1", "2", "3", "50", "200"} {
		answers[list+"?per_page="+n] = page
	}
	answers[list+"?per_page=1"] = strings.Replace(page, `, {"id": "b", "name": "two"}`, "", 1)
	service, s := grow(t, "digitalocean.tar.zst", "digitalocean", "digitalocean", answers)
	whole := []string{list + "?page=2", list + "?per_page=200"}
	const from = " FROM digitalocean.kubernetes.clusters "
	checkDiscovered(t, service, s, []discovered{
		{"SELECT name" + from, "[[one] [two] [three]]", slices.Clone(whole)},
		{"SELECT count(*)" + from + "WHERE name <> 'two'", "[[2]]", slices.Clone(whole)},
		{"SELECT name" + from + "LIMIT 2", "[[one] [two]]", []string{list + "?per_page=2"}},
		{"SELECT name" + from + "LIMIT 1 OFFSET 1", "[[two]]", []string{list + "?per_page=2"}},
		{"SELECT n FROM (SELECT name AS n" + from + "LIMIT 1)", "[[one]]", []string{list + "?per_page=1"}},
		{"SELECT name" + from + "WHERE per_page = 50", "[[one] [two] [three]]", []string{list + "?page=2", list + "?per_page=50"}},
		{"SELECT name" + from + "WHERE per_page = 50 LIMIT 1", "[[one]]", []string{list + "?per_page=50"}},
		{"SELECT name" + from + "WHERE name = 'three' LIMIT 1", "[[three]]", []string{list, list + "?page=2"}},
		{"SELECT count(*) FROM (SELECT DISTINCT name" + from + "LIMIT 3)", "[[3]]", []string{list, list + "?page=2"}},
		{"SELECT name, count(*) OVER () AS n" + from + "LIMIT 1", "[[one 3]]", slices.Clone(whole)},
		{"SELECT mode(name) IS NULL AS x" + from + "LIMIT 1", "[[false]]", slices.Clone(whole)},
		{"SELECT name" + from + "ORDER BY name DESC LIMIT 1", "[[two]]", slices.Clone(whole)},
		{"SELECT name" + from + "LIMIT 0", "[]", nil},
	})
	if text := fmt.Sprint(must(t, s, "EXPLAIN SELECT name"+from)); !strings.Contains(text, "in pages of 200") || !strings.Contains(text, "per_page = '200'") {
		t.Errorf("%s", text)
	}
}

// Where a document speaks of OData as a whole nothing is asked for: not every list
// takes it.
func TestPageSize_odata(t *testing.T) {
	s := open(t, "http://127.0.0.1:1", planeql.WithDocuments(published(t, "entra_id.tar.zst", "entra_id"), "entra_id"))
	if text := fmt.Sprint(must(t, s, "EXPLAIN SELECT id FROM entra_id.organization.organization LIMIT 5")); strings.Contains(text, "top = ") || !strings.Contains(text, "1 call") {
		t.Errorf("%s", text)
	}
}
