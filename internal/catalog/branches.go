package catalog

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/provider"
)

// Branches gives the methods that read a resource whose items stand below
// several kinds of parents, in one group for each kind: of private endpoint
// connections those of host pools and those of workspaces. Together the groups
// have every item. It is nil where one list has all of them, and where that is
// not certain: lists of the same items from several sides, such as by
// subscription and by location, are no branches. Only the ids of Azure Resource
// Manager say where an item stands, so other families have none.
func Branches(r *provider.Resource) [][]*provider.Method {
	if r.Family != provider.ARM {
		return nil
	}
	groups := inLines(Lists(r))
	if len(groups) < 2 {
		return nil
	}
	for i, g := range groups {
		var gets []*provider.Method
		for _, m := range g {
			if get := itemOf(m); get != nil && belowItem(m) && !slices.Contains(gets, get) {
				gets = append(gets, get)
			}
		}
		if len(gets) == 0 {
			return nil
		}
		groups[i] = append(g, gets...)
	}
	return groups
}

// inLines puts lists that stand in one line of parents together.
func inLines(lists []*provider.Method) [][]*provider.Method {
	var groups [][]*provider.Method
	for _, m := range lists {
		line := []*provider.Method{m}
		at := len(groups)
		for i := len(groups) - 1; i >= 0; i-- {
			if slices.ContainsFunc(groups[i], func(o *provider.Method) bool { return nested(o, m) }) {
				line = append(slices.Clone(groups[i]), line...)
				groups, at = slices.Delete(groups, i, i+1), i
			}
		}
		groups = slices.Insert(groups, at, line)
	}
	return groups
}

// belowItem tells whether what a method lists belongs to the parent in its path
// alone, which is so with resources: at a subscription or a management group many
// lists have what stands above or below it too, such as policies, and a location
// is a side from which resources are seen.
func belowItem(m *provider.Method) bool {
	parent := parentOf(m)
	const mark = "/providers/"
	at := strings.LastIndex(parent, mark)
	return at >= 0 && strings.Count(parent[at+len(mark):], "/") >= 2 && !strings.Contains(parent, "/locations/") &&
		!strings.HasPrefix(parent[at+len(mark):], "microsoft.management/")
}

// Homes gives the expressions that the ids of a branch's own items fit. A list
// may give items of another branch too, such as what a project may use.
func Homes(branch []*provider.Method) []string {
	var all []string
	for _, m := range branch {
		if itemOf(m) == m {
			all = append(all, idPattern(m))
		}
	}
	return all
}

// Parent names the kind of parents in the path of a method, such as hostPools.
func Parent(m *provider.Method) string {
	path := m.Path
	if itemOf(m) == m {
		path = path[:strings.LastIndex(path, "/")]
	}
	at := strings.LastIndex(path, "/{")
	if at < 0 {
		return ""
	}
	return path[strings.LastIndex(path[:at], "/")+1 : at]
}

// SamePath tells whether two methods work on one path.
func SamePath(l, r *provider.Method) bool { return shapeOfPath(l.Path) == shapeOfPath(r.Path) }

// GroupOf gives the parameter that is the resource group which the items of a
// method are in, and the parts of their ids that say which. It is empty where they
// are in none, or are resource groups themselves.
func GroupOf(m *provider.Method) (parameter string, ids []IDPart) {
	get := homeOf(m)
	if m.Resource.Family != provider.ARM || get == nil {
		return "", nil
	}
	names := get.PathParameters()
	for i, name := range names {
		before, _, _ := strings.Cut(get.Path, "{"+name+"}")
		if i == len(names)-1 || !strings.HasSuffix(strings.ToLower(before), "/resourcegroups/") {
			continue
		}
		c, _ := Lookup(Columns(m), name)
		return name, c.IDs
	}
	return "", nil
}
