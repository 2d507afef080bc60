package auth

import (
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// The kinds of credentials. Those from Environment to Secret are Azure's.
const (
	Default     = "default"     // what the provider's documents suggest; for Azure the first that gives a token: env, workload, msi, cli, azd
	Environment = "env"         // AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret or certificate
	Workload    = "workload"    // a federated token in a file, as in Kubernetes
	Managed     = "msi"         // the identity of the machine
	CLI         = "cli"         // who is signed in to az
	Developer   = "azd"         // who is signed in to azd
	DeviceCode  = "devicecode"  // a code that is typed in a browser elsewhere
	Browser     = "browser"     // a browser on this machine
	Certificate = "certificate" // a service principal with a certificate file
	Secret      = "secret"      // a service principal with a secret in a variable or a file
	Bearer      = "bearer"      // a token in a variable or a file
	APIKey      = "api_key"     // a key behind a word, in Authorization or elsewhere
	Basic       = "basic"       // a name and a password
	Custom      = "custom"      // a secret as it is in a header or a query parameter, or several
	OAuth2      = "oauth2"      // client credentials at a token endpoint
	AWS         = "aws"         // signatures of AWS, with keys, a profile, a role or the machine's identity
	Google      = "google"      // a service account's key file, or the application default credentials
	GCloud      = "gcloud"      // who is signed in to gcloud
	None        = "none"        // no credential
)

// kindNames are other names of kinds: those of the document format.
var kindNames = map[string]string{
	"azure_default": Default, "aws_signing_v4": AWS, "aws_assume_role": AWS,
	"service_account": Google, "adc": Google, "interactive": GCloud, "null_auth": None, "null": None,
}

// Where a secret may be, as options of the kinds that take one.
var places = []string{"env", "file", "file_env"}

// placement are the options of a secret that goes into the request as it is.
var placement = []string{"env", "file", "file_env", "location", "name", "prefix", "username", "username_env", "password_env"}

// options lists what each kind takes; Azure's take where the cloud is besides.
var options = map[string][]string{
	Default:     {"tenant", "client_id"},
	Environment: {"tenant", "client_id"},
	Workload:    {"tenant", "client_id", "file"},
	Managed:     {"client_id", "object_id", "resource_id"},
	CLI:         {"tenant", "subscription"},
	Developer:   {"tenant"},
	DeviceCode:  {"tenant", "client_id"},
	Browser:     {"tenant", "client_id", "login_hint"},
	Certificate: {"tenant", "client_id", "path", "password_env"},
	Secret:      {"tenant", "client_id", "env", "file"},
	Bearer:      placement,
	APIKey:      placement,
	Basic:       placement,
	Custom:      placement,
	OAuth2: append([]string{"client_id", "client_id_env", "token_url", "scopes", "auth_style", "grant_type", "account_id"},
		places...),
	AWS: append([]string{"key_id", "key_id_env", "session_token_env", "profile", "role_arn", "role_arn_env", "session_name",
		"external_id", "external_id_env", "sts_region", "sts_endpoint", "duration"}, places...),
	Google: append([]string{"scopes", "subject"}, places...),
	GCloud: {"account"},
	None:   nil,
}

var cloudOptions = []string{"cloud", "endpoint", "authority", "audience"}

// azureKinds sign in to Microsoft Entra.
var azureKinds = []string{Default, Environment, Workload, Managed, CLI, Developer, DeviceCode, Browser, Certificate, Secret}

// optionNames are other names of options: those of the document format, in
// lower case. What they name stays the same.
var optionNames = map[string]string{
	"credentialsenvvar": "env", "credentialsfilepath": "file", "credentialsfilepathenvvar": "file_env",
	"keyid": "key_id", "keyidenvvar": "key_id_env", "valueprefix": "prefix", "sub": "subject",
	"username_var": "username_env", "password_var": "password_env", "api_key_var": "username_env", "api_secret_var": "password_env",
	"client_id_env_var": "client_id_env", "client_secret_env_var": "env", "account_id_env_var": "account_id_env",
	"aws_role_arn": "role_arn", "aws_role_arn_env_var": "role_arn_env", "aws_role_session_name": "session_name",
	"aws_role_external_id": "external_id", "aws_role_external_id_env_var": "external_id_env",
	"aws_sts_region": "sts_region", "aws_sts_endpoint": "sts_endpoint", "aws_role_duration_seconds": "duration",
}

// inClear are options that would hold a secret itself, and the option that
// names a place for it.
var inClear = map[string]string{
	"token": "env", "secret": "env", "password": "password_env", "api_key": "env", "api_secret": "password_env",
	"client_secret": "env", "credentials": "env", "key": "env", "secret_key": "env", "private_key": "file", "passphrase": "env",
}

// canonical gives the settings with planeql's own names of kind and options.
// Those of a successor keep that word before theirs.
func (s Settings) canonical() Settings {
	out := Settings{Kind: strings.ToLower(strings.TrimSpace(s.Kind)), Options: map[string]string{}, suggested: s.suggested}
	out.declared = s.declared
	if name, ok := kindNames[out.Kind]; ok {
		out.Kind, out.declared = name, out.Kind
	}
	for key, value := range s.Options {
		before, last := "", key
		for rest := last; ; {
			_, after, found := strings.Cut(rest, "successor.")
			if !found {
				break
			}
			before, last, rest = before+"successor.", after, after
		}
		if name, ok := optionNames[strings.ToLower(last)]; ok {
			last = name
		}
		out.Options[before+last] = value
	}
	return out
}

// Validate checks kind and options, without looking for a credential.
func (s Settings) Validate() error {
	if s.Kind == "" && len(s.Options) == 0 {
		return nil
	}
	s = s.canonical()
	kind := s.kind()
	allowed, ok := options[kind]
	if !ok {
		kinds := slices.Sorted(maps.Keys(options))
		return fault.New(fault.InvalidFlag, "there is no kind of credential %q", s.Kind).
			WithHint("%s", fault.DidYouMean(s.Kind, kinds, "the kinds are "+strings.Join(kinds, ", ")))
	}
	if slices.Contains(azureKinds, kind) || kind == Bearer || kind == None {
		allowed = slices.Concat(allowed, cloudOptions)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Options)) {
		if err := checkOption(kind, key, allowed); err != nil {
			return err
		}
	}
	if err := s.checkRest(); err != nil {
		return err
	}
	_, err := s.cloud(nil)
	return err
}

