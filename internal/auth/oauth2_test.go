package auth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// tokenEndpoint is a token endpoint on this machine.
type tokenEndpoint struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []url.Values
	paths  []string
	basic  []string
	answer string // empty: a token
	status int
}

func newTokenEndpoint(t *testing.T) *tokenEndpoint {
	t.Helper()
	i := &tokenEndpoint{}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

func (i *tokenEndpoint) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	_ = r.ParseForm()
	name, password, _ := r.BasicAuth()
	i.asked, i.paths, i.basic = append(i.asked, r.PostForm), append(i.paths, r.URL.EscapedPath()), append(i.basic, name+":"+password)
	w.Header().Set("Content-Type", "application/json")
	if i.status != 0 {
		w.WriteHeader(i.status)
	}
	if i.answer != "" {
		fmt.Fprint(w, i.answer)
		return
	}
	fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":3600}`, len(i.asked))
}

func TestOAuth2(t *testing.T) {
	i, s := newTokenEndpoint(t), newService(t)
	document := map[string]string{
		"type": "oauth2", "grant_type": "client_credentials", "client_id_env_var": "ID", "client_secret_env_var": "SECRET",
		"token_url": i.URL + "/oidc/{{ .__env__ACCOUNT }}/v1/{{.account_id}}/token", "account_id": "a1", "scopes": "one two", "values.audience": "api", "auth_style": "1",
	}
	deps := Deps{Getenv: environment("ID", "me", "SECRET", secret, "ACCOUNT", "a/b")}
	got, err := s.call(t, document, Settings{}, deps)
	if err != nil || got.header.Get("Authorization") != "Bearer t1" {
		t.Fatalf("%+v, %v", got, err)
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"me"}, "client_secret": {secret}, "scope": {"one two"}, "audience": {"api"},
	}
	if i.asked[0].Encode() != form.Encode() || i.paths[0] != "/oidc/a%2Fb/v1/a1/token" {
		t.Errorf("asked %s for %s", i.paths[0], i.asked[0].Encode())
	}
	document["auth_style"] = "2"
	if _, err := s.call(t, document, Settings{}, deps); err != nil || i.basic[1] != "me:"+secret || i.asked[1].Get("client_secret") != "" {
		t.Errorf("in the header: %q %v, %v", i.basic, i.asked, err)
	}
	report, err := mustSigner(t, document, Settings{}, deps).Check(t.Context())
	if err != nil || report.Principal != "me" || report.Credential != "the token endpoint" || time.Until(report.Expires) < 50*time.Minute {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestOAuth2_refusedToken gets a fresh token when the service refuses one.
func TestOAuth2_refusedToken(t *testing.T) {
	i, s := newTokenEndpoint(t), newService(t)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.got = append(s.got, seen{header: r.Header})
		if r.Header.Get("Authorization") != "Bearer t2" {
			w.WriteHeader(401)
		}
	})
	settings := Settings{Kind: OAuth2, Options: map[string]string{"token_url": i.URL, "client_id": "me", "env": "S"}}
	if _, err := s.call(t, nil, settings, Deps{Getenv: environment("S", secret)}); err != nil || len(s.got) != 2 || len(i.asked) < 2 {
		t.Errorf("%d calls, %d tokens, %v", len(s.got), len(i.asked), err)
	}
}

func TestOAuth2_fails(t *testing.T) {
	i := newTokenEndpoint(t)
	i.status, i.answer = 401, `{"error":"invalid_client","error_description":"client me is locked"}`
	deps := Deps{Getenv: environment("S", secret)}
	for says, pairs := range map[string][]string{
		"invalid_client: client me is locked":   {"token_url", i.URL, "client_id", "me", "env", "S"},
		"the variable NONE is not set":          {"token_url", i.URL, "client_id", "me", "env", "NONE"},
		"the variable ID is not set":            {"token_url", i.URL, "client_id_env", "ID", "env", "S"},
		"token_url is no https address":         {"token_url", "http://login.example/token", "client_id", "me", "env", "S"},
		"token_url needs the option account_id": {"token_url", "https://login.example/{{ .account_id }}", "client_id", "me", "env", "S"},
		"the variable TENANT is not set":        {"token_url", "https://login.example/{{ .__env__TENANT }}", "client_id", "me", "env", "S"},
	} {
		o := map[string]string{}
		for n := 0; n < len(pairs); n += 2 {
			o[pairs[n]] = pairs[n+1]
		}
		report, err := mustSigner(t, nil, Settings{Kind: OAuth2, Options: o}, deps).Check(t.Context())
		f := wantFault(t, err, fault.NoCredential, says, "planeql auth check p")
		if strings.Contains(f.Print(), secret) || len(report.Tried) != 1 {
			t.Errorf("%+v\n%s", report, f.Print())
		}
	}
	for _, o := range []map[string]string{nil, {"token_url": "https://x"}, {"token_url": "https://x", "client_id": "i", "env": "S", "auth_style": "9"}} {
		_, err := newOAuth2("p", Settings{Kind: OAuth2, Options: o}, deps)
		wantFault(t, err, fault.InvalidFlag)
	}
}
