package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is one run of a program.
type sample struct {
	wall time.Duration
	peak int64 // bytes of memory
}

// program is a command that has to print a number of lines.
type program struct {
	name  string
	args  []string
	lines int
}

// compared is the result of two programs: the medians of each, and the median of
// the ratios round by round, which holds when the machine's speed drifts.
type compared struct {
	one, other sample
	ratio      float64
}

// pair runs two programs in turn, as often as rounds says and once more before,
// which does not count.
func pair(ctx context.Context, rounds int, a, b program) (compared, error) {
	var ones, others []sample
	var ratios []float64
	for i := range rounds + 1 {
		x, err := a.run(ctx)
		if err != nil {
			return compared{}, err
		}
		y, err := b.run(ctx)
		if err != nil {
			return compared{}, err
		}
		if i > 0 {
			ones, others = append(ones, x), append(others, y)
			ratios = append(ratios, x.wall.Seconds()/y.wall.Seconds())
		}
	}
	slices.Sort(ratios)
	return compared{median(ones), median(others), ratios[len(ratios)/2]}, nil
}

func median(list []sample) sample {
	byTime := slices.SortedFunc(slices.Values(list), func(a, b sample) int { return int(a.wall - b.wall) })
	byPeak := slices.SortedFunc(slices.Values(list), func(a, b sample) int { return int(a.peak - b.peak) })
	return sample{byTime[len(list)/2].wall, byPeak[len(list)/2].peak}
}

// counter counts the lines that are written to it.
type counter struct{ lines int }

// Write never fails.
func (c *counter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte{'\n'})
	return len(p), nil
}

// command prepares a program whose credential is in the environment.
func (p program) command(ctx context.Context) *exec.Cmd {
	command := exec.CommandContext(ctx, p.name, p.args...)
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "PLANEQL_BENCH_TOKEN=token")
	return command
}

// run runs a program to its end and counts the lines that it prints.
func (p program) run(ctx context.Context) (sample, error) {
	command := p.command(ctx)
	out := &counter{}
	command.Stdout = out
	started := time.Now()
	if err := command.Start(); err != nil {
		return sample{}, fmt.Errorf("%s: %w", p.name, err)
	}
	ended := make(chan struct{})
	peak := make(chan int64)
	go func() { peak <- watchPeak(command.Process.Pid, ended) }()
	err := command.Wait()
	s := sample{wall: time.Since(started)}
	close(ended)
	s.peak = <-peak
	if err == nil && out.lines != p.lines {
		err = fmt.Errorf("%d lines, not %d", out.lines, p.lines)
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s %s: %w", p.name, strings.Join(p.args, " "), err)
	}
	return s, nil
}

// watchPeak gives the most memory that a process had, looked up every 2 ms
// until it ends; 0 where the system has no /proc. The peak that wait reports
// would not do: it begins with the memory of the process that started it.
func watchPeak(pid int, ended <-chan struct{}) (peak int64) {
	ticker := time.NewTicker(2 * time.Millisecond)
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
