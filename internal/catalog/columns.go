package catalog

import (
	"slices"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// Kind says where a column's value comes from.
type Kind string

// The kinds of columns, in the order in which Columns gives them. Only fields
// are in *.
const (
	Field     Kind = "field"     // a member of the item
	Parameter Kind = "parameter" // an argument of the call, or a part of the item's id
	Nested    Kind = "member"    // something deeper in the item
	Raw       Kind = "raw"       // the whole item
)

// Column is a column of a resource as one method gives it.
type Column struct {
	Name        string
	Kind        Kind
	Type        string   // DuckDB type
	NoCase      bool     // compares without case (COLLATE NOCASE)
	Path        []string // members to follow from the item; nil for the item itself and for most parameters
	Own         []string // where the value is instead if the item has that member: rows that are described flattened
	Schema      *openapi.Schema
	Description string
	Datatype    string // in the words of the document, such as "string (arm-id)"
	Secret      bool   // the value is masked unless the statement names it

	// Parameter is what a condition on the column binds: set for parameters, and
	// for fields that have the exact name of one.
	Parameter *provider.Parameter

	// IDs are the parts of an item's id that are the value of this parameter: one
	// for each path under which items of the resource are read, of which an id
	// fits one. Empty where no id holds it.
	IDs []IDPart

	// KeyPattern is an RE2 expression for values at Path that are paths of their
	// own, whose first group is the value of this parameter; a value that it does
	// not fit is taken as it is. Empty where Path alone says it.
	KeyPattern string
}

// IDPart is a part of an id: the group of that number of an RE2 expression.
type IDPart struct {
	Pattern string
	Group   int
}

// rawName is the column that holds the whole item.
const rawName = "_raw"

// Columns gives the columns that a row of the method has: the members of the
// item in document order, then, hidden from *, the parameters of all methods
// that read the resource, the members of properties whose names nothing before
// them has, and the whole item.
func Columns(m *provider.Method) []Column {
	b := builder{method: m, arm: m.Resource.Family == provider.ARM, names: map[string]bool{}, folded: map[string]bool{}}
	b.fields()
	b.parameters()
	b.members()
	b.add(Column{
		Name: rawName, Kind: Raw, Type: "JSON", Schema: m.Response.Item, Datatype: "object",
		Description: "The whole item as the service sent it.",
	})
	return b.columns
}

// builder gathers the columns of one method. A name is there once.
type builder struct {
	method  *provider.Method
	arm     bool
	columns []Column
	names   map[string]bool
	folded  map[string]bool
}

// add appends a column and remembers its name, as it is and folded.
func (b *builder) add(c Column) {
	b.columns = append(b.columns, c)
	b.names[c.Name] = true
	b.folded[fault.Fold(c.Name)] = true
}

// envelope are the members that stand at the top of a resource of Azure
// Resource Manager, whatever its type.
var envelope = []string{
	"id", "name", "type", "location", "tags", "systemData", "etag", "eTag", "kind", "sku", "identity", "plan",
	"managedBy", "managedByExtended", "zones", "extendedLocation", "scale", "apiVersion", "properties",
}

// anonymous is the column of items that are values, such as the names that a
// list is of.
const anonymous = "column_anon"

// fields adds the members of the item, and what documents forget of the
// envelope. Rows that the document describes flattened arrive unflattened, so
// the path of a column leads through properties there.
func (b *builder) fields() {
	item := b.method.Response.Item
	if item != nil && sqlType(item) != "JSON" {
		b.add(b.value(anonymous, Field, []string{}, item))
		return
	}
	for _, m := range item.Members() {
		c := b.value(m.Name, Field, []string{m.Name}, m.Schema)
		if b.method.Response.Flatten && !slices.Contains(envelope, m.Name) {
			c.Path, c.Own = []string{"properties", m.Name}, c.Path // the item's own members win
		}
		b.add(c)
	}
	if !b.arm || !b.resourceLike() {
		return
	}
	for _, name := range []string{"id", "name", "type"} {
		if !b.names[name] {
			schema := &openapi.Schema{Type: "string", ReadOnly: true, Description: envelopeTexts[name]}
			if name == "id" {
				schema.Format = "arm-id"
			}
			b.add(b.value(name, Field, []string{name}, schema))
		}
	}
}

// envelopeTexts describes the members that are added to the document's.
var envelopeTexts = map[string]string{
	"id":         "The full resource id.",
	"name":       "The name of the resource.",
	"type":       "The resource type, namespace first.",
	"systemData": "Who created and last changed the resource, and when.",
	"location":   "The region of the resource.",
	"tags":       "The tags of the resource.",
}

// resourceLike tells whether the items are resources of Azure Resource Manager,
// whose documents do not always repeat the envelope that all of them have.
func (b *builder) resourceLike() bool {
	return b.names["properties"] || b.names["id"] && (b.names["name"] || b.names["type"])
}

// value makes the column of a value in the item.
func (b *builder) value(name string, kind Kind, path []string, s *openapi.Schema) Column {
	c := typed(s)
	c.Name, c.Kind, c.Path = name, kind, path
	if b.arm && name == "id" && len(path) == 1 && c.Type == "VARCHAR" {
		c.NoCase = true
	}
	return c
}

// parameters adds the parameters of the methods that read the resource, and of
// this one, which may be a write whose answer is read.
func (b *builder) parameters() {
	readers := b.method.Resource.Verbs[provider.Select]
	get := homeOf(b.method)
	var names []string
	if get != nil {
		names = get.PathParameters()
	}
	var patterns []idPath
	if b.arm && b.folded["id"] {
		patterns = idPaths(b.method.Resource)
	}
	for _, m := range append(slices.Clip(readers), b.method) {
		for _, p := range m.Parameters {
			if b.names[p.Name] {
				b.bind(p)
				continue
			}
			c := parameterColumn(p, b.arm)
			for _, path := range patterns {
				if i := slices.Index(path.names, p.Name); i >= 0 {
					c.IDs = append(c.IDs, IDPart{path.pattern, i + 1})
				}
			}
			if i := slices.Index(names, p.Name); !b.arm && i >= 0 && i == len(names)-1 {
				c.Path = keyPath(b.method.Response.Item, p.Name)
				c.KeyPattern = keyPattern(get)
			}
			b.add(c)
		}
	}
}

// bind notes that a field has the name of a parameter.
func (b *builder) bind(p provider.Parameter) {
	for i, c := range b.columns {
		if c.Name == p.Name && c.Kind == Field && c.Parameter == nil {
			b.columns[i].Parameter = &p
		}
	}
}

// parameterColumn makes the column of a parameter. Names in ids and paths of
// Azure Resource Manager are the same in any case.
func parameterColumn(p provider.Parameter, arm bool) Column {
	c := typed(p.Schema)
	c.Name, c.Kind, c.Parameter, c.Description = p.Name, Parameter, &p, p.Description
	if arm && p.In == provider.InPath && c.Type == "VARCHAR" {
		c.NoCase = true
	}
	return c
}

// members adds the members of properties under their own names, where nothing
// has the name yet, and systemData where the document forgot it: hidden, since
// not every service sends it.
func (b *builder) members() {
	if b.method.Response.Flatten && !b.folded["properties"] {
		b.add(b.value("properties", Nested, []string{"properties"}, nil))
	}
	properties := b.method.Response.Item.Member("properties")
	for _, m := range properties.Members() {
		if !b.folded[fault.Fold(m.Name)] {
			b.add(b.value(m.Name, Nested, []string{"properties", m.Name}, m.Schema))
		}
	}
	if !b.arm || !b.resourceLike() {
		return
	}
	b.forgotten("systemData", "object")
	puts := func(m *provider.Method) bool { return m.HTTPMethod == "PUT" }
	if b.folded["location"] || !slices.ContainsFunc(b.method.Resource.Methods, puts) {
		return // the envelope is there, or is none of a resource that people make
	}
	for _, m := range [][2]string{
		{"location", "string"}, {"tags", "object"}, {"kind", "string"}, {"etag", "string"}, {"managedBy", "string"},
		{"sku", "object"}, {"identity", "object"}, {"plan", "object"}, {"zones", "array"},
	} {
		b.forgotten(m[0], m[1])
	}
}

// forgotten adds a member of the envelope that the document does not have.
// Published schemas have lost many that they inherited, though the services send
// and want them; which, nobody says, so they are hidden from *.
func (b *builder) forgotten(name, kind string) {
	if !b.folded[fault.Fold(name)] {
		schema := &openapi.Schema{Type: kind, ReadOnly: true, Description: envelopeTexts[name]}
		b.add(b.value(name, Nested, []string{name}, schema))
	}
}
