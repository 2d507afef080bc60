package syntax

import (
	"slices"
	"strings"
)

// Create is CREATE [OR REPLACE] [TEMP] VIEW | MATERIALIZED VIEW | TABLE
// [IF NOT EXISTS] name [(columns)] AS query. Any other CREATE is DuckDB's.
type Create struct {
	What        string // VIEW, MATERIALIZED VIEW, TABLE
	Replace     bool
	Temp        bool
	IfNotExists bool
	Name        Name
	Columns     []string // new names of the first columns
	Query       Clause
}

// Copy is COPY (query) TO … or COPY name [(columns)] TO …; the other forms of
// COPY are DuckDB's. One of Query and Name is set.
type Copy struct {
	Query   Clause
	Name    Name
	Columns Clause // with its brackets; empty: all
}

// Refresh is REFRESH [MATERIALIZED VIEW] name.
type Refresh struct{ Name Name }

// Drop is DROP VIEW | MATERIALIZED VIEW | TABLE [IF EXISTS] name
// [CASCADE | RESTRICT]. Any other DROP is DuckDB's.
type Drop struct {
	What     string // VIEW, MATERIALIZED VIEW, TABLE
	IfExists bool
	Name     Name
}

func (Create) head()  {}
func (Copy) head()    {}
func (Refresh) head() {}
func (Drop) head()    {}

// beginsQuery tells whether a query begins at the next token.
func (p *parser) beginsQuery() bool {
	t := p.peek()
	return t.IsSymbol("(") || slices.ContainsFunc(queryWords, t.Is)
}

// create reads CREATE as far as it keeps the rows or the text of a query.
func (p *parser) create() (Head, error) {
	other := Other{Verb: "CREATE"}
	p.next()
	var c Create
	if p.peek().Is("OR") && p.peekAt(1).Is("REPLACE") {
		c.Replace = true
		p.at += 2
	}
	c.Temp = p.accept("TEMP") || p.accept("TEMPORARY")
	materialized := p.accept("MATERIALIZED")
	c.What = strings.ToUpper(p.next().Text)
	switch {
	case materialized && c.What != "VIEW":
		return nil, failAt(p.peekAt(-1).Start, "VIEW is expected after MATERIALIZED")
	case c.What != "VIEW" && c.What != "TABLE":
		return other, nil
	case materialized:
		c.What = "MATERIALIZED VIEW"
	}
	if p.peek().Is("IF") && p.peekAt(1).Is("NOT") && p.peekAt(2).Is("EXISTS") {
		c.IfNotExists = true
		p.at += 3
	}
	name, err := p.name("the name of the new " + strings.ToLower(c.What))
	if err != nil {
		return nil, err
	}
	c.Name = name
	if c.Columns, err = p.columnNames(); err != nil {
		return nil, err
	}
	if c.What == "TABLE" && !p.peek().Is("AS") {
		return other, nil // with the types of its columns
	}
	if !p.accept("AS") {
		return nil, failAt(p.peek().Start, "AS and a query are expected here")
	}
	if !p.beginsQuery() {
		if c.What == "TABLE" && p.peek().Text != "" {
			return other, nil // AS EXECUTE
		}
		return nil, failAt(p.peek().Start, "a query is expected after AS")
	}
	c.Query = p.rest()
	return c, nil
}

// columnNames reads a list of names in brackets. It gives nil where there is
// none, and stays in front of a list that holds more than names.
func (p *parser) columnNames() ([]string, error) {
	start := p.at
	if !p.peek().IsSymbol("(") {
		return nil, nil
	}
	p.next()
	var names []string
	for {
		t := p.next()
		name, ok := t.Name()
		separator := p.next()
		switch {
		case !ok || !separator.IsSymbol(",") && !separator.IsSymbol(")"):
			p.at = start
			return nil, nil
		case slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }):
			return nil, failAt(t.Start, "the column %q is named twice", name)
		}
		names = append(names, name)
		if separator.IsSymbol(")") {
			return names, nil
		}
	}
}

// rest gives the query that begins at the next token and ends with the
// statement, or before WITH [NO] DATA.
func (p *parser) rest() Clause {
	last := len(p.tokens)
	if last-p.at > 2 && p.tokens[last-1].Is("DATA") {
		switch {
		case p.tokens[last-2].Is("WITH"):
			last -= 2
		case p.tokens[last-2].Is("NO") && p.tokens[last-3].Is("WITH"):
			last -= 3
		}
	}
	return Clause{p.peek().Start, p.tokens[last-1].End}
}

