package planeql_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/planeql/planeql"

// goFile is a source file of the project.
type goFile struct {
	folder string // "." for the root
	name   string
	set    *token.FileSet
	tree   *ast.File
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// goFiles reads every Go file of the project.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, goFile{filepath.ToSlash(filepath.Dir(path)), filepath.Base(path), set, tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// layers reads layers.txt: what each package may import, and which packages
// alone may import something from outside.
func layers(t *testing.T) (allowed map[string][]string, only map[string][]string) {
	t.Helper()
	text, err := os.ReadFile("layers.txt")
	if err != nil {
		t.Fatal(err)
	}
	allowed, only = map[string][]string{}, map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, list, ok := strings.Cut(line, ":")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !ok:
			t.Fatalf("layers.txt: %q has no colon", line)
		case strings.HasPrefix(name, "only "):
			only[strings.TrimPrefix(name, "only ")] = strings.Fields(list)
		default:
			allowed[name] = strings.Fields(list)
		}
	}
	return allowed, only
}

// Imports go downwards only: layers.txt names every pair that may be.
func TestLayers(t *testing.T) {
	allowed, only := layers(t)
	for _, f := range goFiles(t) {
		if f.isTest() {
			continue
		}
		may, listed := allowed[f.folder]
		if !listed {
			t.Errorf("%s is not in layers.txt", f.folder)
			continue
		}
		for _, i := range f.tree.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if local, ok := localImport(path); ok && !slices.Contains(may, local) && !slices.Contains(may, "*") {
				t.Errorf("%s/%s imports %s, which layers.txt does not allow", f.folder, f.name, local)
			}
			for prefix, packages := range only {
				if strings.HasPrefix(path, prefix) && !slices.Contains(packages, f.folder) {
					t.Errorf("%s/%s imports %s, which only %v may", f.folder, f.name, path, packages)
				}
			}
		}
	}
}

func localImport(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// The order of layers.txt is the order of the layers: a line names only what
// stands above it.
func TestLayers_order(t *testing.T) {
	text, err := os.ReadFile("layers.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := []string{}
	for line := range strings.Lines(string(text)) {
		name, list, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(name, "#") || strings.HasPrefix(name, "only ") {
			continue
		}
		for _, below := range strings.Fields(list) {
			if below != "*" && !slices.Contains(seen, below) {
				t.Errorf("layers.txt: %s may import %s, which is not below it", name, below)
			}
		}
		seen = append(seen, name)
	}
}

// Every package says what it is for, and ARCHITECTURE.md names it.
func TestPackages(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.isTest() {
			documented[f.folder] = documented[f.folder] || f.tree.Doc.Text() != ""
		}
	}
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("the package in %s has no comment", folder)
		}
		if folder != "." && !strings.Contains(string(text), "`"+folder+"`") {
			t.Errorf("ARCHITECTURE.md does not name `%s`", folder)
		}
	}
}

// Every exported name outside tests and main has a comment that begins with it.
func TestComments(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.isTest() || f.tree.Name.Name == "main" {
			continue
		}
		for _, d := range f.tree.Decls {
			for _, missing := range undocumented(d) {
				t.Errorf("%s/%s: %s has no comment", f.folder, f.name, missing)
			}
		}
	}
}

// undocumented gives the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) && d.Doc.Text() == "" {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, s := range d.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc.Text() == "" && ts.Doc.Text() == "" {
				names = append(names, ts.Name.Name)
			}
		}
		return names
	}
	return nil
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	name := d.Recv.List[0].Type
	if star, ok := name.(*ast.StarExpr); ok {
		name = star.X
	}
	id, ok := name.(*ast.Ident)
	return ok && id.IsExported()
}

// Functions fit a screen, files have one subject.
func TestBudgets(t *testing.T) {
	const longestFunction, longestFile, mostParameters = 100, 800, 5
	for _, f := range goFiles(t) {
		lines := f.set.Position(f.tree.End()).Line
		if !f.isTest() && lines > longestFile {
			t.Errorf("%s/%s has %d lines", f.folder, f.name, lines)
		}
		for _, d := range f.tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || f.isTest() {
				continue
			}
			length := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1
			if length > longestFunction {
				t.Errorf("%s/%s: %s has %d lines", f.folder, f.name, fn.Name.Name, length)
			}
			if n := fn.Type.Params.NumFields(); n > mostParameters {
				t.Errorf("%s/%s: %s has %d parameters", f.folder, f.name, fn.Name.Name, n)
			}
			if fn.Name.Name == "init" {
				t.Errorf("%s/%s has an init function", f.folder, f.name)
			}
		}
	}
}

// The code has no switched-off linter, no leave-it-for-later and no vague
// package.
func TestHouseRules(t *testing.T) {
	vague := []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "shared", "types"}
	for _, f := range goFiles(t) {
		if slices.Contains(vague, f.tree.Name.Name) {
			t.Errorf("%s: %s says nothing about the package", f.folder, f.tree.Name.Name)
		}
		for _, group := range f.tree.Comments {
			for _, c := range group.List {
				for _, word := range []string{"nol" + "int", "TO" + "DO", "FIX" + "ME", "XX" + "X:"} {
					if strings.Contains(c.Text, word) {
						t.Errorf("%s: %s", f.set.Position(c.Pos()), fmt.Sprintf("%q in a comment", word))
					}
				}
			}
		}
	}
}
