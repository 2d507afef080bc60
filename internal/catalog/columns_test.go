package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// line writes what tests compare of a column.
func line(c Column) string {
	text := fmt.Sprintf("%s %s %s %s [%s]", c.Name, c.Kind, c.Type, strings.Join(c.Path, "."), c.Datatype)
	for _, flag := range []struct {
		on   bool
		name string
	}{{c.NoCase, "nocase"}, {c.Secret, "secret"}, {c.Parameter != nil, "binds"}, {len(c.IDs) > 0, fmt.Sprint("id", groupOf(c))}} {
		if flag.on {
			text += " " + flag.name
		}
	}
	return text
}

// groupOf gives the group of the first of a column's parts of ids.
func groupOf(c Column) int {
	if len(c.IDs) == 0 {
		return 0
	}
	return c.IDs[0].Group
}

func lines(columns []Column) string {
	var list []string
	for _, c := range columns {
		list = append(list, line(c))
	}
	return strings.Join(list, "\n")
}

const poolColumns = `id field VARCHAR id [string] nocase
location field VARCHAR location [string] binds
tags field JSON tags [object]
sku field JSON sku [object]
properties field JSON properties [object]
name field VARCHAR name [string]
type field VARCHAR type [string]
subscriptionId parameter VARCHAR  [string (uuid)] nocase binds id1
poolName parameter VARCHAR  [string] nocase binds id2
$filter parameter VARCHAR  [string] binds
pageSize parameter INTEGER  [integer (int32)] binds
kind member VARCHAR properties.kind [string]
maxSessions member BIGINT properties.maxSessions [integer]
ratio member DOUBLE properties.ratio [number]
active member BOOLEAN properties.active [boolean]
since member TIMESTAMPTZ properties.since [string (date-time)]
day member DATE properties.day [string (date)]
armPath member VARCHAR properties.armPath [string (arm-id)] nocase
token member VARCHAR properties.token [string] secret
secretBox member JSON properties.secretBox [object] secret
agent member JSON properties.agent [object]
checks member JSON properties.checks [array]
anything member JSON properties.anything [object]
untyped member JSON properties.untyped [any]
systemData member JSON systemData [object]
_raw raw JSON  [object]`

func TestColumns(t *testing.T) {
	r := resource(t, "pools")
	for _, m := range r.Verbs[provider.Select] {
		if got := lines(Columns(m)); got != poolColumns {
			t.Errorf("%s: got\n%s", m.Name, got)
		}
	}
}

// A write gives what it answers, with the parameters of its own.
func TestColumnsOfWrites(t *testing.T) {
	if got := lines(Columns(method(t, "pools", "create"))); got != poolColumns {
		t.Errorf("got\n%s", got)
	}
	got := lines(Columns(method(t, "pools", "delete")))
	if !strings.Contains(got, "force parameter BOOLEAN  [boolean] binds") || strings.Contains(got, "field") {
		t.Errorf("got\n%s", got)
	}
}

