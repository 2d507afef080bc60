package rest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// paged is a listing of a published document, the requests it needs and its
// rows.
type paged struct {
	method    string // service.resource.method
	arguments []provider.Argument
	script    []exchange
	rows      []string
}

func link(target string) http.Header { return http.Header{"Link": {"<" + target + ">; rel=\"next\""}} }

func checkPaged(t *testing.T, archive, name string, cases ...paged) {
	t.Helper()
	var services []string
	for _, c := range cases {
		service, _, _ := strings.Cut(c.method, ".")
		services = append(services, service)
	}
	p := documents(t, archive, name, services...)
	for _, c := range cases {
		rows, err := play(t, provider.Call{Method: methodOf(t, p, c.method), Arguments: c.arguments}, c.script)
		if err != nil || !slices.Equal(rows, c.rows) {
			t.Errorf("%s: %q, %v", c.method, rows, err)
			if e := fault.As(err); e != nil {
				t.Log(e.Print())
			}
		}
	}
}

// GitHub and Okta go on by a header; GitHub's GraphQL is in graphql_test.go.
func TestPaging_headers(t *testing.T) {
	checkPaged(t, "github", "github", paged{
		method: "users.ssh_signing_keys.list_ssh_signing_keys_for_authenticated_user",
		script: []exchange{
			{request: "GET /user/ssh_signing_keys", answer: `[{"id":1}]`, header: link("%H/user/ssh_signing_keys?page=2")},
			{request: "GET /user/ssh_signing_keys?page=2", answer: `[{"id":2}]`, header: http.Header{"Link": {`<%H/user/ssh_signing_keys?page=1>; rel="prev"`}}},
		},
		rows: []string{`{"id":1}`, `{"id":2}`},
	}, paged{
		method: "actions.org_hosted_runners.list_hosted_runners_for_org", arguments: arguments("org=o"),
		script: []exchange{
			{request: "GET /orgs/o/actions/hosted-runners", answer: `{"total_count":2,"runners":[{"id":1}]}`, header: link("%H/orgs/o/actions/hosted-runners?page=2")},
			{request: "GET /orgs/o/actions/hosted-runners?page=2", answer: `{"total_count":2,"runners":[{"id":2}]}`},
		},
		rows: []string{`{"id":1}`, `{"id":2}`},
	})
	checkPaged(t, "okta", "okta", paged{
		method: "zones.network_zones.list_network_zones", arguments: arguments("limit=1"),
		script: []exchange{
			{request: "GET /api/v1/zones?limit=1", answer: `[{"id":"a"}]`, header: link("%H/api/v1/zones?after=a&limit=1")},
			{request: "GET /api/v1/zones?after=a&limit=1", answer: `[{"id":"b"}]`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
}

// Tokens of the body: stated by the document, or by the family alone.
func TestPaging_tokens(t *testing.T) {
	checkPaged(t, "googleapis.com", "google", paged{
		method: "workstations.workstation_clusters.list", arguments: arguments("projectsId=p", "locationsId=l"),
		script: []exchange{
			{request: "GET /v1/projects/p/locations/l/workstationClusters", answer: `{"workstationClusters":[{"name":"a"}],"nextPageToken":"t/1 2"}`},
			{request: "GET /v1/projects/p/locations/l/workstationClusters?pageToken=t%2F1%202", answer: `{"workstationClusters":[{"name":"b"}],"nextPageToken":""}`},
		},
		rows: []string{`{"name":"a"}`, `{"name":"b"}`},
	})
	checkPaged(t, "databricks_workspace", "databricks_workspace", paged{
		method: "tags.workspace_entity_tag_assignments.list", arguments: arguments("deployment_name=d", "entity_type=e", "entity_id=i"),
		script: []exchange{
			{request: "GET /api/2.0/entity-tag-assignments/e/i/tags", answer: `{"tag_assignments":[{"tag_key":"a"}],"next_page_token":"x"}`},
			{request: "GET /api/2.0/entity-tag-assignments/e/i/tags?page_token=x", answer: `{"tag_assignments":[{"tag_key":"b"}]}`},
		},
		rows: []string{`{"tag_key":"a"}`, `{"tag_key":"b"}`},
	})
	checkPaged(t, "k8s", "k8s", paged{
		method:    "admissionregistration_v1.validating_webhook_configuration.listAdmissionregistrationV1ValidatingWebhookConfiguration",
		arguments: arguments("cluster_addr=x", "protocol=http"),
		script: []exchange{
			{request: "GET /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", answer: `{"kind":"L","items":[{"kind":"a"}],"metadata":{"continue":"c1"}}`},
			{request: "GET /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations?continue=c1", answer: `{"kind":"L","items":[{"kind":"b"}],"metadata":{}}`},
		},
		rows: []string{`{"kind":"a"}`, `{"kind":"b"}`},
	})
	checkPaged(t, "fivetran", "fivetran", paged{
		method: "webhooks.webhooks.list_all_webhooks",
		script: []exchange{
			{request: "GET /v1/webhooks", answer: `{"code":"Success","data":{"items":[{"id":"a"}],"nextCursor":"n"}}`},
			{request: "GET /v1/webhooks?cursor=n", answer: `{"code":"Success","data":{"items":[{"id":"b"}],"nextCursor":null}}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
}

// The last id is on every page; a flag tells the end.
func TestPaging_flags(t *testing.T) {
	checkPaged(t, "openai", "openai", paged{
		method: "vector_stores.files.list", arguments: arguments("vector_store_id=v"),
		script: []exchange{
			{request: "GET /vector_stores/v/files", answer: `{"object":"list","data":[{"id":"a"}],"last_id":"a","has_more":true}`},
			{request: "GET /vector_stores/v/files?after=a", answer: `{"object":"list","data":[{"id":"b"}],"last_id":"b","has_more":false}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
	checkPaged(t, "pagerduty", "pagerduty", paged{
		method: "webhooks.webhook_subscriptions.list_webhook_subscriptions",
		script: []exchange{
			{request: "GET /webhook_subscriptions", answer: `{"webhook_subscriptions":[{"id":"a"},{"id":"b"}],"offset":0,"limit":2,"more":true,"total":null}`},
			{request: "GET /webhook_subscriptions?offset=2", answer: `{"webhook_subscriptions":[{"id":"c"}],"offset":2,"limit":2,"more":false,"total":null}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`, `{"id":"c"}`},
	})
}

// Links in the body, wherever the services put them.
func TestPaging_bodyLinks(t *testing.T) {
	checkPaged(t, "digitalocean", "digitalocean", paged{
		method: "vpcs.vpc_peerings.vpc_peerings_list",
		script: []exchange{
			{request: "GET /v2/vpc_peerings", answer: `{"vpc_peerings":[{"id":"a"}],"links":{"pages":{"next":"%H/v2/vpc_peerings?page=2","last":"%H/v2/vpc_peerings?page=2"}},"meta":{"total":2}}`},
			{request: "GET /v2/vpc_peerings?page=2", answer: `{"links":{"pages":{"prev":"%H/v2/vpc_peerings?page=1"}},"vpc_peerings":[{"id":"b"}],"meta":{"total":2}}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
	// Without links, the number of all items tells that one page has them.
	checkPaged(t, "test-registry", "digitalocean", paged{
		method: "droplets.droplets.list",
		script: []exchange{{request: "GET /v2/droplets", answer: `{"droplets":[{"id":1}],"links":{},"meta":{"total":1}}`}},
		rows:   []string{`{"id":1}`},
	})
	checkPaged(t, "entra_id", "entra_id", paged{
		method: "agreement_acceptances.agreement_acceptances.list",
		script: []exchange{
			{request: "GET /agreementAcceptances", answer: `{"value":[{"id":"a"}],"@odata.nextLink":"%H/agreementAcceptances?$skiptoken=x"}`},
			{request: "GET /agreementAcceptances?$skiptoken=x", answer: `{"value":[{"id":"b"}]}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
	checkPaged(t, "confluent", "confluent", paged{
		method: "usm.connect_clusters.list_usm_v1_connect_clusters", arguments: arguments("environment=e"),
		script: []exchange{
			{request: "GET /usm/v1/connect-clusters?environment=e", answer: `{"data":[{"id":"a"}],"metadata":{"next":"%H/usm/v1/connect-clusters?page_token=x"}}`},
			{request: "GET /usm/v1/connect-clusters?page_token=x", answer: `{"data":[{"id":"b"}],"metadata":{"next":""}}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
}

// Pages that are counted: by the document's word, by the answer's, or blindly.
func TestPaging_numbers(t *testing.T) {
	checkPaged(t, "linode", "linode", paged{
		method: "volumes.types.list",
		script: []exchange{
			{request: "GET /volumes/types", answer: `{"data":[{"id":"a"}],"page":1,"pages":2,"results":2}`},
			{request: "GET /volumes/types?page=2", answer: `{"data":[{"id":"b"}],"page":2,"pages":2,"results":2}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
	checkPaged(t, "cloudflare", "cloudflare", paged{
		method: "zones.zones.list",
		script: []exchange{
			{request: "GET /zones", answer: `{"result":[{"id":"a"}],"result_info":{"page":1,"per_page":1,"total_pages":2,"total_count":2},"success":true}`},
			{request: "GET /zones?page=2", answer: `{"result":[{"id":"b"}],"result_info":{"page":2,"per_page":1,"total_pages":2,"total_count":2},"success":true}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	}, paged{
		method: "zones.healthchecks.list", arguments: arguments("zone_id=z"),
		script: []exchange{
			{request: "GET /zones/z/smart_shield/healthchecks", answer: `{"result":[{"id":"a"}],"result_info":{"page":1,"per_page":1,"total_count":2}}`},
			{request: "GET /zones/z/smart_shield/healthchecks?page=2", answer: `{"result":[{"id":"b"}],"result_info":{"page":2,"per_page":1,"total_count":2}}`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
	checkPaged(t, "netlify", "netlify", paged{
		method: "submission.sites_submissions.listSiteSubmissions", arguments: arguments("site_id=s"),
		script: []exchange{
			{request: "GET /sites/s/submissions", answer: `[{"id":"a"}]`},
			{request: "GET /sites/s/submissions?page=2", answer: `[{"id":"b"}]`},
			{request: "GET /sites/s/submissions?page=3", answer: `[]`},
		},
		rows: []string{`{"id":"a"}`, `{"id":"b"}`},
	})
}

// A list that would end at its first page although the service says otherwise
// is an error.
func TestPaging_stuck(t *testing.T) {
	p := documents(t, "vercel", "vercel", "secrets")
	_, err := play(t, provider.Call{Method: methodOf(t, p, "secrets.secrets.get_secrets"), Arguments: arguments("teamId=t")}, []exchange{
		{request: "GET /v3/secrets?teamId=t", answer: `{"secrets":[{"uid":"a"}],"pagination":{"count":1,"next":1,"hasNext":true}}`},
	})
	e := fault.As(err)
	if e == nil || e.Code != fault.ReplyInvalid || !strings.Contains(e.Message, "the service says that more rows follow") || e.Hint == "" {
		t.Errorf("got %v", err)
	}
}
