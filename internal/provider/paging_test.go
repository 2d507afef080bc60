package provider

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

// Paths of the published documents' objectKeys and tokens, and of old ones.
func TestMemberPath(t *testing.T) {
	for text, want := range map[string][]string{
		"$.a.b": {"a", "b"}, "NextToken": {"NextToken"}, "$": nil, "": nil, "$.a[*].b": {"a", Every, "b"}, "$[*]": {Every},
		"$.@odata.nextLink": {"@odata.nextLink"}, "$['@odata.nextLink'].x": {"@odata.nextLink", "x"}, "@odata.nextLink": {"@odata.nextLink"},
		"/DescribeVolumesResponse/volumeSet/item": {"volumeSet", "item"}, "/Root": {}, "$.links.pages.next": {"links", "pages", "next"},
	} {
		if got, ok := memberPath(text); !ok || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q %v, want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{"$.a[0]", "$.a[?(@.b)]", "$..a", "$.a[", "/a/b[1]", "/a/@b"} {
		if got, ok := memberPath(text); ok {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// Each key of config.pagination counts from the nearest level that has it.
func TestPaging_precedence(t *testing.T) {
	const tokens = "{requestToken: {key: token, location: body}, responseToken: {key: $.next, location: body}}"
	for _, c := range []struct{ name, method, resource, document, service, provider, want string }{
		{name: "nothing", want: "none"},
		{name: "document", document: tokens, want: "token next -> body token"},
		{name: "method", method: "{responseToken: {key: $.own, location: body}}", document: tokens, want: "token own -> body token"},
		{name: "resource", resource: "{requestToken: {key: t, location: query}}", document: tokens, want: "token next -> query t"},
		{name: "service", service: tokens, provider: "{responseToken: {key: $.other}}", want: "token next -> body token"},
		{
			name: "provider", document: tokens, provider: "{algorithm: page_number, responseTerminator: {key: $.meta.pages}}",
			want: "number next -> body token of meta.pages",
		},
		{name: "odata", method: "{algorithm: odata_next_link, responseToken: {location: body}}", want: "link @odata.nextLink -> "},
		{name: "url", method: "{requestToken: {key: '', location: request}, responseToken: {key: $.links.next, location: body}}", want: "link links.next -> "},
		{name: "header", method: "{requestToken: {location: request}, responseToken: {key: Link, location: header}}", want: "header  -> Link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Open(fstest.MapFS{
				"p/v1/provider.yaml": {Data: []byte("name: p\nconfig: {pagination: " + c.provider +
					"}\nproviderServices:\n  s: {service: {$ref: p/v1/s.yaml}, config: {pagination: " + c.service + "}}\n")},
				"p/v1/s.yaml": {Data: []byte("servers: [{url: 'https://a'}]\npaths: {/x: {get: {}}}\nx-stackQL-config: {pagination: " + c.document +
					"}\ncomponents:\n  x-stackQL-resources:\n    r: {config: {pagination: " + c.resource +
					"}, methods: {m: {operation: {$ref: '#/paths/~1x/get'}, config: {pagination: " + c.method + "}}}}\n")},
			}, "p")
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.Service("s")
			if err != nil {
				t.Fatal(err)
			}
			r, _ := s.Resource("r")
			got := "none"
			if w := r.Methods[0].Paging; w != nil {
				got = fmt.Sprintf("%s %s -> %s %s", w.Kind, strings.Join(w.From, "."), w.In, w.To+w.Header)
				if len(w.Pages) > 0 {
					got += " of " + strings.Join(w.Pages, ".")
				}
			}
			if strings.TrimSpace(got) != strings.TrimSpace(c.want) && strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(c.want), " ") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
