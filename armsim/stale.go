package armsim

import (
	"slices"
	"sync"
	"time"
)

// Staleness is how far reads are behind writes; see [WithStaleReads]. With both
// members the first that runs out ends it.
type Staleness struct {
	Reads int           `yaml:"reads"` // so many reads of a resource, by itself or in a list, are behind
	For   time.Duration `yaml:"for"`   // all reads are behind for so long
}

// WithStaleReads has GETs and lists show what was before a write for some reads or
// some time, as replicas in other regions do: what was made is missing, what was
// deleted is still there, what was changed has its old values. Writes and actions
// see the truth.
func WithStaleReads(s Staleness) Option { return func(set *settings) { set.stale = s } }

// staleReads remembers what reads are to see instead of the truth. It has its own
// lock, since reads share the state.
type staleReads struct {
	limit Staleness
	clock func() time.Time

	mu      sync.Mutex
	paused  bool // what the program that runs the simulator changes is seen at once
	entries map[string]*staleEntry
}

// staleEntry is the old state of one resource.
type staleEntry struct {
	old   *object // nil: it was not there
	slot  *slot
	reads int
	until time.Time
}

// newStaleReads makes the memory of a simulator; nil where reads see the truth.
func newStaleReads(limit Staleness, clock func() time.Time) *staleReads {
	if limit == (Staleness{}) {
		return nil
	}
	return &staleReads{limit: limit, clock: clock, entries: map[string]*staleEntry{}}
}

// note remembers what was in a slot before it changed.
func (r *staleReads) note(sl *slot, key string, old *object) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paused {
		return
	}
	if have := r.entries[key]; have != nil && r.alive(have) {
		old = have.old
	}
	r.entries[key] = &staleEntry{old: old, slot: sl, reads: r.limit.Reads, until: r.clock().Add(r.limit.For)}
}

// pause has changes be seen at once until the function it gives is called.
func (r *staleReads) pause() (resume func()) {
	if r == nil {
		return func() {}
	}
	set := func(paused bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.paused = paused
	}
	set(true)
	return func() { set(false) }
}

// alive says whether an old state is still to be shown.
func (r *staleReads) alive(e *staleEntry) bool {
	return (r.limit.Reads == 0 || e.reads > 0) && (r.limit.For == 0 || r.clock().Before(e.until))
}

// see gives what a read of a resource shows, and counts it.
func (r *staleReads) see(key string, truth *object) *object {
	if r == nil {
		return truth
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.look(key, truth)
}

// look is see under the lock.
func (r *staleReads) look(key string, truth *object) *object {
	e := r.entries[key]
	switch {
	case e == nil:
		return truth
	case !r.alive(e):
		delete(r.entries, key)
		return truth
	}
	e.reads--
	return e.old
}

// seeList gives what a list of the kind below the scope shows instead of the true
// items. Slots of the list are copied, as those of the store are not its own.
func (r *staleReads) seeList(scope, kind string, truth []*slot) []*slot {
	if r == nil {
		return truth
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*slot, 0, len(truth))
	show := func(sl *slot, obj *object) {
		if obj != nil {
			list = append(list, &slot{seq: sl.seq, obj: obj, parents: sl.parents})
		}
	}
	for _, sl := range truth {
		show(sl, r.look(sl.obj.key, sl.obj))
	}
	for _, key := range sortedKeys(r.entries) {
		e := r.entries[key]
		if e.old != nil && e.slot.removed && e.old.kind == kind && slices.Contains(e.slot.parents, scope) {
			show(e.slot, r.look(key, nil))
		}
	}
	slices.SortFunc(list, func(a, b *slot) int { return -compareDown(a.seq, b.seq) })
	return list
}

// emptied gives the kinds of which a scope has nothing any more, while lists may show
// what was there.
func (r *staleReads) emptied(scope string, st *store) []string {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds := map[string]bool{}
	for _, e := range r.entries {
		if e.old == nil {
			continue
		}
		if _, listed := st.below[scope][e.old.kind]; !listed {
			kinds[e.old.kind] = true
		}
	}
	return sortedKeys(kinds)
}

// items gives the objects of a kind below a scope as a list shows them.
func (c *call) items(scope, kind string) []*slot {
	return c.sim.stale.seeList(scope, kind, c.sim.store.list(scope, kind))
}

// seen gives an object as a read shows it; nil where it is not there, as far as a
// reader can tell.
func (c *call) seen(key string) *object {
	return c.sim.stale.see(key, c.sim.store.get(key))
}
