package build

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// The limits of a document; those of real ones are a tenth.
const (
	maxDepth = 1000
	maxNodes = 5_000_000
	maxRefs  = 100 // of references that lead to references
)

// document is a file of the description.
type document struct {
	file    string
	root    *yaml.Node
	swagger bool // Swagger 2.0; else OpenAPI 3
}

// at gives file:line.
func (d *document) at(line int) string {
	if line < 1 {
		return d.file
	}
	return fmt.Sprintf("%s:%d", d.file, line)
}

// documentsAt gives the documents with paths: the one that is named, or those
// below the folder, in order of their names.
func (b *builder) documentsAt(name string) ([]*document, error) {
	info, err := fs.Stat(b.files, name)
	if err != nil {
		return nil, fault.New(fault.DocumentMissing, "there is no file or folder %q", name).
			WithHint("name a Swagger 2.0 or OpenAPI 3 document, or a folder of them").Because(err)
	}
	if !info.IsDir() {
		d, err := b.open(name)
		return []*document{d}, err
	}
	var list []*document
	err = fs.WalkDir(b.files, name, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.EqualFold(entry.Name(), "examples") {
			return fs.SkipDir
		}
		if entry.IsDir() || !isDocument(file) {
			return nil
		}
		d, err := b.open(file)
		if err != nil {
			b.problem(&document{file: file}, 0, "", "the file is not read: "+fault.From(err).Message)
			return nil
		}
		if is(value(d.root, "paths")) && (d.swagger || is(value(d.root, "openapi"))) {
			list = append(list, d)
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fault.New(fault.DocumentInvalid, "there is no Swagger 2.0 or OpenAPI 3 document with paths below %q", name).
			WithHint("planeql provider build FILE reads a single document")
	}
	return list, err
}

// isDocument tells by its name whether a file may be a description.
func isDocument(file string) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".json", ".yaml", ".yml":
		return true
	}
	return false
}

// open reads a file, once.
func (b *builder) open(file string) (*document, error) {
	if d := b.documents[file]; d != nil {
		return d, nil
	}
	data, err := fs.ReadFile(b.files, file)
	if err != nil {
		return nil, fault.New(fault.DocumentMissing, "the file %q cannot be read", file).
			WithHint("a reference to it stands in the description").Because(err)
	}
	if len(data) > openapi.MaxSize {
		return nil, openapi.TooLarge(file, int64(len(data)))
	}
	var tree yaml.Node
	err = yaml.Load(data, &tree, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasValue(maxNodes))))
	if err != nil {
		line := 0
		message := err.Error()
		if e, ok := errors.AsType[*yaml.LoadError](err); ok {
			line, message = e.Mark.Line, e.Message
		}
		return nil, fault.New(fault.DocumentInvalid, "%s is neither JSON nor YAML: %s", (&document{file: file}).at(line), message).
			WithHint("correct the file").Because(err)
	}
	if len(tree.Content) != 1 || tree.Content[0].Kind != yaml.MappingNode {
		return nil, fault.New(fault.DocumentInvalid, "%s does not hold a mapping of keys to values", file).WithHint("correct the file")
	}
	if expanded(&tree, map[*yaml.Node]int{}) > maxNodes {
		return nil, fault.New(fault.DocumentInvalid, "%s is too large, or an anchor of it holds itself", file).WithHint("correct the file")
	}
	d := &document{file: file, root: tree.Content[0]}
	d.swagger = strings.HasPrefix(value(d.root, "swagger").Value, "2")
	b.documents[file] = d
	return d, nil
}

// expanded counts the nodes of a tree as if each alias were written out, up to a
// little more than maxNodes. An anchor that holds itself has no end.
func expanded(n *yaml.Node, sizes map[*yaml.Node]int) int {
	if size, known := sizes[n]; known {
		return size
	}
	sizes[n] = maxNodes + 1 // while it is counted
	size := 1
	for _, c := range n.Content {
		size += expanded(c, sizes)
	}
	if n.Alias != nil {
		size += expanded(n.Alias, sizes)
	}
	sizes[n] = min(size, maxNodes+1)
	return sizes[n]
}

// place is a node with the document it stands in.
type place struct {
	d *document
	n *yaml.Node
}

// follow gives the place that references lead to, and the key of the last one;
// the key is empty where the node is no reference.
func (b *builder) follow(p place) (place, string, error) {
	key := ""
	for range maxRefs {
		ref := value(p.n, "$ref")
		if ref.Kind != yaml.ScalarNode {
			return p, key, nil
		}
		file, pointer, _ := strings.Cut(ref.Value, "#")
		d := p.d
		if file != "" {
			if strings.Contains(file, ":") {
				return p, "", fmt.Errorf("the reference %q leads to another machine", ref.Value)
			}
			var err error
			if d, err = b.open(path.Join(path.Dir(p.d.file), file)); err != nil {
				return p, "", fmt.Errorf("the reference %q cannot be followed: %s", ref.Value, fault.From(err).Message)
			}
		}
		target := d.root
		for segment := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			if pointer != "" && pointer != "/" {
				target = step(target, unescape(segment))
			}
		}
		if target.Kind == 0 {
			return p, "", fmt.Errorf("the reference %q points at nothing", ref.Value)
		}
		p, key = place{d, target}, d.file+"#"+pointer
	}
	return p, "", errors.New("the reference leads back to itself")
}

// step follows a part of a pointer, which may also count into a sequence.
func step(n *yaml.Node, segment string) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return value(n, segment)
	}
	if i, err := strconv.Atoi(segment); err == nil && i >= 0 && i < len(n.Content) {
		return n.Content[i]
	}
	return nothing
}

// unescape decodes a part of a JSON pointer in its URI form.
func unescape(segment string) string {
	if plain, err := url.PathUnescape(segment); err == nil {
		segment = plain
	}
	return strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")
}
