package syntax

import (
	"slices"
	"strings"
)

// Target is what INSERT, UPDATE, REPLACE and DELETE write to. Whether the name
// is a resource's is not known here: DuckDB writes to a table of the session,
// in forms that a resource does not have.
type Target struct {
	Name  Name
	Alias string
	Hints []string
	With  Clause // the common table expressions in front of the verb; empty: none
	Local Other  // the statement if the name is a table's
	Wrong error  // why the statement is none if the name is a resource's
}

// Column is the name to the left of a value: of a parameter, or of a member of
// the request's body by its path.
type Column struct {
	Name
	Written string // with its sign: @name
	Payload bool   // @@json: the whole body
}

// Assignment gives a column its value, an expression.
type Assignment struct {
	Column Column
	Value  Clause
}

// The ways in which INSERT treats what exists already.
const (
	Refuse   = ""
	Keep     = "DO NOTHING"
	Overrule = "DO UPDATE"
)

// Insert is INSERT INTO target (columns) VALUES … | query | DEFAULT VALUES
// [ON CONFLICT DO NOTHING | DO UPDATE] [RETURNING columns], or REPLACE INTO.
type Insert struct {
	Target
	Replace   bool
	Columns   []Column   // nil: the names of the query's columns
	Rows      [][]Clause // of VALUES; an empty clause is DEFAULT
	Query     Clause     // empty: Rows
	Conflict  string
	Returning *Clause
}

// Update is UPDATE target SET … [FROM …] [WHERE …] [ORDER BY …] [LIMIT n]
// [RETURNING …], or REPLACE target SET ….
type Update struct {
	Target
	Replace   bool
	Set       []Assignment
	From      *Clause
	Where     *Clause
	Order     *Clause // ORDER BY … LIMIT …
	Returning *Clause
}

// Delete is DELETE FROM target [USING …] [WHERE …] [ORDER BY …] [LIMIT n]
// [RETURNING …].
type Delete struct {
	Target
	Using     *Clause
	Where     *Clause
	Order     *Clause // ORDER BY … LIMIT …
	Returning *Clause
}

// Written gives the target of a statement that writes to a resource or table.
func (t Target) Written() Target { return t }

func (Insert) head() {}
func (Update) head() {}
func (Delete) head() {}

// writes are the verbs that WITH may stand in front of.
var writes = []string{"INSERT", "UPDATE", "REPLACE", "DELETE", "EXEC"}

// behindWith gives the verb that common table expressions stand in front of,
// if it is one that writes, and moves to it.
func (p *parser) behindWith() (with Clause, verb string, ok bool) {
	start := p.at
	from := p.next().Start
	p.accept("RECURSIVE")
	for {
		p.next() // the name
		if open := p.peek(); open.IsSymbol("(") {
			p.next()
			p.closing(open)
		}
		if !p.accept("AS") {
			break
		}
		p.accept("NOT")
		p.accept("MATERIALIZED")
		open := p.peek()
		if !open.IsSymbol("(") {
			break
		}
		p.next()
		if p.closing(open) < 0 {
			break
		}
		if p.peek().IsSymbol(",") {
			p.next()
			continue
		}
		if t := p.peek(); slices.ContainsFunc(writes, t.Is) {
			return Clause{from, t.Start}, strings.ToUpper(t.Text), true
		}
		break
	}
	p.at = start
	return Clause{}, "", false
}

// write reads INSERT, UPDATE, REPLACE and DELETE, first as DuckDB has them. A
// form that a resource does not have is no error yet.
func (p *parser) write(with Clause) Head {
	start := p.at
	verb := strings.ToUpper(p.peek().Text)
	local := p.other()
	if with.End > 0 {
		local.Query = Clause{}
	}
	p.at = start
	p.next()
	t := Target{Hints: p.hints(), With: with, Local: local}
	var head Head
	switch {
	case verb == "DELETE":
		head = p.delete(t)
	case verb == "INSERT" || p.peek().Is("INTO"):
		head = p.insert(t, verb == "REPLACE")
	default:
		head = p.update(t, verb == "REPLACE")
	}
	return head
}

// other reads the target of a statement, and the query of INSERT, as far as
// DuckDB's forms have them.
func (p *parser) other() Other {
	verb := strings.ToUpper(p.next().Text)
	p.skipHint()
	for p.peek().Is("OR") || p.peek().Is("IGNORE") || p.peek().Is("INTO") || p.peek().Is("REPLACE") || p.peek().Is("FROM") {
		p.next()
	}
	name, err := p.name("the name of a resource or table")
	if err != nil {
		return Other{Verb: verb}
	}
	o := Other{Verb: verb, Target: name}
	if verb == "INSERT" {
		o.Query = p.insertQuery()
	}
	return o
}

