package exec

import (
	"context"
	"io"

	"github.com/planeql/planeql/internal/duck"
	"github.com/planeql/planeql/internal/fault"
	"github.com/planeql/planeql/internal/plan"
	"github.com/planeql/planeql/internal/rest"
)

// result gives the rows of a write: the columns of RETURNING, or one row of
// outcome per target.
func result(ctx context.Context, w *plan.Write, targets []*target, env Env) (*Rows, error) {
	if w.Returning == nil {
		return List(OutcomeColumns, outcomeRows(targets)), nil
	}
	conn, err := env.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	run := newRun(ctx, env, conn)
	scan := w.Returning.Scans[0]
	registered, err := env.DB.RegisterScan(&answers{targets: targets, members: membersOf(scan)}, columnsOf(scan))
	if err != nil {
		run.cancel()
		conn.Close()
		return nil, err
	}
	rows, err := run.rows(ctx, w.Returning.SQL([]plan.Rows{source{Scan: registered}}))
	if err != nil {
		registered.Close()
		run.cancel()
		conn.Close()
		return nil, err
	}
	rows.finish = func() []*fault.Error {
		registered.Close()
		run.cancel()
		conn.Close()
		return nil
	}
	return rows, nil
}

// answers feeds DuckDB with the items that the calls of a write answered.
type answers struct {
	targets []*target
	members []rest.Member
	at      int
}

// Next gives the items of the next call that had any.
func (a *answers) Next(context.Context) (duck.Batch, error) {
	for a.at < len(a.targets) {
		t := a.targets[a.at]
		a.at++
		if len(t.result.Items) > 0 {
			return duck.Batch{Items: t.result.Items, Members: cutAll(t.result.Items, a.members)}, nil
		}
	}
	return duck.Batch{}, io.EOF
}

// Close does nothing: the items are in memory.
func (a *answers) Close() {}
