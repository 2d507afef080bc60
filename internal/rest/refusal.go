package rest

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transport"
)

// refusal makes the fault of an answer whose status is no success.
func refusal(m *provider.Method, r transport.Request, response *transport.Response) *fault.Error {
	e := errorOf(response)
	f := judge(m, r, response, meaning(m, response, e))
	f.HTTP = httpOf(r, response)
	f.HTTP.Code, f.HTTP.Message = e.Code, e.Message
	if f.HTTP.RequestID == "" {
		f.HTTP.RequestID = clean(e.ID, 200)
	}
	if e.html && f.HTTP.Code == "" {
		f = f.WithHint("the answer looks like a proxy's or a sign-in page's, not the service's: check --endpoint and HTTPS_PROXY")
	}
	var found []string
	if e.Target != "" {
		found = append(found, "about: "+e.Target)
	}
	found = append(found, e.Details...)
	if response.GaveUp != "" && response.Attempts > 0 {
		found = append(found, "not repeated further: "+response.GaveUp)
	}
	if len(found) > 0 {
		f = f.WithDetail("%s", strings.Join(found, "\n"))
	}
	if hint := hintFor(m, r, response, e); hint != "" {
		f = f.WithHint("%s", hint)
	}
	return f.On(m.FullName())
}

// judge finds code, sentence and general hint by the status that an answer
// means.
func judge(m *provider.Method, r transport.Request, response *transport.Response, status int) *fault.Error {
	name := m.Resource.Provider
	switch {
	case status == http.StatusUnauthorized:
		return fault.New(fault.Unauthenticated, "%s refused the credential", name).
			WithHint("sign in again, or see which credential was used with: planeql auth check %s", name)
	case status == http.StatusForbidden:
		return fault.New(fault.Forbidden, "%s does not permit this call", name).
			WithHint("the identity lacks a role here; see who it is with: planeql auth check %s", name)
	case status == http.StatusNotFound:
		return fault.New(fault.NotFound, "%s knows no such thing", name).
			WithHint("check the names in the statement: the call above shows how they were sent")
	case status == http.StatusTooManyRequests:
		return throttled(name, response)
	case status == http.StatusRequestTimeout || status >= 500:
		return serviceFailed(name, r, response)
	case status >= 300 && status <= 399:
		return fault.New(fault.ReplyInvalid, "%s sent the call elsewhere, to %s, which is not followed",
			name, hostOf(response.Header.Get("Location"))).
			WithHint("check --endpoint %s=URL", name)
	}
	return fault.New(fault.Rejected, "%s refused the request with status %s", name, statusText(response.Status)).
		WithHint("the service's own words say why; --log-http FILE keeps the whole request and answer")
}

// statusText gives a status as people know it.
func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// throttled makes the fault of calls that were turned away beyond patience. When
// the service goes on is the most useful part of it.
func throttled(name string, response *transport.Response) *fault.Error {
	f := fault.New(fault.Throttled, "%s throttles the calls", name)
	if wait := time.Until(response.RetryAt); !response.RetryAt.IsZero() && wait > 0 {
		return f.WithHint("run it again after %s (in %s), or ask for less at a time",
			response.RetryAt.UTC().Format(time.RFC3339), wait.Round(time.Second))
	}
	return f.WithHint("run it again later, or with a lower --concurrency")
}

// serviceFailed keeps apart a call that failed from one whose outcome nobody
// knows: a gateway that gave up waiting does not know whether the message went
// out.
func serviceFailed(name string, r transport.Request, response *transport.Response) *fault.Error {
	status := response.Status
	if changes(r) && (status == http.StatusRequestTimeout || status == http.StatusInternalServerError ||
		status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout) {
		return fault.New(fault.OutcomeUnknown, "%s answered with status %s, so the outcome is unknown", name, statusText(status)).
			WithHint("look whether it happened before running it again")
	}
	return fault.New(fault.ServiceFailed, "%s failed with status %s", name, statusText(status)).
		WithHint("run it again later; the request id helps the service's support")
}

