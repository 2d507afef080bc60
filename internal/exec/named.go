package exec

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
)

// names are the values that a listing has for a column which the statement names
// too.
type names struct {
	plan.Named
	list []string
	seen map[string]bool // by their form in which they are compared
}

// manyNames bounds what is kept to suggest a name.
const manyNames = 10_000

func namesOf(f *plan.Feed) []names {
	var list []names
	for _, n := range f.Named {
		list = append(list, names{Named: n, seen: map[string]bool{}})
	}
	return list
}

// note adds a value.
func (n *names) note(value string, noCase bool) {
	key := value
	if noCase {
		key = strings.ToLower(value)
	}
	if n.seen[key] {
		return
	}
	n.seen[key] = true
	if len(n.list) < manyNames {
		n.list = append(n.list, value)
	}
}

// judge notes the names in a row, and tells whether the conditions keep it; they
// are behind the row's values.
func (m *merger) judge(row []*string) (values []*string, kept bool) {
	f := m.plan.Feed
	for i, n := range m.names {
		if v := row[n.Column]; v != nil {
			m.names[i].note(*v, f.NoCase[n.Column])
		}
	}
	if len(row) == len(f.Columns) {
		return row, true
	}
	verdict := row[len(f.Columns)]
	return row[:len(f.Columns)], verdict != nil && *verdict == "true"
}

// missing tells of names of the statement that the whole listing does not have:
// an error where they are those of the listed items, else a warning, since a
// place in which nothing is listed may be there. Where a call was lost, nobody
// can say.
func (r *queryRun) missing(m *merger) error {
	if len(m.names) == 0 || r.lossy() {
		return nil
	}
	for _, n := range m.names {
		at := m.plan.Feed.Columns[n.Column]
		for _, values := range m.constants {
			if values[at] == nil || n.has(*values[at], m.plan.Feed.NoCase[n.Column]) {
				continue
			}
			err := n.nowhere(m.plan, m.plan.Arguments[at], *values[at])
			switch {
			case !r.everyPart(m.plan, m.plan.Arguments[at]+"="+strings.ToLower(*values[at])):
			case !n.Own:
				r.lose(err)
			case r.env.Skip:
				r.lose(missing(err))
			default:
				return err
			}
			n.seen[strings.ToLower(*values[at])], n.seen[*values[at]] = true, true // told once
		}
	}
	return nil
}

// everyPart tells whether no part of a scan has found a name, of which this one
// tells so: below other kinds of parents it may be there.
func (r *queryRun) everyPart(p *plan.Scan, name string) bool {
	if p.Whole == nil {
		return true
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	key := nowhere{p.Whole, name}
	r.nowhere[key]++
	return r.nowhere[key] == len(p.Whole.Parts)
}

// nowhere is a name that a part of a scan does not find.
type nowhere struct {
	whole *plan.Scan
	name  string
}

// lossy tells whether a call of the statement was passed over.
func (r *queryRun) lossy() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.ContainsFunc(r.scans, func(s *scan) bool { return len(s.losses()) > 0 })
}

// lose keeps a warning that is not one of a single call.
func (r *queryRun) lose(w *fault.Error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.lost = append(r.lost, w)
}

func (n *names) has(value string, noCase bool) bool {
	if noCase {
		value = strings.ToLower(value)
	}
	return n.seen[value]
}

// nowhere makes the error or the warning for a name.
func (n *names) nowhere(p *plan.Scan, parameter, value string) *fault.Error {
	slices.Sort(n.list)
	listed := p.Feed.Listed()
	if n.Own {
		return fault.New(fault.NotFound, "there is no %s %q wherever %s can be listed", parameter, value, listed).
			On(p.Method.FullName()).WithHint("%s", nearest(value, n.list, parameter, listed))
	}
	return nothingIn(value, n.list, parameter, listed).On(p.Method.FullName())
}

// nothingIn makes the warning for a place in which nothing of a listing is.
func nothingIn(value string, list []string, parameter, listed string) *fault.Error {
	return fault.New(fault.ScopeGone, "nothing of %s is in %s %q", listed, parameter, value).
		WithHint("%s", nearest(value, list, parameter, listed))
}

// nearest suggests a name that is there.
func nearest(value string, list []string, parameter, listed string) string {
	return fault.DidYouMean(value, list, "SELECT DISTINCT "+parameter+" FROM "+listed+" shows those that are there")
}
