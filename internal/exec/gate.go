package exec

import (
	"slices"
	"sync"
)

// gate lets the calls of a scan that a LIMIT may end early go only as far as
// the rows are asked for: one at first, and twice as many side by side each
// time that the reader comes back for more. Those that are nearer to rows go
// first. A nil gate lets everything through.
type gate struct {
	widest int

	mu      sync.Mutex
	wanted  bool // the reader waits
	width   int  // calls that may be under way while it does
	flying  int
	waiting []waiter
}

// waiter is a call that waits for its turn.
type waiter struct {
	depth int // listings between it and the rows
	turn  chan struct{}
}

func newGate(widest int) *gate { return &gate{widest: widest} }

// want tells that the reader waits for rows.
func (g *gate) want() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.wanted {
		g.wanted = true
		g.width = min(max(1, 2*g.width), g.widest)
	}
	g.wake()
}

// queue asks for the turn of a call: the channel is closed when it has come.
func (g *gate) queue(depth int) <-chan struct{} {
	w := waiter{depth, make(chan struct{})}
	if g == nil {
		close(w.turn)
		return w.turn
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	at, _ := slices.BinarySearchFunc(g.waiting, depth+1, func(w waiter, depth int) int { return w.depth - depth })
	g.waiting = slices.Insert(g.waiting, at, w)
	g.wake()
	return w.turn
}

// leave ends a call; rows tells whether the reader gets something by it. All
// calls of a gate end together, so one that was given a turn and did not take it
// needs no account.
func (g *gate) leave(rows bool) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flying--
	if rows {
		g.wanted = false
	}
	g.wake()
}

// wake gives turns; g.mu is held.
func (g *gate) wake() {
	for g.wanted && g.flying < g.width && len(g.waiting) > 0 {
		g.flying++
		close(g.waiting[0].turn)
		g.waiting = g.waiting[1:]
	}
}
