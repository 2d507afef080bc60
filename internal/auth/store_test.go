package auth

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/planeql/planeql/internal/fault"
)

func TestStore_keyring(t *testing.T) {
	keyring.MockInit()
	s := Store{Getenv: environment("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x"), File: filepath.Join(t.TempDir(), "secrets.json")}
	if value, _, err := s.Get("okta", "TOKEN"); value != "" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if err := s.Set("okta", "TOKEN", "k"); err != nil {
		t.Fatal(err)
	}
	if value, from, err := s.Get("okta", "TOKEN"); value != "k" || from != "the keyring (okta/TOKEN)" || err != nil {
		t.Errorf("%q from %q, %v", value, from, err)
	}
	if value, _, _ := s.Get("other", "TOKEN"); value != "" {
		t.Errorf("another provider gets %q", value)
	}
	for _, want := range []bool{true, false} {
		if found, err := s.Remove("okta", "TOKEN"); found != want || err != nil {
			t.Errorf("removed: %t, %v", found, err)
		}
	}
	if _, err := os.Stat(s.File); err == nil {
		t.Error("the keyring's secrets are in a file")
	}
}

func TestStore_file(t *testing.T) {
	s := Store{Getenv: environment(), File: filepath.Join(t.TempDir(), "new", "secrets.json")}
	if runtime.GOOS == "linux" {
		wantFault(t, s.Set("okta", "TOKEN", "k"), fault.NoCredential, "no keyring", "planeql auth set okta --in file")
	}
	for name, value := range map[string]string{"A": "1", "B": "2"} {
		if err := s.SetFile("dog", name, value); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(s.File)
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if found, err := s.Remove("dog", "A"); !found || err != nil {
		t.Errorf("%t, %v", found, err)
	}
	a, _, _ := s.Get("dog", "A")
	b, from, err := s.Get("dog", "B")
	if a != "" || b != "2" || !strings.Contains(from, s.File) || err != nil {
		t.Errorf("%q, %q from %q, %v", a, b, from, err)
	}
	if err := os.Chmod(s.File, 0o644); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		_, _, err = s.Get("dog", "B")
		wantFault(t, err, fault.NoCredential, "can be read by others", "chmod 600")
	}
	if err := os.WriteFile(s.File, []byte("nope"), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(s.File, 0o600)
	_, _, err = s.Get("dog", "B")
	wantFault(t, err, fault.NoCredential, "cannot be read")
	wantFault(t, s.SetFile("dog", "B", "3"), fault.NoCredential, "cannot be read")
}
