package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/planeql/planeql/armsim"
	"github.com/planeql/planeql/internal/fault"
)

func (a *app) simCommand() *cobra.Command {
	sim := a.command(&cobra.Command{
		Use:   "sim",
		Short: "Serve a simulator of a cloud",
	}, 0, nil)
	sim.AddCommand(a.command(&cobra.Command{
		Use:   "azure [flags]",
		Short: "Serve a simulator of Azure Resource Manager",
		Long: "azure serves a simulator of Azure Resource Manager with Azure Virtual Desktop until it is interrupted.\n" +
			"It keeps its state in memory and takes any bearer token. The address is printed on standard output.\n" +
			"A scenario file (--estate FILE) can say how writes behave, too, and puts locks on groups and host pools:\n" +
			"  subscriptions: [{id: GUID, name: One, groups: [{name: rg-one, lock: CanNotDelete}]}]",
		Example: "  planeql sim azure --estate large --latency 50ms\n  planeql sim azure --faults 429=5%:2s,503=2%\n" +
			"  planeql sim azure --long-running 'style=aao,polls=3;method=DELETE,style=loc,end=failed'",
	}, onSim, a.simulate))
	return sim
}

// simulate serves until an interrupt.
func (a *app) simulate(ctx context.Context, _ []string) error {
	opts, err := a.simOptions()
	if err != nil {
		return err
	}
	ctx, release := a.signals.guard(ctx)
	defer release()
	server, err := a.startSim(opts)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.screen.stdout(), "listening on %s\n", server.URL)
	if !a.settings.quiet {
		fmt.Fprintf(a.screen.stderr(), "try: %s\n", a.tryLine(server.URL))
	}
	<-ctx.Done()
	if err := server.Close(); err != nil {
		return fault.New(fault.ServiceFailed, "the simulator has ended").WithDetail("%s", err.Error()).Because(err)
	}
	return nil
}

// tryLine gives a command that can be pasted into another terminal.
func (a *app) tryLine(address string) string {
	trust := ""
	if a.settings.sim.certFile != "" {
		trust = " --ca-cert " + a.settings.sim.certFile
	}
	return fmt.Sprintf("TOKEN=any planeql exec --endpoint azure=%s --auth azure=bearer,env=TOKEN%s "+
		"\"SELECT displayName, subscriptionId FROM azure.subscription.subscriptions\"", address, trust)
}

func (a *app) startSim(opts []armsim.Option) (*armsim.Server, error) {
	s := a.settings.sim
	start := func() (*armsim.Server, error) { return armsim.Start(s.addr, opts...) }
	if s.certFile != "" {
		start = func() (*armsim.Server, error) { return armsim.StartTLS(s.addr, a.env.path(s.certFile), opts...) }
	}
	server, err := start()
	if err != nil && fault.As(err) == nil {
		return nil, fault.New(fault.InvalidFlag, "the simulator cannot be started").WithDetail("%s", err.Error()).
			WithHint("--addr 127.0.0.1:0 takes any free port").Because(err)
	}
	return server, err
}

func (a *app) simOptions() ([]armsim.Option, error) {
	s := a.settings.sim
	estate, err := a.estate(s.estate)
	if err != nil {
		return nil, err
	}
	opts := []armsim.Option{estate, armsim.WithSeed(s.seed), armsim.WithLatency(s.latency)}
	if s.pageSize > 0 {
		opts = append(opts, armsim.WithPageSize(s.pageSize))
	}
	if s.faults != "" {
		faults, err := armsim.ParseFaults(s.faults)
		if err != nil {
			return nil, err
		}
		opts = append(opts, armsim.WithFaults(faults))
	}
	rules, err := armsim.ParseLongRunning(s.longRunning)
	if err != nil {
		return nil, err
	}
	behaviour, err := armsim.ParseBehaviour(s.behaviour)
	if err != nil {
		return nil, err
	}
	opts = append(opts, armsim.WithLongRunning(rules...), behaviour)
	if s.etags {
		opts = append(opts, armsim.WithETags())
	}
	if s.stale != (armsim.Staleness{}) {
		opts = append(opts, armsim.WithStaleReads(s.stale))
	}
	return opts, nil
}

// estate gives a built-in estate, or that of a scenario file.
func (a *app) estate(name string) (armsim.Option, error) {
	switch name {
	case "small":
		return armsim.WithEstate(armsim.Small), nil
	case "large":
		return armsim.WithEstate(armsim.Large), nil
	case "tour":
		return armsim.WithEstate(armsim.Tour), nil
	case "maintenance":
		return armsim.WithEstate(armsim.Maintenance), nil
	case "empty":
		return armsim.WithEstate(armsim.Empty), nil
	}
	f, err := os.Open(a.env.path(name))
	if err != nil {
		other := "the estates are small, large, tour, maintenance and empty; anything else is a scenario file"
		return nil, fault.As(unreadable(name, err)).WithHint("%s", fault.DidYouMean(name, estateNames(), other))
	}
	defer f.Close()
	scenario, err := armsim.ReadScenario(f)
	if err != nil {
		return nil, err
	}
	return armsim.WithScenario(scenario), nil
}
