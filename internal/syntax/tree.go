package syntax

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/planeql/planeql/internal/fault"
)

// Node is a node of the tree that DuckDB's json_serialize_sql gives for a
// SELECT. Its members are read by name, so that a node this version of planeql
// has never seen is still walked.
type Node map[string]any

// ParseTree reads the JSON text of a tree. It gives the nodes of the
// statements.
func ParseTree(tree []byte) ([]Node, error) {
	decoder := json.NewDecoder(bytes.NewReader(tree))
	decoder.UseNumber()
	var root map[string]any
	if err := decoder.Decode(&root); err != nil {
		return nil, fault.Bug("the tree of a statement cannot be read: %v", err)
	}
	var nodes []Node
	for _, s := range Node(root).List("statements") {
		nodes = append(nodes, s.Child("node"))
	}
	return nodes, nil
}

// Text gives a text member, or "".
func (n Node) Text(name string) string {
	s, _ := n[name].(string)
	return s
}

// Flag gives a boolean member, or false.
func (n Node) Flag(name string) bool {
	b, _ := n[name].(bool)
	return b
}

// Child gives a member that is a node, or nil.
func (n Node) Child(name string) Node {
	m, _ := n[name].(map[string]any)
	return m
}

// List gives the nodes of a member that is a list.
func (n Node) List(name string) []Node {
	items, _ := n[name].([]any)
	var nodes []Node
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			nodes = append(nodes, m)
		}
	}
	return nodes
}

// Texts gives the texts of a member that is a list.
func (n Node) Texts(name string) []string {
	items, _ := n[name].([]any)
	var texts []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// Type gives the node's type, such as COLUMN_REF or SELECT_NODE.
func (n Node) Type() string { return n.Text("type") }

// Class gives the class of an expression, such as CONJUNCTION.
func (n Node) Class() string { return n.Text("class") }

// Offset gives the place of the node in the text that was parsed; ok is false
// where DuckDB gives none.
func (n Node) Offset() (offset int, ok bool) {
	number, _ := n["query_location"].(json.Number)
	value, err := number.Int64()
	return int(value), err == nil && value < 1<<31
}

// Walk visits a node and all below it, parents first, in a fixed order. Where
// visit gives false the children are left out.
func Walk(n Node, visit func(Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(n)) {
		walkValue(n[name], visit)
	}
}

func walkValue(value any, visit func(Node) bool) {
	switch v := value.(type) {
	case map[string]any:
		Walk(v, visit)
	case []any:
		for _, item := range v {
			walkValue(item, visit)
		}
	}
}
