package auth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// serviceAccount makes the key file of a service account whose tokens come from
// the token endpoint.
func serviceAccount(t *testing.T, i *tokenEndpoint) (file string, public *rsa.PublicKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "robot@project.example", "private_key_id": "k1", "token_uri": i.URL + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), &key.PublicKey
}

// assertion checks the signature of what the token endpoint was asked with, and gives
// its claims.
func assertion(t *testing.T, i *tokenEndpoint, n int, public *rsa.PublicKey) map[string]any {
	t.Helper()
	if len(i.asked) <= n || i.asked[n].Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Fatalf("asked %v", i.asked)
	}
	parts := strings.Split(i.asked[n].Get("assertion"), ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err == nil {
		err = rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	claims := map[string]any{}
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestGoogle(t *testing.T) {
	i, s := newTokenEndpoint(t), newService(t)
	text, public := serviceAccount(t, i)
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	document := map[string]string{"type": "service_account", "credentialsenvvar": "GOOGLE_CREDENTIALS"}
	deps := Deps{Getenv: environment("GOOGLE_CREDENTIALS", text, "AS_FILE", path, "HOME", t.TempDir())}
	for n, flag := range []string{"", "p=google,file=" + path, "p=google,env=AS_FILE", "p=google,file=" + path + ",scopes=a b,subject=me@x"} {
		var settings Settings
		if flag != "" {
			_, settings, _ = ParseFlag(flag)
		}
		got, err := s.call(t, document, settings, deps)
		if err != nil || !strings.HasPrefix(got.header.Get("Authorization"), "Bearer t") {
			t.Fatalf("%s: %+v, %v", flag, got, err)
		}
		claims := assertion(t, i, n, public)
		scope, subject := "https://www.googleapis.com/auth/cloud-platform", any(nil)
		if n == 3 {
			scope, subject = "a b", "me@x"
		}
		if claims["iss"] != "robot@project.example" || claims["aud"] != i.URL+"/token" || claims["scope"] != scope || claims["sub"] != subject {
			t.Errorf("%s: %v", flag, claims)
		}
	}
	report, err := mustSigner(t, document, Settings{}, deps).Check(t.Context())
	if err != nil || report.Principal != "robot@project.example" || report.Credential != "the key of a service account" || report.Expires.IsZero() {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestGoogle_defaults looks where Google's own libraries look, and says what each
// place had.
func TestGoogle_defaults(t *testing.T) {
	i, s := newTokenEndpoint(t), newService(t)
	home := t.TempDir()
	gcloud := filepath.Join(home, ".config", "gcloud")
	if err := os.MkdirAll(gcloud, 0o700); err != nil {
		t.Fatal(err)
	}
	text, _ := serviceAccount(t, i)
	text = strings.Replace(text, `"type"`, `"quota_project_id":"billed","type"`, 1)
	if err := os.WriteFile(filepath.Join(gcloud, "application_default_credentials.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	deps := Deps{Getenv: environment("HOME", home)}
	document := map[string]string{"type": "service_account", "credentialsenvvar": "GOOGLE_CREDENTIALS"}
	got, err := s.call(t, document, Settings{}, deps)
	if err != nil || got.header.Get("Authorization") != "Bearer t1" || got.header.Get("X-Goog-User-Project") != "billed" {
		t.Errorf("%+v, %v", got, err)
	}
	report, err := mustSigner(t, document, Settings{}, deps).Check(t.Context())
	if err != nil || report.Credential != "gcloud's application default credentials" || len(report.Tried) != 3 ||
		!strings.Contains(report.Tried[0].Outcome, "GOOGLE_CREDENTIALS is not set") || !strings.Contains(report.Tried[1].Outcome, "is not set") {
		t.Errorf("%+v, %v", report, err)
	}
	// Who names a key wants that one and no other.
	_, err = s.call(t, document, Settings{Kind: Google, Options: map[string]string{"env": "OTHER"}}, deps)
	wantFault(t, err, fault.NoCredential, "the variable OTHER is not set")
}

func TestGoogle_fails(t *testing.T) {
	for says, text := range map[string]string{
		"holds no JSON":                "{",
		`the type "magic"`:             `{"type":"magic"}`,
		"a token_uri that is no https": `{"type":"service_account","token_uri":"http://evil.example"}`,
		"no such file":                 "/nowhere/at/all",
	} {
		s := mustSigner(t, nil, Settings{Kind: Google, Options: map[string]string{"env": "K"}}, Deps{Getenv: environment("K", text)})
		_, err := s.Check(t.Context())
		wantFault(t, err, fault.NoCredential, says, "planeql auth check p")
	}
}

func TestGCloud(t *testing.T) {
	dir := noTools(t)
	s := mustSigner(t, nil, Settings{Kind: "interactive"}, Deps{})
	_, err := s.Check(t.Context())
	wantFault(t, err, fault.NoCredential, "gcloud is not installed", "gcloud auth login")
	script(t, dir, "gcloud", `echo '{"credential":{"access_token":"gt","token_expiry":"2099-01-01T00:00:00Z"},"configuration":{"properties":{"core":{"account":"me@x"}}}}'`)
	report, err := s.Check(t.Context())
	if err != nil || report.Principal != "me@x" || report.Expires.Year() != 2099 {
		t.Errorf("%+v, %v", report, err)
	}
	script(t, dir, "gcloud", `echo "ERROR: not signed in" >&2; exit 1`)
	_, err = s.Check(t.Context())
	wantFault(t, err, fault.NoCredential, "ERROR: not signed in")
}
