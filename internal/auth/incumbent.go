package auth

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// ParseJSON reads StackQL's --auth, an object of provider names and the members
// that config.auth has in the documents:
//
//	{"okta": {"type": "api_key", "valuePrefix": "SSWS ", "credentialsenvvar": "OKTA_TOKEN"}}
//
// A secret may not stand in it, only the name of its place. An error is a
// fault.InvalidFlag.
func ParseJSON(text string) (map[string]Settings, error) {
	var parsed map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return nil, fault.New(fault.InvalidFlag, "--auth is no JSON object of providers").WithDetail("%s", err.Error()).
			WithHint(`write {"okta": {"type": "api_key", "credentialsenvvar": "NAME"}}, or okta=api_key,env=NAME`).Because(err)
	}
	all := map[string]Settings{}
	for _, name := range slices.Sorted(maps.Keys(parsed)) {
		flat := map[string]string{}
		flatten(parsed[name], "", flat)
		s, err := fromMembers(flat)
		if err == nil {
			err = s.Validate()
		}
		if err != nil {
			f := fault.From(err)
			c := *f
			c.Message = name + ": " + f.Message
			return nil, &c
		}
		all[name] = s
	}
	return all, nil
}

// flatten gives members a name each, as provider.Provider.Auth has them.
func flatten(members map[string]any, before string, out map[string]string) {
	for key, value := range members {
		switch v := value.(type) {
		case map[string]any:
			flatten(v, before+key+".", out)
		case []any:
			out[before+key] = strings.Trim(fmt.Sprintln(v...), "\n")
		case nil:
		default:
			out[before+key] = fmt.Sprint(v)
		}
	}
}

// fromMembers makes settings of config.auth. What has no meaning here, such as
// a member of another type, is refused by Validate.
func fromMembers(members map[string]string) (Settings, error) {
	s := Settings{Kind: members["type"], Options: map[string]string{}}
	switch {
	case s.Kind == "":
		return s, fault.New(fault.InvalidFlag, "the way to sign in has no type").
			WithHint("the types are api_key, basic, bearer, custom, oauth2, azure_default, aws_signing_v4, aws_assume_role, service_account, interactive and null_auth")
	case strings.HasPrefix(s.Kind, "oci_signing"), strings.HasPrefix(s.Kind, "sql_data_source"):
		return s, fault.New(fault.NotSupported, "signing in by %q is not supported", s.Kind).
			WithHint("a database is read with DuckDB's ATTACH; a service that takes a token with bearer,env=NAME")
	}
	for key, value := range members {
		if key != "type" && value != "" {
			s.Options[key] = value
		}
	}
	return s.canonical(), nil
}
