package armsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	disabled := &Scenario{Subscriptions: []Subscription{
		{ID: TestSubscription, Name: "Off", State: "Disabled", Groups: []Group{{Name: "g"}}},
	}}
	off := "/subscriptions/" + TestSubscription + "/resourceGroups/g/providers/Microsoft.DesktopVirtualization/workspaces/w?" + version
	pools := avdPath + "/hostPools/"
	cases := []struct {
		name, method, target, body string
		status                     int
		code                       string
		opts                       []Option
	}{
		{"no version", "GET", "/subscriptions", "", 400, "MissingApiVersionParameter", nil},
		{"no date", "GET", "/subscriptions?api-version=latest", "", 400, "InvalidApiVersionParameter", nil},
		{"no such date", "GET", "/subscriptions?api-version=2024-13-01", "", 400, "InvalidApiVersionParameter", nil},
		{"version of nobody", "GET", "/subscriptions?api-version=1999-01-01", "", 400, "InvalidApiVersionParameter", nil},
		{"version of no type", "GET", pools + "hp-office?api-version=1999-01-01", "", 400, "NoRegisteredProviderFound", nil},
		{"further version", "GET", pools + "hp-office?api-version=2027-01-01-preview", "", 200, "", []Option{WithAPIVersions("2027-01-01-preview")}},
		{"known version", "GET", pools + "hp-office?API-VERSION=2025-10-10", "", 200, "", nil},
		{"no GUID", "GET", "/subscriptions/prod/resourcegroups?api-version=2021-04-01", "", 400, "InvalidSubscriptionId", nil},
		{"no subscription", "GET", "/subscriptions/" + DefaultTenant + "/resourcegroups?api-version=2021-04-01", "", 404, "SubscriptionNotFound", nil},
		{"no group", "GET", production + "/resourceGroups/none/providers/Microsoft.DesktopVirtualization/hostPools?" + version, "", 404, "ResourceGroupNotFound", nil},
		{"no group itself", "GET", production + "/resourceGroups/none?api-version=2021-04-01", "", 404, "ResourceGroupNotFound", nil},
		{"no pool", "GET", pools + "none?" + version, "", 404, "ResourceNotFound", nil},
		{"list below no pool", "GET", pools + "none/sessionHosts?" + version, "", 404, "ResourceNotFound", nil},
		{"list below no host", "GET", pools + "hp-office/sessionHosts/none/userSessions?" + version, "", 404, "404", nil},
		{"put below no pool", "PUT", pools + "none/msixPackages/p?" + version, "{}", 404, "ParentResourceNotFound", nil},
		{"no session", "GET", officeHost + "/userSessions/999?" + version, "", 404, "404", nil},
		{"unknown type", "GET", avdPath + "/hostPool/hp-office?" + version, "", 404, "InvalidResourceType", nil},
		{"unknown namespace", "GET", westEurope + "/providers/Microsoft.Nothing/things?" + version, "", 404, "InvalidResourceNamespace", nil},
		{"unknown path", "GET", "/nothing/at/all?" + version, "", 404, "NotFound", nil},
		{"wrong method", "PUT", officeHost + "?" + version, "{}", 405, "MethodNotAllowed", nil},
		{"bad escape", "GET", avdPath + "/hostPools/a%2Fb?" + version, "", 400, "InvalidResourceName", nil},
		{"denied", "GET", officePool + "?" + version, "", 403, "AuthorizationFailed", []Option{WithFaults(Faults{Deny: []string{strings.ToUpper(ProductionSubscription)}})}},
		{"disabled", "PUT", off, `{"location":"x"}`, 409, "ReadOnlyDisabledSubscription", []Option{WithScenario(disabled)}},
		{"disabled for reading", "GET", off, "", 404, "ResourceNotFound", []Option{WithScenario(disabled)}},
		{"no body", "PUT", pools + "new?" + version, "", 400, "InvalidRequestContent", nil},
		{"no JSON", "PUT", pools + "new?" + version, "{", 400, "InvalidRequestContent", nil},
		{"a list", "PUT", pools + "new?" + version, "[]", 400, "InvalidRequestContent", nil},
		{"null", "PATCH", officePool + "?" + version, "null", 400, "InvalidRequestContent", nil},
		{"two values", "PUT", pools + "new?" + version, "{} {}", 400, "InvalidRequestContent", nil},
		{"no location", "PUT", pools + "new?" + version, `{"properties":{}}`, 400, "LocationRequired", nil},
		{"no properties", "PUT", pools + "new?" + version, `{"location":"x"}`, 400, "InvalidRequestContent", nil},
		{"wrong type", "PATCH", officePool + "?" + version, `{"properties":{"maxSessionLimit":"five"}}`, 400, "InvalidRequestContent", nil},
		{"broken number", "PATCH", officePool + "?" + version, `{"properties":{"maxSessionLimit":1.5}}`, 400, "InvalidRequestContent", nil},
		{"wrong shape", "PATCH", officePool + "?" + version, `{"properties":[]}`, 400, "InvalidRequestContent", nil},
		{"closed enumeration", "PATCH", officePool + "?" + version, `{"properties":{"loadBalancerType":"Random"}}`, 400, "InvalidRequestContent", nil},
		{"open enumeration", "PATCH", officePool + "?api-version=2025-10-10", `{"properties":{"loadBalancerType":"MultiplePersistent"}}`, 200, "", nil},
		{"bad skip token", "GET", officePool + "/userSessions?$skiptoken=abc&" + version, "", 400, "InvalidSkipToken", nil},
		{"bad filter", "GET", officePool + "/userSessions?$filter=age+gt+5&" + version, "", 400, "400", nil},
		{"too large", "PUT", pools + "new?" + version, strings.Repeat(" ", largestBody+1), 413, "RequestContentTooLarge", nil},
		{"short registration", "PATCH", officePool + "?" + version, `{"properties":{"registrationInfo":{"expirationTime":"2026-03-11T09:40:00Z","registrationTokenOperation":"Update"}}}`, 400, "400", nil},
		{"pool of no group", "PUT", avdPath + "/applicationGroups/a?" + version, `{"location":"x","properties":{"applicationGroupType":"Desktop","hostPoolArmPath":"/none"}}`, 400, "400", nil},
		{"workspace of no group", "PATCH", avdPath + "/workspaces/ws-avd-prod-weu?" + version, `{"properties":{"applicationGroupReferences":["/none"]}}`, 400, "400", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := ask(t, newSim(t, c.opts...), c.method, c.target, c.body).want(t, c.status)
			if c.code != "" && a.code(t) != c.code {
				t.Errorf("code %s in %s", a.code(t), a.text)
			}
			if a.Header.Get("Content-Type") != jsonType || a.Header.Get("X-Ms-Request-Id") == "" {
				t.Errorf("headers %v", a.Header)
			}
		})
	}
}

