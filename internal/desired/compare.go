// Package desired compares what statements say should be with what a service
// has, and puts the differences in the order in which they can be made. It is
// pure: what is there was read before, and what is to be done is done by others.
//
// Start reading at [Compare] and [Order].
package desired

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/openapi"
)

// Change is a member that is to have another value. A nil value is none.
type Change struct {
	Member string          `json:"member"`
	From   json.RawMessage `json:"from,omitempty"`
	To     json.RawMessage `json:"to,omitempty"`
}

// Schemas say what the members of a resource mean. Either may be nil.
type Schemas struct {
	Request *openapi.Schema // of the body that is written
	Answer  *openapi.Schema // of the resource as it is read
}

// Difference is what a comparison finds.
type Difference struct {
	Changes []Change
	Unread  []string // stated members that the service does not show, so that nothing tells whether they differ
	Beside  []string // members that the service has, a statement may write, and this one does not state
}

// Compare finds in which of the members that are stated a resource differs. What
// is not stated is the service's: defaults that it fills in, and what only it
// writes, are no difference; nor is the case of ids and of values that the
// document lists, the form of a time or a number, or a null for what is not
// there. With have nil all is new.
func Compare(want, have []byte, s Schemas) (Difference, error) {
	var c comparer
	w, err := decode(want)
	if err != nil {
		return c.Difference, err
	}
	if have == nil {
		c.added(nil, w, s.Request)
		return c.Difference, nil
	}
	h, err := decode(have)
	if err != nil {
		return c.Difference, err
	}
	c.value(nil, pair{w, h}, s)
	c.beside(nil, pair{w, h}, s.Request)
	return c.Difference, nil
}

// decode reads JSON; numbers keep their text.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// pair is what is stated for a member and what is there.
type pair struct{ want, have any }

type comparer struct{ Difference }

func (c *comparer) value(path []string, p pair, s Schemas) {
	if w, ok := p.want.(map[string]any); ok {
		if h, isObject := p.have.(map[string]any); isObject || p.have == nil {
			c.object(path, w, h, s)
			return
		}
	}
	if w, ok := p.want.([]any); ok {
		if h, isList := p.have.([]any); isList && len(w) == len(h) {
			for i := range w {
				at := append(slices.Clone(path), "["+strconv.Itoa(i)+"]")
				c.value(at, pair{w[i], h[i]}, Schemas{s.Request.Items(), s.Answer.Items()})
			}
			return
		}
	}
	if !same(path, p, s.Request) {
		c.change(path, p, s.Request)
	}
}

// object compares the members that are stated.
func (c *comparer) object(path []string, want, have map[string]any, s Schemas) {
	for _, name := range names(want, s.Request) {
		at := append(slices.Clone(path), name)
		now, there := lookup(have, name)
		below := Schemas{member(s.Request, name), member(s.Answer, name)}
		if !there && s.Answer != nil && !s.Answer.FreeForm() && below.Answer == nil {
			c.Unread = append(c.Unread, memberPath(at))
			continue
		}
		if !there && below.Request != nil && below.Request.Secret {
			c.Unread = append(c.Unread, memberPath(at))
			continue
		}
		c.value(at, pair{want[name], now}, below)
	}
}

// added notes the members of a new resource.
func (c *comparer) added(path []string, want any, s *openapi.Schema) {
	w, isObject := want.(map[string]any)
	if !isObject || len(w) == 0 {
		if want != nil && len(path) > 0 {
			c.change(path, pair{want: want}, s)
		}
		return
	}
	for _, name := range names(w, s) {
		c.added(append(slices.Clone(path), name), w[name], member(s, name))
	}
}

// hidden stands for a value that is not shown.
const hidden = "(secret)"

func (c *comparer) change(path []string, p pair, s *openapi.Schema) {
	c.Changes = append(c.Changes, Change{Member: memberPath(path), From: encode(masked(p.have, s)), To: encode(masked(p.want, s))})
}

