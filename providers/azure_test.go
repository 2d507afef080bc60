package providers

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const avdFile = "azure/v00.00.00000/services/desktop_virtualization.yaml"

// The published page of user_sessions, as facts: people have statements written after it.
var userSessions = []struct {
	method, verb       string
	required, optional []string
}{
	{"get", "select", session, nil},
	{"list", "select", session[:4], []string{"pageSize", "isDescending", "initialSkip"}},
	{"list_by_host_pool", "select", session[:3], []string{"$filter", "pageSize", "isDescending", "initialSkip"}},
	{"delete", "delete", session, []string{"force"}},
	{"disconnect", "exec", session, nil},
	{"send_message", "exec", session, nil},
}

var session = []string{"subscriptionId", "resourceGroupName", "hostPoolName", "sessionHostName", "userSessionId"}

// child finds a key of a mapping node, and keys lists them in document order.
func child(n *yaml.Node, names ...string) *yaml.Node {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, name := range names {
		i := slices.Index(keys(n), name)
		if i < 0 {
			return &yaml.Node{}
		}
		n = n.Content[2*i+1]
	}
	return n
}

func keys(n *yaml.Node) []string {
	var names []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		names = append(names, n.Content[i].Value)
	}
	return names
}

// verbs lists the verbs of a method, exec where no list names it.
func (d document) verbs(m method) []string {
	var found []string
	for verb, refs := range members(d.root, "components", "x-stackQL-resources", m.resource, "sqlVerbs") {
		for _, r := range refs.([]any) {
			if strings.HasSuffix(text(r, "$ref"), "/methods/"+m.name) {
				found = append(found, verb)
			}
		}
	}
	if found == nil {
		return []string{"exec"}
	}
	slices.Sort(found)
	return found
}

func (d document) method(t *testing.T, resource, name string) method {
	t.Helper()
	for _, m := range d.methods(t) {
		if m.resource == resource && m.name == name {
			return m
		}
	}
	t.Fatalf("%s: no method %s.%s", d.name, resource, name)
	return method{}
}

func TestUserSessionsMethods(t *testing.T) {
	d := load(t, avdFile)
	var names []string
	for _, want := range userSessions {
		names = append(names, want.method)
		m := d.method(t, "user_sessions", want.method)
		if got := d.parameters(m.op, required); !slices.Equal(got, want.required) {
			t.Errorf("%s: required %v, want %v", m, got, want.required)
		}
		if got := d.parameters(m.op, optional); !slices.Equal(got, want.optional) {
			t.Errorf("%s: optional %v, want %v", m, got, want.optional)
		}
		if got := d.verbs(m); !slices.Equal(got, []string{want.verb}) {
			t.Errorf("%s: verbs %v, want %s", m, got, want.verb)
		}
	}
	methods := child(d.node, "components", "x-stackQL-resources", "user_sessions", "methods")
	if got := keys(methods); !slices.Equal(got, names) {
		t.Errorf("methods %v, want %v", got, names)
	}
}

func TestUserSessionsTypes(t *testing.T) {
	d := load(t, avdFile)
	want := map[string]string{
		"subscriptionId": "string uuid", "resourceGroupName": "string ", "hostPoolName": "string ",
		"sessionHostName": "string ", "userSessionId": "string ", "$filter": "string ", "force": "boolean ",
		"pageSize": "integer int32", "initialSkip": "integer int32", "isDescending": "boolean ",
	}
	for _, row := range userSessions {
		for _, p := range list(d.method(t, "user_sessions", row.method).op, "parameters") {
			def := d.resolve(p)
			if got := text(def, "schema", "type") + " " + text(def, "schema", "format"); got != want[text(def, "name")] {
				t.Errorf("%s: %s is %q, want %q", row.method, text(def, "name"), got, want[text(def, "name")])
			}
		}
	}
	fields := []string{"id string arm-id", "name string ", "properties object ", "systemData object ", "type string "}
	for _, name := range []string{"get", "list", "list_by_host_pool"} {
		row := d.row(d.method(t, "user_sessions", name))
		var got []string
		for _, f := range keys(child(d.node, "components", "schemas", "UserSession", "properties")) {
			def := d.resolve(at(row, "properties", f))
			got = append(got, f+" "+text(def, "type")+" "+text(def, "format"))
		}
		if !slices.Equal(got, fields) {
			t.Errorf("%s: fields %q, want %q", name, got, fields)
		}
	}
	body := child(d.node, "components", "schemas", "SendMessage", "properties")
	if got := keys(body); !slices.Equal(got, []string{"messageTitle", "messageBody"}) {
		t.Errorf("send_message takes %v", got)
	}
}

