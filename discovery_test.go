package planeql_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// tree is a service that answers by path and query, and notes what was asked.
// %H in an answer stands for its address.
type tree struct {
	answers map[string]string
	mutex   sync.Mutex
	asked   []string
}

func (s *tree) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address := r.URL.Path
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	s.mutex.Lock()
	s.asked = append(s.asked, address)
	s.mutex.Unlock()
	body, ok := s.answers[address]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	if link, rest, ok := strings.Cut(body, "\n"); ok { // a head line is a Link
		w.Header().Set("Link", strings.ReplaceAll(link, "%H", "http://"+r.Host))
		body = rest
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, strings.ReplaceAll(body, "%H", "http://"+r.Host))
}

// calls gives what was asked since it was called last, sorted.
func (s *tree) calls() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	asked := slices.Sorted(slices.Values(s.asked))
	s.asked = nil
	return asked
}

// grow starts a service of a provider whose documents were published.
func grow(t *testing.T, archive, folder, name string, answers map[string]string) (*tree, *planeql.Session) {
	t.Helper()
	service := &tree{answers: answers}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	return service, open(t, server.URL, planeql.WithDocuments(published(t, archive, folder), name),
		planeql.WithEndpoint(name, server.URL), planeql.WithAuth(name, "none", nil))
}

// discovered is a statement that names few scopes or none, its rows and all its
// calls.
type discovered struct {
	text, want string
	calls      []string
}

func checkDiscovered(t *testing.T, service *tree, s *planeql.Session, cases []discovered) {
	t.Helper()
	for _, c := range cases {
		rows, warnings := withWarnings(t, s, c.text)
		if got := fmt.Sprint(rows); got != c.want || len(warnings) > 0 {
			t.Errorf("%s\n got %s %v\nwant %s", c.text, got, warnings, c.want)
		}
		slices.Sort(c.calls)
		if got := service.calls(); !slices.Equal(got, c.calls) {
			t.Errorf("%s\ncalls\n%s\nwant\n%s", c.text, strings.Join(got, "\n"), strings.Join(c.calls, "\n"))
		}
	}
}

// lacking checks that a statement whose scopes cannot be found says so without
// a call, and what would be enough.
func lacking(t *testing.T, service *tree, s *planeql.Session, text, lacks, smallest string) {
	t.Helper()
	_, err := query(t, s, text)
	e := fault.As(err)
	if e == nil || e.Code != fault.MissingParameter || !strings.Contains(e.Print(), lacks+"\n") || !strings.HasSuffix(e.Hint, smallest) || len(service.calls()) > 0 {
		t.Errorf("%s\n%v", text, err)
		if e != nil {
			t.Log(e.Print())
		}
	}
}

