package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Write is the plan of a statement that changes something: a call for each of
// its targets. The targets are each of Targets with each row of Source.
type Write struct {
	Verb      provider.Verb
	Method    *provider.Method
	Arguments []string // parameters that have the same values whatever Source says
	Targets   []Tuple  // of Arguments; at least one
	Source    *Query   // its rows give the other parameters and the body; nil: there are none
	Columns   []Slot   // what the columns of Source are for
	Rows      int      // of Source, where the statement lists them; -1: a query tells
	Returning *Query   // over the rows of the answers; nil: one outcome row per target
	Ordered   bool     // one call after another, in the order of the rows
	NoWait    bool     // long-running operations are not waited for
	Visible   bool     // it is waited until what was written can be read

	// Read gives a target as it is, for Merge, Conflict and Recheck; nil: nothing can.
	Read     *provider.Method
	Merge    bool   // the body is what Read gives with the members of the statement put in
	Conflict string // of INSERT by PUT: what to do where the target exists already
	Creates  bool   // it is an INSERT by PUT, which would overwrite what exists
	Recheck  bool   // each target is read again, and passed over if it is not what was selected

	Key       []string // for Recheck: the parameters that name a target; none: its id does
	Unchecked string   // why conditions on the targets are not asked again right before the calls; empty: they are, or there are none
}

// Slot is what a column of a write's rows is for: a parameter, or a part of
// the body.
type Slot struct {
	Parameter *provider.Parameter // nil: a part of the body
	Member    BodyMember
	Written   string // the name as the statement has it

	span fault.Span
}

// hint words of writes.
const (
	hintOrdered   = "ORDERED"
	hintNoRecheck = "NO_RECHECK"
)

// hinted tells whether a statement has a hint.
func hinted(hints []string, word string) bool {
	return slices.ContainsFunc(hints, func(h string) bool { return strings.EqualFold(h, word) })
}

// writeTo finds the resource that a statement writes to; nil where it is a
// table of the session.
func (p *Planner) writeTo(s *syntax.Statement, t syntax.Target) (*provider.Resource, error) {
	r, err := p.resource(t.Local.Target.Parts)
	if err != nil {
		return nil, fault.From(err).At(s.Text.Span(t.Local.Target.Start, t.Local.Target.End))
	}
	if r != nil && t.Wrong != nil {
		return nil, t.Wrong
	}
	return r, nil
}

// noMethod is the error for a verb that a resource does not have.
func noMethod(r *provider.Resource, verb string) *fault.Error {
	return fault.New(fault.NotSupported, "%s has no method that serves %s", r.Path(), verb).On(r.Path()).
		WithHint("SHOW METHODS IN %s lists what it can do", r.Path())
}

// puts gives those of the methods that are a PUT.
func puts(methods []*provider.Method) []*provider.Method {
	return slices.DeleteFunc(slices.Clone(methods), func(m *provider.Method) bool { return m.HTTPMethod != "PUT" })
}

// replacers gives the methods that write a whole resource.
func replacers(r *provider.Resource) []*provider.Method {
	for _, verb := range []provider.Verb{provider.Replace, provider.Insert, provider.Update} {
		if verb == provider.Replace && len(r.Verbs[verb]) > 0 {
			return r.Verbs[verb]
		}
		if list := puts(r.Verbs[verb]); len(list) > 0 {
			return list
		}
	}
	return nil
}

// updaters gives the methods by which UPDATE changes a resource: those that
// take a part of it, else those that take the whole, which is then read first.
func updaters(r *provider.Resource) (methods []*provider.Method, merge bool) {
	for _, m := range r.Verbs[provider.Update] {
		if m.HTTPMethod != "PUT" {
			methods = append(methods, m)
		}
	}
	if len(methods) > 0 {
		return methods, false
	}
	if list := puts(r.Verbs[provider.Update]); len(list) > 0 {
		return list, true
	}
	return puts(replacers(r)), true
}

// writers gives the methods that serve a verb.
func writers(r *provider.Resource, verb provider.Verb) []*provider.Method {
	switch verb {
	case provider.Update:
		methods, _ := updaters(r)
		return methods
	case provider.Replace:
		return replacers(r)
	}
	return r.Verbs[verb]
}

