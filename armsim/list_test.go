package armsim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestPagesGiveEveryItemOnce(t *testing.T) {
	s := newSim(t, WithPageSize(7))
	whole, _ := all(t, newSim(t), officePool+"/userSessions?"+version)
	for _, query := range []string{"", "&pageSize=3", "&pageSize=500", "&$top=5", "&%24top=5"} {
		items, pages := all(t, s, officePool+"/userSessions?"+version+query)
		size := map[string]int{"": 7, "&pageSize=3": 3, "&pageSize=500": 7, "&$top=5": 5, "&%24top=5": 5}[query]
		if !slices.Equal(names(items), names(whole)) || pages != (len(whole)+size-1)/size {
			t.Errorf("%q: %d items in %d pages", query, len(items), pages)
		}
	}
	down, _ := all(t, s, officePool+"/userSessions?"+version+"&isDescending=true")
	slices.Reverse(down)
	if !slices.Equal(names(down), names(whole)) {
		t.Errorf("descending gives %v", names(down))
	}
	rest, _ := all(t, s, officePool+"/userSessions?initialSkip=50&"+version)
	if !slices.Equal(names(rest), names(whole[50:])) {
		t.Errorf("after 50 come %v", names(rest))
	}
	if none, _ := all(t, s, officePool+"/userSessions?initialSkip=5000&"+version); len(none) != 0 {
		t.Errorf("after 5000 come %d", len(none))
	}
}

func TestDefaultPageSizes(t *testing.T) {
	sc := &Scenario{Subscriptions: []Subscription{{ID: ProductionSubscription, Groups: []Group{
		{Name: "rg-avd-prod-weu", Pools: []Pool{{Name: "hp-office", Hosts: Hosts{Count: 201}, Sessions: 350}}},
	}}}}
	s := newSim(t, WithScenario(sc))
	for target, want := range map[string][2]int{
		officePool + "/userSessions?" + version:                                              {350, 4},
		officePool + "/userSessions?pageSize=300&" + version:                                 {350, 2},
		officePool + "/sessionHosts?" + version:                                              {201, 2},
		production + "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01":   {201, 1},
		officePool + "/sessionHosts/office-0.contoso.com/userSessions?pageSize=1&" + version: {1, 1},
	} {
		items, pages := all(t, s, target)
		if len(items) != want[0] || pages != want[1] {
			t.Errorf("%s: %d items in %d pages, want %v", target, len(items), pages, want)
		}
	}
}

// TestPagesUnderChange deletes what has been read and what has not: the rest is
// still listed, and once.
func TestPagesUnderChange(t *testing.T) {
	s := newSim(t)
	target := officePool + "/userSessions?pageSize=10&" + version
	whole, _ := all(t, s, target)
	first := ask(t, s, http.MethodGet, target, "").object(t)
	next := strings.TrimPrefix(textOf(first, "nextLink"), "http://sim.test")
	for _, gone := range []int{2, 5, 10, 20} {
		if !s.Remove(textOf(whole[gone], "id")) {
			t.Fatalf("%v is not there", whole[gone]["id"])
		}
	}
	rest, _ := all(t, s, next)
	want := append(names(whole[11:20]), names(whole[21:])...)
	if !slices.Equal(names(rest), want) {
		t.Errorf("got %v, want %v", names(rest), want)
	}
}

func TestLastPage(t *testing.T) {
	s := newSim(t)
	page := ask(t, s, http.MethodGet, officePool+"/sessionHosts?"+version, "").object(t)
	if next, there := page["nextLink"]; !there || next != nil {
		t.Errorf("AVD ends with a null link, not %v", next)
	}
	page = ask(t, s, http.MethodGet, "/subscriptions?api-version=2022-12-01", "").object(t)
	if _, there := page["nextLink"]; there {
		t.Error("ARM leaves the link out")
	}
}

func TestNextLinkKeepsTheQuery(t *testing.T) {
	s := newSim(t)
	raw := "$filter=" + url.QueryEscape("sessionState eq 'Active'") + "&pageSize=2&api-version=2024-04-03&unknown=a%20b"
	page := ask(t, s, http.MethodGet, officePool+"/userSessions?"+raw, "").object(t)
	next := textOf(page, "nextLink")
	if !strings.HasPrefix(next, "http://sim.test"+officePool+"/userSessions?"+raw+"&$skiptoken=") {
		t.Errorf("link %s", next)
	}
	again := ask(t, s, http.MethodGet, strings.TrimPrefix(next, "http://sim.test"), "").object(t)
	if strings.Count(textOf(again, "nextLink"), "skiptoken") != 1 {
		t.Errorf("link %v", again["nextLink"])
	}
}

