package build

import (
	"slices"
	"strings"
)

// familyOf gives the family of an operation: its path without the parameters at
// the end, so that a collection and its items are one. A POST to a word behind a
// thing, at which nothing can be read, is an action on the thing.
func familyOf(o *operation, all []*operation) (family, action string) {
	parts := typed(segments(o.path))
	if n := len(parts) - 1; n >= 0 {
		if head, custom, found := strings.Cut(parts[n], ":"); found && strings.HasSuffix(head, "}") || found && !isParameter(parts[n]) && head != "" {
			parts[n] = head // Google's custom methods
			return trimmed(parts), custom
		}
		above := strings.TrimSuffix(o.path, "/"+parts[n])
		if n > 0 && !isParameter(parts[n]) && o.verb != "get" && (isParameter(parts[n-1]) || listsAt(above, all)) && isAction(o, all) {
			return trimmed(parts[:n]), parts[n]
		}
	}
	return trimmed(parts), ""
}

// typed gives the part of a path that names the type of a thing and those it is
// in: for Azure what follows the last namespace, as the same things are listed
// under several scopes.
func typed(parts []string) []string {
	for i := len(parts) - 3; i >= 0; i-- {
		if strings.EqualFold(parts[i], "providers") && strings.Contains(parts[i+1], ".") && !isParameter(parts[i+2]) {
			return parts[i+2:]
		}
	}
	return parts
}

// listsAt tells whether a GET at the path gives a list.
func listsAt(path string, all []*operation) bool {
	return slices.ContainsFunc(all, func(o *operation) bool {
		return o.path == path && o.verb == "get" && o.listed
	})
}

// isAction tells whether nothing is read at the operation's path or below it.
func isAction(o *operation, all []*operation) bool {
	return !slices.ContainsFunc(all, func(other *operation) bool {
		return other.path == o.path && other.verb != "post" && other.verb != "put" && other.verb != "options" ||
			strings.HasPrefix(other.path, o.path+"/")
	})
}

// trimmed joins the parts of a path, without the parameters at its end.
func trimmed(parts []string) string {
	for len(parts) > 0 && isParameter(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	return "/" + strings.Join(parts, "/")
}

// familyNames names the families: each by its last word, and by those before too
// where that is not its alone.
func familyNames(all []*operation) map[string]string {
	words := map[string][]string{}
	for _, o := range all {
		family, _ := familyOf(o, all)
		if _, known := words[family]; !known {
			words[family] = static(family)
		}
	}
	dropCommon(words)
	taken := map[string]int{} // how many words a family's name has
	for family := range words {
		taken[family] = 1
	}
	name := func(family string) string {
		w := words[family]
		return strings.Join(w[max(0, len(w)-taken[family]):], "_")
	}
	for changed := true; changed; {
		changed = false
		users := map[string][]string{}
		for family := range words {
			users[name(family)] = append(users[name(family)], family)
		}
		for _, families := range users {
			same := !slices.ContainsFunc(families, func(f string) bool { return !slices.Equal(words[f], words[families[0]]) })
			for _, family := range families {
				if !same && taken[family] < len(words[family]) {
					taken[family]++
					changed = true
				}
			}
		}
	}
	names := map[string]string{} // paths that differ in parameters alone share a name
	for family := range words {
		if names[family] = name(family); names[family] == "" {
			names[family] = "root"
		}
	}
	return names
}

// static gives the words of a path that are no parameters, in snake case.
func static(family string) []string {
	var words []string
	for _, part := range segments(family) {
		if name := snake(part); !isParameter(part) && name != "" {
			words = append(words, name)
		}
	}
	return words
}

// dropCommon takes away the words with which all paths begin, such as api and v1,
// as long as each keeps one.
func dropCommon(words map[string][]string) {
	for {
		first := ""
		for _, w := range words {
			if len(w) < 2 || first != "" && w[0] != first {
				return
			}
			first = w[0]
		}
		if first == "" {
			return
		}
		for family, w := range words {
			words[family] = w[1:]
		}
	}
}
