package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planeql/planeql/internal/fault"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files from what is written now")

// fixed are rows from memory; err comes after the last one.
type fixed struct {
	columns []Column
	rows    [][]any
	err     error
	before  func(row int) // called before a row is handed out
	at      int
}

func (f *fixed) Columns() []Column { return f.columns }
func (f *fixed) Values() []any     { return f.rows[f.at-1] }
func (f *fixed) Err() error        { return f.err }
func (f *fixed) Next() bool {
	if f.before != nil {
		f.before(f.at)
	}
	if f.at >= len(f.rows) {
		return false
	}
	f.at++
	return true
}

// kinds has a column of every kind of value and names and texts that formats
// stumble over.
func kinds() *fixed {
	columns := []Column{
		{"name", "VARCHAR"}, {"n", "BIGINT"}, {"ratio", "DOUBLE"}, {"cost", "DECIMAL(18,3)"},
		{"ok", "BOOLEAN"}, {"at", "TIMESTAMP WITH TIME ZONE"}, {"day", "DATE"},
		{"properties", "JSON"}, {"raw", "BLOB"}, {"name", "VARCHAR"},
	}
	at := time.Date(2026, 3, 1, 8, 5, 9, 120_000_000, time.UTC)
	return &fixed{columns: columns, rows: [][]any{
		{
			"hp-west/0", int64(12), 0.5, json.Number("1.500"), true, at, at.Truncate(24 * time.Hour),
			json.RawMessage(`{ "z": 1.0, "a": [1, "<b>"] }`), []byte{0, 1, 255}, "one",
		},
		{
			"a|b, \"c\"\td\ne", uint64(math.MaxUint64), math.NaN(), json.Number("-2"), false, nil, nil,
			json.RawMessage(`null`), []byte{}, "",
		},
		{"東京 ünï", new(big.Int).Lsh(big.NewInt(1), 100), 1e21, nil, nil, nil, nil, nil, nil, nil},
	}}
}

func TestWrite_golden(t *testing.T) {
	cases := []struct {
		name   string
		format Format
		rows   func() *fixed
		o      Options
	}{
		{"kinds.table.txt", Table, kinds, Options{}},
		{"kinds.color.txt", Table, kinds, Options{Color: true}},
		{"kinds.vertical.txt", Vertical, kinds, Options{}},
		{"kinds.json", JSON, kinds, Options{}},
		{"kinds.jsonl", JSONL, kinds, Options{}},
		{"kinds.csv", CSV, kinds, Options{}},
		{"kinds.tsv", TSV, kinds, Options{}},
		{"kinds.md", Markdown, kinds, Options{}},
		{"squeezed.txt", Table, wide, Options{Width: 60}},
		{"tall.txt", Table, wide, Options{Width: 30}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			rows := c.rows()
			n, err := Write(&b, rows, c.format, c.o)
			if err != nil || n != int64(len(rows.rows)) {
				t.Fatalf("got %d rows and %v", n, err)
			}
			golden(t, c.name, b.Bytes())
		})
	}
}

func wide() *fixed {
	return &fixed{
		columns: []Column{{"name", "VARCHAR"}, {"id", "VARCHAR"}, {"sessions", "INTEGER"}, {"description", "VARCHAR"}},
		rows: [][]any{
			{"hp-1", "/subscriptions/0000/resourceGroups/rg-avd/providers/Microsoft.DesktopVirtualization/hostPools/hp-1", int64(3), "東京の東京の東京の東京の東京の東京の"},
			{"hp-2", nil, int64(104), "short"},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -rewrite and read the difference)\ngot:\n%s\nwant:\n%s", name, got, want)
	}
}

func TestWrite_empty(t *testing.T) {
	columns := []Column{{"name", "VARCHAR"}, {"n", "BIGINT"}}
	want := map[Format]string{
		Table:    " name │ n\n──────┼───\n(0 rows)\n",
		Vertical: "(0 rows)\n",
		JSON:     "[]\n",
		JSONL:    "",
		CSV:      "name,n\n",
		TSV:      "name\tn\n",
		Markdown: "| name | n |\n| --- | ---: |\n",
	}
	for name := range want {
		var b strings.Builder
		n, err := Write(&b, &fixed{columns: columns}, name, Options{Width: 80})
		if n != 0 || err != nil || b.String() != want[name] {
			t.Errorf("%s: got %d, %v, %q, want %q", name, n, err, b.String(), want[name])
		}
	}
	if len(want) != len(Formats()) {
		t.Errorf("%d formats of %d are tested", len(want), len(Formats()))
	}
	var b strings.Builder
	if _, err := Write(&b, &fixed{columns: columns}, Parquet, Options{}); err == nil || b.Len() > 0 {
		t.Errorf("parquet: %v, %q", err, b.String())
	}
}

