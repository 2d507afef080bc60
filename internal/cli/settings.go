package cli

import (
	"net/url"
	"strings"
	"time"

	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/auth"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// settings is what holds for a run, checked as far as one value can be.
type settings struct {
	output render.Format
	errors render.ErrorFormat
	quiet  bool
	config string

	files         []string
	keepGoing     bool
	failIfRows    bool
	failIfChanges bool
	failIfEmpty   bool

	endpoints map[string]string
	auth      map[string]authChoice
	variables map[string]string // of --var; after readVariables of all sources
	varFiles  []string
	envVars   bool

	dryRun, yes, readOnly, noCache bool
	scope                          []string
	maxTargets, maxPages, maxCalls int // 0: no limit of the user's
	concurrency                    int // 0: the default of the engine
	onError                        string
	timeout, wait                  time.Duration
	database, httpLog, caCert      string
	journal, audit                 string

	secretsIn                        string // keyring or file: where auth set keeps them
	providers, registry, registryKey string
	chosen                           map[string]string // provider -> version
	available, problems              bool
	lock, locked                     bool

	sim   simSettings
	build buildSettings
}

// authChoice is one --auth.
type authChoice struct {
	kind    string
	options map[string]string
}

type simSettings struct {
	addr, certFile, estate, faults string
	longRunning, behaviour         string
	etags                          bool
	stale                          armsim.Staleness
	latency                        time.Duration
	pageSize                       int
	seed                           int64
}

func defaults() settings {
	return settings{
		output: render.Table, errors: render.ErrorText,
		endpoints: map[string]string{}, auth: map[string]authChoice{}, variables: map[string]string{}, chosen: map[string]string{},
		registry: publishedRegistry,
		sim:      simSettings{addr: "127.0.0.1:0", estate: "small", seed: 1},
	}
}

func setEndpoint(s *settings, text string) error {
	provider, address, ok := strings.Cut(text, "=")
	if !ok || provider == "" {
		return fault.New(fault.InvalidFlag, "%q does not say whose address it is", text).
			WithHint("write PROVIDER=URL, such as azure=http://127.0.0.1:8080")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fault.New(fault.InvalidFlag, "%q is no address", address).
			WithHint("an address begins with http:// or https://, such as http://127.0.0.1:8080")
	}
	s.endpoints[provider] = address
	return nil
}

func setAuth(s *settings, text string) error {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		all, err := auth.ParseJSON(text)
		for provider, c := range all {
			s.auth[provider] = authChoice{c.Kind, c.Options}
		}
		return err
	}
	provider, rest, ok := strings.Cut(text, "=")
	kind, list, _ := strings.Cut(rest, ",")
	if !ok || provider == "" || kind == "" {
		return fault.New(fault.InvalidFlag, "%q does not say who signs in how", text).
			WithHint("write PROVIDER=KIND[,name=value], such as azure=cli or okta=api_key,env=TOKEN")
	}
	c := authChoice{kind: kind, options: map[string]string{}}
	for part := range strings.SplitSeq(list, ",") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			// The text is not repeated: it may be a secret in the wrong place.
			return fault.New(fault.InvalidFlag, "an option of %s=%s is not of the form name=value", provider, kind).
				WithHint("write options as name=value, such as azure=bearer,env=TOKEN")
		}
		c.options[name] = value
	}
	s.auth[provider] = c
	return nil
}

func setVariable(s *settings, text string) error {
	name, value, ok := strings.Cut(text, "=")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return fault.New(fault.InvalidFlag, "%q is not of the form name=value", text).
			WithHint("--var hostPoolName=hp-office fills {{ hostPoolName }}")
	}
	s.variables[name] = value
	return nil
}

// publishedRegistry is where the providers of the published format are had from
// unless --registry names another place.
const publishedRegistry = "https://registry.stackql.app/providers"

// setProvider takes NAME or NAME@VERSION.
func setProvider(s *settings, text string) error {
	name, version, pinned := strings.Cut(text, "@")
	if name == "" || pinned && version == "" {
		return fault.New(fault.InvalidFlag, "%q names no provider and version", text).
			WithHint("write NAME@VERSION, such as azure@v0.3.0, azure@built-in, or NAME for the newest that is installed")
	}
	s.chosen[name] = version
	return nil
}