// Google: keys below rings below locations, with names that are whole paths.
// Projects have no list that goes without more, so they have to be named.
func TestDiscovery_google(t *testing.T) {
	const p = "/v1/projects/p1/locations"
	service, s := grow(t, "googleapis.com.tar.zst", "googleapis.com", "google", map[string]string{
		p:                                   `{"locations": [{"name": "projects/p1/locations/eu", "locationId": "eu"}], "nextPageToken": "2"}`,
		p + "?pageToken=2":                  `{"locations": [{"name": "projects/p1/locations/us", "locationId": "us"}]}`,
		p + "/eu/keyRings":                  `{"keyRings": [{"name": "projects/p1/locations/eu/keyRings/disks"}, {"name": "projects/p1/locations/eu/keyRings/mail"}]}`,
		p + "/us/keyRings":                  `{}`,
		p + "/eu/keyRings/disks/cryptoKeys": `{"cryptoKeys": [{"name": "projects/p1/locations/eu/keyRings/disks/cryptoKeys/a", "purpose": "ENCRYPT_DECRYPT"}]}`,
		p + "/eu/keyRings/mail/cryptoKeys":  `{"cryptoKeys": [{"name": "projects/p1/locations/eu/keyRings/mail/cryptoKeys/b", "purpose": "MAC"}]}`,
		"/v1/projects/p1/serviceAccounts":   `{"accounts": [{"name": "projects/p1/serviceAccounts/x@p1", "email": "x@p1"}, {"name": "projects/p1/serviceAccounts/y@p1", "email": "y@p1"}]}`,
		"/v1/projects/p1/serviceAccounts/x@p1/keys": `{"keys": [{"name": "projects/p1/serviceAccounts/x@p1/keys/1", "disabled": true}]}`,
		"/v1/projects/p1/serviceAccounts/y@p1/keys": `{"keys": []}`,
	})
	checkDiscovered(t, service, s, []discovered{
		{"SELECT locationsId, keyRingsId, cryptoKeysId, purpose FROM google.cloudkms.crypto_keys WHERE projectsId = 'p1' ORDER BY 3",
			"[[eu disks a ENCRYPT_DECRYPT] [eu mail b MAC]]",
			[]string{p, p + "?pageToken=2", p + "/eu/keyRings", p + "/us/keyRings", p + "/eu/keyRings/disks/cryptoKeys", p + "/eu/keyRings/mail/cryptoKeys"}},
		{"SELECT keyRingsId FROM google.cloudkms.key_rings WHERE projectsId = 'p1' AND locationsId = 'eu' ORDER BY 1",
			"[[disks] [mail]]", []string{p + "/eu/keyRings"}},
		{"SELECT a.email, k.disabled FROM google.iam.service_accounts a JOIN google.iam.service_account_keys k ON k.projectsId = a.projectsId AND k.serviceAccountsId = a.email WHERE a.projectsId = 'p1'",
			"[[x@p1 true]]", []string{"/v1/projects/p1/serviceAccounts", "/v1/projects/p1/serviceAccounts/x@p1/keys", "/v1/projects/p1/serviceAccounts/y@p1/keys"}},
		{"SELECT count(*) FROM google.iam.service_account_keys WHERE projectsId = 'p1'",
			"[[1]]", []string{"/v1/projects/p1/serviceAccounts", "/v1/projects/p1/serviceAccounts/x@p1/keys", "/v1/projects/p1/serviceAccounts/y@p1/keys"}},
	})
	lacking(t, service, s, "SELECT * FROM google.cloudkms.crypto_keys", "list lacks projectsId", "google.cloudkms.crypto_keys WHERE projectsId = '…'")
	lacking(t, service, s, "SELECT * FROM google.cloudkms.crypto_keys WHERE locationsId = 'eu'", "list lacks projectsId", "crypto_keys WHERE projectsId = '…' AND locationsId = '…'")
}

// Okta: members of groups; the organisation is a part of the server's name, and
// pages go on by a header.
func TestDiscovery_okta(t *testing.T) {
	service, s := grow(t, "okta.tar.zst", "okta", "okta", map[string]string{
		"/api/v1/groups":                   "<%H/api/v1/groups?after=g1>; rel=\"next\"\n" + `[{"id": "g1", "profile": {"name": "all"}}]`,
		"/api/v1/groups?after=g1":          `[{"id": "g2", "profile": {"name": "none"}}]`,
		"/api/v1/groups/g1/users":          "<%H/api/v1/groups/g1/users?after=u1>; rel=\"next\"\n" + `[{"id": "u1", "status": "ACTIVE"}]`,
		"/api/v1/groups/g1/users?after=u1": `[{"id": "u2", "status": "STAGED"}]`,
		"/api/v1/groups/g2/users":          `[]`,
		"/api/v1/users":                    `[{"id": "u1", "status": "ACTIVE"}, {"id": "u2", "status": "STAGED"}]`,
		"/api/v1/users/u1/factors":         `[{"id": "f1", "factorType": "push"}]`,
		"/api/v1/users/u2/factors":         `[]`,
	})
	members := []string{"/api/v1/groups", "/api/v1/groups?after=g1", "/api/v1/groups/g1/users", "/api/v1/groups/g1/users?after=u1", "/api/v1/groups/g2/users"}
	checkDiscovered(t, service, s, []discovered{
		{"SELECT groupId, id, status FROM okta.groups.users WHERE subdomain = 'dev' ORDER BY id", "[[g1 u1 ACTIVE] [g1 u2 STAGED]]", slices.Clone(members)},
		{"SELECT g.profile ->> 'name', count(u.id) FROM okta.groups.groups g LEFT JOIN okta.groups.users u ON u.groupId = g.id AND u.subdomain = g.subdomain WHERE g.subdomain = 'dev' GROUP BY 1 ORDER BY 1",
			"[[all 2] [none 0]]", slices.Clone(members)},
		{"SELECT userId, factorType FROM okta.users.factors WHERE subdomain = 'dev'", "[[u1 push]]", []string{"/api/v1/users", "/api/v1/users/u1/factors", "/api/v1/users/u2/factors"}},
	})
	lacking(t, service, s, "SELECT * FROM okta.policies.policy_rules", "list_policy_rules lacks policyId", "okta.policies.policy_rules WHERE policyId = '…'")
}

