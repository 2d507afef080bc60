package plan

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
)

// BodyMember is a member of a request's body.
type BodyMember struct {
	Path   []string // on the wire; empty: the whole body
	Schema *openapi.Schema
}

// bodyPrefix stands in front of members of the body in statements that were
// written for StackQL.
const bodyPrefix = "data__"

// slot finds what the name to the left of a value means: a parameter of the
// method, or a member of its body.
func slot(m *provider.Method, c syntax.Column, at fault.Span) (Slot, error) {
	s := Slot{Written: c.Written, span: at}
	if c.Payload {
		if m.Body == nil {
			return s, fault.New(fault.InvalidValue, "%s takes no body", m.FullName()).WithHint("leave @@json out").At(at)
		}
		s.Member = BodyMember{Schema: m.Body.Schema}
		return s, nil
	}
	name, forced := strings.CutPrefix(c.String(), bodyPrefix)
	parts := c.Parts
	if forced {
		parts = append([]string{name}, c.Parts[1:]...)
		if len(c.Parts) > 1 {
			parts[0] = strings.TrimPrefix(c.Parts[0], bodyPrefix)
		}
	}
	exact, isExact := m.Parameter(name)
	if !forced && isExact && !memberToo(m, exact) {
		s.Parameter = &exact
		return s, nil
	}
	member, found, err := memberOf(bodyByName(m), parts)
	if !found && err == nil && m.Body != nil { // a body need not list what only the service writes
		member, found, _ = memberOf(&provider.Body{Schema: m.Response.Item}, parts)
		found = found && readOnly(member.Schema)
	}
	if err != nil {
		return s, located(err, at)
	}
	near, isNear := catalog.FindParameter(m, name)
	nearer := found && strings.EqualFold(member.Path[len(member.Path)-1], name)
	switch {
	case !forced && isNear && !nearer && (!found || !memberToo(m, near)):
		s.Parameter = &near
	case found && readOnly(member.Schema):
		return s, fault.New(fault.InvalidValue, "%s is read-only: the service writes it", strings.Join(member.Path, ".")).
			WithHint("leave it out").At(at)
	case found:
		s.Member = member
	default:
		return s, unknownMember(m, c, name).At(at)
	}
	return s, nil
}

// memberToo tells whether a parameter is a member of the body that a WHERE may
// bind; with a value of its own it is a member like the others.
func memberToo(m *provider.Method, p provider.Parameter) bool {
	return p.In == provider.InBody && !m.ReadOnly
}

// fixed are members of Azure's envelope that a statement cannot name: the
// service writes them, or the call's path says them.
var fixed = []string{"id", "name", "type", "systemData", "etag"}

// bodyByName gives the body whose members a statement can name. What a document
// forgot of a resource is taken for a whole one, not for a change.
func bodyByName(m *provider.Method) *provider.Body {
	if m.Body == nil || len(m.Body.Extra) == 0 {
		return m.Body
	}
	b := *m.Body
	b.Extra = slices.DeleteFunc(slices.Clone(b.Extra), func(e openapi.Member) bool {
		return m.HTTPMethod == "PATCH" || slices.Contains(fixed, e.Name)
	})
	return &b
}

// memberOf finds a member of a body: by its path, or, if it is one of
// properties, by its own name.
func memberOf(body *provider.Body, parts []string) (BodyMember, bool, error) {
	if body == nil {
		return BodyMember{}, false, nil
	}
	schema := body.Schema
	path, found := descend(schema, parts)
	if !found && schema.Member("properties") != nil { // what the document declares goes before what it forgot
		if path, found = descend(schema.Member("properties"), parts); found {
			path.Path = append([]string{"properties"}, path.Path...)
		}
	}
	for _, extra := range body.Extra {
		if !found && fault.Fold(extra.Name) == fault.Fold(parts[0]) {
			if path, found = descend(extra.Schema, parts[1:]); found {
				path.Path = append([]string{extra.Name}, path.Path...)
			}
		}
	}
	if found {
		return path, true, nil
	}
	if _, begins := descend(schema, parts[:1]); begins && len(parts) > 1 {
		known := parts[:1]
		for n := 2; n <= len(parts); n++ {
			if _, ok := descend(schema, parts[:n]); !ok {
				break
			}
			known = parts[:n]
		}
		below, _ := descend(schema, known)
		return BodyMember{}, false, fault.New(fault.UndefinedParameter, "%s has no member %q", strings.Join(known, "."), parts[len(known)]).
			WithHint("%s", fault.DidYouMean(parts[len(known)], memberNames(below.Schema), "it has "+strings.Join(memberNames(below.Schema), ", ")))
	}
	return BodyMember{}, false, nil
}

