package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// placed is a value that goes into the request of a further page.
type placed struct {
	name  string
	in    provider.Location
	value string // as text; of InBody: JSON
}

// step is what an answer says of the next page: a link to it, or what is put
// into the request. The zero step is the end.
type step struct {
	link string
	put  []placed
}

// end tells whether no page follows.
func (s step) end() bool { return s.link == "" && len(s.put) == 0 }

// way is a way in which a listing may go on, with the marks of its members.
type way struct {
	provider.Paging
	stated                         bool
	from, more, pages, total, size int
	also                           []int
}

// course knows how the listing of a method goes on.
type course struct {
	method *provider.Method
	layout *layout // with the marks of the ways
	ways   []way
	flags  []int // marks of members that say whether rows follow
	tokens []int // marks of members that are tokens whatever the document says
}

// courseOf prepares the reading of a method's answers.
func courseOf(m *provider.Method) *course {
	c := &course{method: m, layout: layoutOf(m)}
	stated := m.Paging != nil || m.GraphQL != nil
	if !m.Response.List && !stated && m.Resource.Family != provider.ARM {
		return c
	}
	for i, p := range m.Ways() {
		w := way{
			Paging: p, stated: stated && i == 0, from: c.layout.mark(p.From), more: c.layout.mark(p.More),
			pages: c.layout.mark(p.Pages), total: c.layout.mark(p.Total), size: c.layout.mark(p.Size),
		}
		if m.Resource.Family == provider.ARM && p.Kind == provider.PageLink {
			w.stated = w.stated || isNextLink(m, p.From)
		}
		for _, move := range p.Also {
			w.also = append(w.also, c.layout.mark(move.From))
		}
		c.ways = append(c.ways, w)
	}
	if !stated && m.Response.List {
		for _, path := range provider.MoreFlags() {
			c.flags = append(c.flags, c.layout.mark(path))
		}
		for _, path := range provider.TokenPaths() {
			c.tokens = append(c.tokens, c.layout.mark(path))
		}
	}
	return c
}

// isNextLink tells whether a member holds links to the next page by the rules
// of Azure or the word of the document.
func isNextLink(m *provider.Method, path []string) bool {
	name := strings.Join(path, ".")
	return name == m.NextLink || name == "nextLink" || name == "@odata.nextLink"
}

// next finds what follows after a page. An answer that says that more rows
// follow, and not how to get them, is an error: the list would seem whole.
func (c *course) next(w *walk, reply *reply, response *transport.Response) (step, error) {
	for i := range c.ways {
		s, spoken, err := c.try(&c.ways[i], w, reply, response)
		if err != nil || spoken {
			return s, err
		}
	}
	for _, flag := range c.flags {
		if isTrue(reply.value(flag)) {
			return step{}, w.stuck(response)
		}
	}
	for _, token := range c.tokens {
		if text, ok := scalar(reply.value(token)); ok && text != "" && len(reply.items) > 0 {
			return step{}, w.stuck(response)
		}
	}
	return step{}, nil
}

// try asks one way. spoken tells whether the answer spoke of it.
func (c *course) try(way *way, w *walk, reply *reply, response *transport.Response) (s step, spoken bool, err error) {
	if more := reply.value(way.more); more != nil && !isTrue(more) {
		return step{}, true, nil
	}
	switch way.Kind {
	case provider.PageLink:
		return c.byLink(way, reply)
	case provider.PageHeader:
		link := nextInHeader(response.Header, way.Header)
		return step{link: link}, link != "" || way.stated, nil
	case provider.PageToken:
		return c.byToken(way, reply)
	case provider.PageNumber:
		return c.byNumber(way, w, reply)
	case provider.PageOffset:
		return c.byOffset(way, w, reply)
	}
	return step{}, false, nil
}

// byLink reads a link. A member that holds something else is only wrong where
// it is known to be a link's.
func (c *course) byLink(way *way, reply *reply) (step, bool, error) {
	raw := reply.value(way.from)
	text, ok := textOf(raw)
	text = strings.TrimSpace(text)
	switch {
	case raw == nil:
		return step{}, false, nil
	case way.stated && !ok && string(raw) != "null":
		return step{}, false, errNoText(strings.Join(way.From, "."))
	case !way.stated && !isAddress(text):
		return step{}, false, nil
	}
	return step{link: text}, text != "", nil
}

