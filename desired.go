package planeql

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/desired"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/internal/transport"
)

// Change is a member of a resource that is to have another value.
type Change = desired.Change

// The actions of a [Step].
const (
	ActionCreate = "create"
	ActionChange = "change"
	ActionDelete = "delete"
	ActionNone   = "none" // it is as stated
)

// Step is a resource that statements say something of, with what is to be done
// so that it is so.
type Step struct {
	Action   string
	Resource string // provider.service.resource
	ID       string
	Changes  []Change
	Unread   []string // stated members that the service does not show: nothing tells whether they differ
	Beside   []string // members that are not stated and that the service may set back, since the whole is replaced
	Place    string   // of the statement: file:line:column

	stated *exec.Stated
	span   fault.Span
	wave   int // steps of one wave can be taken side by side
}

// Desired is what statements say that there should be, beside what there is. Its
// steps stand in the order in which they can be taken.
type Desired struct {
	Steps    []Step
	Warnings []*Error // about the statements

	session  *Session
	writes   []*stateWrite
	after    []*syntax.Statement // checks of what is there once the steps are taken
	teardown bool
}

// stateWrite is a statement that says what there should be.
type stateWrite struct {
	plan *plan.Write
	hash string // of the statement, for records
	span fault.Span
	made bool // it makes what it states: a teardown takes that away
}

// Plan finds out what is to be done so that what statements state is so: REPLACE,
// INSERT … ON CONFLICT and DELETE on resources. Nothing is changed. CHECK before
// the first of them has to hold now, CHECK behind it once all are applied; USE,
// SET VARIABLE, and tables of the session serve them.
func (s *Session) Plan(ctx context.Context, statements []*Statement) (*Desired, error) {
	d := &Desired{session: s}
	ctx, stop := s.watched(ctx)
	defer stop()
	if err := d.read(ctx, statements); err != nil {
		return nil, err
	}
	if err := d.compare(ctx); err != nil {
		return nil, err
	}
	if d.Pending() == 0 {
		return d, d.check(ctx)
	}
	return d, nil
}

// PlanTeardown finds out what is to be deleted so that nothing is left of what
// INSERT and REPLACE INTO state.
func (s *Session) PlanTeardown(ctx context.Context, statements []*Statement) (*Desired, error) {
	d := &Desired{session: s, teardown: true}
	ctx, stop := s.watched(ctx)
	defer stop()
	if err := d.read(ctx, statements); err != nil {
		return nil, err
	}
	return d, d.compare(ctx)
}

// Pending gives the number of steps that change something.
func (d *Desired) Pending() int { return len(d.Steps) - d.Count(ActionNone) }

// Teardown tells whether the steps take away what is stated.
func (d *Desired) Teardown() bool { return d.teardown }

// Count gives the number of steps of an action.
func (d *Desired) Count(action string) int {
	n := 0
	for _, s := range d.Steps {
		if s.Action == action {
			n++
		}
	}
	return n
}

// read plans the statements that state something and runs the others.
func (d *Desired) read(ctx context.Context, statements []*Statement) error {
	for _, st := range statements {
		if err := foreign(st.inner); err != nil {
			return err
		}
	}
	o := &d.session.settings
	defer func(before OnError) { o.onError = before }(o.onError)
	o.onError = Fail // what could not be read may differ
	for _, st := range statements {
		if err := d.statement(ctx, st); err != nil {
			return st.Locate(fault.From(err))
		}
	}
	if len(d.writes) == 0 {
		return fault.New(fault.SyntaxError, "no statement says what there should be").
			WithHint("state resources by REPLACE INTO, INSERT … ON CONFLICT DO UPDATE, and DELETE for what should be gone")
	}
	return nil
}

