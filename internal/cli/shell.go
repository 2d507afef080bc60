package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/render"
	"github.com/planeql/planeql/internal/syntax"
)

// Editor reads what a person types: a line, or several until they are finished.
// It gives io.EOF for Ctrl-D and [ErrDropped] for Ctrl-C.
type Editor interface {
	Readline() (string, error)
}

// ErrDropped says that the user dropped the line.
var ErrDropped = errors.New("the line was dropped")

// EditorOptions is what a line editor needs of the shell.
type EditorOptions struct {
	Prompt   func() string
	History  string                 // file, empty: none is kept
	Finished func(text string) bool // whether Enter ends the input
	Complete func(text string, cursor int) []planeql.Completion
}

// shellOrHelp is the program without a command: a shell for a person, help for
// everyone else.
func (a *app) shellOrHelp(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return a.unknownCommand(args[0])
	}
	if !a.env.Terminal.In || !a.env.Terminal.Out || a.env.Edit == nil {
		return a.top.Help()
	}
	session, done, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.newShell(session).run(ctx)
}

func (a *app) unknownCommand(name string) error {
	var names []string
	for _, c := range a.top.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	hint := fault.DidYouMean(name, names, "planeql --help lists the commands")
	if strings.ContainsAny(name, " \n;") {
		hint = "planeql exec runs statements: planeql exec \"SELECT …\""
	}
	return fault.New(fault.InvalidFlag, "there is no command %q", name).WithHint("%s", hint)
}

// shell reads statements and commands until the user leaves. An error is
// printed and the shell goes on.
type shell struct {
	app     *app
	session *planeql.Session
	runner  *runner
	editor  Editor
	leave   bool
}

func (a *app) newShell(session *planeql.Session) *shell {
	s := &shell{app: a, session: session, runner: a.runner(session)}
	s.editor = a.env.Edit(EditorOptions{
		Prompt: func() string { return "planeql> " }, History: a.historyFile(),
		Finished: finished, Complete: session.Complete,
	})
	return s
}

// historyFile gives the file that keeps what was typed, for its owner alone;
// "" where there is no place for it.
func (a *app) historyFile() string {
	folder := a.env.folder("XDG_STATE_HOME", ".local", "state")
	if folder == "" || os.MkdirAll(folder, 0o700) != nil {
		return ""
	}
	path := filepath.Join(folder, "history")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return ""
	}
	_ = f.Close()
	return path
}

func (s *shell) run(ctx context.Context) error {
	s.app.say("planeql, SQL for cloud control planes. Statements end with ; and \\? shows help.")
	for !s.leave {
		text, err := s.editor.Readline()
		switch {
		case errors.Is(err, ErrDropped):
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.app.screen.stdout())
			return nil
		case err != nil:
			return fault.New(fault.InvalidFlag, "the terminal cannot be read").WithDetail("%s", err.Error()).Because(err)
		}
		s.input(ctx, strings.TrimSpace(text))
	}
	return nil
}

// input runs what was typed and prints what went wrong.
func (s *shell) input(ctx context.Context, text string) {
	var err error
	switch {
	case text == "":
	case strings.HasPrefix(text, `\`):
		err = s.command(ctx, text)
	case isWord(text, "exit"), isWord(text, "quit"):
		s.leave = true
	default:
		err = s.runner.script(ctx, "input", text)
	}
	if err != nil && !errors.Is(err, render.ErrClosed) {
		s.app.report(fault.From(err), render.Failure)
	}
	s.app.partial = false // the exit code of a shell tells nothing of its statements
}

// isWord says whether the text is the word alone, as newcomers type it.
func isWord(text, word string) bool {
	return strings.EqualFold(strings.TrimSpace(strings.TrimSuffix(text, ";")), word)
}

// finished says whether Enter ends the input: after a command, a word that
// leaves, or a semicolon that is no part of a text or a comment.
func finished(text string) bool {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || strings.HasPrefix(trimmed, `\`) || isWord(trimmed, "exit") || isWord(trimmed, "quit") {
		return true
	}
	tokens, err := syntax.Lex(text)
	if err != nil || len(tokens) == 0 {
		return false // most likely a text that is still open
	}
	return tokens[len(tokens)-1].IsSymbol(";")
}
