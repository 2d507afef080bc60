package build

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v4"
)

// nothing answers for a node that is not there.
var nothing = &yaml.Node{}

// value follows keys of mappings; it gives a node without kind where one is
// missing.
func value(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		next := nothing
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == key {
					next = n.Content[i+1]
					break
				}
			}
		}
		n = next
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// is tells whether a node is there.
func is(n *yaml.Node) bool { return n.Kind != 0 && n.Tag != "!!null" }

// members goes through a mapping in its order.
func members(n *yaml.Node, do func(key string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := n.Content[i+1]
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		do(n.Content[i].Value, v)
	}
}

// texts gives the scalars of a list.
func texts(n *yaml.Node) []string {
	var list []string
	for _, item := range n.Content {
		list = append(list, item.Value)
	}
	return list
}

// text makes a string.
func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// truth makes a boolean.
func truth(on bool) *yaml.Node {
	if on {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}
}

// list makes a sequence.
func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items}
}

// mapping makes a mapping of keys and values in turn. A nil value, and its key,
// are left out.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		switch v := pairs[i+1].(type) {
		case *yaml.Node:
			set(n, key, v)
		case string:
			set(n, key, text(v))
		}
	}
	return n
}

// set adds a member, or replaces it.
func set(n *yaml.Node, key string, v *yaml.Node) {
	if v == nil {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = v
			return
		}
	}
	n.Content = append(n.Content, text(key), v)
}

// clone copies a node without its place, its style and its comments, so that
// what was JSON is written as YAML.
func clone(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	if n.Kind == yaml.ScalarNode && n.Tag == "" {
		out.Tag = n.ShortTag()
	}
	for _, c := range n.Content {
		out.Content = append(out.Content, clone(c))
	}
	return out
}

// encode writes a tree. Nothing in it can fail to be written.
func encode(n *yaml.Node) []byte {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil
	}
	return out.Bytes()
}

// oneLine gives a text without line ends and outer blanks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
