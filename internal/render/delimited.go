package render

import (
	"bytes"
	"strings"
)

// delimited writes csv and tsv: a head line, then a line a row, NULL empty.
type delimited struct {
	out     *stream
	columns []Column
	kinds   []kind
	comma   byte
	quote   func(dst, field []byte) []byte
	line    []byte // reused
	field   []byte // reused
}

func newDelimited(out *stream, columns []Column, comma byte, quote func(dst, field []byte) []byte) *delimited {
	return &delimited{out: out, columns: columns, kinds: kindsOf(columns), comma: comma, quote: quote}
}

func (d *delimited) begin() {
	names := make([]any, len(d.columns))
	for i, c := range d.columns {
		names[i] = c.Name
	}
	if len(names) > 0 {
		d.row(names)
	}
}

func (d *delimited) row(values []any) {
	d.line = d.line[:0]
	for i, v := range values {
		if i > 0 {
			d.line = append(d.line, d.comma)
		}
		if v != nil {
			d.field = appendText(d.field[:0], v, d.kinds[i])
			d.line = d.quote(d.line, d.field)
		}
	}
	if len(d.line) == 0 && d.comma == ',' {
		// A NULL alone would be an empty line, which readers of csv skip.
		d.line = append(d.line, `""`...)
	}
	d.out.bytes(append(d.line, '\n'))
}

func (d *delimited) end(bool) {}

// appendCSV quotes a field as RFC 4180 asks, and the empty text too, which is
// thereby told from NULL.
func appendCSV(dst, field []byte) []byte {
	if len(field) > 0 && !bytes.ContainsAny(field, ",\"\r\n") && field[0] != ' ' && field[len(field)-1] != ' ' {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	dst = append(dst, bytes.ReplaceAll(field, []byte{'"'}, []byte(`""`))...)
	return append(dst, '"')
}

var tsvEscapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

// appendTSV escapes what would end a field or a line, and the backslash, so
// that the escapes can be undone.
func appendTSV(dst, field []byte) []byte {
	if !bytes.ContainsAny(field, "\\\t\n\r") {
		return append(dst, field...)
	}
	return append(dst, tsvEscapes.Replace(string(field))...)
}

// markdown writes a table as GitHub Flavored Markdown has it.
type markdown struct {
	out     *stream
	columns []Column
}

var markdownEscapes = strings.NewReplacer(
	"|", `\|`, "\r\n", "<br>", "\n", "<br>", "\r", "<br>", "\t", " ", "<", "&lt;",
)

func (m *markdown) begin() {
	if len(m.columns) == 0 {
		return
	}
	for _, c := range m.columns {
		m.cell(markdownEscapes.Replace(c.Name))
	}
	m.out.text("|\n")
	for _, c := range m.columns {
		rule := "---"
		if kindOf(c.Type) == numeric {
			rule = "---:"
		}
		m.cell(rule)
	}
	m.out.text("|\n")
}

func (m *markdown) cell(text string) {
	m.out.text("| ")
	m.out.text(text)
	m.out.char(' ')
}

func (m *markdown) row(values []any) {
	for i, v := range values {
		text := ""
		if v != nil {
			text = string(appendText(nil, v, kindOf(m.columns[i].Type)))
		}
		m.cell(markdownEscapes.Replace(text))
	}
	m.out.text("|\n")
}

func (m *markdown) end(bool) {}
