package planeql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/cli"
	"github.com/planeql/planeql/internal/fault"
)

// badInput is a run that must fail, and how. In the text %U stands for the
// resource of user sessions, %P for conditions that name a pool, %A for the
// arguments that name a session.
type badInput struct {
	name, text string
	answer     func(*http.Request) armsim.Outcome // nil: the simulator's own
	server     func(t *testing.T) place           // nil: the simulator
	flags      []string                           // of the command line; options has the same for a session
	options    []planeql.Option

	code          fault.Code
	message, hint string // parts of them
	at            string // line:column; empty: no position
	exit          int
	requests      int
}

// place is where the calls of a run go.
type place struct {
	url      string
	requests func() int
}

const (
	inPool     = "subscriptionId = '" + armsim.ProductionSubscription + "' AND resourceGroupName = 'rg-avd-prod-weu' AND hostPoolName = 'hp-office'"
	ofSession  = "@subscriptionId = '" + armsim.ProductionSubscription + "', @resourceGroupName = 'rg-avd-prod-weu', @hostPoolName = 'hp-office', @sessionHostName = 'h', @userSessionId = '3'"
	sessions   = "azure.desktop_virtualization.user_sessions"
	readPool   = "SELECT id FROM %U WHERE %P"
	disconnect = "EXEC %U.disconnect %A"
)

var shorthand = strings.NewReplacer("%U", sessions, "%P", inPool, "%A", ofSession, "%S", armsim.ProductionSubscription)

// Each bad input gives its error, from the package and on the command line: the
// code, what it says, what to do next, where it is, the exit code, and no
// request more than needed to find it.
func TestBadInputs(t *testing.T) {
	names := map[string]bool{}
	for _, c := range allBadInputs() {
		if names[c.name] {
			t.Errorf("%s is there twice", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var both sync.WaitGroup // some wait between repetitions
			both.Go(func() { c.checkSession(t) })
			both.Go(func() { c.checkCommand(t) })
			both.Wait()
		})
	}
	if len(names) < 75 {
		t.Errorf("%d cases", len(names))
	}
}

// allBadInputs gives the table.
func allBadInputs() []badInput {
	var all []badInput
	for _, part := range [][]badInput{
		badSyntax(), badNames(), badColumns(), badParameters(), badBodies(), badSettings(), badPlaceholders(),
		refusals(), failures(), badAnswers(), badLinks(), noConnections(), guarded(),
	} {
		all = append(all, part...)
	}
	return all
}

// place starts what the case calls.
func (c badInput) place(t *testing.T) place {
	t.Helper()
	if c.server != nil {
		return c.server(t)
	}
	var opts []armsim.Option
	if c.answer != nil {
		opts = append(opts, armsim.WithHook(c.answer))
	}
	sim, url := simulator(t, opts...)
	return place{url, func() int { return len(sim.Requests()) }}
}

// checkSession runs the case with a session.
func (c badInput) checkSession(t *testing.T) {
	t.Helper()
	where := c.place(t)
	s, err := planeql.Open(context.Background(), append([]planeql.Option{
		planeql.WithEndpoint("azure", where.url), planeql.WithEnvironment(environment),
		planeql.WithAuth("azure", "bearer", map[string]string{"env": "TOKEN"}),
	}, c.options...)...)
	if err == nil {
		defer s.Close()
		_, err = s.Exec(context.Background(), shorthand.Replace(c.text))
	}
	e, ok := errors.AsType[*planeql.Error](err)
	if !ok {
		t.Errorf("the error is %v", err)
		return
	}
	t.Log("\n" + e.Print())
	if e.Code != c.code || !strings.Contains(e.Message, c.message) {
		t.Errorf("got %s %q, want %s %q", e.Code, e.Message, c.code, c.message)
	}
	if e.Hint == "" || !strings.Contains(e.Hint, c.hint) {
		t.Errorf("the hint is %q, want %q", e.Hint, c.hint)
	}
	if got := positionOf(e); got != c.at {
		t.Errorf("the position is %q, want %q", got, c.at)
	}
	if got := where.requests(); got != c.requests {
		t.Errorf("%d requests, want %d", got, c.requests)
	}
	checkWording(t, e)
}

// checkWording holds every message to the same form.
func checkWording(t *testing.T, e *planeql.Error) {
	t.Helper()
	if strings.HasSuffix(e.Message, ".") || strings.Contains(e.Print(), "%!") || strings.Contains(e.Print(), "a-token") {
		t.Errorf("bad wording: %s", e.Print())
	}
	if first := e.Message[:1]; first != strings.ToLower(first) && e.Message[1:2] == strings.ToLower(e.Message[1:2]) {
		t.Errorf("the message begins with a capital: %s", e.Message)
	}
}

// positionOf gives the place of an error as line:column, empty where it has
// none.
func positionOf(e *planeql.Error) string {
	if e.Span.Source == nil {
		return ""
	}
	line, column := e.Span.Source.Position(e.Span.Start)
	return fmt.Sprintf("%d:%d", line, column)
}

// checkCommand runs the case as a command.
func (c badInput) checkCommand(t *testing.T) {
	t.Helper()
	where := c.place(t)
	var out, errs bytes.Buffer
	args := append([]string{"exec", "--endpoint", "azure=" + where.url, "--auth", "azure=bearer,env=TOKEN"}, c.flags...)
	code := cli.Main(cli.Environment{
		Args: append(args, "--", shorthand.Replace(c.text)), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: environment, Environ: func() []string { return nil }, Home: t.TempDir(), WorkDir: t.TempDir(),
		Width: func() int { return 0 }, Now: time.Now,
	})
	if code != c.exit || code == 0 {
		t.Errorf("exit code %d, want %d: %s", code, c.exit, errs.String())
	}
	if want := "error " + string(c.code) + ": "; !strings.Contains(errs.String(), want) {
		t.Errorf("standard error is %q, want %q", errs.String(), want)
	}
}

// says answers every request with a status, a service's code and message, and
// headers.
func says(status int, code, message string, headers ...string) func(*http.Request) armsim.Outcome {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return func(*http.Request) armsim.Outcome {
		return armsim.Outcome{Status: status, Code: code, Message: message, Header: h}
	}
}

// soon says the same of a status that is asked again, without a wait that
// counts.
func soon(status int, code string) func(*http.Request) armsim.Outcome {
	return says(status, code, "The service is not well.", "retry-after-ms", "1")
}

// body answers with a status, a text and its type.
func body(status int, text, kind string) func(*http.Request) armsim.Outcome {
	return func(*http.Request) armsim.Outcome {
		return armsim.Outcome{Status: status, Body: []byte(text), Header: http.Header{"Content-Type": {kind}}}
	}
}

// page answers each request with a page of one item whose link is what the
// function makes of the request's host and number.
func page(link func(host string, number int64) string) func(*testing.T) place {
	return func(t *testing.T) place {
		var count atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"value": [{"id": "/x"}], "nextLink": %q}`, link(r.Host, count.Add(1)))
		}))
		t.Cleanup(server.Close)
		return place{server.URL, func() int { return int(count.Load()) }}
	}
}

// serverOf starts a server that no request should reach.
func serverOf(start func(*httptest.Server), url func(string) string) func(*testing.T) place {
	return func(t *testing.T) place {
		var count atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { count.Add(1) }))
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
		start(server)
		t.Cleanup(server.Close)
		return place{url(server.URL), func() int { return int(count.Load()) }}
	}
}

// nobody gives an address where nothing listens any more.
func nobody(*testing.T) place {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return place{server.URL, func() int { return 0 }}
}
