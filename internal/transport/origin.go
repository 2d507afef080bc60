package transport

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
)

// Origin gives scheme, host and port of a URL in one form: lower case, the
// port always written. Two URLs go to the same place if their origins are
// equal.
func Origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return scheme + "://" + net.JoinHostPort(host, port)
}

// mayAuthorize refuses to hand a credential to a stranger: to an origin that
// is not the provider's, or to whoever listens on an unencrypted line.
func (t *Target) mayAuthorize(provider string, u *url.URL) error {
	origins := t.Origins
	if t.Endpoint != "" {
		origins = []string{t.Endpoint}
	}
	if !slices.ContainsFunc(origins, func(text string) bool {
		allowed, err := url.Parse(text)
		return err == nil && Origin(allowed) == Origin(u)
	}) {
		return fault.New(fault.NoCredential, "the credential for %s is not sent to %s", provider, u.Host).
			WithDetail("it may go to %s only", orNone(origins)).
			WithHint("if that is the right place, name it with --endpoint %s=%s://%s", provider, u.Scheme, u.Host)
	}
	if u.Scheme != "https" && !loopback(u.Hostname()) {
		return fault.New(fault.NoCredential, "the credential for %s is not sent to %s over plain HTTP", provider, u.Host).
			WithHint("use https://%s, or --auth %s=none", u.Host, provider)
	}
	return nil
}

// orNone gives a list for a sentence.
func orNone(list []string) string {
	if len(list) == 0 {
		return "no host"
	}
	return strings.Join(list, ", ")
}

// loopback tells whether a host is this machine, where a line cannot be tapped.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// trimSlash lets a base URL be put before a path, which begins with a slash.
func trimSlash(text string) string { return strings.TrimRight(text, "/") }
