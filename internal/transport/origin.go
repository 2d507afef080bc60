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
// is neither the provider's nor its document's, or to whoever listens on an
// unencrypted line.
func (t *Target) mayAuthorize(r *Request, u *url.URL) error {
	origins := slices.Concat(t.Origins, r.Home)
	if t.Endpoint != "" {
		origins = []string{t.Endpoint}
	}
	if !slices.ContainsFunc(origins, func(pattern string) bool { return isHome(pattern, u) }) {
		return fault.New(fault.NoCredential, "the credential for %s is not sent to %s", r.Provider, u.Host).
			WithDetail("it may go to %s only", orNone(origins)).
			WithHint("if that is the right place, name it with --endpoint %s=%s://%s", r.Provider, u.Scheme, u.Host)
	}
	if u.Scheme != "https" && !loopback(u.Hostname()) {
		return fault.New(fault.NoCredential, "the credential for %s is not sent to %s over plain HTTP", r.Provider, u.Host).
			WithHint("use https://%s, or --auth %s=none", u.Host, r.Provider)
	}
	return nil
}

// isHome tells whether a URL has the origin that is given, in which a * stands
// for some of the letters of the host. A pattern has to name the two last labels
// of the host at least: with fewer it would be anybody's.
func isHome(pattern string, u *url.URL) bool {
	if !strings.Contains(pattern, "*") {
		allowed, err := url.Parse(pattern)
		return err == nil && Origin(allowed) == Origin(u)
	}
	scheme, rest, _ := strings.Cut(pattern, "://")
	host, _, _ := strings.Cut(rest, "/")
	parts := strings.Split(strings.ToLower(host), "*")
	last := parts[len(parts)-1]
	if scheme != "https" || u.Scheme != "https" || u.Port() != "" && u.Port() != "443" || strings.Count(last, ".") < 2 {
		return false
	}
	name, ok := strings.CutPrefix(strings.ToLower(u.Hostname()), parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(name[min(1, len(name)):], part)
		ok, name = ok && found, after
	}
	return ok && strings.HasSuffix(name, last) && len(name) > len(last)
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
