package syntax

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func TestParse_script(t *testing.T) {
	for text, want := range map[string]string{
		"SET VARIABLE a = 1 + 1":                          "set a = 1 + 1",
		`set variable "a b" TO (SELECT max(x) FROM t)`:    "set a b = (SELECT max(x) FROM t)",
		"SET VARIABLE a = (INSERT INTO r (x) VALUES (1))": "set a = (INSERT INTO r (x) VALUES (1)) write INSERT",
		"SET VARIABLE a = ARRAY(EXEC p.s.r.m @x = 1)":     "set a = ARRAY(EXEC p.s.r.m @x = 1) list EXEC p.s.r.m",
		"SET VARIABLE a = (DELETE FROM t RETURNING x)":    "set a = (DELETE FROM t RETURNING x) write DELETE t",
		"SET VARIABLE a = (update)":                       "set a = (update)",
		"SET VARIABLE a = (replace('x', 'y', 'z'))":       "set a = (replace('x', 'y', 'z'))",
		"SET VARIABLE a = ARRAY(SELECT x FROM t)":         "set a = ARRAY(SELECT x FROM t)",
		"SET VARIABLE = 1":                                "SET",
		"SET threads = 1":                                 "SET",
		"RESET VARIABLE a":                                "reset a",
		"RESET threads":                                   "RESET",
		"ON ERROR CONTINUE":                               "continue true",
		"on error stop":                                   "continue false",
		"SET VARIABLE a = 1, 2":                           `"," is not expected here`,
		"SET VARIABLE a":                                  `"=" is expected after the name of a variable`,
		"SET VARIABLE 'a' = 1":                            "the name of a variable is expected here",
		"SET VARIABLE a = (EXEC r @x)":                    "\"=\" is expected after @x",
		"SET VARIABLE a =":                                "something is expected after =",
		"RESET VARIABLE a b":                              `"b" is not expected here`,
		"CHECK (SELECT count(*) > 0 FROM r)":              "check SELECT count(*) > 0 FROM r",
		"check ((FROM r))":                                "check (FROM r)",
		"CHECK SELECT true":                               "a query in brackets is expected after CHECK",
		"CHECK (true)":                                    "a query is expected in the brackets of CHECK",
		"CHECK (SELECT true":                              "a bracket is not closed before the end of the statement",
		"CHECK (SELECT true) x":                           `"x" is not expected here`,
		"ON ERROR":                                        "STOP or CONTINUE is expected after ON ERROR",
		"ON FAILURE STOP":                                 "ERROR is expected after ON",
	} {
		statements, err := parse(text, nil)
		got := ""
		if e := fault.As(err); e != nil {
			if got = e.Message; e.Hint == "" || e.Span.Source == nil {
				t.Errorf("Parse(%q): no hint or place: %v", text, e)
			}
		} else {
			got = scriptHead(statements[0])
		}
		if got != want {
			t.Errorf("Parse(%q) = %s, want %s", text, got, want)
		}
	}
}

func scriptHead(s *Statement) string {
	switch h := s.Head.(type) {
	case SetVariable:
		text := fmt.Sprintf("set %s = %s", h.Name, s.Text.Text[h.Value.Start:h.Value.End])
		if h.Write == nil {
			return text
		}
		text += map[bool]string{true: " list ", false: " write "}[h.List]
		switch w := h.Write.Head.(type) {
		case Exec:
			return text + "EXEC " + w.Method.String()
		case Delete:
			return text + "DELETE " + w.Name.String()
		}
		return text + strings.ToUpper(h.Write.Tokens[0].Text)
	case ResetVariable:
		return "reset " + h.Name
	case Check:
		return "check " + s.Text.Text[h.Query.Start:h.Query.End]
	case OnError:
		return fmt.Sprintf("continue %t", h.Continue)
	case Other:
		return h.Verb
	}
	return fmt.Sprintf("%T", s.Head)
}

func TestFillVariables(t *testing.T) {
	values := map[string]Variable{
		"x": {Literal: "'it''s'"},
		"l": {Literal: "['a', 'b']", List: true, Elements: []string{"'a'", "'b'"}},
		"e": {Literal: "CAST('[]' AS VARCHAR[])", List: true},
	}
	for text, want := range map[string]string{
		"SELECT getvariable('x'), GetVariable ( 'X' )":             "SELECT 'it''s', 'it''s'",
		"a = getvariable('x') AND f(getvariable('x'))":             "a = 'it''s' AND f('it''s')",
		"a IN (getvariable('l'))":                                  "a IN ('a', 'b')",
		"a IN (getvariable('l'), 'c')":                             "a IN (['a', 'b'], 'c')",
		"a IN getvariable('l')":                                    "a IN ['a', 'b']",
		"a = ANY(getvariable('l'))":                                "a = ANY(['a', 'b'])",
		"a NOT IN (getvariable('e'))":                              "a NOT IN (SELECT unnest(CAST('[]' AS VARCHAR[])))",
		"getvariable(a), s.getvariable('x'), 'getvariable(''x'')'": "getvariable(a), s.getvariable('x'), 'getvariable(''x'')'",
		"-- getvariable('x')":                                      "-- getvariable('x')",
	} {
		got, err := FillVariables(original(text), values)
		if err != nil || got.Text != want {
			t.Errorf("FillVariables(%q) = %q, %v, want %q", text, got.Text, err, want)
		}
	}
	got, err := FillVariables(original("getvariable('x') + getvariable('m')"), values)
	e := fault.As(err)
	if e == nil || e.Code != fault.UndefinedParameter || e.Span.Start != 19 || got.Text != "'it''s' + getvariable('m')" {
		t.Errorf("an unknown one: %q, %v", got.Text, err)
	}
}

func original(text string) *Edited {
	return Original(&fault.Source{Name: "t", Text: text}, 0, len(text))
}
