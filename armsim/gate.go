package armsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reject makes an error answer of Azure Resource Manager itself, which marks
// what never reached the resource provider.
func (c *call) gateway(status int, code, message string) reply {
	rep := c.fail(status, code, message)
	rep.header["X-Ms-Failure-Cause"] = "gateway"
	return rep
}

// fail makes an error answer in ARM's envelope.
func (c *call) fail(status int, code, message string) reply {
	return reply{status: status, header: map[string]string{"Content-Type": jsonType}, body: errorBody(code, message)}
}

// failAVD makes an error answer in the form of Azure Virtual Desktop: the code
// is the status as text, and the message begins with the name of the call.
func (c *call) failAVD(status int, format string, args ...any) reply {
	return c.fail(status, strconv.Itoa(status), "ActivityId: "+c.activity+" Error: "+fmt.Sprintf(format, args...))
}

// tooLarge refuses a body that is longer than ARM takes.
func tooLarge() reply {
	return reply{
		status: http.StatusRequestEntityTooLarge, header: map[string]string{"Content-Type": jsonType},
		body: errorBody("RequestContentTooLarge", "The request content is larger than 4194304 bytes."),
	}
}

// authenticate checks the bearer token.
func (c *call) authenticate() (reply, bool) {
	if c.sim.settings.noAuth {
		return reply{}, true
	}
	scheme, token, _ := strings.Cut(c.req.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	switch {
	case c.req.Header.Get("Authorization") == "":
		return c.unauthenticated("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.",
			"the Authorization header is missing"), false
	case !strings.EqualFold(scheme, "Bearer") || token == "":
		return c.unauthenticated("AuthenticationFailedInvalidHeader",
			"Authentication failed. The 'Authorization' header is provided in an invalid format.",
			"the Authorization header is not a bearer token"), false
	}
	switch c.sim.settings.token(token) {
	case TokenAccepted:
		return reply{}, true
	case TokenExpired:
		const clock = "1/2/2006 3:04:05 PM"
		return c.unauthenticated("ExpiredAuthenticationToken",
			fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.",
				c.now.UTC().Add(-time.Minute).Format(clock), c.now.UTC().Format(clock)),
			"The access token has expired."), false
	case TokenOtherTenant:
		return c.unauthenticated("InvalidAuthenticationTokenTenant",
			"The access token is from the wrong issuer. It must match the tenant '"+c.sim.settings.tenant+"' of this subscription.",
			"The access token is from the wrong issuer."), false
	default:
		return c.unauthenticated("InvalidAuthenticationToken", "The access token is invalid.", "The access token is invalid."), false
	}
}

// unauthenticated answers 401 with a challenge in the form recorded from ARM.
func (c *call) unauthenticated(code, message, description string) reply {
	rep := c.gateway(http.StatusUnauthorized, code, message)
	rep.header["WWW-Authenticate"] = fmt.Sprintf(
		`Bearer authorization_uri="https://login.windows.net/%s", error="invalid_token", error_description="%s"`,
		c.sim.settings.tenant, description)
	return rep
}

// unknownPath answers where no template of the documents fits the path.
func (c *call) unknownPath() reply {
	t := c.target
	if t.namespace == "" || len(t.types) == 0 {
		return c.gateway(http.StatusNotFound, "NotFound", "No resource of Azure Resource Manager has this path.")
	}
	// A path may fit no template and yet name a resource that was stored directly.
	if c.req.Method == http.MethodGet && !t.collection() {
		c.sim.state.RLock()
		defer c.sim.state.RUnlock()
		if obj := c.sim.store.get(t.key(len(t.names))); obj != nil {
			return okJSON(obj.raw)
		}
	}
	if !c.sim.routes.namespaceKnown(t.namespace) {
		return c.gateway(http.StatusNotFound, "InvalidResourceNamespace",
			fmt.Sprintf("The resource namespace '%s' is invalid.", t.namespace))
	}
	return c.gateway(http.StatusNotFound, "InvalidResourceType", fmt.Sprintf(
		"The resource type '%s' could not be found in the namespace '%s' for api version '%s'.",
		strings.Join(t.types, "/"), t.namespace, c.version))
}

// checkVersion refuses an api-version that is no version or that the type does
// not serve.
func (c *call) checkVersion() (reply, bool) {
	if !versionShaped(c.version) {
		return c.gateway(http.StatusBadRequest, "InvalidApiVersionParameter", fmt.Sprintf(
			"The api-version '%s' is invalid. A version is a date, with -preview where it is not final: YYYY-MM-DD[-preview].",
			c.version)), false
	}
	served := c.servedVersions()
	if len(served) == 0 || slices.Contains(served, strings.ToLower(c.version)) {
		return reply{}, true
	}
	list := strings.Join(served, ", ")
	if c.target.namespace == "" || len(c.target.types) == 0 {
		return c.gateway(http.StatusBadRequest, "InvalidApiVersionParameter", fmt.Sprintf(
			"The api-version '%s' is invalid. The supported versions are '%s'.", c.version, list)), false
	}
	return c.gateway(http.StatusBadRequest, "NoRegisteredProviderFound", fmt.Sprintf(
		"No registered resource provider found for API version '%s' of type '%s'. The supported api-versions are '%s'.",
		c.version, strings.Join(c.target.types, "/"), list)), false
}