// delete makes the plan of DELETE.
func (p *Planner) delete(s *syntax.Statement, head syntax.Delete) (*Write, error) {
	r, err := p.writeTo(s, head.Target)
	if r == nil || err != nil {
		return nil, err
	}
	methods := r.Verbs[provider.Delete]
	if len(methods) == 0 {
		return nil, noMethod(r, "DELETE").At(s.Text.Span(head.Name.Start, head.Name.End))
	}
	k := p.maker(s, r, head.Target, provider.Delete)
	if err := k.targets(methods, selection{head.Using, head.Where, head.Order}, nil); err != nil {
		return nil, err
	}
	return k.finish(head.Returning)
}

// update makes the plan of UPDATE, and of REPLACE … SET.
func (p *Planner) update(s *syntax.Statement, head syntax.Update) (*Write, error) {
	r, err := p.writeTo(s, head.Target)
	if r == nil || err != nil {
		return nil, err
	}
	verb := provider.Update
	methods, merge := updaters(r)
	if head.Replace {
		verb, methods, merge = provider.Replace, replacers(r), false
	}
	if len(methods) == 0 {
		return nil, noMethod(r, strings.ToUpper(string(verb))).At(s.Text.Span(head.Name.Start, head.Name.End))
	}
	k := p.maker(s, r, head.Target, verb)
	k.write.Merge = merge
	if err := k.targets(methods, selection{head.From, head.Where, head.Order}, head.Set); err != nil {
		return nil, err
	}
	return k.finish(head.Returning)
}

// insert makes the plan of INSERT, and of REPLACE INTO.
func (p *Planner) insert(s *syntax.Statement, head syntax.Insert) (*Write, error) {
	r, err := p.writeTo(s, head.Target)
	if r == nil || err != nil {
		return nil, err
	}
	verb, methods := provider.Insert, r.Verbs[provider.Insert]
	if head.Replace {
		verb, methods = provider.Replace, replacers(r)
	}
	if len(methods) == 0 {
		return nil, noMethod(r, strings.ToUpper(string(verb))).At(s.Text.Span(head.Name.Start, head.Name.End))
	}
	k := p.maker(s, r, head.Target, verb)
	if err := k.insert(methods, head); err != nil {
		return nil, err
	}
	k.write.Conflict = head.Conflict
	k.write.Creates = verb == provider.Insert && k.write.Method.HTTPMethod == "PUT"
	return k.finish(head.Returning)
}

// ifNoneMatch is the header by which a service is told not to overwrite.
const ifNoneMatch = "If-None-Match"

// declaresIfNoneMatch tells whether a method can be told not to overwrite.
func declaresIfNoneMatch(m *provider.Method) bool {
	return slices.ContainsFunc(m.Parameters, func(p provider.Parameter) bool {
		return p.In == provider.InHeader && strings.EqualFold(p.Name, ifNoneMatch)
	})
}

// The ways in which INSERT treats what exists already.
const (
	Refuse   = syntax.Refuse
	Keep     = syntax.Keep
	Overrule = syntax.Overrule
)

// NoneMatch gives the header by which the service is told not to overwrite,
// where the document declares it.
func (w *Write) NoneMatch() string {
	if declaresIfNoneMatch(w.Method) {
		return ifNoneMatch
	}
	return ""
}

// returning makes the plan of RETURNING over the answer of a method. A method
// that only reads gives its answer without being asked.
func (p *Planner) returning(s *syntax.Statement, c *syntax.Clause, m *provider.Method) (*Query, error) {
	if c == nil && !m.ReadOnly {
		return nil, nil
	}
	if m.Response.Item == nil {
		if c == nil {
			return nil, nil
		}
		return nil, fault.New(fault.NotSupported, "%s answers with nothing that RETURNING could show", m.FullName()).
			At(s.Text.Span(c.Start, c.End)).WithHint("leave RETURNING out: the outcome is shown")
	}
	list := s.Text.Apply([]syntax.Edit{{Start: 0, End: len(s.Text.Text), Text: "*"}})
	if c != nil {
		list = s.Text.Part(c.Start, c.End)
	}
	text := list.Apply([]syntax.Edit{{Text: "SELECT "}, {Start: len(list.Text), End: len(list.Text), Text: " FROM " + returningTable}})
	q, err := p.query(text, m)
	if err != nil {
		return nil, err
	}
	if len(q.Scans) != 1 {
		return nil, fault.Unsupported("a query inside RETURNING")
	}
	return q, nil
}

// smallest gives the smallest statement that a method can be called with.
func smallest(m *provider.Method) string {
	return "the smallest statement that works:\n" + catalog.SmallestStatement(m.Resource, m)
}