// descend follows names, each in any spelling, down a schema.
func descend(s *openapi.Schema, parts []string) (BodyMember, bool) {
	m := BodyMember{Schema: s}
	for i, part := range parts {
		name, schema, ok := memberLike(m.Schema, part)
		if !ok && i > 0 && m.Schema != nil && (m.Schema.FreeForm() || m.Schema.Open || m.Schema.Values() != nil) {
			name, schema, ok = part, m.Schema.Values(), true
		}
		if !ok {
			return m, false
		}
		m.Path, m.Schema = append(m.Path, name), schema
	}
	return m, true
}

// memberLike finds a member by the user's spelling.
func memberLike(s *openapi.Schema, name string) (string, *openapi.Schema, bool) {
	for _, same := range []func(string) bool{
		func(n string) bool { return n == name },
		func(n string) bool { return strings.EqualFold(n, name) },
		func(n string) bool { return fault.Fold(n) == fault.Fold(name) },
	} {
		for _, m := range s.Members() {
			if same(m.Name) {
				return m.Name, m.Schema, true
			}
		}
	}
	return "", nil, false
}

func memberNames(s *openapi.Schema) []string {
	var names []string
	for _, m := range s.Members() {
		if !readOnly(m.Schema) {
			names = append(names, m.Name)
		}
	}
	return names
}

// unknownMember is the error for a name that is neither a parameter nor a
// member of the body.
func unknownMember(m *provider.Method, c syntax.Column, name string) *fault.Error {
	var names []string
	for _, p := range m.Parameters {
		names = append(names, p.Name)
	}
	if m.Body != nil {
		names = append(names, memberNames(m.Body.Schema)...)
		names = append(names, memberNames(m.Body.Schema.Member("properties"))...)
	}
	hint := fault.DidYouMean(name, names, "DESCRIBE METHOD "+m.FullName()+" lists what it takes")
	if strings.HasPrefix(c.Written, "@") {
		return fault.New(fault.UndefinedParameter, "%s has no parameter %s", m.FullName(), c.Written).WithHint("%s", hint)
	}
	return fault.New(fault.UndefinedParameter, "%s takes no %q", m.FullName(), c.Written).WithHint("%s", hint)
}

// assign gives the columns of a SET their places in the call.
func (k *maker) assign(set []syntax.Assignment) error {
	left := len(set) > 0
	for _, a := range set {
		at := k.at(syntax.Clause{Start: a.Column.Start, End: a.Column.End})
		s, err := slot(k.write.Method, a.Column, at)
		if err != nil {
			return fault.From(err).On(k.write.Method.FullName())
		}
		switch {
		case s.Parameter != nil && s.Parameter.In == provider.InPath:
			return fault.New(fault.InvalidValue, "%s is a part of the name, which nothing changes", a.Column.Written).
				On(k.write.Method.FullName()).At(at).WithHint("in the WHERE it selects what is changed")
		case isDefault(k.statement, a.Value):
			continue
		}
		left = left && s.Parameter != nil
		if err := k.add(s, a.Value); err != nil {
			return err
		}
	}
	if left {
		return fault.New(fault.MissingParameter, "the SET leaves nothing to send").On(k.write.Method.FullName()).At(k.home()).
			WithHint("DEFAULT leaves a member out; NULL sends null")
	}
	return nil
}

// add notes a value for a place in the call. A place has one value.
func (k *maker) add(s Slot, value syntax.Clause) error {
	for _, other := range k.values {
		switch {
		case s.Parameter != nil && other.Parameter != nil && s.Parameter.Name == other.Parameter.Name,
			s.Parameter == nil && other.Parameter == nil && slices.Equal(s.Member.Path, other.Member.Path):
			return fault.New(fault.SyntaxError, "%s is given twice", s.Written).On(k.write.Method.FullName()).At(s.span)
		case s.Parameter == nil && other.Parameter == nil && (len(s.Member.Path) == 0 || len(other.Member.Path) == 0):
			whole, part := s, other.Slot
			if len(whole.Member.Path) > 0 {
				whole, part = part, whole
			}
			return fault.New(fault.InvalidValue, "the body is given twice: by %s and by %s", whole.Written, part.Written).
				On(k.write.Method.FullName()).At(whole.span).WithHint("put %s into the JSON of %s, or name every member", part.Written, whole.Written)
		}
	}
	if value.End > 0 {
		s.span = k.at(value) // where what is wrong with the value is shown
	}
	k.values = append(k.values, slotValue{Slot: s, value: value})
	return nil
}

// isDefault tells whether a value is the word DEFAULT.
func isDefault(s *syntax.Statement, c syntax.Clause) bool {
	return c.End == 0 || strings.EqualFold(s.Text.Text[c.Start:c.End], "DEFAULT")
}
