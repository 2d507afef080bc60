package provider

import "testing"

// Conditions that only stand for parameters are taken out, others stay.
func TestUnplaced(t *testing.T) {
	for ddl, want := range map[string]string{
		"SELECT a FROM r WHERE s = 'replace-me' AND g = 'replace-me';":             "SELECT a FROM r",
		"SELECT a FROM r WHERE T = 'x' AND Id = '<Arn>'\nAND region = 'us-east-1'": "SELECT a FROM r WHERE T = 'x'",
		"SELECT a FROM r\nWHERE s = 'replace-me' AND b = 'x'":                      "SELECT a FROM r\nWHERE b = 'x'",
		"SELECT a FROM r WHERE b = 'x' AND region = 'eu-west-1'":                   "SELECT a FROM r WHERE b = 'x' AND region = 'eu-west-1'",
		"SELECT '<x>' FROM r": "SELECT '<x>' FROM r",
	} {
		if got := unplaced(ddl); got != want {
			t.Errorf("%q\ngives %q", ddl, got)
		}
	}
}
