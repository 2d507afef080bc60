package exec

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
)

// frozen is what a write is about to do: all its targets, found before the
// first of them is called, each once.
type frozen struct {
	write    *plan.Write
	env      Env
	meter    *meter
	targets  []*target
	warnings []*fault.Error
	seen     *seen // what the items were when the targets were selected; nil: it does not matter
}

// freeze finds the targets of a write: its query is read in full, values are
// evaluated, bodies built and checked.
func freeze(ctx context.Context, w *plan.Write, env Env) (*frozen, error) {
	f := &frozen{write: w, env: env, meter: newMeter()}
	if w.Recheck {
		f.seen = newSeen(w)
	}
	conn, err := env.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tuples, err := resolveTuples(ctx, env.DB, conn, w.Targets)
	conn.Close()
	if err != nil {
		return nil, err
	}
	rows, err := f.rows(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]*target{}
	for _, values := range tuples {
		for _, row := range rows {
			if err := f.add(known, values, row); err != nil {
				return nil, fault.From(err).On(w.Method.FullName())
			}
		}
	}
	return f, nil
}

// rows reads the query of a write to its end. A part of its rows would be taken
// for all of them, so what the user allows elsewhere is no answer here.
func (f *frozen) rows(ctx context.Context) ([][][]byte, error) {
	if f.write.Source == nil {
		return slices.Repeat([][][]byte{nil}, f.write.Rows), nil
	}
	env := f.env
	env.Found, env.FirstRows = nil, false // what was found before may have changed since
	conn, err := env.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	run := newRun(ctx, env, conn)
	run.meter, run.seen = f.meter, f.seen
	rows, err := run.start(run.ctx, f.write.Source)
	if err != nil {
		run.finish()
		return nil, f.write.Source.InView(err)
	}
	all, err := readJSON(rows, len(f.write.Columns))
	if err != nil {
		return nil, f.write.Source.InView(err)
	}
	for _, w := range rows.Warnings() {
		if w.Code == fault.PartialResult {
			return nil, incomplete(f.write, w)
		}
		f.warnings = append(f.warnings, w)
	}
	return all, nil
}

// incomplete is the refusal of a write whose targets may not be all.
func incomplete(w *plan.Write, lost *fault.Error) *fault.Error {
	e := fault.New(fault.Incomplete, "the targets could not all be read, so none is called").On(w.Method.FullName()).
		WithDetail("%s", lost.Message).WithHint("nothing was changed; name the places that can be read in the WHERE")
	e.HTTP = lost.HTTP
	return e.Because(lost)
}

// readJSON reads rows whose columns are JSON.
func readJSON(rows *Rows, columns int) ([][][]byte, error) {
	var all [][][]byte
	given := len(rows.Columns())
	for rows.Next() {
		row := make([][]byte, given)
		for i, v := range rows.Values() {
			switch value := v.(type) {
			case json.RawMessage:
				row[i] = slices.Clone(value)
			case string:
				row[i] = []byte(value)
			}
		}
		all = append(all, row)
	}
	err := rows.Err()
	if closed := rows.Close(); err == nil {
		err = closed
	}
	if err == nil && columns > 0 && given != columns {
		err = fault.New(fault.SyntaxError, "the query gives %d columns for %d of the INSERT", given, columns).
			WithHint("nothing was changed; name the columns of the query")
	}
	return all, err
}

// add makes the target of a row. The same call twice is one; two calls that
// differ only in their bodies contradict each other.
func (f *frozen) add(known map[string]*target, values []*string, row [][]byte) error {
	w := f.write
	call := callOf(w.Method, w.Arguments, values)
	more, err := w.ArgumentsOf(row)
	if err != nil {
		return err
	}
	call.Arguments = append(call.Arguments, more...)
	body, warnings, err := w.Body(row)
	if err != nil {
		return err
	}
	call.Body = body
	request, err := f.env.Client.Request(call)
	if err != nil {
		return err
	}
	key := f.env.Client.Key(call)
	creates := w.Verb == provider.Insert && w.Method.HTTPMethod == "POST" // each call makes something of its own
	if other := known[key]; other != nil && !creates {
		if bytes.Equal(other.call.Body, body) {
			return nil
		}
		return fault.New(fault.InvalidValue, "%s would be written twice, with different values", other.id).
			WithHint("nothing was changed; a row of a join may match several: each target has one row, for example by GROUP BY or QUALIFY")
	}
	t := &target{call: call, id: idOf(w.Method, request.URL), row: row}
	known[key] = t
	f.targets = append(f.targets, t)
	f.warn(warnings)
	f.prepareTarget(t, row)
	return nil
}

// warn keeps warnings, each text once.
func (f *frozen) warn(warnings []*fault.Error) {
	for _, w := range warnings {
		if !slices.ContainsFunc(f.warnings, func(o *fault.Error) bool { return o.Message == w.Message }) {
			f.warnings = append(f.warnings, w)
		}
	}
}

// prepareTarget gives a target what is to be done right before its call.
func (f *frozen) prepareTarget(t *target, row [][]byte) {
	w := f.write
	switch {
	case w.Merge:
		t.prepare = func(ctx context.Context) (string, error) { return "", f.merge(ctx, t, row) }
	case w.Recheck:
		t.prepare = func(ctx context.Context) (string, error) { return f.recheck(ctx, t) }
	}
	if name := w.NoneMatch(); w.Creates && name != "" && w.Conflict != plan.Overrule {
		t.call.Headers = append(t.call.Headers, provider.Argument{Name: name, Value: "*"})
	}
}

