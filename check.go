package planeql

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/auth"
	"github.com/planeql/planeql/internal/provider"
)

// AuthReport tells how a credential was had and whose it is. It holds no
// secret.
type AuthReport struct {
	Provider   string
	Kind       string // as [WithAuth] has it
	Cloud      string
	Endpoint   string
	Credential string // the one that was taken; empty: none
	Tenant     string
	Principal  string
	Expires    time.Time
	Took       time.Duration
	Tried      []AuthAttempt // in order
	Warnings   []string
}

// AuthAttempt is one credential that was tried, and why it was or was not
// taken.
type AuthAttempt struct {
	Name, Outcome string
	Took          time.Duration
}

// CheckAuth signs in to a provider and reports how. The report holds what was
// tried also where the error says that no credential was had.
func (s *Session) CheckAuth(ctx context.Context, provider string) (AuthReport, error) {
	p, err := s.catalog.Provider(provider)
	if err != nil {
		return AuthReport{}, err
	}
	a := s.settings.auth[p.Name]
	signer, err := auth.New(p, auth.Settings{Kind: a.kind, Options: a.options}, s.authDeps())
	if err != nil {
		return AuthReport{}, err
	}
	found, err := signer.Check(ctx)
	report := AuthReport{
		Provider: found.Provider, Kind: found.Kind, Cloud: found.Cloud, Endpoint: found.Endpoint,
		Credential: found.Credential, Tenant: found.Tenant, Principal: found.Principal,
		Expires: found.Expires, Took: found.Took, Warnings: found.Warnings,
	}
	for _, t := range found.Tried {
		report.Tried = append(report.Tried, AuthAttempt{t.Name, t.Outcome, t.Took})
	}
	return report, err
}

// Secrets gives the names of the variables from which planeql takes the secrets
// for signing in to a provider: those under which [WithSecrets] is asked.
func (s *Session) Secrets(provider string) ([]string, error) {
	p, err := s.catalog.Provider(provider)
	if err != nil {
		return nil, err
	}
	a := s.settings.auth[p.Name]
	return auth.Secrets(p, auth.Settings{Kind: a.kind, Options: a.options})
}

// ProviderInfo is an installed provider.
type ProviderInfo struct {
	Name, Version, Title string
	Services             int
	BuiltIn              string // version of the documents that are part of the program; empty: there are none
}

// Uses tells whether a version is used, alone or beside another.
func (p ProviderInfo) Uses(version string) bool {
	return slices.Contains(strings.Split(p.Version, ", "), version)
}

// Providers gives the installed providers, by name.
func (s *Session) Providers() []ProviderInfo {
	var list []ProviderInfo
	for _, name := range s.catalog.Providers() {
		if p, err := s.catalog.Provider(name); err == nil {
			list = append(list, ProviderInfo{p.Name, p.Version, p.Title, len(p.Services), builtInVersion(p.Name)})
		}
	}
	return list
}

// Problem is something that a provider document says wrongly: where, which
// service, resource or method it concerns, and what follows from it.
type Problem = provider.Problem

// Problems reads all documents of a provider and gives what is wrong in them.
func (s *Session) Problems(name string) ([]Problem, error) {
	p, err := s.catalog.Provider(name)
	if err != nil {
		return nil, err
	}
	return p.Diagnose(), nil
}

// SearchResult is a resource that a search has found, and its method that fits
// best.
type SearchResult struct {
	Resource, Title, Method, Summary string
}

// Search finds resources by words for what they are or do, in all installed
// providers, the best first. Nothing is sent and DuckDB is not opened.
func (s *Session) Search(text string, limit int) []SearchResult {
	var list []SearchResult
	for _, f := range s.catalog.Search(text, limit) {
		list = append(list, SearchResult{f.Resource, f.Title, f.Method, f.Summary})
	}
	return list
}
