package openapi

import "go.yaml.in/yaml/v4"

// converter turns the library's tree into nodes. An alias gives the node of its
// anchor, not a copy, so that anchors cannot multiply the document.
type converter struct {
	doc   *Document
	first int // line of the document at which the tree begins
	count int
	done  map[*yaml.Node]*Node // nil while the node is in work
}

// convert makes the node for one of the library's, with all below it. depth
// counts the containers around it.
func (c *converter) convert(y *yaml.Node, depth int) (*Node, error) {
	c.count++
	line := c.first + max(y.Line, 1) - 1
	switch {
	case depth > maxDepth:
		return nil, c.doc.invalid(line, "the document nests more than %d deep", maxDepth)
	case c.count > maxNodes:
		return nil, c.doc.invalid(line, "the document has more than %d values", maxNodes)
	}
	n := &Node{doc: c.doc, line: line}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return n, nil
		}
		return c.convert(y.Content[0], depth)
	case yaml.AliasNode:
		return c.alias(y, line)
	case yaml.ScalarNode:
		if y.ShortTag() != "!!null" {
			n.kind, n.text = scalar, y.Value
		}
		return n, nil
	case yaml.SequenceNode:
		n.kind = sequence
		return n, c.collect(n, y, c.sequence, depth)
	case yaml.MappingNode:
		n.kind = mapping
		return n, c.collect(n, y, c.mapping, depth)
	}
	return n, nil
}

// collect fills a node with children and remembers it for aliases.
func (c *converter) collect(n *Node, y *yaml.Node, fill func(*Node, *yaml.Node, int) error, depth int) error {
	if y.Anchor == "" {
		return fill(n, y, depth)
	}
	c.done[y] = nil
	if err := fill(n, y, depth); err != nil {
		return err
	}
	c.done[y] = n
	return nil
}

// alias gives the node of the anchor. It is made here if the anchor stands on a
// scalar, which is never remembered, since a copy of it costs nothing.
func (c *converter) alias(y *yaml.Node, line int) (*Node, error) {
	n, known := c.done[y.Alias]
	switch {
	case known && n == nil:
		return nil, c.doc.invalid(line, "the anchor %q contains itself", y.Value)
	case known:
		return n, nil
	}
	n, err := c.convert(y.Alias, 0)
	c.done[y.Alias] = n
	return n, err
}

// sequence fills a node with its elements.
func (c *converter) sequence(n *Node, y *yaml.Node, depth int) error {
	n.items = make([]*Node, 0, len(y.Content))
	for _, item := range y.Content {
		value, err := c.convert(item, depth+1)
		if err != nil {
			return err
		}
		n.items = append(n.items, value)
	}
	return nil
}

// mapping fills a node with its keys. The keys of merged mappings follow after
// the node's own, which they must not replace (YAML 1.1, merge key language
// type).
func (c *converter) mapping(n *Node, y *yaml.Node, depth int) error {
	n.entries = make([]Entry, 0, len(y.Content)/2)
	var merged []*Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		value, err := c.convert(y.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		n.entries = append(n.entries, Entry{Key: key.Value, Value: value})
	}
	if at, twice := n.remember(); twice {
		return n.entries[at].Value.Invalid("the key %q is there twice", n.entries[at].Key)
	}
	if len(merged) == 0 {
		return nil
	}
	for _, from := range merged {
		if err := c.merge(n, from); err != nil {
			return err
		}
	}
	n.remember()
	return nil
}

// merge adds the keys of << that the mapping does not have itself.
func (c *converter) merge(n, from *Node) error {
	have := make(map[string]bool, len(n.entries))
	for _, e := range n.entries {
		have[e.Key] = true
	}
	sources := from.items
	if from.kind == mapping {
		sources = []*Node{from}
	}
	for _, source := range sources {
		for _, e := range source.entries {
			// Every entry looked at counts: merges of merges grow fast.
			if c.count++; c.count > maxNodes {
				return n.Invalid("the document has more than %d values", maxNodes)
			}
			if !have[e.Key] {
				have[e.Key] = true
				n.entries = append(n.entries, e)
			}
		}
	}
	return nil
}

// few is up to how many keys are searched one by one.
const few = 16

// remember makes the index of a mapping with many keys, and tells which entry
// repeats a key.
func (n *Node) remember() (at int, twice bool) {
	if len(n.entries) <= few {
		for i := range n.entries {
			for j := range i {
				if n.entries[i].Key == n.entries[j].Key {
					return i, true
				}
			}
		}
		return 0, false
	}
	n.index = make(map[string]int, len(n.entries))
	for i, e := range n.entries {
		if _, known := n.index[e.Key]; known {
			return i, true
		}
		n.index[e.Key] = i
	}
	return 0, false
}