// foreign gives the error for a statement that cannot be one of what there should
// be.
func foreign(st *syntax.Statement) error {
	what := ""
	switch head := st.Head.(type) {
	case syntax.Query, syntax.Show, syntax.Describe, syntax.Explain, syntax.Copy, syntax.OnError, syntax.Exec:
		what = strings.ToUpper(st.Tokens[0].Text)
	case syntax.Update:
		if !head.Replace {
			what = "UPDATE"
		}
	case syntax.SetVariable:
		if head.Write != nil {
			what = "a write in SET VARIABLE"
		}
	}
	if what == "" {
		return nil
	}
	return fault.New(fault.NotSupported, "%s does not say what there should be", what).At(st.Text.Span(0, len(st.Tokens[0].Text))).
		WithHint("REPLACE INTO, INSERT … ON CONFLICT DO UPDATE, DELETE and CHECK do; planeql exec runs other statements")
}

// statement takes one statement.
func (d *Desired) statement(ctx context.Context, st *Statement) error {
	if _, is := st.inner.Head.(syntax.Check); is {
		if len(d.writes) > 0 {
			d.after = append(d.after, st.inner)
			return nil
		}
		if d.teardown {
			return nil
		}
	}
	local, err := d.session.localWrite(ctx, st.inner)
	if err != nil {
		return err
	}
	switch head := local.Head.(type) {
	case syntax.Insert:
		if !head.Replace && head.Conflict == syntax.Refuse {
			return fault.New(fault.NotSupported, "INSERT alone says nothing of what is there already").
				WithHint("ON CONFLICT DO UPDATE keeps it as stated, ON CONFLICT DO NOTHING leaves it as it is")
		}
		return d.write(ctx, local, true)
	case syntax.Update, syntax.Delete:
		return d.write(ctx, local, false)
	}
	rows, err := d.session.Run(ctx, st)
	_, err = d.session.drain(Summary{}, rows, err)
	return err
}

// write plans a statement that states something.
func (d *Desired) write(ctx context.Context, st *syntax.Statement, made bool) error {
	if _, err := st.Bind(nil); err != nil {
		return err // a ? without a value
	}
	built, err := d.session.build(ctx, st)
	if err != nil {
		return err
	}
	w, ok := built.(*plan.Write)
	if !ok {
		return fault.Bug("a statement about a resource without a plan of a write: %T", built)
	}
	span := st.Text.Span(0, len(st.Text.Text))
	switch {
	case w.Read == nil:
		return fault.New(fault.NotSupported, "nothing reads what %s writes, so that nothing tells whether it is so", w.Method.FullName()).
			On(w.Method.FullName()).WithHint("planeql exec runs the statement")
	case w.Returning != nil:
		return fault.New(fault.NotSupported, "RETURNING has no meaning where nothing may be written").WithHint("leave it out")
	case d.teardown && made && w.Deleter() == nil:
		return fault.New(fault.NotSupported, "nothing deletes what %s makes", w.Method.FullName()).On(w.Method.FullName()).
			WithHint("SHOW METHODS IN %s lists what can be done with it", w.Method.Resource.Path())
	}
	w.Recheck = false // it is read anew right before
	d.writes = append(d.writes, &stateWrite{plan: w, hash: hashOf(st), span: span, made: made})
	return nil
}

// compare reads what there is and finds the steps.
func (d *Desired) compare(ctx context.Context) error {
	d.Steps, d.Warnings = nil, nil
	for _, w := range d.writes {
		if d.teardown && !w.made {
			continue
		}
		if err := d.steps(ctx, w); err != nil {
			return err
		}
	}
	return d.order()
}

// steps finds the steps of one statement.
func (d *Desired) steps(ctx context.Context, w *stateWrite) error {
	ctx, end := d.session.limited(ctx)
	defer end()
	env, err := d.session.env(ctx)
	if err != nil {
		return err
	}
	env.Skip = false // what could not be read may differ
	env.Records.Statement = w.hash
	list, warnings, err := exec.State(ctx, w.plan, env)
	d.Warnings = append(d.Warnings, warnings...)
	if err != nil {
		return fault.From(d.session.explainEnd(ctx, err)).At(w.span)
	}
	for _, stated := range list {
		step, err := d.step(w, stated)
		if err != nil {
			return fault.From(err).At(w.span)
		}
		d.Steps = append(d.Steps, step)
	}
	return nil
}

