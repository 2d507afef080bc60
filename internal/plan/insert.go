package plan

import (
	"fmt"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// leftOut stands for DEFAULT in the rows of VALUES: the member is not sent.
const leftOut = "\x01planeql default"

// sourceTable is the name of the query of an INSERT in the query of its rows.
const sourceTable = "planeql_source"

// insert finds the method of INSERT and its rows.
func (k *maker) insert(methods []*provider.Method, head syntax.Insert) error {
	columns := head.Columns
	if columns == nil {
		var err error
		if columns, err = k.outputs(head.Query); err != nil {
			return err
		}
	}
	var first error
	for _, m := range methods {
		k.write.Method, k.values = m, nil
		err := k.columns(m, columns)
		if err == nil {
			err = k.rows(head, columns)
			return on(err, m)
		}
		if first == nil {
			first = fault.From(err).On(m.FullName())
		}
	}
	return first
}

// on gives an error the method that it is about.
func on(err error, m *provider.Method) error {
	if err == nil {
		return nil
	}
	return fault.From(err).On(m.FullName())
}

// columns gives the columns of an INSERT their places in the calls of a method.
func (k *maker) columns(m *provider.Method, columns []syntax.Column) error {
	var names []string
	for _, c := range columns {
		at := k.at(syntax.Clause{Start: c.Start, End: c.End})
		s, err := slot(m, c, at)
		if err != nil {
			return err
		}
		if err := k.add(s, syntax.Clause{}); err != nil {
			return err
		}
		switch {
		case s.Parameter != nil:
			names = append(names, s.Parameter.Name)
		case len(s.Member.Path) > 0:
			names = append(names, s.Member.Path[0]) // a member may be a parameter too
		default:
			names = append(names, inBody(m)...)
		}
	}
	if lacks := lacking(m, names, ""); len(lacks) > 0 {
		return fault.New(fault.MissingParameter, "%s needs %s", m.FullName(), strings.Join(lacks, ", ")).
			At(k.home()).WithHint("%s", smallest(m))
	}
	return k.required()
}

// outputs gives the names of the columns of a query, where its text says them.
func (k *maker) outputs(c syntax.Clause) ([]syntax.Column, error) {
	node, err := k.queryNode(c)
	if err != nil {
		return nil, err
	}
	items, known := selectList(node)
	names := outputs(node)
	if !known || len(names) != len(items) || len(names) == 0 {
		return nil, fault.New(fault.SyntaxError, "the columns of the INSERT are not named").At(k.home()).
			WithHint("name them in brackets: INSERT INTO %s (column, …) SELECT …", k.resource.Path())
	}
	var columns []syntax.Column
	for _, name := range names {
		columns = append(columns, syntax.Column{Name: syntax.Name{Parts: strings.Split(name, "."), Start: c.Start, End: c.End}, Written: name})
	}
	return columns, nil
}

// queryNode parses a query of the statement.
func (k *maker) queryNode(c syntax.Clause) (syntax.Node, error) {
	normal, err := k.normal(k.part(c))
	if err != nil {
		return nil, err
	}
	nodes, err := k.tree(normal)
	if err != nil {
		return nil, err
	}
	if len(nodes) != 1 {
		return nil, fault.New(fault.SyntaxError, "one query is expected").At(k.at(c))
	}
	return nodes[0], nil
}

// selectList gives the items of a query's select list; known is false where
// one of them stands for several columns.
func selectList(n syntax.Node) (items []syntax.Node, known bool) {
	for n.Type() == "SET_OPERATION_NODE" {
		first := n.Child("left")
		if children := n.List("children"); first == nil && len(children) > 0 {
			first = children[0]
		}
		n = first
	}
	items = n.List("select_list")
	for _, item := range items {
		if hasStar(item) {
			return items, false
		}
	}
	return items, n.Type() == "SELECT_NODE"
}

// rows makes the query of the rows of an INSERT.
func (k *maker) rows(head syntax.Insert, columns []syntax.Column) error {
	var list []*syntax.Edited
	if with := k.target.With; with.End > 0 {
		list = append(list, k.part(with))
	}
	if head.Query.End > 0 {
		k.write.Rows = -1
		parts, err := k.ofQuery(head.Query, len(columns))
		if err != nil {
			return err
		}
		list = append(list, parts...)
	} else {
		k.write.Rows = len(head.Rows)
		if len(columns) == 0 {
			return nil
		}
		if err := k.checkRows(head.Rows); err != nil {
			return err
		}
		list = append(list, k.ofValues(head.Rows)...)
	}
	var err error
	k.write.Source, err = k.query(list)
	return err
}

// ofQuery puts the query of an INSERT into one that gives JSON.
func (k *maker) ofQuery(c syntax.Clause, columns int) ([]*syntax.Edited, error) {
	node, err := k.queryNode(c)
	if err != nil {
		return nil, err
	}
	items, known := selectList(node)
	if !known {
		return []*syntax.Edited{k.own("SELECT to_json(COLUMNS(*)) FROM ("), k.part(c), k.own(") AS " + sourceTable)}, nil
	}
	if len(items) != columns {
		return nil, fault.New(fault.SyntaxError, "the query gives %d columns for %d of the INSERT", len(items), columns).At(k.at(c))
	}
	var values, names []string
	for i := range items {
		values = append(values, fmt.Sprintf("to_json(%s.c%d) AS c%d", sourceTable, i, i))
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return []*syntax.Edited{
		k.own("SELECT " + strings.Join(values, ", ") + " FROM ("), k.part(c),
		k.own(") AS " + sourceTable + "(" + strings.Join(names, ", ") + ")"),
	}, nil
}

// ofValues makes a query of the rows of VALUES, in which each value has a type
// of its own.
func (k *maker) ofValues(rows [][]syntax.Clause) []*syntax.Edited {
	list := []*syntax.Edited{k.own("SELECT * FROM (VALUES ")}
	for i, row := range rows {
		list = append(list, k.own(map[bool]string{true: "(", false: ", ("}[i == 0]))
		for j, value := range row {
			if j > 0 {
				list = append(list, k.own(", "))
			}
			list = append(list, k.own("to_json("))
			if value.End > 0 {
				list = append(list, k.part(value))
			} else {
				list = append(list, k.own("'"+leftOut+"'"))
			}
			list = append(list, k.own(")"))
		}
		list = append(list, k.own(")"))
	}
	return append(list, k.own(") AS "+sourceTable))
}

// checkRows checks the rows of VALUES as far as they are literals: what is
// wrong there is found before anything is read.
func (k *maker) checkRows(rows [][]syntax.Clause) error {
	for _, row := range rows {
		values := make([][]byte, len(row))
		known := true
		for i, c := range row {
			text, isLiteral := literalJSON(k.statement, c)
			known = known && isLiteral
			if !isLiteral {
				continue
			}
			values[i] = text
			s := k.values[i].Slot
			if s.span = k.at(c); c.End == 0 {
				s.span = k.home()
			}
			if _, err := s.fit(text); err != nil {
				return err
			}
		}
		if !known {
			continue
		}
		w := Write{Method: k.write.Method}
		for _, v := range k.values {
			w.Columns = append(w.Columns, v.Slot)
		}
		if _, _, err := w.Body(values); err != nil {
			return located(err, k.at(syntax.Clause{Start: row[0].Start, End: max(row[0].Start, row[len(row)-1].End)}))
		}
	}
	return nil
}
