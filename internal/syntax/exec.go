package syntax

import (
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Exec is EXEC provider.service.resource.method @a = …, @b = … @@json = …
// [FROM …] [RETURNING columns].
type Exec struct {
	Method    Name
	Hints     []string
	With      Clause // the common table expressions in front of it; empty: none
	Arguments []Assignment
	From      *Clause // whose rows are the targets: all that a SELECT may have from its FROM on
	Returning *Clause
}

// Clause is a part of the statement's text after a keyword.
type Clause struct{ Start, End int }

// exec reads EXEC. The published pages print each argument followed by
// "--required," so that the comma is inside the comment: a comma between
// arguments is therefore optional.
func (p *parser) exec(with Clause) (Head, error) {
	p.next()
	x := Exec{Hints: p.hints(), With: with}
	name, err := p.name("the name of a method, as in EXEC provider.service.resource.method,")
	if err != nil {
		return nil, err
	}
	x.Method = name
	if err := p.arguments(&x); err != nil {
		return nil, err
	}
	if x.From, err = p.optional("FROM", "RETURNING"); err != nil {
		return nil, err
	}
	x.Returning, err = p.returning()
	if err != nil {
		return nil, err
	}
	return x, p.end()
}

func (p *parser) hints() []string {
	var words []string
	for p.peek().Kind == Hint {
		text := p.next().Text
		words = append(words, strings.Fields(strings.TrimSuffix(strings.TrimPrefix(text, "/*+"), "*/"))...)
	}
	return words
}

func (p *parser) arguments(x *Exec) error {
	for comma := false; ; {
		t := p.peek()
		switch {
		case t.Kind == Argument || t.Kind == Payload:
			comma = false
			if err := p.assignment(x); err != nil {
				return err
			}
		case t.IsSymbol(",") && !comma && len(x.Arguments) > 0:
			comma = true
			p.next()
		case t.IsSymbol(","):
			return failAt(t.Start, "an argument, as in @name = value, is expected before %q", ",")
		case t.Text == "" || t.Is("FROM") || t.Is("RETURNING"):
			return nil
		default:
			return failAt(t.Start, "an argument, as in @name = value, is expected instead of %q", t.Text)
		}
	}
}

func (p *parser) assignment(x *Exec) error {
	t := p.next()
	if !p.peek().IsSymbol("=") {
		return failAt(p.peek().Start, "%q is expected after %s", "=", t.Text)
	}
	p.next()
	value, err := p.clause(t.Text+" =", func(t Token) bool {
		return t.IsSymbol(",") || t.Kind == Argument || t.Kind == Payload || p.begins(t, "RETURNING", "FROM")
	})
	if err != nil {
		return err
	}
	name := strings.Trim(t.Text, `@"`)
	c := Column{Name: Name{strings.Split(name, "."), t.Start, t.End}, Written: "@" + name}
	if t.Kind == Payload {
		if c, err = payload(t); err != nil {
			return err
		}
	}
	for _, other := range x.Arguments {
		switch {
		case c.Payload && other.Column.Payload:
			return failAt(t.Start, "there can be one @@ argument")
		case !c.Payload && strings.EqualFold(other.Column.String(), c.String()):
			return failAt(t.Start, "@%s is given twice", name)
		}
	}
	x.Arguments = append(x.Arguments, Assignment{c, *value})
	return nil
}

// payload reads @@json.
func payload(t Token) (Column, error) {
	name := strings.Trim(t.Text, `@"`)
	if !strings.EqualFold(name, "json") {
		return Column{}, &lexError{fault.New(fault.UndefinedParameter, "@@%s is not known", name).
			WithHint("the body of the request is given as @@json = '{…}'"), t.Start}
	}
	return Column{Name: Name{[]string{name}, t.Start, t.End}, Written: "@@json", Payload: true}, nil
}

func (p *parser) returning() (*Clause, error) {
	if !p.accept("RETURNING") {
		return nil, nil
	}
	return p.clause("RETURNING", func(Token) bool { return false })
}

// clause reads up to the token for which stop is true; it must not be empty.
func (p *parser) clause(word string, stop func(Token) bool) (*Clause, error) {
	start, end, err := p.expression(stop)
	if err != nil {
		return nil, err
	}
	if start == end {
		what := "something"
		if strings.HasSuffix(word, " =") {
			what = "a value"
		}
		return nil, failAt(start, "%s is expected after %s", what, word)
	}
	return &Clause{start, end}, nil
}
