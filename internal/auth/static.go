package auth

import (
	"context"
	"net/http"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/transport"
)

// Anonymous signs nothing: calls go without a credential.
type Anonymous struct{ Provider string }

// Authorize leaves the request as it is.
func (Anonymous) Authorize(context.Context, *http.Request, transport.Signing) error { return nil }

// Check reports that there is nothing to check.
func (a Anonymous) Check(context.Context) (Report, error) {
	return Report{Provider: a.Provider, Kind: None, Credential: "none"}, nil
}

// refusing stands for a way to sign in that the documents suggest and that cannot
// be: the provider's calls fail, the others' do not.
type refusing struct {
	provider string
	problem  error
}

// Authorize says why there is no credential.
func (r refusing) Authorize(context.Context, *http.Request, transport.Signing) error {
	f := fault.From(r.problem)
	return fault.New(fault.NoCredential, "the documents of %s suggest a way to sign in that does not work", r.provider).
		WithDetail("%s", f.Message).WithHint("name another: --auth %s=bearer,env=NAME", r.provider).Because(r.problem)
}

// Check says the same.
func (r refusing) Check(ctx context.Context) (Report, error) {
	return Report{Provider: r.provider}, r.Authorize(ctx, nil, transport.Signing{})
}
