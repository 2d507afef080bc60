package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	planeql "github.com/planeql/planeql"
	"github.com/planeql/planeql/internal/render"
)

func (a *app) versionCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "version",
		Short: "Print the versions of planeql, DuckDB and Go",
	}, 0, a.version)
}

// version prints what the build knows of itself; DuckDB is not opened for it.
func (a *app) version(context.Context, []string) error {
	var built revision
	if info, ok := debug.ReadBuildInfo(); ok {
		built.read(info)
	}
	_, err := fmt.Fprintf(a.screen.stdout(), "planeql %s\ncommit  %s\nDuckDB  %s\nGo      %s %s/%s\n",
		planeql.Version, built, planeql.DuckDBVersion, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return render.OutputError(err)
	}
	return nil
}

// revision is the commit that a binary was built from.
type revision struct {
	commit   string
	modified bool
}

func (v *revision) read(info *debug.BuildInfo) {
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.commit = s.Value
		case "vcs.modified":
			v.modified = s.Value == "true"
		}
	}
}

// String gives the commit as a person reads it.
func (v revision) String() string {
	switch {
	case v.commit == "":
		return "unknown"
	case v.modified:
		return v.commit + ", with changes"
	default:
		return v.commit
	}
}
