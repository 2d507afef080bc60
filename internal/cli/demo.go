package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

func (a *app) demoCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "demo",
		Short: "Show in a few seconds what planeql does, against a built-in simulator",
		Long: "demo starts a simulator of Azure inside the program and runs a few statements on it.\n" +
			"It needs no account and no network, and changes nothing outside.",
	}, 0, a.demo)
}

// demo tells a story in statements.
func (a *app) demo(ctx context.Context, _ []string) error {
	server, err := armsim.Start("127.0.0.1:0", armsim.WithEstate(armsim.Small))
	if err != nil {
		return fault.New(fault.ServiceFailed, "the simulator cannot be started").WithDetail("%s", err.Error()).Because(err)
	}
	session, err := planeql.Open(ctx,
		planeql.WithEndpoint("azure", server.URL), planeql.WithAuth("azure", "bearer", map[string]string{"env": "TOKEN"}),
		planeql.WithEnvironment(demoEnvironment), planeql.WithFirstRows(),
	)
	if err != nil {
		return err
	}
	d := &demo{app: a, sim: server.Simulator, session: session, runner: a.runner(session)}
	d.runner.footer = false
	err = d.tell(ctx)
	if closing := session.Close(); err == nil {
		err = closing
	}
	if closing := server.Close(); err == nil {
		err = closing
	}
	return err
}

// demoEnvironment has the token of the demo and nothing else: no proxy stands
// between the session and the simulator.
func demoEnvironment(name string) string {
	if name == "TOKEN" {
		return "demo"
	}
	return ""
}

// demo is a story under way.
type demo struct {
	app     *app
	sim     *armsim.Simulator
	session *planeql.Session
	runner  *runner
	person  person
}

// person is the user whom the story follows.
type person struct{ name, host, session string }

// The place of the story in the small estate.
const (
	demoGroup = "rg-avd-prod-weu"
	demoPool  = "hp-office"
)

// step is a sentence and the statement that it leads to.
type step struct{ words, sql string }

func (d *demo) tell(ctx context.Context) error {
	if err := d.meet(ctx); err != nil {
		return err
	}
	d.print("Contoso runs Azure Virtual Desktop. A simulator of its Azure is now running inside this program;\n" +
		"every statement below becomes real HTTP calls to it.\n")
	for i, s := range d.steps() {
		d.print("\n%s\n\n%s\n\n", d.bold(fmt.Sprintf("%d. %s", i+1, s.words)), indented(s.sql+";"))
		d.sim.ResetRequests()
		if err := d.runner.script(ctx, "demo", s.sql); err != nil {
			return err
		}
		d.print("%s", d.calls())
	}
	d.print("%s", d.goOn())
	return nil
}

// meet finds somebody who is at work, so that there is a screen for the message.
func (d *demo) meet(ctx context.Context) error {
	rows, err := d.session.Query(ctx, "SELECT userPrincipalName, sessionHostName, userSessionId "+
		"FROM azure.desktop_virtualization.user_sessions WHERE "+d.pool()+
		" AND sessionState = 'Active' AND applicationType = 'Desktop' ORDER BY userPrincipalName LIMIT 1")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&d.person.name, &d.person.host, &d.person.session); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if d.person.name == "" {
		return fault.Bug("nobody is active in %s of the simulator", demoPool)
	}
	return nil
}

// pool gives the predicates that name the host pool of the story.
func (d *demo) pool() string {
	return fmt.Sprintf("subscriptionId = '%s'\n  AND resourceGroupName = '%s'\n  AND hostPoolName = '%s'",
		armsim.ProductionSubscription, demoGroup, demoPool)
}

// arguments gives the parameters that name the session of the story.
func (d *demo) arguments() string {
	return fmt.Sprintf("@subscriptionId = '%s',\n  @resourceGroupName = '%s',\n  @hostPoolName = '%s',\n"+
		"  @sessionHostName = '%s',\n  @userSessionId = '%s'",
		armsim.ProductionSubscription, demoGroup, demoPool, d.person.host, d.person.session)
}

func (d *demo) steps() []step {
	const sessions = "azure.desktop_virtualization.user_sessions"
	const columns = "SELECT sessionHostName, userSessionId, sessionState, createTime\nFROM " + sessions
	person := "userPrincipalName = '" + d.person.name + "'"
	everybody := "SELECT hostPoolName, sessionState, count(*) AS sessions\nFROM " + sessions +
		"\nGROUP BY hostPoolName, sessionState\nORDER BY hostPoolName, sessionState"
	return []step{
		{"Who is on, by host pool and state? Nothing says where to look: the subscriptions and pools are found.", everybody},
		{"EXPLAIN tells beforehand which calls a statement makes, and makes none.", "EXPLAIN " + everybody},
		{
			d.person.name + " called the help desk. Where is the session? The pools are known from before.",
			"SELECT hostPoolName, " + strings.TrimPrefix(columns, "SELECT ") + "\nWHERE " + person,
		},
		{
			"Methods that are no query are run by EXEC: a message to the screen.",
			"EXEC " + sessions + ".send_message\n  " + d.arguments() +
				"\n  @@json = '{\"messageTitle\": \"Help desk\", \"messageBody\": \"Your session will be disconnected in a moment.\"}'",
		},
		{"And the session is disconnected.", "EXEC " + sessions + ".disconnect\n  " + d.arguments()},
		{"The new state, read back from the service: who names the place pays one call.", columns + "\nWHERE " + d.pool() + "\n  AND " + person},
	}
}

// commonPath is what the paths of a subscription or resource group begin with.
var commonPath = regexp.MustCompile(`^/subscriptions/[^/]+(/resourceGroups/[^/]+)?/providers/Microsoft\.DesktopVirtualization`)

// calls lists what the last statement sent and what was answered.
func (d *demo) calls() string {
	requests := d.sim.Requests()
	var b strings.Builder
	fmt.Fprintf(&b, "\n   %s\n", counted(int64(len(requests)), "HTTP call"))
	for _, r := range requests {
		line := r.Method + " " + commonPath.ReplaceAllString(r.Path, "…")
		if filter := r.Query.Get("$filter"); filter != "" {
			line += "?$filter=" + filter
		}
		fmt.Fprintf(&b, "   %s → %d\n", line, r.Status)
	}
	return b.String()
}

func (d *demo) goOn() string {
	return "\n" + d.bold("How to go on") + `

   The same simulator with a shell, in two terminals:
     planeql sim azure --addr 127.0.0.1:8080
     TOKEN=any planeql --endpoint azure=http://127.0.0.1:8080 --auth azure=bearer,env=TOKEN

   Your own Azure:
     az login
     planeql auth check azure
     planeql exec "SELECT * FROM azure.subscription.subscriptions"
`
}

// print writes a part of the story.
func (d *demo) print(format string, args ...any) {
	// A reader that goes away ends the story at its next statement.
	_, _ = fmt.Fprintf(d.app.screen.stdout(), format, args...)
}

func (d *demo) bold(text string) string {
	if d.app.env.color(d.app.env.Terminal.Out) {
		return render.Bold(text)
	}
	return text
}

func indented(text string) string { return "   " + strings.ReplaceAll(text, "\n", "\n   ") }
