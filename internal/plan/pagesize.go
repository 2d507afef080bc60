package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/planeql/planeql/internal/syntax"
)

// Where a document says which parameter asks for how many items, a list that is
// read whole is read in the largest pages, where those are larger than the usual,
// and one that a LIMIT ends is asked for no more than that. Some services take the
// number for the size of a page, others for that of the whole list, so the second
// is done only where no row of the call is passed over.

// sizePages adds the sizes of pages to the arguments of scans. It comes last:
// they are no part of what the statement means.
func (b *builder) sizePages() {
	for _, r := range b.relations {
		if len(r.scan.Parts) == 0 {
			r.scan.sizePages(b.wanted(r))
		}
		for _, p := range r.scan.Parts {
			p.Feed.sizePages()
		}
	}
}

// sizePages asks for pages of a scan, and of those that find arguments for it;
// wanted is how many rows are enough, or 0.
func (s *Scan) sizePages(wanted int) {
	s.Feed.sizePages()
	size := s.Method.PageSize
	if size == nil || slices.Contains(s.Arguments, size.Parameter) || len(s.Tuples) == 0 {
		return
	}
	n := 0
	switch {
	case wanted > 0 && (size.Most == 0 || wanted <= size.Most):
		n = wanted
	case !s.Gentle && size.Usual > 0 && size.Most > size.Usual:
		n = size.Most
	default:
		return
	}
	s.Arguments = append(s.Arguments, size.Parameter)
	for i, t := range s.Tuples {
		s.Tuples[i] = append(slices.Clip(t), &Value{Text: strconv.Itoa(n)})
	}
	s.Reason += "; in pages of " + strconv.Itoa(n)
}

func (f *Feed) sizePages() {
	if f == nil {
		return
	}
	for _, src := range f.Sources {
		if src.Found {
			src.Scan.sizePages(0)
		}
	}
}

// wanted gives how many rows of a relation the LIMIT of its block takes, where
// every row that a call gives is one of the block's; 0 where that is not certain.
func (b *builder) wanted(r *relation) int {
	n := r.block.node
	if !r.scan.Gentle || r.scan.Spool || len(r.block.items) != 1 || n.Child("having") != nil || n.Child("qualify") != nil || n.Child("sample") != nil {
		return 0
	}
	for _, item := range n.List("select_list") {
		if item.Class() != "COLUMN_REF" && item.Class() != "STAR" && item.Class() != "CONSTANT" {
			return 0 // a function may be an aggregate, or a window
		}
	}
	for _, s := range r.said {
		kind := s.condition.node.Type()
		if s.condition.block != r.block || len(s.fixes) != 1 || len(s.links) > 0 || !s.binds(r) || kind != "COMPARE_EQUAL" && kind != "COMPARE_IN" {
			return 0
		}
	}
	modifiers := n.List("modifiers")
	if len(modifiers) != 1 || modifiers[0].Type() != "LIMIT_MODIFIER" {
		return 0
	}
	limit, ok := wholeNumber(modifiers[0].Child("limit"))
	offset := 0
	if o := modifiers[0].Child("offset"); o != nil {
		if offset, ok = wholeNumber(o); !ok {
			return 0
		}
	}
	if !ok {
		return 0
	}
	return limit + offset
}

// wholeNumber gives the value of a constant.
func wholeNumber(n syntax.Node) (int, bool) {
	value := n.Child("value")
	if n.Class() != "CONSTANT" || value == nil || value.Flag("is_null") {
		return 0, false
	}
	number, err := strconv.Atoi(fmt.Sprint(value["value"]))
	return number, err == nil && number >= 0
}
