package openapi

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/planeql/planeql/internal/fault"
)

// stored is the binary form of a document, read block by block.
type stored struct {
	strings []string
	places  []place
	nodes   []Node // one a section

	mu     sync.Mutex
	packed []packedBlock
}

// place is where a section is.
type place struct{ block, offset int }

// packedBlock is a block as it stands in the file, until it is read.
type packedBlock struct {
	data   []byte
	length int
	text   string // once it is read
	bad    bool
}

// Load reads the binary form that [Document.Compile] has made. It is not ok
// where the form is damaged, cut short, of another version or made of a text
// with another stamp. The form must not change afterwards.
func Load(name string, form, stamp []byte) (d *Document, ok bool) {
	rest, ok := bytes.CutPrefix(form, append([]byte(compiledMagic), compiledVersion))
	if !ok || len(rest) < 4 || crc32.Checksum(rest[4:], castagnoli) != binary.LittleEndian.Uint32(rest) {
		return nil, false
	}
	return load(name, rest[4:], stamp)
}

// load is Load behind the checksum.
func load(name string, form, stamp []byte) (*Document, bool) {
	r := reader{text: string(form)}
	if r.str() != string(stamp) || r.bad {
		return nil, false
	}
	s := &stored{}
	count := r.count()
	sizes := make([][2]int, 0, count)
	for range count {
		length, packed := r.count2(maxBlock), r.count2(len(form))
		sizes = append(sizes, [2]int{length, packed})
	}
	at := r.at
	for _, size := range sizes {
		if r.bad || at+size[1] > len(form) {
			return nil, false
		}
		s.packed = append(s.packed, packedBlock{data: form[at : at+size[1]], length: size[0]})
		at += size[1]
	}
	if at != len(form) || count == 0 || !s.directory() {
		return nil, false
	}
	d := &Document{Name: name, schemas: map[*Node]*Schema{}, stored: s}
	for i := range s.nodes {
		s.nodes[i].doc, s.nodes[i].section = d, i+1
	}
	d.root = &s.nodes[0]
	return d, d.root.Err() == nil && d.root.kind == mapping
}

// directory reads block 0.
func (s *stored) directory() bool {
	text, ok := s.block(0)
	r := reader{text: text, bad: !ok}
	for range r.count() {
		s.strings = append(s.strings, r.str())
	}
	for range r.count() {
		p := place{block: r.count2(len(s.packed) - 1), offset: r.count2(maxBlock)}
		s.places = append(s.places, p)
	}
	s.nodes = make([]Node, len(s.places))
	return !r.bad && len(s.nodes) > 0
}

// block gives the text of a block.
func (s *stored) block(i int) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.packed[i]
	if b.data == nil {
		return b.text, !b.bad
	}
	data := b.data
	b.data = nil
	if len(data) != b.length {
		plain, err := zstdDecoder().DecodeAll(data, make([]byte, 0, min(b.length, 4*blockSize)))
		b.bad = err != nil || len(plain) != b.length
		data = plain
	}
	b.text = string(data)
	return b.text, !b.bad
}

// fill reads the section of a node.
func (s *stored) fill(n *Node) {
	p := s.places[n.section-1]
	text, ok := s.block(p.block)
	r := reader{text: text, at: min(p.offset, len(text)), doc: n.doc, stored: s, bad: !ok}
	found := r.node(0, true)
	if r.bad || found == nil {
		n.err = n.doc.invalid(0, "what was compiled of the document is damaged")
		return
	}
	n.kind, n.line, n.text, n.entries, n.items, n.index, n.err =
		found.kind, found.line, found.text, found.entries, found.items, found.index, found.err
}

// errorTexts gives what of an error is kept in the binary form.
func errorTexts(err error) (message, detail string) {
	e := fault.From(err)
	return e.Message, e.Detail
}

// reader reads numbers and texts one after the other. Once something is not as
// it must be it is bad and gives zero values.
type reader struct {
	text string
	at   int
	bad  bool

	doc    *Document
	stored *stored
	line   int
}

func (r *reader) fail() int {
	r.bad, r.at = true, len(r.text)
	return 0
}

// number reads an unsigned number.
func (r *reader) number() uint64 {
	var value uint64
	for shift := uint(0); shift < 63; shift += 7 {
		if r.at >= len(r.text) {
			break
		}
		b := r.text[r.at]
		r.at++
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value
		}
	}
	r.fail()
	return 0
}

// count reads how many elements follow, each of which has a byte at least.
func (r *reader) count() int { return r.count2(len(r.text) - r.at) }

// count2 reads a number up to a limit.
func (r *reader) count2(limit int) int {
	n := r.number()
	if n > uint64(max(limit, 0)) {
		return r.fail()
	}
	return int(n)
}

// str reads a text with its length in front.
func (r *reader) str() string { return r.bytes(r.count()) }

func (r *reader) bytes(n int) string {
	if n < 0 || n > len(r.text)-r.at {
		r.fail()
		return ""
	}
	r.at += n
	return r.text[r.at-n : r.at]
}

// known gives a string of the directory.
func (r *reader) known(i uint64) string {
	if i >= uint64(len(r.stored.strings)) {
		r.fail()
		return ""
	}
	return r.stored.strings[i]
}

// node reads a node with all below it that is of the same section.
func (r *reader) node(depth int, top bool) *Node {
	head := r.number()
	n, rest := &Node{doc: r.doc}, head>>tagBits
	tag := head & (1<<tagBits - 1)
	if tag == tagSection {
		if top || rest >= uint64(len(r.stored.nodes)) {
			r.fail()
			return n
		}
		return &r.stored.nodes[rest]
	}
	delta := r.number()
	r.line += int(delta>>1) ^ -int(delta&1)
	n.line = r.line
	if depth > maxDepth+2*indexedLevels {
		r.fail()
	}
	switch tag {
	case tagNull:
	case tagKnown:
		n.kind, n.text = scalar, r.known(rest)
	case tagText:
		n.kind, n.text = scalar, r.bytes(r.limited(rest))
	case tagSequence:
		r.sequence(n, r.limited(rest), depth)
	case tagMapping:
		r.mapping(n, r.limited(rest), depth)
	case tagError:
		message := r.bytes(r.limited(rest))
		e := r.doc.invalid(n.line, "%s", message)
		e.Detail = r.str()
		n.err = e
	default:
		r.fail()
	}
	return n
}

// limited holds a length or a number of elements to what is there.
func (r *reader) limited(n uint64) int {
	if n > uint64(len(r.text)-r.at) {
		return r.fail()
	}
	return int(n)
}

func (r *reader) sequence(n *Node, count, depth int) {
	n.kind, n.items = sequence, make([]*Node, 0, count)
	for range count {
		if r.bad {
			return
		}
		n.items = append(n.items, r.node(depth+1, false))
	}
}

func (r *reader) mapping(n *Node, count, depth int) {
	n.kind, n.entries = mapping, make([]Entry, 0, count)
	for range count {
		key := r.key()
		if r.bad {
			return
		}
		n.entries = append(n.entries, Entry{Key: key, Value: r.node(depth+1, false)})
	}
	if _, twice := n.remember(); twice {
		r.fail()
	}
}

// key reads the key of a mapping.
func (r *reader) key() string {
	head := r.number()
	if head&1 == 0 {
		return r.known(head >> 1)
	}
	return r.bytes(r.limited(head >> 1))
}
