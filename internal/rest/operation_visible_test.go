package rest

import "testing"

// TestShows compares what was written with what is read.
func TestShows(t *testing.T) {
	for name, c := range map[string]struct {
		read, body, answer string
		want               bool
	}{
		"as written":              {`{"a":1,"b":2}`, `{"a":1}`, ``, true},
		"not yet":                 {`{"a":1}`, `{"a":2}`, ``, false},
		"not there yet":           {`{}`, `{"a":2}`, `{"a":2}`, false},
		"a password, no answer":   {`{"p":{"a":1}}`, `{"p":{"a":1,"password":"s"}}`, ``, true},
		"nested":                  {`{"p":{"a":1,"b":2}}`, `{"p":{"b":3}}`, ``, false},
		"nested, not there":       {`{}`, `{"p":{"b":3}}`, `{"p":{"b":3}}`, false},
		"in the service's form":   {`{"a":"x1"}`, `{"a":"x"}`, `{"a":"x1"}`, true},
		"the old, not its form":   {`{"a":"old"}`, `{"a":"x"}`, `{"a":"x1"}`, false},
		"a secret":                {`{"a":1}`, `{"a":1,"secret":"s"}`, `{"a":1}`, true},
		"a region":                {`{"location":"westeurope"}`, `{"location":"West Europe"}`, ``, true},
		"null":                    {`{"a":1}`, `{"a":null}`, ``, false},
		"null and gone":           {`{}`, `{"a":null}`, `{}`, true},
		"null and null":           {`{"a":null}`, `{"a":null}`, ``, true},
		"a list":                  {`{"a":[1,2]}`, `{"a":[1,2,3]}`, ``, false},
		"a list with more in it":  {`{"a":[{"b":1,"c":2}]}`, `{"a":[{"b":1}]}`, ``, true},
		"an empty object":         {`{"tags":{"a":"b"}}`, `{"tags":{}}`, ``, true},
		"an empty object, told":   {`{"tags":{"a":"b"}}`, `{"tags":{}}`, `{"tags":{}}`, false},
		"nothing to compare":      {`[1]`, ``, ``, true},
		"what is no object":       {`x`, `{"a":1}`, ``, true},
		"another kind of a value": {`{"a":"1"}`, `{"a":1}`, ``, false},
	} {
		if got := shows([]byte(c.read), []byte(c.body), []byte(c.answer)); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
