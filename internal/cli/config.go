package cli

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/planeql/planeql/internal/fault"
)

// configName is the settings file's name in every folder that is searched.
const configName = "planeql.yaml"

// config is what a settings file says, by flag.
type config map[string]found

// readConfig reads the settings file: the one of --config, else planeql.yaml of
// the working folder, else that of the user. Only the first one found counts.
func (a *app) readConfig() (config, error) {
	if v := a.values["config"]; v != nil && v.last() != "" {
		text, err := os.ReadFile(a.env.path(v.last()))
		if err != nil {
			return nil, unreadable(v.last(), err)
		}
		return parseConfig(v.last(), text)
	}
	for _, path := range a.configPaths() {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, unreadable(path, err)
		}
		c, err := parseConfig(path, text)
		if err == nil && filepath.Dir(path) == filepath.Clean(a.env.WorkDir) {
			err = c.staysHome()
		}
		return c, err
	}
	return config{}, nil
}

// staysHome refuses settings that lead calls, and the tokens they carry, to
// another machine. A file is read because somebody stands in its folder, which
// may be a folder that came from elsewhere: naming it with --config is consent.
func (c config) staysHome() error {
	for _, name := range []string{"endpoint", "auth", "ca-cert", "providers", "registry", "registry-key"} {
		for _, text := range c[name].texts {
			if (name == "endpoint" || name == "auth") && !leadsAway(text) {
				continue
			}
			return fault.New(fault.InvalidFlag, "%s of a file in this folder may not lead elsewhere: %q", name, text).At(c[name].origin.span).
				WithHint("check it, then name the file: --config %s", configName)
		}
	}
	return nil
}

// leadsAway tells whether a setting names a URL that is not on this machine.
// Options of a credential may name several.
func leadsAway(text string) bool {
	for {
		_, rest, ok := strings.Cut(text, "://")
		if !ok {
			return false
		}
		text = rest
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, ",")
		host, _, _ = strings.Cut(host, `"`)
		name := (&url.URL{Host: host}).Hostname()
		if ip := net.ParseIP(name); name != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return true
		}
	}
}

func (a *app) configPaths() []string {
	var paths []string
	if a.env.WorkDir != "" {
		paths = append(paths, filepath.Join(a.env.WorkDir, configName))
	}
	if folder := a.env.folder("XDG_CONFIG_HOME", ".config"); folder != "" {
		paths = append(paths, filepath.Join(folder, configName))
	}
	return paths
}

// unreadable gives the error for a file that the user named and that cannot be
// read.
func unreadable(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fault.New(fault.InvalidFlag, "the file %q cannot be read", name).WithDetail("%s", err.Error()).Because(err)
}

// parseConfig reads the text of a settings file. Every key is the name of a
// flag; what it does not know it refuses, since a misspelt guard is no guard.
func parseConfig(name string, text []byte) (config, error) {
	src := &fault.Source{Name: name, Text: string(text)}
	members, err := mapping(src)
	if err != nil {
		return nil, err
	}
	c := config{}
	for _, m := range members {
		f := configFlag(m.name)
		if f == nil {
			return nil, fault.New(fault.InvalidFlag, "there is no setting %q", m.name).At(m.span).
				WithHint("%s", fault.DidYouMean(m.name, configKeys(), "the settings are "+strings.Join(configKeys(), ", ")))
		}
		texts, err := configTexts(f, m)
		if err != nil {
			return nil, err
		}
		c[f.name] = found{origin{name: m.name, span: m.span}, texts}
	}
	return c, nil
}

// configFlag finds the flag of a key, which may have underscores for dashes.
func configFlag(key string) *flag {
	for i := range flagTable {
		if f := &flagTable[i]; !f.local && f.name == strings.ReplaceAll(key, "_", "-") {
			return f
		}
	}
	return nil
}

func configKeys() []string {
	var keys []string
	for _, f := range flagTable {
		if !f.local {
			keys = append(keys, f.name)
		}
	}
	return keys
}

