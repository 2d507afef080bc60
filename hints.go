package planeql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/syntax"
)

// verbs are the words a statement can begin with that a misspelt one may have
// meant.
var verbs = []string{
	"SELECT", "WITH", "FROM", "VALUES", "EXEC", "DELETE", "INSERT", "UPDATE", "REPLACE", "SHOW", "DESCRIBE",
	"EXPLAIN", "USE", "SET", "CREATE", "DROP", "COPY", "REFRESH",
}

// longName finds a table that is named by more parts than a name can have, on
// which DuckDB's parser gives up without a word of where.
var longName = regexp.MustCompile(`(?i)\b(?:from|join|,)\s+([\w"$]+(?:\.[\w"$]+){3,})`)

// syntaxError gives a parser's error its place in the user's text and advice.
func syntaxError(text *syntax.Edited, pe *duck.ParseError) error {
	if m := longName.FindStringSubmatchIndex(text.Text); m != nil && strings.Contains(pe.Message, "nameListToString") {
		return fault.New(fault.UndefinedTable, "%q has too many parts for a table", text.Text[m[2]:m[3]]).
			WithHint("a resource is named provider.service.resource; which method reads it follows from the WHERE").
			At(text.Span(m[2], m[3]))
	}
	return fault.New(fault.SyntaxError, "%s", pe.Message).WithHint("%s", syntaxHint(text.Text, pe)).
		At(text.Span(pe.Offset, pe.Offset+1))
}

func syntaxHint(text string, pe *duck.ParseError) string {
	if hint := formHint(text, pe.Offset); hint != "" {
		return hint
	}
	switch {
	case strings.HasSuffix(pe.Message, "end of input"):
		return "the statement ends too early: a value, a name or a closing bracket is missing"
	case strings.Contains(pe.Message, "without selection list"):
		return "name columns after SELECT, or * for all"
	case pe.Offset == 0:
		return verbHint(text)
	}
	return "the mistake is at the mark or just before it; a name that is a word of SQL stands in double quotes"
}

// verbHint is the advice for a statement that begins with an unknown word.
func verbHint(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	if hint := verbHints[strings.ToUpper(word)]; hint != "" {
		return hint
	}
	return fault.DidYouMean(word, verbs, "a statement begins with one of "+strings.Join(verbs, ", "))
}

// missingTable is the message of an error about a table that nobody knows.
var missingTable = regexp.MustCompile(`^there is no table "([^"]+)"$`)

// suggestResource adds to an error about an unknown table the resources that
// have its name: the short name alone needs a USE.
func (s *Session) suggestResource(err error) error {
	e := fault.As(err)
	if e == nil || e.Code != fault.UndefinedTable || e.HTTP != nil {
		return err
	}
	m := missingTable.FindStringSubmatch(e.Message)
	if m == nil {
		return err
	}
	for _, name := range s.catalog.Providers() {
		p, err := s.catalog.Provider(name)
		if err != nil {
			continue
		}
		for _, info := range p.Services {
			service, err := s.catalog.Service(name, info.Name)
			if err != nil {
				continue
			}
			at := slices.IndexFunc(service.Names(), func(n string) bool { return fault.Fold(n) == fault.Fold(m[1]) })
			if at >= 0 {
				path := name + "." + service.Name
				return e.WithHint("did you mean %s.%s? USE %s makes the short name enough", path, service.Names()[at], path)
			}
		}
	}
	return e
}
