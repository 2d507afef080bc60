package transform

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// SchemaDrivenXML is the kind of rule that reads the rows of an XML body by
// their schema alone.
const SchemaDrivenXML = "schema_driven_xml_v0.1.0"

// Payload gives what an XML answer is about: below the root, and with AWS's
// query protocol below the result of the action.
func Payload(root *Element, protocol string) *Element {
	if protocol != "query" {
		return root
	}
	var results []*Element
	for _, c := range root.Children {
		if strings.HasSuffix(c.Name, "Result") && len(c.Children) > 0 {
			results = append(results, c)
		}
	}
	if len(results) == 0 {
		return root
	}
	return slices.MinFunc(results, func(a, b *Element) int { return strings.Compare(a.Name, b.Name) })
}

// Rows gives the rows of an answer as a JSON array. The answer is one row where
// it has any member of the schema; else the rows are in the list that it holds.
// A value has the type that the schema says, and is null where there is none.
func Rows(payload *Element, row *openapi.Schema) []byte {
	members := row.Members()
	var b bytes.Buffer
	b.WriteByte('[')
	for i, e := range rowsOf(payload, members) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for j, m := range members {
			if j > 0 {
				b.WriteByte(',')
			}
			quote(&b, m.Name)
			b.WriteByte(':')
			b.Write(typed(named(e, m.Name), m.Schema))
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes()
}

// named gives the children of a name.
func named(e *Element, name string) []*Element {
	var list []*Element
	for _, c := range e.Children {
		if c.Name == name {
			list = append(list, c)
		}
	}
	return list
}

// rowsOf finds the elements that are rows, in the order of the format's rule:
// children that repeat; a child with items; a child whose only kind of child has
// members. Of several the first by name.
func rowsOf(payload *Element, members []openapi.Member) []*Element {
	for _, m := range members {
		if payload.Child(m.Name) != nil {
			return []*Element{payload}
		}
	}
	groups := grouped(payload.Children)
	slices.SortFunc(groups, func(a, b []*Element) int { return strings.Compare(a[0].Name, b[0].Name) })
	for _, same := range groups {
		if len(same) > 1 {
			return objects(same)
		}
	}
	for _, same := range groups {
		if items := named(same[0], "item"); len(items) > 0 {
			return objects(items)
		}
	}
	for _, same := range groups {
		inner := grouped(same[0].Children)
		if len(inner) == 1 && (len(inner[0]) > 1 || !inner[0][0].leaf()) {
			return objects(inner[0])
		}
	}
	for _, same := range groups {
		if one := same[0]; has(one, members) {
			return []*Element{one}
		}
	}
	return nil
}

// has tells whether an element has any of the members of a row: the one element
// of a list that services write without a list around it.
func has(e *Element, members []openapi.Member) bool {
	return slices.ContainsFunc(members, func(m openapi.Member) bool { return e.Child(m.Name) != nil })
}

// objects gives the elements that are more than a text.
func objects(list []*Element) []*Element {
	return slices.DeleteFunc(slices.Clone(list), func(e *Element) bool { return e.leaf() })
}

// typed gives a value as the schema has it.
func typed(found []*Element, s *openapi.Schema) []byte {
	if len(found) == 0 {
		return []byte("null")
	}
	kind := ""
	if s != nil {
		kind = s.Type
	}
	text := strings.TrimSpace(found[0].Text)
	if len(found) == 1 && found[0].leaf() {
		return scalar(text, kind)
	}
	var b bytes.Buffer
	if len(found) == 1 {
		found[0].write(&b)
	} else {
		b.WriteByte('[')
		for i, e := range found {
			if i > 0 {
				b.WriteByte(',')
			}
			e.write(&b)
		}
		b.WriteByte(']')
	}
	if kind == "string" {
		content := b.String()
		b.Reset()
		quote(&b, content)
	}
	return b.Bytes()
}

// scalar gives a text as a value of a type; one that it does not fit stays a
// text, so that nothing is lost.
func scalar(text, kind string) []byte {
	var b bytes.Buffer
	switch kind {
	case "integer", "number":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return []byte(text)
		}
	case "boolean":
		if v, err := strconv.ParseBool(text); err == nil {
			return strconv.AppendBool(nil, v)
		}
	}
	if text == "" && kind != "string" {
		return []byte("null")
	}
	quote(&b, text)
	return b.Bytes()
}
