package planeql_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

const (
	prodGroup = "/subscriptions/" + armsim.ProductionSubscription + "/resourceGroups/rg-avd-prod-weu"
	desktops  = prodGroup + "/providers/Microsoft.DesktopVirtualization"
)

// applied is a session on a simulator, with what pool.sql states.
type applied struct {
	t   *testing.T
	sim *armsim.Simulator
	url string
	s   *planeql.Session

	sent []string // what writes gave the last time, in the order of sending
}

// inOrder checks that of each two requests the first was sent first.
func (e *applied) inOrder(pairs ...[2]string) {
	e.t.Helper()
	for _, p := range pairs {
		if a, b := slices.Index(e.sent, p[0]), slices.Index(e.sent, p[1]); a < 0 || a > b {
			e.t.Errorf("%s is not sent before %s: %v", p[0], p[1], e.sent)
		}
	}
}

func poolApplied(t *testing.T, opts ...planeql.Option) *applied {
	t.Helper()
	sim, url := simulator(t)
	opts = append([]planeql.Option{planeql.WithVariables(map[string]string{"group": "rg-avd-prod-weu", "limit": "12"})}, opts...)
	return &applied{t: t, sim: sim, url: url, s: open(t, url, opts...)}
}

func (e *applied) parse(text string) []*planeql.Statement {
	e.t.Helper()
	if strings.HasSuffix(text, ".sql") {
		read, err := os.ReadFile("docs/scripts/" + text)
		if err != nil {
			e.t.Fatal(err)
		}
		text = string(read)
	}
	statements, err := e.s.Parse("pool.sql", text)
	if err != nil {
		e.t.Fatal(printed(err))
	}
	return statements
}

// plan gives the plan as lines of action, name and changes.
func (e *applied) plan(text string) (*planeql.Desired, string) {
	e.t.Helper()
	d, err := e.s.Plan(context.Background(), e.parse(text))
	if err != nil {
		e.t.Fatal(printed(err))
	}
	return d, steps(d)
}

