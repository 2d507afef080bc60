package planeql_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/providers"
)

// longWay is a way in which a service goes on with writes, and where its
// document says that the result is (final-state-via).
type longWay struct {
	rule armsim.LongRunning
	via  string
}

// longWays are the styles of the simulator, each with the answers to polls and
// the documents that change how it is read. None of them is asked for twice
// without Retry-After, which would take a second; nor is what is done and has no
// state to say so.
var longWays = map[string]longWay{
	"status document":                           {armsim.LongRunning{Style: armsim.AsyncOperation}, ""},
	"status document, 200":                      {armsim.LongRunning{Style: armsim.AsyncOperation, Status: 200}, ""},
	"status document, 201":                      {armsim.LongRunning{Style: armsim.AsyncOperation, Status: 201}, ""},
	"status document, 202":                      {armsim.LongRunning{Style: armsim.AsyncOperation, Status: 202}, ""},
	"status alone":                              {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerStatus}, ""},
	"full status document":                      {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerFull}, ""},
	"status document behind 202":                {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerAccepted}, ""},
	"status document, then the resource":        {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerResource}, ""},
	"status in lower case":                      {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerLower}, ""},
	"status document, throttled":                {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerThrottled}, ""},
	"status document, gone after a deletion":    {armsim.LongRunning{Style: armsim.AsyncOperation, Answer: armsim.AnswerGone}, ""},
	"status document, the result is its own":    {armsim.LongRunning{Style: armsim.AsyncOperation}, "azure-async-operation"},
	"status document, the result is the URI":    {armsim.LongRunning{Style: armsim.AsyncOperation}, "original-uri"},
	"location":                                  {armsim.LongRunning{Style: armsim.LocationOnly}, ""},
	"location, the result is there":             {armsim.LongRunning{Style: armsim.LocationOnly}, "location"},
	"location, without a body":                  {armsim.LongRunning{Style: armsim.LocationOnly, Answer: armsim.AnswerEmpty}, ""},
	"location, 204":                             {armsim.LongRunning{Style: armsim.LocationOnly, Answer: armsim.AnswerNoContent}, ""},
	"location, moving":                          {armsim.LongRunning{Style: armsim.LocationOnly, Answer: armsim.AnswerMoved}, ""},
	"location, full status document":            {armsim.LongRunning{Style: armsim.LocationOnly, Answer: armsim.AnswerFull}, ""},
	"location, gone after a deletion":           {armsim.LongRunning{Style: armsim.LocationOnly, Answer: armsim.AnswerGone}, ""},
	"location, the result is the URI":           {armsim.LongRunning{Style: armsim.LocationOnly}, "original-uri"},
	"both":                                      {armsim.LongRunning{Style: armsim.AsyncAndLocation}, ""},
	"both, the result is behind the location":   {armsim.LongRunning{Style: armsim.AsyncAndLocation, Status: 202}, "location"},
	"both, the result is the URI":               {armsim.LongRunning{Style: armsim.AsyncAndLocation}, "original-uri"},
	"operation-location":                        {armsim.LongRunning{Style: armsim.OperationLocation}, ""},
	"operation-location, the result is its own": {armsim.LongRunning{Style: armsim.OperationLocation, Status: 202}, "operation-location"},
	"an address that is none to ask at":         {armsim.LongRunning{Style: armsim.AddressOnly}, ""},
	"a header of what is done":                  {armsim.LongRunning{Style: armsim.AsyncDone, Type: "Microsoft.Compute/virtualMachines"}, ""},
	"provisioningState":                         {armsim.LongRunning{Style: armsim.BodyOnly, Polls: -1}, ""},
	"provisioningState, 200":                    {armsim.LongRunning{Style: armsim.BodyOnly, Polls: -1, Status: 200}, ""},
	"provisioningState, 201":                    {armsim.LongRunning{Style: armsim.BodyOnly, Polls: -1, Status: 201}, ""},
	"provisioningState, 202":                    {armsim.LongRunning{Style: armsim.BodyOnly, Polls: -1, Status: 202}, ""},
	"no header":                                 {armsim.LongRunning{Style: armsim.NoHeader, Polls: -1}, ""},
}

// The round trips of every resource, in each style in which a service may go on
// with a write; where only the form of answers differs, those of one resource of each
// kind: with a state and without, nested and not.
func TestRoundTrips_longRunning(t *testing.T) {
	methods := slices.DeleteFunc(builtInMethods(t), func(m *provider.Method) bool {
		return !slices.Contains(m.Verbs, provider.Insert) || m.HTTPMethod != "PUT"
	})
	for name, way := range longWays {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && way.rule.Status == 0 {
				t.Skip("some of the ways are enough")
			}
			t.Parallel()
			way.rule.RetryAfter = time.Millisecond
			sim, url := simulator(t, armsim.WithEstate(armsim.Small), armsim.WithLongRunning(way.rule))
			s := open(t, url, planeql.WithYes(), planeql.WithDocuments(withFinalState(t, way.via), "azure"))
			tried := methods
			if way.rule.Answer != "" || way.rule.Status != 0 || way.via != "" {
				tried = slices.DeleteFunc(slices.Clone(methods), func(m *provider.Method) bool {
					return !slices.Contains([]string{"host_pools", "scaling_plan_pooled_schedules", "virtual_machines"}, m.Resource.Name)
				})
			}
			for _, m := range tried {
				t.Run(m.Resource.Name, func(t *testing.T) { roundTrip(t, s, m) })
			}
			polls := slices.DeleteFunc(sim.Requests(), func(r armsim.Request) bool { return r.Method != "GET" || r.Operation == "" })
			headers := way.rule.Style == armsim.AsyncOperation || way.rule.Style == armsim.LocationOnly || way.rule.Style == armsim.AsyncAndLocation
			if headers && len(polls) < 4*len(tried) {
				t.Errorf("%d polls: the writes did not run long", len(polls))
			}
		})
	}
}

var operationLine = regexp.MustCompile(`(?m)^( *)operationId: .*$`)

// withFinalState gives the built-in documents with a final-state-via on every
// operation; empty: as they are.
func withFinalState(t *testing.T, via string) fs.FS {
	t.Helper()
	if via == "" {
		return providers.FS
	}
	files := fstest.MapFS{}
	err := fs.WalkDir(providers.FS, "azure", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(providers.FS, name)
		if strings.Contains(name, "/services/") {
			data = operationLine.ReplaceAll(data, []byte("$0\n${1}x-ms-long-running-operation-options: {final-state-via: "+via+"}"))
		}
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
