package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// Problem is something that a document says wrongly.
type Problem struct {
	Where  string // file:line
	Object string // provider.service[.resource[.method]]
	Text   string
	Effect string // what follows from it
}

// What follows from problems.
const (
	leftOut     = "left out"                      // a method or a service that cannot be used
	unreachable = "reached by EXEC only"          // a method that no SELECT chooses
	undescribed = "rows without columns"          // a method whose answer is not described
	mended      = "understood as it is meant"     // a mistake that planeql sees through
	ambiguous   = "the first of the two is meant" // names that are not told apart
)

// Diagnose reads everything and gives what is wrong in the documents of a
// provider.
func (p *Provider) Diagnose() []Problem {
	if p.Err != nil {
		return []Problem{problemOf(p.Name, p.Err, leftOut)}
	}
	if len(p.parts) > 0 {
		var list []Problem
		for _, part := range p.parts {
			list = append(list, part.Diagnose()...)
		}
		return list
	}
	var list []Problem
	p.each(func(info ServiceInfo, s *Service, err error) {
		name := p.Name + "." + info.Name
		if err != nil {
			list = append(list, problemOf(name, err, leftOut))
			return
		}
		d := diagnosis{service: s}
		d.run()
		list = append(list, d.list...)
	})
	return list
}

// each goes through the services one after the other, and keeps none of them.
func (p *Provider) each(do func(ServiceInfo, *Service, error)) {
	for _, info := range p.Services {
		s, err := p.open(info)
		do(info, s, err)
	}
}

// problemOf makes a problem of an error, which has its place in the detail.
func problemOf(object string, err error, effect string) Problem {
	e := fault.From(err)
	where, found := strings.CutPrefix(e.Detail, "at ")
	if !found {
		where = ""
	}
	return Problem{Where: where, Object: object, Text: e.Message, Effect: effect}
}

// diagnosis looks for problems in one service.
type diagnosis struct {
	service *Service
	list    []Problem
}

func (d *diagnosis) add(n *openapi.Node, object, effect, format string, args ...any) {
	d.list = append(d.list, Problem{n.Where(), object, fmt.Sprintf(format, args...), effect})
}

// run looks at all resources.
func (d *diagnosis) run() {
	path := d.service.Provider + "." + d.service.Name
	for _, n := range d.service.doc.Dangling() {
		if strings.HasPrefix(n.Text(), "#/paths/") {
			continue // a method, which is told of below
		}
		d.add(n, path, "what is behind it is not known", "the reference %q leads nowhere", n.Text())
	}
	for _, name := range d.service.names {
		c := d.service.cells[name]
		if c.from != d.service {
			continue // another document has it
		}
		r, _ := d.service.Resource(name)
		for _, err := range r.Problems {
			d.list = append(d.list, problemOf(r.Path(), err, leftOut))
		}
		if r.ID != r.Path() {
			d.add(c.node.At("id"), r.Path(), mended, "the id of the resource is %s", r.ID)
		}
		d.alike(c.node, path, name)
		l := loader{service: d.service, doc: d.service.doc, root: d.service.doc.Root()}
		for _, m := range r.Methods {
			n := c.node.At("methods", m.Name)
			if op, err := l.operation(n); err == nil {
				d.method(m, n, op)
			}
		}
		for _, verb := range sqlVerbs {
			d.verb(r, verb, c.node.At("sqlVerbs", string(verb)))
		}
	}
}

// alike finds a resource before this one whose name is told apart by case or
// underscores only.
func (d *diagnosis) alike(n *openapi.Node, path, name string) {
	for _, other := range d.service.names {
		if other == name {
			return
		}
		if fault.Fold(other) == fault.Fold(name) {
			d.add(n, path+"."+name, ambiguous, "the resources %s and %s differ only in case or underscores", other, name)
		}
	}
}

// method looks at a method and its operation.
func (d *diagnosis) method(m *Method, n *openapi.Node, op operation) {
	name := m.FullName()
	declared := map[string]bool{}
	for _, item := range append(slices.Clone(op.node.At("parameters").Items()), op.item.At("parameters").Items()...) {
		if p, err := item.Follow(); err == nil && p.At("in").Text() == string(InPath) {
			parameter := p.At("name").Text()
			declared[parameter] = true
			if m.GraphQL == nil && !slices.Contains(m.PathParameters(), parameter) {
				d.add(p, name, mended, "the path %s has no place for its parameter %q", op.key, parameter)
			}
		}
	}
	for _, parameter := range m.PathParameters() {
		if !declared[parameter] {
			d.add(op.node, name, mended, "the path %s has a variable %q that is no parameter", op.key, parameter)
		}
	}
	d.answer(m, n, op)
	d.body(m, n, op)
}

