package fault

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Position gives the line and the column, both from 1, of a byte offset; the
// column counts characters. An offset outside the text is moved to its end.
func (s *Source) Position(offset int) (line, column int) {
	offset = max(0, min(offset, len(s.Text)))
	before := s.Text[:offset]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// line gives the text of the line that holds the offset, without its end.
func (s *Source) line(offset int) string {
	offset = max(0, min(offset, len(s.Text)))
	start := strings.LastIndexByte(s.Text[:offset], '\n') + 1
	line, _, _ := strings.Cut(s.Text[start:], "\n")
	return strings.TrimSuffix(line, "\r")
}

// Print gives the full form of the error, several lines without a final line
// end: the message, the position with a caret, what was found, the call and
// what the service said, and what to do next.
func (e *Error) Print() string {
	var b strings.Builder
	fmt.Fprintf(&b, "error %s: %s", e.Code, e.Message)
	e.Span.print(&b)
	if e.Object != "" {
		fmt.Fprintf(&b, "\n  in: %s", e.Object)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, "\n  %s", indent(e.Detail))
	}
	e.HTTP.print(&b)
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n  hint: %s", indent(e.Hint))
	}
	return b.String()
}

// indent keeps the further lines of a text below its first.
func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

// widest is how much of a line is shown around a position: a longer line would
// be folded by the terminal and the caret would point nowhere.
const widest = 100

// Place gives the position as file:line:column; empty where there is none.
func (s Span) Place() string {
	if s.Source == nil {
		return ""
	}
	line, column := s.Source.Position(s.Start)
	return fmt.Sprintf("%s:%d:%d", s.Source.Name, line, column)
}

func (s Span) print(b *strings.Builder) {
	if s.Source == nil {
		return
	}
	_, column := s.Source.Position(s.Start)
	text := strings.ReplaceAll(s.Source.line(s.Start), "\t", " ")
	width := max(1, utf8.RuneCountInString(s.covered()))
	runes := []rune(text)
	at := min(column-1, len(runes))
	if len(runes) > widest {
		from := max(0, min(at-widest/2, len(runes)-widest))
		runes, at = runes[from:from+widest], at-from
	}
	width = max(1, min(width, len(runes)-at))
	fmt.Fprintf(b, "\n  at %s", s.Place())
	fmt.Fprintf(b, "\n  | %s", string(runes))
	fmt.Fprintf(b, "\n  | %s%s", strings.Repeat(" ", at), strings.Repeat("^", width))
}

// covered gives the text of the span on its first line.
func (s Span) covered() string {
	if s.End <= s.Start || s.Start < 0 || s.End > len(s.Source.Text) {
		return ""
	}
	line, _, _ := strings.Cut(s.Source.Text[s.Start:s.End], "\n")
	return line
}

func (h *HTTP) print(b *strings.Builder) {
	if h == nil {
		return
	}
	fmt.Fprintf(b, "\n  call: %s %s", h.Method, h.URL)
	if h.Status > 0 {
		fmt.Fprintf(b, "\n  status: %d", h.Status)
		if h.Code != "" {
			fmt.Fprintf(b, " %s", h.Code)
		}
	}
	if h.Message != "" {
		fmt.Fprintf(b, "\n  the service says: %s", indent(strings.TrimSpace(h.Message)))
	}
	if h.RequestID != "" {
		fmt.Fprintf(b, "\n  request id: %s", h.RequestID)
	}
	if h.Attempts > 1 {
		fmt.Fprintf(b, "\n  attempts: %d, %s waited between them", h.Attempts, h.Waited.Round(10*time.Millisecond))
	}
}
