package syntax

import (
	"errors"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Kind is the kind of a token.
type Kind int

// The kinds of tokens.
const (
	Word        Kind = iota // identifier or keyword; $filter is one
	Quoted                  // "identifier"
	Backquoted              // `identifier`
	String                  // 'text', e'text', $$text$$
	Number                  // 12, 1.5e3
	Argument                // @name
	Payload                 // @@name
	Positional              // ? or $1
	Placeholder             // {{ name }}
	Hint                    // /*+ words */
	Symbol                  // anything else, one or two characters
)

// Token is a piece of a text with its byte range; white space and comments are
// between the tokens.
type Token struct {
	Kind       Kind
	Text       string
	Start, End int
}

// Is tells whether the token is the word, whatever its case.
func (t Token) Is(word string) bool { return t.Kind == Word && strings.EqualFold(t.Text, word) }

// IsSymbol tells whether the token is the symbol.
func (t Token) IsSymbol(symbol string) bool { return t.Kind == Symbol && t.Text == symbol }

// Name gives the identifier that the token spells, without its quotes, and
// whether it is one.
func (t Token) Name() (string, bool) {
	switch t.Kind {
	case Word:
		return t.Text, true
	case Quoted:
		return strings.ReplaceAll(t.Text[1:len(t.Text)-1], `""`, `"`), true
	case Backquoted:
		return strings.ReplaceAll(t.Text[1:len(t.Text)-1], "``", "`"), true
	}
	return "", false
}

// lexer walks over a text. Positions in errors are offsets into that text.
type lexer struct {
	text string
	at   int
}

// Lex gives the tokens of a text. An unterminated string, identifier, comment
// or placeholder is a [fault.SyntaxError] whose span has no source yet.
func Lex(text string) ([]Token, error) {
	l := &lexer{text: text}
	var tokens []Token
	for {
		if err := l.skipSpace(); err != nil {
			return nil, err
		}
		if l.at >= len(l.text) {
			return tokens, nil
		}
		token, err := l.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
}

// lexError is an error at an offset of the text being lexed.
type lexError struct {
	fault  *fault.Error
	offset int
}

func (e *lexError) Error() string { return e.fault.Error() }

func (e *lexError) Unwrap() error { return e.fault }

// fail makes the error for something that begins at an offset and does not end.
func (l *lexer) fail(offset int, format string, args ...any) error {
	hint := "it begins at the mark and runs to the end of the text"
	if strings.ContainsRune("'\"`", rune(l.text[offset])) {
		hint += "; a quote inside quotes is written twice: 'it''s'"
	}
	return hinted(failAt(offset, format, args...), hint)
}

// failAt makes a syntax error at an offset of the text at hand;
// [Edited.Locate] gives it its place in the source.
func failAt(offset int, format string, args ...any) error {
	return &lexError{fault.New(fault.SyntaxError, format, args...), offset}
}

// hinted adds advice to an error of failAt that has none.
func hinted(err error, hint string) error {
	if le, ok := errors.AsType[*lexError](err); ok && hint != "" && le.fault.Hint == "" {
		return &lexError{le.fault.WithHint("%s", hint), le.offset}
	}
	return err
}

// skipSpace moves over white space and comments; a hint comment is a token.
func (l *lexer) skipSpace() error {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])):
			l.at++
		case strings.HasPrefix(rest, "\u00a0"), strings.HasPrefix(rest, "\ufeff"):
			l.at += len(rest) - len(strings.TrimLeft(rest, "\u00a0\ufeff"))
		case strings.HasPrefix(rest, "--"), hashComment(l.text, l.at):
			l.skipLine()
		case strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "/*+"):
			if err := l.skipBlock(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// hashComment tells whether a comment begins with the # at an offset: the first
// thing of its line, and no #1, which is a column of DuckDB.
func hashComment(text string, at int) bool {
	if text[at] != '#' || at+1 < len(text) && isDigit(text[at+1]) {
		return false
	}
	line := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	return strings.TrimSpace(line) == ""
}

func (l *lexer) skipLine() {
	if i := strings.IndexByte(l.text[l.at:], '\n'); i >= 0 {
		l.at += i + 1
	} else {
		l.at = len(l.text)
	}
}

// skipBlock moves over a block comment; DuckDB nests them, as PostgreSQL does.
func (l *lexer) skipBlock() error {
	start, depth := l.at, 0
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.at += 2
		default:
			l.at++
		}
		if depth == 0 {
			return nil
		}
	}
	return l.fail(start, "a comment is not closed: \"*/\" is missing")
}

func (l *lexer) token(kind Kind, length int) Token {
	t := Token{kind, l.text[l.at : l.at+length], l.at, l.at + length}
	l.at += length
	return t
}

