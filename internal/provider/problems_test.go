package provider

import (
	"fmt"
	"strings"
	"testing"
)

const faulty = `openapi: 3.0.0
info: {title: Things}
servers: [{url: 'https://x'}]
paths:
  /things/{thing}:
    get:
      parameters: [{name: other, in: path, required: true, schema: {type: string}}]
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}
    put:
      parameters: [{name: thing, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {type: object, properties: {thing: {type: string}}}}}}
      responses: {'204': {description: done}}
  /things:
    get:
      responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/Nothing'}}}}}
components:
  schemas:
    Thing: {type: object, properties: {Name: {type: string}, name: {type: string}}}
  x-stackQL-resources:
    things:
      id: azure.s.others
      methods:
        get: {operation: {$ref: '#/paths/~1things~1{thing}/get'}, response: {openAPIDocKey: '200', mediaType: text/plain}}
        again: {operation: {$ref: '#/paths/~1things~1{thing}/get'}, response: {openAPIDocKey: '201', mediaType: application/json, objectKey: $.none}}
        list: {operation: {$ref: '#/paths/~1things/get'}}
        put: {operation: {$ref: '#/paths/~1things~1{thing}/put'}, request: {mediaType: text/xml}, config: {requestBodyTranslate: {algorithm: naive}}}
        set: {operation: {$ref: '#/paths/~1things~1{thing}/put'}, config: {requestBodyTranslate: {algorithm: naive}}}
        gone: {operation: {$ref: '#/paths/~1gone/get'}}
      sqlVerbs:
        select: [{$ref: '#/components/x-stackQL-resources/things/methods/get'}, {$ref: '#/components/x-stackQL-resources/things/methods/again'}, {$ref: '#/components/x-stackQL-resources/things/methods/get'}]
    Things_: {id: azure.s.Things_, methods: {}}
`

// What is wrong in a document is listed with its place, and the rest of it can
// be used.
func TestDiagnose(t *testing.T) {
	p := provide(t, faulty)
	var lines []string
	for _, problem := range p.Diagnose() {
		where := strings.TrimPrefix(problem.Where, "azure/v1.0.0/services/s.yaml:")
		lines = append(lines, fmt.Sprintf("%s %s: %s (%s)", where, strings.TrimPrefix(problem.Object, "azure."), problem.Text, problem.Effect))
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		`15 s: the reference "#/components/schemas/Nothing" leads nowhere`,
		`s.things: the document has no path "/gone" (left out)`,
		`21 s.things: the id of the resource is azure.s.others`,
		`s.things.get: the path /things/{thing} has no place for its parameter "other"`,
		`s.things.get: the path /things/{thing} has a variable "thing" that is no parameter`,
		`23 s.things.get: the response 200 is not offered as "text/plain" (rows without columns)`,
		`24 s.things.again: the operation has no response "201"`,
		`24 s.things.again: the objectKey "$.none" leads nowhere in the answer`,
		`26 s.things.put: the operation takes no body of "text/xml"`,
		`27 s.things.set: "thing" is a parameter and a member of the body`,
		`s.things.again: get comes before it under select and needs the same (reached by EXEC only)`,
		`30 s.things: get is listed twice under select`,
		`s.Things_: the resources things and Things_ differ only in case`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	s, err := p.Service("s")
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := s.Resource("things"); len(r.Methods) != 5 {
		t.Errorf("there are %d methods", len(r.Methods))
	}
}

// A service whose document is not there is a problem, not the end.
func TestDiagnose_missing(t *testing.T) {
	if list := provide(t, "openapi: 3.0.0\n").Diagnose(); len(list) != 1 || list[0].Effect != leftOut || list[0].Object != "azure.s" {
		t.Errorf("it gives %v", list)
	}
	broken := Broken("azure", missing("gone"))
	if list := Complete(provide(t, faulty), broken).Diagnose(); len(list) < 10 || list[len(list)-1].Text != "gone" {
		t.Errorf("it gives %v", list)
	}
}

// A method is out of reach where an earlier one needs no more and takes all that
// it takes: what a statement gives besides decides.
func TestHides(t *testing.T) {
	method := func(names ...string) *Method {
		m := &Method{}
		for _, name := range names {
			name, required := strings.CutPrefix(name, "!")
			name, path := strings.CutPrefix(name, "/")
			p := Parameter{Name: name, In: InQuery, Required: required}
			if path {
				p.In = InPath
			}
			m.Parameters = append(m.Parameters, p)
		}
		return m
	}
	for _, c := range []struct {
		earlier, later *Method
		want           string
	}{
		{method("!/a"), method("!/a"), "the same"},
		{method("!/a", "q"), method("!/a", "!q"), "less"},
		{method("q"), method("!q"), "less"},
		{method("!/a"), method("!/a", "q"), ""},
		{method("!/a"), method("!/a", "!/b"), ""},
		{method("!/a", "!/b"), method("!/a"), ""},
		{method("!q"), method("!/q"), ""},
	} {
		if got := hides(c.earlier, c.later, Select); got != c.want {
			t.Errorf("%v before %v: %q", c.earlier.Parameters, c.later.Parameters, got)
		}
	}
}
