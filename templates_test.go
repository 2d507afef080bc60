package planeql_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

var placeholderName = regexp.MustCompile(`\{\{ ([^ ]+) \}\}`)

// Each template that SHOW prints is one statement once its places are filled.
func TestTemplates_parse(t *testing.T) {
	n := 0
	for _, m := range builtInMethods(t) {
		for _, verb := range m.Verbs {
			if verb == provider.Select {
				continue
			}
			text := catalog.Template(m, verb)
			values := map[string]string{}
			for _, found := range placeholderName.FindAllStringSubmatch(text, -1) {
				values[found[1]] = "true"
			}
			n++
			s := open(t, "http://127.0.0.1:1", planeql.WithVariables(values))
			if list, err := s.Parse("template", text); err != nil || len(list) != 1 {
				t.Errorf("%s\n%v", text, err)
			}
		}
	}
	if n < 50 {
		t.Errorf("%d templates", n)
	}
}

// filling is what the places of a template are filled with, and the request that
// has to come of it.
type filling struct {
	text   string
	values map[string]string
	method string
	path   string
	query  url.Values
	body   map[string]any
}

// fillingOf gives each place of a template a value that its schema takes. The
// parts of the path name something that is there, or that can be made.
func fillingOf(m *provider.Method, verb provider.Verb, path map[string]string) filling {
	f := filling{text: catalog.Template(m, verb), values: map[string]string{}, query: url.Values{}, body: map[string]any{}, method: m.HTTPMethod, path: m.Path}
	for _, found := range placeholderName.FindAllStringSubmatch(f.text, -1) {
		name := found[1]
		if f.values[name] != "" {
			continue
		}
		if p, ok := m.Parameter(name); ok {
			value := path[name]
			if p.In != provider.InPath {
				value = fmt.Sprint(sample(p.Schema, name, 3))
				f.query.Set(name, value)
			}
			f.values[name] = value
			f.path = strings.Replace(f.path, "{"+name+"}", value, 1)
			continue
		}
		f.member(m.Body.Schema, name)
	}
	for name, value := range f.values {
		f.text = strings.ReplaceAll(f.text, "'{{ "+name+" }}'", syntax.QuoteText(value))
	}
	return f
}

// member gives a member of the body its value: a member of properties stands by
// its own name, unless that is something else too.
func (f filling) member(s *openapi.Schema, name string) {
	below, isBelow := strings.CutPrefix(name, "properties.")
	schema, object := s.Member(name), f.body
	if schema == nil || isBelow {
		schema = s.Member("properties").Member(below)
		if f.body["properties"] == nil {
			f.body["properties"] = map[string]any{}
		}
		object = f.body["properties"].(map[string]any)
	}
	value := sample(schema, below, 3)
	switch below {
	case "location":
		value = "westeurope"
	case "managedBy", "hostPoolArmPath", "id":
		value = officeID
	}
	object[below] = value
	text, _ := json.Marshal(value) // made of plain values
	f.values[name] = string(text)
	if plain, isText := value.(string); isText {
		f.values[name] = plain
	}
}

// placesOf gives the parts of the path of a resource: of one that is there, else
// of one that could be.
func placesOf(t *testing.T, s *planeql.Session, m *provider.Method) map[string]string {
	t.Helper()
	names := m.PathParameters()
	places := map[string]string{}
	if m.Resource.Verbs[provider.Select] != nil && len(names) > 0 {
		rows, err := query(t, s, "SELECT "+strings.Join(names, ", ")+" FROM "+m.Resource.Path()+" LIMIT 1")
		if err == nil && len(rows) == 1 && !slices.Contains(rows[0], nil) { // what stands below another kind of parent has no name of this one
			for i, name := range names {
				places[name] = fmt.Sprint(rows[0][i])
			}
			return places
		}
	}
	known := map[string]string{"subscriptionId": prod, "resourceGroupName": "rg-avd-prod-weu", "hostPoolName": "hp-office", "resourceId": groupID[1:]}
	for _, name := range names {
		places[name] = known[name]
		if parents[name] != "" && name != names[len(names)-1] {
			places[name] = parent(t, s, name)
		}
		if places[name] == "" {
			places[name] = "planeql-new"
		}
	}
	return places
}

// Each template sends the request that it says, once its places are filled, and
// the service takes it: of each resource INSERT first, DELETE last.
func TestTemplates_run(t *testing.T) {
	byResource := map[string][]*provider.Method{}
	for _, m := range builtInMethods(t) {
		byResource[m.Resource.Path()] = append(byResource[m.Resource.Path()], m)
	}
	n := 0
	for _, name := range slices.Sorted(maps.Keys(byResource)) {
		t.Run(name, func(t *testing.T) {
			sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithLongRunning(armsim.LongRunning{Style: armsim.Immediate}))
			s := open(t, url, planeql.WithYes())
			made := false
			for _, verb := range []provider.Verb{provider.Insert, provider.Replace, provider.Update, provider.Exec, provider.Delete} {
				for _, m := range byResource[name] {
					if !slices.Contains(m.Verbs, verb) {
						continue
					}
					n++
					made = made || verb == provider.Insert
					places := placesOf(t, s, m)
					if names := m.PathParameters(); made && m.HTTPMethod != "POST" {
						places[names[len(names)-1]] = "planeql-new"
					}
					t.Run(m.Name+"/"+string(verb), func(t *testing.T) { runTemplate(t, sim, s, fillingOf(m, verb, places)) })
				}
			}
		})
	}
	if n < 50 {
		t.Errorf("%d templates", n)
	}
}

func runTemplate(t *testing.T, sim *armsim.Simulator, s *planeql.Session, f filling) {
	sim.ResetRequests()
	if _, err := query(t, s, f.text); err != nil {
		t.Errorf("%s\n%s", f.text, printed(err))
	}
	requests := sim.Requests()
	i := slices.IndexFunc(requests, func(r armsim.Request) bool { return r.Method == f.method && strings.EqualFold(r.Path, f.path) })
	if i < 0 {
		t.Fatalf("no %s %s in %v", f.method, f.path, requests)
	}
	got := requests[i]
	got.Query.Del("api-version")
	if diff := cmp.Diff(f.query, got.Query); diff != "" {
		t.Errorf("query: %s", diff)
	}
	var want any
	if len(f.body) > 0 {
		raw, _ := json.Marshal(f.body) // made of plain values
		want = decoded(t, raw)
	}
	if diff := cmp.Diff(want, decoded(t, got.Body)); diff != "" {
		t.Errorf("body: %s", diff)
	}
}
