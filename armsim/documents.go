package armsim

import (
	"io/fs"
	"sync"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

// builtIn is the router of the embedded documents. It is the same for every
// simulator and is not changed, so a program that starts many simulators, as a
// test does, reads the documents once.
var builtIn = sync.OnceValues(func() (*router, error) { return readRoutes(providers.FS, "azure") })

// loadRoutes gives the router of the documents that the settings name.
func loadRoutes(set settings) (*router, error) {
	if set.documents == nil {
		return builtIn()
	}
	return readRoutes(set.documents, set.provider)
}

// readRoutes reads all services of a provider, since any of them may be asked
// for.
func readRoutes(files fs.FS, name string) (*router, error) {
	p, err := provider.Open(files, name)
	if err != nil {
		return nil, err
	}
	var methods []*provider.Method
	for _, info := range p.Services {
		service, err := p.Service(info.Name)
		if err != nil {
			return nil, err
		}
		// A method that the document gets wrong would be a path that the simulator
		// does not know, in silence.
		if problems := service.Problems(); len(problems) > 0 {
			return nil, problems[0]
		}
		for _, r := range service.Resources() {
			methods = append(methods, r.Methods...)
		}
	}
	return newRouter(methods), nil
}
