package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/planeql/planeql/internal/syntax"
)

// Bounds of what EXPLAIN prints; (FORMAT json) has all of it.
const (
	widestLine       = 100 // columns
	manyValues       = 4   // of a parameter
	longestCondition = 160 // of a condition
	labelWidth       = 12
	manyArguments    = 5 // of a write
)

// Lines gives the plan as a tree for a person. A scan that is fed by another
// stands below it, so that the tree reads in the order in which it runs.
func (x Explained) Lines() []string {
	t := &tree{explained: x}
	t.lines = []string{x.head()}
	roots := t.children(0)
	for i, s := range roots {
		t.scan(s, "", i == len(roots)-1 && x.Write == nil)
	}
	if x.Write != nil {
		t.write(*x.Write)
	}
	for _, note := range x.Notes {
		t.lines = append(t.lines, "   "+note)
	}
	if x.Measured == nil {
		return append(t.lines, "   no request was sent for this plan")
	}
	return append(t.lines, x.Measured.totals()...)
}

// head gives the first line: what it is and what it costs.
func (x Explained) head() string {
	if x.Calls == nil {
		return x.Statement
	}
	text := x.Statement + ": " + x.Calls.Formula + " call"
	if x.Calls.Count == nil || *x.Calls.Count != 1 {
		text += "s"
	}
	if slices.ContainsFunc(x.Scans, func(s ExplainedScan) bool { return s.Pages != onePage }) {
		text += ", and one for each further page"
	}
	return text
}

// tree is the tree on its way to the lines.
type tree struct {
	explained Explained
	lines     []string
}

// children gives the scans that stand right below a step, or at the top for 0:
// each below the last of those that feed it.
func (t *tree) children(step int) []ExplainedScan {
	var list []ExplainedScan
	for _, s := range t.explained.Scans {
		if slices.Max(append([]int{0}, s.FedBy...)) == step {
			list = append(list, s)
		}
	}
	return list
}

// scan prints a scan and those that it feeds.
func (t *tree) scan(s ExplainedScan, indent string, last bool) {
	verb := "scan "
	if s.Finds {
		verb = "find "
	}
	branch, inner := "├─ ", "│  "
	if last {
		branch, inner = "└─ ", "   "
	}
	t.lines = append(t.lines, indent+branch+verb+s.Name+": "+s.Method)
	below := t.children(s.Step)
	indent += inner
	bar := "   "
	if len(below) > 0 {
		bar = "│  "
	}
	t.facts(s, indent+bar)
	for i, child := range below {
		t.scan(child, indent, i == len(below)-1)
	}
}

// facts prints what is to say of a scan.
func (t *tree) facts(s ExplainedScan, indent string) {
	t.fact(indent, "request", s.Request)
	t.fact(indent, "chosen", s.Reason)
	for i, p := range s.Parameters {
		t.fact(indent, unless(i > 0, "with"), p.text())
	}
	t.fact(indent, "", s.combinations())
	for i, c := range s.Binds {
		t.fact(indent, unless(i > 0, "binds"), shortened(c))
	}
	for i, c := range s.Narrows {
		t.fact(indent, unless(i > 0, "narrows"), shortened(c))
	}
	for i, c := range s.Filters {
		t.fact(indent, unless(i > 0, "filters"), shortened(c))
	}
	calls := s.Calls.text()
	if s.Pages != onePage {
		calls += ", and one for each further page"
	}
	if s.SameAs > 0 {
		calls = "the same as above, made once"
	}
	t.fact(indent, "calls", calls)
	t.fact(indent, "pages", s.Pages)
	if s.Spooled {
		t.fact(indent, "keeps", "its rows: the statement may read them more than once, or they feed others")
	}
	t.fact(indent, "limit", s.Limit.text())
	t.fact(indent, "permission", s.Permission)
	if s.Measured != nil {
		t.fact(indent, "measured", s.Measured.text())
	}
}

// combinations says which of the values go together, where that is not each
// with each.
func (s ExplainedScan) combinations() string {
	each := 1
	for _, p := range s.Parameters {
		if p.Source == "expression" {
			return ""
		}
		if each *= max(1, len(p.Values)); each > manyTuples {
			break
		}
	}
	if len(s.Arguments) == each || len(s.Arguments) == 0 {
		return ""
	}
	return fmt.Sprintf("in %d combinations of these", len(s.Arguments))
}

// fact prints a fact with its label; nothing where there is none. What does not
// fit a line goes on below.
func (t *tree) fact(indent, label, text string) {
	if text == "" {
		return
	}
	start := indent + label + strings.Repeat(" ", max(1, labelWidth-len(label)))
	for _, part := range wrapped(text, widestLine-utf8.RuneCountInString(start)) {
		t.lines = append(t.lines, start+part)
		start = indent + strings.Repeat(" ", labelWidth)
	}
}

