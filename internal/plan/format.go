package plan

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Explained is a plan in the form that EXPLAIN gives: as data for
// (FORMAT json), as a tree by [Explained.Lines].
type Explained struct {
	Statement string             `json:"statement"`
	Calls     *ExplainedCalls    `json:"calls,omitempty"` // of all scans; calls that are the same count once
	Scans     []ExplainedScan    `json:"scans,omitempty"` // in the order in which they can run
	Write     *ExplainedWrite    `json:"write,omitempty"`
	Notes     []string           `json:"notes,omitempty"`
	Measured  *ExplainedMeasured `json:"measured,omitempty"` // by EXPLAIN ANALYZE

	plans []*Scan // of Scans
}

// ExplainedScan is a scan in the words of EXPLAIN.
type ExplainedScan struct {
	Step       int                  `json:"step"`   // from 1
	Name       string               `json:"name"`   // how the statement calls it
	Finds      bool                 `json:"finds"`  // it is made to find arguments: the statement does not read its rows
	FedBy      []int                `json:"fed_by"` // steps whose rows give it arguments
	Method     string               `json:"method"`
	Reason     string               `json:"reason"`
	Request    string               `json:"request"`              // a template
	Permission string               `json:"permission,omitempty"` // that each call needs
	Parameters []ExplainedParameter `json:"parameters"`
	Arguments  []map[string]string  `json:"arguments"` // combinations of values that the statement gives
	Binds      []string             `json:"binds"`     // conditions that fix arguments
	Narrows    []string             `json:"narrows"`   // conditions that are asked of the rows that feed it, before the calls
	Filters    []string             `json:"filters"`   // conditions that DuckDB alone evaluates
	Calls      ExplainedCalls       `json:"calls"`
	SameAs     int                  `json:"same_as,omitempty"` // an earlier step whose calls are the same: they are made once
	Pages      string               `json:"pages"`
	Spooled    bool                 `json:"spooled"`
	Limit      *ExplainedLimit      `json:"limit,omitempty"` // of the service
	Measured   *ExplainedMeasured   `json:"measured,omitempty"`
}

// ExplainedParameter is a parameter and where its values come from.
type ExplainedParameter struct {
	Name   string   `json:"name"`
	Source string   `json:"source"` // "value", "list" of values, "expression", "rows" of another scan or table, "found" by a listing
	Values []string `json:"values,omitempty"`
	From   string   `json:"from,omitempty"` // the columns of the rows
}

// ExplainedCalls is a number of calls as far as it is known, each further page
// of a list aside.
type ExplainedCalls struct {
	Formula string `json:"formula"`
	Count   *int   `json:"count,omitempty"`   // absent: not known before the calls
	AtMost  bool   `json:"at_most,omitempty"` // there may be fewer than Count

	each string // it is one for each row of this scan
}

// ExplainedLimit is a limit that the service publishes.
type ExplainedLimit struct {
	Name      string   `json:"name"`
	AtOnce    int      `json:"at_once"`
	PerSecond float64  `json:"per_second"`
	Calls     int      `json:"calls,omitempty"`     // that are counted against one such limit
	Seconds   *float64 `json:"seconds,omitempty"`   // that they take at least; absent where the calls are not known
	UpTo      bool     `json:"up_to,omitempty"`     // the calls may be fewer, or counted against several such limits, and take less
	Elsewhere bool     `json:"elsewhere,omitempty"` // the calls go to another place than the service itself, whose limit it is
}

// ExplainedMeasured is what a scan, or in Explained.Measured the statement, has
// cost. Times are in seconds.
type ExplainedMeasured struct {
	Calls     int      `json:"calls"` // requests sent, further pages and repetitions included
	Pages     int      `json:"pages"`
	Rows      int64    `json:"rows"`
	Bytes     int64    `json:"bytes"`
	Retries   int      `json:"retries"`
	Waited    float64  `json:"waited_seconds"`               // in which calls were held back
	FirstRows *float64 `json:"first_rows_seconds,omitempty"` // since the statement began; absent: there was none
	Duration  *float64 `json:"duration_seconds,omitempty"`   // of the statement
	Idle      *float64 `json:"no_call_seconds,omitempty"`    // of the statement, in which no call was under way
}

// Facts are what EXPLAIN knows beside the plan. Its members may be nil.
type Facts struct {
	Endpoint func(provider string) string // base URL that replaces the server of a provider's documents, or ""
	Known    func(*Scan) (int, bool)      // how many rows of its feed a scan has calls for, where that is known
}

func (f Facts) known(s *Scan) (int, bool) {
	if f.Known == nil {
		return 0, false
	}
	return f.Known(s)
}

