package rest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// schemaOf reads a schema of a test.
func schemaOf(t *testing.T, text string) *openapi.Schema {
	t.Helper()
	doc, err := openapi.Parse("t", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Schema(doc.Root())
}

// things is a method of no family that takes a body.
func things(b *provider.Body, parameters ...provider.Parameter) *provider.Method {
	r := &provider.Resource{Provider: "p", Service: "s", Name: "things"}
	m := &provider.Method{
		Resource: r, Name: "make", OperationID: "Make", HTTPMethod: http.MethodPost, Server: "https://a", Path: "/x",
		Body: b, Parameters: parameters,
	}
	r.Methods = []*provider.Method{m}
	return m
}

// Every media type of bodies, and the rules that make them.
func TestPayload(t *testing.T) {
	all := schemaOf(t, "type: object\nproperties:\n  a: {type: string}\n  n: {type: integer}\n  file: {type: string, format: binary}\n  list: {type: array, items: {type: string}}\n  text: {type: string, x-stackQL-stringOnly: true}\n")
	for _, c := range []struct {
		name       string
		body       provider.Body
		given      string
		want, kind string
	}{
		{"as given", provider.Body{}, `{"a": 1.0}`, `{"a":1.0}`, "application/json"},
		{"a list", provider.Body{}, `[1, 2]`, `[1, 2]`, "application/json"},
		{"base below", provider.Body{Base: `{"a":"x","t":1}`}, `{"a":"y"}`, `{"a":"y","t":1}`, "application/json"},
		{"base alone", provider.Body{Base: `{}`, MediaType: "application/x-amz-json-1.1"}, ``, `{}`, "application/x-amz-json-1.1"},
		{"default", provider.Body{Default: `{"d":1}`}, ``, `{"d":1}`, "application/json"},
		{"default not needed", provider.Body{Default: `{"d":1}`}, `{"a":"x"}`, `{"a":"x"}`, "application/json"},
		{"nothing", provider.Body{}, ``, ``, ""},
		{"text of JSON", provider.Body{Schema: all}, `{"text":{"b":1}}`, `{"text":"{\"b\":1}"}`, "application/json"},
		{"text stays", provider.Body{Schema: all}, `{"text":"[1]"}`, `{"text":"[1]"}`, "application/json"},
		{"template", provider.Body{Transform: &provider.Transform{Kind: "golang_template_json_v0.1.0", Body: "{{ .value }}"}}, `{"value":"x"}`, `x`, "application/json"},
		{"form", provider.Body{MediaType: "application/x-www-form-urlencoded"}, `{"b":"x y","a":[1,true]}`, `a=1&a=true&b=x+y`, "application/x-www-form-urlencoded"},
		{"XML", provider.Body{MediaType: "application/xml"}, `{"b":{"c":[1,2],"d":null,"e":"<"}}`, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<b><c>1</c><c>2</c><e>&lt;</e></b>", "application/xml"},
		{"XML of several", provider.Body{MediaType: "application/xml"}, `{"b":1,"c":"x"}`, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MakeRequest><b>1</b><c>x</c></MakeRequest>", "application/xml"},
		{"text", provider.Body{MediaType: "text/plain"}, `"a\nb"`, "a\nb", "text/plain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := provider.Call{Method: things(&c.body)}
			if c.given != "" {
				call.Body = []byte(c.given)
			}
			r, err := direct().Request(call)
			if err != nil || string(r.Body) != c.want || r.Header.Get("Content-Type") != c.kind {
				t.Errorf("%s of %s, %v\nwant %s", r.Body, r.Header.Get("Content-Type"), err, c.want)
			}
		})
	}
	r, err := direct().Request(provider.Call{Method: things(&provider.Body{MediaType: "multipart/form-data", Schema: all}), Body: []byte(`{"a":"x","file":"content"}`)})
	kind := r.Header.Get("Content-Type")
	boundary := strings.TrimPrefix(kind, "multipart/form-data; boundary=")
	parts := strings.Split(string(r.Body), "--"+boundary)
	if err != nil || len(parts) != 4 || !strings.Contains(parts[1], "name=\"a\"\r\n\r\nx\r\n") ||
		!strings.Contains(parts[2], `name="file"; filename="file"`) || !strings.Contains(parts[2], "\r\n\r\ncontent\r\n") {
		t.Errorf("%s %q %v", kind, parts, err)
	}
	_, err = direct().Request(provider.Call{Method: things(&provider.Body{MediaType: "application/octet-stream"}), Body: []byte(`{"a":1}`)})
	if e := fault.As(err); e == nil || e.Code != fault.NotSupported || !strings.Contains(e.Hint, "@@json") {
		t.Errorf("%v", err)
	}
}

// Arguments that are members of the body have the types of the schema.
func TestPayload_arguments(t *testing.T) {
	types := map[string]string{"s": "string", "i": "integer", "b": "boolean", "o": "object", "l": "array", "x": ""}
	var parameters []provider.Parameter
	for name, kind := range types {
		parameters = append(parameters, provider.Parameter{Name: name, In: provider.InBody, Schema: &openapi.Schema{Type: kind}})
	}
	m := things(&provider.Body{}, parameters...)
	for argument, want := range map[string]string{
		`s=1`: `{"s":"1"}`, `s={"a":1}`: `{"s":"{\"a\":1}"}`, `i=12345678901234567890`: `{"i":12345678901234567890}`, `b=true`: `{"b":true}`,
		`o={"a":[1]}`: `{"o":{"a":[1]}}`, `l=["a"]`: `{"l":["a"]}`, `l=a`: `{"l":["a"]}`, `x=text`: `{"x":"text"}`, `x=[1]`: `{"x":[1]}`, `x=7`: `{"x":"7"}`,
	} {
		r, err := direct().Request(provider.Call{Method: m, Arguments: arguments(argument)})
		if err != nil || string(r.Body) != want {
			t.Errorf("%s: %s, %v; want %s", argument, r.Body, err, want)
		}
	}
	for _, argument := range []string{"i=x", "b=[1]", "o=text", "o=[1]"} {
		_, err := direct().Request(provider.Call{Method: m, Arguments: arguments(argument)})
		if e := fault.As(err); e == nil || e.Code != fault.InvalidValue || e.Hint == "" {
			t.Errorf("%s: %v", argument, err)
		}
	}
}

// Lists and objects in a query, in the styles of OpenAPI and of AWS.
func TestQuery_styles(t *testing.T) {
	for _, c := range []struct {
		style     string
		explode   bool
		canonical string
		value     string
		want      string
	}{
		{"form", true, "", `["x","y z"]`, "q=x&q=y%20z"},
		{"form", false, "", `["x","y"]`, "q=x%2Cy"},
		{"pipeDelimited", false, "", `["x",1]`, "q=x%7C1"},
		{"spaceDelimited", false, "", `["x","y"]`, "q=x%20y"},
		{"form", true, "", `{"b":1,"a":"x"}`, "a=x&b=1"},
		{"form", false, "", `{"b":1,"a":"x"}`, "q=a%2Cx%2Cb%2C1"},
		{"deepObject", true, "", `{"a":"x","b":{"c":1}}`, "q%5Ba%5D=x&q%5Bb%5D=%7B%22c%22%3A1%7D"},
		{"form", true, "", `plain`, "q=plain"},
		{"form", true, "ec2", `[{"Name":"n","Values":["a","b"]}]`, "q.1.Name=n&q.1.Values.1=a&q.1.Values.2=b"},
		{"form", true, "query", `{"entry":["a"]}`, "q.entry.member.1=a"},
	} {
		kind := "array"
		if c.value[0] == '{' {
			kind = "object"
		}
		m := things(nil, provider.Parameter{Name: "q", In: provider.InQuery, Style: c.style, Explode: c.explode, Schema: &openapi.Schema{Type: kind}})
		m.Wire = provider.Wire{Canonical: c.canonical != "", Protocol: c.canonical}
		r, err := direct().Request(provider.Call{Method: m, Arguments: arguments("q=" + c.value)})
		if err != nil || r.URL != "https://a/x?"+c.want {
			t.Errorf("%s %v %s: %s, %v; want %s", c.style, c.explode, c.value, r.URL, err, c.want)
		}
	}
	// A text that looks like a list is no list where the document asks for text.
	m := things(nil, provider.Parameter{Name: "q", In: provider.InQuery, Style: "form", Explode: true, Schema: &openapi.Schema{Type: "string"}})
	if r, err := direct().Request(provider.Call{Method: m, Arguments: arguments(`q=["x"]`)}); err != nil || r.URL != "https://a/x?q=%5B%22x%22%5D" {
		t.Errorf("%s %v", r.URL, err)
	}
}

// Variables of servers are filled in and cannot lead to another host.
func TestServer(t *testing.T) {
	m := things(nil, provider.Parameter{Name: "region", In: provider.InServer, Schema: &openapi.Schema{Type: "string", Default: "us"}},
		provider.Parameter{Name: "org", In: provider.InServer, Schema: &openapi.Schema{Type: "string"}})
	m.Server = "https://s.{region}.example.com/v1/{org}/"
	for _, c := range []struct{ arguments, want string }{
		{"org=o", "https://s.us.example.com/v1/o/x"}, {"org=a/b?,region=eu-1.x", "https://s.eu-1.x.example.com/v1/a%2Fb%3F/x"},
		{"org=o,region=https://eu/", "https://s.eu.example.com/v1/o/x"},
	} {
		r, err := direct().Request(provider.Call{Method: m, Arguments: arguments(strings.Split(c.arguments, ",")...)})
		if err != nil || r.URL != c.want {
			t.Errorf("%s: %s, %v", c.arguments, r.URL, err)
		}
	}
	for _, value := range []string{"evil.com/", "evil.com#", "a@evil.com", `a\`, "a b", "..", "evil.com?", "ä"} {
		if value == "evil.com/" {
			value = "evil.com/x"
		}
		_, err := direct().Request(provider.Call{Method: m, Arguments: arguments("org=o", "region="+value)})
		if e := fault.As(err); e == nil || e.Code != fault.InvalidValue {
			t.Errorf("%q: %v", value, err)
		}
	}
	if _, err := direct().Request(provider.Call{Method: m}); fault.As(err) == nil || fault.As(err).Code != fault.MissingParameter {
		t.Errorf("%v", err)
	}
}

// Queries of GraphQL go on by their cursor; values cannot leave their places.
func TestGraphQL(t *testing.T) {
	p := documents(t, "github", "github", "discussions")
	m := methodOf(t, p, "discussions.discussion_categories.list")
	page := func(id, cursor, more string) string {
		return `{"data":{"repository":{"discussionCategories":{"pageInfo":{"endCursor":` + cursor + `,"hasNextPage":` + more + `},"nodes":[{"id":"` + id + `"}]}}}}`
	}
	asked := func(cursor string) string {
		text, err := graphQLBody(provider.Call{Method: m, Arguments: arguments("owner=o\"{}", "repo=r")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(string(text), "first: 100)", "first: 100"+cursor+")", 1)
	}
	rows, err := play(t, provider.Call{Method: m, Arguments: arguments("owner=o\"{}", "repo=r")}, []exchange{
		{request: "POST /graphql " + asked(""), answer: page("a", `"c=1"`, "true")},
		{request: "POST /graphql " + asked(`, after: \"c=1\"`), answer: page("b", `"c=2"`, "false")},
	})
	if err != nil || !slices.Equal(rows, []string{`{"id":"a"}`, `{"id":"b"}`}) {
		t.Errorf("%v %q", err, rows)
	}
	if !strings.Contains(asked(""), `owner: \"o\\\"{}\"`) {
		t.Error(asked(""))
	}
	p = documents(t, "cloudflare", "cloudflare", "cache")
	m = methodOf(t, p, "cache.cdn_network_analytics_adaptive_groups.list")
	_, err = direct().Request(provider.Call{Method: m, Arguments: arguments("account_tag=a", "since=s", "until=u", "limit=1) { x }")})
	if e := fault.As(err); e == nil || e.Code != fault.InvalidValue {
		t.Errorf("%v", err)
	}
}
