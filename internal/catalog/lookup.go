package catalog

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// Lookup finds a column by the user's spelling: the same text, else without
// case, else without underscores. Where several are equally near, fields come
// before parameters and those before members.
func Lookup(columns []Column, name string) (Column, bool) {
	names := columnNames(columns)
	found, ok := match(name, names)
	if !ok {
		return Column{}, false
	}
	return columns[slices.Index(names, found)], true
}

// Member finds a value in the item by a dotted path whose first name is a
// column, such as properties.agentUpdate.type; each name is matched as Lookup
// does. The result is a column of kind Nested in the document's spelling. An
// object without declared members has any member; where the document does not
// say of which type, it is text. The error is a fault.UndefinedColumn.
func Member(columns []Column, path []string) (Column, error) {
	if len(path) == 0 {
		return Column{}, fault.Bug("a member is looked up without a name")
	}
	c, ok := Lookup(columns, path[0])
	if !ok {
		return Column{}, fault.New(fault.UndefinedColumn, "there is no column %q", path[0]).
			WithHint("%s", fault.DidYouMean(path[0], columnNames(columns), "DESCRIBE lists the columns of a resource"))
	}
	if len(path) == 1 {
		return c, nil
	}
	if c.Kind == Parameter {
		return Column{}, fault.New(fault.UndefinedColumn, "%q is a parameter and has no member %q", c.Name, path[1]).
			WithHint("a parameter has one value; write %s alone", c.Name)
	}
	w := walk{path: slices.Clone(c.Path), names: []string{c.Name}, schema: c.Schema, secret: c.Secret}
	for _, name := range path[1:] {
		if err := w.step(name); err != nil {
			return Column{}, err
		}
	}
	found := w.result()
	if c.Own != nil {
		found.Own = slices.Concat(c.Own, w.path[len(c.Path):])
	}
	return found, nil
}

// columnNames gives the names that a misspelt column may have meant.
func columnNames(columns []Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// walk is a descent into an item along its schema.
type walk struct {
	path   []string
	names  []string
	schema *openapi.Schema // nil: the document does not say
	secret bool
}

// step goes down to a member by the user's name of it: a declared member, else
// one that the values of the object are described for, else any member of an
// object of which nothing is said.
func (w *walk) step(name string) error {
	members := w.schema.Members()
	names := make([]string, 0, len(members))
	for _, m := range members {
		names = append(names, m.Name)
	}
	if found, ok := match(name, names); ok {
		w.enter(found, members[slices.Index(names, found)].Schema)
		return nil
	}
	if values := w.schema.Values(); values != nil {
		w.enter(name, values)
		return nil
	}
	if w.schema == nil || w.schema.FreeForm() {
		w.enter(name, nil)
		return nil
	}
	return w.unknown(name, names)
}

// enter goes down to a member. What is below a secret is secret.
func (w *walk) enter(name string, s *openapi.Schema) {
	w.names = append(w.names, name)
	w.path = append(w.path, name)
	w.schema = s
	w.secret = w.secret || s != nil && s.Secret
}

// unknown makes the error for a member that cannot be there, and says what can
// be read instead.
func (w *walk) unknown(name string, names []string) error {
	at := strings.Join(w.names, ".")
	e := fault.New(fault.UndefinedColumn, "%q has no member %q", at, name)
	switch w.schema.Type {
	case "object", "":
		return e.WithHint("%s", fault.DidYouMean(name, names,
			"a member that the document does not list is read with "+at+" ->> '$."+name+"'"))
	case "array":
		return e.WithDetail("%s is a list", at).
			WithHint("its first element is %s -> 0; unnest(from_json(%s, '[\"JSON\"]')) makes a row of each", at, at)
	}
	return e.WithDetail("%s is of type %s", at, w.schema.Type).WithHint("write %s alone", at)
}

// result makes the column of where the walk has come to. A value of unknown type
// is text: comparing JSON with text would fail on the first row.
func (w *walk) result() Column {
	c := typed(w.schema)
	if w.schema == nil || w.schema.Type == "" && w.schema.FreeForm() {
		c.Type, c.Datatype = "VARCHAR", "any"
	}
	c.Kind, c.Path, c.Name, c.Secret = Nested, w.path, strings.Join(w.names, "."), w.secret
	return c
}
