package rest

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// operation is what an answer says of work that goes on at the service.
type operation struct {
	accepted bool
	link     string
	state    string
}

// operationOf reads an answer by the rules of Azure's long-running operations.
// The documents do not tell which calls run long, so every answer to a write
// is looked at. The order of the links is the one in which Azure's own clients
// take them: Azure-AsyncOperation, Operation-Location, Location. A Location on
// a 201 that names no state is the address of the finished resource.
func operationOf(m *provider.Method, request transport.Request, response *transport.Response) operation {
	o := operation{state: stateOf(response.Body)}
	if isRead(m) || m.ReadOnly && response.Status != http.StatusAccepted {
		return o
	}
	link := firstHeader(response.Header, "Azure-AsyncOperation", "Operation-Location")
	location := response.Header.Get("Location")
	running := o.state != "" && !terminal(o.state)
	own := m.HTTPMethod != http.MethodPost
	switch {
	case response.Status == http.StatusAccepted:
		o.accepted = true
		if link == "" {
			link = location
		}
		if link == "" && own {
			link = request.URL
		}
	case link != "":
		o.accepted = o.state == "" || running
	case running && m.Resource.Family == provider.ARM && own && m.HTTPMethod != http.MethodDelete:
		o.accepted = true
		if link = location; link == "" {
			link = request.URL
		}
	}
	if o.accepted && link != "" {
		o.link = absolute(link, response.URL)
	}
	return o
}

// firstHeader gives the first header that is there.
func firstHeader(h http.Header, names ...string) string {
	for _, name := range names {
		if value := h.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// absolute makes the address of an operation whole: Azure Virtual Desktop gives
// bare paths.
func absolute(link, base string) string {
	u, err := resolve(link, base)
	if err != nil {
		return ""
	}
	return u.String()
}

// stateOf finds the state of a resource, or of the status document of an
// operation, in an answer.
func stateOf(body []byte) string {
	var answer struct {
		Status     any
		Properties struct{ ProvisioningState any }
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	if state, ok := answer.Properties.ProvisioningState.(string); ok {
		return state
	}
	state, _ := answer.Status.(string)
	return state
}

// terminal tells whether a state is an end. Unknown words mean that the work
// goes on.
func terminal(state string) bool {
	switch strings.ToLower(state) {
	case "succeeded", "failed", "canceled", "cancelled", "completed":
		return true
	}
	return false
}