// copy reads COPY … TO.
func (p *parser) copy() (Head, error) {
	other := Other{Verb: "COPY"}
	p.next()
	if p.peek().Is("FROM") { // COPY FROM DATABASE
		return other, nil
	}
	var c Copy
	if open := p.peek(); open.IsSymbol("(") {
		p.next()
		if !p.beginsQuery() {
			return other, nil
		}
		c.Query = Clause{p.peek().Start, p.closing(open)}
		if c.Query.End < 0 {
			return nil, failAt(open.Start, "a bracket is not closed before the end of the statement")
		}
	} else {
		name, err := p.name("a query in brackets or the name of a table")
		if err != nil {
			return nil, err
		}
		c.Name = name
		if open := p.peek(); open.IsSymbol("(") {
			p.next()
			if p.closing(open) < 0 {
				return nil, failAt(open.Start, "a bracket is not closed before the end of the statement")
			}
			c.Columns = Clause{open.Start, p.peekAt(-1).End}
		}
	}
	if !p.peek().Is("TO") {
		return other, nil
	}
	return c, nil
}

// closing moves behind the bracket that closes the one just read, and gives the
// end of what stands between them, or -1.
func (p *parser) closing(open Token) int {
	end := open.End
	for depth := 1; p.peek().Text != ""; {
		t := p.next()
		switch {
		case t.IsSymbol("("):
			depth++
		case t.IsSymbol(")"):
			depth--
		}
		if depth == 0 {
			return end
		}
		end = t.End
	}
	return -1
}

// insertQuery finds the query of an INSERT behind the name of its target: what
// stands between the columns and ON CONFLICT or RETURNING. It is empty where
// there is none.
func (p *parser) insertQuery() Clause {
	if p.accept("AS") {
		p.next() // the target's alias
	}
	if open := p.peek(); open.IsSymbol("(") && !p.queryInBrackets() {
		p.next()
		p.closing(open)
	}
	if p.accept("BY") {
		p.next() // NAME or POSITION
	}
	if !p.beginsQuery() {
		return Clause{}
	}
	start, end, err := p.expression(func(t Token) bool {
		return t.Is("RETURNING") || t.Is("ON") && p.peekAt(1).Is("CONFLICT")
	})
	if err != nil {
		return Clause{}
	}
	return Clause{start, end}
}

// queryInBrackets tells whether the brackets at the next token hold a query.
func (p *parser) queryInBrackets() bool {
	n := 0
	for p.peekAt(n).IsSymbol("(") {
		n++
	}
	t := p.peekAt(n)
	return slices.ContainsFunc(queryWords, t.Is) && !p.peekAt(n+1).IsSymbol(",") && !p.peekAt(n+1).IsSymbol(")")
}

// refresh reads REFRESH [MATERIALIZED VIEW] name.
func (p *parser) refresh() (Head, error) {
	p.next()
	if p.peek().Is("MATERIALIZED") && p.peekAt(1).Is("VIEW") {
		p.at += 2
	}
	name, err := p.name("the name of a materialized view")
	if err != nil {
		return nil, err
	}
	return Refresh{name}, p.end()
}

// drop reads DROP of a view or table.
func (p *parser) drop() (Head, error) {
	other := Other{Verb: "DROP"}
	p.next()
	materialized := p.accept("MATERIALIZED")
	d := Drop{What: strings.ToUpper(p.next().Text)}
	switch {
	case materialized && d.What != "VIEW":
		return nil, failAt(p.peekAt(-1).Start, "VIEW is expected after MATERIALIZED")
	case d.What != "VIEW" && d.What != "TABLE":
		return other, nil
	case materialized:
		d.What = "MATERIALIZED VIEW"
	}
	if p.peek().Is("IF") && p.peekAt(1).Is("EXISTS") {
		d.IfExists = true
		p.at += 2
	}
	name, err := p.name("the name of a " + strings.ToLower(d.What))
	if err != nil {
		return nil, err
	}
	d.Name = name
	if !p.accept("CASCADE") {
		p.accept("RESTRICT")
	}
	return d, p.end()
}

// ToFile gives the statement that writes the rows of a query to a file, in a
// format of DuckDB's COPY. ok is false where the statement is no query.
func (s *Statement) ToFile(path, format string) (copied *Statement, ok bool, err error) {
	if _, query := s.Head.(Query); !query {
		return nil, false, nil
	}
	end := len(s.Text.Text)
	copied, err = newStatement(s.Text.Apply([]Edit{
		{Text: "COPY ("},
		{Start: end, End: end, Text: "\n) TO " + QuoteText(path) + " (FORMAT " + format + ")"},
	}))
	return copied, err == nil, err
}
