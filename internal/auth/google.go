package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"cloud.google.com/go/compute/metadata"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/planeql/planeql/internal/fault"
)

// cloudPlatform is the scope that all of Google Cloud takes.
const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

// googler makes tokens of Google.
type googler struct {
	holder
	settings Settings
}

// newGoogle signs with the key that the settings place, or else with the
// application default credentials: the file that GOOGLE_APPLICATION_CREDENTIALS
// names, what gcloud auth application-default login has left, the machine's own
// service account.
func newGoogle(providerName string, s Settings, deps Deps) (Signer, error) {
	g := googler{holder{providerName, deps}, s}
	key := origin{"the key of a service account", g.key}
	defaults := []origin{
		{"GOOGLE_APPLICATION_CREDENTIALS", g.named},
		{"gcloud's application default credentials", g.wellKnown},
		{"the metadata server", g.machine},
	}
	next := "run gcloud auth application-default login, or name a key file: --auth " + providerName + "=google,file=KEY.json"
	switch {
	case s.names(places...) && !s.suggested:
		return newChain(providerName, Google, "check the key of the service account", deps, key), nil
	case s.names(places...):
		return newChain(providerName, Google, next, deps, append([]origin{key}, defaults...)...), nil
	}
	return newChain(providerName, Google, next, deps, defaults...), nil
}

// newGCloud signs with a token of who is signed in to gcloud.
func newGCloud(providerName string, s Settings, deps Deps) (Signer, error) {
	g := googler{holder{providerName, deps}, s}
	return newChain(providerName, GCloud, "gcloud auth login", deps, origin{"gcloud", g.gcloud}), nil
}

// key reads the key that the options place: in a file, or in a variable that
// holds the key itself or the name of its file.
func (g googler) key(ctx context.Context) (granted, error) {
	text, from, err := g.secret(g.settings.Options)
	if err != nil {
		return granted{}, err
	}
	if !strings.HasPrefix(text, "{") {
		if text, from, err = g.file(text); err != nil {
			return granted{}, err
		}
	}
	return g.grant(ctx, text, from)
}

// named reads the file that the variable of Google's own libraries names.
func (g googler) named(ctx context.Context) (granted, error) {
	path := g.deps.env("GOOGLE_APPLICATION_CREDENTIALS")
	if path == "" {
		return granted{}, errUnset("the variable GOOGLE_APPLICATION_CREDENTIALS is not set")
	}
	text, from, err := g.file(path)
	if err != nil {
		return granted{}, err
	}
	return g.grant(ctx, text, from)
}

// wellKnown reads the file that gcloud leaves.
func (g googler) wellKnown(ctx context.Context) (granted, error) {
	folder := g.deps.env("CLOUDSDK_CONFIG")
	switch {
	case folder != "":
	case runtime.GOOS == "windows":
		folder = filepath.Join(g.deps.env("APPDATA"), "gcloud")
	default:
		folder = filepath.Join(g.deps.env("HOME"), ".config", "gcloud")
	}
	path := filepath.Join(folder, "application_default_credentials.json")
	text, from, err := g.file(path)
	if err != nil {
		return granted{}, errUnset("there is no file " + path)
	}
	return g.grant(ctx, text, from)
}

// credentialFile is what all files of credentials of Google have in common.
type credentialFile struct {
	Type        string `json:"type"`
	ClientEmail string `json:"client_email"`
	ClientID    string `json:"client_id"`
	TokenURI    string `json:"token_uri"`
	Quota       string `json:"quota_project_id"`
}

// googleTypes are the types of credential files that may be used: other ones
// would let whoever wrote the file choose where secrets are sent.
var googleTypes = map[string]google.CredentialsType{
	"service_account": google.ServiceAccount, "authorized_user": google.AuthorizedUser,
	"external_account": google.ExternalAccount, "impersonated_service_account": google.ImpersonatedServiceAccount,
	"external_account_authorized_user": google.ExternalAccountAuthorizedUser,
}

