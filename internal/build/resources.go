package build

import (
	"regexp"
	"slices"
	"strings"
)

// Resource is a collection with its methods.
type Resource struct {
	Name    string
	Methods []*Method
}

// Method is an operation with its name and the verbs of SQL that it answers; none
// is EXEC alone.
type Method struct {
	Name     string
	Verbs    []string
	ReadOnly bool // a POST that only reads

	op *operation
}

// The forms of operation ids that name a group: Microsoft's HostPools_Get and
// Google's compute.instances.list.
var (
	grouped = regexp.MustCompile(`^([A-Z][A-Za-z0-9]*)_([A-Z][A-Za-z0-9]*)$`)
	dotted  = regexp.MustCompile(`^[a-z][A-Za-z0-9]*\.(?:[a-zA-Z0-9]+\.)*?([a-zA-Z0-9]+)\.([a-zA-Z0-9]+)$`)
)

// group makes the resources: by the groups that operation ids name where most
// do, else by families of paths.
func (b *builder) group() []*Resource {
	named := 0
	for _, o := range b.operations {
		if grouped.MatchString(o.id) || dotted.MatchString(o.id) {
			named++
		}
	}
	byID := named*5 >= len(b.operations)*4
	g := &grouping{b: b, byName: map[string]*Resource{}, families: familyNames(b.operations)}
	for _, o := range b.operations {
		resource, method := g.place(o, byID)
		g.add(resource, method, o)
	}
	slices.SortFunc(g.all, func(x, y *Resource) int { return strings.Compare(x.Name, y.Name) })
	for _, resource := range g.all {
		g.verbs(resource)
	}
	g.part()
	return g.all
}

// grouping puts operations into resources.
type grouping struct {
	b        *builder
	all      []*Resource
	byName   map[string]*Resource
	families map[string]string // name by family key
}

// place gives resource and method of an operation.
func (g *grouping) place(o *operation, byID bool) (resource, method string) {
	for _, form := range []*regexp.Regexp{grouped, dotted} {
		found := form.FindStringSubmatch(o.id)
		if !byID || found == nil {
			continue
		}
		resource, method = plural(snake(found[1]), o.path), snake(found[2])
		if rest, ok := strings.CutPrefix(method, "list_"); ok && o.readsByPost() {
			return resource + "_" + rest, "list" // listKeys of a storage account
		}
		return resource, method
	}
	family, action := familyOf(o, g.b.operations)
	resource = g.families[family]
	switch {
	case action != "":
		return resource, snake(action)
	case o.verb == "get" && o.listed:
		return resource, "list"
	case o.verb == "put":
		return resource, "replace"
	case o.verb == "post":
		return resource, "create"
	case o.verb == "patch":
		return resource, "update"
	case o.verb == "head":
		return resource, "exists"
	case o.verb == "delete" && listsAt(o.path, g.b.operations):
		return resource, "delete_all"
	}
	return resource, o.verb
}

// readsByPost tells of a POST that gives a list and takes nothing: Azure reads
// secrets that way.
func (o *operation) readsByPost() bool {
	return o.verb == "post" && o.media == "" && o.answersRows()
}

// plural takes the path's word for a collection where the group says the same in
// the singular.
func plural(group, path string) string {
	for _, segment := range segments(path) {
		if name := snake(segment); name == group+"s" || name == group+"es" || strings.TrimSuffix(group, "y")+"ies" == name {
			return name
		}
	}
	return group
}

// add puts an operation into a resource under a name of its own.
func (g *grouping) add(resource, method string, o *operation) *Method {
	r := g.byName[resource]
	if r == nil {
		r = &Resource{Name: resource}
		g.byName[resource] = r
		g.all = append(g.all, r)
	}
	m := &Method{Name: method, op: o}
	taken := func(name string) bool {
		return slices.ContainsFunc(r.Methods, func(other *Method) bool { return other.Name == name })
	}
	if taken(m.Name) {
		if id := snake(o.id); id != "" && !taken(id) {
			m.Name = id
		}
	}
	for parts := segments(o.path); taken(m.Name) && len(parts) > 0; parts = parts[:len(parts)-1] {
		m.Name += "_" + snake(parts[len(parts)-1])
	}
	for taken(m.Name) {
		m.Name += "_" + o.verb
	}
	r.Methods = append(r.Methods, m)
	return m
}