// Half a result must not look like a whole one.
func TestWrite_failingRows(t *testing.T) {
	broken := fault.New(fault.ServiceFailed, "page three cannot be read")
	rows := func() *fixed {
		return &fixed{columns: []Column{{"n", "BIGINT"}}, rows: [][]any{{int64(1)}, {int64(2)}}, err: broken}
	}
	for _, name := range Formats() {
		var b strings.Builder
		n, err := Write(&b, rows(), Format(name), Options{})
		if n != 2 || !errors.Is(err, broken) {
			t.Errorf("%s: got %d, %v", name, n, err)
		}
		if !strings.Contains(b.String(), "2") {
			t.Errorf("%s: the rows before the error are missing: %q", name, b.String())
		}
		if Format(name) == JSON && json.Valid([]byte(b.String())) {
			t.Errorf("the array of an incomplete result parses: %q", b.String())
		}
	}
	var b strings.Builder
	if _, err := Write(&b, &fixed{columns: []Column{{"n", "BIGINT"}}, err: broken}, JSON, Options{}); err == nil || b.String() != "" {
		t.Errorf("an error before the first row left %q, %v", b.String(), err)
	}
	if _, err := Write(&b, &fixed{columns: []Column{{"n", "BIGINT"}}, err: broken}, Table, Options{}); err == nil || b.String() != "" {
		t.Errorf("an error before the first row left %q, %v", b.String(), err)
	}
}

// What csv and json write must come back as it was, whatever the text.
func TestWrite_roundTrip(t *testing.T) {
	texts := []string{"", "a", " a ", "a,b", `"`, "\n", "\r\n", "\t", `\t`, "=1+1", "ü", "<&>", "\x00\x1b"}
	rows := &fixed{columns: []Column{{"t", "VARCHAR"}}}
	for _, text := range texts {
		rows.rows = append(rows.rows, []any{text})
	}
	var b bytes.Buffer
	if _, err := Write(&b, rows, CSV, Options{}); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(records) != len(texts)+1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, text := range texts {
		// The reader of the standard library folds \r\n inside quotes.
		if want := strings.ReplaceAll(text, "\r\n", "\n"); records[i+1][0] != want {
			t.Errorf("csv: %q came back as %q", text, records[i+1][0])
		}
	}
	rows.at = 0
	b.Reset()
	if _, err := Write(&b, rows, JSON, Options{}); err != nil {
		t.Fatal(err)
	}
	var objects []struct{ T string }
	if err := json.Unmarshal(b.Bytes(), &objects); err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if objects[i].T != text {
			t.Errorf("json: %q came back as %q", text, objects[i].T)
		}
	}
}

func TestWrite_nullAloneIsARecord(t *testing.T) {
	var b strings.Builder
	rows := &fixed{columns: []Column{{"t", "VARCHAR"}}, rows: [][]any{{nil}, {"x"}}}
	if _, err := Write(&b, rows, CSV, Options{}); err != nil || b.String() != "t\n\"\"\nx\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

func TestUniqueNames(t *testing.T) {
	got := uniqueNames([]Column{{Name: "a"}, {Name: "a_1"}, {Name: "a"}, {Name: "b"}, {Name: "a"}})
	if want := "a a_1 a_2 b a_3"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// closedPipe is a reader that went away after some bytes.
type closedPipe struct{ err error }

func (c closedPipe) Write([]byte) (int, error) { return 0, c.err }

func TestWrite_outputFails(t *testing.T) {
	endless := &fixed{columns: []Column{{"t", "VARCHAR"}}}
	for range 10_000 {
		endless.rows = append(endless.rows, []any{strings.Repeat("x", 100)})
	}
	for _, name := range Formats() {
		endless.at = 0
		if _, err := Write(closedPipe{syscall.EPIPE}, endless, Format(name), Options{}); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: got %v", name, err)
		}
		if endless.at == len(endless.rows) {
			t.Errorf("%s: all rows were read for nobody", name)
		}
	}
	endless.at = 0
	_, err := Write(closedPipe{syscall.ENOSPC}, endless, CSV, Options{})
	if f := fault.As(err); f == nil || f.Code != OutputFailed || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk gives %v", err)
	}
}

// guarded is a buffer that the flushing goroutine and the test may both touch.
type guarded struct {
	mu sync.Mutex
	b  strings.Builder
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *guarded) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

