package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv("PLANEQL_TEST_HANG"); folder != "" {
		hang(folder, os.Getenv("PLANEQL_TEST_REGISTRY"))
	}
	goleak.VerifyTestMain(m)
}

// things are the documents of a provider with one service.
func things(name, version string) map[string][]byte {
	return map[string][]byte{
		"provider.yaml": []byte("id: " + name + "\nname: " + name + "\nversion: " + version + "\nproviderServices:\n" +
			"  s: {name: s, title: The service, service: {$ref: " + name + "/v00.00.00000/services/s.yaml}}\n"),
		"services/s.yaml": []byte("openapi: 3.0.0\ncomponents:\n  x-stackQL-resources:\n    r: {id: " + name + ".s.r, methods: {}}\n"),
	}
}

// entry is a file of an archive.
type entry struct {
	name, text string
	kind       byte
}

// pack makes an archive.
func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		if e.kind != 0 {
			h.Typeflag, h.Linkname, h.Size, e.text = e.kind, "/etc/passwd", 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archive makes the archive of a version.
func archive(t testing.TB, version string, files map[string][]byte) []byte {
	t.Helper()
	entries := []entry{{name: version + "/", kind: tar.TypeDir}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, entry{name: version + "/" + name, text: string(files[name])})
	}
	return pack(t, entries...)
}

// index is what the registries of the tests have.
const index = `providers:
  thing: {versions: [v0.9.0, v0.10.0, v0.11.0-rc1]}
  google: {versions: [v1.0.0]}
  "../evil": {versions: [v1.0.0]}
`

// publish makes a registry that is served over HTTP.
func publish(t testing.TB, files map[string][]byte) *httptest.Server {
	t.Helper()
	all := map[string][]byte{
		"/dist/providers.yaml":               []byte(index),
		"/dist/thing/v0.9.0.tgz":             archive(t, "v0.9.0", things("thing", "v0.9.0")),
		"/dist/thing/v0.10.0.tgz":            archive(t, "v0.10.0", things("thing", "v0.10.0")),
		"/dist/googleapis.com/v1.0.0.tgz":    archive(t, "v1.0.0", things("google", "v1.0.0")),
		"/dist/thing/v0.11.0-rc1.tgz":        nil,
		"/dist/thing/v0.11.0-rc1.tgz/broken": nil,
	}
	maps.Copy(all, files)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := all[r.URL.Path]
		if data == nil {
			http.Error(w, "<html>not here</html>", http.StatusNotFound)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(s.Close)
	return s
}

func reach(t testing.TB, location string) *Registry {
	t.Helper()
	r, err := Open(Options{Location: location})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// installed gives name@version of what a folder has.
func installed(f Folder) []string {
	var list []string
	for _, i := range f.List() {
		list = append(list, i.Name+"@"+i.Version)
	}
	return list
}

// The newest version is pulled that is no pre-release, others when they are
// asked for; all of them stay side by side.
func TestPull(t *testing.T) {
	r := reach(t, publish(t, nil).URL)
	f := Folder{Path: filepath.Join(t.TempDir(), "providers")}
	for _, c := range []struct{ name, version, want string }{
		{"thing", "", "v0.10.0"}, {"thing", "v0.9.0", "v0.9.0"}, {"google", "", "v1.0.0"}, {"thing", "v0.10.0", "v0.10.0"},
	} {
		i, err := f.Pull(t.Context(), r, c.name, c.version, nil)
		if err != nil || i.Version != c.want || i.Signature != NotSigned || len(i.SHA256) != 64 {
			t.Errorf("%s@%s: %+v, %v", c.name, c.version, i, err)
		}
	}
	if got, want := installed(f), []string{"google@v1.0.0", "thing@v0.9.0", "thing@v0.10.0"}; !slices.Equal(got, want) {
		t.Errorf("installed are %v", got)
	}
	if f.List()[0].Source != r.location {
		t.Errorf("the source is %q", f.List()[0].Source)
	}
	if p, err := provider.OpenInstalled(f.Path, "google", ""); err != nil || p.Version != "v1.0.0" {
		t.Errorf("google opens as %v, %v", p, err)
	}
}

// What the registry does not have, or answers with an error, is an error that
// says so.
func TestPull_missing(t *testing.T) {
	s := publish(t, nil)
	f := Folder{Path: t.TempDir()}
	for _, c := range []struct {
		location, name, version string
		code                    fault.Code
		part                    string
	}{
		{s.URL, "thang", "", fault.DocumentMissing, "did you mean thing"},
		{s.URL, "thing", "v7.0.0", fault.DocumentMissing, "v0.9.0, v0.10.0"},
		{s.URL, "thing", "v0.11.0-rc1", fault.DocumentMissing, "v0.11.0-rc1.tgz"},
		{s.URL, "../evil", "", fault.InvalidFlag, "no name"},
		{s.URL, "thing", "../v1", fault.InvalidFlag, "no version"},
		{s.URL + "/nowhere", "thing", "", fault.DocumentMissing, "there is no registry"},
		{filepath.Join(t.TempDir(), "none"), "thing", "", fault.DocumentMissing, "there is no registry"},
		{"http://127.0.0.1:1", "thing", "", fault.CannotConnect, "cannot be reached"},
	} {
		_, err := f.Pull(t.Context(), reach(t, c.location), c.name, c.version, nil)
		e := fault.As(err)
		if e == nil || e.Code != c.code || !strings.Contains(e.Print(), c.part) {
			t.Errorf("%s %s: %v", c.name, c.version, err)
		}
	}
	if got := installed(f); len(got) > 0 {
		t.Errorf("installed are %v", got)
	}
}

// An answer with another status is no document.
func TestPull_status(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, index, http.StatusBadGateway)
	}))
	defer s.Close()
	if _, err := reach(t, s.URL).Available(t.Context()); fault.As(err) == nil || fault.As(err).Code != fault.ServiceFailed {
		t.Errorf("it gives %v", err)
	}
}