// What an engine may do without asking hangs on these marks.
func TestMarks(t *testing.T) {
	var readOnly, running, secret []string
	for _, d := range services(t) {
		for _, m := range d.methods(t) {
			if on, _ := m.op["x-planeql-read-only"].(bool); on {
				readOnly = append(readOnly, m.String())
			}
			if on, _ := m.op["x-ms-long-running-operation"].(bool); on {
				running = append(running, m.String())
			}
			if rows := text(m.def, "response", "objectKey") != ""; rows && m.verb == "get" && text(m.op, "x-ms-pageable", "nextLinkName") == "" && m.resource != "locations" {
				t.Errorf("%s.%s: a list that does not page", d.name, m)
			}
		}
		walk(d.root, nil, func(at []string, m object) {
			if on, _ := m["x-ms-secret"].(bool); on {
				secret = append(secret, at[len(at)-3]+"."+at[len(at)-1])
			}
		})
	}
	want := map[string][]string{
		"read-only": {"app_attach_packages.import_info", "host_pools.retrieve_registration_token", "host_pools_registration_tokens.list", "msix_images.expand"},
		"long-running": {"resource_groups.delete", "virtual_machines.create_or_update", "virtual_machines.deallocate", "virtual_machines.delete", "virtual_machines.power_off",
			"virtual_machines.reapply", "virtual_machines.redeploy", "virtual_machines.restart", "virtual_machines.start", "virtual_machines.update"},
		"secret": {"BootDiagnosticsInstanceView.consoleScreenshotBlobUri", "BootDiagnosticsInstanceView.serialConsoleLogBlobUri",
			"OSProfile.adminPassword", "OSProfile.customData", "RegistrationInfo.token", "RegistrationTokenMinimal.token",
			"VirtualMachineExtensionProperties.protectedSettings", "WindowsConfiguration.additionalUnattendContent"},
	}
	for name, got := range map[string][]string{"read-only": readOnly, "long-running": running, "secret": secret} {
		slices.Sort(got)
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s: %v\nwant %v", name, got, want[name])
		}
	}
}

// Ids take part in joins, which must ignore case; the format says so.
func TestIdsAreMarked(t *testing.T) {
	d := load(t, avdFile)
	for _, name := range []string{
		"HostPool.id", "SessionHostProperties.resourceId", "ApplicationGroupProperties.hostPoolArmPath",
		"ApplicationGroupProperties.workspaceArmPath", "ScalingHostPoolReference.hostPoolArmPath", "PrivateEndpoint.id",
	} {
		schema, member, _ := strings.Cut(name, ".")
		if got := text(d.root, "components", "schemas", schema, "properties", member, "format"); got != "arm-id" {
			t.Errorf("%s: format %q", name, got)
		}
	}
	for _, name := range []string{
		"HostPoolProperties.applicationGroupReferences", "HostPoolProperties.appAttachPackageReferences",
		"WorkspaceProperties.applicationGroupReferences", "AppAttachPackageProperties.hostPoolReferences",
	} {
		schema, member, _ := strings.Cut(name, ".")
		if got := text(d.root, "components", "schemas", schema, "properties", member, "items", "format"); got != "arm-id" {
			t.Errorf("%s: format %q of the items", name, got)
		}
	}
}
