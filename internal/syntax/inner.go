package syntax

import (
	"slices"

	"github.com/planeql/planeql/internal/fault"
)

// innerWrite gives the error for a write inside another statement, such as a CTE
// with RETURNING or CREATE TABLE … AS DELETE. The only place for one is SET
// VARIABLE, whose reading takes it out.
func (p *parser) innerWrite() error {
	first := p.tokens[0]
	if slices.ContainsFunc([]string{"SET", "EXPLAIN", "PREPARE", "MERGE"}, first.Is) {
		return nil
	}
	for i := 1; i < len(p.tokens); i++ {
		t, before := p.tokens[i], p.tokens[i-1]
		opened := before.IsSymbol("(") || before.Is("AS") && (first.Is("CREATE") || first.Is("COPY"))
		if !opened && (!t.Is("EXEC") || !first.Is("INSERT")) || !beginsWrite(p.tokens[i:]) {
			continue
		}
		return fault.New(fault.NotSupported, "a write inside another statement is not supported").
			At(p.text.Span(t.Start, t.End)).
			WithHint("make it a statement of its own and read what it did from planeql_outcomes(): DELETE …; SELECT … FROM planeql_outcomes(); " +
				"what it returns goes into a variable: SET VARIABLE ids = ARRAY(DELETE … RETURNING id); SELECT unnest(getvariable('ids'))")
	}
	return nil
}

// beginsWrite tells whether tokens begin as a write does, and not as a name that
// is spelled like its verb.
func beginsWrite(tokens []Token) bool {
	at := 1
	for at < len(tokens) && tokens[at].Kind == Hint {
		at++
	}
	if at+1 >= len(tokens) {
		return false
	}
	second := tokens[at]
	_, named := second.Name()
	switch verb := tokens[0]; {
	case verb.Is("DELETE"):
		return second.Is("FROM")
	case verb.Is("INSERT"):
		return second.Is("INTO") || second.Is("OR")
	case verb.Is("REPLACE"):
		return second.Is("INTO")
	case verb.Is("UPDATE"), verb.Is("EXEC"):
		return named && (tokens[at+1].IsSymbol(".") || tokens[at+1].Is("SET"))
	}
	return false
}
