package openapi

import "slices"

// Members gives the members of an object schema in document order. The rule:
// its own properties and those of the schemas under allOf, whichever stand
// first in the document first; a name that is there twice keeps the schema's
// own meaning, else the first. Where that gives nothing, the union of anyOf,
// then of oneOf. The caller must not change the slice.
func (s *Schema) Members() []Member {
	if s == nil {
		return nil
	}
	s.once.Do(func() {
		if s.node == nil {
			return // its members, if it has any, were put together of others
		}
		c := collector{doc: s.node.doc, seen: map[*Node]bool{}, at: map[string]int{}}
		c.collect(s.node)
		s.members = c.members
	})
	return s.members
}

// Member gives the schema of the member of exactly this name, or nil.
func (s *Schema) Member(name string) *Schema {
	for _, m := range s.Members() {
		if m.Name == name {
			return m.Schema
		}
	}
	return nil
}

// Items gives the schema of an array's elements, or nil. Where alternatives are
// arrays, elements have what those of any of them have.
func (s *Schema) Items() *Schema {
	if items := s.part("items"); items != nil || s == nil || s.node == nil {
		return items
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		var found []*Schema
		for _, item := range s.node.At(word).Items() {
			if target, err := item.Follow(); err == nil {
				if items := find(target, "items", map[*Node]bool{}); items != nil {
					found = append(found, items)
				}
			}
		}
		if len(found) > 0 {
			return anyOf(found)
		}
	}
	return nil
}

// Elements gives the schema with the names of the elements that its members are
// in XML.
func (s *Schema) Elements() *Schema {
	if !slices.ContainsFunc(s.Members(), func(m Member) bool { return m.Schema != nil && m.Schema.XML != "" }) {
		return s
	}
	named := &Schema{Type: s.Type, Description: s.Description, Nullable: s.Nullable, Open: s.Open}
	for _, m := range s.Members() {
		if m.Schema != nil && m.Schema.XML != "" {
			m.Name = m.Schema.XML
		}
		named.members = append(named.members, m)
	}
	return named
}

// anyOf gives a schema that has the members of all of several.
func anyOf(list []*Schema) *Schema {
	if len(list) == 1 {
		return list[0]
	}
	s := &Schema{Type: list[0].Type, Description: list[0].Description}
	known := map[string]bool{}
	for _, one := range list {
		if one.Type != s.Type {
			s.Type = ""
		}
		s.Open = s.Open || one.Open
		for _, m := range one.Members() {
			if !known[m.Name] {
				known[m.Name] = true
				s.members = append(s.members, m)
			}
		}
	}
	return s
}

// Values gives the schema of the members that an object may have beside the
// declared ones, or nil where the document says nothing about them.
func (s *Schema) Values() *Schema {
	return s.part("additionalProperties")
}

// part finds a schema under a word, in the schema or in what it is composed of
// by allOf.
func (s *Schema) part(word string) *Schema {
	if s == nil || s.node == nil {
		return nil
	}
	return find(s.node, word, map[*Node]bool{})
}

// find looks in the schema itself first, since its own word replaces that of a
// base; then in its bases, the first one first.
func find(n *Node, word string, seen map[*Node]bool) *Schema {
	if n == nil || seen[n] || len(seen) > maxComposed {
		return nil
	}
	seen[n] = true
	if part := n.At(word); part.IsMapping() {
		return n.doc.Schema(part)
	}
	for _, item := range n.At("allOf").Items() {
		base, err := item.Follow()
		if err != nil {
			continue
		}
		if part := find(base, word, seen); part != nil {
			return part
		}
	}
	return nil
}

// FreeForm tells whether the schema says nothing about the names of its
// members: an object, or a value of any type, without declared members.
func (s *Schema) FreeForm() bool {
	if s == nil {
		return false
	}
	return (s.Type == "object" || s.Type == "") && len(s.Members()) == 0
}

// collector gathers the members of one schema. It looks at each node once, so
// that neither cycles nor shared anchors make it long.
type collector struct {
	doc     *Document
	seen    map[*Node]bool
	at      map[string]int // name -> index in members
	members []Member
}

// collect adds the members of one schema. anyOf and oneOf count only where there
// is nothing else: beside properties they say which combinations are valid.
func (c *collector) collect(n *Node) {
	if n == nil || c.seen[n] || len(c.seen) > maxComposed {
		return
	}
	c.seen[n] = true
	before := len(c.members)
	for _, e := range n.Entries() {
		switch e.Key {
		case "properties":
			c.own(e.Value)
		case "allOf":
			c.union(e.Value)
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if len(c.members) == before {
			c.union(n.At(word))
		}
	}
}

// own adds the properties of a schema; they win over inherited ones, in the
// place where those stand.
func (c *collector) own(properties *Node) {
	for _, e := range properties.Entries() {
		m := Member{Name: e.Key, Schema: c.doc.Schema(e.Value)}
		if i, known := c.at[e.Key]; known {
			c.members[i] = m
			continue
		}
		c.at[e.Key] = len(c.members)
		c.members = append(c.members, m)
	}
}

// union adds what the listed schemas have and the schema has not yet.
func (c *collector) union(list *Node) {
	for _, item := range list.Items() {
		target, err := item.Follow()
		if err != nil {
			continue
		}
		inner := collector{doc: c.doc, seen: c.seen, at: map[string]int{}}
		inner.collect(target)
		for _, m := range inner.members {
			if _, known := c.at[m.Name]; !known {
				c.at[m.Name] = len(c.members)
				c.members = append(c.members, m)
			}
		}
	}
}
