package desired

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/openapi"
)

// Step is a resource that is to be written or to be gone, by its id.
type Step struct {
	ID      string
	Deletes bool
	Names   []string // ids that its new state names
	Named   []string // ids that its state names as it is
	Span    fault.Span
}

// Order gives the places of steps in waves: those of one wave can be taken side
// by side, once all waves before it are. What is named comes before what names
// it, parents before children, and the other way round for what is to be gone.
// Inside a wave the order is that of the statements.
func Order(steps []Step) ([][]int, error) {
	if err := contradiction(steps); err != nil {
		return nil, err
	}
	var waves [][]int
	done := make([]bool, len(steps))
	for slices.Contains(done, false) {
		var wave []int
		for i := range steps {
			if !done[i] && ready(steps, done, i) {
				wave = append(wave, i)
			}
		}
		if wave == nil {
			return nil, circle(steps, done)
		}
		for _, i := range wave {
			done[i] = true
		}
		waves = append(waves, wave)
	}
	return waves, nil
}

func indices(steps []Step) []int {
	list := make([]int, len(steps))
	for i := range list {
		list[i] = i
	}
	return list
}

// ready tells whether all that a step needs is done.
func ready(steps []Step, done []bool, i int) bool {
	for j := range steps {
		if j != i && !done[j] && needs(steps[i], steps[j]) {
			return false
		}
	}
	return true
}

// needs tells whether a step has to come behind another.
func needs(s, other Step) bool {
	switch {
	case !s.Deletes && !other.Deletes:
		return below(s.ID, other.ID) || anyAt(s.Names, other.ID)
	case s.Deletes && other.Deletes:
		return below(other.ID, s.ID) || anyAt(other.Named, s.ID) && !anyAt(s.Named, other.ID)
	case s.Deletes:
		return anyAt(other.Named, s.ID)
	}
	return false
}

// below tells whether an id is that of a part of another's resource.
func below(id, of string) bool {
	id, of = strings.ToLower(id), strings.TrimRight(strings.ToLower(of), "/")
	return len(id) > len(of) && strings.HasPrefix(id, of) && id[len(of)] == '/'
}

// anyAt tells whether one of some ids is a resource or a part of it.
func anyAt(ids []string, of string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, of) || below(id, of) })
}

// contradiction finds a resource that is stated twice, or inside one that is to
// be gone.
func contradiction(steps []Step) error {
	for i, s := range steps {
		for j, other := range steps {
			switch {
			case i < j && strings.EqualFold(s.ID, other.ID):
				return fault.New(fault.InvalidValue, "%s is stated twice", other.ID).At(other.Span).
					WithHint("one statement says what it should be: join the two, or leave one out")
			case s.Deletes && !other.Deletes && below(other.ID, s.ID):
				return fault.New(fault.InvalidValue, "%s should be there and %s, of which it is a part, should be gone", other.ID, s.ID).At(other.Span).
					WithHint("leave one of the two statements out")
			}
		}
	}
	return nil
}

// circle is the error for steps of which each needs another.
func circle(steps []Step, done []bool) error {
	at := slices.Index(done, false)
	var names []string
	for seen := map[int]bool{}; !seen[at]; {
		seen[at] = true
		names = append(names, steps[at].ID)
		at = slices.IndexFunc(indices(steps), func(j int) bool { return j != at && !done[j] && needs(steps[at], steps[j]) })
	}
	return fault.New(fault.InvalidValue, "the statements need each other: %s", strings.Join(append(names, steps[at].ID), " → ")).
		At(steps[at].Span).WithHint("state one of them without the reference in a file of its own, and apply that first")
}

// References gives the ids that a resource names: the texts that begin like a
// path in members that a statement may write. What the service says of who names
// the resource is not among them. Without a schema all members count.
func References(text []byte, s *openapi.Schema) []string {
	v, err := decode(text)
	if err != nil {
		return nil
	}
	return references(v, s)
}

func references(v any, s *openapi.Schema) []string {
	var found []string
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "/") {
			found = append(found, v)
		}
	case []any:
		for _, e := range v {
			found = append(found, references(e, s.Items())...)
		}
	case map[string]any:
		for _, name := range names(v, s) {
			below := member(s, name)
			if s != nil && !s.FreeForm() && (below == nil || below.ReadOnly) {
				continue
			}
			found = append(found, references(v[name], below)...)
		}
	}
	return found
}

// Values gives changes as JSON.
func Values(changes []Change) json.RawMessage {
	if changes == nil {
		changes = []Change{}
	}
	text, _ := json.Marshal(changes) // texts and JSON always marshal
	return text
}
