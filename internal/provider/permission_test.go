package provider_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

func TestPermission(t *testing.T) {
	arm := &provider.Resource{Family: provider.ARM}
	const group = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
	for _, c := range []struct{ verb, path, want string }{
		{"GET", "/subscriptions", "Microsoft.Resources/subscriptions/read"},
		{"GET", "/subscriptions/{subscriptionId}/", "Microsoft.Resources/subscriptions/read"},
		{"HEAD", group, "Microsoft.Resources/subscriptions/resourceGroups/read"},
		{"PUT", group, "Microsoft.Resources/subscriptions/resourceGroups/write"},
		{"POST", group + "/exportTemplate", "Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action"},
		{"GET", "/subscriptions/{subscriptionId}/providers", "Microsoft.Resources/subscriptions/providers/read"},
		{"GET", "/subscriptions/{subscriptionId}/providers/{resourceProviderNamespace}", ""},
		{"GET", "/{resourceId}", ""},
		{"GET", group + "/providers/{namespace}/{type}/{name}", ""},
		{"PATCH", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}", "Microsoft.Compute/virtualMachines/write"},
		{"POST", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}/deallocate", "Microsoft.Compute/virtualMachines/deallocate/action"},
		{"POST", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}", ""},
		{"GET", group + "/providers/Microsoft.Storage/storageAccounts/{n}/blobServices/default", "Microsoft.Storage/storageAccounts/blobServices/read"},
		{"DELETE", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}/providers/Microsoft.Insights/diagnosticSettings/{name}", "Microsoft.Insights/diagnosticSettings/delete"},
		{"POST", "/providers/Microsoft.Management/checkNameAvailability", "Microsoft.Management/checkNameAvailability/action"},
		{"GET", "/providers/Microsoft.Management/managementGroups/{groupId}/subscriptions", "Microsoft.Management/managementGroups/subscriptions/read"},
		{"OPTIONS", "/subscriptions", ""},
		{"GET", "/", ""},
		{"GET", "", ""},
	} {
		m := &provider.Method{Resource: arm, HTTPMethod: c.verb, Path: c.path}
		if got := provider.Permission(m); got != c.want {
			t.Errorf("%s %s needs %q, want %q", c.verb, c.path, got, c.want)
		}
	}
	for _, r := range []*provider.Resource{nil, {}} {
		if got := provider.Permission(&provider.Method{Resource: r, HTTPMethod: "GET", Path: "/subscriptions"}); got != "" {
			t.Errorf("%q outside of Azure Resource Manager", got)
		}
	}
}

// Each method of the built-in documents says what it needs, but for those whose
// resource type is a parameter.
func TestPermission_catalog(t *testing.T) {
	azure, err := provider.Open(providers.FS, "azure")
	if err != nil {
		t.Fatal(err)
	}
	action := regexp.MustCompile(`^Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|action)$`)
	ends := map[string]string{"GET": "/read", "PUT": "/write", "PATCH": "/write", "DELETE": "/delete", "POST": "/action"}
	actions := map[string]string{} // by method
	for _, info := range azure.Services {
		service, err := azure.Service(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range service.Resources() {
			for _, m := range r.Methods {
				got := provider.Permission(m)
				open := strings.Contains(m.Path, "{resourceProviderNamespace}") || strings.HasPrefix(m.Path, "/{")
				if fits := action.MatchString(got) && strings.HasSuffix(got, ends[m.HTTPMethod]); fits == open || open && got != "" {
					t.Errorf("%s: %s %s needs %q", m.FullName(), m.HTTPMethod, m.Path, got)
				}
				actions[m.FullName()] = got
			}
		}
	}
	for name, want := range map[string]string{
		"desktop_virtualization.host_pools.list":                 "Microsoft.DesktopVirtualization/hostpools/read",
		"desktop_virtualization.session_hosts.update":            "Microsoft.DesktopVirtualization/hostpools/sessionhosts/write",
		"desktop_virtualization.session_hosts.delete":            "Microsoft.DesktopVirtualization/hostpools/sessionhosts/delete",
		"desktop_virtualization.user_sessions.list":              "Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions/read",
		"desktop_virtualization.user_sessions.list_by_host_pool": "Microsoft.DesktopVirtualization/hostpools/usersessions/read",
		"desktop_virtualization.user_sessions.send_message":      "Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions/sendMessage/action",
		"desktop_virtualization.user_sessions.disconnect":        "Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions/disconnect/action",
		"compute.virtual_machines.deallocate":                    "Microsoft.Compute/virtualMachines/deallocate/action",
		"subscription.subscriptions.list":                        "Microsoft.Resources/subscriptions/read",
	} {
		if got := actions["azure."+name]; !strings.EqualFold(got, want) {
			t.Errorf("%s needs %q, want %q", name, got, want)
		}
	}
}
