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
	{Name: "duration", Type: "DOUBLE"}, {Name: "request_id", Type: "VARCHAR"},
}

// outcomeRows gives one row per target: what was acted on, what became of it, the
// HTTP status, seconds, and the id that the service's support asks for.
func outcomeRows(targets []*target) [][]any {
	var rows [][]any
	for _, t := range targets {
		row := []any{t.id, "done", nil, nil, nil}
		if t.err != nil {
			row[1] = failedOutcome(t.err)
			if e := fault.As(t.err); e != nil && e.HTTP != nil {
				row[2], row[4] = int64(e.HTTP.Status), e.HTTP.RequestID
			}
			rows = append(rows, row)
			continue
		}
		if t.skipped != "" {
			row[1] = t.skipped
			rows = append(rows, row)
			continue
		}
		if t.result.Accepted {
			row[1] = "accepted" // the service goes on with it after its answer
		}
		row[2] = int64(t.result.Status)
		row[3] = t.result.Duration.Round(time.Millisecond).Seconds()
		if t.result.RequestID != "" {
			row[4] = t.result.RequestID
		}
		rows = append(rows, row)
	}
	return rows
}

func failedOutcome(err error) string {
	e := fault.As(err)
	switch {
	case e == nil:
		return "failed"
	case e.Code == fault.OutcomeUnknown:
		return "unknown"
	case e.Scope == fault.Interrupt:
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
