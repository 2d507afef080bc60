package syntax

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func parse(text string, values map[string]string) ([]*Statement, error) {
	return Parse(&fault.Source{Name: "t", Text: text}, values)
}

func TestParse_split(t *testing.T) {
	statements, err := parse(" ;; SELECT ';' -- ;\n; SELECT 2 /* ; */ ;; USE azure ", nil)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range statements {
		texts = append(texts, s.Text.Text)
	}
	if got, want := strings.Join(texts, "|"), "SELECT ';'|SELECT 2|USE azure"; got != want {
		t.Errorf("Parse = %q, want %q", got, want)
	}
}

func TestParse_placeholders(t *testing.T) {
	values := map[string]string{"a": `it's "x"`, "$filter": "name eq 'x'", "n": "5"}
	for text, want := range map[string]string{
		"SELECT '{{ a }}'":                       `SELECT 'it''s "x"'`,
		"SELECT '{{$filter}}', {{ n }}":          "SELECT 'name eq ''x''', 5",
		`SELECT "{{ a }}"`:                       `SELECT "it's ""x"""`,
		`SELECT '{ "m": "{{ a }}", "n": {{n}}}'`: `SELECT '{ "m": "it''s \"x\"", "n": 5}'`,
		"SELECT 1 -- {{ unknown }}":              "SELECT 1",
		"SELECT '{{a}}{{n}}'":                    `SELECT 'it''s "x"5'`,
	} {
		statements, err := parse(text, values)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got := statements[0].Text.Text; got != want {
			t.Errorf("Parse(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestParse_unfilled(t *testing.T) {
	_, err := parse("SELECT 1;\nSELECT '{{ nme }}'", map[string]string{"name": "x"})
	e := fault.As(err)
	if e == nil || e.Code != fault.UndefinedParameter || e.Hint != "did you mean name?" {
		t.Fatalf("Parse = %v", err)
	}
	if line, column := e.Span.Source.Position(e.Span.Start); line != 2 || column != 9 {
		t.Errorf("position = %d:%d, want 2:9", line, column)
	}
}

func TestParse_heads(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1":                                           "{}",
		"FROM t":                                             "{}",
		"(SELECT 1) UNION SELECT 2":                          "{}",
		"CREATE TABLE a (x INT)":                             "CREATE ",
		"CREATE MACRO f(x) AS x":                             "CREATE ",
		"CREATE TABLE a AS EXECUTE p":                        "CREATE ",
		"CREATE TABLE a AS SELECT 1":                         "TABLE a [] false false false: SELECT 1",
		"CREATE TABLE a AS SELECT 1 WITH NO DATA":            "TABLE a [] false false false: SELECT 1",
		"CREATE TABLE a AS FROM t WITH DATA":                 "TABLE a [] false false false: FROM t",
		"CREATE OR REPLACE TEMP TABLE b.a(x, y) AS (FROM t)": "TABLE b.a [x y] true true false: (FROM t)",
		"CREATE VIEW IF NOT EXISTS v (\"A b\") AS WITH c AS (SELECT 1) FROM c": "VIEW v [A b] false false true: WITH c AS (SELECT 1) FROM c",
		"CREATE TEMPORARY MATERIALIZED VIEW v AS FROM t":                       "MATERIALIZED VIEW v [] false true false: FROM t",
		"COPY (SELECT f(1) FROM t) TO 'x.csv' (FORMAT csv)":                    "copy SELECT f(1) FROM t",
		"COPY t (a, b) TO 'x.csv'":                                             "copy t (a, b)",
		"COPY t TO 'x.csv'":                                                    "copy t ",
		"COPY t FROM 'x.csv'":                                                  "COPY ",
		"COPY FROM DATABASE a TO b":                                            "COPY ",
		"REFRESH MATERIALIZED VIEW main.v":                                     "refresh main.v",
		"REFRESH v":                                                            "refresh v",
		"DROP VIEW v":                                                          "drop VIEW v false",
		"DROP MATERIALIZED VIEW IF EXISTS v CASCADE":                           "drop MATERIALIZED VIEW v true",
		"DROP TABLE a.b.c RESTRICT":                                            "drop TABLE a.b.c false",
		"DROP SCHEMA s":                                                        "DROP ",
		"INSERT INTO t SELECT 1":                                               "insert t SELECT 1",
		"INSERT INTO t (a, b) BY NAME (SELECT 1) ON CONFLICT DO NOTHING":       "insert t (SELECT 1) DO NOTHING",
		"INSERT INTO t (SELECT 1) RETURNING a":                                 "insert t (SELECT 1) RETURNING a",
		"INSERT INTO t (values) VALUES (1)":                                    "insert t values ([1])",
		"INSERT INTO t SELECT * FROM a JOIN b ON a.x = b.x":                    "insert t SELECT * FROM a JOIN b ON a.x = b.x",
		"INSERT INTO t DEFAULT VALUES":                                         "insert t ()",
		"INSERT INTO a.b.c (x) VALUES 1":                                       "wrong INSERT a.b.c: VALUES 1 x",
		"INSERT OR REPLACE INTO t SELECT 1":                                    "insert t SELECT 1 DO UPDATE",
		"UPDATE a.b.c SET x = 1":                                               "update a.b.c SET x=1",
		"REPLACE INTO a.b.c SELECT 1":                                          "insert a.b.c SELECT 1",
		"USE azure.desktop_virtualization":                                     "azure.desktop_virtualization",
		"REGISTRY LIST":                                                        "false  ",
		"registry list azure":                                                  "false azure ",
		"REGISTRY PULL azure":                                                  "true azure ",
		"REGISTRY PULL azure v0.3.0":                                           "true azure v0.3.0",
		"REGISTRY PULL 'azure' 'v0.3.0-rc1'":                                   "true azure v0.3.0-rc1",
		"REGISTRY PULL azure@v0.3.0":                                           "true azure v0.3.0",
		"SHOW PROVIDERS":                                                       "PROVIDERS  false \"\"",
		"show extended services in azure":                                      "SERVICES azure true \"\"",
		"SHOW RESOURCES FROM azure.x LIKE '%it''s%'":                           "RESOURCES azure.x false \"%it's%\"",
		"SHOW METHODS IN a.b.c":                                                "METHODS a.b.c false \"\"",
		"SHOW TABLES":                                                          "TABLES  false \"\"",
		"SHOW EXTENDED VIEWS LIKE 'a%'":                                        "VIEWS  true \"a%\"",
		"SHOW TABLES FROM other":                                               "SHOW ",
		"SHOW ALL TABLES":                                                      "SHOW ",
		"DESCRIBE a.b.c":                                                       "a.b.c false false",
		"DESC EXTENDED a.b.c":                                                  "a.b.c false true",
		"DESCRIBE METHOD EXTENDED a.b.c.list":                                  "a.b.c.list true true",
		"DESCRIBE SELECT 1":                                                    "{}",
		"DELETE FROM a.b.c WHERE x = 'y' AND z = 1":                            "delete a.b.c WHERE x = 'y' AND z = 1",
		"DELETE FROM a.b.c WHERE x = 1 RETURNING id, b":                        "delete a.b.c WHERE x = 1 RETURNING id, b",
		"EXEC a.b.c.d":                                                         "a.b.c.d",
		"EXEC a.b.c.d @x='1', @y=2":                                            "a.b.c.d @x='1' @y=2",
		"EXEC a.b.c.d @x='1' --required,\n @y=lower('A')":                      "a.b.c.d @x='1' @y=lower('A')",
		"EXEC a.b.c.d @x='1' @@json='{}' RETURNING *":                          "a.b.c.d @x='1' @@json='{}' RETURNING *",
		"EXEC /*+ NOWAIT */ a.b.c.d @x = (1, 2)":                               "a.b.c.d @x=(1, 2) NOWAIT",
		"EXEC a.b.c.d @x = id FROM (SELECT 1) AS t":                            "a.b.c.d @x=id FROM (SELECT 1) AS t",
		"WITH w AS (SELECT 1) EXEC a.b.c.d @x = id FROM w":                     "WITH w AS (SELECT 1) a.b.c.d @x=id FROM w",
		"INSERT INTO a.b.c (x, d.e, @@json) VALUES (1, f(2, 3), DEFAULT), (4, 5, '{}') ON CONFLICT (x) DO UPDATE RETURNING *": "insert a.b.c x d.e @@json ([1][f(2, 3)][]) ([4][5]['{}']) DO UPDATE RETURNING *",
		"INSERT OR IGNORE INTO a.b.c (x) VALUES ([1, 2])":                                                                     "insert a.b.c x ([[1, 2]]) DO NOTHING",
		"INSERT IGNORE a.b.c (x) (SELECT 1)":                                                                                  "insert a.b.c x (SELECT 1) DO NOTHING",
		"WITH w AS (SELECT 1), v(a) AS NOT MATERIALIZED (SELECT 2) INSERT INTO a.b.c (x) SELECT * FROM w":                     "WITH w AS (SELECT 1), v(a) AS NOT MATERIALIZED (SELECT 2) insert a.b.c x SELECT * FROM w",
		"REPLACE INTO a.b.c (x) VALUES (1)":                                                                                   "insert a.b.c x ([1])",
		"REPLACE a.b.c SET x = 1 WHERE y = 2":                                                                                 "update a.b.c SET x=1 WHERE y = 2",
		"UPDATE /*+ ORDERED */ a.b.c AS u SET x = 1, d.e = CASE WHEN z IS DISTINCT FROM 1 THEN 2 END, @@json = '{}' FROM w JOIN v USING (k) WHERE u.y = w.y ORDER BY u.z LIMIT 3 RETURNING id": "update a.b.c u ORDERED SET x=1 d.e=CASE WHEN z IS DISTINCT FROM 1 THEN 2 END @@json='{}' FROM w JOIN v USING (k) WHERE u.y = w.y … ORDER BY u.z LIMIT 3 RETURNING id",
		"UPDATE t SET (a, b) = (1, 2)":                                     "wrong UPDATE t SET",
		"DELETE FROM a.b.c u USING w WHERE u.x = w.x LIMIT 2":              "delete a.b.c u USING w WHERE u.x = w.x … LIMIT 2",
		"WITH w AS (SELECT 1) DELETE FROM a.b.c WHERE x IN (FROM w)":       "WITH w AS (SELECT 1) delete a.b.c WHERE x IN (FROM w)",
		"WITH RECURSIVE w AS (SELECT 1) UPDATE a.b.c SET x = 1 WHERE true": "WITH RECURSIVE w AS (SELECT 1) update a.b.c SET x=1 WHERE true",
		"WITH w AS (SELECT 1) SELECT * FROM w":                             "{}",
		"WITH delete AS (SELECT 1) FROM delete":                            "{}",
	} {
		statements, err := parse(text, nil)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got := describe(statements[0]); got != want {
			t.Errorf("Parse(%q) = %q, want %q", text, got, want)
		}
	}
}

// describe gives the head of a statement as a line of text.
func describe(s *Statement) string {
	if r, ok := s.Head.(Registry); ok {
		return fmt.Sprint(r.Pull, " ", r.Provider, " ", r.Version)
	}
	text := s.Text.Text
	part := func(word string, c *Clause) string {
		if c == nil {
			return ""
		}
		return " " + word + " " + text[c.Start:c.End]
	}
	switch h := s.Head.(type) {
	case Other:
		if h.Query.End > 0 {
			return h.Verb + " " + h.Target.String() + ": " + text[h.Query.Start:h.Query.End]
		}
		return h.Verb + " " + h.Target.String()
	case Create:
		return fmt.Sprintf("%s %s %v %v %v %v: %s", h.What, h.Name, h.Columns, h.Replace, h.Temp, h.IfNotExists, text[h.Query.Start:h.Query.End])
	case Copy:
		return "copy " + text[h.Query.Start:h.Query.End] + strings.TrimPrefix(h.Name.String()+" ", " ") + text[h.Columns.Start:h.Columns.End]
	case Refresh:
		return "refresh " + h.Name.String()
	case Drop:
		return fmt.Sprintf("drop %s %s %v", h.What, h.Name, h.IfExists)
	case Use:
		return h.Name.String()
	case Show:
		return fmt.Sprintf("%s %s %v %q", h.What, h.In, h.Extended, h.Like)
	case Describe:
		return fmt.Sprintf("%s %v %v", h.Name, h.Method, h.Extended)
	case Delete:
		return written("delete", h.Target, text) + part("USING", h.Using) + part("WHERE", h.Where) + part("…", h.Order) + part("RETURNING", h.Returning)
	case Update:
		line := written("update", h.Target, text) + " SET"
		for _, a := range h.Set {
			line += " " + a.Column.Written + "=" + text[a.Value.Start:a.Value.End]
		}
		return line + part("FROM", h.From) + part("WHERE", h.Where) + part("…", h.Order) + part("RETURNING", h.Returning)
	case Insert:
		line := written("insert", h.Target, text)
		for _, c := range h.Columns {
			line += " " + c.Written
		}
		for _, row := range h.Rows {
			line += " ("
			for _, value := range row {
				line += "[" + text[value.Start:value.End] + "]"
			}
			line += ")"
		}
		for _, more := range []string{text[h.Query.Start:h.Query.End], h.Conflict} {
			line = strings.TrimRight(line+" "+more, " ")
		}
		return line + part("RETURNING", h.Returning)
	case Exec:
		line := text[h.With.Start:h.With.End] + h.Method.String()
		for _, a := range h.Arguments {
			line += " " + a.Column.Written + "=" + text[a.Value.Start:a.Value.End]
		}
		for _, hint := range h.Hints {
			line += " " + hint
		}
		return line + part("FROM", h.From) + part("RETURNING", h.Returning)
	}
	return fmt.Sprint(s.Head)
}

// written gives the target of a write; where the form is none that a resource
// has, what DuckDB is asked to run.
func written(verb string, t Target, text string) string {
	if t.Wrong != nil {
		return "wrong " + describe(&Statement{Text: &Edited{Text: text}, Head: t.Local})
	}
	line := text[t.With.Start:t.With.End] + verb + " " + t.Name.String()
	if t.Alias != "" {
		line += " " + t.Alias
	}
	for _, hint := range t.Hints {
		line += " " + hint
	}
	return line
}

func TestParse_explain(t *testing.T) {
	statements, err := parse("EXPLAIN (FORMAT json) EXEC a.b.c.d @x='1'", nil)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := statements[0].Head.(Explain)
	if !ok || !x.JSON || x.Analyze || describe(x.Statement) != "a.b.c.d @x='1'" {
		t.Errorf("Parse = %+v", statements[0].Head)
	}
	for text, json := range map[string]bool{"EXPLAIN FORMAT=JSON SELECT 1": true, "EXPLAIN FORMAT=TREE SELECT 1": false} {
		statements, err := parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if x := statements[0].Head.(Explain); x.JSON != json || x.Statement.Text.Text != "SELECT 1" {
			t.Errorf("Parse(%q) = %+v", text, x)
		}
	}
	at := index(t, x.Statement.Text.Text, "@x")
	if span := x.Statement.Text.Span(at, at+2); span.Source.Text[span.Start:span.End] != "@x" {
		t.Errorf("the place of @x is %v", span)
	}
}

func TestParse_errors(t *testing.T) {
	for text, want := range map[string]string{
		"EXEC":                                "the name of a method",
		"EXEC a.b.c.d @x":                     "\"=\" is expected after @x",
		"EXEC a.b.c.d @x=":                    "a value is expected after @x =",
		"EXEC a.b.c.d @x=1,":                  "",
		"EXEC a.b.c.d @x=1,, @y=2":            "before \",\"",
		"EXEC a.b.c.d @x=1 @X=2":              "@X is given twice",
		"EXEC a.b.c.d x=1":                    "instead of \"x\"",
		"EXEC a.b.c.d @@body='{}'":            "@@body is not known",
		"EXEC a.b.c.d @@json='{}' @@json='a'": "there can be one @@ argument",
		"EXEC a.b.c.d FROM":                   "something is expected after FROM",
		"EXEC a.b.c.d @x=(1":                  "a bracket is not closed",
		"EXEC a.b.c.d @x=1)":                  "closes nothing",
		"REGISTRY PULL":                       "the name of a provider is expected",
		"REGISTRY PUSH azure":                 "LIST or PULL is expected",
		"REGISTRY PULL a b c":                 "not expected here",
		"SHOW SERVICES":                       "IN is expected after SHOW SERVICES",
		"SHOW METHODS IN a.b.c LIKE x":        "a pattern in quotes",
		"SHOW EXTENDED FUNCTIONS":             "EXTENDED is known for",
		"CREATE VIEW v AS":                    "a query is expected after AS",
		"CREATE VIEW v":                       "AS and a query are expected",
		"CREATE VIEW":                         "the name of the new view",
		"CREATE VIEW v (a, A) AS SELECT 1":    "named twice",
		"CREATE MATERIALIZED TABLE t AS":      "VIEW is expected",
		"COPY (SELECT 1 TO 'x'":               "a bracket is not closed",
		"COPY":                                "a query in brackets",
		"REFRESH v w":                         "\"w\" is not expected here",
		"REFRESH":                             "the name of a materialized view",
		"DROP VIEW":                           "the name of a view",
		"DROP VIEW a b":                       "\"b\" is not expected here",
		"DESCRIBE":                            "the name of a resource is expected",
		"USE":                                 "a provider or provider.service is expected",
		"USE a b":                             "\"b\" is not expected here",
		"EXPLAIN":                             "a statement is expected after EXPLAIN",
		"EXPLAIN EXPLAIN SELECT 1":            "EXPLAIN cannot explain itself",
		"= 1":                                 "a statement cannot begin with",
		"SELECT 1; # one":                     "a statement cannot begin with \"#\"",
		"EXPLAIN # x":                         "a statement cannot begin with \"#\"",
	} {
		_, err := parse(text, nil)
		if want == "" {
			if err != nil {
				t.Errorf("Parse(%q): %v", text, err)
			}
			continue
		}
		e := fault.As(err)
		if e == nil || !strings.Contains(e.Message, want) {
			t.Errorf("Parse(%q) = %v, want %q", text, err, want)
			continue
		}
		if e.Span.Source == nil {
			t.Errorf("Parse(%q): the error has no place", text)
		}
	}
}

// What is wrong with a write is an error only where the name is a resource's.
func TestParse_writeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"DELETE a.b.c":                                 "FROM is expected after DELETE",
		"DELETE FROM a.b.c WHERE":                      "something is expected after WHERE",
		"DELETE FROM a.b.c x y":                        "\"y\" is not expected here",
		"DELETE FROM":                                  "the name of a resource is expected",
		"UPDATE a.b.c x = 1":                           "SET is expected here",
		"UPDATE a.b.c SET x":                           "\"=\" is expected after x",
		"UPDATE a.b.c SET x = WHERE y":                 "a value is expected after x =",
		"UPDATE a.b.c SET (x, y) = (1, 2)":             "the name of a column is expected",
		"UPDATE a.b.c SET @@body = 1":                  "@@body is not known",
		"INSERT INTO a.b.c VALUES (1)":                 "the columns are expected in brackets",
		"INSERT INTO a.b.c (x) VALUES (1, 2)":          "the row has 2 values for 1 columns",
		"INSERT INTO a.b.c (x) VALUES (1,)":            "a value is expected before \")\"",
		"INSERT INTO a.b.c (x) VALUES (1":              "a bracket is not closed",
		"INSERT INTO a.b.c (x) VALUES 1":               "a row of values in brackets",
		"INSERT INTO a.b.c (x, y":                      "is expected after the column y",
		"INSERT INTO a.b.c (x)":                        "VALUES or a query is expected",
		"INSERT INTO a.b.c (x) VALUES (1) ON CONFLICT": "DO NOTHING or DO UPDATE",
		"INSERT INTO a.b.c (x) VALUES (1) ON CONFLICT DO UPDATE SET x = 1": "DO UPDATE SET is not supported",
		"REPLACE INTO a.b.c (x) VALUES (1) x":                              "\"x\" is not expected here",
	} {
		statements, err := parse(text, nil)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		e := fault.As(statements[0].Head.(interface{ Written() Target }).Written().Wrong)
		if e == nil || !strings.Contains(e.Message, want) || e.Span.Source == nil || e.Hint == "" {
			t.Errorf("Parse(%q) = %v, want %q", text, e, want)
		}
	}
}

