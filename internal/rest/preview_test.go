package rest

import (
	"strings"
	"testing"
)

// TestPreview shows a request with its secrets masked and sends nothing.
func TestPreview(t *testing.T) {
	call := poolCall(poolMethod("create", "PUT"))
	call.Body = []byte(`{"properties": {"registrationInfo": {"token": "S3CR3T"}, "ring": 1}}`)
	p, err := direct().Preview(call)
	if err != nil || p.Method != "PUT" || !strings.HasPrefix(p.URL, "https://management.azure.com/subscriptions/") ||
		string(p.Body) != `{"properties":{"registrationInfo":{"token":"***"},"ring":1}}` {
		t.Errorf("%+v, %v", p, err)
	}
	call.Body = nil
	if p, err = direct().Preview(call); err != nil || p.Body != nil {
		t.Errorf("%+v, %v", p, err)
	}
	call.Arguments = nil
	if _, err = direct().Preview(call); err == nil {
		t.Error("a call without its arguments is shown")
	}
}
