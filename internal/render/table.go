package render

import (
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// The widths of a table are settled by its first rows, or by those that came
// within a moment, since a listing of a cloud may take minutes.
const (
	sampleRows = 200
	sampleTime = 250 * time.Millisecond
)

// terminal measures text in cells. It is fixed rather than taken from the
// locale, so that a table looks the same everywhere; the lines that are drawn
// are one cell wide only in this reading.
var terminal = &runewidth.Condition{StrictEmojiNeutral: true}

// narrowest is how far a column is squeezed to fit the terminal. Where even
// that does not fit, the rows are written one value a line.
const narrowest = 12

// Terminal attributes (ECMA-48).
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	plain = "\x1b[0m"
)

// table draws columns with light lines. Rows are kept until the widths are
// settled and written at once from then on.
type table struct {
	out     *stream
	columns []Column
	kinds   []kind
	options Options
	sample  [][]cell
	widths  []int // nil until settled
	tall    *vertical
	timer   *time.Timer
}

// cell is a value as it is shown.
type cell struct {
	text  string
	width int
	null  bool
}

func newTable(out *stream, columns []Column, o Options) *table {
	return &table{out: out, columns: columns, kinds: kindsOf(columns), options: o}
}

func newCell(v any, k kind) cell {
	if v == nil {
		return cell{text: "NULL", width: 4, null: true}
	}
	text := visible(string(appendText(nil, v, k)))
	return cell{text: text, width: terminal.StringWidth(text)}
}

func (t *table) begin() {}

func (t *table) row(values []any) {
	cells := make([]cell, len(values))
	for i, v := range values {
		cells[i] = newCell(v, t.kinds[i])
	}
	if t.settled() {
		t.line(cells)
		return
	}
	t.sample = append(t.sample, cells)
	if len(t.sample) == 1 {
		t.timer = t.out.after(sampleTime, t.settle)
	}
	if len(t.sample) >= sampleRows {
		t.settle()
	}
}

func (t *table) end(complete bool) {
	if t.timer != nil {
		t.timer.Stop()
	}
	if len(t.columns) == 0 {
		return
	}
	empty := !t.settled() && len(t.sample) == 0
	if !empty || complete {
		t.settle()
	}
	if empty && complete {
		t.out.text("(0 rows)\n")
	}
}

func (t *table) settled() bool { return t.widths != nil || t.tall != nil }

// settle fixes the widths and writes the head and the rows kept so far.
func (t *table) settle() {
	if t.settled() {
		return
	}
	widths := t.natural()
	if !squeeze(widths, t.options.Width) && len(t.sample) > 0 {
		t.tall = newVertical(t.out, t.columns, t.options)
	} else {
		t.widths = widths
		t.head()
	}
	for _, cells := range t.sample {
		t.line(cells)
	}
	t.sample = nil
}

// natural gives the widths that show all of the sample.
func (t *table) natural() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = max(1, terminal.StringWidth(visible(c.Name)))
		for _, cells := range t.sample {
			widths[i] = max(widths[i], cells[i].width)
		}
	}
	return widths
}

// squeeze narrows the widest columns until the table fits, and says whether it
// does. A limit of 0 always fits.
func squeeze(widths []int, limit int) bool {
	if limit <= 0 {
		return true
	}
	room := limit - 3*(len(widths)-1) - 2 // " │ " between columns, a space at both ends
	for {
		total := 0
		for _, w := range widths {
			total += w
		}
		if total <= room {
			return true
		}
		widest, second := tops(widths)
		if widest <= narrowest {
			return false
		}
		narrow(widths, max(second, narrowest), total-room)
	}
}

// tops gives the largest width and the next smaller one, 0 where all are equal.
func tops(widths []int) (widest, second int) {
	widest = slices.Max(widths)
	for _, w := range widths {
		if w < widest {
			second = max(second, w)
		}
	}
	return widest, second
}

// narrow takes up to surplus cells from the widest columns, none of which gets
// narrower than floor.
func narrow(widths []int, floor, surplus int) {
	widest := slices.Max(widths)
	count := 0
	for _, w := range widths {
		if w == widest {
			count++
		}
	}
	each := max(1, surplus/count)
	for i, w := range widths {
		if w == widest {
			widths[i] = max(floor, w-each)
		}
	}
}

func (t *table) head() {
	for i, c := range t.columns {
		t.separate(i)
		name := visible(c.Name)
		t.field(cell{text: name, width: terminal.StringWidth(name)}, i, bold)
	}
	t.out.char('\n')
	for i, w := range t.widths {
		if i > 0 {
			t.out.text("┼")
		}
		t.out.repeat("─", w+2)
	}
	t.out.char('\n')
}

func (t *table) separate(column int) {
	if column > 0 {
		t.out.text(" │")
	}
	t.out.char(' ')
}

func (t *table) line(cells []cell) {
	if t.tall != nil {
		t.tall.record(cells)
		return
	}
	for i, c := range cells {
		t.separate(i)
		style := ""
		if c.null {
			style = faint
		}
		t.field(c, i, style)
	}
	t.out.char('\n')
}

// field writes a cell, cut to the width of its column where the reader has a
// limited line, padded unless it ends the line.
func (t *table) field(c cell, column int, style string) {
	width := t.widths[column]
	if c.width > width && t.options.Width > 0 {
		c.text = terminal.Truncate(c.text, width, "…")
		c.width = terminal.StringWidth(c.text)
	}
	pad := width - c.width
	if t.kinds[column] == numeric {
		t.out.spaces(pad)
	}
	t.styled(c.text, style)
	if t.kinds[column] != numeric && column < len(t.widths)-1 {
		t.out.spaces(pad)
	}
}

func (t *table) styled(text, style string) { styled(t.out, text, style, t.options.Color) }

func styled(out *stream, text, style string, color bool) {
	if style == "" || !color {
		out.text(text)
		return
	}
	out.text(style)
	out.text(text)
	out.text(plain)
}

// vertical writes one value a line, the names in front, a rule before each row.
type vertical struct {
	out     *stream
	columns []Column
	kinds   []kind
	options Options
	names   []string // padded to one width
	rows    int
}

func newVertical(out *stream, columns []Column, o Options) *vertical {
	v := &vertical{out: out, columns: columns, kinds: kindsOf(columns), options: o}
	width := 0
	for _, c := range columns {
		width = max(width, terminal.StringWidth(visible(c.Name)))
	}
	for _, c := range columns {
		v.names = append(v.names, terminal.FillRight(visible(c.Name), width))
	}
	return v
}

func (v *vertical) begin() {}

func (v *vertical) row(values []any) {
	cells := make([]cell, len(values))
	for i, value := range values {
		cells[i] = newCell(value, v.kinds[i])
	}
	v.record(cells)
}

func (v *vertical) record(cells []cell) {
	v.rows++
	if v.rows > 1 {
		v.out.text(strings.Repeat("─", 12))
		v.out.char('\n')
	}
	for i, c := range cells {
		styled(v.out, v.names[i], bold, v.options.Color)
		v.out.text(" │ ")
		style := ""
		if c.null {
			style = faint
		}
		styled(v.out, c.text, style, v.options.Color)
		v.out.char('\n')
	}
}

func (v *vertical) end(complete bool) {
	if v.rows == 0 && complete && len(v.columns) > 0 {
		v.out.text("(0 rows)\n")
	}
}

// Bold gives a text in bold, for a stream that takes terminal attributes.
func Bold(text string) string { return bold + text + plain }
