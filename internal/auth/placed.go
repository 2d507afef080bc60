package auth

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// placed signs with secrets that go into the request as they are, behind a word
// perhaps: the kinds bearer, api_key, basic and custom. Somebody else renews
// them, in a variable, or in a file that is read again when the service refuses
// what it held.
type placed struct {
	kind   string
	holder holder
	parts  []part

	mu     sync.Mutex
	values []string // by part; nil: not read
}

// part is one secret and its place in the request.
type part struct {
	kind    string
	query   bool
	name    string
	prefix  string
	options map[string]string
}

// newPlaced makes the parts. What they hold is read when it is needed, since an
// agent may write it after this program has started.
func newPlaced(providerName string, s Settings, deps Deps) (*placed, error) {
	b := &placed{kind: s.kind(), holder: holder{providerName, deps}}
	for kind, o := s.kind(), s.Options; ; {
		p, err := newPart(providerName, kind, o)
		if err != nil {
			return nil, err
		}
		b.parts = append(b.parts, p)
		next := successor(o)
		if len(next) == 0 {
			return b, nil
		}
		if kind = Custom; next["type"] != "" {
			kind = Settings{Kind: next["type"]}.canonical().kind()
		}
		o = next
	}
}

// successor gives the options of the secret that is put on after this one.
func successor(o map[string]string) map[string]string {
	next := map[string]string{}
	for key, value := range o {
		if rest, ok := strings.CutPrefix(key, "successor."); ok {
			next[rest] = value
		}
	}
	return next
}

// newPart says where the secret of a kind goes, by the defaults of the format.
func newPart(providerName, kind string, o map[string]string) (part, error) {
	p := part{kind: kind, query: o["location"] == "query", name: o["name"], options: o}
	prefix, given := o["prefix"]
	switch {
	case given:
		p.prefix = prefix
	case kind == Bearer:
		p.prefix = "Bearer "
	case kind == Basic:
		p.prefix = "Basic "
	case kind == APIKey && p.name == "":
		p.prefix = "api_key "
	}
	if p.name == "" {
		p.name = "Authorization"
		if p.query || kind == Custom {
			return p, fault.New(fault.InvalidFlag, "the kind %q needs the option name", kind).
				WithHint("--auth %s=%s,location=header,name=x-api-key,env=NAME", providerName, kind)
		}
	}
	places := 0
	for _, key := range []string{"env", "file", "file_env"} {
		if o[key] != "" {
			places++
		}
	}
	pair := o["username"] != "" || o["username_env"] != ""
	if places > 1 || places == 0 && (!pair || o["password_env"] == "") {
		return p, fault.New(fault.InvalidFlag, "the kind %q needs one of the options env and file", kind).
			WithHint("--auth %s=%s,env=NAME takes the secret from the variable NAME", providerName, kind)
	}
	return p, nil
}

// read gives the text that stands in the request.
func (p part) read(h holder) (text, principal, from string, err error) {
	if p.options["username"] != "" || p.options["username_env"] != "" {
		text, principal, from, err = h.pair(p.options)
	} else {
		text, from, err = h.secret(p.options)
	}
	switch {
	case err != nil:
		return "", principal, from, err
	case p.kind == Basic && strings.Contains(text, ":"):
		principal, _, _ = strings.Cut(text, ":")
		text = base64.StdEncoding.EncodeToString([]byte(text))
	case p.kind == Bearer:
		text = strings.TrimSpace(strings.TrimPrefix(text, "Bearer "))
		if strings.ContainsAny(text, " \r\n\t") {
			return "", "", from, errUnset("what stands in " + from + " is no token: it has blanks inside")
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "", from, errUnset("what stands in " + from + " has line ends or control characters")
	}
	return p.prefix + text, principal, from, nil
}

// put puts the text into its place in the request. The URL is the caller's and
// others hold it, so it is replaced.
func (p part) put(req *http.Request, text string) {
	if !p.query {
		req.Header.Set(p.name, text)
		return
	}
	u := *req.URL
	var kept []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); pair != "" && (err != nil || plain != p.name) {
			kept = append(kept, pair)
		}
	}
	u.RawQuery = strings.Join(append(kept, url.QueryEscape(p.name)+"="+strings.ReplaceAll(url.QueryEscape(text), "+", "%20")), "&")
	req.URL = &u
}

// Authorize puts the secrets on the request.
func (b *placed) Authorize(_ context.Context, req *http.Request, s transport.Signing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.values == nil || s.Challenge != "" {
		var values []string
		for _, p := range b.parts {
			text, _, _, err := p.read(b.holder)
			if err != nil {
				b.values = nil
				return b.missing(err)
			}
			values = append(values, text)
		}
		b.values = values
	}
	for i, p := range b.parts {
		p.put(req, b.values[i])
	}
	return nil
}

// missing makes the fault of a secret that cannot be read.
func (b *placed) missing(err error) *fault.Error {
	f := fault.New(fault.NoCredential, "no credential for %s could be had", b.holder.provider).
		WithDetail("%s", transport.RedactText(err.Error()))
	names := b.unset()
	switch {
	case b.kind == Bearer && b.holder.provider == "azure":
		return f.WithHint("put a token there, such as that of: az account get-access-token --query accessToken -o tsv")
	case len(names) == 1:
		return f.WithHint("export %s=…, or keep it once with planeql auth set %s", names[0], b.holder.provider)
	case len(names) > 1:
		return f.WithHint("export %s=…, or keep them once with planeql auth set %s", strings.Join(names, "=… "), b.holder.provider)
	}
	return f.WithHint("put it there, or keep it once with planeql auth set %s", b.holder.provider)
}

// unset gives the variables of the secrets that cannot be read.
func (b *placed) unset() []string {
	var names []string
	for _, p := range b.parts {
		for _, option := range []string{"username_env", "password_env", "env"} {
			name := p.options[option]
			if name == "" || slices.Contains(names, name) {
				continue
			}
			if _, _, err := b.holder.variable(name); err != nil {
				names = append(names, name)
			}
		}
	}
	return names
}

// Check reads the secrets again and reports whose they are, as far as they tell.
// Nobody is asked: only the service knows whether they hold.
func (b *placed) Check(context.Context) (Report, error) {
	report := Report{Provider: b.holder.provider, Kind: b.kind}
	var last error
	for _, p := range b.parts {
		start := time.Now()
		text, principal, from, err := p.read(b.holder)
		attempt := Attempt{Name: from, Outcome: p.outcome(), Took: time.Since(start)}
		report.Took += attempt.Took
		if err != nil {
			attempt.Outcome, last = transport.RedactText(err.Error()), err
		} else {
			report.describe(p, text, principal, from, b.holder.deps.now())
		}
		report.Tried = append(report.Tried, attempt)
	}
	if last != nil {
		report.Credential = ""
		return report, b.missing(last)
	}
	return report, nil
}

// describe takes over what a secret tells of itself.
func (r *Report) describe(p part, text, principal, from string, now time.Time) {
	if r.Credential != "" {
		r.Credential += ", "
	}
	r.Credential += from
	if r.Principal == "" {
		r.Principal = principal
	}
	if p.kind == Bearer {
		r.read(strings.TrimPrefix(text, p.prefix), now)
	}
}

// outcome says what was had where a secret was read.
func (p part) outcome() string {
	if p.kind == Bearer {
		return "token"
	}
	return "read, to be sent as " + p.where()
}

// where names the place in the request.
func (p part) where() string {
	if p.query {
		return "the query parameter " + p.name
	}
	return "the header " + p.name
}