// limited bounds what is done for one statement, as Run does.
func (s *Session) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := s.bound(ctx)
	return tallied(ctx, transport.NewTally(transport.Limits{Calls: s.settings.maxCalls})), cancel
}

// step compares what a statement says of one resource with what there is.
func (d *Desired) step(w *stateWrite, stated *exec.Stated) (Step, error) {
	s := Step{
		Action: ActionNone, Resource: w.plan.Method.Resource.Path(), ID: stated.ID, stated: stated, span: w.span,
		Place: w.span.Place(),
	}
	gone := d.teardown || w.plan.Verb == provider.Delete
	if gone {
		if stated.Item != nil {
			s.Action = ActionDelete
		}
		return s, nil
	}
	if stated.Item != nil && w.plan.Conflict == plan.Keep {
		return s, nil
	}
	found, err := desired.Compare(body(stated), stated.Item, schemas(w.plan))
	if err != nil {
		return s, fault.Bug("a resource cannot be compared: %v", err)
	}
	s.Changes, s.Unread = found.Changes, found.Unread
	switch {
	case stated.Item == nil:
		s.Action = ActionCreate
	case len(found.Changes) > 0:
		s.Action = ActionChange
		if w.plan.Verb == provider.Replace {
			s.Beside = found.Beside
		}
	}
	return s, nil
}

// body gives what a statement says; one without members says that there is one.
func body(s *exec.Stated) []byte {
	if s.Body == nil {
		return []byte("{}")
	}
	return s.Body
}

// schemas gives what the members of a resource mean.
func schemas(w *plan.Write) desired.Schemas {
	var s desired.Schemas
	if w.Method.Body != nil {
		s.Request = w.Method.Body.Schema
	}
	if !w.Read.Response.Flatten { // else the schema is not that of the wire
		s.Answer = w.Read.Response.Item
	}
	return s
}

// order puts the steps in the order in which they can be taken.
func (d *Desired) order() error {
	list := make([]desired.Step, len(d.Steps))
	for i, s := range d.Steps {
		both := schemas(s.stated.Write)
		list[i] = desired.Step{
			ID: s.ID, Span: s.span, Deletes: d.teardown || s.stated.Write.Verb == provider.Delete,
			Names: desired.References(body(s.stated), both.Request), Named: desired.References(s.stated.Item, both.Answer),
		}
	}
	waves, err := desired.Order(list)
	if err != nil {
		return err
	}
	sorted := make([]Step, 0, len(list))
	for n, wave := range waves {
		for _, i := range wave {
			d.Steps[i].wave = n
			sorted = append(sorted, d.Steps[i])
		}
	}
	d.Steps = sorted
	return nil
}

// check runs the checks of what should be there in the end.
func (d *Desired) check(ctx context.Context) error {
	if d.teardown {
		return nil
	}
	for _, st := range slices.Clone(d.after) {
		rows, err := d.session.Run(ctx, &Statement{st})
		if _, err = d.session.drain(Summary{}, rows, err); err != nil {
			return err
		}
	}
	return nil
}

// Taken is told of each step that was taken, or failed, one at a time.
type Taken func(step Step, took time.Duration, err error)

// Apply takes the steps in their order, those that do not need each other side by
// side, and goes no further than the first that fails. Then it reads everything again: what still differs, and a check that does not
// hold, is an error. Read-only sessions, the bound of targets and confirmation
// hold for the steps as for the targets of a write.
func (d *Desired) Apply(ctx context.Context, told Taken) error {
	n := d.Pending()
	ctx, stop := d.session.watched(ctx)
	defer stop()
	if n > 0 {
		if err := d.guard(ctx, n); err != nil {
			return err
		}
		if err := d.take(ctx, told); err != nil {
			return err
		}
	}
	if err := d.compare(ctx); err != nil {
		return err
	}
	if d.Pending() > 0 {
		return d.left(n)
	}
	if n == 0 && !d.teardown {
		return nil // its checks were made by Plan
	}
	return d.check(ctx)
}

