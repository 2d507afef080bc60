package plan

import (
	"slices"

	"github.com/planeql/planeql/internal/catalog"
)

// named gives the columns of a feed that a listing alone brings and for which
// the statement gives values: such a name that is nowhere is a mistake, as it
// is where the statement gives all that the call needs and the service answers
// that there is no such place.
func (k *keys) named(s *Scan, f *Feed) []Named {
	if k.scan == nil || len(k.feeders)+len(k.locals) > 0 {
		return nil
	}
	get := k.offer.found.ancestor.Get.PathParameters()
	var list []Named
	for i, at := range f.Columns {
		given := slices.ContainsFunc(s.Tuples, func(t Tuple) bool { return t[at] != nil })
		theirs := k.offer.found.gives[k.offer.owners[s.Arguments[at]]]
		if !given || theirs == "" || slices.Contains(k.scan.Arguments, theirs) {
			continue // where the listing was asked for it, that has told
		}
		position := slices.Index(get, theirs)
		n := Named{Column: i, Own: position == len(get)-1, Kind: k.scan.Method.Resource.Name}
		if a := k.catalog.Ancestor(k.offer.found.ancestor.Get, position+1); a != nil {
			n.Kind = a.Resource.Name
		}
		list = append(list, n)
	}
	return list
}

// Listed names the resource whose items a feed finds its values in.
func (f *Feed) Listed() string { return f.Sources[0].Scan.Method.Resource.Path() }

// groupOf gives the resource groups that the conditions of a relation name for its
// rows alone; nil where they name none, or each call is for one.
func groupOf(r *relation) *Group {
	name, ids := catalog.GroupOf(r.scan.Method)
	if name == "" || len(ids) == 0 || len(r.scan.Tuples) == 0 || slices.Contains(r.scan.Arguments, name) {
		return nil
	}
	values, bound := valuesOf(r.alternatives, name)
	if !bound || len(values) == 0 {
		return nil
	}
	g := &Group{Parameter: name, IDs: ids}
	for _, v := range values {
		g.Names = append(g.Names, Tuple{v})
	}
	return g
}
