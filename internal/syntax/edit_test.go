package syntax

import (
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func TestEdited_span(t *testing.T) {
	source := &fault.Source{Name: "t", Text: "xx SELECT `a`, $b FROM c yy"}
	text := Original(source, 3, len(source.Text)-3)
	normal, err := Normalize(text)
	if err != nil {
		t.Fatal(err)
	}
	if want := `SELECT "a", "$b" FROM c`; normal.Text != want {
		t.Fatalf("Normalize = %q, want %q", normal.Text, want)
	}
	longer := normal.Apply([]Edit{{7, 10, "a_much_longer_name"}, {22, 23, "(SELECT 1)"}})
	for _, test := range []struct {
		in   *Edited
		part string
		want string
	}{
		{normal, `"a"`, "`a`"},
		{normal, `"$b"`, "$b"},
		{normal, "FROM", "FROM"},
		{normal, "c", "c"},
		{longer, "much", "`a`"},
		{longer, "FROM", "FROM"},
		{longer, "(SELECT 1)", "c"},
	} {
		at := index(t, test.in.Text, test.part)
		span := test.in.Span(at, at+len(test.part))
		if got := source.Text[span.Start:span.End]; got != test.want {
			t.Errorf("%q of %q came from %q, want %q", test.part, test.in.Text, got, test.want)
		}
	}
}

func TestEdited_part(t *testing.T) {
	source := &fault.Source{Name: "t", Text: "abcdefghij"}
	part := Original(source, 1, 9).Part(2, 6).Apply([]Edit{{0, 0, "__"}})
	if part.Text != "__defg" {
		t.Fatalf("Part = %q", part.Text)
	}
	if span := part.Span(3, 5); source.Text[span.Start:span.End] != "ef" {
		t.Errorf("span = %q", source.Text[span.Start:span.End])
	}
}

func TestJoin(t *testing.T) {
	source := &fault.Source{Name: "t", Text: "COPY (SELECT a FROM b) TO 'x'"}
	text := Original(source, 0, len(source.Text))
	inner := text.Part(6, 21).Apply([]Edit{{14, 15, "(SELECT 1 AS a)"}})
	joined := Join(text.Part(0, 6), inner, text.Part(21, len(source.Text)))
	if want := "COPY (SELECT a FROM (SELECT 1 AS a)) TO 'x'"; joined.Text != want {
		t.Fatalf("Join = %q, want %q", joined.Text, want)
	}
	for part, want := range map[string]string{
		"COPY": "COPY", "SELECT a": "SELECT a", "1 AS": "b", "TO": "TO", "'x'": "'x'", "FROM (SELECT": "FROM b",
		joined.Text: source.Text, "1 AS a)) TO": "b) TO", "(SELECT a": "(SELECT a",
	} {
		at := index(t, joined.Text, part)
		span := joined.Span(at, at+len(part))
		if span.Source == nil || source.Text[span.Start:span.End] != want {
			t.Errorf("%q came from %+v, want %q", part, span, want)
		}
	}
	if span := joined.Span(len(joined.Text), len(joined.Text)+1); span.Source == nil || span.Start < len(source.Text)-1 {
		t.Errorf("the end came from %+v", span)
	}
	other := &fault.Source{Name: "view v", Text: "SELECT 1"}
	mixed := Join(Original(source, 0, 6), Original(other, 0, 8))
	if span := mixed.Span(0, 14); span.Source != source || span.End != 6 {
		t.Errorf("a range over two sources is %+v", span)
	}
}

func index(t *testing.T, text, part string) int {
	t.Helper()
	for i := range text {
		if len(text)-i >= len(part) && text[i:i+len(part)] == part {
			return i
		}
	}
	t.Fatalf("%q is not in %q", part, text)
	return 0
}
