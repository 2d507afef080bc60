package planeql

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// Completion is what could stand at the cursor: Text replaces what is between
// Start and the cursor.
type Completion struct {
	Text        string
	Description string
	Kind        string // provider, service, resource, method, table, view, materialized view, column, parameter, keyword
	Start       int
}

// keywords are offered where a word may stand that is no name.
var keywords = []string{
	"SELECT", "FROM", "WHERE", "AND", "OR", "IN", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "ON", "AS", "DELETE FROM",
	"EXEC", "EXPLAIN", "SHOW PROVIDERS", "SHOW SERVICES IN", "SHOW RESOURCES IN", "SHOW METHODS IN", "SHOW TABLES", "SHOW VIEWS",
	"DESCRIBE", "USE", "RETURNING", "CREATE VIEW", "CREATE MATERIALIZED VIEW", "CREATE TABLE", "REFRESH MATERIALIZED VIEW", "DROP VIEW", "COPY",
	"SET VARIABLE", "ON ERROR CONTINUE", "ON ERROR STOP",
}

// Complete gives what could stand at the cursor, a byte offset of text, from
// the catalog alone: nothing is sent and DuckDB is not opened.
func (s *Session) Complete(text string, cursor int) []Completion {
	before := text[:max(0, min(cursor, len(text)))]
	start := len(before) - len(tailName(before))
	word := before[start:]
	statement := before[strings.LastIndexByte(before, ';')+1:]
	if strings.HasPrefix(word, "@") {
		return s.arguments(statement, word, start)
	}
	parts := strings.Split(word, ".")
	last := parts[len(parts)-1]
	var found []Completion
	for _, name := range s.catalog.Complete(s.path(parts[:len(parts)-1])...) {
		kind := []string{"provider", "service", "resource", "method"}[min(3, len(s.path(parts[:len(parts)-1])))]
		found = append(found, Completion{Text: name, Kind: kind, Start: start + len(word) - len(last)})
	}
	if len(parts) == 1 {
		found = append(found, s.localNames(start)...)
		found = append(found, s.columns(text, statement, start)...)
		for _, k := range keywords {
			found = append(found, Completion{Text: k, Kind: "keyword", Start: start})
		}
	}
	return matching(found, last)
}

// tailName gives the dotted name, with @ in front, that a text ends in.
func tailName(text string) string {
	i := strings.LastIndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune("_$.@", r) && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') && r < 0x80
	})
	return text[i+1:]
}

// path puts the names of USE in front where the first part is no provider.
func (s *Session) path(parts []string) []string {
	if len(parts) > 0 && slices.ContainsFunc(s.catalog.Providers(), func(p string) bool { return strings.EqualFold(p, parts[0]) }) {
		return parts
	}
	if len(parts) == 0 {
		return nil
	}
	return append(slices.Clone(s.use), parts...)
}

// matching keeps the completions that begin with the word, by the rules of
// names, each once.
func matching(found []Completion, word string) []Completion {
	folded := fault.Fold(strings.TrimPrefix(word, "@"))
	seen := map[string]bool{}
	var list []Completion
	for _, c := range found {
		if strings.HasPrefix(fault.Fold(strings.TrimPrefix(c.Text, "@")), folded) && !seen[c.Text] {
			seen[c.Text] = true
			list = append(list, c)
		}
	}
	return list
}

// localNames gives the tables and views of the session, as the last statement
// that was planned has seen them.
func (s *Session) localNames(start int) []Completion {
	s.opening.Lock()
	defer s.opening.Unlock()
	var found []Completion
	for _, o := range s.known {
		found = append(found, Completion{Text: o.name, Kind: o.kind(), Start: start})
	}
	return found
}

// columns gives the columns of the resources that a statement names anywhere.
func (s *Session) columns(text, statement string, start int) []Completion {
	var found []Completion
	after, _, _ := strings.Cut(text[start:], ";")
	for _, r := range s.resourcesIn(statement + " " + after) {
		for _, m := range r.Verbs[provider.Select][:min(1, len(r.Verbs[provider.Select]))] {
			for _, c := range catalog.Columns(m) {
				found = append(found, Completion{Text: c.Name, Description: c.Description, Kind: "column", Start: start})
			}
		}
	}
	return found
}

// resourcesIn gives the resources whose dotted names stand in a text.
func (s *Session) resourcesIn(text string) []*provider.Resource {
	tokens, err := syntax.Lex(text)
	if err != nil {
		return nil
	}
	var list []*provider.Resource
	for i := range tokens {
		for _, parts := range []int{3, 1} {
			name, ok := syntax.NameAt(text, tokens[i].Start, parts)
			if !ok || parts == 1 && len(s.use) < 2 {
				continue
			}
			r, err := s.catalog.Resource(append(slices.Clone(s.use[:min(len(s.use), 3-parts)]), name.Parts...)...)
			if err == nil && !slices.Contains(list, r) {
				list = append(list, r)
			}
		}
	}
	return list
}

// arguments gives the @names of the method that a statement calls.
func (s *Session) arguments(statement, word string, start int) []Completion {
	tokens, err := syntax.Lex(strings.TrimSuffix(statement, word))
	if err != nil || len(tokens) < 2 || !tokens[0].Is("EXEC") {
		return nil
	}
	name, ok := syntax.NameAt(statement, tokens[1].Start, 4)
	if !ok {
		return nil
	}
	r, err := s.catalog.Resource(name.Parts[:3]...)
	if err != nil {
		return nil
	}
	m, err := s.catalog.Method(r, name.Parts[3])
	if err != nil {
		return nil
	}
	var found []Completion
	for _, p := range m.Parameters {
		found = append(found, Completion{Text: "@" + p.Name, Description: p.Description, Kind: "parameter", Start: start})
	}
	if m.Body != nil {
		found = append(found, Completion{Text: "@@json", Description: "the body of the request", Kind: "parameter", Start: start})
	}
	return matching(found, word)
}
