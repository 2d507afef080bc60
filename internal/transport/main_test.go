package transport

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service answers requests without a network.
type service func(*http.Request) (*http.Response, error)

func (f service) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes an answer; headers come as name, value pairs.
func answer(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

func get(url string) Request { return Request{Provider: "azure", Method: http.MethodGet, URL: url} }

func wantFault(t *testing.T, err error, code fault.Code, says string) *fault.Error {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Code != code || !strings.Contains(f.Print(), says) {
		t.Fatalf("error %v, want %s with %q\n%s", err, code, says, fault.From(err).Print())
	}
	return f
}

func mustParse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}
