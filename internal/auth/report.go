package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Report tells how a credential was had and whose it is. It holds no secret.
type Report struct {
	Provider   string
	Kind       string
	Cloud      string // of Azure; else empty
	Endpoint   string // likewise
	Credential string // the name of the credential that was taken; empty: none
	Tenant     string // as the token says, empty where it does not tell
	Principal  string // user name, or the id of an application
	Expires    time.Time
	Took       time.Duration
	Tried      []Attempt // in order; those behind the one that was taken were not asked
	Warnings   []string
}

// Check tries the credentials in order and gets a new token.
func (a *Azure) Check(ctx context.Context) (Report, error) {
	report := Report{Provider: a.provider, Kind: a.kind, Cloud: a.cloud.name, Endpoint: a.cloud.endpoint}
	a.forget()
	start := time.Now()
	audience := a.audience(hostname(a.cloud.endpoint))
	token, tried, err := a.try(ctx, true, audience, "")
	report.Took, report.Tried = time.Since(start), tried
	if ctx.Err() != nil {
		return report, ctx.Err()
	}
	if err != nil {
		return report, a.noCredential(tried)
	}
	a.tokensFor(audience).keep(token)
	report.Credential = tried[len(tried)-1].Name
	report.Expires = token.ExpiresOn
	report.read(token.Token, a.deps.now())
	return report, nil
}

// forget lets the next token come from any source again.
func (a *Azure) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.winner = nil
}

// skew is how far clocks may differ without a word.
const skew = time.Minute

// read takes from the token whose it is. Its signature is the service's to
// check; a token that cannot be read is as good as any.
func (r *Report) read(token string, now time.Time) {
	c, ok := decode(token)
	if !ok {
		return
	}
	r.Tenant = c.Tenant
	r.Principal = c.principal()
	if c.Expires > 0 {
		r.Expires = time.Unix(int64(c.Expires), 0).UTC()
	}
	if begins := time.Unix(int64(max(c.IssuedAt, c.NotBefore)), 0); begins.After(now.Add(skew)) {
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"the token begins %s in the future: the clock of this machine seems to be behind", begins.Sub(now).Round(time.Second)))
	}
	if !r.Expires.IsZero() && r.Expires.Before(now) {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the token ended %s ago", now.Sub(r.Expires).Round(time.Second)))
	}
}

// claims are the members of a token of Microsoft Entra that tell whose it is.
type claims struct {
	Tenant    string  `json:"tid"`
	UPN       string  `json:"upn"`
	Unique    string  `json:"unique_name"`
	Preferred string  `json:"preferred_username"`
	AppID     string  `json:"appid"`
	AppIDv2   string  `json:"azp"`
	Object    string  `json:"oid"`
	Subject   string  `json:"sub"`
	IssuedAt  float64 `json:"iat"`
	NotBefore float64 `json:"nbf"`
	Expires   float64 `json:"exp"`
}

// principal gives who signed in: a person by name, else an application by its id.
// Which of the members are there depends on the version of the token.
func (c claims) principal() string {
	for _, name := range []string{c.UPN, c.Unique, c.Preferred, c.AppID, c.AppIDv2, c.Object, c.Subject} {
		if name != "" {
			return name
		}
	}
	return ""
}

// decode reads the claims of a token without checking its signature: the key is
// the service's, and nothing here is decided by them.
func decode(token string) (claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}, false
	}
	var c claims
	err = json.Unmarshal(text, &c)
	return c, err == nil
}
