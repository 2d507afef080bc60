package render

import "strconv"

// objects writes rows as JSON objects; the keys are encoded once.
type objects struct {
	out   *stream
	keys  [][]byte // "name": with the comma or brace that stands before it
	kinds []kind
	line  []byte // reused
}

func newObjects(out *stream, columns []Column) objects {
	o := objects{out: out, kinds: kindsOf(columns)}
	for i, name := range uniqueNames(columns) {
		lead := byte(',')
		if i == 0 {
			lead = '{'
		}
		o.keys = append(o.keys, append(appendQuoted([]byte{lead}, name), ':'))
	}
	return o
}

// uniqueNames gives the names of the columns with a suffix for those that came
// before, since an object with a key twice loses a value in most readers:
// a, a becomes a, a_1.
func uniqueNames(columns []Column) []string {
	taken := map[string]bool{}
	for _, c := range columns {
		taken[c.Name] = true
	}
	seen := map[string]bool{}
	names := make([]string, len(columns))
	for i, c := range columns {
		name := c.Name
		for n := 1; seen[name]; n++ {
			if next := c.Name + "_" + strconv.Itoa(n); !taken[next] {
				name = next
			}
		}
		seen[name], names[i] = true, name
	}
	return names
}

func (o *objects) object(values []any) {
	o.line = o.line[:0]
	for i, v := range values {
		o.line = append(o.line, o.keys[i]...)
		o.line = appendJSON(o.line, v, o.kinds[i])
	}
	if len(values) == 0 {
		o.line = append(o.line, '{')
	}
	o.line = append(o.line, '}')
	o.out.bytes(o.line)
}

// jsonArray is one array with an object a line. The closing bracket comes only
// after the last row of a complete result: cut output must not parse.
type jsonArray struct {
	objects
	rows int64
}

func (j *jsonArray) begin() {}

func (j *jsonArray) row(values []any) {
	lead := ",\n  "
	if j.rows == 0 {
		lead = "[\n  "
	}
	j.out.text(lead)
	j.object(values)
	j.rows++
}

func (j *jsonArray) end(complete bool) {
	switch {
	case j.rows == 0 && complete:
		j.out.text("[]\n")
	case j.rows == 0:
	case complete:
		j.out.text("\n]\n")
	default:
		j.out.char('\n')
	}
}

type jsonLines struct{ objects }

func (j *jsonLines) begin() {}

func (j *jsonLines) row(values []any) {
	j.object(values)
	j.out.char('\n')
}

func (j *jsonLines) end(bool) {}