// What is found on one server is asked of that server alone.
func TestDiscovery_servers(t *testing.T) {
	s := open(t, "http://127.0.0.1:1", planeql.WithDocuments(published(t, "okta.tar.zst", "okta"), "okta"), planeql.WithAuth("okta", "none", nil))
	rows := must(t, s, "EXPLAIN SELECT * FROM okta.groups.users WHERE subdomain IN ('dev', 'prod')")
	text := fmt.Sprint(rows)
	if !strings.Contains(text, "subdomain = one of 2: 'dev', 'prod'") || !strings.Contains(text, "subdomain found by groups.subdomain, only 'dev', 'prod'") {
		t.Errorf("%s", text)
	}
}

// DigitalOcean: pools of clusters.
func TestDiscovery_digitalOcean(t *testing.T) {
	const c = "/v2/kubernetes/clusters"
	service, s := grow(t, "digitalocean.tar.zst", "digitalocean", "digitalocean", map[string]string{
		c + "?per_page=200": `{"kubernetes_clusters": [{"id": "00000000-0000-0000-0000-0000000000c1", "name": "prod"}, {"id": "00000000-0000-0000-0000-0000000000c2", "name": "test"}], "links": {}, "meta": {"total": 2}}`,
		c + "/00000000-0000-0000-0000-0000000000c1/node_pools": `{"node_pools": [{"id": "n1", "name": "small", "count": 3}, {"id": "n2", "name": "large", "count": 1}]}`,
		c + "/00000000-0000-0000-0000-0000000000c2/node_pools": `{"node_pools": []}`,
	})
	all := []string{c + "?per_page=200", c + "/00000000-0000-0000-0000-0000000000c1/node_pools", c + "/00000000-0000-0000-0000-0000000000c2/node_pools"}
	checkDiscovered(t, service, s, []discovered{
		{"SELECT cluster_id, name, count FROM digitalocean.kubernetes.node_pools ORDER BY name", "[[00000000-0000-0000-0000-0000000000c1 large 1] [00000000-0000-0000-0000-0000000000c1 small 3]]", slices.Clone(all)},
		{"SELECT c.name, sum(n.count) FROM digitalocean.kubernetes.clusters c LEFT JOIN digitalocean.kubernetes.node_pools n ON n.cluster_id = c.id GROUP BY 1 ORDER BY 1", "[[prod 4] [test <nil>]]", slices.Clone(all)},
		{"SELECT name FROM digitalocean.kubernetes.node_pools WHERE cluster_id = '00000000-0000-0000-0000-0000000000c1' AND count > 2", "[[small]]", []string{c + "/00000000-0000-0000-0000-0000000000c1/node_pools"}},
	})
}

