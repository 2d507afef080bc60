package plan

import (
	"slices"

	"github.com/planeql/planeql/internal/provider"
)

// Deleter gives the method that deletes what a write makes; nil: there is none.
func (w *Write) Deleter() *provider.Method {
	list := w.Method.Resource.Verbs[provider.Delete]
	at := slices.IndexFunc(list, func(m *provider.Method) bool { return samePath(m.Path, w.Method.Path) })
	if at < 0 {
		return nil
	}
	return list[at]
}