// isAddress tells whether a text can be meant as an address.
func isAddress(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") ||
		strings.HasPrefix(text, "/") || strings.HasPrefix(text, "?")
}

// byToken reads a token and what goes with it.
func (c *course) byToken(way *way, reply *reply) (step, bool, error) {
	put, ok := putting(way.To, way.In, reply.value(way.from))
	if !ok {
		return step{}, false, nil
	}
	s := step{put: []placed{put}}
	for i, mark := range way.also {
		if also, ok := putting(way.Also[i].To, way.In, reply.value(mark)); ok {
			s.put = append(s.put, also)
		}
	}
	return s, true, nil
}

// putting makes what is put into a request of a value of an answer. Null, an
// empty text and an empty list end a listing like the member's absence.
func putting(name string, in provider.Location, raw []byte) (placed, bool) {
	if len(raw) > 1 && raw[0] == '[' { // a JSONPath that found one value
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
			return placed{}, false
		}
		raw = list[0]
	}
	text, ok := scalar(raw)
	if in == provider.InBody {
		ok = ok && text != "" || len(raw) > 2 && raw[0] == '{'
		return placed{name, in, string(raw)}, ok
	}
	return placed{name, in, text}, ok && text != ""
}

// byNumber counts pages.
func (c *course) byNumber(way *way, w *walk, reply *reply) (step, bool, error) {
	page, known := number(reply.value(way.from))
	if !known {
		page = w.argument(way.To, 1)
	}
	next := step{put: []placed{{way.To, way.In, strconv.FormatInt(page+1, 10)}}}
	pages, counted := number(reply.value(way.pages))
	total, totalled := number(reply.value(way.total))
	if size, ok := number(reply.value(way.size)); ok && size > 0 && totalled && !counted {
		pages, counted = (total+size-1)/size, true
	}
	switch {
	case counted && page >= pages, way.Blind && w.exhausted(reply):
		return step{}, true, nil
	case totalled && !counted && (len(reply.items) == 0 || w.items+int64(len(reply.items)) >= total):
		return step{}, true, nil
	case counted || totalled || way.Blind:
		return next, true, nil
	}
	return step{}, false, nil
}

// byOffset counts items.
func (c *course) byOffset(way *way, w *walk, reply *reply) (step, bool, error) {
	first := int64(0)
	if strings.EqualFold(strings.ReplaceAll(way.To, "_", ""), "startIndex") {
		first = 1 // SCIM counts from one (RFC 7644, 3.4.2.4)
	}
	at := w.argument(way.To, first) + int64(len(reply.items))
	next := step{put: []placed{{way.To, way.In, strconv.FormatInt(at, 10)}}}
	total, counted := number(reply.value(way.total))
	switch {
	case len(reply.items) == 0, way.Blind && w.exhausted(reply), counted && at-first >= total:
		return step{}, counted || way.Blind || isTrue(reply.value(way.more)), nil
	case counted || way.Blind || isTrue(reply.value(way.more)):
		return next, true, nil
	}
	return step{}, false, nil
}

// relation finds the relation next among the parameters of a link.
var relation = regexp.MustCompile(`(?i);\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next\b)`)

// nextInHeader gives the target of the link with the relation next (RFC 8288),
// by which GitHub and Okta go on.
func nextInHeader(header http.Header, name string) string {
	for _, rest := range header.Values(name) {
		for {
			_, after, ok := strings.Cut(rest, "<")
			target, behind, closed := strings.Cut(after, ">")
			if !ok || !closed {
				break
			}
			parameters, _, _ := strings.Cut(behind, "<")
			if relation.MatchString(parameters) {
				return target
			}
			rest = behind
		}
	}
	return ""
}

// textOf gives a raw JSON text without its quotes.
func textOf(raw []byte) (string, bool) {
	var text string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, true
}

// scalar gives a raw JSON value as text, numbers as written.
func scalar(raw []byte) (string, bool) {
	if text, ok := textOf(raw); ok {
		return text, true
	}
	ok := len(raw) > 0 && !bytes.Equal(raw, []byte("null")) && raw[0] != '{' && raw[0] != '['
	return string(raw), ok
}

// number gives a raw JSON value as a whole number; some services write it as a
// text.
func number(raw []byte) (int64, bool) {
	text, ok := scalar(raw)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// isTrue tells whether a raw JSON value is true; XML has it as a text.
func isTrue(raw []byte) bool {
	text, ok := scalar(raw)
	return ok && strings.EqualFold(text, "true")
}
