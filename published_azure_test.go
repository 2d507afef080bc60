package planeql_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// generations are the published documents of Azure, with the versions that they
// ask for.
var generations = []struct {
	archive string
	avd     string
	further []string
}{
	{"azure-2025-09.tar.zst", "2024-04-08-preview", []string{"2024-04-08-preview", "2016-06-01", "2024-07-01"}},
	{"azure.tar.zst", "2024-04-03", []string{"2026-03-01", "2016-06-01", "2022-12-01"}},
}

// The statements of the page that started the project run as printed on both
// generations of the published documents, and send the same requests.
func TestPublishedAzure_seed(t *testing.T) {
	for _, g := range generations {
		documents := published(t, g.archive, "azure")
		blocks := seedBlocks(t)
		for i, block := range blocks {
			sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithAPIVersions(g.further...))
			values := aSession(t, open(t, url))
			c := seedCases(values)[i]
			c.query.Set("api-version", g.avd)
			fillSeed(values)
			s := open(t, url, planeql.WithVariables(values), planeql.WithDocuments(documents, "azure"))
			sim.ResetRequests()
			rows, err := query(t, s, block)
			if err != nil {
				t.Errorf("%s: %s\n%s", g.archive, block, shown(err))
				continue
			}
			c.rows(t, rows)
			checkSeedRequest(t, sim.Requests(), c, values["subscriptionId"])
		}
	}
}

// The estate query of the README and joins give the same rows whatever the
// documents, in the names of either generation.
func TestPublishedAzure_estate(t *testing.T) {
	statements := []string{
		"SELECT hostPoolName, sessionHostName, count(*) AS disconnected FROM azure.desktop_virtualization.user_sessions WHERE sessionState = 'Disconnected' AND createTime < now() - INTERVAL 8 HOUR GROUP BY ALL ORDER BY ALL",
		"SELECT host_pool_name, session_host_name, count(*) AS disconnected FROM azure.desktop_virtualization.user_sessions WHERE session_state = 'Disconnected' AND create_time < now() - INTERVAL 8 HOUR GROUP BY ALL ORDER BY ALL",
		"SELECT host_pool_name, count(*) FROM azure.desktop_virtualization.user_sessions WHERE properties.sessionState = 'Active' GROUP BY 1 ORDER BY 1",
		"SELECT h.name, h.properties.status, p.location FROM azure.desktop_virtualization.session_hosts h JOIN azure.desktop_virtualization.host_pools p USING (subscriptionId, resourceGroupName, hostPoolName) ORDER BY 1",
		"SELECT h.name, h.status, p.location FROM azure.desktop_virtualization.session_hosts h JOIN azure.desktop_virtualization.host_pools p USING (subscription_id, resource_group_name, host_pool_name) ORDER BY 1",
		"SELECT count(*) FROM azure.desktop_virtualization.session_hosts h JOIN azure.compute.virtual_machines m ON m.id = h.resourceId",
		"SELECT p.name, count(s.id) FROM azure.desktop_virtualization.host_pools p LEFT JOIN azure.desktop_virtualization.user_sessions s ON s.hostPoolName = p.name AND s.resourceGroupName = p.resourceGroupName AND s.subscriptionId = p.subscriptionId GROUP BY 1 ORDER BY 1",
		"SELECT name FROM azure.desktop_virtualization.host_pools p WHERE EXISTS (SELECT 1 FROM azure.desktop_virtualization.user_sessions s WHERE s.hostPoolName = p.name AND s.sessionState = 'Pending') ORDER BY 1",
	}
	_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithAPIVersions(append(generations[0].further, generations[1].further...)...))
	own := open(t, url)
	for _, g := range generations {
		s := open(t, url, planeql.WithDocuments(published(t, g.archive, "azure"), "azure"))
		for _, text := range statements {
			want, err := query(t, own, text)
			if err != nil || len(want) == 0 && !strings.Contains(text, "Pending") {
				t.Fatalf("%s: %v %s", text, want, shown(err))
			}
			got, err := query(t, s, text)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %s\n%v\nwant %v\n%s", g.archive, text, got, want, shown(err))
			}
		}
	}
}

// A view of the documents reads what its conditions outside name, and finds the
// rest: the text in the place of a parameter counts for nothing.
func TestPublishedAzure_view(t *testing.T) {
	_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithAPIVersions(generations[0].further...))
	s := open(t, url, planeql.WithDocuments(published(t, generations[0].archive, "azure"), "azure"))
	for text, want := range map[string]string{
		"SELECT count(*) FROM azure.desktop_virtualization.vw_user_sessions":                                                                                                                                                                   "[[120]]",
		"SELECT count(*), count(DISTINCT hostPoolName) FROM azure.desktop_virtualization.vw_user_sessions WHERE session_state = 'LogOff' AND hostPoolName = 'hp-office'":                                                                       "[[1 1]]",
		"SELECT count(*) FROM azure.desktop_virtualization.vw_user_sessions v JOIN azure.desktop_virtualization.host_pools p ON p.name = v.hostPoolName AND p.subscriptionId = v.subscriptionId AND p.resourceGroupName = v.resourceGroupName": "[[120]]",
	} {
		rows, err := query(t, s, text)
		if err != nil || fmt.Sprint(rows) != want {
			t.Errorf("%s\n%v\n%s", text, rows, shown(err))
		}
	}
}

// Rows that the document describes flattened have the members of properties,
// and the item's own where both have one; a list of texts has one column.
func TestPublishedAzure_rows(t *testing.T) {
	service := &counter{answers: map[string]string{
		"GET /subscriptions/s/providers/Microsoft.DesktopVirtualization/hostPools?api-version=2024-04-03": `{"value": [
			{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.DesktopVirtualization/hostPools/p", "name": "p", "location": "eu",
				"properties": {"name": "inner", "friendlyName": "below", "maxSessionLimit": 5, "agentUpdate": {"type": "a"}}, "friendlyName": "own", "agentUpdate": {"type": "b"}},
			{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.DesktopVirtualization/hostPools/q", "name": "q", "properties": {"friendlyName": "below", "agentUpdate": {"type": "a"}}}]}`,
		"GET /subscriptions/00000000-0000-0000-0000-00000000000a/providers/Microsoft.Network/applicationGatewayAvailableRequestHeaders?api-version=2024-03-01": `["Accept", "Via"]`,
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	for archive, statements := range map[string]map[string]string{
		"azure.tar.zst": {
			"SELECT name, friendly_name, max_session_limit, agent_update.type, location FROM azure.desktop_virtualization.host_pools WHERE subscription_id = 's' ORDER BY 1": "[[p own 5 b eu] [q below <nil> a <nil>]]",
		},
		"azure-2025-09.tar.zst": {
			"SELECT column_anon FROM azure.network.application_gateways_available_request_headers WHERE subscriptionId = '00000000-0000-0000-0000-00000000000a'": "[[Accept] [Via]]",
		},
	} {
		s := open(t, server.URL, planeql.WithDocuments(published(t, archive, "azure"), "azure"))
		for text, want := range statements {
			rows, err := query(t, s, text)
			if err != nil || fmt.Sprint(rows) != want {
				t.Errorf("%s\n%v\n%s%v", text, rows, shown(err), service.asked)
			}
		}
	}
}

// shown gives an error as it is printed, or nothing.
func shown(err error) string {
	if err == nil {
		return ""
	}
	return printed(err)
}
