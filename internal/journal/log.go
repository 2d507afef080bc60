// Package journal keeps the records of writes in files that outlive the
// process: the journal of long-running operations, from which waiting can be
// taken up by another process, and the audit of every attempted write. A record
// is on the disk when the function that writes it returns.
//
// It refuses to go on in silence: a record that cannot be written is an error,
// and what may follow from it is the caller's to decide. Start reading at
// [Journal] and [Audit]; what makes a line durable is in log.go.
package journal

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/planeql/planeql/internal/fault"
)

// log is a file of JSON lines that only grows, but for what a journal does not
// keep (compact.go). Several processes may add to it.
// The zero log is not usable; it opens its file when it is first needed.
type log struct {
	path string
	what string // for messages: "the audit file"
	keep bounds // what is dropped when the file is opened; zero: nothing

	commit sync.Mutex // held by who writes

	mu   sync.Mutex // guards next
	next *batch     // lines that nobody has written yet

	file *os.File // guarded by commit
	err  error    // why the file cannot be written; it stays so
}

// batch is the lines of callers that wait for the same write.
type batch struct {
	lines []byte
	done  bool
	err   error
}

func newLog(path, what string) *log { return &log{path: path, what: what, next: &batch{}} }

// open makes sure that lines can be added.
func (l *log) open() error {
	l.commit.Lock()
	defer l.commit.Unlock()
	return l.opened()
}

// opened opens the file, which only its owner may read: names of people, of
// machines, and links that act are in it. A line that a killed process left
// unfinished is ended, or the next one would be lost with it.
func (l *log) opened() error {
	if l.file != nil || l.err != nil {
		return l.err
	}
	if l.err = os.MkdirAll(filepath.Dir(l.path), 0o700); l.err != nil {
		return l.err
	}
	f, err := l.openFile()
	if err != nil {
		l.err = err
		return err
	}
	last := make([]byte, 1)
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > 0 {
		if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			_, l.err = f.Write([]byte{'\n'})
		}
	}
	l.file = f
	return l.err
}

func (l *log) openFile() (*os.File, error) {
	if l.keep.size > 0 {
		return l.openKept()
	}
	return os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
}

// add writes a record as a line and returns when it is on the disk. Callers
// that come while another one's lines are written share the next write.
func (l *log) add(record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	l.mu.Lock()
	b := l.next
	b.lines = append(append(b.lines, line...), '\n')
	l.mu.Unlock()
	l.commit.Lock()
	defer l.commit.Unlock()
	if b.done {
		return b.err
	}
	l.mu.Lock()
	l.next = &batch{}
	l.mu.Unlock()
	b.done, b.err = true, l.write(b.lines)
	return b.err
}

// write adds lines to the file. After an error the file may end anywhere, so
// nothing is added any more.
func (l *log) write(lines []byte) error {
	if err := l.opened(); err != nil {
		return err
	}
	if _, l.err = l.file.Write(lines); l.err == nil {
		l.err = l.file.Sync()
	}
	return l.err
}

// close ends the writing.
func (l *log) close() error {
	l.commit.Lock()
	defer l.commit.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file, l.err = nil, fs.ErrClosed
	return err
}

// text gives what is in the file. One that is not there is empty.
func (l *log) text() ([]byte, error) {
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, l.fault(err)
	}
	return text, nil
}

// records gives each line to f. One that is no record was left unfinished by a
// process that was killed.
func records(text []byte, f func(line []byte)) {
	for line := range bytes.Lines(text) {
		if json.Valid(line) {
			f(line)
		}
	}
}

// fault makes the error of a file that cannot be used.
func (l *log) fault(err error) *fault.Error {
	why := err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		why = pe.Err
	}
	return fault.New(fault.RecordFailed, "%s %q cannot be used", l.what, l.path).WithDetail("%s", why.Error()).Because(err)
}

// newID gives a short name that no other record has. It is read and typed by
// people.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()[:12]) }
