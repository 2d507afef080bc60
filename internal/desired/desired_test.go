package desired

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

const document = `
request:
  type: object
  properties:
    location: {type: string}
    id: {type: string, readOnly: true}
    tags: {type: object, additionalProperties: {type: string}}
    properties:
      type: object
      properties:
        kind: {type: string, enum: [Pooled, Personal]}
        friendlyName: {type: string}
        limit: {type: integer}
        ring: {type: string, nullable: true}
        path: {type: string, format: arm-id}
        at: {type: string, format: date-time}
        password: {type: string, x-ms-secret: true}
        hidden: {type: string}
        references: {type: array, items: {type: string}}
        schedules: {type: array, items: {type: object, properties: {name: {type: string}, key: {type: string, x-ms-secret: true}, hour: {type: integer}, days: {type: array, items: {type: string}}}}}
        who: {type: array, readOnly: true, items: {type: string}}
answer:
  type: object
  properties:
    location: {type: string}
    id: {type: string, readOnly: true}
    tags: {type: object, additionalProperties: {type: string}}
    properties:
      type: object
      properties:
        kind: {type: string}
        friendlyName: {type: string}
        limit: {type: integer}
        ring: {type: string}
        path: {type: string}
        at: {type: string}
        password: {type: string, x-ms-secret: true}
        references: {type: array, items: {type: string}}
        schedules: {type: array, items: {type: object}}
        who: {type: array, items: {type: string}}
`

func schemas(t *testing.T) Schemas {
	t.Helper()
	d, err := openapi.Parse("t", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return Schemas{d.Schema(d.Root().At("request")), d.Schema(d.Root().At("answer"))}
}

// Each line of a difference is a change, "unread" a member that nothing tells of,
// "beside" one that could be stated.
func lines(d Difference) string {
	var list []string
	for _, c := range d.Changes {
		list = append(list, fmt.Sprintf("%s: %s → %s", c.Member, c.From, c.To))
	}
	if d.Unread != nil {
		list = append(list, "unread "+strings.Join(d.Unread, " "))
	}
	if d.Beside != nil {
		list = append(list, "beside "+strings.Join(d.Beside, " "))
	}
	return strings.Join(list, "; ")
}

func TestCompare(t *testing.T) {
	s := schemas(t)
	for _, c := range []struct{ name, want, have, lines string }{
		{"equal", `{"location":"westeurope","properties":{"limit":5}}`, `{"location":"westeurope","properties":{"limit":5}}`, ""},
		{"a member", `{"properties":{"limit":6}}`, `{"properties":{"limit":5}}`, "properties.limit: 5 → 6"},
		{"what is not stated", `{"location":"a"}`, `{"location":"a","id":"/x","properties":{"limit":5,"who":["a"]}}`, "beside properties.limit"},
		{"what is not there", `{"properties":{"friendlyName":"x","limit":null}}`, `{"properties":{}}`, `properties.friendlyName:  → "x"`},
		{"null for a value", `{"properties":{"ring":null}}`, `{"properties":{"ring":"1"}}`, `properties.ring: "1" → `},
		{"nothing for nothing", `{"tags":{},"properties":{"references":[],"friendlyName":""}}`, `{"properties":{}}`, ""},
		{"a region", `{"location":"West Europe"}`, `{"location":"westeurope"}`, ""},
		{"another region", `{"location":"West Europe"}`, `{"location":"northeurope"}`, `location: "northeurope" → "West Europe"`},
		{"a value in another case", `{"properties":{"kind":"pooled"}}`, `{"properties":{"kind":"Pooled"}}`, ""},
		{"a text in another case", `{"properties":{"friendlyName":"a"}}`, `{"properties":{"friendlyName":"A"}}`, `properties.friendlyName: "A" → "a"`},
		{"an id in another case", `{"properties":{"path":"/Subs/A"}}`, `{"properties":{"path":"/subs/a"}}`, ""},
		{"ids in a list", `{"properties":{"references":["/A","/b"]}}`, `{"properties":{"references":["/a","/b"]}}`, ""},
		{"one id in a list", `{"properties":{"references":["/a","/c"]}}`, `{"properties":{"references":["/a","/b"]}}`, `properties.references[1]: "/b" → "/c"`},
		{"a longer list", `{"properties":{"references":["/a","/b"]}}`, `{"properties":{"references":["/a"]}}`, `properties.references: ["/a"] → ["/a","/b"]`},
		{"a time in another form", `{"properties":{"at":"2026-01-02T03:04:05Z"}}`, `{"properties":{"at":"2026-01-02T04:04:05.0000000+01:00"}}`, ""},
		{"another time", `{"properties":{"at":"2026-01-02T03:04:05Z"}}`, `{"properties":{"at":"2026-01-02T03:04:06Z"}}`, `properties.at: "2026-01-02T03:04:06Z" → "2026-01-02T03:04:05Z"`},
		{"a number in another form", `{"properties":{"limit":5.0}}`, `{"properties":{"limit":5}}`, ""},
		{"another kind of value", `{"properties":{"limit":5}}`, `{"properties":{"limit":"5"}}`, `properties.limit: "5" → 5`},
		{"defaults inside a list", `{"properties":{"schedules":[{"name":"a"}]}}`, `{"properties":{"schedules":[{"name":"a","hour":7}]}}`, ""},
		{"a member inside a list", `{"properties":{"schedules":[{"name":"a","hour":8}]}}`, `{"properties":{"schedules":[{"name":"a","hour":7}]}}`, `properties.schedules[0].hour: 7 → 8`},
		{"an object for a text", `{"properties":{"schedules":[{"name":"a"}]}}`, `{"properties":{"schedules":"x"}}`, `properties.schedules: "x" → [{"name":"a"}]`},
		{"a member that is never shown", `{"properties":{"hidden":"x"}}`, `{"properties":{}}`, "unread properties.hidden"},
		{"a secret that is not shown", `{"properties":{"password":"x"}}`, `{"properties":{}}`, "unread properties.password"},
		{"a secret that is", `{"properties":{"password":"x"}}`, `{"properties":{"password":"y"}}`, `properties.password: "(secret)" → "(secret)"`},
		{"a secret in a list", `{"properties":{"schedules":[{"name":"a","key":"x"}]}}`, `{"properties":{}}`, `properties.schedules:  → [{"key":"(secret)","name":"a"}]`},
		{"a tag", `{"tags":{"a":"1","b":"2"}}`, `{"tags":{"A":"1","c":"3"}}`, `tags.b:  → "2"`},
		{"new", `{"location":"a","tags":{"x":"1"},"properties":{"limit":5,"password":"x","ring":null,"references":[]}}`, "",
			`location:  → "a"; tags.x:  → "1"; properties.limit:  → 5; properties.password:  → "(secret)"; properties.references:  → []`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var have []byte
			if c.have != "" {
				have = []byte(c.have)
			}
			d, err := Compare([]byte(c.want), have, s)
			if err != nil || lines(d) != c.lines {
				t.Errorf("got  %s %v\nwant %s", lines(d), err, c.lines)
			}
		})
	}
	if _, err := Compare([]byte("{"), nil, s); err == nil {
		t.Error("no error for text that is no JSON")
	}
}