// Cloudflare: what accounts and zones have stands in services of other names.
func TestDiscovery_cloudflare(t *testing.T) {
	service, s := grow(t, "cloudflare.tar.zst", "cloudflare", "cloudflare", map[string]string{
		"/accounts":                `{"result": [{"id": "a1", "name": "main"}, {"id": "a2", "name": "lab"}], "result_info": {"page": 1, "per_page": 20, "count": 2, "total_count": 2, "total_pages": 1}}`,
		"/accounts/a1/access/tags": `{"result": [{"name": "finance", "app_count": 2}], "result_info": {"page": 1, "total_pages": 1}}`,
		"/accounts/a2/access/tags": `{"result": [], "result_info": {"page": 1, "total_pages": 1}}`,
		"/zones":                   `{"result": [{"id": "z1", "name": "example.com"}], "result_info": {"page": 1, "total_pages": 1}}`,
		"/zones/z1/dns_records":    `{"result": [{"id": "r1", "type": "A", "name": "www.example.com"}], "result_info": {"page": 1, "total_pages": 1}}`,
	})
	checkDiscovered(t, service, s, []discovered{
		{"SELECT account_id, name FROM cloudflare.zero_trust.tags", "[[a1 finance]]", []string{"/accounts", "/accounts/a1/access/tags", "/accounts/a2/access/tags"}},
		{"SELECT zone_id, name FROM cloudflare.dns.zones_dns_records", "[[z1 www.example.com]]", []string{"/zones", "/zones/z1/dns_records"}},
	})
}

// An item of a listing that has no key is an error: the rows below it would be
// missing.
func TestDiscovery_nameless(t *testing.T) {
	_, s := grow(t, "digitalocean.tar.zst", "digitalocean", "digitalocean", map[string]string{
		"/v2/kubernetes/clusters?per_page=200":                                    `{"kubernetes_clusters": [{"id": "00000000-0000-0000-0000-0000000000c1"}, {"name": "unfinished"}]}`,
		"/v2/kubernetes/clusters/00000000-0000-0000-0000-0000000000c1/node_pools": `{"node_pools": [{"id": "n1"}]}`,
	})
	_, err := query(t, s, "SELECT count(*) FROM digitalocean.kubernetes.node_pools")
	if e := fault.As(err); e == nil || e.Code != fault.ReplyInvalid || !strings.Contains(e.Print(), "cluster_id") {
		t.Errorf("error = %v", err)
	}
}

// The published documents of Azure, of both generations, find the estate's
// scopes as the built-in ones do: 1 list of subscriptions, 2 of host pools, 4 of
// sessions.
func TestDiscovery_publishedAzure(t *testing.T) {
	for _, archive := range []string{"azure.tar.zst", "azure-2025-09.tar.zst"} {
		sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithAPIVersions("2026-03-01", "2016-06-01"))
		s := open(t, url, planeql.WithDocuments(published(t, archive, "azure"), "azure"), planeql.WithoutCache())
		for _, c := range []struct {
			text, want string
			calls      int
		}{
			{"SELECT count(*) FROM azure.desktop_virtualization.user_sessions", "[[120]]", 7},
			{"SELECT host_pool_name, count(*) FROM azure.desktop_virtualization.user_sessions WHERE session_state = 'LogOff' GROUP BY 1", "[[hp-office 1]]", 7},
			{"SELECT count(*) FROM azure.desktop_virtualization.session_hosts h JOIN azure.compute.virtual_machines m ON m.id = h.resource_id WHERE h.subscription_id = m.subscription_id", "[[12]]", 9},
		} {
			sim.ResetRequests()
			rows := must(t, s, c.text)
			if got := fmt.Sprint(rows); got != c.want || len(sim.Requests()) != c.calls {
				t.Errorf("%s: %s\n%s in %d calls, want %s in %d", archive, c.text, got, len(sim.Requests()), c.want, c.calls)
				for _, r := range sim.Requests() {
					t.Log(r.Method, r.Path, r.Status)
				}
			}
		}
		if rows, err := s.Query(context.Background(), "EXPLAIN SELECT * FROM azure.desktop_virtualization.user_sessions"); err == nil {
			rows.Close()
		} else {
			t.Error(printed(err))
		}
	}
}
