package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/provider"
)

// readerOf gives the method that reads what another method writes: its path is
// that of the writer, an action's last word aside.
func readerOf(m *provider.Method) *provider.Method {
	for _, get := range m.Resource.Verbs[provider.Select] {
		if readsByName(get, m) {
			return get
		}
		if get.Response.List || get.HTTPMethod != "GET" || len(get.PathParameters()) == 0 {
			continue
		}
		if samePath(get.Path, m.Path) || m.HTTPMethod == "POST" && strings.HasPrefix(strings.ToLower(m.Path), strings.ToLower(get.Path)+"/") {
			return get
		}
	}
	return nil
}

func samePath(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// readsByName tells whether a method whose path names no object reads what
// another one writes: both need the same names.
func readsByName(get, m *provider.Method) bool {
	required := get.RequiredParameters()
	if get.Response.List || len(required) == 0 || len(get.PathParameters()) > 0 || len(m.PathParameters()) > 0 {
		return false
	}
	return !slices.ContainsFunc(required, func(p provider.Parameter) bool {
		own, takes := m.Parameter(p.Name)
		return !takes || !own.Required
	})
}

// recheck decides whether targets are read again right before a call that cannot
// be taken back: rows were selected by what may change, and a name may mean
// something else by then.
func (w *Write) recheck(unwanted bool) {
	m := w.Method
	final := m.HTTPMethod == "DELETE" || m.HTTPMethod == "POST" && (w.Verb == provider.Delete || w.Verb == provider.Exec)
	if !final || m.ReadOnly || w.Source == nil {
		return
	}
	for _, s := range w.Source.Scans {
		if s.Same != nil {
			s.Same.test(s.Tested)
		}
	}
	var tested []*Scan
	others := false
	for _, s := range w.Source.Scans {
		if len(s.Tested) > 0 && s.Same == nil {
			if s.Method.Resource == m.Resource {
				tested = append(tested, s)
			} else {
				others = true
			}
		}
	}
	switch {
	case len(tested) == 0 && !others:
		return
	case unwanted:
		w.Unchecked = "the statement says so"
	case len(tested) == 0:
		w.Unchecked = "they are on other resources"
	case !w.identify(tested):
		w.Unchecked = "the rows do not tell which target they are"
	default:
		w.Recheck = slices.ContainsFunc(tested, func(s *Scan) bool { return len(s.Tested) > 0 })
	}
}

// test notes further members that conditions name.
func (s *Scan) test(paths [][]string) {
	for _, path := range paths {
		if !slices.ContainsFunc(s.Tested, func(p []string) bool { return slices.Equal(p, path) }) {
			s.Tested = append(s.Tested, path)
		}
	}
}

// identify finds what says of an item which target it is: its id, or the
// parameters by which it is read or deleted.
func (w *Write) identify(scans []*Scan) bool {
	if w.Method.Resource.Family == provider.ARM {
		return true
	}
	named := w.Method.RequiredParameters()
	if w.Read != nil {
		named = w.Read.RequiredParameters()
	}
	for _, p := range named {
		w.Key = append(w.Key, p.Name)
	}
	for _, s := range scans {
		s.Keys = map[string][]string{}
		columns := catalog.Columns(s.Method)
		for _, name := range w.Key {
			if slices.Contains(s.Arguments, name) {
				continue
			}
			c, ok := catalog.Lookup(columns, name)
			if !ok || len(c.Path) == 0 || len(c.Own) > 0 || !w.takes(name) {
				return false
			}
			s.Keys[name] = c.Path
		}
		s.Tested = slices.DeleteFunc(s.Tested, func(path []string) bool { // what names a target stays what it is
			return slices.ContainsFunc(w.Key, func(name string) bool { return slices.Equal(s.Keys[name], path) })
		})
	}
	return len(w.Key) > 0
}

// takes tells whether the calls have a value for a parameter.
func (w *Write) takes(name string) bool {
	return slices.Contains(w.Arguments, name) || slices.ContainsFunc(w.Columns, func(s Slot) bool { return s.Parameter != nil && s.Parameter.Name == name })
}

// again says in words how targets are read again.
func (w *Write) again() string {
	passed := ": one that is not what was selected any more is passed over; /*+ NO_RECHECK */ saves that call"
	if slices.ContainsFunc(w.Source.Scans, func(s *Scan) bool { return len(s.Tested) > 0 && s.Method.Resource != w.Method.Resource }) {
		passed += "; conditions on other resources are not asked again"
	}
	var listers []string
	for _, s := range w.Source.Scans {
		if len(s.Tested) > 0 && s.Method.Resource == w.Method.Resource && s.Method != w.Read && !slices.Contains(listers, s.Method.Name) {
			listers = append(listers, s.Method.Name)
		}
	}
	by := strings.Join(listers, ", ")
	switch {
	case w.Read == nil:
		return "read again by " + by + ", once for those that are called within seconds" + passed
	case w.gives() || by == "":
		return "read again by " + w.Read.Name + passed
	}
	return "read again by " + w.Read.Name + ", and by " + by + " what that leaves out" + passed
}

// gives tells whether the reader's answer has all that conditions name, asked as
// the rows were.
func (w *Write) gives() bool {
	return !slices.ContainsFunc(w.Source.Scans, func(s *Scan) bool {
		if s.Method.Resource != w.Method.Resource || len(s.Tested) == 0 {
			return false
		}
		asked := slices.ContainsFunc(s.Arguments, func(name string) bool { _, takes := w.Read.Parameter(name); return !takes })
		return asked || slices.ContainsFunc(s.Tested, func(path []string) bool {
			schema := w.Read.Response.Item
			for _, name := range path {
				if schema == nil || schema.FreeForm() {
					return false
				}
				schema = schema.Member(name)
			}
			return schema == nil
		})
	})
}
