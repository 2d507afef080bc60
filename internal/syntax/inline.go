package syntax

import "strings"

// CallsTable tells whether the statement calls the table function of a name,
// without arguments.
func (s *Statement) CallsTable(name string) bool {
	for _, c := range calls(s.Tokens) {
		if s.Tokens[c.name].Is(name) && c.arguments() == 0 {
			return true
		}
	}
	return false
}

// Inline gives the statement with a query in the place of each call of the table
// function of a name. The function's name stays as alias where there is none.
func (s *Statement) Inline(name, query string) (*Statement, error) {
	var edits []Edit
	for _, c := range calls(s.Tokens) {
		if !s.Tokens[c.name].Is(name) || c.arguments() > 0 {
			continue
		}
		text := "(" + query + ")"
		if !named(s.Tokens, c) {
			text += " AS " + strings.ToLower(name)
		}
		edits = append(edits, Edit{s.Tokens[c.name].Start, s.Tokens[c.end].End, text})
	}
	return newStatement(s.Text.Apply(edits))
}

// named tells whether an alias follows a table function.
func named(tokens []Token, c call) bool {
	if len(tokens) <= c.end+1 {
		return false
	}
	next := tokens[c.end+1]
	_, isName := next.Name()
	return isName && !isOneOf(next, afterTable)
}

// Edited gives the statement after some edits of its text.
func (s *Statement) Edited(edits []Edit) (*Statement, error) {
	return newStatement(s.Text.Apply(edits))
}
