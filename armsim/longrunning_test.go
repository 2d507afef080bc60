package armsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

const (
	newMachine  = westEurope + "/providers/Microsoft.Compute/virtualMachines/new-0"
	machineBody = `{"location":"westeurope","properties":{"hardwareProfile":{"vmSize":"Standard_D4s_v5"},"osProfile":{"computerName":"new-0","adminUsername":"a","adminPassword":"secret"}}}`
	plainBody   = `{"location":"westeurope"}`
)

// link gives the path of a poll link.
func link(text string) string { return strings.TrimPrefix(text, "http://sim.test") }

// lengthOf polls until an operation says that it has ended, as its header says,
// and gives the number of polls, the last answer and its status word.
func lengthOf(t *testing.T, s *Simulator, begun answer, subject string) (polls int, last answer, word string) {
	t.Helper()
	async, target := begun.Header.Get("Azure-AsyncOperation")+begun.Header.Get("Operation-Location"), begun.Header.Get("Location")
	for polls = 1; polls < 20; polls++ {
		switch {
		case async != "":
			last = ask(t, s, http.MethodGet, link(async), "")
		case target != "":
			last = ask(t, s, http.MethodGet, link(target), "")
			if next := last.Header.Get("Location"); next != "" {
				target = next
			}
		default:
			last = ask(t, s, http.MethodGet, subject, "")
		}
		word = wordOf(last)
		switch strings.ToLower(word) {
		case "inprogress", "accepted", "deleting", "creating", "updating":
			continue
		}
		if last.StatusCode != http.StatusAccepted && last.StatusCode != http.StatusTooManyRequests {
			return polls, last, word
		}
	}
	return polls, last, word
}

// wordOf gives the status or the provisioning state that an answer holds.
func wordOf(a answer) string {
	doc, err := decodeObject(a.text)
	if err != nil {
		return ""
	}
	return firstOf(textOf(doc, "status"), textOf(propertiesOf(doc), "provisioningState"))
}

