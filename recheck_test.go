package planeql_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planeql/planeql"
)

// twice is a service whose answers change with what it was asked before.
type twice struct {
	answer func(line string, asked int) (int, string) // asked: how often before
	mutex  sync.Mutex
	asked  []string
}

func (s *twice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, max(r.ContentLength, 0))
	_, _ = r.Body.Read(body)
	line := strings.TrimSpace(r.Method + " " + r.URL.Path + " " + r.URL.Query().Get("statusOnly") + r.URL.Query().Get("$expand") + " " + string(body))
	s.mutex.Lock()
	before := 0
	for _, other := range s.asked {
		if other == line {
			before++
		}
	}
	s.asked = append(s.asked, line)
	s.mutex.Unlock()
	status, text := s.answer(line, before)
	w.Header().Set("Content-Type", map[bool]string{true: "text/xml", false: "application/json"}[strings.HasPrefix(text, "<")])
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

// machine is a virtual machine with or without the view of how it runs.
func machine(name, state string) string {
	view := ""
	if state != "" {
		view = `"instanceView":{"statuses":[{"code":"PowerState/` + state + `"}]},`
	}
	return `{"id":"/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/` + name + `","name":"` + name +
		`","location":"eu","properties":{` + view + `"licenseType":"none"}}`
}

// A condition on what the reading of one object does not give is asked again of
// the listing that gave it: what has changed is passed over, the rest is done.
func TestRecheck_otherMethod(t *testing.T) {
	const list = "GET /subscriptions/00000000-0000-0000-0000-00000000000a/providers/Microsoft.Compute/virtualMachines true"
	service := &twice{answer: func(line string, asked int) (int, string) {
		switch {
		case line == list && asked == 0:
			return 200, `{"value":[` + machine("a", "running") + `,` + machine("b", "running") + `,` + machine("c", "stopped") + `]}`
		case line == list:
			return 200, `{"value":[` + machine("a", "running") + `,` + machine("b", "deallocated") + `,` + machine("c", "stopped") + `]}`
		case strings.HasPrefix(line, "GET"):
			return 200, machine(line[strings.LastIndex(line, "/")+1:], "")
		}
		return 200, ""
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	s := open(t, server.URL, planeql.WithYes())
	const text = "EXEC azure.compute.virtual_machines.deallocate FROM azure.compute.virtual_machines WHERE subscriptionId = '00000000-0000-0000-0000-00000000000a' AND statusOnly = 'true' AND CAST(properties.instanceView AS VARCHAR) LIKE '%running%'"
	rows := must(t, s, text)
	outcomes := map[string]any{}
	for _, row := range rows {
		id := row[0].(string)
		outcomes[id[strings.LastIndex(id, "/")+1:]] = row[1]
	}
	if fmt.Sprint(outcomes) != "map[a:done b:changed]" {
		t.Errorf("%v\n%s", rows, strings.Join(service.asked, "\n"))
	}
	if n := len(service.asked); n != 1+2+1+1 { // the list, both read, the list again, one call
		t.Errorf("%d calls:\n%s", n, strings.Join(service.asked, "\n"))
	}
	if plan := fmt.Sprint(must(t, s, "EXPLAIN "+text)); !strings.Contains(plan, "read again by get, and by list_all what that leaves out") {
		t.Error(plan)
	}
}

// Where nothing reads one object, the listing is made again, once for all: what
// is not there any more, or is not what it was, is passed over. A condition on
// the name alone asks nothing again.
func TestRecheck_otherProviders(t *testing.T) {
	user := func(name, path string) string {
		return "<member><UserName>" + name + "</UserName><Path>" + path + "</Path></member>"
	}
	service := &twice{answer: func(line string, asked int) (int, string) {
		switch {
		case strings.Contains(line, "Action=ListUsers") && asked == 0:
			return 200, "<ListUsersResponse><ListUsersResult><Users>" + user("ann", "/a/") + user("bob", "/a/") + user("cid", "/a/") + user("dan", "/d/") + "</Users></ListUsersResult></ListUsersResponse>"
		case strings.Contains(line, "Action=ListUsers"):
			return 200, "<ListUsersResponse><ListUsersResult><Users>" + user("ann", "/a/") + user("bob", "/z/") + "</Users></ListUsersResult></ListUsersResponse>"
		}
		return 200, "<DeleteUserResponse></DeleteUserResponse>"
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	s := open(t, server.URL, planeql.WithDocuments(published(t, "aws.tar.zst", "aws"), "aws"), planeql.WithYes(),
		planeql.WithEndpoint("aws", server.URL), planeql.WithAuth("aws", "none", nil))
	const text = "DELETE FROM aws.iam.users WHERE Path = '/a/'"
	var outcomes []string
	for _, row := range must(t, s, text) {
		outcomes = append(outcomes, fmt.Sprint(row[1]))
	}
	if slices.Sort(outcomes); fmt.Sprint(outcomes) != "[changed done gone]" || len(service.asked) != 3 {
		t.Errorf("%v\n%s", outcomes, strings.Join(service.asked, "\n"))
	}
	if plan := fmt.Sprint(must(t, s, "EXPLAIN "+text)); !strings.Contains(plan, "read again by list_users, once") {
		t.Error(plan)
	}
	if plan := fmt.Sprint(must(t, s, "EXPLAIN DELETE FROM aws.sqs.queues WHERE queue_url LIKE 'q/%'")); strings.Contains(plan, "read again") {
		t.Error(plan)
	}
}
