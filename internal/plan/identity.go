package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/planeql/planeql/internal/syntax"
)

// Identity gives a text that is the same for scans that make the same calls.
func (s *Scan) Identity() string {
	var b strings.Builder
	if len(s.Parts) > 0 {
		for _, p := range s.Parts {
			b.WriteString("<" + p.Identity() + ">")
		}
		return b.String()
	}
	fmt.Fprintf(&b, "%s(%s)", s.Method.FullName(), strings.Join(s.Arguments, ","))
	for _, t := range s.Tuples {
		b.WriteString("[" + tupleKey(s.Method, t) + "]")
	}
	if s.Feed == nil {
		return b.String()
	}
	for _, src := range s.Feed.Sources {
		if src.Found {
			b.WriteString("{" + src.Scan.Identity() + "}")
		} else {
			fmt.Fprintf(&b, "{%p}", src.Scan)
		}
	}
	text, _ := json.Marshal(placeless(map[string]any(s.Feed.Select))) // a tree of DuckDB's always marshals
	b.Write(text)
	return b.String()
}

// placeless copies a tree without the places of its nodes in a text.
func placeless(value any) any {
	switch v := value.(type) {
	case syntax.Node:
		return placeless(map[string]any(v))
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, member := range v {
			if name != "query_location" {
				copied[name] = placeless(member)
			}
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, member := range v {
			copied[i] = placeless(member)
		}
		return copied
	}
	return value
}

// shareScans lets scans that make the same calls have one set of rows.
func shareScans(scans []*Scan) {
	first := map[string]*Scan{}
	for _, s := range scans {
		id := s.Identity()
		other := first[id]
		if other == nil {
			first[id] = s
			continue
		}
		s.Same, other.Spool = other, true
		for _, m := range s.Members {
			if other.memberAt(m.Path) < 0 {
				other.Members = append(other.Members, m)
			}
		}
	}
	for _, s := range scans {
		if s.Same != nil {
			s.Members = s.Same.Members
		}
	}
}
