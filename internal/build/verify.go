package build

import (
	"io/fs"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// Verify reads a built provider as a session would, and gives what would be left
// out.
func Verify(files fs.FS, name, service string) []Problem {
	p, err := provider.Open(files, name)
	if err != nil {
		return []Problem{{Where: name, What: fault.From(err).Message}}
	}
	s, err := p.Service(service)
	if err != nil {
		return []Problem{{Where: service, What: fault.From(err).Message}}
	}
	var list []Problem
	for _, err := range s.Problems() {
		f := fault.From(err)
		list = append(list, Problem{Where: f.Detail, What: f.Message})
	}
	return list
}
