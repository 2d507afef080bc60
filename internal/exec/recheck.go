package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// seen keeps what the items of a resource were when they were read, as far as
// conditions name it.
type seen struct {
	write *plan.Write
	mutex sync.Mutex
	items map[string][]observed // by what names the item

	again    sync.Mutex
	listings map[string]listing // made anew, by their calls
}

func newSeen(w *plan.Write) *seen {
	return &seen{write: w, items: map[string][]observed{}, listings: map[string]listing{}}
}

// observed are members of an item, their values, and the call that gave them.
type observed struct {
	scan    *plan.Scan
	call    provider.Call
	members []rest.Member
	values  [][]byte // nil: the item did not have it
}

// listing is what a call gives that is made once more. Its items are by what
// names them.
type listing struct {
	at    time.Time
	items map[string][]observed
}

// listingAge is how old a listing may be that targets are checked against: one
// call serves those whose turn comes within it.
const listingAge = 2 * time.Second

// note keeps the items of a page that a call of a scan gave.
func (s *seen) note(p *plan.Scan, call provider.Call, items [][]byte) {
	if p.Method.Resource != s.write.Method.Resource || len(p.Tested) == 0 {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keep(s.items, p, call, items)
}

// keep puts what was observed of items under their names.
func (s *seen) keep(by map[string][]observed, p *plan.Scan, call provider.Call, items [][]byte) {
	members := make([]rest.Member, len(p.Tested))
	for i, path := range p.Tested {
		members[i].Path = path
	}
	for _, item := range items {
		name, ok := s.nameOf(p, call, item)
		if !ok {
			continue
		}
		o := observed{scan: p, call: call, members: members}
		for _, v := range rest.Cut(item, members) {
			o.values = append(o.values, slices.Clone(v))
		}
		by[name] = append(by[name], o)
	}
}

// nameOf gives what names an item: its id, or the parameters by which the write
// names it.
func (s *seen) nameOf(p *plan.Scan, call provider.Call, item []byte) (string, bool) {
	if len(s.write.Key) == 0 {
		id := idIn(item)
		return id, id != ""
	}
	var name []string
	for _, key := range s.write.Key {
		if path := p.Keys[key]; path != nil {
			text, given := plainText(rest.Cut(item, []rest.Member{{Path: path}})[0])
			if !given {
				return "", false
			}
			name = append(name, text)
			continue
		}
		value, _ := argumentOf(call, key)
		name = append(name, value)
	}
	return strings.Join(name, "\x00"), true
}

// plainText gives the text of a scalar.
func plainText(raw []byte) (text string, given bool) {
	if len(raw) == 0 {
		return "", false
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

func argumentOf(call provider.Call, name string) (string, bool) {
	i := slices.IndexFunc(call.Arguments, func(a provider.Argument) bool { return a.Name == name })
	if i < 0 {
		return "", false
	}
	return call.Arguments[i].Value, true
}

// of gives the name of a target among the items.
func (s *seen) of(t *target) string {
	if len(s.write.Key) == 0 {
		key := strings.ToLower(t.id)
		if i := strings.Index(key, "/subscriptions/"); i > 0 {
			key = key[i:] // an endpoint of another kind has a path of its own
		}
		return key
	}
	var name []string
	for _, key := range s.write.Key {
		value, _ := argumentOf(t.call, key)
		name = append(name, value)
	}
	return strings.Join(name, "\x00")
}

// recheck reads a target again: a name may be another's by now. A call that
// cannot be taken back is made only where all is as it was selected. What the
// answer leaves out of that is asked of the method that gave it.
func (f *frozen) recheck(ctx context.Context, t *target) (string, error) {
	name := f.seen.of(t)
	before := f.seen.items[name]
	if len(before) == 0 {
		return "", nil // it is none of the rows that conditions were asked of
	}
	if f.write.Read != nil {
		var options []provider.Argument
		for _, o := range before {
			options = append(options, o.call.Arguments...)
		}
		result, err := f.read(ctx, t, unique(options)...)
		if e := fault.As(err); e != nil && e.Code == fault.NotFound {
			return outcomeGone, nil
		}
		if err != nil {
			return "", err
		}
		before = slices.DeleteFunc(slices.Clone(before), func(o observed) bool { return o.holds(rest.Cut(result.Items[0], o.members)) })
		if slices.ContainsFunc(before, func(o observed) bool { return !o.silent(rest.Cut(result.Items[0], o.members)) }) {
			return outcomeChanged, nil
		}
	}
	for _, o := range before {
		if outcome, err := f.listedAgain(ctx, name, o); outcome != "" || err != nil {
			return outcome, err
		}
	}
	return "", nil
}

// unique gives each argument once.
func unique(list []provider.Argument) []provider.Argument {
	var kept []provider.Argument
	for _, a := range list {
		if !slices.ContainsFunc(kept, func(o provider.Argument) bool { return o.Name == a.Name }) {
			kept = append(kept, a)
		}
	}
	return kept
}

// listedAgain compares an item with what the call gives now that gave it.
func (f *frozen) listedAgain(ctx context.Context, name string, o observed) (string, error) {
	items, err := f.seen.list(ctx, f, o)
	if err != nil {
		return "", err
	}
	now := items[name]
	switch {
	case len(now) == 0:
		return outcomeGone, nil
	case !slices.ContainsFunc(now, func(n observed) bool { return o.holds(n.values) }):
		return outcomeChanged, nil
	}
	return "", nil
}

// list makes the call of an item once more, unless that was done just now.
func (s *seen) list(ctx context.Context, f *frozen, o observed) (map[string][]observed, error) {
	s.again.Lock()
	defer s.again.Unlock()
	key := f.env.Client.Key(o.call)
	if l, ok := s.listings[key]; ok && time.Since(l.at) < listingAge {
		return l.items, nil
	}
	l := listing{at: time.Now(), items: map[string][]observed{}}
	counted := f.meter.begin(nil)
	for page, err := range f.env.Client.Pages(ctx, o.call) {
		counted(page, err, true)
		if err != nil && !rest.IsItemMissing(err, o.call) {
			return nil, err
		}
		s.keep(l.items, o.scan, o.call, page.Items)
		counted = f.meter.begin(nil)
	}
	counted(rest.Page{}, nil, false)
	s.listings[key] = l
	return l.items, nil
}

// holds tells whether members have the values that were seen.
func (o observed) holds(now [][]byte) bool {
	for i, value := range now {
		if !equalJSON(o.values[i], value) {
			return false
		}
	}
	return true
}

// silent tells whether an answer differs from what was seen only where one of the
// two says nothing: it may have changed, or not every method gives it.
func (o observed) silent(now [][]byte) bool {
	for i, value := range now {
		if value != nil && o.values[i] != nil && !equalJSON(o.values[i], value) {
			return false
		}
	}
	return true
}

// equalJSON compares values; the order of members does not matter.
func equalJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var left, right any
	if json.Unmarshal(a, &left) != nil || json.Unmarshal(b, &right) != nil {
		return false
	}
	one, _ := json.Marshal(left)
	other, _ := json.Marshal(right)
	return bytes.Equal(one, other)
}