// An archive that is damaged, or holds what no provider needs, is refused whole.
func TestPull_archives(t *testing.T) {
	good := archive(t, "v0.10.0", things("thing", "v0.10.0"))
	document := entry{name: "v0.10.0/provider.yaml", text: string(things("thing", "v0.10.0")["provider.yaml"])}
	for name, c := range map[string]struct {
		data []byte
		part string
	}{
		"cut short":      {good[:len(good)/2], "damaged or cut short"},
		"end cut off":    {good[:len(good)-4], "damaged or cut short"},
		"changed":        {slices.Concat(good[:60], []byte{good[60] ^ 0x55}, good[61:]), "damaged or cut short"},
		"no archive":     {[]byte("<html>"), "damaged or cut short"},
		"outside":        {pack(t, document, entry{name: "v0.10.0/../../../evil.yaml", text: "x"}), "outside its folder"},
		"absolute":       {pack(t, document, entry{name: "/etc/evil.yaml", text: "x"}), "outside its folder"},
		"backslashes":    {pack(t, document, entry{name: `v0.10.0\..\..\evil.yaml`, text: "x"}), "outside its folder"},
		"symbolic link":  {pack(t, document, entry{name: "v0.10.0/services", kind: tar.TypeSymlink}), "is no file"},
		"hard link":      {pack(t, document, entry{name: "v0.10.0/x.yaml", kind: tar.TypeLink}), "is no file"},
		"other version":  {pack(t, document, entry{name: "v0.9.0/x.yaml", text: "x"}), "has the file"},
		"no provider":    {pack(t, entry{name: "v0.10.0/services/s.yaml", text: "x"}), "has no v0.10.0/provider.yaml"},
		"large file":     {pack(t, document, entry{name: "v0.10.0/x.yaml", text: strings.Repeat("\n", 33<<20)}), "more than 32 MB"},
		"broken content": {pack(t, entry{name: "v0.10.0/provider.yaml", text: "a: [\n"}), "not valid YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			f := Folder{Path: filepath.Join(root, "a", "providers")}
			s := publish(t, map[string][]byte{"/dist/thing/v0.10.0.tgz": c.data})
			_, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "", nil)
			if e := fault.As(err); e == nil || !strings.Contains(e.Print(), c.part) {
				t.Errorf("it gives %v", err)
			}
			if files := below(t, root); len(files) > 0 {
				t.Errorf("there is %v", files)
			}
		})
	}
}

// below gives the files below a folder.
func below(t testing.TB, folder string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// An answer that breaks off installs nothing.
func TestPull_brokenOff(t *testing.T) {
	good := archive(t, "v0.10.0", things("thing", "v0.10.0"))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "providers.yaml") {
			_, _ = w.Write([]byte(index))
			return
		}
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write(good[:len(good)/2])
	}))
	defer s.Close()
	f := Folder{Path: t.TempDir()}
	_, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "", nil)
	if fault.As(err) == nil || fault.As(err).Code != fault.ConnectionLost || len(below(t, f.Path)) > 0 {
		t.Errorf("it gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Pull(ctx, reach(t, s.URL), "thing", "", nil); err == nil {
		t.Error("it does not heed its context")
	}
}

// signed adds a signature to each document, in the published form.
func signed(t testing.TB, files map[string][]byte, key ed25519.PrivateKey) map[string][]byte {
	t.Helper()
	stamp, err := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC).MarshalBinary()
	if err != nil || len(stamp) != timestampSize {
		t.Fatal(stamp, err)
	}
	all := maps.Clone(files)
	for name, data := range files {
		sum := ed25519.Sign(key, slices.Concat(data, stamp))
		all[name+".sig"] = []byte(base64.StdEncoding.EncodeToString(slices.Concat(stamp, sum)))
		if len(all[name+".sig"]) != 108 {
			t.Fatal("the signature has not the published length")
		}
	}
	return all
}

