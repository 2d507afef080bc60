package planeql_test

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
)

// published unpacks from an archive of provider documents the files below some
// folders.
func published(t testing.TB, archive string, folders ...string) fs.FS {
	t.Helper()
	file, err := os.Open(shared(t, "providers", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := zstd.NewReader(file, zstd.WithDecoderMaxWindow(1<<27), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	files := fstest.MapFS{}
	archived := tar.NewReader(plain)
	for {
		header, err := archived.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(header.Name, "./")
		for _, folder := range folders {
			if header.Typeflag == tar.TypeReg && strings.HasPrefix(name, folder+"/") {
				data, err := io.ReadAll(archived)
				if err != nil {
					t.Fatal(err)
				}
				files[name] = &fstest.MapFile{Data: data}
			}
		}
	}
}
