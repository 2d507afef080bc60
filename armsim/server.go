package armsim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"
)

// Server is a simulator that listens on a port.
type Server struct {
	// URL is the base of all requests, without a slash at the end. It names
	// 127.0.0.1 where the server listens on all addresses.
	URL string
	// Simulator is what answers.
	Simulator *Simulator
	// Certificate is the server's certificate as PEM; nil for plain HTTP.
	Certificate []byte

	server *http.Server
	done   chan struct{}
	err    error
}

// Start serves a simulator over plain HTTP. An address such as 127.0.0.1:0
// chooses a free port. The server runs until Close.
func Start(addr string, opts ...Option) (*Server, error) {
	return start(addr, nil, nil, opts)
}

// StartTLS serves a simulator over TLS with a certificate made for this run. The
// certificate is good for localhost and the loopback addresses; it is written as
// PEM to certFile, unless that is empty, so that clients can be told to trust
// it. Microsoft's clients send tokens over TLS only.
func StartTLS(addr, certFile string, opts ...Option) (*Server, error) {
	cert, text, err := makeCertificate()
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	if certFile != "" {
		if err := os.WriteFile(certFile, text, 0o644); err != nil {
			return nil, fmt.Errorf("write the certificate: %w", err)
		}
	}
	return start(addr, &cert, text, opts)
}

// start listens, then serves in a goroutine that ends with Close.
func start(addr string, cert *tls.Certificate, text []byte, opts []Option) (*Server, error) {
	sim, err := New(opts...)
	if err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	s := &Server{
		Simulator: sim, Certificate: text, done: make(chan struct{}), URL: "http://" + reachable(ln.Addr()),
		server: &http.Server{
			Handler: sim, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
			// Connections broken on purpose and refused certificates would fill the log.
			ErrorLog: log.New(io.Discard, "", 0),
		},
	}
	serve := func() error { return s.server.Serve(ln) }
	if cert != nil {
		s.URL = "https://" + reachable(ln.Addr())
		s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12}
		serve = func() error { return s.server.ServeTLS(ln, "", "") }
	}
	go func() {
		defer close(s.done)
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			s.err = err
		}
	}()
	return s, nil
}

// reachable gives an address under which a listener can be called.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return addr.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}

// Close stops the server, breaks the connections that are open and waits until
// it has ended. It gives the error that ended the server before, if any.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.done
	return errors.Join(s.err, err)
}

// Wait waits until the server has ended.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

// Trust gives a pool with the server's certificate, for a client of a server
// started by [StartTLS].
func (s *Server) Trust() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.Certificate)
	return pool
}

// makeCertificate makes a self-signed certificate for the loopback addresses.
func makeCertificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "localhost", Organization: []string{"planeql simulator"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, text, nil
}
