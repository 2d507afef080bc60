package planeql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/cli"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/rest"
	"github.com/planeql/planeql/internal/transport"
	"github.com/planeql/planeql/providers"
)

// crowd is a pool with many sessions.
func crowd(sessions int) armsim.Option {
	return armsim.WithScenario(&armsim.Scenario{Subscriptions: []armsim.Subscription{{
		ID: armsim.ProductionSubscription, Name: "Contoso Production",
		Groups: []armsim.Group{{Name: "rg-avd-prod-weu", Pools: []armsim.Pool{
			{Name: "hp-office", MaxSessions: 100, Hosts: armsim.Hosts{Count: sessions/100 + 1}, Sessions: sessions},
		}}},
	}}})
}

// command runs planeql exec and gives its exit code and output.
func command(t *testing.T, out io.Writer, url string, args ...string) (code int, errs string) {
	t.Helper()
	return commandAs(t, environment, out, url, args...)
}

// commandAs is command with other environment variables.
func commandAs(t *testing.T, getenv func(string) string, out io.Writer, url string, args ...string) (code int, errs string) {
	t.Helper()
	var b bytes.Buffer
	code = cli.Main(cli.Environment{
		Args:  append([]string{"exec", "--endpoint", "azure=" + url, "--auth", "azure=bearer,env=TOKEN"}, args...),
		Stdin: strings.NewReader(""), Stdout: out, Stderr: &b, Getenv: getenv, Environ: func() []string { return nil },
		Home: t.TempDir(), WorkDir: t.TempDir(), Width: func() int { return 0 }, Now: time.Now,
	})
	return code, b.String()
}

// Nothing is cut after page one, and no page is read that nobody needs.
func TestPages_all(t *testing.T) {
	sim, url := simulator(t, crowd(5000))
	s := open(t, url)
	for _, c := range []struct {
		text  string
		calls int
		rows  int
		first any
	}{
		{"SELECT count(*) FROM %U WHERE %P", 50, 1, int64(5000)},
		{"SELECT count(DISTINCT id) FROM %U WHERE %P", 50, 1, int64(5000)},
		{"SELECT 1 FROM %U WHERE %P LIMIT 10", 1, 10, int64(1)},
		{"SELECT 1 FROM %U WHERE %P LIMIT 101", 2, 101, int64(1)},
		{"SELECT count(*) FROM (FROM %U WHERE %P)", 50, 1, int64(5000)},
		{"SELECT * FROM (SELECT 1) JOIN (FROM %U WHERE %P LIMIT 1) ON true", 1, 1, int64(1)},
		{"SELECT 1 FROM %U WHERE %P LIMIT 0", 0, 0, nil},
		{"SELECT 1 FROM %U WHERE %P AND 1 = 0", 0, 0, nil},
	} {
		sim.ResetRequests()
		rows := must(t, s, shorthand.Replace(c.text))
		if got := len(sim.Requests()); got != c.calls || len(rows) != c.rows {
			t.Errorf("%s: %d rows by %d calls, want %d by %d", c.text, len(rows), got, c.rows, c.calls)
		}
		if len(rows) > 0 && !sameNumber(rows[0][0], c.first) {
			t.Errorf("%s: %v, want %v", c.text, rows[0][0], c.first)
		}
	}
}

// A star stands for the columns of the resource and nothing else, wherever it
// is written, though the scan has others that the WHERE names.
func TestStars(t *testing.T) {
	_, url := simulator(t)
	s := open(t, url)
	for text, columns := range map[string]int{
		"SELECT * FROM %U WHERE %P": 5, "FROM %U WHERE %P": 5, "SELECT * FROM (FROM %U WHERE %P)": 5, "SELECT COLUMNS(*) FROM %U WHERE %P": 5,
		"SELECT u.*, 1 FROM %U u WHERE %P": 6, "SELECT * EXCLUDE (type) FROM %U WHERE %P": 4, "SELECT COLUMNS('na.*') FROM %U WHERE %P": 1,
		"SELECT sessionState, count(*) FROM %U WHERE %P GROUP BY ALL ORDER BY ALL": 2,
	} {
		if rows := must(t, s, shorthand.Replace(text)); len(rows) == 0 || len(rows[0]) != columns {
			t.Errorf("%s: %d columns, want %d", text, len(rows[0]), columns)
		}
	}
}

