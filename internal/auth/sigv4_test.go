package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// verifier is a service of AWS on this machine that recomputes the signature of
// what it gets, by the steps of AWS's description "Create a signed AWS API
// request" and from the bytes of the request alone.
type verifier struct {
	*httptest.Server
	keys    map[string]string // secrets by key id
	tokens  map[string]string // session tokens by key id
	answer  func(w http.ResponseWriter, r *http.Request, body []byte)
	refused []string
	scopes  []string // day left out: region/service
	ids     []string
	uris    []string
}

func newVerifier(t *testing.T) *verifier {
	t.Helper()
	v := &verifier{keys: map[string]string{"AKID": "s3cr3t/key+1"}, tokens: map[string]string{}}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

// ServeHTTP implements http.Handler.
func (v *verifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if why := v.check(r, body); why != "" {
		v.refused = append(v.refused, why)
		w.WriteHeader(403)
		fmt.Fprintf(w, `<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>%s</Message></Error></ErrorResponse>`, why)
		return
	}
	v.uris = append(v.uris, r.RequestURI)
	if v.answer != nil {
		v.answer(w, r, body)
	}
}

// check gives why the signature is not right; nothing if it is.
func (v *verifier) check(r *http.Request, body []byte) string {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "not signed: " + r.Header.Get("Authorization")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ", ") {
		key, value, _ := strings.Cut(part, "=")
		parts[key] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return "credential " + parts["Credential"]
	}
	id, day, region, name := scope[0], scope[1], scope[2], scope[3]
	v.scopes, v.ids = append(v.scopes, region+"/"+name), append(v.ids, id)
	secret, known := v.keys[id]
	date := r.Header.Get("X-Amz-Date")
	signed := strings.Split(parts["SignedHeaders"], ";")
	switch {
	case !known:
		return "unknown key " + id
	case len(date) != 16 || date[:8] != day:
		return "date " + date
	case r.Header.Get("X-Amz-Security-Token") != v.tokens[id]:
		return "session token " + r.Header.Get("X-Amz-Security-Token")
	case !slices.Contains(signed, "host"), !slices.Contains(signed, "x-amz-date"), !slices.IsSorted(signed):
		return "signed headers " + parts["SignedHeaders"]
	}
	for header := range r.Header { // all of AWS's own headers have to be signed
		if lower := strings.ToLower(header); strings.HasPrefix(lower, "x-amz-") && !slices.Contains(signed, lower) {
			return lower + " is not signed"
		}
	}
	toSign := "AWS4-HMAC-SHA256\n" + date + "\n" + strings.Join(scope[1:], "/") + "\n" + digest([]byte(canonical(r, name, signed, body)))
	key := []byte("AWS4" + secret)
	for _, text := range append(scope[1:4:4], "aws4_request") {
		key = mac(key, text)
	}
	if want := hex.EncodeToString(mac(key, toSign)); want != parts["Signature"] {
		return "the signature of\n" + canonical(r, name, signed, body)
	}
	return ""
}

// canonical makes the canonical request. The path is encoded once more than it
// was sent, except for S3; the query is sorted by name and value.
func canonical(r *http.Request, name string, signed []string, body []byte) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if name != "s3" {
		segments := strings.Split(path, "/")
		for i := range segments {
			segments[i] = encode(segments[i])
		}
		path = strings.Join(segments, "/")
	}
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair != "" {
			key, value, _ := strings.Cut(pair, "=")
			pairs = append(pairs, encode(decode1(key))+"="+encode(decode1(value)))
		}
	}
	slices.Sort(pairs)
	var headers strings.Builder
	for _, header := range signed {
		value := r.Header.Get(header)
		switch header {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		headers.WriteString(header + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return strings.Join([]string{r.Method, path, strings.Join(pairs, "&"), headers.String(), strings.Join(signed, ";"), digest(body)}, "\n")
}

// encode leaves A-Z, a-z, 0-9, - . _ ~ and writes all else as %XY.
func encode(text string) string {
	var out bytes.Buffer
	for _, b := range []byte(text) {
		if b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0 {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// decode1 undoes one encoding; a + stands for itself.
func decode1(text string) string {
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			b, _ := hex.DecodeString(text[i+1 : i+3])
			out, i = append(out, b...), i+2
		} else {
			out = append(out, text[i])
		}
	}
	return string(out)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// TestVerifier checks the recomputation itself against the example of AWS's own
// test suite (get-vanilla-query-order-key-case).
func TestVerifier(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "https://example.amazonaws.com/?Param2=value2&Param1=value1", nil)
	r.RequestURI = "/?Param2=value2&Param1=value1"
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	authorization := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
		"Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
	r.Header.Set("Authorization", authorization)
	v := &verifier{keys: map[string]string{"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}}
	if why := v.check(r, nil); why != "" {
		t.Error(why)
	}
	r.Header.Set("Authorization", strings.Replace(authorization, "Signature=b", "Signature=a", 1))
	if v.check(r, nil) == "" {
		t.Error("another signature is taken")
	}
}

// Verifier is a verifier for the tests of calls through real documents. It answers
// an empty object.
type Verifier struct{ v *verifier }

// NewVerifier starts a Verifier.
func NewVerifier(t *testing.T) Verifier {
	v := newVerifier(t)
	v.answer = func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{}")
	}
	return Verifier{v}
}

// URL is where it listens.
func (v Verifier) URL() string { return v.v.URL }

// Signed gives region/service of each call, and why those were refused whose
// signature was not right.
func (v Verifier) Signed() (scopes, refused []string) { return v.v.scopes, v.v.refused }
