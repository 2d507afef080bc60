package render

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// patience is how long written bytes wait for more before they are sent. A
// system call for each row would cost more than the row; a person does not
// notice this delay.
const patience = 20 * time.Millisecond

// stream is a buffered writer that flushes by itself when no further row comes.
// The rows are written by one goroutine, the flush comes from a timer: all that
// touches the buffer runs under the lock.
type stream struct {
	mu     sync.Mutex
	buf    *bufio.Writer
	err    error // the first error of the writer below
	flush  *time.Timer
	armed  bool
	closed bool
}

func newStream(w io.Writer) *stream {
	s := &stream{}
	s.buf = bufio.NewWriterSize(failing{w, s}, 32<<10)
	s.flush = time.AfterFunc(time.Hour, s.tick)
	s.flush.Stop()
	return s
}

// failing notes the error of the writer, since the buffer keeps its own secret.
type failing struct {
	w io.Writer
	s *stream
}

func (f failing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err != nil && f.s.err == nil {
		f.s.err = err
	}
	return n, err
}

// do runs a step that writes, under the lock.
func (s *stream) do(step func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	step()
	if !s.armed && s.buf.Buffered() > 0 {
		s.armed = true
		s.flush.Reset(patience)
	}
}

func (s *stream) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	if !s.closed {
		s.send()
	}
}

// after runs a step under the lock once the time has passed, unless the stream
// is closed by then. The timer can be stopped.
func (s *stream) after(d time.Duration, step func()) *time.Timer {
	return time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			step()
			s.send()
		}
	})
}

// send hands the buffer on. A failure is kept in s.err by [failing].
func (s *stream) send() { _ = s.buf.Flush() }

// failure gives the error of the writer so far.
func (s *stream) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return OutputError(s.err)
	}
	return nil
}

// close flushes and ends all timers.
func (s *stream) close() error {
	s.mu.Lock()
	s.closed = true
	s.flush.Stop()
	s.send()
	s.mu.Unlock()
	return s.failure()
}

// The buffer keeps the first error and ignores what comes later, so the results
// of the single writes carry no news.

func (s *stream) text(t string)  { _, _ = s.buf.WriteString(t) }
func (s *stream) bytes(b []byte) { _, _ = s.buf.Write(b) }
func (s *stream) char(b byte)    { _ = s.buf.WriteByte(b) }
func (s *stream) spaces(n int)   { s.repeat(" ", n) }
func (s *stream) repeat(t string, n int) {
	for range n {
		s.text(t)
	}
}
