package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// Azure signs calls with tokens of Microsoft Entra. It is safe for concurrent
// use.
type Azure struct {
	provider string
	kind     string
	cloud    cloud
	deps     Deps
	fixed    string // audience of all calls, wherever they go; empty: by the host

	mu      sync.Mutex
	tokens  map[string]*tokens // by audience
	sources []*source
	winner  *source // the source that gave the last token; it is kept
}

// newAzure makes the ways to a token and uses none of them yet.
func newAzure(providerName string, s Settings, deps Deps) (*Azure, error) {
	c, err := s.cloud(deps.Getenv)
	if err != nil {
		return nil, err
	}
	m := &maker{provider: providerName, settings: s, deps: deps, cloud: c}
	sources, err := m.sources()
	if err != nil {
		return nil, err
	}
	return &Azure{
		provider: providerName, kind: s.kind(), cloud: c, deps: deps, sources: sources, tokens: map[string]*tokens{},
	}, nil
}

// audience tells for whom a token has to be that goes to a host.
func (a *Azure) audience(host string) string {
	if a.fixed != "" {
		return a.fixed
	}
	return a.cloud.audienceOf(host)
}

// tokensFor gives the token of an audience.
func (a *Azure) tokensFor(audience string) *tokens {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tokens[audience] == nil {
		a.tokens[audience] = &tokens{now: a.deps.now, get: func(ctx context.Context, fresh bool, claims string) (azcore.AccessToken, error) {
			return a.get(ctx, fresh, audience, claims)
		}}
	}
	return a.tokens[audience]
}

// Authorize puts a bearer token on the request. An error is a
// fault.NoCredential, or the context's.
func (a *Azure) Authorize(ctx context.Context, req *http.Request, s transport.Signing) error {
	refused, claims := "", ""
	if s.Challenge != "" {
		refused = strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
		claims = claimsOf(s.Challenge)
	}
	token, err := a.tokensFor(a.audience(req.URL.Hostname())).token(ctx, refused, claims)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// get gets a token from the first source that has one.
func (a *Azure) get(ctx context.Context, fresh bool, audience, claims string) (azcore.AccessToken, error) {
	token, tried, err := a.try(ctx, fresh, audience, claims)
	if err == nil {
		return token, nil
	}
	if ctx.Err() != nil {
		return azcore.AccessToken{}, ctx.Err()
	}
	return azcore.AccessToken{}, a.noCredential(tried)
}

// Attempt is one credential that was tried.
type Attempt struct {
	Name    string
	Outcome string // "token" for the one that was taken, else why not; never a secret
	Took    time.Duration
	source  *source
}

// try goes through the sources: one that is not there passes on, one that is
// there and fails ends the search, since another identity than the one that
// was set up must not be taken in silence.
func (a *Azure) try(ctx context.Context, fresh bool, audience, claims string) (azcore.AccessToken, []Attempt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sources := a.sources
	if a.winner != nil {
		sources = []*source{a.winner}
	}
	o := policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}, Claims: claims, EnableCAE: true}
	var tried []Attempt
	var last error
	for _, s := range sources {
		start := time.Now()
		token, err := s.get(ctx, fresh, o)
		attempt := Attempt{Name: s.name, Outcome: "token", Took: time.Since(start), source: s}
		if err == nil {
			a.winner = s
			return token, append(tried, attempt), nil
		}
		if ctx.Err() != nil {
			return azcore.AccessToken{}, tried, ctx.Err()
		}
		attempt.Outcome = explain(err)
		tried = append(tried, attempt)
		last = err
		if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed != nil && !s.lazy {
			break
		}
	}
	return azcore.AccessToken{}, tried, last
}

// noCredential makes the fault that says what was tried, why it did not work,
// and what to run next.
func (a *Azure) noCredential(tried []Attempt) *fault.Error {
	var lines []string
	for _, t := range tried {
		lines = append(lines, t.Name+": "+t.Outcome)
	}
	f := fault.New(fault.NoCredential, "no credential for %s could be had", a.provider).
		WithDetail("%s", strings.Join(lines, "\n"))
	if len(tried) == 1 {
		return f.WithHint("%s; planeql auth check %s shows more", tried[0].source.next, a.provider)
	}
	return f.WithHint("run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; "+
		"planeql auth check %s shows more", a.provider)
}

// claimsOf takes the claims out of a challenge. The service withdraws a token
// before its end with error="insufficient_claims" and tells what the next one
// has to fulfil.
func claimsOf(challenge string) string {
	found := claimsPattern.FindStringSubmatch(challenge)
	if found == nil {
		return ""
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if claims, err := encoding.DecodeString(found[1]); err == nil && json.Valid(claims) {
			return string(claims)
		}
	}
	return ""
}

var claimsPattern = regexp.MustCompile(`(?i)\bclaims="([^"]+)"`)

// longestReason bounds why a credential was not taken, in bytes.
const longestReason = 300

// explain gives the reason of a failure in a line. Of an answer of the sign-in
// service the description is enough; the SDK would show all of it.
func explain(err error) string {
	text := err.Error()
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err); ok && failed.RawResponse != nil {
		if description := description(failed.RawResponse); description != "" {
			text = description
		}
	}
	text, _, _ = strings.Cut(text, "To troubleshoot")
	text = strings.Join(strings.Fields(transport.RedactText(text)), " ")
	for _, prefix := range []string{"AzureCLICredential: ", "AzureDeveloperCLICredential: ", "ManagedIdentityCredential: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	if len(text) > longestReason {
		text = strings.ToValidUTF8(text[:longestReason], "") + "…"
	}
	return strings.TrimRight(text, " .")
}

// description takes the reason out of an answer of the sign-in service. Its first
// line says what is wrong; the others are ids for its support.
func description(r *http.Response) string {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return ""
	}
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	line, _, _ := strings.Cut(answer.Description, "\n")
	if line == "" {
		return answer.Error
	}
	return strings.TrimSpace(line)
}