func sameNumber(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// listing serves a list of pages with two items each.
func listing(t *testing.T, pages int) (url string, requests func() int) {
	t.Helper()
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		var n int
		fmt.Sscan(r.URL.Query().Get("page"), &n)
		link := "null"
		if n+1 < pages {
			link = fmt.Sprintf(`"http://%s%s?page=%d"`, r.Host, r.URL.Path, n+1)
		}
		fmt.Fprintf(w, `{"value": [{"id": "/%d/a"}, {"id": "/%d/b"}], "nextLink": %s}`, n, n, link)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() int { return int(count.Swap(0)) }
}

// A list whose document is silent on paging is read to its end; a cap on pages
// is an error, or a warning where the user allows a loss; a LIMIT ends it early.
func TestPages_numbers(t *testing.T) {
	url, requests := listing(t, 30)
	if rows := must(t, open(t, url), shorthand.Replace(readPool)); len(rows) != 60 || requests() != 30 {
		t.Errorf("%d rows", len(rows))
	}
	if rows := must(t, open(t, url), shorthand.Replace(readPool+" LIMIT 1")); len(rows) != 1 || requests() != 1 {
		t.Errorf("LIMIT 1: %d rows", len(rows))
	}
	_, err := query(t, open(t, url, planeql.WithMaxPages(20)), shorthand.Replace(readPool))
	if e := fault.As(err); e == nil || e.Code != fault.LimitReached || requests() != 20 {
		t.Errorf("20 pages at most: %v", err)
	}
	s := open(t, url, planeql.WithMaxPages(20), planeql.WithOnError(planeql.Skip))
	rows, warnings := withWarnings(t, s, shorthand.Replace(readPool))
	if len(rows) != 40 || len(warnings) != 1 || warnings[0].Code != fault.PartialResult || requests() != 20 {
		t.Errorf("skip: %d rows, %v", len(rows), warnings)
	}
	for flag, want := range map[string]int{"fail": 5, "skip": 3} {
		code, errs := command(t, io.Discard, url, "--max-pages", "20", "--on-error", flag, shorthand.Replace(readPool))
		if code != want || !strings.Contains(errs, "more than 20 pages") {
			t.Errorf("--on-error %s: exit code %d: %s", flag, code, errs)
		}
	}
}

// withWarnings runs a statement and gives its rows and warnings.
func withWarnings(t *testing.T, s *planeql.Session, text string) ([][]any, []*planeql.Error) {
	t.Helper()
	rows, err := s.Query(context.Background(), text)
	if err != nil {
		t.Fatal(printed(err))
	}
	defer rows.Close()
	var list [][]any
	for rows.Next() {
		list = append(list, append([]any(nil), rows.Values()...))
	}
	if rows.Err() != nil {
		t.Fatal(printed(rows.Err()))
	}
	return list, rows.Warnings()
}

// threeSubscriptions has a pool in each of three subscriptions; everything in
// the last of them is denied.
func threeSubscriptions() ([]string, []armsim.Option) {
	var ids []string
	scenario := &armsim.Scenario{}
	for i := range 3 {
		id := fmt.Sprintf("00000000-0000-0000-0000-00000000000%d", i+1)
		ids = append(ids, id)
		scenario.Subscriptions = append(scenario.Subscriptions, armsim.Subscription{
			ID: id, Name: "S", Groups: []armsim.Group{{Name: "rg", Pools: []armsim.Pool{{Name: fmt.Sprintf("hp-%d", i+1)}}}},
		})
	}
	return ids, []armsim.Option{armsim.WithScenario(scenario), armsim.WithFaults(armsim.Faults{Deny: ids[2:]})}
}

// A denied subscription fails the statement, or is a named loss: it is never
// just not there.
func TestDeniedScope(t *testing.T) {
	ids, opts := threeSubscriptions()
	_, url := simulator(t, opts...)
	text := "SELECT hostPoolName FROM azure.desktop_virtualization.host_pools WHERE subscriptionId IN ('" + strings.Join(ids, "', '") + "') ORDER BY 1"
	_, err := query(t, open(t, url), text)
	e := fault.As(err)
	if e == nil || e.Code != fault.Forbidden || e.HTTP == nil || !strings.Contains(e.Print(), ids[2]) {
		t.Fatalf("the error is %v", err)
	}
	rows, warnings := withWarnings(t, open(t, url, planeql.WithOnError(planeql.Skip)), text)
	if diff := cmp.Diff([][]any{{"hp-1"}, {"hp-2"}}, rows); diff != "" {
		t.Error(diff)
	}
	if len(warnings) != 1 {
		t.Fatalf("%d warnings", len(warnings))
	}
	w := warnings[0]
	if w.Code != fault.PartialResult || w.HTTP.Method != "GET" || !strings.Contains(w.HTTP.URL, "/subscriptions/"+ids[2]+"/") ||
		w.HTTP.Status != 403 || w.HTTP.Code != "AuthorizationFailed" || w.HTTP.RequestID == "" || w.Object != "azure.desktop_virtualization.host_pools.list" {
		t.Errorf("the warning is\n%s", w.Print())
	}
	for flag, want := range map[string]int{"fail": 4, "skip": 3} {
		code, errs := command(t, io.Discard, url, "--on-error", flag, text)
		if code != want || !strings.Contains(errs, ids[2]) {
			t.Errorf("--on-error %s: exit code %d: %s", flag, code, errs)
		}
	}
}

// answers is a service inside the process: the first answer asks to wait.
type answers struct {
	after string // Retry-After
	at    []time.Time
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.at = append(a.at, time.Now())
	response := httptest.NewRecorder()
	if len(a.at) == 1 {
		response.Header().Set("Retry-After", a.after)
		response.WriteHeader(http.StatusTooManyRequests)
	} else {
		io.WriteString(response, `{"value": [{"id": "/x"}]}`)
	}
	result := response.Result()
	result.Request = r
	return result, nil
}

// A throttled call comes again when the service wants it, not before.
func TestThrottled_waits(t *testing.T) {
	p, err := provider.Open(providers.FS, "azure")
	if err != nil {
		t.Fatal(err)
	}
	resource, err := catalog.New(p).Resource("azure", "subscription", "subscriptions")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		service := &answers{after: "5"}
		client := rest.New(transport.New(transport.Options{Base: service}), rest.Options{})
		items := 0
		for page, err := range client.Pages(t.Context(), provider.Call{Method: resource.Verbs[provider.Select][0], Arguments: arguments(resource)}) {
			if err != nil {
				t.Fatal(err)
			}
			items += len(page.Items)
		}
		if waited := service.at[1].Sub(service.at[0]); items != 1 || len(service.at) != 2 || waited < 5*time.Second || waited > 6*time.Second {
			t.Errorf("%d items by %d calls after %s", items, len(service.at), waited)
		}
	})
}

