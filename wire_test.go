package planeql_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/catalog"
	"github.com/planeql/planeql/internal/openapi"
	"github.com/planeql/planeql/internal/provider"
	"github.com/planeql/planeql/internal/syntax"
	"github.com/planeql/planeql/providers"
)

// wireLine is one call that Microsoft's Go client really built, and the answer
// that its documentation gives.
type wireLine struct {
	Operation string
	Example   string
	Method    string
	Template  string            `json:"path_template"`
	Params    map[string]string `json:"path_params"`
	Path      string
	Query     map[string]any
	Headers   map[string]string
	Request   json.RawMessage `json:"request_body"`
	Status    int             `json:"response_status"`
	Response  json.RawMessage `json:"response_body"`
}

// jsonLines reads a file of the shared corpora.
func jsonLines[T any](t *testing.T, parts ...string) []T {
	t.Helper()
	file, err := os.Open(shared(t, parts...))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 64<<20)
	var list []T
	for scanner.Scan() {
		var line T
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("%v: %v", parts, err)
		}
		list = append(list, line)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// builtInMethods gives every method of the built-in documents.
func builtInMethods(t *testing.T) []*provider.Method {
	t.Helper()
	p, err := provider.Open(providers.FS, "azure")
	if err != nil {
		t.Fatal(err)
	}
	var list []*provider.Method
	for _, info := range p.Services {
		service, err := p.Service(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range service.Resources() {
			list = append(list, r.Methods...)
		}
	}
	return list
}

var templateName = regexp.MustCompile(`\{([^}]*)\}`)

// operationKey is the same for the same operation, whatever the parameters are
// called.
func operationKey(method, template string) string {
	return method + " " + strings.ToLower(templateName.ReplaceAllString(template, "{}"))
}

// arguments gives the arguments of a line under the names of a method: those of
// the path by their place, those of the query as they are.
func (l wireLine) arguments(m *provider.Method) map[string]string {
	args := map[string]string{}
	names := m.PathParameters()
	for i, found := range templateName.FindAllStringSubmatch(l.Template, -1) {
		args[names[i]] = l.Params[found[1]]
	}
	for name, value := range l.Query {
		if name != "api-version" {
			args[name] = fmt.Sprint(value)
		}
	}
	for name, value := range l.Headers {
		if p, ok := m.Parameter(name); ok && p.In == provider.InHeader {
			args[name] = value
		}
	}
	return args
}

// statementFor builds the statement of a call from the catalog alone. A GET that
// serves SELECT is one; everything else is EXEC.
func statementFor(m *provider.Method, args map[string]string, body []byte, answered bool) string {
	if m.HTTPMethod == http.MethodGet && slices.Contains(m.Verbs, provider.Select) {
		var conditions []string
		for _, name := range slices.Sorted(maps.Keys(args)) {
			conditions = append(conditions, syntax.QuoteName(name)+" = "+syntax.QuoteText(args[name]))
		}
		text := "SELECT " + everyColumn(m) + " FROM " + m.Resource.Path()
		if len(conditions) > 0 {
			text += " WHERE " + strings.Join(conditions, " AND ")
		}
		return text
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		list = append(list, "@"+syntax.QuoteName(name)+" = "+syntax.QuoteText(args[name]))
	}
	if body != nil {
		list = append(list, "@@json = "+syntax.QuoteText(string(body)))
	}
	text := "EXEC /*+ NOWAIT */ " + m.FullName() + " " + strings.Join(list, ", ") // what is recorded is this one answer
	if answered && m.Response.Item != nil {
		text += " RETURNING " + everyColumn(m)
	}
	return text
}

// everyColumn is a select list of all that a row has: what * stands for, the
// whole item, and the members of properties by their short names.
func everyColumn(m *provider.Method) string {
	list := []string{"*", "_raw"}
	for _, c := range nestedColumns(m) {
		list = append(list, syntax.QuoteName(c.Name))
	}
	return strings.Join(list, ", ")
}

func columnsOf(m *provider.Method, kind catalog.Kind) []catalog.Column {
	return slices.DeleteFunc(catalog.Columns(m), func(c catalog.Column) bool { return c.Kind != kind })
}

func fieldColumns(m *provider.Method) []catalog.Column  { return columnsOf(m, catalog.Field) }
func nestedColumns(m *provider.Method) []catalog.Column { return columnsOf(m, catalog.Nested) }

// reply is what a stage answers.
type reply struct {
	status int
	header map[string]string
	body   []byte
}

// heard is a request that a stage was sent.
type heard struct {
	method, path string
	query        url.Values
	contentType  string
	body         []byte
	match        string // If-Match
}

// stage is a service that answers what it is told to and keeps what it hears.
type stage struct {
	URL   string
	mutex sync.Mutex
	play  func(heard) reply
	heard []heard
}

// newStage starts a stage on an address of its own.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// ServeHTTP answers what the stage was told to.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h := heard{r.Method, r.URL.Path, r.URL.Query(), r.Header.Get("Content-Type"), body, r.Header.Get("If-Match")}
	s.mutex.Lock()
	s.heard = append(s.heard, h)
	answer := s.play(h)
	s.mutex.Unlock()
	if answer.body != nil {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a client that went away is the test's to notice
}

// tell says what the stage answers from now on and forgets what it heard.
func (s *stage) tell(play func(heard) reply) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.play, s.heard = play, nil
}

