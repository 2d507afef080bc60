package journal

import (
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// Call is what is known of a write before it is sent.
type Call struct {
	Principal string // as far as it is known without a call
	Statement string // hash of the statement
	Method    string // provider.service.resource.method
	Verb      string // of HTTP
	URL       string // secrets masked
}

// Answer is what a write came to.
type Answer struct {
	Outcome   string // as in the rows of the statement
	Status    int    // of HTTP; 0: no answer came
	RequestID string
	Attempts  int // how often the request was sent
	Duration  time.Duration
	Principal string       // where it is known only now
	Operation string       // id in the journal of the operation that goes on
	Err       *fault.Error // why it is not done; may be nil
}

// Audit writes two records for every attempted write: one before the request is
// sent, one when its answer is there; and a third one at the end of a
// long-running operation. A call without a second record was cut off, and may
// have happened. It is safe for concurrent use.
type Audit struct{ log *log }

// auditRecord is a line of the file.
type auditRecord struct {
	Record       string  `json:"record"` // call, answer or operation
	ID           string  `json:"id"`     // the same for all records of a write
	Time         string  `json:"time"`
	Principal    string  `json:"principal,omitempty"`
	Statement    string  `json:"statement,omitempty"`
	Method       string  `json:"method,omitempty"`
	Verb         string  `json:"verb,omitempty"`
	URL          string  `json:"url,omitempty"`
	Outcome      string  `json:"outcome,omitempty"`
	Status       int     `json:"status,omitempty"`
	RequestID    string  `json:"request_id,omitempty"`
	Attempts     int     `json:"attempts,omitempty"`
	Milliseconds float64 `json:"duration_ms,omitempty"`
	Operation    string  `json:"operation,omitempty"`
	Code         string  `json:"code,omitempty"`
	Error        string  `json:"error,omitempty"`
}

// NewAudit makes an audit that adds to a file. Nothing is opened yet.
func NewAudit(path string) *Audit { return &Audit{newLog(path, "the audit file")} }

// Path gives the name of the file.
func (a *Audit) Path() string { return a.log.path }

// Ready tells whether records can be written. The error is a *fault.Error.
func (a *Audit) Ready() error { return a.told(a.log.open()) }

// Begin notes a call that is about to be made. It must not be made where that
// fails.
func (a *Audit) Begin(c Call) (id string, err error) {
	id = newID("w-")
	return id, a.told(a.log.add(auditRecord{
		Record: "call", ID: id, Time: now(), Principal: c.Principal, Statement: c.Statement,
		Method: c.Method, Verb: c.Verb, URL: c.URL,
	}))
}

// End notes the answer to a call.
func (a *Audit) End(id string, answer Answer) error { return a.add("answer", id, answer) }

// Operation notes the end of the operation that a call began.
func (a *Audit) Operation(id string, answer Answer) error { return a.add("operation", id, answer) }

func (a *Audit) add(record, id string, answer Answer) error {
	r := auditRecord{
		Record: record, ID: id, Time: now(), Principal: answer.Principal, Outcome: answer.Outcome, Status: answer.Status,
		RequestID: answer.RequestID, Attempts: answer.Attempts, Operation: answer.Operation,
		Milliseconds: float64(answer.Duration.Round(time.Millisecond/10)) / float64(time.Millisecond),
	}
	if answer.Err != nil {
		r.Code, r.Error = string(answer.Err.Code), answer.Err.Message
		if h := answer.Err.HTTP; h != nil && h.Code != "" {
			r.Error += ": " + h.Code
		}
	}
	return a.told(a.log.add(r))
}

// told makes the fault of a record that could not be written.
func (a *Audit) told(err error) error {
	if err == nil {
		return nil
	}
	return a.log.fault(err).WithHint("no write is called without its record: free the disk, or name another file with --audit")
}

// Close ends the writing.
func (a *Audit) Close() error { return a.log.close() }

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }
