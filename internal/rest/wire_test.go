package rest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// wireLine is one call that Microsoft's Go client really built, and the answer
// that its documentation gives.
type wireLine struct {
	Module    string
	Operation string
	Example   string
	Method    string
	Template  string            `json:"path_template"`
	Params    map[string]string `json:"path_params"`
	Path      string
	Query     map[string]any
	Headers   map[string]string
	Request   json.RawMessage `json:"request_body"`
	Status    int             `json:"response_status"`
	Response  json.RawMessage `json:"response_body"`
}

// bindings reads which methods of the documents stand for an operation of the
// clients.
func bindings(t *testing.T) map[string][]string {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	file, err := os.Open(filepath.Join(root, "corpus", "wire", "provider_match.tsv"))
	if err != nil {
		t.Skip("no shared corpus: set PLANEQL_SHARED")
	}
	defer file.Close()
	found := map[string][]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		for _, binding := range strings.FieldsFunc(fields[len(fields)-1], func(c rune) bool { return c == ' ' || c == ',' || c == ';' || c == '|' }) {
			name, _, _ := strings.Cut(binding, ":")
			if !strings.HasPrefix(name, "azure.") {
				continue
			}
			key := fields[0] + " " + fields[1] + " " + fields[2]
			found[key] = append(found[key], name)
		}
	}
	return found
}

var templateName = regexp.MustCompile(`\{([^}]*)\}`)

// TestWire_published holds that the requests of Microsoft's own client come out
// of the published documents, and its answers become rows with nothing lost. What
// does not is listed with its reason.
func TestWire_published(t *testing.T) {
	if testing.Short() {
		t.Skip("reads sixty megabytes of documents")
	}
	names := bindings(t)
	p := documents(t, "azure-2025-09", "azure", "desktop_virtualization", "resources", "subscription", "authorization", "storage", "aks", "sql", "compute", "network")
	total, methods := map[string]int{}, map[string]*provider.Method{}
	for line := range corpus[wireLine](t, "wire") {
		bound := names[line.Module+" "+line.Operation+" "+line.Method]
		if len(bound) == 0 {
			total["without a method in the documents"]++
			continue
		}
		_, name, _ := strings.Cut(bound[0], ".")
		m := methods[name]
		if m == nil {
			m = methodOf(t, p, name)
			methods[name] = m
		}
		total["requests"]++
		if why := differs(m, line); why != "" {
			total["missed: "+why]++
		}
		if line.Response != nil {
			total["answers"]++
			if why := loses(t, m, line); why != "" {
				total["lost: "+why]++
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(total)) {
		t.Log(total[key], key)
	}
	missed, lost := 0, 0
	for key, n := range total {
		why, isMissed := strings.CutPrefix(key, "missed: ")
		if isMissed {
			missed += n
		}
		if strings.HasPrefix(key, "lost: ") {
			lost += n
		}
		if isMissed && !slices.ContainsFunc(defects, func(text string) bool { return strings.Contains(why, text) }) {
			t.Errorf("%d requests are missed and no defect of the document is known for it: %s", n, why)
		}
	}
	if requests := total["requests"]; missed*100 > requests*2 || requests < 2000 {
		t.Errorf("%d of %d requests are missed", missed, requests)
	}
	if answers := total["answers"]; lost*100 > answers || answers < 1500 {
		t.Errorf("%d of %d answers are not whole", lost, answers)
	}
}

// defects are what the documents get wrong about requests that Microsoft's
// client builds: members that schemas have lost or hold under another type, and
// a parameter that a newer version of the service has.
var defects = []string{
	"cloud_services.create_or_update body: 42804: the member properties.extensionProfile.extensions.0.properties.protectedSettings takes an object",
	`virtual_machine_scale_sets.reimage body: 42P02: the body has no member "tempDisk"`,
	"firewall_policy_idps_signatures.list body: 42804: the member filters takes an object",
	`virtual_network_gateway_connections.create_or_update body: 42P02: the body has no member "properties.localNetworkGateway2.location"`,
	`firewall_rules.replace body: 42P02: the body has no member "values.0.name"`,
	`the body has no member "identity.userAssignedIdentities"`,
	`accounts.update body: 42P02: the body has no member "properties.encryption.keyvaultproperties.keyname"`,
	`the method has no parameter "includeExtendedLocations"`,
}

// differs tells why the request of a line does not come out; empty: it does.
func differs(m *provider.Method, line wireLine) string {
	call := provider.Call{Method: m}
	names := m.PathParameters()
	for i, found := range templateName.FindAllStringSubmatch(line.Template, -1) {
		if i < len(names) {
			call.Arguments = append(call.Arguments, provider.Argument{Name: names[i], Value: line.Params[found[1]]})
		}
	}
	for name, value := range line.Query {
		if name != "api-version" {
			call.Arguments = append(call.Arguments, provider.Argument{Name: name, Value: fmt.Sprint(value)})
		}
	}
	for name, value := range line.Headers {
		if p, ok := m.Parameter(name); ok && p.In == provider.InHeader {
			call.Arguments = append(call.Arguments, provider.Argument{Name: p.Name, Value: value})
		}
	}
	if line.Request != nil {
		call.Body = line.Request
		if err := plan.CheckBody(m, line.Request); err != nil {
			return m.FullName() + " body: " + err.Error()
		}
	}
	r, err := direct().Request(call)
	if err != nil {
		return m.FullName() + err.Error()
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return err.Error()
	}
	query := u.Query()
	query.Del("api-version")
	want := url.Values{}
	for name, value := range line.Query {
		if name != "api-version" {
			want.Set(name, fmt.Sprint(value))
		}
	}
	sent, _ := url.PathUnescape(line.Path)
	switch {
	case r.Method != line.Method:
		return "method " + r.Method
	case !strings.EqualFold(u.Path, sent):
		return "path " + u.Path + " is not " + line.Path
	case query.Encode() != want.Encode():
		return "query " + query.Encode() + " is not " + want.Encode()
	case !sameJSON(r.Body, line.Request):
		return "body"
	}
	return ""
}

func sameJSON(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// loses tells what of an answer does not become rows; empty: nothing.
func loses(t *testing.T, m *provider.Method, line wireLine) string {
	t.Helper()
	c := courseOf(m)
	reply, err := c.read(&transport.Response{Status: line.Status, Body: line.Response, Header: http.Header{"Content-Type": {"application/json"}}})
	if err != nil {
		return err.Error()
	}
	var list struct {
		Value []json.RawMessage `json:"value"`
	}
	want := []json.RawMessage{bytes.TrimSpace(line.Response)}
	switch {
	case json.Unmarshal(line.Response, &list) == nil && list.Value != nil && m.Response.List:
		want = list.Value
	case line.Response[0] == '[':
		want = nil
		_ = json.Unmarshal(line.Response, &want)
	}
	got := reply.items
	if !reply.found && reply.whole != nil {
		got = [][]byte{reply.whole}
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%d rows instead of %d in %s", len(got), len(want), m.FullName())
	}
	for i, item := range got {
		if !bytes.Equal(item, want[i]) {
			return fmt.Sprintf("%s a row differs %.150s %.150s", m.FullName(), item, want[i])
		}
	}
	return ""
}
