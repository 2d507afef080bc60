package provider

import (
	"strings"

	"github.com/planeql/planeql/internal/openapi"
)

// authOf reads config.auth, the way to sign in that a provider's documents
// suggest. Members are flat: a member of successor or values has their name and
// a dot before its own, a list is its items with a blank between.
func authOf(n *openapi.Node) map[string]string {
	members := map[string]string{}
	for _, e := range n.Entries() {
		switch nested := e.Value; {
		case nested.IsMapping():
			for key, value := range authOf(nested) {
				members[e.Key+"."+key] = value
			}
		case len(nested.Items()) > 0:
			members[e.Key] = strings.Join(nested.Texts(), " ")
		default:
			members[e.Key] = nested.Text()
		}
	}
	return members
}
