package openapi

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

func schema(t *testing.T, text string) *Schema {
	t.Helper()
	d := parse(t, text)
	s := d.Schema(d.Root().At("schema"))
	if s == nil {
		t.Fatal("no schema")
	}
	return s
}

func names(s *Schema) string {
	var list []string
	for _, m := range s.Members() {
		list = append(list, m.Name)
	}
	return strings.Join(list, " ")
}

func TestSchemaWords(t *testing.T) {
	s := schema(t, `
schema:
  type: string
  format: uuid
  description: An id.
  enum: [a, b]
  default: a
  readOnly: true
  nullable: true
  x-ms-secret: true
`)
	if s.Type != "string" || s.Format != "uuid" || s.Description != "An id." || !slices.Equal(s.Enum, []string{"a", "b"}) ||
		s.Default != "a" || !s.ReadOnly || !s.Nullable || !s.Secret {
		t.Errorf("got %+v", s)
	}
}

func TestSchemaType(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"stated", "{type: integer}", "integer"},
		{"3.1 list", "{type: [string, 'null']}", "string"},
		{"properties", "{properties: {a: {}}}", "object"},
		{"additionalProperties", "{additionalProperties: true}", "object"},
		{"items", "{items: {}}", "array"},
		{"allOf", "{allOf: [{description: x}, {type: boolean}]}", "boolean"},
		{"allOf of allOf", "{allOf: [{allOf: [{type: string, format: date}]}]}", "string"},
		{"anyOf that agree", "{anyOf: [{type: string, enum: [a]}, {type: string}]}", "string"},
		{"oneOf with null", "{oneOf: [{type: 'null'}, {type: integer}]}", "integer"},
		{"oneOf that differ", "{oneOf: [{type: string}, {type: integer}]}", ""},
		{"nothing", "{description: x}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := schema(t, "schema: "+c.text+"\n").Type; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSchemaBesideReference(t *testing.T) {
	s := schema(t, `
schema: {$ref: '#/target', description: The use., readOnly: true}
target: {type: object, description: The target., properties: {a: {type: string}}}
`)
	if s.Description != "The use." || !s.ReadOnly || s.Type != "object" || names(s) != "a" {
		t.Errorf("got %+v", s)
	}
}