// TestLongRunningStyles begins an operation in every style and polls it to its end.
func TestLongRunningStyles(t *testing.T) {
	workspace := avdPath + "/workspaces/ws-new?" + version
	old := avdPath + "/workspaces/ws-avd-prod-weu?" + version
	for name, c := range map[string]struct {
		rule, method, target, body string
		status                     int
		headers                    string // of the first answer
		state                      string // in the body of the first answer
		polls, last                int
		word                       string
	}{
		"put aao":                 {"style=aao", "PUT", newMachine + "?" + machineVersion, machineBody, 201, "aao", "Creating", 2, 200, "Succeeded"},
		"put as the service does": {"", "PUT", newMachine + "?" + machineVersion, machineBody, 201, "aao", "Creating", 2, 200, "Succeeded"},
		"put replaces":            {"style=aao+loc", "PUT", machinePath + "?" + machineVersion, plainBody, 200, "aao loc", "Updating", 2, 200, "Succeeded"},
		"put accepted":            {"style=loc,status=202", "PUT", workspace, plainBody, 202, "loc", "", 2, 200, ""},
		"put loc":                 {"style=loc", "PUT", workspace, plainBody, 202, "loc", "", 2, 200, ""},
		"put loc without content": {"style=loc,answer=no-content", "PUT", workspace, plainBody, 202, "loc", "", 2, 204, ""},
		"put loc empty":           {"style=loc,answer=empty", "PUT", workspace, plainBody, 202, "loc", "", 2, 200, ""},
		"put loc with status":     {"style=loc,answer=accepted", "PUT", workspace, plainBody, 202, "loc", "", 2, 200, ""},
		"put address":             {"style=address", "PUT", workspace, plainBody, 201, "loc", "", 1, 400, ""},
		"put body":                {"style=body", "PUT", workspace, plainBody, 201, "", "Creating", 2, 200, ""},
		"put body of a machine":   {"style=body,polls=3", "PUT", newMachine + "?" + machineVersion, machineBody, 201, "", "Creating", 4, 200, "Succeeded"},
		"put without header":      {"style=bare,answer=lower", "PUT", newMachine + "?" + machineVersion, machineBody, 202, "", "creating", 2, 200, "succeeded"},
		"put fails in its body":   {"style=body,end=failed", "PUT", workspace, plainBody, 201, "", "Creating", 2, 200, "Failed"},
		"put done in spite":       {"style=aao-done", "PUT", newMachine + "?" + machineVersion, machineBody, 201, "aao", "Succeeded", 1, 200, "Succeeded"},
		"put once":                {"style=none", "PUT", newMachine + "?" + machineVersion, machineBody, 201, "", "Succeeded", 1, 200, "Succeeded"},
		"put gives the resource":  {"style=aao,answer=resource", "PUT", workspace, plainBody, 201, "aao", "", 2, 200, ""},
		"patch accepted":          {"style=loc,polls=0", "PATCH", old, plainBody, 202, "loc", "", 1, 200, ""},
		"patch both, 200":         {"style=aao+loc,status=200", "PATCH", machinePath + "?" + machineVersion, `{"tags":{"a":"b"}}`, 200, "aao loc", "Updating", 2, 200, "Succeeded"},
		"patch body":              {"style=body", "PATCH", machinePath + "?" + machineVersion, `{"tags":{"a":"b"}}`, 200, "", "Updating", 2, 200, "Succeeded"},
		"delete both":             {"", "DELETE", machinePath + "?" + machineVersion, "", 202, "aao loc", "", 2, 200, "Succeeded"},
		"delete aao only":         {"style=aao,answer=status", "DELETE", old, "", 202, "aao", "", 2, 200, "Succeeded"},
		"delete loc moves":        {"style=loc,answer=moved,polls=3", "DELETE", old, "", 202, "loc", "", 4, 200, ""},
		"delete loc, gone":        {"style=loc,answer=gone", "DELETE", old, "", 202, "loc", "", 2, 404, ""},
		"delete loc, throttled":   {"style=loc,answer=throttled", "DELETE", old, "", 202, "loc", "", 3, 200, ""},
		"delete without header":   {"style=bare", "DELETE", old, "", 202, "", "Deleting", 2, 404, ""},
		"delete with 202 polls":   {"style=aao,answer=accepted", "DELETE", old, "", 202, "aao", "", 2, 200, "Succeeded"},
		"delete a group":          {"", "DELETE", westEurope + "?api-version=2021-04-01", "", 202, "loc", "", 2, 200, ""},
		"post both":               {"", "POST", machinePath + "/deallocate?" + machineVersion, "", 202, "aao loc", "", 2, 200, "Succeeded"},
		"post operation-location": {"style=operation-location,answer=full", "POST", machinePath + "/start?" + machineVersion, "", 202, "ol", "", 2, 200, "Succeeded"},
		"post loc, 200":           {"style=loc,status=200", "POST", machinePath + "/start?" + machineVersion, "", 200, "loc", "", 2, 200, ""},
		"post fails":              {"style=aao,end=failed,code=AllocationFailed", "POST", machinePath + "/start?" + machineVersion, "", 202, "aao", "", 2, 200, "Failed"},
		"post fails by location":  {"style=loc,end=canceled", "POST", machinePath + "/start?" + machineVersion, "", 202, "loc", "", 2, 200, "Canceled"},
		"post never ends":         {"end=never", "POST", machinePath + "/start?" + machineVersion, "", 202, "aao loc", "", 20, 200, "InProgress"},
		"post without header":     {"style=bare", "POST", machinePath + "/start?" + machineVersion, "", 202, "", "", 1, 200, "Succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := ParseLongRunning(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			s := newSim(t, WithLongRunning(rules...))
			begun := ask(t, s, c.method, c.target, c.body).want(t, c.status)
			if got := headersOf(begun); got != c.headers || wordOf(begun) != c.state {
				t.Errorf("begun with headers %q and state %q: %s", got, wordOf(begun), begun.text)
			}
			subject := c.target
			if c.method == http.MethodPost {
				subject = machinePath + "?" + machineVersion
			}
			polls, last, word := lengthOf(t, s, begun, subject)
			if polls != c.polls || last.StatusCode != c.last || word != c.word {
				t.Errorf("ended after %d polls with %d %q: %s", polls, last.StatusCode, word, last.text)
			}
		})
	}
}

