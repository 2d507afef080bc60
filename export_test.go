package planeql

import (
	"io/fs"

	"github.com/planeql/planeql/internal/transport"
)

// WithDocuments adds the documents of providers that are not built in.
func WithDocuments(files fs.FS, providers ...string) Option {
	return func(s *settings) { s.documents = append(s.documents, documents{files, providers}) }
}

// WithTransport changes how requests are sent, such as to a service inside the
// process.
func WithTransport(change func(*transport.Options)) Option {
	return func(s *settings) { s.transport = change }
}
