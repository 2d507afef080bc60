package fault

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestError_print(t *testing.T) {
	source := &Source{Name: "query", Text: "SELECT nmae\nFROM azure.x.y\nWHERE ä = 'b' AND z = 1"}
	tests := []struct {
		name string
		err  *Error
		want string
	}{
		{"message alone", New(SyntaxError, "it is %s", "wrong"), "error 42601: it is wrong"},
		{
			"position and hint",
			New(UndefinedColumn, "there is no column %q", "nmae").At(Span{source, 7, 11}).WithHint("did you mean name?"),
			"error 42703: there is no column \"nmae\"\n  at query:1:8\n  | SELECT nmae\n  |        ^^^^\n  hint: did you mean name?",
		},
		{
			"a column counts characters", New(UndefinedColumn, "no").At(Span{source, 39, 40}),
			"error 42703: no\n  at query:3:12\n  | WHERE ä = 'b' AND z = 1\n  |            ^",
		},
		{
			"a span over lines ends with its line", New(SyntaxError, "no").At(Span{source, 7, 40}),
			"error 42601: no\n  at query:1:8\n  | SELECT nmae\n  |        ^^^^",
		},
		{
			"behind the end", New(SyntaxError, "no").At(Span{source, 999, 1000}),
			"error 42601: no\n  at query:3:24\n  | WHERE ä = 'b' AND z = 1\n  |                        ^",
		},
		{
			"a call",
			&Error{
				Code: Forbidden, Message: "not permitted", Object: "azure.a.b.list", Detail: "one\ntwo",
				HTTP: &HTTP{"GET", "https://h/x", 403, "AuthorizationFailed", "The client …", "id-1", 3, 1234 * time.Millisecond},
			},
			"error 42501: not permitted\n  in: azure.a.b.list\n  one\n  two\n  call: GET https://h/x\n  status: 403 AuthorizationFailed\n" +
				"  the service says: The client …\n  request id: id-1\n  attempts: 3, 1.23s waited between them",
		},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.err.Print()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestError_printLongLine(t *testing.T) {
	text := strings.Repeat("a", 300) + "X" + strings.Repeat("b", 300)
	lines := strings.Split(New(SyntaxError, "no").At(Span{&Source{"q", text}, 300, 301}).Print(), "\n")
	at := strings.IndexByte(lines[3], '^')
	if len(lines[2]) > widest+10 || lines[2][at] != 'X' {
		t.Errorf("the caret is under %q of %q", lines[2][at], lines[2])
	}
}

func TestFrom(t *testing.T) {
	if From(nil) != nil {
		t.Error("From(nil) is an error")
	}
	inner := New(NotFound, "gone").Because(io.EOF)
	wrapped := errors.Join(errors.New("first"), inner)
	if From(wrapped) != inner || !errors.Is(From(wrapped), io.EOF) {
		t.Errorf("From = %v", From(wrapped))
	}
	if bug := From(io.ErrUnexpectedEOF); bug.Code != Internal || !errors.Is(bug, io.ErrUnexpectedEOF) || bug.Scope != Engine {
		t.Errorf("From(a bare error) = %#v", bug)
	}
}

func TestError_innermostWins(t *testing.T) {
	a, b := Span{&Source{"a", "x"}, 0, 1}, Span{&Source{"b", "x"}, 0, 1}
	e := New(SyntaxError, "no").At(a).At(b).On("first").On("second")
	if e.Span != a || e.Object != "first" {
		t.Errorf("At, On = %v, %q", e.Span, e.Object)
	}
}

func TestCodes(t *testing.T) {
	for code, scope := range scopes {
		if len(code) != 5 || scope == "" {
			t.Errorf("code %q has scope %q", code, scope)
		}
	}
}

func TestSuggest(t *testing.T) {
	columns := []string{"name", "sessionState", "userSessionId", "hostPoolName", "id", "type"}
	for name, want := range map[string]string{
		"nmae": "name", "sessionstat": "sessionState", "session_state": "sessionState", "hostPool": "hostPoolName",
		"zzz": "", "pool_names": "", "tpye": "type", "usersession": "userSessionId",
	} {
		got := ""
		if near := Suggest(name, columns); len(near) > 0 {
			got = near[0]
		}
		if got != want {
			t.Errorf("Suggest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := DidYouMean("x", columns, "other"); got != "other" {
		t.Errorf("DidYouMean = %q", got)
	}
}
