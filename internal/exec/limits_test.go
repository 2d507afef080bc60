package exec

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/plan"
)

// limited is a service with the bucket that Azure Resource Manager has for the
// deletions of a subscription: 200, and ten more a second.
type limited struct {
	mu      sync.Mutex
	tokens  float64
	at      time.Time
	refused int
}

func (s *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.tokens = min(200, s.tokens+10*now.Sub(s.at).Seconds())
	s.at = now
	status := http.StatusOK
	if s.tokens < 1 {
		status = http.StatusTooManyRequests
		s.refused++
	} else {
		s.tokens--
	}
	return (&acting{write: []said{{status: status}}}).RoundTrip(r)
}

// A thousand deletions take the time that the limit implies: the first 200 at
// once, ten more a second. None is refused, and each has its row.
func TestWrite_thousandWithinLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := &limited{tokens: 200, at: time.Now()}
		env := recorded(t, service)
		m := thingMethod("DELETE")
		m.Server = "https://management.azure.com"
		start := time.Now()
		rows, err := runTargets(t.Context(), env, &plan.Write{Method: m}, thingTargets(m, 1000))
		if err != nil || rows.Failed > 0 {
			t.Fatalf("%v", err)
		}
		took, n := time.Since(start), 0
		for rows.Next() {
			if rows.Values()[1] == "done" {
				n++
			}
		}
		if n != 1000 || service.refused > 0 || took < 75*time.Second || took > 95*time.Second {
			t.Errorf("%d rows in %s, %d refused", n, took, service.refused)
		}
	})
}
