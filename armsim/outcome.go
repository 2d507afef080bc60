package armsim

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Outcome is what a hook makes of a request; the zero Outcome lets it pass. The
// members may be combined: a Delay with anything, a Truncate with an answer of
// the simulator's own or with Status and Body.
type Outcome struct {
	// Status answers with this status instead of serving the request. Without a
	// Body the answer is ARM's error envelope of Code and Message.
	Status  int
	Code    string
	Message string
	// Header is added to the answer, whoever makes it, in the place of the
	// simulator's own header of that name. An empty value takes a header out.
	Header http.Header
	// Body is sent as it is.
	Body []byte
	// Delay waits before the answer.
	Delay time.Duration
	// Reset breaks the connection without an answer. The request is not served.
	Reset bool
	// Carry serves the request before it answers with Status, so that the caller is
	// told of a failure that was none.
	Carry bool
	// Lose serves the request and breaks the connection instead of answering, so
	// that the caller cannot know whether it was carried out.
	Lose bool
	// Truncate sends the first half of the body and breaks the connection.
	Truncate bool
	// Rewrite changes the body of the answer that the simulator gives.
	Rewrite func(body []byte) []byte
}

// passes says whether the hook leaves the request alone.
func (o Outcome) passes() bool {
	return o.Status == 0 && o.Header == nil && o.Body == nil && o.Delay == 0 &&
		!o.Reset && !o.Lose && !o.Truncate && o.Rewrite == nil
}

// reply gives the answer that stands instead of the simulator's own.
func (o Outcome) reply() (reply, bool) {
	if o.Status == 0 && o.Body == nil {
		return reply{}, false
	}
	rep := reply{status: o.Status, header: map[string]string{}, body: o.Body}
	if rep.status == 0 {
		rep.status = http.StatusOK
	}
	if rep.body == nil && o.Code != "" {
		rep.body = errorBody(o.Code, o.Message)
	}
	if rep.body != nil {
		rep.header["Content-Type"] = jsonType
	}
	return rep, true
}

// mutate applies what changes an answer of the simulator.
func (o Outcome) mutate(rep *reply) {
	if o.Rewrite != nil && rep.status < http.StatusMultipleChoices {
		rep.body = o.Rewrite(rep.body)
	}
}

// truncate sends the first half of the body under the length of the whole, and
// breaks the connection.
func truncate(w http.ResponseWriter, rep reply) {
	w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body[:len(rep.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// breakConnection ends the connection without an answer: by a TCP reset where
// the connection can be taken over, else as net/http ends an aborted handler.
func breakConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// jsonType is the content type of every JSON answer of Azure.
const jsonType = "application/json; charset=utf-8"

// errorBody writes the error envelope of Azure Resource Manager.
func errorBody(code, message string) []byte {
	text, err := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
	if err != nil {
		return nil
	}
	return text
}
