package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// final gives the result of an operation that succeeded: the object as the
// service has it now. That it cannot be read is no failure of the operation.
func (w *waiting) final(ctx context.Context) (Result, error) {
	result := w.result()
	body, address := w.finalPlace()
	response := &transport.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	if address != "" {
		var err error
		response, err = w.client.send(ctx, w.method, w.client.read(w.method, address))
		w.polls++
		result = w.result()
		if err != nil {
			result.Warning = unseen(w.method, err)
			return result, nil
		}
	}
	items, err := itemsOf(w.method, response)
	if err != nil {
		result.Warning = unseen(w.method, err)
	}
	result.Items = items
	return result, nil
}

// unseen makes the warning that a result is not known.
func unseen(m *provider.Method, err error) *fault.Error {
	return fault.New(fault.ReplyInvalid, "the operation succeeded and its result could not be read").On(m.FullName()).
		WithDetail("%s", transport.RedactText(err.Error())).Because(err)
}

// finalPlace gives the result of an operation, or the address where it is, by
// the rules of Azure's guidelines: what the document says, else the object
// itself for PUT and PATCH, and for POST what Location leads to, or the
// properties of the status document.
func (w *waiting) finalPlace() (body []byte, address string) {
	o := w.operation
	switch o.Style {
	case GoogleStyle:
		return googleResult(w.last, o)
	case CloudControlStyle:
		return cloudControlResult(w.last), ""
	}
	creates := o.Verb == http.MethodPut || o.Verb == http.MethodPatch
	switch via := strings.ToLower(o.Final); {
	case o.Verb == http.MethodDelete:
		return nil, ""
	case o.Style == ResourceStyle:
		return w.last, ""
	case via == "original-uri":
		return nil, o.URL
	case via == "location" && o.Location != "" && o.Style == StatusStyle:
		return nil, o.Location
	case creates:
		return nil, o.URL
	case o.Style == LocationStyle:
		return w.last, ""
	case via == "azure-async-operation" || via == "operation-location" || o.Location == "":
		return readDocument(w.last).Properties, ""
	}
	return nil, o.Location
}

// itemsOf gives the rows of an answer to a write.
func itemsOf(m *provider.Method, response *transport.Response) ([][]byte, error) {
	if string(response.Body) == "null" {
		return nil, nil
	}
	reply, err := (&course{method: m, layout: layoutOf(m)}).read(response)
	switch {
	case err != nil:
		return nil, err
	case reply.found:
		return reply.items, nil
	case reply.whole != nil:
		return [][]byte{reply.whole}, nil
	}
	return nil, nil
}

// member gives a member of a JSON object as it is written; nil where there is
// none.
func rawMember(body []byte, name string) json.RawMessage {
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) != nil {
		return nil
	}
	return o[name]
}
