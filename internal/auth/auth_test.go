package auth

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func environment(pairs ...string) func(string) string {
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return values[name] }
}

func wantFault(t *testing.T, err error, code fault.Code, says ...string) *fault.Error {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Code != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	for _, s := range says {
		if !strings.Contains(f.Print(), s) {
			t.Fatalf("no %q in\n%s", s, f.Print())
		}
	}
	return f
}

func TestParseFlag(t *testing.T) {
	for text, want := range map[string]struct {
		provider, kind string
		options        map[string]string
	}{
		"azure=cli":                                {"azure", CLI, nil},
		"azure=CLI,tenant=t":                       {"azure", CLI, map[string]string{"tenant": "t"}},
		"azure=bearer,env=NAME":                    {"azure", Bearer, map[string]string{"env": "NAME"}},
		"google=bearer, file=/a/b=c ":              {"google", Bearer, map[string]string{"file": "/a/b=c"}},
		"azure=default,cloud=usgov":                {"azure", Default, map[string]string{"cloud": "usgov"}},
		"azure=none":                               {"azure", None, nil},
		"azure=msi,resource_id=/subscriptions/x/y": {"azure", Managed, map[string]string{"resource_id": "/subscriptions/x/y"}},
		"azure=secret,tenant=t,client_id=c,env=S":  {"azure", Secret, map[string]string{"tenant": "t", "client_id": "c", "env": "S"}},
		"azure=cli,cloud=custom,endpoint=https://a,authority=https://b": {"azure", CLI,
			map[string]string{"cloud": "custom", "endpoint": "https://a", "authority": "https://b"}},
	} {
		name, s, err := ParseFlag(text)
		if err != nil || name != want.provider || s.Kind != want.kind || !maps.Equal(s.Options, want.options) && len(want.options)+len(s.Options) > 0 {
			t.Errorf("%s: %s %+v, %v", text, name, s, err)
		}
	}
	for text, says := range map[string]string{
		"":                             "does not name a provider",
		"azure":                        "does not name a provider",
		"=cli":                         "does not name a provider",
		"azure=":                       "does not name a provider",
		"azure=clii":                   "did you mean cli",
		"azure=cli,tenant":             "key=value",
		"azure=cli,tenant=":            "key=value",
		"azure=cli,tennant=x":          "did you mean tenant",
		"azure=bearer,token=S3CR3T":    "env=NAME",
		"azure=secret,secret=S3CR3T":   "env=NAME",
		"azure=cli,cloud=moon":         "the clouds are",
		"azure=cli,cloud=usgo":         "did you mean usgov",
		"azure=cli,endpoint=https://x": "cloud=custom",
		"azure=cli,cloud=custom":       `"endpoint"`,
		"azure=cli,cloud=custom,endpoint=http://a,authority=https://b": `"endpoint"`,
		"azure=cli,cloud=custom,endpoint=https://a":                    `"authority"`,
	} {
		_, _, err := ParseFlag(text)
		if f := wantFault(t, err, fault.InvalidFlag, says); strings.Contains(f.Print(), "S3CR3T") {
			t.Errorf("%s: %s", text, f.Print())
		}
	}
}

func TestEndpoint(t *testing.T) {
	for name, want := range map[string]string{
		"": "https://management.azure.com", "public": "https://management.azure.com",
		"USGov": "https://management.usgovcloudapi.net", "china": "https://management.chinacloudapi.cn",
	} {
		got, err := Endpoint(Settings{Kind: CLI, Options: map[string]string{"cloud": name}})
		if err != nil || got != want {
			t.Errorf("%q: %s, %v", name, got, err)
		}
	}
	got, err := Endpoint(Settings{Options: map[string]string{"cloud": "custom", "endpoint": "https://arm.local/", "authority": "https://login.local"}})
	if err != nil || got != "https://arm.local" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestNewTarget(t *testing.T) {
	gov := environment("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us")
	for name, test := range map[string]struct {
		family   provider.Family
		settings Settings
		override string
		getenv   func(string) string
		endpoint string
		origins  string
	}{
		"public":         {provider.ARM, Settings{}, "", nil, "", "https://management.azure.com"},
		"cloud":          {provider.ARM, Settings{Kind: CLI, Options: map[string]string{"cloud": "china"}}, "", nil, "https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn"},
		"environment":    {provider.ARM, Settings{}, "", gov, "https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net"},
		"override":       {provider.ARM, Settings{}, "http://127.0.0.1:1", gov, "http://127.0.0.1:1", ""},
		"other provider": {provider.Generic, Settings{}, "", nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := NewTarget(&provider.Provider{Name: "p", Family: test.family}, test.settings, test.override, Deps{Getenv: test.getenv})
			if err != nil || target.Endpoint != test.endpoint || !strings.HasPrefix(strings.Join(target.Origins, " "), test.origins) || target.Authorizer == nil {
				t.Errorf("%+v, %v", target, err)
			}
		})
	}
	_, err := NewTarget(&provider.Provider{Name: "google"}, Settings{Kind: CLI}, "", Deps{})
	wantFault(t, err, fault.InvalidFlag, "is for Azure", "google=bearer")
	_, err = NewTarget(&provider.Provider{Name: "azure", Family: provider.ARM}, Settings{Kind: "x"}, "", Deps{})
	wantFault(t, err, fault.InvalidFlag, `"x"`)
}

func TestAnonymous(t *testing.T) {
	s, err := New(&provider.Provider{Name: "homebrew"}, Settings{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRequest(t)
	if err := s.Authorize(t.Context(), r, transport.Signing{}); err != nil || len(r.Header) > 0 {
		t.Errorf("%v, %v", r.Header, err)
	}
	if report, err := s.Check(t.Context()); err != nil || report.Credential != "none" {
		t.Errorf("%+v, %v", report, err)
	}
}

func newRequest(t *testing.T) *http.Request {
	t.Helper()
	return requestTo(t, "https://management.azure.com/x")
}

func requestTo(t *testing.T, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
