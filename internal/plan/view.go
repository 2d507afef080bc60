package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// A view over resources is kept as text. Where a statement names it, its text is
// put in the place of the name before the statement is planned, so that a
// condition outside binds parameters inside. The same holds for a resource
// whose document gives a SELECT instead of a method that reads it.

// View is a view over resources.
type View struct {
	Name    string   // as messages call it
	Key     string   // tells it from a view of the same name elsewhere
	Text    string   // its query, in which names mean the same wherever it is put
	Columns []string // new names of its first columns
}

// longestText is how long a statement may get by the texts of its views: views
// of views can grow without bound.
const longestText = 128 << 10

// viewUse is a place at which a statement names a view.
type viewUse struct {
	name string
	span fault.Span
}

// expander puts the texts of views in the place of their names.
type expander struct {
	planner *Planner
	inside  []View // the views around, outermost first
	text    *syntax.Edited
	edits   []syntax.Edit
	uses    []viewUse
	err     error
}

// expand puts the texts of views in the place of their names. It gives the tree
// of the text it gives, and where views were named.
func (p *Planner) expand(text *syntax.Edited, inside []View) (*syntax.Edited, []syntax.Node, []viewUse, error) {
	nodes, err := p.tree(text)
	if err != nil {
		return nil, nil, nil, err
	}
	x := &expander{planner: p, text: text, inside: inside}
	walkTables(nodes, x.table)
	if x.err != nil || len(x.edits) == 0 {
		return text, nodes, nil, x.err
	}
	expanded := text.Apply(x.edits)
	if len(expanded.Text) > longestText {
		return nil, nil, nil, fault.New(fault.LimitReached, "the statement has more than %d bytes with the texts of its views", longestText).
			At(x.uses[0].span).WithHint("a view of views is read as often as it is named: a materialized view is read once")
	}
	nodes, err = p.tree(expanded)
	return expanded, nodes, x.uses, inView(err, x.uses)
}

// table puts the text of a view in the place of its name.
func (x *expander) table(n syntax.Node, parts []string) {
	v := x.planner.view(parts)
	offset, _ := n.Offset()
	name, ok := syntax.NameAt(x.text.Text, offset, len(parts))
	if v == nil || !ok || x.err != nil {
		return
	}
	before, _ := wordBefore(x.text.Text, name.Start)
	if before.Is("DESCRIBE") || before.Is("DESC") {
		return // DuckDB knows the columns of a view
	}
	use := viewUse{v.Name, x.text.Span(name.Start, name.End)}
	inner, err := x.inner(v)
	if err != nil {
		x.err = inView(fault.From(err).At(use.span), []viewUse{use})
		return
	}
	x.uses = append(x.uses, use)
	x.edits = append(x.edits, x.replace(n, name, before, inner, v.Columns))
}

// inner gives the text of a view in which no view is named any more.
func (x *expander) inner(v *View) (string, error) {
	around := append(slices.Clip(x.inside), *v)
	if slices.ContainsFunc(x.inside, func(o View) bool { return o.Key == v.Key }) {
		var names []string
		for _, o := range around {
			names = append(names, o.Name)
		}
		return "", fault.New(fault.DataException, "%s%s", itself, strings.Join(names, " → ")).
			WithHint("CREATE OR REPLACE VIEW gives one of them another query")
	}
	source := &fault.Source{Name: "view " + v.Name, Text: v.Text}
	normal, err := syntax.Normalize(syntax.Original(source, 0, len(v.Text)))
	if err != nil {
		return "", unplaced(err)
	}
	expanded, _, _, err := x.planner.expand(normal, around)
	if err != nil {
		return "", unplaced(err)
	}
	return expanded.Text, nil
}

// unplaced takes the position off an error: it is one in the text of a view,
// which the user does not see.
func unplaced(err error) error {
	e := *fault.From(err)
	e.Span = fault.Span{}
	return &e
}