// changes tells whether a request may change something at the service.
func changes(r transport.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !r.Idempotent
}

// errScalar is the error of an answer that holds no rows by its form.
var errScalar = errors.New("the answer is neither an object nor a list")

// errEmpty is the error of a success that says nothing: a list without items
// still has a body, and 204 is the status of an answer that has none.
var errEmpty = errors.New("the answer is empty")

// missingMember is the error of a list without the member that holds its items.
type missingMember string

// Error names the member and what it is for.
func (m missingMember) Error() string {
	return fmt.Sprintf("the answer has no member %q, where its rows should be", string(m))
}

// unreadable makes the fault of a successful answer that cannot be taken apart.
func unreadable(
	m *provider.Method, r transport.Request, response *transport.Response, cause error,
) *fault.Error {
	kind := response.Header.Get("Content-Type")
	if kind == "" {
		kind = "no content type"
	}
	f := fault.New(fault.ReplyInvalid, "the answer of %s cannot be read", hostOf(r.URL)).
		WithDetail("%s\n%s, %d bytes, begins %s", transport.RedactText(cause.Error()), kind, len(response.Body),
			beginning(showable(response.Body)))
	f.HTTP = httpOf(r, response)
	e := parseError(response.Header.Get("Content-Type"), response.Body)
	switch {
	case e.html:
		f = f.WithHint("the answer looks like a proxy's or a sign-in page's, not the service's: check --endpoint and HTTPS_PROXY")
	case e.Code != "":
		f.HTTP.Code, f.HTTP.Message = e.Code, e.Message
	default:
		f = f.WithHint("run it again; if it persists, --log-http shows the whole answer")
	}
	return f.Because(cause).On(m.FullName())
}

// showable masks the secrets of an answer that is JSON; other text is shown as
// it is, as far as clean lets it.
func showable(body []byte) []byte {
	if masked := transport.RedactJSON(body); len(masked) > 0 && masked[0] != '"' {
		return masked
	}
	return body
}

var (
	actionPattern  = regexp.MustCompile(`perform action '([^']+)'`)
	scopePattern   = regexp.MustCompile(`over scope '([^']+)'`)
	versionPattern = regexp.MustCompile(`\d{4}-\d{2}-\d{2}(?:-[a-z]+)?`)
	spacePattern   = regexp.MustCompile(`(?i)namespace '([A-Za-z0-9.]+)'|provider '([A-Za-z0-9.]+)'`)
)

// hintFor gives the advice for the codes of Azure Resource Manager, whose
// meanings are the same for every resource type; empty where there is none.
func hintFor(m *provider.Method, r transport.Request, response *transport.Response, e serviceError) string {
	if m.Resource.Family != provider.ARM {
		return ""
	}
	switch strings.ToLower(e.Code) {
	case "missingsubscriptionregistration", "missingregistrationforresourceprovider",
		"subscriptionnotregistered", "subscription not registered":
		return registerHint(m, r, e)
	case "authorizationfailed", "linkedauthorizationfailed":
		return roleHint(e.Message)
	case "noregisteredproviderfound", "invalidapiversionparameter", "invalidresourcetype", "invalidresourcenamespace":
		return versionHint(e.Message)
	case "invalidauthenticationtokentenant":
		return fmt.Sprintf("the token is of another tenant than the subscription; "+
			"name the tenant, as the message gives it: --auth %s=cli,tenant=ID", m.Resource.Provider)
	case "invalidauthenticationtokenaudience":
		return fmt.Sprintf("the token is for another cloud or service; name the cloud: --auth %s=cli,cloud=usgov", m.Resource.Provider)
	case "subscriptionnotfound":
		return "there is no such subscription, or the identity may see nothing of it; the message does not tell which"
	case "scopelocked":
		return "a lock protects this; the message names where it is"
	case "readonlydisabledsubscription", "subscriptiondisabled":
		return "the subscription is disabled: it can be read and not changed until it is enabled again"
	case "requestdisallowedbypolicy":
		return "a policy forbids this; the details name it"
	case "anotheroperationinprogress", "retryableerrorduetoanotheroperation", "resourcegroupbeingdeleted":
		return "another operation is under way there; run it again when that is over"
	}
	if response.Status == http.StatusPreconditionFailed {
		return "the object was changed since it was read; read it again and decide anew"
	}
	return ""
}