// masked puts a word in the place of values that are secret.
func masked(v any, s *openapi.Schema) any {
	if v != nil && s != nil && s.Secret {
		return hidden
	}
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = masked(e, s.Items())
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, e := range v {
			object[name] = masked(e, member(s, name))
		}
		return object
	}
	return v
}

// beside notes members that are there and could be stated.
func (c *comparer) beside(path []string, p pair, s *openapi.Schema) {
	want, _ := p.want.(map[string]any)
	have, isObject := p.have.(map[string]any)
	if !isObject {
		return
	}
	for _, m := range s.Members() {
		now, there := lookup(have, m.Name)
		stated, isStated := lookup(want, m.Name)
		at := append(slices.Clone(path), m.Name)
		switch {
		case !there || empty(now) || m.Schema == nil || m.Schema.ReadOnly:
		case !isStated && len(m.Schema.Members()) == 0:
			c.Beside = append(c.Beside, memberPath(at))
		default:
			c.beside(at, pair{stated, now}, m.Schema)
		}
	}
}

// encode gives a value as JSON; nil for none.
func encode(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	text, _ := json.Marshal(v) // it was read from JSON
	return text
}

// memberPath gives a path as people write it.
func memberPath(path []string) string {
	var b strings.Builder
	for i, part := range path {
		if i > 0 && !strings.HasPrefix(part, "[") {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

// names gives the members of an object in the order of the schema, others
// behind them in that of the alphabet.
func names(object map[string]any, s *openapi.Schema) []string {
	var list []string
	for _, m := range s.Members() {
		if _, there := object[m.Name]; there {
			list = append(list, m.Name)
		}
	}
	known := len(list)
	for name := range object {
		if !slices.Contains(list[:known], name) {
			list = append(list, name)
		}
	}
	slices.Sort(list[known:])
	return list
}

// lookup finds a member, in another case if need be: services write names of
// tags, for one, as they like.
func lookup(object map[string]any, name string) (any, bool) {
	if v, there := object[name]; there {
		return v, true
	}
	for key, v := range object {
		if strings.EqualFold(key, name) {
			return v, true
		}
	}
	return nil, false
}

// member gives the schema of a member, declared or not.
func member(s *openapi.Schema, name string) *openapi.Schema {
	if m := s.Member(name); m != nil {
		return m
	}
	return s.Values()
}

// empty tells whether a value says nothing.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// same tells whether two values that are no objects mean the same.
func same(path []string, p pair, s *openapi.Schema) bool {
	if empty(p.want) && empty(p.have) {
		return true
	}
	switch want := p.want.(type) {
	case string:
		have, isText := p.have.(string)
		return isText && (want == have || alike(path, want, have, s))
	case json.Number:
		have, isNumber := p.have.(json.Number)
		return isNumber && sameNumber(want, have)
	case bool:
		return p.have == want
	}
	return false
}

func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, errA := a.Float64()
	y, errB := b.Float64()
	return errA == nil && errB == nil && x == y
}

// alike tells whether a service may have written one text for another: ids,
// values of an enumeration and UUIDs in another case, a region by its display
// name, a time in another form.
func alike(path []string, want, have string, s *openapi.Schema) bool {
	fold := strings.EqualFold(want, have)
	switch {
	case fold && strings.HasPrefix(want, "/"):
		return true
	case len(path) == 1 && path[0] == "location":
		return strings.EqualFold(strings.ReplaceAll(want, " ", ""), strings.ReplaceAll(have, " ", ""))
	case s == nil:
		return false
	case fold && (len(s.Enum) > 0 || s.Format == "arm-id" || s.Format == "uuid"):
		return true
	case s.Format == "date-time":
		a, errA := time.Parse(time.RFC3339Nano, want)
		b, errB := time.Parse(time.RFC3339Nano, have)
		return errA == nil && errB == nil && a.Equal(b)
	}
	return false
}
