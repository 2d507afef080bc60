package build

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// pending is a schema that has a name and is not converted yet.
type pending struct {
	name string
	at   place
}

// component is a converted schema.
type component struct {
	name   string
	schema *yaml.Node
}

// convertQueue converts the named schemas; each may name more.
func (b *builder) convertQueue() {
	for len(b.queue) > 0 {
		next := b.queue[0]
		b.queue = b.queue[1:]
		b.done = append(b.done, component{next.name, b.schemaBody(next.at)})
	}
	slices.SortFunc(b.done, func(x, y component) int { return strings.Compare(x.name, y.name) })
}

// schema converts a schema. A reference stays one, to a component of the built
// document, whatever file it leads to.
func (b *builder) schema(p place) *yaml.Node {
	if value(p.n, "$ref").Kind != yaml.ScalarNode {
		return b.schemaBody(p)
	}
	target, key, err := b.follow(p)
	if err != nil {
		b.problem(p.d, p.n.Line, "", err.Error())
		return mapping("type", "object")
	}
	name, known := b.schemas[key]
	if !known {
		name = b.nameSchema(key)
		b.queue = append(b.queue, pending{name, target})
	}
	out := mapping("$ref", "#/components/schemas/"+name)
	members(p.n, func(key string, v *yaml.Node) { // what stands beside a reference describes the use
		switch key {
		case "description", "readOnly", "x-ms-secret", "x-ms-mutability", "nullable", "x-nullable":
			b.schemaMember(out, p.d, key, v)
		}
	})
	return out
}

// unsafe are letters that do not go into the name of a component.
var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// nameSchema names the component for a place, by the last part of its pointer. Two
// files may use a name for different things.
func (b *builder) nameSchema(key string) string {
	file, pointer, _ := strings.Cut(key, "#")
	parts := strings.Split(pointer, "/")
	base := unsafe.ReplaceAllString(unescape(parts[len(parts)-1]), "_")
	if len(parts) > 3 && !strings.HasPrefix(pointer, "/components/") || len(parts) > 4 { // a schema inside another
		base = unsafe.ReplaceAllString(unescape(strings.Join(parts[max(0, len(parts)-3):], "_")), "_")
	}
	if base == "" {
		base = unsafe.ReplaceAllString(strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".json"), "_")
	}
	name := base
	for n := 2; b.names[name] != ""; n++ {
		name = base + "_" + strconv.Itoa(n)
	}
	b.schemas[key], b.names[name] = name, key
	return name
}

// schemaBody converts the words of a schema.
func (b *builder) schemaBody(p place) *yaml.Node {
	out := mapping()
	members(p.n, func(key string, v *yaml.Node) { b.schemaMember(out, p.d, key, v) })
	return out
}

// schemaMember converts one word of a schema. Swagger's differ from OpenAPI's in
// a few; examples are left out, since they are long and say nothing of the shape.
func (b *builder) schemaMember(out *yaml.Node, d *document, key string, v *yaml.Node) {
	switch key {
	case "properties", "patternProperties":
		converted := mapping()
		members(v, func(name string, schema *yaml.Node) { set(converted, name, b.schema(place{d, schema})) })
		set(out, key, converted)
	case "items", "not":
		set(out, key, b.schema(place{d, v}))
	case "additionalProperties":
		if v.Kind == yaml.MappingNode {
			set(out, key, b.schema(place{d, v}))
			return
		}
		set(out, key, clone(v))
	case "allOf", "anyOf", "oneOf":
		all := list()
		for _, item := range v.Content {
			all.Content = append(all.Content, b.schema(place{d, item}))
		}
		set(out, key, all)
	case "discriminator":
		if v.Kind == yaml.ScalarNode {
			set(out, key, mapping("propertyName", v.Value))
			return
		}
		set(out, key, mapping("propertyName", value(v, "propertyName").Value)) // its mapping names schemas by their old places
	case "x-nullable":
		set(out, "nullable", clone(v))
	case "x-ms-mutability":
		set(out, key, clone(v))
		if len(v.Content) == 1 && v.Content[0].Value == "read" {
			set(out, "readOnly", truth(true))
		}
	case "example", "examples", "x-example", "x-examples", "x-ms-examples", "externalDocs", "xml", "$schema", "$id":
		if key == "xml" {
			set(out, key, clone(v))
		}
	case "type":
		if v.Value == "file" {
			set(out, "type", text("string"))
			set(out, "format", text("binary"))
			return
		}
		set(out, key, clone(v))
	default:
		set(out, key, clone(v))
	}
}

// parameterWords are those of a parameter of Swagger that OpenAPI keeps in its
// schema.
var parameterWords = []string{
	"type", "format", "items", "enum", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
	"maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "multipleOf", "x-ms-enum",
}

// collections are how Swagger's lists are written, in the words of OpenAPI 3.
var collections = map[string][2]string{
	"csv": {"form", "false"}, "multi": {"form", "true"}, "ssv": {"spaceDelimited", "false"}, "pipes": {"pipeDelimited", "false"},
}

// parameter converts a parameter that is not the body. The references of
// parameters are followed: they are short. The version of Azure's APIs is that of
// the document whose operation uses it, wherever the parameter stands.
func (b *builder) parameter(p place, user *document) *yaml.Node {
	out := mapping()
	for _, key := range []string{"name", "in", "description", "required", "style", "explode", "allowReserved", "allowEmptyValue", "deprecated"} {
		if v := value(p.n, key); is(v) {
			set(out, key, clone(v))
		}
	}
	members(p.n, func(key string, v *yaml.Node) {
		if strings.HasPrefix(key, "x-") && key != "x-ms-enum" && key != "x-ms-examples" && key != "x-example" {
			set(out, key, clone(v))
		}
	})
	schema := mapping()
	switch {
	case is(value(p.n, "schema")):
		schema = b.schema(place{p.d, value(p.n, "schema")})
	case p.d.swagger:
		for _, key := range parameterWords {
			if v := value(p.n, key); is(v) {
				b.schemaMember(schema, p.d, key, v)
			}
		}
		if style, ok := collections[value(p.n, "collectionFormat").Value]; ok && value(p.n, "in").Value == "query" {
			set(out, "style", text(style[0]))
			set(out, "explode", truth(style[1] == "true"))
		}
	default: // OpenAPI 3 may give a media type instead
		members(value(p.n, "content"), func(_ string, v *yaml.Node) { schema = b.schema(place{p.d, value(v, "schema")}) })
	}
	if name := value(p.n, "name").Value; name == "api-version" && !is(value(schema, "default")) && len(value(schema, "enum").Content) != 1 {
		if version := value(user.root, "info", "version"); is(version) {
			set(schema, "default", text(version.Value))
		}
	}
	set(out, "schema", schema)
	return out
}
