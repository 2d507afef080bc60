package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// choose gives the method of a scan and why: among those whose required
// parameters have values in every alternative, the one that takes most of the
// other bound parameters that only travel in a query, then the one that uses
// most of the bound path parameters, then the document's order.
func choose(r *provider.Resource, methods []*provider.Method, all []alternative) (*provider.Method, string, error) {
	var best *provider.Method
	var bestScore [2]int
	for _, m := range methods {
		if len(missing(m, all)) > 0 {
			continue
		}
		if s := score(m, all); best == nil || s[0] > bestScore[0] || s[0] == bestScore[0] && s[1] > bestScore[1] {
			best, bestScore = m, s
		}
	}
	if best == nil {
		return nil, "", missingParameters(r, methods, all)
	}
	required := best.RequiredParameters()
	switch {
	case len(all) == 0:
		return best, "any: the conditions can never be true", nil
	case len(methods) == 1:
		return best, "the only method that reads it", nil
	case len(required) == 0:
		return best, "needs no parameter", nil
	}
	var names []string
	for _, p := range required {
		names = append(names, p.Name)
	}
	return best, "uses most of what is given: " + strings.Join(names, ", "), nil
}

// missing gives the required parameters that some alternative leaves open. A
// condition that can never be true leaves none open: no call is made.
func missing(m *provider.Method, all []alternative) []string {
	var names []string
	for _, p := range m.RequiredParameters() {
		for _, a := range all {
			if _, ok := a[p.Name]; !ok {
				names = append(names, p.Name)
				break
			}
		}
	}
	return names
}

// score counts the bound parameters that the method takes: in the query or a
// header first, in the path second.
func score(m *provider.Method, all []alternative) [2]int {
	var s [2]int
	for _, name := range boundNames(all) {
		p, ok := m.Parameter(name)
		switch {
		case !ok:
		case p.In == provider.InPath:
			s[1]++
		default:
			s[0]++
		}
	}
	return s
}

// boundNames gives the parameters that any alternative fixes, sorted.
func boundNames(all []alternative) []string {
	names := map[string]bool{}
	for _, a := range all {
		for name := range a {
			names[name] = true
		}
	}
	return sortedKeys(names)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// tuples gives the arguments of the calls: for each alternative every
// combination of its values, each combination once.
func tuples(m *provider.Method, all []alternative) (names []string, list []Tuple, err error) {
	for _, p := range m.Parameters {
		bound := 0
		for _, a := range all {
			if _, ok := a[p.Name]; ok {
				bound++
			}
		}
		switch {
		case bound == 0:
		case bound < len(all):
			return nil, nil, inOneBranch(p.Name)
		default:
			names = append(names, p.Name)
		}
	}
	seen := map[string]bool{}
	for _, a := range all {
		for _, t := range combinations(names, a) {
			if key := tupleKey(m, t); !seen[key] {
				seen[key] = true
				list = append(list, t)
			}
		}
		if len(list) > manyTuples {
			return nil, nil, tooManyTuples(m)
		}
	}
	return names, list, nil
}

// manyTuples bounds the calls that one scan may ask for by lists of values.
const manyTuples = 100_000

func tooManyTuples(m *provider.Method) *fault.Error {
	return fault.New(fault.LimitReached, "the conditions ask for more than %d calls of %s", manyTuples, m.FullName()).
		WithHint("name fewer values, or use a wider list and filter its rows")
}

// combinations gives every combination of the values of an alternative, the
// last name's values changing first.
func combinations(names []string, a alternative) []Tuple {
	list := []Tuple{{}}
	for _, name := range names {
		var longer []Tuple
		for _, t := range list {
			for _, v := range a[name] {
				longer = append(longer, append(slices.Clone(t), v))
			}
			if len(longer) > manyTuples {
				return longer
			}
		}
		list = longer
	}
	return list
}

// tupleKey gives a text that is the same for tuples that make the same call.
func tupleKey(m *provider.Method, t Tuple) string {
	var b strings.Builder
	for _, v := range t {
		if v == nil {
			b.WriteString("-,")
			continue
		}
		text := v.Text
		switch {
		case v.Expression != nil:
			text = fmt.Sprintf("expression %p", v) // equal ones are found when they are evaluated
		case foldsCase(v.parameter, m.Resource.Family):
			text = strings.ToLower(text)
		}
		fmt.Fprintf(&b, "%d:%s,", len(text), text)
	}
	return b.String()
}

// missingParameters is the error for a resource none of whose methods has what
// it needs.
func missingParameters(r *provider.Resource, methods []*provider.Method, all []alternative) *fault.Error {
	var lines []string
	least := methods[0]
	for _, m := range methods {
		lacks := missing(m, all)
		lines = append(lines, m.Name+" lacks "+strings.Join(lacks, ", "))
		if len(lacks) < len(missing(least, all)) {
			least = m
		}
	}
	return fault.New(fault.MissingParameter, "%s cannot be read with what the WHERE gives", r.Path()).On(r.Path()).
		WithDetail("%s", strings.Join(lines, "\n")).
		WithHint("the smallest statement that works:\n%s", catalog.SmallestStatement(r, least))
}

// notReadable is the error for a SELECT from a resource without a select
// method.
func notReadable(r *provider.Resource) *fault.Error {
	return fault.New(fault.NotSupported, "%s cannot be read: none of its methods serves SELECT", r.Path()).
		WithHint("SHOW METHODS IN %s lists what it can do", r.Path())
}
