package openapi

import (
	"strconv"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/fault"
)

// kind is what a node is once it is read.
type kind uint8

// The kinds. An unread node is null.
const (
	null kind = iota
	scalar
	sequence
	mapping
)

// Node is a value of a document: a mapping, a sequence, a scalar or null. It
// may be shared by goroutines. A nil *Node answers every method with zero
// values, so that a path through a document needs no checks on its way.
type Node struct {
	doc     *Document
	kind    kind
	line    int
	text    string         // of a scalar
	entries []Entry        // of a mapping
	index   map[string]int // key -> entry, where there are many
	items   []*Node        // of a sequence

	part    *part // where the node still has to be read; never changes
	section int   // the same in the binary form, from 1
	once    sync.Once
	err     error
}

// Entry is a key of a mapping with its value.
type Entry struct {
	Key   string
	Value *Node
}

// load reads the section of the node, once.
func (n *Node) load() *Node {
	if n != nil && (n.part != nil || n.section != 0) {
		n.once.Do(n.read)
	}
	return n
}

// Err gives what is wrong with the text of the node's section, nil where it
// could be read.
func (n *Node) Err() error {
	if n.load() == nil {
		return nil
	}
	return n.err
}

// Check reads the node and all below it and gives the first error. References
// are not followed.
func (n *Node) Check() error { return n.check(0, map[*Node]bool{}) }

// check reads the node and all below it, each section once.
func (n *Node) check(depth int, seen map[*Node]bool) error {
	if err := n.Err(); err != nil || n == nil {
		return err
	}
	if depth > maxDepth+2*indexedLevels {
		return n.Invalid("the document nests more than %d deep", maxDepth)
	}
	// In a text, only sections can still be unread, and none is below a node that
	// is none. In the binary form sections may be anywhere, and one may be at
	// several places.
	if n.part == nil && n.doc.stored == nil || n.section != 0 && seen[n] {
		return nil
	}
	if n.section != 0 {
		seen[n] = true
	}
	for _, e := range n.entries {
		if err := e.Value.check(depth+1, seen); err != nil {
			return err
		}
	}
	for _, item := range n.items {
		if err := item.check(depth+1, seen); err != nil {
			return err
		}
	}
	return nil
}

// At follows keys of mappings and gives nil where one is missing.
func (n *Node) At(keys ...string) *Node {
	for _, key := range keys {
		n = n.value(key)
	}
	return n
}

// value gives the value of one key, nil where there is none.
func (n *Node) value(key string) *Node {
	if n.load() == nil {
		return nil
	}
	if n.index != nil {
		if i, ok := n.index[key]; ok {
			return n.entries[i].Value
		}
		return nil
	}
	for i := range n.entries {
		if n.entries[i].Key == key {
			return n.entries[i].Value
		}
	}
	return nil
}

// step is value for a reference, which may also count into a sequence.
func (n *Node) step(segment string) *Node {
	if n.load() != nil && n.kind == sequence {
		if i, err := strconv.Atoi(segment); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i]
		}
		return nil
	}
	return n.value(segment)
}

// Entries gives the keys of a mapping in document order. The caller must not
// change the slice.
func (n *Node) Entries() []Entry {
	if n.load() == nil {
		return nil
	}
	return n.entries
}

// Items gives the elements of a sequence. The caller must not change the slice.
func (n *Node) Items() []*Node {
	if n.load() == nil {
		return nil
	}
	return n.items
}

// Text gives a scalar as the document writes it, without quotes; everything
// else, null included, is the empty text.
func (n *Node) Text() string {
	if n.load() == nil {
		return ""
	}
	return n.text
}

// Texts gives the scalars of a sequence.
func (n *Node) Texts() []string {
	var list []string
	for _, item := range n.Items() {
		list = append(list, item.Text())
	}
	return list
}

// True tells whether the node is the boolean true.
func (n *Node) True() bool { return strings.EqualFold(n.Text(), "true") }

// Missing tells whether there is no value: no node, or a null.
func (n *Node) Missing() bool { return n.load() == nil || n.kind == null && n.err == nil }

// IsMapping tells whether the node is a mapping.
func (n *Node) IsMapping() bool { return n.load() != nil && n.kind == mapping }

// Line gives the line of the node in the document, from 1; 0 for nil.
func (n *Node) Line() int {
	if n.load() == nil {
		return 0
	}
	return n.line
}

// Where gives the place of the node as file:line.
func (n *Node) Where() string {
	if n.load() == nil {
		return ""
	}
	return position(n.doc.Name, n.line)
}

// Invalid makes the error for a mistake in the document at this node.
func (n *Node) Invalid(format string, args ...any) *fault.Error {
	if n == nil {
		return fault.New(fault.DocumentInvalid, format, args...)
	}
	return n.doc.invalid(n.line, format, args...)
}

// Follow gives the node that a $ref names, through further references, or the
// node itself where it is none.
func (n *Node) Follow() (*Node, error) {
	seen := map[*Node]bool{}
	for {
		ref := n.value("$ref")
		// A property called $ref has a schema, not a text.
		if ref.load() == nil || ref.kind != scalar {
			return n, n.Err()
		}
		if seen[n] {
			return nil, ref.Invalid("the reference %q leads back to itself", ref.text)
		}
		seen[n] = true
		next, err := n.doc.resolve(ref.text, ref.line)
		if err != nil {
			return nil, err
		}
		n = next
	}
}

// position gives file:line, the form in which editors and terminals find it.
func position(name string, line int) string {
	if line < 1 {
		return name
	}
	return name + ":" + strconv.Itoa(line)
}
