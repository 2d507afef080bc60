package plan

import "github.com/planeql/planeql/internal/syntax"

// store plans a statement that keeps the rows of a query: CREATE TABLE … AS,
// COPY … TO, INSERT into a table of the session. The text around the query is
// DuckDB's.
func (p *Planner) store(s *syntax.Statement, verb string, query syntax.Clause) (*Query, error) {
	q, err := p.Query(s.Text.Part(query.Start, query.End))
	if err != nil {
		return nil, err
	}
	q.Verb = verb
	return q, q.around(s.Text.Part(0, query.Start), s.Text.Part(query.End, len(s.Text.Text)))
}

// copy plans COPY … TO; that of a name is the one of all its rows.
func (p *Planner) copy(s *syntax.Statement, head syntax.Copy) (*Query, error) {
	if len(head.Name.Parts) == 0 {
		return p.store(s, "COPY", head.Query)
	}
	list, end := "FROM ", head.Name.End
	if c := head.Columns; c.End > 0 {
		list, end = "SELECT "+s.Text.Text[c.Start+1:c.End-1]+" FROM ", c.End
	}
	name := s.Text.Text[head.Name.Start:head.Name.End]
	whole := s.Text.Apply([]syntax.Edit{{Start: head.Name.Start, End: end, Text: "(" + list + name + ")"}})
	start := head.Name.Start + 1
	q, err := p.Query(whole.Part(start, start+len(list)+len(name)))
	if err != nil {
		return nil, err
	}
	q.Verb = "COPY"
	return q, q.around(whole.Part(0, start), whole.Part(start+len(list)+len(name), len(whole.Text)))
}

// around puts the query into a statement.
func (q *Query) around(before, after *syntax.Edited) error {
	var err error
	if q.before, err = syntax.Normalize(before); err != nil {
		return err
	}
	q.after, err = syntax.Normalize(after)
	return err
}

// Wrap puts other text around the query of a plan that [Planner.Query] or
// [Planner.View] made.
func (q *Query) Wrap(before, after string) {
	all := len(q.Text.Text)
	q.before = q.Text.Apply([]syntax.Edit{{Start: 0, End: all, Text: before}})
	q.after = q.Text.Apply([]syntax.Edit{{Start: 0, End: all, Text: after}})
}

// Within gives the statement around the query with another text, such as the
// name of a table that holds its rows, in the query's place.
func (q *Query) Within(text string) *syntax.Edited {
	whole := q.Text.Apply([]syntax.Edit{{Start: 0, End: len(q.Text.Text), Text: text}})
	return syntax.Join(q.before, whole, q.after)
}