// wrong gives an error its place and the form that is right.
func (p *parser) wrong(verb string, err error) error {
	if err == nil {
		return nil
	}
	return p.text.Locate(hinted(err, forms[verb]))
}

// target reads the name and the alias in front of one of some words.
func (p *parser) target(t *Target, before ...string) error {
	name, err := p.name("the name of a resource")
	if err != nil {
		return err
	}
	t.Name = name
	as := p.accept("AS")
	next := p.peek()
	alias, isName := next.Name()
	if as && !isName {
		return failAt(next.Start, "an alias is expected after AS")
	}
	if as || isName && !slices.ContainsFunc(before, next.Is) {
		t.Alias = alias
		p.next()
	}
	return nil
}

func (p *parser) delete(t Target) Head {
	d := Delete{Target: t}
	d.Wrong = p.wrong("DELETE", p.deleteParts(&d))
	return d
}

func (p *parser) deleteParts(d *Delete) (err error) {
	if !p.accept("FROM") {
		return failAt(p.peek().Start, "FROM is expected after DELETE")
	}
	if err = p.target(&d.Target, "USING", "WHERE", "ORDER", "LIMIT", "RETURNING"); err != nil {
		return err
	}
	if d.Using, err = p.optional("USING", "WHERE", "ORDER", "LIMIT", "RETURNING"); err != nil {
		return err
	}
	if d.Where, err = p.optional("WHERE", "ORDER", "LIMIT", "RETURNING"); err != nil {
		return err
	}
	if d.Order, err = p.order(); err != nil {
		return err
	}
	if d.Returning, err = p.returning(); err != nil {
		return err
	}
	return p.end()
}

func (p *parser) update(t Target, replace bool) Head {
	u := Update{Target: t, Replace: replace}
	u.Wrong = p.wrong(t.Local.Verb, p.updateParts(&u))
	return u
}

func (p *parser) updateParts(u *Update) (err error) {
	if err = p.target(&u.Target, "SET"); err != nil {
		return err
	}
	if !p.accept("SET") {
		return failAt(p.peek().Start, "SET is expected here")
	}
	if err = p.assignments(u); err != nil {
		return err
	}
	if u.From, err = p.optional("FROM", "WHERE", "ORDER", "LIMIT", "RETURNING"); err != nil {
		return err
	}
	if u.Where, err = p.optional("WHERE", "ORDER", "LIMIT", "RETURNING"); err != nil {
		return err
	}
	if u.Order, err = p.order(); err != nil {
		return err
	}
	if u.Returning, err = p.returning(); err != nil {
		return err
	}
	return p.end()
}

// assignments reads the list behind SET.
func (p *parser) assignments(u *Update) error {
	for {
		c, err := p.column()
		if err != nil {
			return err
		}
		if !p.peek().IsSymbol("=") {
			return failAt(p.peek().Start, "%q is expected after %s", "=", c.Written)
		}
		p.next()
		value, err := p.clause(c.Written+" =", func(t Token) bool {
			return t.IsSymbol(",") || p.begins(t, "FROM", "WHERE", "ORDER", "LIMIT", "RETURNING")
		})
		if err != nil {
			return err
		}
		u.Set = append(u.Set, Assignment{c, *value})
		if !p.peek().IsSymbol(",") {
			return nil
		}
		p.next()
	}
}

// begins tells whether a clause begins with the token: the FROM of IS DISTINCT
// FROM begins none.
func (p *parser) begins(t Token, words ...string) bool {
	if t.Is("FROM") && p.peekAt(-1).Is("DISTINCT") {
		return false
	}
	return slices.ContainsFunc(words, t.Is)
}

// column reads a dotted name or @@json.
func (p *parser) column() (Column, error) {
	if t := p.peek(); t.Kind == Payload {
		p.next()
		return payload(t)
	}
	name, err := p.name("the name of a column")
	return Column{Name: name, Written: name.String()}, err
}

// optional reads a clause that begins with a word, up to one of others; nil
// where there is none.
func (p *parser) optional(word string, before ...string) (*Clause, error) {
	if !p.accept(word) {
		return nil, nil
	}
	return p.clause(word, func(t Token) bool { return p.begins(t, before...) })
}

// order reads ORDER BY and LIMIT.
func (p *parser) order() (*Clause, error) {
	if !p.peek().Is("ORDER") && !p.peek().Is("LIMIT") {
		return nil, nil
	}
	return p.clause("WHERE", func(t Token) bool { return t.Is("RETURNING") })
}

func (p *parser) insert(t Target, replace bool) Head {
	i := Insert{Target: t, Replace: replace}
	i.Wrong = p.wrong(t.Local.Verb, p.insertParts(&i))
	return i
}

