package auth

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// jwt makes a token with claims and no signature to speak of.
func jwt(claims string) string {
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
}

func bearer(t *testing.T, deps Deps, pairs ...string) Signer {
	t.Helper()
	options := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		options[pairs[i]] = pairs[i+1]
	}
	s, err := New(&provider.Provider{Name: "azure", Family: provider.ARM}, Settings{Kind: Bearer, Options: options}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBearer_variable(t *testing.T) {
	s := bearer(t, Deps{Getenv: environment("TOKEN", " Bearer abc\n")}, "env", "TOKEN")
	r := newRequest(t)
	if err := s.Authorize(t.Context(), r, transport.Signing{}); err != nil || r.Header.Get("Authorization") != "Bearer abc" {
		t.Errorf("%v, %v", r.Header, err)
	}
	for name, getenv := range map[string]func(string) string{"unset": environment(), "none": nil, "blanks": environment("TOKEN", "a S3CR3T")} {
		err := bearer(t, Deps{Getenv: getenv}, "env", "TOKEN").Authorize(t.Context(), newRequest(t), transport.Signing{})
		if f := wantFault(t, err, fault.NoCredential, "azure"); strings.Contains(f.Print(), "S3CR3T") {
			t.Errorf("%s: %s", name, f.Print())
		}
	}
}

// TestBearer_file reads the file again when the service refuses the token.
func TestBearer_file(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	s := bearer(t, Deps{}, "file", path)
	r := newRequest(t)
	check := func(challenge, want string) {
		t.Helper()
		if err := s.Authorize(t.Context(), r, transport.Signing{Challenge: challenge}); err != nil || r.Header.Get("Authorization") != want {
			t.Errorf("%v, %v, want %s", r.Header, err, want)
		}
	}
	check("", "Bearer one")
	write("two\n")
	check("", "Bearer one")
	check("Bearer", "Bearer two")
	write("")
	wantFault(t, s.Authorize(t.Context(), r, transport.Signing{Challenge: "Bearer"}), fault.NoCredential, "is empty")
	os.Remove(path)
	wantFault(t, s.Authorize(t.Context(), r, transport.Signing{Challenge: "Bearer"}), fault.NoCredential, "token")
}

func TestBearer_options(t *testing.T) {
	for _, options := range []map[string]string{nil, {"env": "A", "file": "b"}} {
		_, err := New(&provider.Provider{Name: "azure", Family: provider.ARM}, Settings{Kind: Bearer, Options: options}, Deps{})
		wantFault(t, err, fault.InvalidFlag, "env=NAME")
	}
}

func TestBearer_check(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, test := range map[string]struct {
		token, principal, tenant string
		warning                  string
	}{
		"user":            {jwt(`{"tid":"t","upn":"u@x","exp":1700003600,"iat":1699999990}`), "u@x", "t", ""},
		"application":     {jwt(`{"tid":"t","appid":"a","oid":"o","exp":1700003600}`), "a", "t", ""},
		"clock behind":    {jwt(`{"upn":"u","iat":1700000300,"exp":1700003600}`), "u", "", "5m0s in the future"},
		"not yet":         {jwt(`{"upn":"u","nbf":1700000300.5,"exp":1700003600}`), "u", "", "clock"},
		"ended":           {jwt(`{"upn":"u","exp":1699999940}`), "u", "", "ended 1m0s ago"},
		"no token at all": {"opaque", "", "", ""},
		"three odd parts": {"a.%%.c", "", "", ""},
		"claims not JSON": {jwt(`nope`), "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := bearer(t, Deps{Getenv: environment("T", test.token), Now: func() time.Time { return now }}, "env", "T")
			report, err := s.Check(t.Context())
			if err != nil || report.Principal != test.principal || report.Tenant != test.tenant || !strings.Contains(strings.Join(report.Warnings, ""), test.warning) || (test.warning == "") != (len(report.Warnings) == 0) {
				t.Errorf("%+v, %v", report, err)
			}
			if report.Credential != "the variable T" || len(report.Tried) != 1 || report.Tried[0].Outcome != "token" {
				t.Errorf("%+v", report)
			}
		})
	}
	report, err := bearer(t, Deps{}, "env", "T").Check(t.Context())
	wantFault(t, err, fault.NoCredential, "the variable T is not set")
	if len(report.Tried) != 1 || !strings.Contains(report.Tried[0].Outcome, "not set") {
		t.Errorf("%+v", report)
	}
}

// The hint names every variable that is missing, not the first alone.
func TestPlaced_allMissing(t *testing.T) {
	p := &provider.Provider{Name: "datadog", Auth: map[string]string{
		"type": "custom", "name": "DD-API-KEY", "credentialsenvvar": "DD_API_KEY",
		"successor.name": "DD-APPLICATION-KEY", "successor.credentialsenvvar": "DD_APP_KEY",
	}}
	for set, want := range map[string]string{
		"": "export DD_API_KEY=… DD_APP_KEY=…", "DD_API_KEY": "export DD_APP_KEY=…", "DD_APP_KEY": "export DD_API_KEY=…",
	} {
		s, err := New(p, Settings{}, Deps{Getenv: environment(set, "x")})
		if err != nil {
			t.Fatal(err)
		}
		f := wantFault(t, s.Authorize(t.Context(), newRequest(t), transport.Signing{}), fault.NoCredential, "datadog")
		if !strings.Contains(f.Print(), want) {
			t.Errorf("with %q: %s", set, f.Print())
		}
	}
}
