package rest

import (
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// Preview is a request as a person is shown it: exact but for the secrets,
// which are masked, and the endpoint applied.
type Preview struct {
	Method string
	URL    string
	Body   []byte // nil: none
}

// Preview gives the request that a call would send, and sends nothing.
func (c *Client) Preview(call provider.Call) (Preview, error) {
	r, err := c.Request(call)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Method: r.Method, URL: transport.RedactURL(r.URL)}
	if r.Body != nil {
		p.Body = transport.RedactJSON(r.Body)
	}
	return p, nil
}

// Address gives the method and the URL of a call for people, secrets masked.
func (c *Client) Address(call provider.Call) (verb, address string, err error) {
	r, err := c.Request(call)
	return r.Method, transport.RedactURL(r.URL), err
}
