package cli

import (
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Environment is everything that a run takes from outside. [System] gives the
// real one.
type Environment struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Environ        func() []string // name=value each
	Home, WorkDir  string          // empty where the system has none
	TempDir        string          // for what does not fit into memory
	Terminal       Terminal
	ToFile         bool       // standard output is a regular file: nobody waits for the first rows
	Width          func() int // of the terminal in cells, 0: unknown
	Now            func() time.Time
	Signals        <-chan os.Signal // interrupts; nil: there are none
	Exit           func(code int)   // ends the process at once, for a second interrupt
	Ends           bool             // the process ends with the command
	// Ask puts a question on the terminal and gives the line that was typed;
	// io.EOF where it was left by Ctrl-C or Ctrl-D.
	Ask func(question string) (string, error)
	// AskSecret does the same and does not show what is typed.
	AskSecret func(question string) (string, error)
	// Edit makes the line editor of the shell.
	Edit func(EditorOptions) Editor
}

// Terminal says which of the streams are a terminal.
type Terminal struct{ In, Out, Err bool }

// System gives the environment of this process. From then on a reader of
// standard output that goes away is an error of the write rather than the end
// of the process, and interrupts are for [Main] to handle.
func System() Environment {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE)
	home, _ := os.UserHomeDir()
	dir, _ := os.Getwd()
	info, err := os.Stdout.Stat()
	return Environment{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Environ: os.Environ, Home: home, WorkDir: dir, TempDir: os.TempDir(),
		Terminal: Terminal{In: isTerminal(os.Stdin), Out: isTerminal(os.Stdout), Err: isTerminal(os.Stderr)},
		ToFile:   err == nil && info.Mode().IsRegular(),
		Width:    terminalWidth, Now: time.Now, Signals: signals, Exit: os.Exit, Ends: true,
		Ask: askTerminal, AskSecret: askSecret, Edit: newReadline,
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// terminalWidth asks standard output, then standard error, since either may be
// sent elsewhere.
func terminalWidth() int {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 0
}

// askTerminal reads one line in raw mode, so that Ctrl-C ends the question
// instead of leaving a reader behind that swallows the next line.
func askTerminal(question string) (string, error) {
	return rawTerminal(question, (*term.Terminal).ReadLine)
}

// askSecret reads one line as askTerminal does, and does not show it.
func askSecret(question string) (string, error) {
	return rawTerminal("", func(t *term.Terminal) (string, error) { return t.ReadPassword(question) })
}

// rawTerminal puts the terminal into raw mode for one answer.
func rawTerminal(prompt string, read func(*term.Terminal) (string, error)) (string, error) {
	fd := int(os.Stdin.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(fd, state) }()
	return read(term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{os.Stdin, os.Stderr}, prompt))
}

// path gives a file name as the user meant it: from the working folder.
func (e Environment) path(name string) string {
	if filepath.IsAbs(name) || e.WorkDir == "" {
		return name
	}
	return filepath.Join(e.WorkDir, name)
}

// folder gives a folder of planeql's below the one that a variable of the XDG
// base directory specification names, or below its default; "" without a home.
func (e Environment) folder(variable string, fallback ...string) string {
	if base := e.Getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, "planeql")
	}
	if e.Home == "" {
		return ""
	}
	return filepath.Join(append(append([]string{e.Home}, fallback...), "planeql")...)
}

// color says whether a stream may be coloured (https://no-color.org).
func (e Environment) color(terminal bool) bool {
	return terminal && e.Getenv("NO_COLOR") == "" && e.Getenv("TERM") != "dumb"
}
