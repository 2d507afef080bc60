package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// TestParseError has an error answer of each form that services were seen to give.
func TestParseError(t *testing.T) {
	for name, test := range map[string]struct {
		kind, body    string
		code, message string
		details       []string
	}{
		"envelope":       {"", `{"error":{"code":"NotFound","message":"no"}}`, "NotFound", "no", nil},
		"no envelope":    {"", `{"code":"Conflict","message":"busy"}`, "Conflict", "busy", nil},
		"capitals":       {"", `{"Error":{"Code":"X","Message":"y"}}`, "X", "y", nil},
		"numeric text":   {"", `{"error":{"code":"404","message":"ActivityId: g Error: none"}}`, "404", "ActivityId: g Error: none", nil},
		"number":         {"", `{"error":{"code":404,"message":"m"}}`, "404", "m", nil},
		"plain text":     {"text/plain", "slow down, retry after '10:00' UTC\r\n", "", "slow down, retry after '10:00' UTC", nil},
		"empty":          {"", "", "", "", nil},
		"blank":          {"", " \n", "", "", nil},
		"xml":            {"application/xml", `<?xml version="1.0"?><Error><Code>ResourceNotFound</Code><Message>gone</Message></Error>`, "ResourceNotFound", "gone", nil},
		"xml of another": {"", `<ErrorResponse xmlns="x"><Error><Type>S</Type><Code>A</Code><Message>b</Message></Error></ErrorResponse>`, "A", "b", nil},
		"html":           {"text/html", "<html><head><TITLE> Sign \n in </TITLE></head>", "", "a page for people: Sign in", nil},
		"html untitled":  {"", "<!DOCTYPE html><p>hello", "", `a page for people: "<!DOCTYPE html><p>hello"`, nil},
		"odata":          {"", `{"odata.error":{"code":"R","message":{"lang":"en","value":"bad"}}}`, "R", "bad", nil},
		"oauth":          {"", `{"error":"invalid_grant","error_description":"AADSTS1: no"}`, "invalid_grant", "AADSTS1: no", nil},
		"problem":        {"application/problem+json", `{"type":"about:x","title":"T","status":400,"detail":"D"}`, "about:x", "D", nil},
		"errors":         {"", `{"errors":[{"code":"1","message":"a"},{"code":"2","message":"b"}]}`, "1", "a", []string{"2: b"}},
		"array":          {"", `[{"code":"1","message":"a"}]`, "1", "a", nil},
		"json text":      {"", `"just words"`, "", "just words", nil},
		"unknown object": {"", `{"oops":1}`, "", `{"oops":1}`, nil},
		"null envelope":  {"", `{"error":null,"message":"m"}`, "", "m", nil},
		"byte order":     {"", "\xef\xbb\xbf{\"error\":{\"code\":\"A\",\"message\":\"b\"}}", "A", "b", nil},
		"details": {"", `{"error":{"code":"Bad","message":"m","target":"t","details":[{"code":"A","message":"a","target":"x"},{"code":"B","message":"b","details":[{"message":"c"}]}]}}`,
			"Bad", "m", []string{"A: a (x)", "B: b", "c"}},
		"same detail":   {"", `{"error":{"code":"B","message":"m","details":[{"code":"B","message":"m"}]}}`, "B", "m", nil},
		"policy":        {"", `{"error":{"code":"RequestDisallowedByPolicy","message":"m","additionalInfo":[{"type":"PolicyViolation","info":{"name":"p","token":"S3CR3T"}}]}}`, "RequestDisallowedByPolicy", "m", []string{`PolicyViolation: {"name":"p","token":"***"}`}},
		"inner":         {"", `{"error":{"code":"A","message":"m","innererror":{"code":"B","innererror":{"code":"C"}}}}`, "A", "m", []string{"B", "C"}},
		"secret":        {"", `{"error":{"code":"A","message":"key AccountKey=S3CR3T; no"}}`, "A", "key AccountKey=***; no", nil},
		"terminal code": {"", `{"error":{"code":"A","message":"\u001b[31mred\u0007"}}`, "A", "[31mred", nil},
		"cut json":      {"application/json", `{"error":{"code":"A"`, "", `{"error":{"code":"A"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := parseError(test.kind, []byte(test.body))
			if e.Code != test.code || e.Message != test.message || !slices.Equal(e.Details, test.details) {
				t.Errorf("code %q, message %q, details %q\nwant %q, %q, %q", e.Code, e.Message, e.Details, test.code, test.message, test.details)
			}
		})
	}
}

// FuzzErrorBody holds that any answer gives words that can be printed.
func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"code":"A","message":"b","details":[{"details":[{}]}]}}`, `<Error><Code>A</Code>`, `<html>`, `[[[[]]]]`, "\x00\xff", `"x"`,
	} {
		f.Add("application/json", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		e := parseError(kind, body)
		for _, text := range append([]string{e.Code, e.Message}, e.Details...) {
			if !utf8.ValidString(text) || len(text) > longestMessage+8 || strings.ContainsAny(text, "\x00\x1b\r") {
				t.Fatalf("%q gives %q", body, text)
			}
		}
		f := refusal(listMethod(), transport.Request{Method: "GET", URL: "https://h/x"},
			&transport.Response{Status: 400, Header: http.Header{"Content-Type": {kind}}, Body: body})
		if f.Code != fault.Rejected || f.Print() == "" {
			t.Fatalf("%q gives %s", body, f.Print())
		}
	})
}

// TestRefusal has the fault and the advice for statuses and codes.
func TestRefusal(t *testing.T) {
	get, del, post, patch := poolMethod("get", "GET"), poolMethod("delete", "DELETE"), poolMethod("send", "POST"), poolMethod("update", "PATCH")
	reading := poolMethod("list_keys", "POST")
	reading.ReadOnly = true
	for name, test := range map[string]struct {
		method *provider.Method
		status int
		code   string // of the service
		text   string
		want   fault.Code
		says   string
	}{
		"400":              {get, 400, "BadRequest", "m", fault.Rejected, "status 400 Bad Request"},
		"401":              {get, 401, "ExpiredAuthenticationToken", "m", fault.Unauthenticated, "planeql auth check azure"},
		"401 tenant":       {get, 401, "InvalidAuthenticationTokenTenant", "m", fault.Unauthenticated, "tenant=ID"},
		"403":              {get, 403, "X", "m", fault.Forbidden, "role"},
		"403 role":         {get, 403, "AuthorizationFailed", "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.X/y/read' over scope '/subscriptions/s' or the scope is invalid.", fault.Forbidden, "Microsoft.X/y/read is needed at /subscriptions/s"},
		"404":              {get, 404, "ResourceNotFound", "m", fault.NotFound, "status: 404 ResourceNotFound"},
		"404 subscription": {get, 404, "SubscriptionNotFound", "m", fault.NotFound, "may see nothing of it"},
		"404 type":         {get, 404, "InvalidResourceType", "m", fault.NotFound, "clouds other than the public one"},
		"405":              {get, 405, "", "", fault.Rejected, "405 Method Not Allowed"},
		"409":              {del, 409, "ScopeLocked", "m", fault.Rejected, "a lock protects this"},
		"409 busy":         {del, 409, "AnotherOperationInProgress", "m", fault.Rejected, "another operation"},
		"409 unregistered": {post, 409, "MissingSubscriptionRegistration", "The subscription is not registered to use namespace 'Microsoft.Foo'.", fault.Rejected,
			"EXEC azure.resources.providers.register @resourceProviderNamespace='Microsoft.Foo', @subscriptionId='" + sub + "'"},
		"409 unregistered without a name": {post, 409, "SubscriptionNotRegistered", "no", fault.Rejected, "@resourceProviderNamespace='Microsoft.DesktopVirtualization'"},
		"400 version":                     {get, 400, "NoRegisteredProviderFound", "No registered resource provider found for location 'x' and API version '2099-01-01' for type 'y'. The supported api-versions are '2023-01-01, 2024-04-03, 2022-02-02-preview'.", fault.Rejected, "/*+ API_VERSION('2024-04-03') */"},
		"412":                             {patch, 412, "PreconditionFailed", "m", fault.Rejected, "read it again"},
		"422":                             {get, 422, "UnprocessableEntity", "m", fault.Rejected, "422"},
		"418":                             {get, 418, "", "", fault.Rejected, "418"},
		"302":                             {get, 302, "", "", fault.ReplyInvalid, "elsewhere"},
		"429":                             {get, 429, "SubscriptionRequestsThrottled", "m", fault.Throttled, "throttles"},
		"500":                             {get, 500, "InternalServerError", "m", fault.ServiceFailed, "request id"},
		"501":                             {post, 501, "", "", fault.ServiceFailed, "501"},
		"504 of a write":                  {post, 504, "GatewayTimeout", "m", fault.OutcomeUnknown, "look whether it happened"},
		"500 of a change":                 {patch, 500, "", "", fault.OutcomeUnknown, "outcome is unknown"},
		"503 of a delete":                 {del, 503, "", "", fault.OutcomeUnknown, "503"},
		"504 of a reading":                {reading, 504, "", "", fault.ServiceFailed, "504"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := roundTrip(func(*http.Request) (*http.Response, error) {
					return answer(test.status, envelope(test.code, test.text), "x-ms-request-id", "req-1", "Location", "https://else.example/"), nil
				})
				_, err := New(transport.New(transport.Options{Base: base}), Options{}).Do(t.Context(), poolCall(test.method))
				checkFault(t, err, test.want, test.says)
				f := fault.As(err)
				if f.HTTP.Code != test.code || f.HTTP.Message != test.text || f.HTTP.Status != test.status || f.HTTP.RequestID != "req-1" {
					t.Errorf("%+v", f.HTTP)
				}
			})
		})
	}
}

