package plan_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// viewDocument has resources that are read by the SELECT of the document.
const viewDocument = `
openapi: 3.0.0
info: {title: Things, version: '1'}
servers: [{url: 'https://things.example.com/'}]
components:
  x-stackQL-resources:
    things:
      methods:
        list:
          operation: {$ref: '#/paths/~1groups~1{group}~1things/get'}
          response: {mediaType: application/json, openAPIDocKey: '200'}
      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/things/methods/list'}]}
    first_things:
      config: {views: {select: {predicate: sqlDialect == "sqlite3", ddl: "SELECT upper(name) AS name FROM cloud.s.things WHERE \"group\" = 'first'"}}}
    any_things:
      config: {views: {select: {ddl: "SELECT name, id FROM cloud.s.things"}}}
    twins:
      config: {views: {select: {ddl: "SELECT f.name FROM cloud.s.first_things f JOIN cloud.s.first_things USING (name)"}}}
    endless:
      config: {views: {select: {ddl: "SELECT * FROM cloud.s.endless"}}}
    wrong:
      config: {views: {select: {ddl: "SELECT * FRM x y"}}}
paths:
  /groups/{group}/things:
    get:
      parameters: [{name: group, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: Things., content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}, name: {type: string}}}}}}}
`

// A resource whose document gives a SELECT instead of a method is read by it.
func TestDocumentViews(t *testing.T) {
	cloud, err := provider.Open(fstest.MapFS{
		"cloud/v1/provider.yaml": {Data: []byte(`
id: cloud
name: cloud
version: v1
providerServices:
  s: {id: s:v1, name: s, title: Things, version: v1, service: {$ref: cloud/v1/services/s.yaml}}
`)},
		"cloud/v1/services/s.yaml": {Data: []byte(viewDocument)},
	}, "cloud")
	if err != nil {
		t.Fatal(err)
	}
	p := planner(t)
	p.Catalog = catalog.New(cloud)
	p.Options.Use = []string{"cloud", "s"}
	const first = `(SELECT upper(name) AS name FROM (SELECT item."name" AS "name", a0 AS "group" FROM (SELECT *, from_json(raw, '{"name":"VARCHAR"}') AS item FROM scan_0)) AS "things" WHERE "group" = 'first')`
	for text, want := range map[string]string{
		"SELECT name FROM cloud.s.first_things":                    `SELECT name FROM ` + first + ` AS "first_things"` + "\n",
		"FROM first_things AS t(n)":                                `FROM ` + first + ` AS t(n)` + "\n",
		"SELECT * FROM twins":                                      "scan_1",
		"WITH first_things AS (SELECT 1) FROM first_things":        "WITH first_things AS (SELECT 1) FROM first_things\n",
		"SELECT name FROM any_things":                              "in the view cloud.s.any_things: cloud.s.things cannot be read",
		"SELECT 1 FROM endless":                                    "a view contains itself: cloud.s.endless → cloud.s.endless",
		"SELECT 1,\n2 FROM cloud.s.wrong":                          "in the view cloud.s.wrong: ",
		"SELECT name FROM first_thing":                             "did you mean first_things?",
		"DESCRIBE any_things":                                      `FROM (SELECT name, id FROM (SELECT item."name" AS "name", item."id" AS "id" FROM`,
		"CREATE TABLE t AS SELECT name FROM first_things":          `CREATE TABLE t AS SELECT name FROM ` + first + ` AS "first_things"` + "\n",
		"INSERT INTO t SELECT 1 FROM things WHERE \"group\" = '1'": "INSERT INTO t SELECT 1 FROM (SELECT ",
	} {
		statements, err := syntax.Parse(&fault.Source{Name: "query", Text: text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := show(p, statements[0], "sql")
		if exact := strings.HasSuffix(want, "\n"); exact && got != want || !strings.Contains(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
		if strings.Contains(want, "cloud.s.wrong") && !strings.Contains(got, "at query:2:8\n") {
			t.Errorf("%s is not placed at the name of the view", got)
		}
	}
	p.Options.Use = nil
	text, _, err := p.View("v", "", syntax.Original(&fault.Source{Name: "query", Text: "SELECT * FROM cloud.s.twins"}, 0, len("SELECT * FROM cloud.s.twins")))
	if err != nil || text != "SELECT * FROM cloud.s.twins" {
		t.Errorf("View = %q, %v", text, err)
	}
}
