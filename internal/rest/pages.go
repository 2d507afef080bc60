package rest

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// Page is a page of an answer. Its items stay valid for ever; they share the
// page's memory, so one item kept keeps the page.
type Page struct {
	Items     [][]byte // raw JSON of each item as the service sent it, without blanks around
	Bytes     int      // size of the page
	Number    int      // from 1
	Last      bool     // no page follows
	RequestID string
	Attempts  int
	Waited    time.Duration
	Duration  time.Duration
}

// Pages makes a reading call and gives its pages in the service's order, each
// as soon as it is read. The next page is asked for when the reader wants it: a
// reader that stops ends the calls. A pair has a page or an error, a
// *fault.Error, after which the sequence ends; it never ends early without one.
func (c *Client) Pages(ctx context.Context, call provider.Call) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		request, err := c.Request(call)
		if err != nil {
			yield(Page{}, err)
			return
		}
		w := walk{
			client: c, method: call.Method, call: call, course: c.course(call.Method),
			request: request, first: request.URL, seen: map[string]bool{},
		}
		for !w.done {
			page, err := w.step(ctx)
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// course gives the course of a method, made once: many calls of one method are
// made side by side, and all of them only read it.
func (c *Client) course(m *provider.Method) *course {
	if known, ok := c.courses.Load(m); ok {
		return known.(*course)
	}
	made, _ := c.courses.LoadOrStore(m, courseOf(m))
	return made.(*course)
}

// walk is the way through the pages of one call.
type walk struct {
	client  *Client
	method  *provider.Method
	call    provider.Call
	course  *course
	request transport.Request // of the next page
	first   string            // URL of the first
	put     []placed          // what was put into the request of this page
	number  int
	items   int64           // of the pages before this one
	seen    map[string]bool // requests that were sent
	last    []byte          // the answer before this one, where pages are counted
	done    bool
}

// step reads a page and prepares the request of the next.
func (w *walk) step(ctx context.Context) (Page, error) {
	if w.number >= w.client.options.MaxPages {
		return Page{}, w.tooMany()
	}
	w.seen[requestKey(w.request)] = true
	response, err := w.client.send(ctx, w.method, w.request)
	if err != nil {
		return Page{}, err
	}
	reply, err := w.course.read(response)
	if err == nil {
		err = reply.asList(w.course.layout)
	}
	if err == nil && response.Status == http.StatusOK && len(bytes.TrimSpace(response.Body)) == 0 {
		err = errEmpty
	}
	if err != nil {
		return Page{}, unreadable(w.method, w.request, response, err)
	}
	w.number++
	next, err := w.course.next(w, &reply, response)
	if fault.As(err) == nil && err != nil {
		err = unreadable(w.method, w.request, response, err)
	}
	w.last = response.Body
	w.items += int64(len(reply.items))
	page := Page{
		Items: reply.items, Bytes: len(response.Body), Number: w.number, Last: next.end(),
		RequestID: response.RequestID, Attempts: response.Attempts, Waited: response.Waited, Duration: response.Duration,
	}
	w.done = page.Last
	if err == nil && !page.Last {
		err = w.follow(next, response)
	}
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

// requestKey tells requests apart.
func requestKey(r transport.Request) string { return r.Method + " " + r.URL + "\x00" + string(r.Body) }

// exhausted tells whether a listing whose answers do not tell of their end is
// at it: the page is empty, or the same as the one before, from a service that
// does not count pages after all.
func (w *walk) exhausted(r *reply) bool {
	return len(r.items) == 0 || w.last != nil && bytes.Equal(w.last, r.body)
}

// argument gives the number that a parameter had in the request of this page.
func (w *walk) argument(name string, otherwise int64) int64 {
	text, given := argument(w.call, name)
	for _, p := range w.put {
		if p.name == name {
			text, given = p.value, true
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); given && err == nil {
		return n
	}
	return otherwise
}

// asList puts the items of an answer in place: the whole object where that is
// the item. A list without its member is no empty list.
func (r *reply) asList(l *layout) error {
	switch {
	case r.found || r.whole == nil:
		return nil
	case r.whole[0] != '{':
		return errScalar
	case len(l.path) == 0:
		r.items = [][]byte{r.whole}
		return nil
	case l.loose:
		return nil
	}
	return missingMember(strings.Join(l.path, "."))
}

// follow prepares the request of the next page.
func (w *walk) follow(next step, response *transport.Response) error {
	var err error
	if next.link != "" {
		err = w.open(next.link, response)
	} else {
		w.put = next.put
		w.request, err = w.client.request(w.call, next.put)
	}
	if err == nil && w.seen[requestKey(w.request)] {
		return w.broken(response, "the link to the next page leads back to a page that was read already").
			WithHint("the service would be read for ever; the rows so far are not all of them")
	}
	return err
}

// open takes a link for the next request as it is: it holds the version and the
// filter already. Lists that begin with a POST go on with a GET.
func (w *walk) open(link string, response *transport.Response) error {
	next, err := resolve(link, response.URL)
	if err != nil {
		return w.broken(response, "the link to the next page cannot be read").Because(err).WithHint(linkHint)
	}
	base, err := url.Parse(w.first)
	if err != nil {
		return w.broken(response, "the link to the next page cannot be read").Because(err).WithHint(linkHint)
	}
	if next.User != nil {
		return w.broken(response, "the link to the next page names a user, as no service's link does").WithHint(linkHint)
	}
	if transport.Origin(next) != transport.Origin(base) {
		return w.broken(response, "the link to the next page leads from %s to another host, %s", base.Host, next.Host).
			WithHint("a credential is not carried to another host; " +
				"if the service was called through --endpoint, it has to write its own address into links")
	}
	w.request.URL = next.String()
	w.request.Header = w.request.Header.Clone()
	if w.request.Header.Get(clientRequestID) != "" { // an id is for one request
		w.request.Header.Set(clientRequestID, w.client.options.RequestID())
	}
	if w.request.Method != http.MethodGet {
		w.request.Method, w.request.Body = http.MethodGet, nil
		w.request.Header.Del("Content-Type")
	}
	return nil
}

// errNoText is the error of a member that holds no link.
func errNoText(name string) error { return fmt.Errorf("the member %q is not a text", name) }

// stuck makes the fault of an answer that says that more rows follow, where the
// document does not say how to ask for them.
func (w *walk) stuck(response *transport.Response) *fault.Error {
	return w.broken(response, "the service says that more rows follow, and the document does not say how to ask for them").
		WithHint("the rows so far are not all of them; name config.pagination in the provider document")
}

// linkHint is the advice for a link that is no address.
const linkHint = "the rows so far are not all of them; --log-http FILE keeps the answer for the service's support"

// resolve makes a link absolute. What may stand in no URL is escaped, since
// some services write blanks and quotes into links.
func resolve(link, base string) (*url.URL, error) {
	from, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	to, err := from.Parse(escapeIllegal(link))
	if err != nil {
		return nil, err
	}
	to.Fragment, to.RawFragment = "", ""
	return to, nil
}

// broken makes the fault of a page whose link leads nowhere good.
func (w *walk) broken(response *transport.Response, format string, args ...any) *fault.Error {
	f := fault.New(fault.ReplyInvalid, format, args...).On(w.method.FullName())
	f.HTTP = httpOf(w.request, response)
	return f.WithDetail("page %d", w.number)
}

// tooMany makes the fault of a listing without an end in sight. The pages that
// were read are not all of it, so it is no result.
func (w *walk) tooMany() *fault.Error {
	return fault.New(fault.LimitReached, "the listing has more than %d pages", w.client.options.MaxPages).
		WithHint("narrow the statement, or allow more with --max-pages").On(w.method.FullName())
}
