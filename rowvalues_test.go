package planeql_test

import (
	"fmt"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
)

// A row value is compared with a query without case where its columns ignore it,
// in a SELECT and in the WHERE of a write.
func TestRowValues_query(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithYes())
	must(t, s, "CREATE TEMP TABLE hosts AS SELECT 'HP-Office' AS pool, upper(sessionHostName) AS host FROM azure.desktop_virtualization.session_hosts WHERE "+office4)
	all := must(t, s, "SELECT count(*) FROM azure.desktop_virtualization.session_hosts WHERE "+office4)
	for text, want := range map[string]string{
		"(hostPoolName, sessionHostName) IN (SELECT pool, host FROM hosts)":                                              fmt.Sprint(all),
		"(hostPoolName, sessionHostName) = ANY (SELECT pool, host FROM hosts)":                                           fmt.Sprint(all),
		"(hostPoolName, sessionHostName) NOT IN (SELECT pool, host FROM hosts)":                                          "[[0]]",
		"((hostPoolName, sessionHostName) IN (SELECT pool, host FROM hosts ORDER BY host LIMIT 1))":                      "[[1]]",
		"(hostPoolName, allowNewSession) IN (WITH t AS (SELECT pool, true FROM hosts) SELECT * FROM t) AND status = 'x'": "[[0]]",
	} {
		if got := fmt.Sprint(must(t, s, "SELECT count(*) FROM azure.desktop_virtualization.session_hosts WHERE "+office4+" AND "+text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	sim.ResetRequests()
	must(t, s, "UPDATE azure.desktop_virtualization.session_hosts SET allowNewSession = false WHERE "+office4+" AND (hostPoolName, sessionHostName) IN (SELECT pool, host FROM hosts ORDER BY host LIMIT 2)")
	if n := len(writesOf(sim)); n != 2 {
		t.Errorf("%d writes", n)
	}
}

// The values inside an object of SQL take the types of the schema, however deep.
func TestWrites_struct(t *testing.T) {
	sim, url := simulator(t, armsim.WithEstate(armsim.Small))
	s := open(t, url, planeql.WithYes())
	must(t, s, "UPDATE azure.desktop_virtualization.host_pools SET properties = {'maxSessionLimit': '5', 'description': 7, 'agentUpdate': "+
		"{'useSessionHostLocalTime': 'true', 'maintenanceWindows': [{'hour': '5', 'dayOfWeek': 'Monday'}]}}, tags = {'count': 3} WHERE "+office4)
	const want = `{"properties":{"maxSessionLimit":5,"description":"7","agentUpdate":{"useSessionHostLocalTime":true,"maintenanceWindows":[{"hour":5,"dayOfWeek":"Monday"}]}},"tags":{"count":"3"}}`
	if got := writesOf(sim); len(got) != 1 || string(got[0].Body) != want {
		t.Errorf("%s", got[0].Body)
	}
	_, err := query(t, s, "UPDATE azure.desktop_virtualization.host_pools SET properties = {'maxSessionLimit': 'many'} WHERE "+office4)
	if err == nil || len(writesOf(sim)) != 1 {
		t.Errorf("%v, %d writes", err, len(writesOf(sim)))
	}
}
