package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// term is a part of a number of calls: those that the statement itself asks
// for, or one for each row of a scan that feeds another.
type term struct {
	rows  string // whose rows; empty: count is all there is to say
	key   string // tells those rows from others of the same name
	count int
	known bool // count is
	most  bool // some of the rows may make no call
	times int  // calls for each row
}

type terms []term

// calls gives the calls of one scan, those of the scans that feed it and each
// further page aside.
func (f Facts) calls(s *Scan) terms {
	if s.Feed == nil {
		return terms{{count: len(s.Tuples), known: true, times: 1}}
	}
	t := term{times: s.timesFed(), most: s.narrowsFed()}
	if rows, known := f.known(s); known {
		t.count, t.known, t.most = rows, true, false
	}
	if len(s.Feed.Sources) == 1 && !s.Feed.Local {
		source := s.Feed.Sources[0].Scan
		t.rows, t.key = source.Name, callsKey(source)
		return terms{t}
	}
	var names []string
	for _, src := range s.Feed.Sources {
		names = append(names, src.Scan.Name)
	}
	if s.Feed.Local {
		names = append(names, "the session's tables")
	}
	t.rows, t.key = strings.Join(names, " with "), callsKey(s)
	return terms{t}
}

// timesFed gives how many calls a row of the feed makes: one for each
// combination of the values that it has no say in.
func (s *Scan) timesFed() int {
	seen := map[string]bool{}
	for _, t := range s.Tuples {
		own := append(Tuple(nil), t...)
		for _, at := range s.Feed.Columns {
			own[at] = nil
		}
		seen[tupleKey(s.Method, own)] = true
	}
	return max(1, len(seen))
}

// narrowsFed tells whether a value of the statement may pass over rows of the
// feed.
func (s *Scan) narrowsFed() bool {
	for _, t := range s.Tuples {
		for i, at := range s.Feed.Columns {
			if t[at] != nil && (len(s.Tuples) > 1 || !s.Feed.asked(i)) {
				return true
			}
		}
	}
	return false
}

// asked tells whether the source of a column was itself asked for the values
// that the statement gives, so that all of its rows have them.
func (f *Feed) asked(column int) bool {
	list := f.Select.List("select_list")
	if f.From[column] < 0 || column >= len(list) {
		return false
	}
	names := list[column].Texts("column_names")
	source := f.Sources[f.From[column]].Scan
	if len(names) == 0 || len(source.Tuples) != 1 {
		return false
	}
	at := slices.Index(source.Arguments, names[len(names)-1])
	return at >= 0 && source.Tuples[0][at] != nil
}

// explained gives the sum in words: 1 + subscriptions + host_pools, and with
// what is known 1 + 3 subscriptions + 12 host_pools = 16.
func (all terms) explained() ExplainedCalls {
	var parts []string
	fixed, sum, known, most := 0, 0, true, false
	for _, t := range all.merged() {
		sum += t.times * t.count
		known, most = known && t.known, most || t.most
		if t.rows == "" {
			fixed += t.count
			continue
		}
		parts = append(parts, t.text())
	}
	if fixed > 0 || len(parts) == 0 {
		parts = append([]string{strconv.Itoa(fixed)}, parts...)
	}
	x := ExplainedCalls{Formula: strings.Join(parts, " + ")}
	if len(all) == 1 && all[0].rows != "" && all[0].times == 1 {
		x.each = all[0].rows
	}
	if !known {
		return x
	}
	x.Count, x.AtMost = &sum, most
	switch {
	case most:
		x.Formula += fmt.Sprintf(" = at most %d", sum)
	case len(parts) > 1 || all[0].times > 1:
		x.Formula += fmt.Sprintf(" = %d", sum)
	}
	return x
}

// merged adds up the terms over the same rows, where the first of them stands.
func (all terms) merged() terms {
	var list terms
	for _, t := range all {
		i := slices.IndexFunc(list, func(o term) bool { return t.rows != "" && o.rows == t.rows && o.key == t.key })
		if i < 0 {
			list = append(list, t)
			continue
		}
		list[i].times += t.times
		list[i].most = list[i].most || t.most
	}
	return list
}

// text gives the number of calls of one scan in words.
func (x ExplainedCalls) text() string {
	if x.each == "" {
		return x.Formula
	}
	text := "one for each row of " + x.each
	if x.Count == nil {
		return text
	}
	text = strconv.Itoa(*x.Count) + ", " + text
	if x.AtMost {
		text = "at most " + text
	}
	return text
}

func (t term) text() string {
	text := t.rows
	if t.known {
		text = strconv.Itoa(t.count) + " " + text
	}
	if t.times > 1 {
		text = strconv.Itoa(t.times) + " × " + text
	}
	return text
}

// callsKey gives a text that is the same for scans whose calls are the same.
func callsKey(s *Scan) string {
	var b strings.Builder
	if len(s.Parts) > 0 {
		for _, p := range s.Parts {
			b.WriteString("<" + callsKey(p) + ">")
		}
		return b.String()
	}
	fmt.Fprintf(&b, "%s(%s)", s.Method.FullName(), strings.Join(s.Arguments, ","))
	for _, t := range s.Tuples {
		b.WriteString(tupleKey(s.Method, t) + ";")
	}
	if s.Feed == nil {
		return b.String()
	}
	tree, _ := json.Marshal(s.Feed.Select) // it was read from JSON
	b.Write(tree)
	for _, src := range s.Feed.Sources {
		b.WriteString("{" + callsKey(src.Scan) + "}")
	}
	return b.String()
}
