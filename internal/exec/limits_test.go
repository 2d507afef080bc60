package exec

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

// simulated is a simulator in the process.
type simulated struct{ *armsim.Simulator }

func (s simulated) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	served := r.Clone(r.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	s.ServeHTTP(w, served)
	response := w.Result()
	response.Request = r
	return response, nil
}

// sessionMethods gives the methods that read and log off a session, sent to a
// server.
func sessionMethods(t *testing.T, server string) (get, remove *provider.Method) {
	t.Helper()
	p, err := provider.Open(providers.FS, "azure")
	if err != nil {
		t.Fatal(err)
	}
	service, err := p.Service("desktop_virtualization")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range service.Resources() {
		if r.Name == "user_sessions" {
			get, _ = r.Method("get")
			remove, _ = r.Method("delete")
		}
	}
	own, other := *get, *remove
	own.Server, other.Server = server, server
	return &own, &other
}

// sessionTargets are all sessions of the simulator's pool.
func sessionTargets(t *testing.T, s simulated, m *provider.Method) (targets []*target) {
	t.Helper()
	const pool = "/subscriptions/" + armsim.ProductionSubscription + "/resourceGroups/rg-avd-prod-weu/providers/Microsoft.DesktopVirtualization/hostPools/hp-office"
	response, err := s.RoundTrip(httptest.NewRequestWithContext(t.Context(), "GET", "https://management.azure.com"+pool+"/userSessions?api-version=2024-04-03", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var page struct{ Value []struct{ ID string } }
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	names := m.PathParameters()
	for _, item := range page.Value {
		parts := strings.Split(strings.Trim(item.ID, "/"), "/")
		values := []string{parts[1], parts[3], parts[7], parts[9], parts[11]}
		call := provider.Call{Method: m}
		for i, name := range names {
			call.Arguments = append(call.Arguments, provider.Argument{Name: name, Value: values[i]})
		}
		targets = append(targets, &target{call: call, id: item.ID})
	}
	return targets
}

// N9 of what users ask for: logging off a thousand sessions, each read again right
// before, takes the time that the limit of deletions implies: the first 200 at
// once, ten more a second. None is refused, and each has its row. So it is at
// Azure itself, whose limits are published, and elsewhere, where answers tell.
func TestWrite_thousandWithinLimits(t *testing.T) {
	for _, server := range []string{"https://management.azure.com", "https://simulator.example"} {
		synctest.Test(t, func(t *testing.T) {
			sim, err := armsim.New(armsim.WithEstate(armsim.Maintenance), armsim.WithThrottling(true), armsim.WithoutAuth(),
				armsim.WithPageSize(1000), armsim.WithLatency(80*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			service := simulated{sim}
			env := recorded(t, service)
			get, remove := sessionMethods(t, server)
			f := &frozen{write: &plan.Write{Method: remove, Read: get}, env: env, meter: newMeter(), targets: sessionTargets(t, service, remove)}
			for _, one := range f.targets {
				one.prepare = func(ctx context.Context) (string, error) {
					_, err := f.read(ctx, one)
					return "", err
				}
			}
			start := time.Now()
			rows, err := f.run(t.Context())
			if err != nil || rows.Failed > 0 {
				t.Fatalf("%v, %d failed", err, rows.Failed)
			}
			took, n := time.Since(start), 0
			for rows.Next() {
				if rows.Values()[1] == "done" {
					n++
				}
			}
			refused, done := 0, map[string]bool{}
			for _, r := range sim.Requests() {
				if r.Status == http.StatusTooManyRequests {
					refused++
				}
				if r.Method == http.MethodDelete && r.Done {
					done[r.Path] = true
				}
			}
			if n != 1000 || len(done) != 1000 || refused > 0 || took < 75*time.Second || took > 95*time.Second {
				t.Errorf("%s: %d rows in %s, %d logged off, %d refused", server, n, took, len(done), refused)
			}
		})
	}
}