// answer looks at how the document describes the answer.
func (d *diagnosis) answer(m *Method, n *openapi.Node, op operation) {
	says, responses := n.At("response"), op.node.At("responses")
	if key := says.At("openAPIDocKey"); key.Text() != "" && responses.At(key.Text()) == nil {
		d.add(key, m.FullName(), mended, "the operation has no response %q", key.Text())
	} else if kind := says.At("mediaType"); kind.Text() != "" && key.Text() != "" && says.At("schema_override").Missing() {
		answer, err := responses.At(key.Text()).Follow()
		if err == nil && answer.At("content") != nil && answer.At("content", kind.Text()) == nil && m.serves(Select) {
			d.add(kind, m.FullName(), undescribed, "the response %s is not offered as %q", key.Text(), kind.Text())
		}
	}
	if !m.serves(Select) {
		return
	}
	item := m.Response.Item
	switch key := says.At("objectKey"); {
	case item == nil && key.Text() != "":
		d.add(key, m.FullName(), undescribed, "the objectKey %q leads nowhere in the answer", key.Text())
	case len(item.Members()) == 0:
		d.add(n, m.FullName(), undescribed, "the document does not say what a row has")
	}
	seen := map[string]string{}
	for _, member := range item.Members() {
		if other, known := seen[fault.Fold(member.Name)]; known {
			d.add(n, m.FullName(), ambiguous, "the columns %s and %s differ only in case or underscores", other, member.Name)
		}
		seen[fault.Fold(member.Name)] = member.Name
	}
}

// body looks at how the document describes the body of a request.
func (d *diagnosis) body(m *Method, n *openapi.Node, op operation) {
	if m.Body == nil {
		return
	}
	if kind := n.At("request", "mediaType"); kind.Text() != "" {
		request, err := op.node.At("requestBody").Follow()
		if err == nil && request.At("content") != nil && request.At("content", kind.Text()) == nil {
			d.add(kind, m.FullName(), "the body is not checked", "the operation takes no body of %q", kind.Text())
		}
	}
	if m.Body.Naming == "" {
		return
	}
	for _, p := range m.Parameters {
		if p.In != InBody && m.Body.Schema.Member(p.Name) != nil {
			d.add(n, m.FullName(), "the parameter is meant",
				"%q is a parameter and a member of the body", p.Name)
		}
	}
}

// verb looks at the methods that serve a verb: which of them can be chosen.
func (d *diagnosis) verb(r *Resource, verb Verb, listed *openapi.Node) {
	seen := map[string]bool{}
	for _, item := range listed.Items() {
		ref := item.At("$ref").Text()
		if seen[ref] {
			d.add(item, r.Path(), mended, "%s is listed twice under %s", ref[strings.LastIndex(ref, "/")+1:], verb)
		}
		seen[ref] = true
	}
	methods := r.Verbs[verb]
	for i, m := range methods {
		for _, earlier := range methods[:i] {
			if text := hides(earlier, m, verb); text != "" {
				n := d.service.cells[r.Name].node.At("methods", m.Name)
				d.add(n, m.FullName(), unreachable, "%s comes before it under %s and needs %s", earlier.Name, verb, text)
				break
			}
		}
	}
}

// hides tells what of a method makes it stand in for a later one whatever a
// statement gives; nothing where the later one can be chosen. A SELECT takes
// the method that uses more of what is given, hence also a later one that takes
// something besides.
func hides(earlier, later *Method, verb Verb) string {
	needs, needed := requiredNames(earlier), requiredNames(later)
	if slices.ContainsFunc(needs, func(name string) bool { return !slices.Contains(needed, name) }) {
		return ""
	}
	for _, p := range later.Parameters {
		other, taken := earlier.Parameter(p.Name)
		if (verb == Select || p.In == InPath) && (!taken || (other.In == InPath) != (p.In == InPath)) {
			return ""
		}
	}
	if len(needs) < len(needed) {
		if verb != Select {
			return "" // what a body requires decides, too
		}
		return "less"
	}
	return "the same"
}

// requiredNames gives the required parameters in alphabetical order.
func requiredNames(m *Method) []string {
	var names []string
	for _, p := range m.RequiredParameters() {
		names = append(names, p.Name)
	}
	return sortedCopy(names)
}

func sortedCopy(names []string) []string {
	list := slices.Clone(names)
	slices.Sort(list)
	return list
}
