package plan

import "github.com/planeql/planeql/internal/syntax"

// listMember reads x = ANY([a, b]) and x IN [a, b], which are an x that is a
// member of a list written out. DuckDB's tree has the query of an unnest for the
// first and a function for the second.
func listMember(n syntax.Node) (column syntax.Node, members []syntax.Node, ok bool) {
	switch {
	case n.Class() == "FUNCTION" && n.Text("function_name") == "contains":
		if c := n.List("children"); len(c) == 2 {
			members, ok = listed(c[0])
			return c[1], members, ok
		}
	case n.Class() == "SUBQUERY" && n.Text("subquery_type") == "ANY" && n.Text("comparison_type") == "COMPARE_EQUAL":
		query := n.Child("subquery").Child("node")
		items := query.List("select_list")
		if query.Child("from_table").Type() != "EMPTY" || len(items) != 1 || items[0].Text("function_name") != "unnest" {
			return nil, nil, false
		}
		if c := items[0].List("children"); len(c) == 1 {
			members, ok = listed(c[0])
			return n.Child("child"), members, ok
		}
	}
	return nil, nil, false
}

// listed gives the members of a list of values written out. An empty one has its
// type from a CAST.
func listed(n syntax.Node) (members []syntax.Node, ok bool) {
	if n.Class() == "CAST" && len(n.Child("child").List("children")) == 0 {
		n = n.Child("child")
	}
	return n.List("children"), n.Class() == "FUNCTION" && n.Text("function_name") == "list_value"
}
