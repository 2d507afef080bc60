package planeql_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// exchange is a recorded request to Azure and what was really answered.
type exchange struct {
	File    string
	Seq     int
	Method  string
	URL     string
	Request json.RawMessage `json:"req_body"`
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

// cloud is the host that recordings have in their links.
const cloud = "https://management.azure.com"

// at gives a recorded text with the stage in the place of the cloud.
func (x exchange) at(stage, text string) string { return strings.ReplaceAll(text, cloud, stage) }

// sent gives the URL that was asked.
func (x exchange) sent(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(x.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// reply gives the recorded answer. Lengths are those of the original bodies and
// dates those of the day, so neither is served.
func (x exchange) reply(stage string) reply {
	r := reply{status: x.Status, header: map[string]string{}}
	for name, value := range x.Headers {
		if name != "content-length" && name != "date" {
			r.header[name] = x.at(stage, value)
		}
	}
	var text string
	switch {
	case len(x.Body) == 0 || string(x.Body) == "null":
	case json.Unmarshal(x.Body, &text) == nil:
		r.body = []byte(x.at(stage, text))
	default:
		r.body = []byte(x.at(stage, string(x.Body)))
	}
	return r
}

// operation is a method with a pattern for the paths of its calls.
type operation struct {
	method  *provider.Method
	pattern *regexp.Regexp
}

// operationsOf gives the operations of methods. One whose path is a single name
// of any length would match every request and is left out.
func operationsOf(methods []*provider.Method) []operation {
	var list []operation
	for _, m := range methods {
		if strings.HasPrefix(m.Path, "/{") {
			continue
		}
		pattern := regexp.QuoteMeta(templateName.ReplaceAllString(m.Path, "\x00"))
		pattern = strings.ReplaceAll(pattern, "\x00", "([^/]+)")
		list = append(list, operation{m, regexp.MustCompile("(?i)^" + pattern + "$")})
	}
	return list
}

// arguments gives the arguments with which a method makes the request of a
// recording; ok is false where the request is none of the method's. Query
// parameters that the method lacks are left out.
func (o operation) arguments(method string, u *url.URL) (args map[string]string, ok bool) {
	found := o.pattern.FindStringSubmatch(strings.TrimRight(u.Path, "/"))
	if found == nil || method != o.method.HTTPMethod {
		return nil, false
	}
	args = map[string]string{}
	for i, name := range o.method.PathParameters() {
		args[name] = found[i+1]
	}
	for _, p := range o.method.OptionalParameters() {
		if p.In == provider.InQuery && u.Query().Has(p.Name) {
			args[p.Name] = u.Query().Get(p.Name)
		}
	}
	return args, true
}

// rerun is a recorded exchange, asked for by a statement.
type rerun struct {
	exchange
	method *provider.Method
	args   map[string]string
	text   string
}

// replay is a run over the recordings of a file.
type replay struct {
	stage   *stage
	session *planeql.Session
	all     []exchange
	tally
	accepted, outcomes int
	warned             map[string]int
}

// answerer gives the recorded answer, and for the links in it the pages that
// were recorded behind them; what was not recorded is an empty last page.
func (r *replay) answerer(x exchange) (play func(heard) reply, items func(testing.TB) []any) {
	pages := []reply{x.reply(r.stage.URL)}
	n := 0
	play = func(h heard) reply {
		answer := pages[len(pages)-1]
		if n++; n > 1 {
			answer = r.page(x.File, h)
			pages = append(pages, answer)
		}
		return answer
	}
	items = func(t testing.TB) []any {
		var list []any
		for _, p := range pages {
			list = append(list, itemsOf(t, p.body)...)
		}
		return list
	}
	return play, items
}

func (r *replay) page(file string, h heard) reply {
	for _, x := range r.all {
		u, err := url.Parse(x.URL)
		if err == nil && x.File == file && u.Path == h.path && u.Query().Encode() == h.query.Encode() {
			return x.reply(r.stage.URL)
		}
	}
	return reply{status: http.StatusOK, body: []byte(`{"value":[],"nextLink":null}`)}
}

// run replays one exchange by one method.
func (r *replay) run(t *testing.T, x exchange, m *provider.Method, args map[string]string) {
	play, items := r.answerer(x)
	r.stage.tell(play)
	var body []byte
	switch {
	case m.Body == nil || len(x.Request) == 0 || string(x.Request) == "null":
	case x.Request[0] == '{':
		body = x.Request
	default:
		body = []byte("{}") // the recorder kept a placeholder instead of the body
	}
	again := rerun{x, m, args, statementFor(m, args, body, x.reply("").body != nil)}
	got, err := ask(r.session, again.text)
	if x.Status >= http.StatusBadRequest {
		r.checkFailure(t, again, got, err)
		return
	}
	if err != nil {
		t.Fatalf("%s\n%s", again.text, printed(err))
	}
	r.calls++
	r.checkSent(t, again)
	r.checkAnswer(t, again, items(t), got)
}

// checkSent compares the first request with the recorded one.
func (r *replay) checkSent(t *testing.T, x rerun) {
	t.Helper()
	h := r.stage.told()[0]
	if want := strings.TrimRight(x.sent(t).Path, "/"); h.method != x.Method || !strings.EqualFold(h.path, want) {
		t.Errorf("request %s %s, want %s %s", h.method, h.path, x.Method, want)
	}
	for name, values := range x.sent(t).Query() {
		if _, known := x.method.Parameter(name); known && name != "api-version" && !slices.Equal(h.query[name], values) {
			t.Errorf("query %s is %q, want %q", name, h.query[name], values)
		}
	}
}

func (r *replay) checkAnswer(t *testing.T, x rerun, items []any, got result) {
	t.Helper()
	for _, w := range got.warnings {
		r.warned[w.Message]++
	}
	if x.method.Response.Item != nil && x.reply("").body != nil {
		r.checkRows(t, x.method, x.args, items, got)
		return
	}
	outcome := "done"
	if x.Status == http.StatusAccepted {
		r.accepted++
		outcome = "accepted"
	}
	r.outcomes++
	checkOutcome(t, got, outcome, x.Status)
}

// checkFailure compares an error with the recorded answer. A read of one thing
// that is not there is no row; the same call by EXEC says so.
func (r *replay) checkFailure(t *testing.T, x rerun, got result, err error) {
	t.Helper()
	if x.Status == http.StatusNotFound && strings.HasPrefix(x.text, "SELECT") && !x.method.Response.List {
		if err != nil || len(got.rows) > 0 {
			t.Errorf("%v, %v", got.rows, err)
		}
		r.stage.tell(func(heard) reply { return x.reply(r.stage.URL) })
		_, err = ask(r.session, execFor(x.method, x.args))
	}
	r.calls++
	checkFault(t, x.exchange, err)
}

// execFor calls a method by EXEC, whatever verb it serves.
func execFor(m *provider.Method, args map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		list = append(list, "@"+name+" = '"+args[name]+"'")
	}
	return "EXEC " + m.FullName() + " " + strings.Join(list, ", ")
}

// codes are those of planeql for the statuses in the recordings.
var codes = map[int]fault.Code{
	http.StatusBadRequest: fault.Rejected, http.StatusUnauthorized: fault.Unauthenticated, http.StatusNotFound: fault.NotFound,
}

// checkFault compares an error with a recorded refusal.
func checkFault(t *testing.T, x exchange, err error) {
	t.Helper()
	e := fault.As(err)
	if e == nil || e.HTTP == nil {
		t.Fatalf("%d became %v", x.Status, err)
	}
	var body map[string]any
	if err := json.Unmarshal(x.Body, &body); err != nil {
		t.Fatal(err)
	}
	if inner, ok := body["error"].(map[string]any); ok {
		body = inner
	}
	if e.Code != codes[x.Status] || e.HTTP.Status != x.Status || e.HTTP.Code != fmt.Sprint(body["code"]) || e.HTTP.Message != body["message"] {
		t.Errorf("%s\nof %d %s", e.Print(), x.Status, x.Body)
	}
}

// runRecorded replays the exchanges of a file whose operation the built-in
// documents have.
func runRecorded(t *testing.T, file string) *replay {
	t.Helper()
	r := &replay{stage: newStage(t), all: jsonLines[exchange](t, "corpus", "recorded", file), warned: map[string]int{}}
	r.session = open(t, r.stage.URL)
	operations := operationsOf(builtInMethods(t))
	for _, x := range r.all {
		matched := false
		for _, o := range operations {
			if !strings.HasPrefix(x.URL, cloud) {
				continue
			}
			args, ok := o.arguments(x.Method, x.sent(t))
			if !ok {
				continue
			}
			matched = true
			name := x.File[strings.LastIndexByte(x.File, '/')+1:]
			t.Run(fmt.Sprintf("%s/%d/%s.%s", name, x.Seq, o.method.Resource.Name, o.method.Name), func(t *testing.T) { r.run(t, x, o.method, args) })
		}
		if matched {
			r.lines++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.rawOnly)) {
		t.Logf("only in _raw: %s, %d times", name, r.rawOnly[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.warned)) {
		t.Logf("warned %d times: %s", r.warned[name], name)
	}
	t.Logf("%d of %d exchanges by %d calls: %d rows, %d values, %d outcomes (%d accepted)",
		r.lines, len(r.all), r.calls, r.rows, r.values, r.outcomes, r.accepted)
	return r
}

// What Azure really answered comes out as it was recorded.
func TestRecorded(t *testing.T) {
	for file, least := range map[string]int{
		"azure-powershell-avd.jsonl": 10, "azure-cli-extensions.jsonl": 100, "cloud-custodian.jsonl": 50,
	} {
		t.Run(file, func(t *testing.T) {
			if r := runRecorded(t, file); r.lines < least {
				t.Errorf("%d exchanges, want %d", r.lines, least)
			}
		})
	}
}

// Every recorded refusal, whatever was asked, becomes an error with the
// service's status, code and words.
func TestRecorded_refusals(t *testing.T) {
	st := newStage(t)
	s := open(t, st.URL)
	count := 0
	for _, file := range []string{"azure-powershell-avd.jsonl", "azure-cli-extensions.jsonl", "cloud-custodian.jsonl"} {
		for _, x := range jsonLines[exchange](t, "corpus", "recorded", file) {
			if x.Status < http.StatusBadRequest {
				continue
			}
			count++
			st.tell(func(heard) reply { return x.reply(st.URL) })
			_, err := ask(s, sessionsOf("SELECT *"))
			checkFault(t, x, err)
		}
	}
	t.Logf("%d refusals", count)
}

// sessionsOf makes a statement that lists the sessions of a pool.
func sessionsOf(head string) string {
	return head + ` FROM azure.desktop_virtualization.user_sessions
		WHERE subscriptionId = '51616983-555d-4e73-84cc-420c27aeee8b' AND resourceGroupName = 'RG-avd-1' AND hostPoolName = 'HP-Sessions'`
}

// recordedSession is an item as the service writes it: keys in lower case in its
// id, names of all parents in its name.
const recordedSession = `{"name": "hp-sessions/sh-0/3",
	"id": "/subscriptions/51616983-555d-4e73-84cc-420c27aeee8b/resourcegroups/rg-avd-1/providers/Microsoft.DesktopVirtualization/hostpools/hp-sessions/sessionhosts/sh-0/usersessions/3",
	"type": "Microsoft.DesktopVirtualization/hostpools/sessionhosts/usersessions",
	"properties": {"createTime": "2023-12-21T15:40:08.15Z", "userPrincipalName": "user@example.com", "sessionState": "Disconnected"},
	"systemData": null}`

// oddity is a peculiarity of real answers and what a statement has to make of
// it.
type oddity struct {
	name string
	body string
	head string // select list; the statement lists the sessions of a pool
	want [][]any
}

// oddities are peculiarities seen in recordings.
func oddities() []oddity {
	with := func(member, value string) string {
		return `{"value":[{"id":"/x","name":"n","` + member + `":` + value + `}]}`
	}
	property := func(member, value string) string { return with("properties", `{"`+member+`":`+value+`}`) }
	at := func(text string) time.Time {
		moment, _ := time.Parse(time.RFC3339Nano, text)
		return moment.UTC()
	}
	return []oddity{
		{"no link", `{"value":[` + recordedSession + `]}`, "SELECT name", [][]any{{"hp-sessions/sh-0/3"}}},
		{"null link", `{"value":[` + recordedSession + `],"nextLink":null}`, "SELECT name", [][]any{{"hp-sessions/sh-0/3"}}},
		{"empty link", `{"value":[` + recordedSession + `],"nextLink":""}`, "SELECT name", [][]any{{"hp-sessions/sh-0/3"}}},
		{"link before the items", `{"nextLink":null,"value":[` + recordedSession + `]}`, "SELECT name", [][]any{{"hp-sessions/sh-0/3"}}},
		{"nothing", `{"value":[],"nextLink":null}`, "SELECT name", nil},
		{
			// What was bound is shown as it was written, the rest as the id has it.
			"ids in lower case", `{"value":[` + recordedSession + `]}`,
			"SELECT subscriptionId, resourceGroupName, hostPoolName, sessionHostName, userSessionId, name",
			[][]any{{"51616983-555d-4e73-84cc-420c27aeee8b", "RG-avd-1", "HP-Sessions", "sh-0", "3", "hp-sessions/sh-0/3"}},
		},
		{"null object", `{"value":[` + recordedSession + `]}`, "SELECT systemData, systemData IS NULL, systemData.createdAt", [][]any{{nil, true, nil}}},
		{"null text", property("sessionState", "null"), "SELECT sessionState, sessionState IS NULL", [][]any{{nil, true}}},
		{"null properties", with("properties", "null"), "SELECT properties, sessionState", [][]any{{nil, nil}}},
		{"empty text", property("userPrincipalName", `""`), "SELECT userPrincipalName", [][]any{{""}}},
		{"the text null", property("userPrincipalName", `"null"`), "SELECT userPrincipalName", [][]any{{"null"}}},
		{"unknown value", property("sessionState", `"Hibernated"`), "SELECT sessionState", [][]any{{"Hibernated"}}},
		{"two digits", property("createTime", `"2023-12-21T15:40:08.15Z"`), "SELECT createTime", [][]any{{at("2023-12-21T15:40:08.15Z")}}},
		{"seven digits", property("createTime", `"2026-03-12T05:49:46.1861460Z"`), "SELECT createTime", [][]any{{at("2026-03-12T05:49:46.186146Z")}}},
		{"an offset", property("createTime", `"2026-03-12T05:49:46.1861460+05:30"`), "SELECT createTime", [][]any{{at("2026-03-12T00:19:46.186146Z")}}},
		{"a zero offset", property("createTime", `"2026-03-12T05:49:46+00:00"`), "SELECT createTime", [][]any{{at("2026-03-12T05:49:46Z")}}},
		{"no zone is UTC", property("createTime", `"2024-08-19T21:04:31.8240063"`), "SELECT createTime", [][]any{{at("2024-08-19T21:04:31.824006Z")}}},
		{"year one", property("createTime", `"0001-01-01T00:00:00Z"`), "SELECT createTime", [][]any{{at("0001-01-01T00:00:00Z")}}},
		{
			"unknown members", with("properties", `{"newThing":{"deep":[12345678901234567890123,2.5]}},"brandNew":true`),
			"SELECT properties->>'$.newThing.deep[1]', _raw->>'brandNew', properties->'newThing'->'deep'->>0",
			[][]any{{"2.5", "true", "12345678901234567890123"}},
		},
	}
}

// Peculiarities of real answers come out right, each in one request.
func TestRecorded_oddities(t *testing.T) {
	st := newStage(t)
	s := open(t, st.URL)
	for _, o := range oddities() {
		t.Run(o.name, func(t *testing.T) {
			st.tell(func(heard) reply { return reply{status: http.StatusOK, body: []byte(o.body)} })
			got, err := ask(s, sessionsOf(o.head))
			if err != nil {
				t.Fatal(printed(err))
			}
			if !slices.EqualFunc(got.rows, o.want, func(a, b []any) bool { return slices.Equal(a, b) }) {
				t.Errorf("%v, want %v", got.rows, o.want)
			}
			if n := len(st.told()); n != 1 || len(got.warnings) > 0 {
				t.Errorf("%d requests, warnings %v", n, got.warnings)
			}
		})
	}
}

// Without a WHERE on it, every parent's name is taken from the id in lower case,
// and a condition in another case finds the row.
func TestRecorded_lowerCaseIDs(t *testing.T) {
	st := newStage(t)
	s := open(t, st.URL)
	body := strings.Replace(recordedSession, "hp-sessions/sh-0/3", "hp-sessions", 1)
	body = strings.Replace(body, "/sessionhosts/sh-0/usersessions/3", "", 1)
	st.tell(func(heard) reply { return reply{status: http.StatusOK, body: []byte(`{"value":[` + body + `]}`)} })
	got, err := ask(s, `SELECT resourceGroupName, hostPoolName FROM azure.desktop_virtualization.host_pools
		WHERE subscriptionId = '51616983-555d-4e73-84cc-420c27aeee8b' AND host_pool_name LIKE 'HP-%'`)
	if err != nil {
		t.Fatal(printed(err))
	}
	if len(got.rows) != 1 || !slices.Equal(got.rows[0], []any{"rg-avd-1", "hp-sessions"}) {
		t.Errorf("%v", got.rows)
	}
}

// A code may be a number, as text or not: a missing thing is no row by SELECT,
// an error by EXEC, and an error where its scope was listed.
func TestRecorded_numericCode(t *testing.T) {
	st := newStage(t)
	s := open(t, st.URL)
	one := sessionsOf("SELECT name") + ` AND sessionHostName = 'sh-0' AND userSessionId = '4'`
	exec := `EXEC azure.desktop_virtualization.user_sessions.get @subscriptionId = '51616983-555d-4e73-84cc-420c27aeee8b',
		@resourceGroupName = 'rg-avd-1', @hostPoolName = 'hp-sessions', @sessionHostName = 'sh-0', @userSessionId = '4'`
	for _, code := range []string{`"404"`, `404`} {
		x := exchange{Status: http.StatusNotFound, Headers: map[string]string{"content-type": "application/json; charset=utf-8"},
			Body: json.RawMessage(`{"error": {"code": ` + code + `, "message": "ActivityId: 763fb945 Error: User session does not exist"}}`)}
		st.tell(func(heard) reply { return x.reply(st.URL) })
		if got, err := ask(s, one); err != nil || len(got.rows) > 0 {
			t.Errorf("%v, %v", got.rows, err)
		}
		for _, text := range []string{exec, sessionsOf("SELECT name")} {
			_, err := ask(s, text)
			checkFault(t, x, err)
		}
	}
}

// A value of another type than the document says is NULL with a warning, and
// _raw has it.
func TestRecorded_misfits(t *testing.T) {
	st := newStage(t)
	s := open(t, st.URL)
	st.tell(func(heard) reply {
		return reply{status: http.StatusOK, body: []byte(`{"value":[{"id":"/x","properties":{"createTime":"soon"}}]}`)}
	})
	got, err := ask(s, sessionsOf("SELECT createTime, _raw->>'$.properties.createTime'"))
	if err != nil {
		t.Fatal(printed(err))
	}
	if len(got.rows) != 1 || !slices.Equal(got.rows[0], []any{nil, "soon"}) {
		t.Errorf("%v", got.rows)
	}
	if len(got.warnings) != 1 || got.warnings[0].Code != fault.ValueMisfit {
		t.Errorf("%v", got.warnings)
	}
}
