package rest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/planeql/planeql/internal/transport"
)

// serviceError is what a service says of a failure, in whatever form it came.
type serviceError struct {
	Code    string
	Message string
	Target  string
	Reason  string   // a finer code, as Google has it; empty elsewhere
	ID      string   // of the call, where the body names it
	Details []string // further errors and what the service adds, each on a line
	html    bool     // a page for people: hardly the service itself
}

// longestMessage bounds the words of a service in a fault, in bytes.
const longestMessage = 4000

// pageForPeople begins the message made of a web page.
const pageForPeople = "a page for people: "

// deepest bounds how far details inside details are read.
const deepest = 5

// parseError reads an error answer. It never fails: what has no known form is
// taken as text. Known are Azure's envelope, the same without it, errors of
// OData and OAuth, problem documents of RFC 9457, lists of errors, XML, plain
// text and pages of proxies. Secrets in the words are masked.
func parseError(contentType string, body []byte) serviceError {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var e serviceError
	if len(body) == 0 {
		return e
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var answer any
	if err := decoder.Decode(&answer); err == nil {
		e.read(answer, 0)
		if e.Code == "" && e.Message == "" {
			e.Message = string(transport.RedactJSON(body))
		}
	} else {
		e.text(contentType, body)
	}
	e.Code = clean(e.Code, 200)
	e.Message = clean(e.Message, longestMessage)
	for i := range e.Details {
		e.Details[i] = clean(e.Details[i], longestMessage)
	}
	return e
}

// clean makes text of a service fit for a terminal: secrets masked, control
// characters gone, bounded.
func clean(text string, longest int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f) {
			return r
		}
		return -1
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	text = strings.TrimSpace(transport.RedactText(text))
	if len(text) <= longest {
		return text
	}
	cut := longest
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// read takes an error out of any JSON value. Answers can be nested without end, so
// the depth is bounded.
func (e *serviceError) read(answer any, depth int) {
	if depth > deepest {
		return
	}
	switch answer := answer.(type) {
	case string:
		e.Message = answer
	case []any:
		e.list(answer, depth)
	case map[string]any:
		e.object(answer, depth)
	}
}

// list takes the first error of a list for the error and the others for its
// details.
func (e *serviceError) list(answers []any, depth int) {
	for i, answer := range answers {
		if i == 0 {
			e.read(answer, depth+1)
			continue
		}
		e.detail(answer, depth+1)
	}
}

// object reads an error that is an object: what is inside an envelope if there is
// one, else its own members, under the names that services use for them.
func (e *serviceError) object(o map[string]any, depth int) {
	own := firstText(o, "message", "errorSummary")
	for _, envelope := range []string{"error", "odata.error", "errors", "fault"} {
		switch inner := member(o, envelope).(type) {
		case map[string]any:
			e.object(inner, depth+1)
			return
		case []any:
			if envelope == "errors" && own != "" { // GitHub, and Google inside its envelope
				e.causes(inner, depth)
				break
			}
			if len(inner) > 0 {
				e.list(inner, depth+1)
				return
			}
		case string: // RFC 6749 puts the code here
			e.Code, e.Message = inner, text(member(o, "error_description"))
			return
		}
	}
	e.Code = afterHash(firstText(o, "code", "errorCode", "error_code", "__type", "type"))
	e.Message = firstText(o, "message", "errorMessage", "errorSummary", "error_description", "detail", "description", "title", "msg")
	e.named(o)
	e.Target = text(member(o, "target"))
	if details, ok := member(o, "details").([]any); ok {
		for _, d := range details {
			e.detail(d, depth+1)
		}
	}
	if causes, ok := member(o, "errorCauses").([]any); ok {
		e.causes(causes, depth)
	}
	e.additional(o)
	e.inner(o, depth)
}

// named finds the word for a code where that is a number that only repeats the
// status: Google's status, the reason of Kubernetes, DigitalOcean's id.
func (e *serviceError) named(o map[string]any) {
	e.ID = firstText(o, "requestId", "request_id", "errorId")
	if strings.Trim(e.Code, "0123456789") != "" {
		return
	}
	for _, name := range []string{"status", "reason", "id"} {
		word, isText := member(o, name).(string)
		if isText && word != "" && word != "Failure" && strings.Trim(word, wordLetters) == "" && (name != "id" || strings.ToLower(word) == word) {
			e.Code = word
			break
		}
	}
}

// wordLetters are those of names of errors.
const wordLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

// causes adds errors that stand beside a message as details. The first reason
// is kept: Google's rate limits are known by it.
func (e *serviceError) causes(list []any, depth int) {
	for _, cause := range list {
		o, ok := cause.(map[string]any)
		if !ok {
			e.detail(cause, depth+1)
			continue
		}
		if e.Reason == "" {
			e.Reason = text(member(o, "reason"))
		}
		if firstText(o, "message", "errorSummary") != "" {
			e.detail(cause, depth+1)
			continue
		}
		line := strings.Join(strings.Fields(text(member(o, "resource"))+" "+text(member(o, "field"))+" "+text(member(o, "code"))), " ")
		if line != "" {
			e.Details = append(e.Details, line)
		}
	}
}

// detail adds a further error as a line.
func (e *serviceError) detail(answer any, depth int) {
	var d serviceError
	d.read(answer, depth)
	line := strings.Trim(d.Code+": "+d.Message, ": ")
	if d.Target != "" {
		line += " (" + d.Target + ")"
	}
	if line != "" && line != e.Code+": "+e.Message {
		e.Details = append(e.Details, line)
	}
	e.Details = append(e.Details, d.Details...)
}

// additional adds what Azure Resource Manager knows besides, such as the policy
// that denied a request.
func (e *serviceError) additional(o map[string]any) {
	list, _ := member(o, "additionalInfo").([]any)
	for _, entry := range list {
		info, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		encoded, err := json.Marshal(member(info, "info"))
		if err != nil {
			continue
		}
		e.Details = append(e.Details, text(member(info, "type"))+": "+clean(string(transport.RedactJSON(encoded)), 500))
	}
}

// inner adds the causes that OData nests in each other, where they say more.
func (e *serviceError) inner(o map[string]any, depth int) {
	inner, ok := member(o, "innererror").(map[string]any)
	if !ok || depth >= deepest {
		return
	}
	var d serviceError
	d.object(inner, depth+1)
	if d.Code == "" && d.Message == "" || d.Message == e.Message && d.Code == "" {
		return
	}
	e.Details = append(e.Details, strings.Trim(d.Code+": "+d.Message, ": "))
	e.Details = append(e.Details, d.Details...)
}

// member finds a member without regard to case: services write code and Code.
func member(o map[string]any, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// firstText gives the first member of these that holds text.
func firstText(o map[string]any, names ...string) string {
	for _, name := range names {
		if t := text(member(o, name)); t != "" {
			return t
		}
	}
	return ""
}

// text gives a member as text: numbers as written, and the value inside the
// language envelope of OData.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case map[string]any:
		value, _ := member(v, "value").(string)
		return value
	}
	return ""
}