// sideBySide bounds how many steps are taken at a time.
const sideBySide = 8

// take takes the steps, wave by wave. A step that fails ends it when the others
// of its wave are done.
func (d *Desired) take(ctx context.Context, told Taken) error {
	var mutex sync.Mutex
	var first error
	done := 0
	each := func(step Step) {
		started := time.Now()
		err := d.takeOne(ctx, step)
		mutex.Lock()
		defer mutex.Unlock()
		told(step, time.Since(started), err)
		switch {
		case err == nil:
			done++
		case first == nil:
			first = fault.From(err).At(step.span)
		}
	}
	for at := 0; at < len(d.Steps) && first == nil; {
		var wave sync.WaitGroup
		places := make(chan struct{}, sideBySide)
		for n := d.Steps[at].wave; at < len(d.Steps) && d.Steps[at].wave == n; at++ {
			if step := d.Steps[at]; step.Action != ActionNone {
				places <- struct{}{}
				wave.Go(func() {
					each(step)
					<-places
				})
			}
		}
		wave.Wait()
	}
	if n := d.Pending(); first != nil && n > 1 {
		return fault.From(first).WithHint("%d of %d steps were taken; run it again when the cause is gone: what is as stated is left alone", done, n)
	}
	return first
}

func (d *Desired) takeOne(ctx context.Context, step Step) error {
	ctx, end := d.session.limited(ctx)
	defer end()
	var err error
	switch {
	case d.teardown:
		err = step.stated.Remove(ctx, step.stated.Write.Deleter())
	default:
		err = step.stated.Make(ctx)
	}
	if err != nil {
		return d.session.explainEnd(ctx, err)
	}
	return nil
}

// guard refuses steps that the user's limits do not allow.
func (d *Desired) guard(ctx context.Context, n int) error {
	o := d.session.settings
	switch {
	case o.readOnly:
		return fault.New(fault.ReadOnly, "%s to be taken and the run is read-only", areSteps(n)).
			WithHint("planeql plan shows them; leave --read-only out to allow them")
	case o.maxTargets > 0 && n > o.maxTargets:
		return fault.New(fault.LimitReached, "%s to be taken, more than the %d that --max-targets allows", areSteps(n), o.maxTargets).
			WithHint("nothing was changed; --max-targets %d allows them", n)
	case o.yes:
		return nil
	}
	refusal := fault.New(fault.ConfirmationNeeded, "%s to be taken and nobody confirmed it", areSteps(n)).
		WithHint("nothing was changed; confirm with --yes")
	if o.confirm == nil {
		return refusal
	}
	c := Confirmation{Method: "as listed above", Count: n}
	ok, err := o.confirm(ctx, c)
	if err == nil && !ok {
		err = refusal
	}
	return err
}

func areSteps(n int) string {
	if n == 1 {
		return "1 step is"
	}
	return strconv.Itoa(n) + " steps are"
}

// left is the error for what still differs after all steps were taken.
func (d *Desired) left(taken int) error {
	var lines []string
	for _, s := range d.Steps {
		if s.Action == ActionNone {
			continue
		}
		line := s.Action + " " + s.ID
		for _, c := range s.Changes {
			if s.Action == ActionChange {
				line += "\n  " + c.Member + " is " + string(orNull(c.From)) + ", not " + string(orNull(c.To))
			}
		}
		lines = append(lines, line)
	}
	return fault.New(fault.CheckFailed, "%d steps were taken, and %d resources are still not as stated", taken, len(lines)).
		WithDetail("%s", strings.Join(lines, "\n")).
		WithHint("run it again if a statement reads what another one makes, or if the service takes its time; else it does not keep what was stated")
}

func orNull(text []byte) []byte {
	if text == nil {
		return []byte("null")
	}
	return text
}
