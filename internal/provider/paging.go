package provider

import (
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// PagingKind says what an answer has for the next page.
type PagingKind string

// The kinds.
const (
	PageLink   PagingKind = "link"   // a member with the URL of the next page
	PageHeader PagingKind = "header" // a header Link with the relation next
	PageToken  PagingKind = "token"  // members that go into the next request
	PageNumber PagingKind = "number" // nothing: the pages are counted
	PageOffset PagingKind = "offset" // nothing: the items are counted
)

// Paging is a way in which a listing may go on. The first of a method's ways
// that an answer speaks of is taken. All paths lead through members of the
// answer.
type Paging struct {
	Kind   PagingKind
	Header string   // PageHeader: its name
	From   []string // PageLink, PageToken: what leads on; PageNumber: the page that was read
	To     string   // the parameter that takes it
	In     Location // where that travels: InQuery, InBody, InHeader or InCursor
	Also   []Move   // further members that go with the first
	More   []string // a boolean: false, no page follows
	Pages  []string // PageNumber: how many pages there are
	Total  []string // how many items there are
	Size   []string // how many of them a page holds
	Blind  bool     // answers tell nothing: a listing ends with a page without items
}

// Move is a member of an answer that goes into the next request.
type Move struct {
	From []string
	To   string
}

// Ways gives the ways in which the lists of a method may go on, the likeliest
// first: the one that the document states, or else those of the family and of
// the services of the world, as far as the method can take them.
func (m *Method) Ways() []Paging {
	switch {
	case m.GraphQL != nil:
		return m.GraphQL.paging()
	case m.Paging == nil:
		return m.conventions()
	case m.Paging.Kind == PageHeader:
		return append([]Paging{*m.Paging}, m.links()...)
	}
	stated := *m.Paging
	if stated.Kind == PageToken {
		stated.complete(m)
	}
	return []Paging{stated}
}

// statedPaging reads config.pagination. Each of its keys counts from the
// nearest level that has it: method, resource, document, service and provider
// of provider.yaml. A key that cannot be followed is an error: the list would
// end at its first page without a word.
func (l *loader) statedPaging(n, r *openapi.Node) (p *Paging, err error) {
	levels := l.levels(n, r)
	find := func(key string) *openapi.Node { return nearest(levels, "pagination", key) }
	request, response := find("requestToken"), find("responseToken")
	if request == nil && response == nil {
		return nil, nil
	}
	p = &Paging{Kind: PageToken, To: request.At("key").Text(), In: tokenLocation(request.At("location").Text())}
	from := response.At("key").Text()
	algorithm := find("algorithm").Text()
	switch {
	case response.At("location").Text() == "header":
		p.Kind, p.Header, p.To, p.In = PageHeader, from, "", ""
		return p, nil
	case request.At("location").Text() == "request" || algorithm == "odata_next_link":
		p.Kind, p.To, p.In = PageLink, "", ""
	case algorithm == "page_number":
		p.Kind = PageNumber
		end := find("responseTerminator").At("key")
		if p.Pages, err = followed(n, end.Text()); err != nil {
			return nil, err
		}
	}
	if from == "" && p.Kind == PageLink {
		from = "['@odata.nextLink']"
	}
	p.From, err = followed(n, from)
	return p, err
}

// followed reads the path of a member that leads to further pages.
func followed(n *openapi.Node, text string) ([]string, error) {
	path, ok := memberPath(text)
	if !ok {
		return nil, n.Invalid("the key %q of the pagination names a single element or a condition, which is not supported", text)
	}
	return path, nil
}

// tokenLocation reads where a token goes.
func tokenLocation(text string) Location {
	switch text {
	case "body":
		return InBody
	case "header":
		return InHeader
	}
	return InQuery
}

// complete adds what the document does not say of a token: a flag that tells
// the end, where the answer has one. Without it the last page would be asked
// for twice, since some services give a token with every page.
func (p *Paging) complete(m *Method) {
	for _, name := range moreFlags {
		if len(p.More) == 0 && m.Response.Envelope.Member(name) != nil {
			p.More = []string{name}
		}
	}
}

// moreFlags are members that say whether rows follow.
var moreFlags = []string{
	"has_more", "hasMore", "more", "IsTruncated", "isTruncated", "is_truncated", "Truncated", "truncated",
	"has_next_page", "hasNextPage", "HasMoreStacks", "HasMoreItems",
}

// TokenPaths gives the paths of members that can be nothing else than the token
// of a next page.
func TokenPaths() [][]string {
	var paths [][]string
	for _, t := range tokens {
		name := strings.ToLower(t.from[len(t.from)-1])
		if strings.HasSuffix(name, "token") || strings.Contains(name, "next") && name != "next" && name != "next_page" {
			paths = append(paths, t.from)
		}
	}
	return paths
}

// MoreFlags gives the paths of members by which answers tell whether rows
// follow.
func MoreFlags() [][]string {
	paths := [][]string{{"pagination", "hasNext"}}
	for _, name := range moreFlags {
		paths = append(paths, []string{name})
	}
	return paths
}

// link is a convention of a member with a URL.
func link(path ...string) Paging { return Paging{Kind: PageLink, From: path} }

// links gives the members that hold a URL by the document's or the family's
// word, or by custom.
func (m *Method) links() []Paging {
	var ways []Paging
	if m.NextLink != "" {
		ways = append(ways, link(strings.Split(m.NextLink, ".")...), link(m.NextLink))
	}
	return append(ways, link("nextLink"), link("@odata.nextLink"), link("odata.nextLink"),
		link("links", "pages", "next"), link("links", "next"), link("_links", "next", "href"), link("_links", "next"),
		link("metadata", "next"), link("paging", "next"), link("pagination", "next"), link("next"))
}

// tokens are the conventions of tokens: where answers have one, and the
// parameters that may take it, the likeliest first.
var tokens = []struct {
	from []string
	to   []string
}{
	{[]string{"nextPageToken"}, []string{"pageToken", "page_token", "nextPageToken"}},
	{[]string{"next_page_token"}, []string{"page_token", "pageToken", "next_page_token"}},
	{[]string{"NextPageToken"}, []string{"PageToken", "NextPageToken", "pageToken"}},
	{[]string{"nextToken"}, []string{"nextToken", "NextToken", "next-token", "next_token", "startingToken", "NextPageToken"}},
	{[]string{"NextToken"}, []string{"NextToken", "nextToken", "next-token", "next_token"}},
	{[]string{"next_token"}, []string{"next_token", "nextToken"}},
	{[]string{"PaginationToken"}, []string{"PaginationToken"}},
	{[]string{"NextContinuationToken"}, []string{"continuation-token", "ContinuationToken"}},
	{[]string{"NextMarker"}, []string{"Marker", "marker", "NextMarker"}},
	{[]string{"nextMarker"}, []string{"marker", "nextMarker", "Marker"}},
	{[]string{"next_marker"}, []string{"marker", "next_marker"}},
	{[]string{"LastEvaluatedKey"}, []string{"ExclusiveStartKey"}},
	{[]string{"LastEvaluatedTableName"}, []string{"ExclusiveStartTableName"}},
	{[]string{"continuationToken"}, []string{"continuationToken"}},
	{[]string{"skipToken"}, []string{"skipToken", "$skipToken"}},
	{[]string{"$skipToken"}, []string{"$skipToken"}},
	{[]string{"metadata", "continue"}, []string{"continue"}},
	{[]string{"next_cursor"}, []string{"cursor", "next_cursor"}},
	{[]string{"nextCursor"}, []string{"cursor", "nextCursor"}},
	{[]string{"cursor"}, []string{"cursor"}},
	{[]string{"response_metadata", "next_cursor"}, []string{"cursor"}},
	{[]string{"result_info", "next_page_token"}, []string{"page_token"}},
	{[]string{"result_info", "cursors", "after"}, []string{"cursor"}},
	{[]string{"result_info", "cursor"}, []string{"cursor"}},
	{[]string{"result", "cursor"}, []string{"cursor"}},
	{[]string{"result", "pagination", "nextCursor"}, []string{"cursor"}},
	{[]string{"data", "nextCursor"}, []string{"cursor"}},
	{[]string{"data", "next_cursor"}, []string{"cursor"}},
	{[]string{"meta", "page", "after"}, []string{"page[cursor]"}},
	{[]string{"meta", "pagination", "next_cursor"}, []string{"page[cursor]"}},
	{[]string{"meta", "pagination", "next_offset"}, []string{"page[offset]"}},
	{[]string{"meta", "pagination", "next_record_id"}, []string{"next_record_id"}},
	{[]string{"next_page"}, []string{"page", "next_page"}},
	{[]string{"last_id"}, []string{"after_id", "after"}},
	{[]string{"next"}, []string{"token", "cursor", "next"}},
	{[]string{"pagination", "next"}, []string{"until"}},
	{[]string{"Marker"}, []string{"Marker", "marker"}},
	{[]string{"marker"}, []string{"marker"}},
}

// conventions gives the ways of a method whose document is silent.
func (m *Method) conventions() []Paging {
	var ways []Paging
	if f := m.Resource.Family; f == Generic || f == ARM {
		ways = m.links()
	}
	for _, t := range tokens {
		if way, ok := m.token(t.from, t.to); ok {
			ways = append(ways, way)
		}
	}
	ways = append(ways, m.parted()...)
	ways = append(ways, Paging{Kind: PageHeader, Header: "Link"})
	if m.Resource.Family == Generic || m.Resource.Family == AWS {
		ways = append(ways, m.counted()...)
	}
	return ways
}

// token makes the way of a token that one of the method's parameters takes. The
// families whose documents leave the parameter out have it nevertheless.
func (m *Method) token(from, to []string) (Paging, bool) {
	way := Paging{Kind: PageToken, From: from}
	switch first := from[0]; {
	case first == "nextPageToken" && m.Resource.Family == Google, first == "metadata" && m.Resource.Family == K8s:
		way.To, way.In = to[0], InQuery
	}
	for _, name := range to {
		if in, ok := m.takes(name); ok {
			way.To, way.In = name, in
			break
		}
	}
	way.complete(m)
	// A last id stands on every page, and only a flag tells the end.
	return way, way.To != "" && (from[0] != "last_id" || len(way.More) > 0)
}

// takes tells whether the method has a place for a value besides the path.
func (m *Method) takes(name string) (Location, bool) {
	if p, ok := m.Parameter(name); ok && p.In != InPath && p.In != InServer {
		return p.In, true
	}
	if m.Body != nil && m.Body.Schema.Member(name) != nil {
		return InBody, true
	}
	return "", false
}

// parted gives the ways of tokens that have several parts: S3's versions and
// uploads, the record sets of Route 53.
func (m *Method) parted() []Paging {
	var ways []Paging
	for _, t := range []struct {
		from, to string
		also     []Move
	}{
		{"NextKeyMarker", "key-marker", []Move{
			{[]string{"NextUploadIdMarker"}, "upload-id-marker"}, {[]string{"NextVersionIdMarker"}, "version-id-marker"},
		}},
		{"NextRecordName", "name", []Move{
			{[]string{"NextRecordType"}, "type"}, {[]string{"NextRecordIdentifier"}, "identifier"},
		}},
	} {
		in, ok := m.takes(t.to)
		if !ok {
			continue
		}
		way := Paging{Kind: PageToken, From: []string{t.from}, To: t.to, In: in}
		for _, also := range t.also {
			if _, ok := m.takes(also.To); ok {
				way.Also = append(way.Also, also)
			}
		}
		way.complete(m)
		ways = append(ways, way)
	}
	return ways
}

// counted gives the ways of lists whose pages or items are counted.
func (m *Method) counted() []Paging {
	var ways []Paging
	for _, name := range []string{"page", "pageNumber", "page_number", "page[number]"} {
		p, ok := m.Parameter(name)
		if !ok || p.In != InQuery || p.Schema.Type == "string" && p.Schema.Format != "" {
			continue
		}
		for _, path := range [][]string{
			{"result_info", "total_pages"}, {"pages"}, {"total_pages"}, {"totalPages"}, {"meta", "pages"},
			{"meta", "total_pages"}, {"pagination", "total_pages"}, {"pagination", "totalPages"},
		} {
			ways = append(ways, Paging{Kind: PageNumber, To: name, In: InQuery, Pages: path})
		}
		ways = append(ways,
			Paging{Kind: PageNumber, To: name, In: InQuery, Total: []string{"result_info", "total_count"}, Size: []string{"result_info", "per_page"}},
			Paging{Kind: PageNumber, To: name, In: InQuery, Total: []string{"meta", "total"}},
			Paging{Kind: PageNumber, To: name, In: InQuery, Blind: true})
		return ways
	}
	if m.Response.Envelope.Member("result_info").Member("total_pages") != nil {
		return append(ways, Paging{Kind: PageNumber, To: "page", In: InQuery, Pages: []string{"result_info", "total_pages"}})
	}
	for _, name := range []string{"offset", "page[offset]"} {
		if in, ok := m.takes(name); ok {
			return append(ways,
				Paging{Kind: PageOffset, To: name, In: in, More: []string{"more"}},
				Paging{Kind: PageOffset, To: name, In: in, Total: []string{"total"}},
				Paging{Kind: PageOffset, To: name, In: in, Blind: true})
		}
	}
	for _, name := range []string{"startIndex", "start_index"} {
		if in, ok := m.takes(name); ok && m.Response.Envelope.Member("totalResults") != nil {
			return append(ways, Paging{Kind: PageOffset, To: name, In: in, Total: []string{"totalResults"}})
		}
	}
	return ways
}
