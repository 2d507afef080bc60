package exec

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
)

// testFaultyWrite makes a write in virtual time and compares what is said of it: by
// the row or the error, by the audit and by the journal.
func testFaultyWrite(t *testing.T, test faultyWrite) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if test.timeout > 0 {
			ctx, cancel = context.WithTimeout(ctx, test.timeout)
			defer cancel()
		}
		if test.cancel > 0 {
			time.AfterFunc(test.cancel, cancel)
		}
		env := recorded(t, test.service)
		m := thingMethod(test.verb)
		targets := thingTargets(m, 1)
		rows, err := runTargets(ctx, env, &plan.Write{Method: m}, targets)
		one := targets[0]
		if f := fault.As(err); (f == nil) != (test.code == "") || f != nil && f.Code != test.code || f == nil && rows.Failed > 0 {
			t.Errorf("error %v, want %s", err, test.code)
		} else if f != nil && strings.Contains(f.Print(), "CAPABILITY") {
			t.Errorf("a link is shown: %s", f.Print())
		}
		if outcome := one.outcome(); outcome != test.outcome || test.service.writes() != test.writes {
			t.Errorf("outcome %s of %d writes, want %s of %d", outcome, test.service.writes(), test.outcome, test.writes)
		}
		checkRecords(t, env, one, test.outcome, test.journal)
		checkHint(t, err)
	})
}

// everyVerb are the verbs of writes. What PUT and DELETE do once they do twice.
var everyVerb = map[string]bool{"PUT": true, "DELETE": true, "PATCH": false, "POST": false}

// TestWrite_faultsOfEveryVerb has each fault for each verb: what may have happened is
// repeated where the verb makes that harmless, and unknown elsewhere.
func TestWrite_faultsOfEveryVerb(t *testing.T) {
	const link = "Azure-AsyncOperation: /op?t=1&c=CAPABILITY&s=2&h=3"
	begun := []said{{status: 202, header: link}}
	goesOn, failed := said{status: 200, body: `{"status":"InProgress"}`}, said{status: 200, body: `{"status":"Failed","error":{"code":"Broken"}}`}
	done := said{status: 200, body: `{"status":"Succeeded"}`}
	for verb, twice := range everyVerb {
		throttled := said{status: 429, header: "Retry-After: 3"}
		there, gone := []said{{status: 200, body: "{}"}}, []said{{status: 404}}
		after := there // what reading gives when the write is over
		if verb == "DELETE" {
			after = gone
		}
		for name, test := range map[string]faultyWrite{
			"429":          {service: &acting{write: []said{throttled, throttled, {status: 200}}}, outcome: "done", writes: 3},
			"reset before": {service: &acting{write: []said{{lost: "before"}, {status: 200}}}, outcome: "done", writes: 2},
			"an operation": {service: &acting{write: begun, poll: []said{goesOn, done}, read: after}, outcome: "done", writes: 1, journal: "done"},
			"an operation that fails": {service: &acting{write: begun, poll: []said{goesOn, failed}, read: there}, outcome: "failed", code: fault.Rejected,
				writes: 1, journal: "failed"},
			"an operation that never ends": {service: &acting{write: begun, poll: []said{goesOn}, read: there}, outcome: "accepted", code: fault.StillRunning,
				writes: 1, journal: "", timeout: time.Hour},
			"a poll that gives 429": {service: &acting{write: begun, poll: []said{throttled, throttled, done}, read: after}, outcome: "done", writes: 1, journal: "done"},
			"polls that give 429 for ever": {service: &acting{write: begun, poll: []said{throttled}, read: there}, outcome: "accepted", code: fault.StillRunning,
				writes: 1, journal: ""},
			"a poll that gives 404 once": {service: &acting{write: begun, poll: []said{{status: 404}, done}, read: after}, outcome: "done", writes: 1, journal: "done"},
			"503":                        faultOf(twice, []said{{status: 503}, {status: 200}}),
			"502":                        faultOf(twice, []said{{status: 502}, {status: 200}}),
			"reset after":                faultOf(twice, []said{{lost: "after"}, {status: 200}}),
		} {
			test.verb = verb
			if len(test.service.poll) == 0 {
				test.journal = "-"
			}
			t.Run(verb+" "+name, func(t *testing.T) { testFaultyWrite(t, test) })
		}
	}
	// What tells of the end where no link does, and where its record is gone.
	state := func(word string) said {
		return said{status: 200, body: `{"properties":{"provisioningState":"` + word + `"}}`}
	}
	for name, test := range map[string]faultyWrite{
		"202 without a header":            {service: &acting{write: []said{{status: 202}}, read: []said{state("Updating"), state("Succeeded")}}, outcome: "done", writes: 1, journal: "done"},
		"202 without a header that fails": {service: &acting{write: []said{{status: 202}}, read: []said{state("Updating"), state("Failed")}}, outcome: "failed", code: fault.Rejected, writes: 1, journal: "failed"},
		"polls that give 404":             {service: &acting{write: begun, poll: []said{{status: 404}}, read: []said{state("Updating"), state("Succeeded")}}, outcome: "done", writes: 1, journal: "done"},
		"polls and reads that give 404":   {service: &acting{write: begun, poll: []said{{status: 404}}, read: []said{{status: 404}}}, outcome: "unknown", code: fault.OutcomeUnknown, writes: 1, journal: "unknown"},
	} {
		for _, verb := range []string{"PUT", "PATCH"} {
			own := test
			own.verb, own.service = verb, &acting{write: test.service.write, poll: test.service.poll, read: test.service.read}
			t.Run(verb+" "+name, func(t *testing.T) { testFaultyWrite(t, own) })
		}
	}
}

// faultOf is a write that may have happened when its answer did not come.
func faultOf(twice bool, answers []said) faultyWrite {
	if twice {
		return faultyWrite{service: &acting{write: answers}, outcome: "done", writes: 2}
	}
	return faultyWrite{service: &acting{write: answers}, outcome: "unknown", code: fault.OutcomeUnknown, writes: 1}
}
