package catalog

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// Found is a resource that a search has found.
type Found struct {
	Resource string // provider.service.resource
	Title    string
	Method   string // the method that fits best; empty: it is the resource that fits
	Summary  string // of the method, or the description of the resource
	Score    float64
}

// What a word weighs by where it is found.
const (
	inName    = 8
	inService = 4
	inTitle   = 4
	inMethod  = 5
	inText    = 1.5
)

// Search finds the resources that some words describe, the best first, at most
// limit of them: a word counts by where it is found and by how few resources
// have it, and a resource with more of the words comes first.
func (c *Catalog) Search(text string, limit int) []Found {
	terms := stems(text)
	if len(terms) == 0 {
		return nil
	}
	s := search{terms: terms, having: make([]int, len(terms))}
	for _, p := range *c.providers.Load() {
		if p.Err == nil {
			s.index(c.Index(p), entries(c, p, methodFile))
		}
	}
	list := s.ranked()
	return list[:min(limit, len(list))]
}

// search gathers the resources that have any of the terms.
type search struct {
	terms  []string
	total  int
	having []int // resources that have each term
	hits   []hit
}

// hit is a resource with the weight of each term in it.
type hit struct {
	service  string
	resource *IndexedResource
	weights  []float64
	method   *IndexedMethod
}

// index looks through a provider.
func (s *search) index(x *Index, methods []indexed[[]IndexedMethod]) {
	of := map[[2]string][]IndexedMethod{}
	for _, e := range methods {
		of[[2]string{e.Service, e.Resource}] = e.What
	}
	for i := range x.Services {
		service := &x.Services[i]
		path := x.Provider + "." + service.Name
		own := s.weigh(nil, path, inService)
		for j := range service.Resources {
			r := &service.Resources[j]
			weights := s.weigh(slices.Clone(own), r.Name, inName)
			weights = s.weigh(weights, r.Title, inTitle)
			s.resource(hit{service: path, resource: r, weights: s.weigh(weights, r.Description, inText)}, of[[2]string{service.Name, r.Name}])
		}
	}
}

// resource weighs the methods of a resource and keeps it if it has any of the
// terms.
func (s *search) resource(h hit, methods []IndexedMethod) {
	s.total++
	best := 0.0
	all := slices.Clone(h.weights)
	for i := range methods {
		m := &methods[i]
		of := s.weigh(s.weigh(nil, m.Name, inMethod), m.Summary, inText)
		gain := 0.0
		for t := range of {
			gain += max(0, of[t]-h.weights[t])
			all[t] = max(all[t], of[t])
		}
		if gain > best {
			best, h.method = gain, m
		}
	}
	h.weights = all
	found := false
	for t, w := range all {
		if w > 0 {
			s.having[t]++
			found = true
		}
	}
	if found {
		s.hits = append(s.hits, h)
	}
}

// weigh raises the weights of the terms that a text has.
func (s *search) weigh(weights []float64, text string, weight float64) []float64 {
	if weights == nil {
		weights = make([]float64, len(s.terms))
	}
	if text == "" {
		return weights
	}
	for _, word := range stems(text) {
		for t, term := range s.terms {
			switch {
			case word == term:
				weights[t] = max(weights[t], weight)
			case len(term) > 3 && strings.HasPrefix(word, term):
				weights[t] = max(weights[t], weight/2)
			}
		}
	}
	return weights
}

// ranked gives the resources in order.
func (s *search) ranked() []Found {
	var list []Found
	for _, h := range s.hits {
		f := Found{Resource: h.service + "." + h.resource.Name, Title: h.resource.Title, Summary: h.resource.Description}
		if h.method != nil {
			f.Method, f.Summary = h.method.Name, h.method.Summary
		}
		for t, w := range h.weights {
			if w > 0 {
				f.Score += 100 + w*math.Log(1+float64(s.total)/float64(s.having[t]))
			}
		}
		list = append(list, f)
	}
	slices.SortStableFunc(list, func(a, b Found) int {
		if order := cmp.Compare(b.Score, a.Score); order != 0 {
			return order
		}
		return len(a.Resource) - len(b.Resource)
	})
	return list
}

// stems gives the words of a text, without case and endings. A change of case
// inside a word begins a new one.
func stems(text string) []string {
	var words []string
	begin, upper := -1, false
	for i, c := range text {
		letter := unicode.IsLetter(c) || unicode.IsDigit(c)
		if begin >= 0 && (!letter || unicode.IsUpper(c) && !upper) {
			words = append(words, stem(text[begin:i]))
			begin = -1
		}
		if letter && begin < 0 {
			begin = i
		}
		upper = unicode.IsUpper(c)
	}
	if begin >= 0 {
		words = append(words, stem(text[begin:]))
	}
	return words
}

// stem takes an English ending off, roughly: both sides of a comparison pass
// through it.
func stem(word string) string {
	word = singular(strings.ToLower(word))
	for _, ending := range []string{"ing", "ed"} {
		if rest, ok := strings.CutSuffix(word, ending); ok && len(rest) > 3 {
			return rest
		}
	}
	return word
}
