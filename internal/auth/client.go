package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"golang.org/x/oauth2"

	"github.com/planeql/planeql/internal/transport"
)

// client gives what sends to sign-in services; nil is the libraries' own.
func (d Deps) client() *http.Client {
	if d.Client != nil {
		return d.Client
	}
	base, ok := http.DefaultTransport.(*http.Transport)
	if d.RootCAs == nil || !ok {
		return nil
	}
	t := base.Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: d.RootCAs, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: t}
}

// within gives the context by which package oauth2 finds its client.
func (d Deps) within(ctx context.Context) context.Context {
	if c := d.client(); c != nil {
		return context.WithValue(ctx, oauth2.HTTPClient, c)
	}
	return ctx
}

// isPrivateLine tells whether what is sent to a URL can be read by nobody else:
// by TLS, or on this machine.
func isPrivateLine(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// endless is for how long a token without an end is kept.
const endless = 24 * time.Hour

// asToken takes over a token of package oauth2.
func asToken(t *oauth2.Token, now time.Time) azcore.AccessToken {
	out := azcore.AccessToken{Token: t.AccessToken, ExpiresOn: t.Expiry}
	if out.ExpiresOn.IsZero() {
		out.ExpiresOn = now.Add(endless)
	}
	return out
}

// explainOAuth gives the reason of a token endpoint's failure in a line.
func explainOAuth(err error) string {
	text := err.Error()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode != "" {
		text = refused.ErrorCode
		if refused.ErrorDescription != "" {
			text += ": " + refused.ErrorDescription
		}
	}
	return short(text)
}

// short gives a reason in a line, without secrets.
func short(text string) string {
	text = strings.Join(strings.Fields(transport.RedactText(text)), " ")
	if len(text) > longestReason {
		text = strings.ToValidUTF8(text[:longestReason], "") + "…"
	}
	return strings.TrimRight(text, " .")
}