// Explain gives a plan in words. It makes no call.
func Explain(plan any, facts Facts) Explained {
	switch p := plan.(type) {
	case *Query:
		return explainQuery(p, facts)
	case *Write:
		return explainWrite(p, facts)
	}
	if plan == nil {
		return Explained{Statement: "DUCKDB", Notes: []string{"DuckDB alone: no resource is read or changed"}}
	}
	return Explained{Statement: "CATALOG", Notes: []string{"answered from the provider documents"}}
}

func explainQuery(q *Query, facts Facts) Explained {
	x := Explained{Statement: "SELECT"}
	if q.Verb != "" {
		x.Statement = q.Verb
	}
	if len(q.Scans) == 0 {
		x.Notes = []string{"DuckDB alone: no resource is read"}
		return x
	}
	steps := stepsOf(q.Scans)
	all := terms{}
	seen := map[string]int{}
	for i, s := range steps {
		own := facts.calls(s.scan)
		scan := explainScan(s, i+1, steps, own, facts)
		key := callsKey(s.scan)
		if scan.SameAs = seen[key]; scan.SameAs == 0 {
			seen[key] = i + 1
			all = append(all, own...)
		}
		x.Scans, x.plans = append(x.Scans, scan), append(x.plans, s.scan)
	}
	calls := all.explained()
	x.Calls = &calls
	x.Notes = []string{"DuckDB checks every condition on the rows, those that bind or narrow the calls too"}
	return x
}

// Measure puts what the statement has cost into its plan: of all, and of each
// scan as the function gives it.
func (x *Explained) Measure(all ExplainedMeasured, of func(*Scan) ExplainedMeasured) {
	x.Measured = &all
	for i := range x.Scans {
		m := of(x.plans[i])
		x.Scans[i].Measured = &m
	}
}

// step is a scan in the order in which they can run.
type step struct {
	scan  *Scan
	finds bool
}

// stepsOf orders scans so that each stands behind those that feed it, which
// stand right before it where they are not there yet.
func stepsOf(scans []*Scan) []step {
	var steps []step
	var add func(s *Scan, finds bool)
	add = func(s *Scan, finds bool) {
		for _, p := range s.Parts {
			add(p, finds)
		}
		if len(s.Parts) > 0 {
			return
		}
		if stepOf(steps, s) > 0 {
			return
		}
		if s.Feed != nil {
			for _, src := range s.Feed.Sources {
				add(src.Scan, src.Found)
			}
		}
		steps = append(steps, step{s, finds})
	}
	for _, s := range scans {
		add(s, false)
	}
	return steps
}

// stepOf gives the number of a scan, or 0.
func stepOf(steps []step, s *Scan) int {
	return slices.IndexFunc(steps, func(o step) bool { return o.scan == s }) + 1
}

// stepsFor gives the numbers of a scan, or of its parts.
func stepsFor(steps []step, s *Scan) []int {
	if len(s.Parts) == 0 {
		return []int{stepOf(steps, s)}
	}
	var list []int
	for _, p := range s.Parts {
		list = append(list, stepOf(steps, p))
	}
	return list
}

func explainScan(st step, number int, steps []step, own terms, facts Facts) ExplainedScan {
	s := st.scan
	x := ExplainedScan{
		Step: number, Name: s.Name, Finds: st.finds, FedBy: []int{}, Method: s.Method.FullName(), Reason: s.Reason,
		Request: facts.request(s.Method), Permission: provider.Permission(s.Method), Parameters: parameters(s),
		Arguments: arguments(s.Arguments, s.Tuples), Binds: []string{}, Narrows: []string{}, Filters: []string{},
		Calls: own.explained(), Spooled: s.Spool, Pages: pagesOf(s),
	}
	if s.Feed != nil {
		for _, src := range s.Feed.Sources {
			x.FedBy = append(x.FedBy, stepsFor(steps, src.Scan)...)
		}
	}
	for _, c := range s.Conditions {
		switch {
		case c.Binds:
			x.Binds = append(x.Binds, c.Text)
		case c.Narrows:
			x.Narrows = append(x.Narrows, c.Text)
		default:
			x.Filters = append(x.Filters, c.Text)
		}
	}
	calls := -1
	if x.Calls.Count != nil {
		calls = *x.Calls.Count
	}
	limit := provider.LimitOf(s.Method)
	most := subscriptions(limit, s.Arguments, s.Tuples)
	if s.Feed != nil && (most > 0 || x.Calls.AtMost) {
		most = -1 // a tuple may make several calls, or none
	}
	x.Limit = facts.limitOf(s.Method, most, calls)
	return x
}

