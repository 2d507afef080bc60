package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/planeql/planeql/internal/provider"
)

// place is a node of the tree of members that an answer is searched for.
type place struct {
	next  map[string]*place
	items bool // the rows are here
	each  bool // every value of the object here is a row
	leads bool // the way to the rows passes here
	mark  int  // number of the value that is wanted, from 1; 0: none
}

// layout says where in an answer the rows are, and what else is looked for.
type layout struct {
	root  place
	path  []string // members to follow to the rows; empty: the answer is the row
	empty bool     // an empty text is an empty list, as in XML
	loose bool     // a list without the member of its rows is empty
	flat  bool     // a row that is a list stands for its elements
	marks int
}

// newLayout makes the layout for rows at a path. Elsewhere than in Azure, whose
// guidelines forbid it, an empty list often comes without its member, since
// encoders of protocol buffers leave out what is empty.
func newLayout(path []string, loose bool) *layout {
	l := &layout{path: path, loose: loose}
	if len(path) == 0 {
		return l
	}
	each := path[len(path)-1] == provider.Every
	if each {
		path = path[:len(path)-1]
	}
	at := &l.root
	at.leads = true
	for _, name := range path {
		at = at.child(name)
		at.leads = true
	}
	at.items, at.each = true, each
	return l
}

// layoutOf gives the layout of a method's answers.
func layoutOf(m *provider.Method) *layout {
	l := newLayout(m.Response.ItemsPath, m.Resource.Family != provider.ARM)
	l.flat = m.Response.Nested
	return l
}

// mark asks for the value at a path and gives its number.
func (l *layout) mark(path []string) int {
	if len(path) == 0 {
		return 0
	}
	at := &l.root
	for _, name := range path {
		at = at.child(name)
	}
	if at.mark == 0 {
		l.marks++
		at.mark = l.marks
	}
	return at.mark
}

// child gives the place of a member, made where there is none.
func (p *place) child(name string) *place {
	if p.next == nil {
		p.next = map[string]*place{}
	}
	if p.next[name] == nil {
		p.next[name] = &place{}
	}
	return p.next[name]
}

// at gives the place of a member; nil where nothing below it is wanted.
func (p *place) at(name string) *place {
	if found := p.next[name]; found != nil {
		return found
	}
	return p.next[provider.Every]
}

// reply is an answer taken apart. All slices point into the answer.
type reply struct {
	items [][]byte
	found bool     // the place of the items was there, null included
	body  []byte   // all of it
	whole []byte   // the object or other value that the answer is; nil: an empty answer, or a list
	marks [][]byte // raw values by the numbers of the layout's marks; nil where there is none
}

// value gives the raw value of a mark; nil where the answer has none.
func (r *reply) value(mark int) []byte {
	if mark == 0 || mark >= len(r.marks) {
		return nil
	}
	return r.marks[mark]
}

// errNotJSON is the error of an answer that is something else than JSON.
var errNotJSON = errors.New("the answer is not JSON")

// split takes an answer apart in one pass that also checks it: a broken answer
// is an error even where the break is behind the last item.
func split(body []byte, l *layout) (reply, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	s := splitter{reply: reply{body: body}, layout: l, in: jsontext.NewDecoder(
		bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))}
	s.marks = make([][]byte, l.marks+1)
	if len(bytes.TrimSpace(body)) == 0 {
		return s.reply, nil
	}
	if err := s.answer(); err != nil {
		return reply{}, err
	}
	if _, err := s.in.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("more text follows the end of the answer")
		}
		return reply{}, err
	}
	return s.reply, nil
}

type splitter struct {
	in     *jsontext.Decoder
	layout *layout
	reply
	nested bool // the path to the items leads through a list
}

// answer consumes the outermost value. A list without an object around it is a list
// wherever its items should be.
func (s *splitter) answer() error {
	switch s.in.PeekKind() {
	case '[':
		s.found = true
		return s.array(nil)
	case '{':
		if err := s.members(&s.layout.root); err != nil {
			return err
		}
		s.whole = bytes.TrimSpace(s.body[:s.in.InputOffset()])
		return nil
	case 0:
		_, err := s.in.ReadToken()
		return fmt.Errorf("%w: %w", errNotJSON, err)
	}
	value, err := s.value()
	s.whole = value
	return err
}

// members consumes an object, each member's value at its place.
func (s *splitter) members(p *place) error {
	if _, err := s.in.ReadToken(); err != nil {
		return err
	}
	for s.in.PeekKind() == '"' {
		token, err := s.in.ReadToken()
		if err != nil {
			return err
		}
		if err := s.at(p.at(token.String())); err != nil {
			return err
		}
	}
	_, err := s.in.ReadToken()
	return err
}

// at consumes the value at a place; nil is a place where nothing is wanted.
func (s *splitter) at(p *place) error {
	if p == nil {
		return s.in.SkipValue()
	}
	kind := s.in.PeekKind()
	switch {
	case kind == 'n' && p.leads:
		s.found = true
		return s.in.SkipValue()
	case kind == '[' && p.items:
		if s.found && !s.nested { // the member stands there twice; readers of JSON take the last
			s.items = nil
		}
		s.found = true
		return s.array(nil)
	case kind == '[' && p.leads:
		s.found, s.nested = true, true
		return s.array(p)
	case kind == '{' && p.items:
		s.found = true
		return s.row(p)
	case kind == '{' && len(p.next) > 0:
		return s.members(p)
	}
	value, err := s.value()
	if err == nil && p.mark > 0 {
		s.marks[p.mark] = value
	}
	if err == nil && p.leads && s.layout.empty && string(value) == `""` {
		s.found = true
		return nil
	}
	if err == nil && p.leads {
		err = fmt.Errorf("the member %q holds no list", strings.Join(s.layout.path, "."))
	}
	return err
}

// row consumes an object where the rows are: it is the one row, or has them as
// its values.
func (s *splitter) row(p *place) error {
	if !p.each {
		value, err := s.value()
		s.items = append(s.items, value)
		return err
	}
	if _, err := s.in.ReadToken(); err != nil {
		return err
	}
	for s.in.PeekKind() == '"' {
		if _, err := s.in.ReadToken(); err != nil {
			return err
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		s.items = append(s.items, value)
	}
	_, err := s.in.ReadToken()
	return err
}

// array consumes an array: its elements are items, or p leads from each of
// them on.
func (s *splitter) array(p *place) error {
	if _, err := s.in.ReadToken(); err != nil {
		return err
	}
	if p != nil && p.next[provider.Every] != nil {
		p = p.next[provider.Every]
	}
	for kind := s.in.PeekKind(); kind != ']' && kind != 0; kind = s.in.PeekKind() {
		if p != nil {
			if err := s.at(p); err != nil {
				return err
			}
			continue
		}
		if kind == '[' && s.layout.flat {
			if err := s.array(nil); err != nil {
				return err
			}
			continue
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		s.items = append(s.items, value)
	}
	_, err := s.in.ReadToken()
	return err
}

// value consumes a value and gives its bytes in the answer. The decoder's own
// are good only until its next step.
func (s *splitter) value() ([]byte, error) {
	v, err := s.in.ReadValue()
	if err != nil {
		return nil, err
	}
	end := s.in.InputOffset()
	return s.body[end-int64(len(v)) : end : end], nil
}
