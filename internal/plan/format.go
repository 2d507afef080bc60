package plan

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Explained is a plan in the form that EXPLAIN gives: as data for
// (FORMAT json), as lines by [Explained.Lines].
type Explained struct {
	Statement string          `json:"statement"`
	Scans     []ExplainedScan `json:"scans,omitempty"`
	Write     *ExplainedWrite `json:"write,omitempty"`
	Note      string          `json:"note,omitempty"`
}

// ExplainedScan is a scan in the words of EXPLAIN.
type ExplainedScan struct {
	Name       string              `json:"name"`
	Method     string              `json:"method"`
	Reason     string              `json:"reason"`
	Request    string              `json:"request"`
	Arguments  []map[string]string `json:"arguments"`
	Calls      string              `json:"calls"` // a number, or a formula of what is known later
	Pages      string              `json:"pages"`
	Spooled    bool                `json:"spooled"`
	Parameters []string            `json:"bound"`
	Sources    []ExplainedSource   `json:"sources,omitempty"`
}

// ExplainedSource is where a scan has arguments from that the statement does
// not give.
type ExplainedSource struct {
	Name  string         `json:"name"`            // of the scan whose rows give them
	Gives []string       `json:"gives,omitempty"` // the parameters
	Found *ExplainedScan `json:"found,omitempty"` // the listing that is made for it
}

// ExplainedWrite is a write in the words of EXPLAIN.
type ExplainedWrite struct {
	Method    string              `json:"method"`
	Request   string              `json:"request"`
	Targets   int                 `json:"targets"`
	Arguments []map[string]string `json:"arguments"`
	Body      string              `json:"body,omitempty"`
}

// Explain gives a plan in words. It makes no call. endpoint gives the base URL
// that replaces the server of a provider's documents, or "".
func Explain(plan any, endpoint func(provider string) string) Explained {
	switch p := plan.(type) {
	case *Query:
		x := Explained{Statement: "SELECT", Note: "all conditions are also evaluated by DuckDB"}
		if p.Verb != "" {
			x.Statement = p.Verb
		}
		for _, s := range p.Scans {
			x.Scans = append(x.Scans, explainScan(s, endpoint))
		}
		if len(p.Scans) == 0 {
			x.Note = "DuckDB alone: no resource is read"
		}
		return x
	case *Write:
		w := &ExplainedWrite{
			Method: p.Method.FullName(), Request: request(p.Method, endpoint), Targets: len(p.Targets),
			Arguments: arguments(p.Arguments, p.Targets),
		}
		if p.Body != nil || len(p.Members) > 0 {
			w.Body = "given, checked against the request's schema"
		}
		return Explained{Statement: "WRITE", Write: w}
	}
	if plan == nil {
		return Explained{Statement: "DUCKDB", Note: "DuckDB alone: no resource is read or changed"}
	}
	return Explained{Statement: "CATALOG", Note: "answered from the provider documents"}
}

func explainScan(s *Scan, endpoint func(string) string) ExplainedScan {
	x := ExplainedScan{
		Name: s.Name, Method: s.Method.FullName(), Reason: s.Reason, Request: request(s.Method, endpoint),
		Arguments: arguments(s.Arguments, s.Tuples), Calls: callsOf(s), Spooled: s.Spool,
		Parameters: s.Arguments, Pages: "read ahead, side by side",
	}
	switch {
	case len(s.Method.Response.ItemsPath) == 0 && s.Method.NextLink == "":
		x.Pages = "one answer a call"
	case s.Gentle:
		x.Pages = "read one by one: a LIMIT may end the list early"
	}
	if s.Same != nil {
		x.Reason, x.Calls = "the same calls as "+s.Same.Name+", made once", "0"
		return x
	}
	if s.Feed == nil {
		return x
	}
	for i, src := range s.Feed.Sources {
		e := ExplainedSource{Name: src.Scan.Name}
		for j, from := range s.Feed.From {
			if from == i {
				e.Gives = append(e.Gives, s.Arguments[s.Feed.Columns[j]])
			}
		}
		if src.Found {
			found := explainScan(src.Scan, endpoint)
			e.Found = &found
		}
		x.Sources = append(x.Sources, e)
	}
	return x
}

