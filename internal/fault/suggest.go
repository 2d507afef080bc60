package fault

import (
	"cmp"
	"slices"
	"strings"
)

// Suggest gives the candidates that a misspelt name most likely meant, best
// first, at most three. Case and underscores do not count as differences.
func Suggest(name string, candidates []string) []string {
	type match struct {
		name     string
		distance int
	}
	folded := Fold(name)
	allowed := max(1, len(folded)/3)
	var near []match
	for _, c := range candidates {
		f := Fold(c)
		d := distance(folded, f)
		switch {
		case d <= allowed:
			near = append(near, match{c, d})
		case len(folded) >= 4 && (strings.Contains(f, folded) || 2*len(f) >= len(folded) && strings.Contains(folded, f)):
			near = append(near, match{c, allowed + 1})
		}
	}
	slices.SortFunc(near, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, m := range near {
		if !slices.Contains(names, m.name) && len(names) < 3 {
			names = append(names, m.name)
		}
	}
	return names
}

// DidYouMean gives the hint for a misspelt name: the near candidates, or the
// other text where there are none.
func DidYouMean(name string, candidates []string, other string) string {
	near := Suggest(name, candidates)
	if len(near) == 0 {
		return other
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// Fold gives the form in which names are compared: lower case, without
// underscores and hyphens, a leading dollar sign kept. host_pool_name and
// hostPoolName fold to the same text, max_keys and max-keys too.
func Fold(name string) string { return folder.Replace(strings.ToLower(name)) }

var folder = strings.NewReplacer("_", "", "-", "")

// distance is the Damerau-Levenshtein distance with adjacent swaps, over bytes.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