// headersOf names the headers by which an operation can be polled.
func headersOf(a answer) string {
	var list []string
	for _, h := range []struct{ name, word string }{{"Azure-AsyncOperation", "aao"}, {"Location", "loc"}, {"Operation-Location", "ol"}} {
		if a.Header.Get(h.name) != "" {
			list = append(list, h.word)
		}
	}
	return strings.Join(list, " ")
}

func TestFailedOperationsChangeNothing(t *testing.T) {
	s := newSim(t, WithLongRunning(LongRunning{End: Failed, Code: "AllocationFailed", Message: "No room."}))
	begun := ask(t, s, http.MethodPost, machinePath+"/deallocate?"+machineVersion, "").want(t, http.StatusAccepted)
	if powerOf(t, s) != "PowerState/deallocating" {
		t.Errorf("on the way: %s", powerOf(t, s))
	}
	_, last, _ := lengthOf(t, s, begun, "")
	e, _ := last.object(t)["error"].(map[string]any)
	if textOf(e, "code") != "AllocationFailed" || textOf(e, "message") != "No room." || powerOf(t, s) != "PowerState/running" {
		t.Errorf("%s, %s", last.text, powerOf(t, s))
	}
	begun = ask(t, s, http.MethodDelete, machinePath+"?"+machineVersion, "").want(t, http.StatusAccepted)
	lengthOf(t, s, begun, "")
	if left := ask(t, s, http.MethodGet, machinePath+"?"+machineVersion, "").want(t, http.StatusOK); wordOf(left) != "Failed" {
		t.Errorf("after a deletion that failed: %s", left.text)
	}
}

func TestOneOperationAtATime(t *testing.T) {
	s := newSim(t, WithOperations(5, 0))
	stop := func() answer { return ask(t, s, http.MethodPost, machinePath+"/deallocate?"+machineVersion, "") }
	begun := stop().want(t, http.StatusAccepted)
	for _, again := range []answer{
		stop(), ask(t, s, http.MethodPatch, machinePath+"?"+machineVersion, `{"tags":{}}`),
		ask(t, s, http.MethodDelete, machinePath+"?"+machineVersion, ""),
	} {
		if again.StatusCode != http.StatusConflict || again.code(t) != "AnotherOperationInProgress" || len(again.text) > 600 {
			t.Errorf("%d %s", again.StatusCode, again.text)
		}
	}
	ask(t, s, http.MethodPost, strings.Replace(machinePath, "office-0", "office-1", 1)+"/deallocate?"+machineVersion, "").want(t, http.StatusAccepted)
	if polls, _, _ := lengthOf(t, s, begun, ""); polls != 6 {
		t.Errorf("%d polls", polls)
	}
	stop().want(t, http.StatusAccepted)

	group := westEurope + "?api-version=2021-04-01"
	first := ask(t, s, http.MethodDelete, group, "").want(t, http.StatusAccepted)
	if second := ask(t, s, http.MethodDelete, group, "").want(t, http.StatusAccepted); second.Header.Get("Location") != first.Header.Get("Location") {
		t.Errorf("a second deletion is another one: %v", second.Header)
	}
	refused := ask(t, s, http.MethodPut, avdPath+"/workspaces/ws-new?"+version, plainBody).want(t, http.StatusConflict)
	if refused.code(t) != "ResourceGroupBeingDeleted" {
		t.Errorf("%s", refused.text)
	}
}

