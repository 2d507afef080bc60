package openapi

import (
	"bytes"
	"strings"
	"unicode"
)

// indexedLevels is how deep the text is cut by indentation before the YAML
// library reads it: components, schemas, one schema.
const indexedLevels = 12

// part is a stretch of text that holds one key with its value, or the whole
// text for the root.
type part struct {
	start, end int
	line       int // of start
	body       int // where the line after the key begins
	value      int // where on its line the value begins
	levels     int // levels that may still be cut
	root       bool
	open       bool // nothing follows the key on its line
	key        []string
}

// read fills the node from its part: by cutting, where the text allows it, else
// with the YAML library.
func (n *Node) read() {
	if n.section != 0 {
		n.doc.stored.fill(n)
		return
	}
	p := n.part
	n.line = p.line
	if p.levels > 0 && (p.root || p.open) && n.cut() || !p.open && !p.root && n.plain() {
		return
	}
	found, err := n.find()
	if err != nil {
		n.err = err
		return
	}
	n.kind, n.line, n.text = found.kind, max(found.line, 1), found.text
	n.entries, n.items, n.index = found.entries, found.items, found.index
}

// find reads the part with the YAML library. A part that uses an anchor from in
// front of it, or whose key does not read as it was cut, is looked up in the
// whole document.
func (n *Node) find() (*Node, error) {
	p := n.part
	if p.root {
		return n.doc.composeWhole()
	}
	name := p.key[len(p.key)-1]
	piece, err := n.doc.compose(n.doc.data[p.start:p.end], p.line)
	if err != nil && !strings.Contains(err.Error(), "unknown anchor") {
		// The library takes more than YAML allows, such as a quoted text that
		// goes on at the left edge, where it is taken for a key.
		return nil, err
	}
	if err == nil && piece.kind == mapping && len(piece.entries) == 1 && piece.entries[0].Key == name {
		return piece.entries[0].Value, nil
	}
	whole, err := n.doc.composeWhole()
	if err != nil {
		return nil, err
	}
	if whole = whole.At(p.key...); whole == nil {
		return nil, n.doc.invalid(p.line, "the key %q is not where its indentation says", name)
	}
	return whole, nil
}

// cut splits the part into one part a key.
func (n *Node) cut() bool {
	p := n.part
	from, line := p.body, p.line+1
	if p.root {
		from, line = 0, 1
	}
	lines := cutter{data: n.doc.data[:p.end], at: from, line: line}
	if p.root {
		lines.skipStart()
	}
	parts, ok := lines.parts()
	if !ok || len(parts) == 0 {
		return false
	}
	entries := make([]Entry, 0, len(parts))
	for _, child := range parts {
		name := child.key[0]
		child.key = append(append([]string{}, p.key...), name)
		child.levels = p.levels - 1
		entries = append(entries, Entry{Key: name, Value: &Node{doc: n.doc, part: child}})
	}
	n.kind, n.entries = mapping, entries
	if at, twice := n.remember(); twice {
		n.err = n.doc.invalid(parts[at].line, "the key %q is there twice", entries[at].Key)
	}
	return true
}

// plain takes a value that is one line of plain text: most values are, and the
// YAML library costs a hundred times as much.
func (n *Node) plain() bool {
	p := n.part
	line, below, _ := bytes.Cut(n.doc.data[p.start:p.end], []byte("\n"))
	if len(bytes.Trim(below, " \t\r\n")) > 0 {
		return false
	}
	text := strings.Trim(string(line[p.value:]), " \t\r")
	if inner, ok := unquoted(text); ok {
		n.kind, n.text = scalar, inner
		return true
	}
	if text == "" || strings.IndexByte("[]{},#&*!|>%@`?:-'\"", text[0]) >= 0 ||
		strings.Contains(text, ": ") || strings.Contains(text, " #") || strings.HasSuffix(text, ":") ||
		!printable(text) {
		return false
	}
	switch text {
	case "null", "Null", "NULL", "~":
	default:
		n.kind, n.text = scalar, text
	}
	return true
}

