package planeql_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// While apply reads and changes resources, it tells how far it is: the calls of
// all statements and steps together.
func TestApply_progress(t *testing.T) {
	var calls atomic.Int64
	told := make(chan struct{}, 1)
	slow := func(r *http.Request) armsim.Outcome { // the second object is read when the first was told of
		if r.Method == http.MethodGet && r.URL.Path[len(r.URL.Path)-1] == '2' {
			select {
			case <-told:
			case <-r.Context().Done():
			}
		}
		return armsim.Outcome{}
	}
	_, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithHook(slow))
	s := open(t, url, planeql.WithYes(), planeql.WithProgress(func(p planeql.Progress) {
		calls.Store(int64(p.Calls))
		if p.Calls >= 2 {
			select {
			case told <- struct{}{}:
			default:
			}
		}
	}))
	const columns = "INSERT INTO azure.desktop_virtualization.workspaces (subscriptionId, resourceGroupName, workspaceName, location) VALUES ('" + prod + "', 'rg-avd-prod-weu', "
	statements, err := s.Parse("files", columns+"'ws-1', 'westeurope') ON CONFLICT DO UPDATE; "+columns+"'ws-2', 'westeurope') ON CONFLICT DO UPDATE")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Plan(ctx, statements); err != nil || calls.Load() < 2 {
		t.Errorf("%v, %d calls were told of", err, calls.Load())
	}
}

// A script that waits ends at once where it is interrupted.
func TestWait_interrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := open(t, "http://127.0.0.1:1", planeql.WithProgress(func(planeql.Progress) { cancel() }))
	started := time.Now()
	_, err := s.Exec(ctx, "CREATE TEMP TABLE t AS SELECT 1 AS a; SELECT sleep_ms(600000) FROM t; SELECT 1")
	if e := fault.As(err); e == nil || e.Code != fault.Cancelled || time.Since(started) > 30*time.Second {
		t.Errorf("%v after %s", err, time.Since(started))
	}
}
