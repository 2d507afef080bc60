package armsim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// okJSON answers 200 with a body that is JSON already.
func okJSON(body []byte) reply {
	return reply{status: http.StatusOK, header: map[string]string{"Content-Type": jsonType}, body: body}
}

// okValue answers 200 with a value.
func okValue(v any) reply {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	writeValue(&b, enc, v)
	return okJSON(b.Bytes())
}

// empty answers without a body.
func empty(status int) reply { return reply{status: status, header: map[string]string{}} }

// itemKey gives the key of the item that the path names.
func (c *call) itemKey() string {
	if n := len(c.target.names); n > 0 {
		return c.target.key(n)
	}
	return keyOf("/" + strings.Join(c.segments, "/"))
}

// get answers one resource.
func (c *call) get() reply {
	obj := c.seen(c.itemKey())
	if obj == nil {
		return c.missing()
	}
	return c.shown(obj, obj.raw)
}

// missing answers 404 for the item that the path names.
func (c *call) missing() reply {
	t := c.target
	switch n := len(t.names); {
	case n > 1 && strings.EqualFold(t.namespace, avd):
		return c.failAVD(http.StatusNotFound, "%s", missingText(t.types[n-1]))
	case n > 0:
		return c.notFound(n)
	case t.group != "":
		return c.groupNotFound()
	}
	return c.gateway(http.StatusNotFound, "NotFound", "No resource of Azure Resource Manager has this path.")
}

// selection says which items of a list are answered, and in what form.
type selection struct {
	items []*slot
	keep  func(*object) bool   // nil: all
	form  func(*object) []byte // nil: as stored
}

// listChildren lists the items of the route's type below the scope of the path.
func (c *call) listChildren() reply {
	t := c.target
	scope := t.scope()
	if n := len(t.names); n > 0 {
		scope = t.key(n)
	}
	return c.page(selection{items: c.items(scope, c.route.kind.key)})
}

// page answers one page of a list. A page ends at an item, not at a number, so
// that items added or removed between two pages neither repeat nor hide others.
func (c *call) page(sel selection) reply {
	keep, rep, ok := c.filtered(sel.keep)
	if !ok {
		return rep
	}
	items := sel.items
	if strings.EqualFold(c.query["isdescending"], "true") {
		items = slices.Clone(items)
		slices.Reverse(items)
	}
	from, skip, ok := c.position(items)
	if !ok {
		return c.gateway(http.StatusBadRequest, "InvalidSkipToken", "The skip token is not one that this service has given out.")
	}
	size, count := c.pageSize(), 0
	var b bytes.Buffer
	if from < len(items) {
		// Items of a kind are about as long as each other.
		b.Grow(min(size, len(items)-from)*(len(items[from].obj.raw)+32) + 512)
	}
	b.WriteString(`{"value":[`)
	for i := from; i < len(items); i++ {
		obj := items[i].obj
		if keep != nil && !keep(obj) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if count == size {
			return c.closePage(&b, items[i].seq)
		}
		if count > 0 {
			b.WriteByte(',')
		}
		b.Write(sel.encode(obj))
		count++
	}
	return c.closePage(&b, 0)
}

// encode gives an item in the form of its list.
func (s selection) encode(obj *object) []byte {
	if s.form == nil {
		return obj.raw
	}
	return s.form(obj)
}

// closePage ends the body. The last page of AVD has a null link; other services
// leave the member out.
func (c *call) closePage(b *bytes.Buffer, next uint64) reply {
	b.WriteByte(']')
	switch {
	case next > 0:
		link, err := json.Marshal(linkBase(c.req) + c.req.URL.EscapedPath() + "?" + withToken(c.req.URL.RawQuery, skipToken(next)))
		if err == nil {
			b.WriteString(`,"nextLink":`)
			b.Write(bytes.ReplaceAll(link, []byte(`\u0026`), []byte(`&`)))
		}
	case strings.EqualFold(c.target.namespace, avd):
		b.WriteString(`,"nextLink":null`)
	}
	b.WriteByte('}')
	return okJSON(b.Bytes())
}

// skipToken names the item with which the next page begins.
func skipToken(seq uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("from:" + strconv.FormatUint(seq, 10)))
}

// position gives the item with which the page begins, and how many more are
// skipped. A list in descending order is searched from its end.
func (c *call) position(items []*slot) (from, skip int, ok bool) {
	token, given := c.query["$skiptoken"]
	if !given {
		skip, err := strconv.Atoi(firstOf(c.query["initialskip"], "0"))
		return 0, max(skip, 0), err == nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	number, found := strings.CutPrefix(string(text), "from:")
	seq, wrong := strconv.ParseUint(number, 10, 64)
	if err != nil || !found || wrong != nil {
		return 0, 0, false
	}
	if len(items) > 1 && items[0].seq > items[len(items)-1].seq {
		i, _ := slices.BinarySearchFunc(items, seq, func(s *slot, seq uint64) int { return compareDown(s.seq, seq) })
		return i, 0, true
	}
	i, _ := position(items, seq)
	return i, 0, true
}

// compareDown orders by falling number.
func compareDown(a, b uint64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// The page sizes of lists whose request does not ask for a smaller one.
const (
	sessionPage  = 100
	avdPage      = 200
	standardPage = 1000
)

// pageSize gives how many items the page has at most. AVD calls the parameter
// pageSize, other services $top.
func (c *call) pageSize() int {
	size := standardPage
	switch {
	case c.sim.settings.pageSize > 0:
		size = c.sim.settings.pageSize
	case c.route.kind != nil && c.route.kind.key == sessionKind:
		size = sessionPage
	case strings.EqualFold(c.target.namespace, avd):
		size = avdPage
	}
	for _, name := range []string{"pagesize", "$top"} {
		if n, err := strconv.Atoi(c.query[name]); err == nil && n > 0 && (n < size || c.sim.settings.pageSize == 0) {
			size = min(n, standardPage)
		}
	}
	return size
}
