package transform

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxDepth bounds how deep an XML body may nest.
const maxDepth = 500

// Element is an element of an XML body. Names are without their namespaces.
type Element struct {
	Name       string
	Attributes []xml.Attr
	Children   []*Element
	Text       string
}

// ParseXML reads an XML body.
func ParseXML(body []byte) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii") {
			return input, nil
		}
		return nil, fmt.Errorf("the encoding %q is not read", charset)
	}
	var root *Element
	var open []*Element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && root != nil && len(open) == 0 {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the body is not XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := &Element{Name: t.Name.Local, Attributes: t.Attr}
			switch {
			case len(open) > maxDepth:
				return nil, fmt.Errorf("the body nests more than %d deep", maxDepth)
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.Children = append(parent.Children, e)
			case root != nil:
				return nil, errors.New("the body is not XML: it has two roots")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].Text += string(t)
			}
		}
	}
}

// Child gives the first child of a name, or nil.
func (e *Element) Child(name string) *Element {
	for _, c := range e.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// leaf tells whether the element is a text and nothing else.
func (e *Element) leaf() bool { return len(e.Children) == 0 && len(e.attributes()) == 0 }

// attributes gives the attributes that are no declarations of namespaces.
func (e *Element) attributes() []xml.Attr {
	var list []xml.Attr
	for _, a := range e.Attributes {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			list = append(list, a)
		}
	}
	return list
}

// Value gives the content as maps, lists and texts: an element that repeats is a
// list, attributes have a hyphen before their names, and text beside them is
// under #text. Values stay texts, since only a schema knows their types.
func (e *Element) Value() any { return e.value(func(text string) any { return text }) }

// Cast is Value of the element in a map of its name, with texts that look like
// numbers and booleans as such: that is what templates were written for.
func (e *Element) Cast() any { return map[string]any{e.Name: e.value(cast)} }

func cast(text string) any {
	if f, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(text, "xXpPnNiI_") {
		return f
	}
	switch strings.ToLower(text) {
	case "true":
		return true
	case "false":
		return false
	}
	return text
}

func (e *Element) value(convert func(string) any) any {
	text := strings.TrimSpace(e.Text)
	if e.leaf() {
		if text == "" {
			return ""
		}
		return convert(text)
	}
	m := map[string]any{}
	for _, a := range e.attributes() {
		m["-"+a.Name.Local] = convert(a.Value)
	}
	if text != "" {
		m["#text"] = convert(text)
	}
	for _, c := range e.Children {
		v := c.value(convert)
		switch old := m[c.Name].(type) {
		case nil:
			m[c.Name] = v
		case []any:
			m[c.Name] = append(old, v)
		default:
			m[c.Name] = []any{old, v}
		}
	}
	return m
}

// JSON gives the content in the order of the document.
func (e *Element) JSON() []byte {
	var b bytes.Buffer
	e.write(&b)
	return b.Bytes()
}

func (e *Element) write(b *bytes.Buffer) {
	text := strings.TrimSpace(e.Text)
	if e.leaf() {
		quote(b, text)
		return
	}
	b.WriteByte('{')
	first := true
	member := func(name string) {
		if !first {
			b.WriteByte(',')
		}
		first = false
		quote(b, name)
		b.WriteByte(':')
	}
	for _, a := range e.attributes() {
		member("-" + a.Name.Local)
		quote(b, a.Value)
	}
	if text != "" {
		member("#text")
		quote(b, text)
	}
	for _, same := range grouped(e.Children) {
		member(same[0].Name)
		if len(same) == 1 {
			same[0].write(b)
			continue
		}
		b.WriteByte('[')
		for i, c := range same {
			if i > 0 {
				b.WriteByte(',')
			}
			c.write(b)
		}
		b.WriteByte(']')
	}
	b.WriteByte('}')
}

// grouped gives elements by name, in the order in which names first stand.
func grouped(children []*Element) [][]*Element {
	at := map[string]int{}
	var groups [][]*Element
	for _, c := range children {
		i, known := at[c.Name]
		if !known {
			i = len(groups)
			at[c.Name] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// quote writes a JSON text.
func quote(b *bytes.Buffer, text string) {
	encoded, _ := json.Marshal(strings.ToValidUTF8(text, "\uFFFD")) // a text always has a form
	b.Write(encoded)
}

// xpathFirst gives the text of the first element at a path of names.
func xpathFirst(body, path string) (string, error) {
	root, err := ParseXML([]byte(body))
	if err != nil {
		return "", err
	}
	found := root.at(path)
	if len(found) == 0 {
		return "", nil
	}
	return found[0].inner(), nil
}

// xpathOuter gives the elements at a path as XML.
func xpathOuter(body, path string) ([]string, error) {
	root, err := ParseXML([]byte(body))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range root.at(path) {
		all = append(all, e.outer())
	}
	return all, nil
}

// at finds elements: /a/b from the root, //b anywhere, * any name.
func (e *Element) at(path string) []*Element {
	if name, ok := strings.CutPrefix(path, "//"); ok {
		first, rest, _ := strings.Cut(name, "/")
		var found []*Element
		e.walk(func(c *Element) {
			if c.Name == first || first == "*" {
				found = append(found, c.below(rest)...)
			}
		})
		return found
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if first != e.Name && first != "*" {
		return nil
	}
	return e.below(rest)
}

func (e *Element) walk(f func(*Element)) {
	f(e)
	for _, c := range e.Children {
		c.walk(f)
	}
}

// below follows names downwards.
func (e *Element) below(path string) []*Element {
	list := []*Element{e}
	for name := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' }) {
		var next []*Element
		for _, at := range list {
			for _, c := range at.Children {
				if c.Name == name || name == "*" {
					next = append(next, c)
				}
			}
		}
		list = next
	}
	return list
}

func (e *Element) inner() string {
	if len(e.Children) == 0 {
		return strings.TrimSpace(e.Text)
	}
	var b strings.Builder
	for _, c := range e.Children {
		b.WriteString(c.outer())
	}
	return b.String()
}

func (e *Element) outer() string {
	var b strings.Builder
	b.WriteString("<" + e.Name + ">")
	if len(e.Children) > 0 {
		b.WriteString(e.inner())
	} else {
		_ = xml.EscapeText(&b, []byte(strings.TrimSpace(e.Text))) // a Builder takes everything
	}
	b.WriteString("</" + e.Name + ">")
	return b.String()
}
