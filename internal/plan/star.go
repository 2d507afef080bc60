package plan

import (
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/syntax"
)

// star is a * of a select list, with the block it stands in.
type star struct {
	node  syntax.Node
	block *block
}

// projectFields gives the scans that a * covers all the columns it stands for,
// in the order of the documents. Other scans give only what the statement
// names: nothing else is taken out of their items.
func (b *builder) projectFields() {
	for _, r := range b.relations {
		if !r.whole {
			continue
		}
		named := r.scan.columns
		r.scan.columns = nil
		for _, c := range r.columns {
			if c.Kind == catalog.Field {
				r.scan.project(c, c.Name, false, false)
			}
		}
		for _, p := range named {
			r.scan.project(p.column, p.name, p.hidden, p.named)
		}
	}
}

// isAll tells the ALL of ORDER BY ALL, which has a star's form in the tree and
// means what the select list holds.
func (b *builder) isAll(n syntax.Node) bool {
	offset, ok := n.Offset()
	if !ok || offset == 0 {
		return false
	}
	name, ok := syntax.NameAt(b.text.Text, offset, 1)
	return ok && strings.EqualFold(b.text.Text[name.Start:name.End], "ALL")
}

// cover marks the relations whose columns a * stands for.
func (s star) cover() {
	for _, r := range s.block.relations {
		if of := s.node.Text("relation_name"); of == "" || strings.EqualFold(of, r.alias) {
			r.whole = true
		}
	}
}

// expandStars takes the columns that the documents do not list out of each *:
// they are there only because another part of the statement names them.
func (b *builder) expandStars() {
	for _, s := range b.stars {
		hidden := s.hidden()
		offset, ok := s.node.Offset()
		if len(hidden) == 0 || !ok {
			continue
		}
		list := strings.Join(hidden, ", ")
		at, after := -1, []syntax.Token(nil)
		if offset > 0 {
			at, after = starAt(b.text.Text, offset)
		} else { // the tree has a star at the front of the text for FROM r without a select list
			offset = s.fromWord(b.text.Text)
		}
		switch {
		case at < 0 && s.node.Flag("columns"): // COLUMNS of a pattern or function names what it wants
		case at < 0:
			b.edits = append(b.edits, syntax.Edit{Start: offset, End: offset, Text: "SELECT * EXCLUDE (" + list + ") "})
		case len(after) > 1 && after[0].Is("EXCLUDE") && after[1].IsSymbol("("):
			b.edits = append(b.edits, syntax.Edit{Start: after[1].End, End: after[1].End, Text: list + ", "})
		case len(after) > 1 && after[0].Is("EXCLUDE"):
			b.edits = append(b.edits,
				syntax.Edit{Start: after[1].Start, End: after[1].Start, Text: "(" + list + ", "},
				syntax.Edit{Start: after[1].End, End: after[1].End, Text: ")"})
		default:
			b.edits = append(b.edits, syntax.Edit{Start: at, End: at, Text: " EXCLUDE (" + list + ")"})
		}
	}
}

// fromWord gives the place of the FROM of the star's block: the last one before
// the first thing that stands in it.
func (s star) fromWord(text string) int {
	first := len(text)
	syntax.Walk(s.block.node.Child("from_table"), func(n syntax.Node) bool {
		if offset, ok := n.Offset(); ok && offset > 0 {
			first = min(first, offset)
		}
		return true
	})
	at := 0
	tokens, _ := syntax.Lex(text) // DuckDB has parsed it
	for _, t := range tokens {
		if t.Is("FROM") && t.End <= first {
			at = t.Start
		}
	}
	return at
}

// hidden gives the columns to leave out, as qualified names.
func (s star) hidden() []string {
	var names []string
	for _, r := range s.block.relations {
		if of := s.node.Text("relation_name"); of != "" && !strings.EqualFold(of, r.alias) {
			continue
		}
		for _, p := range r.scan.columns {
			if p.hidden {
				names = append(names, syntax.QuoteName(r.alias)+"."+syntax.QuoteName(p.name))
			}
		}
	}
	return names
}

// starAt finds the * of a star node at or after an offset: * itself or t.*. It
// gives the place behind it and the tokens that follow, or -1.
func starAt(text string, offset int) (end int, after []syntax.Token) {
	tokens, err := syntax.Lex(text[offset:])
	if err != nil {
		return -1, nil
	}
	for i, t := range tokens {
		if i == 1 && t.IsSymbol("(") && tokens[0].Is("COLUMNS") {
			continue // COLUMNS(*)
		}
		if t.IsSymbol("*") {
			for j := range tokens {
				tokens[j].Start += offset
				tokens[j].End += offset
			}
			return t.End + offset, tokens[i+1:]
		}
		if _, isName := t.Name(); !isName && !t.IsSymbol(".") || t.Is("FROM") || i > 6 {
			break
		}
	}
	return -1, nil
}
