package render

import (
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/planeql/planeql/internal/fault"
)

// ErrorFormat is the form of errors and warnings.
type ErrorFormat string

// The forms: several lines for people, one JSON object a line for programs.
const (
	ErrorText ErrorFormat = "text"
	ErrorJSON ErrorFormat = "json"
)

// Severity says what an error meant for the run.
type Severity string

// The severities: the statement failed, or it went on.
const (
	Failure Severity = "error"
	Warning Severity = "warning"
)

// Errors writes an error in the form: [fault.Error.Print], or an object with the
// members severity, code, scope, message and, as far as known, detail, hint,
// object, position, http and retryable. What a service said cannot control the
// terminal. The error is that of w.
func Errors(w io.Writer, err *fault.Error, f ErrorFormat, s Severity) error {
	if f == ErrorJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(newReport(err, s))
	}
	text := strings.TrimPrefix(err.Print(), "error ")
	_, werr := io.WriteString(w, string(s)+" "+readable(text)+"\n")
	return werr
}

// readable takes control characters other than line ends out of a text.
func readable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// report is the form of an error that scripts read; its members are an
// interface and only ever grow.
type report struct {
	Severity  Severity    `json:"severity"`
	Code      fault.Code  `json:"code"`
	Scope     fault.Scope `json:"scope"`
	Message   string      `json:"message"`
	Detail    string      `json:"detail,omitempty"`
	Hint      string      `json:"hint,omitempty"`
	Object    string      `json:"object,omitempty"`
	Position  *position   `json:"position,omitempty"`
	HTTP      *call       `json:"http,omitempty"`
	Retryable bool        `json:"retryable"`
}

type position struct {
	Source string `json:"source"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Length int    `json:"length"` // in characters
}

type call struct {
	Method    string `json:"method"`
	URL       string `json:"url"`
	Status    int    `json:"status,omitempty"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Attempts  int    `json:"attempts,omitempty"`
	WaitedMS  int64  `json:"waited_ms,omitempty"`
}

func newReport(err *fault.Error, s Severity) report {
	r := report{
		Severity: s, Code: err.Code, Scope: err.Scope, Message: err.Message, Detail: err.Detail,
		Hint: err.Hint, Object: err.Object, Retryable: retryable(err.Code),
	}
	if src := err.Span.Source; src != nil {
		line, column := src.Position(err.Span.Start)
		start, end := max(0, err.Span.Start), min(err.Span.End, len(src.Text))
		length := 0
		if start < end {
			length = utf8.RuneCountInString(src.Text[start:end])
		}
		r.Position = &position{Source: src.Name, Line: line, Column: column, Length: length}
	}
	if h := err.HTTP; h != nil {
		r.HTTP = &call{
			Method: h.Method, URL: h.URL, Status: h.Status, Code: h.Code, Message: h.Message,
			RequestID: h.RequestID, Attempts: h.Attempts, WaitedMS: h.Waited.Milliseconds(),
		}
	}
	return r
}

// retryable tells the errors that may be gone when the same statement is run
// again a little later.
func retryable(code fault.Code) bool {
	switch code {
	case fault.ServiceFailed, fault.Throttled, fault.CannotConnect, fault.ConnectionLost:
		return true
	default:
		return false
	}
}
