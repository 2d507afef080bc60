package exec

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// OutcomeColumns are the columns of the rows of outcome.
var OutcomeColumns = []duck.Column{
	{Name: "id", Type: "VARCHAR"}, {Name: "outcome", Type: "VARCHAR"}, {Name: "status", Type: "INTEGER"},
	{Name: "duration", Type: "DOUBLE"}, {Name: "request_id", Type: "VARCHAR"}, {Name: "operation", Type: "VARCHAR"},
}

// outcomeRows gives one row per target: what was acted on, what became of it, the
// HTTP status, seconds, the id that the service's support asks for, and the
// name of a long-running operation in the journal.
func outcomeRows(targets []*target) [][]any {
	var rows [][]any
	for _, t := range targets {
		rows = append(rows, t.outcomeRow())
	}
	return rows
}

func (t *target) outcomeRow() []any {
	row := []any{t.id, t.outcome(), nil, nil, nil, nil}
	if t.operation != "" {
		row[5] = t.operation
	}
	status, request := t.result.Status, t.result.RequestID
	if e := fault.As(t.err); e != nil && e.HTTP != nil && status == 0 {
		status, request = e.HTTP.Status, e.HTTP.RequestID
	}
	if status == 0 {
		return row // it was not called, or nothing was answered
	}
	row[2] = int64(status)
	if t.err == nil || t.operation != "" {
		row[3] = t.result.Duration.Round(time.Millisecond).Seconds()
	}
	if request != "" {
		row[4] = request
	}
	return row
}

// outcome names what became of a target.
func (t *target) outcome() string { return t.outcomeAt(false) }

// outcomeAt does so; over says that the operation of the target has ended.
func (t *target) outcomeAt(over bool) string {
	switch {
	case t.err != nil:
		return failedOutcome(t.err)
	case t.skipped != "":
		return t.skipped
	case t.result.Operation != nil && !over:
		return "accepted" // the service goes on with it after its answer
	}
	return "done"
}

// failedOutcome names the outcome of a target with an error. What was not sent
// has not been called; where nobody can tell what the service did, that is said.
func failedOutcome(err error) string {
	e := fault.From(err)
	switch {
	case e.Code == fault.OutcomeUnknown || e.Code == fault.ReplyInvalid:
		return "unknown"
	case e.Code == fault.StillRunning:
		return "accepted"
	case e.Code == fault.Cancelled || e.Code == fault.RecordFailed || e.Code == fault.LimitReached && (e.HTTP == nil || e.HTTP.Status == 0):
		return "not called"
	}
	return "failed"
}

var requestColumns = []duck.Column{{Name: "method", Type: "VARCHAR"}, {Name: "url", Type: "VARCHAR"}, {Name: "body", Type: "JSON"}}

// dryRun gives the exact requests, secrets masked.
func dryRun(targets []*target, env Env) (*Rows, error) {
	var rows [][]any
	for _, t := range targets {
		p, err := env.Client.Preview(t.call)
		if err != nil {
			return nil, err
		}
		row := []any{p.Method, p.URL, nil}
		if p.Body != nil {
			row[2] = json.RawMessage(p.Body)
		}
		rows = append(rows, row)
	}
	return List(requestColumns, rows), nil
}

// idOf gives the path of what a call acts on, as a person writes it, without
// escapes. The word at the end of an action's path is not part of it.
func idOf(m *provider.Method, text string) string {
	path, _, _ := strings.Cut(text, "?")
	if u, err := url.Parse(text); err == nil {
		path = u.Path
	}
	if i := strings.LastIndexByte(path, '/'); i > 0 && m.HTTPMethod == "POST" && !strings.HasSuffix(m.Path, "}") {
		path = path[:i]
	}
	return path
}
