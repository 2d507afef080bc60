package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// service answers as Azure Resource Manager does for an estate of subscriptions,
// host pools and user sessions. Its pages were made beforehand, so that serving
// costs next to nothing.
type service struct {
	subscriptions, pools int      // pools in each subscription
	pages                int      // of each pool
	bodies               [][]byte // of the sessions, without their links; further pages begin again with the first
	wait                 time.Duration
	limit                *allowance // nil: none

	calls, refused atomic.Int64
}

// manyBodies is how many different pages are kept: a long list repeats them.
const manyBodies = 1000

func newService(subscriptions, pools, pages, rows int, wait time.Duration) *service {
	s := &service{subscriptions: subscriptions, pools: pools, pages: pages, wait: wait}
	for i := range min(manyBodies, subscriptions*pools*pages) {
		body := []byte(`{"value":[`)
		for j := range rows {
			if j > 0 {
				body = append(body, ',')
			}
			body = appendSession(body, i*rows+j)
		}
		s.bodies = append(s.bodies, append(body, ']'))
	}
	return s
}

// subscriptionID gives the id of the nth subscription.
func subscriptionID(n int) string { return fmt.Sprintf("8f2c1a5e-3b6d-4c7a-9e10-%012d", n) }

// appendSession adds a session in the form and the size that the service has.
func appendSession(body []byte, n int) []byte {
	host := n / 20
	return fmt.Appendf(body, `{"id":"/subscriptions/%s/resourcegroups/rg/providers/Microsoft.DesktopVirtualization/hostpools/pool/sessionhosts/host-%d.contoso.com/usersessions/%d",`+
		`"name":"pool/host-%d.contoso.com/%d","type":"Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions","systemData":null,`+
		`"properties":{"objectId":"00000000-0000-0000-0000-%012d","userPrincipalName":"user%d@contoso.com","applicationType":"Desktop",`+
		`"sessionState":"%s","activeDirectoryUserName":"CONTOSO\\user%d","createTime":"2026-01-02T03:04:%02d.1861466Z"}}`,
		subscriptionID(0), host, n%20+2, host, n%20+2, n, n, []string{"Active", "Disconnected", "Active", "Pending"}[n%4], n, n%60)
}

// ServeHTTP answers the three lists that the statements read.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	if !s.allow(w) {
		return
	}
	time.Sleep(s.wait)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 1:
		s.listSubscriptions(w)
	case parts[len(parts)-1] == "hostPools":
		s.listPools(w, numberIn(parts[1]))
	case parts[len(parts)-1] == "userSessions":
		s.listSessions(w, r, numberIn(parts[1]), numberIn(parts[len(parts)-2]))
	default:
		http.Error(w, `{"error":{"code":"NotFound","message":"no such list"}}`, http.StatusNotFound)
	}
}

// numberIn reads the number at the end of a name.
func numberIn(name string) int {
	n, _ := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:]) // the names are ours
	return n
}

func (s *service) listSubscriptions(w http.ResponseWriter) {
	var list []any
	for i := range s.subscriptions {
		id := subscriptionID(i)
		list = append(list, map[string]any{
			"id": "/subscriptions/" + id, "subscriptionId": id, "displayName": fmt.Sprintf("sub-%d", i), "state": "Enabled",
		})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"value": list}) // a client that is gone needs no answer
}

func (s *service) listPools(w http.ResponseWriter, subscription int) {
	var list []any
	for i := range s.pools {
		name := fmt.Sprintf("pool-%d", i)
		list = append(list, map[string]any{
			"id": "/subscriptions/" + subscriptionID(subscription) + "/resourceGroups/rg/providers/" +
				"Microsoft.DesktopVirtualization/hostPools/" + name,
			"name": name, "type": "Microsoft.DesktopVirtualization/hostPools", "location": "westeurope",
			"properties": map[string]any{"hostPoolType": "Pooled", "maxSessionLimit": 16, "loadBalancerType": "BreadthFirst"},
		})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"value": list})
}

func (s *service) listSessions(w http.ResponseWriter, r *http.Request, subscription, pool int) {
	page, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken")) // none: the first page
	link := "null"
	if page+1 < s.pages {
		link = fmt.Sprintf(`"http://%s%s?api-version=2024-04-03&$skiptoken=%d"`, r.Host, r.URL.EscapedPath(), page+1)
	}
	n := (subscription*s.pools+pool)*s.pages + page
	body := slices.Concat(s.bodies[n%len(s.bodies)], []byte(`,"nextLink":`+link+"}"))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// allow takes a call from the allowance, says what is left of it, or refuses.
func (s *service) allow(w http.ResponseWriter) bool {
	if s.limit == nil {
		return true
	}
	left, ok := s.limit.take()
	if ok {
		w.Header().Set("x-ms-ratelimit-remaining-subscription-reads", strconv.Itoa(left))
		return true
	}
	s.refused.Add(1)
	w.Header().Set("Retry-After", "1")
	http.Error(w, `{"error":{"code":"SubscriptionRequestsThrottled","message":"too many reads"}}`, http.StatusTooManyRequests)
	return false
}

// allowance is the token bucket of a service: it holds burst calls and regains
// perSecond, from its first call on.
type allowance struct {
	burst, perSecond float64

	mu     sync.Mutex
	tokens float64
	first  time.Time
	at     time.Time // when tokens was right
}

// take spends a token if there is one, and gives what is left.
func (a *allowance) take() (left int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.first.IsZero() {
		a.first, a.at, a.tokens = now, now, a.burst
	}
	a.tokens = min(a.burst, a.tokens+now.Sub(a.at).Seconds()*a.perSecond)
	a.at = now
	if a.tokens < 1 {
		return 0, false
	}
	a.tokens--
	return int(a.tokens), true
}

// least gives the time that a number of calls takes at least.
func (a *allowance) least(calls int) time.Duration {
	return time.Duration((float64(calls) - a.burst) / a.perSecond * float64(time.Second))
}

// span gives the time between the first call and the last.
func (a *allowance) span() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at.Sub(a.first)
}
