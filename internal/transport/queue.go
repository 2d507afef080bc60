package transport

import (
	"context"
	"reflect"
	"slices"
	"time"
)

type groupKey struct{}

// WithGroup gives a context whose requests wait in line as one group: where
// calls have to wait, for room at a host or for a limit of the service, groups
// are served in turn, however many calls each of them has. The key is any
// comparable value; one that cannot be compared makes no group.
func WithGroup(ctx context.Context, key any) context.Context {
	if key == nil || !reflect.ValueOf(key).Comparable() {
		return ctx
	}
	return context.WithValue(ctx, groupKey{}, key)
}

// groupOf finds the group of a call; nil, which is a group too, for the others.
func groupOf(ctx context.Context) any { return ctx.Value(groupKey{}) }

// turn is a call's place in a queue, and its pass once it was let in.
type turn struct {
	group  any
	joined time.Time
	ready  chan struct{} // closed when the call is let in

	// Set by a lane before ready is closed.
	number  int64         // of the calls that it let in
	entered time.Time     // when that was
	held    time.Duration // how long the service's limit kept the call out
}

func newTurn(group any) *turn {
	return &turn{group: group, joined: time.Now(), ready: make(chan struct{})}
}

// queue holds calls that wait: groups in turn, and first come, first served
// within a group. It is not safe for concurrent use.
type queue struct {
	size  int
	lines map[any]*line
	order []*line // those that have calls, the next to be served first
}

// line is what waits of one group.
type line struct{ turns []*turn }

// push adds a call at the end of its group, or in front of it: a call that had
// its turn and was sent away has waited before.
func (q *queue) push(t *turn, front bool) {
	if q.lines == nil {
		q.lines = map[any]*line{}
	}
	l := q.lines[t.group]
	if l == nil {
		l = &line{}
		q.lines[t.group] = l
		q.order = append(q.order, l)
	}
	if front {
		l.turns = slices.Insert(l.turns, 0, t)
	} else {
		l.turns = append(l.turns, t)
	}
	q.size++
}

// pop takes the next call; the queue is not empty.
func (q *queue) pop() *turn {
	l := q.order[0]
	q.order = q.order[1:]
	t := l.turns[0]
	l.turns = l.turns[1:]
	if len(l.turns) > 0 {
		q.order = append(q.order, l)
	} else {
		delete(q.lines, t.group)
	}
	q.size--
	return t
}

// remove takes a call out that waits no longer; false: it was not there.
func (q *queue) remove(t *turn) bool {
	l := q.lines[t.group]
	if l == nil {
		return false
	}
	i := slices.Index(l.turns, t)
	if i < 0 {
		return false
	}
	l.turns = slices.Delete(l.turns, i, i+1)
	if len(l.turns) == 0 {
		delete(q.lines, t.group)
		q.order = slices.DeleteFunc(q.order, func(o *line) bool { return o == l })
	}
	q.size--
	return true
}
