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
