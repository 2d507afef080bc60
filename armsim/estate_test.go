package armsim

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

// census counts the objects of each kind.
func census(s *Simulator) map[string]int {
	n := map[string]int{}
	for _, sl := range s.store.slots {
		n[sl.obj.kind]++
	}
	return n
}

func TestEstates(t *testing.T) {
	for name, c := range map[string]struct {
		estate Estate
		want   map[string]int
	}{
		"empty": {Empty, map[string]int{tenantKind: 1}},
		"small": {Small, map[string]int{subscriptionKind: 2, groupKind: 3, poolKind: 4, hostKind: 12, sessionKind: 120, machineKind: 12, appGroupKind: 4, workspaceKind: 3, scalingPlanKind: 1}},
		"tour":  {Tour, map[string]int{subscriptionKind: 3, groupKind: 4, poolKind: 5, hostKind: 13, sessionKind: 13, machineKind: 13, scalingPlanKind: 2}},
		"large": {Large, map[string]int{subscriptionKind: 5, groupKind: 15, poolKind: 60, hostKind: 600, sessionKind: 20_000, machineKind: 600}},
	} {
		got := census(newSim(t, WithEstate(c.estate)))
		for kind, want := range c.want {
			if got[kind] != want {
				t.Errorf("%s: %d %s, want %d", name, got[kind], kind, want)
			}
		}
	}
}

func TestEstateFollowsTheSeed(t *testing.T) {
	dump := func(seed int64) string {
		s := newSim(t, WithSeed(seed))
		var b strings.Builder
		for _, key := range sortedKeys(s.store.slots) {
			b.Write(s.store.get(key).raw)
		}
		return b.String()
	}
	if first, second := dump(3), dump(3); first != second {
		t.Error("two runs of a seed differ")
	}
	if dump(3) == dump(4) {
		t.Error("two seeds give the same")
	}
}

