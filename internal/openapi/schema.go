package openapi

import (
	"slices"
	"sync"
)

// maxComposed is how many schemas one may be composed of, at any depth. It only
// keeps a hostile chain of references from exhausting the stack.
const maxComposed = 10_000

// Schema is a schema of an OpenAPI 3 document. References are followed when a
// member is asked for, so that a schema that contains itself is no trouble. It
// may be shared by goroutines. A nil *Schema answers every method with zero
// values.
type Schema struct {
	Type        string // "string", "integer", "number", "boolean", "object", "array" or "" where unstated
	Format      string
	Description string
	Enum        []string
	Default     string // as text; empty where there is none
	ReadOnly    bool
	Nullable    bool
	Secret      bool     // x-ms-secret: the value is masked
	Open        bool     // it may have members beside the declared ones: those of a discriminator's schema, or any
	XML         string   // xml.name: of the element; empty where it is the member's
	TextOnly    bool     // x-stackQL-stringOnly: what looks like JSON is sent as a text
	Required    []string // names of required members

	node *Node

	once    sync.Once
	members []Member
}

// Member is a named member of an object schema.
type Member struct {
	Name   string
	Schema *Schema
}

// Schema reads a node as a schema. Each node gives the same *Schema every time.
// It is nil for a nil node and for a reference that cannot be followed.
func (d *Document) Schema(n *Node) *Schema {
	if !n.IsMapping() {
		return nil
	}
	d.mu.Lock()
	s, known := d.schemas[n]
	d.mu.Unlock()
	if known {
		return s
	}
	s = newSchema(n)
	d.mu.Lock()
	defer d.mu.Unlock()
	if first, known := d.schemas[n]; known {
		return first
	}
	d.schemas[n] = s
	return s
}

// newSchema reads the words of a schema. What stands beside a $ref wins over
// the target, since it describes the use: OpenAPI 3.1 says so, and published
// 3.0 documents are written as if 3.0 did.
func newSchema(use *Node) *Schema {
	target, err := use.Follow()
	if err != nil || !target.IsMapping() {
		return nil
	}
	s := &Schema{node: target}
	s.read(target)
	if s.Type == "" {
		s.Type = implied(target)
	}
	if target != use {
		shape, required := s.Type, s.Required
		if s.read(use); shape != "" {
			s.Type = shape // a use tells more of the target, it does not make another thing of it
		}
		s.Required = s.required(required)
	}
	s.compose()
	return s
}

// Requiring gives the schema with further required members.
func (s *Schema) Requiring(names []string) *Schema {
	if s == nil || len(names) == 0 {
		return s
	}
	more := &Schema{
		Type: s.Type, Format: s.Format, Description: s.Description, Enum: s.Enum, Default: s.Default, ReadOnly: s.ReadOnly,
		Nullable: s.Nullable, Secret: s.Secret, Open: s.Open, XML: s.XML, TextOnly: s.TextOnly, Required: slices.Clone(s.Required), node: s.node,
	}
	for _, name := range names {
		if s.Member(name) != nil && !slices.Contains(more.Required, name) {
			more.Required = append(more.Required, name)
		}
	}
	return more
}

// required puts together what the target and its use require. A use may name
// what the target does not have, and nobody could give.
func (s *Schema) required(ofTarget []string) []string {
	names := slices.Clone(ofTarget)
	for _, name := range s.Required {
		known := s.node.At("properties", name) != nil || s.node.At("allOf") != nil
		if known && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// read takes over the words that the node has.
func (s *Schema) read(n *Node) {
	for _, e := range n.Entries() {
		switch e.Key {
		case "type":
			s.readType(e.Value)
		case "format":
			s.Format = e.Value.Text()
		case "description":
			s.Description = e.Value.Text()
		case "default":
			s.Default = e.Value.Text()
		case "enum":
			s.Enum = e.Value.Texts()
		case "required":
			s.Required = e.Value.Texts()
		case "readOnly":
			s.ReadOnly = e.Value.True()
		case "nullable":
			s.Nullable = e.Value.True()
		case "discriminator":
			s.Open = true
		case "additionalProperties":
			s.Open = s.Open || e.Value.True()
		case "xml":
			s.XML = e.Value.At("name").Text()
		case "x-stackQL-stringOnly":
			s.TextOnly = e.Value.True()
		case "x-ms-secret":
			s.Secret = e.Value.True()
		}
	}
}

// readType also takes the list of types of OpenAPI 3.1, in which "null" stands
// for nullable.
func (s *Schema) readType(n *Node) {
	s.Type = n.Text()
	for _, name := range n.Texts() {
		switch {
		case name == "null":
			s.Nullable = true
		case s.Type == "":
			s.Type = name
		}
	}
}

// implied gives the type that the shape of a schema says where it states none.
func implied(n *Node) string {
	switch {
	case n.At("properties").IsMapping(), !n.At("additionalProperties").Missing():
		return "object"
	case !n.At("items").Missing():
		return "array"
	}
	return ""
}

// compose completes a schema from those it is composed of: with allOf, all hold
// at once; with anyOf and oneOf only what all of them agree on is certain.
func (s *Schema) compose() {
	s.inherit(s.node, map[*Node]bool{s.node: true})
	for _, word := range []string{"anyOf", "oneOf"} {
		if s.Type == "" {
			s.Type = agreed(s.node.At(word).Items())
		}
	}
}

// inherit takes over from the members of allOf, and theirs, what is not stated
// yet, the names of required members always.
func (s *Schema) inherit(n *Node, seen map[*Node]bool) {
	for _, item := range n.At("allOf").Items() {
		base, err := item.Follow()
		if err != nil || base == nil || seen[base] || len(seen) > maxComposed {
			continue
		}
		seen[base] = true
		var from Schema
		from.read(base)
		if from.Type == "" {
			from.Type = implied(base)
		}
		s.take(&from)
		s.inherit(base, seen)
	}
}

// take fills what the schema leaves open. A format, and the values of an
// enumeration, only mean something together with their type.
func (s *Schema) take(from *Schema) {
	if s.Type == "" {
		s.Type, s.Nullable = from.Type, s.Nullable || from.Nullable
	}
	if s.Format == "" && s.Type == from.Type {
		s.Format = from.Format
	}
	if s.Description == "" {
		s.Description = from.Description
	}
	if s.Enum == nil && s.Type == from.Type {
		s.Enum = from.Enum
	}
	if s.Default == "" {
		s.Default = from.Default
	}
	if s.XML == "" {
		s.XML = from.XML
	}
	s.Secret, s.Open = s.Secret || from.Secret, s.Open || from.Open
	s.Required = append(s.Required[:len(s.Required):len(s.Required)], from.Required...)
}

// agreed gives the type that all alternatives have, null aside.
func agreed(alternatives []*Node) string {
	common := ""
	for _, item := range alternatives {
		target, err := item.Follow()
		if err != nil || target == nil {
			return ""
		}
		var s Schema
		s.read(target)
		if s.Type == "" {
			s.Type = implied(target)
		}
		switch {
		case s.Type == "null" || s.Type == "" && s.Nullable:
			continue
		case s.Type == "" || common != "" && common != s.Type:
			return ""
		}
		common = s.Type
	}
	return common
}