// arguments gives a value to each parameter that the first select method needs.
func arguments(r *provider.Resource) []provider.Argument {
	var list []provider.Argument
	for _, p := range r.Verbs[provider.Select][0].RequiredParameters() {
		list = append(list, provider.Argument{Name: p.Name, Value: armsim.ProductionSubscription})
	}
	return list
}

// Ten kinds of failure have ten codes, none of them ends well; TestBadInputs
// runs them.
func TestTenFailures(t *testing.T) {
	kinds := map[string]fault.Code{
		"misspelt verb": fault.SyntaxError, "401": fault.Unauthenticated, "403": fault.Forbidden, "404 of a pool": fault.NotFound,
		"409": fault.Rejected, "429": fault.Throttled, "500": fault.ServiceFailed, "a page of HTML": fault.ReplyInvalid,
		"truncated body": fault.ConnectionLost, "refused connection": fault.CannotConnect, "endless pages": fault.LimitReached,
	}
	codes := map[fault.Code]bool{}
	for _, c := range allBadInputs() {
		if want, ok := kinds[c.name]; ok {
			codes[want] = c.code == want && c.exit > 1
		}
	}
	if len(codes) != len(kinds) || len(kinds) < 10 {
		t.Errorf("%d of %d kinds", len(codes), len(kinds))
	}
	for code, right := range codes {
		if !right {
			t.Errorf("%s is not what its case gives", code)
		}
	}
}

