// Package registry lists, fetches, verifies and keeps provider documents: from
// a registry of the published layout, which may be served over HTTP or be a
// folder, and from local files. What is installed is there as a whole or not at
// all.
//
// The package trusts nothing it reads: names, sizes and places of files are
// checked before anything is written, and what it writes first is a folder
// beside the final one. It knows no environment and no terminal. Start reading
// at [Open] and [Folder.Pull].
package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// Options are where a registry is and how it is reached.
type Options struct {
	Location string              // an HTTP or file URL, or a folder, above dist and src
	Getenv   func(string) string // for the variables of proxies; nil: no proxy
	RootCAs  *x509.CertPool      // nil: those of the system
}

// Registry is a place from which providers are had.
type Registry struct {
	location string // for messages, without a password
	base     *url.URL
	client   *http.Client
	files    fs.FS // instead of base and client: a folder
}

// Limits of what is read from a registry. The largest published archive has 7
// MB, its documents 90 MB.
const (
	maxIndex    = 4 << 20
	maxArchive  = 256 << 20
	maxUnpacked = 1 << 30
	maxFiles    = 20_000
)

// Open makes a registry of its location. Nothing is read.
func Open(o Options) (*Registry, error) {
	u, err := url.Parse(o.Location)
	switch {
	case o.Location == "":
		return nil, fault.New(fault.InvalidFlag, "there is no registry").WithHint("--registry names its URL or its folder")
	case err == nil && u.Scheme == "file":
		return &Registry{location: o.Location, files: os.DirFS(filepath.FromSlash(u.Path))}, nil
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		t := &http.Transport{
			Proxy: transport.Proxy(o.Getenv), TLSClientConfig: &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
			ResponseHeaderTimeout: time.Minute, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		}
		return &Registry{location: u.Redacted(), base: u, client: &http.Client{Transport: t, CheckRedirect: redirect}}, nil
	case strings.Contains(o.Location, "://"):
		return nil, fault.New(fault.InvalidFlag, "%q is no registry", o.Location).
			WithHint("a registry is a folder or a URL that begins with https://, http:// or file://")
	}
	return &Registry{location: o.Location, files: os.DirFS(o.Location)}, nil
}

// redirect refuses to leave TLS behind.
func redirect(r *http.Request, via []*http.Request) error {
	if len(via) > 5 || r.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
		return fault.New(fault.CannotConnect, "the registry leads on to %s", r.URL.Redacted())
	}
	return nil
}

// fetch reads a file of the registry. The error of one that is not there is
// fs.ErrNotExist.
func (r *Registry) fetch(ctx context.Context, name string, limit int64) ([]byte, error) {
	if r.files != nil {
		f, err := r.files.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return read(f, name, limit)
	}
	u := r.base.JoinPath(name)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.New(fault.InvalidFlag, "%s is no address", u.Redacted()).Because(err)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, fault.New(fault.CannotConnect, "the registry %s cannot be reached", r.location).WithDetail("%s", err.Error()).
			WithHint("--registry DIR uses a mirror in a folder").Because(err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return nil, fs.ErrNotExist
	case answer.StatusCode != http.StatusOK:
		return nil, fault.New(fault.ServiceFailed, "the registry answers %s to %s", answer.Status, u.Redacted())
	}
	data, err := read(answer.Body, u.Redacted(), limit)
	if err == nil && answer.ContentLength >= 0 && int64(len(data)) != answer.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	return data, broken(err, u.Redacted())
}

// broken makes the error for an answer that ended early.
func broken(err error, name string) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	return fault.New(fault.ConnectionLost, "%s was not read to its end", name).WithDetail("%s", err.Error()).
		WithHint("nothing was changed; run it again").Because(err)
}

// read reads up to a limit.
func read(from io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fault.New(fault.LimitReached, "%s has more than %d MB", name, limit>>20)
	}
	return data, err
}

// validName and validVersion are the forms in which names may become parts of
// paths.
var (
	validName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	validVersion = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)
)

// checkNames refuses a name or a version that could lead out of a folder. An
// empty version is the newest.
func checkNames(name, version string) error {
	if !validName.MatchString(name) {
		return fault.New(fault.InvalidFlag, "%q is no name of a provider", name).
			WithHint("planeql provider list --available shows what the registry has")
	}
	if version != "" && !validVersion.MatchString(version) {
		return fault.New(fault.InvalidFlag, "%q is no version", version).WithHint("a version is written v0.3.0")
	}
	return nil
}

