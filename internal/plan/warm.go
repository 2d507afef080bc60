package plan

import (
	"context"
	"slices"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Warm reads in the documents what the plan of a statement will probably ask of
// them, until ctx ends. It may run beside anything else: what is read is kept
// by the documents, and what is wrong with them is for the plan to say.
func (p *Planner) Warm(ctx context.Context, s *syntax.Statement) {
	w := warmer{ctx: ctx, catalog: p.Catalog, done: map[*provider.Method]bool{}, words: map[string]bool{}}
	for _, t := range s.Tokens {
		if name, ok := t.Name(); ok {
			w.words[fault.Fold(name)] = true
		}
	}
	for _, parts := range tableNames(s.Tokens) {
		if r, err := ResolveResource(p.Catalog, parts, p.Options.Use); err == nil && r != nil {
			for _, m := range r.Verbs[provider.Select] {
				w.method(m)
			}
		}
	}
}

// tableNames gives the names behind FROM, JOIN and commas of a statement, which
// may be names of tables.
func tableNames(tokens []syntax.Token) [][]string {
	var names [][]string
	for i, t := range tokens {
		if !t.Is("FROM") && !t.Is("JOIN") && !t.IsSymbol(",") {
			continue
		}
		var parts []string
		for j := i + 1; j < len(tokens); j += 2 {
			name, ok := tokens[j].Name()
			if !ok {
				break
			}
			parts = append(parts, name)
			if j+1 == len(tokens) || !tokens[j+1].IsSymbol(".") {
				break
			}
		}
		if len(parts) == 3 || len(parts) > 0 && !t.IsSymbol(",") {
			names = append(names, parts)
		}
	}
	return names
}

// warmer goes through what the plan asks for.
type warmer struct {
	ctx     context.Context
	catalog *catalog.Catalog
	done    map[*provider.Method]bool
	words   map[string]bool // of the statement
}

// method reads the columns of a method and, where the statement does not name
// all that its path needs, what stands above.
func (w *warmer) method(m *provider.Method) {
	if w.done[m] || w.ctx.Err() != nil {
		return
	}
	w.done[m] = true
	catalog.Columns(m)
	names := m.PathParameters()
	if catalog.IsGet(m) || !slices.ContainsFunc(names, func(name string) bool { return !w.words[fault.Fold(name)] }) {
		return
	}
	for n := len(names); n > 0 && w.ctx.Err() == nil; n-- {
		a := w.catalog.Ancestor(m, n)
		if a == nil || a.Resource == m.Resource {
			continue
		}
		for _, list := range a.Lists {
			w.method(list)
		}
		return
	}
}
