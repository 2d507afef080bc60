package planeql

import "io/fs"

// WithDocuments adds the documents of providers that are not built in.
func WithDocuments(files fs.FS, providers ...string) Option {
	return func(s *settings) { s.documents = append(s.documents, documents{files, providers}) }
}