// registerHint gives the statement that registers the resource provider. It is
// never done unasked: reading must not change a subscription.
func registerHint(m *provider.Method, r transport.Request, e serviceError) string {
	id, _ := ParseID(m.Path)
	namespace := id.Namespace
	if found := spacePattern.FindStringSubmatch(e.Message); found != nil {
		namespace = found[1] + found[2]
	}
	called, _ := ParseID(pathOf(r.URL))
	return fmt.Sprintf("register the provider for the subscription, then run this again:\n"+
		"EXEC %s.resources.providers.register @resourceProviderNamespace='%s', @subscriptionId='%s'",
		m.Resource.Provider, namespace, called.Subscription)
}

// roleHint names the action and the scope that a role has to hold. Azure gives the
// same answer for a scope that does not exist.
func roleHint(message string) string {
	action := actionPattern.FindStringSubmatch(message)
	if action == nil {
		return ""
	}
	hint := fmt.Sprintf("a role with the action %s is needed", action[1])
	if scope := scopePattern.FindStringSubmatch(message); scope != nil {
		hint += " at " + scope[1]
	}
	return hint + "; a new assignment takes some minutes to count"
}

// versionHint names the newest version that the message lists.
func versionHint(message string) string {
	newest := ""
	_, listed, _ := strings.Cut(message, "supported api-versions")
	for _, v := range versionPattern.FindAllString(listed, -1) {
		if v > newest {
			newest = v
		}
	}
	if newest == "" {
		return "the type, or this version of it, is not served here; clouds other than the public one lag behind"
	}
	return fmt.Sprintf("ask for a version that is served: /*+ API_VERSION('%s') */", newest)
}

// pathOf gives the path of a URL as it was sent.
func pathOf(text string) string {
	_, rest, found := strings.Cut(text, "://")
	if !found {
		return ""
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return ""
	}
	path, _, _ := strings.Cut(rest[slash:], "?")
	return path
}

// scopeMissing are the codes of a 404 that says that a scope is missing or the
// type is unknown, rather than the object itself.
var scopeMissing = map[string]bool{
	"subscriptionnotfound": true, "resourcegroupnotfound": true, "parentresourcenotfound": true,
	"invalidresourcetype": true, "invalidresourcenamespace": true, "managementgroupnotfound": true,
	"invalidsubscriptionid": true, "tenantnotfound": true,
}

// IsItemMissing tells whether an error says that the one object which a call
// asked for does not exist, so that the answer is no row. A missing scope or
// parent, an unknown type, and a 404 that is not the service's own are errors.
func IsItemMissing(err error, call provider.Call) bool {
	f := fault.As(err)
	m := call.Method
	if f == nil || f.Code != fault.NotFound || f.HTTP == nil || !isRead(m) || len(m.Response.ItemsPath) > 0 {
		return false
	}
	return !missingScope(f.HTTP)
}

// missingScope tells whether a 404 is about a scope or a type, or not of the
// service.
func missingScope(h *fault.HTTP) bool {
	return scopeMissing[strings.ToLower(h.Code)] || strings.HasPrefix(h.Message, pageForPeople)
}

// IsScopeMissing tells whether an error says that a scope of the call, such as
// its resource group or its parent, does not exist (any more): a found scope
// that vanished before it was read is skipped.
func IsScopeMissing(err error) bool {
	f := fault.As(err)
	if f == nil || f.Code != fault.NotFound || f.HTTP == nil {
		return false
	}
	code := strings.ToLower(f.HTTP.Code)
	return code != "invalidresourcetype" && code != "invalidresourcenamespace" &&
		!strings.HasPrefix(f.HTTP.Message, pageForPeople)
}
