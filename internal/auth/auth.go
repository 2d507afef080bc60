// Package auth signs the calls of a provider: it finds a credential by the kind
// the user named, keeps its token until it has to be renewed, renews it once
// when a service refuses it, and can tell which credentials were tried and why
// each was or was not taken.
//
// It refuses tokens and secrets in the clear on a command line, and no message
// of it holds any. Where a token may be sent is not decided here: package
// transport holds it to the provider's origins. Start reading at [New];
// the credentials of Azure are in sources.go, the token's life in tokens.go.
package auth

import (
	"context"
	"crypto/x509"
	"maps"
	"net/http"
	"slices"
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
}

// The kinds of credentials. All but Bearer and None are Azure's.
const (
	Default     = "default"     // the first that gives a token: env, workload, msi, cli, azd
	Environment = "env"         // AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret or certificate
	Workload    = "workload"    // a federated token in a file, as in Kubernetes
	Managed     = "msi"         // the identity of the machine
	CLI         = "cli"         // who is signed in to az
	Developer   = "azd"         // who is signed in to azd
	DeviceCode  = "devicecode"  // a code that is typed in a browser elsewhere
	Browser     = "browser"     // a browser on this machine
	Certificate = "certificate" // a service principal with a certificate file
	Secret      = "secret"      // a service principal with a secret in a variable or a file
	Bearer      = "bearer"      // a token in a variable or a file
	None        = "none"        // no credential
)

// options lists what each kind takes beside where the cloud is.
var options = map[string][]string{
	Default:     {"tenant", "client_id"},
	Environment: {"tenant", "client_id"},
	Workload:    {"tenant", "client_id", "file"},
	Managed:     {"client_id", "object_id", "resource_id"},
	CLI:         {"tenant", "subscription"},
	Developer:   {"tenant"},
	DeviceCode:  {"tenant", "client_id"},
	Browser:     {"tenant", "client_id", "login_hint"},
	Certificate: {"tenant", "client_id", "path", "password_env"},
	Secret:      {"tenant", "client_id", "env", "file"},
	Bearer:      {"env", "file"},
	None:        nil,
}

var cloudOptions = []string{"cloud", "endpoint", "authority", "audience"}

// example is shown where a flag is not understood.
const example = "a credential is named like --auth azure=cli,tenant=ID or --auth azure=bearer,env=NAME"

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
		s.Options[key] = strings.TrimSpace(value)
	}
	return name, s, s.Validate()
}

// Validate checks kind and options, without looking for a credential.
func (s Settings) Validate() error {
	if s.Kind == "" && len(s.Options) == 0 {
		return nil
	}
	kind := s.kind()
	allowed, ok := options[kind]
	if !ok {
		kinds := slices.Sorted(maps.Keys(options))
		return fault.New(fault.InvalidFlag, "there is no kind of credential %q", s.Kind).
			WithHint("%s", fault.DidYouMean(s.Kind, kinds, "the kinds are "+strings.Join(kinds, ", ")))
	}
	allowed = append(slices.Clone(allowed), cloudOptions...)
	for _, key := range slices.Sorted(maps.Keys(s.Options)) {
		if slices.Contains(allowed, key) {
			continue
		}
		if key == "token" || key == "secret" || key == "password" {
			return fault.New(fault.InvalidFlag, "the option %q is not taken, since a command line can be read by others", key).
				WithHint("put it into a variable and name that with env=NAME")
		}
		return fault.New(fault.InvalidFlag, "the kind %q takes no option %q", kind, key).
			WithHint("%s", fault.DidYouMean(key, allowed, "it takes "+strings.Join(allowed, ", ")))
	}
	_, err := s.cloud(nil)
	return err
}

// kind gives the kind that counts.
func (s Settings) kind() string {
	if s.Kind == "" {
		return Default
	}
	return strings.ToLower(s.Kind)
}

// Deps are what the package needs from outside. Every field may be nil.
type Deps struct {
	Getenv  func(string) string
	Now     func() time.Time
	Prompt  func(message string) // shows the code of a device sign-in; nil: that kind is refused
	RootCAs *x509.CertPool       // for the sign-in service; nil: the system's
	Client  *http.Client         // sends to the sign-in service; nil: an own one
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

// New makes the Signer of a provider. Nobody signs in before the first call.
// The default is a chain of credentials for the ARM family and none elsewhere.
func New(providerName string, family provider.Family, s Settings, deps Deps) (Signer, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	kind := s.kind()
	switch {
	case kind == None || kind == Default && family != provider.ARM:
		return Anonymous{Provider: providerName}, nil
	case kind == Bearer:
		return newStatic(providerName, s, deps)
	case family != provider.ARM:
		return nil, fault.New(fault.InvalidFlag, "the kind %q is for Azure, not for %s", kind, providerName).
			WithHint("use --auth %s=bearer,env=NAME", providerName)
	}
	return newAzure(providerName, s, deps)
}

// NewAzure makes the Signer of the provider azure with one of its own kinds.
func NewAzure(s Settings, deps Deps) (*Azure, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return newAzure("azure", s, deps)
}

// NewTarget makes where and how the calls of a provider go: to the override if
// there is one, else to the endpoint of the cloud that the settings name.
func NewTarget(providerName string, family provider.Family, s Settings, override string, deps Deps) (transport.Target, error) {
	signer, err := New(providerName, family, s, deps)
	if err != nil {
		return transport.Target{}, err
	}
	target := transport.Target{Endpoint: override, Authorizer: signer}
	if family != provider.ARM || override != "" {
		return target, nil
	}
	c, err := s.cloud(deps.Getenv)
	if err != nil {
		return transport.Target{}, err
	}
	target.Origins = []string{c.endpoint}
	if c.name != "public" {
		target.Endpoint = c.endpoint
	}
	return target, nil
}
