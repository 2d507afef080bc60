package duck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/planeql/planeql/internal/fault"
)

// refill is a source that gives what it was filled with, once.
type refill struct {
	batches []Batch
	err     error
}

func (f *refill) Next(context.Context) (Batch, error) {
	if f.err != nil {
		return Batch{}, f.err
	}
	if len(f.batches) == 0 {
		return Batch{}, io.EOF
	}
	b := f.batches[0]
	f.batches = f.batches[1:]
	return b, nil
}

func (f *refill) Close() {}

// preparedOver gives a statement over a source, and what its next run gives.
func preparedOver(t *testing.T, ctx context.Context, db *DB, src Source) (run func() (string, error)) {
	t.Helper()
	scan, err := db.RegisterScan(src, []string{"a0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scan.Close)
	conn, err := db.Aside(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	p, err := conn.Prepare(ctx, "SELECT raw || a0 FROM "+scan.SQL()+" WHERE raw <> 'no'")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return func() (string, error) {
		text := ""
		err := p.Run(func(values []any) { text += fmt.Sprint(values[0], " ") })
		return text, err
	}
}

func batch(argument string, items ...string) Batch {
	b := Batch{Arguments: []*string{&argument}}
	for _, item := range items {
		b.Items = append(b.Items, []byte(item))
	}
	return b
}

// Each run reads what its source has then, whole, an empty one too.
func TestPrepared_runsAgain(t *testing.T) {
	src := &refill{}
	run := preparedOver(t, t.Context(), open(t), src)
	for _, c := range []struct {
		batches []Batch
		want    string
	}{
		{[]Batch{batch("1", "x", "y"), batch("2", "z", "no")}, "x1 y1 z2 "},
		{nil, ""},
		{[]Batch{batch("3", "no"), batch("4", "w")}, "w4 "},
		{[]Batch{batch("5", "v")}, "v5 "},
	} {
		src.batches = c.batches
		if got, err := run(); got != c.want || err != nil {
			t.Errorf("gives %q, %v, not %q", got, err, c.want)
		}
	}
}

// What a source fails with is the error of the run, and the end of the context
// that of any run behind it.
func TestPrepared_errors(t *testing.T) {
	db := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &refill{err: fault.New(fault.ReplyInvalid, "broken")}
	if _, err := preparedOver(t, ctx, db, src)(); !errors.Is(err, src.err) {
		t.Errorf("gives %v", err)
	}
	run := preparedOver(t, ctx, db, &refill{})
	cancel()
	if _, err := run(); fault.As(err) == nil || fault.As(err).Code != fault.Cancelled {
		t.Errorf("behind the end: %v", err)
	}
	conn, err := db.Aside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Prepare(t.Context(), "SELECT nothing"); fault.As(err) == nil || fault.As(err).Code != fault.UndefinedColumn {
		t.Errorf("a wrong statement gives %v", err)
	}
}
