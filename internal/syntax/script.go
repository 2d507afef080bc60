package syntax

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// SetVariable is SET VARIABLE name = expression. The expression may be a write in
// brackets: (INSERT … RETURNING column) for the value of its one row,
// ARRAY(INSERT … RETURNING column) for those of all.
type SetVariable struct {
	Name  string
	Value Clause
	Write *Statement // in the brackets; nil: Value is an expression
	List  bool       // the values of all rows of the write
}

// ResetVariable is RESET VARIABLE name.
type ResetVariable struct{ Name string }

// OnError is ON ERROR STOP | CONTINUE: what the failure of a statement means for
// those after it.
type OnError struct{ Continue bool }

// Check is CHECK (query): a condition that has to hold.
type Check struct{ Query Clause }

func (Check) head()         {}
func (SetVariable) head()   {}
func (ResetVariable) head() {}
func (OnError) head()       {}

// writeWords are the words that a write of planeql begins with.
var writeWords = []string{"INSERT", "UPDATE", "REPLACE", "DELETE", "EXEC"}

// set reads SET VARIABLE; any other SET is DuckDB's.
func (p *parser) set() (Head, error) {
	if !p.peekAt(1).Is("VARIABLE") || p.peekAt(2).IsSymbol("=") || p.peekAt(2).Is("TO") {
		return Other{Verb: "SET"}, nil
	}
	p.at += 2
	var v SetVariable
	var err error
	if v.Name, err = p.variable(); err != nil {
		return nil, err
	}
	if !p.accept("TO") {
		if !p.peek().IsSymbol("=") {
			return nil, failAt(p.peek().Start, "%q is expected after the name of a variable", "=")
		}
		p.next()
	}
	if v.Write, v.List, err = p.bracketedWrite(); err != nil {
		return nil, err
	}
	value, err := p.clause("=", func(t Token) bool { return t.IsSymbol(",") })
	if err != nil {
		return nil, err
	}
	v.Value = *value
	return v, p.end()
}

// variable reads the name of a variable.
func (p *parser) variable() (string, error) {
	t := p.peek()
	name, ok := t.Name()
	if !ok || name == "" {
		return "", failAt(t.Start, "the name of a variable is expected here")
	}
	p.next()
	return name, nil
}

// bracketedWrite reads the write in [ARRAY](…) at the next token, without moving.
// It gives nil where there is another expression.
func (p *parser) bracketedWrite() (write *Statement, list bool, err error) {
	open := 0
	if list = p.peek().Is("ARRAY"); list {
		open = 1
	}
	begins := func(w string) bool { return p.peekAt(open+1).Is(w) && p.peekAt(open+2).Kind != Symbol }
	last := p.tokens[len(p.tokens)-1]
	if !p.peekAt(open).IsSymbol("(") || !slices.ContainsFunc(writeWords, begins) || !last.IsSymbol(")") {
		return nil, false, nil
	}
	write, err = newStatement(p.text.Part(p.peekAt(open+1).Start, last.Start))
	return write, list, err
}

// reset reads RESET VARIABLE; any other RESET is DuckDB's.
func (p *parser) reset() (Head, error) {
	if !p.peekAt(1).Is("VARIABLE") || p.peekAt(2).Text == "" {
		return Other{Verb: "RESET"}, nil
	}
	p.at += 2
	name, err := p.variable()
	if err != nil {
		return nil, err
	}
	return ResetVariable{name}, p.end()
}

// onError reads ON ERROR.
func (p *parser) onError() (Head, error) {
	p.next()
	if !p.accept("ERROR") {
		return nil, failAt(p.peek().Start, "ERROR is expected after ON")
	}
	goOn := p.accept("CONTINUE")
	if !goOn && !p.accept("STOP") {
		return nil, failAt(p.peek().Start, "STOP or CONTINUE is expected after ON ERROR")
	}
	return OnError{goOn}, p.end()
}

// check reads CHECK and a query in brackets.
func (p *parser) check() (Head, error) {
	p.next()
	open := p.peek()
	if !open.IsSymbol("(") {
		return nil, failAt(open.Start, "a query in brackets is expected after CHECK")
	}
	p.next()
	if !p.beginsQuery() {
		return nil, failAt(p.peek().Start, "a query is expected in the brackets of CHECK")
	}
	start := p.peek().Start
	end := p.closing(open)
	if end < 0 {
		return nil, failAt(open.Start, "a bracket is not closed before the end of the statement")
	}
	return Check{Clause{start, end}}, p.end()
}

// Variable is the value of a variable of the session as a literal of SQL.
type Variable struct {
	Literal  string
	List     bool
	Elements []string // of a list, each as a literal
}

// variableFunction is the function of DuckDB that gives the value of a variable.
const variableFunction = "getvariable"

// FillVariables puts the values of variables, by their lower-case names, in the
// place of getvariable('name'). The only value in the brackets of IN stands for
// its elements where it is a list. A name that is not known is left where it is
// and gives an error beside the text.
func FillVariables(text *Edited, values map[string]Variable) (*Edited, error) {
	tokens, err := Lex(text.Text)
	if err != nil {
		return text, text.Locate(err)
	}
	var edits []Edit
	var unknown error
	for _, c := range calls(tokens) {
		name, ok := c.literal(tokens, 0)
		if !tokens[c.name].Is(variableFunction) || !ok || c.arguments() != 1 {
			continue
		}
		name = strings.ReplaceAll(name, "''", "'")
		v, ok := values[strings.ToLower(name)]
		switch {
		case !ok && unknown == nil:
			unknown = unset(name, values).At(text.Span(tokens[c.name].Start, tokens[c.end].End))
		case !ok:
		default:
			edits = append(edits, Edit{tokens[c.name].Start, tokens[c.end].End, v.in(tokens, c)})
		}
	}
	if len(edits) == 0 {
		return text, unknown
	}
	return text.Apply(edits), unknown
}

// in gives the text of the value in the place of a call.
func (v Variable) in(tokens []Token, c call) string {
	alone := c.name >= 2 && tokens[c.name-1].IsSymbol("(") && tokens[c.name-2].Is("IN") &&
		c.end+1 < len(tokens) && tokens[c.end+1].IsSymbol(")")
	switch {
	case !v.List || !alone:
		return v.Literal
	case len(v.Elements) == 0:
		return "SELECT unnest(" + v.Literal + ")"
	}
	return strings.Join(v.Elements, ", ")
}

func unset(name string, values map[string]Variable) *fault.Error {
	known := make([]string, 0, len(values))
	for k := range values {
		known = append(known, k)
	}
	slices.Sort(known)
	return fault.New(fault.UndefinedParameter, "the variable %q is not set", name).
		WithHint("%s", fault.DidYouMean(name, known, "SET VARIABLE "+name+" = … sets it, to NULL too"))
}