func TestOrder(t *testing.T) {
	step := func(text string) Step {
		var s Step
		s.Deletes = strings.HasPrefix(text, "-")
		fields := strings.Fields(strings.TrimPrefix(text, "-"))
		s.ID = fields[0]
		for _, f := range fields[1:] {
			if id, named := strings.CutPrefix(f, "="); named {
				s.Named = append(s.Named, id)
				continue
			}
			s.Names = append(s.Names, f)
		}
		return s
	}
	for _, c := range []struct{ name, steps, want string }{
		{"the order of the file", "/b, /a, /c", "/b /a /c"},
		{"parents first", "/g/p/c, /g/p, /G", "/G, /g/p, /g/p/c"},
		{"what is named first", "/app /Pool, /ws /app, /pool", "/pool, /app, /ws"},
		{"a part of what is named", "/a /p/part, /p", "/p, /a"},
		{"a name is not the beginning of another", "/a /pool2, /pool", "/a /pool"},
		{"children go first", "-/g, -/g/p, -/g/p/c", "/g/p/c, /g/p, /g"},
		{"what names goes first", "-/pool, -/app =/pool, -/ws =/app", "/ws, /app, /pool"},
		{"what names is changed first", "-/old, /app /new =/old, /new", "/new, /app, /old"},
		{"twice", "/a, /A", "error: /A is stated twice"},
		{"inside what is to be gone", "-/a, /a/b", "error: /a/b should be there and /a, of which it is a part, should be gone"},
		{"a circle", "/x, /a /b, /b /a", "error: the statements need each other: /a → /b → /a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var steps []Step
			for _, text := range strings.Split(c.steps, ", ") {
				steps = append(steps, step(text))
			}
			order, err := Order(steps)
			var waves []string
			for _, wave := range order {
				var ids []string
				for _, i := range wave {
					ids = append(ids, steps[i].ID)
				}
				waves = append(waves, strings.Join(ids, " "))
			}
			got := strings.Join(waves, ", ")
			if e := fault.As(err); e != nil {
				if got = "error: " + e.Message; e.Hint == "" {
					t.Error("no hint")
				}
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	s := schemas(t).Request
	const text = `{"id":"/self","other":"/o","properties":{"path":"/p","friendlyName":"a/b","references":["/r","x"],"who":["/w"]}}`
	if got := fmt.Sprint(References([]byte(text), s)); got != "[/p /r]" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(len(References([]byte(text), nil))); got != "5" {
		t.Errorf("without a schema %s", got)
	}
}
