package exec

import (
	"sync"
	"sync/atomic"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/journal"
	"github.com/planeql/planeql/internal/rest"
)

// Records is where writes leave traces that outlive the process.
type Records struct {
	Audit     *journal.Audit               // nil: none
	Journal   *journal.Journal             // nil: operations cannot be picked up
	Required  bool                         // nothing is called where the journal cannot be written
	Statement string                       // hash of the statement
	Principal func(provider string) string // who calls, as far as known; nil: not known
}

// ready makes sure that records can be written before anything is called.
func (r Records) ready() error {
	if r.Audit != nil {
		if err := r.Audit.Ready(); err != nil {
			return err
		}
	}
	if r.Journal != nil && r.Required {
		return r.Journal.Ready()
	}
	return nil
}

// Operations counts the long-running operations of a statement. All methods
// take a nil receiver.
type Operations struct{ begun, running atomic.Int64 }

// Counts gives how many have begun and how many of them go on.
func (o *Operations) Counts() (begun, running int) {
	if o == nil {
		return 0, 0
	}
	return int(o.begun.Load()), int(o.running.Load())
}

func (o *Operations) begin() {
	if o != nil {
		o.begun.Add(1)
		o.running.Add(1)
	}
}

func (o *Operations) end() {
	if o != nil {
		o.running.Add(-1)
	}
}

// recorder keeps the records of the calls of one statement.
type recorder struct {
	env Env

	mu     sync.Mutex
	broken error // why no record can be written any more: no further call is made
}

// begin records that a target is about to be called. An error forbids it.
func (r *recorder) begin(t *target) error {
	audit := r.env.Records.Audit
	if audit == nil || t.call.Method.ReadOnly {
		return nil
	}
	r.mu.Lock()
	broken := r.broken
	r.mu.Unlock()
	if broken != nil {
		return broken
	}
	verb, url, err := r.env.Client.Address(t.call)
	if err != nil {
		return err
	}
	t.audit, err = audit.Begin(journal.Call{
		Principal: r.principal(t), Statement: r.env.Records.Statement,
		Method: t.call.Method.FullName(), Verb: verb, URL: url,
	})
	return r.keep(err)
}

// keep remembers that records cannot be written.
func (r *recorder) keep(err error) error {
	if err != nil {
		r.mu.Lock()
		r.broken = err
		r.mu.Unlock()
	}
	return err
}

func (r *recorder) principal(t *target) string {
	if r.env.Records.Principal == nil {
		return ""
	}
	return r.env.Records.Principal(t.call.Method.Resource.Provider)
}

// answered records the answer to a call, and the operation that goes on behind
// it before anybody asks how it is.
func (r *recorder) answered(t *target) {
	if o := t.result.Operation; t.err == nil && o != nil && o.CanAwait() && r.env.Records.Journal != nil {
		id, err := r.env.Records.Journal.Begin(journal.Entry{
			Operation: *o, Target: t.id, Statement: r.env.Records.Statement, Audit: t.audit,
		})
		if err != nil {
			t.warn(fault.From(err))
		} else {
			t.operation = id
		}
	}
	if t.audit != "" {
		if err := r.keep(r.env.Records.Audit.End(t.audit, r.answer(t))); err != nil {
			t.warn(fault.From(err))
		}
	}
}

// answer gives what became of a call.
func (r *recorder) answer(t *target) journal.Answer {
	a := journal.Answer{
		Outcome: t.outcome(), Status: t.result.Status, RequestID: t.result.RequestID, Attempts: t.result.Attempts,
		Duration: t.result.Duration, Principal: r.principal(t), Operation: t.operation, Err: fault.As(t.err),
	}
	if a.Err != nil && a.Err.HTTP != nil {
		h := a.Err.HTTP
		a.Status, a.RequestID, a.Attempts = h.Status, h.RequestID, h.Attempts
	}
	return a
}

// changed keeps what has changed of an operation.
func (r *recorder) changed(t *target, o rest.Operation) {
	if t.operation != "" {
		// A state that is not kept is asked for again; new links are what another process needs.
		err := r.env.Records.Journal.Change(t.operation, o, *t.result.Operation)
		if err != nil && o.Moved(*t.result.Operation) {
			t.warn(fault.From(err))
		}
	}
	t.result.Operation = &o
}

// ended records the end of an operation, unless it goes on.
func (r *recorder) ended(t *target) {
	if f := fault.As(t.err); f != nil && f.Code == fault.StillRunning {
		return
	}
	message := ""
	if t.err != nil {
		message = fault.From(t.err).Error()
	}
	if t.operation != "" {
		if err := r.env.Records.Journal.End(t.operation, t.outcomeAt(true), message); err != nil {
			t.warn(fault.From(err))
		}
	}
	if t.audit != "" {
		answer := r.answer(t)
		answer.Outcome = t.outcomeAt(true)
		if err := r.keep(r.env.Records.Audit.Operation(t.audit, answer)); err != nil {
			t.warn(fault.From(err))
		}
	}
}

func (t *target) warn(f *fault.Error) { t.warnings = append(t.warnings, f) }
