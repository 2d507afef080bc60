package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/provider"
)

// offer is one way to read a relation, or to list what it stands below.
type offer struct {
	method    *provider.Method
	reason    string
	owners    map[string]string // what the relation calls the method's parameters
	constants bool              // the statement gives every required one
	links     []link            // that give some
	found     *found            // that gives some
	lacks     []string          // required and not to be had, as the relation calls it
	foreign   bool              // it lacks what the relation has no name for
	calls     float64           // estimates, for comparing offers
	rows      float64
	part      *part    // whose rows alone it gives; nil: all
	parts     []*offer // that together give all rows; nil: it does so itself
}

// found is a listing that gives the path parameters that the statement leaves
// open.
type found struct {
	ancestor *catalog.Ancestor
	offer    *offer
	gives    map[string]string // by the relation's name of a parameter: the ancestor's
}

// Estimates of what is not known before the calls. Only their order matters:
// fewer levels to list are fewer calls, and a key with fewer parts has fewer
// values.
const (
	rowsPerCall = 10
	keysPerPart = 5
)

// place chooses the method of each relation and where its arguments come from,
// cheapest first, so that what is read early can feed what is dear to find.
// The order does not depend on that of the text.
func (b *builder) place(open []*relation) error {
	rest := slices.Clone(open)
	slices.SortStableFunc(rest, func(l, r *relation) int {
		return cmp.Or(cmp.Compare(l.resource.Path(), r.resource.Path()), cmp.Compare(strings.ToLower(l.alias), strings.ToLower(r.alias)))
	})
	for _, r := range rest {
		r.parts, r.forked = b.partsOf(r)
	}
	placed := map[*relation]bool{}
	for len(rest) > 0 {
		best, at := (*offer)(nil), -1
		for i, r := range rest {
			if o := b.offerFor(r, placed); len(o.lacks) == 0 && (best == nil || o.calls < best.calls) {
				best, at = o, i
			}
		}
		if best == nil {
			return b.leave(rest, b.stuck(rest, open))
		}
		r := rest[at]
		if err := b.take(r, best); err != nil {
			return fault.From(err).At(r.span)
		}
		placed[r] = true
		rest = slices.Delete(rest, at, at+1)
	}
	return nil
}

// leave gives up on relations that cannot be read, unless nothing reads them.
func (b *builder) leave(rest []*relation, err error) error {
	for _, r := range rest {
		if err := b.loosely(r, err); err != nil {
			return err
		}
	}
	return nil
}

// offerFor gives the best way to read a relation with those that are placed.
// Where the statement gives all that a method needs, it is chosen by that
// alone.
func (b *builder) offerFor(r *relation, placed map[*relation]bool) *offer {
	o := b.offerOf(r, r.resource.Verbs[provider.Select], placed)
	if !r.forked || o.constants && slices.ContainsFunc(r.parts, func(p *part) bool { return slices.Contains(p.methods, o.method) }) {
		return o
	}
	return b.offerOfParts(r, placed)
}

// offerOf gives the best way to read a relation by some of its methods.
func (b *builder) offerOf(r *relation, methods []*provider.Method, placed map[*relation]bool) *offer {
	m, reason, err := choose(r.resource, methods, r.alternatives)
	if err == nil {
		return &offer{method: m, reason: reason, constants: true, calls: 1, rows: rowsPerCall}
	}
	var best *offer
	for _, m := range methods {
		o := b.offer(r, m, ownNames(m), placed)
		if best == nil || len(o.lacks) == 0 && (len(best.lacks) > 0 || o.better(best)) {
			best = o
		}
	}
	return best
}

// better compares offers that can be had: fewer calls, then the wider list. A
// narrower one would be asked of places that may not have it: a resource group
// of this name in each subscription.
func (o *offer) better(than *offer) bool {
	if o.calls != than.calls {
		return o.calls < than.calls
	}
	return len(o.method.PathParameters()) < len(than.method.PathParameters())
}

// ownNames are the names of a relation's own method.
func ownNames(m *provider.Method) map[string]string {
	names := map[string]string{}
	for _, p := range m.Parameters {
		names[p.Name] = p.Name
	}
	return names
}

