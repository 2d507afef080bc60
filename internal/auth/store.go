package auth

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/zalando/go-keyring"

	"github.com/planeql/planeql/internal/fault"
)

// Store keeps secrets for planeql auth set: in the system's keyring, or in a file
// that only its owner can read where there is none.
type Store struct {
	File   string // of the secrets that are kept in a file; empty: none
	Getenv func(string) string
}

// keyringService is under which name the keyring lists planeql's secrets.
const keyringService = "planeql"

// account names a secret of a provider in the keyring.
func account(provider, name string) string { return provider + "/" + name }

// hasKeyring tells whether a keyring can be asked. Where the session has no
// message bus, the client of it would start one.
func (s Store) hasKeyring() bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return true
	}
	if s.Getenv == nil {
		return false
	}
	if s.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	folder := s.Getenv("XDG_RUNTIME_DIR")
	if folder == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(folder, "bus"))
	return err == nil
}

// Get gives a secret and where it was; empty where none is kept.
func (s Store) Get(provider, name string) (value, from string, err error) {
	if s.hasKeyring() {
		value, err := keyring.Get(keyringService, account(provider, name))
		if err == nil {
			return value, "the keyring (" + account(provider, name) + ")", nil
		}
	}
	all, err := s.read()
	if err != nil {
		return "", "", err
	}
	return all[account(provider, name)], "the file " + s.File, nil
}

// Set keeps a secret in the keyring. The error is a fault.NoCredential.
func (s Store) Set(provider, name, value string) error {
	if !s.hasKeyring() {
		return fault.New(fault.NoCredential, "this session has no keyring to keep a secret in").
			WithHint("planeql auth set %s --in file keeps it in a file that only you can read", provider)
	}
	if err := keyring.Set(keyringService, account(provider, name), value); err != nil {
		return fault.New(fault.NoCredential, "the keyring did not take the secret").WithDetail("%s", err.Error()).
			WithHint("unlock it, or: planeql auth set %s --in file", provider).Because(err)
	}
	return nil
}

// SetFile keeps a secret in the file.
func (s Store) SetFile(provider, name, value string) error {
	all, err := s.read()
	if err != nil {
		return err
	}
	all[account(provider, name)] = value
	return s.write(all)
}

// Remove forgets a secret wherever it is kept, and tells whether there was one.
func (s Store) Remove(provider, name string) (bool, error) {
	found := s.hasKeyring() && keyring.Delete(keyringService, account(provider, name)) == nil
	all, err := s.read()
	if err != nil {
		return found, err
	}
	if _, ok := all[account(provider, name)]; !ok {
		return found, nil
	}
	delete(all, account(provider, name))
	return true, s.write(all)
}

// read gives the secrets of the file. One that others can read is refused: its
// secrets are theirs.
func (s Store) read() (map[string]string, error) {
	all := map[string]string{}
	if s.File == "" {
		return all, nil
	}
	info, err := os.Stat(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.NoCredential, "the file %q of secrets can be read by others", s.File).
			WithHint("chmod 600 %s, and change what was in it", s.File)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(s.File)
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, fault.New(fault.NoCredential, "the file %q of secrets cannot be read", s.File).
			WithDetail("%s", err.Error()).WithHint("remove it and keep them again with planeql auth set").Because(err)
	}
	return all, nil
}

// write replaces the file at once, so that a run that is ended leaves the old one.
func (s Store) write(all map[string]string) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(s.File), 0o700)
	}
	fresh := s.File + ".new"
	if err == nil {
		_ = os.Remove(fresh) // else it would keep the rights it had
		err = os.WriteFile(fresh, append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(fresh, s.File)
	}
	if err != nil {
		return fault.New(fault.NoCredential, "the file %q of secrets cannot be written", s.File).
			WithDetail("%s", err.Error()).WithHint("check the folder's rights").Because(err)
	}
	return nil
}