func (p *parser) insertParts(i *Insert) (err error) {
	if p.accept("OR") {
		i.Conflict = map[bool]string{true: Overrule, false: Keep}[p.peek().Is("REPLACE")]
		p.next()
	} else if p.accept("IGNORE") {
		i.Conflict = Keep
	}
	p.accept("INTO")
	name, err := p.name("the name of a resource")
	if err != nil {
		return err
	}
	i.Name = name
	if p.accept("AS") {
		p.next() // nothing of the statement can name it
	}
	if err = p.insertColumns(i); err != nil {
		return err
	}
	if err = p.insertRows(i); err != nil {
		return err
	}
	if err = p.conflict(i); err != nil {
		return err
	}
	if i.Returning, err = p.returning(); err != nil {
		return err
	}
	return p.end()
}

func (p *parser) insertColumns(i *Insert) error {
	open := p.peek()
	if !open.IsSymbol("(") || p.queryInBrackets() {
		return nil
	}
	p.next()
	for {
		c, err := p.column()
		if err != nil {
			return err
		}
		i.Columns = append(i.Columns, c)
		switch t := p.next(); {
		case t.IsSymbol(")"):
			return nil
		case !t.IsSymbol(","):
			return failAt(t.Start, "%q or %q is expected after the column %s", ",", ")", c.Written)
		}
	}
}

// insertRows reads what is written: rows of values, a query, or nothing but
// defaults.
func (p *parser) insertRows(i *Insert) error {
	byName := false
	if p.accept("BY") {
		byName = p.next().Is("NAME")
	}
	switch t := p.peek(); {
	case t.Is("DEFAULT") && p.peekAt(1).Is("VALUES"):
		p.at += 2
		i.Rows = [][]Clause{make([]Clause, len(i.Columns))}
		return nil
	case t.Is("VALUES"):
		p.next()
		if i.Columns == nil {
			return failAt(t.Start, "the columns are expected in brackets before VALUES")
		}
		return p.values(i)
	case !p.beginsQuery():
		return failAt(t.Start, "VALUES or a query is expected here")
	}
	if byName {
		i.Columns = nil
	}
	query, err := p.clause("INSERT", func(t Token) bool { return t.Is("RETURNING") || t.Is("ON") && p.peekAt(1).Is("CONFLICT") })
	if err != nil {
		return err
	}
	i.Query = *query
	return nil
}

// values reads the rows of VALUES.
func (p *parser) values(i *Insert) error {
	for {
		open := p.next()
		if !open.IsSymbol("(") {
			return failAt(open.Start, "a row of values in brackets is expected here")
		}
		row, err := p.row()
		if err != nil {
			return err
		}
		if len(row) != len(i.Columns) {
			return failAt(open.Start, "the row has %d values for %d columns", len(row), len(i.Columns))
		}
		i.Rows = append(i.Rows, row)
		if !p.peek().IsSymbol(",") {
			return nil
		}
		p.next()
	}
}

// row reads the values behind an opening bracket.
func (p *parser) row() ([]Clause, error) {
	var row []Clause
	for depth, start, end := 0, p.peek().Start, p.peek().Start; ; {
		t := p.next()
		switch {
		case t.Text == "":
			return nil, failAt(start, "a bracket is not closed before the end of the statement")
		case depth == 0 && (t.IsSymbol(",") || t.IsSymbol(")")):
			if start == end {
				return nil, failAt(t.Start, "a value is expected before %q", t.Text)
			}
			value := Clause{start, end}
			if strings.EqualFold(p.text.Text[start:end], "DEFAULT") {
				value = Clause{}
			}
			row = append(row, value)
			if t.IsSymbol(")") {
				return row, nil
			}
			start, end = p.peek().Start, p.peek().Start
			continue
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			depth++
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			depth--
		}
		end = t.End
	}
}

// conflict reads ON CONFLICT. What identifies a row is its place at the
// service, so columns behind it say nothing.
func (p *parser) conflict(i *Insert) error {
	if !p.peek().Is("ON") || !p.peekAt(1).Is("CONFLICT") {
		return nil
	}
	p.at += 2
	if open := p.peek(); open.IsSymbol("(") {
		p.next()
		p.closing(open)
	}
	do, what := p.next(), p.next()
	switch {
	case do.Is("DO") && what.Is("NOTHING"):
		i.Conflict = Keep
	case do.Is("DO") && what.Is("UPDATE"):
		i.Conflict = Overrule
	default:
		return failAt(do.Start, "DO NOTHING or DO UPDATE is expected after ON CONFLICT")
	}
	if t := p.peek(); t.Is("SET") {
		return hinted(failAt(t.Start, "ON CONFLICT DO UPDATE SET is not supported"),
			"DO UPDATE alone writes the whole row; UPDATE … SET changes members of what exists")
	}
	return nil
}
