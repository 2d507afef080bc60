package exec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/rest"
)

// A scan whose plan has parts reads the rows of all of them side by side. Below
// each kind of parent stand items of its own; where a list also gives items that
// stand below another kind, such as the definitions that a project may use, those
// are held back until the list of that kind has told whether it gives them.

// branch is what a part of a scan knows of the whole.
type branch struct {
	whole  *scan
	places []int // of its arguments among those of whole
	homes  []*regexp.Regexp
	items  *placed
}

// placed is what the parts of a scan have given so far.
type placed struct {
	mutex sync.Mutex
	known map[string]bool // ids, in lower case, of items that a list gave at their own place
	held  []held
}

// held is an item that another part may give.
type held struct {
	id     string
	item   []byte
	values []*string
}

// scanParts makes the scans that read the rows of another.
func (r *queryRun) scanParts(s *scan) error {
	items := &placed{known: map[string]bool{}}
	for _, p := range s.plan.Parts {
		part, err := r.scan(s.ctx, p, s.gate, s.depth)
		if err != nil {
			return err
		}
		b := &branch{whole: s, items: items}
		for _, name := range p.Arguments {
			b.places = append(b.places, slices.Index(s.plan.Arguments, name))
		}
		if b.homes, err = homesOf(p); err != nil {
			return err
		}
		part.branch = b
		s.parts = append(s.parts, part)
	}
	return nil
}

func homesOf(p *plan.Scan) ([]*regexp.Regexp, error) {
	var list []*regexp.Regexp
	for _, text := range p.Homes {
		home, err := regexp.Compile(text)
		if err != nil {
			return nil, err
		}
		list = append(list, home)
	}
	return list, nil
}

// fetchParts reads the parts of a scan, then what they held back. After an error
// no more is read.
func (s *scan) fetchParts() {
	var all sync.WaitGroup
	for _, p := range s.parts {
		all.Go(p.fetch)
	}
	all.Wait()
	for _, h := range s.parts[0].branch.items.left() {
		page := rest.Page{Items: [][]byte{h.item}}
		if !s.push(fetched{batch: s.batch(page, h.values), bytes: int64(len(h.item))}) {
			return
		}
	}
}

// idIn gives the id of an item, in lower case; empty where it has none.
func idIn(item []byte) string {
	var id string
	if cut := rest.Cut(item, []rest.Member{{Path: []string{"id"}}}); cut[0] == nil || json.Unmarshal(cut[0], &id) != nil {
		return ""
	}
	return strings.ToLower(id)
}

// left gives the items that were held back and that no part has given since.
func (p *placed) left() []held {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.DeleteFunc(p.held, func(h held) bool { return p.known[h.id] })
}

// batch gives the items of a page that stand in the part's own place, with the
// arguments of the call in the places that they have for the whole.
func (b *branch) batch(page rest.Page, values []*string) duck.Batch {
	all := make([]*string, len(b.whole.plan.Arguments))
	for i, at := range b.places {
		all[at] = values[i]
	}
	own := rest.Page{}
	b.items.mutex.Lock()
	defer b.items.mutex.Unlock()
	for _, item := range page.Items {
		id := idIn(item)
		if slices.ContainsFunc(b.homes, func(home *regexp.Regexp) bool { return home.MatchString(id) }) {
			b.items.known[id] = true
			own.Items = append(own.Items, item)
		} else {
			b.items.held = append(b.items.held, held{id, item, all})
		}
	}
	return b.whole.batch(own, all)
}
