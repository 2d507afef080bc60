package openapi

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The binary form of a document, all numbers being varints:
//
//	magic, format version, CRC-32C of all that follows
//	stamp of the source
//	number of blocks, and for each its length and its length in the file
//	the blocks, compressed with zstd where that makes them shorter
//
// Block 0 is the directory: the strings that the document repeats, and for each
// section its block and its place there. A section is a part of the document
// that is read on its own: a path, a schema, a resource. Section 0 is the root.
// Sections stand in the order in which the resources use them, so that what
// belongs to a resource is in few blocks.
const (
	compiledMagic   = "planeql\x00"
	compiledVersion = 1

	blockSize  = 64 << 10 // of a block before compression
	maxBlock   = 1 << 28
	shortText  = 80 // texts up to this length are looked for repetitions
	repetition = 4  // texts with so many are written once
)

// The tags of a node, in the lowest three bits of its first number. The rest of
// the number is the string, the length, the number of elements or the section.
const (
	tagNull = iota
	tagKnown
	tagText
	tagSequence
	tagMapping
	tagSection
	tagError
	tagBits = 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Compile gives the document in its binary form. It reads everything: what is
// wrong in a part of the document is kept as the error of that part. stamp says
// of which text the form was made.
func (d *Document) Compile(stamp []byte) []byte {
	c := compiler{
		doc: d, counts: map[string]int{}, known: map[string]int{}, seen: map[*Node]bool{},
		ids: map[*Node]int{}, byName: map[string]int{},
	}
	c.divide()
	c.count(d.root)
	c.choose()
	for i := 0; i < len(c.sections); i++ {
		c.write(c.sections[i])
	}
	return c.file(stamp)
}

// compiler makes the binary form of one document.
type compiler struct {
	doc      *Document
	counts   map[string]int
	strings  []string
	known    map[string]int // string -> its number
	seen     map[*Node]bool
	ids      map[*Node]int // node -> its section
	sections []*section
	byName   map[string]int // #/paths/KEY or #/components/GROUP/NAME -> its section
}

// section is a part of the document that is read on its own.
type section struct {
	node *Node
	body []byte
	refs []int // sections that it refers to
	line int   // of the node that was written last
}

// divide finds the sections that the structure of an OpenAPI document says.
func (c *compiler) divide() {
	c.section(c.doc.root)
	paths := c.doc.root.At("paths")
	c.section(paths)
	for _, e := range paths.Entries() {
		c.named("#/paths/"+e.Key, e.Value)
	}
	for _, group := range c.doc.root.At("components").Entries() {
		c.section(group.Value)
		for _, e := range group.Value.Entries() {
			c.named("#/components/"+group.Key+"/"+e.Key, e.Value)
		}
	}
}

// section makes a container a section, unless it is one.
func (c *compiler) section(n *Node) {
	if n.load() == nil || n.err != nil || n.kind != mapping && n.kind != sequence {
		return
	}
	if _, done := c.ids[n]; !done {
		c.ids[n] = len(c.sections)
		c.sections = append(c.sections, &section{node: n})
	}
}

// named is section for a node that references name.
func (c *compiler) named(name string, n *Node) {
	c.section(n)
	if id, ok := c.ids[n]; ok {
		c.byName[name] = id
	}
}

// count counts the texts below a node and makes sections of the containers that
// are there twice, under an anchor: they are one node when they are read, too.
func (c *compiler) count(n *Node) {
	if n.load() == nil || n.err != nil {
		return
	}
	if n.kind == scalar {
		c.countText(n.text)
		return
	}
	if c.seen[n] {
		c.section(n)
		return
	}
	c.seen[n] = true
	for _, e := range n.entries {
		c.countText(e.Key)
		c.count(e.Value)
	}
	for _, item := range n.items {
		c.count(item)
	}
}

func (c *compiler) countText(text string) {
	if len(text) <= shortText {
		c.counts[text]++
	}
}

// choose numbers the texts that are repeated, the most frequent ones first.
func (c *compiler) choose() {
	for text, n := range c.counts {
		if n >= repetition {
			c.strings = append(c.strings, text)
		}
	}
	slices.SortFunc(c.strings, func(a, b string) int {
		if c.counts[a] != c.counts[b] {
			return c.counts[b] - c.counts[a]
		}
		return strings.Compare(a, b)
	})
	for i, text := range c.strings {
		c.known[text] = i
	}
}

// write makes the body of a section.
func (c *compiler) write(s *section) { c.value(s, s.node, true) }

// value writes a node. Its line is that of the node before it and a difference.
func (c *compiler) value(s *section, n *Node, top bool) {
	if id, ok := c.ids[n]; ok && !top {
		s.number(tagSection, id)
		return
	}
	switch {
	case n.load() == nil:
		s.number(tagNull, 0)
		s.at(s.line)
	case n.err != nil:
		text, detail := errorTexts(n.err)
		s.number(tagError, len(text))
		s.at(n.line)
		s.body = append(s.body, text...)
		s.body = appendText(s.body, detail)
	case n.kind == scalar:
		c.text(s, n)
	case n.kind == sequence:
		s.number(tagSequence, len(n.items))
		s.at(n.line)
		for _, item := range n.items {
			c.value(s, item, false)
		}
	case n.kind == mapping:
		s.number(tagMapping, len(n.entries))
		s.at(n.line)
		for _, e := range n.entries {
			c.key(s, e.Key)
			c.value(s, e.Value, false)
			if e.Key == "$ref" {
				c.reference(s, e.Value.Text())
			}
		}
	default:
		s.number(tagNull, 0)
		s.at(n.line)
	}
}

// text writes a scalar.
func (c *compiler) text(s *section, n *Node) {
	if i, ok := c.known[n.text]; ok {
		s.number(tagKnown, i)
		s.at(n.line)
		return
	}
	s.number(tagText, len(n.text))
	s.at(n.line)
	s.body = append(s.body, n.text...)
}

// key writes the key of a mapping: a number that is even for a known text and
// odd for the length of another.
func (c *compiler) key(s *section, key string) {
	if i, ok := c.known[key]; ok {
		s.body = binary.AppendUvarint(s.body, uint64(i)<<1)
		return
	}
	s.body = binary.AppendUvarint(s.body, uint64(len(key))<<1|1)
	s.body = append(s.body, key...)
}

// reference notes the section that a reference leads to.
func (c *compiler) reference(s *section, ref string) {
	name := ref
	if key, _, ok := splitOperation(ref); ok {
		name = "#/paths/" + key
	} else if parts := strings.SplitN(ref, "/", 5); len(parts) >= 4 {
		name = strings.Join(parts[:3], "/") + "/" + unescape(parts[3])
	}
	if id, ok := c.byName[name]; ok {
		s.refs = append(s.refs, id)
	}
}

// splitOperation takes the reference to an operation, #/paths/KEY/VERB, apart.
func splitOperation(ref string) (key, verb string, ok bool) {
	fragment, ok := strings.CutPrefix(ref, "#/paths/")
	slash := strings.LastIndexByte(fragment, '/')
	if !ok || slash < 0 {
		return "", "", false
	}
	return strings.ReplaceAll(fragment[:slash], "~1", "/"), fragment[slash+1:], true
}

func (s *section) number(tag, n int) {
	s.body = binary.AppendUvarint(s.body, uint64(n)<<tagBits|uint64(tag))
}

func (s *section) at(line int) {
	s.body = binary.AppendVarint(s.body, int64(line-s.line))
	s.line = line
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// order gives the sections in the order in which they are used: the outer ones,
// then each resource with all that it leads to.
func (c *compiler) order() []int {
	placed := make([]bool, len(c.sections))
	list := make([]int, 0, len(c.sections))
	place := func(id int) {
		for queue := []int{id}; len(queue) > 0; queue = queue[1:] {
			if !placed[queue[0]] {
				placed[queue[0]] = true
				list = append(list, queue[0])
				queue = append(queue, c.sections[queue[0]].refs...)
			}
		}
	}
	place(0)
	for _, outer := range []*Node{c.doc.root.At("paths"), c.doc.root.At("components", "schemas"), c.doc.root.At("components", "x-stackQL-resources")} {
		if id, ok := c.ids[outer]; ok {
			place(id)
		}
	}
	for _, e := range c.doc.root.At("components", "x-stackQL-resources").Entries() {
		if id, ok := c.ids[e.Value]; ok {
			place(id)
		}
	}
	for id := range c.sections {
		place(id)
	}
	return list
}

// file puts the form together.
func (c *compiler) file(stamp []byte) []byte {
	var blocks [][]byte
	var block []byte
	places := make([][2]int, len(c.sections))
	for _, id := range c.order() {
		body := c.sections[id].body
		if len(block) > 0 && len(block)+len(body) > blockSize {
			blocks, block = append(blocks, block), nil
		}
		places[id] = [2]int{len(blocks) + 1, len(block)}
		block = append(block, body...)
	}
	blocks = append([][]byte{c.directory(places)}, append(blocks, block)...)
	out := appendText(nil, string(stamp))
	out = binary.AppendUvarint(out, uint64(len(blocks)))
	packed := make([][]byte, len(blocks))
	for i, b := range blocks {
		if packed[i] = zstdEncoder().EncodeAll(b, nil); len(packed[i]) >= len(b) {
			packed[i] = b
		}
		out = binary.AppendUvarint(out, uint64(len(b)))
		out = binary.AppendUvarint(out, uint64(len(packed[i])))
	}
	out = append(out, slices.Concat(packed...)...)
	head := append([]byte(compiledMagic), compiledVersion)
	return append(binary.LittleEndian.AppendUint32(head, crc32.Checksum(out, castagnoli)), out...)
}

// directory makes block 0.
func (c *compiler) directory(places [][2]int) []byte {
	b := binary.AppendUvarint(nil, uint64(len(c.strings)))
	for _, text := range c.strings {
		b = appendText(b, text)
	}
	b = binary.AppendUvarint(b, uint64(len(places)))
	for _, p := range places {
		b = binary.AppendUvarint(b, uint64(p[0]))
		b = binary.AppendUvarint(b, uint64(p[1]))
	}
	return b
}

// zstdEncoder and zstdDecoder are shared: both are safe for that, and making
// one costs more than most uses of it.
var (
	zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
		// The options are right, so there is no error.
		e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
		return e
	})
	zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
		d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock))
		return d
	})
)
