package rest

import (
	"net/http"
	"testing"
)

// The link with the relation next is found among others, however it is written.
func TestNextInHeader(t *testing.T) {
	for value, want := range map[string]string{
		"":                                 "",
		`<https://a/x?page=2>; rel="next"`: "https://a/x?page=2",
		`<https://a/x>; rel="self", <https://a/x?a=1,2;b>; rel="next"`:       "https://a/x?a=1,2;b",
		`<https://a/x?page=1>; rel="prev", <https://a/x?page=9>; rel="last"`: "",
		`<https://a/n>; title="rel=next"; rel=self`:                          "",
		`</x?after=3>; REL=next; type="text/html"`:                           "/x?after=3",
		`<https://a/l>; rel="last next"`:                                     "https://a/l",
		`<https://a/broken; rel="next"`:                                      "",
		`<https://a/x>; rel="nextish"`:                                       "",
	} {
		if got := nextInHeader(http.Header{"Link": {value}}, "Link"); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if got := nextInHeader(http.Header{"Link": {`<a>; rel="self"`, `<b>; rel="next"`}}, "Link"); got != "b" {
		t.Errorf("two heads: %q", got)
	}
}