func TestStatement_bind(t *testing.T) {
	statements, err := parse("SELECT ?, '?', $2", nil)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := statements[0].Bind([]string{"'a'", "2"})
	if err != nil || bound.Text.Text != "SELECT 'a', '?', 2" {
		t.Errorf("Bind = %v, %v", bound, err)
	}
	if _, err := statements[0].Bind([]string{"1"}); fault.As(err) == nil {
		t.Errorf("Bind with too few = %v", err)
	}
	if _, err := statements[0].Bind([]string{"1", "2", "3"}); fault.As(err) == nil {
		t.Errorf("Bind with too many = %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"SELECT * FROM a.b.c WHERE x = 'y' -- required\nAND $filter = '{{ f }}';",
		"EXEC a.b.c.d @x='1' --required,\n@y=2 @@json='{\"a\": \"{{ f }}\"}' RETURNING *",
		"DELETE FROM a.b.c WHERE (a, b) IN ((1, 2))", "INSERT INTO a.b.c (x, y) VALUES (1, DEFAULT) ON CONFLICT DO NOTHING",
		"WITH w AS (SELECT 1) UPDATE a.b.c SET x = 1, y.z = 2 FROM w WHERE true", "REPLACE a.b.c SET @@json = '{}' WHERE x = 1", "EXPLAIN (FORMAT json) USE a", "$$", "{{", "@@", "e'\\'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, err := parse(text, map[string]string{"f": `a'b"c`})
		if err != nil {
			if e := fault.As(err); e == nil || e.Span.Source == nil || e.Span.Start > len(text) {
				t.Fatalf("Parse(%q): %#v", text, err)
			}
			return
		}
		for _, s := range statements {
			span := s.Text.Span(0, len(s.Text.Text))
			if span.Start < 0 || span.End > len(text) || span.Start > span.End {
				t.Fatalf("Parse(%q): a statement at %v", text, span)
			}
			if _, err := Normalize(s.Text); err != nil {
				t.Fatalf("Normalize(%q): %v", s.Text.Text, err)
			}
		}
	})
}

func FuzzPlaceholder(f *testing.F) {
	f.Add(`it's "x"\`, "SELECT '{{ v }}'")
	f.Add(`a\"b'`, `SELECT '{"m": "{{ v }}"}'`)
	f.Fuzz(func(t *testing.T, value, text string) {
		if strings.ContainsAny(text, "{}") && !strings.Contains(text, "{{ v }}") {
			return
		}
		quoted := "SELECT '{{ v }}'"
		statements, err := parse(quoted, map[string]string{"v": value})
		if err != nil {
			t.Fatalf("Parse: %v", err)
		}
		if len(statements) != 1 || len(statements[0].Tokens) != 2 {
			t.Fatalf("the value %q broke out of its string: %q", value, statements[0].Text.Text)
		}
		inner := statements[0].Tokens[1].Text
		if got := strings.ReplaceAll(inner[1:len(inner)-1], "''", "'"); got != value {
			t.Fatalf("the value %q came out as %q", value, got)
		}
		_, _ = parse(text, map[string]string{"v": value})
	})
}
