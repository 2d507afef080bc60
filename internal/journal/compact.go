package journal

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/planeql/planeql/internal/rest"
)

// bounds are how much a journal keeps. Operations that nobody has seen the end of
// stay, however many and old they are.
type bounds struct {
	size  int64         // a smaller file is left as it is
	age   time.Duration // of operations that have ended
	count int           // of operations that have ended; the last ones stay
}

// usualBounds are those of every journal; docs/operations.md has them.
var usualBounds = bounds{size: 1 << 20, age: 30 * 24 * time.Hour, count: 1000}

// shortened gives the text of a journal without what is not kept. Of an operation
// that has ended no link stays: nobody asks for it any more.
func (b bounds) shortened(text []byte, now time.Time) ([]byte, error) {
	entries := entriesOf(text)
	slices.SortStableFunc(entries, func(x, y Entry) int { return x.Operation.Started.Compare(y.Operation.Started) })
	spare := -b.count
	for _, e := range entries {
		if e.Outcome != "" {
			spare++
		}
	}
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	for _, e := range entries {
		ended := e.Outcome != ""
		if ended {
			spare--
		}
		if ended && (spare >= 0 || now.Sub(e.Ended) > b.age) {
			continue
		}
		begin := journalRecord{
			ID: e.ID, Record: "begin", Time: e.Operation.Started, Target: e.Target, Statement: e.Statement, Audit: e.Audit, Operation: &e.Operation,
		}
		if ended {
			begin.Operation = &rest.Operation{Method: e.Operation.Method, Verb: e.Operation.Verb, URL: e.Operation.URL, Started: e.Operation.Started, Status: e.Operation.Status}
		}
		if err := lines.Encode(begin); err != nil {
			return nil, err
		}
		if !ended {
			continue
		}
		if err := lines.Encode(journalRecord{ID: e.ID, Record: "end", Time: e.Ended, Outcome: e.Outcome, Message: e.Message}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// mostOpens bounds how often a file is opened again that others replace.
const mostOpens = 100

// openKept opens the file of a log that is made shorter at times. Who writes holds
// the file shared; it is replaced only by who holds it alone, so nobody adds to
// one that has been replaced.
func (l *log) openKept() (*os.File, error) {
	for tried := range mostOpens {
		f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		// A file that cannot be made shorter serves as it is.
		if tried == 0 && l.replace(f) {
			f.Close()
			continue
		}
		if err := lockShared(f); err == nil && isAt(f, l.path) {
			return f, nil
		}
		f.Close()
	}
	return nil, os.ErrDeadlineExceeded
}

// replace puts a shorter file into the place of f, if f is too long, nobody else
// has it, and it is worth it. A process that is killed on the way leaves the file as
// it was, and a new one beside it that the next one begins anew.
func (l *log) replace(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() <= l.keep.size || !lockAlone(f) || !isAt(f, l.path) {
		return false
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return false
	}
	short, err := l.keep.shortened(text, time.Now())
	if err != nil || len(short) > len(text)/2 {
		return false
	}
	return writeDurable(l.path+".new", short) == nil && os.Rename(l.path+".new", l.path) == nil && syncFolder(filepath.Dir(l.path)) == nil
}

// writeDurable writes a file whose text is on the disk when it returns.
func writeDurable(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// syncFolder has the name of a file be on the disk too.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// isAt tells whether an open file is still the one at a path.
func isAt(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}
