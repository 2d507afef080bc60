package syntax

import (
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Assignment is @name = expression. The expression is a part of the
// statement's text.
type Assignment struct {
	Name       string
	NameStart  int
	NameEnd    int
	Start, End int // of the expression
}

// Exec is EXEC provider.service.resource.method @a = …, @b = … @@json = …
// [RETURNING columns].
type Exec struct {
	Method    Name
	Hints     []string
	Arguments []Assignment
	Payload   *Assignment // @@json
	Returning *Clause
}

// Delete is DELETE FROM resource [WHERE condition] [RETURNING columns].
type Delete struct {
	Target    Name
	Hints     []string
	Where     *Clause
	Returning *Clause
}

// Clause is a part of the statement's text after a keyword.
type Clause struct{ Start, End int }

// exec reads EXEC. The published pages print each argument followed by
// "--required," so that the comma is inside the comment: a comma between
// arguments is therefore optional.
func (p *parser) exec() (Head, error) {
	p.next()
	x := Exec{Hints: p.hints()}
	name, err := p.name("the name of a method, as in EXEC provider.service.resource.method,")
	if err != nil {
		return nil, err
	}
	x.Method = name
	if err := p.arguments(&x); err != nil {
		return nil, err
	}
	if p.accept("FROM") {
		return nil, failAt(p.tokens[p.at-1].Start, "EXEC … FROM (SELECT …) is not supported yet")
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
	start, end, err := p.expression(func(t Token) bool {
		return t.IsSymbol(",") || t.Kind == Argument || t.Kind == Payload || t.Is("RETURNING") || t.Is("FROM")
	})
	if err != nil {
		return err
	}
	if start == end {
		return failAt(start, "a value is expected after %s =", t.Text)
	}
	a := Assignment{strings.Trim(t.Text, `@"`), t.Start, t.End, start, end}
	if t.Kind == Argument {
		for _, other := range x.Arguments {
			if strings.EqualFold(other.Name, a.Name) {
				return failAt(t.Start, "@%s is given twice", a.Name)
			}
		}
		x.Arguments = append(x.Arguments, a)
		return nil
	}
	if x.Payload != nil {
		return failAt(t.Start, "there can be one @@ argument")
	}
	if !strings.EqualFold(a.Name, "json") {
		return &lexError{fault.New(fault.UndefinedParameter, "@@%s is not known", a.Name).
			WithHint("the body of the request is given as @@json = '{…}'"), t.Start}
	}
	x.Payload = &a
	return nil
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
		return nil, failAt(start, "something is expected after %s", word)
	}
	return &Clause{start, end}, nil
}

func (p *parser) delete() (Head, error) {
	p.next()
	d := Delete{Hints: p.hints()}
	if !p.accept("FROM") {
		return nil, failAt(p.peek().Start, "FROM is expected after DELETE")
	}
	name, err := p.name("the name of a resource")
	if err != nil {
		return nil, err
	}
	d.Target = name
	if t := p.peek(); t.Is("USING") {
		return nil, failAt(t.Start, "DELETE … USING is not supported yet")
	}
	if p.accept("WHERE") {
		d.Where, err = p.clause("WHERE", func(t Token) bool { return t.Is("RETURNING") })
		if err != nil {
			return nil, err
		}
	}
	d.Returning, err = p.returning()
	if err != nil {
		return nil, err
	}
	return d, p.end()
}
