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
}

// Describe is DESCRIBE [EXTENDED] resource, or DESCRIBE METHOD
// [EXTENDED] resource.method.
type Describe struct {
	Name     Name
	Method   bool
	Extended bool
}

// Explain is EXPLAIN [ANALYZE] [(FORMAT json) | FORMAT=json] statement.
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
	if t := p.peek(); t.Is("WHERE") {
		return nil, failAt(t.Start, "SHOW … WHERE is not supported yet: LIKE 'pattern' filters by name")
	}
	return s, p.end()
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
	if t := p.peek(); t.IsSymbol("(") && p.peekAt(1).Is("FORMAT") {
		format := p.peekAt(2)
		if !p.peekAt(3).IsSymbol(")") || !format.Is("json") && !format.Is("text") {
			return nil, failAt(t.Start, "(FORMAT json) or (FORMAT text) is expected here")
		}
		x.JSON = format.Is("json")
		p.at += 4
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