// Available gives the versions of every provider of the registry, the newest
// last. A folder without an index, such as a checkout of the documents, has what
// is below its src.
func (r *Registry) Available(ctx context.Context) (map[string][]string, error) {
	data, err := r.fetch(ctx, "dist/providers.yaml", maxIndex)
	if isMissing(err) && r.files != nil {
		if found := r.sources(); len(found) > 0 {
			return found, nil
		}
	}
	if isMissing(err) {
		return nil, fault.New(fault.DocumentMissing, "there is no registry at %s", r.location).
			WithDetail("it has no dist/providers.yaml").WithHint("--registry names its URL or its folder").Because(err)
	}
	if err != nil {
		return nil, fault.From(err)
	}
	doc, err := openapi.Parse("providers.yaml", data)
	if err == nil {
		err = doc.Check()
	}
	if err != nil {
		return nil, fault.New(fault.DocumentInvalid, "the index of the registry %s cannot be read", r.location).Because(err)
	}
	found := map[string][]string{}
	for _, e := range doc.Root().At("providers").Entries() {
		for _, version := range e.Value.At("versions").Texts() {
			if checkNames(e.Key, version) == nil {
				found[e.Key] = append(found[e.Key], version)
			}
		}
		slices.SortFunc(found[e.Key], provider.CompareVersions)
	}
	return found, nil
}

// isMissing tells whether an error says that there is no such file.
func isMissing(err error) bool {
	return err != nil && fault.As(err) == nil && errors.Is(err, fs.ErrNotExist)
}

// sources gives what lies unpacked in a folder.
func (r *Registry) sources() map[string][]string {
	found := map[string][]string{}
	files, err := fs.Glob(r.files, "src/*/*/provider.yaml")
	if err != nil {
		return nil
	}
	for _, file := range files {
		parts := strings.Split(file, "/")
		name := nameOf(parts[1])
		found[name] = append(found[name], parts[2])
		slices.SortFunc(found[name], provider.CompareVersions)
	}
	return found
}

// nameOf gives the name of the provider in a folder.
func nameOf(folder string) string {
	if folder == provider.Folder("google") {
		return "google"
	}
	return folder
}

// choose gives the version that is asked for, or the newest that is no
// pre-release.
func (r *Registry) choose(ctx context.Context, name, version string) (string, error) {
	if err := checkNames(name, version); err != nil {
		return "", err
	}
	available, err := r.Available(ctx)
	if err != nil {
		return "", err
	}
	versions := available[name]
	if len(versions) == 0 {
		var names []string
		for n := range available {
			names = append(names, n)
		}
		slices.Sort(names)
		return "", fault.New(fault.DocumentMissing, "the registry %s has no provider %q", r.location, name).
			WithHint("%s", fault.DidYouMean(name, names, "planeql provider list --available shows what it has"))
	}
	if version == "" {
		return Newest(versions), nil
	}
	if !slices.Contains(versions, version) {
		return "", fault.New(fault.DocumentMissing, "the registry %s has no version %s of %q", r.location, version, name).
			WithHint("it has %s", strings.Join(versions, ", "))
	}
	return version, nil
}

// Newest gives the newest version that is no pre-release, else the newest.
func Newest(versions []string) string {
	for _, v := range slices.Backward(versions) {
		if !strings.Contains(v, "-") {
			return v
		}
	}
	return versions[len(versions)-1]
}

// documents gives the files of a version by their paths in its folder.
func (r *Registry) documents(ctx context.Context, name, version string) (map[string][]byte, error) {
	file := path.Join("dist", provider.Folder(name), version+".tgz")
	archive, err := r.fetch(ctx, file, maxArchive)
	if err == nil {
		return unpack(archive, version)
	}
	if !isMissing(err) {
		return nil, fault.From(err)
	}
	folder := path.Join("src", provider.Folder(name), version)
	if r.files != nil {
		if sub, e := fs.Sub(r.files, folder); e == nil {
			if files, e := collect(sub); e == nil && len(files) > 0 {
				return files, nil
			}
		}
	}
	return nil, fault.New(fault.DocumentMissing, "the registry %s has no file %s", r.location, file).
		WithDetail("its index lists the version").Because(err)
}
