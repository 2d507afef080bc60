package rest

import (
	"slices"
	"strings"
	"testing"
)

func TestParseID(t *testing.T) {
	for text, want := range map[string]ID{
		"/subscriptions/s":                   {Subscription: "s"},
		"/subscriptions/s/resourceGroups/r":  {Subscription: "s", ResourceGroup: "r"},
		"/SUBSCRIPTIONS/s/RESOURCEGROUPS/R/": {Subscription: "s", ResourceGroup: "R"},
		"/subscriptions/s/resourcegroups/r/providers/Microsoft.DesktopVirtualization/hostpools/h/sessionhosts/x.y/usersessions/3": {
			Subscription: "s", ResourceGroup: "r", Namespace: "Microsoft.DesktopVirtualization",
			Types: []string{"hostpools", "sessionhosts", "usersessions"}, Names: []string{"h", "x.y", "3"},
			Scope: "/subscriptions/s/resourcegroups/r",
		},
		"/subscriptions/s/providers/Microsoft.Compute/virtualMachines": {
			Subscription: "s", Namespace: "Microsoft.Compute", Types: []string{"virtualMachines"}, Scope: "/subscriptions/s",
		},
		"/subscriptions/s/providers/Microsoft.Compute/locations/westeurope/usages": {
			Subscription: "s", Namespace: "Microsoft.Compute", Location: "westeurope",
			Types: []string{"locations", "usages"}, Names: []string{"westeurope"}, Scope: "/subscriptions/s",
		},
		"/subscriptions/s/resourceGroups/r/providers/A.B/t/n/providers/Microsoft.Authorization/locks/l": {
			Subscription: "s", ResourceGroup: "r", Namespace: "Microsoft.Authorization", Types: []string{"locks"}, Names: []string{"l"},
			Scope: "/subscriptions/s/resourceGroups/r/providers/A.B/t/n",
		},
		"/providers/Microsoft.Management/managementGroups/mg": {
			ManagementGroup: "mg", Namespace: "Microsoft.Management", Types: []string{"managementGroups"}, Names: []string{"mg"},
		},
		"/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/roleAssignments/x": {
			ManagementGroup: "mg", Namespace: "Microsoft.Authorization", Types: []string{"roleAssignments"}, Names: []string{"x"},
			Scope: "/providers/Microsoft.Management/managementGroups/mg",
		},
		"/providers/Microsoft.Billing/billingAccounts/b": {
			Namespace: "Microsoft.Billing", Types: []string{"billingAccounts"}, Names: []string{"b"}, Scope: "/",
		},
	} {
		got, ok := ParseID(text)
		if !ok || got.Text != text || got.Subscription != want.Subscription || got.ResourceGroup != want.ResourceGroup ||
			got.ManagementGroup != want.ManagementGroup || got.Location != want.Location || got.Namespace != want.Namespace ||
			got.Scope != want.Scope || !slices.Equal(got.Types, want.Types) || !slices.Equal(got.Names, want.Names) {
			t.Errorf("%s\n got %+v %v\nwant %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "/", "x", "subscriptions/s", "https://h/subscriptions/s", "/a/b", "/subscriptions", "/subscriptions/s/x/y", "/subscriptions/s/providers"} {
		if id, ok := ParseID(text); ok {
			t.Errorf("%q is taken for an id: %+v", text, id)
		}
	}
}

func TestID_names(t *testing.T) {
	for text, want := range map[string][2]string{
		"/subscriptions/s":                                    {"", "s"},
		"/subscriptions/s/resourceGroups/r":                   {"", "r"},
		"/subscriptions/s/providers/A.B/t/n/u/m":              {"A.B/t/u", "m"},
		"/subscriptions/s/providers/A.B/t":                    {"A.B/t", "s"},
		"/providers/Microsoft.Management/managementGroups/mg": {"Microsoft.Management/managementGroups", "mg"},
	} {
		id, _ := ParseID(text)
		if id.Type() != want[0] || id.Name() != want[1] {
			t.Errorf("%s: type %q, name %q", text, id.Type(), id.Name())
		}
	}
}

// FuzzParseID holds that no text makes the parser fail, and that what it gives
// are parts of the text, in its order.
func FuzzParseID(f *testing.F) {
	f.Add("/subscriptions/s/resourceGroups/r/providers/A.B/t/n/providers/C.D/u/m")
	f.Add("/providers/Microsoft.Management/managementGroups/mg")
	f.Add("//subscriptions//s/providers/providers/providers/x")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := ParseID(text)
		if !ok {
			return
		}
		if n := len(id.Types) - len(id.Names); n != 0 && n != 1 {
			t.Fatalf("%q: %d types, %d names", text, len(id.Types), len(id.Names))
		}
		for _, part := range append(append([]string{id.Subscription, id.ResourceGroup, id.Namespace, id.Name()}, id.Types...), id.Names...) {
			if !strings.Contains(text, part) {
				t.Fatalf("%q has no part %q", text, part)
			}
		}
		again, ok := ParseID(strings.ToUpper(text))
		if upper := strings.ToUpper(text); strings.ToUpper(strings.ToLower(text)) == upper && (!ok || len(again.Types) != len(id.Types)) {
			t.Fatalf("%q is another id in capitals", text)
		}
	})
}