// replace makes the edit that puts the query of a view in the place of its
// name. The alias and the names of columns that the statement gives stay; else
// the view's own follow.
func (x *expander) replace(n syntax.Node, name syntax.Name, before syntax.Token, query string, columns []string) syntax.Edit {
	edit := syntax.Edit{Start: name.Start, End: name.End, Text: "(" + query + ")"}
	switch {
	case n.Text("alias") == "":
		edit.Text += " AS " + syntax.QuoteName(name.Parts[len(name.Parts)-1]) + NameList(columns)
	case len(columns) > 0:
		edit.Text = "(SELECT * FROM (" + query + ") AS planeql_view" + NameList(columns) + ")"
	}
	switch {
	case before.Is("TABLE"): // TABLE and SUMMARIZE take a name or a query
		edit.Start, edit.Text = before.Start, "FROM "+edit.Text
	case before.Is("SUMMARIZE"):
		edit.Text = "FROM " + edit.Text
	}
	return edit
}

// NameList gives the names of columns behind an alias, or "".
func NameList(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = syntax.QuoteName(name)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

// wordBefore gives the token before an offset of a text; ok is false where there
// is none.
func wordBefore(text string, offset int) (t syntax.Token, ok bool) {
	tokens, err := syntax.Lex(text[:offset])
	if err != nil || len(tokens) == 0 {
		return t, false
	}
	return tokens[len(tokens)-1], true
}

// view finds the view that a table name means, or nil. A table of the session
// goes before a resource that USE makes short.
func (p *Planner) view(parts []string) *View {
	name := strings.ToLower(strings.Join(parts, "."))
	if v, ok := p.Options.Views[name]; ok {
		return &v
	}
	if _, local := p.Options.Locals[name]; local && len(parts) == 1 {
		return nil
	}
	r, err := ResolveResource(p.Catalog, parts, p.Options.Use)
	if err != nil || r == nil || !isView(r) {
		return nil // a wrong name is an error of the planner
	}
	return &View{Name: r.Path(), Key: r.Path(), Text: r.View}
}

// isView tells whether a resource is read by the SELECT of its document.
func isView(r *provider.Resource) bool { return r.View != "" && len(r.Verbs[provider.Select]) == 0 }

// walkTables visits the table names below nodes that no common table
// expression in scope hides.
func walkTables(nodes []syntax.Node, visit func(n syntax.Node, parts []string)) {
	for _, n := range nodes {
		walkScope(n, map[string]bool{}, visit)
	}
}

func walkScope(n syntax.Node, hidden map[string]bool, visit func(n syntax.Node, parts []string)) {
	if entries := n.Child("cte_map").List("map"); len(entries) > 0 {
		hidden = maps.Clone(hidden)
		for _, e := range entries {
			name, query := strings.ToLower(e.Text("key")), e.Child("value").Child("query").Child("node")
			inner := hidden
			if query.Type() == "RECURSIVE_CTE_NODE" {
				inner = maps.Clone(hidden)
				inner[name] = true
			}
			walkScope(query, inner, visit)
			hidden[name] = true
		}
	}
	if n.Type() == "BASE_TABLE" {
		if parts := tableParts(n); len(parts) > 1 || len(parts) == 1 && !hidden[strings.ToLower(parts[0])] {
			visit(n, parts)
		}
	}
	for _, member := range slices.Sorted(maps.Keys(n)) {
		if member == "cte_map" {
			continue
		}
		if c := n.Child(member); c != nil {
			walkScope(c, hidden, visit)
		}
		walkLists(n[member], hidden, visit)
	}
}

// walkLists goes into lists, and lists of lists such as those of VALUES.
func walkLists(value any, hidden map[string]bool, visit func(n syntax.Node, parts []string)) {
	items, _ := value.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			walkScope(m, hidden, visit)
		}
		walkLists(item, hidden, visit)
	}
}

// The beginnings of messages that name a view.
const (
	inside = "in the view "
	itself = "a view contains itself: "
)