func TestMembers(t *testing.T) {
	const bases = `
base: {type: object, required: [id], properties: {id: {type: string}, name: {type: string}}}
more: {properties: {tags: {type: object}, name: {type: integer}}}
cycle: {allOf: [{$ref: '#/cycle'}, {$ref: '#/base'}]}
`
	for _, c := range []struct{ name, text, want string }{
		{"own in document order", "{properties: {b: {}, a: {}, c: {}}}", "b a c"},
		{"allOf in front", "{allOf: [{$ref: '#/base'}], properties: {x: {}}}", "id name x"},
		{"allOf behind", "{properties: {x: {}}, allOf: [{$ref: '#/base'}]}", "x id name"},
		{"own wins in place", "{allOf: [{$ref: '#/base'}], properties: {x: {}, id: {type: integer}}}", "id name x"},
		{"two bases", "{allOf: [{$ref: '#/base'}, {$ref: '#/more'}]}", "id name tags"},
		{"oneOf beside own", "{properties: {x: {}}, oneOf: [{$ref: '#/base'}]}", "x"},
		{"anyOf alone", "{anyOf: [{$ref: '#/base'}, {$ref: '#/more'}]}", "id name tags"},
		{"oneOf alone", "{oneOf: [{$ref: '#/more'}, {$ref: '#/base'}]}", "tags name id"},
		{"cycle", "{$ref: '#/cycle'}", "id name"},
		{"lost reference", "{allOf: [{$ref: '#/lost'}, {$ref: '#/base'}]}", "id name"},
		{"none", "{type: string}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := schema(t, "schema: "+c.text+bases)
			if got := names(s); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	s := schema(t, "schema: {allOf: [{$ref: '#/base'}], required: [x], properties: {x: {}, id: {type: integer}}}"+bases)
	if s.Member("id").Type != "integer" || s.Member("name").Type != "string" || s.Member("ID") != nil {
		t.Error("the schema's own meaning does not win")
	}
	if !slices.Equal(s.Required, []string{"x", "id"}) {
		t.Errorf("required: %v", s.Required)
	}
}

func TestPartsOfSchemas(t *testing.T) {
	s := schema(t, `
schema:
  type: object
  properties:
    list: {type: array, items: {type: integer}}
    inherited: {allOf: [{type: array, items: {type: string}}]}
    map: {type: object, additionalProperties: {type: boolean}}
    any: {type: object, additionalProperties: true}
    closed: {type: object, additionalProperties: false}
    tree: {$ref: '#/tree'}
    lost: {$ref: '#/lost'}
tree: {type: object, properties: {below: {$ref: '#/tree'}}}
`)
	if s.Member("list").Items().Type != "integer" || s.Member("inherited").Items().Type != "string" {
		t.Error("items")
	}
	if s.Member("map").Values().Type != "boolean" || s.Member("any").Values() != nil || s.Member("closed").Values() != nil {
		t.Error("values")
	}
	for name, want := range map[string]bool{"map": true, "any": true, "list": false, "tree": false, "lost": false} {
		if got := s.Member(name).FreeForm(); got != want {
			t.Errorf("%s: free form %v", name, got)
		}
	}
	tree := s.Member("tree")
	for range 100 {
		tree = tree.Member("below")
	}
	if tree.Type != "object" || tree != tree.Member("below") {
		t.Error("a schema that contains itself is not one schema")
	}
	if s.Member("lost") != nil {
		t.Error("a lost reference is not nil")
	}
}

func TestNilSchema(t *testing.T) {
	var s *Schema
	if s.Members() != nil || s.Member("a") != nil || s.Items() != nil || s.Values() != nil || s.FreeForm() {
		t.Error("nil is not empty")
	}
	made := &Schema{Type: "object"}
	if made.Members() != nil || made.Items() != nil || !made.FreeForm() {
		t.Error("a schema made by hand is not empty")
	}
}

// A chain of compositions longer than any document has must neither hang nor
// exhaust the stack.
func TestLongChain(t *testing.T) {
	var b strings.Builder
	b.WriteString("schema: {$ref: '#/s0'}\n")
	for i := range 30_000 {
		b.WriteString("s" + itoa(i) + ": {allOf: [{$ref: '#/s" + itoa(i+1) + "'}]}\n")
	}
	s := schema(t, b.String())
	if len(s.Members()) != 0 {
		t.Error("members")
	}
}

func itoa(i int) string {
	var digits []byte
	for ; i > 0 || len(digits) == 0; i /= 10 {
		digits = append([]byte{byte('0' + i%10)}, digits...)
	}
	return string(digits)
}

func TestConcurrentUse(t *testing.T) {
	d := parse(t, `
schema: {allOf: [{$ref: '#/base'}], properties: {x: {$ref: '#/base'}}}
base:
  type: object
  properties:
    id: {type: string}
    next: {$ref: '#/schema'}
`)
	var group sync.WaitGroup
	found := make([]*Schema, 8)
	for i := range found {
		group.Go(func() {
			found[i] = d.Schema(d.Root().At("schema")).Member("x").Member("next").Member("id")
		})
	}
	group.Wait()
	for _, s := range found {
		if s == nil || s != found[0] {
			t.Fatal("not the same schema")
		}
	}
}

// What stands beside a reference does not make another thing of the target, and
// requires what it can have besides.
func TestSchemaBesideReference_shape(t *testing.T) {
	s := schema(t, `
target: {type: array, items: {type: object, properties: {a: {type: string}}}}
schema: {type: object, description: mine, $ref: '#/target'}
`)
	if s.Type != "array" || s.Description != "mine" || names(s.Items()) != "a" {
		t.Errorf("it is %s %q of %q", s.Type, s.Description, names(s.Items()))
	}
	s = schema(t, `
target: {required: [a], properties: {a: {type: string}, b: {type: string}}}
schema: {required: [b, elsewhere], $ref: '#/target'}
`)
	if !slices.Equal(s.Required, []string{"a", "b"}) {
		t.Errorf("required are %q", s.Required)
	}
}

// Where alternatives are arrays, an element has what those of any of them have.
func TestItems_alternatives(t *testing.T) {
	for text, want := range map[string]string{
		"{oneOf: [{type: array, items: {properties: {a: {}, b: {}}}}, {type: array, items: {properties: {b: {}, c: {}}}}]}": "a b c",
		"{anyOf: [{type: 'null'}, {type: array, items: {properties: {a: {}}}}]}":                                            "a",
		"{oneOf: [{type: string}]}": "",
	} {
		if got := names(schema(t, "schema: "+text).Items()); got != want {
			t.Errorf("%s has elements with %q", text, got)
		}
	}
}

// In XML members have the names of their elements, also where a part of allOf
// gives them.
func TestElements(t *testing.T) {
	s := schema(t, `
schema: {properties: {Zone: {allOf: [{type: string}, {xml: {name: zone}}]}, size: {type: integer}, Id: {type: string, xml: {name: theId}}}}
`)
	if got := names(s.Elements()); got != "zone size theId" {
		t.Errorf("the elements are %q", got)
	}
	if plain := schema(t, "schema: {properties: {a: {}}}"); plain.Elements() != plain {
		t.Error("a schema without other names is not the same")
	}
}
