package provider

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// wire reads how arguments become a request. The rules of config count from
// the nearest level that has them.
func (l *loader) wire(m *Method, n, r *openapi.Node) Wire {
	levels := l.levels(n, r)
	w := Wire{Protocol: l.root.At("info", "x-protocol").Text()}
	translate := nearest(levels, "requestTranslate", "algorithm").Text()
	w.Form = strings.HasPrefix(translate, "get_query_to_post_form")
	w.Drop = strings.HasPrefix(translate, "drop_double_underscore_params")
	w.Canonical = strings.EqualFold(nearest(levels, "queryParamTranspose", "algorithm").Text(), "AWSCanonical")
	if m.Resource.Family == AWS && m.HTTPMethod == "GET" && m.hasConstant("Action") {
		w.Form = true // by the query protocol both are the same, and only a GET is taken for a reading
	}
	return w
}

// levels are the blocks of config that count for a method, the nearest first.
func (l *loader) levels(n, r *openapi.Node) []*openapi.Node {
	return append([]*openapi.Node{n.At("config"), r.At("config"), l.root.At("x-stackQL-config")}, l.service.config...)
}

// nearest gives a key from the first level that has it.
func nearest(levels []*openapi.Node, keys ...string) *openapi.Node {
	for _, level := range levels {
		if found := level.At(keys...); !found.Missing() {
			return found
		}
	}
	return nil
}

// hasConstant tells whether the document fixes a query parameter.
func (m *Method) hasConstant(name string) bool {
	return slices.ContainsFunc(m.Constants, func(c Constant) bool { return c.Name == name })
}

// body reads what the method takes as its body; nil where it takes none.
func (l *loader) body(n *openapi.Node, op operation) (*Body, error) {
	request, err := op.node.At("requestBody").Follow()
	says := n.At("request")
	if err != nil || request.Missing() && says.At("schema_override").Missing() {
		return nil, err
	}
	b := &Body{
		Required: request.At("required").True(), Naming: n.At("config", "requestBodyTranslate", "algorithm").Text(),
		Casing: says.At("nativeCasing").Text(), Base: trimmed(says.At("base")), Default: trimmed(says.At("default")),
		Transform: transform(says.At("transform")),
	}
	b.MediaType, b.Schema = l.content(request.At("content"), says.At("mediaType").Text())
	replaced, err := l.override(says)
	if err != nil {
		return nil, err
	}
	if replaced != nil {
		b.Schema = replaced
	}
	b.Schema = b.Schema.Requiring(says.At("required").Texts())
	if b.Naming == "default" {
		b.Naming = ""
	}
	if l.service.family == ARM {
		b.Extra = envelope(b.Schema)
	}
	if wrap, ok := strings.CutPrefix(b.Naming, "naive_"); ok && b.Schema.Member(wrap) != nil {
		b.Naming, b.Wrap, b.Envelope, b.Schema = "naive", wrap, b.Schema, b.Schema.Member(wrap)
	}
	return b, nil
}

// envelope gives the members that stand at the top of every resource of Azure
// Resource Manager and that the schema of a body lacks: in published documents
// many have lost what they inherit, although services ask for a location.
func envelope(s *openapi.Schema) []openapi.Member {
	if s.Member("properties") == nil {
		return nil
	}
	var extra []openapi.Member
	for _, m := range []struct{ name, kind string }{
		{"id", "string"}, {"name", "string"}, {"type", "string"}, {"location", "string"}, {"tags", "object"},
		{"kind", "string"}, {"etag", "string"}, {"managedBy", "string"}, {"sku", "object"}, {"identity", "object"},
		{"plan", "object"}, {"zones", "array"}, {"extendedLocation", "object"}, {"systemData", "object"},
	} {
		if s.Member(m.name) == nil {
			extra = append(extra, openapi.Member{Name: m.name, Schema: &openapi.Schema{Type: m.kind, Open: true}})
		}
	}
	return extra
}

// Member gives the schema of a member of the body, or nil.
func (b *Body) Member(name string) *openapi.Schema {
	if b == nil {
		return nil
	}
	if s := b.Schema.Member(name); s != nil {
		return s
	}
	for _, m := range b.Extra {
		if m.Name == name {
			return m.Schema
		}
	}
	return nil
}

// trimmed gives a text of JSON; published ones are quoted once more.
func trimmed(n *openapi.Node) string {
	text := strings.TrimSpace(n.Text())
	if len(text) > 1 && text[0] == '\'' && text[len(text)-1] == '\'' {
		text = text[1 : len(text)-1]
	}
	return text
}

// transform reads a rule by which a body is turned into another.
func transform(n *openapi.Node) *Transform {
	if n.Missing() || n.At("type").Text() == "" {
		return nil
	}
	return &Transform{Kind: n.At("type").Text(), Body: n.At("body").Text()}
}

// Fixed gives the members that the document puts into every body.
func (b *Body) Fixed() map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(b.Base), &members) != nil {
		return nil
	}
	return members
}

// bodyParameters makes parameters of the members of the body of a method that
// reads or deletes: AWS's lists take their filters there, its deletions the name
// of what they delete, and a WHERE can bind nothing else. Of the body itself
// nothing is asked for then. Of a method that changes what its path does not
// name, the required members alone may be that name.
func (m *Method) bodyParameters(requiredOnly bool) {
	if m.Body == nil {
		return
	}
	fixed := m.Body.Fixed()
	for _, member := range m.Body.Schema.Members() {
		if _, known := m.Parameter(member.Name); known || member.Schema == nil || member.Schema.ReadOnly {
			continue
		}
		_, given := fixed[member.Name]
		required := !given && slices.Contains(m.Body.Schema.Required, member.Name)
		if requiredOnly && !required {
			continue
		}
		m.Parameters = append(m.Parameters, Parameter{
			Name: member.Name, In: InBody, Required: required, Description: member.Schema.Description, Schema: member.Schema,
		})
	}
	m.Body.Required = m.Body.Required && requiredOnly
}
