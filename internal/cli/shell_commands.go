package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
)

// shellCommand is a command of the shell itself.
type shellCommand struct {
	name     string
	argument string // what help calls it; empty: it takes none
	help     string
	run      func(s *shell, ctx context.Context, argument string) error
}

// shellCommands gives the commands in the order in which help lists them.
func shellCommands() []shellCommand {
	return []shellCommand{
		{`\?`, "", "show this help", (*shell).help},
		{`\d`, "NAME", "describe a resource; without a name list the providers", (*shell).describe},
		{`\l`, "[NAME]", "list what is in a provider or a service", (*shell).list},
		{`\dm`, "NAME", "list the methods of a resource", (*shell).methods},
		{`\o`, "FORMAT", "print rows as " + strings.Join(render.Formats(), ", "), (*shell).setFormat},
		{`\x`, "", "switch between table and one value a line", (*shell).toggleVertical},
		{`\timing`, "", "switch the line of rows, calls and time on or off", (*shell).toggleFooter},
		{`\i`, "FILE", "run the statements of a file", (*shell).include},
		{`\q`, "", "leave, as Ctrl-D does", (*shell).quit},
	}
}

// command runs a line that begins with a backslash.
func (s *shell) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(strings.TrimSuffix(line, ";"), " ")
	var names []string
	for _, c := range shellCommands() {
		if c.name == name {
			return c.run(s, ctx, strings.TrimSpace(argument))
		}
		names = append(names, c.name)
	}
	return fault.New(fault.SyntaxError, "there is no command %s", name).
		WithHint("%s", fault.DidYouMean(name, names, `\? lists the commands`))
}

func (s *shell) help(context.Context, string) error {
	w := s.app.screen.stdout()
	for _, c := range shellCommands() {
		fmt.Fprintf(w, "  %-16s %s\n", strings.TrimSpace(c.name+" "+c.argument), c.help)
	}
	_, err := fmt.Fprint(w, "\n"+
		"  SHOW PROVIDERS;  SHOW SERVICES IN azure;  SHOW RESOURCES IN azure.desktop_virtualization;\n"+
		"  DESCRIBE azure.desktop_virtualization.user_sessions;  EXPLAIN SELECT …;\n\n"+
		"  Tab completes names, Ctrl-C drops the line or ends the statement, Ctrl-R searches what was typed before.\n")
	return err
}

func (s *shell) describe(ctx context.Context, name string) error {
	if name == "" {
		return s.list(ctx, "")
	}
	return s.runner.script(ctx, "input", "DESCRIBE "+name)
}

// list shows one level below a name: providers, services, resources, methods.
func (s *shell) list(ctx context.Context, name string) error {
	level := 0
	if name != "" {
		level = strings.Count(name, ".") + 1
	}
	if level == 0 {
		return s.runner.script(ctx, "input", "SHOW PROVIDERS")
	}
	levels := []string{"SERVICES", "RESOURCES", "METHODS"}
	return s.runner.script(ctx, "input", "SHOW "+levels[min(level, len(levels))-1]+" IN "+name)
}

func (s *shell) methods(ctx context.Context, name string) error {
	if name == "" {
		return fault.New(fault.SyntaxError, `\dm needs the name of a resource`).
			WithHint(`\dm azure.desktop_virtualization.user_sessions`)
	}
	return s.runner.script(ctx, "input", "SHOW METHODS IN "+name)
}

func (s *shell) setFormat(_ context.Context, name string) error {
	if name == "" {
		s.app.say("rows are printed as %s", s.runner.format)
		return nil
	}
	format, err := render.ParseFormat(name)
	if err != nil {
		return err
	}
	s.runner.format = format
	return nil
}

func (s *shell) toggleVertical(context.Context, string) error {
	if s.runner.format == render.Vertical {
		s.runner.format = render.Table
	} else {
		s.runner.format = render.Vertical
	}
	s.app.say("rows are printed as %s", s.runner.format)
	return nil
}

func (s *shell) toggleFooter(context.Context, string) error {
	s.runner.footer = !s.runner.footer
	state := "off"
	if s.runner.footer {
		state = "on"
	}
	s.app.say("timing is %s", state)
	return nil
}

func (s *shell) include(ctx context.Context, name string) error {
	if name == "" {
		return fault.New(fault.SyntaxError, `\i needs the name of a file`)
	}
	file, err := s.app.readScript(name)
	if err != nil {
		return err
	}
	return s.runner.script(ctx, file.name, file.text)
}

func (s *shell) quit(context.Context, string) error {
	s.leave = true
	return nil
}
