package plan

import (
	"errors"
	"slices"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Planner makes plans from statements. It is immutable and may be shared.
type Planner struct {
	Catalog *catalog.Catalog
	Parse   Parse
	Options Options
}

// Build makes the plan of a statement: a *[Query], a *[Write] or a *[Table], or
// nil for one about a table of the session, which is DuckDB's to run.
// Every name is resolved and every parameter bound before it returns, so that
// a mistake is found before any request. Errors are *fault.Error with their
// place in the user's text.
func (p *Planner) Build(s *syntax.Statement) (any, error) {
	switch head := s.Head.(type) {
	case syntax.Query:
		return p.Query(s.Text)
	case syntax.Exec:
		return p.exec(s, head)
	case syntax.Delete:
		w, err := p.delete(s, head)
		return orNil(w, err)
	case syntax.Update:
		w, err := p.update(s, head)
		return orNil(w, err)
	case syntax.Insert:
		w, err := p.insert(s, head)
		if local := head.Local; w == nil && err == nil && local.Query.End > 0 {
			return p.store(s, local.Verb, local.Query)
		}
		return orNil(w, err)
	case syntax.Show:
		return p.show(s, head)
	case syntax.Describe:
		return p.describe(s, head)
	case syntax.Copy:
		return p.copy(s, head)
	case syntax.Create:
		if head.What != "TABLE" {
			_, q, err := p.View(head.Name.String(), "", s.Text.Part(head.Query.Start, head.Query.End))
			return q, err
		}
		return p.store(s, "CREATE", head.Query)
	case syntax.Other:
		if head.Query.End > 0 {
			return p.store(s, head.Verb, head.Query)
		}
	}
	return nil, fault.Bug("a statement without a plan: %T", s.Head)
}

// orNil gives the plan of a write, or nil for one to a table of the session.
func orNil(w *Write, err error) (any, error) {
	if w == nil {
		return nil, err
	}
	return w, err
}

// Query makes the plan of a SELECT.
func (p *Planner) Query(text *syntax.Edited) (*Query, error) { return p.query(text, nil) }

// query makes the plan of a SELECT; fixed is the method behind the name
// returningTable.
func (p *Planner) query(text *syntax.Edited, fixed *provider.Method) (*Query, error) {
	return p.plan(text, fixed, nil)
}

// plan makes the plan of a SELECT; inside names the view whose query it is.
func (p *Planner) plan(text *syntax.Edited, fixed *provider.Method, inside []View) (*Query, error) {
	normal, err := syntax.Normalize(text)
	if err != nil {
		return nil, err
	}
	normal, nodes, uses, err := p.expand(normal, inside)
	if err != nil {
		return nil, err
	}
	if normal, nodes, err = p.filled(normal, nodes); err != nil {
		return nil, inView(err, uses)
	}
	b := &builder{catalog: p.Catalog, options: p.Options, text: normal, fixed: fixed, parse: p.template}
	for _, n := range nodes {
		if _, err := b.query(n, nil, frame{output: true}); err != nil {
			return nil, inView(err, uses)
		}
	}
	if err := b.finish(); err != nil {
		return nil, inView(err, uses)
	}
	q := &Query{Text: normal, edits: b.edits, uses: uses}
	for _, r := range b.relations {
		q.Scans = append(q.Scans, r.scan)
	}
	shareScans(q.Scans)
	for _, s := range q.Scans {
		s.Gentle = s.Gentle && !s.Spool // what is kept first is read whole
		for _, p := range s.Parts {
			p.Gentle, p.Spool = s.Gentle, s.Spool
		}
	}
	q.Alone = b.alone(q.Scans)
	return q, nil
}

// filled puts the values of the session's variables into a text of which the
// tree is nodes, and gives the tree of what it gives.
func (p *Planner) filled(text *syntax.Edited, nodes []syntax.Node) (*syntax.Edited, []syntax.Node, error) {
	filled, err := p.fill(text)
	if err != nil || filled == text {
		return text, nodes, err
	}
	nodes, err = p.tree(filled)
	return filled, nodes, err
}

// fill puts the values of the session's variables into a text. A new view may
// name one that is not set yet.
func (p *Planner) fill(text *syntax.Edited) (*syntax.Edited, error) {
	filled, err := syntax.FillVariables(text, p.Options.Variables)
	if p.Options.Loose {
		return filled, nil
	}
	return filled, err
}

// alone tells whether a statement reads one scan as its pages come, and nothing
// else that is not kept in a table first.
func (b *builder) alone(scans []*Scan) bool {
	streams := 0
	for _, s := range scans {
		if !s.Spool {
			streams++
		}
	}
	local := func(it *item) bool { return it.local }
	return streams == 1 && !slices.ContainsFunc(b.blocks, func(blk *block) bool { return slices.ContainsFunc(blk.items, local) })
}

// tree parses a text with DuckDB.
func (p *Planner) tree(text *syntax.Edited) ([]syntax.Node, error) {
	tree, err := p.Parse(text)
	if err != nil {
		return nil, err
	}
	return syntax.ParseTree(tree)
}

// template parses a text of the planner's own.
func (p *Planner) template(text string) (syntax.Node, error) {
	nodes, err := p.tree(syntax.Original(&fault.Source{Name: "template", Text: text}, 0, len(text)))
	if err != nil || len(nodes) != 1 {
		return nil, fault.Bug("the planner's own text %q is not parsed: %v", text, err)
	}
	return nodes[0], nil
}

// finish binds the relations, then resolves the names: what a name means
// depends on the methods chosen.
func (b *builder) finish() error {
	var open []*relation
	for _, r := range b.relations {
		if b.fixed != nil && r.resource == b.fixed.Resource && r.scan.Name == returningTable {
			r.columns = catalog.Columns(b.fixed)
			r.scan.Method, r.scan.Reason = b.fixed, "the answer of the call"
			continue
		}
		open = append(open, r)
	}
	if err := b.bindAll(open); err != nil {
		return err
	}
	if err := b.place(open); err != nil {
		return err
	}
	b.noteConditions()
	var problems []error
	for _, blk := range b.blocks {
		problems = append(problems, b.resolve(blk))
	}
	if err := errors.Join(problems...); err != nil {
		return fault.From(err)
	}
	for _, s := range b.stars {
		s.cover()
	}
	b.projectFields()
	b.expandStars()
	b.sizePages()
	for _, r := range b.relations {
		r.scan.findMembers()
		r.scan.Feed.findMembers()
		for _, p := range r.scan.Parts {
			p.Feed.findMembers()
		}
	}
	tokens, err := syntax.Lex(b.text.Text)
	if err != nil {
		return err
	}
	for _, blk := range b.blocks {
		b.label(blk, tokens)
	}
	return nil
}

// firstOf gives a method whose columns stand for the resource's until one is
// chosen.
func firstOf(r *provider.Resource) *provider.Method {
	if methods := r.Verbs[provider.Select]; len(methods) > 0 {
		return methods[0]
	}
	if len(r.Methods) > 0 {
		return r.Methods[0]
	}
	return &provider.Method{Resource: r}
}
