package auth

import "strings"

// Principal gives whose the token at hand is, for a record of what was done:
// the user's name or the id of an application. It asks nobody; before the first
// call there is no token, and it is empty.
func (a *Azure) Principal() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.tokens {
		if principal := t.principal(); principal != "" {
			return principal
		}
	}
	return ""
}

// Principal does so for tokens of OAuth 2.
func (c *chain) Principal() string { return c.tokens.principal() }

// Principal does so for secrets that somebody else renews, among which there may
// be a token.
func (b *placed) Principal() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, value := range b.values {
		if principal := principalOf(strings.TrimPrefix(value, "Bearer ")); principal != "" {
			return principal
		}
	}
	return ""
}

func (t *tokens) principal() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return principalOf(t.current.Token)
}

func principalOf(token string) string {
	c, ok := decode(token)
	if !ok {
		return ""
	}
	return c.principal()
}
