package cli

import (
	"slices"

	"github.com/planeql/planeql/internal/fault"
)

// The exit codes. Scripts rely on them.
const (
	exitComplete    = 0
	exitBug         = 1
	exitStatement   = 2
	exitPartial     = 3
	exitCredential  = 4
	exitGuard       = 5
	exitRefused     = 6
	exitService     = 7
	exitCheck       = 8
	exitInterrupted = 130
)

var exitCodes = map[fault.Scope]int{
	fault.Statement: exitStatement, fault.Document: exitStatement, fault.Credential: exitCredential,
	fault.Guard: exitGuard, fault.Provider: exitRefused, fault.Service: exitService,
	fault.Check: exitCheck, fault.Interrupt: exitInterrupted, fault.Engine: exitBug,
}

// exitCode gives the exit code for the error that ended a run: it follows from
// who has to act.
func exitCode(err *fault.Error) int {
	if err.Code == fault.PartialResult {
		return exitPartial
	}
	if code, ok := exitCodes[err.Scope]; ok {
		return code
	}
	return exitBug
}

// gravity is the order of the codes of a run that goes on after errors: what
// running it again cures least comes first.
var gravity = []int{
	exitInterrupted, exitBug, exitStatement, exitCredential, exitGuard, exitRefused, exitService, exitCheck, exitPartial,
	exitComplete,
}

// worse gives the graver of two exit codes.
func worse(a, b int) int {
	if slices.Index(gravity, a) < slices.Index(gravity, b) {
		return a
	}
	return b
}
