package exec

import (
	"context"
	"encoding/json"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// target is one call of a write and what became of it.
type target struct {
	call   provider.Call
	id     string // path of what is acted on
	result rest.Result
	err    error

	// prepare runs right before the call, which it may complete. A word that it
	// gives is the outcome, and there is no call.
	prepare func(context.Context) (skip string, err error)
	skipped string // that word
}

// RunWrite runs the plan of a statement that changes something. The targets
// are all known before the first call. With one target a failure is the
// statement's error; with several each has its row of outcome.
func RunWrite(ctx context.Context, w *plan.Write, env Env) (*Rows, error) {
	targets, err := prepare(ctx, w, env)
	if err != nil {
		return nil, err
	}
	if env.DryRun {
		return dryRun(targets, env)
	}
	if err := guard(ctx, w, targets, env); err != nil {
		return nil, err
	}
	m := newMeter()
	callAll(ctx, targets, env, m)
	if env.Outcomes != nil {
		env.Outcomes(outcomeRows(targets))
	}
	if !w.Method.ReadOnly {
		env.Found.Forget()
	}
	if len(targets) == 1 && targets[0].err != nil {
		return nil, targets[0].err
	}
	if err := ctx.Err(); err != nil && len(targets) > 0 && allFailed(targets) {
		return nil, targets[0].err
	}
	rows, err := result(ctx, w, targets, env)
	if err != nil {
		return nil, err
	}
	rows.Targets, rows.Failed, rows.meter = len(targets), failures(targets), m
	for _, t := range targets {
		if t.err != nil {
			rows.warnings = append(rows.warnings, fault.From(t.err))
		}
	}
	return rows, nil
}

// prepare makes the calls: values evaluated, body built and checked.
func prepare(ctx context.Context, w *plan.Write, env Env) ([]*target, error) {
	conn, err := env.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	tuples, err := resolveTuples(ctx, env.DB, conn, w.Targets)
	if err != nil {
		return nil, err
	}
	body, err := bodyOf(ctx, w, evaluator{env.DB, conn})
	if err != nil {
		return nil, fault.From(err).On(w.Method.FullName())
	}
	var targets []*target
	for _, t := range tuples {
		call := callOf(w.Method, w.Arguments, t)
		call.Body = body
		request, err := env.Client.Request(call)
		if err != nil {
			return nil, fault.From(err).On(w.Method.FullName())
		}
		targets = append(targets, &target{call: call, id: idOf(w.Method, request.URL)})
	}
	return targets, nil
}

// evaluator is where the expressions of a write are evaluated.
type evaluator struct {
	db   *duck.DB
	conn *duck.Conn
}

// bodyOf gives the request body of a write: @@json, or the members by name.
func bodyOf(ctx context.Context, w *plan.Write, e evaluator) ([]byte, error) {
	if w.Body == nil && len(w.Members) == 0 {
		return nil, nil
	}
	if w.Body != nil {
		text, err := text(ctx, e, w.Body)
		if err != nil || text == nil {
			return nil, err
		}
		return []byte(*text), plan.CheckBody(w.Method, []byte(*text))
	}
	object := map[string]json.RawMessage{}
	for _, m := range w.Members {
		value, err := memberJSON(ctx, e, m)
		if err != nil {
			return nil, err
		}
		object[m.Name] = value
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fault.New(fault.InvalidJSON, "the body cannot be written as JSON: %v", err)
	}
	return body, plan.CheckBody(w.Method, body)
}

// text gives the text of one value; nil is NULL.
func text(ctx context.Context, e evaluator, v *plan.Value) (*string, error) {
	if v.Expression == nil {
		return &v.Text, nil
	}
	values, err := evaluate(ctx, e.db, e.conn, []*plan.Value{v})
	return values[v], err
}

// memberJSON gives the JSON text of a member of the body: a string is quoted,
// anything else is JSON already. NULL is an explicit null.
func memberJSON(ctx context.Context, e evaluator, m plan.BodyMember) (json.RawMessage, error) {
	if m.Value == nil {
		return json.RawMessage("null"), nil
	}
	value, err := text(ctx, e, m.Value)
	if err != nil {
		return nil, err
	}
	if value == nil {
		return json.RawMessage("null"), nil
	}
	if m.Type == "string" || m.Type == "" {
		quoted, err := json.Marshal(*value)
		return quoted, err
	}
	if !json.Valid([]byte(*value)) {
		return nil, fault.New(fault.InvalidJSON, "@%s takes JSON", m.Name).WithHint(`for example @%s = '{"name": "value"}'`, m.Name)
	}
	return json.RawMessage(*value), nil
}

// guard refuses a write that the user's limits do not allow.
func guard(ctx context.Context, w *plan.Write, targets []*target, env Env) error {
	name, n := w.Method.FullName(), len(targets)
	switch {
	case w.Method.ReadOnly:
		return nil
	case env.ReadOnly:
		return fault.New(fault.ReadOnly, "%s changes something (%s) and the run is read-only", name, w.Method.HTTPMethod).On(name).
			WithHint("leave --read-only out to allow it, or use --dry-run to see the request")
	case env.MaxTargets > 0 && n > env.MaxTargets:
		return fault.New(fault.LimitReached, "the statement has %d targets, more than the %d that are allowed", n, env.MaxTargets).On(name).
			WithHint("nothing was changed; --max-targets %d allows them", n)
	case n <= 1 || env.Yes:
		return nil
	}
	return confirm(ctx, name, targets, env)
}

func confirm(ctx context.Context, name string, targets []*target, env Env) error {
	refusal := fault.New(fault.ConfirmationNeeded, "the statement has %d targets and nobody confirmed them", len(targets)).On(name).
		WithHint("nothing was changed; look at them with --dry-run, then confirm with --yes")
	if env.Confirm == nil {
		return refusal
	}
	c := Confirmation{Method: name, Count: len(targets)}
	for _, t := range targets[:min(5, len(targets))] {
		c.Sample = append(c.Sample, t.id)
	}
	ok, err := env.Confirm(ctx, c)
	if err != nil {
		return err
	}
	if !ok {
		return refusal
	}
	return nil
}