// The first rows reach the reader while the next page is still under way.
func TestWrite_rowsAreNotHeldBack(t *testing.T) {
	for format, want := range map[Format]string{
		JSONL: "{\"n\":1}\n", CSV: "n\n1\n", JSON: "[\n  {\"n\":1}", Table: " n\n───\n 1\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var out guarded
			rows := &fixed{columns: []Column{{"n", "BIGINT"}}, rows: [][]any{{int64(1)}, {int64(2)}}}
			rows.before = func(row int) {
				if row != 1 {
					return
				}
				time.Sleep(time.Second)
				if got := out.String(); got != want {
					t.Errorf("%s: after a second without a row the reader has %q, want %q", format, got, want)
				}
			}
			if _, err := Write(&out, rows, format, Options{}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Widths are settled by the first rows: a longer value later is cut on a
// terminal and kept whole in a file.
func TestTable_lateLongValue(t *testing.T) {
	rows := func() *fixed {
		f := &fixed{columns: []Column{{"t", "VARCHAR"}, {"n", "BIGINT"}}}
		for i := range sampleRows {
			f.rows = append(f.rows, []any{"short", int64(i)})
		}
		f.rows = append(f.rows, []any{"much longer text", int64(7)})
		return f
	}
	for width, want := range map[int]string{80: " much… │   7\n", 0: " much longer text │   7\n"} {
		var b strings.Builder
		if _, err := Write(&b, rows(), Table, Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(b.String(), want) {
			t.Errorf("width %d: the last line is not %q in ...%q", width, want, b.String()[b.Len()-60:])
		}
	}
}

func TestSqueeze(t *testing.T) {
	cases := []struct {
		widths []int
		limit  int
		want   []int
		fits   bool
	}{
		{[]int{10, 100}, 0, []int{10, 100}, true},
		{[]int{10, 100}, 200, []int{10, 100}, true},
		{[]int{10, 100}, 55, []int{10, 40}, true},
		{[]int{50, 50}, 55, []int{25, 25}, true},
		{[]int{5, 50, 50}, 40, []int{5, 13, 13}, true},
		{[]int{20, 20, 20}, 30, []int{12, 12, 12}, false},
		{[]int{20, 5, 20}, 37, []int{12, 5, 12}, true},
	}
	for _, c := range cases {
		widths := append([]int(nil), c.widths...)
		fits := squeeze(widths, c.limit)
		total := 3*(len(widths)-1) + 2
		for _, w := range widths {
			total += w
		}
		if fits != c.fits || fits && c.limit > 0 && total > c.limit {
			t.Errorf("squeeze(%v, %d) = %v, %v", c.widths, c.limit, widths, fits)
		}
		for i := range widths {
			if diff := widths[i] - c.want[i]; diff > 0 || diff < -1 {
				t.Errorf("squeeze(%v, %d) gave %v, want about %v", c.widths, c.limit, widths, c.want)
				break
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range Formats() {
		if f, err := ParseFormat(name); err != nil || string(f) != name {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	for text, hint := range map[string]string{"jsn": "did you mean json", "xml": "the formats are table, json"} {
		_, err := ParseFormat(text)
		f := fault.As(err)
		if f == nil || f.Code != fault.InvalidFlag || !strings.Contains(f.Hint, hint) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "a\tb": "a b", "a\r\nb": "a␤b", "\x1b[31m": "␛[31m", "\u202e": "␦", "\x7f": "␦", "\u0085": "␦",
	} {
		if got := visible(text); got != want {
			t.Errorf("visible(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	src := &fault.Source{Name: "argument", Text: "SELECT 1;\nSELECT nme FROM x"}
	err := fault.New(fault.UndefinedColumn, "no column %q", "nme").
		WithHint("did you mean name?").
		At(fault.Span{Source: src, Start: 17, End: 20})
	err.HTTP = &fault.HTTP{
		Method: "GET", URL: "https://example.net/x", Status: 403, Code: "AuthorizationFailed",
		Message: "no \x1b[31mright\x1b[0m", RequestID: "42", Attempts: 3, Waited: 1500 * time.Millisecond,
	}
	for name, f := range map[string]ErrorFormat{"error.txt": ErrorText, "error.json": ErrorJSON} {
		var b bytes.Buffer
		if werr := Errors(&b, err, f, Failure); werr != nil {
			t.Fatal(werr)
		}
		if bytes.Contains(b.Bytes(), []byte{0x1b}) {
			t.Errorf("%s lets an escape sequence through", name)
		}
		golden(t, name, b.Bytes())
	}
	var b strings.Builder
	if werr := Errors(&b, fault.New(fault.PartialResult, "rows are missing"), ErrorText, Warning); werr != nil ||
		b.String() != "warning 01000: rows are missing\n" {
		t.Errorf("got %q, %v", b.String(), werr)
	}
}