// EXPLAIN and its like send nothing, whatever the statement.
func TestExplain_silent(t *testing.T) {
	sim, url := simulator(t)
	s := open(t, url)
	for _, text := range []string{
		readPool, "SELECT count(*) FROM %U WHERE %P GROUP BY sessionState", "FROM %U WHERE %P LIMIT 1",
		"WITH u AS (FROM %U WHERE %P) SELECT * FROM u", "SELECT 1 UNION ALL SELECT 2", "VALUES (1)",
		"SELECT u.id FROM %U u, azure.subscription.subscriptions s WHERE u." + strings.ReplaceAll(inPool, "AND ", "AND u."),
		disconnect, "EXEC %U.send_message %A, @@json = '{\"messageTitle\": \"a\"}'", "EXEC %U.delete %A",
		"DELETE FROM %U WHERE %P AND sessionHostName = 'h' AND userSessionId IN ('1', '2')",
		"SHOW PROVIDERS", "SHOW METHODS IN %U", "DESCRIBE EXTENDED %U", "DESCRIBE METHOD %U.get", "USE azure", "SET threads = 2",
		"CREATE TABLE t (a INT)", "EXPLAIN " + readPool,
	} {
		for _, explain := range []string{"EXPLAIN ", "EXPLAIN (FORMAT json) "} {
			if rows, err := query(t, s, shorthand.Replace(explain+text)); err != nil || len(rows) == 0 {
				if !strings.HasPrefix(text, "EXPLAIN") || fault.As(err) == nil {
					t.Errorf("%s%s: %d rows, %v", explain, text, len(rows), err)
				}
			}
		}
	}
	for _, text := range []string{"SHOW SERVICES IN azure", "DESCRIBE %U", "SHOW METHODS IN %U", "USE azure.desktop_virtualization", "SELECT 1"} {
		must(t, s, shorthand.Replace(text))
	}
	if got := sim.Requests(); len(got) != 0 {
		t.Errorf("%d requests were sent, the first %s %s", len(got), got[0].Method, got[0].Path)
	}
}

// parameterName finds the names of parameters in the statements of the page,
// but not the placeholders.
var parameterName = regexp.MustCompile(`(?m)(@|^|AND |WHERE )([a-z]+(?:[A-Z][a-z]+)+)(\s*=)`)

// The statements of the page run in snake_case as they do in camelCase, by the
// same requests.
func TestSeedPage_snakeCase(t *testing.T) {
	for i, block := range seedBlocks(t) {
		snake := parameterName.ReplaceAllStringFunc(block, func(m string) string {
			return regexp.MustCompile(`[a-z][A-Z]`).ReplaceAllStringFunc(m, func(pair string) string {
				return pair[:1] + "_" + strings.ToLower(pair[1:])
			})
		})
		if snake == block || !strings.Contains(snake, "resource_group_name") {
			t.Fatalf("block %d is not changed:\n%s", i+1, snake)
		}
		if camel, other := seedRun(t, i, block), seedRun(t, i, snake); camel != other {
			t.Errorf("block %d sends %s in camelCase and %s in snake_case", i+1, camel, other)
		}
	}
}

