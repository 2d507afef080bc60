package auth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// authority is a sign-in service of a private cloud, on this machine.
type authority struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []url.Values
	refuse bool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		base := a.URL + "/" + strings.Split(r.URL.Path, "/")[1]
		json.NewEncoder(w).Encode(map[string]string{
			"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0",
		})
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		return
	}
	a.asked = append(a.asked, r.PostForm)
	if a.refuse {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: x"}`)
		return
	}
	token := jwt(fmt.Sprintf(`{"tid":"tenant-1","appid":"app-1","jti":"%d"}`, len(a.asked)))
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
}

func (a *authority) settings(kind string, pairs ...string) Settings {
	s := Settings{Kind: kind, Options: map[string]string{"cloud": "custom", "endpoint": "https://arm.local", "authority": a.URL}}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Options[pairs[i]] = pairs[i+1]
	}
	return s
}

const (
	tenant = "11111111-1111-1111-1111-111111111111"
	secret = "S3CR3T-value"
)

func principal() func(string) string {
	return environment("AZURE_TENANT_ID", tenant, "AZURE_CLIENT_ID", "app-1", "AZURE_CLIENT_SECRET", secret)
}

func TestAzure_environment(t *testing.T) {
	a := newAuthority(t)
	az, err := NewAzure(a.settings(Environment), Deps{Getenv: principal(), Client: a.Client()})
	if err != nil {
		t.Fatal(err)
	}
	r := requestTo(t, "https://arm.local/x")
	for range 3 {
		if err := az.Authorize(t.Context(), r, transport.Signing{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.asked) != 1 || a.asked[0].Get("client_secret") != secret || a.asked[0].Get("scope") != "https://arm.local//.default openid offline_access profile" {
		t.Errorf("asked %v", a.asked)
	}
	first := r.Header.Get("Authorization")
	if err := az.Authorize(t.Context(), r, transport.Signing{Challenge: "Bearer"}); err != nil || r.Header.Get("Authorization") == first {
		t.Errorf("no fresh token after a refusal: %v", err)
	}
	challenge := `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0="`
	if err := az.Authorize(t.Context(), r, transport.Signing{Challenge: challenge}); err != nil || len(a.asked) != 3 || !strings.Contains(a.asked[2].Get("claims"), "nbf") {
		t.Errorf("claims were not passed on: %v, %v", a.asked[len(a.asked)-1], err)
	}
}

func TestAzure_check(t *testing.T) {
	a := newAuthority(t)
	az, err := NewAzure(a.settings(Environment), Deps{Getenv: principal(), Client: a.Client()})
	if err != nil {
		t.Fatal(err)
	}
	report, err := az.Check(t.Context())
	if err != nil || report.Credential != "EnvironmentCredential" || report.Tenant != "tenant-1" || report.Principal != "app-1" ||
		report.Cloud != "custom" || report.Endpoint != "https://arm.local" || time.Until(report.Expires) < 50*time.Minute || report.Took <= 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := az.Authorize(t.Context(), requestTo(t, "https://arm.local/x"), transport.Signing{}); err != nil || len(a.asked) != 1 {
		t.Errorf("the checked token is not used: %d requests, %v", len(a.asked), err)
	}
}

// TestAzure_failureEndsTheChain takes no other identity than the one that was
// set up, and tells the sign-in service's words.
func TestAzure_failureEndsTheChain(t *testing.T) {
	a := newAuthority(t)
	a.refuse = true
	noTools(t)
	az, err := NewAzure(a.settings(Default), Deps{Getenv: principal(), Client: a.Client()})
	if err != nil {
		t.Fatal(err)
	}
	report, err := az.Check(t.Context())
	f := wantFault(t, err, fault.NoCredential, "EnvironmentCredential: AADSTS7000215: Invalid client secret provided")
	if len(report.Tried) != 1 || report.Credential != "" || strings.Contains(f.Print(), secret) || strings.Contains(f.Print(), "Trace") {
		t.Errorf("%+v\n%s", report, f.Print())
	}
}

// noTools hides az and azd of this machine.
func noTools(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell script")
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	return dir
}

func refusedAddress(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// TestAzure_nothing says of each credential why it was not taken and what to
// run next.
func TestAzure_nothing(t *testing.T) {
	noTools(t)
	az, err := NewAzure(Settings{}, Deps{Getenv: environment("AZURE_POD_IDENTITY_AUTHORITY_HOST", refusedAddress(t))})
	if err != nil {
		t.Fatal(err)
	}
	err = az.Authorize(t.Context(), requestTo(t, "https://arm.local/x"), transport.Signing{})
	f := wantFault(t, err, fault.NoCredential, "EnvironmentCredential: AZURE_TENANT_ID or AZURE_CLIENT_ID is not set",
		"WorkloadIdentityCredential: ", "ManagedIdentityCredential: no metadata service is here", "AzureCLICredential: ",
		"AzureDeveloperCLICredential: ", "run az login", "planeql auth check azure")
	if lines := strings.Split(f.Detail, "\n"); len(lines) != 5 {
		t.Errorf("%d lines:\n%s", len(lines), f.Print())
	}
	report, err := az.Check(t.Context())
	if fault.As(err) == nil || len(report.Tried) != 5 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestAzure_probeIsShort does not wait for a metadata service that is silent.
func TestAzure_probeIsShort(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(silent) })
	m := &maker{deps: Deps{Getenv: environment("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.URL)}}
	start := time.Now()
	err := m.probe(t.Context())
	if err == nil || !strings.Contains(err.Error(), "within 1s") || time.Since(start) > 3*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

func script(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestAzure_cli asks az once and not for every call.
func TestAzure_cli(t *testing.T) {
	dir := noTools(t)
	log := filepath.Join(dir, "log")
	script(t, dir, "az", `echo "$@" >> '`+log+`'
echo '{"accessToken":"`+jwt(`{"tid":"t","upn":"me@x"}`)+`","expires_on":`+fmt.Sprint(time.Now().Add(time.Hour).Unix())+`,"tokenType":"Bearer"}'`)
	az, err := NewAzure(Settings{Kind: CLI, Options: map[string]string{"tenant": tenant}}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := az.Authorize(t.Context(), newRequest(t), transport.Signing{}); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := os.ReadFile(log)
	if err != nil || strings.Count(string(lines), "\n") != 1 || !strings.Contains(string(lines), "--tenant "+tenant) ||
		!strings.Contains(string(lines), "--resource https://management.core.windows.net/") {
		t.Errorf("az was asked %q, %v", lines, err)
	}
	report, err := az.Check(t.Context())
	if err != nil || report.Principal != "me@x" || report.Cloud != "public" {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAzure_cliSignedOut(t *testing.T) {
	dir := noTools(t)
	script(t, dir, "az", "echo 'ERROR: Please run az login to setup account.' >&2\nexit 1\n")
	az, err := NewAzure(Settings{Kind: CLI}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, az.Authorize(t.Context(), requestTo(t, "https://arm.local/x"), transport.Signing{}), fault.NoCredential, "az login")
}

// TestAzure_missingOptions says what is missing, for each kind by itself.
func TestAzure_missingOptions(t *testing.T) {
	for kind, says := range map[string]string{
		Environment: "AZURE_TENANT_ID", Workload: "AZURE_FEDERATED_TOKEN_FILE", Certificate: "path",
		Secret: "AZURE_CLIENT_SECRET", DeviceCode: "no terminal",
	} {
		az, err := NewAzure(Settings{Kind: kind}, Deps{})
		if err != nil {
			t.Fatal(err)
		}
		wantFault(t, az.Authorize(t.Context(), requestTo(t, "https://arm.local/x"), transport.Signing{}), fault.NoCredential, says, "hint:")
	}
	path := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	az, err := NewAzure(Settings{Kind: Certificate, Options: map[string]string{"tenant": tenant, "client_id": "c", "path": path}}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, az.Authorize(t.Context(), requestTo(t, "https://arm.local/x"), transport.Signing{}), fault.NoCredential, "PKCS#12")
}

// TestOrder narrows the chain as the SDKs do.
func TestOrder(t *testing.T) {
	for choice, want := range map[string]string{
		"": "env workload msi cli azd", "prod": "env workload msi", "DEV": "cli azd", "AzureCLICredential": "cli",
		"EnvironmentCredential": "env", "ManagedIdentityCredential": "msi", "WorkloadIdentityCredential": "workload",
		"AzureDeveloperCLICredential": "azd", "InteractiveBrowserCredential": "browser",
	} {
		m := &maker{deps: Deps{Getenv: environment("AZURE_TOKEN_CREDENTIALS", choice)}}
		got, err := m.order()
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", choice, got, err)
		}
	}
	_, err := NewAzure(Settings{}, Deps{Getenv: environment("AZURE_TOKEN_CREDENTIALS", "nope")})
	wantFault(t, err, fault.NoCredential, "AZURE_TOKEN_CREDENTIALS")
}

func TestClaimsOf(t *testing.T) {
	for challenge, want := range map[string]string{
		`Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="`:   `{"a":1}`,
		`Bearer claims="eyJhIjoxfQ"`:                                  `{"a":1}`,
		`Bearer claims="%%%"`:                                         "",
		`Bearer claims="YWJj"`:                                        "",
		`Bearer authorization_uri="https://x", error="invalid_token"`: "",
		``: "",
	} {
		if got := claimsOf(challenge); got != want {
			t.Errorf("%s: %q, want %q", challenge, got, want)
		}
	}
}
