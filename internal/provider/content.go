package provider

import (
	"slices"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// mediaTypes are those that are preferred where a document leaves the choice.
var mediaTypes = []string{"application/json", "application/xml", "application/octet-stream"}

// content picks the media type of a body and its schema. A type that the method
// asks for and the operation does not offer gives no schema.
func (l *loader) content(n *openapi.Node, wanted string) (string, *openapi.Schema) {
	if wanted == "" {
		for _, name := range mediaTypes {
			if n.At(name) != nil {
				wanted = name
				break
			}
		}
	}
	if entries := n.Entries(); wanted == "" && len(entries) > 0 {
		wanted = entries[0].Key
	}
	return wanted, l.doc.Schema(n.At(wanted, "schema"))
}

// override reads schema_override, which replaces the operation's own schema.
func (l *loader) override(n *openapi.Node) (*openapi.Schema, error) {
	replaced := n.At("schema_override")
	if replaced.Missing() {
		return nil, nil
	}
	target, err := replaced.Follow()
	if err != nil {
		return nil, err
	}
	return l.doc.Schema(target), nil
}

// response reads where the rows of an answer are and what they look like.
func (l *loader) response(n *openapi.Node, op operation) (Response, error) {
	says := n.At("response")
	responses := op.node.At("responses")
	r := Response{Statuses: statuses(responses), Flatten: flattens(says), Transform: transform(says.At("transform"))}
	if r.Flatten || says.At("overrideMediaType").Missing() {
		r.Transform = nil // columns read through it; without the type of its output a rule counts for nothing
	}
	chosen, err := responses.At(answerKey(responses, says.At("openAPIDocKey").Text())).Follow()
	if err != nil {
		return r, err
	}
	r.Description = chosen.At("description").Text()
	var schema *openapi.Schema
	r.MediaType, schema = l.content(chosen.At("content"), says.At("mediaType").Text())
	r.Envelope = schema
	replaced, err := l.override(says)
	if err != nil {
		return r, err
	}
	if replaced != nil {
		schema = replaced
	}
	return r, l.rows(&r, schema, says.At("objectKey"))
}

// flattens recognises the template with which documents lift the members of
// properties to the top of a row: it marks its rows with a member of its own.
func flattens(says *openapi.Node) bool {
	return strings.Contains(says.At("transform", "body").Text(), `"_flattened"`)
}

// statuses gives the success codes of the responses. 2XX stands for those that
// services use.
func statuses(responses *openapi.Node) []int {
	var codes []int
	for _, e := range responses.Entries() {
		switch code, err := strconv.Atoi(e.Key); {
		case err == nil && code >= 200 && code < 300:
			codes = append(codes, code)
		case strings.EqualFold(e.Key, "2XX"):
			codes = append(codes, 200, 201, 202, 204)
		}
	}
	return codes
}

// answerKey gives the response that describes the rows: the one the method
// names, else the lowest success code, else the default.
func answerKey(responses *openapi.Node, named string) string {
	if named != "" && responses.At(named) != nil {
		return named
	}
	var keys []string
	for _, e := range responses.Entries() {
		if strings.HasPrefix(e.Key, "2") {
			keys = append(keys, e.Key)
		}
	}
	if len(keys) == 0 {
		return "default"
	}
	return slices.Min(keys)
}

// rows finds the rows below the schema of the answer. Where the method does not
// say, the answer itself is the rows if it is an array; else the member that
// lists are known to be in: value by the rule of Azure Resource Manager, items
// by that of the format.
func (l *loader) rows(r *Response, schema *openapi.Schema, key *openapi.Node) error {
	path, ok := memberPath(key.Text())
	if !ok {
		return key.Invalid("the objectKey %q names a single element or a condition, which is not supported", key.Text())
	}
	if key.Text() == "" {
		path = []string{"items"}
		if l.service.family == ARM {
			path = []string{"value"}
		}
		if schema.Member(path[0]) == nil || schema.Member(path[0]).Type != "array" {
			path = nil
		}
	}
	path = asNamed(schema, path)
	if n := len(path) - 1; n >= 0 && path[n] == Every && below(schema, path[:n]).Items() != nil {
		path = path[:n] // the elements of an array are its rows anyway
	}
	above := below(schema, path[:max(0, len(path)-1)])
	r.ItemsPath, schema = path, below(schema, path)
	// A list that the document does not describe is a list nevertheless.
	r.List = len(path) > 0 && (schema == nil || path[len(path)-1] == Every || above != nil && above.Type == "array")
	r.Item = schema
	if schema != nil && schema.Type == "array" {
		r.List, r.Item = true, schema.Items()
	}
	// Elements may be lists themselves, or the type may say text and the rest an
	// object: rows are what has members.
	for range maxNested {
		inner := r.Item.Items()
		if len(r.Item.Members()) > 0 || inner == nil || len(inner.Members()) == 0 && inner.Items() == nil {
			break
		}
		r.List, r.Nested, r.Item = true, r.Nested || r.Item.Type == "array", inner
	}
	if r.Transform == nil && strings.HasSuffix(r.MediaType, "xml") {
		r.Item = r.Item.Elements()
	}
	return nil
}

// maxNested is how deep lists of lists are followed.
const maxNested = 8

// asNamed gives the path by the names of the answer. StackQL calls the second
// occurrence of a member in the parts of a composed schema PART_NAME, and a
// document may have that in its objectKey.
func asNamed(schema *openapi.Schema, path []string) []string {
	if len(path) != 1 || schema == nil || schema.Member(path[0]) != nil {
		return path
	}
	if _, name, found := strings.Cut(path[0], "_"); found && schema.Member(name) != nil {
		return []string{name}
	}
	return path
}