// TestWritesAreAccountedFor holds the log of requests against what was carried out,
// heard of or not.
func TestWritesAreAccountedFor(t *testing.T) {
	lose := true
	server, err := Start("127.0.0.1:0", WithoutAuth(), WithHook(func(r *http.Request) Outcome {
		defer func() { lose = false }()
		return Outcome{Lose: lose}
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	send := func() error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+machinePath+"/deallocate?"+machineVersion, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err == nil {
			err = answer.Body.Close()
		}
		return err
	}
	if send() == nil || send() != nil {
		t.Fatal("the first answer is lost, the second is not")
	}
	log := server.Simulator.Requests()
	if len(log) != 2 || !log[0].Done || log[0].Status != 0 || log[0].Operation == "" || log[0].RequestID != "" {
		t.Errorf("lost: %+v", log[0])
	}
	ask(t, server.Simulator, http.MethodDelete, avdPath+"/workspaces/none?"+version, "").want(t, http.StatusNoContent)
	if last := server.Simulator.Requests()[2]; last.Done || last.Status != http.StatusNoContent {
		t.Errorf("nothing was deleted: %+v", last)
	}
	if log[1].Done || log[1].Status != http.StatusConflict || log[1].RequestID == "" {
		t.Errorf("second: %+v", log[1])
	}
}

func TestRetryAfterOfOperations(t *testing.T) {
	for text, want := range map[string][2]string{"retry-after=30s": {"30", ""}, "retry-after=50ms": {"", "50"}, "retry-after=0s": {"", ""}, "": {"1", ""}} {
		rules, err := ParseLongRunning(text)
		if err != nil {
			t.Fatal(err)
		}
		begun := ask(t, newSim(t, WithLongRunning(rules...)), http.MethodPost, machinePath+"/start?"+machineVersion, "")
		if got := [2]string{begun.Header.Get("Retry-After"), begun.Header.Get("Retry-After-Ms")}; got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestParseLongRunning(t *testing.T) {
	rules, err := ParseLongRunning(" style=aao, polls=0 ;; type=Microsoft.Compute/virtualMachines,method=post,status=202,end=failed,retry-after=2s,answer=full,code=X,message=Y ")
	want := []LongRunning{{Style: AsyncOperation, Polls: -1}, {
		Type: "Microsoft.Compute/virtualMachines", Method: "POST", Status: 202, End: Failed, RetryAfter: 2 * time.Second, Answer: AnswerFull, Code: "X", Message: "Y",
	}}
	if err != nil || len(rules) != 2 || rules[0] != want[0] || rules[1] != want[1] {
		t.Errorf("%+v, %v", rules, err)
	}
	for _, text := range []string{"style=aa", "polls=many", "stile=aao", "end=never,status=404", "retry-after=soon", "answer", "aao"} {
		if _, err := ParseLongRunning(text); fault.As(err) == nil && text != "answer" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestScenarioSaysHowWritesBehave(t *testing.T) {
	sc, err := ReadScenario(strings.NewReader(`
etags: true
longRunning:
  - {type: Microsoft.DesktopVirtualization/workspaces, style: aao, polls: 0, retryAfter: 2s}
subscriptions:
  - {id: ` + ProductionSubscription + `, name: One, groups: [{name: rg-avd-prod-weu}]}`))
	if err != nil {
		t.Fatal(err)
	}
	begun := ask(t, newSim(t, WithScenario(sc)), http.MethodPut, avdPath+"/workspaces/w?"+version, plainBody).want(t, http.StatusCreated)
	if headersOf(begun) != "aao" || begun.Header.Get("Retry-After") != "2" || begun.Header.Get("ETag") == "" {
		t.Errorf("%v", begun.Header)
	}
	if _, err := ReadScenario(strings.NewReader("longRunning: [{style: slow}]")); err == nil {
		t.Error("a style that is none is taken")
	}
	if _, err := ReadScenario(strings.NewReader("longRunning: [{stile: loc}]")); err == nil {
		t.Error("a member that is none is taken")
	}
}

func TestCreatedMachine(t *testing.T) {
	s := newSim(t)
	begun := ask(t, s, http.MethodPut, newMachine+"?"+machineVersion, machineBody).want(t, http.StatusCreated)
	lengthOf(t, s, begun, "")
	doc := ask(t, s, http.MethodGet, newMachine+"?"+machineVersion+"&$expand=instanceView", "").want(t, http.StatusOK)
	p := properties(t, doc.object(t))
	if !strings.Contains(string(doc.text), "PowerState/running") || strings.Contains(string(doc.text), "secret") || !guidShaped(textOf(p, "vmId")) {
		t.Errorf("%s", doc.text)
	}
	ask(t, s, http.MethodPut, westEurope+"/providers/Microsoft.Compute/virtualMachines/m?"+machineVersion, plainBody).want(t, http.StatusCreated)
	if code := ask(t, s, http.MethodPut, newMachine+"?"+machineVersion, `{}`).want(t, http.StatusBadRequest).code(t); code != "LocationRequired" {
		t.Errorf("code %s", code)
	}
}

func TestETags(t *testing.T) {
	s := newSim(t, WithETags())
	target := officePool + "?" + version
	read := ask(t, s, http.MethodGet, target, "").want(t, http.StatusOK)
	tag := read.Header.Get("ETag")
	if tag == "" || textOf(read.object(t), "etag") != tag {
		t.Fatalf("etag %q in the header, %v in the body", tag, read.object(t)["etag"])
	}
	patch := func(header ...string) answer {
		return ask(t, s, http.MethodPatch, target, `{"properties":{"description":"x"}}`, header...)
	}
	changed := patch("If-Match", tag).want(t, http.StatusOK).Header.Get("ETag")
	if changed == tag || changed == "" {
		t.Errorf("the etag stays %q", changed)
	}
	if lost := patch("If-Match", tag).want(t, http.StatusPreconditionFailed); lost.code(t) != "PreconditionFailed" {
		t.Errorf("%s", lost.text)
	}
	patch("If-Match", "*").want(t, http.StatusOK)
	body, err := json.Marshal(read.object(t))
	if err != nil {
		t.Fatal(err)
	}
	other := avdPath + "/workspaces/ws-new?" + version
	for _, c := range []struct {
		method, target, body string
		header               [2]string
		want                 int
	}{
		{"PUT", target, string(body), [2]string{"If-None-Match", "*"}, 412},
		{"PUT", target, string(body), [2]string{"If-Match", tag}, 412},
		{"DELETE", target, "", [2]string{"If-Match", tag}, 412},
		{"PUT", other, plainBody, [2]string{"If-Match", "*"}, 412},
		{"PUT", other, plainBody, [2]string{"If-None-Match", "*"}, 201},
		{"PATCH", avdPath + "/workspaces/none?" + version, plainBody, [2]string{"If-Match", "*"}, 404},
		{"DELETE", avdPath + "/workspaces/none?" + version, "", [2]string{"If-Match", "*"}, 204},
		{"PATCH", officeHost + "?" + version, `{}`, [2]string{"If-Match", tag}, 412}, // has no etag at all
	} {
		if got := ask(t, s, c.method, c.target, c.body, c.header[:]...); got.StatusCode != c.want {
			t.Errorf("%s %s with %v: %d %s", c.method, c.target, c.header, got.StatusCode, got.text)
		}
	}
	made := ask(t, s, http.MethodGet, other, "").Header.Get("ETag")
	ask(t, s, http.MethodDelete, other, "").want(t, http.StatusOK)
	if again := ask(t, s, http.MethodPut, other, plainBody).want(t, http.StatusCreated).Header.Get("ETag"); again == made {
		t.Error("a new resource has the etag of an old one of its name")
	}
}

func TestMaintenanceEstate(t *testing.T) {
	s := newSim(t, WithEstate(Maintenance))
	hosts, _ := all(t, s, officePool+"/sessionHosts?"+version)
	sessions, _ := all(t, s, officePool+"/userSessions?"+version)
	if len(hosts) != 50 || len(sessions) != 1000 {
		t.Errorf("%d hosts, %d sessions", len(hosts), len(sessions))
	}
	if again, _ := all(t, newSim(t, WithEstate(Maintenance)), officePool+"/userSessions?"+version); !same(t, again, sessions) {
		t.Error("two estates of a seed differ")
	}
}
