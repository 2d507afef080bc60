// Package exec runs plans: it starts the scans of a query and streams its rows,
// makes the calls of a write, and keeps account of what was lost where the user
// allows a loss. It decides nothing about names, methods or SQL: the plan does.
//
// Whoever reads rows closes them; everything that a statement started ends with
// that. Start reading at [RunQuery] and [RunWrite]; the scan that feeds DuckDB
// is in scan.go.
package exec

import (
	"context"
	"time"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/rest"
)

// Env is what a plan is run with. Only DB and Client must be set.
type Env struct {
	DB          *duck.DB
	Client      *rest.Client
	Concurrency int                  // calls of one scan side by side; 0: 64
	Skip        bool                 // a call that fails is a warning, not the end
	FirstRows   bool                 // somebody waits for the first rows
	Warned      func([]*fault.Error) // is told the warnings of a query when it ends, however it ends; may be nil
	Found       *Found               // what listings of the session have found; nil: nothing is kept

	DryRun     bool
	ReadOnly   bool
	Yes        bool
	MaxTargets int // 0: no limit
	Confirm    func(context.Context, Confirmation) (bool, error)

	Outcomes func(rows [][]any) // is told what became of the targets of a write, failed ones too

	Records    Records
	Wait       time.Duration // how long is waited for an operation; 0: until it is over
	Operations *Operations   // counts those that go on; may be nil

	noWait  bool          // operations are not waited for
	visible bool          // it is waited until a write can be read
	ordered bool          // an operation is over before the next call is made
	judge   func(*target) // says what a refusal means for the statement; may be nil
}

// Confirmation is what the user is asked before a write on several targets.
type Confirmation struct {
	Method string   // provider.service.resource.method
	Count  int      // targets
	Sample []string // the first of them
}

func (e Env) concurrency() int {
	if e.Concurrency > 0 {
		return e.Concurrency
	}
	return 64
}
