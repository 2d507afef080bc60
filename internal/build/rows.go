package build

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// property is a member of an object schema.
type property struct {
	name string
	at   place
}

// properties gives the members of an object, those of its parts too.
func (b *builder) properties(p place) []property {
	return b.propertiesOf(p, map[*yaml.Node]bool{})
}

// propertiesOf is properties without the schemas that were seen: one may be a part
// of itself.
func (b *builder) propertiesOf(p place, seen map[*yaml.Node]bool) []property {
	p, _, err := b.follow(p)
	if err != nil || seen[p.n] {
		return nil
	}
	seen[p.n] = true
	var all []property
	for _, part := range value(p.n, "allOf").Content {
		all = append(all, b.propertiesOf(place{p.d, part}, seen)...)
	}
	members(value(p.n, "properties"), func(name string, v *yaml.Node) {
		all = append(all, property{name, place{p.d, v}})
	})
	return all
}

// shape tells what a schema describes: array, object or something else.
func (b *builder) shape(p place) string {
	p, _, err := b.follow(p)
	switch {
	case err != nil:
		return ""
	case value(p.n, "type").Value == "array", is(value(p.n, "items")):
		return "array"
	case value(p.n, "type").Value == "object", is(value(p.n, "properties")), is(value(p.n, "allOf")), is(value(p.n, "additionalProperties")):
		return "object"
	}
	return "scalar"
}

// lists are the names under which answers hold their rows, the usual ones first.
var lists = []string{"value", "items", "data", "results", "result", "resources", "records", "entries", "elements", "list"}

// around are names of members that go with rows and are none of them, folded.
var around = []string{
	"nextlink", "next", "nextpagetoken", "nexttoken", "nextcursor", "cursor", "total", "totalcount", "count", "totalresults", "totalsize", "links", "link", "meta", "metadata", "pagination",
	"paging", "page", "pages", "pageinfo", "pagesize", "perpage", "kind", "etag", "selflink", "self", "first", "last", "previous", "prev",
	"offset", "limit", "size", "hasmore", "more", "success", "ok", "errors", "error", "messages", "message", "warnings", "warning", "requestid", "resultinfo",
	"incompleteresults", "unreachable", "object", "firstid", "lastid", "status", "code",
}

// fold makes names comparable.
func fold(name string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "", "@", "").Replace(strings.ToLower(name))
}

// findRows finds where the rows of an answer are.
func (o *operation) findRows(pageable *yaml.Node, b *builder) {
	if !o.answersRows() {
		return
	}
	if b.shape(o.rows) == "array" {
		o.listed = true
		return
	}
	all := b.properties(o.rows)
	if is(pageable) {
		name := value(pageable, "itemName").Value
		if name == "" {
			name = "value"
		}
		if i := slices.IndexFunc(all, func(p property) bool { return p.name == name }); i >= 0 {
			o.objectKey, o.listed = "$."+name, true
			return
		}
		if !o.single() {
			b.problem(o.d, pageable.Line, o.name(), "x-ms-pageable names the member "+name+", which the answer does not have")
		}
	}
	if o.verb == "get" || o.verb == "post" && strings.Contains(strings.ToLower(o.id), "_list") {
		o.objectKey, o.listed = b.rowsIn(o, all, "$", 0)
	}
}

// answersRows tells whether the answer has a schema.
func (o *operation) answersRows() bool { return o.rows.n != nil && is(o.rows.n) }

// single tells whether the path leads to one thing.
func (o *operation) single() bool { return strings.HasSuffix(o.path, "}") }

// rowsIn looks for a list among the members of an answer, or for the one object
// that it wraps.
func (b *builder) rowsIn(o *operation, all []property, before string, depth int) (key string, listed bool) {
	var arrays, objects []property
	var others int
	for _, p := range all {
		switch shape := b.shape(p.at); {
		case slices.Contains(around, fold(p.name)) && fold(p.name) != "result":
		case shape == "array":
			arrays = append(arrays, p)
		case shape == "object":
			objects = append(objects, p)
		default:
			others++
		}
	}
	alone := len(objects) == 0 && others == 0
	switch {
	case len(arrays) == 1 && (alone || !o.single() && slices.Contains(lists, arrays[0].name)):
		return before + "." + arrays[0].name, true
	case len(arrays) > 1 && !o.single():
		for _, wanted := range append(slices.Clone(lists), lastStatic(o.path)) {
			for _, p := range arrays {
				if fold(p.name) == fold(wanted) {
					return before + "." + p.name, true
				}
			}
		}
		if alone {
			b.problem(o.d, o.line, o.name(), "its answer has several lists, so the whole answer is one row: "+namesOf(arrays))
		}
	case len(arrays) == 0 && len(objects) == 1 && others == 0 && depth < 2:
		inner := before + "." + objects[0].name
		if key, listed := b.rowsIn(o, b.properties(objects[0].at), inner, depth+1); listed && !o.single() {
			return key, true
		}
		if len(b.properties(objects[0].at)) > 0 {
			return inner, false
		}
	}
	if before != "$" {
		return before, false
	}
	return "", false
}

// namesOf gives the names of members for a sentence.
func namesOf(all []property) string {
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// lastStatic gives the last part of a path that is no parameter.
func lastStatic(path string) string {
	last := ""
	for segment := range strings.SplitSeq(path, "/") {
		if segment != "" && !strings.Contains(segment, "{") {
			last = segment
		}
	}
	return last
}
