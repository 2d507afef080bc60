package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// Visible waits until what a call has written can be read at its own address:
// until that answers, after a deletion until it answers no more. Regions of a
// service learn of a change one after the other. The error is a *fault.Error.
func (c *Client) Visible(ctx context.Context, call provider.Call) error {
	request, err := c.Request(call)
	if err != nil {
		return err
	}
	w := &waiting{client: c, method: call.Method, start: time.Now()}
	deleted := call.Method.HTTPMethod == http.MethodDelete
	for {
		w.polls++
		response, err := c.transport.Do(ctx, c.read(call.Method, request.URL))
		switch {
		case err != nil:
			return unread(ctx, call.Method, fault.From(err))
		case deleted && (response.Status == http.StatusNotFound || response.Status == http.StatusGone):
			return nil
		case !deleted && isSuccess(response.Status):
			return nil
		case !isSuccess(response.Status) && response.Status != http.StatusNotFound:
			return unread(ctx, call.Method, refusal(call.Method, request, response))
		}
		w.operation.Next = response.RetryAt
		if err := w.pause(ctx); err != nil {
			return unread(ctx, call.Method, fault.From(err))
		}
	}
}

// unread makes the fault of a write that was done and cannot be seen yet.
func unread(ctx context.Context, m *provider.Method, why *fault.Error) *fault.Error {
	f := fault.New(fault.StillRunning, "it was done, and reading does not show it yet").On(m.FullName()).
		WithHint("a SELECT by its key shows it as soon as the service does")
	if ctx.Err() == nil {
		f = f.WithDetail("%s", why.Error())
	}
	return f.Because(why)
}

// IsAbsent tells whether an error says that what a deletion was to remove is
// not there. A missing scope, an unknown type, and a 404 that is not the
// service's own are errors.
func IsAbsent(err error, call provider.Call) bool {
	f := fault.As(err)
	return f != nil && f.Code == fault.NotFound && f.HTTP != nil && call.Method.HTTPMethod == http.MethodDelete &&
		!missingScope(f.HTTP)
}