// next reads one token; the text does not start with white space.
func (l *lexer) next() (Token, error) {
	rest := l.text[l.at:]
	switch c := rest[0]; {
	case c == '\'':
		return l.quoted(String, '\'', 0, false)
	case (c == 'e' || c == 'E') && len(rest) > 1 && rest[1] == '\'':
		return l.quoted(String, '\'', 1, true)
	case c == '"':
		return l.quoted(Quoted, '"', 0, false)
	case c == '`':
		return l.quoted(Backquoted, '`', 0, false)
	case strings.HasPrefix(rest, "/*+"):
		return l.delimited(Hint, "*/", "a hint")
	case strings.HasPrefix(rest, "{{"):
		return l.delimited(Placeholder, "}}", "a placeholder")
	case c == '@':
		return l.variable()
	case c == '$':
		return l.dollar()
	case c == '?':
		return l.token(Positional, 1), nil
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.token(Number, numberLength(rest)), nil
	case isWordStart(c):
		return l.token(Word, wordLength(rest)), nil
	}
	return l.symbol(), nil
}

// quoted reads a text in quotes, where a doubled quote stands for itself; skip
// is the length of what stands before the opening quote.
func (l *lexer) quoted(kind Kind, quote byte, skip int, backslash bool) (Token, error) {
	rest := l.text[l.at:]
	for i := skip + 1; i < len(rest); i++ {
		switch {
		case backslash && rest[i] == '\\':
			i++
		case rest[i] == quote && i+1 < len(rest) && rest[i+1] == quote:
			i++
		case rest[i] == quote:
			return l.token(kind, i+1), nil
		}
	}
	what := map[Kind]string{String: "a string", Quoted: "a quoted name", Backquoted: "a quoted name"}[kind]
	return Token{}, l.fail(l.at, "%s is not closed: %q is missing", what, string(quote))
}

func (l *lexer) delimited(kind Kind, end, what string) (Token, error) {
	i := strings.Index(l.text[l.at:], end)
	if i < 0 {
		return Token{}, l.fail(l.at, "%s is not closed: %q is missing", what, end)
	}
	return l.token(kind, i+len(end)), nil
}

// variable reads @name, @"na-me", @@name; a lone @ is DuckDB's operator.
func (l *lexer) variable() (Token, error) {
	rest := l.text[l.at:]
	kind, skip := Argument, 1
	if strings.HasPrefix(rest, "@@") {
		kind, skip = Payload, 2
	}
	switch {
	case len(rest) > skip && rest[skip] == '"':
		end := strings.IndexByte(rest[skip+1:], '"')
		if end < 0 {
			return Token{}, l.fail(l.at, "a quoted name is not closed: %q is missing", `"`)
		}
		return l.token(kind, skip+end+2), nil
	case len(rest) > skip && (isWordStart(rest[skip]) || rest[skip] == '$'):
		length := skip + 1 + wordTail(rest[skip+1:])
		for length+1 < len(rest) && rest[length] == '.' && isWordStart(rest[length+1]) {
			length += 1 + wordLength(rest[length+1:])
		}
		return l.token(kind, length), nil
	}
	return l.token(Symbol, 1), nil
}

// dollar reads $1, $filter, $$text$$ and $tag$text$tag$.
func (l *lexer) dollar() (Token, error) {
	rest := l.text[l.at:]
	if len(rest) > 1 && isDigit(rest[1]) {
		return l.token(Positional, 1+digits(rest[1:])), nil
	}
	length := 1 + wordTail(strings.SplitN(rest[1:], "$", 2)[0])
	if length < len(rest) && rest[length] == '$' {
		tag := rest[:length+1]
		end := strings.Index(rest[len(tag):], tag)
		if end < 0 {
			return Token{}, l.fail(l.at, "a string is not closed: %q is missing", tag)
		}
		return l.token(String, end+2*len(tag)), nil
	}
	if length == 1 {
		return l.symbol(), nil
	}
	return l.token(Word, length), nil
}

// symbols of two and three characters, so that a rewriting never splits one.
var symbols = []string{"->>", "<=>", "!~~", "::", ":=", "->", "=>", "<=", ">=", "<>", "!=", "==", "||", "&&", "//", "**", "<<", ">>", "~~", "!~", "^@"}

func (l *lexer) symbol() Token {
	for _, s := range symbols {
		if strings.HasPrefix(l.text[l.at:], s) {
			return l.token(Symbol, len(s))
		}
	}
	length := 1
	for l.at+length < len(l.text) && l.text[l.at] >= 0x80 && l.text[l.at+length]&0xC0 == 0x80 {
		length++
	}
	return l.token(Symbol, length)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWordStart follows DuckDB: letters, underscore and every byte above ASCII.
func isWordStart(c byte) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

func wordLength(s string) int { return 1 + wordTail(s[1:]) }

func wordTail(s string) int {
	n := 0
	for n < len(s) && (isWordStart(s[n]) || isDigit(s[n]) || s[n] == '$') && !strings.HasPrefix(s[n:], "\u00a0") {
		n++
	}
	return n
}

func digits(s string) int {
	n := 0
	for n < len(s) && (isDigit(s[n]) || s[n] == '_') {
		n++
	}
	return n
}

func numberLength(s string) int {
	n := digits(s)
	if n == 1 && len(s) > 2 && s[0] == '0' && (s[1]|0x20 == 'x' || s[1]|0x20 == 'b') {
		return 2 + wordTail(s[2:])
	}
	if n < len(s) && s[n] == '.' {
		n++
		n += digits(s[n:])
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		e := n + 1
		if e < len(s) && (s[e] == '+' || s[e] == '-') {
			e++
		}
		if d := digits(s[e:]); d > 0 {
			return e + d
		}
	}
	return n
}
