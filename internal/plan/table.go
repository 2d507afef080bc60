package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// returningTable is the name under which the rows of a write's answer are
// read by its RETURNING.
const returningTable = "planeql_returning"

// table reads a table name: a common table expression, a table of the session,
// a resource, or something that DuckDB knows.
func (b *builder) table(n syntax.Node, blk *block) error {
	parts := tableParts(n)
	offset, _ := n.Offset()
	name, ok := syntax.NameAt(b.text.Text, offset, len(parts))
	if !ok {
		blk.has(nil)
		blk.items = append(blk.items, &item{block: blk, alias: n.Text("alias"), node: n, local: true})
		return nil
	}
	resource, err := b.resource(parts, blk.frame)
	if err != nil {
		return fault.From(err).At(b.span(name.Start, name.End))
	}
	if resource == nil {
		b.otherTable(n, parts, blk)
		return nil
	}
	if len(n.Texts("column_name_alias")) > 0 {
		return fault.Unsupported("renaming the columns of a resource in FROM").At(b.span(name.Start, name.End)).
			WithHint("give the names by AS in the select list")
	}
	r := &relation{block: blk, resource: resource, alias: n.Text("alias"), span: b.span(name.Start, name.End)}
	r.columns = catalog.Columns(firstOf(resource))
	r.scan = &Scan{start: name.Start, end: name.End, Spool: blk.frame.repeats, Gentle: blk.frame.limited}
	if r.alias == "" {
		r.alias = parts[len(parts)-1]
		r.scan.alias = r.alias
	}
	r.scan.Name = r.alias
	switch before, _ := wordBefore(b.text.Text, name.Start); { // they take a name, or a query without an alias
	case before.Is("TABLE"):
		b.edits = append(b.edits, syntax.Edit{Start: before.Start, End: before.End, Text: "FROM"})
	case before.Is("SUMMARIZE"):
		b.edits = append(b.edits, syntax.Edit{Start: before.Start, End: before.End, Text: "SUMMARIZE FROM"})
	}
	r.item = &item{block: blk, alias: r.alias, relation: r}
	blk.items = append(blk.items, r.item)
	blk.relations = append(blk.relations, r)
	b.relations = append(b.relations, r)
	return nil
}

// otherTable notes a table that is no resource: a common table expression, or
// one that DuckDB knows.
func (b *builder) otherTable(n syntax.Node, parts []string, blk *block) {
	columns := n.Texts("column_name_alias")
	it := &item{block: blk, alias: n.Text("alias"), node: n, names: slices.Clone(columns)}
	if it.alias == "" {
		it.alias = parts[len(parts)-1]
	}
	if c := blk.frame.ctes[strings.ToLower(parts[0])]; c != nil && len(parts) == 1 {
		columns = append(columns, c.columns...)
		it.node = nil
		it.reads(c.branches)
		if len(it.names) == 0 {
			it.names = c.aliases
		}
	} else {
		it.local = true
	}
	blk.items = append(blk.items, it)
	blk.has(columns)
}

func tableParts(n syntax.Node) []string {
	var parts []string
	for _, m := range []string{"catalog_name", "schema_name", "table_name"} {
		if t := n.Text(m); t != "" {
			parts = append(parts, t)
		}
	}
	return parts
}

// resource finds the resource that a table name means, or nil where the name
// is DuckDB's to know. The order is: common table expression, table or view of
// the session, USE.
func (b *builder) resource(parts []string, f frame) (*provider.Resource, error) {
	if len(parts) == 1 {
		name := strings.ToLower(parts[0])
		if b.fixed != nil && name == returningTable {
			return b.fixed.Resource, nil
		}
		_, local := b.options.Locals[name]
		if f.ctes[name] != nil || local {
			return nil, nil
		}
	}
	return ResolveResource(b.catalog, parts, b.options.Use)
}

// ResolveResource finds a resource by its dotted name, with USE in front of a
// name that is shorter. It gives nil where the name is none of a resource and
// looks like none.
func ResolveResource(c *catalog.Catalog, parts, use []string) (*provider.Resource, error) {
	switch {
	case len(parts) == 1 && strings.ContainsAny(parts[0], "./\\*"):
		return nil, nil // a file
	case len(parts) == 3:
		if !hasProvider(c, parts[0]) {
			return nil, unknownProvider(c, parts[0])
		}
		return c.Resource(parts...)
	case len(parts) < 3 && len(parts)+len(use) >= 3:
		full := append(append([]string(nil), use[:3-len(parts)]...), parts...)
		r, err := c.Resource(full...)
		if err == nil {
			return r, nil
		}
		if e := fault.As(err); len(parts) == 1 && e != nil && strings.HasPrefix(e.Hint, "did you mean") {
			return nil, err
		}
	}
	if len(parts) == 2 && hasProvider(c, parts[0]) {
		return nil, notAResource(c, parts)
	}
	return nil, nil
}

// notAResource is the error for a name that ends with the service.
func notAResource(c *catalog.Catalog, parts []string) error {
	s, err := c.Service(parts[0], parts[1])
	if err != nil {
		return nil // a schema of DuckDB may have a provider's name
	}
	path := s.Provider + "." + s.Name
	return fault.New(fault.UndefinedTable, "%s is a service, not a resource", path).
		WithHint("SHOW RESOURCES IN %s lists what can be read", path)
}

func hasProvider(c *catalog.Catalog, name string) bool {
	for _, p := range c.Providers() {
		if strings.EqualFold(p, name) {
			return true
		}
	}
	return false
}

// unknownProvider gives an error when the name is near to a provider's; a
// catalog of DuckDB may have any other name.
func unknownProvider(c *catalog.Catalog, name string) error {
	near := fault.Suggest(name, c.Providers())
	if len(near) == 0 {
		return nil
	}
	return fault.New(fault.UndefinedTable, "there is no provider %q", name).
		WithHint("did you mean %s? SHOW PROVIDERS lists them", strings.Join(near, " or "))
}
