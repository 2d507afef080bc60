package syntax

import (
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Statement is one statement of a script. Head says which one; the text is the
// user's, placeholders filled, without the semicolon.
type Statement struct {
	Text   *Edited
	Tokens []Token // of Text
	Head   Head
}

// Span gives the place of a token range in the user's text.
func (s *Statement) Span(first, last Token) fault.Span { return s.Text.Span(first.Start, last.End) }

// Head is what a statement begins with and what follows from it: one of Query,
// Exec, Insert, Update, Delete, Show, Describe, Explain, Use, Create, Copy,
// Refresh, Drop, SetVariable, ResetVariable, OnError and Other.
type Head interface{ head() }

// Query is a SELECT in any of DuckDB's forms.
type Query struct{}

// Other is a statement that only DuckDB knows; Verb is its first word in upper
// case.
type Other struct {
	Verb   string
	Target Name   // of INSERT, UPDATE, REPLACE, DELETE; else empty
	Query  Clause // of INSERT INTO target; else empty
}

// Use is USE provider[.service].
type Use struct{ Name Name }

// Name is a dotted name with its place in the statement's text.
type Name struct {
	Parts      []string
	Start, End int
}

// String gives the name with dots.
func (n Name) String() string { return strings.Join(n.Parts, ".") }

func (Query) head()    {}
func (Other) head()    {}
func (Use) head()      {}
func (Exec) head()     {}
func (Show) head()     {}
func (Describe) head() {}
func (Explain) head()  {}

// Parse splits a script into statements, fills the placeholders from values
// and reads the heads. Empty statements are dropped. Errors have their place
// in the source.
func Parse(source *fault.Source, values map[string]string) ([]*Statement, error) {
	text, err := fill(Original(source, 0, len(source.Text)), values)
	if err != nil {
		return nil, err
	}
	tokens, err := Lex(text.Text)
	if err != nil {
		return nil, text.Locate(err)
	}
	var statements []*Statement
	for len(tokens) > 0 {
		n := 0
		for n < len(tokens) && !tokens[n].IsSymbol(";") {
			n++
		}
		if n > 0 {
			s, err := newStatement(text.Part(tokens[0].Start, tokens[n-1].End))
			if err != nil {
				return nil, err
			}
			statements = append(statements, s)
		}
		tokens = tokens[min(n+1, len(tokens)):]
	}
	return statements, nil
}

// newStatement reads the head of one statement.
func newStatement(text *Edited) (*Statement, error) {
	tokens, err := Lex(text.Text)
	if err != nil {
		return nil, text.Locate(err)
	}
	if len(tokens) == 0 { // a # that begins no line, and by itself would
		return nil, text.Locate(hinted(failAt(0, "a statement cannot begin with %q", "#"), "a comment behind a statement begins with --"))
	}
	p := &parser{text: text, tokens: tokens}
	if err := p.innerWrite(); err != nil {
		return nil, text.Locate(err)
	}
	head, err := p.head()
	if err != nil {
		return nil, text.Locate(hinted(err, forms[strings.ToUpper(tokens[0].Text)]))
	}
	return &Statement{Text: text, Tokens: tokens, Head: head}, nil
}

// forms tells how the statements are written that this package reads itself,
// for the errors in them.
var forms = map[string]string{
	"EXEC":     "the form is EXEC provider.service.resource.method @name = value, … [@@json = '{…}'] [FROM (SELECT …) AS t]",
	"DELETE":   "the form is DELETE FROM provider.service.resource WHERE condition",
	"INSERT":   "the form is INSERT INTO provider.service.resource (column, …) VALUES (value, …), … or a SELECT",
	"UPDATE":   "the form is UPDATE provider.service.resource SET column = value, … WHERE condition",
	"REPLACE":  "the forms are REPLACE INTO provider.service.resource (column, …) VALUES (value, …) and REPLACE provider.service.resource SET column = value, … WHERE condition",
	"SHOW":     "the forms are SHOW PROVIDERS, SHOW SERVICES IN provider, SHOW RESOURCES IN provider.service, SHOW METHODS IN provider.service.resource, SHOW INSERT | UPDATE | REPLACE | DELETE provider.service.resource, SHOW EXEC provider.service.resource.method; those that list take LIKE 'pattern' and WHERE condition",
	"DESCRIBE": "the forms are DESCRIBE [EXTENDED] provider.service.resource and DESCRIBE METHOD provider.service.resource.method",
	"EXPLAIN":  "the form is EXPLAIN [ANALYZE] [(FORMAT json)] followed by a statement",
	"USE":      "the form is USE provider or USE provider.service",
	"CREATE":   "the form is CREATE [OR REPLACE] [TEMP] [MATERIALIZED] VIEW name [(columns)] AS SELECT …, or CREATE TABLE name AS SELECT …",
	"COPY":     "the form is COPY (SELECT …) TO 'file' [(options)]",
	"REFRESH":  "the form is REFRESH MATERIALIZED VIEW name",
	"SET":      "the form is SET VARIABLE name = value, where a value may be (SELECT …) or (INSERT … RETURNING column)",
	"RESET":    "the form is RESET VARIABLE name",
	"CHECK":    "the form is CHECK (SELECT condition …): each of its rows has to be true",
	"ON":       "the form is ON ERROR STOP or ON ERROR CONTINUE",
	"REGISTRY": "the forms are REGISTRY LIST [provider] and REGISTRY PULL provider [version]",
	"DROP":     "the form is DROP VIEW | MATERIALIZED VIEW | TABLE [IF EXISTS] name",
}

// queryWords are the words a query of DuckDB can begin with.
var queryWords = []string{"SELECT", "WITH", "FROM", "VALUES", "TABLE", "PIVOT", "PIVOT_WIDER", "UNPIVOT", "SUMMARIZE"}

// parser reads the tokens of one statement.
type parser struct {
	text   *Edited
	tokens []Token
	at     int
}

func (p *parser) head() (Head, error) {
	first := p.peek()
	if first.Is("WITH") {
		if clause, verb, ok := p.behindWith(); ok {
			if verb == "EXEC" {
				return p.exec(clause)
			}
			return p.write(clause), nil
		}
	}
	for _, w := range queryWords {
		if first.Is(w) {
			return Query{}, nil
		}
	}
	switch strings.ToUpper(first.Text) {
	case "(":
		return Query{}, nil
	case "EXEC", "EXECUTE", "CALL":
		if first.Is("EXEC") {
			return p.exec(Clause{})
		}
	case "SHOW":
		return p.show()
	case "DESCRIBE", "DESC":
		return p.describe()
	case "EXPLAIN":
		return p.explain()
	case "USE":
		return p.use()
	case "CREATE":
		return p.create()
	case "COPY":
		return p.copy()
	case "REFRESH":
		return p.refresh()
	case "DROP":
		return p.drop()
	case "SET":
		return p.set()
	case "RESET":
		return p.reset()
	case "ON":
		return p.onError()
	case "REGISTRY":
		return p.registry()
	case "CHECK":
		return p.check()
	case "INSERT", "UPDATE", "REPLACE", "DELETE":
		return p.write(Clause{}), nil
	}
	if first.Kind != Word {
		return nil, hinted(failAt(first.Start, "a statement cannot begin with %q", first.Text), "it begins with a word such as SELECT, EXEC or SHOW")
	}
	return Other{Verb: strings.ToUpper(first.Text)}, nil
}

func (p *parser) use() (Head, error) {
	p.next()
	name, err := p.name("a provider or provider.service")
	if err != nil {
		return nil, err
	}
	return Use{name}, p.end()
}

// end checks that nothing follows.
func (p *parser) end() error {
	if t := p.peek(); t.Text != "" {
		return failAt(t.Start, "%q is not expected here", t.Text)
	}
	return nil
}

// peek gives the next token; past the end an empty one at the end of the text.
func (p *parser) peek() Token { return p.peekAt(0) }

func (p *parser) peekAt(n int) Token {
	if at := p.at + n; at >= 0 && at < len(p.tokens) {
		return p.tokens[at]
	}
	end := len(p.text.Text)
	return Token{Kind: Symbol, Start: end, End: end}
}

func (p *parser) next() Token {
	t := p.peek()
	p.at++
	return t
}

// accept moves over the word if it is next.
func (p *parser) accept(word string) bool {
	if p.peek().Is(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) skipHint() {
	for p.peek().Kind == Hint {
		p.at++
	}
}

// name reads a dotted name; what says what it should be, for the error.
func (p *parser) name(what string) (Name, error) {
	var n Name
	for {
		t := p.peek()
		part, ok := t.Name()
		if !ok || part == "" {
			return n, failAt(t.Start, "%s is expected here", what)
		}
		if len(n.Parts) == 0 {
			n.Start = t.Start
		}
		n.Parts, n.End = append(n.Parts, part), t.End
		p.next()
		if !p.peek().IsSymbol(".") {
			return n, nil
		}
		p.next()
	}
}

// expression moves to the end of an expression: the next token at no depth for
// which stop is true, or the end of the statement. It gives its byte range.
func (p *parser) expression(stop func(Token) bool) (start, end int, err error) {
	start = p.peek().Start
	end = start
	depth := 0
	for p.peek().Text != "" {
		t := p.peek()
		switch {
		case t.IsSymbol("(") || t.IsSymbol("[") || t.IsSymbol("{"):
			depth++
		case t.IsSymbol(")") || t.IsSymbol("]") || t.IsSymbol("}"):
			depth--
		case depth == 0 && stop(t):
			return start, end, nil
		}
		if depth < 0 {
			return 0, 0, failAt(t.Start, "%q closes nothing", t.Text)
		}
		end = t.End
		p.next()
	}
	if depth > 0 {
		return 0, 0, failAt(start, "a bracket is not closed before the end of the statement")
	}
	return start, end, nil
}