// callsOf gives the number of a scan's calls, those of the listings that find
// its arguments included, each further page aside. What is not known before the
// calls stands there by name.
func callsOf(s *Scan) string {
	if s.Feed == nil {
		return strconv.Itoa(len(s.Tuples))
	}
	var parts []string
	for _, src := range s.Feed.Sources {
		if src.Found {
			parts = append(parts, callsOf(src.Scan))
		}
	}
	if len(s.Feed.Sources) == 1 {
		return strings.Join(append(parts, s.Feed.Sources[0].Scan.Name), " + ")
	}
	return strings.Join(append(parts, "distinct arguments"), " + ")
}

// request gives the request of a method as a template.
func request(m *provider.Method, endpoint func(string) string) string {
	query := url.Values{}
	for _, c := range m.Constants {
		query.Add(c.Name, c.Value)
	}
	server := m.Server
	if other := endpoint(m.Resource.Provider); other != "" {
		server = other
	}
	text := m.HTTPMethod + " " + server + m.Path
	if len(query) > 0 {
		text += "?" + query.Encode()
	}
	return text
}

// arguments gives the tuples as maps from parameter to value.
func arguments(names []string, tuples []Tuple) []map[string]string {
	list := []map[string]string{}
	for _, t := range tuples {
		values := map[string]string{}
		for i, v := range t {
			switch {
			case v == nil:
			case v.Expression != nil:
				values[names[i]] = expressionText
			default:
				values[names[i]] = v.Text
			}
		}
		list = append(list, values)
	}
	return list
}

// expressionText stands for a value that is not known before the statement
// runs.
const expressionText = "(an expression, evaluated before the first call)"

// manyArguments is how many tuples of arguments EXPLAIN prints.
const manyArguments = 5

// Lines gives the plan as a tree for a person.
func (x Explained) Lines() []string {
	lines := []string{x.Statement}
	for _, s := range x.Scans {
		lines = append(lines, s.lines("└─ scan "+s.Name, "")...)
	}
	if w := x.Write; w != nil {
		lines = append(lines, "└─ call "+w.Method, "     request  "+w.Request, fmt.Sprintf("     targets  %d", w.Targets))
		lines = append(lines, argumentLines(w.Arguments)...)
		if w.Body != "" {
			lines = append(lines, "     body     "+w.Body)
		}
	}
	if x.Note != "" {
		lines = append(lines, "   "+x.Note)
	}
	return append(lines, "   no request was sent for this plan")
}

// lines gives a scan as a branch of the tree.
func (s ExplainedScan) lines(title, indent string) []string {
	lines := []string{
		indent + title + ": " + s.Method,
		indent + "     request  " + s.Request, indent + "     chosen   " + s.Reason,
	}
	for _, l := range argumentLines(s.Arguments) {
		lines = append(lines, indent+l)
	}
	for _, src := range s.Sources {
		if len(src.Gives) > 0 {
			lines = append(lines, indent+"     from     "+src.Name+": "+strings.Join(src.Gives, ", "))
		}
	}
	further := ""
	if s.Pages != "one answer a call" {
		further = ", and one more for each further page"
	}
	lines = append(lines, indent+"     calls    "+s.Calls+further, indent+"     pages    "+s.Pages)
	if s.Spooled {
		lines = append(lines, indent+"     spooled  the statement may read it more than once: its rows are kept first")
	}
	for _, src := range s.Sources {
		if src.Found != nil {
			lines = append(lines, src.Found.lines("└─ find "+src.Name, indent+"     ")...)
		}
	}
	return lines
}

func argumentLines(list []map[string]string) []string {
	var lines []string
	for i, values := range list {
		if len(values) == 0 {
			continue
		}
		if i == manyArguments {
			return append(lines, fmt.Sprintf("     with     … and %d more", len(list)-i))
		}
		var parts []string
		for _, name := range sortedKeys(values) {
			text := values[name]
			if text != expressionText {
				text = syntax.QuoteText(text)
			}
			parts = append(parts, name+" = "+text)
		}
		if len(parts) > 0 {
			lines = append(lines, "     with     "+strings.Join(parts, ", "))
		}
	}
	return lines
}

// JSON gives the plan as an indented JSON text.
func (x Explained) JSON() (string, error) {
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return "", fault.Bug("a plan cannot be written as JSON: %v", err)
	}
	return string(text), nil
}
