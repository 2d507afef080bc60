package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/planeql/planeql/internal/fault"
)

// failure makes the fault of a request that got no answer.
func (c *call) failure(ctx context.Context, o outcome) *fault.Error {
	if f := fault.As(o.err); f != nil && (!c.doubtful || !c.request.changes()) {
		return f
	}
	f := c.judge(ctx, o).Because(o.err)
	f.HTTP = &fault.HTTP{
		Method: c.request.Method, URL: RedactURL(c.url.String()), Attempts: c.attempts, Waited: c.waited,
	}
	return f
}

// judge finds the fault by what is known of the error. The order matters: a
// write that may have been carried out, by an earlier attempt too, is never
// called cancelled or failed, and
// the end of the context hides behind errors of the network that it caused.
func (c *call) judge(ctx context.Context, o outcome) *fault.Error {
	switch {
	case (o.sent || c.doubtful) && c.request.changes() && !errors.Is(o.err, errTooLarge):
		return c.unknown(ctx, o)
	case ctx.Err() != nil:
		return cancelled(ctx)
	case errors.Is(o.err, errTooLarge):
		return fault.New(fault.LimitReached, "an answer of %s is larger than %d bytes", c.url.Host, c.transport.options.MaxBody).
			WithHint("ask for smaller pages, or for less")
	}
	if f := c.noCertificate(o.err); f != nil {
		return f
	}
	if f := c.noConnection(o); f != nil {
		return f
	}
	return fault.New(fault.ConnectionLost, "the connection to %s broke", c.url.Host).
		WithDetail("%s", c.words(o.err)).
		WithHint("run the statement again; if it persists, look at the VPN or the proxy on the way")
}

// unknown makes the fault of a write that was sent and not answered. Whether it
// happened is not known; saying that it failed would be a guess.
func (c *call) unknown(ctx context.Context, o outcome) *fault.Error {
	f := fault.New(fault.OutcomeUnknown, "the request was sent to %s but its outcome is unknown", c.url.Host).
		WithDetail("%s", c.words(o.err)).
		WithHint("look whether it happened before running it again")
	if errors.Is(ctx.Err(), context.Canceled) {
		return f.In(fault.Interrupt)
	}
	return f
}

// noCertificate makes the fault of a TLS connection that must not be used.
func (c *call) noCertificate(err error) *fault.Error {
	if plain, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fault.New(fault.CannotConnect, "%s does not speak TLS", c.url.Host).
			WithDetail("%s", plain.Msg).
			WithHint("use http:// in --endpoint if the service is a local simulator")
	}
	if !isCertificate(err) {
		return nil
	}
	return fault.New(fault.CannotConnect, "the certificate of %s is not trusted", c.url.Host).
		WithDetail("%s", c.words(err)).
		WithHint("a proxy that opens TLS, or a simulator, has its own authority: " +
			"name the file of its certificate with --ca-cert or in SSL_CERT_FILE")
}

// isCertificate tells whether the other side could not prove who it is. Clients
// see the wrapped form; proxies and older paths of crypto/tls give the bare ones.
func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok
}

// noConnection makes the fault of a connection that was never there, be it by
// the network, the name servers or a proxy.
func (c *call) noConnection(o outcome) *fault.Error {
	err := o.err
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fault.New(fault.CannotConnect, "no address was found for the host %q", dns.Name).
			WithDetail("%s", c.words(err)).
			WithHint("check the spelling of the endpoint, the network, the VPN and the name servers")
	}
	if o.sent && !isDial(err) {
		return nil
	}
	return fault.New(fault.CannotConnect, "no connection to %s", c.url.Host).
		WithDetail("%s", c.words(err)).
		WithHint("check that the service is up, the VPN, HTTPS_PROXY, and --endpoint %s=URL", c.request.Provider)
}

// isDial tells whether the connection itself could not be made.
func isDial(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// worthRepeating tells whether an error may pass by itself. A certificate, a
// name that does not exist and an answer that is too large stay as they are.
func worthRepeating(err error) bool {
	if errors.Is(err, errTooLarge) || isCertificate(err) {
		return false
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return false
	}
	dns, ok := errors.AsType[*net.DNSError](err)
	return !ok || !dns.IsNotFound
}

// words gives an error of the network as text for a person.
func (c *call) words(err error) string {
	text := RedactText(err.Error())
	if text == "EOF" || text == "unexpected EOF" {
		return "the answer broke off (" + text + ")"
	}
	return text
}
