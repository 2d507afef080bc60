package auth

import (
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// Anonymous signs nothing: calls go without a credential.
type Anonymous struct{ Provider string }

// Authorize leaves the request as it is.
func (Anonymous) Authorize(context.Context, *http.Request, string) error { return nil }

// Check reports that there is nothing to check.
func (a Anonymous) Check(context.Context) (Report, error) {
	return Report{Provider: a.Provider, Kind: None, Credential: "none"}, nil
}

// static signs with a token that somebody else renews: in a variable, or in a
// file that is read again when the service refuses the token.
type static struct {
	provider string
	settings Settings
	deps     Deps

	mu    sync.Mutex
	token string
}

// newStatic checks where the token is; it is read when it is needed, since an
// agent may write it after this program has started.
func newStatic(providerName string, s Settings, deps Deps) (*static, error) {
	if (s.Options["env"] == "") == (s.Options["file"] == "") {
		return nil, fault.New(fault.InvalidFlag, "the kind %q needs one of the options env and file", Bearer).
			WithHint("--auth %s=bearer,env=NAME takes the token from the variable NAME", providerName)
	}
	return &static{provider: providerName, settings: s, deps: deps}, nil
}

// Authorize puts the token on the request.
func (b *static) Authorize(_ context.Context, req *http.Request, challenge string) error {
	token, err := b.read(challenge != "")
	if err != nil {
		return fault.New(fault.NoCredential, "no credential for %s could be had", b.provider).
			WithDetail("%s", err.Error()).
			WithHint("put a token there, such as that of: az account get-access-token --query accessToken -o tsv")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// read gives the token, from its place where it is asked for again.
func (b *static) read(again bool) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token != "" && !again {
		return b.token, nil
	}
	token, err := readSecret(b.settings, b.deps, "")
	if err != nil {
		return "", err
	}
	token = strings.TrimSpace(strings.TrimPrefix(token, "Bearer "))
	if strings.ContainsAny(token, " \r\n\t") {
		return "", errUnset("what stands there is no token: it has blanks inside")
	}
	b.token = token
	return token, nil
}

// Check reports whose token it is, as far as the token tells.
func (b *static) Check(context.Context) (Report, error) {
	start := time.Now()
	report := Report{Provider: b.provider, Kind: Bearer, Credential: b.name()}
	token, err := b.read(true)
	report.Took = time.Since(start)
	attempt := Attempt{Name: b.name(), Outcome: "token", Took: report.Took}
	if err != nil {
		attempt.Outcome = err.Error()
		report.Tried = []Attempt{attempt}
		return report, fault.New(fault.NoCredential, "no credential for %s could be had", b.provider).
			WithDetail("%s", err.Error()).WithHint("put a token there and export it to this program")
	}
	report.Tried = []Attempt{attempt}
	report.read(token, b.deps.now())
	return report, nil
}

// name says where the token is, never what it is.
func (b *static) name() string {
	if name := b.settings.Options["env"]; name != "" {
		return "the variable " + name
	}
	return "the file " + b.settings.Options["file"]
}

// readSecret reads a secret from where the options env and file point, or else
// from a variable.
func readSecret(s Settings, deps Deps, otherwise string) (string, error) {
	if file := s.Options["file"]; file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if text := strings.TrimSpace(string(data)); text != "" {
			return text, nil
		}
		return "", errUnset("the file " + file + " is empty")
	}
	variable := s.Options["env"]
	if variable == "" {
		variable = otherwise
	}
	if value := strings.TrimSpace(deps.env(variable)); value != "" {
		return value, nil
	}
	return "", errUnset("the variable " + variable + " is not set")
}
