package plan

import (
	"fmt"
	"strings"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// ExplainedWrite is a write in the words of EXPLAIN.
type ExplainedWrite struct {
	Method     string              `json:"method"`
	Request    string              `json:"request"`
	Permission string              `json:"permission,omitempty"`
	Targets    *int                `json:"targets,omitempty"` // one call for each; absent: a query tells
	Arguments  []map[string]string `json:"arguments"`         // that the statement gives
	Rows       []string            `json:"rows,omitempty"`    // what the rows of the query give
	Body       string              `json:"body,omitempty"`
	Before     string              `json:"before,omitempty"` // what is asked about each target before its call
	Ordered    bool                `json:"ordered,omitempty"`
	Limit      *ExplainedLimit     `json:"limit,omitempty"`
}

// explainWrite gives the plan of a write in words: the scans that find its
// targets, and the calls.
func explainWrite(w *Write, facts Facts) Explained {
	x := Explained{Statement: "WRITE"}
	all := terms{}
	if w.Source != nil && len(w.Source.Scans) > 0 {
		x = explainQuery(w.Source, facts)
		x.Statement = "WRITE"
		x.Notes = []string{"the targets are all known before the first of them is called"}
		all = append(all, termsOf(w.Source, facts)...)
	}
	limit := provider.LimitOf(w.Method)
	e := &ExplainedWrite{
		Method: w.Method.FullName(), Request: facts.request(w.Method), Permission: provider.Permission(w.Method),
		Arguments: []map[string]string{}, Before: w.before(), Ordered: w.Ordered,
	}
	calls := -1
	own := term{rows: "targets", key: "targets", times: 1}
	if len(w.Arguments) > 0 || w.Rows >= 0 {
		e.Arguments = arguments(w.Arguments, w.Targets)
	}
	if w.Rows >= 0 {
		calls = w.Rows * len(w.Targets)
		e.Targets = &calls
		own = term{count: calls, known: true, times: 1}
	}
	if e.Before != "" && w.Unchecked == "" { // a call more for each
		if own.count *= 2; !own.known {
			own.times = 2
		}
	}
	x.Calls = new(ExplainedCalls)
	*x.Calls = append(all, own).explained()
	e.Limit = facts.limitOf(w.Method, subscriptions(limit, w.Arguments, w.Targets), calls)
	for _, c := range w.Columns {
		switch {
		case c.Parameter != nil:
			e.Rows = append(e.Rows, c.Parameter.Name)
		case len(c.Member.Path) == 0:
			e.Body = "given"
		case e.Body == "":
			e.Body = strings.Join(c.Member.Path, ".")
		default:
			e.Body += ", " + strings.Join(c.Member.Path, ".")
		}
	}
	if e.Body != "" {
		e.Body += ", checked against the request's schema"
	}
	x.Write = e
	return x
}

// termsOf gives the calls of a query as a sum.
func termsOf(q *Query, facts Facts) terms {
	all := terms{}
	seen := map[string]bool{}
	for _, s := range stepsOf(q.Scans) {
		if key := callsKey(s.scan); !seen[key] {
			seen[key] = true
			all = append(all, facts.calls(s.scan)...)
		}
	}
	return all
}

// before says what is asked about a target before its call.
func (w *Write) before() string {
	switch {
	case w.Merge:
		return "read by " + w.Read.Name + ", which tells what to send back with the change put in"
	case w.Creates && w.Conflict != syntax.Overrule && !declaresIfNoneMatch(w.Method):
		return "read by " + w.Read.Name + ": what exists is not overwritten"
	case w.Recheck:
		return w.again()
	case w.Unchecked != "":
		return "what the conditions say of the targets is not asked again: " + w.Unchecked
	}
	return ""
}

// write prints the calls of a write.
func (t *tree) write(w ExplainedWrite) {
	t.lines = append(t.lines, "└─ call "+w.Method)
	const indent = "      "
	t.fact(indent, "request", w.Request)
	targets := "one call for each row of the query, and no row twice"
	if w.Targets != nil {
		targets = fmt.Sprintf("%d, one call for each", *w.Targets)
	}
	if w.Ordered {
		targets += ", one after another"
	}
	t.fact(indent, "targets", targets)
	for i, text := range argumentTexts(w.Arguments) {
		t.fact(indent, unless(i > 0, "with"), text)
	}
	if len(w.Rows) > 0 {
		t.fact(indent, "from rows", strings.Join(w.Rows, ", "))
	}
	t.fact(indent, "body", w.Body)
	t.fact(indent, "before", w.Before)
	t.fact(indent, "limit", w.Limit.text())
	t.fact(indent, "permission", w.Permission)
}
