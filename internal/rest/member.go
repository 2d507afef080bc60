package rest

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Member names a member of an item, and the members below it whose values are
// secret. In a path, "*" stands for every element of an array.
type Member struct {
	Path    []string
	Secrets [][]string
}

// Cut gives the members of an item as JSON text, byte for byte as the service
// sent it, secrets masked; nil where the item has no such member or it is null.
func Cut(item []byte, members []Member) [][]byte {
	values := make([][]byte, len(members))
	for i, m := range members {
		var found []span
		find(item, 0, m.Path, &found)
		if len(found) == 0 {
			continue
		}
		value := item[found[0].start:found[0].end]
		if bytes.Equal(value, []byte("null")) {
			continue
		}
		values[i] = hide(value, m.Secrets)
	}
	return values
}

// span is a range of bytes.
type span struct{ start, end int }

// find appends the places of the values that a path leads to; at is the place
// of the text in the whole. A text that is not JSON has none.
func find(text []byte, at int, path []string, found *[]span) {
	if len(path) == 0 {
		*found = append(*found, span{at, at + len(text)})
		return
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	open, err := d.ReadToken()
	if err != nil {
		return
	}
	object := open.Kind() == '{'
	if !object && open.Kind() != '[' {
		return
	}
	for d.PeekKind() != '}' && d.PeekKind() != ']' {
		matches := !object && path[0] == "*"
		if object {
			name, err := d.ReadToken()
			if err != nil {
				return
			}
			matches = name.String() == path[0]
		}
		value, err := d.ReadValue()
		if err != nil {
			return
		}
		if matches {
			end := int(d.InputOffset())
			find(text[end-len(value):end], at+end-len(value), path[1:], found)
			if object {
				return
			}
		}
	}
}

// masked stands for a secret.
var masked = []byte(`"***"`)

// hide gives a value with its secrets masked. A secret that is null stays: it
// tells that there is none.
func hide(value []byte, secrets [][]string) []byte {
	var found []span
	for _, path := range secrets {
		find(value, 0, path, &found)
	}
	if len(found) == 0 {
		return value
	}
	slices.SortFunc(found, func(a, b span) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, s := range found {
		if s.start < at || bytes.Equal(value[s.start:s.end], []byte("null")) {
			continue
		}
		out = append(append(out, value[at:s.start]...), masked...)
		at = s.end
	}
	return append(out, value[at:]...)
}
