package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/transform"
	"github.com/planeql/planeql/internal/transport"
)

// read takes an answer apart: by what it is written in, and by the rule of the
// document that turns it into something else. The marks are of the answer as the
// service sent it.
func (c *course) read(response *transport.Response) (reply, error) {
	m, body := c.method, response.Body
	if len(bytes.TrimSpace(body)) == 0 {
		return split(body, c.layout)
	}
	if isXML(m, response) {
		return c.readXML(body)
	}
	rule := m.Response.Transform
	switch {
	case rule != nil:
		turned, err := runRule(m, rule, body)
		if err != nil {
			return reply{}, err
		}
		r, err := split(turned, c.layout)
		if sent, failed := split(body, markedOnly(c.layout)); failed == nil {
			r.marks = sent.marks
		}
		r.body = body
		return r, err
	case isLines(m.Response.MediaType):
		return lines(body)
	case isPlain(m):
		text, _ := json.Marshal(string(body)) // a text always has a form
		return reply{items: [][]byte{text}, found: true, body: body}, nil
	}
	return split(body, c.layout)
}

// runRule runs the document's rule on a body.
func runRule(m *provider.Method, rule *provider.Transform, body []byte) ([]byte, error) {
	turned, err := transform.Run(rule.Kind, rule.Body, body)
	if err != nil {
		return nil, fmt.Errorf("the document's rule for answers, %s, failed: %w", rule.Kind, err)
	}
	return turned, nil
}

// markedOnly gives a layout that finds the same marks and no rows.
func markedOnly(l *layout) *layout {
	return &layout{root: withoutRows(l.root), marks: l.marks, loose: true}
}

func withoutRows(p place) place {
	p.items, p.each, p.leads = false, false, false
	next := map[string]*place{}
	for name, child := range p.next {
		copied := withoutRows(*child)
		next[name] = &copied
	}
	p.next = next
	return p
}

// readXML reads an answer of XML. Without a rule its rows are found as in JSON.
func (c *course) readXML(body []byte) (reply, error) {
	root, err := transform.ParseXML(body)
	if err != nil {
		return reply{}, err
	}
	m := c.method
	payload := transform.Payload(root, m.Wire.Protocol)
	sent := payload.JSON()
	if sent[0] != '{' { // nothing in it, or a text alone
		sent = []byte("{}")
	}
	rule := m.Response.Transform
	if rule == nil {
		l := *c.layout
		l.empty = true
		r, err := split(sent, &l)
		r.body = body
		return r, err
	}
	var turned []byte
	l := c.layout
	if rule.Kind == transform.SchemaDrivenXML {
		turned, l = transform.Rows(payload, m.Response.Item), newLayout(nil, true)
	} else if turned, err = runRule(m, rule, body); err != nil {
		return reply{}, err
	}
	r, err := split(turned, l)
	if marks, failed := split(sent, markedOnly(c.layout)); failed == nil {
		r.marks = marks.marks
	}
	r.body = body
	return r, err
}

// isXML tells whether an answer is XML, by what the service says of it, or else
// by what the document says and the answer looks like.
func isXML(m *provider.Method, response *transport.Response) bool {
	if kind := response.Header.Get("Content-Type"); kind != "" && !strings.HasPrefix(kind, "text/plain") {
		return strings.Contains(kind, "xml") && !strings.Contains(kind, "html")
	}
	rule := m.Response.Transform
	said := strings.Contains(m.Response.MediaType, "xml") || rule != nil && rule.Kind == transform.SchemaDrivenXML
	return said && bytes.HasPrefix(bytes.TrimSpace(response.Body), []byte("<"))
}

// isPlain tells whether the document describes an answer that is a text.
func isPlain(m *provider.Method) bool {
	kind := m.Response.MediaType
	return kind != "" && !strings.Contains(kind, "json") && !strings.Contains(kind, "xml") &&
		(m.Response.Item == nil || m.Response.Item.Type == "string")
}

// isLines tells whether an answer has a JSON value on each line.
func isLines(kind string) bool {
	return strings.Contains(kind, "ndjson") || strings.Contains(kind, "jsonl") || strings.Contains(kind, "json-lines")
}

// lines reads an answer with a JSON value on each line.
func lines(body []byte) (reply, error) {
	r := reply{found: true, body: body}
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if !json.Valid(line) {
			return reply{}, errNotJSON
		}
		r.items = append(r.items, line)
	}
	return r, nil
}

// accepts gives the media type that a call asks for. AWS's services answer with
// XML where they are not asked for another; asked for JSON, some send another
// JSON than their documents describe.
func accepts(m *provider.Method, h http.Header) {
	switch kind := m.Response.MediaType; {
	case m.Resource.Family == provider.AWS:
	case kind == "" || m.Resource.Family == provider.ARM:
		h.Set("Accept", "application/json")
	default:
		h.Set("Accept", kind)
	}
}
