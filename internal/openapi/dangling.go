package openapi

// Dangling gives the references of a document that lead nowhere: the nodes of
// their texts, in document order. It reads everything.
func (d *Document) Dangling() []*Node {
	w := dangling{doc: d, seen: map[*Node]bool{}}
	w.walk(d.root, 0)
	return w.found
}

// dangling is a walk through a document.
type dangling struct {
	doc   *Document
	seen  map[*Node]bool
	found []*Node
}

func (w *dangling) walk(n *Node, depth int) {
	if n.load() == nil || w.seen[n] || depth > maxDepth+2*indexedLevels {
		return
	}
	w.seen[n] = true
	for _, e := range n.entries {
		if e.Key == "$ref" && e.Value.load().kind == scalar && !w.leads(e.Value.Text()) {
			w.found = append(w.found, e.Value)
		}
		w.walk(e.Value, depth+1)
	}
	for _, item := range n.items {
		w.walk(item, depth+1)
	}
}

// leads tells whether a reference leads somewhere. Those of methods to their
// operations have a form of their own.
func (w *dangling) leads(ref string) bool {
	if key, verb, ok := splitOperation(ref); ok && w.doc.root.At("paths", key, verb) != nil {
		return true
	}
	_, err := w.doc.resolve(ref, 0)
	return err == nil
}