// seedRun runs a statement of the page on a simulator of its own and gives the
// request that it sent.
func seedRun(t *testing.T, i int, block string) string {
	t.Helper()
	sim, base := simulator(t)
	values := aSession(t, open(t, base))
	values["$filter"] = "userPrincipalName eq '" + values["user"] + "'"
	for _, name := range []string{"pageSize", "isDescending", "initialSkip", "force", "messageTitle", "messageBody"} {
		values[name] = map[string]string{"pageSize": "100", "initialSkip": "0", "messageTitle": "a", "messageBody": "b"}[name]
		if values[name] == "" {
			values[name] = "true"
		}
	}
	sim.ResetRequests()
	rows := must(t, open(t, base, planeql.WithVariables(values)), block)
	requests := sim.Requests()
	if len(rows) == 0 || len(requests) != 1 || requests[0].Status >= 300 {
		t.Fatalf("block %d: %d rows by %d requests", i+1, len(rows), len(requests))
	}
	r := requests[0]
	return r.Method + " " + r.Path + "?" + url.Values(r.Query).Encode() + " " + string(r.Body)
}

// gate lets the answers up to a number pass and holds the later ones until it
// is opened.
type gate struct {
	asked atomic.Int64
	free  int64
	open  chan struct{}
	once  sync.Once
}

func newGate(free int64) *gate { return &gate{free: free, open: make(chan struct{})} }

func (g *gate) hook(r *http.Request) armsim.Outcome {
	if g.asked.Add(1) > g.free {
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
	}
	return armsim.Outcome{}
}

// Write opens the gate: somebody has seen a row.
func (g *gate) Write(p []byte) (int, error) {
	g.once.Do(func() { close(g.open) })
	return len(p), nil
}

// The first rows are there before the third page is answered: it never is
// until somebody has seen one.
func TestEarlyRows(t *testing.T) {
	g := newGate(2)
	_, url := simulator(t, crowd(1000), armsim.WithLatency(20*time.Millisecond), armsim.WithHook(g.hook))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	rows, err := open(t, url, planeql.WithFirstRows()).Query(ctx, shorthand.Replace(readPool))
	if err != nil {
		t.Fatal(printed(err))
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatalf("no row before the third page: %v", rows.Err())
	}
	g.Write(nil)
	count := 1
	for rows.Next() {
		count++
	}
	if rows.Err() != nil || count != 1000 {
		t.Errorf("%d rows, %v", count, rows.Err())
	}
	g = newGate(2)
	_, url = simulator(t, crowd(1000), armsim.WithHook(g.hook))
	if code, errs := command(t, g, url, "-o", "jsonl", "--timeout", "20s", shorthand.Replace(readPool)); code != 0 {
		t.Errorf("jsonl: exit code %d: %s", code, errs)
	}
}

// Whoever cancels a long listing has the end of it within a second, and no call
// starts afterwards.
func TestCancel(t *testing.T) {
	for name, text := range map[string]string{"plain": readPool, "sorted": readPool + " ORDER BY id", "gentle": readPool + " LIMIT 4000"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var count atomic.Int64
			sim, url := simulator(t, crowd(5000), armsim.WithLatency(10*time.Millisecond), armsim.WithHook(func(*http.Request) armsim.Outcome {
				if count.Add(1) == 5 {
					cancel()
				}
				return armsim.Outcome{}
			}))
			s := open(t, url, planeql.WithFirstRows())
			rows, err := s.Query(ctx, shorthand.Replace(text))
			if err == nil {
				defer rows.Close()
				for rows.Next() {
					continue
				}
				err = rows.Err()
				rows.Close()
			}
			calls := len(sim.Requests())
			e := fault.As(err)
			if e == nil || e.Code != fault.Cancelled || e.Scope != fault.Interrupt || e.Hint == "" {
				t.Errorf("the error is %v", err)
			}
			if calls > 6 {
				t.Errorf("%d calls", calls)
			}
			must(t, s, "SELECT 1")
			s.Close()
			if now := len(sim.Requests()); now != calls {
				t.Errorf("%d calls started after the end", now-calls)
			}
		})
	}
}

