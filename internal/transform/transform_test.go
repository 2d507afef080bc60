package transform

import (
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/openapi"
)

// Rules as they stand in published documents, and the functions that only old
// ones use.
func TestRun(t *testing.T) {
	for _, c := range []struct{ name, kind, rule, body, want string }{
		{
			"okta wraps a list", "golang_template_text_v0.3.0", `{{- $wrapped := printf "{\"factors\":%s}" . -}}` + "\n" + `{{- $wrapped -}}`,
			`[{"id":"a"}]`, `{"factors":[{"id":"a"}]}`,
		},
		{
			"okta parses what it has wrapped", "golang_template_text_v0.3.0",
			`{{- $wrapped := printf "{\"items\":%s}" . -}}{{- $parsed := jsonMapFromString $wrapped -}}[{{- range $i, $v := index $parsed "items" -}}{{ if $i }},{{ end }}{"v":{{ toJson $v }}}{{- end }}]`,
			`["a<b"]`, `[{"v":"a<b"}]`,
		},
		{"databricks takes text", "golang_template_text_v0.3.0", `[{"contents": {{ toJson . }}}]`, "a\n\"b\"", `[{"contents": "a\n\"b\""}]`},
		{
			"azure flattens", "golang_template_json_v0.3.0",
			`{{ $row := . }}{ {{ $p := index $row "properties" }}{{ if eq (kindOf $p) "map" }}{{ range $k, $v := $p }}{{ printf "%q" $k }}: {{ toJson $v }}, {{ end }}{{ end }}{{ range $k, $v := $row }}{{ printf "%q" $k }}: {{ toJson $v }}, {{ end }}"_flattened": true }`,
			`{"id":"i","properties":{"n":12345678901234567890}}`,
			`{ "n": 12345678901234567890, "id": "i", "properties": {"n":12345678901234567890}, "_flattened": true }`,
		},
		{
			"codebuild makes rows of ids", "golang_template_json_v0.3.0",
			`{{- $lst := index . "ids" -}}{"line_items": [{{- if eq (kindOf $lst) "slice" -}}{{- range $i, $v := $lst -}}{{- if $i }},{{ end }}{"id": {{ toJson $v }}}{{- end -}}{{- end -}}]}`,
			`{"ids":["a","b"]}`, `{"line_items": [{"id": "a"},{"id": "b"}]}`,
		},
		{"cloudflare drops what is not given", "golang_template_json_v0.3.0", `{ {{- $sep := "" -}}{{- if .a }}{{ $sep }}"a": {{ toJson .a }}{{- $sep = "," -}}{{ end }}{{- if .b }}{{ $sep }}"b": {{ if eq (kindOf .b) "string" }}{{ .b }}{{ else }}{{ toJson .b }}{{ end }}{{ end }}}`, `{"b":"[1]"}`, `{"b": [1]}`},
		{"separator", "golang_template_json_v0.1.0", `{{- $s := separator ", " }}[{{ range .}}{{ call $s }}{{ toInt . }}{{ end }}]`, `["1","2",3]`, `[1, 2, 3]`},
		{"mxj", "golang_template_mxj_v0.2.0", `{{ range .R.item }}{{ toBool .on }} {{ index . "-n" }};{{ end }}`, `<R><item n="1"><on>true</on></item><item n="2"><on>no</on></item></R>`, "true 1;false 2;"},
		{"xpath", "golang_template_v0.1.0", `{{ getXPath . "/R/a/b" }}|{{ range getXPathAllOuter . "//b" }}{{ . }}{{ end }}`, `<R><a><b>1&lt;</b></a><c><b>2</b></c></R>`, "1<|<b>1&lt;</b><b>2</b>"},
		{"regexp", "golang_template_text_v0.3.0", `{{ getRegexpFirstMatch . "v=(\\d+)" }} {{ getRegexpAllMatches . "[a-z]=" }} {{ safeIndex (getRegexpAllMatches . "z") 3 }}`, "v=12 w=3", "12 [v= w=] "},
		{"index", "golang_template_json_v0.3.0", `{{ range $i, $v := . }}{{ plus1 $i }}{{ kindOf $v }} {{ end }}`, `[1,"a",null,{},[],true]`, "1float64 2string 3invalid 4map 5slice 6bool "},
	} {
		got, err := Run(c.kind, c.rule, []byte(c.body))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

// What a document could do to harm: loops without end, output without end,
// formats that are wide, recursion. All are errors.
func TestRun_limits(t *testing.T) {
	few := limits{output: 1 << 20, steps: 10_000, time: time.Minute}
	const loops = "{{ range 1000000000 }}{{ range 1000000000 }}{{ end }}{{ end }}"
	for name, rule := range map[string]string{
		"loops": loops, "loops in a branch": "{{ if true }}" + loops + "{{ end }}",
		"recursion":        `{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}`,
		"doubled template": `{{ define "a" }}{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}{{ end }}{{ template "a" . }}`,
		"width":            `{{ printf "%1000000000d" 1 }}`, "width as an argument": `{{ printf "%*d" 1000000000 1 }}`,
		"no template": "{{", "no function": "{{ env }}", "no member": "{{ .a.b.c }}", "panic": "{{ slice . 9 }}",
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := few.run("golang_template_text_v0.3.0", rule, []byte("x")); err == nil {
				t.Errorf("%q", out)
			}
		})
	}
	if _, err := few.run("golang_template_text_v0.3.0", "{{ . }}{{ . }}", make([]byte, 1<<20)); err == nil {
		t.Error("output without end")
	}
	few.steps, few.time = 1<<30, 0
	if _, err := few.run("golang_template_text_v0.3.0", loops, nil); err == nil {
		t.Error("time without end")
	}
	for _, kind := range []string{"golang_template_json_v0.3.0", "golang_template_mxj_v0.3.0", "jq_v1", ""} {
		if _, err := Run(kind, "{{ . }}", []byte("{")); err == nil {
			t.Errorf("%q runs", kind)
		}
	}
}

