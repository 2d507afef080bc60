package rest

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// documents opens a provider whose documents were published, with some of its
// services. The test is skipped where there are none.
func documents(t testing.TB, archive, name string, services ...string) *provider.Provider {
	t.Helper()
	root := os.Getenv("PLANEQL_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	file, err := os.Open(filepath.Join(root, "providers", archive+".tar.zst"))
	if err != nil {
		t.Skip("no published documents: ", archive)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(1<<27), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	files := fstest.MapFS{}
	for archived := tar.NewReader(plain); ; {
		header, err := archived.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		file := strings.TrimPrefix(header.Name, "./")
		wanted := path.Base(file) == "provider.yaml" || slices.Contains(services, strings.TrimSuffix(path.Base(file), ".yaml"))
		if header.Typeflag == tar.TypeReg && wanted {
			data, err := io.ReadAll(archived)
			if err != nil {
				t.Fatal(err)
			}
			files[file] = &fstest.MapFile{Data: data}
		}
	}
	p, err := provider.Open(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// methodOf finds service.resource.method.
func methodOf(t testing.TB, p *provider.Provider, name string) *provider.Method {
	t.Helper()
	parts := strings.Split(name, ".")
	s, err := p.Service(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	r, ok := s.Resource(parts[1])
	if !ok {
		t.Fatalf("no resource %s", name)
	}
	m, ok := r.Method(parts[2])
	if !ok {
		t.Fatalf("no method %s: %v", name, r.Problems)
	}
	return m
}

// arguments makes arguments of name=value.
func arguments(pairs ...string) []provider.Argument {
	var list []provider.Argument
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		list = append(list, provider.Argument{Name: name, Value: value})
	}
	return list
}

// exchange is a request that is expected, as method, path with query and body,
// and its answer. %H in an answer stands for the address of the service.
type exchange struct {
	request string
	answer  string
	status  int // 0: 200
	header  http.Header
}

// play runs a call against a service that expects exactly these requests, in
// this order, and gives the rows.
func play(t *testing.T, call provider.Call, script []exchange) ([]string, error) {
	t.Helper()
	server, asked := perform(t, script)
	name := call.Method.Resource.Provider
	tr := transport.New(transport.Options{Targets: map[string]transport.Target{name: {Endpoint: server.URL}}})
	t.Cleanup(tr.Close)
	rows, _, err := collect(t, New(tr, Options{}), call)
	var want []string
	for _, x := range script {
		want = append(want, x.request)
	}
	if got := asked(); !slices.Equal(got, want) {
		t.Errorf("%s sent\n%s\nwant\n%s", call.Method.FullName(), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return rows, err
}

// perform starts a service that answers in the order of a script.
func perform(t *testing.T, script []exchange) (*httptest.Server, func() []string) {
	t.Helper()
	var mutex sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		line := r.Method + " " + r.RequestURI
		if len(body) > 0 {
			line += " " + string(body)
		}
		mutex.Lock()
		defer mutex.Unlock()
		asked = append(asked, line)
		if len(asked) > len(script) {
			http.Error(w, "no more is expected", http.StatusTeapot)
			return
		}
		x := script[len(asked)-1]
		w.Header().Set("Content-Type", "application/json")
		for name, values := range x.header {
			w.Header().Set(name, strings.ReplaceAll(values[0], "%H", "http://"+r.Host))
		}
		if x.status != 0 {
			w.WriteHeader(x.status)
		}
		fmt.Fprint(w, strings.ReplaceAll(x.answer, "%H", "http://"+r.Host))
	}))
	t.Cleanup(server.Close)
	return server, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return asked
	}
}
