package planeql_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

// interruptedStatements are statements that find scopes, join and stop early.
var interruptedStatements = []string{
	everySession,
	"SELECT p.name, u.name FROM azure.desktop_virtualization.host_pools p JOIN azure.desktop_virtualization.user_sessions u ON u.subscriptionId = p.subscriptionId AND u.resourceGroupName = p.resourceGroupName AND u.hostPoolName = p.name",
	"SELECT name FROM azure.desktop_virtualization.user_sessions LIMIT 30",
	"SELECT sessionState, count(*) FROM azure.desktop_virtualization.user_sessions GROUP BY 1",
	"SELECT p.name FROM azure.desktop_virtualization.host_pools p WHERE EXISTS (SELECT 1 FROM azure.desktop_virtualization.user_sessions u WHERE u.subscriptionId = p.subscriptionId AND u.resourceGroupName = p.resourceGroupName AND u.hostPoolName = p.name)",
}

// A statement that is ended at any moment, in each of the ways in which it can
// be, leaves no call behind and a session that works. That no goroutine is left
// is checked at the end of all tests.
func TestCancel_anyMoment(t *testing.T) {
	times := 300
	if testing.Short() {
		times = 60
	}
	const side = 6
	var workers sync.WaitGroup
	for w := range side {
		workers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			service := &inside{sim: newSim(t, armsim.WithPageSize(5), armsim.WithLatency(2*time.Millisecond))}
			s := openInside(t, service)
			for i := range times / side {
				cancelOnce(t, s, service, random, w+i)
			}
			if rows, _, err := readAll(s, everySession); err != nil || len(rows) != 120 {
				t.Errorf("afterwards there are %d rows, %v", len(rows), err)
			}
		})
	}
	workers.Wait()
}

// cancelOnce runs a statement and ends it at a random moment, by way n.
func cancelOnce(t *testing.T, s *planeql.Session, service *inside, random *rand.Rand, n int) {
	text := interruptedStatements[random.IntN(len(interruptedStatements))]
	after := time.Duration(random.Int64N(int64(40 * time.Millisecond)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	way, stop := "cancel", -1
	switch n % 3 {
	case 0:
		timer := time.AfterFunc(after, cancel)
		defer timer.Stop()
	case 1:
		way = "deadline"
		var release context.CancelFunc
		ctx, release = context.WithTimeout(ctx, after)
		defer release()
	case 2:
		way, stop = "close", random.IntN(20)
	}
	err := readSome(ctx, s, text, stop)
	calls, running := service.started.Load(), service.running.Load()
	if running != 0 {
		t.Errorf("%s of %q: %d calls are under way", way, text, running)
	}
	if e := fault.As(err); err != nil && (e == nil || e.Code != fault.Cancelled || stop >= 0) {
		t.Errorf("%s of %q: %v", way, text, err)
	}
	if rows, _, err := readAll(s, "SELECT 1"); err != nil || fmt.Sprint(rows) != "[1]" {
		t.Errorf("%s of %q: the session is broken: %v", way, text, err)
	}
	if later := service.started.Load(); later != calls {
		t.Errorf("%s of %q: %d calls were made afterwards", way, text, later-calls)
	}
}

// readSome reads rows up to a number, all for -1, and closes them.
func readSome(ctx context.Context, s *planeql.Session, text string, stop int) error {
	rows, err := s.Query(ctx, text)
	if err != nil {
		return err
	}
	for n := 0; n != stop && rows.Next(); n++ {
		continue
	}
	return errors.Join(rows.Err(), rows.Close())
}