// verbs gives the methods of a resource the verbs they answer.
func (g *grouping) verbs(r *Resource) {
	creates := slices.ContainsFunc(r.Methods, func(m *Method) bool { return m.op.verb == "post" && g.onCollection(m.op) })
	for _, m := range r.Methods {
		o := m.op
		readable := strings.Contains(o.answers, "json") || strings.Contains(o.answers, "xml")
		switch {
		case o.verb == "get" && readable:
			m.Verbs = []string{"select"}
		case o.readsByPost() && (m.Name == "list" || strings.HasPrefix(m.Name, "list_")) && !g.onCollection(o):
			m.Verbs, m.ReadOnly = []string{"select"}, true
		case o.verb == "post" && g.onCollection(o):
			m.Verbs = []string{"insert"}
		case o.verb == "put" && o.single() && !creates && !strings.HasPrefix(m.Name, "update"):
			m.Verbs = []string{"insert", "replace"}
		case o.verb == "put":
			m.Verbs = []string{"replace"}
		case o.verb == "patch":
			m.Verbs = []string{"update"}
		case o.verb == "delete" && (o.single() || !listsAt(o.path, g.b.operations)):
			m.Verbs = []string{"delete"}
		}
		m.ReadOnly = m.ReadOnly || o.verb == "post" && is(value(o.node, "x-ms-pageable")) // what goes on in pages is a list
		if o.verb == "get" && !readable && o.answers != "" {
			g.b.problem(o.d, o.line, o.name(), "its answer is "+o.answers+", which gives no rows: EXEC alone")
		}
	}
	slices.SortStableFunc(r.Methods, func(x, y *Method) int { // what needs more is tried first
		return len(y.op.needs) - len(x.op.needs)
	})
}

// onCollection tells whether a POST goes to where things of its kind are listed, or
// to what has them below.
func (g *grouping) onCollection(o *operation) bool {
	if o.single() || o.media == "" && !o.answersRows() {
		return false
	}
	return listsAt(o.path, g.b.operations) || slices.ContainsFunc(g.b.operations, func(other *operation) bool {
		rest, below := strings.CutPrefix(other.path, strings.TrimRight(o.path, "/")+"/{")
		return below && strings.HasSuffix(rest, "}") && !strings.Contains(rest, "/")
	})
}

// part moves what could never be chosen into resources of their own: of two
// methods for a verb that need the same, the first is taken always.
func (g *grouping) part() {
	for i := 0; i < len(g.all); i++ {
		r := g.all[i]
		seen := map[string]*Method{}
		var kept []*Method
		for _, m := range r.Methods {
			clash := ""
			for _, verb := range m.Verbs {
				key := verb + " " + strings.Join(m.op.needs, " ")
				if seen[key] != nil {
					clash = seen[key].Name
				} else {
					seen[key] = m
				}
			}
			switch {
			case clash == "":
				kept = append(kept, m)
			case m.op.verb == "get":
				g.moveOut(r, m)
			default:
				m.Verbs = nil
				kept = append(kept, m)
				g.b.problem(m.op.d, m.op.line, m.op.name(), "it needs the same parameters as "+r.Name+"."+clash+" and would never be chosen: EXEC alone")
			}
		}
		r.Methods = kept
	}
	g.all = slices.DeleteFunc(g.all, func(r *Resource) bool { return len(r.Methods) == 0 })
	slices.SortFunc(g.all, func(x, y *Resource) int { return strings.Compare(x.Name, y.Name) })
}

// moveOut makes a resource of a method, named after what it reads.
func (g *grouping) moveOut(r *Resource, m *Method) {
	name := m.Name
	for _, before := range []string{"get_", "list_"} {
		name = strings.TrimPrefix(name, before)
	}
	if name == "get" || name == "list" {
		name = snake(lastStatic(m.op.path))
	}
	if !strings.HasPrefix(name, r.Name) {
		name = r.Name + "_" + name
	}
	if name == r.Name {
		name += "_" + snake(lastStatic(m.op.path))
	}
	short := "get"
	if m.op.listed {
		short = "list"
	}
	moved := g.add(name, short, m.op)
	moved.Verbs = m.Verbs
}
