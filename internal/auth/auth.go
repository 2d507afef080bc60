// Package auth signs the calls of a provider: it finds a credential by the kind
// the user named or the provider's documents suggest, keeps its token until it
// has to be renewed, renews it once when a service refuses it, and can tell which
// credentials were tried and why each was or was not taken.
//
// It refuses tokens and secrets in the clear on a command line, and no message
// of it holds any. Where a credential may be sent is not decided here: package
// transport holds it to the provider's origins. Start reading at [New]; the
// kinds and their options are in kinds.go, the credentials of Azure in
// sources.go, keys of AWS in awskeys.go, the token's life in tokens.go.
package auth

import (
	"context"
	"crypto/x509"
	"net/http"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// Settings name a kind of credential and its options. The zero Settings mean
// the provider's default.
type Settings struct {
	Kind    string
	Options map[string]string

	suggested bool   // by the provider's documents: what is not there is looked for elsewhere
	declared  string // the kind as it was written, where that is another name of it
}

// example is shown where a flag is not understood.
const example = "a credential is named like --auth azure=cli,tenant=ID or --auth okta=api_key,env=NAME"

// ParseFlag reads the value of --auth, PROVIDER=KIND[,key=value…]. An error is
// a fault.InvalidFlag.
func ParseFlag(text string) (providerName string, s Settings, err error) {
	name, rest, found := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	parts := strings.Split(rest, ",")
	s = Settings{Kind: strings.ToLower(strings.TrimSpace(parts[0])), Options: map[string]string{}}
	if !found || name == "" || s.Kind == "" {
		return "", Settings{}, fault.New(fault.InvalidFlag, "--auth does not name a provider and a kind").WithHint(example)
	}
	for _, part := range parts[1:] {
		key, value, found := strings.Cut(part, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if !found || key == "" || value == "" {
			return "", Settings{}, fault.New(fault.InvalidFlag, "an option of --auth %s is not of the form key=value", name).WithHint(example)
		}
		if key != "prefix" && key != "valueprefix" { // a blank may be its end
			value = strings.TrimSpace(value)
		}
		s.Options[key] = value
	}
	return name, s.canonical(), s.Validate()
}

// Deps are what the package needs from outside. Every field may be nil.
type Deps struct {
	Getenv  func(string) string
	Now     func() time.Time
	Prompt  func(message string) // shows the code of a device sign-in; nil: that kind is refused
	RootCAs *x509.CertPool       // for the sign-in service; nil: the system's
	Client  *http.Client         // sends to the sign-in service; nil: an own one

	// Stored gives a secret that is kept for a provider under the name of a
	// variable, and where; an empty one where there is none.
	Stored func(provider, name string) (value, from string, err error)
}

// env gives a variable; none is set where there is no environment.
func (d Deps) env(name string) string {
	if d.Getenv == nil {
		return ""
	}
	return d.Getenv(name)
}

// now gives the time by which tokens end.
func (d Deps) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// Signer signs calls and tells how. It is safe for concurrent use.
type Signer interface {
	transport.Authorizer

	// Check gets a new token and reports how; the report holds what was tried
	// also where the error, a *fault.Error, says that none was had.
	Check(ctx context.Context) (Report, error)
}

// New makes the Signer of a provider. Nothing is read and nobody signs in before
// the first call. What the settings leave open is as the provider's documents
// suggest: for Azure a chain of credentials, nothing where they are silent.
// Settings that cannot hold are an error; a suggestion that cannot is one at the
// first call.
func New(p *provider.Provider, s Settings, deps Deps) (Signer, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	suggested, problem := suggestion(p)
	s = s.canonical().over(suggested)
	if s.suggested && problem == nil {
		problem = s.Validate()
	}
	if s.suggested && problem != nil {
		return refusing{p.Name, problem}, nil
	}
	signer, err := s.signer(p, deps)
	if err != nil && s.suggested && fault.As(err) != nil {
		return refusing{p.Name, err}, nil
	}
	return signer, err
}

// suggestion gives the settings of a provider's documents.
func suggestion(p *provider.Provider) (Settings, error) {
	if p.Family == provider.ARM || len(p.Auth) == 0 {
		return Settings{Kind: Default}, nil
	}
	s, err := fromMembers(p.Auth)
	if err != nil {
		return Settings{Kind: Default}, err
	}
	return s, nil
}

// signer makes the Signer of a kind.
func (s Settings) signer(p *provider.Provider, deps Deps) (Signer, error) {
	kind := s.kind()
	switch kind {
	case None:
		return Anonymous{Provider: p.Name}, nil
	case Bearer, APIKey, Basic, Custom:
		return newPlaced(p.Name, s, deps)
	case OAuth2:
		return newOAuth2(p.Name, s, deps)
	case AWS:
		return newAWS(p.Name, s, deps)
	case Google:
		return newGoogle(p.Name, s, deps)
	case GCloud:
		return newGCloud(p.Name, s, deps)
	}
	switch {
	case speaksEntra(p):
		return newAzure(p.Name, s, deps)
	case kind == Default:
		return Anonymous{Provider: p.Name}, nil
	}
	return nil, fault.New(fault.InvalidFlag, "the kind %q is for Azure, not for %s", kind, p.Name).
		WithHint("use --auth %s=bearer,env=NAME", p.Name)
}

// speaksEntra tells whether a provider takes tokens of Microsoft Entra.
func speaksEntra(p *provider.Provider) bool {
	kind := Settings{Kind: p.Auth["type"]}.canonical().Kind
	return p.Family == provider.ARM || kind == Default || strings.Contains(p.Auth["token_url"], "//login.microsoftonline.")
}

// NewAzure makes the Signer of the provider azure with one of its own kinds.
func NewAzure(s Settings, deps Deps) (*Azure, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return newAzure("azure", s.canonical(), deps)
}

// NewTarget makes where and how the calls of a provider go: to the override if
// there is one, else to the endpoint of the cloud that the settings name.
func NewTarget(p *provider.Provider, s Settings, override string, deps Deps) (transport.Target, error) {
	signer, err := New(p, s, deps)
	if err != nil {
		return transport.Target{}, err
	}
	target := transport.Target{Endpoint: override, Authorizer: signer}
	if override != "" {
		if azure, ok := signer.(*Azure); ok && p.Family == provider.ARM {
			azure.fixed = azure.cloud.audience
		}
		return target, nil
	}
	if p.Family != provider.ARM {
		return target, nil
	}
	c, err := s.cloud(deps.Getenv)
	if err != nil {
		return transport.Target{}, err
	}
	target.Origins = c.origins()
	if c.name != "public" {
		target.Endpoint = c.endpoint
	}
	return target, nil
}

// Secrets gives the names of the variables from which the Signer of a provider
// would take secrets: those under which planeql auth set keeps them.
func Secrets(p *provider.Provider, s Settings) ([]string, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	suggested, err := suggestion(p)
	if s = s.canonical().over(suggested); s.suggested && err != nil {
		return nil, err
	}
	names := s.variables()
	if len(names) == 0 {
		return nil, fault.New(fault.InvalidFlag, "signing in to %s by %q takes no secret from a variable", p.Name, s.kind()).
			WithHint("planeql auth check %s tells how it signs in", p.Name)
	}
	return names, nil
}