// Signatures are checked where there is a key, and what was not checked is told.
func TestPull_signatures(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	if err != nil {
		t.Fatal(err)
	}
	good := signed(t, things("thing", "v0.10.0"), private)
	changed := maps.Clone(good)
	changed["services/s.yaml"] = append(slices.Clone(good["services/s.yaml"]), '\n')
	stripped := maps.Clone(good)
	delete(stripped, "services/s.yaml.sig")
	garbled := maps.Clone(good)
	garbled["services/s.yaml.sig"] = []byte("!")
	late := []Key{{public, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC)}}
	for name, c := range map[string]struct {
		files map[string][]byte
		keys  []Key
		want  string
	}{
		"right":                {good, keys, Verified},
		"no key":               {good, nil, NotChecked},
		"no signature, no key": {things("thing", "v0.10.0"), nil, NotSigned},
		"no signature":         {things("thing", "v0.10.0"), keys, "is not signed"},
		"one left out":         {stripped, keys, "is not signed"},
		"document changed":     {changed, keys, "the signature of services/s.yaml is wrong"},
		"unreadable":           {garbled, keys, "cannot be read"},
		"outside its time":     {good, late, "was not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			s := publish(t, map[string][]byte{"/dist/thing/v0.10.0.tgz": archive(t, "v0.10.0", c.files)})
			f := Folder{Path: t.TempDir(), Keys: c.keys}
			i, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "", nil)
			if err == nil && i.Signature != c.want || err != nil && !strings.Contains(fault.As(err).Print(), c.want) {
				t.Errorf("it gives %q, %v", i.Signature, err)
			}
			if (len(installed(f)) == 1) != (err == nil) {
				t.Errorf("installed are %v", installed(f))
			}
		})
	}
	if _, err := ParseKeys([]byte("nothing")); err == nil {
		t.Error("a file without keys is taken")
	}
}

// A lock holds to its version and to its documents.
func TestPull_locked(t *testing.T) {
	file := filepath.Join(t.TempDir(), LockName)
	f := Folder{Path: t.TempDir()}
	s := publish(t, nil)
	i, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "v0.9.0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Lock{"thing": {i.Version, i.SHA256}}).Write(file); err != nil {
		t.Fatal(err)
	}
	lock, err := ReadLock(file)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "", lock); err != nil || again != i {
		t.Errorf("the locked version gives %+v, %v", again, err)
	}
	if _, err := f.Pull(t.Context(), reach(t, s.URL), "thing", "v0.10.0", lock); err == nil {
		t.Error("another version is taken")
	}
	other := things("thing", "v0.9.0")
	other["services/s.yaml"] = append(other["services/s.yaml"], "# changed\n"...)
	s = publish(t, map[string][]byte{"/dist/thing/v0.9.0.tgz": archive(t, "v0.9.0", other)})
	_, err = f.Pull(t.Context(), reach(t, s.URL), "thing", "", lock)
	if e := fault.As(err); e == nil || !strings.Contains(e.Message, "is not what the lock file names") {
		t.Errorf("other documents give %v", err)
	}
	if l, err := ReadLock(file + ".none"); l != nil || err != nil {
		t.Errorf("a lock that is not there is %v, %v", l, err)
	}
	if err := os.WriteFile(file, []byte("providers: {thing: {version: ../x}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLock(file); err == nil {
		t.Error("a lock with a wrong version is taken")
	}
}

// A mirror is a folder, by its name or as a URL, with archives or with the
// documents themselves.
func TestPull_mirror(t *testing.T) {
	archives, sources := t.TempDir(), t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		if err := provider.WriteFile(name, data); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(archives, "dist/providers.yaml"), []byte(index))
	write(filepath.Join(archives, "dist/thing/v0.10.0.tgz"), archive(t, "v0.10.0", things("thing", "v0.10.0")))
	for name, data := range things("thing", "v0.10.0") {
		write(filepath.Join(sources, "src/thing/v0.10.0", name), data)
	}
	var sums []string
	for _, location := range []string{archives, "file://" + archives, sources} {
		f := Folder{Path: t.TempDir()}
		i, err := f.Pull(t.Context(), reach(t, location), "thing", "v0.10.0", nil)
		if err != nil || !slices.Equal(installed(f), []string{"thing@v0.10.0"}) {
			t.Errorf("%s: %v, %v", location, installed(f), err)
		}
		sums = append(sums, i.SHA256)
	}
	if len(slices.Compact(sums)) != 1 {
		t.Errorf("the checksums are %v", sums)
	}
	for _, location := range []string{"", "ftp://x/y"} {
		if _, err := Open(Options{Location: location}); err == nil {
			t.Errorf("%q is taken for a registry", location)
		}
	}
}