func TestListForms(t *testing.T) {
	s := newSim(t)
	byPool, _ := all(t, s, officePool+"/userSessions?"+version)
	byHost, _ := all(t, s, officeHost+"/userSessions?"+version)
	for _, item := range byPool {
		if data, there := item["systemData"]; !there || data != nil {
			t.Fatalf("systemData by pool %v", data)
		}
	}
	for _, item := range byHost {
		data, _ := item["systemData"].(map[string]any)
		if data["createdAt"] != properties(t, item)["createTime"] {
			t.Fatalf("systemData by host %v", data)
		}
		if !strings.HasPrefix(textOf(item, "name"), "hp-office/office-0.contoso.com/") ||
			!strings.Contains(textOf(item, "id"), "/hostpools/hp-office/sessionhosts/office-0.contoso.com/usersessions/") {
			t.Fatalf("forms %v", item)
		}
	}
	plans, _ := all(t, s, officePool+"/scalingPlans?"+version)
	none, _ := all(t, s, avdPath+"/hostPools/hp-engineering/scalingPlans?"+version)
	if len(plans) != 1 || len(none) != 0 {
		t.Errorf("%d and %d scaling plans", len(plans), len(none))
	}
}

func TestFilteredLists(t *testing.T) {
	s := newSim(t)
	sessions, _ := all(t, s, officePool+"/userSessions?"+version)
	count := func(keep func(p map[string]any) bool) int {
		n := 0
		for _, item := range sessions {
			if keep(properties(t, item)) {
				n++
			}
		}
		return n
	}
	user := textOf(properties(t, sessions[3]), "userPrincipalName")
	active := func(p map[string]any) bool { return p["sessionState"] == "Active" }
	cases := []struct {
		target, filter string
		want           int
	}{
		{officePool + "/userSessions?" + version, "sessionState eq 'active'", count(active)},
		{officePool + "/userSessions?" + version, "State ne 'Active'", 56 - count(active)},
		{officePool + "/userSessions?" + version, "not (state eq 'Active')", 56 - count(active)},
		{officePool + "/userSessions?" + version, "userPrincipalName eq '" + strings.ToUpper(user) + "'", count(func(p map[string]any) bool { return p["userPrincipalName"] == user })},
		{officePool + "/userSessions?" + version, "userPrincipalName eq 'nobody@contoso.com' and sessionState eq 'Active'", 0},
		{officePool + "/userSessions?" + version, "(sessionState eq 'Active' or sessionState eq 'Disconnected') and properties/sessionState ne 'Active'", count(func(p map[string]any) bool { return p["sessionState"] == "Disconnected" })},
		{avdPath + "/applicationGroups?" + version, "applicationGroupType eq 'RailApplication'", 0},
		{avdPath + "/applicationGroups?" + version, "applicationGroupType eq 'Desktop'", 2},
		{production + "/resourcegroups?api-version=2021-04-01", "tagName eq 'owner' and tagValue eq 'sales'", 1},
		{production + "/resourcegroups?api-version=2021-04-01", "tagName eq 'env' and tagValue eq 'sales'", 0},
		{production + "/resourcegroups?api-version=2021-04-01", "tagName eq 'env'", 2},
		{production + "/resources?api-version=2021-04-01", "resourceType eq 'microsoft.compute/VIRTUALMACHINES'", 10},
		{production + "/resources?api-version=2021-04-01", "substringof('office', name) and location eq 'westeurope'", 7},
		{production + "/resources?api-version=2021-04-01", "startswith(name, 'hp-') and resourceGroup eq 'RG-AVD-PROD-EUS'", 2},
		{westEurope + "/resources?api-version=2021-04-01", "resourceType eq 'Microsoft.DesktopVirtualization/hostpools'", 2},
	}
	for _, c := range cases {
		items, _ := all(t, s, c.target+"&$filter="+url.QueryEscape(c.filter))
		if len(items) != c.want {
			t.Errorf("%s: %d items, want %d", c.filter, len(items), c.want)
		}
	}
}

func TestParseFilter(t *testing.T) {
	values := map[string][]string{"a": {"one"}, "b": {"it's", "two"}, "c": nil}
	for text, want := range map[string]bool{
		"a eq 'ONE'": true, "'one' eq a": true, "A eq 'two'": false, "b eq 'it''s'": true, "b eq 'two' and a eq 'one'": true,
		"a eq 'x' or a eq 'one' and b eq 'x'": false, "(a eq 'x' or a eq 'one') and b eq 'two'": true,
		"not a eq 'x'": true, "not(a eq 'one')": false, "a ne 'one'": false, "c ne 'one'": true, "endswith(a,'ne')": true,
		"contains(a , 'n')": true, "properties/a eq 'one'": true, "a eq one": true,
	} {
		f, err := parseFilter(text, []string{"a", "b", "c"})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.match(func(name string) []string { return values[name] }); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	for _, text := range []string{
		"", "a", "a eq", "a eq 'x", "a gt 'x'", "d eq 'x'", "a eq 'x' b eq 'y'", "(a eq 'x'", "a eq 'x')", "contains(a 'x')",
		"contains(a, 'x'", "contains(a", "a eq 'x' and", "'a' eq 'b'", strings.Repeat("(", 100), strings.Repeat("not ", 100) + "a eq 'x'",
	} {
		if _, err := parseFilter(text, []string{"a"}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("userPrincipalName eq 'a''b' and (state ne 'Active' or not contains(name, 'x'))")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(text, []string{"a", "name", "state"})
		if err == nil {
			parsed.match(func(string) []string { return []string{"x", text} })
		}
	})
}

func ExampleSimulator_Requests() {
	s, err := New(WithEstate(Small), WithoutAuth())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(s.Requests()))
	// Output: 0
}
