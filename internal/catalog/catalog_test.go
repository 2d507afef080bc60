package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// pools is a service in the manner of Azure Resource Manager, small enough to
// know by heart.
const pools = `
openapi: 3.0.0
info: {title: Pools, version: '2024-04-03'}
servers: [{url: 'https://management.azure.com'}]
components:
  parameters:
    sub: {name: subscriptionId, in: path, required: true, description: The subscription., schema: {type: string, format: uuid}}
    pool: {name: poolName, in: path, required: true, schema: {type: string}}
  schemas:
    Pool:
      type: object
      required: [location]
      properties:
        id: {type: string, readOnly: true}
        location: {type: string, description: The region.}
        tags: {type: object, additionalProperties: {type: string}}
        sku: {type: object, properties: {name: {type: string, enum: [a, b]}, capacity: {type: integer, format: int32}}}
        properties:
          type: object
          required: [kind]
          description: What makes the pool.
          properties:
            kind: {type: string, default: a}
            maxSessions: {type: integer}
            ratio: {type: number}
            active: {type: boolean, readOnly: true}
            since: {type: string, format: date-time, readOnly: true}
            day: {type: string, format: date}
            armPath: {type: string, format: arm-id}
            token: {type: string, x-ms-secret: true}
            secretBox: {type: object, x-ms-secret: true, properties: {inner: {type: string}}}
            agent: {type: object, properties: {lastUpdate: {type: object, properties: {errorText: {type: string}}}}}
            checks: {type: array, items: {type: object, properties: {ok: {type: boolean}}}}
            anything: {type: object}
            untyped: {}
            pool_name: {type: string}
    List: {type: object, properties: {value: {type: array, items: {$ref: '#/components/schemas/Pool'}}}}
  x-stackQL-resources:
    pools:
      id: azure.s.pools
      title: Pools
      description: The pools.
      methods:
        create:
          operation: {$ref: '#/paths/~1subscriptions~1{subscriptionId}~1providers~1Ms.Pool~1pools~1{poolName}?api-version=1/put'}
        restart:
          operation: {$ref: '#/paths/~1subscriptions~1{subscriptionId}~1providers~1Ms.Pool~1pools~1{poolName}~1restart?api-version=1/post'}
        list:
          operation: {$ref: '#/paths/~1subscriptions~1{subscriptionId}~1providers~1Ms.Pool~1pools?api-version=1/get'}
        get:
          operation: {$ref: '#/paths/~1subscriptions~1{subscriptionId}~1providers~1Ms.Pool~1pools~1{poolName}?api-version=1/get'}
        update:
          operation: {$ref: '#/paths/~1subscriptions~1{subscriptionId}~1providers~1Ms.Pool~1pools~1{poolName}?api-version=1/patch'}
        delete:
          operation: {$ref: '#/paths/~1subscriptions~1{subscriptionId}~1providers~1Ms.Pool~1pools~1{poolName}?api-version=1/delete'}
      sqlVerbs:
        select:
          - {$ref: '#/components/x-stackQL-resources/pools/methods/get'}
          - {$ref: '#/components/x-stackQL-resources/pools/methods/list'}
        insert: [{$ref: '#/components/x-stackQL-resources/pools/methods/create'}]
        replace: [{$ref: '#/components/x-stackQL-resources/pools/methods/create'}]
        update: [{$ref: '#/components/x-stackQL-resources/pools/methods/update'}]
        delete: [{$ref: '#/components/x-stackQL-resources/pools/methods/delete'}]
    pool_policies:
      methods:
        list:
          operation: {$ref: '#/paths/~1policies/get'}
    scoped_locks:
      methods:
        get:
          operation: {$ref: '#/paths/~1{scope}~1providers~1Ms.Lock~1locks~1{lockName}/get'}
    broken:
      methods:
        get: {operation: {$ref: '#/paths/~1nowhere/get'}}
    flat:
      methods:
        get:
          operation: {$ref: '#/paths/~1flat~1{flatName}/get'}
          response: {transform: {body: '{"_flattened": true}'}}
paths:
  /subscriptions/{subscriptionId}/providers/Ms.Pool/pools/{poolName}?api-version=1:
    parameters: [{$ref: '#/components/parameters/sub'}, {$ref: '#/components/parameters/pool'}]
    get:
      description: Reads a pool.
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Pool'}}}}}
    put:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pool'}}}}
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Pool'}}}}}
    patch:
      requestBody: {content: {application/json: {schema: {type: object, properties: {id: {type: string, readOnly: true}, tags: {type: object}}}}}}
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Pool'}}}}}
    delete:
      parameters: [{name: force, in: query, description: Even if in use., schema: {type: boolean}}]
      responses: {'204': {description: Gone.}}
  /subscriptions/{subscriptionId}/providers/Ms.Pool/pools/{poolName}/restart?api-version=1:
    parameters: [{$ref: '#/components/parameters/sub'}, {$ref: '#/components/parameters/pool'}]
    post:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [why], properties: {why: {type: string}, grace: {type: integer, format: int64}}}}}}
      responses: {'202': {description: Begun.}}
  /subscriptions/{subscriptionId}/providers/Ms.Pool/pools?api-version=1:
    parameters: [{$ref: '#/components/parameters/sub'}]
    get:
      parameters:
        - {name: $filter, in: query, schema: {type: string}}
        - {name: location, in: query, schema: {type: string}}
        - {name: pageSize, in: query, schema: {type: integer, format: int32}}
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/List'}}}}}
  /policies:
    get:
      responses: {'200': {content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}, text: {type: string}}}}}}}}
  /{scope}/providers/Ms.Lock/locks/{lockName}:
    get:
      parameters:
        - {name: scope, in: path, required: true, x-ms-skip-url-encoding: true, schema: {type: string}}
        - {name: lockName, in: path, required: true, schema: {type: string}}
      responses: {'200': {content: {application/json: {schema: {type: object, properties: {id: {type: string}, properties: {type: object}}}}}}}
  /flat/{flatName}:
    get:
      responses: {'200': {content: {application/json: {schema: {type: object, properties: {id: {type: string}, name: {type: string}, tags: {type: object}, kindOfPool: {type: string}}}}}}}
`

