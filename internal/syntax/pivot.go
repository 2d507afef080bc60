package syntax

import "slices"

// Following gives where the token behind a clause begins.
func (s *Statement) Following(c Clause) int {
	for _, t := range s.Tokens {
		if t.Start >= c.End {
			return t.Start
		}
	}
	return len(s.Text.Text)
}

// PivotSource gives what stands between PIVOT and the clauses behind it, where a
// statement is one: the name of a table or a query in brackets, each with or
// without a name of its own. A join there is none of the two.
func (s *Statement) PivotSource() (source Clause, alias string, ok bool) {
	if !s.Tokens[0].Is("PIVOT") && !s.Tokens[0].Is("PIVOT_WIDER") {
		return Clause{}, "", false
	}
	p := &parser{text: s.Text, tokens: s.Tokens, at: 1}
	first := p.peek()
	if first.IsSymbol("(") {
		p.next()
		p.closing(first)
	} else if _, err := p.name("a table"); err != nil {
		return Clause{}, "", false
	} else {
		alias, _ = p.peekAt(-1).Name()
	}
	clauses := []string{"ON", "USING", "GROUP"}
	if !slices.ContainsFunc(clauses, p.peek().Is) {
		p.accept("AS")
		if alias, ok = p.next().Name(); !ok || !slices.ContainsFunc(clauses, p.peek().Is) {
			return Clause{}, "", false
		}
	}
	return Clause{Start: first.Start, End: p.peekAt(-1).End}, alias, true
}
