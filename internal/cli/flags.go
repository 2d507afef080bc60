package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planeql/planeql/internal/fault"
)

// place says on which commands a flag stands.
type place int

const (
	onAll       place = 1 << iota // every command
	onSession                     // commands that open a session: shell, exec, auth
	onExec                        // exec
	onSim                         // sim azure
	onProviders                   // what has to do with installed providers
	onList                        // provider list
	onShow                        // provider show
	onPull                        // provider pull
	onSecrets                     // auth set
	onBuild                       // provider build
	onPlan                        // plan
)

// kind says how the values of a flag add up.
type kind int

const (
	single  kind = iota // the last one holds
	toggle              // true or false; alone it means true
	several             // all hold, those of the command line after the others
)

// flag is one setting with all its facts. The command line, planeql.yaml (under
// the same name), the environment (PLANEQL_ and the name), help, completion and
// the messages about wrong values are made from it.
type flag struct {
	name    string
	short   string
	kind    kind
	value   string // what help calls the value
	help    string
	choices func() []string // nil: anything
	place   place
	local   bool // of the command line alone
	set     func(s *settings, text string) error
}

// variable gives the name of the environment variable.
func (f *flag) variable() string {
	return "PLANEQL_" + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_"))
}

// flagValue keeps what was typed for a flag; meaning comes later, when the
// other sources are known.
type flagValue struct {
	flag  *flag
	texts []string
}

// Set implements pflag.Value.
func (v *flagValue) Set(text string) error {
	v.texts = append(v.texts, text)
	return nil
}

// String implements pflag.Value; the default is told by the help text.
func (v *flagValue) String() string { return "" }

// Type implements pflag.Value; help shows it after the flag's name.
func (v *flagValue) Type() string {
	if v.flag.kind == toggle {
		return "bool"
	}
	return v.flag.value
}

func (v *flagValue) last() string {
	if len(v.texts) == 0 {
		return ""
	}
	return v.texts[len(v.texts)-1]
}

// register puts the flags of the given places on a flag set. A flag that
// stands on several commands has one value: a run is of one command.
func (a *app) register(set *pflag.FlagSet, places place) {
	set.SortFlags = false
	for i := range flagTable {
		f := &flagTable[i]
		if f.place&places == 0 {
			continue
		}
		if a.values[f.name] == nil {
			a.values[f.name] = &flagValue{flag: f}
		}
		p := set.VarPF(a.values[f.name], f.name, f.short, f.help)
		if f.kind == toggle {
			p.NoOptDefVal = "true"
		}
	}
}

// completeValues offers the choices of flags to the completion of shells.
func (a *app) completeValues(c *cobra.Command) {
	for i := range flagTable {
		f := &flagTable[i]
		if f.choices == nil || c.Flags().Lookup(f.name) == nil && c.PersistentFlags().Lookup(f.name) == nil {
			continue
		}
		// The one error is a flag that has its choices already.
		_ = c.RegisterFlagCompletionFunc(f.name, cobra.FixedCompletions(f.choices(), cobra.ShellCompDirectiveNoFileComp))
	}
}

// origin is where the value of a setting was found.
type origin struct {
	name string     // as the user would look for it
	span fault.Span // in planeql.yaml
}

// resolve gives every setting its value: from the command line, else from the
// environment, else from planeql.yaml. Settings of kind several add up, in the
// opposite order, so that the later and stronger ones win.
func (a *app) resolve() error {
	file, err := a.readConfig()
	if err != nil {
		return err
	}
	a.settings = defaults()
	for i := range flagTable {
		if err := a.resolveFlag(&flagTable[i], file); err != nil {
			return err
		}
	}
	return a.readVariables()
}

// found is a source's values for one flag.
type found struct {
	origin origin
	texts  []string
}

func (a *app) resolveFlag(f *flag, file config) error {
	var sources []found
	if !f.local {
		sources = append(sources, file[f.name])
		sources = append(sources, found{origin{name: f.variable()}, f.split(a.env.Getenv(f.variable()))})
	}
	if v := a.values[f.name]; v != nil {
		sources = append(sources, found{origin{name: "--" + f.name}, v.texts})
	}
	for i := len(sources) - 1; i >= 0 && f.kind != several; i-- {
		if len(sources[i].texts) > 0 {
			sources = sources[i : i+1]
			break
		}
	}
	for _, s := range sources {
		for _, text := range s.texts {
			if err := f.apply(&a.settings, text, s.origin); err != nil {
				return err
			}
		}
	}
	return nil
}

// split gives the values in an environment variable; several are separated by
// semicolons, since values have commas of their own.
func (f *flag) split(text string) []string {
	if text == "" {
		return nil
	}
	if f.kind != several || strings.HasPrefix(strings.TrimSpace(text), "{") {
		return []string{text}
	}
	var texts []string
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part != "" {
			texts = append(texts, part)
		}
	}
	return texts
}

// apply sets a value and says where a wrong one comes from.
func (f *flag) apply(s *settings, text string, from origin) error {
	err := f.set(s, text)
	if err == nil {
		return nil
	}
	e := fault.From(err)
	c := *e
	c.Message = from.name + ": " + e.Message
	return c.At(from.span)
}