// offer works out how a method can be called for a relation: its own, or one
// that lists an ancestor, whose parameters the relation may call otherwise.
func (b *builder) offer(r *relation, m *provider.Method, owners map[string]string, placed map[*relation]bool) *offer {
	o := &offer{method: m, owners: owners, calls: 1, rows: rowsPerCall}
	var open []string
	linked := map[string]bool{}
	for _, p := range m.RequiredParameters() {
		name := owners[p.Name]
		links := usable(r, name, placed)
		switch {
		case name != "" && boundEverywhere(r.alternatives, name):
		case len(links) > 0:
			linked[name] = true
		case p.In == provider.InPath && !catalog.IsGet(m):
			open = append(open, p.Name)
		default:
			o.lacks, o.foreign = append(o.lacks, cmp.Or(name, p.Name)), o.foreign || name == ""
		}
	}
	if len(open) > 0 {
		var lacks []string
		o.found, lacks = b.find(r, m, owners, open, placed)
		o.lacks = append(o.lacks, lacks...)
	}
	if len(o.lacks) > 0 {
		for _, name := range open {
			o.foreign = o.foreign || owners[name] == ""
		}
		return o
	}
	if len(open) > 0 {
		o.calls, o.rows = o.found.offer.calls+o.found.offer.rows, o.found.offer.rows*rowsPerCall
	} else if len(linked) > 0 {
		o.calls = keysPerPart * float64(1+len(linked))
		o.rows = o.calls * rowsPerCall
	}
	o.links = o.usedLinks(r, placed)
	return o
}

// usedLinks gives the links that say something about the arguments of the
// offer. One whose values were taken over says it for each row of a source that
// is read anyway: of two pools in two groups, which is in which.
func (o *offer) usedLinks(r *relation, placed map[*relation]bool) []link {
	var links []link
	read := map[*relation]bool{}
	for _, taken := range []bool{false, true} {
		for _, l := range o.linksThat(r, placed, taken) {
			if taken && slices.ContainsFunc(l.feeders, func(f *relation) bool { return !read[f] }) {
				continue
			}
			links = append(links, l)
			for _, f := range l.feeders {
				read[f] = true
			}
		}
	}
	return links
}

// linksThat gives the links about the arguments of the offer whose values were,
// or were not, taken over.
func (o *offer) linksThat(r *relation, placed map[*relation]bool, taken bool) []link {
	var links []link
	for _, l := range r.links {
		if l.taken != taken || !ready(l, placed) {
			continue
		}
		isFound := o.found != nil && o.found.gives[l.parameter] != ""
		for _, p := range o.method.Parameters {
			isFound = isFound || o.owners[p.Name] == l.parameter && p.In == provider.InPath
		}
		if isFound {
			links = append(links, l)
		}
	}
	return links
}

// usable gives the links by which placed relations give a parameter.
func usable(r *relation, parameter string, placed map[*relation]bool) []link {
	var links []link
	for _, l := range r.links {
		if parameter != "" && l.parameter == parameter && ready(l, placed) {
			links = append(links, l)
		}
	}
	return links
}

// ready tells whether all that a link needs is placed.
func ready(l link, placed map[*relation]bool) bool {
	return !slices.ContainsFunc(l.feeders, func(f *relation) bool { return !placed[f] })
}

// boundEverywhere tells whether every alternative gives a parameter.
func boundEverywhere(all []alternative, name string) bool {
	return !slices.ContainsFunc(all, func(a alternative) bool { _, ok := a[name]; return !ok })
}

