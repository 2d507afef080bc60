package openapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func parse(t *testing.T, text string) *Document {
	t.Helper()
	d, err := Parse("doc.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// outline writes a node with all below it in one line, for comparison.
func outline(n *Node) string {
	var b strings.Builder
	write(&b, n)
	return b.String()
}

func write(b *strings.Builder, n *Node) {
	switch n.load(); {
	case n == nil:
		b.WriteString("nil")
	case n.err != nil:
		b.WriteString("error")
	case n.kind == null:
		b.WriteString("null")
	case n.kind == scalar:
		b.WriteString(`"` + n.text + `"`)
	case n.kind == sequence:
		b.WriteString("[")
		for _, item := range n.items {
			write(b, item)
			b.WriteString(" ")
		}
		b.WriteString("]")
	case n.kind == mapping:
		b.WriteString("{")
		for _, e := range n.entries {
			b.WriteString(e.Key + ":")
			write(b, e.Value)
			b.WriteString(" ")
		}
		b.WriteString("}")
	}
}

// layouts are texts in the many ways in which YAML can be written, with what
// they mean.
var layouts = []struct{ name, text, want string }{
	{"plain", "a: 1\nb: x y\n", `{a:"1" b:"x y" }`},
	{"nested", "a:\n  b:\n    c:\n      d:\n        e: 1\n", `{a:{b:{c:{d:{e:"1" } } } } }`},
	{"empty value", "a:\nb: ~\nc: null\nd: ''\n", `{a:null b:null c:null d:"" }`},
	{"quoted", "a: 'x: y'\nb: \"x # y\"\nc: 'it''s'\nd: \"a\\tb\"\n", "{a:\"x: y\" b:\"x # y\" c:\"it's\" d:\"a\tb\" }"},
	{"quoted keys", "'a b': 1\n\"c: d\": 2\n'200': 3\n", `{a b:"1" c: d:"2" 200:"3" }`},
	{"escaped keys", "'it''s': 1\n\"a\\tb\": 2\n", "{it's:\"1\" a\tb:\"2\" }"},
	{"path keys", "/a/{b}?api-version=1:\n  get: 1\n/c:d:\n  get: 2\n", `{/a/{b}?api-version=1:{get:"1" } /c:d:{get:"2" } }`},
	{"comments", "# top\na: 1 # one\n  # deep\nb: # open\n  c: 2\n# end", `{a:"1" b:{c:"2" } }`},
	{"hash in value", "a: x#y\nb: '#'\n", `{a:"x#y" b:"#" }`},
	{"literal", "a: |\n  b: 1\n  # c\n\n  d: 2\ne: 1\n", "{a:\"b: 1\n# c\n\nd: 2\n\" e:\"1\" }"},
	{"literal with indent", "x:\n  a: |2\n      b: 1\n    c: 2\n  e: 1\n", "{x:{a:\"  b: 1\nc: 2\n\" e:\"1\" } }"},
	{"folded", "a: >-\n  b\n  c\nd: 1\n", `{a:"b c" d:"1" }`},
	{"plain of two lines", "a: b\n  c\nd:\n  e\n  f\n", `{a:"b c" d:"e f" }`},
	{"quoted of two lines", "a: 'b\n  c'\nd: \"e\n  f: g\"\n", `{a:"b c" d:"e f: g" }`},
	{"sequence", "a:\n  - 1\n  - b: 2\n    c: 3\n", `{a:["1" {b:"2" c:"3" } ] }`},
	{"sequence at the key", "a:\n- 1\n- b: 2\nc: 3\n", `{a:["1" {b:"2" } ] c:"3" }`},
	{"flow", "a: {b: 1, c: [2, 3]}\nd: []\n", `{a:{b:"1" c:["2" "3" ] } d:[] }`},
	{"flow of two lines", "a: {b: 1,\n  c: 2}\nd: 1\n", `{a:{b:"1" c:"2" } d:"1" }`},
	{"json", `{"a": {"b": [1, null, true]}}`, `{a:{b:["1" null "true" ] } }`},
	{"json of many lines", "{\n\"a\": 1,\n\"b\": 2\n}\n", `{a:"1" b:"2" }`},
	{"crlf", "a: 1\r\nb:\r\n  c: 2\r\n", `{a:"1" b:{c:"2" } }`},
	{"document start", "---\na: 1\n", `{a:"1" }`},
	{"document end", "a: 1\n...\n", `{a:"1" }`},
	{"explicit key", "? a\n: 1\nb: 2\n", `{a:"1" b:"2" }`},
	{"tagged", "a: !!str 1\n!!str b: 2\nc: !<tag:yaml.org,2002:js/undefined> ''\n", `{a:"1" b:"2" c:"" }`},
	{"anchor in one section", "a:\n  b: &x {c: 1}\n  d: *x\n", `{a:{b:{c:"1" } d:{c:"1" } } }`},
	{"anchor across sections", "a: &x\n  c: 1\nb: *x\n", `{a:{c:"1" } b:{c:"1" } }`},
	{"merge", "a: &x {c: 1, d: 2}\nb:\n  <<: *x\n  d: 3\n", `{a:{c:"1" d:"2" } b:{d:"3" c:"1" } }`},
	{"merge of several", "a: &x {c: 1}\ny: &y {c: 2, d: 3}\nb: {<<: [*x, *y]}\n", `{a:{c:"1" } y:{c:"2" d:"3" } b:{c:"1" d:"3" } }`},
	{"other letters", "größe: ü\na: 日本\n", `{größe:"ü" a:"日本" }`},
	{"looks like an item", "a: -1\nb: -x\n-c: 2\n", `{a:"-1" b:"-x" -c:"2" }`},
	{"space before the colon", "a : 1\nb :\n  c : 2\n", `{a:"1" b:{c:"2" } }`},
	{"spaces at the end", "a:  \n  b: 1  \n", `{a:{b:"1" } }`},
	{"byte order mark", "\ufeffa: 1\nb: 2\n", `{a:"1" b:"2" }`},
	{"lines that end in CR", "a: 1\rb:\r  c: 2\r", `{a:"1" b:{c:"2" } }`},
	{"other spaces", "a: 0\u2000\nb: x\u00a0\n", "{a:\"0\u2000\" b:\"x\u00a0\" }"},
	{"tab in front of a comment", "a: 1\t# x\nb: 2\n", `{a:"1" b:"2" }`},
}

func TestLayouts(t *testing.T) {
	for _, c := range layouts {
		t.Run(c.name, func(t *testing.T) {
			d := parse(t, c.text)
			if err := d.Check(); err != nil {
				t.Fatal(err)
			}
			if got := outline(d.Root()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			whole, err := d.composeWhole()
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(whole); got != c.want {
				t.Errorf("in one go\ngot  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	d := parse(t, "a: 1\nb:\n  c:\n    - x\n    - y: 2\n\n# note\nd: |\n  text\ne: {f: 1}\n")
	for _, c := range []struct {
		node *Node
		line int
	}{
		{d.Root(), 1},
		{d.Root().At("b", "c"), 3},
		{d.Root().At("b", "c").Items()[1].At("y"), 5},
		{d.Root().At("d"), 8},
		{d.Root().At("e", "f"), 10},
		{nil, 0},
	} {
		got := c.node.Line()
		// A value below its key is found at either line.
		if got != c.line && got != c.line+1 {
			t.Errorf("line %d, want %d", got, c.line)
		}
	}
}

func TestInvalid(t *testing.T) {
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	var block strings.Builder
	for i := range 1500 {
		block.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for _, c := range []struct{ name, text, message, at string }{
		{"empty", "", "not valid YAML", ""},
		{"a list", "- a\n- b\n", "not a mapping", "doc.yaml:1"},
		{"a text", "hello", "not a mapping", "doc.yaml:1"},
		{"not closed", "a: 1\nb: [1, 2\nc: 3\n", "not valid YAML", "doc.yaml:"},
		{"quote not closed", "a: 1\nb:\n  c: 'x\n", "not valid YAML", "doc.yaml:"},
		{"unknown alias", "a: 1\nb: *x\n", "not valid YAML", "doc.yaml:2"},
		{"bytes", "a: \x00\n", "not valid YAML", "doc.yaml:"},
		{"twice", "a: 1\nb: 2\na: 3\n", `the key "a" is there twice`, "doc.yaml:3"},
		{"twice below", "x:\n  a: 1\n  a: 3\n", `the key "a" is there twice`, "doc.yaml:3"},
		{"twice in flow", "x: {a: 1, a: 2}\n", `the key "a" is there twice`, "doc.yaml:1"},
		{"twice among many", "x: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, b: 2}\n", `the key "b" is there twice`, "doc.yaml:1"},
		{"deep flow", "a: " + deep, "", ""},
		{"deep block", block.String(), "", ""},
		{"anchor in itself", "a: &x {b: *x}\n", "", "doc.yaml:1"},
		{"quoted text that goes on at the left", "a: \"x\nb: \"\nc: 1\n", "", "doc.yaml:"},
		{"two documents", "a: 1\n---\nb: 2\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse("doc.yaml", []byte(c.text))
			if err == nil {
				err = d.Check()
			}
			e := fault.As(err)
			if e == nil || e.Code != fault.DocumentInvalid {
				t.Fatalf("got %v, want a fault.DocumentInvalid", err)
			}
			if !strings.Contains(e.Message, c.message) || !strings.Contains(e.Detail, c.at) || e.Hint == "" {
				t.Errorf("message %q\ndetail %q\nhint %q", e.Message, e.Detail, e.Hint)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	_, err := Parse("doc.yaml", make([]byte, MaxSize+1))
	if e := fault.As(err); e == nil || e.Code != fault.DocumentInvalid {
		t.Errorf("got %v", err)
	}
}

// An anchor used many times must not multiply the document, whoever walks it.
func TestAliasesDoNotMultiply(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 {type: object, properties: {x: {type: string}}}\n")
	for i := range 60 {
		name, next := "a"+strings.Repeat("i", i), "a"+strings.Repeat("i", i+1)
		if i == 0 {
			name = "a0"
		}
		b.WriteString(next + ": &" + next + " {allOf: [*" + name + ", *" + name + ", *" + name + "]}\n")
	}
	b.WriteString("merged: {<<: [*a0, *ai, *aii]}\n")
	d := parse(t, b.String())
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	s := d.Schema(d.Root().At("a" + strings.Repeat("i", 60)))
	if len(s.Members()) != 1 || s.Type != "object" {
		t.Errorf("got %d members of type %q", len(s.Members()), s.Type)
	}
}

// A mistake in one section leaves the others usable.
func TestErrorsStayInTheirSection(t *testing.T) {
	d := parse(t, "good:\n  x: 1\nbad:\n  y: [1, 2\n  z: 'x\n")
	if got := d.Root().At("good", "x").Text(); got != "1" {
		t.Errorf("got %q", got)
	}
	if d.Root().At("good").Err() != nil || d.Root().At("bad", "y").Err() == nil || d.Check() == nil {
		t.Error("the mistake is not where it is")
	}
}

func TestResolve(t *testing.T) {
	d := parse(t, `
paths:
  /a/{b}?v=1:
    get: {x: here}
  'it''s/100%': {x: percent}
list: [{x: zero}, {x: one}]
`)
	for _, c := range []struct{ ref, want string }{
		{"#/paths/~1a~1{b}?v=1/get", "here"},
		{"#/paths/~1a~1%7Bb%7D%3Fv=1/get", "here"},
		{"#/paths/it's~1100%", "percent"},
		{"#/list/1", "one"},
		{"#/list/2", "points at nothing"},
		{"#/list/x", "points at nothing"},
		{"#/paths/~1c", "points at nothing"},
		{"other.yaml#/a", "does not point into the same document"},
		{"#anchor", "does not point into the same document"},
	} {
		n, err := d.Resolve(c.ref)
		got := n.At("x").Text()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.ref, got, c.want)
		}
	}
}

func TestFollow(t *testing.T) {
	d := parse(t, `
a: {$ref: '#/b'}
b: {$ref: '#/c'}
c: {x: 1}
loop: {$ref: '#/pool'}
pool: {$ref: '#/loop'}
self: {$ref: '#/self'}
lost: {$ref: '#/nowhere'}
property: {$ref: {type: string}}
`)
	n, err := d.Root().At("a").Follow()
	if err != nil || n.At("x").Text() != "1" {
		t.Errorf("got %v, %v", outline(n), err)
	}
	for _, name := range []string{"loop", "self", "lost"} {
		if n, err := d.Root().At(name).Follow(); err == nil || n != nil {
			t.Errorf("%s: no error", name)
		}
	}
	if n, err := d.Root().At("property").Follow(); err != nil || n != d.Root().At("property") {
		t.Errorf("a property called $ref is no reference: %v", err)
	}
	var none *Node
	if n, err := none.Follow(); n != nil || err != nil {
		t.Error("nil does not stay nil")
	}
}

func TestNilNode(t *testing.T) {
	var n *Node
	if n.At("a", "b") != nil || n.Entries() != nil || n.Items() != nil || n.Text() != "" || n.Texts() != nil ||
		n.True() || !n.Missing() || n.IsMapping() || n.Err() != nil || n.Invalid("x").Code != fault.DocumentInvalid {
		t.Error("nil is not empty")
	}
}

// The built-in documents read the same in pieces and in one go.
func TestBuiltIn(t *testing.T) {
	files, err := filepath.Glob("../../providers/*/*/services/*.yaml")
	if err != nil || len(files) == 0 {
		t.Skip("no built-in documents")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Check(); err != nil {
			t.Fatal(err)
		}
		whole, err := d.composeWhole()
		if err != nil {
			t.Fatal(err)
		}
		if outline(d.Root()) != outline(whole) {
			t.Errorf("%s: the pieces are not the whole", file)
		}
	}
}
