package auth

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// seen is a request as a service on this machine got it.
type seen struct {
	uri    string
	header http.Header
	body   string
}

// service is a provider's service on this machine, reached as a statement
// reaches it.
type service struct {
	*httptest.Server
	got []seen
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.got = append(s.got, seen{r.RequestURI, r.Header, string(body)})
	}))
	t.Cleanup(s.Close)
	return s
}

// call signs a call to the service by settings over what documents suggest.
func (s *service) call(t *testing.T, document map[string]string, settings Settings, deps Deps) (seen, error) {
	t.Helper()
	p := &provider.Provider{Name: "p", Auth: document}
	target, err := NewTarget(p, settings, s.URL, deps)
	if err != nil {
		return seen{}, err
	}
	tr := transport.New(transport.Options{Targets: map[string]transport.Target{"p": target}})
	defer tr.Close()
	_, err = tr.Do(t.Context(), transport.Request{
		Provider: "p", Method: http.MethodPost, URL: s.URL + "/a%2Fb?$filter=x%20y&page=2", Body: []byte("{}"), Authorize: true,
	})
	if err != nil {
		return seen{}, err
	}
	return s.got[len(s.got)-1], nil
}

// TestPlaced sends what the format asks for, for each kind whose secret goes into
// the request as it is.
func TestPlaced(t *testing.T) {
	s := newService(t)
	deps := Deps{Getenv: environment("KEY", "k3y", "APP", "a pp+", "USER", "me", "PASS", "p:w", "PAIR", "bWU6cDp3", "PLAIN", "me:p:w")}
	for name, test := range map[string]struct {
		document map[string]string
		flag     string
		uri      string
		header   map[string]string
	}{
		"bearer":               {nil, "bearer,env=KEY", "", map[string]string{"Authorization": "Bearer k3y"}},
		"bearer of a document": {map[string]string{"type": "bearer", "credentialsenvvar": "KEY"}, "", "", map[string]string{"Authorization": "Bearer k3y"}},
		"api_key":              {nil, "api_key,env=KEY", "", map[string]string{"Authorization": "api_key k3y"}},
		"api_key with a word":  {map[string]string{"type": "api_key", "valuePrefix": "SSWS ", "credentialsenvvar": "KEY"}, "", "", map[string]string{"Authorization": "SSWS k3y"}},
		"a document's word, another variable": {map[string]string{"type": "api_key", "valuePrefix": "SSWS ", "credentialsenvvar": "UNSET"},
			"api_key,env=KEY", "", map[string]string{"Authorization": "SSWS k3y"}},
		"a word of the flag":   {nil, "api_key,env=KEY,prefix=Token token=", "", map[string]string{"Authorization": "Token token=k3y"}},
		"api_key in a header":  {nil, "api_key,env=KEY,location=header,name=X-Key", "", map[string]string{"X-Key": "k3y", "Authorization": ""}},
		"api_key in the query": {nil, "api_key,env=APP,location=query,name=key", "/a%2Fb?$filter=x%20y&page=2&key=a%20pp%2B", nil},
		"in the place of one":  {nil, "api_key,env=KEY,location=query,name=page", "/a%2Fb?$filter=x%20y&page=k3y", nil},
		"basic, pair":          {map[string]string{"type": "basic", "username_var": "USER", "password_var": "PASS"}, "", "", map[string]string{"Authorization": "Basic bWU6cDp3"}},
		"basic, encoded":       {nil, "basic,env=PAIR", "", map[string]string{"Authorization": "Basic bWU6cDp3"}},
		"basic, plain":         {nil, "basic,env=PLAIN", "", map[string]string{"Authorization": "Basic bWU6cDp3"}},
		"basic, name in clear": {nil, "basic,username=me,env=PASS", "", map[string]string{"Authorization": "Basic bWU6cDp3"}},
		"api key and secret":   {map[string]string{"type": "api_key", "valuePrefix": "sso-key ", "api_key_var": "USER", "api_secret_var": "PASS"}, "", "", map[string]string{"Authorization": "sso-key bWU6cDp3"}},
		"custom":               {map[string]string{"type": "custom", "location": "header", "name": "x-api-key", "credentialsenvvar": "KEY"}, "", "", map[string]string{"X-Api-Key": "k3y", "Authorization": ""}},
		"custom, chained": {map[string]string{
			"type": "custom", "location": "header", "name": "DD-API-KEY", "credentialsenvvar": "KEY",
			"successor.type": "custom", "successor.location": "query", "successor.name": "app", "successor.credentialsenvvar": "APP",
			"successor.successor.type": "bearer", "successor.successor.credentialsenvvar": "PASS",
		}, "", "/a%2Fb?$filter=x%20y&page=2&app=a%20pp%2B", map[string]string{"Dd-Api-Key": "k3y", "Authorization": "Bearer p:w"}},
		"none":         {map[string]string{"type": "null_auth"}, "", "", map[string]string{"Authorization": ""}},
		"none, asked":  {map[string]string{"type": "bearer", "credentialsenvvar": "KEY"}, "none", "", map[string]string{"Authorization": ""}},
		"no documents": {nil, "", "", map[string]string{"Authorization": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var settings Settings
			if test.flag != "" {
				var err error
				if _, settings, err = ParseFlag("p=" + test.flag); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.call(t, test.document, settings, deps)
			if err != nil {
				t.Fatal(err)
			}
			if test.uri == "" {
				test.uri = "/a%2Fb?$filter=x%20y&page=2"
			}
			if got.uri != test.uri || got.body != "{}" {
				t.Errorf("got %s %s", got.uri, got.body)
			}
			for key, want := range test.header {
				if got.header.Get(key) != want {
					t.Errorf("%s is %q, want %q", key, got.header.Get(key), want)
				}
			}
		})
	}
}

// TestPlaced_log shows no secret in the log, wherever it went in the request.
func TestPlaced_log(t *testing.T) {
	var log strings.Builder
	s := newService(t)
	settings := Settings{Kind: Custom, Options: map[string]string{"env": "K", "location": "query", "name": "unheard-of", "successor.name": "x-own", "successor.env": "K"}}
	target, err := NewTarget(&provider.Provider{Name: "p"}, settings, s.URL, Deps{Getenv: environment("K", "S3CR3T")})
	if err != nil {
		t.Fatal(err)
	}
	tr := transport.New(transport.Options{Targets: map[string]transport.Target{"p": target}, Log: transport.NewLog(&log, transport.LogText)})
	defer tr.Close()
	response, err := tr.Do(t.Context(), transport.Request{Provider: "p", Method: "GET", URL: s.URL + "/x", Authorize: true})
	if err != nil || s.got[0].uri != "/x?unheard-of=S3CR3T" || s.got[0].header.Get("X-Own") != "S3CR3T" {
		t.Fatalf("%+v, %v", s.got, err)
	}
	if strings.Contains(log.String()+response.URL, "S3CR3T") {
		t.Errorf("%s\n%s", response.URL, log.String())
	}
}

func TestPlaced_missing(t *testing.T) {
	s := newService(t)
	kept := func(provider, name string) (string, string, error) {
		if provider+"/"+name == "p/KEPT" {
			return "k", "the keyring", nil
		}
		if name == "LOCKED" {
			return "", "", errors.New("it is locked")
		}
		return "", "", nil
	}
	deps := Deps{Getenv: environment("BAD", "a\x01b"), Stored: kept}
	for flag, says := range map[string]string{
		"p=api_key,env=UNSET":                "the variable UNSET is not set, and nothing is kept under it",
		"p=api_key,env=LOCKED":               "it is locked",
		"p=basic,username=u,password_env=NO": "the variable NO is not set",
		"p=basic,username_env=NO,env=BAD":    "the variable NO is not set",
		"p=api_key,env=BAD":                  "control characters",
		"p=bearer,file=/nowhere/at/all":      "no such file",
		"p=bearer,file_env=NO":               "the variable NO is not set",
	} {
		_, settings, err := ParseFlag(flag)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.call(t, nil, settings, deps)
		wantFault(t, err, fault.NoCredential, says, "planeql auth set p")
		report, err := mustSigner(t, nil, settings, deps).Check(t.Context())
		wantFault(t, err, fault.NoCredential, says)
		if len(report.Tried) != 1 || report.Credential != "" || report.Tried[0].Outcome == "" {
			t.Errorf("%s: %+v", flag, report)
		}
	}
	if len(s.got) > 0 {
		t.Errorf("%d calls without a credential", len(s.got))
	}
	_, settings, _ := ParseFlag("p=api_key,env=KEPT")
	if got, err := s.call(t, nil, settings, deps); err != nil || got.header.Get("Authorization") != "api_key k" {
		t.Errorf("%+v, %v", got, err)
	}
}

func mustSigner(t *testing.T, document map[string]string, settings Settings, deps Deps) Signer {
	t.Helper()
	s, err := New(&provider.Provider{Name: "p", Auth: document}, settings, deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPlaced_check(t *testing.T) {
	s := mustSigner(t, map[string]string{
		"type": "basic", "username_var": "U", "password_var": "P",
	}, Settings{}, Deps{Getenv: environment("U", "me", "P", "S3CR3T")})
	report, err := s.Check(t.Context())
	if err != nil || report.Kind != Basic || report.Principal != "me" || report.Credential != "the variable P" || report.Tried[0].Outcome != "read, to be sent as the header Authorization" {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestNew_suggestionsThatCannotBe fail the calls of their provider, not the
// session.
func TestNew_suggestionsThatCannotBe(t *testing.T) {
	for _, document := range []map[string]string{
		{"type": "oci_signing_v1"}, {"type": "sql_data_source::postgres"}, {"type": "magic"}, {"location": "header"},
		{"type": "custom", "credentialsenvvar": "X"}, {"type": "bearer"}, {"type": "bearer", "token": "x"},
		{"type": "oauth2", "grant_type": "password", "client_id": "x"}, {"type": "custom", "name": "a b", "credentialsenvvar": "X"},
	} {
		s := mustSigner(t, document, Settings{}, Deps{})
		err := s.Authorize(t.Context(), newRequest(t), transport.Signing{})
		wantFault(t, err, fault.NoCredential, "the documents of p suggest", "--auth p=bearer")
		if _, err := s.Check(t.Context()); fault.As(err) == nil {
			t.Errorf("%v: %v", document, err)
		}
		if _, err := New(&provider.Provider{Name: "p", Auth: document}, Settings{Kind: None}, Deps{}); err != nil {
			t.Error(err)
		}
	}
}

func TestParseJSON(t *testing.T) {
	all, err := ParseJSON(`{
		"aws": {"type": "aws_signing_v4", "credentialsenvvar": "S", "keyIDenvvar": "I"},
		"okta": {"type": "api_key", "valuePrefix": "SSWS ", "credentialsfilepath": "/k"},
		"entra": {"type": "oauth2", "grant_type": "client_credentials", "client_id_env_var": "I", "client_secret_env_var": "S",
			"token_url": "https://t/{{ .__env__T }}", "scopes": ["a", "b"], "values": {"audience": "x"}, "auth_style": 1},
		"dog": {"type": "custom", "name": "A", "credentialsenvvar": "A", "successor": {"type": "custom", "name": "B", "credentialsenvvar": "B"}},
		"role": {"type": "aws_assume_role", "aws_role_arn": "arn", "aws_role_duration_seconds": 900},
		"google": {"type": "service_account", "credentialsfilepath": "/g", "sub": "me@x", "scopes": ["s"]},
		"azure": {"type": "azure_default"}, "k8s": {"type": "null_auth"}
	}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		kind    string
		options map[string]string
	}{
		"aws":  {AWS, map[string]string{"env": "S", "key_id_env": "I"}},
		"okta": {APIKey, map[string]string{"prefix": "SSWS ", "file": "/k"}},
		"entra": {OAuth2, map[string]string{"grant_type": "client_credentials", "client_id_env": "I", "env": "S",
			"token_url": "https://t/{{ .__env__T }}", "scopes": "a b", "values.audience": "x", "auth_style": "1"}},
		"dog":    {Custom, map[string]string{"name": "A", "env": "A", "successor.type": "custom", "successor.name": "B", "successor.env": "B"}},
		"role":   {AWS, map[string]string{"role_arn": "arn", "duration": "900"}},
		"google": {Google, map[string]string{"file": "/g", "subject": "me@x", "scopes": "s"}},
		"azure":  {Default, map[string]string{}},
		"k8s":    {None, map[string]string{}},
	} {
		if got := all[name]; got.Kind != want.kind || !maps.Equal(got.Options, want.options) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for text, says := range map[string]string{
		`{`:                                 "is no JSON object",
		`{"a": "b"}`:                        "is no JSON object",
		`{"a": {}}`:                         "has no type",
		`{"a": {"type": "api_kee"}}`:        "did you mean api_key",
		`{"a": {"type": "oci_signing_v1"}}`: "is not supported",
		`{"a": {"type": "basic", "username": "u", "password": "S3CR3T"}}`:                   "password_env=NAME",
		`{"a": {"type": "custom", "name": "x", "successor": {"api_key": "S3CR3T"}}}`:        "env=NAME",
		`{"a": {"type": "oauth2", "client_id": "i", "client_secret": "S3CR3T"}}`:            "env=NAME",
		`{"a": {"type": "api_key", "location": "cookie", "credentialsenvvar": "X"}}`:        "header or query",
		`{"a": {"type": "oauth2", "grant_type": "password", "client_secret_env_var": "X"}}`: "client credentials",
		`{"a": {"type": "aws_assume_role", "aws_sts_endpoint": "http://sts.example"}}`:      "no https address",
	} {
		_, err := ParseJSON(text)
		f := fault.As(err)
		if f == nil || !strings.Contains(f.Print(), says) || strings.Contains(f.Print(), "S3CR3T") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSecrets(t *testing.T) {
	p := &provider.Provider{Name: "dog", Auth: map[string]string{
		"type": "custom", "name": "A", "credentialsenvvar": "DD_API_KEY", "successor.name": "B", "successor.credentialsenvvar": "DD_APP_KEY",
	}}
	if names, err := Secrets(p, Settings{}); err != nil || strings.Join(names, " ") != "DD_API_KEY DD_APP_KEY" {
		t.Errorf("%q, %v", names, err)
	}
	_, err := Secrets(p, Settings{Kind: None})
	wantFault(t, err, fault.InvalidFlag, "takes no secret")
	_, err = Secrets(&provider.Provider{Name: "x", Auth: map[string]string{"type": "?"}}, Settings{Kind: "?"})
	wantFault(t, err, fault.InvalidFlag, "no kind")
}
