package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// kept are the endings of the files of a provider.
var kept = []string{".yaml", ".yml", ".json", ".sig"}

// unpack reads an archive of one version: <version>/provider.yaml and what is
// beside and below it. It refuses everything that documents have no need of.
func unpack(archive []byte, version string) (map[string][]byte, error) {
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, damaged(err)
	}
	files, total := map[string][]byte{}, int64(0)
	entries := tar.NewReader(io.LimitReader(plain, maxUnpacked))
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, damaged(err)
		}
		name, err := entryName(header, version)
		if err != nil {
			return nil, err
		}
		if name == "" {
			continue
		}
		data, err := read(entries, header.Name, openapi.MaxSize)
		if err != nil {
			return nil, damaged(err)
		}
		files[name] = data
		if total += int64(len(data)); total > maxUnpacked || len(files) > maxFiles {
			return nil, fault.New(fault.LimitReached, "the archive has more than %d files or %d MB", maxFiles, maxUnpacked>>20)
		}
	}
	// What follows the last entry holds the checksum of the whole.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, damaged(err)
	}
	if files["provider.yaml"] == nil {
		return nil, fault.New(fault.DocumentInvalid, "the archive has no %s/provider.yaml", version)
	}
	return files, nil
}

// damaged makes the error for an archive that cannot be read to its end.
func damaged(err error) error {
	if e := fault.As(err); e != nil {
		return e
	}
	return fault.New(fault.DocumentInvalid, "the archive is damaged or cut short").WithDetail("%s", err.Error()).
		WithHint("nothing was installed; run it again, or fetch it from another registry").Because(err)
}

// entryName gives the path of an entry in the folder of the version; "" for one
// that is left out, such as a folder.
func entryName(header *tar.Header, version string) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(header.Name, "./"), "/")
	if header.Typeflag == tar.TypeXGlobalHeader || name == "" || name == "." {
		return "", nil
	}
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") {
		return "", fault.New(fault.DocumentInvalid, "the archive has a file outside its folder: %q", header.Name).
			WithHint("nothing was installed; the archive is not to be trusted")
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return "", nil
	case tar.TypeReg:
	default:
		return "", fault.New(fault.DocumentInvalid, "the archive has something that is no file: %q", header.Name).
			WithHint("nothing was installed; the archive is not to be trusted")
	}
	inside, ok := strings.CutPrefix(name, version+"/")
	if !ok {
		return "", fault.New(fault.DocumentInvalid, "the archive of %s has the file %q", version, header.Name)
	}
	if !slices.Contains(kept, path.Ext(inside)) {
		return "", nil
	}
	return inside, nil
}

// collect reads the files of a version that lie in a folder.
func collect(folder fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "compiled" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(kept, path.Ext(name)) || name == manifestName:
			return nil
		}
		info, err := fs.Stat(folder, name)
		if err != nil {
			return err
		}
		if info.Size() > openapi.MaxSize {
			return openapi.TooLarge(name, info.Size())
		}
		data, err := fs.ReadFile(folder, name)
		files[name] = data
		return err
	})
	if e := fault.As(err); e != nil {
		return nil, e
	}
	if err != nil {
		return nil, fault.New(fault.DocumentMissing, "the documents cannot be read").WithDetail("%s", err.Error()).Because(err)
	}
	return files, nil
}
