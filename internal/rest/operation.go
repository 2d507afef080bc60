package rest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// Operation is work that a service goes on with after its answer to a write:
// all that is needed to ask for its outcome, by another process too. Its links
// and its token are capabilities: whoever has one can use it, so they are kept
// in no log and shown to nobody.
type Operation struct {
	Method   string    `json:"method"` // provider.service.resource.method
	Verb     string    `json:"verb"`   // of HTTP
	URL      string    `json:"url"`    // of the write
	Style    Style     `json:"style,omitempty"`
	Poll     string    `json:"poll,omitempty"`     // where to ask; empty: the service named no place
	Location string    `json:"location,omitempty"` // where the result may be
	Final    string    `json:"final,omitempty"`    // final-state-via of the document
	Token    string    `json:"token,omitempty"`    // names the operation where no link does
	Started  time.Time `json:"started"`
	Next     time.Time `json:"next,omitzero"`    // when to ask, as the service wishes; zero: it did not say
	Status   string    `json:"status,omitempty"` // the service's last word
}

// Style is how the answers to polls are read.
type Style string

// The styles. The first three are Azure's.
const (
	StatusStyle       Style = "status"       // a document with a status behind Azure-AsyncOperation or Operation-Location
	LocationStyle     Style = "location"     // 202 behind Location until it is over
	ResourceStyle     Style = "resource"     // the object itself: its provisioningState, or 404 after a deletion
	GoogleStyle       Style = "google"       // an object with done or status DONE, by AIP-151
	CloudControlStyle Style = "cloudcontrol" // a ProgressEvent of AWS Cloud Control
)

// CanAwait tells whether there is a place to ask for the outcome.
func (o *Operation) CanAwait() bool { return o.Poll != "" }

// operationOf reads an answer by the rules of long-running operations; nil
// means that the work is over. The documents do not tell which calls run long,
// so every answer to a write is looked at. The order of the links is the one in
// which Azure's own clients take them: Azure-AsyncOperation,
// Operation-Location, Location.
func operationOf(m *provider.Method, request transport.Request, response *transport.Response) *Operation {
	if isRead(m) || m.ReadOnly && response.Status != http.StatusAccepted {
		return nil
	}
	o := &Operation{
		Method: m.FullName(), Verb: m.HTTPMethod, URL: request.URL, Final: m.FinalStateVia,
		Started: time.Now().UTC(), Next: response.RetryAt, Status: stateOf(response.Body),
	}
	if m.Resource.Family != provider.ARM && o.foreign(request, response) {
		return o
	}
	link := firstHeader(response.Header, "Azure-AsyncOperation", "Operation-Location")
	location := response.Header.Get("Location")
	if !goesOn(m, response, o.Status) {
		return nil
	}
	o.Location = absolute(location, response.URL)
	switch {
	case link != "":
		o.Style, o.Poll = StatusStyle, absolute(link, response.URL)
	case location != "":
		o.Style, o.Poll = LocationStyle, o.Location
	case m.HTTPMethod != http.MethodPost && m.Resource.Family == provider.ARM:
		o.Style, o.Poll = ResourceStyle, request.URL
	}
	return o
}

// goesOn tells whether work goes on behind an answer. A Location on a 201 that
// names no state is the address of the finished resource.
func goesOn(m *provider.Method, response *transport.Response, state string) bool {
	running := state != "" && !terminal(state)
	switch {
	case response.Status == http.StatusAccepted:
		return true
	case firstHeader(response.Header, "Azure-AsyncOperation", "Operation-Location") != "":
		return state == "" || running
	case m.Resource.Family != provider.ARM:
		return false
	case m.HTTPMethod == http.MethodPut || m.HTTPMethod == http.MethodPatch:
		return running
	}
	return m.HTTPMethod == http.MethodPost && m.LongRunning && response.Header.Get("Location") != ""
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
// bare paths. What is no address is none.
func absolute(link, base string) string {
	if link == "" {
		return ""
	}
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
