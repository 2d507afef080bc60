package syntax

import (
	"strings"
)

// Show is SHOW [EXTENDED] PROVIDERS | SERVICES IN p | RESOURCES IN p.s |
// METHODS IN p.s.r | TABLES | VIEWS [LIKE 'pattern'], or SHOW INSERT | UPDATE |
// REPLACE | DELETE p.s.r, SHOW EXEC p.s.r.m: a statement to be filled in.
type Show struct {
	What     string // PROVIDERS, SERVICES, RESOURCES, METHODS, TABLES, VIEWS; a verb
	In       Name
	Extended bool
	Like     string // empty: all
	Where    Clause // the condition on the rows; empty: all
}

// Describe is DESCRIBE [EXTENDED] resource, or DESCRIBE METHOD
// [EXTENDED] resource.method.
type Describe struct {
	Name     Name
	Method   bool
	Extended bool
}

// Explain is EXPLAIN [ANALYZE] [([ANALYZE,] FORMAT json) | FORMAT=json] statement.
type Explain struct {
	Analyze   bool
	JSON      bool
	Statement *Statement
}

// show reads the SHOW statements about the catalog; any other SHOW is DuckDB's.
func (p *parser) show() (Head, error) {
	p.next()
	s := Show{Extended: p.accept("EXTENDED")}
	s.What = strings.ToUpper(p.next().Text)
	switch s.What {
	case "PROVIDERS", "VIEWS":
	case "TABLES":
		if p.peek().Is("IN") || p.peek().Is("FROM") {
			return Other{Verb: "SHOW"}, nil // of another database
		}
	case "INSERT", "UPDATE", "REPLACE", "DELETE", "EXEC":
		p.skipHint()
		if !p.accept("INTO") {
			p.accept("FROM")
		}
		name, err := p.name(map[bool]string{true: "provider.service.resource.method", false: "provider.service.resource"}[s.What == "EXEC"])
		if err != nil {
			return nil, err
		}
		s.In = name
	case "SERVICES", "RESOURCES", "METHODS":
		if !p.accept("IN") && !p.accept("FROM") {
			return nil, failAt(p.peek().Start, "IN is expected after SHOW %s", s.What)
		}
		name, err := p.name(map[string]string{
			"SERVICES": "a provider", "RESOURCES": "provider.service", "METHODS": "provider.service.resource",
		}[s.What])
		if err != nil {
			return nil, err
		}
		s.In = name
	default:
		if s.Extended {
			return nil, failAt(p.tokens[1].Start, "EXTENDED is known for PROVIDERS, SERVICES, RESOURCES, METHODS, VIEWS and TABLES only")
		}
		return Other{Verb: "SHOW"}, nil
	}
	s.Extended = p.accept("EXTENDED") || s.Extended
	if p.accept("LIKE") {
		t := p.next()
		if t.Kind != String || t.Text[0] != '\'' {
			return nil, failAt(t.Start, "a pattern in quotes is expected after LIKE")
		}
		s.Like = strings.ReplaceAll(t.Text[1:len(t.Text)-1], "''", "'")
	}
	if p.accept("WHERE") {
		if s.Where = p.condition(); s.Where.End == 0 {
			return nil, failAt(p.peek().Start, "a condition is expected after WHERE")
		}
		return s, nil
	}
	return s, p.end()
}

// condition takes what is left of the statement, without a semicolon at its end.
func (p *parser) condition() (c Clause) {
	for t := p.peek(); t.Text != "" && !t.IsSymbol(";"); t = p.peek() {
		if c.End == 0 {
			c.Start = t.Start
		}
		c.End = t.End
		p.at++
	}
	return c
}

func (p *parser) describe() (Head, error) {
	p.next()
	d := Describe{Extended: p.accept("EXTENDED")}
	for _, w := range queryWords {
		if p.peek().Is(w) && !p.peekAt(1).IsSymbol(".") {
			return Query{}, nil
		}
	}
	if p.peek().Is("METHOD") && !p.peekAt(1).IsSymbol(".") && p.peekAt(1).Text != "" {
		p.next()
		d.Method = true
		d.Extended = p.accept("EXTENDED") || d.Extended
	}
	name, err := p.name("the name of a resource")
	if err != nil {
		return nil, err
	}
	d.Name = name
	return d, p.end()
}

// explain reads EXPLAIN and the statement after it.
func (p *parser) explain() (Head, error) {
	p.next()
	x := Explain{Analyze: p.accept("ANALYZE")}
	if t := p.peek(); t.IsSymbol("(") && (p.peekAt(1).Is("FORMAT") || p.peekAt(1).Is("ANALYZE")) {
		if !p.explainOptions(&x) {
			return nil, failAt(t.Start, "(FORMAT json), (FORMAT text) or (ANALYZE, FORMAT json) is expected here")
		}
	}
	if p.peek().Is("FORMAT") && p.peekAt(1).IsSymbol("=") { // FORMAT=JSON, FORMAT=TREE
		x.JSON = p.peekAt(2).Is("json")
		p.at += 3
	}
	if p.peek().Text == "" {
		return nil, failAt(p.peek().Start, "a statement is expected after EXPLAIN")
	}
	inner, err := newStatement(p.text.Part(p.peek().Start, len(p.text.Text)))
	if err != nil {
		return nil, err
	}
	if _, nested := inner.Head.(Explain); nested {
		return nil, failAt(p.peek().Start, "EXPLAIN cannot explain itself")
	}
	x.Statement = inner
	return x, nil
}

// explainOptions reads options in brackets; ok is false where one is not known.
func (p *parser) explainOptions(x *Explain) (ok bool) {
	for p.next(); ; p.next() { // behind a bracket, then commas
		switch {
		case p.accept("ANALYZE"):
			x.Analyze = true
		case p.accept("FORMAT"):
			format := p.next()
			if x.JSON = format.Is("json"); !x.JSON && !format.Is("text") {
				return false
			}
		default:
			return false
		}
		if p.peek().IsSymbol(")") {
			p.next()
			return true
		}
		if !p.peek().IsSymbol(",") {
			return false
		}
	}
}
