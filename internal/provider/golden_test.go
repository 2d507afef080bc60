package provider

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// golden is what the incumbent makes of a resource.
type golden struct {
	Service  string         `json:"service"`
	Resource string         `json:"resource"`
	Methods  []goldenMethod `json:"methods"`
}

type goldenMethod struct {
	Method   string      `json:"method"`
	Verb     string      `json:"verb"`
	Required []string    `json:"required"`
	Optional []string    `json:"optional"`
	Columns  [][2]string `json:"columns"`
	Err      string      `json:"err"`
}

// goldens reads what the incumbent makes of a provider.
func goldens(t testing.TB, archive, name string) []golden {
	t.Helper()
	file, err := os.Open(shared(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(1<<27), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	archived := tar.NewReader(plain)
	for {
		header, err := archived.Next()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if path.Base(header.Name) != Folder(name)+".jsonl" {
			continue
		}
		var list []golden
		lines := json.NewDecoder(archived)
		for {
			var g golden
			if err := lines.Decode(&g); errors.Is(err, io.EOF) {
				return list
			} else if err != nil {
				t.Fatal(err)
			}
			list = append(list, g)
		}
	}
}

// comparison counts how methods differ from what the incumbent makes of them,
// by the reason.
type comparison struct {
	resources, methods, selects int
	reasons                     map[string]int
	unexplained                 []string
}

func (c *comparison) because(reason string) { c.reasons[reason]++ }

func (c *comparison) differs(m *Method, format string, args ...any) {
	c.unexplained = append(c.unexplained, m.FullName()+": "+fmt.Sprintf(format, args...))
}

// compare compares a provider with what the incumbent makes of it.
func compare(p *Provider, list []golden) *comparison {
	c := &comparison{reasons: map[string]int{}}
	for _, g := range list {
		s, err := p.Service(g.Service)
		if err != nil {
			c.unexplained = append(c.unexplained, err.Error())
			continue
		}
		r, ok := s.Resource(g.Resource)
		if !ok {
			c.unexplained = append(c.unexplained, s.Name+"."+g.Resource+" is not there")
			continue
		}
		c.resources++
		for _, method := range g.Methods {
			m, ok := r.Method(method.Method)
			if !ok && len(r.Problems) > 0 {
				c.methods++
				c.because("left out here, as provider show --problems tells: " + strings.Split(fault.From(r.Problems[0]).Message, `"`)[0])
				continue
			}
			if !ok {
				c.unexplained = append(c.unexplained, r.Path()+"."+method.Method+" is not there")
				continue
			}
			c.method(s, m, method)
		}
	}
	return c
}

// method compares one method.
func (c *comparison) method(s *Service, m *Method, g goldenMethod) {
	at := placeOf(s, m)
	c.methods++
	switch listed := s.cells[m.Resource.Name].node.At("sqlVerbs", g.Verb); {
	case slices.Contains(m.Verbs, Verb(g.Verb)):
	case listed != nil && slices.Contains([]string{"create", "insert", "get", "list", "select", "delete"}, m.Name):
		c.because("a verb whose list does not have the method: its name does not stand in for that here")
	default:
		c.differs(m, "serves %v, not %s", m.Verbs, g.Verb)
	}
	ours := inputs(m)
	at.bodiless = !slices.ContainsFunc(append(slices.Clone(g.Required), g.Optional...), func(name string) bool {
		return hasMember(m, strings.TrimPrefix(name, "data__"))
	})
	theirs := map[string]bool{}
	for _, name := range g.Required {
		theirs[name] = true
	}
	for _, name := range g.Optional {
		theirs[name] = false
	}
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		c.input(m, at, name, theirs[name], ours)
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := theirs[name]; !ok {
			c.extra(m, at, name, ours[name])
		}
	}
	if g.Columns != nil || g.Err != "" {
		c.selects++
		c.columns(m, at, g)
	}
}

// input is something that a caller may give.
type input struct {
	required bool
	in       Location
	body     bool
}

// inputs gives the parameters of a method and the members of its body, by the
// names that the incumbent's users write.
func inputs(m *Method) map[string]input {
	all := map[string]input{}
	if m.Body != nil {
		prefix := ""
		if m.Body.Naming == "" {
			prefix = "data__"
		}
		for _, member := range m.Body.Schema.Members() {
			all[prefix+member.Name] = input{required: slices.Contains(m.Body.Schema.Required, member.Name), body: true}
		}
	}
	for _, p := range m.Parameters {
		all[p.Name] = input{required: p.Required, in: p.In}
	}
	return all
}

// place is where the document has a method.
type place struct {
	node *openapi.Node
	op   operation
	root *openapi.Node

	bodiless bool // the incumbent takes no member of the body
}

// placeOf finds a method in its document.
func placeOf(s *Service, m *Method) place {
	cell := s.cells[m.Resource.Name]
	n := cell.node.At("methods", m.Name)
	l := loader{service: cell.from, doc: cell.from.doc, root: cell.from.doc.Root()}
	op, _ := l.operation(n) // the method was read, so there is one
	return place{node: n, op: op, root: l.root}
}

// ofPath tells whether a parameter is declared for the path, not the operation.
func (p place) ofPath(name string) bool {
	for _, item := range p.op.item.At("parameters").Items() {
		if n, err := item.Follow(); err == nil && n.At("name").Text() == name {
			return true
		}
	}
	return false
}

// composed tells whether the schema of the body is put together of others.
func (p place) composed() bool {
	body, _ := p.op.node.At("requestBody").Follow()
	for _, content := range body.At("content").Entries() {
		schema, _ := content.Value.At("schema").Follow()
		for _, word := range []string{"allOf", "anyOf", "oneOf"} {
			if schema.At(word) != nil {
				return true
			}
		}
	}
	return false
}

// requiredBeside tells whether a member is required by what stands beside the
// reference to the schema of the body.
func (p place) requiredBeside(name string) bool {
	body, _ := p.op.node.At("requestBody").Follow()
	for _, content := range body.At("content").Entries() {
		schema := content.Value.At("schema")
		if schema.At("$ref") != nil && slices.Contains(schema.At("required").Texts(), name) {
			return true
		}
	}
	return false
}

// inherits tells whether the schema of a row has properties beside allOf.
func (p place) inherits(m *Method) bool {
	answer, _ := p.op.node.At("responses", p.node.At("response", "openAPIDocKey").Text()).Follow()
	n, _ := answer.At("content", m.Response.MediaType, "schema").Follow()
	for _, name := range m.Response.ItemsPath {
		n, _ = n.At("properties", name).Follow()
	}
	if items := n.At("items"); items != nil {
		n, _ = items.Follow()
	}
	return n.At("allOf") != nil && n.At("properties") != nil
}

// alternatives tells whether the answer is one of several.
func (p place) alternatives() bool {
	answer, err := p.op.node.At("responses", p.node.At("response", "openAPIDocKey").Text()).Follow()
	if err != nil {
		return false
	}
	for _, content := range answer.At("content").Entries() {
		schema, _ := content.Value.At("schema").Follow()
		if schema.At("oneOf") != nil || schema.At("anyOf") != nil {
			return true
		}
	}
	return false
}

// folded finds an input whose name is the same but for case and underscores.
func folded(ours map[string]input, name string) bool {
	for other := range ours {
		if fault.Fold(other) == fault.Fold(name) {
			return true
		}
	}
	return false
}

// hasMember tells whether the body has a member of the name.
func hasMember(m *Method, name string) bool {
	return m.Body != nil && m.Body.Schema.Member(name) != nil
}

// repeated tells whether a name is MEMBER_NAME, by which the incumbent calls the
// second occurrence of NAME in the parts of a composed schema.
func repeated(name string, known func(string) bool) bool {
	for i := range name {
		if name[i] == '_' && known(name[i+1:]) {
			return true
		}
	}
	return false
}

// input explains how an input of the incumbent's differs from ours.
func (c *comparison) input(m *Method, at place, name string, required bool, ours map[string]input) {
	i, ok := ours[name]
	plain := strings.TrimPrefix(name, "data__")
	switch {
	case ok && i.required == required:
	case ok && i.in == InServer && required:
		c.because("a variable of a server with a default is optional here, required there")
	case ok && i.body && i.required && at.composed():
		c.because("what a composed schema requires is optional there")
	case ok && !i.body && hasMember(m, name):
		c.because("a parameter and a member of the body have one name: there the member counts")
	case ok && i.required && i.body && slices.Contains(at.node.At("request", "required").Texts(), plain):
		c.because("what request.required names is only shown as required there")
	case ok && i.required && i.body && at.requiredBeside(plain):
		c.because("what stands beside a $ref counts here: a member is required")
	case ok && i.required && i.in == InPath:
		c.because("a variable of the path that the document does not call required is optional there: the call cannot be made")
	case ok && i.required && at.ofPath(name):
		c.because("a parameter of the path item is optional there")
	case ok:
		c.differs(m, "%s is required: %v, not %v (%s)", name, i.required, required, i.in)
	case slices.ContainsFunc(m.Constants, func(k Constant) bool { return k.Name == name }):
		c.because("a parameter with one possible value is no input here")
	case m.Body != nil && m.Body.Wrap != "" && m.Body.Envelope.Member(plain) != nil, at.wraps():
		c.because("a body that is put into a member of another: there the members of the outer one are inputs")
	case required && !strings.Contains(m.Server, "{"+name+"}") && at.declares(name):
		c.because("a variable that the URL of the server does not have is required there")
	case repeated(plain, func(rest string) bool { return hasMember(m, rest) }):
		c.because("a member that several parts of a composed schema have is there once more, as PART_NAME")
	case required && at.displaced(m, name):
		c.because("a path parameter that has no place in the path is required there: the call cannot be made")
	case at.hasConstant(name):
		c.because("a parameter that the path's query fixes is no input here")
	case at.node.At("request", "schema_override") != nil:
		c.because("a body with a schema_override: there the members of the operation's own schema are inputs")
	case name == "false" && ours["n"].body:
		c.because("the member n is false there, as YAML 1.1 reads it")
	case folded(ours, name):
		c.because("an input in another casing: both are found here")
	default:
		c.differs(m, "%s (required: %v) is no input", name, required)
	}
}

// wraps tells whether the body is put into a member of another.
func (p place) wraps() bool {
	return strings.HasPrefix(p.node.At("config", "requestBodyTranslate", "algorithm").Text(), "naive_")
}

// declares tells whether a server declares a variable.
func (p place) declares(name string) bool {
	for _, level := range []*openapi.Node{p.op.node, p.op.item, p.root} {
		for _, server := range level.At("servers").Items() {
			if server.At("variables", name) != nil {
				return true
			}
		}
	}
	return false
}

// displaced tells whether a parameter is declared for the path and has no place
// in it.
func (p place) displaced(m *Method, name string) bool {
	for _, item := range append(p.op.node.At("parameters").Items(), p.op.item.At("parameters").Items()...) {
		n, err := item.Follow()
		if err == nil && n.At("name").Text() == name && n.At("in").Text() == string(InPath) {
			return !slices.Contains(m.PathParameters(), name)
		}
	}
	return false
}

// hasConstant tells whether the path key has a value for a parameter.
func (p place) hasConstant(name string) bool { return strings.Contains(p.op.key, name+"=") }

// extra explains an input that the incumbent does not have.
func (c *comparison) extra(m *Method, at place, name string, i input) {
	switch {
	case i.in == InPath:
		c.because("a variable of a path that the document does not declare is missing there: the call cannot be made")
	case i.in == InBody:
		c.because("a member of the body by which a list is filtered or goes on is an input here")
	case !i.required && at.ofPath(name):
		c.because("an optional parameter of the path item is no input there")
	case i.in == InServer && m.Body == nil:
		c.because("a variable of a server is not listed there for methods without a body")
	case i.in == InServer:
		c.because("a variable of a server that only the operation or the path names, or that is not declared")
	case i.body && at.wraps():
		c.because("a body that is put into a member of another: here the members of the inner one are inputs")
	case i.body && at.composed():
		c.because("what a schema has from others beside its own properties is no input there")
	case i.body && at.node.At("request", "transform") != nil:
		c.because("a body that a template makes: its members are no inputs there")
	case i.body && at.bodiless:
		c.because("no member of the body is an input there")
	case i.body && at.node.At("request").Missing():
		c.because("a body for which the method has no request is no input there")
	default:
		c.differs(m, "%s (required: %v, in %s, body %v) is an input", name, i.required, i.in, i.body)
	}
}

// columns compares the columns of a row.
func (c *comparison) columns(m *Method, at place, g goldenMethod) {
	if g.Err != "" {
		c.because("no columns there: " + strings.TrimRight(strings.Split(g.Err, " = ")[0], " "))
		return
	}
	if at.node.At("response", "objectKey").Missing() && len(m.Response.ItemsPath) > 0 && !slices.Equal(m.Response.ItemsPath, []string{"items"}) {
		c.because("a list for which the document names no objectKey: its elements are the rows here, the answer there")
		return
	}
	if len(g.Columns) == 1 && g.Columns[0][0] == "column_anon" && m.Response.Item.Type == "object" {
		c.because("an object that has items beside its properties is a text there")
		return
	}
	ours, byFold, alike := map[string]*openapi.Schema{}, map[string]string{}, map[string]int{}
	for _, member := range m.Response.Item.Members() {
		ours[member.Name] = member.Schema
		byFold[fault.Fold(member.Name)] = member.Name
		alike[fault.Fold(member.Name)]++
	}
	all := maps.Clone(ours)
	for _, column := range g.Columns {
		name := column[0]
		s, ok := all[name]
		if !ok {
			if s, ok = all[byFold[fault.Fold(name)]]; ok {
				name = byFold[fault.Fold(name)]
				c.because("a column in snake case: both spellings are found here")
			}
		}
		delete(ours, name)
		c.column(m, column, s, ok, all)
	}
	for name := range ours {
		if alike[fault.Fold(name)] > 1 {
			c.because("two columns whose names differ only in case: one of them there")
			continue
		}
		if at.inherits(m) {
			c.because("what a schema has from others beside its own properties is no column there")
			continue
		}
		if at.alternatives() {
			c.because("an answer of several alternatives: here columns are those of all, there of one")
			continue
		}
		c.differs(m, "%s is a column", name)
	}
}

// column compares one column.
func (c *comparison) column(m *Method, column [2]string, s *openapi.Schema, ok bool, all map[string]*openapi.Schema) {
	known := func(rest string) bool { return all[rest] != nil }
	kind := ""
	if s != nil {
		kind = s.Type
	}
	switch {
	case ok && kind == column[1]:
	case ok && column[1] == "":
		c.because("the type of a column follows from its shape or its parts: there it has none")
	case ok:
		c.differs(m, "the column %s is of type %q, not %q", column[0], kind, column[1])
	case column[0] == "column_anon":
		c.because("a row that is one value is column_anon there")
	case repeated(column[0], known):
		c.because("a member that several parts of a composed schema have is there once more, as PART_NAME")
	default:
		c.differs(m, "there is no column %s", column[0])
	}
}

// tally is what is counted of a provider.
type tally struct {
	services, resources, methods, left int
	files                              int // documents that are there
}

// checkCounts holds a provider to the counts of counts.json, service by service.
// A method that is left out counts: the problems of its resource say why.
// Documents that are missing from the published set have none.
func checkCounts(t *testing.T, p *Provider, set string) tally {
	t.Helper()
	want := counted(t, set, Folder(p.Name))
	got := tally{services: len(p.Services)}
	for _, info := range p.Services {
		s, err := p.Service(info.Name)
		if err != nil {
			continue
		}
		views, methods, left := 0, 0, 0
		for _, r := range s.Resources() {
			methods += len(r.Methods)
			left += len(r.Problems)
			if r.View != "" {
				views++
			}
		}
		got.files++
		got.resources += len(s.Names())
		got.methods += methods + left
		got.left += left
		n := want.By[info.Name]
		if n == nil { // okta's provider.yaml writes org.yaml for the file Org.yaml
			n = want.By["Org"]
		}
		if len(n) != 3 || n[0] != len(s.Names()) || n[1] != views || n[2] != methods+left {
			t.Errorf("%s.%s: %d resources, %d of them views, %d methods; want %v", p.Name, info.Name, len(s.Names()), views, methods+left, n)
		}
	}
	if got.resources != want.Resources || got.methods != want.Methods || got.services != want.Services {
		t.Errorf("%s: %d services, %d resources, %d methods; want %d, %d, %d",
			p.Name, got.services, got.resources, got.methods, want.Services, want.Resources, want.Methods)
	}
	return got
}

// goldenSets are the sets of published documents: all providers of the registry,
// and the documents of Azure of September 2025.
var goldenSets = []struct {
	variable, golden, counts string
	providers                map[string][]string // archive -> providers that are compared where there is no folder
}{
	{"PLANEQL_GOLDEN", "loader-golden.tar.zst", "registry", map[string][]string{
		"anthropic.tar.zst": {"anthropic"}, "azure_stack.tar.zst": {"azure_stack"}, "clickhouse.tar.zst": {"clickhouse"},
		"fivetran.tar.zst": {"fivetran"}, "homebrew.tar.zst": {"homebrew"}, "kafka.tar.zst": {"kafka"},
		"openai.tar.zst": {"openai"}, "snowflake.tar.zst": {"snowflake"}, "vercel.tar.zst": {"vercel"},
	}},
	{"PLANEQL_GOLDEN_2025_09", "loader-golden-azure-2025-09.tar.zst", "azure_2025_09", map[string][]string{
		"azure-2025-09.tar.zst": {"azure_stack", "azure_isv"},
	}},
}

// TestGolden compares a part of the published providers with what the incumbent
// makes of the same documents: every difference has a reason. With the names of
// folders of installed providers in PLANEQL_GOLDEN and PLANEQL_GOLDEN_2025_09 it
// compares all of those.
func TestGolden(t *testing.T) {
	if testing.Short() {
		t.Skip("reads many documents")
	}
	for _, set := range goldenSets {
		total, all := comparison{reasons: map[string]int{}}, tally{}
		for _, p := range goldenProviders(t, os.Getenv(set.variable), set.providers) {
			n := checkCounts(t, p, set.counts)
			c := compare(p, goldens(t, set.golden, p.Name))
			for _, text := range c.unexplained {
				t.Error(text)
			}
			t.Logf("%-22s %4d services (%d documents), %5d resources, %5d methods, %d of them left out; compared: %5d methods, %5d of them select",
				p.Name, n.services, n.files, n.resources, n.methods, n.left, c.methods, c.selects)
			all = tally{all.services + n.services, all.resources + n.resources, all.methods + n.methods, all.left + n.left, all.files + n.files}
			total.resources, total.methods, total.selects = total.resources+c.resources, total.methods+c.methods, total.selects+c.selects
			for reason, n := range c.reasons {
				total.reasons[reason] += n
			}
		}
		t.Logf("%s: %+v; compared: %d resources, %d methods, %d of them select", set.counts, all, total.resources, total.methods, total.selects)
		if all.left*200 > all.methods {
			t.Errorf("%d of %d methods are left out", all.left, all.methods)
		}
		for _, reason := range slices.Sorted(maps.Keys(total.reasons)) {
			t.Logf("%7d %s", total.reasons[reason], reason)
		}
	}
}

// goldenProviders opens those of a folder, or of archives where none is named.
func goldenProviders(t *testing.T, folder string, archives map[string][]string) []*Provider {
	t.Helper()
	var list []*Provider
	if folder != "" {
		names, _ := Installed(folder)
		for _, name := range names {
			p, err := OpenInstalled(folder, name, "")
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
		return list
	}
	for _, archive := range slices.Sorted(maps.Keys(archives)) {
		files := published(t, archive)
		for _, name := range archives[archive] {
			p, err := Open(files, name)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
	}
	return list
}
