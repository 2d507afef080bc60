package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/planeql/planeql/internal/provider"
)

// layout says where in an answer the items and the next page's link are.
type layout struct {
	path  []string // members to follow to the items; empty: the answer is the item
	links []string // top-level members, any of which may hold the link
	loose bool     // a list without the member of its items is empty
}

// layoutOf gives the layout of a method's answers. Documents of Azure mostly
// do not say how lists page, so the names that the family uses always count.
// Elsewhere an empty list often comes without its member, since encoders of
// protocol buffers leave out what is empty; Azure's guidelines require it.
func layoutOf(m *provider.Method) layout {
	l := layout{path: m.Response.ItemsPath, loose: m.Resource.Family != provider.ARM}
	if m.NextLink != "" {
		l.links = append(l.links, m.NextLink)
	}
	if m.Resource.Family == provider.ARM {
		l.links = append(l.links, "nextLink", "@odata.nextLink")
	}
	if pagesByToken(m) {
		l.links = append(l.links, "nextPageToken")
	}
	return l
}

// pageToken is the parameter that takes the nextPageToken of an answer, by
// Google's design guide (AIP-158), which its documents do not repeat.
const pageToken = "pageToken"

// pagesByToken tells whether a list goes on by a token rather than a link.
func pagesByToken(m *provider.Method) bool {
	p, ok := m.Parameter(pageToken)
	return ok && p.In == provider.InQuery && m.NextLink == "" && m.Resource.Family != provider.ARM
}

// reply is an answer taken apart. All slices point into the answer.
type reply struct {
	items [][]byte
	found bool   // the place of the items was there, null included
	whole []byte // the object or other value that the answer is; nil: an empty answer, or a list
	next  string
}

// errNotJSON is the error of an answer that is something else than JSON.
var errNotJSON = errors.New("the answer is not JSON")

// split takes an answer apart in one pass that also checks it: a broken answer
// is an error even where the break is behind the last item.
func split(body []byte, l layout) (reply, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	s := splitter{body: body, layout: l, in: jsontext.NewDecoder(
		bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))}
	if len(bytes.TrimSpace(body)) == 0 {
		return reply{}, nil
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
	body []byte
	in   *jsontext.Decoder
	layout
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
		return s.top()
	case 0:
		_, err := s.in.ReadToken()
		return fmt.Errorf("%w: %w", errNotJSON, err)
	}
	value, err := s.value()
	s.whole = value
	return err
}

// top walks the members of the outermost object: the items and the link may
// stand in either order.
func (s *splitter) top() error {
	err := s.members(func(name string) error {
		if slices.Contains(s.links, name) {
			return s.link(name)
		}
		return s.member(name, s.path)
	})
	if err != nil {
		return err
	}
	s.whole = bytes.TrimSpace(s.body[:s.in.InputOffset()])
	return nil
}

// members calls f for each member of the object that comes next; f has to
// consume the value.
func (s *splitter) members(f func(name string) error) error {
	if _, err := s.in.ReadToken(); err != nil {
		return err
	}
	for s.in.PeekKind() == '"' {
		token, err := s.in.ReadToken()
		if err != nil {
			return err
		}
		if err := f(token.String()); err != nil {
			return err
		}
	}
	_, err := s.in.ReadToken()
	return err
}

// member consumes a member's value, into the items where the path leads there.
func (s *splitter) member(name string, path []string) error {
	if len(path) == 0 || name != path[0] {
		return s.in.SkipValue()
	}
	return s.at(path[1:])
}

// at consumes a value from where path leads on to the items.
func (s *splitter) at(path []string) error {
	kind := s.in.PeekKind()
	switch {
	case kind == 'n':
		s.found = true
		return s.in.SkipValue()
	case len(path) == 0 && kind == '[':
		if s.found && !s.nested { // the member stands there twice; readers of JSON take the last
			s.items = nil
		}
		s.found = true
		return s.array(nil)
	case kind == '[':
		s.found, s.nested = true, true
		return s.array(path)
	case len(path) == 0 && kind == '{':
		s.found = true
		value, err := s.value()
		s.items = append(s.items, value)
		return err
	case kind == '{':
		return s.members(func(name string) error { return s.member(name, path) })
	}
	if err := s.in.SkipValue(); err != nil {
		return err
	}
	return fmt.Errorf("the member %q holds no list", strings.Join(s.path, "."))
}

// array consumes an array: its elements are items, or path leads from each of
// them on.
func (s *splitter) array(path []string) error {
	if _, err := s.in.ReadToken(); err != nil {
		return err
	}
	for kind := s.in.PeekKind(); kind != ']' && kind != 0; kind = s.in.PeekKind() {
		if len(path) > 0 {
			if err := s.at(path); err != nil {
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

// link consumes the value of a next link. Null and the empty text end a list
// like the member's absence.
func (s *splitter) link(name string) error {
	switch s.in.PeekKind() {
	case 'n':
		return s.in.SkipValue()
	case '"':
		token, err := s.in.ReadToken()
		if err != nil {
			return err
		}
		if text := strings.TrimSpace(token.String()); text != "" {
			s.next = text
		}
		return nil
	}
	if err := s.in.SkipValue(); err != nil {
		return err
	}
	return fmt.Errorf("the member %q is not a text", name)
}
