// Package transform runs the rules by which provider documents turn one body
// into another: Go templates over JSON, XML or text, and the reading of XML by a
// schema.
//
// Documents are not trusted. A rule runs under limits of time, of steps and of
// output, sees nothing but its input, and never panics; what goes wrong is an
// error of the document or of the input. Start reading at [Run].
package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"
	"time"
)

// Limits of one run. The output of a rule is a page of rows again, so it is
// bounded like an answer.
type limits struct {
	output int
	steps  int
	time   time.Duration
}

var usual = limits{output: 256 << 20, steps: 20_000_000, time: 30 * time.Second}

// Known tells whether a rule of this kind can be run.
func Known(kind string) bool {
	_, _, ok := family(kind)
	return ok || kind == SchemaDrivenXML
}

// family takes the name of a kind apart: golang_template_json_v0.3.0 reads
// JSON. The versions differ in functions that older ones do not have; a document
// that does without is not hurt by having them.
func family(kind string) (input, version string, ok bool) {
	rest, ok := strings.CutPrefix(kind, "golang_template_")
	if !ok {
		return "", "", false
	}
	input, version, found := strings.Cut(rest, "_v")
	if !found {
		input, version = "text", strings.TrimPrefix(rest, "v")
	}
	return input, version, input == "json" || input == "mxj" || input == "text"
}

// Run turns a body into another by a template of a kind.
func Run(kind, text string, body []byte) ([]byte, error) { return usual.run(kind, text, body) }

func (l limits) run(kind, text string, body []byte) ([]byte, error) {
	input, _, ok := family(kind)
	if !ok {
		return nil, fmt.Errorf("the transform %q is not known", kind)
	}
	value, err := read(input, body)
	if err != nil {
		return nil, err
	}
	return l.execute(text, value)
}

// read makes the value that a template sees.
func read(input string, body []byte) (any, error) {
	switch input {
	case "json":
		// Numbers stay as they are written: ids have more digits than a float.
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("the body is not JSON: %w", err)
		}
		return value, nil
	case "mxj":
		root, err := ParseXML(body)
		if err != nil {
			return nil, err
		}
		return root.Cast(), nil
	}
	return string(body), nil
}

// compiled keeps templates: a listing runs the same one for every page.
var compiled sync.Map // text -> *template.Template or error

// compile reads a template and bounds its loops.
func compile(text string) (*template.Template, error) {
	if found, ok := compiled.Load(text); ok {
		if t, ok := found.(*template.Template); ok {
			return t, nil
		}
		return nil, found.(error)
	}
	t, err := template.New("transform").Funcs(functions(nil)).Parse(text)
	if err != nil {
		compiled.Store(text, err)
		return nil, err
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			bound(each.Root)
		}
	}
	compiled.Store(text, t)
	return t, nil
}

// Check tells whether a template can be read.
func Check(text string) error {
	_, err := compile(text)
	return err
}

// Execute runs a template on a value.
func Execute(text string, value any) ([]byte, error) { return usual.execute(text, value) }

func (l limits) execute(text string, value any) (out []byte, err error) {
	t, err := compile(text)
	if err != nil {
		return nil, fmt.Errorf("the template cannot be read: %w", err)
	}
	if t, err = t.Clone(); err != nil {
		return nil, err
	}
	r := &run{limits: l, until: time.Now().Add(l.time)}
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("the template failed: %v", p)
		}
	}()
	err = t.Funcs(functions(r)).Execute(r, value)
	return r.out.Bytes(), err
}

// run is one use of a template: what it has used up.
type run struct {
	limits
	out   bytes.Buffer
	taken int
	until time.Time
}

var (
	errLong  = errors.New("the template's output is too long")
	errSteps = errors.New("the template takes too long")
)

// Write takes output.
func (r *run) Write(p []byte) (int, error) {
	if r.out.Len()+len(p) > r.output {
		return 0, errLong
	}
	return r.out.Write(p)
}

// step is called in every round of a loop and of a template.
func (r *run) step() (string, error) {
	if r == nil {
		return "", nil
	}
	r.taken++
	if r.taken > r.steps || r.taken%1024 == 0 && time.Now().After(r.until) {
		return "", errSteps
	}
	return "", nil
}

// stepName is the function that bound puts into loops.
const stepName = "__step"

// bound puts a step in front of the body of every loop, and of the template.
func bound(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.RangeNode:
			bound(n.List)
			bound(n.ElseList)
		case *parse.IfNode:
			inner(n.List)
			inner(n.ElseList)
		case *parse.WithNode:
			inner(n.List)
			inner(n.ElseList)
		}
	}
	list.Nodes = append([]parse.Node{stepNode()}, list.Nodes...)
}

// inner bounds the loops inside a list that runs once.
func inner(list *parse.ListNode) {
	if list != nil {
		bound(list)
	}
}

// stepNode makes the call of the step.
func stepNode() parse.Node {
	trees, err := parse.Parse("step", "{{"+stepName+"}}", "", "", map[string]any{stepName: func() string { return "" }})
	if err != nil {
		return &parse.TextNode{NodeType: parse.NodeText}
	}
	return trees["step"].Root.Nodes[0]
}
