package plan

import "github.com/planeql/planeql/internal/fault"

// Hint words behind the verb of a write that say how long is waited: AWAIT for
// the end of long-running operations, which is what happens anyway, NOWAIT not
// for it, and VISIBLE until what was written can be read.
const (
	hintAwait   = "AWAIT"
	hintNoWait  = "NOWAIT"
	hintVisible = "VISIBLE"
)

// patience takes from the hints of a write how long is waited.
func (k *maker) patience() error {
	w, hints := k.write, k.target.Hints
	w.NoWait, w.Visible = hinted(hints, hintNoWait), hinted(hints, hintVisible)
	switch {
	case w.NoWait && (w.Visible || hinted(hints, hintAwait)):
		return fault.New(fault.InvalidValue, "NOWAIT and a hint to wait contradict each other").At(k.home()).
			WithHint("leave one of them out")
	case w.Visible && w.Method.HTTPMethod == "POST":
		return fault.New(fault.NotSupported, "/*+ VISIBLE */ has no meaning for %s: what it does has no address of its own", w.Method.FullName()).
			At(k.home()).WithHint("look at what it changes by a SELECT")
	}
	return nil
}