func TestPreconditions(t *testing.T) {
	s := newSim(t)
	body := `{"location":"westeurope"}`
	target := avdPath + "/workspaces/new?" + version
	ask(t, s, http.MethodPut, target, body, "If-Match", "*").want(t, http.StatusPreconditionFailed)
	ask(t, s, http.MethodPut, target, body, "If-None-Match", "*").want(t, http.StatusCreated)
	ask(t, s, http.MethodPut, target, body, "If-None-Match", "*").want(t, http.StatusPreconditionFailed)
	ask(t, s, http.MethodPut, target, body, "If-Match", "*").want(t, http.StatusOK)
}

func TestTokens(t *testing.T) {
	judge := func(token string) TokenState {
		switch token {
		case "old":
			return TokenExpired
		case "bad":
			return TokenInvalid
		case "other":
			return TokenOtherTenant
		}
		return TokenAccepted
	}
	s := newSim(t, WithToken(judge))
	for header, want := range map[string]string{
		"": "AuthenticationFailed", "Basic x": "AuthenticationFailedInvalidHeader", "Bearer ": "AuthenticationFailedInvalidHeader",
		"Bearer old": "ExpiredAuthenticationToken", "Bearer bad": "InvalidAuthenticationToken",
		"Bearer other": "InvalidAuthenticationTokenTenant", "bearer good": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/subscriptions?api-version=2022-12-01", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if want == "" {
			if w.Code != http.StatusOK {
				t.Errorf("%q: %d", header, w.Code)
			}
			continue
		}
		challenge := w.Header().Get("WWW-Authenticate")
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), want) || !strings.Contains(challenge, DefaultTenant) {
			t.Errorf("%q: %d %s, %s", header, w.Code, w.Body, challenge)
		}
	}
	open := newSim(t, WithoutAuth())
	w := httptest.NewRecorder()
	open.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/subscriptions?api-version=2022-12-01", nil))
	if w.Code != http.StatusOK {
		t.Errorf("without auth: %d", w.Code)
	}
}

func TestHeaders(t *testing.T) {
	s := newSim(t)
	client, correlation := "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-8999-aaaaaaaaaaaa"
	a := ask(t, s, http.MethodGet, officePool+"/sessionHosts?"+version, "", "x-ms-client-request-id", client,
		"x-ms-return-client-request-id", "true", "x-ms-correlation-request-id", correlation)
	for name, want := range map[string]string{
		"X-Ms-Request-Id": client, "X-Ms-Client-Request-Id": client, "X-Ms-Correlation-Request-Id": correlation,
		"X-Ms-Routing-Request-Id":                            "WESTEUROPE:20260311T093000Z:" + correlation,
		"X-Ms-Ratelimit-Remaining-Subscription-Reads":        "249",
		"X-Ms-Ratelimit-Remaining-Subscription-Global-Reads": "3749",
		"X-Rate-Limit-Limit":                                 "5m",
		"X-Rate-Limit-Reset":                                 "2026-03-11T09:35:00Z",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	b := ask(t, s, http.MethodPost, officePool+"/listRegistrationTokens?"+version, "")
	if b.Header.Get("X-Ms-Ratelimit-Remaining-Subscription-Writes") != "199" || b.Header.Get("X-Rate-Limit-Remaining") != "9223372036854775807" {
		t.Errorf("a POST counts as a write: %v", b.Header)
	}
}

func TestRequestsAreKept(t *testing.T) {
	s := newSim(t)
	ask(t, s, http.MethodPatch, officeHost+"?"+version+"&force=true", `{"properties":{"allowNewSession":false}}`, "X-Ms-Client-Request-Id", "me")
	ask(t, s, http.MethodGet, "/nothing?a=1", "")
	list := s.Requests()
	if len(list) != 2 {
		t.Fatalf("%d requests", len(list))
	}
	r := list[0]
	if r.Method != "PATCH" || r.Path != officeHost || r.Query.Get("force") != "true" || r.Status != 200 ||
		string(r.Body) != `{"properties":{"allowNewSession":false}}` || r.Header.Get("X-Ms-Client-Request-Id") != "me" || !r.At.Equal(fixed()) {
		t.Errorf("request %+v", r)
	}
	if r.Header.Get("Authorization") != "" || list[1].Status != 400 || list[1].RawQuery != "a=1" {
		t.Errorf("requests %+v", list)
	}
	s.ResetRequests()
	if len(s.Requests()) != 0 {
		t.Error("requests are left")
	}
}
