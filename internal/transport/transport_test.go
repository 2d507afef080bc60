package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

func start(t *testing.T, o Options, handler http.HandlerFunc) (*Transport, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	tr := New(o)
	t.Cleanup(tr.Close)
	return tr, server
}

// breaking answers the first requests with what breaks off.
func breaking(times int32, breaks func(http.ResponseWriter)) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) <= times {
			breaks(w)
			return
		}
		fmt.Fprint(w, `{"value":[]}`)
	}
}

func hijack(w http.ResponseWriter, text string) {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(buffer, text)
	buffer.Flush()
}

// TestDo_brokenAnswers repeats reading calls whose answers break off.
func TestDo_brokenAnswers(t *testing.T) {
	for name, breaks := range map[string]func(http.ResponseWriter){
		"closed at once": func(w http.ResponseWriter) { hijack(w, "") },
		"truncated":      func(w http.ResponseWriter) { hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"value\"") },
		"chunk missing": func(w http.ResponseWriter) {
			hijack(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"val\r\n")
		},
		"not HTTP": func(w http.ResponseWriter) { hijack(w, "SSH-2.0\r\n\r\n") },
		"gzip that is no": func(w http.ResponseWriter) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
		},
		"gzip cut": func(w http.ResponseWriter) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write([]byte(strings.Repeat("abc", 1000)))
			z.Close()
			cut := b.Bytes()[:b.Len()-9]
			hijack(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(cut), cut))
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr, server := start(t, Options{Attempts: 2}, breaking(1, breaks))
			response, err := tr.Do(t.Context(), get(server.URL))
			if err != nil || string(response.Body) != `{"value":[]}` || response.Attempts != 2 {
				t.Fatalf("%+v, %v", response, err)
			}
			tr, server = start(t, Options{Attempts: 1}, breaking(1, breaks))
			_, err = tr.Do(t.Context(), get(server.URL))
			wantFault(t, err, fault.ConnectionLost, "broke")
			tr, server = start(t, Options{}, breaking(1, breaks))
			_, err = tr.Do(t.Context(), Request{Method: "POST", URL: server.URL, Body: []byte("{}")})
			wantFault(t, err, fault.OutcomeUnknown, "look whether it happened")
		})
	}
}

func TestDo_gzip(t *testing.T) {
	tr, server := start(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("asked for %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		io.WriteString(z, strings.Repeat("x", 5000))
	})
	response, err := tr.Do(t.Context(), get(server.URL))
	if err != nil || len(response.Body) != 5000 {
		t.Fatalf("%v", err)
	}
}

func TestDo_sizeLimit(t *testing.T) {
	var calls atomic.Int32
	tr, server := start(t, Options{MaxBody: 10}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		fmt.Fprint(w, strings.Repeat("x", 10+len(r.URL.Query())))
	})
	if response, err := tr.Do(t.Context(), get(server.URL)); err != nil || len(response.Body) != 10 {
		t.Fatalf("%v", err)
	}
	_, err := tr.Do(t.Context(), get(server.URL+"?one"))
	wantFault(t, err, fault.LimitReached, "larger than 10 bytes")
	if calls.Load() != 2 {
		t.Errorf("%d calls: an answer that is too large stays so", calls.Load())
	}
}

// TestDo_connections holds the number of connections to that of calls at once.
func TestDo_connections(t *testing.T) {
	var made atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "{}") }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	tr := New(Options{Concurrency: 8})
	defer tr.Close()
	for range 5 {
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() {
				if _, err := tr.Do(t.Context(), get(server.URL)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if made.Load() > 8 {
		t.Errorf("%d connections for 200 calls, 8 at once", made.Load())
	}
}

func TestDo_http2AndCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	tr := New(Options{RootCAs: pool})
	defer tr.Close()
	response, err := tr.Do(t.Context(), get(server.URL))
	if err != nil || string(response.Body) != "HTTP/2.0" {
		t.Fatalf("%+v, %v", response, err)
	}
	stranger := New(Options{})
	defer stranger.Close()
	_, err = stranger.Do(t.Context(), get(server.URL))
	f := wantFault(t, err, fault.CannotConnect, "certificate")
	if f.HTTP.Attempts != 1 {
		t.Errorf("%d attempts: a certificate does not become trusted by asking again", f.HTTP.Attempts)
	}
	_, err = stranger.Do(t.Context(), Request{Method: "POST", URL: server.URL})
	wantFault(t, err, fault.CannotConnect, "certificate")
}

func TestDo_plainServerBehindHTTPS(t *testing.T) {
	tr, server := start(t, Options{}, func(w http.ResponseWriter, r *http.Request) {})
	_, err := tr.Do(t.Context(), get(strings.Replace(server.URL, "http:", "https:", 1)))
	wantFault(t, err, fault.CannotConnect, "does not speak TLS")
}

func TestDo_refused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	tr := New(Options{Attempts: 1})
	_, err = tr.Do(t.Context(), Request{Provider: "azure", Method: "POST", URL: "http://" + address + "/x?sig=SECRET"})
	f := wantFault(t, err, fault.CannotConnect, address)
	if !strings.Contains(f.Hint, "--endpoint azure=URL") || strings.Contains(f.Print(), "SECRET") {
		t.Error(f.Print())
	}
}

