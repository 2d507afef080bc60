package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	planeql "github.com/planeql/planeql"
)

// progressDelay is how long a statement runs before its progress is shown: most
// are done by then, and a line that flashes by only disturbs.
const progressDelay = 300 * time.Millisecond

// screen shares the terminal between the progress line and everything else that
// is written. The line is erased before any output and is not drawn again once
// rows of the statement are on the screen.
type screen struct {
	env     Environment
	mu      sync.Mutex
	started time.Time // of the running statement; zero: none, no progress
	shown   bool
	frame   int
}

func newScreen(env Environment) *screen { return &screen{env: env} }

// begin starts the progress of a statement.
func (s *screen) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = s.env.Now()
}

// end erases the line.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = time.Time{}
	s.erase()
}

// eraseLine returns to the start of the line and clears it (ECMA-48 EL).
const eraseLine = "\r\x1b[K"

func (s *screen) erase() {
	if s.shown {
		_, _ = io.WriteString(s.env.Stderr, eraseLine)
		s.shown = false
	}
}

// frames are the steps of the sign of life.
var frames = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// show draws how far the statement is. It is called from the engine, beside
// what writes rows.
func (s *screen) show(p planeql.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started.IsZero() || s.env.Now().Sub(s.started) < progressDelay {
		return
	}
	line := string(frames[s.frame%len(frames)]) + " " + progressLine(p)
	if width := s.env.Width(); width > 1 {
		line = runewidth.Truncate(line, width-1, "…")
	}
	s.frame++
	s.shown = true
	_, _ = io.WriteString(s.env.Stderr, eraseLine+line)
}

func progressLine(p planeql.Progress) string {
	parts := []string{counted(int64(p.Calls), "call"), counted(p.Rows, "row"), megabytes(p.Bytes)}
	if p.Operations > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s running", grouped(int64(p.Running)), counted(int64(p.Operations), "operation")))
	}
	if p.Waiting > 0 {
		wait := "waiting " + shortDuration(p.Waiting)
		if p.WaitingFor != "" {
			wait += ": " + p.WaitingFor
		}
		parts = append(parts, wait)
	}
	return strings.Join(parts, ", ")
}

// stdout gives standard output with the progress line out of its way.
func (s *screen) stdout() io.Writer { return screenWriter{s, s.env.Stdout, s.env.Terminal.Out} }

// stderr does the same for standard error.
func (s *screen) stderr() io.Writer { return screenWriter{s, s.env.Stderr, false} }

type screenWriter struct {
	screen *screen
	w      io.Writer
	last   bool // what is written here ends the progress of the statement
}

func (w screenWriter) Write(p []byte) (int, error) {
	w.screen.mu.Lock()
	defer w.screen.mu.Unlock()
	w.screen.erase()
	if w.last {
		w.screen.started = time.Time{}
	}
	return w.w.Write(p)
}

// counted gives a number with its noun, for people: 1 row, 1,200 rows.
func counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// grouped gives a number with a comma between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && digits[i-1] != '-' && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// shortDuration gives a duration as a person says it.
func shortDuration(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}