// find looks for a listing whose items name what is open: of the resource that
// stands right above the method's rows, else of one further up that still
// covers all that is open. Where there is none it gives what the statement
// would have to give for one.
func (b *builder) find(r *relation, m *provider.Method, owners map[string]string, open []string, placed map[*relation]bool) (*found, []string) {
	var lacks []string
	for _, name := range open {
		lacks = append(lacks, cmp.Or(owners[name], name))
	}
	if catalog.Forks(m) && len(catalog.Branches(m.Resource)) == 0 {
		return nil, lacks // a part of the rows stands elsewhere: which part is the user's to say
	}
	names := m.PathParameters()
	last := 0
	for i, name := range names {
		if slices.Contains(open, name) {
			last = i + 1
		}
	}
	for n := len(names); n >= last; n-- {
		a := b.catalog.Ancestor(m, n)
		if a == nil || a.Resource == m.Resource {
			continue
		}
		f := &found{ancestor: a, gives: map[string]string{}}
		theirs := map[string]string{}
		for i, name := range a.Get.PathParameters() {
			theirs[name] = owners[names[i]]
			f.gives[owners[names[i]]] = name
		}
		for _, p := range m.Parameters {
			if p.In == provider.InServer { // says where all of the tree is
				theirs[p.Name] = owners[p.Name]
			}
		}
		for _, list := range a.Lists {
			if !givesAll(list, a.Get) {
				continue
			}
			o := b.offer(r, list, theirs, placed)
			if len(o.lacks) == 0 && (f.offer == nil || o.better(f.offer)) {
				f.offer = o
			}
			if len(o.lacks) > 0 && !o.foreign && len(o.lacks) < len(lacks) {
				lacks = o.lacks
			}
		}
		if f.offer != nil {
			b.sameServer(r, f, theirs, placed)
			return f, nil
		}
	}
	return nil, lacks
}

// givesAll tells whether a listing gives all path parameters of the method that
// reads one of its items.
func givesAll(list, get *provider.Method) bool {
	return !slices.ContainsFunc(get.PathParameters(), func(name string) bool { return !catalog.Gives(list, name) })
}

// sameServer keeps what is found on a server with the calls to that server.
func (b *builder) sameServer(r *relation, f *found, theirs map[string]string, placed map[*relation]bool) {
	for _, p := range f.offer.method.Parameters {
		name := theirs[p.Name]
		if p.In == provider.InServer && (boundEverywhere(r.alternatives, name) || len(usable(r, name, placed)) > 0) {
			f.gives[name] = p.Name
		}
	}
}

// unreachable is the error for a relation none of whose methods has what it
// needs, or a way to find it.
func (b *builder) unreachable(r *relation, placed map[*relation]bool) *fault.Error {
	var lines []string
	var least *offer
	for _, m := range r.resource.Verbs[provider.Select] {
		o := b.offer(r, m, ownNames(m), placed)
		if len(o.lacks) == 0 {
			continue // it gives a part of the rows only
		}
		lines = append(lines, m.Name+" lacks "+strings.Join(o.lacks, ", "))
		if least == nil || len(o.lacks) < len(least.lacks) {
			least = o
		}
	}
	var given []string
	for _, p := range least.method.RequiredParameters() {
		if slices.Contains(least.lacks, p.Name) || boundEverywhere(r.alternatives, p.Name) {
			given = append(given, p.Name)
		}
	}
	return fault.New(fault.MissingParameter, "%s cannot be read with what the WHERE gives", r.resource.Path()).On(r.resource.Path()).
		WithDetail("%s", strings.Join(lines, "\n")).
		WithHint("the smallest statement that works:\n%s", catalog.SelectWith(r.resource, given))
}

// stuck is the error for relations that cannot be read: by what the statement
// leaves open, or because each waits for the other.
func (b *builder) stuck(rest, all []*relation) error {
	everywhere := map[*relation]bool{}
	for _, r := range all {
		everywhere[r] = true
	}
	for _, r := range rest {
		everywhere[r] = false
		hopeless := len(b.offerFor(r, everywhere).lacks) > 0
		everywhere[r] = true
		if hopeless {
			return b.unreachable(r, everywhere).At(r.span)
		}
	}
	var lines []string
	for _, r := range rest {
		for _, l := range r.links {
			for _, f := range l.feeders {
				if slices.Contains(rest, f) {
					lines = append(lines, fmt.Sprintf("%s needs %s from %s", r.alias, l.parameter, f.alias))
				}
			}
		}
	}
	return fault.New(fault.MissingParameter, "the tables of the statement wait for each other").At(rest[0].span).
		WithDetail("%s", strings.Join(lines, "\n")).
		WithHint("give one of them its parameters by a value")
}