// told gives what the stage was asked since the last tell.
func (s *stage) told() []heard {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.heard)
}

// result is all that a statement gave.
type result struct {
	columns  []planeql.Column
	rows     [][]any
	warnings []*planeql.Error
}

// ask runs a statement to its end.
func ask(s *planeql.Session, text string) (result, error) {
	rows, err := s.Query(context.Background(), text)
	if err != nil {
		return result{}, err
	}
	defer rows.Close()
	r := result{columns: rows.Columns()}
	for rows.Next() {
		r.rows = append(r.rows, slices.Clone(rows.Values()))
	}
	if err := rows.Err(); err != nil {
		return result{}, err
	}
	r.warnings = rows.Warnings()
	return r, nil
}

// decoded reads JSON with its numbers as they are written.
func decoded(t testing.TB, text []byte) any {
	t.Helper()
	if len(text) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// itemsOf gives the items of an answer: those of its value, or itself.
func itemsOf(t testing.TB, body []byte) []any {
	t.Helper()
	value := decoded(t, body)
	if value == nil {
		return nil
	}
	if object, ok := value.(map[string]any); ok {
		if list, ok := object["value"].([]any); ok {
			return list
		}
	}
	return []any{value}
}

// tally counts what was compared.
type tally struct {
	lines, calls, rows, values int
	rawOnly                    map[string]int // members at the top of items that have no column
}

// checkRows compares the rows of everyColumn with the items of the answer.
func (c *tally) checkRows(t testing.TB, m *provider.Method, args map[string]string, items []any, got result) {
	t.Helper()
	fields := fieldColumns(m)
	columns := append(slices.Clone(fields), catalog.Column{Name: "_raw", Type: "JSON"})
	columns = append(columns, nestedColumns(m)...)
	if len(got.columns) != len(columns) {
		t.Errorf("%d columns, want %d: %v", len(got.columns), len(columns), got.columns)
		return
	}
	if len(got.rows) != len(items) {
		t.Errorf("%d rows of %d items", len(got.rows), len(items))
		return
	}
	for i, row := range got.rows {
		c.rows++
		for j, column := range columns {
			if got.columns[j].Name != column.Name {
				t.Errorf("column %d is %s, want %s", j, got.columns[j].Name, column.Name)
			}
			c.values++
			want := follow(items[i], column.Path)
			if bound, ok := args[column.Name]; ok && column.Kind == catalog.Field {
				want = bound // a bound parameter is true for its rows
			}
			if problem := differs(t, got.columns[j].Type, row[j], want, column, j >= len(fields)); problem != "" {
				t.Errorf("row %d, column %s (%s): %s", i, column.Name, got.columns[j].Type, problem)
			}
		}
		c.uncovered(m, items[i], fields)
	}
}

// uncovered counts the members of an item that only _raw has.
func (c *tally) uncovered(m *provider.Method, item any, fields []catalog.Column) {
	object, _ := item.(map[string]any)
	for name := range object {
		has := func(column catalog.Column) bool { return len(column.Path) > 0 && column.Path[0] == name }
		if slices.ContainsFunc(fields, has) || slices.ContainsFunc(nestedColumns(m), has) {
			continue
		}
		if c.rawOnly == nil {
			c.rawOnly = map[string]int{}
		}
		c.rawOnly[m.Resource.Path()+" "+name]++
	}
}

// follow gives the member below a value; nil where there is none.
func follow(value any, path []string) any {
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// differs says how a value of a row is not what the item has; empty if it is. A
// secret is masked unless the statement named its column.
func differs(t testing.TB, kind string, got, want any, c catalog.Column, named bool) string {
	t.Helper()
	equal := false
	switch {
	case want == nil:
		equal = got == nil
	case c.Secret && !named:
		equal = got == "***"
	case kind == "JSON":
		raw, isRaw := got.(json.RawMessage)
		equal = isRaw && sameJSON(decoded(t, raw), want, c.Schema)
	default:
		equal = sameScalar(got, want)
	}
	if equal {
		return ""
	}
	return fmt.Sprintf("%s (%T), the item has %v (%T)", got, got, want, want)
}

// sameJSON compares JSON values. Where the schema marks a secret, the mask will
// do.
func sameJSON(got, want any, s *openapi.Schema) bool {
	if s != nil && s.Secret && got == "***" {
		return true
	}
	if list, isList := want.([]any); isList {
		others, _ := got.([]any)
		return slices.EqualFunc(others, list, func(a, b any) bool { return sameJSON(a, b, s.Items()) })
	}
	object, isObject := want.(map[string]any)
	if !isObject {
		return cmp.Equal(got, want)
	}
	other, _ := got.(map[string]any)
	if len(other) != len(object) {
		return false
	}
	for name, value := range object {
		if found, ok := other[name]; !ok || !sameJSON(found, value, s.Member(name)) {
			return false
		}
	}
	return true
}

// sameScalar compares a typed value of a row with the item's. Timestamps have
// microseconds; services write up to seven digits.
func sameScalar(got, want any) bool {
	switch v := got.(type) {
	case time.Time:
		text, _ := want.(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			at, err = time.Parse("2006-01-02T15:04:05.999999999", text)
		}
		return err == nil && v.Sub(at).Abs() < time.Microsecond
	case int64:
		return fmt.Sprint(want) == fmt.Sprint(v)
	case float64:
		number, ok := want.(json.Number)
		if !ok {
			return false
		}
		f, err := number.Float64()
		return err == nil && f == v
	}
	return got == want
}

// checkHeard compares the one request that a statement sent with the line's.
func (l wireLine) checkHeard(t testing.TB, requests []heard) {
	t.Helper()
	if len(requests) != 1 {
		t.Fatalf("%d requests", len(requests))
	}
	r := requests[0]
	path, err := url.PathUnescape(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r.method != l.Method || !strings.EqualFold(r.path, path) {
		t.Errorf("request %s %s, want %s %s", r.method, r.path, l.Method, path)
	}
	if len(r.query["api-version"]) != 1 {
		t.Errorf("api-version %q", r.query["api-version"])
	}
	want := url.Values{}
	for name, value := range l.Query {
		want.Add(name, fmt.Sprint(value))
	}
	want.Set("api-version", r.query.Get("api-version"))
	if diff := cmp.Diff(want, r.query); diff != "" {
		t.Errorf("query: %s", diff)
	}
	if diff := cmp.Diff(decoded(t, l.Request), decoded(t, r.body)); diff != "" {
		t.Errorf("body: %s", diff)
	}
	if len(r.body) > 0 && !strings.HasPrefix(r.contentType, "application/json") {
		t.Errorf("content type %q", r.contentType)
	}
}

// check runs the statement of a line by one method and compares request and
// rows.
func (l wireLine) check(t *testing.T, s *planeql.Session, st *stage, m *provider.Method, c *tally) {
	st.tell(func(heard) reply { return reply{status: l.Status, body: l.Response} })
	args := l.arguments(m)
	text := statementFor(m, args, l.Request, l.Response != nil)
	t.Log(text)
	got, err := ask(s, text)
	if err != nil {
		t.Fatal(printed(err))
	}
	c.calls++
	l.checkHeard(t, st.told())
	for _, w := range got.warnings {
		t.Errorf("warning: %s", w.Print())
	}
	if l.Response == nil {
		checkOutcome(t, got, "done", l.Status)
		return
	}
	if m.Response.Item == nil {
		t.Errorf("%s does not describe its answer", m.FullName())
		return
	}
	c.checkRows(t, m, args, itemsOf(t, l.Response), got)
}

// checkOutcome compares the row that a write without RETURNING gives.
func checkOutcome(t testing.TB, got result, outcome string, status int) {
	t.Helper()
	if len(got.rows) != 1 || len(got.rows[0]) < 3 || got.rows[0][1] != outcome || got.rows[0][2] != int64(status) {
		t.Errorf("outcome %v, want %s %d", got.rows, outcome, status)
	}
}

// runWire runs the lines of a file whose operation the built-in documents have,
// each by every method of that operation.
func runWire(t *testing.T, file string) tally {
	t.Helper()
	lines := jsonLines[wireLine](t, "corpus", "wire", file)
	byKey := map[string][]*provider.Method{}
	for _, m := range builtInMethods(t) {
		key := operationKey(m.HTTPMethod, m.Path)
		byKey[key] = append(byKey[key], m)
	}
	st := newStage(t)
	s := open(t, st.URL)
	var c tally
	for _, line := range lines {
		methods := byKey[operationKey(line.Method, line.Template)]
		passed := len(methods) > 0
		for _, m := range methods {
			passed = t.Run(line.Example+"/"+m.Resource.Name+"."+m.Name, func(t *testing.T) { line.check(t, s, st, m, &c) }) && passed
		}
		if passed {
			c.lines++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.rawOnly)) {
		t.Logf("only in _raw: %s, %d times", name, c.rawOnly[name])
	}
	t.Logf("%s: %d of %d lines the same by %d calls; %d rows, %d values", file, c.lines, len(lines), c.calls, c.rows, c.values)
	return c
}

// Each of the 80 operations of Azure Virtual Desktop sends what Microsoft's own
// client sends, and its answer comes out whole.
func TestWire_desktopVirtualization(t *testing.T) {
	if c := runWire(t, "armdesktopvirtualization.jsonl"); c.lines != 80 {
		t.Errorf("%d of 80 operations", c.lines)
	}
}

// So do the operations of other services that the built-in documents have.
func TestWire_otherServices(t *testing.T) {
	for file, least := range map[string]int{"armsubscriptions.jsonl": 5, "armresources.jsonl": 5, "armcompute.jsonl": 25} {
		t.Run(file, func(t *testing.T) {
			if c := runWire(t, file); c.lines < least {
				t.Errorf("%d lines, want %d", c.lines, least)
			}
		})
	}
}
