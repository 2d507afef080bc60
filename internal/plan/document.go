package plan

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/planeql/planeql/internal/openapi"
)

// document is a JSON value on its way to be a body: an object keeps the order
// of its members, and everything else the text it came with.
type document struct {
	raw     []byte // nil: an object
	names   []string
	members map[string]*document
}

func newObject() *document { return &document{members: map[string]*document{}} }

// set puts a value at a path. An object that stands there as text is taken
// apart; anything else that is in the way is replaced.
func (d *document) set(path []string, raw []byte) {
	if len(path) == 0 {
		d.raw, d.names, d.members = raw, nil, nil
		return
	}
	d.open()
	below := d.members[path[0]]
	if below == nil {
		below = newObject()
		d.names = append(d.names, path[0])
		d.members[path[0]] = below
	}
	below.set(path[1:], raw)
}

// open takes the text of an object apart.
func (d *document) open() {
	if d.members != nil {
		return
	}
	raw := d.raw
	d.raw, d.names, d.members = nil, nil, map[string]*document{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return
		}
		text, _ := name.(string)
		if d.members[text] == nil {
			d.names = append(d.names, text)
		}
		d.members[text] = &document{raw: value}
	}
}

// remove takes a member away.
func (d *document) remove(name string) {
	delete(d.members, name)
	d.names = slices.DeleteFunc(d.names, func(n string) bool { return n == name })
}

// writable takes away what a schema says only the service writes.
func (d *document) writable(s *openapi.Schema) {
	if s == nil || len(d.raw) > 0 && d.raw[0] != '{' {
		return
	}
	d.open()
	for _, name := range slices.Clone(d.names) {
		member := s.Member(name)
		if readOnly(member) {
			d.remove(name)
			continue
		}
		d.members[name].writable(member)
	}
}

// bytes gives the text.
func (d *document) bytes() []byte {
	if d.members == nil {
		return d.raw
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range d.names {
		if i > 0 {
			b.WriteByte(',')
		}
		quoted, _ := json.Marshal(name) // a text always marshals
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(d.members[name].bytes())
	}
	b.WriteByte('}')
	return b.Bytes()
}