// A call that hangs does not hold the user who cancels.
func TestCancel_hanging(t *testing.T) {
	g := newGate(2)
	_, url := simulator(t, crowd(1000), armsim.WithHook(g.hook))
	ctx, cancel := context.WithCancel(context.Background())
	rows, err := open(t, url, planeql.WithFirstRows()).Query(ctx, shorthand.Replace(readPool))
	if err != nil {
		t.Fatal(printed(err))
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	cancel()
	began := time.Now()
	for rows.Next() {
		continue
	}
	if e := fault.As(rows.Err()); e == nil || e.Code != fault.Cancelled || time.Since(began) > time.Second {
		t.Errorf("after %s: %v", time.Since(began), rows.Err())
	}
}

// rewritten is a simulator whose answers are changed by a function.
func rewritten(t *testing.T, change func(item map[string]any, i int)) string {
	t.Helper()
	_, url := simulator(t, armsim.WithHook(func(*http.Request) armsim.Outcome {
		return armsim.Outcome{Rewrite: func(body []byte) []byte {
			var list map[string]any
			if json.Unmarshal(body, &list) != nil {
				return body
			}
			if items, ok := list["value"].([]any); ok {
				for i, item := range items {
					change(item.(map[string]any), i)
				}
			} else {
				change(list, 0)
			}
			changed, _ := json.Marshal(list)
			return changed
		}}
	}))
	return url
}

// A value that does not fit its column is NULL, counted in a warning, and kept
// in _raw.
func TestMisfits(t *testing.T) {
	url := rewritten(t, func(item map[string]any, i int) {
		if i < 3 {
			item["properties"].(map[string]any)["createTime"] = "around noon"
		}
	})
	rows, warnings := withWarnings(t, open(t, url), shorthand.Replace(
		"SELECT count(*), count(createTime), count(*) FILTER (_raw ->> '$.properties.createTime' = 'around noon') FROM %U WHERE %P"))
	all, fitting, kept := rows[0][0].(int64), rows[0][1].(int64), rows[0][2].(int64)
	if all-fitting != 3 || kept != 3 {
		t.Errorf("%d rows, %d with a time, %d kept", all, fitting, kept)
	}
	if len(warnings) != 1 || warnings[0].Code != fault.ValueMisfit || !strings.Contains(warnings[0].Message, "3 values of createTime") ||
		!strings.Contains(warnings[0].Message, "around noon") || !strings.Contains(warnings[0].Hint, "_raw") {
		t.Errorf("warnings: %v", warnings)
	}
}

// A secret is masked unless the statement asks for it by name.
func TestSecrets(t *testing.T) {
	const secret = "eyJhbGciOi-very-secret"
	url := rewritten(t, func(item map[string]any, _ int) {
		if properties, ok := item["properties"].(map[string]any); ok {
			properties["registrationInfo"] = map[string]any{"token": secret, "expirationTime": "2030-01-01T00:00:00Z"}
		}
	})
	var log bytes.Buffer
	s := open(t, url, planeql.WithHTTPLog(&log))
	const pools = " FROM azure.desktop_virtualization.host_pools WHERE subscriptionId = '%S' AND resourceGroupName = 'rg-avd-prod-weu'"
	for text, shown := range map[string]bool{
		"SELECT *" + pools: false, "SELECT properties" + pools: false, "SELECT registrationInfo" + pools: false, "SELECT p" + strings.Replace(pools, " WHERE", " p WHERE", 1): false,
		"SELECT properties.registrationInfo" + pools: false, "SELECT to_json(properties)" + pools: false,
		"SELECT properties.registrationInfo.token" + pools: true, "SELECT registrationInfo.token" + pools: true,
	} {
		rows := must(t, s, shorthand.Replace(text))
		got := fmt.Sprintf("%s", rows)
		if len(rows) == 0 || strings.Contains(got, secret) != shown {
			t.Errorf("%s: %.600s", text, got)
		}
	}
	if log.Len() == 0 || strings.Contains(log.String(), secret) || strings.Contains(log.String(), "a-token") {
		t.Errorf("the log shows a secret: %.300s", log.String())
	}
}