// The ways in which the pages of a list are read.
const (
	onePage   = "one answer a call"
	aheadPage = "read ahead, side by side"
	oneByOne  = "read one by one: a LIMIT may end the list early"
)

func pagesOf(s *Scan) string {
	switch {
	case !s.Method.Response.List && len(s.Method.Response.ItemsPath) == 0 && s.Method.NextLink == "":
		return onePage
	case s.Gentle:
		return oneByOne
	}
	return aheadPage
}

// limitOf gives the limit of a method in words. calls is below 0 where it is
// not known; most is how many of the calls are counted against one limit, 0 for
// all, below 0 where it is not known.
func (f Facts) limitOf(m *provider.Method, most, calls int) *ExplainedLimit {
	l := provider.LimitOf(m)
	if l.None() {
		return nil
	}
	x := &ExplainedLimit{Name: l.Name, AtOnce: l.Burst, PerSecond: l.PerSecond}
	x.Elsewhere = !provider.HoldsAt(m.Resource.Family, f.server(m))
	if calls < 0 {
		return x
	}
	x.Calls, x.UpTo = calls, most < 0
	if most > 0 {
		x.Calls = most
	}
	seconds := l.Time(x.Calls).Round(time.Millisecond).Seconds()
	x.Seconds = &seconds
	return x
}

// subscriptions gives how many of the tuples share the scope of a limit at
// most: the most for one subscription, 0 for all, -1 where it is not known.
func subscriptions(l provider.Limit, names []string, tuples []Tuple) int {
	at := slices.IndexFunc(names, func(name string) bool { return "{"+strings.ToLower(name)+"}" == l.Scope })
	if at < 0 {
		return 0
	}
	counts := map[string]int{}
	most := 0
	for _, t := range tuples {
		if t[at] == nil || t[at].Expression != nil {
			return -1
		}
		key := strings.ToLower(t[at].Text)
		counts[key]++
		most = max(most, counts[key])
	}
	if len(counts) == 1 {
		return 0
	}
	return most
}

// parameters gives where the values of the arguments come from.
func parameters(s *Scan) []ExplainedParameter {
	list := []ExplainedParameter{}
	for i, name := range s.Arguments {
		p := ExplainedParameter{Name: name, Source: "value"}
		seen := map[string]bool{}
		for _, t := range s.Tuples {
			switch {
			case t[i] == nil:
			case t[i].Expression != nil:
				p.Source = "expression"
			case !seen[t[i].Text]:
				seen[t[i].Text] = true
				p.Values = append(p.Values, t[i].Text)
			}
		}
		if p.Source == "value" && len(p.Values) > 1 {
			p.Source = "list"
		}
		if s.Feed != nil {
			if at := slices.Index(s.Feed.Columns, i); at >= 0 {
				p.Source, p.From = s.Feed.origin(at)
			}
		}
		list = append(list, p)
	}
	return list
}

// origin gives where a column of a feed comes from: the kind of its source, and
// the columns that its value is made of, with the names of their tables.
func (f *Feed) origin(at int) (source, from string) {
	source = "rows"
	if i := f.From[at]; i >= 0 && f.Sources[i].Found {
		source = "found"
	}
	list := f.Select.List("select_list")
	if at >= len(list) {
		return source, ""
	}
	var names []string
	syntax.Walk(list[at], func(n syntax.Node) bool {
		parts := n.Texts("column_names")
		if n.Class() != "COLUMN_REF" || len(parts) == 0 {
			return true
		}
		name := parts[len(parts)-1]
		if i := sourceAt(n); i >= 0 && i < len(f.Sources) {
			name = f.Sources[i].Scan.Name + "." + name
		}
		names = append(names, name)
		return false
	})
	return source, strings.Join(names, ", ")
}

// request gives the request of a method as a template.
func (f Facts) request(m *provider.Method) string {
	query := url.Values{}
	for _, c := range m.Constants {
		query.Add(c.Name, c.Value)
	}
	text := m.HTTPMethod + " " + f.server(m) + m.Path
	if len(query) > 0 {
		text += "?" + query.Encode()
	}
	return text
}

// server gives the base URL of a method's calls.
func (f Facts) server(m *provider.Method) string {
	if f.Endpoint != nil {
		if other := f.Endpoint(m.Resource.Provider); other != "" {
			return other
		}
	}
	return m.Server
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

// JSON gives the plan as an indented JSON text.
func (x Explained) JSON() (string, error) {
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return "", fault.Bug("a plan cannot be written as JSON: %v", err)
	}
	return string(text), nil
}