// configTexts gives the values of a key in the form of the command line. A
// setting of several values may be a list, or a mapping: azure: cli is
// azure=cli, and azure: {kind: bearer, env: TOKEN} is azure=bearer,env=TOKEN.
func configTexts(f *flag, m member) ([]string, error) {
	switch n := m.value; {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, nil
	case n.Kind == yaml.SequenceNode && f.kind == several:
		var texts []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, wrongShape(m)
			}
			texts = append(texts, item.Value)
		}
		return texts, nil
	case n.Kind == yaml.MappingNode && f.kind == several:
		return pairs(m)
	}
	return nil, wrongShape(m)
}

func pairs(m member) ([]string, error) {
	var texts []string
	for i := 0; i+1 < len(m.value.Content); i += 2 {
		key, value := m.value.Content[i].Value, m.value.Content[i+1]
		switch value.Kind {
		case yaml.ScalarNode:
			texts = append(texts, key+"="+value.Value)
		case yaml.MappingNode:
			text, ok := options(value)
			if !ok {
				return nil, wrongShape(m)
			}
			texts = append(texts, key+"="+text)
		default:
			return nil, wrongShape(m)
		}
	}
	return texts, nil
}

// options writes a mapping with a member kind, or type, as kind,name=value. A list
// is written with blanks between, the members of a mapping inside with its name
// and a dot before theirs.
func options(n *yaml.Node) (string, bool) {
	kind, rest := "", ""
	ok := flatten(n, "", func(name, value string) {
		if name == "kind" || name == "type" {
			kind = value
			return
		}
		rest += "," + name + "=" + value
	})
	return kind + rest, ok && kind != ""
}

// flatten gives each scalar inside a mapping to add; false where there is
// something else. A comma would end the value.
func flatten(n *yaml.Node, before string, add func(name, value string)) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := before+n.Content[i].Value, n.Content[i+1]
		switch value.Kind {
		case yaml.MappingNode:
			if !flatten(value, name+".", add) {
				return false
			}
			continue
		case yaml.SequenceNode:
			var items []string
			for _, item := range value.Content {
				if item.Kind != yaml.ScalarNode || name == "kind" || name == "type" {
					return false
				}
				items = append(items, item.Value)
			}
			value = &yaml.Node{Kind: yaml.ScalarNode, Value: strings.Join(items, " ")}
		case yaml.ScalarNode:
		default:
			return false
		}
		if strings.Contains(value.Value, ",") {
			return false
		}
		add(name, value.Value)
	}
	return true
}

func wrongShape(m member) error {
	return fault.New(fault.InvalidFlag, "the value of %q has the wrong shape", m.name).At(m.span).
		WithHint("a setting is a single value; those that may be given several times may also be a list or a mapping")
}

// member is a key of a mapping with its place in the file.
type member struct {
	name  string
	value *yaml.Node
	span  fault.Span
}

// mapping reads a YAML or JSON text whose top is a mapping. An empty text has
// no members.
func mapping(src *fault.Source) ([]member, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(src.Text), &doc); err != nil {
		return nil, fault.New(fault.InvalidFlag, "the file %q is no valid YAML", src.Name).
			WithDetail("%s", strings.TrimPrefix(err.Error(), "yaml: ")).Because(err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil, nil
	}
	if top.Kind != yaml.MappingNode {
		return nil, fault.New(fault.InvalidFlag, "the file %q does not hold names with values", src.Name).
			WithHint("write one name: value a line")
	}
	var members []member
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		start := offset(src.Text, key.Line, key.Column)
		members = append(members, member{
			name: key.Value, value: value,
			span: fault.Span{Source: src, Start: start, End: min(len(src.Text), start+len(key.Value))},
		})
	}
	return members, nil
}

// offset gives the byte that a line and a column, both from 1, point to.
func offset(text string, line, column int) int {
	lines := slices.Collect(strings.Lines(text))
	at := 0
	for i := 0; i < line-1 && i < len(lines); i++ {
		at += len(lines[i])
	}
	return max(0, min(at+column-1, len(text)))
}
