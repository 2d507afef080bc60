package syntax

import "strings"

// Normalize gives a text in the spelling that DuckDB's parser takes: names
// with a dollar sign and names in backquotes become names in double quotes,
// the arrows of JSON get brackets, and forms of StackQL the form that DuckDB has
// for them. Everything else
// stays where it is.
func Normalize(text *Edited) (*Edited, error) {
	tokens, err := Lex(text.Text)
	if err != nil {
		return nil, text.Locate(err)
	}
	edits := append(stackQL(tokens), arrows(tokens)...)
	for _, t := range tokens {
		switch {
		case t.Kind == Backquoted || t.Kind == Word && strings.HasPrefix(t.Text, "$"):
			name, _ := t.Name()
			edits = append(edits, Edit{t.Start, t.End, QuoteName(name)})
		case t.Kind == Hint:
			edits = append(edits, Edit{t.Start, t.End, strings.Repeat(" ", t.End-t.Start)})
		}
	}
	edits = append(edits, hashComments(text.Text, tokens)...)
	if len(edits) == 0 {
		return text, nil
	}
	return text.Apply(edits), nil
}

// hashComments makes a -- of each # that begins a comment. Inside a comment of
// another kind that changes nothing.
func hashComments(text string, tokens []Token) []Edit {
	var edits []Edit
	from := 0
	for i := 0; i <= len(tokens); i++ {
		to := len(text)
		if i < len(tokens) {
			to = tokens[i].Start
		}
		for at := from; at < to; at++ {
			if hashComment(text, at) {
				edits = append(edits, Edit{at, at + 1, "--"})
			}
		}
		if i < len(tokens) {
			from = tokens[i].End
		}
	}
	return edits
}

// QuoteName gives a name as a quoted identifier of SQL.
func QuoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuoteText gives a text as a string literal of SQL.
func QuoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// NameAt gives the dotted name of the given number of parts that stands at an
// offset of a text, with its end. ok is false when no such name stands there.
func NameAt(text string, offset, parts int) (name Name, ok bool) {
	if offset < 0 || offset >= len(text) {
		return Name{}, false
	}
	l := &lexer{text: text, at: offset}
	name.Start = offset
	for i := range parts {
		if l.skipSpace() != nil || l.at >= len(text) {
			return Name{}, false
		}
		t, err := l.next()
		if err != nil {
			return Name{}, false
		}
		part, isName := t.Name()
		if !isName {
			return Name{}, false
		}
		name.Parts, name.End = append(name.Parts, part), t.End
		if i == parts-1 {
			return name, true
		}
		if l.skipSpace() != nil || l.at >= len(text) || text[l.at] != '.' {
			return Name{}, false
		}
		l.at++
	}
	return Name{}, false
}