// grant gets a token with the credentials of a file.
func (g googler) grant(ctx context.Context, text, from string) (granted, error) {
	var file credentialFile
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		return granted{}, fmt.Errorf("%s holds no JSON of credentials", from)
	}
	kind, ok := googleTypes[file.Type]
	switch {
	case !ok:
		return granted{}, fmt.Errorf("%s holds credentials of the type %q, which are not supported", from, file.Type)
	case file.TokenURI != "" && !isPrivateLine(file.TokenURI):
		return granted{}, fmt.Errorf("%s names a token_uri that is no https address", from)
	}
	c, err := google.CredentialsFromJSONWithTypeAndParams(g.deps.within(ctx), []byte(text), kind, google.CredentialsParams{
		Scopes: g.scopes(), Subject: g.settings.Options["subject"],
	})
	if err != nil {
		return granted{}, err
	}
	token, err := c.TokenSource.Token()
	if err != nil {
		return granted{}, err
	}
	out := granted{token: asToken(token, g.deps.now()), principal: file.ClientEmail}
	if subject := g.settings.Options["subject"]; subject != "" {
		out.principal = subject + " by " + file.ClientEmail
	}
	if out.principal == "" {
		out.principal = file.ClientID
	}
	// Calls with a person's credentials are counted against this project.
	if file.Quota != "" {
		out.header = map[string]string{"X-Goog-User-Project": file.Quota}
	}
	return out, nil
}

// scopes gives the scopes to ask for; commas and blanks separate them.
func (g googler) scopes() []string {
	if list := strings.Fields(strings.ReplaceAll(g.settings.Options["scopes"], ",", " ")); len(list) > 0 {
		return list
	}
	return []string{cloudPlatform}
}

// machine asks the metadata server. Elsewhere than on a machine of Google nobody
// answers at its address.
func (g googler) machine(ctx context.Context) (granted, error) {
	client := metadata.NewClient(g.deps.client())
	if g.deps.env("GCE_METADATA_HOST") == "" {
		probing, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		if !metadata.OnGCEWithContext(probing) {
			return granted{}, errUnset("no metadata server is here")
		}
	}
	text, err := client.GetWithContext(ctx, "instance/service-accounts/default/token?scopes="+url.QueryEscape(strings.Join(g.scopes(), ",")))
	if err != nil {
		return granted{}, err
	}
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Token == "" {
		return granted{}, errors.New("the metadata server gave no token")
	}
	now := g.deps.now()
	token := &oauth2.Token{AccessToken: answer.Token, Expiry: now.Add(time.Duration(answer.Seconds) * time.Second)}
	out := granted{token: asToken(token, now)}
	if email, err := client.EmailWithContext(ctx, ""); err == nil {
		out.principal = email
	}
	return out, nil
}

// gcloud asks gcloud for a token with its end.
func (g googler) gcloud(ctx context.Context) (granted, error) {
	arguments := []string{"config", "config-helper", "--format=json"}
	if account := g.settings.Options["account"]; account != "" {
		arguments = append(arguments, "--account="+account)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, "gcloud", arguments...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return granted{}, fmt.Errorf("gcloud failed: %s", exit.Stderr)
	}
	if err != nil {
		return granted{}, errUnset("gcloud is not installed")
	}
	var answer struct {
		Credential struct {
			Token  string    `json:"access_token"`
			Expiry time.Time `json:"token_expiry"`
		} `json:"credential"`
		Configuration struct {
			Properties struct {
				Core struct {
					Account string `json:"account"`
				} `json:"core"`
			} `json:"properties"`
		} `json:"configuration"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Credential.Token == "" {
		return granted{}, fault.New(fault.NoCredential, "gcloud gave no token").WithHint("gcloud auth login")
	}
	token := &oauth2.Token{AccessToken: answer.Credential.Token, Expiry: answer.Credential.Expiry}
	return granted{token: asToken(token, g.deps.now()), principal: answer.Configuration.Properties.Core.Account}, nil
}
