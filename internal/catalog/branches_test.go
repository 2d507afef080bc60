package catalog

import (
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/provider"
)

// made makes a resource of its paths; those that end in a name read one item.
func made(family provider.Family, paths ...string) *provider.Resource {
	r := &provider.Resource{Name: "r", Family: family, Verbs: map[provider.Verb][]*provider.Method{}}
	for _, path := range paths {
		m := &provider.Method{Resource: r, Name: path, HTTPMethod: "GET", Path: path}
		m.Response.List = !strings.HasSuffix(path, "}")
		r.Methods = append(r.Methods, m)
	}
	r.Verbs[provider.Select] = r.Methods
	return r
}

// Lists below different resources are branches where each has items of its own;
// lists that see the same items from several sides are none.
func TestBranches(t *testing.T) {
	const group = "/subscriptions/{s}/resourceGroups/{g}/providers/Ms.X/"
	for name, c := range map[string]struct {
		family provider.Family
		paths  []string
		want   string
	}{
		"two parents": {provider.ARM, []string{group + "a/{a}/c", group + "b/{b}/c", group + "A/{x}/C/{c}", group + "b/{b}/c/{c}"}, "0 2 | 1 3"},
		"three, with a list below one": {provider.ARM, []string{
			group + "a/{a}/c", group + "b/{b}/c", group + "d/{d}/c", group + "b/{b}/e/{e}/c",
			group + "a/{a}/c/{c}", group + "b/{b}/c/{c}", group + "d/{d}/c/{c}",
		}, "0 4 | 1 3 5 | 2 6"},
		"one list above all":    {provider.ARM, []string{group + "a/{a}/c", group + "b/{b}/c", "/subscriptions/{s}/providers/Ms.X/c", group + "a/{a}/c/{c}", group + "b/{b}/c/{c}"}, ""},
		"one parent":            {provider.ARM, []string{group + "a/{a}/c", group + "a/{a}/c/{c}"}, ""},
		"items of one only":     {provider.ARM, []string{group + "a/{a}/c", group + "b/{b}/c", group + "a/{a}/c/{c}"}, ""},
		"lists alone":           {provider.ARM, []string{group + "a/{a}/c", group + "b/{b}/c"}, ""},
		"a location is no home": {provider.ARM, []string{group + "a/{a}/c", "/subscriptions/{s}/providers/Ms.X/locations/{l}/c", group + "a/{a}/c/{c}", "/subscriptions/{s}/providers/Ms.X/locations/{l}/c/{c}"}, ""},
		"policies": {provider.ARM, []string{
			"/subscriptions/{s}/providers/Ms.X/p", "/providers/Microsoft.Management/managementGroups/{m}/providers/Ms.X/p",
			"/subscriptions/{s}/providers/Ms.X/p/{p}", "/providers/Microsoft.Management/managementGroups/{m}/providers/Ms.X/p/{p}",
		}, ""},
		"ids that are no paths": {"", []string{"/orgs/{o}/secrets", "/repos/{r}/secrets", "/orgs/{o}/secrets/{n}", "/repos/{r}/secrets/{n}"}, ""},
	} {
		r := made(c.family, c.paths...)
		var groups []string
		for _, branch := range Branches(r) {
			var numbers []string
			for i, m := range r.Methods {
				for _, o := range branch {
					if o == m {
						numbers = append(numbers, string(rune('0'+i)))
					}
				}
			}
			groups = append(groups, strings.Join(numbers, " "))
		}
		if got := strings.Join(groups, " | "); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}
