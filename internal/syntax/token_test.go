package syntax

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/planeql/planeql/internal/fault"
)

func TestLex(t *testing.T) {
	tests := []struct {
		text string
		want string // the tokens' texts, joined by |
	}{
		{"", ""},
		{"SELECT a, b", "SELECT|a|,|b"},
		{"a -- comment\nb", "a|b"},
		{"a --required,\n@b", "a|@b"},
		{"a /* x /* y */ z */ b", "a|b"},
		{"SELECT /*+ AWAIT */ x", "SELECT|/*+ AWAIT */|x"},
		{"'it''s' \"na\"\"me\" `b`", "'it''s'|\"na\"\"me\"|`b`"},
		{`e'it\'s'`, `e'it\'s'`},
		{"$filter $1 $12 ? $$a'b$$ $t$x$t$", "$filter|$1|$12|?|$$a'b$$|$t$x$t$"},
		{"@a='x' @@json='{}' @\"na-me\"=1 @a.b", "@a|=|'x'|@@json|=|'{}'|@\"na-me\"|=|1|@a.b"},
		{"@ -5", "@|-|5"},
		{"1.5e3 .5 1e 0xff 1_000", "1.5e3|.5|1|e|0xff|1_000"},
		{"a->>'b' a::INT a<>b a!=b", "a|->>|'b'|a|::|INT|a|<>|b|a|!=|b"},
		{"{{ name }} {'a': 1}", "{{ name }}|{|'a'|:|1|}"},
		{"größe 日本", "größe|日本"},
		{"\ufeffa\u00a0b", "a|b"},
	}
	for _, test := range tests {
		tokens, err := Lex(test.text)
		if err != nil {
			t.Errorf("Lex(%q): %v", test.text, err)
			continue
		}
		var got []string
		for _, token := range tokens {
			got = append(got, token.Text)
			if test.text[token.Start:token.End] != token.Text {
				t.Errorf("Lex(%q): %q is not at %d:%d", test.text, token.Text, token.Start, token.End)
			}
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("Lex(%q): %s", test.text, diff)
		}
	}
}

func TestLex_unterminated(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 'a":   "a string is not closed",
		"SELECT \"a":  "a quoted name is not closed",
		"SELECT `a":   "a quoted name is not closed",
		"/* a":        "a comment is not closed",
		"/*+ a":       "a hint is not closed",
		"{{ a":        "a placeholder is not closed",
		"$$a":         "a string is not closed",
		"@\"a":        "a quoted name is not closed",
		"e'a\\'":      "a string is not closed",
		"/* /* */ a ": "a comment is not closed",
	} {
		_, err := Lex(text)
		e := fault.As(err)
		if e == nil || e.Code != fault.SyntaxError || !strings.Contains(e.Message, want) {
			t.Errorf("Lex(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestToken_name(t *testing.T) {
	for text, want := range map[string]string{`"a""b"`: `a"b`, "`a``b`": "a`b", "x": "x"} {
		tokens, err := Lex(text)
		if err != nil || len(tokens) != 1 {
			t.Fatalf("Lex(%q) = %v, %v", text, tokens, err)
		}
		if name, ok := tokens[0].Name(); !ok || name != want {
			t.Errorf("Name of %q = %q, %v", text, name, ok)
		}
	}
}
