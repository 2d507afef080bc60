package planeql

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/auth"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/transport"
)

// builtIn are the providers whose documents are part of the program.
var builtIn = []string{"azure"}

// wire makes the parts of a session, again after a provider was installed.
// Nothing is read from the network.
func (s *Session) wire() error {
	opened, err := s.openProviders()
	if err != nil {
		return err
	}
	if s.catalog == nil {
		s.catalog = catalog.New(opened...)
	} else {
		s.catalog.Replace(opened...)
	}
	if err := s.checkNames(); err != nil {
		return err
	}
	targets := map[string]transport.Target{}
	s.authorizers = map[string]transport.Authorizer{}
	for _, name := range s.catalog.Providers() {
		target, err := s.target(name)
		if err != nil {
			return err
		}
		targets[name] = target
		s.authorizers[name] = target.Authorizer
	}
	o := transport.Options{
		Concurrency: s.settings.concurrency, UserAgent: "planeql/" + Version, RootCAs: s.settings.rootCAs,
		Getenv: s.settings.getenv, Targets: targets,
	}
	if s.settings.httpLog != nil {
		o.Log = transport.NewLog(s.settings.httpLog, transport.LogText)
	}
	if s.settings.transport != nil {
		s.settings.transport(&o)
	}
	if s.transport != nil {
		s.transport.Close()
	}
	s.transport = transport.New(o)
	s.client = rest.New(s.transport, rest.Options{MaxPages: s.settings.maxPages})
	return nil
}

// checkNames refuses settings for a provider that does not exist.
func (s *Session) checkNames() error {
	names := slices.Concat(slices.Sorted(maps.Keys(s.settings.endpoints)), slices.Sorted(maps.Keys(s.settings.auth)))
	for _, name := range names {
		if !slices.Contains(s.catalog.Providers(), name) {
			return fault.New(fault.InvalidFlag, "there is no provider %q", name).
				WithHint("%s", fault.DidYouMean(name, s.catalog.Providers(), "the providers are "+strings.Join(s.catalog.Providers(), ", ")))
		}
	}
	return nil
}

// target makes where and how the calls of a provider go. Nobody signs in before
// the first call.
func (s *Session) target(name string) (transport.Target, error) {
	a := s.settings.auth[name]
	p, err := s.catalog.Provider(name)
	if err != nil {
		return transport.Target{}, err
	}
	return auth.NewTarget(p, auth.Settings{Kind: a.kind, Options: a.options}, s.settings.endpoints[name], s.authDeps())
}

func (s *Session) authDeps() auth.Deps {
	return auth.Deps{Getenv: s.settings.getenv, Now: time.Now, Prompt: s.settings.prompt, RootCAs: s.settings.rootCAs, Stored: s.settings.stored}
}
