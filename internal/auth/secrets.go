package auth

import (
	"encoding/base64"
	"os"
	"strings"
)

// errUnset is the error of a credential that is not set up at all.
type errUnset string

// Error gives what is missing.
func (e errUnset) Error() string { return string(e) }

// holder knows where the secrets of a provider are.
type holder struct {
	provider string
	deps     Deps
}

// variable gives the value of a variable, else what planeql auth set has kept
// under its name.
func (h holder) variable(name string) (value, from string, err error) {
	if value := strings.TrimSpace(h.deps.env(name)); value != "" {
		return value, "the variable " + name, nil
	}
	if h.deps.Stored == nil {
		return "", "the variable " + name, errUnset("the variable " + name + " is not set")
	}
	value, from, err = h.deps.Stored(h.provider, name)
	if err != nil {
		return "", "the variable " + name, errUnset("the variable " + name + " is not set, and what is kept cannot be read: " + err.Error())
	}
	if value == "" {
		return "", "the variable " + name, errUnset("the variable " + name + " is not set, and nothing is kept under it")
	}
	return value, from, nil
}

// either gives an option, or what the variable holds that another option names.
func (h holder) either(o map[string]string, key string) (string, error) {
	if o[key] != "" || o[key+"_env"] == "" {
		return o[key], nil
	}
	value, _, err := h.variable(o[key+"_env"])
	return value, err
}

// file reads a secret from a file.
func (h holder) file(path string) (value, from string, err error) {
	from = "the file " + path
	data, err := os.ReadFile(path)
	if err != nil {
		return "", from, err
	}
	if text := strings.TrimSpace(string(data)); text != "" {
		return text, from, nil
	}
	return "", from, errUnset("the file " + path + " is empty")
}

// secret reads the secret that the options place. The order is the format's: the
// variable, the file that a variable names, the file, a pair of name and
// password.
func (h holder) secret(o map[string]string) (value, from string, err error) {
	switch {
	case o["env"] != "":
		return h.variable(o["env"])
	case o["file_env"] != "":
		path, from, err := h.variable(o["file_env"])
		if err != nil {
			return "", from, err
		}
		return h.file(path)
	case o["file"] != "":
		return h.file(o["file"])
	}
	return "", "", errUnset("no place of the secret is set")
}

// pair reads name and password. What both give, put together as Basic wants it.
func (h holder) pair(o map[string]string) (encoded, name, from string, err error) {
	name, err = h.either(o, "username")
	if err != nil {
		return "", "", "the variable " + o["username_env"], err
	}
	password := ""
	if o["password_env"] != "" {
		password, from, err = h.variable(o["password_env"])
	} else {
		password, from, err = h.secret(o)
	}
	if err != nil {
		return "", name, from, err
	}
	return base64.StdEncoding.EncodeToString([]byte(name + ":" + password)), name, from, nil
}

// variables gives the names of the variables that hold secrets or what goes with
// them, in order of their options.
func (s Settings) variables() []string {
	if kind := s.kind(); kind == Default || kind == Environment || kind == Secret && s.Options["env"] == "" {
		return []string{"AZURE_CLIENT_SECRET"}
	}
	var names []string
	for _, before := range []string{"", "successor.", "successor.successor."} {
		for _, key := range []string{"username_env", "key_id_env", "client_id_env", "env", "password_env", "session_token_env"} {
			if name := s.Options[before+key]; name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
