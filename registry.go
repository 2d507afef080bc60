package planeql

import (
	"context"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/exec"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/registry"
	"github.com/planeql/planeql/internal/syntax"
)

// WithRegistry says where REGISTRY LIST and REGISTRY PULL have providers from: a
// URL, or a folder. With keys, PEM blocks of Ed25519 keys or certificates,
// documents are refused that none of them has signed. Without the option the
// two statements are refused.
func WithRegistry(location string, keys []byte) Option {
	return func(s *settings) { s.registry, s.registryKeys = location, keys }
}

// runRegistry runs REGISTRY LIST and REGISTRY PULL.
func (s *Session) runRegistry(ctx context.Context, head syntax.Registry) (*exec.Rows, error) {
	if s.settings.registry == "" {
		return nil, fault.New(fault.InvalidFlag, "the session has no registry").WithHint("the option WithRegistry names one")
	}
	from, err := registry.Open(registry.Options{Location: s.settings.registry, Getenv: s.settings.getenv, RootCAs: s.settings.rootCAs})
	if err != nil {
		return nil, err
	}
	if head.Pull {
		return s.pull(ctx, from, head)
	}
	available, err := from.Available(ctx)
	if err != nil {
		return nil, err
	}
	if head.Provider != "" {
		return listVersions(available, head.Provider)
	}
	t := catalog.Table{Columns: []string{"provider", "version"}}
	for _, name := range sortedNames(available) {
		t.Rows = append(t.Rows, []any{name, registry.Newest(available[name])})
	}
	return tableRows(&plan.Table{Table: t}), nil
}

// sortedNames gives the providers of a registry in order.
func sortedNames(available map[string][]string) []string {
	var names []string
	for name := range available {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// listVersions lists all versions of one provider, the newest first.
func listVersions(available map[string][]string, name string) (*exec.Rows, error) {
	if len(available[name]) == 0 {
		return nil, fault.New(fault.DocumentMissing, "the registry has no provider %q", name).
			WithHint("%s", fault.DidYouMean(name, sortedNames(available), "REGISTRY LIST shows what it has"))
	}
	t := catalog.Table{Columns: []string{"provider", "version"}}
	for _, version := range slices.Backward(available[name]) {
		t.Rows = append(t.Rows, []any{name, version})
	}
	return tableRows(&plan.Table{Table: t}), nil
}

// pull installs a provider. The session knows it from the next statement on.
func (s *Session) pull(ctx context.Context, from *registry.Registry, head syntax.Registry) (*exec.Rows, error) {
	folder := s.settings.installed.folder
	if folder == "" {
		return nil, fault.New(fault.InvalidFlag, "the session has no folder of providers").WithHint("--providers DIR names one")
	}
	to := registry.Folder{Path: folder, Prepare: prepare}
	if len(s.settings.registryKeys) > 0 {
		keys, err := registry.ParseKeys(s.settings.registryKeys)
		if err != nil {
			return nil, err
		}
		to.Keys = keys
	}
	i, err := to.Pull(ctx, from, head.Provider, strings.TrimSpace(head.Version), nil)
	if err != nil {
		return nil, err
	}
	if err := s.wire(); err != nil {
		return nil, err
	}
	return tableRows(&plan.Table{Table: catalog.Table{
		Columns: []string{"provider", "version", "source", "signature", "sha256"},
		Rows:    [][]any{{i.Name, i.Version, i.Source, i.Signature, i.SHA256}},
	}}), nil
}

// prepare compiles what was fetched. Services that cannot be read do not keep
// the others from being used; they are errors where a statement names them.
func prepare(p *provider.Provider) error {
	catalog.Compile(p, func(string, error) {})
	return nil
}