func open(t *testing.T, name, document string) *provider.Provider {
	t.Helper()
	p, err := provider.Open(fstest.MapFS{
		name + "/v1/provider.yaml": {Data: []byte(`
version: v1
title: The provider
providerServices:
  s: {title: The service, description: Pools and policies., service: {$ref: x/v1/services/s.yaml}}
  key_vault: {title: Vaults, service: {$ref: x/v1/services/gone.yaml}}
`)},
		name + "/v1/services/s.yaml": {Data: []byte(document)},
	}, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func catalog(t *testing.T) *Catalog {
	t.Helper()
	return New(open(t, "azure", pools), open(t, "generic_cloud", pools))
}

func resource(t *testing.T, name string) *provider.Resource {
	t.Helper()
	r, err := catalog(t).Resource("azure", "s", name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func method(t *testing.T, resourceName, name string) *provider.Method {
	t.Helper()
	m, ok := resource(t, resourceName).Method(name)
	if !ok {
		t.Fatalf("no method %s", name)
	}
	return m
}

func TestResource(t *testing.T) {
	c := catalog(t)
	for _, parts := range [][]string{
		{"azure", "s", "pool_policies"}, {"AZURE", "S", "Pool_Policies"}, {"azure", "s", "poolPolicies"},
		{"genericcloud", "s", "POOLPOLICIES"},
	} {
		if r, err := c.Resource(parts...); err != nil || r.Name != "pool_policies" {
			t.Errorf("%v: got %v", parts, err)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	c := catalog(t)
	for _, c2 := range []struct {
		parts         string
		code          fault.Code
		message, hint string
	}{
		{"azur.s.pools", fault.UndefinedTable, `no provider "azur"`, "did you mean azure?"},
		{"gcp.s.pools", fault.UndefinedTable, `no provider "gcp"`, "SHOW PROVIDERS lists"},
		{"azure.keyvaults.x", fault.UndefinedTable, `provider "azure" has no service "keyvaults"`, "did you mean key_vault?"},
		{"azure.network.x", fault.UndefinedTable, `provider "azure" has no service "network"`, "SHOW SERVICES IN azure lists them"},
		{"Azure.S.pool", fault.UndefinedTable, `service "azure.s" has no resource "pool"`, "did you mean pools?"},
		{"azure.s.poolPolicy", fault.UndefinedTable, `has no resource "poolPolicy"`, "did you mean pool_policies?"},
		{"azure.s.widgets", fault.UndefinedTable, `has no resource "widgets"`, "SHOW RESOURCES IN azure.s lists them"},
		{"azure.s", fault.UndefinedTable, `"azure.s" does not name a resource`, "USE provider.service"},
		{"azure.key_vault.x", fault.DocumentMissing, "is not there", "provider pull"},
		{"azure.s.broken", fault.DocumentInvalid, `no path "/nowhere"`, "correct the provider document"},
	} {
		t.Run(c2.parts, func(t *testing.T) {
			_, err := c.Resource(strings.Split(c2.parts, ".")...)
			e := fault.As(err)
			if e == nil || e.Code != c2.code || !strings.Contains(e.Message, c2.message) || !strings.Contains(e.Hint, c2.hint) {
				t.Errorf("got %v", fault.From(err).Print())
			}
		})
	}
}

func TestMethod(t *testing.T) {
	c, r := catalog(t), resource(t, "pools")
	for _, name := range []string{"restart", "Restart", "re_start"} {
		if m, err := c.Method(r, name); err != nil || m.Name != "restart" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, hint := range map[string]string{"restrat": "did you mean restart?", "shut": "SHOW METHODS IN azure.s.pools lists them"} {
		_, err := c.Method(r, name)
		if e := fault.As(err); e == nil || e.Code != fault.UndefinedMethod || e.Hint != hint {
			t.Errorf("%s: got %v", name, fault.From(err).Print())
		}
	}
}

func TestFindParameter(t *testing.T) {
	m := method(t, "pools", "list")
	for name, want := range map[string]string{
		"subscriptionId": "subscriptionId", "SUBSCRIPTIONID": "subscriptionId", "subscription_id": "subscriptionId",
		"$filter": "$filter", "page_size": "pageSize", "filter": "", "poolName": "",
	} {
		if p, ok := FindParameter(m, name); p.Name != want || ok != (want != "") {
			t.Errorf("%s: got %q", name, p.Name)
		}
	}
}

func TestComplete(t *testing.T) {
	c := catalog(t)
	for _, c2 := range []struct{ prefix, want string }{
		{"", "azure generic_cloud"},
		{"azure", "s key_vault"},
		{"azure.s", "pools pool_policies scoped_locks broken flat"},
		{"azure.s.pools", "create restart list get update delete"},
		{"gcp", ""},
		{"azure.gone", ""},
		{"azure.key_vault", ""},
		{"azure.s.pools.get", ""},
	} {
		var parts []string
		if c2.prefix != "" {
			parts = strings.Split(c2.prefix, ".")
		}
		if got := strings.Join(c.Complete(parts...), " "); got != c2.want {
			t.Errorf("%s: got %q", c2.prefix, got)
		}
	}
}

func TestNewKeepsTheFirst(t *testing.T) {
	first, second := open(t, "azure", pools), open(t, "azure", pools)
	if c := New(first, second); !slices.Equal(c.Providers(), []string{"azure"}) || (*c.providers.Load())[0] != first {
		t.Error("two providers of one name")
	}
}

func TestSmallestStatement(t *testing.T) {
	r := resource(t, "pools")
	for name, want := range map[string]string{
		"get":     "SELECT * FROM azure.s.pools WHERE subscriptionId = '…' AND poolName = '…'",
		"list":    "SELECT * FROM azure.s.pools WHERE subscriptionId = '…'",
		"create":  "INSERT INTO azure.s.pools (subscriptionId, poolName, location) VALUES ('…', '…', '…')",
		"update":  "UPDATE azure.s.pools SET tags = '…' WHERE subscriptionId = '…' AND poolName = '…'",
		"delete":  "DELETE FROM azure.s.pools WHERE subscriptionId = '…' AND poolName = '…'",
		"restart": `EXEC azure.s.pools.restart @subscriptionId='…', @poolName='…' @@json='{"why": "…"}'`,
	} {
		m, _ := r.Method(name)
		if got := SmallestStatement(r, m); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	policies := resource(t, "pool_policies")
	if got := SmallestStatement(policies, policies.Methods[0]); got != "SELECT * FROM azure.s.pool_policies" {
		t.Errorf("got %s", got)
	}
	replace := *r.Verbs[provider.Replace][0]
	replace.Verbs = []provider.Verb{provider.Replace}
	if got := SmallestStatement(r, &replace); got != "REPLACE azure.s.pools SET location = '…' WHERE subscriptionId = '…' AND poolName = '…'" {
		t.Errorf("got %s", got)
	}
	bare := provider.Method{Name: "ping", Verbs: []provider.Verb{provider.Exec}}
	if got := SmallestStatement(r, &bare); got != "EXEC azure.s.pools.ping" {
		t.Errorf("got %s", got)
	}
}

// listing writes a listing in one text.
func listing(t Table) string {
	lines := []string{strings.Join(t.Columns, "|")}
	for _, row := range t.Rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, fmt.Sprint(v))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "<nil>", "-")
}