// inView names the view in an error that lies in its text: the position of such
// an error is that of the view's name.
func inView(err error, uses []viewUse) error {
	e := fault.As(err)
	if e == nil {
		return err
	}
	if strings.HasPrefix(e.Message, inside) || strings.HasPrefix(e.Message, itself) {
		return err // the innermost view is named already
	}
	for _, u := range uses {
		if e.Span == u.span {
			c := *e
			c.Message = inside + u.name + ": " + e.Message
			return &c
		}
	}
	return err
}

// InView names the view in an error of the running query that lies in its text.
func (q *Query) InView(err error) error {
	if q == nil {
		return err
	}
	return inView(err, q.uses)
}

// Expanded tells whether the statement names a view over resources.
func (q *Query) Expanded() bool { return len(q.uses) > 0 }

// View plans the query of a new view of the session, and gives its text with
// every name in full, so that it means the same in any statement, after any USE.
// Parameters that have no value are no error: a statement that reads the view
// may give them. The new view has a key where it replaces another one.
func (p *Planner) View(name, key string, query *syntax.Edited) (string, *Query, error) {
	loose := *p
	loose.Options.Loose = true
	q, err := loose.plan(query, nil, []View{{Name: name, Key: key}})
	if err != nil {
		return "", nil, err
	}
	normal, err := syntax.Normalize(query)
	if err != nil {
		return "", nil, err
	}
	nodes, err := p.tree(normal)
	if err != nil {
		return "", nil, err
	}
	var edits []syntax.Edit
	walkTables(nodes, func(n syntax.Node, parts []string) {
		offset, _ := n.Offset()
		at, ok := syntax.NameAt(normal.Text, offset, len(parts))
		if full := p.inFullName(parts); ok && full != "" {
			edits = append(edits, syntax.Edit{Start: at.Start, End: at.End, Text: full})
		}
	})
	tokens, err := syntax.Lex(normal.Text)
	if err != nil {
		return "", nil, err
	}
	edits = append(edits, countLabels(nodes, normal.Text, tokens)...)
	return normal.Apply(edits).Text, q, nil
}

// countLabels names each count(*) of a query, to which DuckDB gives a name of
// its own. [builder.label] does so for the query of a statement only.
func countLabels(nodes []syntax.Node, text string, tokens []syntax.Token) []syntax.Edit {
	var edits []syntax.Edit
	for _, n := range nodes {
		for n.Type() == "SET_OPERATION_NODE" {
			first := n.Child("left")
			if children := n.List("children"); first == nil && len(children) > 0 {
				first = children[0]
			}
			n = first
		}
		items := n.List("select_list")
		ranges := selectItems(tokens, firstOffset(items))
		for i, item := range items {
			if len(ranges) == len(items) && item.Text("alias") == "" && item.Text("function_name") == "count_star" {
				name := strings.Join(strings.Fields(text[ranges[i].Start:ranges[i].End]), " ")
				edits = append(edits, syntax.Edit{Start: ranges[i].End, End: ranges[i].End, Text: " AS " + syntax.QuoteName(name)})
			}
		}
	}
	return edits
}

// inFullName gives a table name in full, or "" where it is already or is
// DuckDB's to know.
func (p *Planner) inFullName(parts []string) string {
	if full, ok := p.Options.Locals[strings.ToLower(parts[0])]; ok && len(parts) == 1 {
		return full
	}
	if len(parts) > 2 {
		return ""
	}
	r, err := ResolveResource(p.Catalog, parts, p.Options.Use)
	if err != nil || r == nil {
		return ""
	}
	return syntax.QuoteName(r.Provider) + "." + syntax.QuoteName(r.Service) + "." + syntax.QuoteName(parts[len(parts)-1])
}

// loosely gives a scan of a new view that lacks parameters a method whose
// columns stand for the resource's. Nothing reads such a scan.
func (b *builder) loosely(r *relation, err error) error {
	if e := fault.As(err); err == nil || !b.options.Loose || e == nil || e.Code != fault.MissingParameter {
		return err
	}
	r.scan.Method, r.scan.Reason = firstOf(r.resource), "a statement that reads the view gives its parameters"
	r.columns = catalog.Columns(r.scan.Method)
	return nil
}
