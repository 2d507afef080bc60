package catalog

import (
	"os"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

func check(t *testing.T, got Table, want string) {
	t.Helper()
	if text := listing(got); text != strings.TrimSpace(want) {
		t.Errorf("got\n%s", text)
	}
}

func must(t *testing.T) func(Table, error) Table {
	return func(table Table, err error) Table {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
}

func TestShow(t *testing.T) {
	c := catalog(t)
	check(t, must(t)(c.ShowProviders(false)), `
name|version
azure|v1
generic_cloud|v1`)
	check(t, must(t)(c.ShowProviders(true)), `
name|version|title|description
azure|v1|The provider|-
generic_cloud|v1|The provider|-`)
	check(t, must(t)(c.ShowServices("Azure", false)), `
id|name|title
azure.s|s|The service
azure.key_vault|key_vault|Vaults`)
	check(t, must(t)(c.ShowServices("azure", true)), `
id|name|title|description
azure.s|s|The service|Pools and policies.
azure.key_vault|key_vault|Vaults|-`)
	check(t, must(t)(c.ShowResources("azure", "s", false)), `
name|id
pools|azure.s.pools
pool_policies|azure.s.pool_policies
scoped_locks|azure.s.scoped_locks
broken|azure.s.broken
flat|azure.s.flat`)
	extended := must(t)(c.ShowResources("azure", "s", true))
	extended.Rows = extended.Rows[:2]
	check(t, extended, `
name|id|title|description
pools|azure.s.pools|Pools|The pools.
pool_policies|azure.s.pool_policies|-|-`)
}

func TestShowErrors(t *testing.T) {
	c := catalog(t)
	if _, err := c.ShowServices("azur", false); fault.As(err).Code != fault.UndefinedTable {
		t.Errorf("got %v", err)
	}
	if _, err := c.ShowResources("azure", "t", false); fault.As(err).Code != fault.UndefinedTable {
		t.Errorf("got %v", err)
	}
	if _, err := c.ShowResources("azure", "key_vault", false); fault.As(err).Code != fault.DocumentMissing {
		t.Errorf("got %v", err)
	}
}

func TestShowMethods(t *testing.T) {
	c, r := catalog(t), resource(t, "pools")
	check(t, c.ShowMethods(r, false), `
MethodName|SQLVerb|RequiredParams|OptionalParams
list|SELECT|subscriptionId|$filter, location, pageSize
get|SELECT|subscriptionId, poolName|
create|INSERT, REPLACE|subscriptionId, poolName|
update|UPDATE|subscriptionId, poolName|
delete|DELETE|subscriptionId, poolName|force
restart|EXEC|subscriptionId, poolName|`)
	extended := c.ShowMethods(r, true)
	extended.Rows = extended.Rows[1:2]
	check(t, extended, `
MethodName|SQLVerb|RequiredParams|OptionalParams|description|http_method|path|api_version
get|SELECT|subscriptionId, poolName||Reads a pool.|GET|/subscriptions/{subscriptionId}/providers/Ms.Pool/pools/{poolName}|1`)
}

func TestDescribe(t *testing.T) {
	c, r := catalog(t), resource(t, "pools")
	check(t, c.Describe(r, false), `
name|type|description
id|string|-
location|string|The region.
tags|object|-
sku|object|-
properties|object|What makes the pool.
name|string|The name of the resource.
type|string|The resource type, namespace first.`)
	extended := listing(c.Describe(r, true))
	for _, want := range []string{
		"name|type|description|kind|sql_type|methods\n",
		"\nid|string|-|field|VARCHAR|get, list\n",
		"\npoolName|string|-|parameter|VARCHAR|get, create, update, delete, restart\n",
		"\n$filter|string|-|parameter|VARCHAR|list\n",
		"\nsince|string (date-time)|-|member|TIMESTAMPTZ|get, list\n",
		"\n_raw|object|The whole item as the service sent it.|raw|JSON|get, list",
	} {
		if !strings.Contains(extended, want) {
			t.Errorf("%q is not in\n%s", want, extended)
		}
	}
}

// Without a SELECT, what the writes answer is all that is known.
func TestDescribeWithoutSelect(t *testing.T) {
	c := catalog(t)
	r := *resource(t, "pools")
	r.Verbs = map[provider.Verb][]*provider.Method{}
	if got := c.Describe(&r, false); len(got.Rows) != 7 {
		t.Errorf("got\n%s", listing(got))
	}
	r.Methods = nil
	if got := c.Describe(&r, true); len(got.Rows) != 0 || len(got.Columns) != 6 {
		t.Errorf("got\n%s", listing(got))
	}
}

func TestDescribeMethod(t *testing.T) {
	c := catalog(t)
	check(t, c.DescribeMethod(method(t, "pools", "restart"), false), `
name|type|param_type|in|description
subscriptionId|string (uuid)|input_required|path|The subscription.
poolName|string|input_required|path|-
why|string|input_required|body|-
grace|integer (int64)|input_optional|body|-`)
	got := listing(c.DescribeMethod(method(t, "pools", "create"), true))
	for _, want := range []string{
		"name|type|param_type|in|description|sql_type|default|values\n",
		"\nlocation|string|input_required|body|The region.|VARCHAR|-|-\n",
		"\nproperties|object|input_optional|body|What makes the pool.|JSON|-|-\n" +
			"properties.kind|string|input_required|body|-|VARCHAR|a|-\nproperties.maxSessions|integer|input_optional|body|",
		"\nid|string|output|body|-|VARCHAR|-|-\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "properties.since") || strings.Contains(got, "id|string|input") {
		t.Errorf("what is read-only is listed as input\n%s", got)
	}
	deleted := listing(c.DescribeMethod(method(t, "pools", "delete"), false))
	if !strings.HasSuffix(deleted, "\nforce|boolean|input_optional|query|Even if in use.") {
		t.Errorf("got\n%s", deleted)
	}
}

func TestLike(t *testing.T) {
	c := catalog(t)
	resources := must(t)(c.ShowResources("azure", "s", false))
	methods := c.ShowMethods(resource(t, "pools"), false)
	plain := Table{Columns: []string{"x"}, Rows: [][]any{{"a.b"}, {"axb"}, {nil}}}
	for _, c2 := range []struct {
		table         Table
		pattern, want string
	}{
		{resources, "pool%", "pools pool_policies"},
		{resources, "POOL_", "pools"},
		{resources, "%o%k%", "scoped_locks broken"},
		{resources, "pool", ""},
		{methods, "%e", "create update delete"},
		{plain, "a.b", "a.b"},
		{plain, "a_b", "a.b axb"},
		{plain, "%", "a.b axb"},
	} {
		var got []string
		for _, row := range Like(c2.table, c2.pattern).Rows {
			got = append(got, row[0].(string))
		}
		if strings.Join(got, " ") != c2.want {
			t.Errorf("%s: got %v", c2.pattern, got)
		}
	}
}

// The columns of the seed page's resource, on the documents that are built in.
func TestBuiltIn(t *testing.T) {
	p, err := provider.Open(os.DirFS("../../providers"), "azure")
	if err != nil {
		t.Skip("no built-in documents")
	}
	c := New(p)
	r, err := c.Resource("azure", "desktop_virtualization", "user_sessions")
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, row := range c.Describe(r, false).Rows {
		fields = append(fields, row[0].(string)+" "+row[1].(string))
	}
	if got := strings.Join(fields, ", "); got != "id string (arm-id), name string, properties object, systemData object, type string" {
		t.Errorf("got %s", got)
	}
	for _, name := range c.Complete("azure") {
		s, err := c.Service("azure", name)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Problems() {
			t.Error(err)
		}
		for _, r := range s.Resources() {
			checkResource(t, r)
		}
	}
}

// checkResource holds a resource of a document to what the planner counts on.
func checkResource(t *testing.T, r *provider.Resource) {
	t.Helper()
	for _, m := range r.Methods {
		columns := Columns(m)
		seen := map[string]bool{}
		for _, c := range columns {
			if seen[c.Name] {
				t.Errorf("%s: two columns %q", m.FullName(), c.Name)
			}
			seen[c.Name] = true
			if (c.Kind == Field || c.Kind == Nested) && len(c.Path) == 0 || c.Kind == Parameter && c.Parameter == nil {
				t.Errorf("%s: %s", m.FullName(), line(c))
			}
		}
		for _, p := range m.PathParameters() {
			if c, ok := Lookup(columns, p); !ok || c.Parameter == nil {
				t.Errorf("%s: no column binds %q", m.FullName(), p)
			}
		}
	}
}
