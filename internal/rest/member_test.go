package rest

import (
	"testing"
)

func TestCut(t *testing.T) {
	const item = `{"a": {"b" : 2.50, "c":[1e2, {"k":"s1"},{"k":null},{"k":{"x":1}}]},"n":null,"é":"x","d":{"d":{"d":1}}, "a":2}`
	tests := []struct {
		path    []string
		secrets [][]string
		want    string // empty: nil
	}{
		{[]string{"a"}, nil, `{"b" : 2.50, "c":[1e2, {"k":"s1"},{"k":null},{"k":{"x":1}}]}`},
		{[]string{"a", "b"}, nil, "2.50"},
		{[]string{"a", "c"}, nil, `[1e2, {"k":"s1"},{"k":null},{"k":{"x":1}}]`},
		{[]string{"a"}, [][]string{{"b"}, {"c", "*", "k"}}, `{"b" : "***", "c":[1e2, {"k":"***"},{"k":null},{"k":"***"}]}`},
		{[]string{"a"}, [][]string{{"zz"}, {"b", "x"}}, `{"b" : 2.50, "c":[1e2, {"k":"s1"},{"k":null},{"k":{"x":1}}]}`},
		{[]string{"n"}, nil, ""},
		{[]string{"z"}, nil, ""},
		{[]string{"a", "b", "c"}, nil, ""},
		{[]string{"é"}, nil, `"x"`},
		{[]string{"d", "d", "d"}, nil, "1"},
	}
	for _, test := range tests {
		got := Cut([]byte(item), []Member{{test.path, test.secrets}})[0]
		if string(got) != test.want {
			t.Errorf("Cut %v = %s, want %s", test.path, got, test.want)
		}
	}
	for _, odd := range []string{"", "1", "[1]", `{"a"`, `{"a":`, "<html>", "\xff"} {
		if got := Cut([]byte(odd), []Member{{Path: []string{"a"}}})[0]; got != nil {
			t.Errorf("Cut of %q = %s", odd, got)
		}
	}
}