// text reads an answer that is not JSON.
func (e *serviceError) text(contentType string, body []byte) {
	kind, _, _ := mime.ParseMediaType(contentType)
	lower := bytes.ToLower(body[:min(len(body), 512)])
	switch {
	case strings.Contains(kind, "html") || bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html")):
		e.html = true
		e.Message = pageForPeople + titleOf(body)
	case body[0] == '<' && e.xml(body):
	default:
		e.Message = string(body)
	}
}

// xml reads the code and the message of an error in XML, wherever they stand.
func (e *serviceError) xml(body []byte) bool {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.Strict = false
	var name string
	for {
		token, err := decoder.Token()
		if err != nil {
			return e.Code != "" || e.Message != ""
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = strings.ToLower(token.Name.Local)
		case xml.EndElement:
			name = ""
		case xml.CharData:
			switch {
			case name == "code" && e.Code == "":
				e.Code = string(token)
			case name == "message" && e.Message == "":
				e.Message = string(token)
			case name == "requestid" && e.ID == "":
				e.ID = strings.TrimSpace(string(token))
			}
		}
	}
}

// titleOf gives the title of a page, or its beginning.
func titleOf(body []byte) string {
	lower := bytes.ToLower(body)
	from := bytes.Index(lower, []byte("<title>"))
	to := bytes.Index(lower, []byte("</title>"))
	if from >= 0 && to > from && len(lower) == len(body) {
		return strings.Join(strings.Fields(string(body[from+len("<title>"):to])), " ")
	}
	return beginning(body)
}

// beginning shows how an answer begins, for a message.
func beginning(body []byte) string {
	shown := clean(string(body[:min(len(body), 400)]), 200)
	return fmt.Sprintf("%q", strings.Join(strings.Fields(shown), " "))
}