// servedVersions lists the api-versions of the type in question; none where the
// document names none, and then every version passes.
func (c *call) servedVersions() []string {
	var own []string
	if k := c.route.kind; k != nil {
		own = k.versions
	} else if v := apiVersion(c.route.method); v != "" {
		own = []string{v}
	}
	if len(own) == 0 {
		return nil
	}
	return append(slices.Clone(own), c.sim.settings.versions...)
}

// versionShaped checks the grammar of the resource provider contract.
func versionShaped(v string) bool {
	if len(v) < 10 {
		return false
	}
	if _, err := time.Parse(time.DateOnly, v[:10]); err != nil {
		return false
	}
	switch strings.ToLower(v[10:]) {
	case "", "-preview", "-alpha", "-beta", "-rc", "-privatepreview":
		return true
	}
	return false
}

// admit checks, from the outside inwards, that the caller may act on the scope
// and that everything above the resource exists.
func (c *call) admit() (reply, bool) {
	t := c.target
	if t.subscription == "" {
		return reply{}, true
	}
	if !guidShaped(t.subscription) {
		return c.gateway(http.StatusBadRequest, "InvalidSubscriptionId", fmt.Sprintf(
			"The provided subscription identifier '%s' is malformed or invalid.", t.subscription)), false
	}
	sub := c.sim.store.get(subscriptionKey(t.subscription))
	if sub == nil {
		return c.gateway(http.StatusNotFound, "SubscriptionNotFound", fmt.Sprintf(
			"The subscription '%s' could not be found.", t.subscription)), false
	}
	if c.sim.faults.denied(t.subscription) {
		return c.forbidden(), false
	}
	if state, _ := sub.doc["state"].(string); state == "Disabled" && c.quota() != reads {
		return c.gateway(http.StatusConflict, "ReadOnlyDisabledSubscription", fmt.Sprintf(
			"The subscription '%s' is disabled and therefore marked as read only.", t.subscription)), false
	}
	if t.group != "" && (t.namespace != "" || t.tail != "") && c.sim.store.get(t.scope()) == nil {
		return c.groupNotFound(), false
	}
	return c.admitParents()
}

// admitParents checks each resource above the one in question. A location is a
// part of some paths and no resource.
func (c *call) admitParents() (reply, bool) {
	t := c.target
	above := len(t.names)
	if !t.collection() {
		above--
	}
	for n := 1; n <= above; n++ {
		if strings.EqualFold(t.types[n-1], "locations") {
			continue
		}
		parent := t.key(n)
		if c.sim.store.get(parent) == nil || c.sim.faults.vanished(t.names[n-1], parent, c.route.list) {
			return c.parentNotFound(n), false
		}
	}
	return reply{}, true
}

// groupNotFound says that the resource group is not there.
func (c *call) groupNotFound() reply {
	return c.gateway(http.StatusNotFound, "ResourceGroupNotFound",
		fmt.Sprintf("Resource group '%s' could not be found.", c.target.group))
}

// parentNotFound answers for a missing parent. For a parent of the deepest kind
// the real services differ: ARM itself knows tracked resources, so a missing one
// is its own error.
func (c *call) parentNotFound(n int) reply {
	t := c.target
	if !t.collection() {
		return c.gateway(http.StatusNotFound, "ParentResourceNotFound", fmt.Sprintf(
			"Failed to perform '%s' on resource(s) of type '%s', because the parent resource '%s' could not be found.",
			c.permission(), strings.ToLower(strings.Join(t.types, "/")), t.key(n)))
	}
	if strings.EqualFold(t.namespace, avd) && n > 1 {
		return c.failAVD(http.StatusNotFound, "%s", missingText(t.types[n-1]))
	}
	return c.notFound(n)
}

// notFound says that the resource made of the first n names is not there.
func (c *call) notFound(n int) reply {
	t := c.target
	return c.gateway(http.StatusNotFound, "ResourceNotFound", fmt.Sprintf(
		"The Resource '%s/%s' under resource group '%s' was not found.", t.namespace, nestedName(t, n), t.group))
}

// nestedName writes type and name in turn, as ARM does in its messages.
func nestedName(t target, n int) string {
	parts := make([]string, 0, 2*n)
	for i := range n {
		parts = append(parts, t.types[i], t.names[i])
	}
	return strings.Join(parts, "/")
}

// forbidden answers as to a caller without a role at the scope. ARM gives the
// same text for a scope that does not exist.
func (c *call) forbidden() reply {
	scope := c.target.scope()
	if c.target.namespace != "" {
		scope = "/" + strings.Join(c.segments, "/")
	}
	return c.gateway(http.StatusForbidden, "AuthorizationFailed", fmt.Sprintf(
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid.",
		signedInUser, c.sim.ids.derive("caller", 0), c.permission(), scope))
}

// permission names the action that a role would have to allow.
func (c *call) permission() string {
	t := c.target
	what := t.namespace + "/" + strings.Join(t.types, "/")
	switch {
	case t.namespace == "" && t.group != "":
		what = "Microsoft.Resources/subscriptions/resourceGroups"
	case t.namespace == "":
		what = "Microsoft.Resources/subscriptions"
	}
	switch c.req.Method {
	case http.MethodGet:
		return what + "/read"
	case http.MethodDelete:
		return what + "/delete"
	case http.MethodPost:
		return what + "/action"
	}
	return what + "/write"
}

// guidShaped says whether the text has the form of a GUID.
func guidShaped(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range text {
		switch i {
		case 8, 13, 18, 23:
			if r != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
				return false
			}
		}
	}
	return true
}