// rowSchema is the schema of a row with a member of each type.
func rowSchema(t *testing.T) *openapi.Schema {
	t.Helper()
	doc, err := openapi.Parse("t", []byte(`
type: object
properties:
  Name: {type: string}
  Size: {type: integer}
  Share: {type: number}
  On: {type: boolean}
  Tags: {type: array, items: {type: object}}
  Text: {type: string}
`))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Schema(doc.Root())
}

// Rows of XML by their schema: lists of every form that AWS has, one row, none.
func TestRows(t *testing.T) {
	const none = `"Size":null,"Share":null,"On":null,"Tags":null,"Text":null}`
	for body, want := range map[string]string{
		`<L><L.Result/></L>`: `[]`,
		`<R><ListResult><Users><member><Name>a</Name></member><member><Name>b</Name></member></Users></ListResult></R>`:                  `[{"Name":"a",` + none + `,{"Name":"b",` + none + `]`,
		`<R><ListResult><Users><member><Name>a</Name></member></Users></ListResult></R>`:                                                 `[{"Name":"a",` + none + `]`,
		`<R><set><item><Name>a</Name></item></set></R>`:                                                                                  `[{"Name":"a",` + none + `]`,
		`<R><C><Name>a</Name></C><C><Name>b</Name></C></R>`:                                                                              `[{"Name":"a",` + none + `,{"Name":"b",` + none + `]`,
		`<R><C><Name>only</Name><Size>7</Size></C></R>`:                                                                                  `[{"Name":"only","Size":7,"Share":null,"On":null,"Tags":null,"Text":null}]`,
		`<R><GetResult><Name>x</Name><Size>012</Size><Share>1.5</Share><On>true</On><Tags><m><K>1</K></m></Tags><Text/></GetResult></R>`: `[{"Name":"x","Size":"012","Share":1.5,"On":true,"Tags":{"m":{"K":"1"}},"Text":""}]`,
		`<R><Name>123456789012</Name><Size/><On>maybe</On></R>`:                                                                          `[{"Name":"123456789012","Size":null,"Share":null,"On":"maybe","Tags":null,"Text":null}]`,
		`<R><ListResult><Users/></ListResult></R>`:                                                                                       `[]`,
	} {
		root, err := ParseXML([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := string(Rows(Payload(root, "query"), rowSchema(t))); got != want {
			t.Errorf("%s\n%s\nwant %s", body, got, want)
		}
	}
	for _, body := range []string{"", "x", "<a>", "<a/><b/>", `<?xml version="1.0" encoding="x"?><a/>`, strings.Repeat("<a>", 1000)} {
		if root, err := ParseXML([]byte(body)); err == nil {
			t.Errorf("%s is read as %v", body, root)
		}
	}
}

// FuzzRun holds that no rule panics or runs for ever on any body.
func FuzzRun(f *testing.F) {
	f.Add("golang_template_json_v0.3.0", "{{ range $i, $v := . }}{{ toJson $v }}{{ end }}", `[1,{"a":null}]`)
	f.Add("golang_template_mxj_v0.3.0", "{{ index . \"a\" }}", `<a b="1">x<c/></a>`)
	f.Add("golang_template_text_v0.3.0", `{{ printf "%5d" (toInt .) }}`, `7`)
	few := limits{output: 1 << 20, steps: 10_000, time: time.Second}
	f.Fuzz(func(_ *testing.T, kind, rule, body string) {
		_, _ = few.run(kind, rule, []byte(body))
		if root, err := ParseXML([]byte(body)); err == nil {
			_ = root.JSON()
		}
	})
}
