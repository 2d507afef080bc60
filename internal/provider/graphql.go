package provider

import "github.com/planeql/planeql/internal/openapi"

// GraphQL is an operation that is a query of that language.
type GraphQL struct {
	URL      string
	Query    string // a Go template over the arguments and .cursor
	Strategy string // how a cursor is written into the query
	Format   string // of a cursor, for the strategy keyset
	Size     string // items a page, for the strategy offset
	Cursor   []string
	More     []string
}

// graphQL reads x-stackQL-graphQL; nil where the operation has none.
func graphQL(n *openapi.Node) (g *GraphQL, err error) {
	if n.Missing() {
		return nil, nil
	}
	cursor := n.At("cursor")
	g = &GraphQL{
		URL: n.At("url").Text(), Query: n.At("query").Text(), Strategy: cursor.At("strategy").Text(),
		Format: cursor.At("format").Text(), Size: cursor.At("pageSize").Text(),
	}
	if g.Cursor, err = followed(n, cursor.At("jsonPath").Text()); err != nil {
		return nil, err
	}
	g.More, err = followed(n, cursor.At("terminateOnJsonPath").Text())
	return g, err
}

// cursorName is what templates call the place of the cursor.
const cursorName = "cursor"

// paging gives the way in which the query goes on.
func (g *GraphQL) paging() []Paging {
	if g.Strategy == "offset" {
		return []Paging{{Kind: PageOffset, To: cursorName, In: InCursor, Blind: true}}
	}
	if len(g.Cursor) == 0 {
		return nil
	}
	return []Paging{{Kind: PageToken, From: g.Cursor, To: cursorName, In: InCursor, More: g.More}}
}