func TestDo_badURL(t *testing.T) {
	for _, text := range []string{"", "x", "ftp://h/x", "http://", "http://[::1", "https:///x"} {
		_, err := New(Options{}).Do(t.Context(), get(text))
		wantFault(t, err, fault.InvalidValue, "no URL")
	}
}

// TestDo_redirects follows reading calls within an origin and nothing else.
func TestDo_redirects(t *testing.T) {
	tr, server := start(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/there?x=1", http.StatusTemporaryRedirect)
		case "/away":
			http.Redirect(w, r, "http://other.example/", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			fmt.Fprint(w, "arrived")
		}
	})
	for path, want := range map[string]int{"/here": 200, "/away": 302, "/loop": 302} {
		response, err := tr.Do(t.Context(), get(server.URL+path))
		if err != nil || response.Status != want {
			t.Errorf("%s: %+v, %v", path, response, err)
		}
	}
	response, err := tr.Do(t.Context(), Request{Method: "POST", URL: server.URL + "/here"})
	if err != nil || response.Status != 307 {
		t.Errorf("a POST was redirected: %+v, %v", response, err)
	}
}

func TestDo_noCookies(t *testing.T) {
	tr, server := start(t, Options{UserAgent: "planeql/1"}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.UserAgent() != "planeql/1" {
			t.Errorf("headers %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "ARRAffinity", Value: "1"})
	})
	for range 2 {
		if _, err := tr.Do(t.Context(), get(server.URL)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProxy(t *testing.T) {
	env := map[string]string{"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "inside.example"}
	choose := Proxy(func(name string) string { return env[name] })
	for target, want := range map[string]string{
		"https://management.azure.com/": "http://proxy:3128", "https://inside.example/": "", "http://x.example/": "",
		"https://127.0.0.1/": "",
	} {
		r := httptest.NewRequest("GET", target, nil)
		u, err := choose(r)
		got := ""
		if u != nil {
			got = u.String()
		}
		if err != nil || got != want {
			t.Errorf("%s goes by %q, want %q, %v", target, got, want, err)
		}
	}
	if Proxy(nil) != nil {
		t.Error("a proxy without an environment")
	}
}

// tokenSource is an authorizer that counts and can be told to fail.
type tokenSource struct {
	mu         sync.Mutex
	tokens     []string
	challenges []string
	refused    []string
	fails      error
}

func (s *tokenSource) Authorize(_ context.Context, r *http.Request, told Signing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if told.Challenge != "" {
		s.challenges = append(s.challenges, told.Challenge)
		s.refused = append(s.refused, r.Header.Get("Authorization"))
		if len(s.tokens) > 1 {
			s.tokens = s.tokens[1:]
		}
	}
	if s.fails != nil {
		return s.fails
	}
	r.Header.Set("Authorization", "Bearer "+s.tokens[0])
	return nil
}

func signed(r Request) Request {
	r.Authorize = true
	return r
}

func TestDo_challenge(t *testing.T) {
	source := &tokenSource{tokens: []string{"old", "new"}}
	tr, server := start(t, Options{}, nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new" {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="e30="`)
			w.WriteHeader(401)
		}
	})
	tr.options.Targets = map[string]Target{"azure": {Endpoint: server.URL, Authorizer: source}}
	response, err := tr.Do(t.Context(), signed(Request{Provider: "azure", Method: "POST", URL: server.URL + "/x"}))
	if err != nil || response.Status != 200 || response.Attempts != 2 {
		t.Fatalf("%+v, %v", response, err)
	}
	if len(source.challenges) != 1 || !strings.Contains(source.challenges[0], `claims="e30="`) || source.refused[0] != "Bearer old" {
		t.Errorf("challenges %q for %q", source.challenges, source.refused)
	}
	source.tokens = []string{"worse"}
	response, err = tr.Do(t.Context(), signed(get(server.URL)))
	if err != nil || response.Status != 401 || response.Attempts != 2 {
		t.Errorf("a second refusal stands: %+v, %v", response, err)
	}
}

// TestDo_credentialStaysHome sends no credential to strangers and none in the
// open; the request is not sent at all.
func TestDo_credentialStaysHome(t *testing.T) {
	const arm = "https://management.azure.com"
	for name, test := range map[string]struct {
		target Target
		url    string
		sent   bool
	}{
		"home":                       {Target{Origins: []string{arm}}, arm + "/x", true},
		"home in capitals with port": {Target{Origins: []string{arm}}, "https://MANAGEMENT.azure.com:443/x", true},
		"home by http":               {Target{Origins: []string{arm}}, "http://management.azure.com/x", false},
		"other port":                 {Target{Origins: []string{arm}}, arm + ":8443/x", false},
		"stranger":                   {Target{Origins: []string{arm}}, "https://management.azure.com.evil.example/x", false},
		"user part":                  {Target{Origins: []string{arm}}, "https://management.azure.com@evil.example/x", false},
		"no list":                    {Target{}, arm + "/x", false},
		"endpoint":                   {Target{Endpoint: "http://127.0.0.1:9/base"}, "http://127.0.0.1:9/base/x", true},
		"localhost":                  {Target{Endpoint: "http://localhost:9"}, "http://localhost:9/x", true},
		"v6 loopback":                {Target{Endpoint: "http://[::1]:9"}, "http://[::1]:9/x", true},
		"real host with an endpoint": {Target{Endpoint: "http://127.0.0.1:9", Origins: []string{arm}}, arm + "/x", false},
		"endpoint in the open":       {Target{Endpoint: "http://10.0.0.1"}, "http://10.0.0.1/x", false},
		"part of a host":             {Target{Origins: []string{"https://*.vault.azure.net"}}, "https://My-kv.vault.azure.net/secrets", true},
		"inner part":                 {Target{Origins: []string{"https://sqs.*.amazonaws.com"}}, "https://sqs.eu-west-1.amazonaws.com/", true},
		"inner part of another":      {Target{Origins: []string{"https://sqs.*.amazonaws.com"}}, "https://sqs.evil.example/.amazonaws.com", false},
		"parts":                      {Target{Origins: []string{"https://*.*.confluent.cloud/kafka"}}, "https://pkc.eu.confluent.cloud/kafka", true},
		"one part too few":           {Target{Origins: []string{"https://*.*.confluent.cloud/kafka"}}, "https://eu.confluent.cloud/kafka", false},
		"no part":                    {Target{Origins: []string{"https://*.okta.com"}}, "https://.okta.com/x", false},
		"another end":                {Target{Origins: []string{"https://*.okta.com"}}, "https://a.okta.com.evil.example/x", false},
		"part over plain HTTP":       {Target{Origins: []string{"https://*.okta.com"}}, "http://a.okta.com/x", false},
		"part at another port":       {Target{Origins: []string{"https://*.okta.com"}}, "https://a.okta.com:8443/x", false},
		"whole host open":            {Target{Origins: []string{"https://*"}}, "https://evil.example/x", false},
		"domain open":                {Target{Origins: []string{"https://api.*.com"}}, "https://api.evil.com/x", false},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			test.target.Authorizer = &tokenSource{tokens: []string{"t0ken"}}
			tr := New(Options{Targets: map[string]Target{"azure": test.target}, Base: service(func(r *http.Request) (*http.Response, error) {
				calls++
				if r.Header.Get("Authorization") != "Bearer t0ken" {
					t.Errorf("signed %q", r.Header.Get("Authorization"))
				}
				return answer(200, ""), nil
			})})
			_, err := tr.Do(t.Context(), signed(get(test.url)))
			if (calls == 1) != test.sent {
				t.Fatalf("%d calls, %v", calls, err)
			}
			if !test.sent {
				if f := wantFault(t, err, fault.NoCredential, "is not sent to"); strings.Contains(f.Print(), "t0ken") {
					t.Error(f.Print())
				}
			}
		})
	}
}

func TestDo_authorizerFails(t *testing.T) {
	source := &tokenSource{fails: fault.New(fault.NoCredential, "no credential for azure could be had")}
	calls := 0
	tr := New(Options{
		Targets: map[string]Target{"azure": {Endpoint: "https://h", Authorizer: source}},
		Base:    service(func(*http.Request) (*http.Response, error) { calls++; return answer(200, ""), nil }),
	})
	_, err := tr.Do(t.Context(), signed(get("https://h/x")))
	wantFault(t, err, fault.NoCredential, "could be had")
	if calls != 0 {
		t.Error("sent without a credential")
	}
	if _, err := tr.Do(t.Context(), get("https://h/x")); err != nil || calls != 1 {
		t.Errorf("a call that needs no credential: %v", err)
	}
}