// checkOption refuses an option that the kind does not take. A secret in the
// clear gets an answer of its own.
func checkOption(kind, key string, allowed []string) error {
	switch {
	case slices.Contains(allowed, key), kind == OAuth2 && strings.HasPrefix(key, "values."):
		return nil
	case kind == Custom && strings.HasPrefix(key, "successor."):
		key = key[strings.LastIndex(key, "successor.")+len("successor."):]
		if slices.Contains(allowed, key) || key == "type" {
			return nil
		}
	}
	if instead, ok := inClear[strings.ToLower(key)]; ok {
		return fault.New(fault.InvalidFlag, "the option %q is not taken, since a command line can be read by others", key).
			WithHint("put it into a variable and name that with %s=NAME, or keep it with planeql auth set", instead)
	}
	return fault.New(fault.InvalidFlag, "the kind %q takes no option %q", kind, key).
		WithHint("%s", fault.DidYouMean(key, allowed, "it takes "+strings.Join(allowed, ", ")))
}

// checkRest checks values that can be checked before they are used.
func (s Settings) checkRest() error {
	for key, value := range s.Options {
		last := key[strings.LastIndexByte(key, '.')+1:]
		switch {
		case last == "location" && value != "header" && value != "query":
			return fault.New(fault.InvalidFlag, "a secret cannot be put into the %q of a request", value).
				WithHint("the option %q is header or query", key)
		case last == "grant_type" && value != "client_credentials":
			return fault.New(fault.InvalidFlag, "the grant %q is not supported", value).
				WithHint("the kind %q signs in with client credentials; a token that was had otherwise goes with bearer,env=NAME", OAuth2)
		case last == "name" && !isToken(value):
			return fault.New(fault.InvalidFlag, "%q is no name of a header or parameter", value).WithHint("such as name=x-api-key")
		case last == "sts_endpoint" && !isPrivateLine(value):
			return fault.New(fault.InvalidFlag, "%q is no https address", value).WithHint("such as sts_endpoint=https://sts.eu-west-1.amazonaws.com")
		}
	}
	return nil
}

// isToken tells whether a text may name a header (RFC 9110, token).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

// kind gives the kind that counts.
func (s Settings) kind() string {
	if s.Kind == "" {
		return Default
	}
	return strings.ToLower(s.Kind)
}

// over lays settings over what the documents suggest. Of the same kind, they
// keep what they do not say: where the secret goes and behind which word. Where
// it is read from is either's alone.
func (s Settings) over(suggested Settings) Settings {
	if s.kind() == Default && len(s.Options) == 0 {
		suggested.suggested = true
		return suggested
	}
	if s.kind() != suggested.kind() {
		return s
	}
	out := Settings{Kind: s.Kind, Options: maps.Clone(suggested.Options), suggested: true}
	if own := slices.Concat(places, []string{"username", "username_env", "password_env", "key_id", "key_id_env", "profile"}); s.names(own...) {
		out.suggested = false
		for _, name := range own {
			delete(out.Options, name)
		}
	}
	maps.Copy(out.Options, s.Options)
	return out
}

// names tells whether one of the options is set.
func (s Settings) names(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return s.Options[name] != "" })
}
