package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/transport"
)

// BenchmarkDo_simulator drives the simulator over real connections and gives the
// part of the allowed rate that was reached and of the calls that were refused.
// The throttled one takes 70 seconds: -benchtime 1x.
func BenchmarkDo_simulator(b *testing.B) {
	for name, test := range map[string]struct {
		throttled bool
		calls     int
	}{
		"throttled": {true, 2000},
		"free":      {false, 5000},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				sim, err := armsim.New(armsim.WithThrottling(test.throttled), armsim.WithoutAuth())
				if err != nil {
					b.Fatal(err)
				}
				server := httptest.NewServer(sim)
				tr := transport.New(transport.Options{})
				took := fanOut(b, tr, server.URL, test.calls)
				if test.throttled {
					allowed := time.Duration(test.calls-250) * time.Second / 25
					b.ReportMetric(float64(allowed)/float64(took), "of-allowed")
				}
				b.ReportMetric(float64(tr.Stats().Throttled)/float64(test.calls), "refused")
				b.ReportMetric(float64(test.calls)/took.Seconds(), "calls/s")
				tr.Close()
				server.Close()
			}
		})
	}
}

// fanOut makes reading calls of one subscription side by side.
func fanOut(b *testing.B, tr *transport.Transport, base string, calls int) time.Duration {
	r := transport.Request{
		Provider: "azure", Method: http.MethodGet, Bucket: "azure|s|read",
		URL:   base + "/subscriptions/" + armsim.ProductionSubscription + "?api-version=2022-12-01",
		Limit: transport.Limit{Burst: 250, PerSecond: 25, Remaining: "x-ms-ratelimit-remaining-subscription-reads"},
	}
	start := time.Now()
	var group sync.WaitGroup
	for range calls {
		group.Go(func() {
			response, err := tr.Do(context.Background(), r)
			if err != nil || response.Status != http.StatusOK {
				b.Errorf("%+v, %v", response, err)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}