// read gives a target as the service has it now. The options are arguments that
// are asked with where the method takes them.
func (f *frozen) read(ctx context.Context, t *target, options ...provider.Argument) (rest.Result, error) {
	call := provider.Call{Method: f.write.Read}
	for _, o := range options {
		if p, ok := f.write.Read.Parameter(o.Name); ok && p.In == provider.InQuery {
			call.Arguments = append(call.Arguments, o)
		}
	}
	for _, a := range t.call.Arguments {
		if p, ok := f.write.Read.Parameter(a.Name); ok && (p.In != provider.InQuery || p.Required) {
			call.Arguments = append(call.Arguments, a)
		}
	}
	counted := f.meter.begin(nil)
	result, err := f.env.Client.Do(ctx, call)
	counted(rest.Page{Items: result.Items, Attempts: result.Attempts, Waited: result.Waited}, err, true)
	if err == nil && len(result.Items) != 1 {
		err = fault.New(fault.ReplyInvalid, "%d items came where one was asked for", len(result.Items)).On(f.write.Read.FullName())
	}
	return result, err
}

// merge makes the body of an UPDATE by PUT from what the service has.
func (f *frozen) merge(ctx context.Context, t *target, row [][]byte) error {
	result, err := f.read(ctx, t)
	if err != nil {
		return err
	}
	body, _, err := f.write.MergeBody(result.Items[0], row)
	if err != nil {
		return fault.From(err).On(f.write.Method.FullName())
	}
	t.call.Body = body
	if etag := etagOf(result); etag != "" {
		t.call.Headers = append(t.call.Headers, provider.Argument{Name: ifMatch, Value: etag})
	}
	return nil
}

const ifMatch = "If-Match"

// etagOf gives the version of an answer: its header, or the member in which
// some services have it.
func etagOf(r rest.Result) string {
	if r.ETag != "" {
		return r.ETag
	}
	var item struct{ Etag, ETag string }
	if json.Unmarshal(r.Items[0], &item) != nil {
		return ""
	}
	return item.ETag + item.Etag
}

// The words for targets that are not called.
const (
	outcomeChanged = "changed" // it is not what was selected any more
	outcomeGone    = "gone"    // it is not there any more
	outcomeExists  = "exists"  // there was nothing to create
)

// conflicts finds out which targets of an INSERT exist already, where the
// service would overwrite them without a word.
func (f *frozen) conflicts(ctx context.Context) error {
	w := f.write
	if !w.Creates || w.Conflict == plan.Overrule || w.NoneMatch() != "" {
		return nil
	}
	var errs sync.Map
	sideBySide(f.env.concurrency(), f.targets, func(t *target) {
		_, err := f.read(ctx, t)
		switch e := fault.As(err); {
		case err == nil:
			t.skipped = outcomeExists
		case e == nil || e.Code != fault.NotFound:
			errs.Store(t, err)
		}
	})
	for _, t := range f.targets {
		if err, failed := errs.Load(t); failed {
			return err.(error)
		}
		if t.skipped != "" && w.Conflict == plan.Refuse {
			return exists(w, t)
		}
	}
	return nil
}

// exists is the error for an INSERT of what is there already.
func exists(w *plan.Write, t *target) *fault.Error {
	return fault.New(fault.Exists, "%s exists already", t.id).On(w.Method.FullName()).
		WithHint("nothing was changed there; ON CONFLICT DO NOTHING passes it over, ON CONFLICT DO UPDATE writes the whole row in its place")
}

// sideBySide does something with each target, some at a time.
func sideBySide(width int, targets []*target, do func(*target)) {
	work := make(chan *target)
	var workers sync.WaitGroup
	for range min(width, len(targets)) {
		workers.Go(func() {
			for t := range work {
				do(t)
			}
		})
	}
	for _, t := range targets {
		work <- t
	}
	close(work)
	workers.Wait()
}

// judge says of a call that failed what its conditions mean. Where an earlier
// attempt may be the reason, that is said already.
func (f *frozen) judge(t *target) {
	e := fault.As(t.err)
	if e == nil || e.HTTP == nil || e.HTTP.Status != 412 || e.Code == fault.OutcomeUnknown {
		return
	}
	switch {
	case f.write.Merge && hasHeader(t.call, ifMatch):
		c := *e
		c.Message = t.id + " was changed by somebody else since it was read: the update would have been lost on one side"
		c.Hint = "nothing was changed there; run the statement again to apply it to what is there now"
		t.err = &c
	case f.write.Creates && hasHeader(t.call, f.write.NoneMatch()) && f.write.Conflict == plan.Keep:
		t.err, t.skipped = nil, outcomeExists
	case f.write.Creates && hasHeader(t.call, f.write.NoneMatch()):
		c := exists(f.write, t)
		c.HTTP = e.HTTP
		t.err = c
	}
}

func hasHeader(call provider.Call, name string) bool {
	return slices.ContainsFunc(call.Headers, func(a provider.Argument) bool { return a.Name == name })
}
