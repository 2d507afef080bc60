package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// templates are the verbs of which SHOW gives a statement to be filled in.
var templates = []provider.Verb{provider.Insert, provider.Update, provider.Replace, provider.Delete}

// show makes the answer of SHOW from the catalog.
func (p *Planner) show(s *syntax.Statement, head syntax.Show) (*Table, error) {
	table, err := p.showTable(head)
	if err != nil {
		return nil, fault.From(err).At(s.Text.Span(head.In.Start, head.In.End))
	}
	if head.Like != "" {
		table = catalog.Like(table, head.Like)
	}
	return &Table{Title: "show", Table: table}, nil
}

func (p *Planner) showTable(head syntax.Show) (catalog.Table, error) {
	if head.What == "RESOURCES" && len(head.In.Parts) == 1 && hasProvider(p.Catalog, head.In.Parts[0]) {
		return p.Catalog.ShowAllResources(head.In.Parts[0], head.Extended)
	}
	name := p.inFull(head.In.Parts, map[string]int{"SERVICES": 1, "RESOURCES": 2, "METHODS": 3}[head.What])
	switch {
	case head.What == "EXEC":
		m, err := p.method(head.In.Parts)
		if err != nil {
			return catalog.Table{}, err
		}
		return catalog.Table{Columns: []string{"statement"}, Rows: [][]any{{catalog.Template(m, provider.Exec)}}}, nil
	case slices.Contains(templates, provider.Verb(strings.ToLower(head.What))):
		r, err := p.Catalog.Resource(p.inFull(head.In.Parts, 3)...)
		if err != nil {
			return catalog.Table{}, err
		}
		verb := provider.Verb(strings.ToLower(head.What))
		return catalog.ShowTemplates(r, verb, writers(r, verb))
	case head.What == "PROVIDERS":
		return p.Catalog.ShowProviders(head.Extended)
	case head.What == "SERVICES" && len(name) == 1:
		return p.Catalog.ShowServices(name[0], head.Extended)
	case head.What == "RESOURCES" && len(name) == 2:
		return p.Catalog.ShowResources(name[0], name[1], head.Extended)
	case head.What == "METHODS" && len(name) == 3:
		r, err := p.Catalog.Resource(name...)
		if err != nil {
			return catalog.Table{}, err
		}
		return p.Catalog.ShowMethods(r, head.Extended), nil
	}
	want := map[string]string{"SERVICES": "provider", "RESOURCES": "provider.service", "METHODS": "provider.service.resource"}
	return catalog.Table{}, fault.New(fault.SyntaxError, "SHOW %s needs %s, not %q", head.What, want[head.What], head.In.String()).
		WithHint("for example SHOW %s IN %s", head.What, map[string]string{
			"SERVICES": "azure", "RESOURCES": "azure.desktop_virtualization", "METHODS": "azure.desktop_virtualization.user_sessions",
		}[head.What])
}

// inFull puts the names of USE in front of a name that is too short.
func (p *Planner) inFull(parts []string, want int) []string {
	if missing := want - len(parts); missing > 0 && missing <= len(p.Options.Use) {
		return append(append([]string(nil), p.Options.Use[:missing]...), parts...)
	}
	return parts
}

// describe makes the answer of DESCRIBE from the catalog. A name that is no
// resource is a table of the session, which the caller describes: the plan is
// then nil.
func (p *Planner) describe(s *syntax.Statement, head syntax.Describe) (any, error) {
	at := s.Text.Span(head.Name.Start, head.Name.End)
	if head.Method {
		m, err := p.method(head.Name.Parts)
		if err != nil {
			return nil, fault.From(err).At(at)
		}
		return &Table{Title: "describe", Table: p.Catalog.DescribeMethod(m, head.Extended)}, nil
	}
	r, err := p.resource(head.Name.Parts)
	if err != nil {
		return nil, fault.From(err).At(at)
	}
	if r == nil {
		return nil, nil
	}
	if isView(r) {
		return p.describeView(s, r)
	}
	return &Table{Title: "describe", Table: p.Catalog.Describe(r, head.Extended)}, nil
}

// describeView plans the SELECT that stands for a resource. Its rows are not
// read: DuckDB knows their columns without.
func (p *Planner) describeView(s *syntax.Statement, r *provider.Resource) (any, error) {
	loose := *p
	loose.Options.Loose = true
	q, err := loose.Query(s.Text.Apply([]syntax.Edit{{Start: 0, End: len(s.Text.Text), Text: "FROM " + r.Path()}}))
	if err != nil {
		return nil, err
	}
	q.Verb = "DESCRIBE"
	return q, nil
}

// resource finds the resource that a name outside a query means, or nil for a
// table of the session.
func (p *Planner) resource(parts []string) (*provider.Resource, error) {
	if _, local := p.Options.Locals[strings.ToLower(parts[0])]; local && len(parts) == 1 {
		return nil, nil
	}
	return ResolveResource(p.Catalog, parts, p.Options.Use)
}

// method finds a method by its dotted name, with USE in front of one that is
// too short.
func (p *Planner) method(parts []string) (*provider.Method, error) {
	full := p.inFull(parts, 4)
	if len(full) != 4 {
		return nil, fault.New(fault.UndefinedMethod, "%q is not the name of a method", syntax.Name{Parts: parts}.String()).
			WithHint("a method is named provider.service.resource.method, for example azure.desktop_virtualization.user_sessions.disconnect")
	}
	r, err := p.Catalog.Resource(full[:3]...)
	if err != nil {
		return nil, err
	}
	return p.Catalog.Method(r, full[3])
}
