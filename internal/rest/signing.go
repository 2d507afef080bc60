package rest

import (
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// regionVariable is the variable of a server's URL that AWS's signatures name.
const regionVariable = "region"

// sign says of a request what its credential depends on.
func sign(r *transport.Request, call provider.Call) {
	m := call.Method
	r.Authorize, r.Home, r.Service = true, m.Home(), m.Resource.SigningName
	if p, ok := m.Parameter(regionVariable); ok && p.In == provider.InServer {
		r.Region = p.Schema.Default
		if value, given := argument(call, regionVariable); given {
			r.Region = value
		}
	}
}
