package transport

import (
	"context"
	"net/url"
	"sync"
)

// host bounds the requests that are under way to one host.
type host struct {
	mu    sync.Mutex
	free  int
	queue queue
}

// host finds the bound of a URL's host.
func (t *Transport) host(u *url.URL) *host {
	origin := Origin(u)
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[origin]
	if h == nil {
		h = &host{free: t.options.Concurrency}
		t.hosts[origin] = h
	}
	return h
}

// enter waits for the right to send one more request. The error is that of ctx.
func (h *host) enter(ctx context.Context, group any, front bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	if h.free > 0 {
		h.free--
		h.mu.Unlock()
		return nil
	}
	t := newTurn(group)
	h.queue.push(t, front)
	h.mu.Unlock()
	select {
	case <-t.ready:
		if err := ctx.Err(); err != nil {
			h.leave()
			return err
		}
		return nil
	case <-ctx.Done():
		h.abandon(t)
		return ctx.Err()
	}
}

// abandon takes a waiting call out of the queue, or gives back the right that it
// was given at the same moment.
func (h *host) abandon(t *turn) {
	h.mu.Lock()
	waiting := h.queue.remove(t)
	h.mu.Unlock()
	if !waiting {
		h.leave()
	}
}

// leave hands the right on to the next call.
func (h *host) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.queue.size > 0 {
		close(h.queue.pop().ready)
		return
	}
	h.free++
}