func envelope(code, message string) string {
	if code == "" {
		return ""
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
	return string(body)
}

// TestRefusal_throttledBeyondPatience says when it will go on.
func TestRefusal_throttledBeyondPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := roundTrip(func(*http.Request) (*http.Response, error) {
			return answer(429, "", "Retry-After", "372"), nil
		})
		_, err := New(transport.New(transport.Options{Base: base}), Options{}).Do(t.Context(), poolCall(poolMethod("get", "GET")))
		checkFault(t, err, fault.Throttled, "2000-01-01T00:06:12Z (in 6m12s)")
		checkFault(t, err, fault.Throttled, "longer than the 5m0s that is waited")
	})
}

// TestPages_retryAfter holds that the next try of a throttled page is not
// before the time the service gave.
func TestPages_retryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var times []time.Duration
		base := roundTrip(func(*http.Request) (*http.Response, error) {
			times = append(times, time.Since(start))
			if len(times) == 2 {
				return answer(429, "", "Retry-After", "5"), nil
			}
			return answer(200, fmt.Sprintf(`{"value":[%d],"nextLink":"%s"}`, len(times), map[bool]string{true: "/p2"}[len(times) == 1])), nil
		})
		c := New(transport.New(transport.Options{Base: base}), Options{})
		items, pages, err := collect(t, c, listCall())
		if err != nil || len(items) != 2 || pages != 2 || len(times) != 3 {
			t.Fatalf("%q in %d pages by %d calls, %v", items, pages, len(times), err)
		}
		if waited := times[2] - times[1]; waited < 5*time.Second || waited > 6*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestIsItemMissing(t *testing.T) {
	get, list := poolMethod("get", "GET"), listMethod()
	for name, test := range map[string]struct {
		method      *provider.Method
		body        string
		item, scope bool
	}{
		"resource":       {get, `{"error":{"code":"ResourceNotFound","message":"m"}}`, true, true},
		"not found":      {get, `{"error":{"code":"NotFound"}}`, true, true},
		"of AVD":         {get, `{"error":{"code":"404","message":"m"}}`, true, true},
		"own code":       {get, `{"error":{"code":"HostPoolNotFound"}}`, true, true},
		"empty":          {get, ``, true, true},
		"subscription":   {get, `{"error":{"code":"SubscriptionNotFound"}}`, false, true},
		"group":          {get, `{"error":{"code":"ResourceGroupNotFound"}}`, false, true},
		"parent":         {get, `{"error":{"code":"ParentResourceNotFound"}}`, false, true},
		"type":           {get, `{"error":{"code":"InvalidResourceType"}}`, false, false},
		"namespace":      {get, `{"error":{"code":"InvalidResourceNamespace"}}`, false, false},
		"page":           {get, `<html><title>404</title>`, false, false},
		"list of parent": {list, `{"error":{"code":"ResourceNotFound"}}`, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			call := provider.Call{Method: test.method}
			f := refusal(test.method, transport.Request{Method: "GET", URL: "https://h/x"},
				&transport.Response{Status: 404, Body: []byte(test.body), Header: http.Header{}})
			wrapped := fmt.Errorf("outer: %w", f)
			if IsItemMissing(wrapped, call) != test.item || IsScopeMissing(wrapped) != test.scope {
				t.Errorf("item %v, scope %v, want %v, %v", IsItemMissing(wrapped, call), IsScopeMissing(wrapped), test.item, test.scope)
			}
		})
	}
	if IsItemMissing(context.Canceled, provider.Call{Method: get}) || IsItemMissing(nil, provider.Call{Method: get}) || IsScopeMissing(nil) {
		t.Error("other errors are taken for a missing item")
	}
	if IsItemMissing(fault.New(fault.NotFound, "x"), provider.Call{Method: get}) {
		t.Error("a fault without a call is taken for a missing item")
	}
}
