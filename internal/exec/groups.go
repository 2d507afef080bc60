package exec

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/plan"
)

// groups notes in which resource groups the items of a scan are, where the
// statement names some and the calls are not asked for them: of one that has none
// of the items, which may be a mistake in its name, a warning tells. It is the same
// where the resource group of a parent is named, and costs no call.
type groups struct {
	plan  *plan.Group
	names [][]*string // of the statement
	ids   []*regexp.Regexp

	mutex sync.Mutex
	seen  names
}

func newGroups(p *plan.Group, wanted [][]*string) *groups {
	g := &groups{plan: p, names: wanted, seen: names{seen: map[string]bool{}}}
	for _, id := range p.IDs {
		pattern, err := regexp.Compile(id.Pattern)
		if err != nil {
			return nil // DuckDB tells what is wrong with it
		}
		g.ids = append(g.ids, pattern)
	}
	return g
}

// note notes where items are.
func (g *groups) note(items [][]byte) {
	if g == nil {
		return
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for _, item := range items {
		id := idIn(item)
		for i, pattern := range g.ids {
			if match := pattern.FindStringSubmatch(id); match != nil {
				g.seen.note(match[g.plan.IDs[i].Group], true)
				break
			}
		}
	}
}

// tell warns of the names that no item has, once all of them have been read.
func (g *groups) tell(s *scan) {
	if g == nil || s.failed.Load() || s.ctx.Err() != nil || s.run.lossy() {
		return
	}
	slices.Sort(g.seen.list)
	for _, row := range g.names {
		if name := *row[0]; !g.seen.seen[strings.ToLower(name)] {
			s.run.lose(nothingIn(name, g.seen.list, g.plan.Parameter, s.plan.Method.Resource.Path()).On(s.plan.Method.FullName()))
		}
	}
}
