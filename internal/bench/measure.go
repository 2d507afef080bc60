package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bench holds the programs that are compared.
type bench struct{ planeql, bare, self string }

// sample is one run of a program.
type sample struct {
	wall time.Duration
	peak int64 // bytes of memory
}

// rounds is how often each program of a pair runs; one more before them is not
// counted.
const rounds = 7

// pair runs two commands in turn and gives the medians, and the median of the
// ratios round by round, which holds when the machine's speed drifts.
func pair(a, b func() (sample, error)) (one, other sample, ratio float64, err error) {
	var ones, others []sample
	var ratios []float64
	for i := range rounds + 1 {
		x, err := a()
		if err != nil {
			return one, other, 0, err
		}
		y, err := b()
		if err != nil {
			return one, other, 0, err
		}
		if i > 0 {
			ones, others = append(ones, x), append(others, y)
			ratios = append(ratios, x.wall.Seconds()/y.wall.Seconds())
		}
	}
	slices.Sort(ratios)
	return median(ones), median(others), ratios[len(ratios)/2], nil
}

func median(list []sample) sample {
	byTime := slices.SortedFunc(slices.Values(list), func(a, b sample) int { return int(a.wall - b.wall) })
	byPeak := slices.SortedFunc(slices.Values(list), func(a, b sample) int { return int(a.peak - b.peak) })
	return sample{byTime[len(list)/2].wall, byPeak[len(list)/2].peak}
}

// process runs a command to its end and drops its output.
func process(ctx context.Context, name string, args ...string) (sample, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "PLANEQL_BENCH_TOKEN=token")
	started := time.Now()
	if err := command.Start(); err != nil {
		return sample{}, fmt.Errorf("%s: %w", name, err)
	}
	ended := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- watchPeak(command.Process.Pid, ended) }()
	err := command.Wait()
	s := sample{wall: time.Since(started)}
	close(ended)
	s.peak = <-peak
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// watchPeak gives the most memory that a process had, looked up every 10 ms
// until it ends; 0 where the system has no /proc. The peak that wait reports
// would not do: it begins with the memory of the process that started it.
func watchPeak(pid int, ended <-chan struct{}) (peak int64) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil {
			peak = max(peak, highWater(string(status)))
		}
		select {
		case <-ended:
			return peak
		case <-ticker.C:
		}
	}
}

// highWater gives VmHWM of a /proc status text, in bytes.
func highWater(status string) int64 {
	_, rest, _ := strings.Cut(status, "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes * 1024
}

// start measures SELECT 1 as a process.
func (b *bench) start(ctx context.Context) ([]row, error) {
	own, bare, ratio, err := pair(
		func() (sample, error) { return process(ctx, b.planeql, "exec", "-o", "csv", "SELECT 1") },
		func() (sample, error) { return process(ctx, b.bare) },
	)
	if err != nil {
		return nil, err
	}
	return []row{{"SELECT 1 as a process, against opening DuckDB", show(own.wall), show(bare.wall), fmt.Sprintf("%.2f", ratio), "≤ 1.5"}}, nil
}

// listing measures a long list: 100,000 rows in 1,000 pages.
func (b *bench) listing(ctx context.Context) ([]row, error) {
	server := httptest.NewServer(newPages(1000, 100, 0))
	defer server.Close()
	own, other, ratio, err := pair(
		func() (sample, error) { return process(ctx, b.planeql, b.query(server.URL)...) },
		func() (sample, error) { return process(ctx, b.self, clientMode, server.URL) },
	)
	if err != nil {
		return nil, err
	}
	return []row{
		{"100,000 rows in 1,000 pages, against a Go client", show(own.wall), show(other.wall), fmt.Sprintf("%.2f", ratio), "≤ 1.1"},
		{"  its peak memory", megabytes(own.peak), megabytes(other.peak), fmt.Sprintf("%.2f", float64(own.peak)/float64(other.peak)), "< 150 MB"},
	}, nil
}

// query gives the arguments with which planeql reads the pages.
func (b *bench) query(url string) []string {
	return []string{
		"exec", "-o", "jsonl", "--quiet", "--endpoint", "azure=" + url, "--auth", "azure=bearer,env=PLANEQL_BENCH_TOKEN",
		"SELECT id, name, userPrincipalName, sessionState, createTime FROM azure.desktop_virtualization.user_sessions " +
			"WHERE subscriptionId = '" + subscription + "' AND resourceGroupName = 'rg' AND hostPoolName = 'pool'",
	}
}

// firstRow counts the pages that were answered when the first row came out.
func (b *bench) firstRow(ctx context.Context) ([]row, error) {
	pages := newPages(20, 100, 200*time.Millisecond)
	server := httptest.NewServer(pages)
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	command := exec.CommandContext(ctx, b.planeql, b.query(server.URL)...)
	command.Env = append(os.Environ(), "PLANEQL_BENCH_TOKEN=token")
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
	answered := pages.answered.Load()
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return nil, err
	}
	if err := command.Wait(); err != nil {
		return nil, err
	}
	return []row{{"pages answered before the first row, of 20", fmt.Sprint(answered), "-", "-", "< 3"}}, nil
}

func show(d time.Duration) string { return d.Round(time.Millisecond / 10).String() }

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
