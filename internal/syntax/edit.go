package syntax

import (
	"errors"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Edit replaces the bytes [Start, End) of a text.
type Edit struct {
	Start, End int
	Text       string
}

// Edited is a text made from another one by edits, with the way back. It is
// immutable.
type Edited struct {
	Text   string
	parent *Edited // nil: Text is a part of source
	source *fault.Source
	offset int // where Text starts in the source, when parent is nil
	edits  []Edit
	parts  []*Edited // that Text is made of, when there are any
}

// Original gives the part [start, end) of a source as a text without edits.
func Original(source *fault.Source, start, end int) *Edited {
	return &Edited{Text: source.Text[start:end], source: source, offset: start}
}

// Apply gives the text after the edits. They may come in any order and must
// not overlap; several insertions at one place keep their order.
func (e *Edited) Apply(edits []Edit) *Edited {
	sorted := slices.Clone(edits)
	slices.SortStableFunc(sorted, func(a, b Edit) int { return a.Start - b.Start })
	var b strings.Builder
	at := 0
	for _, edit := range sorted {
		if edit.Start < at {
			continue
		}
		b.WriteString(e.Text[at:edit.Start])
		b.WriteString(edit.Text)
		at = edit.End
	}
	b.WriteString(e.Text[at:])
	return &Edited{Text: b.String(), parent: e, edits: sorted}
}

// Part gives the bytes [start, end) as a text of its own that keeps the way
// back.
func (e *Edited) Part(start, end int) *Edited {
	return e.Apply([]Edit{{0, start, ""}, {end, len(e.Text), ""}})
}

// Join gives the texts one after another as one text that keeps the way back.
func Join(parts ...*Edited) *Edited {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return &Edited{Text: b.String(), parts: parts}
}

// Span gives the place in the source that the bytes [start, end) came from. A
// place inside inserted text is mapped to what was replaced by it.
func (e *Edited) Span(start, end int) fault.Span {
	if e.parts != nil {
		return e.spanOfParts(start, end)
	}
	if e.parent == nil {
		return fault.Span{Source: e.source, Start: e.offset + start, End: e.offset + end}
	}
	from, _ := e.back(start)
	to := from
	if end > start {
		_, to = e.back(end - 1)
	}
	return e.parent.Span(from, max(from, to))
}

// Before gives the text that the bytes [start, end) had before the last edits,
// and whether these changed it.
func (e *Edited) Before(start, end int) (text string, changed bool) {
	if e.parent == nil || start >= end {
		return e.Text[start:end], false
	}
	from, _ := e.back(start)
	_, to := e.back(end - 1)
	text = e.parent.Text[from:max(from, to)]
	return text, text != e.Text[start:end]
}

// spanOfParts gives the place of a range of a joined text, as far as it lies in
// one source.
func (e *Edited) spanOfParts(start, end int) fault.Span {
	var span fault.Span
	for i, p := range e.parts {
		last := i == len(e.parts)-1
		switch from, to := max(0, start), min(end, len(p.Text)); {
		case start >= len(p.Text) && !last || end < 0:
		case span.Source == nil:
			span = p.Span(min(from, len(p.Text)), max(from, to))
		case end > 0 && p.Span(0, to).Source == span.Source:
			span.End = max(span.End, p.Span(0, to).End)
		}
		start, end = start-len(p.Text), end-len(p.Text)
	}
	return span
}

// back gives the range in the parent that the byte at offset came from.
func (e *Edited) back(offset int) (start, end int) {
	if last := len(e.Text) - 1; offset > last && last >= 0 { // behind the text, not behind what was cut off there
		_, end = e.back(last)
		return end, min(end+1, len(e.parent.Text))
	}
	shift, last := 0, 0 // shift: length of this text minus that of the parent's, so far
	for _, edit := range e.edits {
		if edit.Start < last {
			continue
		}
		at := edit.Start + shift
		if offset < at {
			break
		}
		if offset < at+len(edit.Text) {
			return edit.Start, edit.End
		}
		shift += len(edit.Text) - (edit.End - edit.Start)
		last = edit.End
	}
	start = min(max(0, offset-shift), len(e.parent.Text))
	return start, min(start+1, len(e.parent.Text))
}

// Locate gives a syntax error of this package its place in the user's text;
// any other error is given back as it is.
func (e *Edited) Locate(err error) error {
	if le, ok := errors.AsType[*lexError](err); ok {
		return le.fault.At(e.Span(le.offset, le.offset+1))
	}
	return err
}
