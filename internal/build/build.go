// Package build makes a provider in the published format from a description of
// an API: a Swagger 2.0 or OpenAPI 3 document, or a folder of them that refer to
// each other, with the extensions of Microsoft's specifications.
//
// It decides which operations make a resource, what each is called and which verb
// of SQL it answers, finds where the rows of an answer are, and keeps what the
// description says of paging, long-running operations and secrets. What it cannot
// map is a [Problem] and is left out; nothing is guessed in silence. The same input
// gives the same bytes. Start reading at [Build]; the rules of naming are in
// resources.go, those of the conversion in convert.go.
package build

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Version is the version folder of what is built, as the published sources have it.
const Version = "v00.00.00000"

// Options say what is built.
type Options struct {
	Provider string // name of the provider; empty: azure for the resource manager, else from the title
	Service  string // name of the service; empty: from the namespace of the paths, else from the title
}

// Problem is something that could not be mapped.
type Problem struct {
	Where     string // file:line
	Operation string // as VERB PATH; empty where it is none
	What      string
}

// Result is a provider as files.
type Result struct {
	Provider  string
	Service   string
	Files     map[string][]byte // by path, from the provider's folder on
	Resources []*Resource
	Problems  []Problem // in order of places
}

// Build reads the document, or all documents below a folder, and gives the
// provider. Files without paths are only read where others refer to them. An
// error is a fault.DocumentMissing or a fault.DocumentInvalid.
func Build(files fs.FS, name string, o Options) (*Result, error) {
	b := &builder{files: files, documents: map[string]*document{}, schemas: map[string]string{}, names: map[string]string{}}
	list, err := b.documentsAt(name)
	if err != nil {
		return nil, err
	}
	b.home = encode(documentServers(list[0]))
	for _, d := range list {
		b.read(d)
	}
	if len(b.operations) == 0 {
		return nil, fault.New(fault.DocumentInvalid, "%q describes no operation", name).
			WithHint("name a Swagger 2.0 or OpenAPI 3 document with paths, or a folder of them")
	}
	slices.SortStableFunc(b.operations, func(x, y *operation) int {
		if order := strings.Compare(x.path, y.path); order != 0 {
			return order
		}
		return slices.Index(verbs, x.verb) - slices.Index(verbs, y.verb)
	})
	return b.result(list, o), nil
}

// builder collects what the documents say.
type builder struct {
	files     fs.FS
	documents map[string]*document // by file
	home      []byte               // the servers of the service, as text

	schemas map[string]string // name of the component by file#pointer
	names   map[string]string // file#pointer by name, the other way
	queue   []pending         // schemas that are named and not converted yet
	done    []component

	operations []*operation
	problems   []Problem
}

// result puts the parts together.
func (b *builder) result(list []*document, o Options) *Result {
	b.convertQueue()
	r := &Result{Provider: o.Provider, Service: o.Service, Files: map[string][]byte{}}
	arm := isARM(b.operations)
	if r.Service == "" {
		r.Service = serviceName(b.operations, list[0], arm)
	}
	if r.Provider == "" {
		r.Provider = r.Service
		if arm {
			r.Provider = "azure"
		}
	}
	r.Resources = b.group()
	folder := path.Join(r.Provider, Version)
	r.Files[path.Join(folder, "provider.yaml")] = encode(b.providerFile(r, list, arm))
	r.Files[path.Join(folder, "services", r.Service+".yaml")] = encode(b.serviceFile(r, list[0]))
	slices.SortStableFunc(b.problems, func(x, y Problem) int {
		return strings.Compare(x.Operation+x.What, y.Operation+y.What)
	})
	r.Problems = b.problems
	return r
}

// problem notes what could not be mapped.
func (b *builder) problem(d *document, line int, operation, what string) {
	b.problems = append(b.problems, Problem{Where: d.at(line), Operation: operation, What: what})
}

// isARM tells whether the operations are those of Azure Resource Manager.
func isARM(list []*operation) bool {
	return slices.ContainsFunc(list, func(o *operation) bool {
		return strings.Contains(o.server, "//management.azure.com") || strings.Contains(strings.ToLower(o.path), "/providers/microsoft.")
	})
}

// serviceName names the service by the namespace of its resource provider, or
// else by the title.
func serviceName(list []*operation, first *document, arm bool) string {
	if arm {
		for _, o := range list {
			if _, after, found := cutFold(o.path, "/providers/microsoft."); found {
				name, _, _ := strings.Cut(after, "/")
				return snake(name)
			}
		}
	}
	if name := snake(word(value(first.root, "info", "title").Value)); name != "" {
		return strings.TrimSuffix(name, "_api")
	}
	return "service"
}

// cutFold is strings.Cut without regard to case.
func cutFold(text, separator string) (before, after string, found bool) {
	at := strings.Index(strings.ToLower(text), separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// String gives the problem on a line.
func (p Problem) String() string {
	parts := []string{p.Where, p.Operation, p.What}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// Summary counts what was built.
func (r *Result) Summary() string {
	methods := 0
	for _, resource := range r.Resources {
		methods += len(resource.Methods)
	}
	return fmt.Sprintf("%d resources with %d methods", len(r.Resources), methods)
}
