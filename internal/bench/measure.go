package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"time"
)

// bench holds the programs that are compared.
type bench struct{ planeql, bare, self string }

// statement is planeql with a statement that gives a number of rows.
func (b *bench) statement(url string, rows int, text string) program {
	return program{b.planeql, []string{
		"exec", "-o", "jsonl", "--quiet", "--endpoint", "azure=" + url, "--auth", "azure=bearer,env=PLANEQL_BENCH_TOKEN", text,
	}, rows}
}

// client is a program of the other side.
func (b *bench) client(side, url string, rows int) program {
	return program{b.self, []string{side, url, "1"}, rows}
}

// repeats is how often a statement is run in one session where the start of the
// process is to count little.
const repeats = 5

// session is planeql with a statement that is run several times, which finds its
// scopes each time.
func (b *bench) session(url string, rows int, text string) program {
	p := b.statement(url, rows*repeats, strings.Repeat(text+"; ", repeats))
	p.args = append([]string{"exec", "--no-cache"}, p.args[1:]...)
	return p
}

// repeated is a program of the other side that does its work as often.
func (b *bench) repeated(side, url string, rows int) program {
	return program{b.self, []string{side, url, fmt.Sprint(repeats)}, rows * repeats}
}

// columns are what both sides print of a session.
const columns = "id, name, userPrincipalName, sessionState, createTime"

const fromSessions = " FROM azure.desktop_virtualization.user_sessions "

// onePool are the conditions that name one host pool.
func onePool() string {
	return "WHERE subscriptionId = '" + subscriptionID(0) + "' AND resourceGroupName = 'rg' AND hostPoolName = 'pool-0'"
}

// start measures SELECT 1 as a process.
func (b *bench) start(ctx context.Context) ([]row, error) {
	c, err := pair(ctx, 11,
		program{b.planeql, []string{"exec", "-o", "jsonl", "--quiet", "SELECT 1"}, 1}, program{b.bare, nil, 1})
	if err != nil {
		return nil, err
	}
	return []row{
		{"SELECT 1 as a process, against opening DuckDB", show(c.one.wall), show(c.other.wall), times(c.ratio), "≤ 1.5, < 100 ms",
			c.ratio <= 1.5 && c.one.wall < 100*time.Millisecond},
		c.memory(80),
	}, nil
}

// visible measures a query on one of 1,000 subscriptions that can be seen,
// against one on the only one.
func (b *bench) visible(ctx context.Context) ([]row, error) {
	many, one := newService(1000, 1, 1, 100, 0), newService(1, 1, 1, 100, 0)
	manyServer, oneServer := httptest.NewServer(many), httptest.NewServer(one)
	defer manyServer.Close()
	defer oneServer.Close()
	const rounds = 11
	text := "SELECT " + columns + fromSessions + onePool()
	c, err := pair(ctx, rounds, b.statement(manyServer.URL, 100, text), b.statement(oneServer.URL, 100, text))
	if err != nil {
		return nil, err
	}
	calls := float64(many.calls.Load()) / (rounds + 1)
	return []row{
		{"one of 1,000 subscriptions, against the only one", show(c.one.wall), show(c.other.wall), times(c.ratio), "≤ 1.1", c.ratio <= 1.1},
		{"  its requests", fmt.Sprint(calls), "1", times(calls), "1", calls == 1},
	}, nil
}

// firstRow counts the pages that were asked for when the first row came out.
func (b *bench) firstRow(ctx context.Context) ([]row, error) {
	service := newService(1, 1, 20, 100, 200*time.Millisecond)
	server := httptest.NewServer(service)
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	command := b.statement(server.URL, 0, "SELECT "+columns+fromSessions+onePool()).command(ctx)
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(out)
	if _, err := reader.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("no first row: %w", err)
	}
	asked := service.calls.Load()
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return nil, err
	}
	if err := command.Wait(); err != nil {
		return nil, err
	}
	return []row{{"pages asked for before the first row, of 20", fmt.Sprint(asked), "", "", "≤ 3", asked <= 3}}, nil
}

// list measures a list of 100,000 rows in 1,000 pages.
func (b *bench) list(ctx context.Context) ([]row, error) {
	c, err := b.oneList(ctx, 7, 1000)
	if err != nil {
		return nil, err
	}
	return []row{c.against("100,000 rows in 1,000 pages, against a Go client", 1.1), c.memory(150)}, nil
}

// longList measures one of 1,000,000 rows in 10,000 pages.
func (b *bench) longList(ctx context.Context) ([]row, error) {
	c, err := b.oneList(ctx, 3, 10000)
	if err != nil {
		return nil, err
	}
	return []row{c.against("1,000,000 rows in 10,000 pages, against a Go client", 1.3), c.memory(300)}, nil
}

// oneList compares the reading of one list, page by page.
func (b *bench) oneList(ctx context.Context, rounds, pages int) (compared, error) {
	server := httptest.NewServer(newService(1, 1, pages, 100, 0))
	defer server.Close()
	return pair(ctx, rounds,
		b.statement(server.URL, pages*100, "SELECT "+columns+fromSessions+onePool()), b.client(listClient, server.URL, pages*100))
}

// against is the row of a ratio that may be so much.
func (c compared) against(what string, most float64) row {
	return row{what, show(c.one.wall), show(c.other.wall), times(c.ratio), fmt.Sprintf("≤ %.1f", most), c.ratio <= most}
}

// memory is the row of the peak memory, which has to be below so many MB.
func (c compared) memory(most int64) row {
	return row{
		"  its peak memory", megabytes(c.one.peak), megabytes(c.other.peak),
		times(float64(c.one.peak) / float64(c.other.peak)), fmt.Sprintf("< %d MB", most), c.one.peak < most*1e6,
	}
}

func show(d time.Duration) string { return d.Round(time.Millisecond / 10).String() }

func times(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
