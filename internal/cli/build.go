package cli

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planeql/planeql/internal/build"
	"github.com/planeql/planeql/internal/fault"
)

// buildSettings are the flags of provider build.
type buildSettings struct {
	out, provider, service string
	check                  bool
}

func (a *app) buildCommand() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "build FILE|FOLDER",
		Short: "Make a provider from a Swagger 2.0 or OpenAPI 3 description",
		Long: "build reads a description of an API, or all below a folder, and writes a provider in the published format:\n" +
			"PROVIDER/" + build.Version + "/provider.yaml and a file for the service. Paging, long-running operations and secrets are\n" +
			"kept as Microsoft's extensions say them. What could not be mapped goes to standard error; --check lists it and\n" +
			"writes nothing, with exit code 8 where there is anything.",
		Example: "  planeql provider build openapi.json --out providers\n  planeql provider build specification/desktopvirtualization --service desktop_virtualization --check",
		Args:    oneArgument("a file or a folder"),
	}, onBuild, a.providerBuild)
}

// withBuild puts the command beside the others about providers.
func (a *app) withBuild(provider *cobra.Command) *cobra.Command {
	provider.AddCommand(a.buildCommand())
	return provider
}

func (a *app) providerBuild(_ context.Context, args []string) error {
	s := a.settings.build
	if !s.check && s.out == "" {
		return fault.New(fault.InvalidFlag, "where the provider is written is not said").
			WithHint("planeql provider build %s --out FOLDER, or --check to see what it would be", args[0])
	}
	files, name, err := source(a.env.path(args[0]))
	if err != nil {
		return err
	}
	result, err := build.Build(files, name, build.Options{Provider: s.provider, Service: s.service})
	if err != nil {
		return err
	}
	if s.check {
		return a.checkBuilt(result)
	}
	out := a.env.path(s.out)
	if err := a.writeBuilt(result, out); err != nil {
		return err
	}
	a.listProblems(append(result.Problems, build.Verify(os.DirFS(out), result.Provider, result.Service)...))
	a.say("%s is written to %s: %s", result.Summary(), filepath.Join(out, result.Provider), result.Provider+"."+result.Service)
	return nil
}

// source gives the file system in which references between files are followed, and
// the name of the input in it: a document may refer to any above it.
func source(path string) (fs.FS, string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, "", fault.New(fault.InvalidFlag, "%q is no path", path).Because(err)
	}
	root := filepath.VolumeName(path) + string(filepath.Separator)
	name, err := filepath.Rel(root, path)
	if err != nil {
		return nil, "", fault.New(fault.InvalidFlag, "%q is no path", path).Because(err)
	}
	return os.DirFS(root), filepath.ToSlash(name), nil
}

// writeBuilt writes the files. A provider.yaml that is there keeps its other
// services.
func (a *app) writeBuilt(result *build.Result, out string) error {
	for _, name := range slices.Sorted(maps.Keys(result.Files)) {
		path := filepath.Join(out, filepath.FromSlash(name))
		text := result.Files[name]
		if before, err := os.ReadFile(path); err == nil && filepath.Base(path) == "provider.yaml" {
			if text, err = build.Merge(before, text); err != nil {
				return err
			}
		}
		err := os.MkdirAll(filepath.Dir(path), 0o750)
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			return fault.New(fault.InvalidFlag, "--out: the file %q cannot be written", path).
				WithDetail("%s", err.Error()).WithHint("name a folder that can be written to").Because(err)
		}
	}
	return nil
}

// checkBuilt lists what could not be mapped.
func (a *app) checkBuilt(result *build.Result) error {
	folder, err := os.MkdirTemp(a.env.TempDir, "planeql-build-")
	if err != nil {
		return fault.New(fault.InvalidFlag, "there is no folder for temporary files").WithDetail("%s", err.Error()).Because(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := a.writeBuilt(result, folder); err != nil {
		return err
	}
	problems := append(result.Problems, build.Verify(os.DirFS(folder), result.Provider, result.Service)...)
	for _, p := range problems {
		fmt.Fprintln(a.screen.stdout(), p)
	}
	a.say("%s", result.Summary())
	if len(problems) > 0 {
		return fault.New(fault.CheckFailed, "there are %d things that could not be mapped", len(problems)).
			WithHint("the rest can be built: planeql provider build … --out FOLDER")
	}
	return nil
}

// listProblems tells what could not be mapped.
func (a *app) listProblems(problems []build.Problem) {
	for _, p := range problems {
		fmt.Fprintf(a.screen.stderr(), "warning: %s\n", strings.TrimSpace(p.String()))
	}
}
