package plan_test

import (
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
)

// method finds a method of the built-in documents.
func method(t *testing.T, p *plan.Planner, resource, name string) *provider.Method {
	t.Helper()
	r, err := p.Catalog.Resource(append([]string{"azure", "desktop_virtualization"}, resource)...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Catalog.Method(r, name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A body is JSON of the form that the document describes.
func TestCheckBody(t *testing.T) {
	p := planner(t)
	for _, c := range []struct {
		resource, method, body string
		code                   fault.Code // empty: the body is taken
		says                   string
	}{
		{"user_sessions", "send_message", `{"messageTitle": "a", "messageBody": "b"}`, "", ""},
		{"user_sessions", "send_message", ` {} `, "", ""},
		{"user_sessions", "send_message", `null`, "", ""},
		{"user_sessions", "send_message", `{"messageTitle": null}`, "", ""},
		{"user_sessions", "send_message", ``, fault.InvalidJSON, "EOF"},
		{"user_sessions", "send_message", `{`, fault.InvalidJSON, "EOF"},
		{"user_sessions", "send_message", `{'messageTitle': 1}`, fault.InvalidJSON, "invalid character"},
		{"user_sessions", "send_message", `{} {}`, fault.InvalidJSON, "follows"},
		{"user_sessions", "send_message", `{}}`, fault.InvalidJSON, ""},
		{"user_sessions", "send_message", `[]`, fault.TypeMismatch, "the body takes an object"},
		{"user_sessions", "send_message", `"text"`, fault.TypeMismatch, "the body takes an object"},
		{"user_sessions", "send_message", `{"messageTitle": 5}`, fault.TypeMismatch, "messageTitle takes a string"},
		{"user_sessions", "send_message", `{"messageTitel": "a"}`, fault.UndefinedParameter, "messageTitel"},
		{"user_sessions", "send_message", `{"MessageTitle": "a"}`, fault.UndefinedParameter, "MessageTitle"},
		{"host_pools", "create_or_update", `{"location": "westeurope", "properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}}`, "", ""},
		{"host_pools", "create_or_update", `{"location": "westeurope", "tags": {"any": "thing"}, "properties": {"hostPoolType": "NewKind", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop", "maxSessionLimit": 5}}`, "", ""},
		{"host_pools", "create_or_update", `{"properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}}`, fault.MissingParameter, "location is required"},
		{"host_pools", "create_or_update", `{"location": "westeurope", "properties": {"hostPoolType": "Pooled"}}`, fault.MissingParameter, "is required"},
		{"host_pools", "create_or_update", `{"location": "westeurope", "properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop", "maxSessionLimit": 1.5}}`, fault.TypeMismatch, "properties.maxSessionLimit takes an integer"},
		{"host_pools", "create_or_update", `{"location": "westeurope", "tags": {"a": 1}, "properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}}`, fault.TypeMismatch, "tags.a takes a string"},
		{"host_pools", "create_or_update", `{"location": "westeurope", "properties": {"hostPoolTipe": "Pooled", "hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}}`, fault.UndefinedParameter, "properties.hostPoolTipe"},
		{"host_pools", "create_or_update", `{"location": "westeurope", "properties": {"validationEnvironment": "yes", "hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}}`, fault.TypeMismatch, "takes a boolean"},
	} {
		err := plan.CheckBody(method(t, p, c.resource, c.method), []byte(c.body))
		e := fault.As(err)
		switch {
		case c.code == "" && err != nil, c.code != "" && (e == nil || e.Code != c.code || !strings.Contains(e.Message, c.says)):
			t.Errorf("%s %s: %v, want %s %q", c.method, c.body, err, c.code, c.says)
		case e != nil && e.Hint == "":
			t.Errorf("%s %s: no hint", c.method, c.body)
		}
	}
}