// Elsewhere than in Azure nothing is known but what the document says.
func TestColumnsOfOtherProviders(t *testing.T) {
	r, err := catalog(t).Resource("generic_cloud", "s", "pools")
	if err != nil {
		t.Fatal(err)
	}
	got := lines(Columns(r.Verbs[provider.Select][0]))
	want := strings.NewReplacer(
		"id field VARCHAR id [string] nocase", "id field VARCHAR id [string]",
		"name field VARCHAR name [string]\n", "", "type field VARCHAR type [string]\n", "",
		"subscriptionId parameter VARCHAR  [string (uuid)] nocase binds id1", "subscriptionId parameter VARCHAR  [string (uuid)] nocase binds",
		"poolName parameter VARCHAR  [string] nocase binds id2", "poolName parameter VARCHAR id [string] binds",
		"systemData member JSON systemData [object]\n", "").Replace(poolColumns)
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestColumnsOfFlattenedRows(t *testing.T) {
	got := lines(Columns(method(t, "flat", "get")))
	want := `id field VARCHAR id [string] nocase
name field VARCHAR name [string]
tags field JSON tags [object]
kindOfPool field VARCHAR properties.kindOfPool [string]
type field VARCHAR type [string]
flatName parameter VARCHAR  [string] nocase binds id1
properties member JSON properties [any]
systemData member JSON systemData [object]
_raw raw JSON  [object]`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestIDPattern(t *testing.T) {
	for _, c := range []struct{ resource, parameter, id, want string }{
		{"pools", "poolName", "/subscriptions/s1/providers/Ms.Pool/pools/P1", "P1"},
		{"pools", "subscriptionId", "/SUBSCRIPTIONS/S1/Providers/ms.pool/POOLS/P1/", "S1"},
		{"pools", "poolName", "/subscriptions/s1/providers/MsXPool/pools/P1", ""},
		{"pools", "poolName", "/subscriptions/s1/providers/Ms.Pool/pools/P1/children/c", ""},
		{"scoped_locks", "scope", "/subscriptions/s/resourceGroups/g/providers/Ms.Lock/locks/l", "subscriptions/s/resourceGroups/g"},
		{"scoped_locks", "lockName", "/subscriptions/s/resourceGroups/g/providers/Ms.Lock/locks/l", "l"},
	} {
		columns := Columns(resource(t, c.resource).Verbs[provider.Select][0])
		column, ok := Lookup(columns, c.parameter)
		if !ok || len(column.IDs) != 1 {
			t.Errorf("%s: no pattern", c.parameter)
			continue
		}
		got := ""
		if match := regexp.MustCompile(column.IDs[0].Pattern).FindStringSubmatch(c.id); match != nil {
			got = match[column.IDs[0].Group]
		}
		if got != c.want {
			t.Errorf("%s of %s: got %q, want %q", c.parameter, c.id, got, c.want)
		}
	}
	for _, c := range Columns(method(t, "pool_policies", "list")) {
		if len(c.IDs) > 0 {
			t.Errorf("%s: a resource that can only be listed has a pattern", c.Name)
		}
	}
}

func TestTypes(t *testing.T) {
	for text, want := range map[string]string{
		"string": "VARCHAR", "string date-time": "TIMESTAMPTZ", "string date": "DATE", "string uuid": "VARCHAR",
		"string time": "VARCHAR", "boolean": "BOOLEAN", "integer": "BIGINT", "integer int32": "INTEGER", "integer int64": "BIGINT",
		"number": "DOUBLE", "number float": "DOUBLE", "object": "JSON", "array": "JSON", "": "JSON",
	} {
		kind, format, _ := strings.Cut(text, " ")
		if got := sqlType(&openapi.Schema{Type: kind, Format: format}); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
	if c := typed(nil); c.Type != "JSON" || c.Datatype != "any" {
		t.Errorf("got %+v", c)
	}
}

func TestLookup(t *testing.T) {
	columns := Columns(method(t, "pools", "list"))
	for name, want := range map[string]string{
		"location": "location", "LOCATION": "location", "pool_name": "poolName", "POOLNAME": "poolName",
		"max_sessions": "maxSessions", "_RAW": "_raw", "$FILTER": "$filter", "Name": "name", "nothing": "", "": "",
	} {
		if c, ok := Lookup(columns, name); c.Name != want || ok != (want != "") {
			t.Errorf("%s: got %q", name, c.Name)
		}
	}
	// The nearer spelling wins over the better kind, the kind among equals.
	twins := []Column{{Name: "aB", Kind: Field}, {Name: "ab", Kind: Parameter}, {Name: "AB", Kind: Nested}}
	for name, want := range map[string]Kind{"ab": Parameter, "AB": Nested, "aB": Field, "Ab": Field, "a_b": Field} {
		if c, _ := Lookup(twins, name); c.Kind != want {
			t.Errorf("%s: got %s", name, c.Kind)
		}
	}
}

func TestMember(t *testing.T) {
	columns := Columns(method(t, "pools", "list"))
	for _, c := range []struct{ path, want string }{
		{"location", "location field VARCHAR location [string] binds"},
		{"properties.maxSessions", "properties.maxSessions member BIGINT properties.maxSessions [integer]"},
		{"Properties.max_sessions", "properties.maxSessions member BIGINT properties.maxSessions [integer]"},
		{"properties.agent.last_update.errortext", "properties.agent.lastUpdate.errorText member VARCHAR properties.agent.lastUpdate.errorText [string]"},
		{"agent.lastUpdate.errorText", "agent.lastUpdate.errorText member VARCHAR properties.agent.lastUpdate.errorText [string]"},
		{"tags.env", "tags.env member VARCHAR tags.env [string]"},
		{"tags.Cost_Centre", "tags.Cost_Centre member VARCHAR tags.Cost_Centre [string]"},
		{"sku.capacity", "sku.capacity member INTEGER sku.capacity [integer (int32)]"},
		{"properties.anything.a.b", "properties.anything.a.b member VARCHAR properties.anything.a.b [any]"},
		{"properties.untyped", "properties.untyped member VARCHAR properties.untyped [any]"},
		{"untyped.x", "untyped.x member VARCHAR properties.untyped.x [any]"},
		{"systemData.createdBy", "systemData.createdBy member VARCHAR systemData.createdBy [any]"},
		{"secretBox.inner", "secretBox.inner member VARCHAR properties.secretBox.inner [string] secret"},
		{"properties.token", "properties.token member VARCHAR properties.token [string] secret"},
		{"_raw.properties.since", "_raw.properties.since member TIMESTAMPTZ properties.since [string (date-time)]"},
	} {
		got, err := Member(columns, strings.Split(c.path, "."))
		if err != nil || line(got) != c.want {
			t.Errorf("%s: got %s, %v", c.path, line(got), err)
		}
	}
}

func TestMemberErrors(t *testing.T) {
	columns := Columns(method(t, "pools", "list"))
	for _, c := range []struct{ path, message, hint string }{
		{"propertys.kind", `no column "propertys"`, "did you mean properties?"},
		{"nonsense.kind", `no column "nonsense"`, "DESCRIBE lists"},
		{"properties.maxSesions", `"properties" has no member "maxSesions"`, "did you mean maxSessions?"},
		{"properties.zzz", `"properties" has no member "zzz"`, "properties ->> '$.zzz'"},
		{"sku.name.x", `"sku.name" has no member "x"`, "write sku.name alone"},
		{"properties.checks.ok", `"properties.checks" has no member "ok"`, "unnest"},
		{"poolName.x", `"poolName" is a parameter`, "write poolName alone"},
	} {
		_, err := Member(columns, strings.Split(c.path, "."))
		e := fault.As(err)
		if e == nil || e.Code != fault.UndefinedColumn || !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: got %s", c.path, fault.From(err).Print())
		}
	}
	if _, err := Member(columns, nil); fault.As(err).Code != fault.Internal {
		t.Errorf("got %v", err)
	}
}

// The paths of a lookup are not shared between its results.
func TestMemberPathsAreOwn(t *testing.T) {
	columns := Columns(method(t, "pools", "list"))
	a, _ := Member(columns, []string{"agent", "lastUpdate"})
	b, _ := Member(columns, []string{"agent", "lastUpdate", "errorText"})
	_, _ = Member(columns, []string{"agent", "lastUpdate"})
	if !slices.Equal(a.Path, []string{"properties", "agent", "lastUpdate"}) || len(b.Path) != 4 {
		t.Errorf("got %v, %v", a.Path, b.Path)
	}
}
