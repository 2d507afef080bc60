// Command bench measures planeql against hand-written programs that do the same
// work in the same run, and against what a service allows, and prints one table.
// The figures that count are the ratios: absolute times belong to the machine.
// Every program is a process of its own, started in turn with the one it is
// compared to, and the medians are shown. Every run has to print the rows that
// are there, or the program fails.
//
//	go run ./internal/bench          all rows, some two minutes
//	go run ./internal/bench join     those whose name has the word
//
// Start reading at [run]; what the other side does is in client.go, what both
// ask is in service.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	if len(os.Args) > 3 {
		times, err := strconv.Atoi(os.Args[3])
		if err == nil {
			err = runClient(context.Background(), os.Args[1], os.Args[2], times)
		}
		exit(err)
		return
	}
	wanted := ""
	if len(os.Args) > 1 {
		wanted = os.Args[1]
	}
	exit(run(context.Background(), wanted))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is a line of the table. The ratio is empty where nothing is compared.
type row struct {
	what, planeql, other, ratio, goal string
	met                               bool
}

// run builds the programs, measures what has the word in its name, and prints
// the table.
func run(ctx context.Context, wanted string) error {
	folder, err := os.MkdirTemp("", "planeql-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // a temporary folder: the system clears it too
	b := &bench{planeql: filepath.Join(folder, "planeql"), bare: filepath.Join(folder, "bare")}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	for target, source := range map[string]string{b.planeql: "./cmd/planeql", b.bare: "./internal/bench/bare"} {
		build := exec.CommandContext(ctx, "go", "build", "-o", target, source)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building %s: %w", source, err)
		}
	}
	var rows []row
	for _, m := range []struct {
		name    string
		measure func(context.Context) ([]row, error)
	}{
		{"start", b.start}, {"visible", b.visible}, {"first", b.firstRow}, {"list", b.list}, {"long", b.longList},
		{"latency", b.latency}, {"scopes", b.scopes}, {"join", b.join}, {"limit", b.limit}, {"throttled", b.throttled},
	} {
		if !strings.Contains(m.name, wanted) {
			continue
		}
		more, err := m.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		rows = append(rows, more...)
	}
	return print(rows)
}

func print(rows []row) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	line := func(cells ...string) {
		for i, c := range cells {
			if c == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	line("what", "planeql", "other", "ratio", "goal", "verdict")
	for _, r := range rows {
		verdict := "missed"
		if r.met {
			verdict = "met"
		}
		line(r.what, r.planeql, r.other, r.ratio, r.goal, verdict)
	}
	return w.Flush()
}
