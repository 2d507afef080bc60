package journal

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/rest"
)

// Journal keeps the long-running operations that writes began, with all that is
// needed to ask for their outcome. Its links act on their own, so only the
// owner may read the file, and nothing of them is shown. It is safe for
// concurrent use, by several processes too.
type Journal struct{ log *log }

// Entry is an operation in the journal.
type Entry struct {
	ID        string
	Operation rest.Operation
	Target    string // path of what is acted on
	Statement string // hash of the statement
	Audit     string // id in the audit of the call that began it; empty: there was none
	Outcome   string // done or failed; empty: nobody has seen its end
	Message   string // why it failed
	Ended     time.Time
}

// journalRecord is a line of the file: the beginning of an operation, a change
// of it, or its end.
type journalRecord struct {
	ID        string          `json:"id"`
	Record    string          `json:"record"` // begin, change or end
	Time      time.Time       `json:"time"`
	Target    string          `json:"target,omitempty"`
	Statement string          `json:"statement,omitempty"`
	Audit     string          `json:"audit,omitempty"`
	Operation *rest.Operation `json:"operation,omitempty"`
	State     string          `json:"state,omitempty"` // where nothing else of the operation has changed
	Outcome   string          `json:"outcome,omitempty"`
	Message   string          `json:"message,omitempty"`
}

// New makes a journal in a file. Nothing is opened yet.
func New(path string) *Journal {
	l := newLog(path, "the journal")
	l.keep = usualBounds
	return &Journal{l}
}

// Path gives the name of the file.
func (j *Journal) Path() string { return j.log.path }

// Ready tells whether records can be written. The error is a *fault.Error.
func (j *Journal) Ready() error { return j.told(j.log.open()) }

// Begin keeps an operation and gives the name by which it can be picked up.
func (j *Journal) Begin(e Entry) (id string, err error) {
	id = newID("op-")
	return id, j.told(j.log.add(journalRecord{
		ID: id, Record: "begin", Time: time.Now().UTC(), Target: e.Target, Statement: e.Statement, Audit: e.Audit, Operation: &e.Operation,
	}))
}

// Change keeps the state of an operation, and its newer links where it has
// moved since before.
func (j *Journal) Change(id string, o, before rest.Operation) error {
	r := journalRecord{ID: id, Record: "change", Time: time.Now().UTC(), State: o.Status}
	if o.Moved(before) {
		r.Operation = &o
	}
	return j.told(j.log.add(r))
}

// End keeps the outcome of an operation.
func (j *Journal) End(id, outcome, message string) error {
	return j.told(j.log.add(journalRecord{ID: id, Record: "end", Time: time.Now().UTC(), Outcome: outcome, Message: message}))
}

// Entries gives all operations in the order in which they began.
func (j *Journal) Entries() ([]Entry, error) {
	text, err := j.log.text()
	return entriesOf(text), err
}

// entriesOf reads the text of a journal.
func entriesOf(text []byte) []Entry {
	var order []string
	found := map[string]*Entry{}
	records(text, func(line []byte) {
		var r journalRecord
		if json.Unmarshal(line, &r) != nil || r.ID == "" {
			return
		}
		e := found[r.ID]
		if e == nil {
			if r.Record != "begin" || r.Operation == nil {
				return
			}
			e = &Entry{ID: r.ID, Target: r.Target, Statement: r.Statement, Audit: r.Audit}
			found[r.ID], order = e, append(order, r.ID)
		}
		if r.Operation != nil {
			e.Operation = *r.Operation
		}
		if r.State != "" {
			e.Operation.Status = r.State
		}
		if r.Record == "end" {
			e.Outcome, e.Message, e.Ended = r.Outcome, r.Message, r.Time
		}
	})
	entries := make([]Entry, len(order))
	for i, id := range order {
		entries[i] = *found[id]
	}
	return entries
}

// Find gives the operations with the names, or all that nobody has seen the
// end of where no name is given.
func (j *Journal) Find(ids ...string) ([]Entry, error) {
	all, err := j.Entries()
	if err != nil {
		return nil, err
	}
	var found []Entry
	for _, e := range all {
		if slices.Contains(ids, e.ID) || len(ids) == 0 && e.Outcome == "" {
			found = append(found, e)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(e Entry) bool { return e.ID == id }) {
			return nil, fault.New(fault.InvalidValue, "the journal has no operation %q", id).
				WithHint("planeql operations list shows them; the journal is %s", j.log.path)
		}
	}
	return found, nil
}

func (j *Journal) told(err error) error {
	if err == nil {
		return nil
	}
	return j.log.fault(err).WithHint("without it no operation can be picked up later; name another file with --journal")
}

// Close ends the writing.
func (j *Journal) Close() error { return j.log.close() }
