package planeql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// sample gives a value that a schema takes, as JSON.
func sample(s *openapi.Schema, name string, depth int) any {
	switch {
	case s == nil:
		return "x"
	case len(s.Enum) > 0:
		return s.Enum[len(s.Enum)-1]
	case s.Type == "boolean":
		return true
	case s.Type == "integer" || s.Type == "number":
		return json.Number("7")
	case s.Type == "array":
		return []any{}
	case s.Type == "object" || len(s.Members()) > 0:
		object := map[string]any{}
		for _, m := range s.Members() {
			if depth > 0 && slices.Contains(s.Required, m.Name) && !m.Schema.ReadOnly {
				object[m.Name] = sample(m.Schema, m.Name, depth-1)
			}
		}
		return object
	case s.Format == "date-time":
		return "2031-02-03T04:05:06Z"
	case strings.HasSuffix(name, "ArmPath") || s.Format == "arm-id":
		return officeID
	case strings.HasSuffix(strings.ToLower(name), "time"):
		return "2031-02-03T04:05:06Z"
	}
	return "a " + name
}

// writtenMembers gives the columns that a statement writes and a SELECT gives
// back, with values: the members of the body that are scalars.
func writtenMembers(m *provider.Method, all bool) []given {
	var list []given
	add := func(s *openapi.Schema, required []string) {
		for _, member := range s.Members() {
			isRequired := slices.Contains(required, member.Name)
			scalar := member.Schema.Type != "object" && member.Schema.Type != "array" && len(member.Schema.Members()) == 0
			if member.Schema.ReadOnly || member.Schema.Secret || slices.Contains([]string{"properties", "kind", "managedBy"}, member.Name) || !isRequired && (!all || !scalar) {
				continue
			}
			text, _ := json.Marshal(sample(member.Schema, member.Name, 3)) // made of plain values
			if member.Name == "location" {
				text = []byte(`"westeurope"`)
			}
			list = append(list, given{member.Name, valueText(text)})
		}
	}
	add(m.Body.Schema, m.Body.Schema.Required)
	if properties := m.Body.Schema.Member("properties"); properties != nil {
		required := properties.Required
		if len(required) == 0 && slices.Contains(m.Body.Schema.Required, "properties") {
			i := slices.IndexFunc(properties.Members(), func(p openapi.Member) bool { return !p.Schema.ReadOnly && p.Schema.Type == "string" })
			required = []string{properties.Members()[i].Name} // there must be one
		}
		add(properties, required)
	}
	return list
}

// Every resource of Azure Virtual Desktop that can be created, resource groups
// and machines: what INSERT, UPDATE and REPLACE wrote is what SELECT gives back,
// and after DELETE there is nothing.
func TestRoundTrips(t *testing.T) {
	tried := 0
	for _, m := range builtInMethods(t) {
		if !slices.Contains(m.Verbs, provider.Insert) || m.HTTPMethod != "PUT" {
			continue
		}
		tried++
		t.Run(m.Resource.Name, func(t *testing.T) {
			_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithLongRunning(armsim.LongRunning{Style: armsim.Immediate}))
			roundTrip(t, open(t, url, planeql.WithYes()), m)
		})
	}
	if tried < 11 {
		t.Errorf("%d resources", tried)
	}
}

// roundTrip writes, reads, changes, replaces and deletes a resource.
func roundTrip(t *testing.T, s *planeql.Session, m *provider.Method) {
	r := m.Resource.Path()
	known := map[string]string{
		"subscriptionId": prod, "resourceGroupName": "rg-avd-prod-weu", "hostPoolName": "hp-office", "applicationGroupName": "hp-office-dag",
		"scalingPlanName": "sp-office",
	}
	var parameters []given
	names := m.PathParameters()
	for i, name := range names {
		value := known[name]
		if i == len(names)-1 {
			value = "planeql-new"
		} else if value == "" || name == "applicationGroupName" || name == "scalingPlanName" {
			value = parent(t, s, name)
		}
		parameters = append(parameters, given{name, "'" + value + "'"})
	}
	where := " WHERE " + givenText(parameters, " AND ", func(g given) string { return g.name + " = " + g.value })
	for _, all := range []bool{false, true} {
		columns := append(slices.Clone(parameters), writtenMembers(m, all)...)
		list := givenText(columns, ", ", func(g given) string { return g.name })
		values := givenText(columns, ", ", func(g given) string { return g.value })
		verb := map[bool]string{false: "INSERT INTO ", true: "REPLACE INTO "}[all]
		checkAnswer(t, must(t, s, verb+r+" ("+list+") VALUES ("+values+") RETURNING name"))
		checkWritten(t, s, m, where, columns[len(parameters):])
	}
	if updates := m.Resource.Verbs[provider.Update]; len(updates) > 0 {
		set := updateOf(updates[0])
		checkAnswer(t, must(t, s, "UPDATE "+r+" SET "+set.name+" = "+set.value+where+" RETURNING name"))
		checkWritten(t, s, m, where, []given{set})
	}
	must(t, s, "DELETE FROM "+r+where)
	rows, err := query(t, s, "SELECT id FROM "+r+where)
	if e := fault.As(err); len(rows) != 0 || err != nil && e.Code != fault.NotFound { // a group is a place that the statement names
		t.Errorf("after DELETE: %v, %v", rows, err)
	}
}

func givenText(list []given, between string, write func(given) string) string {
	var texts []string
	for _, g := range list {
		texts = append(texts, write(g))
	}
	return strings.Join(texts, between)
}

// parents are the resources that others stand below, by the parameter that names
// them.
var parents = map[string]string{"applicationGroupName": "application_groups", "scalingPlanName": "scaling_plans", "workspaceName": "workspaces"}

// parent finds the name of something that a new resource can stand below.
func parent(t *testing.T, s *planeql.Session, parameter string) string {
	t.Helper()
	resource := parents[parameter]
	rows := must(t, s, "SELECT name FROM azure.desktop_virtualization."+resource+" WHERE resourceGroupName = 'rg-avd-prod-weu' LIMIT 1")
	if len(rows) == 0 {
		t.Fatalf("there is nothing for %s", parameter)
	}
	return fmt.Sprint(rows[0][0])
}

// updateOf gives a member that an update can change.
func updateOf(m *provider.Method) given {
	for _, s := range []*openapi.Schema{m.Body.Schema.Member("properties"), m.Body.Schema} {
		for _, member := range s.Members() {
			if member.Schema.Type == "string" && !member.Schema.ReadOnly && member.Name != "name" && member.Name != "kind" && member.Name != "managedBy" && len(member.Schema.Enum) == 0 && member.Schema.Format == "" {
				return given{member.Name, "'changed'"}
			}
		}
	}
	if m.Body.Schema.Member("tags") == nil {
		return given{"daysOfWeek", `'["Monday"]'`}
	}
	return given{"tags", `'{"changed":"yes"}'`}
}

// checkWritten compares what was written with what a SELECT gives. The form of a
// time is the service's.
func checkWritten(t *testing.T, s *planeql.Session, m *provider.Method, where string, columns []given) {
	t.Helper()
	list := columnsOf(m, catalog.Field)
	list = append(list, nestedColumns(m)...)
	var compared []given
	var selected []string
	for _, g := range columns {
		i := slices.IndexFunc(list, func(c catalog.Column) bool { return c.Name == g.name })
		if i < 0 {
			continue // the answers do not have it: a password, or what only a body knows
		}
		compared = append(compared, g)
		selected = append(selected, g.name+" IS NOT DISTINCT FROM CAST("+g.value+" AS "+list[i].Type+"), "+g.name)
	}
	if len(compared) == 0 {
		return
	}
	rows := must(t, s, "SELECT "+strings.Join(selected, ", ")+" FROM "+m.Resource.Path()+where)
	if len(rows) != 1 {
		t.Fatalf("%d rows of what was written", len(rows))
	}
	for i, g := range compared {
		if rows[0][2*i] != true {
			t.Errorf("%s was written as %s and is %v", g.name, g.value, rows[0][2*i+1])
		}
	}
}

// checkAnswer looks for the object in what RETURNING gives. Names of nested
// resources have their parents'.
func checkAnswer(t *testing.T, rows [][]any) {
	t.Helper()
	if len(rows) != 1 || !strings.HasSuffix(fmt.Sprint(rows[0][0]), "planeql-new") {
		t.Errorf("RETURNING gives %v", rows)
	}
}
