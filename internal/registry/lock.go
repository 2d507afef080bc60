package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
)

// LockName is the name of the lock file of a project's folder.
const LockName = "planeql.lock"

// Lock says which versions a project uses, and what their documents are.
type Lock map[string]Locked

// Locked is a version with the checksum of its documents.
type Locked struct{ Version, SHA256 string }

// ReadLock reads a lock file. One that is not there is nil.
func ReadLock(file string) (Lock, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.InvalidFlag, "the lock file %q cannot be read", file).WithDetail("%s", err.Error()).Because(err)
	}
	doc, err := openapi.Parse(file, data)
	if err == nil {
		err = doc.Check()
	}
	if err != nil {
		return nil, fault.New(fault.InvalidFlag, "the lock file %q cannot be read", file).
			WithDetail("%s", fault.From(err).Message).Because(err)
	}
	lock := Lock{}
	for _, e := range doc.Root().At("providers").Entries() {
		l := Locked{e.Value.At("version").Text(), e.Value.At("sha256").Text()}
		if checkNames(e.Key, l.Version) != nil || l.Version == "" || len(l.SHA256) != 64 {
			return nil, fault.New(fault.InvalidFlag, "the lock file %q names no version and checksum for %q", file, e.Key).
				WithHint("planeql provider pull %s --lock writes its line", e.Key)
		}
		lock[e.Key] = l
	}
	return lock, nil
}

// Write writes the lock file, in an order that does not change.
func (l Lock) Write(file string) error {
	var b strings.Builder
	b.WriteString("# The versions of providers that this project uses. planeql provider pull --locked installs exactly these.\nproviders:\n")
	for _, name := range l.Names() {
		fmt.Fprintf(&b, "  %s: {version: %s, sha256: %s}\n", name, l[name].Version, l[name].SHA256)
	}
	if err := provider.WriteFile(file, []byte(b.String())); err != nil {
		return fault.New(fault.InvalidFlag, "the lock file %q cannot be written", file).WithDetail("%s", err.Error()).Because(err)
	}
	return nil
}

// Names gives the providers of the lock in order.
func (l Lock) Names() []string {
	var names []string
	for name := range l {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
