package openapi

import "testing"

// FuzzParse holds the reader to two promises: no text makes it panic or run
// without end, and a text that the YAML library takes is the same document
// whether it was cut or read in one go.
func FuzzParse(f *testing.F) {
	for _, c := range layouts {
		f.Add([]byte(c.text))
	}
	f.Add([]byte("schema: {$ref: '#/schema', allOf: [{$ref: '#/schema'}], properties: {a: {$ref: '#/b'}}}\nb: &x {items: *x}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("doc.yaml", text)
		if err != nil {
			return
		}
		walkSchemas(d, d.Root(), 0)
		whole, err := d.composeWhole()
		if err != nil || d.Check() != nil {
			return
		}
		cut := outline(d.Root())
		if all := outline(whole); all != cut {
			t.Errorf("cut   %s\nwhole %s", cut, all)
		}
	})
}

func walkSchemas(d *Document, n *Node, depth int) {
	if depth > 4 {
		return
	}
	for _, e := range n.Entries() {
		s := d.Schema(e.Value)
		s.Members()
		s.Items()
		s.Values()
		s.FreeForm()
		walkSchemas(d, e.Value, depth+1)
	}
}
