package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeql/planeql/internal/fault"
)

// searchLimit is how many resources a search shows.
const searchLimit = 20

func (a *app) searchCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:     "search WORD…",
		Short:   "Find resources by what they are or do",
		Long:    "search looks in the names, titles and descriptions of all resources and methods that are built in or installed.",
		Example: "  planeql search disconnected sessions\n  planeql search \"virtual network peering\"",
		Args:    cobra.ArbitraryArgs,
	}, onProviders, a.search)
}

func (a *app) search(ctx context.Context, args []string) error {
	text := strings.Join(args, " ")
	if strings.TrimSpace(text) == "" {
		return fault.New(fault.InvalidFlag, "search takes the words to look for").
			WithHint("planeql search disconnected sessions")
	}
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	l := &listing{columns: []string{"resource", "title", "method", "description"}}
	for _, f := range session.Search(text, searchLimit) {
		l.rows = append(l.rows, []any{f.Resource, orNothing(f.Title), orNothing(f.Method), orNothing(f.Summary)})
	}
	if len(l.rows) == 0 {
		a.say("nothing was found: %s", "planeql provider list --available shows which providers can be installed")
	}
	return a.print(l)
}
