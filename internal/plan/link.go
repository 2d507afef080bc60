package plan

import (
	"reflect"
	"slices"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/syntax"
)

// link is an equality by which the rows of other relations fix a parameter.
// Every row that counts fulfils it.
type link struct {
	parameter string
	value     syntax.Node // an expression over other relations
	block     *block      // whose names it uses
	query     bool        // the value is that of a query, such as the one in an IN
	feeders   []*relation // whose rows the expression needs; none: tables of DuckDB alone
	locals    []*item
	source    *parameterOf // the value is a parameter of another relation as it is
	taken     bool         // the values of the source were taken over
}

// parameterOf is a parameter of a relation.
type parameterOf struct {
	relation  *relation
	parameter string
}

// linksOf gives the links that a condition makes for the binder's relation.
func (b *binder) linksOf(n syntax.Node) []link {
	switch n.Type() {
	case "COMPARE_EQUAL":
		left, right := n.Child("left"), n.Child("right")
		if n.Class() != "COMPARISON" {
			break
		}
		if isRow(left) && isRow(right) {
			return b.rowLinks(left.List("children"), right.List("children"))
		}
		return append(b.linkTo(left, right), b.linkTo(right, left)...)
	case "SUBQUERY":
		return b.queryLink(n)
	}
	return nil
}

func (b *binder) rowLinks(left, right []syntax.Node) []link {
	if len(left) != len(right) {
		return nil
	}
	var links []link
	for i := range left {
		links = append(links, b.linkTo(left[i], right[i])...)
		links = append(links, b.linkTo(right[i], left[i])...)
	}
	return links
}

// linkTo reads parameter = expression over other relations.
func (b *binder) linkTo(column, value syntax.Node) []link {
	p, ok := b.parameter(column)
	if !ok || constant(value) {
		return nil
	}
	if value.Class() == "SUBQUERY" && value.Text("subquery_type") == "SCALAR" {
		return b.linkQuery(p.Name, value.Child("subquery").Child("node"))
	}
	l := link{parameter: p.Name, value: value, block: b.block}
	if !b.needs(&l) {
		return nil
	}
	return []link{l}
}

// needs finds whose rows the value of a link is made of; false is where that is
// not certain, or the relation itself.
func (b *binder) needs(l *link) bool {
	refs, ok := columnsIn(l.value)
	if !ok || len(refs) == 0 {
		return false
	}
	made := l.value.Class() != "COLUMN_REF" // may have a value where its columns are NULL
	for _, ref := range refs {
		names := ref.Texts("column_names")
		targets := b.trace(names, l.block)
		switch {
		case made && b.mayBeNull(names, l.block, targets):
			return false
		case len(targets) == 1 && targets[0].shared:
			return false // two readers of one query do not stand for one row of it
		case len(targets) == 1 && targets[0].relation != b.relation:
			t := targets[0]
			if !slices.Contains(l.feeders, t.relation) {
				l.feeders = append(l.feeders, t.relation)
			}
			if len(refs) == 1 && l.value.Class() == "COLUMN_REF" {
				l.source = sourceOf(t)
			}
		case len(targets) > 0:
			return false
		default:
			it := l.block.localOf(names)
			if it == nil {
				return false
			}
			if !slices.Contains(l.locals, it) {
				l.locals = append(l.locals, it)
			}
		}
	}
	return true
}

// mayBeNull tells whether an outer join may put NULLs in the place of the rows
// that a reference reads. Values made of those come from no row of a feeder.
func (b *binder) mayBeNull(names []string, blk *block, targets []target) bool {
	if it, _ := blk.derivedOf(names); it != nil {
		return true // it would have to be followed through every query between
	}
	for _, t := range targets {
		if t.relation.item.nullable {
			return true
		}
	}
	it := blk.localOf(names)
	return len(targets) == 0 && it != nil && it.nullable
}

// sourceOf gives the parameter that a column is, or nil.
func sourceOf(t target) *parameterOf {
	c, err := columnOf(t.relation, t.rest)
	if err != nil || c.Parameter == nil || c.Kind != catalog.Parameter {
		return nil
	}
	return &parameterOf{t.relation, c.Parameter.Name}
}

// queryLink reads parameter IN (SELECT …) and parameter = ANY (SELECT …), which
// are one node of the tree.
func (b *binder) queryLink(n syntax.Node) []link {
	if n.Text("subquery_type") != "ANY" || n.Text("comparison_type") != "COMPARE_EQUAL" {
		return nil
	}
	p, ok := b.parameter(n.Child("child"))
	if !ok {
		return nil
	}
	return b.linkQuery(p.Name, n.Child("subquery").Child("node"))
}

// linkQuery links a parameter to the one column of a query, where that is the
// column of a resource as it is.
func (b *binder) linkQuery(parameter string, query syntax.Node) []link {
	list := query.List("select_list")
	if query.Type() != "SELECT_NODE" || len(list) != 1 || list[0].Class() != "COLUMN_REF" {
		return nil // a value that is made there, by an aggregate for one, has no row of its own
	}
	at := slices.IndexFunc(b.blocks, func(blk *block) bool { return sameNode(blk.node, query) })
	if at < 0 {
		return nil
	}
	l := link{parameter: parameter, value: list[0], block: b.blocks[at], query: true}
	if !b.needs(&l) {
		return nil
	}
	return []link{l}
}

// sameNode tells whether two nodes are one place of the tree.
func sameNode(a, b syntax.Node) bool { return nodeID(a) == nodeID(b) }

// nodeID tells the places of a tree apart.
func nodeID(n syntax.Node) uintptr { return reflect.ValueOf(n).Pointer() }
