package syntax

import "strings"

// Registry is REGISTRY LIST [provider] or REGISTRY PULL provider [version].
type Registry struct {
	Pull              bool
	Provider, Version string // Version is empty for the newest
}

func (Registry) head() {}

// registry reads a statement about the registry. Names and versions may stand in
// quotes; a version such as v0.3.0 is several tokens.
func (p *parser) registry() (Head, error) {
	p.next()
	r := Registry{Pull: p.accept("PULL")}
	if !r.Pull && !p.accept("LIST") {
		return nil, failAt(p.peek().Start, "LIST or PULL is expected after REGISTRY")
	}
	r.Provider = p.plain()
	if r.Pull && r.Provider == "" {
		return nil, failAt(p.peek().Start, "the name of a provider is expected after REGISTRY PULL")
	}
	if name, version, ok := strings.Cut(r.Provider, "@"); ok {
		r.Provider, r.Version = name, version
	} else if r.Pull {
		r.Version = p.plain()
	}
	return r, p.end()
}

// plain takes the text up to the next space, without the quotes it may stand in.
func (p *parser) plain() string {
	first := p.peek()
	if first.Text == "" {
		return ""
	}
	end := first.Start
	for t := p.peek(); t.Text != "" && t.Start == end; t = p.peek() {
		end = t.End
		p.next()
	}
	return strings.Trim(p.text.Text[first.Start:end], `'"`)
}
