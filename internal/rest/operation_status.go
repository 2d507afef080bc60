package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/planeql/planeql/internal/transport"
)

// polled is what the answer to a poll says.
type polled struct {
	over   bool
	failed bool
	word   string // the service's own word for the state; empty where it gave none
	err    serviceError
}

// document is an answer to a poll: of an operation, or the object itself.
type document struct {
	Type       any
	Status     any
	Error      json.RawMessage
	Properties json.RawMessage

	isObject bool
}

// readDocument reads the members that tell of a state. What is not JSON tells
// nothing.
func readDocument(body []byte) (d document) {
	d.isObject = json.Unmarshal(body, &d) == nil && len(bytes.TrimSpace(body)) > 0
	return d
}

// status gives the status of an operation. An object has a type and may have a
// status of its own, which is something else.
func (d document) status() string {
	if kind, _ := d.Type.(string); kind != "" {
		return ""
	}
	word, _ := d.Status.(string)
	return word
}

// provisioning gives the provisioningState of an object.
func (d document) provisioning() string {
	var properties struct{ ProvisioningState any }
	if json.Unmarshal(d.Properties, &properties) != nil {
		return ""
	}
	word, _ := properties.ProvisioningState.(string)
	return word
}

// readPoll reads the answer to a poll, whose status is a success.
func readPoll(o *Operation, response *transport.Response) polled {
	switch o.Style {
	case GoogleStyle:
		return readGoogle(response)
	case CloudControlStyle:
		return readCloudControl(response)
	}
	d := readDocument(response.Body)
	p := polled{word: d.status()}
	if p.word == "" {
		p.word = d.provisioning()
	}
	accepted := response.Status == http.StatusAccepted
	switch {
	case p.word != "" && !terminal(p.word):
	case failedWord(p.word):
		p.over, p.failed = true, true
		p.err = parseError(response.Header.Get("Content-Type"), response.Body)
	case o.Style == ResourceStyle && o.Verb == http.MethodDelete && response.Status != http.StatusNoContent: // not gone yet
	case p.word == "" && accepted:
		p.word = "Accepted"
	case p.word == "" && o.Style == ResourceStyle && response.Status == http.StatusCreated:
	default:
		p.over = true
		if p.word == "" {
			p.word = "Succeeded"
		}
	}
	return p
}

// failedWord tells whether a state is an end without success.
func failedWord(state string) bool {
	switch strings.ToLower(state) {
	case "failed", "canceled", "cancelled":
		return true
	}
	return false
}
