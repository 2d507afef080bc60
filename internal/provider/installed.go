package provider

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// compiledFolder is where, in the folder of a version, the binary forms of its
// documents are, each under the name of the document.
const compiledFolder = "compiled"

// OpenInstalled is [Open] for a folder of the file system, in which the binary
// forms of documents are kept beside them: a document is compiled when it is
// read for the first time, when it has changed, and when its form is damaged. An
// empty version is the newest.
func OpenInstalled(folder, name, version string) (*Provider, error) {
	return open(documents{files: os.DirFS(folder), compiled: folder}, name, version)
}

// Installed gives the names of the providers in a folder of the file system, in
// alphabetical order, and the versions of each, the newest last. A folder that
// is not there has none.
func Installed(folder string) (names []string, versions map[string][]string) {
	entries, _ := os.ReadDir(folder)
	versions = map[string][]string{}
	for _, e := range entries {
		name := e.Name()
		if name == googleFolder {
			name = "google"
		}
		// What begins with a dot is still being installed.
		if list, err := sorted(os.DirFS(folder), e.Name()); err == nil && !strings.HasPrefix(name, ".") {
			names = append(names, name)
			versions[name] = list
		}
	}
	return names, versions
}

// Folder gives the folder of a provider, which is named after it save for one.
func Folder(name string) string {
	if name == "google" {
		return googleFolder
	}
	return name
}

// documents are the files of a provider.
type documents struct {
	files    fs.FS
	compiled string // folder of the file system that files shows; empty: nothing is compiled
}

// document reads a document: its binary form where there is a good one of it.
func (d documents) document(folder, file string) (*openapi.Document, error) {
	name, err := d.find(path.Join(folder, file))
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(d.files, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > openapi.MaxSize {
		return nil, openapi.TooLarge(name, info.Size())
	}
	if d.compiled == "" {
		data, err := fs.ReadFile(d.files, name)
		if err != nil {
			return nil, err
		}
		return openapi.Parse(name, data)
	}
	target, state := d.target(folder, file), stamp(info)
	if form, err := os.ReadFile(target); err == nil {
		if doc, ok := openapi.Load(name, form, state); ok {
			return doc, nil
		}
	}
	return d.compile(name, target, state)
}

// target is where the binary form of a document is.
func (d documents) target(folder, file string) string {
	return filepath.Join(d.compiled, filepath.FromSlash(folder), compiledFolder, filepath.FromSlash(file)+".bin")
}

// stamp tells the state of a document: a file that was changed has another
// length or another time.
func stamp(info fs.FileInfo) []byte {
	text := binary.LittleEndian.AppendUint64(nil, uint64(info.Size()))
	return binary.LittleEndian.AppendUint64(text, uint64(info.ModTime().UnixNano()))
}

// compile makes the binary form of a document. That it cannot be kept, in a
// folder of another user's, only makes the next start slower.
func (d documents) compile(name, target string, stamp []byte) (*openapi.Document, error) {
	data, err := fs.ReadFile(d.files, name)
	if err != nil {
		return nil, err
	}
	doc, err := openapi.Parse(name, data)
	if err != nil {
		return nil, err
	}
	form := doc.Compile(stamp)
	_ = WriteFile(target, form)
	if loaded, ok := openapi.Load(name, form, stamp); ok {
		return loaded, nil
	}
	return doc, nil
}

// WriteFile puts a file in its place as a whole: a reader and a second writer
// see the old one or the new one. Folders are made.
func WriteFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Compile reads every service, so that its binary form is there, and tells each
// as it is done; a service that cannot be read comes with its error. done is
// called by one goroutine at a time.
func (p *Provider) Compile(done func(ServiceInfo, *Service, error)) {
	type result struct {
		info    ServiceInfo
		service *Service
		err     error
	}
	results := make(chan result)
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	go func() {
		defer close(results)
		for _, info := range p.Services {
			workers.Go(func() error {
				// A service of its own, not to be kept by the provider: all of them
				// would be in memory at the end.
				s, err := p.open(info)
				results <- result{info, s, err}
				return nil
			})
		}
		_ = workers.Wait() // no worker gives an error
	}()
	for r := range results {
		done(r.info, r.service, r.err)
	}
}

// VersionFolder gives the folder of the file system in which the documents of
// the provider are; empty for those that are built in.
func (p *Provider) VersionFolder() string {
	if p.docs.compiled == "" {
		return ""
	}
	return filepath.Join(p.docs.compiled, filepath.FromSlash(p.folder))
}

// notInstalled makes the error for a provider that is not there.
func notInstalled(name, version string, cause error) *fault.Error {
	if version != "" {
		return missing("the version %s of the provider %q is not installed", version, name).Because(cause)
	}
	return missing("the documents of the provider %q are not installed", name).Because(cause)
}
