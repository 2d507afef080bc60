package armsim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// object is one resource. It is never changed once stored: a change stores
// another object in the same slot, so a reader may go on with the one it has.
type object struct {
	key  string
	kind string
	doc  map[string]any
	raw  []byte // the JSON that is answered; made once, since lists are read far more often than objects change
	tail int    // where the value of systemData starts, if that is the last member; 0: it is not
}

// slot is the place of an object in all lists that show it.
type slot struct {
	seq     uint64 // grows with each new object: the order of lists and what a skip token points at
	obj     *object
	parents []string
	removed bool
}

// store holds the objects by key, and for each scope the objects of each kind
// below it in order, so that a page of a list costs what the page is long.
type store struct {
	stale *staleReads // nil: reads see the truth
	next  uint64
	slots map[string]*slot
	below map[string]map[string][]*slot
}

// newStore makes a store without objects.
func newStore() *store {
	return &store{slots: map[string]*slot{}, below: map[string]map[string][]*slot{}}
}

// get finds an object; nil where there is none.
func (st *store) get(key string) *object {
	if sl := st.slots[key]; sl != nil {
		return sl.obj
	}
	return nil
}

// list gives the slots of a kind below a scope, in order of creation. The slice
// is the store's own: it is read under the lock and not kept.
func (st *store) list(scope, kind string) []*slot { return st.below[scope][kind] }

// put stores an object and says whether it is a new one.
func (st *store) put(obj *object, ancestors []string) bool {
	if sl := st.slots[obj.key]; sl != nil {
		st.stale.note(sl, obj.key, sl.obj)
		sl.obj = obj
		return false
	}
	st.next++
	sl := &slot{seq: st.next, obj: obj, parents: ancestors}
	st.slots[obj.key] = sl
	st.stale.note(sl, obj.key, nil)
	for _, a := range ancestors {
		kinds := st.below[a]
		if kinds == nil {
			kinds = map[string][]*slot{}
			st.below[a] = kinds
		}
		kinds[obj.kind] = append(kinds[obj.kind], sl)
	}
	return true
}

// remove deletes an object and everything below it, and says whether it was
// there.
func (st *store) remove(key string) bool {
	sl := st.slots[key]
	if sl == nil {
		return false
	}
	gone := []*slot{sl}
	for _, list := range st.below[key] {
		gone = append(gone, list...)
	}
	kinds := map[string]bool{}
	for _, g := range gone {
		st.stale.note(g, g.obj.key, g.obj)
		g.removed = true
		kinds[g.obj.kind] = true
		delete(st.slots, g.obj.key)
		delete(st.below, g.obj.key)
	}
	for _, above := range sl.parents {
		for kind := range kinds {
			st.sweep(above, kind, gone)
		}
	}
	return true
}

// sweep takes removed slots out of one list: by position where it is one slot,
// in one pass where a whole tree went.
func (st *store) sweep(scope, kind string, gone []*slot) {
	list := st.below[scope][kind]
	if len(gone) == 1 {
		if i, found := position(list, gone[0].seq); found {
			st.below[scope][kind] = slices.Delete(list, i, i+1)
		}
		return
	}
	st.below[scope][kind] = slices.DeleteFunc(list, func(s *slot) bool { return s.removed })
}

// position finds the first slot with at least the sequence number.
func position(list []*slot, seq uint64) (int, bool) {
	return slices.BinarySearchFunc(list, seq, func(s *slot, seq uint64) int { return cmp.Compare(s.seq, seq) })
}

// memberOrder is the order in which services write the members of an envelope;
// others follow by name. systemData comes last, so that it can be replaced by
// null without encoding the object again.
var memberOrder = []string{
	"identity", "name", "id", "type", "location", "tags", "kind", "sku", "plan", "zones", "managedBy", "properties",
}

// encode writes the envelope and gives the offset at which the value of
// systemData starts, 0 where there is none.
func encode(doc map[string]any) (raw []byte, tail int) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	write := func(name string) {
		if b.Len() > 0 {
			b.WriteByte(',')
		} else {
			b.WriteByte('{')
		}
		writeValue(&b, enc, name)
		b.WriteByte(':')
		if name == "systemData" {
			tail = b.Len()
		}
		writeValue(&b, enc, doc[name])
	}
	for _, name := range envelopeNames(doc) {
		write(name)
	}
	if b.Len() == 0 {
		return []byte("{}"), 0
	}
	b.WriteByte('}')
	return b.Bytes(), tail
}

// writeValue encodes a value without the line end that an Encoder adds. The
// values come from JSON or are made of maps, lists and text, so there is nothing
// that cannot be encoded; if there were, null keeps the document well formed.
func writeValue(b *bytes.Buffer, enc *json.Encoder, value any) {
	start := b.Len()
	if err := enc.Encode(value); err != nil {
		b.Truncate(start)
		b.WriteString("null")
		return
	}
	b.Truncate(b.Len() - 1)
}

// envelopeNames gives the members of an object in the order in which they are
// written.
func envelopeNames(doc map[string]any) []string {
	names := make([]string, 0, len(doc))
	for _, name := range memberOrder {
		if _, ok := doc[name]; ok {
			names = append(names, name)
		}
	}
	known := len(names)
	for name := range doc {
		if name != "systemData" && !slices.Contains(memberOrder, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[known:])
	if _, ok := doc["systemData"]; ok {
		names = append(names, "systemData")
	}
	return names
}

// withoutSystemData gives the JSON of the object with systemData null, the form
// in which AVD lists the sessions of a whole host pool.
func (o *object) withoutSystemData() []byte {
	if o.tail == 0 {
		return o.raw
	}
	return append(append(make([]byte, 0, o.tail+5), o.raw[:o.tail]...), "null}"...)
}
