package exec

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// namedOperations is up to how many operations a message names.
const namedOperations = 5

// pickUp gives the command that waits for operations which were left.
func pickUp(targets []*target) string {
	var ids []string
	for _, t := range targets {
		if f := fault.As(t.err); f != nil && f.Code == fault.StillRunning && t.operation != "" {
			ids = append(ids, t.operation)
		}
	}
	switch {
	case len(ids) == 0:
		return ""
	case len(ids) > namedOperations:
		return fmt.Sprintf("planeql operations wait waits for all that go on; planeql operations list shows them, %s and %d more of this statement",
			strings.Join(ids[:namedOperations], ", "), len(ids)-namedOperations)
	}
	return "to wait for it again: planeql operations wait " + strings.Join(ids, " ")
}

// leave adds to the errors of operations that were left how to wait for them.
func leave(targets []*target) {
	for _, t := range targets {
		if f := fault.As(t.err); f != nil && f.Code == fault.StillRunning {
			if hint := pickUp([]*target{t}); hint != "" {
				t.err = f.WithHint("%s", hint)
			}
		}
	}
}

// ending gives the error of a statement that was ended before all of its
// targets were: what is done, what goes on and what was not called.
func ending(ctx context.Context, targets []*target) error {
	if ctx.Err() == nil {
		return nil
	}
	counts := map[string]int{}
	for _, t := range targets {
		counts[t.outcome()]++
	}
	var parts []string
	for _, word := range []string{"done", outcomeGone, outcomeExists, outcomeChanged, "accepted", "failed", "unknown", "not called"} {
		if n := counts[word]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	f := fault.New(fault.Cancelled, "the statement was ended before it was complete").
		WithDetail("of %d targets: %s", len(targets), strings.Join(parts, ", "))
	if hint := pickUp(targets); hint != "" {
		f = fault.New(fault.StillRunning, "the statement was ended; operations go on at the service").
			WithDetail("%s", f.Detail).WithHint("%s", hint)
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f = f.In(fault.Interrupt)
	}
	return f.Because(ctx.Err())
}

// checkStatement gives the statement that shows whether a call has happened: it
// reads the resource by the keys of the call. Empty where nothing reads it.
func checkStatement(call provider.Call) string {
	r := call.Method.Resource
	var best *provider.Method
	keys := 0
	for _, m := range r.Verbs[provider.Select] {
		if n, ok := fits(m, call); ok && (best == nil || n > keys) {
			best, keys = m, n
		}
	}
	if best == nil {
		return ""
	}
	var conditions []string
	for _, a := range call.Arguments {
		if p, ok := best.Parameter(a.Name); ok && p.In == provider.InPath {
			conditions = append(conditions, a.Name+" = "+syntax.QuoteText(a.Value))
		}
	}
	text := "SELECT * FROM " + r.Path()
	if len(conditions) > 0 {
		text += " WHERE " + strings.Join(conditions, " AND ")
	}
	return text
}

// fits tells whether a method can be called with the arguments of a call, and
// how many of them name its path.
func fits(m *provider.Method, call provider.Call) (keys int, ok bool) {
	given := map[string]bool{}
	for _, a := range call.Arguments {
		given[a.Name] = true
	}
	for _, p := range m.Parameters {
		switch {
		case p.Required && !given[p.Name]:
			return 0, false
		case p.In == provider.InPath && given[p.Name]:
			keys++
		}
	}
	return keys, true
}
