package planeql

import (
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

// BuiltIn is the version by which [WithProvider] chooses the documents that are
// part of the program.
const BuiltIn = "built-in"

// installed is a folder of providers and what of it is used.
type installed struct {
	folder string
	locked map[string]string // name -> version
	chosen map[string]string // the same, also in place of what is built in
}

// WithProviders adds the providers that are installed in a folder: of each the
// version that versions names, else the newest. One that is also built in
// completes it: services and resources that the built-in documents lack come
// from the folder. A folder that is not there has none.
func WithProviders(folder string, versions map[string]string) Option {
	return func(s *settings) { s.installed.folder, s.installed.locked = folder, versions }
}

// WithProvider uses one version of an installed provider, the newest where
// version is empty, and nothing of the same provider that is built in; or, with
// the version [BuiltIn], only that.
func WithProvider(name, version string) Option {
	return func(s *settings) {
		if s.installed.chosen == nil {
			s.installed.chosen = map[string]string{}
		}
		s.installed.chosen[name] = version
	}
}

// openProviders opens all providers: the built-in ones, those of options, those
// of the folder.
func (s *Session) openProviders() ([]*provider.Provider, error) {
	var opened []*provider.Provider
	for _, d := range append([]documents{{providers.FS, builtIn}}, s.settings.documents...) {
		for _, name := range d.providers {
			p, err := provider.Open(d.files, name)
			if err != nil {
				return nil, err
			}
			opened = put(opened, p)
		}
	}
	i := s.settings.installed
	if i.folder == "" && len(i.chosen) == 0 {
		return opened, nil
	}
	names, versions := provider.Installed(i.folder)
	for _, name := range names {
		p, err := i.open(name, versions[name])
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(opened, func(other *provider.Provider) bool { return other.Name == name })
		_, chosen := i.chosen[name]
		switch {
		case p == nil:
		case at >= 0 && !chosen && p.Err == nil:
			opened[at] = provider.Complete(opened[at], p)
		case at < 0 || chosen:
			opened = put(opened, p)
		}
	}
	for name, version := range i.locked {
		if !slices.Contains(names, name) && !slices.Contains(builtIn, name) {
			opened = append(opened, provider.Broken(name, lacking(name, version, "none")))
		}
	}
	return opened, i.check(names)
}

// lacking is the error for a version that planeql.lock names and that is not
// installed.
func lacking(name, version, installed string) *fault.Error {
	return fault.New(fault.DocumentMissing, "the version %s of the provider %q, which planeql.lock names, is not installed", version, name).
		WithDetail("installed: %s", installed).
		WithHint("planeql provider pull --locked installs what planeql.lock names")
}

// put adds a provider in the place of one of the same name.
func put(opened []*provider.Provider, p *provider.Provider) []*provider.Provider {
	opened = slices.DeleteFunc(opened, func(other *provider.Provider) bool { return other.Name == p.Name })
	return append(opened, p)
}

// open opens the version of a provider that is used; nil where it is the
// built-in one alone. Documents that cannot be read are an error only for those
// who use the provider.
func (i installed) open(name string, versions []string) (*provider.Provider, error) {
	version, chosen := i.chosen[name]
	if version == BuiltIn {
		return nil, nil
	}
	if !chosen {
		version = i.locked[name]
	}
	if version != "" && !slices.Contains(versions, version) {
		if !chosen {
			return nil, lacking(name, version, strings.Join(versions, ", "))
		}
		return nil, fault.New(fault.DocumentMissing, "the version %s of the provider %q is not installed", version, name).
			WithDetail("installed are %s", strings.Join(versions, ", ")).
			WithHint("planeql provider pull %s@%s installs it", name, version)
	}
	p, err := provider.OpenInstalled(i.folder, name, version)
	if err != nil {
		return provider.Broken(name, err), nil
	}
	return p, nil
}

// check refuses a choice of what is not there. What only a lock file names may
// be missing: a statement that needs it will say so.
func (i installed) check(names []string) error {
	for name, version := range i.chosen {
		if version == BuiltIn && slices.Contains(builtIn, name) || slices.Contains(names, name) {
			continue
		}
		return fault.New(fault.DocumentMissing, "the provider %q is not installed", name).
			WithHint("planeql provider pull %s installs it", name)
	}
	return nil
}

// builtInVersion gives the version of the built-in documents of a provider.
func builtInVersion(name string) string {
	if !slices.Contains(builtIn, name) {
		return ""
	}
	p, err := provider.Open(providers.FS, name)
	if err != nil {
		return "" // a test holds that it can be opened
	}
	return p.Version
}
