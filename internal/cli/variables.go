package cli

import (
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/planeql/planeql/internal/fault"
)

// readVariables collects the values of placeholders: those of --var before those
// of --vars, of which a later file wins, before the environment where it was
// asked for.
func (a *app) readVariables() error {
	all := map[string]string{}
	if a.settings.envVars {
		for _, pair := range a.env.Environ() {
			if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
				all[name] = value
			}
		}
	}
	for _, name := range a.settings.varFiles {
		text, err := os.ReadFile(a.env.path(name))
		if err != nil {
			return unreadable(name, err)
		}
		if err := parseVariables(name, text, all); err != nil {
			return err
		}
	}
	for name, value := range a.settings.variables {
		all[name] = value
	}
	a.settings.variables = all
	return nil
}

// parseVariables reads names and values into all. JSON is read as the YAML that
// it is. A number or a date keeps its spelling; null sets nothing.
func parseVariables(name string, text []byte, all map[string]string) error {
	members, err := mapping(&fault.Source{Name: name, Text: string(text)})
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.value.Kind != yaml.ScalarNode {
			return fault.New(fault.InvalidFlag, "the value of %q is not a single one", m.name).At(m.span).
				WithHint("a placeholder is filled with text: write JSON as one quoted string")
		}
		if m.value.Tag != "!!null" {
			all[m.name] = m.value.Value
		}
	}
	return nil
}
