package rest

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transform"
	"github.com/planeql/planeql/internal/transport"
)

// awsThrottled are the codes by which AWS's services turn calls away for their
// number; most come with a 400. The list is that of AWS's own clients (standard
// retry mode).
var awsThrottled = map[string]bool{
	"throttling": true, "throttlingexception": true, "throttledexception": true, "requestthrottledexception": true,
	"requestthrottled": true, "toomanyrequestsexception": true, "provisionedthroughputexceededexception": true,
	"transactioninprogressexception": true, "requestlimitexceeded": true, "bandwidthlimitexceeded": true,
	"slowdown": true, "priorrequestnotcomplete": true, "ec2throttledexception": true,
}

// refuses tells whether an answer that is no 429 turns a call away for its
// number alone; nil where the family has no such answers.
func refuses(m *provider.Method) func(*transport.Response) bool {
	switch m.Resource.Family {
	case provider.AWS:
		return func(r *transport.Response) bool {
			return r.Status >= 400 && awsThrottled[strings.ToLower(errorOf(r).Code)]
		}
	case provider.Google:
		return func(r *transport.Response) bool {
			if r.Status != http.StatusForbidden {
				return false
			}
			reason := strings.ToLower(errorOf(r).Reason)
			return reason == "ratelimitexceeded" || reason == "userratelimitexceeded"
		}
	case provider.GitHub:
		// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
		return func(r *transport.Response) bool {
			return r.Status == http.StatusForbidden && (r.Header.Get("Retry-After") != "" ||
				r.Header.Get("x-ratelimit-remaining") == "0" || bytes.Contains(r.Body, []byte("secondary rate limit")))
		}
	}
	return nil
}

// errorOf reads what an answer says of a failure.
func errorOf(r *transport.Response) serviceError {
	e := parseError(r.Header.Get("Content-Type"), r.Body)
	// AWS's REST protocol has the code in a header, with an address behind it.
	if code, _, _ := strings.Cut(r.Header.Get("x-amzn-ErrorType"), ":"); code != "" {
		e.Code = afterHash(code)
	}
	return e
}

// afterHash takes the namespace off a code of AWS: com.amazonaws.sqs#QueueDoesNotExist.
func afterHash(code string) string {
	if _, name, ok := strings.Cut(code, "#"); ok {
		return name
	}
	return code
}

// awsMeanings are the ends of codes that say what other services say by their
// status. AWS's JSON and query protocols answer most mistakes with a 400.
var awsMeanings = []struct {
	end    string
	status int
}{
	{"notfound", http.StatusNotFound}, {"notfoundexception", http.StatusNotFound}, {"notfoundfault", http.StatusNotFound},
	{"nosuchentity", http.StatusNotFound}, {"doesnotexist", http.StatusNotFound}, {"nonexistentqueue", http.StatusNotFound},
	{"accessdenied", http.StatusForbidden}, {"accessdeniedexception", http.StatusForbidden},
	{"unauthorizedoperation", http.StatusForbidden}, {"notauthorized", http.StatusForbidden},
	{"authfailure", http.StatusUnauthorized}, {"unrecognizedclientexception", http.StatusUnauthorized},
	{"invalidclienttokenid", http.StatusUnauthorized}, {"signaturedoesnotmatch", http.StatusUnauthorized},
	{"expiredtoken", http.StatusUnauthorized}, {"expiredtokenexception", http.StatusUnauthorized},
	{"missingauthenticationtoken", http.StatusUnauthorized}, {"invalidaccesskeyid", http.StatusUnauthorized},
	{"not_found", http.StatusNotFound}, {"rate_limited", http.StatusTooManyRequests}, // GraphQL at GitHub
	{"forbidden", http.StatusForbidden},
}

// meaning gives the status that an answer means: its own, or that of its code
// where the family's statuses say little.
func meaning(m *provider.Method, response *transport.Response, e serviceError) int {
	if response.Refused {
		return http.StatusTooManyRequests
	}
	code := strings.ToLower(e.Code)
	weak := m.Resource.Family == provider.AWS && (response.Status == http.StatusBadRequest || response.Status == http.StatusForbidden)
	if weak || isSuccess(response.Status) {
		for _, known := range awsMeanings {
			if strings.HasSuffix(code, known.end) {
				return known.status
			}
		}
	}
	if isSuccess(response.Status) {
		return http.StatusBadRequest
	}
	return response.Status
}

// failed tells whether an answer with the status of a success is an error:
// GraphQL says so in a member, and S3 where it began to answer before it failed.
func failed(m *provider.Method, response *transport.Response) bool {
	switch {
	case m.GraphQL != nil:
		l := newLayout([]string{"errors"}, true)
		r, err := split(response.Body, l)
		return err == nil && len(r.items) > 0
	case m.Resource.Family == provider.AWS && isXML(m, response):
		root, err := transform.ParseXML(response.Body)
		return err == nil && (root.Name == "Error" || root.Name == "ErrorResponse")
	}
	return false
}
