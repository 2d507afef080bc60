package rest

import (
	"bytes"
	"context"
	"iter"
	"net/http"
	"net/url"
	"regexp"
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
		w := walk{client: c, method: call.Method, request: request, first: request.URL, seen: map[string]bool{}}
		for !w.done {
			page, err := w.step(ctx)
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// walk is the way through the pages of one call.
type walk struct {
	client  *Client
	method  *provider.Method
	request transport.Request // of the next page
	first   string            // URL of the first
	number  int
	seen    map[string]bool // URLs that were read by GET
	done    bool
}

// step reads a page and prepares the request of the next.
func (w *walk) step(ctx context.Context) (Page, error) {
	if w.number >= w.client.options.MaxPages {
		return Page{}, w.tooMany()
	}
	if w.request.Method == http.MethodGet {
		w.seen[w.request.URL] = true
	}
	response, err := w.client.send(ctx, w.method, w.request)
	if err != nil {
		return Page{}, err
	}
	l := layoutOf(w.method)
	reply, err := split(response.Body, l)
	if err == nil {
		err = reply.asList(l)
	}
	if err == nil && response.Status == http.StatusOK && len(bytes.TrimSpace(response.Body)) == 0 {
		err = errEmpty
	}
	if err != nil {
		return Page{}, unreadable(w.method, w.request, response, err)
	}
	w.number++
	next := w.nextOf(reply, response)
	page := Page{
		Items: reply.items, Bytes: len(response.Body), Number: w.number, Last: next == "",
		RequestID: response.RequestID, Attempts: response.Attempts, Waited: response.Waited, Duration: response.Duration,
	}
	w.done = page.Last
	if !page.Last {
		err = w.follow(next, response)
	}
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

// asList puts the items of an answer in place: the whole object where that is
// the item. A list without its member is no empty list.
func (r *reply) asList(l layout) error {
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

// nextOf gives the link to the next page, or nothing: that of the answer's body,
// else that of its head.
func (w *walk) nextOf(reply reply, response *transport.Response) string {
	if reply.next != "" {
		return w.linkOf(reply.next)
	}
	if !w.method.Response.List {
		return ""
	}
	return nextInHeader(response.Header)
}

// relation finds the relation next among the parameters of a link.
var relation = regexp.MustCompile(`(?i);\s*rel\s*=\s*("([^"]*\s)?next(\s[^"]*)?"|next\b)`)

// nextInHeader gives the target of the link with the relation next (RFC 8288),
// by which GitHub and Okta go on.
func nextInHeader(header http.Header) string {
	for _, rest := range header.Values("Link") {
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

// linkOf gives the link to the next page of a list that goes on by a token: the
// same request with the token in it.
func (w *walk) linkOf(next string) string {
	if !pagesByToken(w.method) {
		return next
	}
	u, err := url.Parse(w.first)
	if err != nil {
		return next
	}
	query := u.Query()
	query.Set(pageToken, next)
	u.RawQuery = query.Encode()
	return u.String()
}

// follow prepares the request of the page behind a link. The link is taken as
// it is: it holds the version and the filter already. Lists that begin with a
// POST go on with a GET.
func (w *walk) follow(link string, response *transport.Response) error {
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
	if w.seen[next.String()] {
		return w.broken(response, "the link to the next page leads back to a page that was read already").
			WithHint("the service would be read for ever; the rows so far are not all of them")
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
