package provider

import (
	"slices"
	"testing"

	"github.com/planeql/planeql/internal/openapi"
)

func TestMethod_Home(t *testing.T) {
	variable := func(name, otherwise string, enum ...string) Parameter {
		return Parameter{Name: name, In: InServer, Schema: &openapi.Schema{Default: otherwise, Enum: enum}}
	}
	for server, want := range map[string][]string{
		"https://api.github.com":                         {"https://api.github.com"},
		"https://iam.amazonaws.com/v1":                   {"https://iam.amazonaws.com"},
		"https://sqs.{region}.amazonaws.com":             {"https://sqs.us-east-1.amazonaws.com", "https://sqs.*.amazonaws.com"},
		"https://{site}/api":                             {"https://a.example", "https://b.example"},
		"https://{endpoint}/x":                           {"https://*"},
		"https://{id}.{region}.{cloud}.confluent.cloud/": {"https://*.us-east-1.*.confluent.cloud", "https://*.*.*.confluent.cloud"},
	} {
		m := &Method{Server: server, Parameters: []Parameter{
			variable("region", "us-east-1"), variable("site", "a.example", "a.example", "b.example"), variable("endpoint", ""),
		}}
		if got := m.Home(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", server, got, want)
		}
	}
}

// Of several servers the one counts that takes the value, as China's for its
// regions; a server that no value tells apart is never chosen.
func TestMethod_ServerFor(t *testing.T) {
	m, problems := one(t, "/a", "response: {}", "servers: ["+
		"{url: 'https://api.{region}.amazonaws.com', variables: {region: {enum: [us-east-1, eu-west-1], default: us-east-1}}}, "+
		"{url: 'https://api.{region}.amazonaws.com.cn', variables: {region: {enum: [cn-north-1], default: cn-north-1}}}, "+
		"{url: 'https://other.{region}.example', variables: {region: {enum: [eu-west-1]}}}], responses: {}")
	if problems != nil {
		t.Fatal(problems)
	}
	for region, want := range map[string]string{
		"": "https://api.{region}.amazonaws.com", "eu-west-1": "https://api.{region}.amazonaws.com",
		"cn-north-1": "https://api.{region}.amazonaws.com.cn", "xx": "https://api.{region}.amazonaws.com",
	} {
		if got := m.ServerFor(func(string) string { return region }); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
	if !slices.Contains(m.Home(), "https://api.cn-north-1.amazonaws.com.cn") || slices.Contains(m.Home(), "https://other.eu-west-1.example") {
		t.Errorf("it is at home at %q", m.Home())
	}
}