// wrapped breaks a text behind blanks and before the parts of a path; a piece
// that has none of them is cut.
func wrapped(text string, width int) []string {
	width = max(width, 30)
	var parts []string
	for runes := []rune(text); ; {
		if len(runes) <= width {
			return append(parts, string(runes))
		}
		at := width
		for i := width; i > width/3; i-- {
			if strings.ContainsRune(" ", runes[i-1]) || runes[i] == '/' || runes[i] == '?' {
				at = i
				break
			}
		}
		parts = append(parts, strings.TrimRight(string(runes[:at]), " "))
		runes = runes[at:]
	}
}

// unless gives a label only where it has not been printed yet.
func unless(not bool, text string) string {
	if not {
		return ""
	}
	return text
}

// shortened cuts a long text.
func shortened(text string) string {
	if runes := []rune(text); len(runes) > longestCondition {
		return string(runes[:longestCondition-2]) + " …"
	}
	return text
}

// text gives a parameter and where its values come from.
func (p ExplainedParameter) text() string {
	values := valuesText(p.Values)
	switch p.Source {
	case "value":
		return p.Name + " = " + values
	case "list":
		return fmt.Sprintf("%s = one of %d: %s", p.Name, len(p.Values), values)
	case "expression":
		return p.Name + " = " + expressionText
	}
	text := p.Name + " from " + p.From
	if p.Source == "found" {
		text = p.Name + " found by " + p.From
	}
	if len(p.Values) > 0 {
		text += ", only " + values
	}
	return text
}

func valuesText(values []string) string {
	var quoted []string
	for i, v := range values {
		if i == manyValues {
			quoted = append(quoted, fmt.Sprintf("… %d more", len(values)-i))
			break
		}
		quoted = append(quoted, syntax.QuoteText(v))
	}
	if len(quoted) == 0 {
		return "no value: no call is made"
	}
	return strings.Join(quoted, ", ")
}

// argumentTexts gives the arguments of the first targets.
func argumentTexts(list []map[string]string) []string {
	var texts []string
	for i, values := range list {
		if i == manyArguments {
			return append(texts, fmt.Sprintf("… and %d more", len(list)-i))
		}
		var parts []string
		for _, name := range sortedKeys(values) {
			text := values[name]
			if text != expressionText {
				text = syntax.QuoteText(text)
			}
			parts = append(parts, name+" = "+text)
		}
		texts = append(texts, strings.Join(parts, ", "))
	}
	return texts
}

// text gives a limit and the time that it makes the calls take.
func (l *ExplainedLimit) text() string {
	if l == nil {
		return ""
	}
	text := fmt.Sprintf("%s: %s at once, then %s a second", l.Name, thousands(int64(l.AtOnce)), number64(l.PerSecond))
	if l.Elsewhere {
		text += " at the service itself"
	}
	calls := thousands(int64(l.Calls))
	switch {
	case l.Seconds == nil || *l.Seconds == 0 && l.Calls <= 1:
		return text
	case *l.Seconds == 0:
		return text + ": " + calls + " calls need not wait"
	case l.UpTo:
		return text + fmt.Sprintf(": %s calls take up to %s s by it", calls, number64(*l.Seconds))
	}
	return text + fmt.Sprintf(": %s calls take at least %s s", calls, number64(*l.Seconds))
}

// text gives what a scan has cost.
func (m *ExplainedMeasured) text() string {
	text := fmt.Sprintf("%s, %s, %s, %s", counted(int64(m.Calls), "call"), counted(int64(m.Pages), "page"),
		counted(m.Rows, "row"), counted(m.Bytes, "byte"))
	if m.Retries > 0 {
		text += ", " + strings.Replace(counted(int64(m.Retries), "retry"), "retrys", "retries", 1)
	}
	if m.Waited > 0 {
		text += fmt.Sprintf(", held back for %s s", number64(m.Waited))
	}
	if m.FirstRows != nil {
		text += fmt.Sprintf(", first rows after %s s", number64(*m.FirstRows))
	}
	return text
}

// totals gives what the statement has cost. The rows of its scans are not its
// own.
func (m *ExplainedMeasured) totals() []string {
	lines := []string{"   in all " + m.text()}
	if m.Duration == nil {
		return lines
	}
	text := "   took " + number64(*m.Duration) + " s"
	if m.Idle != nil {
		text += ", of which no call was under way for " + number64(*m.Idle) + " s"
	}
	return append(lines, text)
}

// counted gives a number of things.
func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return thousands(n) + " " + what
}

// thousands gives a number with commas.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// number64 gives a number without an exponent.
func number64(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
