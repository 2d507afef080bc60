package openapi

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

var stamp = []byte("state")

// again compiles a document and loads what came out.
func again(t testing.TB, d *Document) *Document {
	t.Helper()
	loaded, ok := Load(d.Name, d.Compile(stamp), stamp)
	if !ok {
		t.Fatal("what was compiled does not load")
	}
	return loaded
}

// A document is the same in its binary form, the lines of its nodes included.
func TestCompile(t *testing.T) {
	for _, c := range layouts {
		t.Run(c.name, func(t *testing.T) {
			d, err := Parse("doc.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			loaded := again(t, d)
			if got, want := outline(loaded.Root()), outline(d.Root()); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got, want := lineList(loaded.Root()), lineList(d.Root()); !slices.Equal(got, want) {
				t.Errorf("the lines are %v, not %v", got, want)
			}
		})
	}
}

func lineList(n *Node) []int {
	list := []int{n.Line()}
	for _, e := range n.Entries() {
		list = append(list, lineList(e.Value)...)
	}
	for _, item := range n.Items() {
		list = append(list, lineList(item)...)
	}
	return list
}

const sectioned = `openapi: 3.0.0
paths:
  /a/{b}:
    get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}}
components:
  schemas:
    Thing: {type: object, properties: {self: {$ref: '#/components/schemas/Thing'}, name: {type: string, format: uuid}}}
    Broken: {type: [
    Other: &other
      type: object
      properties: {a: {type: string}, b: {type: string}, c: {type: string}, d: {type: string}}
    Same: *other
  x-stackQL-resources:
    things: {methods: {get: {operation: {$ref: '#/paths/~1a~1{b}/get'}}}}
`

// Sections are read one by one: an error in one is the error of that one, and
// what is one node in the text is one node in the binary form.
func TestCompile_sections(t *testing.T) {
	d, err := Parse("doc.yaml", []byte(sectioned))
	if err != nil {
		t.Fatal(err)
	}
	d = again(t, d)
	schemas := d.Root().At("components", "schemas")
	thing := d.Schema(schemas.At("Thing"))
	if thing.Member("self").Member("name").Format != "uuid" {
		t.Error("the schema cannot be walked")
	}
	e := fault.As(schemas.At("Broken").Err())
	if e == nil || !strings.Contains(e.Detail, "doc.yaml:") || !strings.Contains(e.Message, "not valid YAML") {
		t.Errorf("the broken schema gives %v", e)
	}
	if err := d.Check(); err == nil {
		t.Error("the error is not found by Check")
	}
	if op, err := d.Resolve("#/paths/~1a~1{b}/get"); err != nil || op.At("responses", "200") == nil {
		t.Errorf("the operation is %v, %v", op, err)
	}
	if schemas.At("Other").Line() != 9 {
		t.Errorf("Other is on line %d", schemas.At("Other").Line())
	}
}

// Anchors make no copies, however often they are used.
func TestCompile_anchors(t *testing.T) {
	text := "a: &a [x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		name := string(c)
		text += name + ": &" + name + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "]\n"
	}
	d, err := Parse("doc.yaml", []byte("{"+strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", ",\n")+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	form := d.Compile(stamp)
	if len(form) > 4096 {
		t.Errorf("the form has %d bytes", len(form))
	}
	loaded, ok := Load("doc.yaml", form, stamp)
	if !ok || loaded.Check() != nil {
		t.Fatal("it does not load")
	}
	z := loaded.Root().At("z").Items()
	if len(z) != 8 || z[0] != z[1] {
		t.Error("the uses of an anchor are not one node")
	}
}

// A form that is not exactly what was written is not taken.
func TestLoad_damaged(t *testing.T) {
	d, err := Parse("doc.yaml", []byte(sectioned))
	if err != nil {
		t.Fatal(err)
	}
	form := d.Compile(stamp)
	for i := range form {
		changed := slices.Clone(form)
		changed[i] ^= 0x10
		if _, ok := Load("doc.yaml", changed, stamp); ok {
			t.Fatalf("byte %d of %d may change", i, len(form))
		}
		if _, ok := Load("doc.yaml", form[:i], stamp); ok {
			t.Fatalf("it may be cut to %d bytes of %d", i, len(form))
		}
	}
	if _, ok := Load("doc.yaml", form, []byte("other")); ok {
		t.Error("it is taken for the form of another text")
	}
	if _, ok := Load("doc.yaml", form, stamp); !ok {
		t.Error("the sound form is not taken")
	}
}

// What is nested too deeply is an error in the text and never reaches the form.
func TestCompile_deep(t *testing.T) {
	for name, text := range map[string]string{
		"json":  strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000),
		"flow":  "a: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n",
		"block": deepBlock(1_500),
	} {
		d, err := Parse(name, []byte(text))
		if err == nil {
			loaded := again(t, d)
			err = loaded.Check()
		}
		if e := fault.As(err); e == nil || e.Code != fault.DocumentInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func deepBlock(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// FuzzLoad holds the reader of the binary form to this: whatever the bytes are,
// it neither panics nor runs without end.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{sectioned, "a: &x {b: 1, c: [1, 2]}\nd: *x\n", "paths: {}\n"} {
		d, err := Parse("doc.yaml", []byte(text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(d.Compile(nil)[len(compiledMagic)+5:])
	}
	f.Add(plainForm("\x00\x02\x01\x00\x01\x00", "\x0c\x02\x03a\x0d"))
	f.Fuzz(func(t *testing.T, form []byte) {
		d, ok := load("doc.yaml", form, nil)
		if !ok {
			return
		}
		walkSchemas(d, d.Root(), 0)
		_ = d.Check()
		for _, e := range d.Root().Entries() {
			_, _ = d.Resolve("#/" + e.Key)
		}
		checked := append([]byte(compiledMagic), compiledVersion)
		checked = append(binary.LittleEndian.AppendUint32(checked, crc32.Checksum(form, castagnoli)), form...)
		if _, ok := Load("doc.yaml", checked, nil); !ok {
			t.Error("it loads without its checksum and not with it")
		}
	})
}

// plainForm makes a form of blocks that are not compressed, so that the fuzzer
// reaches what is in them.
func plainForm(blocks ...string) []byte {
	form := binary.AppendUvarint([]byte{0}, uint64(len(blocks)))
	for _, b := range blocks {
		form = binary.AppendUvarint(form, uint64(len(b)))
		form = binary.AppendUvarint(form, uint64(len(b)))
	}
	return append(form, strings.Join(blocks, "")...)
}
