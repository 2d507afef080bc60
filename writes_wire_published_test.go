package planeql_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/provider"
)

// wireServices are the services of the documents that the wire corpus calls.
var wireServices = []string{"desktop_virtualization", "resources", "subscription", "authorization", "storage", "aks", "sql", "compute", "network"}

// operations gives the methods of services by the operation that they call.
func operations(t *testing.T, p *provider.Provider, services []string) map[string]*provider.Method {
	t.Helper()
	byKey := map[string]*provider.Method{}
	for _, name := range services {
		service, err := p.Service(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range service.Resources() {
			for _, m := range r.Methods {
				key := operationKey(m.HTTPMethod, m.Path)
				if known := byKey[key]; known == nil || known.Verbs[0] == provider.Exec {
					byKey[key] = m
				}
			}
		}
	}
	return byKey
}

// verbFor gives the verb by which a statement makes a call: the document's own
// where it has one. UPDATE by PUT reads before it writes.
func verbFor(m *provider.Method, body []byte) provider.Verb {
	for _, verb := range m.Verbs {
		empty := len(bytes.Trim(body, "{} ")) == 0
		if verb != provider.Select && (verb != provider.Update || m.HTTPMethod != http.MethodPut && !empty) {
			return verb
		}
	}
	return provider.Exec
}

// onlyAsJSON is why the members of a body cannot be columns: an empty object has
// none, a template's names begin with $, and the document marks as read-only, or
// does not list, what its examples send.
var onlyAsJSON = []string{
	"needs a body", "is read-only: the service writes it", "has no parameter @$schema",
	`admin_rules.create_or_update takes no "properties.`, "WalkUpdateDomain body: {}", "TableClient.Create body: ",
}

// documentDefects are what the documents get wrong about bodies, which no form
// of a statement can send: members that schemas have lost or hold under another
// type.
var documentDefects = []string{
	"the member properties.extensionProfile.extensions.0.properties.protectedSettings takes an object",
	`reimage has no parameter @tempDisk`,
	`"filters" takes a value of the type object`,
	`the body has no member "properties.localNetworkGateway2.location"`,
	`the body has no member "values.0.name"`,
	`the body has no member "identity.userAssignedIdentities"`,
	`the body has no member "properties.encryption.keyvaultproperties.keyname"`,
}

// For every PUT, PATCH, POST and DELETE of the recorded calls that the published
// documents know, a statement sends the same request: with a column for each
// value, or with the body as JSON where columns cannot.
func TestWire_publishedWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("reads sixty megabytes of documents")
	}
	documents := published(t, "azure-2025-09.tar.zst", "azure")
	p, err := provider.Open(documents, "azure")
	if err != nil {
		t.Fatal(err)
	}
	byKey := operations(t, p, wireServices)
	st := newStage(t)
	s := open(t, st.URL, planeql.WithDocuments(documents, "azure"), planeql.WithVariables(map[string]string{"open": "{{"}))
	files, err := filepath.Glob(filepath.Join(shared(t, "corpus", "wire"), "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	total := map[string]int{}
	for _, file := range files {
		for _, line := range jsonLines[wireLine](t, "corpus", "wire", filepath.Base(file)) {
			m := byKey[operationKey(line.Method, line.Template)]
			switch {
			case line.Method == http.MethodGet:
			case m == nil:
				total["in no document: "+line.Operation]++
			default:
				total["statements"]++
				total[line.sentBy(t, s, st, m)]++
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(total)) {
		t.Log(total[key], key)
	}
	missed := total["statements"] - total["by columns"] - total["as JSON"]
	if total["statements"] < 1200 || missed*100 > total["statements"] || total["by columns"]*100 < total["statements"]*97 {
		t.Errorf("of %d requests %d are sent by columns, %d by no statement", total["statements"], total["by columns"], missed)
	}
}

// sentBy tells by which form of a statement the request of a line is sent. A
// reason that is not known is an error.
func (l wireLine) sentBy(t *testing.T, s *planeql.Session, st *stage, m *provider.Method) string {
	t.Helper()
	args := l.arguments(m)
	text := writeFor(t, m, verbFor(m, l.Request), args, l.Request)
	head, rest, _ := strings.Cut(text, " ")
	why := l.differs(s, st, head+" /*+ NOWAIT */ "+rest)
	known := func(list []string) string {
		i := slices.IndexFunc(list, func(text string) bool { return strings.Contains(why, text) })
		if i < 0 {
			t.Errorf("%s, %s: %s\n%s", m.FullName(), l.Example, why, text)
			return "for no known reason"
		}
		return list[i]
	}
	switch {
	case why == "":
		return "by columns"
	case l.differs(s, st, statementFor(m, args, l.Request, false)) == "":
		known(onlyAsJSON)
		return "as JSON"
	}
	return "missed: " + known(documentDefects)
}

// differs says why a statement does not send the request of a line; empty: it
// does. Braces that are text are no placeholder.
func (l wireLine) differs(s *planeql.Session, st *stage, text string) string {
	st.tell(func(heard) reply { return reply{status: l.Status, body: l.Response} })
	if _, err := ask(s, strings.ReplaceAll(text, "{{", "{{ open }}")); err != nil {
		return printed(err)
	}
	r := &recorder{}
	if l.checkHeard(r, st.told()); r.text != "" {
		return fmt.Sprintf("%s body: %s\n%s", l.Operation, l.Request, r.text)
	}
	return ""
}

// recorder notes what is wrong instead of failing a test.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Errorf(format string, args ...any) { r.text += fmt.Sprintf(format, args...) + "\n" }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }
