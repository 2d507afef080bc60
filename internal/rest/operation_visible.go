package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// Visible waits until what a call has written can be read at its own address:
// until that shows the members of its body, after a deletion until it answers no
// more. Regions of a service learn of a change one after the other. answer is the
// object as the write itself answered it, since a service may write values its own
// way; nil where there is none. The error is a *fault.Error.
func (c *Client) Visible(ctx context.Context, call provider.Call, answer []byte) error {
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
		case !deleted && isSuccess(response.Status) && shows(response.Body, call.Body, answer):
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

// shows tells whether an object as it is read has what was written.
func shows(read, body, answer []byte) bool {
	var now, wrote, answered map[string]any
	if json.Unmarshal(body, &wrote) != nil || json.Unmarshal(read, &now) != nil {
		return true // nothing can be compared
	}
	if json.Unmarshal(answer, &answered) != nil {
		answered = comparedPart(wrote, now)
	}
	return showsMembers(now, wrote, answered)
}

// comparedPart gives of what was written what can be looked for where no answer says
// how the service writes it: not what reading leaves out, such as a password, nor
// what the service adds to the items of a list.
func comparedPart(wrote, now map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range wrote {
		have, there := now[name]
		if !there {
			continue
		}
		kept[name] = value
		switch value := value.(type) {
		case map[string]any:
			inner, _ := have.(map[string]any)
			kept[name] = comparedPart(value, inner)
			if len(value) == 0 {
				delete(kept, name) // it says nothing
			}
		case []any:
			if list, _ := have.([]any); len(list) == len(value) {
				kept[name] = have
			}
		}
	}
	return kept
}

// showsMembers compares what was written with what is read, member by member, in the
// form in which it was answered. What the answer leaves out, such as a secret, no
// reading shows; what was set to null is gone or null.
func showsMembers(now, wrote, answered map[string]any) bool {
	for name, value := range wrote {
		want, told := answered[name]
		have, there := now[name]
		inner, isObject := value.(map[string]any)
		switch {
		case value == nil && (!told || want == nil):
			if there && have != nil {
				return false
			}
		case !told:
		case isObject && len(inner) > 0:
			a, _ := want.(map[string]any)
			n, _ := have.(map[string]any)
			if !showsMembers(n, inner, a) {
				return false
			}
		case !sameValue(want, have):
			return false
		}
	}
	return true
}

// sameValue compares values as services do: places and ids come back in another
// case, and regions without blanks.
func sameValue(a, b any) bool {
	x, isText := a.(string)
	y, isOther := b.(string)
	if isText && isOther {
		return strings.EqualFold(strings.ReplaceAll(x, " ", ""), strings.ReplaceAll(y, " ", ""))
	}
	return reflect.DeepEqual(a, b)
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
