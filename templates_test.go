package planeql_test

import (
	"regexp"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/provider"
)

var placeholderName = regexp.MustCompile(`\{\{ ([^ ]+) \}\}`)

// Each template that SHOW prints is one statement once its places are filled.
func TestTemplates_parse(t *testing.T) {
	n := 0
	for _, m := range builtInMethods(t) {
		for _, verb := range m.Verbs {
			if verb == provider.Select {
				continue
			}
			text := catalog.Template(m, verb)
			values := map[string]string{}
			for _, found := range placeholderName.FindAllStringSubmatch(text, -1) {
				values[found[1]] = "true"
			}
			n++
			s := open(t, "http://127.0.0.1:1", planeql.WithVariables(values))
			if list, err := s.Parse("template", text); err != nil || len(list) != 1 {
				t.Errorf("%s\n%v", text, err)
			}
		}
	}
	if n < 50 {
		t.Errorf("%d templates", n)
	}
}
