// Command bench measures planeql against hand-written programs that do the same
// work in the same run, and prints one table. The figures that count are the
// ratios: absolute times belong to the machine. Every program is a process of
// its own, started in turn with the one it is compared to, and the medians are
// shown.
//
//	go run ./internal/bench
//
// Start reading at [run]; what the other side does is in client.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == clientMode {
		exit(client(context.Background(), os.Args[2], os.Stdout))
		return
	}
	exit(run(context.Background()))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row is a line of the table.
type row struct{ what, planeql, other, ratio, goal string }

// run builds the programs, measures and prints the table.
func run(ctx context.Context) error {
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
	for _, measure := range []func(context.Context) ([]row, error){b.start, b.listing, b.firstRow} {
		more, err := measure(ctx)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	return print(rows)
}

func print(rows []row) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }
	line("what", "planeql", "other", "ratio", "goal")
	for _, r := range rows {
		line(r.what, r.planeql, r.other, r.ratio, r.goal)
	}
	return w.Flush()
}