func TestSmallEstateIsPlausible(t *testing.T) {
	s := newSim(t)
	states := map[string]int{}
	items, _ := all(t, s, officePool+"/userSessions?"+version)
	for _, item := range items {
		p := properties(t, item)
		states[textOf(p, "sessionState")]++
		at, err := time.Parse(time.RFC3339Nano, textOf(p, "createTime"))
		if age := fixed().Sub(at); err != nil || age < 0 || age > 5*24*time.Hour {
			t.Errorf("created %v", p["createTime"])
		}
		if !strings.HasSuffix(textOf(p, "userPrincipalName"), "@contoso.com") || !strings.HasPrefix(textOf(p, "activeDirectoryUserName"), `CONTOSO\`) {
			t.Errorf("user %v", p)
		}
	}
	if states["Active"] < 20 || states["Disconnected"] < 8 {
		t.Errorf("states %v", states)
	}
	hosts, _ := all(t, s, officePool+"/sessionHosts?"+version)
	total := 0
	for _, h := range hosts {
		n, err := properties(t, h)["sessions"].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		total += int(n)
	}
	if total != len(items) {
		t.Errorf("hosts count %d sessions, there are %d", total, len(items))
	}
}

func TestReadScenario(t *testing.T) {
	sc, err := ReadScenario(strings.NewReader(`
domain: fabrikam.com
subscriptions:
  - id: 11111111-2222-4333-8444-555555555555
    name: Lab
    groups:
      - name: rg-lab
        tags: {env: lab}
        pools:
          - name: hp-lab
            sessions: 4
            hosts:
              - name: lab-0.fabrikam.com
                sessions:
                  - {id: 7, user: eva.stone@fabrikam.com, state: Disconnected, started: 26h}
              - {name: lab-1, power: deallocated, status: Unavailable, allowNewSession: false, sessions: 2}
          - {name: hp-two, hosts: 2, type: Personal}
        resources:
          - {type: Microsoft.DesktopVirtualization/applicationGroups, name: ag, location: uksouth, properties: {applicationGroupType: RemoteApp}}
          - {type: Microsoft.DesktopVirtualization/applicationGroups/applications, name: ag/calc, properties: {iconIndex: 3}}
`))
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, WithScenario(sc))
	base := "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg-lab/providers/Microsoft.DesktopVirtualization"
	eva := properties(t, ask(t, s, "GET", base+"/hostPools/hp-lab/sessionHosts/lab-0.fabrikam.com/userSessions/7?"+version, "").want(t, 200).object(t))
	if eva["createTime"] != "2026-03-10T07:30:00Z" || eva["sessionState"] != "Disconnected" || eva["activeDirectoryUserName"] != `FABRIKAM\eva.stone` {
		t.Errorf("session %v", eva)
	}
	sessions, _ := all(t, s, base+"/hostPools/hp-lab/userSessions?"+version)
	down := properties(t, ask(t, s, "GET", base+"/hostPools/hp-lab/sessionHosts/lab-1?"+version, "").object(t))
	if len(sessions) != 7 || down["allowNewSession"] != false || down["sessions"] != json.Number("2") {
		t.Errorf("%d sessions, host %v", len(sessions), down)
	}
	app := ask(t, s, "GET", base+"/applicationGroups/ag/applications/calc?"+version, "").want(t, 200).object(t)
	if app["name"] != "ag/calc" || properties(t, app)["iconIndex"] != json.Number("3") {
		t.Errorf("application %v", app)
	}
}

func TestBadScenarios(t *testing.T) {
	head := "subscriptions: [{id: 11111111-2222-4333-8444-555555555555, groups: [{name: g, "
	for _, text := range []string{
		"subscriptions: [{id: x}]", "subscription: []", "subscriptions: 5", "{", "- a",
		head + "pools: [{name: a/b}]}]}]", head + "pools: [{name: p, type: Shared}]}]}]", head + "pools: [{name: p, sessions: 3}]}]}]",
		head + "pools: [{name: p, hosts: -1}]}]}]", head + "pools: [{name: p, hosts: 2000001}]}]}]",
		head + "pools: [{name: p, hosts: [{name: ''}]}]}]}]", head + "pools: [{name: p, hosts: [{name: h, power: on}]}]}]}]",
		head + "pools: [{name: p, hosts: [{nam: h}]}]}]}]", head + "resources: [{type: A/b, name: c/d}]}]}]", head + "resources: [{name: c}]}]}]",
		head + "pools: [{name: p, hosts: [{name: h, sessions: [{user: u, stat: Active}]}]}]}]}]",
	} {
		_, err := ReadScenario(strings.NewReader(text))
		if f := fault.As(err); f == nil || f.Code != fault.InvalidFlag || f.Detail == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := New(WithScenario(&Scenario{Subscriptions: []Subscription{{ID: "x"}}})); err == nil {
		t.Error("a scenario made in Go is not checked")
	}
	if _, err := ReadScenario(io.MultiReader(strings.NewReader("{"), failingReader{})); err == nil {
		t.Error("a reader's error is lost")
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func FuzzReadScenario(f *testing.F) {
	f.Add("subscriptions: [{id: 11111111-2222-4333-8444-555555555555, groups: [{name: g, pools: [{name: p, hosts: 2}]}]}]")
	f.Fuzz(func(t *testing.T, text string) {
		sc, err := ReadScenario(strings.NewReader(text))
		if err == nil && sc.check() != nil {
			t.Error("read and not valid")
		}
	})
}

func TestPutAndObject(t *testing.T) {
	s := newSim(t, WithEstate(Empty))
	id := "/subscriptions/" + TestSubscription + "/resourceGroups/Some-Group/providers/Microsoft.DesktopVirtualization/hostPools/P1"
	if err := s.Put(id, map[string]any{"location": "uksouth", "properties": map[string]any{"ring": 2}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(id+"/sessionHosts/h/userSessions/3", json.RawMessage(`{"properties":{"sessionState":"Active"}}`)); err != nil {
		t.Fatal(err)
	}
	doc, ok := s.Object(strings.ToUpper(id))
	if !ok || doc["name"] != "P1" || !strings.HasSuffix(textOf(doc, "id"), "/resourcegroups/Some-Group/providers/Microsoft.DesktopVirtualization/hostpools/P1") {
		t.Errorf("object %v", doc)
	}
	ask(t, s, "GET", id+"/userSessions?"+version, "").want(t, 200)
	unknown := "/subscriptions/" + TestSubscription + "/resourceGroups/Some-Group/providers/Microsoft.Web/sites/x"
	if err := s.Put(unknown, map[string]any{"kind": "app"}); err != nil {
		t.Fatal(err)
	}
	if a := ask(t, s, "GET", unknown+"?api-version=2020-01-01", "").want(t, 200); a.object(t)["type"] != "Microsoft.Web/sites" {
		t.Errorf("%s", a.text)
	}
	for id, object := range map[string]any{id + "/sessionHosts": map[string]any{}, "nonsense//": map[string]any{}, id: []int{1}, id + "x": func() {}} {
		if err := s.Put(id, object); err == nil {
			t.Errorf("%s is taken", id)
		}
	}
	if !s.Remove(id) || s.Remove(id) {
		t.Error("remove does not tell")
	}
	if _, ok := s.Object(id + "/sessionHosts/h/userSessions/3"); ok {
		t.Error("a child outlives its parent")
	}
}

// trusting gives a client that trusts the server's certificate.
func trusting(s *Server) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.Trust(), MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}
}

func TestServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cert.pem")
	server, err := StartTLS("127.0.0.1:0", file, WithoutAuth())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !slices.Equal(text, server.Certificate) {
		t.Fatalf("certificate file: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("the file holds no certificate")
	}
	client := trusting(server)
	defer client.CloseIdleConnections()
	for _, base := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		resp, err := client.Get(base + officePool + "/userSessions?pageSize=1&" + version)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil || !strings.Contains(string(body), `"nextLink":"`+base+"/subscriptions/") {
			t.Errorf("%s: %v %s", base, err, body)
		}
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := Start("256.0.0.1:x"); err == nil {
		t.Error("an address that is none is taken")
	}
	if _, err := StartTLS("127.0.0.1:0", filepath.Join(file, "no", "folder")); err == nil {
		t.Error("a file that cannot be written is taken")
	}
}

// TestConcurrentUse reads and writes from many goroutines at once; the race
// detector does the judging.
func TestConcurrentUse(t *testing.T) {
	s := newSim(t, WithOperations(1, 0))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				name := fmt.Sprintf("%s/workspaces/w-%d-%d?%s", avdPath, i, n, version)
				ask(t, s, http.MethodPut, name, `{"location":"westeurope"}`)
				ask(t, s, http.MethodGet, officePool+"/userSessions?pageSize=20&"+version, "")
				ask(t, s, http.MethodPatch, officeHost+"?"+version, `{"properties":{"allowNewSession":true}}`)
				ask(t, s, http.MethodPost, machinePath+"/start?"+machineVersion, "")
				ask(t, s, http.MethodGet, production+"/resources?api-version=2021-04-01", "")
				ask(t, s, http.MethodDelete, name, "")
				s.Requests()
			}
		})
	}
	wg.Wait()
	if list, _ := all(t, s, avdPath+"/workspaces?"+version); len(list) != 1 {
		t.Errorf("left: %v", names(list))
	}
}

func BenchmarkListLargeEstate(b *testing.B) {
	s := newSim(b, WithEstate(Large))
	sub := s.store.list("", subscriptionKind)[0].obj
	target := textOf(sub.doc, "id") + "/resourceGroups/rg-avd-1-westeurope/providers/Microsoft.DesktopVirtualization/hostPools/hp-1-01/userSessions?" + version
	b.ReportAllocs()
	for b.Loop() {
		ask(b, s, http.MethodGet, target, "")
	}
}

func BenchmarkLargeEstate(b *testing.B) {
	for b.Loop() {
		newSim(b, WithEstate(Large))
	}
}
