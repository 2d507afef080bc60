package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// manifestName is the file in the folder of a version that says where its
// documents are from.
const manifestName = "planeql.json"

// stagePrefix begins the names of folders that are being filled.
const stagePrefix = ".new-"

// Folder is where providers are installed: <provider>/<version>/provider.yaml
// and so on.
type Folder struct {
	Path string
	Keys []Key // that signatures are checked with
	// Prepare is called with documents that are complete and not yet in place,
	// such as to compile them; its error stops the installation.
	Prepare func(*provider.Provider) error
}

// Installed is a version of a provider in a folder.
type Installed struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Source    string `json:"source"`
	SHA256    string `json:"sha256"`    // of all documents with their names
	Signature string `json:"signature"` // verified, or why not
}

// List gives what is installed, by name and version.
func (f Folder) List() []Installed {
	var list []Installed
	names, versions := provider.Installed(f.Path)
	for _, name := range names {
		for _, version := range versions[name] {
			list = append(list, f.manifest(name, version))
		}
	}
	return list
}

// manifest reads where a version is from, as far as that is known.
func (f Folder) manifest(name, version string) Installed {
	i := Installed{Name: name, Version: version}
	if data, err := os.ReadFile(filepath.Join(f.version(name, version), manifestName)); err == nil {
		_ = json.Unmarshal(data, &i) // a damaged manifest tells less
	}
	i.Name, i.Version = name, version
	return i
}

func (f Folder) version(name, version string) string {
	return filepath.Join(f.Path, provider.Folder(name), version)
}

// Pull installs a version of a provider from a registry; an empty version is the
// newest. A lock that names the provider decides the version where none is
// asked for, and what its documents must be.
func (f Folder) Pull(ctx context.Context, from *Registry, name, version string, lock Lock) (Installed, error) {
	locked, bound := lock[name]
	if bound && version == "" {
		version = locked.Version
	}
	version, err := from.choose(ctx, name, version)
	if err != nil {
		return Installed{}, err
	}
	files, err := from.documents(ctx, name, version)
	if err != nil {
		return Installed{}, fault.From(err).On(name)
	}
	i := Installed{Name: name, Version: version, Source: from.location, SHA256: checksum(files)}
	if bound && (locked.Version != version || locked.SHA256 != i.SHA256) {
		return Installed{}, fault.New(fault.DocumentInvalid, "%s is not what the lock file names", name).
			WithDetail("locked: %s, sha256 %s\nfound:  %s, sha256 %s", locked.Version, locked.SHA256, version, i.SHA256).
			WithHint("nothing was installed; without --locked the lock file is brought up to date")
	}
	return f.install(i, files)
}

// checksum gives the sum over the names and contents of all documents, which
// does not depend on how they are packed.
func checksum(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range documentNames(files) {
		fmt.Fprintf(sum, "%s %x\n", name, sha256.Sum256(files[name]))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// install checks documents and puts them in their place.
func (f Folder) install(i Installed, files map[string][]byte) (Installed, error) {
	var err error
	if i.Signature, err = verify(files, f.Keys); err != nil {
		return Installed{}, fault.From(err).On(i.Name)
	}
	stage, err := f.stage(i, files)
	if err != nil {
		return Installed{}, err
	}
	defer func() { _ = os.RemoveAll(stage) }()
	p, err := provider.OpenInstalled(stage, i.Name, i.Version)
	if err != nil {
		return Installed{}, err
	}
	if f.Prepare != nil {
		if err := f.Prepare(p); err != nil {
			return Installed{}, err
		}
	}
	if err := f.place(filepath.Join(stage, provider.Folder(i.Name), i.Version), f.version(i.Name, i.Version)); err != nil {
		return Installed{}, cannotWrite(f.Path, err)
	}
	return i, nil
}

// stage writes documents into a folder beside the final one.
func (f Folder) stage(i Installed, files map[string][]byte) (string, error) {
	f.sweep()
	if err := os.MkdirAll(f.Path, 0o755); err != nil {
		return "", cannotWrite(f.Path, err)
	}
	stage, err := os.MkdirTemp(f.Path, stagePrefix)
	if err != nil {
		return "", cannotWrite(f.Path, err)
	}
	folder := filepath.Join(stage, provider.Folder(i.Name), i.Version)
	manifest, err := json.MarshalIndent(i, "", "  ")
	if err == nil {
		err = provider.WriteFile(filepath.Join(folder, manifestName), append(manifest, '\n'))
	}
	for name, data := range files {
		if err == nil {
			err = provider.WriteFile(filepath.Join(folder, filepath.FromSlash(name)), data)
		}
	}
	if err != nil {
		_ = os.RemoveAll(stage)
		return "", cannotWrite(f.Path, err)
	}
	return stage, nil
}

func cannotWrite(folder string, err error) error {
	return fault.New(fault.InvalidFlag, "the folder of providers %q cannot be written", folder).WithDetail("%s", err.Error()).
		WithHint("--providers DIR names another one").Because(err)
}

// staleAfter is when a folder that was never put in its place is taken for that
// of a process that was killed.
const staleAfter = time.Hour

// sweep removes what killed processes have left.
func (f Folder) sweep() {
	entries, _ := os.ReadDir(f.Path)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), stagePrefix) && time.Since(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(filepath.Join(f.Path, e.Name()))
		}
	}
}

// place moves a folder to where it belongs. One that is there is moved away
// first; between the two moves there is none. Another process that does the same
// at the same time has the same to put there.
func (f Folder) place(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	var err error
	for range 10 {
		if err = os.Rename(from, to); err == nil {
			return nil
		}
		aside, e := os.MkdirTemp(f.Path, stagePrefix)
		if e != nil {
			return e
		}
		e = os.Rename(to, filepath.Join(aside, "old"))
		_ = os.RemoveAll(aside)
		if e != nil && !errors.Is(e, fs.ErrNotExist) {
			return e
		}
	}
	return err
}

// Remove takes a version of a provider away, or all of them where the version is
// empty, and gives those that are gone.
func (f Folder) Remove(name, version string) ([]string, error) {
	if err := checkNames(name, version); err != nil {
		return nil, err
	}
	names, all := provider.Installed(f.Path)
	versions := all[name]
	switch {
	case len(versions) == 0:
		return nil, fault.New(fault.DocumentMissing, "the provider %q is not installed", name).
			WithHint("%s", fault.DidYouMean(name, names, "planeql provider list shows what is installed"))
	case version != "" && !slices.Contains(versions, version):
		return nil, fault.New(fault.DocumentMissing, "the version %s of %q is not installed", version, name).
			WithHint("installed are %s", strings.Join(versions, ", "))
	case version != "":
		versions = []string{version}
	}
	for _, v := range versions {
		// What is moved away is gone at once; it may take longer to delete.
		aside, err := os.MkdirTemp(f.Path, stagePrefix)
		if err == nil {
			err = os.Rename(f.version(name, v), filepath.Join(aside, "old"))
		}
		if err == nil {
			err = os.RemoveAll(aside)
		}
		if err != nil {
			return nil, cannotWrite(f.Path, err)
		}
	}
	_ = os.Remove(filepath.Join(f.Path, provider.Folder(name))) // unless other versions are left
	return versions, nil
}