// unquoted takes the quotes off a text that needs no more than that.
func unquoted(text string) (string, bool) {
	if len(text) < 2 || text[0] != text[len(text)-1] || text[0] != '"' && text[0] != '\'' {
		return "", false
	}
	inner := text[1 : len(text)-1]
	return inner, strings.IndexByte(inner, text[0]) < 0 && !strings.Contains(inner, `\`) && printable(inner)
}

// printable tells whether the text is of ASCII letters and signs only. Others
// are left to the YAML library, which knows which of them are allowed.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
}

// cutter finds the keys of a block mapping by the indentation of its lines.
// Scalars of several lines are no obstacle, since YAML indents their lines
// deeper than the key; whatever looks unusual makes the cut give up, and the
// YAML library decides.
type cutter struct {
	data []byte
	at   int
	line int
}

// skipStart passes a document start marker.
func (c *cutter) skipStart() {
	for _, marker := range []string{"---\n", "---\r\n"} {
		if bytes.HasPrefix(c.data, []byte(marker)) {
			c.at, c.line = len(marker), 2
		}
	}
}

// parts finds the keys that stand furthest to the left; all between two of them
// belongs to the first.
func (c *cutter) parts() ([]*part, bool) {
	var parts []*part
	base := -1
	for c.at < len(c.data) {
		at := part{start: c.at, line: c.line, end: len(c.data)}
		text, indent := c.next()
		if len(text) == 0 || text[0] == '#' || base >= 0 && indent > base {
			continue
		}
		if base < 0 {
			base = indent
		}
		// A sequence may stand as far left as its key.
		if isItem(text) && len(parts) > 0 && parts[len(parts)-1].open {
			continue
		}
		key, value, ok := cutKey(string(text))
		if !ok || indent < base {
			return nil, false
		}
		at.key, at.body, at.value = []string{key}, c.at, indent+len(text)-len(value)
		at.open = value == "" || value[0] == '#'
		if len(parts) > 0 {
			parts[len(parts)-1].end = at.start
		}
		parts = append(parts, &at)
	}
	return parts, true
}

// next gives the next line without its indentation and its end, and how far it
// is indented.
func (c *cutter) next() (text []byte, indent int) {
	line := c.data[c.at:]
	if length := bytes.IndexByte(line, '\n'); length >= 0 {
		line = line[:length]
	}
	c.at = min(c.at+len(line)+1, len(c.data))
	c.line++
	line = bytes.TrimRight(line, " \r")
	rest := bytes.TrimLeft(line, " ")
	return rest, len(line) - len(rest)
}

// isItem tells whether the line begins an element of a block sequence.
func isItem(text []byte) bool {
	return text[0] == '-' && (len(text) == 1 || text[1] == ' ')
}

// cutKey splits a line "key: value". It knows plain keys and quoted ones without escapes.
func cutKey(line string) (key, rest string, ok bool) {
	switch first := line[0]; {
	case first == '"' || first == '\'':
		end := strings.IndexByte(line[1:], first)
		if end < 0 || strings.Contains(line[:end+1], `\`) {
			return "", "", false
		}
		key, rest = line[1:end+1], line[end+2:]
		if !strings.HasPrefix(rest, ":") {
			return "", "", false
		}
		rest = rest[1:]
	case strings.IndexByte("[]{},#&*!|>%@`?:-\t", first) >= 0:
		return "", "", false
	default:
		if key, rest, ok = strings.Cut(line, ": "); !ok {
			if key, ok = strings.CutSuffix(line, ":"); !ok {
				return "", "", false
			}
		}
		key = strings.TrimRight(key, " ")
		if strings.Contains(key, " #") || key == "<<" || strings.ContainsFunc(key, unicode.IsControl) {
			return "", "", false
		}
	}
	return key, strings.TrimLeft(rest, " "), true
}
