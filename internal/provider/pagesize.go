package provider

import (
	"slices"
	"strconv"

	"github.com/planeql/planeql/internal/openapi"
)

// pageSize reads config.queryParamPushdown.top of the nearest level that has the
// block. It counts only for methods that declare the parameter: documents state
// it for all of a service. Where they name no parameter, but OData as a whole, it
// says nothing of what the one list takes: not every list of such a service has a
// $top, and some refuse it.
func (l *loader) pageSize(m *Method, n, r *openapi.Node) *PageSize {
	block := nearest(l.levels(n, r), "queryParamPushdown")
	top := block.At("top")
	if top.Missing() {
		return nil
	}
	name := top.At("paramName").Text()
	i := slices.IndexFunc(m.Parameters, func(p Parameter) bool { return p.Name == name && p.In == InQuery })
	if i < 0 || m.hasConstant(name) {
		return nil
	}
	size := &PageSize{Parameter: name, Most: number(top.At("maxValue").Text())}
	if s := m.Parameters[i].Schema; s != nil {
		size.Usual = number(s.Default)
	}
	return size
}

// number gives a whole number above 0, or 0.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
