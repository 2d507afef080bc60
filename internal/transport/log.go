package transport

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Exchange is one attempt of a request, as told to an observer. Secrets in the
// URL are masked; bodies are not part of it.
type Exchange struct {
	Provider  string
	Method    string
	URL       string
	Status    int // 0: no answer came
	RequestID string
	Attempt   int // from 1
	Started   time.Time
	Duration  time.Duration
	Bytes     int   // of the answer
	Err       error // why no answer came
}

// LogFormat is how a [Log] writes.
type LogFormat string

// The formats of a log.
const (
	LogText  LogFormat = "text"  // a line for each attempt, bodies below it, cut where they are long
	LogJSONL LogFormat = "jsonl" // an object for each attempt on a line, bodies whole
)

// longestText is how much of a body a text log shows.
const longestText = 8 << 10

// Log writes each attempt with its bodies, secrets masked. Headers are not
// written: they hold credentials, cookies and the caller's identity. It is safe
// for concurrent use. The first error of its writer ends it; the statement goes
// on.
type Log struct {
	format  LogFormat
	secrets []string

	mu     sync.Mutex
	w      io.Writer
	failed bool
}

// NewLog makes a log. The names of secret members that the documents mark may
// be given beside those that are always masked.
func NewLog(w io.Writer, format LogFormat, secrets ...string) *Log {
	return &Log{w: w, format: format, secrets: secrets}
}

// entry is a line of a LogJSONL log.
type entry struct {
	Time         string          `json:"time"`
	Provider     string          `json:"provider,omitempty"`
	Method       string          `json:"method"`
	URL          string          `json:"url"`
	Status       int             `json:"status,omitempty"`
	Milliseconds float64         `json:"ms"`
	Attempt      int             `json:"attempt"`
	RequestID    string          `json:"requestId,omitempty"`
	Error        string          `json:"error,omitempty"`
	Request      json.RawMessage `json:"request,omitempty"`
	Response     json.RawMessage `json:"response,omitempty"`
}

// write logs an attempt. The line is made before the lock is taken, so that
// large bodies do not hold up other calls.
func (l *Log) write(e Exchange, sent, received []byte, kind string) {
	line := entry{
		Time: e.Started.UTC().Format(time.RFC3339Nano), Provider: e.Provider, Method: e.Method, URL: e.URL,
		Status: e.Status, Milliseconds: float64(e.Duration.Microseconds()) / 1000, Attempt: e.Attempt, RequestID: e.RequestID,
		Request: l.body(sent, ""), Response: l.body(received, kind),
	}
	if e.Err != nil {
		line.Error = RedactText(e.Err.Error())
	}
	text := line.text()
	if l.format == LogJSONL {
		text = line.jsonl()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed {
		return
	}
	_, err := io.WriteString(l.w, text)
	l.failed = err != nil
}

// body gives a body for the log. Of plain text, which error answers use, the
// words are worth keeping; of other kinds only the size is.
func (l *Log) body(body []byte, kind string) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	if strings.HasPrefix(kind, "text/plain") {
		text, err := json.Marshal(RedactText(string(body)))
		if err == nil {
			return text
		}
	}
	return RedactJSON(body, l.secrets...)
}

// jsonl gives the entry as a line of JSON. Links keep their ampersands, so that
// a line can be searched for what was called.
func (e entry) jsonl() string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return ""
	}
	return b.String()
}

// text gives the entry for a person, bodies below the call that they belong to.
func (e entry) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", e.Time, e.Method, e.URL)
	if e.Status > 0 {
		fmt.Fprintf(&b, " %d", e.Status)
	}
	fmt.Fprintf(&b, " %.1fms attempt=%d", e.Milliseconds, e.Attempt)
	if e.RequestID != "" {
		fmt.Fprintf(&b, " id=%s", e.RequestID)
	}
	if e.Error != "" {
		fmt.Fprintf(&b, " error=%q", e.Error)
	}
	b.WriteString("\n")
	part(&b, "  > ", e.Request)
	part(&b, "  < ", e.Response)
	return b.String()
}

// part writes a body behind its mark, cut where it is long.
func part(b *strings.Builder, mark string, body []byte) {
	if len(body) == 0 {
		return
	}
	b.WriteString(mark)
	if len(body) > longestText {
		fmt.Fprintf(b, "%s… (%d bytes)\n", body[:longestText], len(body))
		return
	}
	b.Write(body)
	b.WriteString("\n")
}
