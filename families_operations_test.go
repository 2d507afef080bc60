package planeql_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
)

// slowCloud goes on with each write, and answers polls by a list, the last answer
// again and again.
type slowCloud struct {
	poll    func(r *http.Request, body string) bool
	begun   string
	answers []string

	mutex sync.Mutex
	asked []string
	polls int
}

func (s *slowCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is missing shows in the answer
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After-Ms", "1")
	if !s.poll(r, string(body)) {
		fmt.Fprint(w, s.begun)
		return
	}
	fmt.Fprint(w, s.answers[min(s.polls, len(s.answers)-1)])
	s.polls++
}

// slowWrite is a statement over a published provider, and how a service goes on
// with it.
type slowWrite struct {
	archive, folder, provider string
	text                      string
	service                   slowCloud
	outcome                   string
	words                     string // of the error
}

// The operations of Google and of AWS Cloud Control, as the published documents
// have them: waited for to their end, left and picked up again by another session.
func TestFamilies_operations(t *testing.T) {
	const operation = "projects/p/locations/l/operations/o1"
	google := func(r *http.Request, _ string) bool { return strings.Contains(r.URL.Path, "/operations/") }
	control := func(r *http.Request, body string) bool {
		return strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetResourceRequestStatus") && strings.Contains(body, `"RequestToken":"T0K3N"`)
	}
	event := func(status, more string) string {
		return `{"ProgressEvent":{"RequestToken":"T0K3N","Identifier":"a","RetryAfter":1,"OperationStatus":"` + status + `"` + more + `}}`
	}
	const (
		deleteFunction = "DELETE %s FROM google.cloudfunctions.functions WHERE projectsId = 'p' AND locationsId = 'l' AND functionsId = 'f'"
		deleteAnalyzer = "DELETE %s FROM awscc.accessanalyzer.analyzers WHERE Identifier = 'a' AND region = 'eu-west-1'"
	)
	for name, c := range map[string]*slowWrite{
		"google": {"googleapis.com.tar.zst", "googleapis.com", "google", deleteFunction,
			slowCloud{poll: google, begun: `{"name":"` + operation + `","metadata":{}}`, answers: []string{`{"name":"` + operation + `","metadata":{}}`, `{"name":"` + operation + `","done":true,"response":{}}`}}, "done", ""},
		"google fails": {"googleapis.com.tar.zst", "googleapis.com", "google", deleteFunction,
			slowCloud{poll: google, begun: `{"name":"` + operation + `","metadata":{}}`, answers: []string{`{"name":"` + operation + `","done":true,"error":{"code":9,"message":"it is in use"}}`}}, "failed", "it is in use"},
		"cloud control": {"awscc.tar.zst", "awscc", "awscc", deleteAnalyzer,
			slowCloud{poll: control, begun: event("PENDING", ""), answers: []string{event("IN_PROGRESS", ""), event("SUCCESS", "")}}, "done", ""},
		"cloud control fails": {"awscc.tar.zst", "awscc", "awscc", deleteAnalyzer,
			slowCloud{poll: control, begun: event("IN_PROGRESS", ""), answers: []string{event("FAILED", `,"ErrorCode":"ResourceConflict","StatusMessage":"it is in use"`)}}, "failed", "it is in use"},
	} {
		t.Run(name, func(t *testing.T) { testSlowWrite(t, c) })
	}
}

func testSlowWrite(t *testing.T, c *slowWrite) {
	server := httptest.NewServer(&c.service)
	t.Cleanup(server.Close)
	documents, file := published(t, c.archive, c.folder), filepath.Join(t.TempDir(), "operations.jsonl")
	session := func() *planeql.Session {
		return open(t, server.URL, planeql.WithDocuments(documents, c.provider), planeql.WithYes(), planeql.WithJournal(file),
			planeql.WithEndpoint(c.provider, server.URL), planeql.WithAuth(c.provider, "none", nil))
	}
	check := func(err error) {
		t.Helper()
		if e := fault.As(err); c.words == "" && err != nil || c.words != "" && (e == nil || !strings.Contains(e.Print(), c.words)) {
			t.Errorf("error %v, want %q", err, c.words)
		}
	}
	_, err := query(t, session(), fmt.Sprintf(c.text, ""))
	check(err)
	c.service.polls = 0
	rows, err := query(t, session(), fmt.Sprintf(c.text, "/*+ NOWAIT */"))
	if err != nil || len(rows) != 1 || rows[0][1] != "accepted" || c.service.polls > 0 {
		t.Fatalf("%v, %v, %d polls", rows, shown(err), c.service.polls)
	}
	s := session()
	waited, err := s.WaitOperations(t.Context())
	if err == nil {
		for waited.Next() {
			continue
		}
		err = waited.Err()
		waited.Close()
	}
	check(err)
	outcomes := must(t, s, "SELECT outcome FROM planeql_operations()")
	if want := fmt.Sprintf("[[%s] [%[1]s]]", c.outcome); fmt.Sprint(outcomes) != want {
		t.Errorf("the journal has %v, want %s", outcomes, want)
	}
	writes := len(slices.DeleteFunc(c.service.asked, func(line string) bool { return strings.Contains(line, "/operations/") })) - strings.Count(c.provider, "awscc")*len(c.service.answers)*2
	if writes != 2 {
		t.Errorf("%d writes: %q", writes, c.service.asked)
	}
}