func steps(d *planeql.Desired) string {
	var b strings.Builder
	for _, s := range d.Steps {
		fmt.Fprintf(&b, "%s %s", s.Action, s.ID[strings.LastIndexByte(s.ID, '/')+1:])
		if s.Action == planeql.ActionChange {
			for _, c := range s.Changes {
				fmt.Fprintf(&b, " %s: %s → %s", c.Member, c.From, c.To)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// apply takes the steps and gives them as they were taken.
func (e *applied) apply(d *planeql.Desired) (string, error) {
	var taken []string
	err := d.Apply(context.Background(), func(s planeql.Step, _ time.Duration, err error) {
		line := s.Action + " " + s.ID[strings.LastIndexByte(s.ID, '/')+1:]
		if err != nil {
			line += " failed"
		}
		taken = append(taken, line)
	})
	slices.Sort(taken) // some are taken side by side
	return strings.Join(taken, ", "), err
}

// writes gives the requests since the last time that are no GET, sorted.
func (e *applied) writes() string {
	var list []string
	for _, r := range e.sim.Requests() {
		if r.Method != http.MethodGet {
			list = append(list, r.Method+" "+r.Path[strings.LastIndexByte(r.Path, '/')+1:])
		}
	}
	e.sim.ResetRequests()
	e.sent = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// send makes a request as another client.
func (e *applied) send(method, path, body string) {
	e.t.Helper()
	request, err := http.NewRequestWithContext(e.t.Context(), method, e.url+path+"?api-version=2024-04-03", strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer other")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		e.t.Fatalf("%s %s: %d", method, path, response.StatusCode)
	}
	e.sim.ResetRequests()
}

func (e *applied) expect(what, got, want string) {
	e.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		e.t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

// A host pool with its desktop, workspace and scaling plan is made from nothing,
// is left alone when it is as stated, is put right after another client has
// changed it, and is taken away again.
func TestApply(t *testing.T) {
	e := poolApplied(t, planeql.WithYes())
	d, plan := e.plan("pool.sql")
	e.expect("the plan", plan, "create hp-new\ncreate ag-new\ncreate sp-new\ncreate ws-new\n")
	var members []string
	for _, c := range d.Steps[0].Changes {
		members = append(members, fmt.Sprintf("%s %s%s", c.Member, c.From, c.To))
	}
	e.expect("what is new", strings.Join(members, "\n"), `location "West Europe"
properties.hostPoolType "Pooled"
properties.loadBalancerType "BreadthFirst"
properties.preferredAppGroupType "Desktop"
properties.maxSessionLimit 12`)
	e.expect("writes of a plan", e.writes(), "")

	taken, err := e.apply(d)
	if err != nil {
		t.Fatal(printed(err))
	}
	e.expect("steps", taken, "create ag-new, create hp-new, create sp-new, create ws-new")
	e.expect("requests", e.writes(), "PUT ag-new, PUT hp-new, PUT sp-new, PUT ws-new")
	e.inOrder([2]string{"PUT hp-new", "PUT ag-new"}, [2]string{"PUT ag-new", "PUT ws-new"}, [2]string{"PUT hp-new", "PUT sp-new"})

	d, plan = e.plan("pool.sql")
	e.expect("the second plan", plan, "none hp-new\nnone ag-new\nnone sp-new\nnone ws-new\n")
	taken, err = e.apply(d)
	if err != nil || taken != "" {
		t.Errorf("the second apply: %s, %v", taken, err)
	}
	e.expect("requests of the second apply", e.writes(), "")

	e.send(http.MethodPatch, desktops+"/hostPools/hp-new", `{"tags":{"owner":"ann"},"properties":{"maxSessionLimit":99,"description":"by hand"}}`)
	e.send(http.MethodDelete, desktops+"/scalingPlans/sp-new", "")
	d, plan = e.plan("pool.sql")
	e.expect("drift", plan, "change hp-new properties.maxSessionLimit: 99 → 12\nnone ag-new\ncreate sp-new\nnone ws-new\n")
	e.expect("writes of finding drift", e.writes(), "")
	if taken, err = e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
	e.expect("steps against drift", taken, "change hp-new, create sp-new")
	kept := must(t, e.s, "SELECT maxSessionLimit, description, tags FROM azure.desktop_virtualization.host_pools WHERE hostPoolName = 'hp-new'")
	e.expect("what another client set beside", printedRows(kept), `[[12 by hand {"owner":"ann"}]]`)
	e.writes()

	d, err = e.s.PlanTeardown(context.Background(), e.parse("pool.sql"))
	if err != nil {
		t.Fatal(printed(err))
	}
	e.expect("the teardown", steps(d), "delete ws-new\ndelete sp-new\ndelete ag-new\ndelete hp-new\n")
	e.expect("writes of its plan", e.writes(), "")
	if _, err = e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
	e.expect("requests of the teardown", e.writes(), "DELETE ag-new, DELETE hp-new, DELETE sp-new, DELETE ws-new")
	e.inOrder([2]string{"DELETE ws-new", "DELETE ag-new"}, [2]string{"DELETE ag-new", "DELETE hp-new"}, [2]string{"DELETE sp-new", "DELETE hp-new"})
	if d, err = e.s.PlanTeardown(context.Background(), e.parse("pool.sql")); err != nil || d.Pending() != 0 {
		t.Errorf("the second teardown: %v %v", d, err)
	}
}

const (
	prodScope   = "subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu'"
	poolColumns = "(subscriptionId, resourceGroupName, hostPoolName, location, hostPoolType, loadBalancerType, preferredAppGroupType, friendlyName)"
	poolValues  = "VALUES ('" + armsim.ProductionSubscription + "', 'rg-avd-prod-weu', '%s', 'westeurope', 'Pooled', 'BreadthFirst', 'Desktop', '%s')"
	poolTable   = "azure.desktop_virtualization.host_pools"
)

func stated(verb, name, friendly, rest string) string {
	return verb + " INTO " + poolTable + " " + poolColumns + " " + fmt.Sprintf(poolValues, name, friendly) + rest + ";"
}

// REPLACE tells what else it may set back, DO NOTHING leaves alone what is there,
// DELETE states that nothing is there.
func TestApply_verbs(t *testing.T) {
	e := poolApplied(t, planeql.WithYes())
	must(t, e.s, stated("REPLACE", "hp-a", "A", ""))
	must(t, e.s, stated("REPLACE", "hp-b", "B", ""))
	e.send(http.MethodPatch, desktops+"/hostPools/hp-a", `{"tags":{"owner":"ann"},"properties":{"friendlyName":"other"}}`)
	script := stated("REPLACE", "hp-a", "A", "") + stated("INSERT", "hp-b", "C", " ON CONFLICT DO NOTHING") +
		"DELETE FROM " + poolTable + " WHERE " + prodScope + " AND hostPoolName = 'hp-engineering';"
	d, plan := e.plan(strings.Replace(script, "hp-engineering", "hp-none", 1) + stated("INSERT", "hp-c", "C", " ON CONFLICT DO NOTHING"))
	e.expect("plan", plan, "change hp-a properties.friendlyName: \"other\" → \"A\"\nnone hp-b\nnone hp-none\ncreate hp-c\n")
	if beside := strings.Join(d.Steps[0].Beside, " "); !strings.Contains(beside, "tags.owner") && !strings.Contains(beside, "tags") {
		t.Errorf("REPLACE says nothing of the tags: %s", beside)
	}
	if _, err := e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
	e.expect("requests", e.writes(), "PUT hp-a, PUT hp-c")
	got := must(t, e.s, "SELECT hostPoolName, friendlyName FROM "+poolTable+" WHERE "+prodScope+" AND hostPoolName IN ('hp-a', 'hp-b', 'hp-c') ORDER BY 1")
	e.expect("rows", fmt.Sprint(got), "[[hp-a A] [hp-b B] [hp-c C]]")
	gone := "DELETE FROM " + poolTable + " WHERE " + prodScope + " AND friendlyName IN ('B', 'C');"
	d, plan = e.plan(gone)
	e.expect("plan of DELETE", plan, "delete hp-b\ndelete hp-c\n")
	if _, err := e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
	if _, err := e.s.PlanTeardown(context.Background(), e.parse(gone)); err != nil {
		t.Errorf("a teardown of DELETE alone: %v", err)
	}
}

// A step that fails ends it; run again, it goes on from there. A member that
// changed after the plan was made is not overwritten without a word.
func TestApply_failure(t *testing.T) {
	deny := true
	sim, url := simulator(t, armsim.WithHook(func(r *http.Request) armsim.Outcome {
		if deny && r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/ag-new") {
			return armsim.Outcome{Status: http.StatusForbidden, Code: "AuthorizationFailed", Message: "no"}
		}
		return armsim.Outcome{}
	}))
	e := &applied{t: t, sim: sim, url: url, s: open(t, url, planeql.WithYes(), planeql.WithVariables(map[string]string{"group": "rg-avd-prod-weu", "limit": "12"}))}
	d, _ := e.plan("pool.sql")
	taken, err := e.apply(d)
	e.expect("steps", taken, "create ag-new failed, create hp-new, create sp-new")
	if f := fault.As(err); f == nil || f.Code != fault.Forbidden || f.Span.Place() == "" || !strings.HasPrefix(f.Hint, "2 of 4 steps were taken") {
		t.Errorf("%v", err)
	}
	deny = false
	d, plan := e.plan("pool.sql")
	e.expect("the rest", plan, "none hp-new\ncreate ag-new\nnone sp-new\ncreate ws-new\n")
	if _, err := e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
}

// What a statement can only say once another is applied is told, not passed over.
func TestApply_left(t *testing.T) {
	e := poolApplied(t, planeql.WithYes())
	script := stated("REPLACE", "hp-a", "A", "") +
		"INSERT INTO azure.desktop_virtualization.application_groups (subscriptionId, resourceGroupName, applicationGroupName, location, applicationGroupType, hostPoolArmPath) " +
		"SELECT subscriptionId, resourceGroupName, 'ag-' || name, location, 'Desktop', id FROM " + poolTable + " WHERE friendlyName = 'A' ON CONFLICT DO UPDATE;"
	d, plan := e.plan(script)
	e.expect("plan", plan, "create hp-a\n")
	_, err := e.apply(d)
	if f := fault.As(err); f == nil || f.Code != fault.CheckFailed || !strings.Contains(f.Detail, "create ") || !strings.Contains(f.Detail, "/ag-hp-a") {
		t.Errorf("%v", err)
	}
	d, plan = e.plan(script)
	e.expect("the second plan", plan, "none hp-a\ncreate ag-hp-a\n")
	if _, err := e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
}

func TestPlan_errors(t *testing.T) {
	e := poolApplied(t)
	for text, want := range map[string]struct {
		code    fault.Code
		message string
	}{
		"SELECT 1":                              {fault.NotSupported, "SELECT does not say what there should be"},
		"ON ERROR CONTINUE":                     {fault.NotSupported, "ON does not say"},
		"EXEC azure.desktop_virtualization.x.y": {fault.NotSupported, "EXEC does not say"},
		"UPDATE " + poolTable + " SET ring = 1 WHERE true":                         {fault.NotSupported, "UPDATE does not say"},
		"SET VARIABLE a = (DELETE FROM " + poolTable + " WHERE true RETURNING id)": {fault.NotSupported, "a write in SET VARIABLE"},
		"SET VARIABLE a = 1":                                                    {fault.SyntaxError, "no statement says what there should be"},
		stated("INSERT", "hp-a", "A", ""):                                       {fault.NotSupported, "INSERT alone says nothing"},
		stated("REPLACE", "hp-a", "A", " RETURNING id"):                         {fault.NotSupported, "RETURNING has no meaning"},
		stated("REPLACE", "hp-a", "A", "") + stated("REPLACE", "HP-A", "B", ""): {fault.InvalidValue, "is stated twice"},
		"CHECK (SELECT 1 = 2); " + stated("REPLACE", "hp-a", "A", ""):           {fault.CheckFailed, "the check does not hold"},
		"DELETE FROM " + poolTable + " WHERE " + prodScope + " AND hostPoolName = 'hp-none'; CHECK (SELECT NULL::BOOLEAN)": {fault.CheckFailed, "the check does not hold"},
	} {
		_, err := e.s.Plan(context.Background(), e.parse(text))
		f := fault.As(err)
		if f == nil || f.Code != want.code || !strings.Contains(f.Message, want.message) || f.Span.Source == nil && want.code != fault.SyntaxError {
			t.Errorf("%s\n%v", text, err)
		}
		e.expect("writes", e.writes(), "")
	}
}

func TestApply_guards(t *testing.T) {
	for name, c := range map[string]struct {
		option planeql.Option
		code   fault.Code
	}{
		"nobody confirms": {planeql.WithMaxTargets(4), fault.ConfirmationNeeded},
		"somebody refuses": {planeql.WithConfirm(func(_ context.Context, c planeql.Confirmation) (bool, error) {
			return c.Count != 4, nil
		}), fault.ConfirmationNeeded},
		"too many":  {planeql.WithMaxTargets(3), fault.LimitReached},
		"read-only": {planeql.WithReadOnly(), fault.ReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			e := poolApplied(t, c.option)
			d, _ := e.plan("pool.sql")
			_, err := e.apply(d)
			if f := fault.As(err); f == nil || f.Code != c.code || f.Hint == "" {
				t.Errorf("%v", err)
			}
			e.expect("writes", e.writes(), "")
		})
	}
}

// The documented scripts do what they say, and nothing when they are run again.
func TestDocumentedScripts(t *testing.T) {
	for _, c := range []struct {
		name, first, again string
		args               []string
		exit               int
	}{
		{
			"log_off_idle.sql", "DELETE userSessions 3, DELETE userSessions 4, DELETE userSessions 5, POST 3 sendMessage, POST 4 sendMessage, POST 5 sendMessage", "",
			[]string{"--var", "hours=24"}, 0,
		},
		{
			"retire_image.sql", "DELETE sessionHosts office-3.contoso.com, POST office-3 deallocate", "",
			[]string{"--var", "image=26100.4652"}, 8,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim, url := simulator(t, armsim.WithEstate(armsim.Tour))
			for _, want := range []string{c.first, c.again} {
				sim.ResetRequests()
				var out bytes.Buffer
				path, err := filepath.Abs("docs/scripts/" + c.name)
				if err != nil {
					t.Fatal(err)
				}
				code, errs := command(t, &out, url, append([]string{"--yes", "-q", "-f", path}, c.args...)...)
				if code != c.exit {
					t.Errorf("exit code %d, want %d\n%s%s", code, c.exit, out.String(), errs)
				}
				if got := lastParts(sim); got != want {
					t.Errorf("requests %s\nwant %s", got, want)
				}
			}
		})
	}
}

// lastParts gives the writes by the last two parts of their paths, sorted.
func lastParts(sim *armsim.Simulator) string {
	var list []string
	for _, r := range sim.Requests() {
		if parts := strings.Split(r.Path, "/"); r.Method != http.MethodGet {
			list = append(list, r.Method+" "+strings.Join(parts[len(parts)-2:], " "))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// Steps are recorded like other writes, and none is taken where that cannot be.
func TestApply_audit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	e := poolApplied(t, planeql.WithYes(), planeql.WithAudit(path))
	d, _ := e.plan("pool.sql")
	if _, err := os.Stat(path); err == nil {
		t.Error("a plan writes to the audit")
	}
	if _, err := e.apply(d); err != nil {
		t.Fatal(printed(err))
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n") != 8 || strings.Contains(string(text), `"statement":""`) {
		t.Errorf("%v\n%s", err, text)
	}
	e = poolApplied(t, planeql.WithYes(), planeql.WithAudit(t.TempDir()))
	d, _ = e.plan("pool.sql")
	if _, err := e.apply(d); fault.As(err) == nil || fault.As(err).Code != fault.RecordFailed {
		t.Errorf("%v", err)
	}
	e.expect("writes", e.writes(), "")
}
