package auth

import (
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

func TestAudience(t *testing.T) {
	for host, want := range map[string]string{
		"management.azure.com":             "https://management.core.windows.net/",
		"127.0.0.1":                        "https://management.core.windows.net/",
		"kv-1.vault.azure.net":             "https://vault.azure.net",
		"KV-1.VAULT.azure.net":             "https://vault.azure.net",
		"hsm.managedhsm.azure.net":         "https://managedhsm.azure.net",
		"acct.blob.core.windows.net":       "https://storage.azure.com",
		"acct.table.core.windows.net":      "https://storage.azure.com",
		"api.loganalytics.io":              "https://api.loganalytics.io",
		"graph.microsoft.com":              "https://graph.microsoft.com",
		"graph.microsoft.com.evil.example": "https://graph.microsoft.com.evil.example",
		"evilvault.azure.net":              "https://evilvault.azure.net",
		"x.unheard-of.example":             "https://x.unheard-of.example",
	} {
		if got := clouds["public"].audienceOf(host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	if got := clouds["usgov"].audienceOf("kv.vault.usgovcloudapi.net"); got != "https://vault.usgovcloudapi.net" {
		t.Error(got)
	}
	if got := clouds["china"].audienceOf("microsoftgraph.chinacloudapi.cn"); got != "https://microsoftgraph.chinacloudapi.cn" {
		t.Error(got)
	}
	origins := strings.Join(clouds["public"].origins(), " ")
	if !strings.HasPrefix(origins, "https://management.azure.com https://graph.microsoft.com https://*.vault.azure.net ") {
		t.Error(origins)
	}
}

// TestAzure_audiences keeps a token for each audience, and none for one is sent to
// another.
func TestAzure_audiences(t *testing.T) {
	a := newAuthority(t)
	az, err := NewAzure(a.settings(Environment), Deps{Getenv: principal(), Client: a.Client()})
	if err != nil {
		t.Fatal(err)
	}
	az.cloud.name = "public" // whose data planes they are
	tokens := map[string]string{}
	for _, host := range []string{"arm.local", "a.vault.azure.net", "b.vault.azure.net", "graph.microsoft.com", "arm.local"} {
		r := requestTo(t, "https://"+host+"/x")
		if err := az.Authorize(t.Context(), r, transport.Signing{}); err != nil {
			t.Fatal(err)
		}
		tokens[host] = r.Header.Get("Authorization")
	}
	if len(a.asked) != 3 || tokens["a.vault.azure.net"] != tokens["b.vault.azure.net"] || tokens["arm.local"] == tokens["graph.microsoft.com"] {
		t.Errorf("%d tokens were asked for", len(a.asked))
	}
	for n, want := range []string{"https://arm.local//.default", "https://vault.azure.net/.default", "https://graph.microsoft.com/.default"} {
		if got := a.asked[n].Get("scope"); !strings.HasPrefix(got, want+" ") {
			t.Errorf("scope %q, want %q", got, want)
		}
	}
}

// TestNewTarget_override signs calls to another address for the resource manager,
// whatever host that is.
func TestNewTarget_override(t *testing.T) {
	p := &provider.Provider{Name: "azure", Family: provider.ARM}
	target, err := NewTarget(p, Settings{}, "https://proxy.corp.example", Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if az, ok := target.Authorizer.(*Azure); !ok || az.audience("proxy.corp.example") != clouds["public"].audience {
		t.Errorf("%+v", target)
	}
	// A provider whose documents sign in to Entra takes Azure's own credentials too.
	entra := &provider.Provider{Name: "entra_id", Auth: map[string]string{"type": "oauth2", "token_url": "https://login.microsoftonline.com/x/oauth2/v2.0/token"}}
	if s, err := New(entra, Settings{Kind: CLI}, Deps{}); err != nil {
		t.Error(err)
	} else if _, ok := s.(*Azure); !ok {
		t.Errorf("%T", s)
	}
}
