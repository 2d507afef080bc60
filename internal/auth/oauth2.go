package auth

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/planeql/planeql/internal/fault"
)

// styles are how a client names itself to a token endpoint.
var styles = map[string]oauth2.AuthStyle{
	"": oauth2.AuthStyleAutoDetect, "0": oauth2.AuthStyleAutoDetect, "auto": oauth2.AuthStyleAutoDetect,
	"1": oauth2.AuthStyleInParams, "params": oauth2.AuthStyleInParams, "in_params": oauth2.AuthStyleInParams,
	"2": oauth2.AuthStyleInHeader, "header": oauth2.AuthStyleInHeader, "in_header": oauth2.AuthStyleInHeader,
}

// newOAuth2 signs with a token that is had for a client's id and secret
// (RFC 6749, 4.4).
func newOAuth2(providerName string, s Settings, deps Deps) (Signer, error) {
	o := s.Options
	style, ok := styles[strings.ToLower(o["auth_style"])]
	switch {
	case !ok:
		return nil, fault.New(fault.InvalidFlag, "there is no auth_style %q", o["auth_style"]).WithHint("it is auto, params or header")
	case o["token_url"] == "" || o["client_id"] == "" && o["client_id_env"] == "" || !s.names(places...):
		return nil, fault.New(fault.InvalidFlag, "the kind %q needs the options token_url, client_id and env", OAuth2).
			WithHint("--auth %s=oauth2,token_url=https://…,client_id=ID,env=NAME takes the client's secret from the variable NAME", providerName)
	}
	h := holder{providerName, deps}
	get := func(ctx context.Context) (granted, error) {
		c := clientcredentials.Config{Scopes: strings.Fields(o["scopes"]), AuthStyle: style, EndpointParams: url.Values{}}
		var err error
		if c.TokenURL, err = h.fill(o["token_url"], o); err != nil {
			return granted{}, err
		}
		if !isPrivateLine(c.TokenURL) {
			return granted{}, errUnset("the secret is not sent to " + hostOf(c.TokenURL) + ": token_url is no https address")
		}
		if c.ClientID, err = h.either(o, "client_id"); err != nil {
			return granted{}, err
		}
		if c.ClientSecret, _, err = h.secret(o); err != nil {
			return granted{}, err
		}
		for key, value := range o {
			if name, ok := strings.CutPrefix(key, "values."); ok {
				c.EndpointParams.Set(name, value)
			}
		}
		token, err := c.Token(deps.within(ctx))
		if err != nil {
			return granted{}, err
		}
		return granted{token: asToken(token, deps.now()), principal: c.ClientID}, nil
	}
	next := "check the client's id and secret"
	if names := s.variables(); len(names) > 0 {
		next = "export " + strings.Join(names, " and ") + ", or keep them once with planeql auth set " + providerName
	}
	return newChain(providerName, OAuth2, next, deps, origin{"the token endpoint", get}), nil
}

// blank is a place in a token_url that a value is put into.
var blank = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

// fill puts options, and variables behind __env__, into the places of a URL.
func (h holder) fill(text string, o map[string]string) (string, error) {
	var failed error
	text = strings.TrimSpace(blank.ReplaceAllStringFunc(text, func(found string) string {
		name := blank.FindStringSubmatch(found)[1]
		value := o[name]
		if variable, ok := strings.CutPrefix(name, "__env__"); ok {
			var err error
			if value, _, err = h.variable(variable); err != nil {
				failed = err
			}
		} else if value == "" {
			failed = errUnset("token_url needs the option " + name)
		}
		return url.PathEscape(value)
	}))
	return text, failed
}
