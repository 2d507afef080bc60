package provider

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/planeql/planeql/internal/openapi"
)

// Parts gives the providers of which it is put together; none where it is one.
func (p *Provider) Parts() []*Provider { return p.parts }

// Kept gives what was made of all documents of an installed provider and kept
// under a name, as long as none of them has changed since.
func (p *Provider) Kept(name, version string) (data []byte, ok bool) {
	if p.docs.compiled == "" {
		return nil, false
	}
	packed, err := os.ReadFile(p.keptFile(name))
	if err != nil {
		return nil, false
	}
	return openapi.Unpack(packed, p.state(version))
}

// Keep keeps something that was made of all documents of an installed provider.
// Where it cannot be written it has to be made again.
func (p *Provider) Keep(name, version string, data []byte) {
	if p.docs.compiled != "" {
		_ = WriteFile(p.keptFile(name), openapi.Pack(data, p.state(version)))
	}
}

func (p *Provider) keptFile(name string) string {
	return filepath.Join(p.VersionFolder(), compiledFolder, name+".bin")
}

// state tells the state of all documents by their lengths and times, and the
// version of what is made of them.
func (p *Provider) state(version string) []byte {
	sum := sha256.New()
	fmt.Fprintln(sum, version)
	for _, file := range append([]string{"provider.yaml"}, p.files()...) {
		name, err := p.docs.find(path.Join(p.folder, file))
		if err != nil {
			fmt.Fprintln(sum, file)
			continue
		}
		if info, err := fs.Stat(p.docs.files, name); err == nil {
			fmt.Fprintf(sum, "%s %x\n", file, stamp(info))
		}
	}
	return sum.Sum(nil)
}

// files gives the documents of the services.
func (p *Provider) files() []string {
	var names []string
	for _, s := range p.Services {
		names = append(names, s.file)
	}
	return names
}
