package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sub = "11111111-1111-1111-1111-111111111111"

// hostPools is a resource of the ARM family with hand-made methods.
func hostPools(methods ...*provider.Method) *provider.Resource {
	r := &provider.Resource{
		Provider: "azure", Service: "desktop_virtualization", Name: "host_pools", Family: provider.ARM, Methods: methods,
	}
	for _, m := range methods {
		m.Resource = r
	}
	return r
}

func pathParameters(path string) []provider.Parameter {
	var list []provider.Parameter
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		list = append(list, provider.Parameter{Name: name, In: provider.InPath, Required: true})
	}
	return list
}

const poolPath = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}" +
	"/providers/Microsoft.DesktopVirtualization/hostPools/{hostPoolName}"

func version() []provider.Constant {
	return []provider.Constant{{Name: "api-version", Value: "2024-04-03"}}
}

// listMethod lists host pools of a subscription.
func listMethod() *provider.Method {
	path := "/subscriptions/{subscriptionId}/providers/Microsoft.DesktopVirtualization/hostPools"
	m := &provider.Method{
		Name: "list", Verbs: []provider.Verb{provider.Select}, HTTPMethod: http.MethodGet, ReadOnly: true,
		Server: "https://management.azure.com", Path: path, Constants: version(),
		Parameters: append(pathParameters(path), provider.Parameter{Name: "$filter", In: provider.InQuery}),
		Response:   provider.Response{ItemsPath: []string{"value"}},
	}
	hostPools(m)
	return m
}

// poolMethod is a method on one host pool.
func poolMethod(name, verb string) *provider.Method {
	m := &provider.Method{
		Name: name, HTTPMethod: verb, ReadOnly: verb == http.MethodGet,
		Server: "https://management.azure.com", Path: poolPath, Constants: version(), Parameters: pathParameters(poolPath),
	}
	hostPools(m)
	return m
}

func listCall() provider.Call {
	return provider.Call{Method: listMethod(), Arguments: []provider.Argument{{Name: "subscriptionId", Value: sub}}}
}

func poolCall(m *provider.Method) provider.Call {
	return provider.Call{Method: m, Arguments: []provider.Argument{
		{Name: "subscriptionId", Value: sub}, {Name: "resourceGroupName", Value: "rg"}, {Name: "hostPoolName", Value: "hp"},
	}}
}

// serve starts a service and a client whose azure calls go there.
func serve(t *testing.T, handler http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	tr := transport.New(transport.Options{Targets: map[string]transport.Target{"azure": {Endpoint: server.URL}}})
	t.Cleanup(tr.Close)
	return New(tr, Options{}), server
}

// direct makes a client without an endpoint override, for requests alone.
func direct() *Client { return New(transport.New(transport.Options{}), Options{}) }

// collect reads all pages.
func collect(t *testing.T, c *Client, call provider.Call) (items []string, pages int, err error) {
	t.Helper()
	for page, e := range c.Pages(t.Context(), call) {
		if e != nil {
			return items, pages, e
		}
		pages++
		for _, item := range page.Items {
			items = append(items, string(item))
		}
	}
	return items, pages, nil
}
