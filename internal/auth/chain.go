package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// origin is one way to a token of a [chain].
type origin struct {
	name string
	get  func(context.Context) (granted, error) // an errUnset passes on to the next
}

// granted is a token with what is known of it.
type granted struct {
	token     azcore.AccessToken
	principal string
	header    map[string]string // goes with the token
}

// chain signs with bearer tokens of the first origin that is set up. One that
// is set up and fails ends the search: another identity than the one that was
// meant must not be taken in silence.
type chain struct {
	provider string
	kind     string
	next     string // what to do where none is set up
	origins  []origin
	deps     Deps
	tokens   tokens

	mu   sync.Mutex
	last granted
}

// newChain makes the signer of a chain; nothing is asked yet.
func newChain(providerName, kind, next string, deps Deps, origins ...origin) *chain {
	c := &chain{provider: providerName, kind: kind, next: next, origins: origins, deps: deps}
	c.tokens = tokens{now: deps.now, get: func(ctx context.Context, _ bool, _ string) (azcore.AccessToken, error) {
		g, tried, err := c.try(ctx)
		if err != nil && ctx.Err() == nil {
			err = c.noCredential(tried)
		}
		return g.token, err
	}}
	return c
}

// try asks the origins in order.
func (c *chain) try(ctx context.Context) (granted, []Attempt, error) {
	var tried []Attempt
	var last error
	for _, o := range c.origins {
		start := time.Now()
		g, err := o.get(ctx)
		attempt := Attempt{Name: o.name, Outcome: "token", Took: time.Since(start)}
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.last = g
			return g, append(tried, attempt), nil
		}
		if ctx.Err() != nil {
			return granted{}, tried, ctx.Err()
		}
		attempt.Outcome = explainOAuth(err)
		tried, last = append(tried, attempt), err
		if _, unset := errors.AsType[errUnset](err); !unset {
			break
		}
	}
	return granted{}, tried, last
}

// noCredential makes the fault that says what was tried and what to do.
func (c *chain) noCredential(tried []Attempt) *fault.Error {
	var lines []string
	for _, t := range tried {
		lines = append(lines, t.Name+": "+t.Outcome)
	}
	return fault.New(fault.NoCredential, "no credential for %s could be had", c.provider).
		WithDetail("%s", strings.Join(lines, "\n")).
		WithHint("%s; planeql auth check %s shows more", c.next, c.provider)
}

// Authorize puts a token on the request.
func (c *chain) Authorize(ctx context.Context, req *http.Request, s transport.Signing) error {
	refused := ""
	if s.Challenge != "" {
		refused = strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	}
	token, err := c.tokens.token(ctx, refused, "")
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, value := range c.last.header {
		req.Header.Set(name, value)
	}
	return nil
}

// Check gets a new token and reports how.
func (c *chain) Check(ctx context.Context) (Report, error) {
	report := Report{Provider: c.provider, Kind: c.kind}
	start := time.Now()
	g, tried, err := c.try(ctx)
	report.Took, report.Tried = time.Since(start), tried
	if ctx.Err() != nil {
		return report, ctx.Err()
	}
	if err != nil {
		return report, c.noCredential(tried)
	}
	c.tokens.keep(g.token)
	report.Credential = tried[len(tried)-1].Name
	report.Expires = g.token.ExpiresOn
	report.read(g.token.Token, c.deps.now())
	if g.principal != "" {
		report.Principal = g.principal
	}
	return report, nil
}
