package plan

import (
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/syntax"
)

// target is the column of a resource that a reference comes down to.
type target struct {
	relation *relation
	rest     []string // the name of the column, as written where it is read
	shared   bool     // on the way stands a query that is read more than once: its readers have different rows
}

// deepestQuery bounds how many queries within queries a reference is followed
// through.
const deepestQuery = 32

// trace follows a column reference to the columns of resources that it stands
// for, through derived tables and common table expressions that hand them on as
// they are: one for each branch of a set operation. It gives nil where the
// value is made on the way, or is DuckDB's.
func (b *builder) trace(names []string, blk *block) []target {
	return b.traceFrom(names, blk, 0)
}

func (b *builder) traceFrom(names []string, blk *block, depth int) []target {
	if depth > deepestQuery || len(names) == 0 {
		return nil
	}
	it, column := blk.derivedOf(names)
	if it == nil {
		r, rest, err := b.lookup(names, blk)
		if err != nil || r == nil {
			return nil
		}
		return []target{{relation: r, rest: rest}}
	}
	var all []target
	for _, e := range it.outputs(column) {
		if e.node.Class() != "COLUMN_REF" {
			return nil
		}
		parts := e.node.Texts("column_names")
		targets := b.traceFrom(parts, e.block, depth+1)
		if _, written := e.node.Offset(); !written && len(targets) == 1 && targets[0].relation.block == e.block && !visible(targets[0]) {
			return nil // * does not give it
		}
		if len(targets) == 0 {
			return nil
		}
		for _, t := range targets {
			t.shared = t.shared || len(e.block.uses) > 1
			all = append(all, t)
		}
	}
	return all
}

// visible tells whether * of a resource gives the column.
func visible(t target) bool {
	c, err := columnOf(t.relation, t.rest)
	return err == nil && c.Kind == catalog.Field
}

// derivedOf finds the derived table of a block, or of one around it, that a
// reference means, and the column of it.
func (blk *block) derivedOf(names []string) (*item, string) {
	for at := blk; at != nil; at = at.parent {
		for _, it := range at.items {
			if len(names) == 2 && it.branches != nil && strings.EqualFold(names[0], it.alias) {
				return it, names[1]
			}
			if len(names) > 1 && it.relation != nil && strings.EqualFold(names[0], it.alias) {
				return nil, ""
			}
		}
		if len(names) != 1 {
			continue
		}
		for _, it := range at.items {
			if it.branches != nil && len(it.outputs(names[0])) > 0 && !at.resourceHas(names[0]) {
				return it, names[0]
			}
		}
		if at.resourceHas(names[0]) {
			return nil, ""
		}
	}
	return nil, ""
}

// resourceHas tells whether a resource of the block has a column of exactly
// this name.
func (blk *block) resourceHas(name string) bool {
	for _, r := range blk.relations {
		if c, ok := catalog.Lookup(r.columns, name); ok && strings.EqualFold(c.Name, name) {
			return true
		}
	}
	return false
}

// localOf finds the table of DuckDB in a block, or in one around it, that a
// reference means: by its alias, or because it is the only table there.
func (blk *block) localOf(names []string) *item {
	for at := blk; at != nil; at = at.parent {
		var locals []*item
		for _, it := range at.items {
			if !it.local {
				continue
			}
			if len(names) == 2 && it.alias != "" && strings.EqualFold(names[0], it.alias) {
				return it
			}
			locals = append(locals, it)
		}
		if len(names) == 1 && len(locals) == 1 && !at.aliases[strings.ToLower(names[0])] && locals[0].alias != "" {
			return locals[0]
		}
	}
	return nil
}

// columnsIn gives the column references below an expression; ok is false where
// it holds something whose meaning depends on more than the row: a query, a
// window, a lambda, a parameter.
func columnsIn(n syntax.Node) (refs []syntax.Node, ok bool) {
	ok = true
	syntax.Walk(n, func(c syntax.Node) bool {
		switch c.Class() {
		case "COLUMN_REF":
			refs = append(refs, c)
			return false
		case "SUBQUERY", "WINDOW", "STAR", "PARAMETER":
			ok = false
		case "FUNCTION":
			if name := strings.ToLower(c.Text("function_name")); name == "row" || volatile[name] || len(lambdaNames(c)) > 0 {
				ok = false // a row value would forget that its columns ignore case
			}
		}
		return ok
	})
	return refs, ok
}

// volatile are functions that give another value each time: what they say of a
// row must not be asked twice.
var volatile = map[string]bool{
	"random": true, "uuid": true, "gen_random_uuid": true, "uuidv4": true, "uuidv7": true, "nextval": true, "setseed": true,
}
