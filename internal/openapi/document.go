// Package openapi reads OpenAPI 3 documents lazily: the text is cut into its
// sections by indentation, a section is parsed when something in it is asked
// for, and references are followed when a schema is walked. A document of
// several megabytes so costs what the part in use costs. What a document says
// can be kept in a binary form ([Document.Compile], [Load]), from which a part
// is read in a fraction of that.
//
// The package checks no document against the OpenAPI specification and follows
// no reference to another file. What it cannot read is a fault.DocumentInvalid
// with the file and the line. Start reading at [Parse], [Node] and [Schema]; the
// binary form is described in compile.go.
package openapi

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/planeql/planeql/internal/fault"
)

// MaxSize is the length of a document that is read. The largest published one
// has 10 MB and nests about 40 deep; what is beyond the limits is an attack or
// an accident.
const MaxSize = 32 << 20

// Further limits of a document.
const (
	maxDepth = 1000
	maxNodes = 5_000_000
)

// Document is an OpenAPI document. It may be shared by goroutines.
type Document struct {
	Name string // as given to Parse; prefix of positions

	data   []byte
	stored *stored // instead of data, where the document was loaded in its binary form
	root   *Node

	whole     sync.Once // the text parsed in one go, where cutting is not possible
	wholeRoot *Node
	wholeErr  error

	mu      sync.Mutex
	schemas map[*Node]*Schema
}

// Parse takes the text of a document, YAML or JSON. Only the outer shape is
// read at once, so that a mistake in a section shows when the section is used;
// [Document.Check] reads everything. The text must not change afterwards.
func Parse(name string, data []byte) (*Document, error) {
	d := &Document{Name: name, data: data, schemas: map[*Node]*Schema{}}
	if len(data) > MaxSize {
		return nil, TooLarge(name, int64(len(data)))
	}
	d.root = &Node{doc: d, part: &part{end: len(data), line: 1, root: true}}
	if lines(data) {
		d.root.part.levels = indexedLevels
	}
	if err := d.root.Err(); err != nil {
		return nil, err
	}
	if d.root.kind != mapping {
		return nil, d.root.Invalid("the document is not a mapping of keys to values")
	}
	return d, nil
}

// TooLarge makes the error for a document that is longer than [MaxSize].
func TooLarge(name string, size int64) *fault.Error {
	d := Document{Name: name}
	return d.invalid(0, "the document has %d MB, more than the %d MB that are read", size>>20, MaxSize>>20)
}

// lines tells whether the text is UTF-8 whose lines end in a line feed. YAML
// knows other encodings and line ends, by which the text is not cut.
func lines(data []byte) bool {
	for _, other := range []string{"\u0085", "\u2028", "\u2029", "\ufeff"} {
		if bytes.Contains(data, []byte(other)) {
			return false
		}
	}
	return utf8.Valid(data) && bytes.Count(data, []byte("\r")) == bytes.Count(data, []byte("\r\n"))
}

// Root gives the outermost mapping.
func (d *Document) Root() *Node { return d.root }

// Check reads every section and gives the first error, nil where there is none.
func (d *Document) Check() error { return d.root.Check() }

// Resolve follows a reference inside the document, such as
// "#/components/schemas/HostPool". The parts are decoded as RFC 6901 says, in
// its URI fragment form.
func (d *Document) Resolve(ref string) (*Node, error) {
	return d.resolve(ref, 0)
}

// resolve is Resolve for a reference that stands on a line of the document.
func (d *Document) resolve(ref string, line int) (*Node, error) {
	pointer, inside := strings.CutPrefix(ref, "#/")
	if !inside {
		return nil, d.invalid(line, "the reference %q does not point into the same document", ref)
	}
	n := d.root
	for segment := range strings.SplitSeq(pointer, "/") {
		next := n.step(unescape(segment))
		if next == nil {
			if err := n.Err(); err != nil {
				return nil, err
			}
			return nil, d.invalid(line, "the reference %q points at nothing", ref)
		}
		n = next
	}
	return n, n.Err()
}

// unescape decodes one part of a JSON pointer. A part that is no valid URI text
// is taken as it stands: published documents write { and } unescaped.
func unescape(segment string) string {
	if strings.Contains(segment, "%") {
		if text, err := url.PathUnescape(segment); err == nil {
			segment = text
		}
	}
	if strings.Contains(segment, "~") {
		segment = strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")
	}
	return segment
}

// invalid makes the error for a mistake in the document; line 0 is unknown.
func (d *Document) invalid(line int, format string, args ...any) *fault.Error {
	return fault.New(fault.DocumentInvalid, format, args...).
		WithDetail("at %s", position(d.Name, line)).
		WithHint("correct the provider document, or fetch a sound one with planeql provider pull")
}

// compose parses a piece of the text with the YAML library. first is the line
// at which the piece begins.
func (d *Document) compose(text []byte, first int) (*Node, error) {
	var tree yaml.Node
	err := yaml.Load(text, &tree, yaml.WithPlugin(loaderlimits.New(
		loaderlimits.DepthValue(maxDepth), loaderlimits.AliasValue(maxNodes))))
	if err != nil {
		line := first
		message := err.Error()
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			line, message = first+max(e.Mark.Line, 1)-1, e.Message
		}
		return nil, d.invalid(line, "the document is not valid YAML: %s", message)
	}
	c := converter{doc: d, first: first, done: map[*yaml.Node]*Node{}}
	return c.convert(&tree, 0)
}

// composeWhole parses the whole text once. It serves documents that cannot be
// cut: other layouts than block YAML, and anchors used across sections.
func (d *Document) composeWhole() (*Node, error) {
	d.whole.Do(func() { d.wholeRoot, d.wholeErr = d.compose(d.data, 1) })
	return d.wholeRoot, d.wholeErr
}
